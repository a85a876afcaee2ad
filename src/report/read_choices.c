#include <string.h>

#include "mot/memory.h"
#include "report_record.h"

enum { MOST_SAMPLES = 1 << 28 };

static void count_training(const record_reader *reader, const mot_record_choices *c, size_t i)
{
    const report_run *const run = reader->run;
    const mot_gidx steps = run->last - run->first + 1, step = c->step[i];
    const size_t E = (size_t)reader->layer->experts, e = (size_t)c->expert[i];
    if (step < run->first || step > run->last || c->choice[i] != 0) return;
    size_t w = (size_t)((step - run->first) * REPORT_WINDOWS / steps);
    while (w + 1 < REPORT_WINDOWS && reader->layer->window[w].last < step) ++w;
    report_window *const window = &reader->layer->window[w];
    window->expert_load[e] += 1;
    if (c->label[i] >= 0 && c->label[i] < run->classes) window->class_load[(size_t)c->label[i] * E + e] += 1;
    if (c->group[i] >= 0 && c->group[i] < run->groups) window->group_load[(size_t)c->group[i] * E + e] += 1;
}

static mot_status find_routes(report_layer *layer, mot_gidx step, report_routes **routes)
{
    mot_status status = MOT_OK;
    if (layer->routes_count == 0 || layer->routes[layer->routes_count - 1].step != step) {
        MOT_TRY(mot_reserve(&layer->routes, &layer->routes_room, layer->routes_count + 1, sizeof *layer->routes, "a record"));
        layer->routes[layer->routes_count++] = (report_routes){.step = step};
        for (size_t i = 0; i < layer->last_samples; ++i) layer->label[i] = -2; /* nothing is known yet of this evaluation */
    }
    *routes = &layer->routes[layer->routes_count - 1];
done:
    return status;
}

static mot_status grow_routes(report_routes *routes, size_t samples)
{
    mot_status status;
    if (samples <= routes->samples) return MOT_OK;
    MOT_TRY(mot_reserve(&routes->expert, &routes->room, samples * REPORT_CHOICES, sizeof *routes->expert, "a record"));
    memset(routes->expert + routes->samples * REPORT_CHOICES, 0xff,
           (samples - routes->samples) * REPORT_CHOICES * sizeof *routes->expert);
    routes->samples = samples;
done:
    return status;
}

/* Of the last evaluation alone more is held than the experts. */
static mot_status grow_last(report_layer *layer, size_t samples)
{
    const size_t before = layer->last_samples;
    size_t room[5] = {before, before, before, before, before};
    mot_status status = MOT_OK;
    if (samples <= before) return MOT_OK;
    samples = MOT_MAX(samples, before + before / 2);
    MOT_TRY(mot_reserve(&layer->prob, &room[0], samples, sizeof *layer->prob, "a record"));
    MOT_TRY(mot_reserve(&layer->loss, &room[1], samples, sizeof *layer->loss, "a record"));
    MOT_TRY(mot_reserve(&layer->label, &room[2], samples, sizeof *layer->label, "a record"));
    MOT_TRY(mot_reserve(&layer->group, &room[3], samples, sizeof *layer->group, "a record"));
    MOT_TRY(mot_reserve(&layer->predicted, &room[4], samples, sizeof *layer->predicted, "a record"));
    for (size_t i = before; i < samples; ++i) layer->label[i] = -2;
    layer->last_samples = samples;
done:
    return status;
}

static mot_status keep_evaluation(report_layer *layer, const mot_record_choices *c, size_t i)
{
    report_routes *routes;
    mot_status status;
    const size_t sample = (size_t)c->sample[i], k = (size_t)c->choice[i];
    MOT_TRY(find_routes(layer, c->step[i], &routes));
    MOT_TRY(grow_routes(routes, sample + 1));
    if (k < REPORT_CHOICES) routes->expert[sample * REPORT_CHOICES + k] = (uint16_t)c->expert[i];
    if (k > 0) goto done;
    MOT_TRY(grow_last(layer, sample + 1));
    layer->prob[sample] = c->prob[i];
    layer->loss[sample] = c->loss[i];
    layer->label[sample] = c->label[i];
    layer->group[sample] = c->group[i];
    layer->predicted[sample] = c->predicted[i];
done:
    return status;
}

mot_status mot_report_take_choices(void *with, const mot_record_choices *c)
{
    const record_reader *const reader = with;
    report_layer *const layer = reader->layer;
    mot_status status = MOT_OK;
    for (size_t i = 0; i < c->rows && status == MOT_OK; ++i) {
        if (c->expert[i] < 0 || c->expert[i] >= layer->experts || c->choice[i] < 0 || c->sample[i] < 0 ||
            c->sample[i] >= MOST_SAMPLES)
            return mot_fail(MOT_ERR_INPUT, "%s: an assignment of sample %" MOT_PRI_GIDX " to expert %d cannot be: expected one of %d",
                            reader->run->folder, c->sample[i], c->expert[i], layer->experts);
        layer->choices = MOT_MAX(layer->choices, c->choice[i] + 1);
        if (c->split[i] == 1)
            status = keep_evaluation(layer, c, i);
        else
            count_training(reader, c, i);
    }
    return status;
}
