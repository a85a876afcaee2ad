/* Students that a soft-routed mixture does not need leave (Liao and Kyrillidis, arXiv 2510.07205). A redundant neuron of unit
 * length cannot shrink; it is cancelled by another one, whose direction is the opposite and whose gate is the same. So
 * what can go is a group that sums to almost nothing, and no neuron alone. Rules (prune_rule):
 *
 *      oracle    of each neuron of the teacher the student that is nearest to it stays: what knowing the teacher would give
 *      cluster   students whose directions have a cosine of prune_cosine or more in magnitude are one cluster, of which one
 *                stays, or none where as many point one way as the other
 *      group     groups leave, the one without which the loss is least first, as long as that costs at most
 *                prune_tolerance of half the variance of the targets; all groups of up to so many are tried that there
 *                are a million of them at most
 *      single    the same, one student after another: the way that does not work
 *
 * With prune_keep = N groups (or students) leave until N are left, whatever that costs. Losses are those of the samples that
 * are evaluated, of a squared loss, and follow from sums over them: with o_i the output of a student, r = sum_i o_i - y,
 *
 *      loss without S = (<r, r> / 2 - sum_S <r, o_i> + sum_SS <o_i, o_j> / 2) / N
 *
 * in double, on the root alone. */
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
#include "mot/teacher.h"

enum { MOST_SAMPLES = 1 << 14, MOST_GROUPS = 1 << 20 };

typedef struct students {
    const mot_stage_config *stage;
    size_t E, D;
    bool coupled;
    mot_neuron_activation activation;
    double *w, *v;     /* [E, D]: directions */
    double *product;   /* [E, E]: <o_i, o_j> / N */
    double *with_rest; /* [E]: <r, o_i> / N */
    double loss, spread; /* of all; half the variance of the targets */
    size_t samples;
    bool *keep; /* [E] */
} students;

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

/* out [E]: what each student gives for x. */
static void outputs_of(const students *s, const double *x, double *out)
{
    double most = -INFINITY, sum = 0;
    for (size_t e = 0; e < s->E; ++e) {
        out[e] = mot_neuron_sum(s->v + e * s->D, x, s->D);
        most = fmax(most, out[e]);
    }
    for (size_t e = 0; e < s->E; ++e) {
        out[e] = s->coupled ? exp(out[e] - most) : mot_sigmoid(out[e]);
        sum += out[e];
    }
    for (size_t e = 0; e < s->E; ++e)
        out[e] *= mot_neuron_value(s->activation, mot_neuron_sum(s->w + e * s->D, x, s->D)) /
                  (s->coupled ? sum : 1);
}

/* Adds a sample to the sums. */
static void add_sample(students *s, const double *x, double y, double *out, double *targets)
{
    double rest = -y;
    outputs_of(s, x, out);
    for (size_t e = 0; e < s->E; ++e) rest += out[e];
    for (size_t e = 0; e < s->E; ++e) {
        s->with_rest[e] += rest * out[e];
        for (size_t f = 0; f <= e; ++f) s->product[e * s->E + f] += out[e] * out[f];
    }
    s->loss += rest * rest / 2;
    targets[0] += y;
    targets[1] += y * y;
}

static mot_status measure(const mot_stage_moment *moment, students *s)
{
    const double N = (double)s->samples;
    double targets[2] = {0}, *x = NULL, *out = NULL;
    float *bytes = NULL;
    mot_status status;
    MOT_TRY(mot_allocate(&bytes, s->D, sizeof *bytes, "a sample"));
    MOT_TRY(mot_allocate(&x, s->D, sizeof *x, "a sample"));
    MOT_TRY(mot_allocate(&out, s->E, sizeof *out, "a sample"));
    for (size_t n = 0; n < s->samples; ++n) {
        int32_t group;
        float y;
        MOT_TRY(mot_dataset_sample(moment->held_out, (mot_gidx)n, bytes, &y, &group));
        for (size_t d = 0; d < s->D; ++d) x[d] = (double)bytes[d];
        add_sample(s, x, (double)y, out, targets);
    }
    for (size_t e = 0; e < s->E; ++e) {
        s->with_rest[e] /= N;
        for (size_t f = 0; f <= e; ++f)
            s->product[e * s->E + f] = s->product[f * s->E + e] = s->product[e * s->E + f] / N;
    }
    s->loss /= N;
    s->spread = (targets[1] / N - targets[0] * targets[0] / (N * N)) / 2;
done:
    mot_free(out);
    mot_free(x);
    mot_free(bytes);
    return status;
}

/* The loss without those that are not kept. */
static double loss_of(const students *s, const bool *keep)
{
    double loss = s->loss;
    for (size_t e = 0; e < s->E; ++e) {
        if (keep[e]) continue;
        loss -= s->with_rest[e];
        for (size_t f = 0; f < s->E; ++f)
            if (!keep[f]) loss += s->product[e * s->E + f] / 2;
    }
    return loss;
}

/* ---- the rules ---- */

static size_t kept(const students *s)
{
    size_t count = 0;
    for (size_t e = 0; e < s->E; ++e) count += s->keep[e];
    return count;
}

static void by_oracle(students *s, const mot_teacher *teacher)
{
    memset(s->keep, 0, s->E * sizeof *s->keep);
    for (size_t j = 0; j < (size_t)teacher->config.experts; ++j) {
        double most = -INFINITY;
        size_t best = 0;
        for (size_t e = 0; e < s->E; ++e) {
            const double cosine = mot_neuron_sum(s->w + e * s->D, teacher->w + j * s->D, s->D);
            if (s->keep[e] || cosine <= most) continue;
            most = cosine;
            best = e;
        }
        s->keep[best] = true;
    }
}

/* Marks the cluster of `first` among those that are in none; sign [E]: which way each points. */
static void find_cluster(const students *s, size_t first, int *cluster, int *sign)
{
    cluster[first] = (int)first;
    sign[first] = 1;
    for (bool more = true; more;) {
        more = false;
        for (size_t e = 0; e < s->E; ++e)
            for (size_t f = 0; f < s->E && cluster[e] < 0; ++f) {
                const double cosine = mot_neuron_sum(s->w + e * s->D, s->w + f * s->D, s->D);
                if (cluster[f] != (int)first || fabs(cosine) < s->stage->prune.cosine) continue;
                cluster[e] = (int)first;
                sign[e] = cosine > 0 ? sign[f] : -sign[f];
                more = true;
            }
    }
}

/* Of the cluster's members that point the way of most, the one with which alone the loss is least. */
static void keep_one(students *s, int first, const int *cluster, const int *sign)
{
    int way = 0;
    for (size_t e = 0; e < s->E; ++e) way += cluster[e] == first ? sign[e] : 0;
    double least = INFINITY;
    size_t best = (size_t)first;
    for (size_t e = 0; e < s->E; ++e) s->keep[e] = s->keep[e] && cluster[e] != first;
    if (way == 0) return; /* they cancel each other */
    for (size_t e = 0; e < s->E; ++e) {
        if (cluster[e] != first || sign[e] * way < 0) continue;
        s->keep[e] = true;
        const double loss = loss_of(s, s->keep);
        s->keep[e] = false;
        if (loss >= least) continue;
        least = loss;
        best = e;
    }
    s->keep[best] = true;
}

static mot_status by_cluster(students *s)
{
    int *cluster, *sign = NULL;
    mot_status status;
    MOT_TRY(mot_allocate(&cluster, s->E, sizeof *cluster, "clusters"));
    MOT_TRY(mot_allocate(&sign, s->E, sizeof *sign, "clusters"));
    for (size_t e = 0; e < s->E; ++e) cluster[e] = -1;
    for (size_t e = 0; e < s->E; ++e)
        if (cluster[e] < 0) find_cluster(s, e, cluster, sign);
    for (size_t e = 0; e < s->E; ++e)
        if (cluster[e] == (int)e) keep_one(s, (int)e, cluster, sign);
done:
    mot_free(sign);
    mot_free(cluster);
    return status;
}

/* ---- groups ---- */

typedef struct group {
    size_t member[MOT_MAX_EXPERTS], count;
    double loss;
} group;

/* The loss when `e` leaves as well: those that are not kept are gone, and so is the group. */
static double loss_without(const students *s, const group *at, size_t e)
{
    double loss = at->loss - s->with_rest[e] + s->product[e * s->E + e] / 2;
    for (size_t f = 0; f < s->E; ++f)
        if (!s->keep[f]) loss += s->product[e * s->E + f];
    for (size_t i = 0; i < at->count; ++i) loss += s->product[e * s->E + at->member[i]];
    return loss;
}

/* Tries all groups of up to `most` that begin with `at` and go on behind `from`. */
static void try_groups(const students *s, size_t from, size_t most, group *at, group *best)
{
    for (size_t e = from; e < s->E; ++e) {
        if (!s->keep[e]) continue;
        const double before = at->loss;
        at->loss = loss_without(s, at, e);
        at->member[at->count++] = e;
        if (at->loss < best->loss) *best = *at;
        if (at->count < most) try_groups(s, e + 1, most, at, best);
        --at->count;
        at->loss = before;
    }
}

/* The size up to which there are not more groups among so many than can be tried. */
static size_t largest_group(size_t left)
{
    double groups = 0, of_size = 1;
    size_t size = 0;
    while (size < left) {
        of_size *= (double)(left - size) / (double)(size + 1);
        groups += of_size;
        if (groups > MOST_GROUPS) break;
        ++size;
    }
    return MOT_MAX(size, (size_t)1);
}

/* Groups leave, the cheapest first; of `most` at most (0: of as many as can be tried). */
static mot_status by_groups(students *s, size_t most)
{
    const size_t target = s->stage->prune.keep > 0 ? (size_t)s->stage->prune.keep : 1;
    group *at = NULL, *best = NULL;
    mot_status status;
    MOT_TRY(mot_allocate(&at, 1, sizeof *at, "groups"));
    MOT_TRY(mot_allocate(&best, 1, sizeof *best, "groups"));
    at->loss = s->loss;
    for (size_t left = s->E; left > target; left = kept(s)) {
        best->loss = INFINITY;
        try_groups(s, 0, MOT_MIN(most > 0 ? most : largest_group(left), left - target), at, best);
        if (s->stage->prune.keep == 0 && best->loss > at->loss + s->stage->prune.tolerance * s->spread) break;
        for (size_t i = 0; i < best->count; ++i) s->keep[best->member[i]] = false;
        at->loss = best->loss;
    }
done:
    mot_free(best);
    mot_free(at);
    return status;
}

static mot_status choose(const mot_stage_moment *moment, students *s)
{
    switch (s->stage->prune.rule) {
    case MOT_PRUNE_ORACLE: by_oracle(s, mot_dataset_teacher(moment->held_out, NULL)); return MOT_OK;
    case MOT_PRUNE_CLUSTER: return by_cluster(s);
    case MOT_PRUNE_GROUP: return by_groups(s, 0);
    case MOT_PRUNE_SINGLE: return by_groups(s, 1);
    }
    return MOT_OK;
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

static mot_status create(const mot_stage_moment *moment, students *s)
{
    const size_t E = s->E, D = s->D;
    const char *what = "the students that are to leave";
    mot_status status;
    MOT_TRY(mot_allocate(&s->w, E * D, sizeof *s->w, what));
    MOT_TRY(mot_allocate(&s->v, E * D, sizeof *s->v, what));
    MOT_TRY(mot_allocate(&s->product, E * E, sizeof *s->product, what));
    MOT_TRY(mot_allocate(&s->with_rest, E, sizeof *s->with_rest, what));
done:
    (void)moment;
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
                  .coupled = mot_gate_kind_at(moment->config->gate.kind)->coupled,
                  .activation = moment->config->model.hermite.activation,
                  .samples = (size_t)MOT_MIN((mot_gidx)MOST_SAMPLES, moment->held_out->samples),
                  .keep = moment->keep};
    mot_status status = create(moment, &s);
    MOT_TRY(mot_comm_agree(moment->comm, status));
    if (moment->held_out->target_bytes != sizeof(float) || moment->held_out->classes != 0)
        status = mot_fail(MOT_ERR_INPUT, "stage '%s': action = prune needs targets of one number", stage->name);
    MOT_TRY(mot_comm_agree(moment->comm, status));
    gather(moment, &s);
    if (moment->comm->rank != MOT_ROOT) goto done;
    MOT_TRY(measure(moment, &s));
    MOT_TRY(choose(moment, &s));
    if (kept(&s) == 0) { /* all cancel each other: nothing has been learned yet */
        memset(s.keep, true, s.E * sizeof *s.keep);
        mot_log(MOT_LOG_WARNING,
                "stage '%s': prune_rule = %s would leave no expert, so all stay; another rule, or a longer stage, may help",
                stage->name, rules[stage->prune.rule]);
    }
    snprintf(moment->did, MOT_STAGE_DID,
             "%s keeps %zu of %zu experts; on %zu samples that are held out the loss goes from %.3g to %.3g",
             rules[stage->prune.rule], kept(&s), s.E, s.samples, s.loss, loss_of(&s, s.keep));
done:
    destroy(&s);
    return status;
}

const mot_stage_action mot_action_prune = {.kind = {"prune"}, .useless = useless, .run = prune};
