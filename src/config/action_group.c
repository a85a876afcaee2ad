/* A gate that tells classes deals those that it confuses, or their prototypes, to one expert (gate_classes.c), and every expert begins as what the
 * first has become of all of them together. */
#include <stdio.h>
#include <string.h>

#include "mot/clock.h"
#include "mot/gate.h"
#include "mot/memory.h"
#include "mot/source.h"
#include "mot/stage_action.h"

static const char *useless(const mot_config *config, int stage)
{
    if (mot_gate_kind_at(config->gate.kind)->group == NULL) return "it is of a gate that tells classes (gate.kind = classes)";
    if (strcmp(mot_source_kind_at(config->data.source)->kind.name, "stream") == 0)
        return "every task of a stream would begin with other groups";
    for (int s = 0; s < stage; ++s)
        if (config->stage[s].action == config->stage[stage].action) return "an earlier stage ends with it";
    return NULL;
}

/* Values of the first unit of a group become those of all. Collective. */
static mot_status copy_first(const mot_stage_moment *moment, size_t first)
{
    const mot_units *units = moment->units;
    const mot_unit *unit = &units->unit[first];
    const size_t bytes = unit->table->count * sizeof(mot_real);
    mot_real *value = NULL;
    mot_status status = mot_allocate(&value, unit->table->count, sizeof *value, "an expert");
    MOT_TRY(mot_comm_agree(moment->comm, status));
    if (unit->params != NULL) memcpy(value, unit->params->value, bytes);
    mot_comm_bcast(moment->comm, value, bytes, unit->owner);
    for (size_t u = first; u < first + mot_units_alike(units, first); ++u)
        if (units->unit[u].params != NULL) memcpy(units->unit[u].params->value, value, bytes);
done:
    mot_free(value);
    return status;
}

/* The root groups, and meets the others several times a second, who wait: whether it has finished, and whether anybody is asked to
 * stop. Collective. */
typedef struct meeting {
    const mot_stage_moment *moment;
    double met_s;
} meeting;

static bool meet(const mot_stage_moment *moment, bool finished, bool *asked)
{
    int flag[2] = {finished, moment->stop(moment)};
    mot_comm_allreduce(moment->comm, flag, 2, MPI_INT, MPI_MAX);
    *asked = flag[1];
    return flag[0];
}

static bool asked_to_stop(void *of)
{
    static const double every_s = 0.2;
    meeting *with = of;
    bool asked = false;
    if (mot_clock_s() - with->met_s < every_s) return false;
    (void)meet(with->moment, false, &asked);
    with->met_s = mot_clock_s();
    return asked;
}

static mot_status group_at_root(const mot_stage_moment *moment, mot_params *gate, mot_gate_groups *made)
{
    meeting with = {moment, 0};
    bool asked;
    made->stop = asked_to_stop;
    made->of = &with;
    const mot_status status = mot_gate_kind_at(moment->config->gate.kind)->group(gate, moment->config->seed, made);
    (void)meet(moment, true, &asked);
    return status;
}

static mot_status group(const mot_stage_moment *moment)
{
    const mot_units *units = moment->units;
    mot_gate_groups made = {0};
    mot_status status = MOT_OK;
    mot_params *gate = NULL;
    for (size_t u = 0; u < units->count; ++u)
        if (units->unit[u].role == MOT_ROLE_GATE) gate = units->unit[u].params;
    if (gate != NULL)
        status = group_at_root(moment, gate, &made);
    else
        for (bool asked, finished = false; !finished;) finished = meet(moment, false, &asked);
    MOT_TRY(mot_comm_agree(moment->comm, status));
    if (moment->comm->rank == MOT_ROOT)
        snprintf(moment->did, MOT_STAGE_DID,
                 "%zu %s in %zu groups, in which %.1f %% of what the gate takes a sample for stays; %d of %d experts have none",
                 made.prototypes, moment->config->gate.prototypes > 1 ? "prototypes" : "classes", made.groups,
                 100 * made.within, moment->experts - (int)made.groups, moment->experts);
    for (size_t u = 0; u < units->count; ++u)
        if (units->unit[u].row == 0) MOT_TRY(copy_first(moment, u));
done:
    return status;
}

const mot_stage_action mot_action_group = {.kind = {"group"}, .useless = useless, .run = group};
