/* An evaluation with the gates of another run. */
#include <stdio.h>
#include <string.h>

#include "mot/log.h"
#include "mot/memory.h"
#include "run_initial.h"
#include "run_private.h"

static const char key_from[] = "gate.from";

/* What a gate makes of a sample besides its tensors: the first such key that is not as here. */
typedef struct difference {
    char key[96], there[96], here[96];
} difference;

static bool ends_with(const char *text, const char *end)
{
    const size_t length = strlen(text), tail = strlen(end);
    return length >= tail && strcmp(text + length - tail, end) == 0;
}

static void note(void *with, const mot_change *change)
{
    difference *found = with;
    const char *const of_gates[] = {"gate.kind", "gate.input", "gate.told", "model.layers"};
    for (size_t i = 0; i < MOT_COUNT(of_gates) && found->key[0] == '\0'; ++i) {
        if (!ends_with(change->key, of_gates[i])) continue;
        snprintf(found->key, sizeof found->key, "%s", change->key);
        snprintf(found->there, sizeof found->there, "%s", change->before);
        snprintf(found->here, sizeof found->here, "%s", change->now);
    }
}

/* That its experts are those of this run, by their numbers in the beginning. */
static mot_status check_experts(const mot_model *model, int begun, const char *path)
{
    bool there[MOT_MAX_EXPERTS];
    const mot_layer *layer = model->layer;
    mot_status status;
    int count = 0;
    MOT_TRY(mot_checkpoint_experts(path, begun, there));
    for (int e = 0; e < begun; ++e) count += there[e];
    if (count != layer->experts) goto done; /* which is said of the gate's shape */
    for (int e = 0; e < layer->experts; ++e)
        if (layer->origin[e] >= begun || !there[layer->origin[e]])
            return mot_fail(MOT_ERR_INPUT, "%s: %s has no expert %d, which this run has", key_from, path, layer->origin[e]);
done:
    return status;
}

/* Root. */
static mot_status look_at(const run_world *world, const char *path)
{
    mot_config *other = NULL;
    char *text = NULL;
    difference found = {.key = ""};
    mot_status status;
    MOT_TRY(mot_allocate(&other, 1, sizeof *other, "a configuration"));
    MOT_TRY(mot_checkpoint_config(path, &text, NULL));
    MOT_TRY(mot_config_parse(other, path, text, 0, NULL));
    MOT_TRY(mot_config_changes(other, world->model.config, note, &found));
    if (found.key[0] != '\0')
        status = mot_fail(MOT_ERR_INPUT, "%s: %s has %s = %s, this run %s", key_from, path, found.key, found.there, found.here);
    if (status == MOT_OK) status = check_experts(&world->model, other->model.experts, path);
done:
    mot_free(text);
    mot_free(other);
    return status;
}

mot_status mot_run_take_gates(const run_world *world, const char *from)
{
    const mot_comm *comm = world->comm;
    char path[RUN_CHECKPOINT_PATH] = "";
    mot_status status = MOT_OK;
    if (comm->rank == MOT_ROOT) status = mot_run_find_checkpoint(from, path, sizeof path);
    if (comm->rank == MOT_ROOT && status == MOT_OK) status = look_at(world, path);
    MOT_TRY(mot_comm_agree(comm, status));
    mot_comm_bcast(comm, path, sizeof path, MOT_ROOT);
    MOT_TRY(mot_comm_agree(comm, mot_initial_gates(world, key_from, path)));
    MOT_TRY(mot_comm_agree(comm, mot_initial_warn_of_data(world, key_from, path)));
    mot_log(MOT_LOG_INFO, "  gate     from %s", path);
done:
    return status;
}
