/* A gate that tells classes, and sends those that it confuses to one expert. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "mot/choose.h"
#include "mot/layers.h"
#include "mot/partition.h"
#include "mot/rowops.h"

/* The last two are no parameters, and never have a gradient: mean probabilities, by true class, of the batches that were
 * learned last; and 1 where a class is of an expert. */
enum { WEIGHT, BIAS, CONFUSION, MEMBER };

static const mot_real keeps = (mot_real)0.99; /* of what was confused before, in each batch: about the last hundred count */
static const mot_real never = (mot_real)-1e30; /* the score of an expert that has no class: its probability is 0 */

static mot_status table(const mot_gate *gate, mot_table *to)
{
    const size_t C = gate->classes;
    mot_status status;
    MOT_TRY(mot_table_add(to, "weight", MOT_PART_GATE, 2, (const size_t[]){gate->features, C}, 0, gate->config->init,
                          true));
    MOT_TRY(mot_table_add(to, "bias", MOT_PART_GATE, 1, (const size_t[]){C}, 0, 0, false));
    MOT_TRY(mot_table_add(to, "confusion", MOT_PART_GATE, 2, (const size_t[]){C, C}, 0, 0, false));
    MOT_TRY(mot_table_add(to, "member", MOT_PART_GATE, 2, (const size_t[]){C, gate->experts}, 0, 0, false));
    mot_table_by_expert(to, 1);
done:
    return status;
}

/* What forward keeps: scores z and their gradients, [n, C]; h [n, E]; and of each class its expert. */
typedef struct kept_by {
    mot_real *z, *d_z, *h, *expert;
} kept_by;

static size_t kept_numbers(const mot_gate *gate, size_t n)
{
    return n * (2 * gate->classes + gate->experts) + gate->classes;
}

static kept_by parts_of(const mot_gate *gate, size_t n, mot_real *kept)
{
    const size_t all = n * gate->classes;
    return (kept_by){kept, kept + all, kept + 2 * all, kept + 2 * all + n * gate->experts};
}

/* A class that is of none, as all are in the beginning, belongs to the first. */
static void find_experts(const mot_gate *gate, const mot_real *member, mot_real *expert)
{
    for (size_t c = 0; c < gate->classes; ++c) {
        size_t e = 0;
        while (e < gate->experts && !(member[c * gate->experts + e] > (mot_real)0.5)) ++e;
        expert[c] = (mot_real)(e < gate->experts ? e : 0);
    }
}

/* h_e = log sum exp z_c over the classes of e, for one sample. */
static void sum_classes(const mot_gate *gate, const mot_real *z, const mot_real *expert, mot_real *h)
{
    double sum[MOT_MAX_EXPERTS];
    for (size_t e = 0; e < gate->experts; ++e) {
        h[e] = never;
        sum[e] = 0;
    }
    for (size_t c = 0; c < gate->classes; ++c) h[(size_t)expert[c]] = MOT_MAX(h[(size_t)expert[c]], z[c]);
    for (size_t c = 0; c < gate->classes; ++c)
        sum[(size_t)expert[c]] += exp((double)z[c] - (double)h[(size_t)expert[c]]);
    for (size_t e = 0; e < gate->experts; ++e)
        if (sum[e] > 0) h[e] += (mot_real)log(sum[e]);
}

static void forward(const mot_gate *gate, const mot_params *params, size_t n, const mot_real *g,
                    const int32_t *id, mot_real *h, mot_real *kept)
{
    const size_t C = gate->classes, E = gate->experts;
    const kept_by k = parts_of(gate, n, kept);
    mot_gate_product(gate, n, g, id, mot_gate_tensor(gate, params->value, WEIGHT),
                     mot_gate_tensor(gate, params->value, BIAS), C, k.z);
    memset(k.d_z, 0, n * C * sizeof *k.d_z);
    find_experts(gate, mot_gate_tensor(gate, params->value, MEMBER), k.expert);
    for (size_t s = 0; s < n; ++s) sum_classes(gate, k.z + s * C, k.expert, h + s * E);
    memcpy(k.h, h, n * E * sizeof *h);
}

static void learn_labels(const mot_gate *gate, mot_params *params, size_t n, const int32_t *label, bool count,
                         mot_real *kept)
{
    const size_t C = gate->classes;
    const kept_by k = parts_of(gate, n, kept);
    mot_real *confusion = mot_gate_tensor(gate, params->value, CONFUSION);
    for (size_t i = 0; count && i < C * C; ++i) confusion[i] *= keeps;
    for (size_t s = 0; s < n; ++s) {
        if (label[s] < 0) continue;
        mot_real *q = k.d_z + s * C, *row = confusion + (size_t)label[s] * C;
        memcpy(q, k.z + s * C, C * sizeof *q);
        mot_row_softmax(q, C);
        for (size_t c = 0; count && c < C; ++c) row[c] += (1 - keeps) * q[c] / (mot_real)n;
        for (size_t c = 0; c < C; ++c) q[c] = (q[c] - (c == (size_t)label[s])) / (mot_real)n;
    }
}

static void backward(const mot_gate *gate, mot_params *params, size_t n, const mot_real *g, const int32_t *id,
                     const mot_real *d_h, mot_real *kept, mot_real *d_g)
{
    const size_t C = gate->classes, E = gate->experts;
    const kept_by k = parts_of(gate, n, kept);
    for (size_t s = 0; s < n; ++s)
        for (size_t c = 0; c < C; ++c) {
            const size_t e = s * E + (size_t)k.expert[c];
            k.d_z[s * C + c] += d_h[e] * (mot_real)exp((double)k.z[s * C + c] - (double)k.h[e]);
        }
    if (d_g != NULL)
        mot_linear_backward_input(d_g, k.d_z, mot_gate_tensor(gate, params->value, WEIGHT), n, gate->features, C);
    mot_gate_product_backward(gate, n, g, id, mot_gate_tensor(gate, params->gradient, WEIGHT),
                              mot_gate_tensor(gate, params->gradient, BIAS), k.d_z, C);
}

static mot_status group_classes(mot_params *params, uint64_t seed, mot_gate_groups *made)
{
    const mot_tensor *row = params->table->row;
    const size_t C = row[MEMBER].shape[0], E = row[MEMBER].shape[1];
    const mot_real *confusion = params->value + row[CONFUSION].offset;
    mot_real *member = params->value + row[MEMBER].offset;
    double *weight = NULL;
    int *group = NULL;
    mot_status status;
    MOT_TRY(mot_allocate(&weight, C * C, sizeof *weight, "what the gate confuses"));
    MOT_TRY(mot_allocate(&group, C, sizeof *group, "what the gate confuses"));
    for (size_t b = 0; b < C; ++b)
        for (size_t c = 0; c < C; ++c)
            weight[b * C + c] = (double)confusion[b * C + c] + (double)confusion[c * C + b];
    MOT_TRY(mot_partition(C, E, weight, seed, group, &made->within));
    memset(member, 0, C * E * sizeof *member);
    made->classes = C;
    made->groups = 0;
    for (size_t c = 0; c < C; ++c) {
        member[c * E + (size_t)group[c]] = 1;
        made->groups = MOT_MAX(made->groups, (size_t)group[c] + 1);
    }
done:
    mot_free(weight);
    mot_free(group);
    return status;
}

const mot_gate_kind mot_gate_classes = {.kind = {"classes"},
                                        .table = table,
                                        .kept = kept_numbers,
                                        .forward = forward,
                                        .backward = backward,
                                        .learn_labels = learn_labels,
                                        .group = group_classes};
