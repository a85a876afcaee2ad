/* What students have learned of a teacher (Liao and Kyrillidis, arXiv 2510.07205), where both are known: neurons of unit
 * length (hermite.c), a gate of unit length (gate_spread.c), and the source teacher.
 *
 *      teacher_w      [E, m]   w_i . w*_j / |w_i|          teacher_v   [E, m]   v_i . v*_j / |v_i|
 *      own            [E]      w_i . v_i / (|w_i| |v_i|)
 *      length_w       [E]      |w_i|                       length_v    [E]      |v_i|
 *      teacher.matched         teachers of which one student has neuron and gate, both cosines above 0.9
 *      teacher.least_w         over the teachers the least of the largest |w_i . w*_j|; teacher.least_v of their gates'
 */
#include "mot/eval_figure.h"

#include <math.h>
#include <stdio.h>

#include "mot/alignment.h"
#include "mot/memory.h"

static const double matched_above = 0.9;

enum { MATCHED, LEAST_W, LEAST_V, OF_W, OF_V, OWN, LENGTH_W, LENGTH_V };

static const mot_teacher *teacher_of(const mot_evaluation *evaluation)
{
    return mot_dataset_teacher(evaluation->set, NULL);
}

static void describe(mot_evaluation *evaluation)
{
    const mot_model *model = evaluation->model;
    const mot_teacher *teacher = teacher_of(evaluation);
    const size_t E = model->layer->gate.experts;
    evaluation->figures = 0;
    if (teacher == NULL || !model->layer->kind->directed || !model->layer->gate.kind->spread) return;
    const size_t m = (size_t)teacher->config.experts;
    mot_eval_figure *figure = evaluation->figure;
    /* clang-format off */
    figure[MATCHED] = MOT_FIGURE("teacher_matched", "teacher.matched", "teachers of which one student has neuron and gate (cosines above 0.9)");
    figure[LEAST_W] = MOT_FIGURE("teacher_least_w", "teacher.least_w", "least over the teachers of the largest |cosine| of a student's neuron with it");
    figure[LEAST_V] = MOT_FIGURE("teacher_least_v", "teacher.least_v", "least over the teachers of the cosine of that student's gate with theirs");
    figure[OF_W] = MOT_FIGURE_TABLE("teacher_w", "cosine of each student's neuron with each teacher's", E, "expert", m, "teacher");
    figure[OF_V] = MOT_FIGURE_TABLE("teacher_v", "cosine of each student's gate with each teacher's", E, "expert", m, "teacher");
    figure[OWN] = MOT_FIGURE_ROW("own", "cosine of a student's neuron with its gate", E, "expert");
    figure[LENGTH_W] = MOT_FIGURE_ROW("length_w", "length of a student's neuron, which gradient flow keeps", E, "expert");
    figure[LENGTH_V] = MOT_FIGURE_ROW("length_v", "length of a student's gate, which gradient flow keeps", E, "expert");
    /* clang-format on */
    evaluation->figures = LENGTH_V + 1;
}

/* Room for all neurons, and a gate: [E + 1, D]. */
static mot_status create(mot_evaluation *evaluation)
{
    return mot_allocate(&evaluation->own, (evaluation->model->layer->gate.experts + 1) * teacher_of(evaluation)->config.width,
                        sizeof(double), "alignments");
}

static void destroy(mot_evaluation *evaluation)
{
    mot_free(evaluation->own);
}

/* Of one expert, whose neuron w becomes a direction; v [D]: room. */
static void align(const mot_evaluation *evaluation, size_t e, double *w, double *v)
{
    const mot_teacher *teacher = teacher_of(evaluation);
    const size_t D = teacher->config.width, m = (size_t)teacher->config.experts;
    mot_take_directions(evaluation->model, e, w, v, &evaluation->value[LENGTH_W][e], &evaluation->value[LENGTH_V][e]);
    for (size_t j = 0; j < m; ++j) {
        evaluation->value[OF_W][e * m + j] = mot_neuron_sum(w, teacher->w + j * D, D);
        evaluation->value[OF_V][e * m + j] = mot_neuron_sum(v, teacher->v + j * D, D);
    }
    evaluation->value[OWN][e] = mot_neuron_sum(w, v, D);
}

/* Of each teacher the student that is nearest to its neuron. */
static void match(const mot_evaluation *evaluation, size_t E, size_t m)
{
    const double *of_w = evaluation->value[OF_W], *of_v = evaluation->value[OF_V];
    double matched = 0, least_w = 1, least_v = 1;
    for (size_t j = 0; j < m; ++j) {
        size_t best = 0;
        bool has = false;
        for (size_t e = 0; e < E; ++e) {
            if (fabs(of_w[e * m + j]) > fabs(of_w[best * m + j])) best = e;
            has = has || (of_w[e * m + j] > matched_above && of_v[e * m + j] > matched_above);
        }
        matched += has;
        least_w = fmin(least_w, fabs(of_w[best * m + j]));
        least_v = fmin(least_v, of_v[best * m + j]);
    }
    *evaluation->value[MATCHED] = matched;
    *evaluation->value[LEAST_W] = least_w;
    *evaluation->value[LEAST_V] = least_v;
}

static void end(mot_evaluation *evaluation)
{
    const mot_model *model = evaluation->model;
    const mot_teacher *teacher = teacher_of(evaluation);
    const size_t D = teacher->config.width, E = model->layer->gate.experts;
    double *const neurons = evaluation->own;
    mot_gather_neurons(model, neurons);
    if (model->comm->rank != MOT_ROOT) return;
    for (size_t e = 0; e < E; ++e) align(evaluation, e, neurons + e * D, neurons + E * D);
    match(evaluation, E, (size_t)teacher->config.experts);
}

static void say(const mot_evaluation *evaluation, char text[MOT_FIGURE_WORDS])
{
    snprintf(text, MOT_FIGURE_WORDS, "teachers matched %.0f of %d, least cosines %.3f, %.3f", *evaluation->value[MATCHED],
             teacher_of(evaluation)->config.experts, *evaluation->value[LEAST_W], *evaluation->value[LEAST_V]);
}

const mot_figure_kind mot_figure_teacher = {
    .kind = {"teacher"}, .describe = describe, .create = create, .destroy = destroy, .end = end, .say = say};
