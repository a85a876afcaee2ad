/* A gate that tells classes, and sends those that it confuses to one expert. A class has P prototypes, all of them are U:
 * prototype u is of class u / P. A class that several sources share looks different in each, and comes to have one for each. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "mot/choose.h"
#include "mot/layers.h"
#include "mot/partition.h"
#include "mot/rowops.h"

/* The last two are no parameters, and never have a gradient: mean probabilities of prototypes, by the true class's prototypes, of the
 * batches that were learned last; and 1 where a prototype is of an expert. */
enum { WEIGHT, BIAS, CONFUSION, MEMBER };

static const mot_real keeps = (mot_real)0.99; /* of what was confused before, in each batch: about the last hundred count */
static const mot_real never = (mot_real)-1e30; /* the score of an expert that has no prototype: its probability is 0 */

static size_t per_class(const mot_gate *gate)
{
    return MOT_MAX(1, gate->config->prototypes);
}

static size_t prototypes_of(const mot_gate *gate)
{
    return gate->classes * per_class(gate);
}

/* Prototypes of a class that begin alike would stay so. */
static double deviation(const mot_gate *gate)
{
    if (gate->config->init > 0 || per_class(gate) == 1) return gate->config->init;
    return gate->tokens > 0 ? 0.5 : 1 / sqrt((double)gate->features);
}

enum { MOST_PROTOTYPES = 16384 }; /* whose confusions are 1 GiB */

static mot_status table(const mot_gate *gate, mot_table *to)
{
    const size_t U = prototypes_of(gate);
    mot_status status;
    if (U > MOST_PROTOTYPES)
        return mot_fail(MOT_ERR_INPUT,
                        "gate.kind = classes holds how often each prototype is taken for each other, which of %zu classes with %zu "
                        "prototype%s each is %.1f GiB: at most %d prototypes (gate.kind=linear)",
                        gate->classes, per_class(gate), per_class(gate) == 1 ? "" : "s",
                        (double)U * (double)U * sizeof(mot_real) / 0x1p30, MOST_PROTOTYPES);
    MOT_TRY(mot_table_add(to, "weight", MOT_PART_GATE, 2, (const size_t[]){gate->features, U}, 0, deviation(gate), true));
    if (gate->tokens > 0) mot_table_by_word(to);
    MOT_TRY(mot_table_add(to, "bias", MOT_PART_GATE, 1, (const size_t[]){U}, 0, 0, false));
    MOT_TRY(mot_table_add(to, "confusion", MOT_PART_GATE, 2, (const size_t[]){U, U}, 0, 0, false));
    MOT_TRY(mot_table_add(to, "member", MOT_PART_GATE, 2, (const size_t[]){U, gate->experts}, 0, 0, false));
    mot_table_by_expert(to, 1);
done:
    return status;
}

/* What forward keeps: scores z and their gradients, [n, U]; h [n, E]; and of each prototype its expert. */
typedef struct kept_by {
    mot_real *z, *d_z, *h, *expert;
} kept_by;

static size_t kept_numbers(const mot_gate *gate, size_t n)
{
    return n * (2 * prototypes_of(gate) + gate->experts) + prototypes_of(gate);
}

static kept_by parts_of(const mot_gate *gate, size_t n, mot_real *kept)
{
    const size_t all = n * prototypes_of(gate);
    return (kept_by){kept, kept + all, kept + 2 * all, kept + 2 * all + n * gate->experts};
}

/* A prototype that is of none, as all are in the beginning, belongs to the first. */
static void find_experts(const mot_gate *gate, const mot_real *member, mot_real *expert)
{
    for (size_t u = 0; u < prototypes_of(gate); ++u) {
        size_t e = 0;
        while (e < gate->experts && !(member[u * gate->experts + e] > (mot_real)0.5)) ++e;
        expert[u] = (mot_real)(e < gate->experts ? e : 0);
    }
}

/* h_e = log sum exp z_u over the prototypes of e, for one sample. */
static void sum_prototypes(const mot_gate *gate, const mot_real *z, const mot_real *expert, mot_real *h)
{
    const size_t U = prototypes_of(gate);
    double sum[MOT_MAX_EXPERTS];
    for (size_t e = 0; e < gate->experts; ++e) {
        h[e] = never;
        sum[e] = 0;
    }
    for (size_t u = 0; u < U; ++u) h[(size_t)expert[u]] = MOT_MAX(h[(size_t)expert[u]], z[u]);
    for (size_t u = 0; u < U; ++u) sum[(size_t)expert[u]] += exp((double)z[u] - (double)h[(size_t)expert[u]]);
    for (size_t e = 0; e < gate->experts; ++e)
        if (sum[e] > 0) h[e] += (mot_real)log(sum[e]);
}

static void forward(const mot_gate *gate, const mot_params *params, size_t n, const mot_real *g,
                    const int32_t *id, mot_real *h, mot_real *kept)
{
    const size_t U = prototypes_of(gate), E = gate->experts;
    const kept_by k = parts_of(gate, n, kept);
    mot_gate_product(gate, n, g, id, mot_gate_tensor(gate, params->value, WEIGHT),
                     mot_gate_tensor(gate, params->value, BIAS), U, k.z);
    memset(k.d_z, 0, n * U * sizeof *k.d_z);
    find_experts(gate, mot_gate_tensor(gate, params->value, MEMBER), k.expert);
    for (size_t s = 0; s < n; ++s) sum_prototypes(gate, k.z + s * U, k.expert, h + s * E);
    memcpy(k.h, h, n * E * sizeof *h);
}

/* Of one sample: q [U] its probabilities; own [P] those among the prototypes of its class, of which the first is `first`. Noted down
 * by own, as the sample is of each prototype so far; and q becomes the gradient of -log sum_own exp z + log sum exp z. */
static void learn_sample(const mot_gate *gate, size_t n, size_t first, const mot_real *own, mot_real *q, mot_real *confusion)
{
    const size_t U = prototypes_of(gate), P = per_class(gate);
    for (size_t p = 0; confusion != NULL && p < P; ++p)
        for (size_t u = 0; u < U; ++u) confusion[(first + p) * U + u] += (1 - keeps) * own[p] * q[u] / (mot_real)n;
    for (size_t p = 0; p < P; ++p) q[first + p] -= own[p];
    for (size_t u = 0; u < U; ++u) q[u] /= (mot_real)n;
}

static void learn_labels(const mot_gate *gate, mot_params *params, size_t n, const int32_t *label, bool count,
                         mot_real *kept)
{
    const size_t U = prototypes_of(gate), P = per_class(gate);
    const kept_by k = parts_of(gate, n, kept);
    mot_real *confusion = count ? mot_gate_tensor(gate, params->value, CONFUSION) : NULL, own[MOT_MAX_PROTOTYPES];
    for (size_t i = 0; count && i < U * U; ++i) confusion[i] *= keeps;
    for (size_t s = 0; s < n; ++s) {
        if (label[s] < 0) continue;
        const size_t first = (size_t)label[s] * P;
        mot_real *q = k.d_z + s * U;
        mot_row_softmax(q, k.z + s * U, U);
        mot_row_softmax(own, k.z + s * U + first, P);
        learn_sample(gate, n, first, own, q, confusion);
    }
}

static void backward(const mot_gate *gate, mot_params *params, size_t n, const mot_real *g, const int32_t *id,
                     const mot_real *d_h, mot_real *kept, mot_real *d_g)
{
    const size_t U = prototypes_of(gate), E = gate->experts;
    const kept_by k = parts_of(gate, n, kept);
    for (size_t s = 0; s < n; ++s)
        for (size_t u = 0; u < U; ++u) {
            const size_t e = s * E + (size_t)k.expert[u];
            k.d_z[s * U + u] += d_h[e] * (mot_real)exp((double)k.z[s * U + u] - (double)k.h[e]);
        }
    if (d_g != NULL)
        mot_linear_backward_input(d_g, k.d_z, mot_gate_tensor(gate, params->value, WEIGHT), n, gate->features, U);
    mot_gate_product_backward(gate, n, g, id, mot_gate_tensor(gate, params->gradient, WEIGHT),
                              mot_gate_tensor(gate, params->gradient, BIAS), k.d_z, U);
}

/* The table of what is confused, and its transpose, which lies where the table's gradients would: so rows alone are read. */
typedef struct confusions {
    size_t U;
    const mot_real *by, *with;
    mot_gate_groups *made;
} confusions;

static void transpose(mot_real *to, const mot_real *from, size_t U)
{
    enum { SIDE = 32 };
    for (size_t u = 0; u < U; u += SIDE)
        for (size_t v = 0; v < U; v += SIDE)
            for (size_t i = u; i < MOT_MIN(u + SIDE, U); ++i)
                for (size_t j = v; j < MOT_MIN(v + SIDE, U); ++j) to[j * U + i] = from[i * U + j];
}

static void confused(const void *of, size_t u, double *weight)
{
    const confusions *c = of;
    const mot_real *by = c->by + u * c->U, *with = c->with + u * c->U;
    for (size_t v = 0; v < c->U; ++v) weight[v] = (double)by[v] + (double)with[v];
}

static bool stop_grouping(const void *of)
{
    const confusions *c = of;
    return c->made->stop != NULL && c->made->stop(c->made->of);
}

static size_t group_bytes(const mot_gate *gate)
{
    const size_t U = prototypes_of(gate);
    return mot_partition_bytes(U, gate->experts) + U * sizeof(int);
}

static mot_status group_prototypes(mot_params *params, uint64_t seed, mot_gate_groups *made)
{
    const mot_tensor *row = params->table->row;
    const size_t U = row[MEMBER].shape[0], E = row[MEMBER].shape[1];
    mot_real *transposed = params->gradient + row[CONFUSION].offset, *member = params->value + row[MEMBER].offset;
    const confusions of = {U, params->value + row[CONFUSION].offset, transposed, made};
    int *group = NULL;
    mot_status status;
    MOT_TRY(mot_allocate(&group, U, sizeof *group, "what the gate confuses"));
    transpose(transposed, of.by, U);
    MOT_TRY(mot_partition(U, E, &(mot_affinity){confused, stop_grouping, &of}, seed, group, &made->within));
    memset(member, 0, U * E * sizeof *member);
    made->prototypes = U;
    made->groups = 0;
    for (size_t u = 0; u < U; ++u) {
        member[u * E + (size_t)group[u]] = 1;
        made->groups = MOT_MAX(made->groups, (size_t)group[u] + 1);
    }
done:
    mot_free(group);
    return status;
}

const mot_gate_kind mot_gate_classes = {.kind = {"classes"},
                                        .table = table,
                                        .kept = kept_numbers,
                                        .forward = forward,
                                        .backward = backward,
                                        .learn_labels = learn_labels,
                                        .group = group_prototypes,
                                        .group_bytes = group_bytes};
