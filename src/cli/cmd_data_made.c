/* What stands in a data set that was just made, and what may be done next. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cmd_data.h"
#include "mot/dataset.h"
#include "mot/log.h"
#include "mot/memory.h"

static const char *const split_names[] = {"train", "val", "test"};
enum { SPLITS = 3 };

typedef struct line {
    char text[600];
} line;

static line what_samples_are(const mot_dataset *set)
{
    const mot_sample_format *format = &set->format;
    static const char *const scaled[] = {"scaled by column", "scaled by one mean and deviation",
                                         "not scaled"};
    const char *how = scaled[format->normalization.scaling];
    line l;
    if (format->kind == MOT_SAMPLE_PICTURE)
        snprintf(l.text, sizeof l.text, "pictures of %zu x %zu x %zu bytes", format->channels, format->height,
                 format->width);
    else if (format->kind == MOT_SAMPLE_TEXT)
        snprintf(l.text, sizeof l.text, "texts of up to %zu tokens, %zu different ones", format->tokens,
                 format->vocabulary);
    else if (format->tokens == 1)
        snprintf(l.text, sizeof l.text, "vectors of %zu numbers, %s", format->features, how);
    else
        snprintf(l.text, sizeof l.text, "vectors of %zu tokens of %zu numbers, %s", format->tokens,
                 format->features, how);
    return l;
}

/* "3 classes: cat, dog, emu; 10 to 40 training samples each" */
static mot_status describe_classes(const mot_dataset *set, line *l)
{
    mot_gidx *count, least = set->samples, most = 0;
    size_t at = 0;
    mot_status status = mot_allocate(&count, (size_t)set->classes, sizeof *count, "counts");
    if (status != MOT_OK) return status;
    for (mot_gidx i = 0; i < set->samples; ++i) ++count[mot_dataset_class(set, i)];
    at += (size_t)snprintf(l->text, sizeof l->text, "%d classes:", set->classes);
    for (int c = 0; c < set->classes; ++c) {
        least = MOT_MIN(least, count[c]);
        most = MOT_MAX(most, count[c]);
        const bool named = c < 4 || c == set->classes - 1;
        if (named && set->class_names != NULL)
            at += (size_t)snprintf(l->text + at, sizeof l->text - at, "%s %.40s", c == 0 ? "" : ",",
                                   set->class_names[c]);
        else if (c == 4)
            at += (size_t)snprintf(l->text + at, sizeof l->text - at, ", ...");
    }
    snprintf(l->text + at, sizeof l->text - at,
             least < most ? "; %" MOT_PRI_GIDX " to %" MOT_PRI_GIDX " training samples each"
                          : "; %" MOT_PRI_GIDX " training samples each",
             least, most);
    mot_free(count);
    return MOT_OK;
}

float cmd_data_target_number(const mot_dataset *set, mot_gidx index, size_t which)
{
    float number;
    memcpy(&number, set->target + (size_t)index * set->target_bytes + which * sizeof number, sizeof number);
    return number;
}

cmd_data_range cmd_data_target_range(const mot_dataset *set, size_t which)
{
    const double n = (double)set->samples;
    double sum = 0, squares = 0, least = INFINITY, most = -INFINITY;
    cmd_data_range range;
    for (mot_gidx i = 0; i < set->samples; ++i) {
        const double y = (double)cmd_data_target_number(set, i, which);
        sum += y;
        least = fmin(least, y);
        most = fmax(most, y);
    }
    for (mot_gidx i = 0; i < set->samples; ++i)
        squares += pow((double)cmd_data_target_number(set, i, which) - sum / n, 2);
    snprintf(range.text, sizeof range.text, "mean %.4g deviation %.4g, from %.4g to %.4g", sum / n,
             sqrt(squares / n), least, most);
    return range;
}

/* "2 numbers a sample; the first: mean ..." */
static line describe_numbers(const mot_dataset *set)
{
    const size_t numbers = set->target_bytes / sizeof(float);
    line l;
    snprintf(l.text, sizeof l.text, numbers == 1 ? "%zu number a sample: %s" : "%zu numbers a sample; the first: %s",
             numbers, cmd_data_target_range(set, 0).text);
    return l;
}

/* The setting that makes a model's patches fit, where the usual ones of 4 x 4 do not. */
static line patch_setting(const mot_sample_format *format)
{
    line l = {""};
    if (format->kind != MOT_SAMPLE_PICTURE || (format->height % 4 == 0 && format->width % 4 == 0)) return l;
    size_t patch = 1;
    for (size_t side = 2; side <= 8; ++side)
        if (format->height % side == 0 && format->width % side == 0) patch = side;
    snprintf(l.text, sizeof l.text, " model.patch=%zu", patch);
    return l;
}

mot_status cmd_data_say_made(const char *path)
{
    mot_dataset set = {0}, other;
    line samples = {""}, classes = {""};
    bool has[SPLITS] = {false};
    size_t at = 0;
    mot_status status = MOT_OK;
    for (int s = 0; s < SPLITS; ++s) {
        mot_dataset *into = s == 0 ? &set : &other;
        has[s] = mot_dataset_open(into, path, split_names[s], 0) == MOT_OK;
        if (has[s])
            at += (size_t)snprintf(samples.text + at, sizeof samples.text - at, "%s%" MOT_PRI_GIDX " in %s",
                                   at > 0 ? ", " : "", into->samples, split_names[s]);
        if (has[s] && s > 0) mot_dataset_close(&other);
    }
    if (!has[0]) return mot_fail(MOT_ERR_FILE, "%s: cannot be read back", path);
    const bool numbers = set.classes == 0;
    if (numbers)
        classes = describe_numbers(&set);
    else
        MOT_TRY(describe_classes(&set, &classes));
    mot_log(MOT_LOG_INFO, "made %s", path);
    mot_log(MOT_LOG_INFO, "  samples  %s", samples.text);
    mot_log(MOT_LOG_INFO, "  each is  %s", what_samples_are(&set).text);
    mot_log(MOT_LOG_INFO, "  %s  %s%s", numbers ? "targets" : "labels ", classes.text,
            set.groups > 0 ? ", and groups" : "");
    mot_log(MOT_LOG_INFO, "next: mot train configs/first.yaml data.file=%s%s%s%s", path,
            numbers ? " train.loss=squared" : "", patch_setting(&set.format).text,
            has[2]   ? ""
            : has[1] ? " eval.split=val"
                     : " eval.split=train   (there is no test split: --test-fraction 0.2 makes one)");
done:
    mot_dataset_close(&set);
    return status;
}
