/* Experts that the gate hardly uses go: with less than a hundredth of a fair share of the batches that were learned last, so
 * many of them that a fair share is a hundred samples. */
#include "mot/stage_action.h"

#include <stdio.h>

#include "mot/choose.h"
#include "mot/memory.h"

enum { FAIR_SAMPLES = 100, LEAST_SHARE = 100 };

static const char *useless(const mot_config *config, int stage)
{
    const int experts = config->model.experts;
    (void)stage;
    return mot_choice_count(&config->route, experts) == (size_t)experts ? "every expert gets every sample" : NULL;
}

static mot_status drop_idle(const mot_stage_moment *moment)
{
    const mot_gidx E = moment->experts, batch = (mot_gidx)moment->config->train.batch,
                   steps = (FAIR_SAMPLES * E + batch - 1) / batch;
    int64_t *load = NULL, all = 0, idle = 0;
    double loss;
    mot_status status = mot_allocate(&load, (size_t)E, sizeof *load, "loads");
    MOT_TRY(mot_comm_agree(moment->comm, status));
    MOT_TRY(moment->look(moment, steps, &loss, load));
    for (mot_gidx e = 0; e < E; ++e) all += load[e];
    for (mot_gidx e = 0; e < E; ++e) {
        moment->keep[e] = load[e] * LEAST_SHARE * E >= all;
        idle += !moment->keep[e];
    }
    snprintf(moment->did, MOT_STAGE_DID, "%d of %d experts are idle", (int)idle, (int)E);
done:
    mot_free(load);
    return status;
}

const mot_stage_action mot_action_drop_idle = {.kind = {"drop_idle"}, .useless = useless, .run = drop_idle};
