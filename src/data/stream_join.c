/* The data sets that are joined read alike: one form, one normalization, one vocabulary. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "mot/memory.h"
#include "schema_private.h"
#include "stream_private.h"

/* ---- form ---- */

static mot_status other_form(const stream_files *files, int f)
{
    char here[160], first[160];
    mot_dataset_form_text(&files->set[f].format, here);
    mot_dataset_form_text(&files->set[0].format, first);
    return mot_fail(MOT_ERR_INPUT, "%s holds %s, %s %s: data sets that are joined have one form", files->path[f], here,
                    files->path[0], first);
}

static mot_status check_columns(const stream_files *files, int f)
{
    const mot_dataset *here = &files->set[f], *first = &files->set[0];
    const size_t count = here->format.features;
    if (here->column_names == NULL || first->column_names == NULL) return MOT_OK;
    for (size_t c = 0; c < count; ++c)
        if (strcmp(here->column_names[c], first->column_names[c]) != 0)
            return mot_fail(MOT_ERR_INPUT,
                            "%s has '%.60s' as column %zu, %s '%.60s': data sets that are joined have the same columns in "
                            "one order",
                            files->path[f], here->column_names[c], c, files->path[0], first->column_names[c]);
    return MOT_OK;
}

/* What a text's numbers are. */
static const char *meaning(const mot_dataset *set)
{
    if (set->vocabulary != NULL) return "words";
    return set->format.element == MOT_ELEMENT_U8 ? "bytes" : "word ids without words";
}

static mot_status check_texts(const stream_files *files, int f)
{
    const mot_dataset *here = &files->set[f], *first = &files->set[0];
    const mot_reading *a = &here->format.reading, *b = &first->format.reading;
    if (strcmp(meaning(here), meaning(first)) != 0)
        return mot_fail(MOT_ERR_INPUT, "%s holds texts of %s, %s of %s: data sets that are joined have one form",
                        files->path[f], meaning(here), files->path[0], meaning(first));
    if (here->vocabulary == NULL && (a->id_shift != b->id_shift || strcmp(a->pad, b->pad) != 0))
        return mot_fail(MOT_ERR_INPUT, "%s and %s were imported with another --pad: their word ids differ",
                        files->path[f], files->path[0]);
    return MOT_OK;
}

static mot_status check_form(const stream_files *files, int f)
{
    const mot_sample_format *here = &files->set[f].format, *first = &files->set[0].format;
    if (here->kind != first->kind) return other_form(files, f);
    if (here->kind == MOT_SAMPLE_TEXT) return check_texts(files, f);
    if (here->bytes != first->bytes || here->channels != first->channels || here->height != first->height ||
        here->tokens != first->tokens)
        return other_form(files, f);
    if (here->normalization.scaling != first->normalization.scaling)
        return mot_fail(MOT_ERR_INPUT, "%s has the scaling %s, %s %s: data sets that are joined are scaled alike",
                        files->path[f], mot_dataset_scaling_names[here->normalization.scaling], files->path[0],
                        mot_dataset_scaling_names[first->normalization.scaling]);
    return here->kind == MOT_SAMPLE_VECTOR ? check_columns(files, f) : MOT_OK;
}

/* ---- numbers ---- */

/* Mean and deviation of several sets together, of which each has n, its mean m and its deviation s: the weighted mean
 * of m, and that of s^2 + (m - mean)^2. */
static void normalize_together(const stream_files *train, mot_normalization *all)
{
    const double samples = (double)train->first[train->count];
    for (size_t c = 0; c < all->count; ++c) {
        double mean = 0, square = 0;
        for (int f = 0; f < train->count; ++f)
            mean += (double)train->set[f].samples / samples * train->set[f].format.normalization.mean[c];
        for (int f = 0; f < train->count; ++f) {
            const mot_normalization *own = &train->set[f].format.normalization;
            const double away = own->mean[c] - mean;
            square += (double)train->set[f].samples / samples * (own->deviation[c] * own->deviation[c] + away * away);
        }
        all->mean[c] = mean;
        all->deviation[c] = sqrt(square);
    }
}

static mot_status join_numbers(const stream_files *train, mot_dataset *dataset)
{
    const mot_normalization *first = &train->set[0].format.normalization;
    mot_normalization *all = &dataset->format.normalization;
    const mot_status status = mot_dataset_normalization_allocate(&dataset->format);
    if (status != MOT_OK) return status;
    if (train->count > 1)
        normalize_together(train, all);
    else if (all->count > 0) /* to the last bit */
        memcpy(all->mean, first->mean, 2 * all->count * sizeof *all->mean);
    return MOT_OK;
}

/* ---- texts ---- */

/* The words of the first, then those that each of the next has besides. */
static mot_status join_words(const stream_files *files, mot_dataset *dataset)
{
    char **words = NULL;
    int32_t *map = NULL;
    size_t count = 0, most = 0;
    mot_status status;
    for (int f = 0; f < files->count; ++f) most += files->set[f].format.vocabulary;
    MOT_TRY(mot_allocate(&words, most, sizeof *words, "the words"));
    MOT_TRY(mot_allocate(&map, most, sizeof *map, "the words"));
    for (int f = 0; f < files->count; ++f)
        MOT_TRY(mot_dataset_names_add(words, &count, files->set[f].vocabulary, files->set[f].format.vocabulary, "words",
                                      files->path[f], map));
    dataset->format.vocabulary = count;
    MOT_TRY(mot_dataset_names_copy(&dataset->vocabulary, words, count));
done:
    mot_free(map);
    mot_free(words);
    return status;
}

/* A data set whose texts are given as those of all. */
static mot_status map_texts(stream_files *files, int f, const mot_dataset *dataset)
{
    const mot_schema all = {.format = dataset->format, .vocabulary = dataset->vocabulary};
    mot_dataset *set = &files->set[f];
    struct dataset_map *map;
    mot_status status;
    MOT_TRY(mot_allocate(&map, 1, sizeof *map, "a data set"));
    set->source->map = map; /* released with it */
    map->from = set->format;
    MOT_TRY(mot_schema_map_words(&all, set, files->path[f], map));
    set->format = dataset->format;
done:
    return status;
}

static mot_status join_texts(stream_files *files, mot_dataset *dataset)
{
    mot_sample_format *all = &dataset->format;
    mot_status status = MOT_OK;
    for (int f = 1; f < files->count; ++f) {
        const mot_sample_format *own = &files->set[f].format;
        all->tokens = MOT_MAX(all->tokens, own->tokens);
        all->vocabulary = MOT_MAX(all->vocabulary, own->vocabulary);
        if (own->reading.min_count != all->reading.min_count) all->reading.min_count = 0;
    }
    if (files->set[0].vocabulary != NULL) MOT_TRY(join_words(files, dataset));
    MOT_TRY(mot_dataset_format_check(all, "the texts of all data sets"));
    for (int f = 0; files->count > 1 && f < files->count; ++f) MOT_TRY(map_texts(files, f, dataset));
done:
    return status;
}

/* ---- all ---- */

mot_status mot_stream_join(stream_files *files, const stream_files *train, mot_dataset *dataset)
{
    const mot_dataset *first = &files->set[0];
    mot_status status = MOT_OK;
    dataset->format = first->format;
    dataset->format.normalization.mean = dataset->format.normalization.deviation = NULL; /* the file's own */
    for (int f = 1; f < files->count; ++f) MOT_TRY(check_form(files, f));
    MOT_TRY(mot_dataset_names_copy(&dataset->column_names, first->column_names, first->format.features));
    MOT_TRY(first->format.kind == MOT_SAMPLE_TEXT ? join_texts(files, dataset) : join_numbers(train, dataset));
done:
    return status;
}
