/* The theory's experts on its mixture: what of the classes' signals neurons and gate have, and where attention goes, as the study of the
 * claims draws them (src/study/claims_neurons.c, claims_routing.c). */
#include <math.h>

#include "mot/mixture.h"
#include "mot/theory.h"
#include "theory.h"

static const char *const roles[MOT_ROLES] = {"noise", "class signal", "classification signal", "distractor"};

/* Samples of each class at each expert [N, E] in the evaluation; NULL: the record does not have them. */
static const double *load_at(const report_run *run, size_t row, size_t E, size_t N)
{
    if (run->layers == 0) return NULL;
    const report_layer *const layer = &run->layer[0];
    const double step = *mot_report_row(run, REPORT_EVAL_STEP, row);
    for (size_t i = 0; i < MOT_MIN(layer->group_load.rows, layer->snapshot.rows) && layer->group_load.width == N * E; ++i)
        if (layer->snapshot.value[i] == step) return layer->group_load.value + i * N * E;
    return NULL;
}

static mot_status put_alignment(const theory_subject *s, size_t E, size_t N)
{
    static const char *const name[] = {"neuron and its class: largest W v / |W|", "classes' gradients: |sum| / sum of lengths",
                                       "samples with an expert of their class"};
    report_view *view;
    mot_status status;
    MOT_TRY(mot_report_theory_lines(s, "theory-classes", "Alignment of experts and classes", "cosine, share", MOT_COUNT(name), &view));
    for (size_t k = 0; k < MOT_COUNT(name); ++k) view->series[k].name = name[k];
    for (size_t i = 0; i < s->count; ++i) {
        const size_t row = s->pick[i];
        const double *const load = load_at(s->run, row, E, N);
        const bool agreement = load != NULL && mot_report_has(s->run, REPORT_AGREEMENT) && s->run->figure[REPORT_AGREEMENT].width == E;
        mot_report_values(view, 0)[i] = load != NULL ? mot_theory_aligned(mot_report_row(s->run, REPORT_NEURONS, row), load, E, N) : NAN;
        mot_report_values(view, 1)[i] = agreement ? mot_theory_mean(mot_report_row(s->run, REPORT_AGREEMENT, row), load, E, N) : NAN;
        mot_report_values(view, 2)[i] = mot_report_has(s->run, REPORT_ROUTED) ? *mot_report_row(s->run, REPORT_ROUTED, row) : NAN;
    }
done:
    return status;
}

/* Of every kind of token but noise, to all kinds. */
static mot_status put_attention(const theory_subject *s)
{
    static const char *const id[MOT_ROLES] = {"", "theory-attention-class", "theory-attention-signal", "theory-attention-distractor"};
    static const char *const title[MOT_ROLES] = {"", "Attention of the class signal", "Attention of the classification signal",
                                                 "Attention of the distractor"};
    report_view *view;
    mot_status status = MOT_OK;
    if (!mot_report_has(s->run, REPORT_ATTENTION) || s->run->figure[REPORT_ATTENTION].width != (size_t)MOT_ROLES * MOT_ROLES) return MOT_OK;
    for (size_t query = 1; query < MOT_ROLES; ++query) {
        MOT_TRY(mot_report_theory_lines(s, id[query], title[query], "attention", MOT_ROLES, &view));
        view->y.high = 1;
        for (size_t key = 0; key < MOT_ROLES; ++key) {
            view->series[key].name = mot_report_text(&s->report->pool, "to %s", roles[key]);
            for (size_t i = 0; i < s->count; ++i)
                mot_report_values(view, key)[i] = mot_report_row(s->run, REPORT_ATTENTION, s->pick[i])[query * MOT_ROLES + key];
        }
    }
done:
    return status;
}

mot_status mot_report_theory_mixture(const theory_subject *s)
{
    const mot_record_values *const neurons = &s->run->figure[REPORT_NEURONS];
    mot_status status = MOT_OK;
    if (!mot_report_has(s->run, REPORT_NEURONS) || neurons->rank != 2) return MOT_OK;
    MOT_TRY(mot_report_theory_map(s, REPORT_NEURONS, "theory-signals", "Experts' neurons and the classes' signals", "expert", "class",
                                  "W v / |W|"));
    MOT_TRY(mot_report_theory_map(s, REPORT_GATE, "theory-gate-signals", "Rows of the gate and the classes' signals", "expert", "class", "theta c"));
    MOT_TRY(put_alignment(s, neurons->shape[0], neurons->shape[1]));
    MOT_TRY(put_attention(s));
done:
    return status;
}
