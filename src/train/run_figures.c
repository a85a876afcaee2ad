/* The figures of an evaluation: what stands in /eval of the record, in log.jsonl and summary.json. */
#include "run_private.h"
#include "run_probe.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "mot/memory.h"
#include "mot/merged.h"

/* Of which data there is such a number. */
typedef enum needs { ANY_DATA, OF_CLASSES, OF_KINDS, OF_NUMBERS } needs;

/* clang-format off */
static const struct {
    const char *name; /* in the record; NULL: it has it as part of a table */
    const char *key;  /* in log.jsonl and summary.json */
    const char *long_name;
    needs needs;
} run_numbers[RUN_NUMBERS] = {
    [RUN_LOSS] = {"loss", "eval.loss", "mean loss", ANY_DATA},
    [RUN_EXPLAINED] = {"explained", "eval.explained", "1 - loss / loss of the mean of the targets: 1 is right, 0 no better than that mean", OF_NUMBERS},
    [RUN_ACCURACY] = {"accuracy", "eval.accuracy", "share of samples with the right label", OF_CLASSES},
    [RUN_GROUP_ACCURACY] = {"group_accuracy", "eval.group_accuracy", "share of samples whose predicted label is of the right group", OF_CLASSES},
    [RUN_MACRO_F1] = {"macro_f1", "eval.macro_f1", "mean over the classes that occur, as label or prediction, of 2 right / (labels + predictions)", OF_CLASSES},
    [RUN_MAJORITY] = {"majority", "eval.majority", "share of the commonest class: the accuracy of always naming it", OF_CLASSES},
    [RUN_PURITY] = {"purity", "routing.purity", "group_purity where the data have groups, else class_purity", OF_KINDS},
    [RUN_NMI] = {"nmi", "routing.nmi", "group_nmi where the data have groups, else class_nmi", OF_KINDS},
    [RUN_CLASS_PURITY] = {"class_purity", "routing.class_purity", "share of samples of the commonest class of their expert", OF_CLASSES},
    [RUN_CLASS_NMI] = {"class_nmi", "routing.class_nmi", "mutual information of expert and class, normalized", OF_CLASSES},
    [RUN_GROUP_PURITY] = {"group_purity", "routing.group_purity", "share of samples of the commonest group of their expert", OF_KINDS},
    [RUN_GROUP_NMI] = {"group_nmi", "routing.group_nmi", "mutual information of expert and group, normalized", OF_KINDS},
    [RUN_ENTROPY] = {"entropy", "routing.entropy", "entropy of the load over the experts, 1 is even", ANY_DATA},
    [RUN_EXPERTS_USED] = {"experts_used", "routing.experts_used", "experts with at least 1 % of a fair share", ANY_DATA},
    [RUN_EXPERTS_EFFECTIVE] = {"experts_effective", "routing.experts_effective", "so many experts with even loads have the entropy of these", ANY_DATA},
    [RUN_CHANGED] = {"changed", "routing.changed", "share of samples with another expert than in the evaluation before", ANY_DATA},
    [RUN_ROUTED_LOSS] = {"routed_loss", "eval.routed_loss", "mean loss of the samples with an expert that mostly has their group (or class)", OF_KINDS},
    [RUN_ROUTING_ACCURACY] = {"routing_accuracy", "routing.accuracy", "share of samples with an expert whose neurons are aligned best with their class", OF_CLASSES},
    [RUN_SIGNAL_ATTENTION] = {NULL, "attention.signal", "attention of the classification signal to itself", OF_CLASSES},
};
/* clang-format on */

static bool has_number(const run_world *world, int number)
{
    const bool classes = world->classes > 0, groups = world->eval_set.groups > 0;
    const bool has[] = {[ANY_DATA] = true,
                        [OF_CLASSES] = classes,
                        [OF_KINDS] = classes || groups,
                        [OF_NUMBERS] = mot_step_loss(world->step)->kind->of_constant != NULL};
    return has[run_numbers[number].needs];
}

struct run_figures {
    size_t kinds; /* groups where the evaluated samples have them, else classes; 0: targets are no classes */
    const char *axis;

    /* root */
    double *kind_loss;  /* [kinds, E]: mean; NaN where no sample is */
    double *loss_table; /* [kinds, E]: sums while an evaluation goes on */
    double of_constant; /* loss of the mean of the targets; NaN: it is no figure of such data */

    bool theory;
    run_probe probe; /* where theory */
};

/* Over the targets of the evaluated samples. */
static mot_status find_loss_of_constant(const run_world *world, double *loss)
{
    const mot_loss *of = mot_step_loss(world->step);
    const size_t samples = (size_t)world->eval_set.samples;
    unsigned char *target = NULL;
    mot_status status = MOT_OK;
    *loss = NAN;
    if (world->comm->rank != MOT_ROOT || of->kind->of_constant == NULL) return MOT_OK;
    MOT_TRY(mot_allocate(&target, samples, of->target_bytes, "the targets"));
    MOT_TRY(mot_dataset_targets(&world->eval_set, target));
    *loss = of->kind->of_constant(of, samples, target);
done:
    mot_free(target);
    return status;
}

mot_status mot_run_figures_create(run_reporter *reporter, const run_world *world)
{
    struct run_figures *figures;
    mot_status status = mot_allocate(&figures, 1, sizeof *figures, "figures of an evaluation");
    if (status != MOT_OK) return status;
    reporter->figures = figures;
    const bool groups = world->eval_set.groups > 0;
    figures->kinds = (size_t)(groups ? world->groups : world->classes);
    figures->axis = groups ? "group" : "class";
    figures->theory = mot_dataset_mixture(&world->eval_set, NULL) != NULL &&
                      world->model.kind == &mot_merged_kind && !world->model.gate.kind->spread;
    const size_t table = figures->kinds * (size_t)world->model.experts;
    MOT_TRY(mot_allocate(&figures->kind_loss, table, sizeof(double), "figures of an evaluation"));
    MOT_TRY(mot_allocate(&figures->loss_table, table, sizeof(double), "figures of an evaluation"));
    if (figures->theory) MOT_TRY(mot_run_probe_create(world, &figures->probe));
    MOT_TRY(find_loss_of_constant(world, &figures->of_constant));
done:
    return status; /* released by mot_run_take_down */
}

void mot_run_figures_destroy(run_reporter *reporter)
{
    struct run_figures *figures = reporter->figures;
    reporter->figures = NULL;
    if (figures == NULL) return;
    mot_run_probe_destroy(&figures->probe);
    mot_free(figures->kind_loss);
    mot_free(figures->loss_table);
    mot_free(figures);
}

/* ---- while the evaluation goes on: the root ---- */

void mot_run_figures_begin(run_reporter *reporter, const run_world *world)
{
    struct run_figures *figures = reporter->figures;
    memset(figures->loss_table, 0,
           figures->kinds * (size_t)world->model.experts * sizeof(double));
}

void mot_run_figures_add(run_reporter *reporter, const run_world *world, mot_gidx first, size_t n,
                         const mot_step_result *result)
{
    struct run_figures *figures = reporter->figures;
    const size_t E = (size_t)world->model.experts, K = mot_model_choices(&world->model);
    const int32_t *kind = world->eval_set.groups > 0 ? result->group : result->label;
    for (size_t b = 0; result->expert != NULL && b < n && kind[b] >= 0; ++b)
        figures->loss_table[(size_t)kind[b] * E + (size_t)result->expert[b * K]] += result->sample_loss[b];
    if (first == 0 && figures->theory) mot_run_probe_take(&world->model, &figures->probe, result);
}

/* ---- at the end of the evaluation: the root ---- */

/* Loss where a sample is with an expert that mostly has its kind, and the mean losses of the table. */
static void conclude_losses(run_eval *eval, struct run_figures *figures, const int64_t *load, size_t E)
{
    double loss = 0, count = 0;
    for (size_t e = 0; e < E; ++e) {
        size_t own = 0;
        for (size_t n = 1; n < figures->kinds; ++n)
            if (load[n * E + e] > load[own * E + e]) own = n;
        loss += figures->loss_table[own * E + e];
        count += (double)load[own * E + e];
    }
    eval->number[RUN_ROUTED_LOSS] = count > 0 ? loss / count : NAN;
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

/* The figures of an evaluation; how many there are. */
enum { MOST_FIGURES = RUN_NUMBERS + 16 };
static size_t list_figures(const run_reporter *reporter, const run_world *world,
                           mot_eval_figure list[MOST_FIGURES])
{
    const run_eval *eval = &reporter->last_eval;
    const struct run_figures *figures = reporter->figures;
    const size_t E = (size_t)world->model.experts, C = (size_t)world->classes,
                 N = figures->kinds;
    size_t count = 0;
    for (int i = 0; i < RUN_NUMBERS; ++i)
        if (run_numbers[i].name != NULL && has_number(world, i))
            list[count++] = (mot_eval_figure){.name = run_numbers[i].name,
                                              .units = "1",
                                              .long_name = run_numbers[i].long_name,
                                              .value = &eval->number[i]};
/* clang-format off */
#define ROW(name_, text_, length_, axis_, value_) \
    (mot_eval_figure){.name = name_, .units = "1", .long_name = text_, .rank = 1, .shape = {length_}, .axis = {axis_}, .value = value_}
#define TABLE(name_, text_, rows_, row_axis_, columns_, column_axis_, value_) \
    (mot_eval_figure){.name = name_, .units = "1", .long_name = text_, .rank = 2, .shape = {rows_, columns_}, .axis = {row_axis_, column_axis_}, .value = value_}
    if (C > 0) {
        list[count++] = ROW("class_accuracy", "share of the samples of a class with the right label", C, "class", eval->class_accuracy);
        list[count++] = ROW("expert_accuracy", "share of the samples of an expert with the right label", E, "expert", eval->expert_accuracy);
    }
    if (eval->confusion != NULL)
        list[count++] = TABLE("confusion", "samples by label (row) and predicted label (column)", C, "class", C, "predicted_class", eval->confusion);
    if (N > 0)
        list[count++] = TABLE("kind_loss", "mean loss by group (or class) and expert", N, figures->axis, E, "expert", figures->kind_loss);
    if (figures->theory) {
        list[count++] = TABLE("neurons", "W_i v_n / |W_i|, of an expert's neuron where it is largest", E, "expert", N, "group", figures->probe.neurons);
        list[count++] = TABLE("gate", "theta_i c_n", E, "expert", N, "group", figures->probe.gate);
        list[count++] = TABLE("attention", "attention by kind of query (row) and key (column): noise, class signal, classification signal, distractor",
                              MOT_ROLES, "query", MOT_ROLES, "key", figures->probe.attention);
        list[count++] = ROW("gradient_cosine", "mean cosine between the gradients of two classes at an expert", E, "expert", figures->probe.cosine);
        list[count++] = ROW("gradient_agreement", "|sum of the classes' gradients| / sum of their lengths at an expert", E, "expert", figures->probe.agreement);
    }
/* clang-format on */
#undef TABLE
#undef ROW
    assert(count <= MOST_FIGURES);
    return count;
}

size_t mot_run_figure_numbers(const run_reporter *reporter, const run_world *world)
{
    mot_eval_figure list[MOST_FIGURES];
    size_t numbers = 0;
    for (size_t f = reporter->figures != NULL ? list_figures(reporter, world, list) : 0; f-- > 0;) {
        size_t own = 1;
        for (int d = 0; d < list[f].rank; ++d) own *= list[f].shape[d];
        numbers += own;
    }
    return numbers;
}

static mot_status record_figures(const mot_run *run)
{
    mot_eval_figure list[MOST_FIGURES];
    const size_t count = list_figures(&run->reporter, &run->world, list);
    return mot_record_eval(run->keeper.record, run->course.progress.step, count, list);
}

void mot_run_put_numbers(mot_json *json, const char *key, int count, const int *number)
{
    int64_t whole[MOT_MAX_EXPERTS];
    assert(count <= MOT_MAX_EXPERTS);
    for (int i = 0; i < count; ++i) whole[i] = number[i];
    mot_json_ints(json, key, (size_t)count, whole);
}

void mot_run_put_eval(const run_eval *eval, const run_world *world, mot_json *json)
{
    for (int i = 0; i < RUN_NUMBERS; ++i)
        if (has_number(world, i)) mot_json_real(json, run_numbers[i].key, eval->step >= 0 ? eval->number[i] : NAN);
}

void mot_run_put_tables(const run_eval *eval, const run_world *world, mot_json *json)
{
    const size_t C = (size_t)world->classes, E = (size_t)eval->experts;
    const bool by_group = world->model.config->data.target == MOT_TARGET_GROUP;
    char **const classes = by_group ? world->eval_set.group_names : world->eval_set.class_names;
    if (classes != NULL) mot_json_texts(json, "classes", C, classes);
    if (world->eval_set.group_names != NULL)
        mot_json_texts(json, "groups", (size_t)world->eval_set.groups, world->eval_set.group_names);
    if (eval->experts < world->model.config->model.experts)
        mot_run_put_numbers(json, "experts.left", eval->experts, eval->origin);
    if (C > 0) {
        mot_json_reals(json, "eval.class_accuracy", C, eval->class_accuracy);
        mot_json_reals(json, "eval.expert_accuracy", E, eval->expert_accuracy);
        if (eval->confusion != NULL) mot_json_reals(json, "eval.confusion", C * C, eval->confusion);
        mot_json_ints(json, "routing.class_load", C * E, eval->class_load);
    } else {
        mot_json_ints(json, "routing.load", E, eval->load);
    }
    if (eval->group_load != NULL)
        mot_json_ints(json, "routing.group_load", (size_t)world->groups * E, eval->group_load);
}

static mot_status log_figures(const mot_run *run)
{
    mot_json *json = mot_json_begin();
    if (json == NULL) return mot_fail(MOT_ERR_MEMORY, "not enough memory for a line of log.jsonl");
    mot_json_int(json, "step", run->course.progress.step);
    mot_json_int(json, "stage", MOT_MIN(run->course.progress.stage, run->course.config.stages - 1));
    mot_json_text(json, "eval.split", run->course.config.eval.split);
    mot_json_int(json, "eval.samples", run->reporter.last_eval.samples);
    mot_run_put_eval(&run->reporter.last_eval, &run->world, json);
    char *text = NULL;
    mot_status status = mot_json_end(json, &text);
    if (status == MOT_OK) status = mot_record_log(run->keeper.record, text);
    mot_free(text);
    return status;
}

static void conclude(run_eval *eval, struct run_figures *figures, const int64_t *load, size_t E)
{
    if (figures->kinds > 0) conclude_losses(eval, figures, load, E);
    if (figures->of_constant > 0) eval->number[RUN_EXPLAINED] = 1 - eval->number[RUN_LOSS] / figures->of_constant;
    if (!figures->theory) return;
    eval->number[RUN_ROUTING_ACCURACY] = routing_accuracy(eval, figures, E);
    eval->number[RUN_SIGNAL_ATTENTION] =
        figures->probe.attention[MOT_ROLE_SIGNAL * MOT_ROLES + MOT_ROLE_SIGNAL];
}

mot_status mot_run_figures_end(mot_run *run)
{
    struct run_figures *figures = run->reporter.figures;
    run_eval *eval = &run->reporter.last_eval;
    mot_status status = MOT_OK;
    if (figures->theory) mot_run_probe_look(&run->world.model, &figures->probe);
    if (run->world.comm->rank != MOT_ROOT) return MOT_OK;
    conclude(eval, figures, run->world.eval_set.groups > 0 ? eval->group_load : eval->class_load,
             (size_t)run->world.model.experts);
    if (run->keeper.record == NULL || run->course.again) return MOT_OK;
    MOT_TRY(record_figures(run));
    MOT_TRY(log_figures(run));
    MOT_TRY(mot_run_health_eval(run));
done:
    return status;
}

/* ---- after a stop ---- */

mot_status mot_run_recall_eval(mot_run *run)
{
    run_eval *eval = &run->reporter.last_eval;
    char *line = NULL;
    int64_t step = -1, samples = 0;
    mot_status status = mot_record_last_line(run->keeper.record, "eval.loss", &line);
    if (status != MOT_OK || line == NULL) return status;
    (void)mot_json_find_int(line, strlen(line), "step", &step);
    (void)mot_json_find_int(line, strlen(line), "eval.samples", &samples);
    eval->step = step;
    eval->samples = samples;
    for (int i = 0; i < RUN_NUMBERS; ++i)
        if (!mot_json_find_real(line, strlen(line), run_numbers[i].key, &eval->number[i]))
            eval->number[i] = NAN;
    mot_free(line);
    return mot_record_last_choices(run->keeper.record, step, run->world.eval_set.samples, eval->expert);
}
