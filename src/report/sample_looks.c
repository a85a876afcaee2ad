/* Where experts look: of an analysis, as items of a gallery show it. */
#include "sample_looks.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mot/memory.h"
#include "sample_text.h"

/* Numbers of all looks on a page, each of some eight letters; and what a file may have of a layer. */
enum { PAGE_NUMBERS = 160000, MOST_NUMBERS = 1 << 28 };

/* ---- reading ---- */

/* Whether the analysis is of that evaluation, with the same split. */
static mot_status fits(report_all *report, report_part *part, const report_run *run, hid_t file, bool *same)
{
    char *split = NULL;
    mot_gidx step = -1;
    mot_status status;
    for (int l = 0; l < run->layers; ++l)
        if (run->layer[l].routes_count > 0) step = run->layer[l].routes[run->layer[l].routes_count - 1].step;
    MOT_TRY(mot_h5_get_text(file, ".", "split", &split));
    *same = step == run->analysis_step && strcmp(split, run->config->eval.split) == 0;
    if (!*same)
        mot_report_lacks(report, part, run,
                         "Where experts look is known of split %.20s at step %" MOT_PRI_GIDX ", and the samples are of split %.20s at step %" MOT_PRI_GIDX
                         ": `mot eval %s route.all=record` has them look at the newest checkpoint.",
                         split, run->analysis_step, run->config->eval.split, step, run->name);
done:
    mot_free(split);
    return status;
}

mot_status mot_report_looks_open(report_all *report, report_part *part, const report_run *run, hid_t *file)
{
    bool same = false;
    mot_status status = MOT_OK;
    *file = H5I_INVALID_HID;
    if (run->analysis == NULL) {
        mot_report_lacks(report, part, run, "Where experts look at these samples has not been recorded: `mot eval %s route.all=record` does it.",
                         run->name);
        return MOT_OK;
    }
    MOT_TRY(mot_h5_open_sealed(file, run->analysis, "analysis"));
    MOT_TRY(fits(report, part, run, *file, &same));
done:
    if (!same) mot_h5_close(file);
    return status;
}

/* Why a layer has none. */
static mot_status say_why(report_all *report, report_part *part, const report_run *run, hid_t file, int layer)
{
    char group[32], *why = NULL;
    mot_status status = MOT_OK;
    snprintf(group, sizeof group, "layer%d", layer);
    if (!mot_h5_has_attribute(file, group, "attention_missing")) {
        mot_report_lacks(report, part, run, "Where experts look is not in the analysis, which an earlier version made: `mot eval %s route.all=record` "
                         "makes it anew.", run->name);
        return MOT_OK;
    }
    MOT_TRY(mot_h5_get_text(file, group, "attention_missing", &why));
    mot_report_lacks(report, part, run, "Where the experts of layer %d look is not known: %.100s.", layer, why);
done:
    mot_free(why);
    return status;
}

static mot_status read_one(hid_t file, const char *group, const char *name, hid_t type, size_t bytes, int rank, const hsize_t *shape,
                           void *data)
{
    char path[64];
    size_t count = 1;
    void *read = NULL;
    mot_status status;
    for (int d = 0; d < rank; ++d) count *= (size_t)shape[d];
    snprintf(path, sizeof path, "%.40s/%.20s", group, name);
    MOT_TRY(mot_allocate(&read, count, bytes, "an analysis"));
    memcpy(data, &read, sizeof read); /* whose it is */
    MOT_TRY(mot_h5_read(file, path, type, rank, shape, read));
done:
    return status;
}

/* How much there is. */
static mot_status measure(const report_run *run, hid_t file, const char *group, layer_looks *looks)
{
    hsize_t shape[MOT_H5_MAX_RANK];
    int rank;
    char path[64];
    int64_t class_token;
    mot_status status;
    double numbers = 1;
    snprintf(path, sizeof path, "%.40s/received", group);
    MOT_TRY(mot_h5_shape(file, path, &rank, shape));
    MOT_TRY(mot_h5_get_int(file, group, "class_token", &class_token));
    for (int d = 0; d < rank; ++d) numbers *= (double)shape[d];
    if (rank != 4 || numbers > MOST_NUMBERS || (numbers == 0 && shape[0] > 0) || (class_token != 0 && class_token != 1)) {
        status = mot_fail(MOT_ERR_INPUT, "%s: /%s has an unexpected shape", run->analysis, path);
        goto done;
    }
    *looks = (layer_looks){.samples = (size_t)shape[0], .blocks = (size_t)shape[1], .heads = (size_t)shape[2], .rows = (size_t)shape[3],
                           .class_token = class_token > 0};
done:
    return status;
}

mot_status mot_report_looks_read(report_all *report, report_part *part, const report_run *run, hid_t file, int layer, layer_looks *looks)
{
    char group[32];
    mot_status status;
    *looks = (layer_looks){0};
    if (file < 0) return MOT_OK;
    snprintf(group, sizeof group, "layer%d/attention", layer);
    if (!mot_h5_exists(file, group)) return say_why(report, part, run, file, layer);
    MOT_TRY(measure(run, file, group, looks));
    const hsize_t all[] = {looks->samples, looks->blocks, looks->heads, looks->rows}, flat[] = {looks->samples, looks->rows};
    MOT_TRY(read_one(file, group, "sample", H5T_NATIVE_INT64, sizeof *looks->sample, 1, all, &looks->sample));
    MOT_TRY(read_one(file, group, "expert", H5T_NATIVE_INT32, sizeof *looks->expert, 1, all, &looks->expert));
    MOT_TRY(read_one(file, group, "rows", H5T_NATIVE_INT32, sizeof *looks->length, 1, all, &looks->length));
    MOT_TRY(read_one(file, group, "received", H5T_NATIVE_FLOAT, sizeof *looks->received, 4, all, &looks->received));
    MOT_TRY(read_one(file, group, "rollout", H5T_NATIVE_FLOAT, sizeof *looks->rollout, 2, flat, &looks->rollout));
    for (size_t s = 0; s < looks->samples && status == MOT_OK; ++s)
        if (looks->length[s] <= (int32_t)looks->class_token || (size_t)looks->length[s] > looks->rows)
            status = mot_fail(MOT_ERR_INPUT, "%s: /%s/rows has %d, expected 1 to %zu", run->analysis, group, looks->length[s], looks->rows);
done:
    return status;
}

void mot_report_looks_free(layer_looks *looks)
{
    mot_free(looks->sample);
    mot_free(looks->expert);
    mot_free(looks->length);
    mot_free(looks->received);
    mot_free(looks->rollout);
    *looks = (layer_looks){0};
}

/* ---- items ---- */

/* The look at an item's sample by the expert that it is shown under, or NULL's place: samples. */
static size_t find(const layer_looks *looks, const report_item *item)
{
    size_t s = 0;
    while (s < looks->samples && (looks->sample[s] != item->sample || looks->expert[s] != (int32_t)item->of)) ++s;
    return s;
}

/* Six digits behind the point. */
static double rounded(double share)
{
    return round(share * 1e6) / 1e6;
}

/* The mean of blocks and heads, where the view has one in place of all. */
static void average(const layer_looks *looks, const report_looks *shown, size_t s, size_t rows, double *to)
{
    const size_t blocks = looks->blocks / shown->blocks, heads = looks->heads / shown->heads;
    for (size_t i = 0; i < shown->blocks * shown->heads * rows; ++i) {
        const size_t b = i / rows / shown->heads * blocks, h = i / rows % shown->heads * heads;
        double sum = 0;
        for (size_t k = 0; k < blocks * heads; ++k)
            sum += (double)looks->received[((s * looks->blocks + b + k / heads) * looks->heads + h + k % heads) * looks->rows + i % rows];
        to[i] = rounded(sum / (double)(blocks * heads));
    }
}

static mot_status put_look(report_all *report, const layer_looks *looks, mot_dataset *data, const report_looks *shown, size_t s,
                           report_item *item)
{
    const size_t rows = (size_t)looks->length[s], maps = shown->blocks * shown->heads;
    double *number;
    mot_status status;
    MOT_TRY(mot_report_take(&report->pool, &number, (maps + 1) * rows, sizeof *number));
    average(looks, shown, s, rows, number);
    for (size_t i = 0; i < rows; ++i) number[maps * rows + i] = rounded((double)looks->rollout[s * looks->rows + i]);
    item->look = (report_look){.rows = rows, .received = number, .rollout = number + maps * rows};
    if (data->format.kind == MOT_SAMPLE_TEXT)
        MOT_TRY(mot_report_pieces(&report->pool, data, item->sample, rows - looks->class_token, &item->look.piece));
done:
    return status;
}

/* Looks of at most `most` items of an expert: numbers of each in so much detail. */
static size_t count_numbers(const layer_looks *looks, const report_view *view, size_t most, size_t maps)
{
    size_t numbers = 0;
    for (size_t i = 0, of_expert = 0; i < view->items; ++i) {
        of_expert = i > 0 && view->item[i].of == view->item[i - 1].of ? of_expert + 1 : 0;
        const size_t s = of_expert < most ? find(looks, &view->item[i]) : looks->samples;
        if (s < looks->samples) numbers += (maps + 1) * (size_t)looks->length[s];
    }
    return numbers;
}

/* So much detail as fits; and in the end fewer items of an expert, whose number comes back. */
static size_t choose_detail(const report_all *report, const layer_looks *looks, const report_view *view, report_looks *shown)
{
    size_t layers = 0, most = view->items;
    for (size_t r = 0; r < report->runs; ++r) layers += (size_t)report->run[r].layers;
    const size_t room = PAGE_NUMBERS / 2 / MOT_MAX(layers, 1);
    shown->blocks = looks->blocks;
    shown->heads = looks->heads;
    if (count_numbers(looks, view, most, shown->blocks * shown->heads) > room) shown->heads = 1;
    if (count_numbers(looks, view, most, shown->blocks * shown->heads) > room) shown->blocks = 1;
    while (most > 0 && count_numbers(looks, view, most, shown->blocks * shown->heads) > room) --most;
    return most;
}

static void find_grid(const mot_sample_format *format, size_t patch, const layer_looks *looks, report_looks *shown)
{
    if (format->kind != MOT_SAMPLE_PICTURE || patch == 0) return;
    if (format->height / patch * (format->width / patch) + looks->class_token != looks->rows) return;
    shown->grid_rows = format->height / patch;
    shown->grid_columns = format->width / patch;
}

mot_status mot_report_looks_put(report_all *report, const layer_looks *looks, mot_dataset *data, size_t patch, report_view *view)
{
    report_looks shown = {.all_blocks = looks->blocks, .all_heads = looks->heads, .class_token = looks->class_token,
                          .between = data->format.element == MOT_ELEMENT_I32 ? " " : ""};
    size_t used = 0;
    mot_status status = MOT_OK;
    if (looks->samples == 0) return MOT_OK;
    const size_t most = choose_detail(report, looks, view, &shown);
    find_grid(&data->format, patch, looks, &shown);
    for (size_t i = 0, of_expert = 0; i < view->items; ++i) {
        of_expert = i > 0 && view->item[i].of == view->item[i - 1].of ? of_expert + 1 : 0;
        const size_t s = of_expert < most ? find(looks, &view->item[i]) : looks->samples;
        if (s == looks->samples) continue;
        MOT_TRY(put_look(report, looks, data, &shown, s, &view->item[i]));
        ++used;
    }
    if (used == 0) return MOT_OK;
    view->looks = shown;
    view->note = mot_report_text(&report->pool, "%s A click shows where its expert looks%s%s.", view->note,
                                 shown.heads < shown.all_heads ? shown.blocks < shown.all_blocks ? " (on average over blocks and heads, since pages are small)"
                                                                                                : " (on average over heads, since pages are small)"
                                                               : "",
                                 used < view->items ? "; of some it is not there" : "");
done:
    return status;
}
