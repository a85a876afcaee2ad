/* Experts that an evaluation does without: "[3]", "[3, 1:2]". */
#include "run_course.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "mot/memory.h"

/* A whole number at *text, which is then behind it; -1: there is none, or one that nobody means. */
static int64_t take_number(const char **text)
{
    const int64_t most = INT64_MAX / 100;
    int64_t number = -1;
    while (isspace((unsigned char)**text)) ++*text;
    for (; isdigit((unsigned char)**text) && number <= most; ++*text) number = (number < 0 ? 0 : number) * 10 + (**text - '0');
    if (isdigit((unsigned char)**text)) return -1;
    while (isspace((unsigned char)**text)) ++*text;
    return number;
}

static mot_status no_list(const char *text)
{
    return mot_fail(MOT_ERR_INPUT, "mask: '%.80s' is no list of experts, expected one such as [3], [0, 3], or [1:3] of layer 1", text);
}

/* "0 to 7", or "0, 2, 5" of those that are left. */
static void list_experts(const mot_layer *layer, char text[120])
{
    const int E = layer->experts;
    if (layer->origin[E - 1] == E - 1) {
        snprintf(text, 120, "0 to %d", E - 1);
        return;
    }
    text[0] = '\0';
    for (int e = 0; e < E && strlen(text) < 100; ++e) {
        const size_t used = strlen(text);
        snprintf(text + used, 120 - used, "%s%d", e > 0 ? ", " : "", layer->origin[e]);
    }
}

static mot_status add(run_mask *mask, const mot_model *model, int64_t number, int64_t origin)
{
    char experts[120];
    int e = 0;
    mot_status status = MOT_OK;
    if (number >= model->layers)
        return mot_fail(MOT_ERR_INPUT, "mask: there is no layer %" PRId64 " of experts, expected one of 0 to %d", number, model->layers - 1);
    const mot_layer *layer = &model->layer[number];
    if (layer->gate.kind->spread)
        return mot_fail(MOT_ERR_INPUT, "mask: a gate of kind %s sends every sample to every expert, there are no choices",
                        layer->gate.kind->kind.name);
    while (e < layer->experts && layer->origin[e] != origin) ++e;
    list_experts(layer, experts);
    if (e == layer->experts)
        return mot_fail(MOT_ERR_INPUT, "mask: layer %" PRId64 " has no expert %" PRId64 ", expected one of %s", number, origin, experts);
    if (mask->layer[number] == NULL)
        MOT_TRY(mot_allocate(&mask->layer[number], (size_t)layer->experts, sizeof **mask->layer, "a mask of experts"));
    mask->layer[number][e] = true;
done:
    return status;
}

static mot_status check_left(const run_mask *mask, const mot_model *model)
{
    for (int l = 0; l < model->layers; ++l) {
        const mot_layer *layer = &model->layer[l];
        const int needed = layer->route->top_k > 0 ? (int)mot_layer_choices(layer) : 1;
        int left = 0;
        if (mask->layer[l] == NULL) continue;
        for (int e = 0; e < layer->experts; ++e) left += !mask->layer[l][e];
        if (left < needed)
            return mot_fail(MOT_ERR_INPUT, "mask: %d of the %d expert%s of layer %d would be left, and every sample gets %d", left,
                            layer->experts, layer->experts == 1 ? "" : "s", l, needed);
    }
    return MOT_OK;
}

mot_status mot_run_mask(run_mask *mask, const mot_model *model, const char *text)
{
    const char *at = text;
    mot_status status;
    if (*at++ != '[') return no_list(text);
    do {
        int64_t layer = 0, expert = take_number(&at);
        if (*at == ':') {
            ++at;
            layer = expert;
            expert = take_number(&at);
        }
        if (layer < 0 || expert < 0) return no_list(text);
        MOT_TRY(add(mask, model, layer, expert));
    } while (*at++ == ',');
    if (at[-1] != ']' || *at != '\0') return no_list(text);
    status = check_left(mask, model);
done:
    return status;
}

void mot_run_mask_free(run_mask *mask)
{
    for (int l = 0; l < MOT_MAX_LAYERS; ++l) mot_free(mask->layer[l]);
    *mask = (run_mask){{NULL}};
}
