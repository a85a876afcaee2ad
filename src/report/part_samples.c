/* Which samples an expert likes best, and where the gate was sure and the answer wrong: as pictures or texts. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "mot/memory.h"
#include "mot/source.h"
#include "parts.h"
#include "sample_looks.h"
#include "sample_text.h"

enum { MOST_OF_AN_EXPERT = 12, PAGE_BYTES = 2000000 };

/* Whether the data are those that the run learned from. */
static mot_status compare(const report_run *run, const mot_data_config *config, bool *same)
{
    mot_dataset train;
    const mot_status status = mot_source_kind_at(config->source)->open(&train, config, "train", true, run->config->seed);
    if (status != MOT_OK) return status;
    *same = run->checksum[0] == '\0' || train.checksum[0] == '\0' || strcmp(run->checksum, train.checksum) == 0;
    mot_dataset_close(&train);
    return MOT_OK;
}

/* The data that a run is evaluated with. False: it is said why not. */
static bool open_album(report_all *report, report_part *part, const report_run *run, mot_dataset *data)
{
    bool same = false;
    if (run->config == NULL) {
        mot_report_lacks(report, part, run, "There is no configuration that says where the samples are.");
        return false;
    }
    mot_data_config config = run->config->data;
    config.memory = 0; /* few are read */
    mot_status status = compare(run, &config, &same);
    if (status == MOT_OK && !same) {
        mot_report_lacks(report, part, run, "The samples cannot be shown: %s has other ones now than those of the run.",
                         mot_source_title(&config));
        return false;
    }
    if (status == MOT_OK) status = mot_source_kind_at(config.source)->open(data, &config, run->config->eval.split, false, run->config->seed);
    if (status != MOT_OK)
        mot_report_lacks(report, part, run, "The samples cannot be shown: %s (looked for from the folder that mot report was started in).",
                         mot_error_message());
    return status == MOT_OK;
}

typedef struct place {
    double prob;
    uint32_t sample;
    uint16_t expert;
} place;

/* By expert, the surest first. */
static int in_order(const void *a, const void *b)
{
    const place *x = a, *y = b;
    if (x->expert != y->expert) return x->expert < y->expert ? -1 : 1;
    if (x->prob != y->prob) return x->prob < y->prob ? 1 : -1;
    return (x->sample > y->sample) - (x->sample < y->sample);
}

static const char *class_name(report_all *report, const report_run *run, int label)
{
    if (label >= 0 && label < run->classes) return run->class_names[label];
    return mot_report_text(&report->pool, "%d", label);
}

static mot_status put_item(report_all *report, const report_run *run, const report_layer *layer, mot_dataset *album, const place *at,
                           report_item *item)
{
    const int label = layer->label[at->sample], predicted = layer->predicted[at->sample];
    item->of = at->expert;
    item->sample = at->sample;
    item->caption = mot_report_text(&report->pool, "%s%s%s%s%sp %.3f", label >= 0 ? class_name(report, run, label) : "", label >= 0 ? ", " : "",
                                    label >= 0 && predicted >= 0 && predicted != label ? "taken for " : "",
                                    label >= 0 && predicted >= 0 && predicted != label ? class_name(report, run, predicted) : "",
                                    label >= 0 && predicted >= 0 && predicted != label ? ", " : "", at->prob);
    return mot_report_sample(&report->pool, album, at->sample, item);
}

static size_t room_of_an_expert(const report_all *report, size_t E, const mot_sample_format *format)
{
    size_t layers = 0;
    for (size_t r = 0; r < report->runs; ++r) layers += (size_t)report->run[r].layers;
    const double item = 150 + (format->kind == MOT_SAMPLE_PICTURE ? 1.3 * (double)format->bytes : 300);
    const double room = PAGE_BYTES / item / (double)(2 * MOT_MAX(layers, 1) * E);
    return room < 1 ? 1 : room > MOST_OF_AN_EXPERT ? MOST_OF_AN_EXPERT : (size_t)room;
}

static mot_status put_gallery(report_all *report, report_part *part, int r, int l, mot_dataset *album, const layer_looks *looks, bool wrong)
{
    const report_run *const run = &report->run[r];
    const report_layer *const layer = &run->layer[l];
    const report_routes *last = &layer->routes[layer->routes_count - 1];
    const size_t E = (size_t)layer->experts, most = room_of_an_expert(report, E, &album->format);
    size_t count = 0;
    place *sorted = NULL;
    report_view *view;
    mot_status status;
    const size_t samples = MOT_MIN(MOT_MIN(last->samples, layer->last_samples), (size_t)MOT_MAX(album->samples, 0));
    MOT_TRY(mot_allocate(&sorted, samples, sizeof *sorted, "samples of experts"));
    for (size_t s = 0; s < samples; ++s) {
        const uint16_t e = last->expert[s * REPORT_CHOICES];
        const bool is_wrong = layer->label[s] >= 0 && layer->predicted[s] >= 0 && layer->label[s] != layer->predicted[s];
        if (e != REPORT_NOBODY && (!wrong || is_wrong)) sorted[count++] = (place){(double)layer->prob[s], (uint32_t)s, e};
    }
    if (count == 0) goto done;
    qsort(sorted, count, sizeof *sorted, in_order);
    MOT_TRY(mot_report_view(report, part, REPORT_GALLERY, wrong ? "samples-wrong" : "samples-liked",
                            wrong ? "Wrong, and the gate was sure" : "What each expert likes best", r, l, &view));
    view->x = (report_axis){.label = "expert", .count = E, .names = layer->names};
    view->note = mot_report_text(&report->pool, "Of the evaluation at step %" MOT_PRI_GIDX ", the %zu with the highest probability of the gate.",
                                 last->step, most);
    MOT_TRY(mot_report_take(&report->pool, &view->item, MOT_MIN(count, most * E), sizeof *view->item));
    for (size_t i = 0, of_expert = 0; i < count; ++i) {
        of_expert = i > 0 && sorted[i].expert == sorted[i - 1].expert ? of_expert + 1 : 0;
        if (of_expert < most) MOT_TRY(put_item(report, run, layer, album, &sorted[i], &view->item[view->items++]));
    }
    MOT_TRY(mot_report_looks_put(report, looks, album, run->config->model.patch, view));
done:
    mot_free(sorted);
    return status;
}

static mot_status put_layer(report_all *report, report_part *part, int r, int l, mot_dataset *album, hid_t analysis)
{
    layer_looks looks;
    mot_status status;
    MOT_TRY(mot_report_looks_read(report, part, &report->run[r], analysis, l, &looks));
    MOT_TRY(put_gallery(report, part, r, l, album, &looks, false));
    MOT_TRY(put_gallery(report, part, r, l, album, &looks, true));
done:
    mot_report_looks_free(&looks);
    return status;
}

static mot_status put_run(report_all *report, report_part *part, int r)
{
    const report_run *const run = &report->run[r];
    const char *why = mot_report_no_routes(report, run);
    mot_dataset album;
    hid_t analysis = H5I_INVALID_HID;
    mot_status status = MOT_OK;
    if (why != NULL) {
        mot_report_lacks(report, part, run, "%s", why);
        return MOT_OK;
    }
    if (!open_album(report, part, run, &album)) return MOT_OK;
    MOT_TRY(mot_report_looks_open(report, part, run, &analysis));
    for (int l = 0; l < run->layers; ++l)
        if (run->layer[l].routes_count > 0) MOT_TRY(put_layer(report, part, r, l, &album, analysis));
done:
    mot_h5_close(&analysis);
    mot_dataset_close(&album);
    return status;
}

static mot_status make(report_all *report, report_part *part)
{
    mot_status status = MOT_OK;
    for (int r = 0; r < (int)report->runs && status == MOT_OK; ++r) status = put_run(report, part, r);
    return status;
}

const report_part_kind mot_report_part_samples = {
    .id = "samples",
    .title = "Samples",
    .definition = "The samples of the last evaluation that each expert has as first choice with the highest probability of the gate; "
                  "and those among them that were taken for a class that they are not. A click on one shows where that expert looks, after "
                  "`mot eval RUN route.all=record`: the share of attention that each token gets from all tokens on average (`model.pool: class`: from the "
                  "class token), by block and head, and attention rollout (Abnar and Zuidema 2020).",
    .denominator = "The samples of the evaluation split. Attention: of a sample, all that its tokens and its class token get.",
    .interval = "None: single samples.",
    .make = make,
};
