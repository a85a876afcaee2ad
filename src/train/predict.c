/* Predictions: an evaluation that counts nothing, and writes what comes out of every sample. */
#include "mot/predict.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "mot/log.h"
#include "mot/memory.h"
#include "mot/output.h"
#include "mot/source.h"
#include "predict_private.h"
#include "run_private.h"

/* For the predictions of one batch. */
static mot_status make_room(const mot_config *config, const predict_output *output, predictions *p)
{
    static const char *const what = "predictions";
    const size_t batch = (size_t)config->eval.batch;
    mot_status status;
    MOT_TRY(mot_allocate(&p->output, batch * output->numbers, sizeof *p->output, what));
    MOT_TRY(mot_allocate(&p->class, batch, sizeof *p->class, what));
    MOT_TRY(mot_allocate(&p->probability, batch * output->classes, sizeof *p->probability, what));
    MOT_TRY(mot_allocate(&p->expert, batch * output->choices, sizeof *p->expert, what));
    MOT_TRY(mot_allocate(&p->gate, batch * output->choices, sizeof *p->gate, what));
done:
    return status;
}

static void free_room(predictions *p)
{
    mot_free(p->output);
    mot_free(p->class);
    mot_free(p->probability);
    mot_free(p->expert);
    mot_free(p->gate);
}

/* Of the classes, or of so many numbers, where these are those of a target. */
static char *const *names_of(const run_world *world, size_t numbers)
{
    const mot_schema *schema = &world->schema;
    if (numbers > 0) return numbers * sizeof(float) == schema->target_bytes ? schema->target_names : NULL;
    return world->model.config->data.target == MOT_TARGET_GROUP ? schema->group_names : schema->class_names;
}

static mot_status begin(const run_world *world, predict_output *output, predict_task *task, predictions *p)
{
    const mot_loss *loss = mot_step_loss(world->step);
    const bool classes = loss->kind->probabilities != NULL;
    output->samples = (size_t)world->eval_set.samples;
    output->classes = classes ? (size_t)world->classes : 0;
    output->numbers = classes ? 0 : loss->outputs;
    output->choices = world->model.layer->gate.kind->spread ? 0 : mot_model_choices(&world->model);
    output->names = names_of(world, output->numbers);
    mot_status status;
    MOT_TRY(mot_predict_task_begin(task, &world->eval_set, mot_source_title(&world->model.config->data), loss));
    MOT_TRY(make_room(world->model.config, output, p));
    status = mot_predict_output_open(output);
done:
    return status;
}

static mot_status keep(const run_world *world, predict_output *output, const predict_task *task, predictions *p,
                       const mot_step_result *result)
{
    const mot_loss *loss = mot_step_loss(world->step);
    const size_t n = p->count, C = output->classes, K = output->choices;
    if (C > 0)
        memcpy(p->class, result->predicted, n * sizeof *p->class);
    else
        memcpy(p->output, result->output, n * loss->outputs * sizeof *p->output);
    for (size_t i = 0; i < n * K; ++i) p->expert[i] = world->model.layer->origin[result->expert[i]];
    if (K > 0) memcpy(p->gate, result->prob, n * K * sizeof *p->gate);
    for (size_t i = 0; i < n && C > 0; ++i) {
        const mot_real *out = result->output + i * loss->outputs;
        loss->kind->probabilities(loss, out, p->probability + i * C);
        if (task->stream != NULL) mot_predict_task_say(task, loss, result->group[i], out, &p->class[i], p->probability + i * C);
    }
    return mot_predict_output_add(output, p);
}

static mot_status go_through(run_world *world, const run_course *course, predict_output *output,
                             const predict_task *known, predictions *p)
{
    const mot_gidx samples = world->eval_set.samples;
    mot_status status = MOT_OK;
    MOT_TRY(mot_step_keep_outputs(world->step));
    for (mot_gidx first = 0; first < samples; first += (mot_gidx)course->config.eval.batch) {
        const size_t n = (size_t)MOT_MIN((mot_gidx)course->config.eval.batch, samples - first);
        const mot_step_task task = {.first = first, .total = n, .number = course->progress.step};
        mot_step_result result;
        MOT_TRY(mot_step_run(world->step, &world->eval, &task, mot_signals_asked(), &result));
        p->first = (size_t)first;
        p->count = n;
        if (world->comm->rank == MOT_ROOT) status = keep(world, output, known, p, &result);
        MOT_TRY(mot_comm_agree(world->comm, status));
    }
done:
    return status;
}

/* The samples' place in the configuration; what is imported lies in `made`. Root. */
static mot_status take_input(const mot_predict_options *options, const mot_schema *schema, mot_config *config,
                             const char *made, mot_import_paths *paths)
{
    const bool data = options->input == MOT_PREDICT_DATA;
    mot_status status = MOT_OK;
    const bool by_label = mot_config_told(config, MOT_TOLD_LABEL) != NULL;
    if (by_label || mot_config_told(config, MOT_TOLD_GROUP) != NULL)
        return mot_fail(
            MOT_ERR_INPUT,
            "the gate of this run is told the %s of a sample, which nobody knows here: it cannot predict",
            by_label ? "label" : "group");
    if (!data && schema->format.bytes == 0)
        return mot_fail(MOT_ERR_INPUT, "%s: the run keeps nothing of its data: give a data set (--data)",
                        options->run);
    if (!data) MOT_TRY(mot_predict_import(options, schema, made, paths));
    const char *file = data ? options->file : made;
    if (file != NULL) {
        config->data.source = mot_kinds_find(&mot_source_kinds, "file");
        if (snprintf(config->data.file, sizeof config->data.file, "%s", file) >=
            (int)sizeof config->data.file)
            return mot_fail(MOT_ERR_INPUT, "the path '%.80s...' is too long", file);
    }
    const char *split = data ? options->split : "train";
    if (split != NULL) snprintf(config->eval.split, sizeof config->eval.split, "%s", split);
done:
    return status;
}

/* Root. */
static mot_status check_output(const mot_predict_options *options, const char *checkpoint, const mot_config *config)
{
    const char *const read[] = {options->file, checkpoint, config->data.file, config->data.stream.files};
    mot_status status;
    for (size_t i = 0; i < MOT_COUNT(read); ++i) MOT_TRY(mot_output_apart(options->out, read[i]));
    status = mot_output_check(options->out, MOT_OUTPUT_FILE_IN_MADE, options->force);
done:
    return status;
}

mot_status mot_predict(const mot_comm *comm, const mot_predict_options *options)
{
    const bool root = comm->rank == MOT_ROOT;
    char checkpoint[RUN_CHECKPOINT_PATH] = "", made[RUN_CHECKPOINT_PATH] = "";
    mot_run *run = NULL;
    mot_config *config = NULL;
    mot_schema schema = {0};
    mot_import_paths paths = {0};
    predictions p = {0};
    predict_task task = {.task = -1};
    predict_output output = {.path = options->out, .file = -1};
    mot_status status = mot_allocate(&run, 1, sizeof *run, "a run");
    if (status == MOT_OK) status = mot_allocate(&config, 1, sizeof *config, "a configuration");
    if (status == MOT_OK) status = mot_predict_check_name(options->out);
    MOT_TRY(mot_comm_agree(comm, status));
    MOT_TRY(mot_run_find(comm, options->run, options->count, options->assignments, checkpoint, config, &schema));
    if (root) {
        snprintf(made, sizeof made, "%.1900s.samples.%ld.h5", options->out, (long)getpid());
        status = check_output(options, checkpoint, config);
        if (status == MOT_OK) status = mot_predict_task_open(&task, options, config);
        if (status == MOT_OK) status = take_input(options, &schema, config, made, &paths);
    }
    MOT_TRY(mot_comm_agree(comm, status));
    mot_comm_bcast(comm, config, sizeof *config, MOT_ROOT);
    status = mot_run_set_up(run, comm, config, RUN_PREDICT, &schema);
    if (options->input != MOT_PREDICT_DATA && root) status = mot_predict_user_words(status, made, options->file);
    if (status != MOT_OK) goto done;
    MOT_TRY(mot_run_read(run, checkpoint));
    output.files = paths.path;
    if (root) status = begin(&run->world, &output, &task, &p);
    MOT_TRY(mot_comm_agree(comm, status));
    MOT_TRY(go_through(&run->world, &run->course, &output, &task, &p));
    if (root) status = mot_predict_output_close(&output, true);
    MOT_TRY(mot_comm_agree(comm, status));
    const bool classes = run->world.classes > 0;
    const size_t outputs = classes ? (size_t)run->world.classes : mot_step_loss(run->world.step)->outputs;
    mot_log(MOT_LOG_INFO, "wrote %s: %" MOT_PRI_GIDX " samples, %zu %s, from %s", options->out,
            run->world.eval_set.samples,
            outputs, classes ? "classes" : outputs == 1 ? "number each" : "numbers each", checkpoint);
done:
    (void)mot_predict_output_close(&output, false);
    mot_predict_task_close(&task);
    free_room(&p);
    mot_free(paths.path);
    mot_schema_free(&schema);
    if (run != NULL && run->world.comm != NULL) mot_run_take_down(run);
    if (made[0] != '\0') unlink(made); /* a data set that was imported for this alone */
    mot_free(run);
    mot_free(config);
    return status;
}
