#include "largest.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "mot/rng.h"
#include "rough_noise.h"

typedef int32_t integers_in_words __attribute__((vector_size(MOT_VECTOR_BYTES), may_alias));
enum { BLOCK = MOT_RANDOM_PAIRS, PARTS = BLOCK / FLOATS };

typedef struct candidate {
    double exact; /* its score; NaN: not yet known */
    float about;  /* the same to within what separates() asks for */
    int32_t expert;
    uint32_t word[2]; /* that its noise is made of */
} candidate;

/* One sample's scores, and the best so far: the first `sorted` of them in order, behind them those that came since. No more than K are
 * kept when all are put in order. */
typedef struct search {
    const mot_real *h, *bias; /* [E] */
    mot_noise noise;
    double scale;
    float apart;        /* what two noises, times the scale, may be off */
    float least;        /* what is about less cannot be one of the best any more; all can until there are K */
    double least_exact; /* without noise: the score of the last of K */
    size_t K, count, sorted;
    size_t top; /* the block that was searched first */
    candidate best[MOT_MAX_EXPERTS], spare[MOT_MAX_EXPERTS];
} search;

static bool full(const search *s)
{
    return s->sorted == s->K;
}

/* ---- a score ---- */

static double noise_of(mot_noise noise, const uint32_t word[2])
{
    double normal[2];
    switch (noise) {
    case MOT_NOISE_UNIFORM:
        return mot_uniform(word[0]);
    case MOT_NOISE_GUMBEL:
        return -log(-log((word[0] + 0.5) * 0x1p-32));
    case MOT_NOISE_GAUSSIAN:
        mot_normal_pair(word[0], word[1], normal);
        return normal[0];
    case MOT_NOISE_NONE:
        break;
    }
    return 0;
}

/* The lowest score is that of what is no number: a diverged gate must not take one expert twice before its loss is found not to be
 * finite. */
static double or_lowest(double score)
{
    return score > -DBL_MAX ? score : -DBL_MAX;
}

static double exact(const search *s, candidate *c)
{
    if (!isnan(c->exact)) return c->exact;
    double score = (double)s->h[c->expert] + (double)s->bias[c->expert];
    if (s->noise != MOT_NOISE_NONE) score += s->scale * noise_of(s->noise, c->word);
    return c->exact = or_lowest(score);
}

/* Two scores that are about `about` and further apart than this stand in that order exactly: twice what rough_noise is off at most, and
 * roundings. */
static float separates(const search *s, float about)
{
    return s->apart + fabsf(about) * 0x1p-20f;
}

static bool before(const search *s, candidate *a, candidate *b)
{
    if (fabsf(a->about - b->about) > separates(s, a->about)) return a->about > b->about;
    const double first = exact(s, a), second = exact(s, b);
    return first != second ? first > second : a->expert < b->expert;
}

/* ---- the best ---- */

/* c [n], of which those from `from` on are in no order. */
static void insert(const search *s, candidate *c, size_t from, size_t n)
{
    for (size_t i = from; i < n; ++i) {
        candidate own = c[i];
        size_t to = i;
        for (; to > 0 && before(s, &own, &c[to - 1]); --to) c[to] = c[to - 1];
        c[to] = own;
    }
}

/* What is about so much goes behind so many: behind [n, rounded up to a vector's numbers] of about, as long, n <= RUN. */
enum { RUN = 32 };
static inline void count_before(const float *about, size_t n, int32_t *behind)
{
    static const int32_t number[RUN] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15,
                                        16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31};
    for (size_t p = 0; p < n; p += FLOATS) {
        floats own;
        integers at, count = {0};
        memcpy(&own, about + p, sizeof own);
        memcpy(&at, number + p, sizeof at);
        for (size_t j = 0; j < n; ++j) count -= (about[j] > own) | ((about[j] == own) & (at > (int32_t)j));
        memcpy(behind + p, &count, sizeof count);
    }
}

/* Up to RUN of them: where they are about to stand is counted, and what is too close to say is then put right. */
static void sort_few(const search *s, candidate *c, size_t n)
{
    float about[RUN] = {0}; /* n is never 0, which not every compiler sees */
    int32_t behind[RUN];
    candidate given[RUN];
    for (size_t i = 0; i < n; ++i) about[i] = c[i].about;
    for (size_t i = n; i % FLOATS != 0; ++i) about[i] = -INFINITY;
    count_before(about, n, behind);
    memcpy(given, c, n * sizeof *c);
    for (size_t i = 0; i < n; ++i) c[behind[i]] = given[i];
    insert(s, c, 1, n);
}

/* c [n] from two runs in order, [0, half) and [half, n). */
static void merge(search *s, candidate *c, size_t half, size_t n)
{
    size_t first = 0, second = half;
    memcpy(s->spare, c, n * sizeof *c);
    for (size_t i = 0; i < n; ++i) {
        const bool other = first == half || (second < n && before(s, &s->spare[second], &s->spare[first]));
        c[i] = s->spare[other ? second++ : first++];
    }
}

static void sort(search *s, candidate *c, size_t n)
{
    if (n <= RUN) {
        sort_few(s, c, n);
        return;
    }
    sort(s, c, n / 2);
    sort(s, c + n / 2, n - n / 2);
    merge(s, c, n / 2, n);
}

static void begin(search *s, size_t K, mot_noise noise, double scale)
{
    s->noise = noise;
    s->scale = scale;
    s->apart = (float)scale * rough_bounds[noise].apart;
    s->least = -INFINITY;
    s->least_exact = -INFINITY;
    s->K = K;
    s->count = s->sorted = 0;
}

static void settled(search *s)
{
    s->sorted = s->count = MOT_MIN(s->count, s->K);
    if (!full(s)) return;
    candidate *last = &s->best[s->K - 1];
    s->least = last->about - separates(s, last->about);
    if (s->noise == MOT_NOISE_NONE) s->least_exact = exact(s, last);
}

/* Puts all in order, and keeps K. */
static void settle(search *s)
{
    enum { FEW = 4 };
    const size_t fresh = s->count - s->sorted;
    if (s->count <= RUN && fresh <= FEW) {
        insert(s, s->best, s->sorted, s->count);
    } else if (s->count <= RUN || s->sorted == 0) {
        sort(s, s->best, s->count);
    } else {
        sort(s, s->best + s->sorted, fresh);
        merge(s, s->best, s->sorted, s->count);
    }
    settled(s);
}

static void enter(search *s, candidate c)
{
    if (s->K > 1) {
        s->best[s->count++] = c;
    } else if (s->count == 0 || before(s, &c, &s->best[0])) {
        s->best[0] = c;
        s->count = 1;
        settled(s);
    }
}

/* Settles when K are there, and whenever so many are new that it is worth it. */
static void settle_often(search *s)
{
    if (s->count >= s->K && (s->sorted < s->K || s->count > s->K + s->K / 4)) settle(s);
}

static void take(search *s, int32_t *expert)
{
    if (s->sorted < s->count) settle(s);
    for (size_t k = 0; k < s->K; ++k) expert[k] = s->best[k].expert;
}

void mot_largest(size_t E, size_t K, const double *score, int32_t *expert)
{
    search s;
    begin(&s, K, MOT_NOISE_NONE, 0);
    for (size_t i = 0; i < E; ++i) {
        const double own = or_lowest(score[i]);
        if (own <= s.least_exact) continue; /* those that it is equal to came before it */
        enter(&s, (candidate){.exact = own, .about = (float)own, .expert = (int32_t)i});
        settle_often(&s);
    }
    take(&s, expert);
}

/* ---- a row ---- */

/* A bit for each lane. */
static inline unsigned bits_of(integers where)
{
#if MOT_X86_LEVEL == 4
    return _mm512_movepi32_mask((__m512i)where);
#elif MOT_X86_LEVEL == 3
    return (unsigned)_mm256_movemask_ps((__m256)where);
#elif defined(__x86_64__)
    return (unsigned)_mm_movemask_ps((__m128)where);
#else
    unsigned all = 0;
    for (int i = 0; i < FLOATS; ++i) all |= (where[i] != 0) << i;
    return all;
#endif
}

/* h_i + bias_i of a block; -inf behind the last expert. */
static inline void begin_block(const search *s, size_t E, size_t from, floats about[PARTS])
{
    const mot_real *h = s->h + from, *bias = s->bias + from;
#ifndef MOT_DOUBLE
    if (E - from >= BLOCK) {
        for (int p = 0; p < PARTS; ++p) about[p] = mot_load(h + p * FLOATS) + mot_load(bias + p * FLOATS);
        return;
    }
#endif
    float each[BLOCK];
    for (size_t i = 0; i < BLOCK; ++i) each[i] = from + i < E ? (float)(h[i] + bias[i]) : -INFINITY;
    memcpy(about, each, sizeof each);
}

/* A bit for each of a block that is not below `least`. */
static inline unsigned bits_from(const floats about[PARTS], float least)
{
    unsigned bits = 0;
    for (int p = 0; p < PARTS; ++p) bits |= bits_of(about[p] >= least) << p * FLOATS;
    return bits;
}

static inline float largest_of(const floats about[PARTS])
{
    floats most = about[0];
    for (int p = 1; p < PARTS; ++p) most = pick(about[p] > most, about[p], most);
#ifdef MOT_DOUBLE
    float largest = most[0];
    for (int i = 1; i < FLOATS; ++i) largest = most[i] > largest ? most[i] : largest;
    return largest;
#else
    return mot_lanes_max(most);
#endif
}

/* Adds the noise; false where what it may be is enough for none, and it was not found out. */
static inline bool add_noise(const search *s, const mot_choice_batch *batch, size_t b, size_t from, floats about[PARTS],
                             mot_random_pairs *pairs)
{
    const uint64_t place = mot_choice_place(batch, b);
    const float scale = (float)s->scale;
    integers where = {0};
    mot_draw_pairs(batch->seed, MOT_STREAM_NOISE,
                   (const uint32_t[]){(uint32_t)batch->step, (uint32_t)place, (uint32_t)(place >> 32), (uint32_t)from}, pairs);
    const integers_in_words *first = (const void *)pairs->first, *second = (const void *)pairs->second;
    if (full(s)) {
        for (int p = 0; p < PARTS; ++p) where |= may_reach(s->noise, scale, s->least - about[p], first[p]);
        if (bits_of(where) == 0) return false;
    }
    for (int p = 0; p < PARTS; ++p) about[p] += scale * rough_noise(s->noise, first[p], second[p]);
    return true;
}

/* The K-th largest of a block; -inf where numbers are fewer. */
static inline float largest_but(const floats about[PARTS], size_t K)
{
    float each[BLOCK];
    int32_t behind[BLOCK];
    if (K == 1) return largest_of(about);
    memcpy(each, about, sizeof each);
    count_before(each, BLOCK, behind);
    for (size_t i = 0; i < BLOCK && K <= BLOCK; ++i)
        if (behind[i] == (int32_t)K - 1) return each[i];
    return -INFINITY;
}

/* Those of a block that may be among the best. Its own K say so where there were none before, or it costs next to nothing. */
static inline unsigned candidates(const search *s, const floats about[PARTS], size_t count)
{
    const unsigned all = (1u << count) - 1;
    float least = s->least;
    if (s->K == 1 || s->count == 0) {
        const float last = largest_but(about, s->K), own = last - separates(s, last);
        least = own > least ? own : least;
    }
    const unsigned bits = least > -INFINITY ? bits_from(about, least) & all : 0;
    return full(s) || bits > 0 ? bits : all; /* scores that are no numbers are the lowest, but there are no others */
}

/* Without noise: may expert i be one of the best? One that is equal to the last of K goes before it where its number is lower. */
static inline bool reaches(const search *s, size_t i)
{
    const double score = or_lowest((double)s->h[i] + (double)s->bias[i]);
    return score > s->least_exact || (score == s->least_exact && i < s->top) || !full(s);
}

static inline void search_block(search *s, const mot_choice_batch *batch, size_t b, size_t from, float reach)
{
    floats about[PARTS];
    mot_random_pairs pairs;
    begin_block(s, batch->E, from, about);
    if (full(s) && bits_from(about, s->least - reach) == 0) return;
    if (s->noise != MOT_NOISE_NONE && !add_noise(s, batch, b, from, about, &pairs)) return;
    for (unsigned bits = candidates(s, about, MOT_MIN((size_t)BLOCK, batch->E - from)); bits != 0; bits &= bits - 1) {
        const int i = __builtin_ctz(bits);
        if (s->noise == MOT_NOISE_NONE && !reaches(s, from + (size_t)i)) continue;
        const float score = about[i / FLOATS][i % FLOATS];
        candidate own = {.exact = NAN, .about = score > -FLT_MAX ? score : -FLT_MAX, /* as or_lowest */ .expert = (int32_t)from + i};
        if (s->noise != MOT_NOISE_NONE) memcpy(own.word, (const uint32_t[]){pairs.first[i], pairs.second[i]}, sizeof own.word);
        enter(s, own);
    }
    settle_often(s);
}

/* The block with the largest h + bias: what is found there spares others their noise. */
static size_t top_block(const search *s, size_t E)
{
    floats about[PARTS], most = -INFINITY - (floats){0};
    integers at = {0};
    for (size_t from = 0; from < E; from += BLOCK) {
        begin_block(s, E, from, about);
        for (int p = 0; p < PARTS; ++p) {
            const integers more = about[p] > most;
            most = pick(more, about[p], most);
            at = (more & (int32_t)from) | (~more & at);
        }
    }
    int top = 0;
    for (int i = 1; i < FLOATS; ++i)
        if (most[i] > most[top] || (most[i] == most[top] && at[i] < at[top])) top = i;
    return (size_t)at[top];
}

void mot_largest_noisy(const mot_choice_batch *batch, size_t b, mot_noise noise, double scale, int32_t *expert)
{
    search s;
    const bool noisy = scale > 0 && noise != MOT_NOISE_NONE;
    begin(&s, batch->K, noisy ? noise : MOT_NOISE_NONE, noisy ? scale : 0);
    s.h = batch->h + b * batch->E;
    s.bias = batch->bias;
    s.top = batch->E > BLOCK ? top_block(&s, batch->E) : 0;
    const float reach = (float)s.scale * rough_bounds[s.noise].most;
    search_block(&s, batch, b, s.top, reach);
    for (size_t from = 0; from < batch->E; from += BLOCK)
        if (from != s.top) search_block(&s, batch, b, from, reach);
    take(&s, expert);
}
