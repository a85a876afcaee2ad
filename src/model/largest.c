#include "largest.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "mot/rng.h"
#include "mot/vector.h"

typedef float floats __attribute__((vector_size(MOT_VECTOR_BYTES)));
typedef int32_t integers __attribute__((vector_size(MOT_VECTOR_BYTES)));
typedef int32_t integers_in_words __attribute__((vector_size(MOT_VECTOR_BYTES), may_alias));
enum { BLOCK = MOT_RANDOM_PAIRS, FLOATS = MOT_VECTOR_BYTES / sizeof(float), PARTS = BLOCK / FLOATS };

typedef struct candidate {
    double exact; /* its score; NaN: not yet known */
    float about;  /* the same to within what separates() asks for */
    int32_t expert;
    uint32_t word[2]; /* that its noise is made of */
} candidate;

/* One sample's scores, and the best so far: a heap in which none stands before those below it, so that the first is the last to be
 * chosen. */
typedef struct search {
    const mot_real *h, *bias; /* [E] */
    mot_noise noise;
    double scale;
    float apart; /* what two noises, times the scale, may be off */
    float least; /* what is about less cannot be one of the best any more; all can until there are K */
    size_t K, count;
    candidate best[MOT_MAX_EXPERTS];
} search;

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

static void sink(search *s, candidate c)
{
    size_t at = 0;
    for (size_t below = 1; below < s->count; below = 2 * at + 1) {
        if (below + 1 < s->count && before(s, &s->best[below], &s->best[below + 1])) ++below;
        if (!before(s, &c, &s->best[below])) break;
        s->best[at] = s->best[below];
        at = below;
    }
    s->best[at] = c;
}

static void enter(search *s, candidate c)
{
    if (s->count == s->K) {
        if (!before(s, &c, &s->best[0])) return;
        sink(s, c);
    } else {
        size_t at = s->count++;
        for (; at > 0 && before(s, &s->best[(at - 1) / 2], &c); at = (at - 1) / 2) s->best[at] = s->best[(at - 1) / 2];
        s->best[at] = c;
    }
    s->least = s->best[0].about - separates(s, s->best[0].about);
}

static void take(search *s, int32_t *expert)
{
    while (s->count > 0) {
        expert[s->count - 1] = s->best[0].expert;
        const candidate last = s->best[--s->count];
        if (s->count > 0) sink(s, last);
    }
}

void mot_largest(size_t E, size_t K, const double *score, int32_t *expert)
{
    search s;
    s.noise = MOT_NOISE_NONE;
    s.apart = 0;
    s.K = K;
    s.count = 0;
    for (size_t i = 0; i < E; ++i) enter(&s, (candidate){.exact = or_lowest(score[i]), .expert = (int32_t)i});
    take(&s, expert);
}

/* ---- noise of several, to a thousandth ---- */

static inline floats pick(integers where, floats a, floats b)
{
    return (floats)((where & (integers)a) | (~where & (integers)b));
}

/* y = 2^e (1 + f) with 1 + f in [sqrt(1/2), sqrt(2)). */
static inline floats part(floats y, floats *e)
{
    const integers bits = (integers)y, power = (bits - 0x3f3504f3) >> 23;
    *e = __builtin_convertvector(power, floats);
    return (floats)(bits - (power << 23)) - 1;
}

/* log(1 + f), to 6e-5 of it. */
static inline floats log_near(floats f)
{
    return f * (0.99996620f + f * (-0.49945065f + f * (0.33638886f + f * (-0.27094600f + f * 0.17658055f))));
}

static inline floats rough_log(floats y)
{
    floats e;
    const floats f = part(y, &e);
    return e * 0.69314718f + log_near(f);
}

/* -log(u), u = (word + 1/2) 2^-32, to 6e-5 of it: near 1 by the distance to 1, which a float has with all its digits. */
static inline floats minus_log(integers word)
{
    const integers upper = word < 0; /* u > 1/2 */
    const floats near = (__builtin_convertvector(word ^ upper, floats) + 0.5f) * 0x1p-32f;
    floats e, f = part(pick(upper, 1 - near, near), &e);
    f = pick(e == 0, -near, f);
    return e * -0.69314718f - log_near(f);
}

/* cos(2 pi word / 2^32) to 5e-5 */
static inline floats rough_cos(integers word)
{
    const floats x = __builtin_convertvector(word, floats) * 0x1p-32f, t = x * x;
    return 0.99995977f + t * (-19.731041f + t * (64.673431f + t * (-82.403549f + t * 45.646557f)));
}

static inline floats root(floats x)
{
#if MOT_X86_LEVEL == 4
    return (floats)_mm512_sqrt_ps((__m512)x);
#elif MOT_X86_LEVEL == 3
    return (floats)_mm256_sqrt_ps((__m256)x);
#elif defined(__x86_64__)
    return (floats)_mm_sqrt_ps((__m128)x);
#else
    for (int i = 0; i < FLOATS; ++i) x[i] = sqrtf(x[i]);
    return x;
#endif
}

static inline floats rough_noise(mot_noise noise, integers word, integers other)
{
    if (noise == MOT_NOISE_UNIFORM) return __builtin_convertvector(word >> 1 & INT32_MAX, floats) * 0x1p-31f;
    if (noise == MOT_NOISE_GUMBEL) return -rough_log(minus_log(word));
    return root(2 * minus_log(word)) * rough_cos(other);
}

/* Not below -log((word + 1/2) 2^-32): a float's bits, read as an integer, are its logarithm by straight lines below it. */
static inline floats above_minus_log(integers word)
{
    const floats less = __builtin_convertvector(word >> 1 & INT32_MAX, floats);
    return (158 - __builtin_convertvector((integers)less, floats) * 0x1p-23f) * 0.69314718f + 1e-4f;
}

/* Where `scale` times the noise may be `missing`. Gumbel's is not above -log(1 - u), and a Gaussian's not above the length of the pair
 * of which it is one. */
static inline integers may_reach(mot_noise noise, float scale, floats missing, integers word)
{
    if (noise == MOT_NOISE_UNIFORM) return missing <= scale;
    if (noise == MOT_NOISE_GUMBEL) return missing <= scale * above_minus_log(~word);
    return missing * pick(missing < 0, -missing, missing) <= 2 * scale * scale * above_minus_log(word);
}

/* No noise is above `most`; and twice what rough_noise is off at most. */
static const struct bounds {
    float most, apart;
} bounds[] = {[MOT_NOISE_NONE] = {0, 0},
              [MOT_NOISE_UNIFORM] = {1, 0x1p-20f},
              [MOT_NOISE_GUMBEL] = {23, 0x1p-9f},
              [MOT_NOISE_GAUSSIAN] = {7, 0x1p-9f}};

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
    float largest = most[0];
    for (int i = 1; i < FLOATS; ++i) largest = most[i] > largest ? most[i] : largest;
    return largest;
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
    for (int p = 0; p < PARTS; ++p) where |= may_reach(s->noise, scale, s->least - about[p], first[p]);
    if (s->count == s->K && bits_of(where) == 0) return false;
    for (int p = 0; p < PARTS; ++p) about[p] += scale * rough_noise(s->noise, first[p], second[p]);
    return true;
}

/* Those of a block that may be among the best. Where one is wanted, the block's own largest says who else may be it. */
static inline unsigned candidates(const search *s, const floats about[PARTS], size_t count)
{
    const unsigned all = (1u << count) - 1;
    float least = s->least;
    if (s->K == 1) {
        const float most = largest_of(about), own = most - separates(s, most);
        least = own > least ? own : least;
    } else if (s->count < s->K) {
        return all;
    }
    const unsigned bits = bits_from(about, least) & all;
    return s->count + bits > 0 ? bits : all; /* scores that are no numbers are the lowest, but there are no others */
}

static inline void search_block(search *s, const mot_choice_batch *batch, size_t b, size_t from, float reach)
{
    floats about[PARTS];
    mot_random_pairs pairs;
    begin_block(s, batch->E, from, about);
    if (s->count == s->K && bits_from(about, s->least - reach) == 0) return;
    if (s->noise == MOT_NOISE_NONE)
        memset(&pairs, 0, sizeof pairs);
    else if (!add_noise(s, batch, b, from, about, &pairs))
        return;
    for (unsigned bits = candidates(s, about, MOT_MIN((size_t)BLOCK, batch->E - from)); bits != 0; bits &= bits - 1) {
        const int i = __builtin_ctz(bits);
        const float score = about[i / FLOATS][i % FLOATS];
        enter(s, (candidate){.exact = NAN,
                             .about = score > -FLT_MAX ? score : -FLT_MAX, /* as or_lowest */
                             .expert = (int32_t)from + i,
                             .word = {pairs.first[i], pairs.second[i]}});
    }
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
    s.h = batch->h + b * batch->E;
    s.bias = batch->bias;
    s.noise = scale > 0 ? noise : MOT_NOISE_NONE;
    s.scale = s.noise != MOT_NOISE_NONE ? scale : 0;
    s.apart = (float)s.scale * bounds[s.noise].apart;
    s.least = -INFINITY;
    s.K = batch->K;
    s.count = 0;
    const float reach = (float)s.scale * bounds[s.noise].most;
    const size_t top = batch->E > BLOCK ? top_block(&s, batch->E) : 0;
    search_block(&s, batch, b, top, reach);
    for (size_t from = 0; from < batch->E; from += BLOCK)
        if (from != top) search_block(&s, batch, b, from, reach);
    take(&s, expert);
}
