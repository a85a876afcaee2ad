/* What a gate saw of every sample, as points that k-means works on. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "mot/memory.h"
#include "report_private.h"

void mot_report_points_free(report_points *points)
{
    mot_free(points->value);
    mot_free(points->start);
    mot_free(points->column);
    *points = (report_points){0};
}

/* Ids [samples, T], 0 behind the end of a text. */
typedef struct texts {
    int32_t *id; /* owned */
    size_t T;
    bool mean;
} texts;

static size_t length_of(const texts *t, size_t sample)
{
    size_t length = 0;
    while (length < t->T && t->id[sample * t->T + length] != 0) ++length;
    return length;
}

static mot_status read_texts(const report_analysis *a, int layer, texts *t)
{
    char path[64], *input = NULL;
    mot_status status;
    snprintf(path, sizeof path, "layer%d/words", layer);
    MOT_TRY(mot_report_analysis_rows(a, layer, "words", H5T_NATIVE_INT32, sizeof *t->id, &t->T, &t->id));
    if (t->id == NULL) return MOT_OK;
    MOT_TRY(mot_h5_get_text(a->file, path, "input", &input));
    t->mean = strcmp(input, "mean") == 0;
    for (size_t i = 0; i < a->samples * t->T && status == MOT_OK; ++i)
        if (t->id[i] < 0) status = mot_fail(MOT_ERR_INPUT, "%s: /%s has word %d, and words count from 1", a->run->analysis, path, t->id[i]);
done:
    mot_free(input);
    return status;
}

/* A word that occurs is a column, in the order of first occurrences; last: where each word stands that has come, from 1. */
static void count_words(const texts *t, report_points *p, size_t *last)
{
    size_t used = 0;
    for (size_t i = 0; i < p->samples; ++i) {
        const size_t length = length_of(t, i);
        p->start[i] = used;
        for (size_t w = 0; w < length; ++w) {
            size_t *const at = &last[t->id[i * t->T + w]];
            if (*at > p->start[i]) {
                p->value[*at - 1] += 1;
                continue;
            }
            p->column[used] = *at > 0 ? p->column[*at - 1] : (int32_t)p->F++;
            p->value[used] = 1;
            *at = ++used;
        }
        for (size_t w = p->start[i]; w < used && t->mean; ++w) p->value[w] *= 1 / (float)length;
    }
    p->start[p->samples] = used;
}

static mot_status take_words(const report_analysis *a, const texts *t, report_points *p)
{
    const size_t most = a->samples * t->T;
    size_t words = 0, *last = NULL;
    mot_status status;
    for (size_t i = 0; i < most; ++i) words = MOT_MAX(words, (size_t)t->id[i] + 1);
    MOT_TRY(mot_allocate(&last, words, sizeof *last, "words"));
    MOT_TRY(mot_allocate(&p->value, most, sizeof *p->value, "words"));
    MOT_TRY(mot_allocate(&p->column, most, sizeof *p->column, "words"));
    MOT_TRY(mot_allocate(&p->start, a->samples + 1, sizeof *p->start, "words"));
    count_words(t, p, last);
done:
    mot_free(last);
    return status;
}

mot_status mot_report_analysis_seen(const report_analysis *a, int layer, report_points *points, char **why)
{
    texts t = {0};
    char group[32];
    mot_status status;
    *points = (report_points){.samples = a->samples};
    *why = NULL;
    snprintf(group, sizeof group, "layer%d", layer);
    MOT_TRY(mot_report_analysis_rows(a, layer, "features", H5T_NATIVE_FLOAT, sizeof *points->value, &points->F, &points->value));
    MOT_TRY(read_texts(a, layer, &t));
    if (t.id != NULL) MOT_TRY(take_words(a, &t, points));
    if (points->value == NULL && mot_h5_has_attribute(a->file, group, "features_missing"))
        MOT_TRY(mot_h5_get_text(a->file, group, "features_missing", why));
done:
    mot_free(t.id);
    if (status != MOT_OK) mot_report_points_free(points);
    return status;
}
