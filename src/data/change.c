/* The changes of a task: grammar, tables, and what is done to numbers, words and labels. */
#include "change.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "mot/augment.h"
#include "mot/memory.h"
#include "mot/rng.h"

/* ---- random numbers ---- */

/* The index's low word; its high word with the split. */
static void words_of(const change_place *place, uint32_t *low, uint32_t *high)
{
    *low = (uint32_t)place->index;
    *high = (uint32_t)((uint64_t)place->index >> 32) << 2 | (uint32_t)place->split;
}

mot_random4 mot_change_draw(const change_place *place, uint32_t purpose, uint32_t number, uint32_t d)
{
    uint32_t low, high;
    words_of(place, &low, &high);
    return mot_random(place->seed, MOT_STREAM_TASKS, low, high, purpose << 8 | number, d);
}

void mot_change_permute(uint64_t seed, uint32_t task, uint32_t purpose, uint32_t number, size_t still,
                        size_t count, int32_t *permutation)
{
    for (size_t i = 0; i < count; ++i) permutation[i] = (int32_t)i;
    for (size_t i = count; i > still + 1; --i) { /* Fisher and Yates, from the end */
        const mot_random4 draw = mot_random(seed, MOT_STREAM_TASKS, task, 0, purpose << 8 | number, (uint32_t)i);
        const size_t j = still + (size_t)(mot_uniform(draw.word[0]) * (double)(i - still));
        const int32_t last = permutation[i - 1];
        permutation[i - 1] = permutation[j];
        permutation[j] = last;
    }
}

/* ---- numbers and words ---- */

static void add_noise(const made_change *change, const change_place *place, const mot_sample_format *format,
                      void *sample, void *scratch)
{
    const size_t count = format->bytes / mot_element_bytes(format->element);
    const bool picture = format->kind == MOT_SAMPLE_PICTURE;
    unsigned char *pixel = sample;
    float *number = sample, *noise = scratch;
    uint32_t counter[4] = {0, 0, (uint32_t)CHANGE_NOISE << 8 | change->number, 0};
    words_of(place, &counter[0], &counter[1]);
    mot_normal_row(place->seed, MOT_STREAM_TASKS, counter, (float)change->amount * (picture ? 255.0f : 1.0f), noise,
                   count);
    for (size_t i = 0; i < count; ++i)
        if (picture)
            pixel[i] = (unsigned char)(MOT_MIN(MOT_MAX((float)pixel[i] + noise[i], 0.0f), 255.0f) + 0.5f);
        else
            number[i] += noise[i];
}

static size_t columns(const mot_sample_format *format, size_t *still)
{
    *still = 0;
    return format->features;
}

static void permute_columns(const made_change *change, const change_place *place, const mot_sample_format *format,
                            void *sample, void *scratch)
{
    const size_t width = format->features;
    float *to = sample;
    const float *from = scratch;
    (void)place;
    memcpy(scratch, sample, format->bytes);
    for (size_t t = 0; t < format->tokens; ++t, to += width, from += width)
        for (size_t c = 0; c < width; ++c) to[c] = from[change->table[c]];
}

static size_t words(const mot_sample_format *format, size_t *still)
{
    *still = 2; /* padding, and the unknown word */
    return format->vocabulary;
}

static void permute_words(const made_change *change, const change_place *place, const mot_sample_format *format,
                          void *sample, void *scratch)
{
    int32_t *id = sample;
    unsigned char *byte = sample;
    (void)place;
    (void)scratch;
    for (size_t t = 0; t < format->tokens; ++t)
        if (format->element == MOT_ELEMENT_I32)
            id[t] = change->table[id[t]];
        else
            byte[t] = (unsigned char)change->table[byte[t]];
}

static void drop(const made_change *change, const change_place *place, const mot_sample_format *format, void *sample,
                 void *scratch)
{
    uint32_t low, high;
    (void)scratch;
    words_of(place, &low, &high);
    mot_augment_drop(change->amount, format, place->seed, (const uint32_t[]){low, high, 1 + change->number}, sample);
}

/* ---- kinds ---- */

enum {
    PICTURES = 1u << MOT_SAMPLE_PICTURE,
    TEXTS = 1u << MOT_SAMPLE_TEXT,
    VECTORS = 1u << MOT_SAMPLE_VECTOR,
};
static const change_kind
    noise = {.name = "noise", .high = 1e6, .of = PICTURES | VECTORS, .apply = add_noise},
    other_columns = {.name = "columns", .of = VECTORS, .entries = columns, .what = "column", .apply = permute_columns},
    other_words = {.name = "words", .of = TEXTS, .entries = words, .what = "known word", .apply = permute_words},
    dropped = {.name = "drop", .high = 1, .of = TEXTS, .apply = drop},
    labels = {.name = "labels", .high = 1, .of = PICTURES | TEXTS | VECTORS};
static const change_kind *const kinds[] = {
    &mot_change_rotate,  &mot_change_flip,   &mot_change_transpose, &mot_change_negate, &mot_change_blur, &noise,
    &mot_change_colours, &mot_change_pixels, &other_columns,        &other_words,       &dropped,         &labels};

static bool has_number(const change_kind *kind)
{
    return kind->high > kind->low;
}

/* ---- grammar ---- */

/* The next word, up to a blank, '+' or the end. */
static const char *take_word(const char *at, char word[32])
{
    at += strspn(at, " ");
    const size_t length = strcspn(at, " +");
    if (length == 0 || length >= 32) return NULL;
    memcpy(word, at, length);
    word[length] = '\0';
    at += length;
    return at + strspn(at, " ");
}

/* "rotate 30"; the place behind it. */
static const char *take_change(const char *at, mot_task_change *change)
{
    char word[32], *end;
    at = take_word(at, word);
    if (at == NULL) return NULL;
    *change = (mot_task_change){0};
    while (change->kind < (int)MOT_COUNT(kinds) && strcmp(word, kinds[change->kind]->name) != 0) ++change->kind;
    if (change->kind == (int)MOT_COUNT(kinds)) return NULL;
    const change_kind *kind = kinds[change->kind];
    if (!has_number(kind)) return at;
    at = take_word(at, word);
    if (at == NULL || word[strspn(word, "+-.0123456789e")] != '\0') return NULL;
    change->amount = strtod(word, &end);
    return *end == '\0' && change->amount >= kind->low && change->amount <= kind->high ? at : NULL;
}

bool mot_task_changes_parse(const char *text, mot_task_changes *all)
{
    const char *at = text;
    *all = (mot_task_changes){0};
    if (strcmp(text, "none") == 0) return true;
    if (strlen(text) >= MOT_CHANGES_TEXT) return false;
    while (all->count < MOT_MOST_CHANGES) {
        at = take_change(at, &all->change[all->count++]);
        if (at == NULL) return false;
        if (*at == '\0') return true;
        if (*at++ != '+') return false;
    }
    return false;
}

/* ---- of a task ---- */

static mot_status check(const change_kind *kind, const mot_sample_format *format, const char *where)
{
    static const char *const samples[] = {"pictures", "texts", "vectors"};
    size_t still = 0;
    if (!(kind->of >> format->kind & 1))
        return mot_fail(MOT_ERR_INPUT, "%s: %s is for %s, and the samples are %s", where, kind->name,
                        kind->of == PICTURES             ? "pictures"
                        : kind->of == TEXTS              ? "texts"
                        : kind->of == VECTORS            ? "vectors"
                                                         : "pictures and vectors",
                        samples[format->kind]);
    if (kind->entries != NULL && kind->entries(format, &still) < still + 2)
        return mot_fail(MOT_ERR_INPUT, "%s: %s permutes, and the samples have one %s at most", where,
                        kind->name, kind->what);
    if (kind->square && format->height != format->width)
        return mot_fail(MOT_ERR_INPUT, "%s: %s is for pictures as high as wide, and the samples have %zu x %zu pixels", where,
                        kind->name, format->height, format->width);
    return MOT_OK;
}

/* One that does something. */
static mot_status draw_table(made_change *change, const mot_sample_format *format, uint64_t seed, int task)
{
    size_t still;
    const size_t count = change->kind->entries(format, &still);
    bool same = true;
    const mot_status status = mot_allocate(&change->table, count, sizeof *change->table, "a permutation");
    if (status != MOT_OK) return status;
    for (uint32_t attempt = 0; same; ++attempt) {
        mot_change_permute(seed, (uint32_t)task, CHANGE_TABLE + 16 * attempt, change->number, still, count,
                           change->table);
        for (size_t i = 0; i < count; ++i) same = same && change->table[i] == (int32_t)i;
    }
    return MOT_OK;
}

mot_status mot_changes_make(made_changes *all, const mot_task_changes *wanted, const mot_sample_format *format,
                            uint64_t seed, int task, const char *where)
{
    mot_status status = MOT_OK;
    *all = (made_changes){0};
    for (int i = 0; i < wanted->count; ++i) {
        made_change *change = &all->change[all->count++];
        change->kind = kinds[wanted->change[i].kind];
        change->amount = wanted->change[i].amount;
        change->number = (uint32_t)i;
        MOT_TRY(check(change->kind, format, where));
        if (change->kind->entries != NULL) MOT_TRY(draw_table(change, format, seed, task));
    }
done:
    if (status != MOT_OK) mot_changes_free(all);
    return status;
}

void mot_changes_free(made_changes *all)
{
    for (int i = 0; i < all->count; ++i) mot_free(all->change[i].table);
    *all = (made_changes){0};
}

bool mot_changes_touch(const made_changes *all)
{
    bool touch = false;
    for (int i = 0; i < all->count; ++i) touch = touch || all->change[i].kind->apply != NULL;
    return touch;
}

void mot_changes_apply(const made_changes *all, const change_place *place, const mot_sample_format *format,
                       void *sample, void *scratch)
{
    for (int i = 0; i < all->count; ++i) {
        const made_change *change = &all->change[i];
        if (change->kind->apply != NULL) change->kind->apply(change, place, format, sample, scratch);
    }
}

bool mot_changes_wrong_labels(const made_changes *all)
{
    bool wrong = false;
    for (int i = 0; i < all->count; ++i) wrong = wrong || all->change[i].kind == &labels;
    return wrong;
}

int mot_changes_label(const made_changes *all, const change_place *place, int own, int count)
{
    for (int i = 0; i < all->count; ++i) {
        const made_change *change = &all->change[i];
        if (change->kind != &labels) continue;
        const mot_random4 draw = mot_change_draw(place, CHANGE_LABEL, change->number, 0);
        if (mot_uniform(draw.word[0]) >= change->amount) continue;
        const int other = (int)(mot_uniform(draw.word[1]) * (count - 1));
        own = other + (other >= own);
    }
    return own;
}
