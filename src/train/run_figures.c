/* The figures of an evaluation: what stands in /eval of the record, in log.jsonl and on the terminal. */
#include "run_probe.h"

#include <math.h>
#include <string.h>

#include "mot/memory.h"
#include "mot/merged.h"

struct run_figures {
    size_t kinds; /* groups where the data have them, else classes */
    const char *axis;

    /* root */
    double routing_accuracy, routed_loss; /* of the last evaluation, besides what run_eval has */
    double *kind_loss;                    /* [kinds, E]: mean; NaN where no sample is */
    double *loss_table;                   /* [kinds, E]: sums while an evaluation goes on */

    bool theory;
    run_probe probe; /* where theory */
};

mot_status run_figures_create(mot_run *run)
{
    struct run_figures *figures;
    mot_status status = mot_allocate(&figures, 1, sizeof *figures, "figures of an evaluation");
    if (status != MOT_OK) return status;
    run->figures = figures;
    figures->kinds = (size_t)(run->groups > 0 ? run->groups : run->classes);
    figures->axis = run->groups > 0 ? "group" : "class";
    figures->theory = run->config.data.source == MOT_SOURCE_MIXTURE && run->model.kind == &mot_merged_kind;
    const size_t table = figures->kinds * (size_t)run->config.model.experts;
    MOT_TRY(mot_allocate(&figures->kind_loss, table, sizeof(double), "figures of an evaluation"));
    MOT_TRY(mot_allocate(&figures->loss_table, table, sizeof(double), "figures of an evaluation"));
    if (figures->theory) MOT_TRY(run_probe_create(run, &figures->probe));
done:
    return status; /* released by run_close */
}

void run_figures_destroy(mot_run *run)
{
    struct run_figures *figures = run->figures;
    run->figures = NULL;
    if (figures == NULL) return;
    run_probe_destroy(&figures->probe);
    mot_free(figures->kind_loss);
    mot_free(figures->loss_table);
    mot_free(figures);
}

/* ---- while the evaluation goes on: the root ---- */

void run_figures_begin(mot_run *run)
{
    struct run_figures *figures = run->figures;
    memset(figures->loss_table, 0, figures->kinds * (size_t)run->config.model.experts * sizeof(double));
}

void run_figures_add(mot_run *run, mot_gidx first, size_t n, const mot_step_result *result)
{
    struct run_figures *figures = run->figures;
    const size_t E = (size_t)run->config.model.experts, K = mot_choice_count(&run->config.route, (int)E);
    const int32_t *kind = run->groups > 0 ? result->group : result->label;
    for (size_t b = 0; b < n; ++b)
        figures->loss_table[(size_t)kind[b] * E + (size_t)result->expert[b * K]] += result->sample_loss[b];
    if (first == 0 && figures->theory) run_probe_take(run, &figures->probe, result);
}

/* ---- at the end of the evaluation: the root ---- */

/* Loss where a sample is with an expert that mostly has its kind, and the mean losses of the table. */
static void conclude_losses(const run_eval *eval, struct run_figures *figures, size_t E)
{
    const int64_t *load = eval->group_load != NULL ? eval->group_load : eval->class_load;
    double loss = 0, count = 0;
    for (size_t e = 0; e < E; ++e) {
        size_t own = 0;
        for (size_t n = 1; n < figures->kinds; ++n)
            if (load[n * E + e] > load[own * E + e]) own = n;
        loss += figures->loss_table[own * E + e];
        count += (double)load[own * E + e];
    }
    figures->routed_loss = count > 0 ? loss / count : NAN;
    for (size_t i = 0; i < figures->kinds * E; ++i)
        figures->kind_loss[i] = load[i] > 0 ? figures->loss_table[i] / (double)load[i] : NAN;
}

/* Share of the samples that are with an expert whose neurons are aligned best with their class. */
static double routing_accuracy(const run_eval *eval, const struct run_figures *figures, size_t E)
{
    const size_t N = figures->kinds;
    int64_t right = 0;
    for (size_t e = 0; e < E; ++e) {
        size_t own = 0;
        for (size_t n = 1; n < N; ++n)
            if (fabs(figures->probe.neurons[e * N + n]) > fabs(figures->probe.neurons[e * N + own])) own = n;
        right += eval->group_load[own * E + e];
    }
    return (double)right / (double)eval->samples;
}

static mot_status record_figures(const mot_run *run, const struct run_figures *figures)
{
    const run_eval *eval = &run->last_eval;
    const size_t E = (size_t)run->config.model.experts, N = figures->kinds;
    const double group_accuracy = eval->group_accuracy >= 0 ? eval->group_accuracy : NAN,
                 experts_used = eval->routing.experts_used;
/* clang-format off */
#define NUMBER(name_, text_, value_)    {.name = name_, .units = "1", .long_name = text_, .value = &value_}
#define BY_EXPERT(name_, text_, value_) {.name = name_, .units = "1", .long_name = text_, .rank = 1, .shape = {E}, .axis = {"expert"}, .value = value_}
#define TABLE(name_, text_, rows_, row_axis_, columns_, column_axis_, value_) \
    {.name = name_, .units = "1", .long_name = text_, .rank = 2, .shape = {rows_, columns_}, .axis = {row_axis_, column_axis_}, .value = value_}
    const mot_eval_figure list[] = {
        NUMBER("loss", "mean loss", eval->loss),
        NUMBER("accuracy", "share of samples with the right label", eval->accuracy),
        NUMBER("group_accuracy", "share of samples whose predicted label is of the right group", group_accuracy),
        NUMBER("purity", "share of samples with an expert that mostly has their group (or class)", eval->routing.purity),
        NUMBER("nmi", "mutual information of expert and group (or class), normalized", eval->routing.nmi),
        NUMBER("entropy", "entropy of the load over the experts, 1 is even", eval->routing.entropy),
        NUMBER("experts_used", "experts with at least 1 % of a fair share", experts_used),
        NUMBER("routing_accuracy", "share of samples with an expert whose neurons are aligned best with their class", figures->routing_accuracy),
        NUMBER("routed_loss", "mean loss of the samples with an expert that mostly has their group (or class)", figures->routed_loss),
        TABLE("kind_loss", "mean loss by group (or class) and expert", N, figures->axis, E, "expert", figures->kind_loss),
        TABLE("neurons", "W_i v_n / |W_i|, of an expert's neuron where it is largest", E, "expert", N, "group", figures->probe.neurons),
        TABLE("gate", "theta_i c_n", E, "expert", N, "group", figures->probe.gate),
        TABLE("attention", "attention by kind of query (row) and key (column): noise, class signal, classification signal, distractor",
              MOT_ROLES, "query", MOT_ROLES, "key", figures->probe.attention),
        BY_EXPERT("gradient_cosine", "mean cosine between the gradients of two classes at an expert", figures->probe.cosine),
        BY_EXPERT("gradient_agreement", "|sum of the classes' gradients| / sum of their lengths at an expert", figures->probe.agreement),
    };
/* clang-format on */
#undef TABLE
#undef NUMBER
#undef BY_EXPERT
    const size_t general = 10;
    return mot_record_eval(run->record, run->progress.step, figures->theory ? MOT_COUNT(list) : general,
                           list);
}

static mot_status log_figures(const mot_run *run, const struct run_figures *figures)
{
    const run_eval *eval = &run->last_eval;
    mot_json *json = mot_json_begin();
    if (json == NULL) return mot_fail(MOT_ERR_MEMORY, "not enough memory for a line of log.jsonl");
    mot_json_int(json, "step", run->progress.step);
    mot_json_int(json, "stage", MOT_MIN(run->progress.stage, run->config.stages - 1));
    mot_json_real(json, "eval.loss", eval->loss);
    mot_json_real(json, "eval.accuracy", eval->accuracy);
    if (run->parent != NULL) mot_json_real(json, "eval.group_accuracy", eval->group_accuracy);
    mot_json_real(json, "eval.routed_loss", figures->routed_loss);
    mot_json_real(json, "routing.purity", eval->routing.purity);
    mot_json_real(json, "routing.nmi", eval->routing.nmi);
    mot_json_real(json, "routing.entropy", eval->routing.entropy);
    mot_json_int(json, "routing.experts_used", eval->routing.experts_used);
    if (figures->theory) {
        mot_json_real(json, "routing.accuracy", figures->routing_accuracy);
        mot_json_real(json, "attention.signal", run_signal_attention(run));
    }
    char *text = NULL;
    mot_status status = mot_json_end(json, &text);
    if (status == MOT_OK) status = mot_record_log(run->record, text);
    mot_free(text);
    return status;
}

double run_signal_attention(const mot_run *run)
{
    return run->figures->theory ? run->figures->probe.attention[MOT_ROLE_SIGNAL * MOT_ROLES + MOT_ROLE_SIGNAL]
                                : NAN;
}

double run_routed_loss(const mot_run *run)
{
    return run->figures->routed_loss;
}

mot_status run_figures_end(mot_run *run)
{
    struct run_figures *figures = run->figures;
    const run_eval *eval = &run->last_eval;
    const size_t E = (size_t)run->config.model.experts;
    mot_status status = MOT_OK;
    if (figures->theory) run_probe_look(run, &figures->probe);
    if (run->comm->rank == MOT_ROOT) {
        conclude_losses(eval, figures, E);
        figures->routing_accuracy = figures->theory ? routing_accuracy(eval, figures, E) : NAN;
        const bool recorded = run->record != NULL && !run->again;
        if (recorded) status = record_figures(run, figures);
        if (status == MOT_OK && recorded) status = log_figures(run, figures);
    }
    return status;
}
