/* The routing record, in two passes over its segments: how much there is, and what it says. Memory holds what evaluations chose
 * (two bytes a choice), and of training counts alone. */
#include <math.h>
#include <string.h>

#include "mot/memory.h"
#include "report_private.h"
#include "report_record.h"

enum { MOST_KINDS = 1 << 16 };

/* ---- how much there is ---- */

typedef struct extent {
    report_all *report;
    report_run *run;
    int experts[REPORT_MOST_LAYERS];
} extent;

static mot_status read_names(report_all *report, hid_t segment, const char *name, int count, const char *const **names)
{
    char **found = NULL;
    const char **made;
    size_t there = 0;
    mot_status status = MOT_OK;
    if (*names != NULL || count == 0) return MOT_OK;
    if (!mot_h5_exists(segment, name)) return mot_report_numbers(report, (size_t)count, names);
    MOT_TRY(mot_h5_read_names(segment, name, MOST_KINDS, &there, &found));
    MOT_TRY(mot_report_take(&report->pool, &made, (size_t)count, sizeof *made));
    for (int i = 0; i < count; ++i)
        made[i] = (size_t)i < there ? mot_report_text(&report->pool, "%s", found[i]) : mot_report_text(&report->pool, "%d", i);
    *names = made;
done:
    mot_free(found);
    return status;
}

/* E of a layer, as the segment's shapes have it; of the first the number that the run began with. */
static mot_status measure_layer(hid_t segment, int layer, int *experts)
{
    char path[64];
    int rank, *origin = NULL, begun;
    hsize_t shape[MOT_H5_MAX_RANK];
    mot_status status;
    static const char *const kinds[] = {"load", "class_load", "group_load"};
    MOT_TRY(mot_record_left(segment, &begun, &origin));
    if (layer == 0) *experts = MOT_MAX(*experts, begun);
    for (size_t k = 0; k < MOT_COUNT(kinds) && layer > 0; ++k) {
        snprintf(path, sizeof path, "layer%d/%s", layer, kinds[k]);
        if (!mot_h5_exists(segment, path)) continue;
        MOT_TRY(mot_h5_shape(segment, path, &rank, shape));
        if (rank > 1) *experts = MOT_MAX(*experts, (int)MOT_MIN(shape[rank - 1], (hsize_t)REPORT_NOBODY));
    }
done:
    mot_free(origin);
    return status;
}

static mot_status keep_text(report_all *report, hid_t segment, const char *name, const char **kept)
{
    char *text = NULL;
    const mot_status status = mot_h5_find_text(segment, ".", name, &text);
    if (text != NULL) *kept = mot_report_text(&report->pool, "%s", text);
    mot_free(text);
    return status;
}

static mot_status measure(void *with, hid_t segment)
{
    extent *const e = with;
    report_run *const run = e->run;
    int64_t first, last, classes = 0, groups = 0;
    mot_status status;
    MOT_TRY(mot_h5_get_int(segment, ".", "first_step", &first));
    MOT_TRY(mot_h5_get_int(segment, ".", "last_step", &last));
    MOT_TRY(mot_h5_get_int(segment, ".", "classes", &classes));
    MOT_TRY(mot_h5_get_int(segment, ".", "groups", &groups));
    first = MOT_MAX(first, 1);
    run->first = run->last == 0 ? first : MOT_MIN(run->first, first);
    run->last = MOT_MAX(run->last, last);
    run->classes = (int)MOT_MIN(MOT_MAX(classes, 0), MOST_KINDS);
    run->groups = (int)MOT_MIN(MOT_MAX(groups, 0), MOST_KINDS);
    run->layers = MOT_MIN(MOT_MAX(run->layers, mot_record_layers(segment)), REPORT_MOST_LAYERS);
    for (int l = 0; l < run->layers; ++l) MOT_TRY(measure_layer(segment, l, &e->experts[l]));
    MOT_TRY(mot_report_measure_ranks(&run->ranks, segment));
    MOT_TRY(read_names(e->report, segment, "class_names", run->classes, &run->class_names));
    MOT_TRY(read_names(e->report, segment, "group_names", run->groups, &run->group_names));
    MOT_TRY(keep_text(e->report, segment, "dataset_checksum", &run->checksum));
    MOT_TRY(keep_text(e->report, segment, "run_id", &run->run_id));
done:
    return status;
}

static mot_status make_window(report_pool *pool, const report_run *run, size_t E, report_window *window)
{
    mot_status status;
    MOT_TRY(mot_report_take(pool, &window->class_load, (size_t)run->classes * E, sizeof(double)));
    MOT_TRY(mot_report_take(pool, &window->group_load, (size_t)run->groups * E, sizeof(double)));
    MOT_TRY(mot_report_take(pool, &window->expert_load, E, sizeof(double)));
done:
    return status;
}

static mot_status make_layer(report_all *report, report_run *run, report_layer *layer)
{
    report_pool *const pool = &report->pool;
    const size_t E = (size_t)layer->experts;
    mot_status status;
    MOT_TRY(mot_report_numbers(report, E, &layer->names));
    for (int k = 0; k < REPORT_LOADS; ++k) MOT_TRY(mot_report_take(pool, &layer->load[k], run->bins, sizeof(report_fold)));
    MOT_TRY(mot_report_take(pool, &layer->bin_load, run->bins * E, sizeof(double)));
    MOT_TRY(mot_report_take(pool, &layer->seen, E, sizeof *layer->seen));
    MOT_TRY(mot_report_take(pool, &layer->pair, E * E, sizeof(double)));
    for (int w = 0; w < REPORT_WINDOWS; ++w) {
        const mot_gidx steps = run->last - run->first + 1;
        layer->window[w].first = run->first + steps * w / REPORT_WINDOWS;
        layer->window[w].last = run->first + steps * (w + 1) / REPORT_WINDOWS - 1;
        MOT_TRY(make_window(pool, run, E, &layer->window[w]));
    }
    for (size_t e = 0; e < E; ++e) layer->seen[e] = run->first - 1;
done:
    return status;
}

/* Bins of steps: as many as there is room for, and each of as many steps. */
static mot_status make_room(report_all *report, report_run *run, const int *experts)
{
    mot_status status;
    const mot_gidx steps = run->last >= run->first ? run->last - run->first + 1 : 0;
    run->bins = (size_t)MOT_MIN(steps, (mot_gidx)REPORT_BINS);
    MOT_TRY(mot_report_take(&report->pool, &run->bin_step, run->bins, sizeof *run->bin_step));
    for (size_t b = 0; b < run->bins; ++b)
        run->bin_step[b] = (double)(run->first + (mot_gidx)(b + 1) * steps / (mot_gidx)run->bins - 1);
    for (int k = 0; k < REPORT_STEP_NAMES; ++k)
        MOT_TRY(mot_report_take(&report->pool, &run->step[k], run->bins, sizeof(report_fold)));
    MOT_TRY(mot_report_make_ranks(&report->pool, &run->ranks));
    MOT_TRY(mot_report_take(&report->pool, &run->layer, (size_t)run->layers, sizeof *run->layer));
    for (int l = 0; l < run->layers; ++l) {
        run->layer[l].experts = experts[l];
        MOT_TRY(make_layer(report, run, &run->layer[l]));
    }
done:
    return status;
}

/* ---- what it says ---- */

static void fold(report_fold *into, double value)
{
    if (isnan(value)) return;
    into->low = into->steps == 0 ? value : fmin(into->low, value);
    into->high = into->steps == 0 ? value : fmax(into->high, value);
    into->sum += value;
    into->steps++;
}

static bool in_record(const report_run *run, mot_gidx step)
{
    return step >= run->first && step <= run->last;
}

/* The bin whose last step is the first not below `step`: those of mot_part_first, seen from the other side. */
static size_t bin_of(const report_run *run, mot_gidx step)
{
    const mot_gidx steps = run->last - run->first + 1;
    size_t bin = (size_t)((step - run->first) * (mot_gidx)run->bins / steps);
    while (bin > 0 && run->bin_step[bin - 1] >= (double)step) --bin;
    while (bin + 1 < run->bins && run->bin_step[bin] < (double)step) ++bin;
    return bin;
}

static void note_load(report_run *run, report_layer *layer, mot_gidx step, const double *load, size_t left, const int *origin)
{
    const size_t E = (size_t)layer->experts, bin = bin_of(run, step);
    double sum = 0, largest = 0, entropy = 0;
    size_t idle = 0;
    for (size_t e = 0; e < E; ++e) {
        sum += load[e];
        largest = fmax(largest, load[e]);
        layer->bin_load[bin * E + e] += load[e];
        if (load[e] > 0) layer->seen[e] = step;
    }
    for (size_t e = 0; e < E && sum > 0; ++e)
        if (load[e] > 0) entropy -= load[e] / sum * log(load[e] / sum);
    for (size_t i = 0; i < left; ++i) idle += step - layer->seen[origin == NULL ? (int)i : origin[i]] >= REPORT_IDLE;
    if (!(sum > 0)) return;
    fold(&layer->load[REPORT_MAX_OVER_MEAN][bin], largest * (double)left / sum);
    fold(&layer->load[REPORT_EFFECTIVE][bin], exp(entropy));
    fold(&layer->load[REPORT_DEAD][bin], (double)idle);
}

static mot_status read_loads(report_run *run, int l, hid_t segment, const mot_record_values *steps)
{
    report_layer *const layer = &run->layer[l];
    const mot_record_item item = {.kind = MOT_RECORD_LOAD, .layer = l};
    mot_record_values load = {0};
    int begun, *origin = NULL;
    int64_t left = layer->experts;
    mot_status status;
    MOT_TRY(mot_record_left(segment, &begun, &origin));
    if (l == 0) MOT_TRY(mot_h5_get_int(segment, ".", "experts", &left));
    MOT_TRY(mot_record_add(segment, 1, &item, &load));
    if (load.rows > 0 && (load.width != (size_t)layer->experts || left > layer->experts)) {
        status = mot_fail(MOT_ERR_INPUT, "%s: a layer has loads of %zu experts in one segment and of %d in another", run->folder,
                          load.width, layer->experts);
        goto done;
    }
    for (size_t r = 0; r < MOT_MIN(load.rows, steps->rows); ++r) {
        const mot_gidx step = (mot_gidx)steps->value[r];
        if (in_record(run, step))
            note_load(run, layer, step, load.value + r * load.width, (size_t)left, l == 0 ? origin : NULL);
    }
done:
    mot_record_values_free(&load);
    mot_free(origin);
    return status;
}

static mot_status note_stage(report_all *report, report_run *run, mot_gidx step, int stage)
{
    const char *name = "";
    report_mark *more;
    if (run->config != NULL && run->config->stages > 0) name = run->config->stage[stage % run->config->stages].name;
    const mot_status status = mot_report_take(&report->pool, &more, run->marks + 1, sizeof *more);
    if (status != MOT_OK) return status;
    if (run->marks > 0) memcpy(more, run->mark, run->marks * sizeof *more);
    more[run->marks++] = (report_mark){(double)step, mot_report_text(&report->pool, "stage %d%s%s", stage + 1,
                                                                     name[0] != '\0' ? ": " : "", name)};
    run->mark = more;
    return MOT_OK;
}

typedef struct reading {
    report_all *report;
    report_run *run;
    int stage;
    record_reader choices;
} reading;

static mot_status read_steps(reading *r, hid_t segment, mot_record_values *steps)
{
    enum { STEP, STAGE, NAMES };
    static const char *const name[REPORT_STEP_NAMES] = {"loss", "time_compute", "time_exchange", "time_wait"};
    mot_record_item item[NAMES + REPORT_STEP_NAMES] = {{MOT_RECORD_STEPS, "step", 0}, {MOT_RECORD_STEPS, "stage", 0}};
    mot_record_values value[NAMES + REPORT_STEP_NAMES] = {{0}};
    mot_status status;
    for (int k = 0; k < REPORT_STEP_NAMES; ++k) item[NAMES + k] = (mot_record_item){MOT_RECORD_STEPS, name[k], 0};
    MOT_TRY(mot_record_add(segment, MOT_COUNT(item), item, value));
    for (size_t i = 0; i < value[STEP].rows; ++i) {
        const mot_gidx step = (mot_gidx)value[STEP].value[i];
        const int stage = i < value[STAGE].rows ? (int)value[STAGE].value[i] : r->stage;
        if (!in_record(r->run, step)) continue;
        if (stage != r->stage) MOT_TRY(note_stage(r->report, r->run, step, stage));
        r->stage = stage;
        for (int k = 0; k < REPORT_STEP_NAMES; ++k)
            if (i < value[NAMES + k].rows) fold(&r->run->step[k][bin_of(r->run, step)], value[NAMES + k].value[i]);
    }
    *steps = value[STEP];
    value[STEP] = (mot_record_values){0};
done:
    for (size_t i = 0; i < MOT_COUNT(value); ++i) mot_record_values_free(&value[i]);
    return status;
}

static mot_status read_layer(reading *r, int l, hid_t segment, const mot_record_values *steps)
{
    report_layer *const layer = &r->run->layer[l];
    char path[64];
    hsize_t shape[MOT_H5_MAX_RANK];
    int rank;
    mot_status status;
    MOT_TRY(read_loads(r->run, l, segment, steps));
    const mot_record_item item[] = {{MOT_RECORD_CLASS_LOAD, NULL, l}, {MOT_RECORD_GROUP_LOAD, NULL, l}};
    mot_record_values both[] = {layer->class_load, layer->group_load};
    status = mot_record_add(segment, MOT_COUNT(item), item, both);
    layer->class_load = both[0];
    layer->group_load = both[1];
    MOT_TRY(status);
    snprintf(path, sizeof path, "layer%d/snapshot_step", l);
    if (mot_h5_exists(segment, path)) {
        MOT_TRY(mot_h5_shape(segment, path, &rank, shape));
        size_t room = layer->snapshot.rows;
        const size_t rows = layer->snapshot.rows + (size_t)shape[0];
        MOT_TRY(mot_reserve(&layer->snapshot.value, &room, rows, sizeof(double), "a record"));
        MOT_TRY(mot_h5_read(segment, path, H5T_NATIVE_INT64, 1, shape, layer->snapshot.value + layer->snapshot.rows));
        for (size_t i = layer->snapshot.rows; i < rows; ++i) {
            int64_t step;
            memcpy(&step, &layer->snapshot.value[i], sizeof step);
            layer->snapshot.value[i] = (double)step;
        }
        layer->snapshot.rows = rows;
    }
    r->choices.layer = layer;
    MOT_TRY(mot_record_each_choice(segment, l, mot_report_take_choices, &r->choices));
done:
    return status;
}

static mot_status read_segment(void *with, hid_t segment)
{
    reading *const r = with;
    mot_record_values steps = {0};
    mot_status status;
    MOT_TRY(read_steps(r, segment, &steps));
    MOT_TRY(mot_report_read_ranks(r->run, segment));
    MOT_TRY(mot_report_read_figures(r->run, segment));
    const int layers = mot_record_layers(segment);
    for (int l = 0; l < MOT_MIN(layers, r->run->layers); ++l) MOT_TRY(read_layer(r, l, segment, &steps));
done:
    mot_record_values_free(&steps);
    return status;
}

mot_status mot_report_read_record(report_all *report, report_run *run)
{
    extent all = {.report = report, .run = run};
    reading r = {.report = report, .run = run, .choices = {.run = run}};
    mot_status status;
    MOT_TRY(mot_record_each(run->folder, measure, &all));
    if (run->last == 0) return MOT_OK;
    MOT_TRY(make_room(report, run, all.experts));
    MOT_TRY(mot_record_each(run->folder, read_segment, &r));
done:
    return status;
}
