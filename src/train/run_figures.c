/* The figures of an evaluation: what stands in /eval of the record, in log.jsonl and summary.json. */
#include "run_private.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "mot/eval_figure.h"
#include "mot/log.h"
#include "mot/memory.h"

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

extern const mot_figure_kind mot_figure_explained, mot_figure_losses, mot_figure_probe, mot_figure_tasks, mot_figure_teacher;
mot_kinds mot_figure_kinds = {
    {&mot_figure_explained.kind, &mot_figure_losses.kind, &mot_figure_probe.kind,
     &mot_figure_tasks.kind, &mot_figure_teacher.kind}};

/* What a line of log.jsonl has. */
typedef struct line_number {
    const char *key;
    double *value;
} line_number;

struct run_figures {
    size_t kinds;
    mot_evaluation *kind; /* [kinds]: rows of mot_figure_kinds */
    double *value;        /* [values]: of all their figures */
    size_t values;

    size_t recorded, lines;
    mot_eval_figure *record; /* [recorded]: in the order of the record */
    line_number *line;       /* [lines] */
};

/* ---- which there are ---- */

static size_t numbers_of(const mot_eval_figure *figure)
{
    size_t numbers = 1;
    for (int d = 0; d < figure->rank; ++d) numbers *= figure->shape[d];
    return numbers;
}

static mot_status create_kinds(struct run_figures *figures, const run_eval *eval, const run_world *world)
{
    const mot_evaluation evaluation = {
        .model = &world->model,
        .loss = *mot_step_loss(world->step),
        .set = &world->eval_set,
        .pass = world->model.config->eval.batch,
        .classes = world->classes,
        .groups = world->groups,
        .class_load = eval->class_load,
        .group_load = eval->group_load,
        .mean_loss = &eval->number[RUN_LOSS],
    };
    size_t rows = 0;
    mot_status status;
    while (mot_figure_kinds.row[rows] != NULL) ++rows;
    MOT_TRY(mot_allocate(&figures->kind, rows, sizeof *figures->kind, "figures of an evaluation"));
    while (figures->kinds < rows) {
        const mot_figure_kind *kind = mot_figure_kind_at((int)figures->kinds);
        mot_evaluation *of = &figures->kind[figures->kinds++];
        *of = evaluation;
        kind->describe(of);
        if (of->figures > 0 && kind->create != NULL) MOT_TRY(kind->create(of));
        for (size_t f = 0; f < of->figures; ++f) figures->values += numbers_of(&of->figure[f]);
    }
    MOT_TRY(mot_allocate(&figures->value, figures->values, sizeof(double), "figures of an evaluation"));
    double *value = figures->value;
    for (size_t k = 0; k < rows; ++k)
        for (size_t f = 0; f < figures->kind[k].figures; ++f) {
            figures->kind[k].value[f] = value;
            value += numbers_of(&figures->kind[k].figure[f]);
        }
done:
    return status;
}

/* The number of the run's own that has this key, which a kind may find; RUN_NUMBERS: there is none. */
static int find_number(const char *key)
{
    int number = 0;
    while (number < RUN_NUMBERS && (key == NULL || strcmp(run_numbers[number].key, key) != 0)) ++number;
    return number;
}

static void list(struct run_figures *figures, const mot_eval_figure *figure, double *value)
{
    if (figure->key != NULL) figures->line[figures->lines++] = (line_number){figure->key, value};
    if (figure->name == NULL) return;
    figures->record[figures->recorded] = *figure;
    figures->record[figures->recorded++].value = value;
}

/* For the experts that there are now. */
static void list_all(struct run_figures *figures, run_eval *eval, const run_world *world)
{
    const size_t E = (size_t)world->model.layer->experts, C = (size_t)world->classes;
    const mot_eval_figure
        of_classes = MOT_FIGURE_ROW("class_accuracy", "share of the samples of a class with the right label", C,
                                    "class"),
        of_experts = MOT_FIGURE_ROW("expert_accuracy",
                                    "share of the samples of an expert with the right label", E, "expert"),
        confusion = MOT_FIGURE_TABLE("confusion", "samples by label (row) and predicted label (column)", C,
                                     "class", C, "predicted_class");
    figures->recorded = figures->lines = 0;
    for (int i = 0; i < RUN_NUMBERS; ++i) {
        const mot_eval_figure number = MOT_FIGURE(run_numbers[i].name, run_numbers[i].key,
                                                  run_numbers[i].long_name);
        if (has_number(world, i)) list(figures, &number, &eval->number[i]);
    }
    if (C > 0) list(figures, &of_classes, eval->class_accuracy);
    if (C > 0) list(figures, &of_experts, eval->expert_accuracy);
    if (eval->confusion != NULL) list(figures, &confusion, eval->confusion);
    for (int l = 0; eval->layer != NULL && l <= eval->layers; ++l) {
        run_routing *routing = &eval->layer[l].routing;
        mot_eval_figure of_layer[ROUTING_FIGURES];
        double *value[ROUTING_FIGURES];
        const size_t count = mot_run_routing_list(routing, world, l, of_layer, value);
        for (size_t f = 0; f < count; ++f) list(figures, &of_layer[f], value[f]);
    }
    for (size_t k = 0; k < figures->kinds; ++k) {
        mot_evaluation *of = &figures->kind[k];
        const bool has = of->figures > 0;
        of->figures = 0;
        if (has) mot_figure_kind_at((int)k)->describe(of);
        for (size_t f = 0; f < of->figures; ++f)
            if (find_number(of->figure[f].key) == RUN_NUMBERS) list(figures, &of->figure[f], of->value[f]);
    }
}

static mot_status make_room(struct run_figures *figures, const run_world *world)
{
    size_t most = RUN_NUMBERS + 3 + (size_t)world->model.layers * ROUTING_FIGURES;
    mot_status status;
    for (size_t k = 0; k < figures->kinds; ++k) most += figures->kind[k].figures;
    MOT_TRY(mot_allocate(&figures->record, most, sizeof *figures->record, "figures of an evaluation"));
    MOT_TRY(mot_allocate(&figures->line, most, sizeof *figures->line, "figures of an evaluation"));
done:
    return status;
}

static mot_status check_names(const struct run_figures *figures)
{
    for (size_t a = 0; a < figures->recorded; ++a)
        for (size_t b = 0; b < a; ++b)
            if (strcmp(figures->record[a].name, figures->record[b].name) == 0)
                return mot_fail(MOT_ERR_INPUT, "two figures of an evaluation are called '%s'",
                                figures->record[a].name);
    return MOT_OK;
}

mot_status mot_run_figures_create(run_reporter *reporter, const run_world *world)
{
    struct run_figures *figures;
    mot_status status;
    MOT_TRY(mot_allocate(&figures, 1, sizeof *figures, "figures of an evaluation"));
    reporter->figures = figures;
    MOT_TRY(create_kinds(figures, &reporter->last_eval, world));
    MOT_TRY(make_room(figures, world));
    list_all(figures, &reporter->last_eval, world);
    MOT_TRY(check_names(figures));
done:
    return status; /* released by mot_run_take_down */
}

void mot_run_figures_destroy(run_reporter *reporter)
{
    struct run_figures *figures = reporter->figures;
    reporter->figures = NULL;
    if (figures == NULL) return;
    for (size_t k = 0; k < figures->kinds; ++k)
        if (mot_figure_kind_at((int)k)->destroy != NULL)
            mot_figure_kind_at((int)k)->destroy(&figures->kind[k]);
    void *const arrays[] = {figures->kind, figures->value, figures->record, figures->line, figures};
    for (size_t i = 0; i < MOT_COUNT(arrays); ++i) mot_free(arrays[i]);
}

void mot_run_say_figures(const run_reporter *reporter, int indent)
{
    const struct run_figures *figures = reporter->figures;
    for (size_t k = 0; k < figures->kinds; ++k) {
        const mot_figure_kind *kind = mot_figure_kind_at((int)k);
        char words[MOT_FIGURE_WORDS] = "";
        if (kind->say == NULL || figures->kind[k].figures == 0) continue;
        kind->say(&figures->kind[k], words);
        mot_log_wrap(indent, "%*s%s", indent, "", words);
    }
}

const double *mot_run_find_figure(const run_reporter *reporter, const char *name)
{
    const struct run_figures *figures = reporter->figures;
    for (size_t f = 0; f < figures->recorded; ++f)
        if (strcmp(figures->record[f].name, name) == 0) return figures->record[f].value;
    return NULL;
}

size_t mot_run_figure_numbers(const run_reporter *reporter)
{
    const struct run_figures *figures = reporter->figures;
    size_t numbers = 0;
    for (size_t f = 0; f < figures->recorded; ++f) numbers += numbers_of(&figures->record[f]);
    return numbers;
}

/* ---- while the evaluation goes on ---- */

void mot_run_figures_begin(run_reporter *reporter, const run_world *world)
{
    list_all(reporter->figures, &reporter->last_eval, world);
    memset(reporter->figures->value, 0, reporter->figures->values * sizeof(double));
}

void mot_run_figures_add(run_reporter *reporter, mot_gidx first, size_t n, const mot_step_result *result)
{
    struct run_figures *figures = reporter->figures;
    for (size_t k = 0; k < figures->kinds; ++k) {
        const mot_figure_kind *kind = mot_figure_kind_at((int)k);
        if (figures->kind[k].figures > 0 && kind->add != NULL) kind->add(&figures->kind[k], first, n, result);
    }
}

/* ---- at its end ---- */

void mot_run_put_eval(const run_reporter *reporter, mot_json *json)
{
    const struct run_figures *figures = reporter->figures;
    for (size_t i = 0; i < figures->lines; ++i)
        mot_json_real(json, figures->line[i].key,
                      reporter->last_eval.step >= 0 ? *figures->line[i].value : NAN);
}

void mot_run_put_numbers(mot_json *json, const char *key, int count, const int *number)
{
    int64_t whole[MOT_MAX_EXPERTS];
    assert(count <= MOT_MAX_EXPERTS);
    for (int i = 0; i < count; ++i) whole[i] = number[i];
    mot_json_ints(json, key, (size_t)count, whole);
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
    mot_json_int(json, "step", run->course.progress.step);
    mot_json_int(json, "stage", MOT_MIN(run->course.progress.stage, mot_stage_count(&run->course.config) - 1));
    mot_json_text(json, "eval.split", run->course.config.eval.split);
    mot_json_int(json, "eval.samples", run->reporter.last_eval.samples);
    mot_run_put_eval(&run->reporter, json);
    mot_run_layers_put(&run->reporter.last_eval, &run->world, json);
    return mot_record_log_json(run->keeper.record, json);
}

/* Every rank what the kinds find; numbers among it that are the run's own go to their places. */
static void end_kinds(struct run_figures *figures, run_eval *eval)
{
    for (size_t k = 0; k < figures->kinds; ++k) {
        const mot_figure_kind *kind = mot_figure_kind_at((int)k);
        mot_evaluation *of = &figures->kind[k];
        if (of->figures > 0 && kind->end != NULL) kind->end(of);
        for (size_t f = 0; f < of->figures; ++f) {
            const int number = find_number(of->figure[f].key);
            if (number < RUN_NUMBERS) eval->number[number] = *of->value[f];
        }
    }
}

mot_status mot_run_figures_end(mot_run *run)
{
    const struct run_figures *figures = run->reporter.figures;
    mot_status status = MOT_OK;
    end_kinds(run->reporter.figures, &run->reporter.last_eval);
    if (run->keeper.record == NULL || run->course.again) return MOT_OK;
    MOT_TRY(mot_record_eval(run->keeper.record, run->course.progress.step, figures->recorded, figures->record));
    MOT_TRY(log_figures(run));
    MOT_TRY(mot_run_health_eval(run));
done:
    return status;
}

/* ---- after a stop ---- */

mot_status mot_run_recall_eval(mot_run *run)
{
    const struct run_figures *figures = run->reporter.figures;
    run_eval *eval = &run->reporter.last_eval;
    char *line = NULL;
    int64_t step = -1, samples = 0;
    mot_status status = mot_record_last_line(run->keeper.record, "eval.loss", &line);
    if (status != MOT_OK || line == NULL) return status;
    (void)mot_json_find_int(line, strlen(line), "step", &step);
    (void)mot_json_find_int(line, strlen(line), "eval.samples", &samples);
    eval->step = step;
    eval->samples = samples;
    for (size_t i = 0; i < figures->lines; ++i)
        if (!mot_json_find_real(line, strlen(line), figures->line[i].key, figures->line[i].value))
            *figures->line[i].value = NAN;
    mot_free(line);
    for (int l = 0; l <= eval->layers && status == MOT_OK; ++l)
        status = mot_record_last_choices(run->keeper.record, step, l, run->world.eval_set.samples, eval->layer[l].routing.stride,
                                         eval->layer[l].routing.chosen);
    return status;
}
