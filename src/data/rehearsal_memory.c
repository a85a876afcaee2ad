/* Which samples of old tasks are held: of each part of them those with the smallest keys. */
#include "mot/rehearsal_memory.h"

#include <stdlib.h>
#include <string.h>

#include "mot/memory.h"
#include "mot/rng.h"

/* ---- sizes ---- */

bool mot_memory_size_parse(const char *text, mot_memory_form form, mot_memory_size *size)
{
    static const struct {
        const char *name;
        int shift;
    } units[] = {{"B", 0}, {"KiB", 10}, {"MiB", 20}, {"GiB", 30}};
    const size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 12) return false;
    *size = (mot_memory_size){strtoll(text, NULL, 10), MOT_MEMORY_SAMPLES};
    const char *end = text + digits;
    if (*end == '\0') return true;
    end += strspn(end, " ");
    size->unit = MOT_MEMORY_EACH;
    if (strcmp(end, "a class") == 0) return form == MOT_MEMORY_CLASS;
    if (strcmp(end, "a task") == 0) return form == MOT_MEMORY_TASK;
    size->unit = MOT_MEMORY_BYTES;
    for (size_t u = 0; u < MOT_COUNT(units); ++u)
        if (strcmp(end, units[u].name) == 0) {
            size->amount <<= units[u].shift;
            return true;
        }
    return false;
}

/* ---- parts ---- */

/* A sample to choose from, and the part that it is of: a task, a class of one, or all together. */
typedef struct candidate {
    int64_t part;
    uint64_t key;
    mot_gidx index;
} candidate;

static int by_key(const void *a, const void *b)
{
    const candidate *x = a, *y = b;
    if (x->part != y->part) return x->part < y->part ? -1 : 1;
    if (x->key != y->key) return x->key < y->key ? -1 : 1;
    return (x->index > y->index) - (x->index < y->index);
}

static uint64_t key_of(uint64_t seed, mot_gidx index)
{
    const mot_random4 draw = mot_random(seed, MOT_STREAM_MEMORY, (uint32_t)index, (uint32_t)((uint64_t)index >> 32), 0,
                                        0);
    return (uint64_t)draw.word[0] << 32 | draw.word[1];
}

static int64_t part_of(mot_memory_form form, const mot_dataset *train, int task, mot_gidx index)
{
    if (form == MOT_MEMORY_RESERVOIR) return 0;
    return form == MOT_MEMORY_TASK ? task : (int64_t)task * train->classes + mot_dataset_class(train, index);
}

/* Samples of each part in ascending order of their keys. */
static void line_up(candidate *all, mot_memory_form form, const mot_dataset *train, int tasks, uint64_t seed)
{
    const mot_stream *stream = mot_dataset_stream(train);
    for (int t = 0; t < tasks; ++t)
        for (mot_gidx i = stream->first[t]; i < stream->first[t + 1]; ++i)
            all[i] = (candidate){part_of(form, train, t, i), key_of(seed, i), i};
    qsort(all, (size_t)stream->first[tasks], sizeof *all, by_key);
}

/* ---- shares ---- */

/* What `most` comes to for all parts: the largest of them that together have no more than `size`; *rest is left then. Parts are
 * those of count [parts]. */
static mot_gidx level_of(const mot_gidx *count, size_t parts, mot_gidx size, mot_gidx *rest)
{
    mot_gidx low = 0, high = size; /* `low` fits, above `high` nothing does */
    while (low < high) {
        const mot_gidx middle = low + (high - low + 1) / 2;
        mot_gidx sum = 0;
        for (size_t p = 0; p < parts && sum <= size; ++p) sum += MOT_MIN(count[p], middle);
        if (sum <= size)
            low = middle;
        else
            high = middle - 1;
    }
    *rest = size;
    for (size_t p = 0; p < parts; ++p) *rest -= MOT_MIN(count[p], low);
    return low;
}

/* count [parts], samples that each has, becomes what it may hold. */
static void share(mot_gidx *count, size_t parts, mot_memory_size size)
{
    mot_gidx rest = 0;
    const mot_gidx level = size.unit == MOT_MEMORY_EACH ? size.amount : level_of(count, parts, size.amount, &rest);
    for (size_t p = 0; p < parts; ++p) {
        const bool more = count[p] > level && rest > 0;
        count[p] = MOT_MIN(count[p], level + more);
        rest -= more;
    }
}

/* ---- choosing ---- */

/* The first of each part, as many as its share, move to the front; how many those are. */
static size_t take_shares(candidate *all, size_t samples, mot_gidx *count, mot_memory_size size)
{
    size_t parts = 0, held = 0, at = 0;
    for (size_t i = 0; i < samples; ++i) {
        parts += i == 0 || all[i].part != all[i - 1].part;
        ++count[parts - 1];
    }
    share(count, parts, size);
    for (size_t p = 0; p < parts; ++p) {
        const int64_t part = all[at].part;
        for (mot_gidx taken = 0; at < samples && all[at].part == part; ++at)
            if (taken++ < count[p]) all[held++] = all[at];
    }
    return held;
}

static int by_index(const void *a, const void *b)
{
    const mot_gidx x = *(const mot_gidx *)a, y = *(const mot_gidx *)b;
    return (x > y) - (x < y);
}

mot_status mot_memory_choose(mot_memory *memory, mot_memory_form form, mot_memory_size size,
                             const mot_dataset *train, int tasks, uint64_t seed)
{
    const mot_stream *stream = mot_dataset_stream(train);
    const size_t samples = (size_t)stream->first[tasks];
    candidate *all = NULL;
    mot_gidx *count = NULL;
    mot_status status;
    *memory = (mot_memory){.tasks = tasks};
    if (size.unit == MOT_MEMORY_BYTES) size.amount /= (mot_gidx)train->format.bytes;
    MOT_TRY(mot_allocate(&all, samples, sizeof *all, "samples of old tasks"));
    MOT_TRY(mot_allocate(&count, samples, sizeof *count, "samples of old tasks"));
    line_up(all, form, train, tasks, seed);
    const size_t held = take_shares(all, samples, count, size);
    MOT_TRY(mot_allocate(&memory->first, (size_t)tasks + 1, sizeof *memory->first, "the memory of old tasks"));
    MOT_TRY(mot_allocate(&memory->sample, held, sizeof *memory->sample, "the memory of old tasks"));
    for (size_t i = 0; i < held; ++i) {
        memory->sample[i] = all[i].index;
        ++memory->first[mot_stream_task(stream, all[i].index) + 1];
    }
    for (int t = 0; t < tasks; ++t) memory->first[t + 1] += memory->first[t];
    qsort(memory->sample, held, sizeof *memory->sample, by_index); /* tasks are in the order of indices */
done:
    mot_free(all);
    mot_free(count);
    if (status != MOT_OK) mot_memory_free(memory);
    return status;
}

void mot_memory_free(mot_memory *memory)
{
    mot_free(memory->first);
    mot_free(memory->sample);
    *memory = (mot_memory){0};
}
