/* own_rooms.h: a source, a stage action and figures of an evaluation that mot does not have, as own_kinds.h has experts, gates and
 * losses.
 *
 *      waves    source    vectors that are sines, whose targets are two numbers, in two groups
 *      halve    action    all parameters are half of what they were, and the last expert goes
 *      worst    figures   the largest loss of a sample, in all and by group; experts that the ranks hold together
 */
#ifndef MOT_TEST_OWN_ROOMS_H
#define MOT_TEST_OWN_ROOMS_H

#include <stdio.h>

#include "mot/eval_figure.h"
#include "mot/source.h"
#include "mot/stage_action.h"
#include "train_data.h"

enum { WAVES_EVAL = 13, WAVES_NUMBERS = 2 };

/* What sample i should be taken for. */
static inline void waves_target(int i, float y[WAVES_NUMBERS])
{
    y[0] = 1.5f - data_number(i, 0);
    y[1] = data_number(i, 1) - 1;
}

/* ---- the source ---- */

static mot_status wave(const void *of, int split, mot_gidx index, void *bytes, void *target, int32_t *group)
{
    const int i = (int)index + 100 * split;
    float x[DATA_TOKENS * DATA_WIDTH], y[WAVES_NUMBERS];
    (void)of;
    for (int j = 0; j < DATA_TOKENS * DATA_WIDTH; ++j) x[j] = data_number(i, j);
    waves_target(i, y);
    memcpy(bytes, x, sizeof x);
    if (target != NULL) memcpy(target, y, sizeof y);
    *group = data_group(i);
    return MOT_OK;
}

static mot_status open_waves(mot_dataset *dataset, const mot_data_config *config, const char *split,
                             bool training, uint64_t seed)
{
    const mot_dataset_maker maker = {.title = "the waves", .sample = wave};
    (void)seed;
    *dataset = (mot_dataset){.format = mot_dataset_vectors(DATA_TOKENS, DATA_WIDTH),
                             .samples = training ? DATA_SAMPLES : WAVES_EVAL,
                             .groups = DATA_GROUPS,
                             .target_bytes = WAVES_NUMBERS * sizeof(float)};
    return mot_dataset_make(dataset, split, &maker, config->memory);
}

static const mot_source_kind own_source = {
    .kind = {"waves"}, .title = "waves", .made = true, .open = open_waves};

/* ---- the action ---- */

static const char *halve_useless(const mot_config *config, int stage)
{
    return config->stage[stage].expert.rate == 0 ? "nothing has been learned" : NULL;
}

static mot_status halve(const mot_stage_moment *moment)
{
    const mot_gidx steps = 2;
    int64_t load[MOT_MAX_EXPERTS], all = 0;
    double loss;
    mot_status status;
    MOT_TRY(moment->look(moment, steps, &loss, load));
    for (int e = 0; e < moment->experts; ++e) all += load[e];
    if (all != steps * (mot_gidx)moment->config->train.batch || !(loss > 0))
        return mot_fail(MOT_ERR_INPUT, "%d samples of a mean loss of %g", (int)all, loss);
    for (size_t u = 0; u < moment->units->count; ++u) {
        mot_params *params = moment->units->unit[u].params;
        for (size_t i = 0; params != NULL && i < params->table->count; ++i) params->value[i] /= 2;
    }
    if (moment->comm->rank == MOT_ROOT) moment->keep[moment->experts - 1] = false;
    snprintf(moment->did, MOT_STAGE_DID, "halved at a loss of %g", loss);
done:
    return status;
}

static const mot_stage_action own_action = {.kind = {"halve"}, .useless = halve_useless, .run = halve};

/* ---- the figures ---- */

enum { WORST, WORST_OF_GROUP, HELD };

static void worst_describe(mot_evaluation *e)
{
    if (e->set->groups == 0) return;
    e->figure[WORST] = MOT_FIGURE("worst", "eval.worst", "largest loss of a sample");
    e->figure[WORST_OF_GROUP] = MOT_FIGURE_ROW("group_worst", "largest loss of a sample of a group",
                                               (size_t)e->groups, "group");
    e->figure[HELD] = MOT_FIGURE("held", NULL, "experts that the ranks hold together");
    e->figures = HELD + 1;
}

static mot_status worst_create(mot_evaluation *e)
{
    return mot_allocate(&e->own, 1, sizeof(double), "the worst");
}

static void worst_destroy(mot_evaluation *e)
{
    mot_free(e->own);
}

static void worst_add(mot_evaluation *e, mot_gidx first, size_t n, const mot_step_result *result)
{
    double *worst = e->own;
    if (first == 0) *worst = 0;
    for (size_t i = 0; i < n; ++i) {
        double *of_group = &e->value[WORST_OF_GROUP][result->group[i]];
        *of_group = MOT_MAX(*of_group, result->sample_loss[i]);
        *worst = MOT_MAX(*worst, result->sample_loss[i]);
    }
}

static void worst_end(mot_evaluation *e)
{
    *e->value[WORST] = *(const double *)e->own;
    *e->value[HELD] = e->model->layer->local;
    mot_comm_allreduce(e->model->comm, e->value[HELD], 1, MPI_DOUBLE, MPI_SUM);
}

static const mot_figure_kind own_figure = {.kind = {"worst"},
                                           .describe = worst_describe,
                                           .create = worst_create,
                                           .destroy = worst_destroy,
                                           .add = worst_add,
                                           .end = worst_end};

/* Once in a program, with own_kinds_add. */
static inline void own_rooms_add(void)
{
    mot_ck_ok(mot_kinds_add(&mot_source_kinds, &own_source.kind));
    mot_ck_ok(mot_kinds_add(&mot_stage_actions, &own_action.kind));
    mot_ck_ok(mot_kinds_add(&mot_figure_kinds, &own_figure.kind));
}

#endif
