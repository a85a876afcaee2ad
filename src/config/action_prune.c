/* Students that a soft-routed mixture does not need leave (Liao and Kyrillidis, arXiv 2510.07205). A redundant neuron of unit
 * length cannot shrink; it is cancelled by another one, whose direction is the opposite and whose gate is the same. So
 * what can go is a group that sums to almost nothing, and no neuron alone. Who goes is said by prune_rules.c, from sums over
 * the samples that are evaluated, of a squared loss, in double, on the root alone. */
#include "mot/stage_action.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "mot/expert.h"
#include "mot/gate.h"
#include "mot/log.h"
#include "mot/memory.h"
#include "mot/neuron.h"
#include "mot/source.h"
#include "prune.h"

enum { MOST_SAMPLES = 1 << 14 };

/* ---- what is known of them ---- */

static const mot_unit *gate_of(const mot_units *units)
{
    for (size_t u = 0; u < units->count; ++u)
        if (units->unit[u].role == MOT_ROLE_GATE) return &units->unit[u];
    return NULL;
}

/* Directions of all, to the root: neurons are the first tensor of every unit with a row. Collective. */
static void gather(const mot_stage_moment *moment, students *s)
{
    const mot_units *units = moment->units;
    const mot_params *gate = gate_of(units)->params;
    for (size_t u = 0; u < units->count; ++u) {
        const mot_unit *unit = &units->unit[u];
        if (unit->row == MOT_ALONE || unit->params == NULL) continue;
        const mot_real *w = unit->params->value + unit->table->row[0].offset;
        for (size_t d = 0; d < s->D; ++d) s->w[(size_t)unit->row * s->D + d] = (double)w[d];
    }
    mot_comm_allreduce(moment->comm, s->w, (int)(s->E * s->D), MPI_DOUBLE, MPI_SUM);
    if (gate == NULL) return; /* not the root */
    for (size_t e = 0; e < s->E; ++e) {
        for (size_t d = 0; d < s->D; ++d) s->v[e * s->D + d] = (double)gate->value[d * s->E + e];
        (void)mot_to_unit(s->w + e * s->D, s->D);
        (void)mot_to_unit(s->v + e * s->D, s->D);
    }
}

/* out [E]: what each student gives for x; who does not stay gives nothing, and softmax is over those who do. */
static void outputs_of(const students *s, const mot_config *config, const double *x, double *out)
{
    const bool coupled = mot_gate_kind_at(config->gate.kind)->coupled;
    double most = -INFINITY, sum = 0;
    for (size_t e = 0; e < s->E; ++e) {
        out[e] = s->keep[e] ? mot_neuron_sum(s->v + e * s->D, x, s->D) : -INFINITY;
        most = fmax(most, out[e]);
    }
    for (size_t e = 0; e < s->E; ++e) {
        out[e] = coupled ? exp(out[e] - most) : mot_sigmoid(out[e]);
        sum += out[e];
    }
    for (size_t e = 0; e < s->E; ++e)
        out[e] *= mot_neuron_value(config->model.hermite.activation, mot_neuron_sum(s->w + e * s->D, x, s->D)) /
                  (coupled ? sum : 1);
}

/* Adds a sample to the sums. */
static void add_sample(students *s, double y, const double *out)
{
    double rest = -y;
    for (size_t e = 0; e < s->E; ++e) rest += out[e];
    for (size_t e = 0; e < s->E; ++e) {
        s->with_rest[e] += rest * out[e];
        for (size_t f = 0; f <= e; ++f) s->product[e * s->E + f] += out[e] * out[f];
    }
    s->loss += rest * rest / 2;
}

static size_t samples_of(const mot_stage_moment *moment)
{
    return (size_t)MOT_MIN((mot_gidx)MOST_SAMPLES, moment->held_out->samples);
}

/* The means over samples, of those who stay. */
static mot_status measure(const mot_stage_moment *moment, students *s)
{
    const size_t samples = samples_of(moment);
    double *x = NULL, *out = NULL;
    float *numbers = NULL;
    mot_status status;
    MOT_TRY(mot_allocate(&numbers, s->D, sizeof *numbers, "a sample"));
    MOT_TRY(mot_allocate(&x, s->D, sizeof *x, "a sample"));
    MOT_TRY(mot_allocate(&out, s->E, sizeof *out, "a sample"));
    memset(s->product, 0, s->E * s->E * sizeof *s->product);
    memset(s->with_rest, 0, s->E * sizeof *s->with_rest);
    s->loss = 0;
    for (size_t n = 0; n < samples; ++n) {
        int32_t group;
        float y;
        MOT_TRY(mot_dataset_sample(moment->held_out, (mot_gidx)n, numbers, &y, &group));
        for (size_t d = 0; d < s->D; ++d) x[d] = (double)numbers[d];
        outputs_of(s, moment->config, x, out);
        add_sample(s, (double)y, out);
    }
    for (size_t e = 0; e < s->E; ++e) {
        s->with_rest[e] /= (double)samples;
        for (size_t f = 0; f <= e; ++f)
            s->product[e * s->E + f] = s->product[f * s->E + e] = s->product[e * s->E + f] / (double)samples;
    }
    s->loss /= (double)samples;
done:
    mot_free(out);
    mot_free(x);
    mot_free(numbers);
    return status;
}

/* ---- the action ---- */

static const char *useless(const mot_config *config, int stage)
{
    const mot_gate_kind *gate = mot_gate_kind_at(config->gate.kind);
    const mot_stage_config *at = &config->stage[stage];
    if (!mot_expert_kind_at(config->model.kind)->directed || !gate->spread)
        return "it is of neurons (model.kind = hermite) and their gates (gate.kind = sigmoid or softmax)";
    if (config->model.tie != 0) return "the experts share their neurons (model.tie)";
    if (at->prune.rule == MOT_PRUNE_ORACLE && strcmp(mot_source_kind_at(config->data.source)->kind.name, "teacher") != 0)
        return "prune_rule = oracle asks the teacher, and data.source is another one";
    if (at->prune.keep >= config->model.experts) return "prune_keep is not less than model.experts";
    return NULL;
}

static mot_status create(students *s)
{
    const size_t E = s->E, D = s->D;
    const char *what = "the students that are to leave";
    mot_status status;
    MOT_TRY(mot_allocate(&s->w, E * D, sizeof *s->w, what));
    MOT_TRY(mot_allocate(&s->v, E * D, sizeof *s->v, what));
    MOT_TRY(mot_allocate(&s->product, E * E, sizeof *s->product, what));
    MOT_TRY(mot_allocate(&s->with_rest, E, sizeof *s->with_rest, what));
done:
    return status;
}

static void destroy(students *s)
{
    mot_free(s->w);
    mot_free(s->v);
    mot_free(s->product);
    mot_free(s->with_rest);
}

static mot_status prune(const mot_stage_moment *moment)
{
    static const char *const rules[] = {"group", "cluster", "oracle", "single"};
    const mot_stage_config *stage = &moment->config->stage[moment->stage];
    const mot_units *units = moment->units;
    students s = {.stage = stage,
                  .E = (size_t)moment->experts,
                  .D = units->unit[units->count - 1].table->row[0].count,
                  .keep = moment->keep};
    double before;
    mot_status status = create(&s);
    MOT_TRY(mot_comm_agree(moment->comm, status));
    if (moment->held_out->target_bytes != sizeof(float) || moment->held_out->classes != 0)
        status = mot_fail(MOT_ERR_INPUT, "stage '%s': action = prune needs targets of one number", stage->name);
    MOT_TRY(mot_comm_agree(moment->comm, status));
    gather(moment, &s);
    if (moment->comm->rank != MOT_ROOT) goto done;
    MOT_TRY(measure(moment, &s));
    before = s.loss;
    MOT_TRY(mot_prune_choose(&s, mot_dataset_teacher(moment->held_out, NULL)));
    if (mot_prune_kept(&s) == 0) { /* all cancel each other: nothing has been learned yet */
        memset(s.keep, true, s.E * sizeof *s.keep);
        mot_log(MOT_LOG_WARNING,
                "stage '%s': prune_rule = %s would leave no expert, so all stay; another rule, or a longer stage, may help",
                stage->name, rules[stage->prune.rule]);
    }
    MOT_TRY(measure(moment, &s));
    snprintf(moment->did, MOT_STAGE_DID,
             "%s keeps %zu of %zu experts; on %zu samples that are held out the loss goes from %.3g to %.3g",
             rules[stage->prune.rule], mot_prune_kept(&s), s.E, samples_of(moment), before, s.loss);
done:
    destroy(&s);
    return status;
}

const mot_stage_action mot_action_prune = {.kind = {"prune"}, .useless = useless, .run = prune};
