/* The tensors of a checkpoint. */
#include "weights.h"

#include <stdio.h>
#include <string.h>

#include "mot/memory.h"
#include "mot/model_config.h"
#include "mot/run.h"

void mot_weights_shape_text(int rank, const size_t *shape, char text[WEIGHTS_SHAPE])
{
    size_t used = (size_t)snprintf(text, WEIGHTS_SHAPE, "[");
    for (int d = 0; d < rank && used < WEIGHTS_SHAPE; ++d)
        used += (size_t)snprintf(text + used, WEIGHTS_SHAPE - used, "%s%zu", d > 0 ? ", " : "", shape[d]);
    if (used < WEIGHTS_SHAPE) snprintf(text + used, WEIGHTS_SHAPE - used, "]");
}

/* Experts of all layers, each of which has a place in the balance bias. */
static size_t experts_of(const mot_values *values)
{
    size_t experts = mot_values_units(values, "experts");
    char group[32];
    for (int l = 1; l < MOT_MAX_LAYERS; ++l) {
        snprintf(group, sizeof group, "layer%d_experts", l);
        experts += mot_values_units(values, group);
    }
    return experts;
}

static mot_status list(weights *w)
{
    const size_t count = mot_values_count(w->values);
    mot_status status;
    MOT_TRY(mot_allocate(&w->tensor, count + 1, sizeof *w->tensor, "a list of tensors"));
    for (; w->count < count; ++w->count) {
        weights_tensor *tensor = &w->tensor[w->count];
        const char *name;
        MOT_TRY(mot_values_at(w->values, w->count, &name, &tensor->found));
        snprintf(tensor->name, sizeof tensor->name, "%s", name);
        tensor->count = 1;
        if (tensor->found.rank > MOT_TENSOR_RANK)
            return mot_fail(MOT_ERR_INPUT, "%s: /%s has %d axes, expected at most %d", w->path, name, tensor->found.rank, MOT_TENSOR_RANK);
        if (tensor->found.rows) tensor->shape[tensor->rank++] = tensor->found.units;
        for (int d = 0; d < tensor->found.rank; ++d) tensor->shape[tensor->rank++] = (size_t)tensor->found.shape[d];
        for (int d = 0; d < tensor->rank; ++d) tensor->count *= tensor->shape[d];
    }
    weights_tensor *bias = &w->tensor[w->count++];
    *bias = (weights_tensor){.name = "gate/balance_bias", .rank = 1, .shape = {experts_of(w->values)}, .count = experts_of(w->values)};
done:
    return status;
}

mot_status mot_weights_open(weights *w, const char *path)
{
    mot_status status;
    *w = (weights){.count = 0};
    MOT_TRY(mot_run_find_checkpoint(path, w->path, sizeof w->path));
    MOT_TRY(mot_values_open(&w->values, w->path));
    MOT_TRY(list(w));
done:
    if (status != MOT_OK) mot_weights_close(w);
    return status;
}

void mot_weights_close(weights *w)
{
    mot_values_close(&w->values);
    mot_free(w->tensor);
    *w = (weights){.count = 0};
}

mot_status mot_weights_read(const weights *w, const weights_tensor *tensor, float *value)
{
    const mot_values_found *found = &tensor->found;
    mot_status status = MOT_OK;
    if (found->units == 0) return mot_values_bias(w->values, 0, tensor->count, value);
    const size_t each = tensor->count / found->units;
    for (size_t u = 0; u < found->units; ++u) MOT_TRY(mot_values_read(w->values, found, u, each, value + u * each));
done:
    return status;
}
