/* Experts go while a run goes on; and a run that is read from a checkpoint, or goes back to one, has those that it had then. */
#include "run_private.h"

#include <stdio.h>
#include <string.h>

#include "mot/log.h"
#include "mot/memory.h"

/* ---- the world after the model ---- */

/* The model as it was made, with all experts and no values. */
static mot_status grow_back(run_world *world)
{
    const mot_config *const config = world->model.config;
    const mot_expert_shape shape = world->model.layer->shape;
    const bool fold = world->model.fold;
    const size_t held = mot_memory_held();
    mot_model_free(&world->model);
    memset(world->moves.load, 0, (size_t)config->model.experts * sizeof *world->moves.load);
    const mot_status status = mot_model_create(&world->model, world->comm, config, shape.tokens, shape.width,
                                               shape.vocabulary, shape.outputs, fold);
    world->held.model += mot_memory_held() - held; /* modulo 2^64, where there is less now */
    return mot_comm_agree(world->comm, status);
}

/* What is sized by the number of experts is made anew; warnings count their loads anew. All other arrays have room for those
 * that the run began with. */
static mot_status follow_model(mot_run *run)
{
    run_world *world = &run->world;
    const size_t held = mot_memory_held();
    mot_watchdog_step(world->watchdog, NULL);
    const mot_status status = mot_step_renew(&world->step, &world->train);
    if (status != MOT_OK) return status;
    mot_watchdog_step(world->watchdog, world->step);
    world->held.step += mot_memory_held() - held;
    mot_run_health_recount(&run->reporter, world);
    return MOT_OK;
}

/* Experts of this rank that it had not before: they are there before those that leave are gone. */
static size_t arrived(const mot_model *model, const bool *had)
{
    size_t count = 0;
    for (int e = 0; e < model->layer->experts; ++e)
        count += model->layer->placement.owner[e] == model->comm->rank && !had[model->layer->origin[e]];
    return count;
}

/* keep [E]. Collective. */
static mot_status shrink(mot_run *run, const bool *keep)
{
    run_world *world = &run->world;
    mot_model *model = &world->model;
    const size_t before = mot_run_memory_so_far(world, &run->course), held = mot_memory_held();
    const int experts = model->layer->experts;
    bool had[MOT_MAX_EXPERTS] = {false};
    for (int e = 0; e < experts; ++e)
        had[model->layer->origin[e]] = model->layer->placement.owner[e] == world->comm->rank;
    const mot_status status = mot_model_keep(model, keep);
    if (status != MOT_OK) return status;
    for (int e = 0, left = 0; e < experts; ++e)
        if (keep[e]) world->moves.load[left++] = world->moves.load[e]; /* what rebalancing goes by */
    world->held.model += mot_memory_held() - held;
    const size_t most = before + arrived(model, had) * mot_model_measure(model).of_expert;
    world->held.most = MOT_MAX(world->held.most, most);
    return MOT_OK;
}

/* ---- a run from a checkpoint ---- */

mot_status mot_run_fit(mot_run *run, const bool *there)
{
    run_world *world = &run->world;
    const mot_model *model = &world->model;
    const int begun = model->config->model.experts;
    bool keep[MOT_MAX_EXPERTS];
    int wanted = 0, found = 0;
    mot_status status;
    for (int o = 0; o < begun; ++o) wanted += there[o];
    for (int e = 0; e < model->layer->experts; ++e) found += there[model->layer->origin[e]];
    if (found == wanted && wanted == model->layer->experts) return MOT_OK;
    world->held.copies = 0; /* none were made yet */
    if (found < wanted) MOT_TRY(grow_back(world));
    for (int e = 0; e < model->layer->experts; ++e) keep[e] = there[model->layer->origin[e]];
    if (wanted < model->layer->experts) MOT_TRY(shrink(run, keep));
    MOT_TRY(follow_model(run));
    if (run->course.purpose == RUN_TRAIN) world->held.copies = mot_run_copy_bytes(run);
done:
    return status;
}

mot_status mot_run_read(mot_run *run, const char *path)
{
    const mot_comm *comm = run->world.comm;
    const int begun = run->course.config.model.experts;
    bool there[MOT_MAX_EXPERTS];
    mot_status status = MOT_OK;
    if (comm->rank == MOT_ROOT) status = mot_checkpoint_experts(path, begun, there);
    MOT_TRY(mot_comm_agree(comm, status));
    mot_comm_bcast(comm, there, (size_t)begun * sizeof *there, MOT_ROOT);
    MOT_TRY(mot_run_fit(run, there));
    mot_state state = mot_run_state(run);
    MOT_TRY(mot_checkpoint_read(comm, &state, path));
    run->course.progress = state.progress;
    if (run->world.model.layer->experts < begun)
        mot_log(MOT_LOG_INFO, "%d of %d experts are left in %s", run->world.model.layer->experts, begun, path);
done:
    return status;
}

/* ---- pruning ---- */

/* "0, 2, 5, ..." of the experts that go; as many as have room. */
enum { NUMBERS = 160 };
static void list_gone(const mot_model *model, const bool *keep, char text[NUMBERS])
{
    size_t at = 0;
    text[0] = '\0';
    for (int e = 0; e < model->layer->experts; ++e) {
        if (keep[e]) continue;
        if (at > NUMBERS - 16) {
            snprintf(text + at, NUMBERS - at, ", ...");
            return;
        }
        at += (size_t)snprintf(text + at, NUMBERS - at, "%s%d", at > 0 ? ", " : "", model->layer->origin[e]);
    }
}

/* In log.jsonl: who is left after this step. */
static mot_status log_left(const mot_run *run)
{
    const mot_model *model = &run->world.model;
    mot_json *json = mot_json_begin();
    mot_json_int(json, "step", run->course.progress.step);
    mot_run_put_numbers(json, "experts.left", model->layer->experts, model->layer->origin);
    return mot_record_log_json(run->keeper.record, json);
}

static mot_status record_left(const mot_run *run)
{
    const mot_model *model = &run->world.model;
    mot_record *record = run->keeper.record;
    if (record == NULL) return MOT_OK;
    const mot_status status = mot_record_experts(record, model->layer->experts, (int)mot_model_choices(model),
                                                 model->layer->origin);
    return status == MOT_OK ? log_left(run) : status;
}

mot_status mot_run_keep_experts(mot_run *run, const bool *keep)
{
    run_world *world = &run->world;
    const mot_model *model = &world->model;
    const int before = model->layer->experts;
    const size_t choices = mot_model_choices(model);
    char gone[NUMBERS];
    int left = 0;
    mot_status status = MOT_OK;
    for (int e = 0; e < before; ++e) left += keep[e];
    if (left == before) return MOT_OK;
    if (left == 0) return mot_fail(MOT_ERR_INPUT, "none of the %d experts would be left", before);
    /* A checkpoint that is being written is of the experts as they are. */
    if (run->keeper.saver != NULL) MOT_TRY(mot_run_save_wait(run));
    list_gone(model, keep, gone);
    MOT_TRY(shrink(run, keep));
    MOT_TRY(follow_model(run));
    world->held.copies = MOT_MAX(world->held.copies, run->keeper.saver != NULL ? mot_run_copy_bytes(run) : 0);
    mot_log_wrap(2, "%d of %d experts go after step %" MOT_PRI_GIDX " (%s)", before - left, before,
                 run->course.progress.step, gone);
    if (mot_model_choices(model) < choices && model->config->route.top_k > 0)
        mot_log(MOT_LOG_WARNING, "route.top_k = %d, but %d expert%s left: a sample goes to all of them",
                model->config->route.top_k, left, left == 1 ? " is" : "s are");
    MOT_TRY(mot_comm_agree(world->comm, record_left(run)));
done:
    return status;
}
