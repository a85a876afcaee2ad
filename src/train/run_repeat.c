/* The evaluation of a run that stands in a folder, or of a checkpoint, once more; and what it is asked for besides. */
#include "run_private.h"

#include <stdio.h>

#include "mot/clock.h"
#include "mot/log.h"
#include "mot/memory.h"
#include "mot/source.h"

static mot_status put_json(const mot_run *run, const char *checkpoint, const mot_eval_request *request, char **text)
{
    const mot_config *config = &run->course.config;
    mot_json *json = mot_json_begin();
    mot_json_text(json, "checkpoint", checkpoint);
    if (request->mask != NULL) mot_json_text(json, "mask", request->mask);
    if (request->gate_from != NULL) mot_json_text(json, "gate.from", request->gate_from);
    mot_json_text(json, "data", mot_source_title(&config->data));
    mot_json_text(json, "eval.split", config->eval.split);
    mot_json_int(json, "eval.step", run->course.progress.step);
    mot_json_int(json, "eval.samples", run->reporter.last_eval.samples);
    mot_run_put_told(config, json);
    mot_run_put_eval(&run->reporter, json);
    mot_run_put_tables(&run->reporter.last_eval, &run->world, json);
    mot_run_put_task_rows(&run->reporter, &run->world, json);
    return mot_json_end(json, text);
}

mot_status mot_run_eval(const mot_comm *comm, const char *path, size_t count, const char *const *assignments,
                        const mot_eval_request *request, char **json)
{
    mot_status status = MOT_OK;
    char checkpoint[RUN_CHECKPOINT_PATH] = "", what[RUN_CHECKPOINT_PATH + 16];
    mot_run *run = NULL;
    mot_config *config = NULL;
    mot_schema schema = {0};
    if (json != NULL) *json = NULL;
    status = mot_allocate(&run, 1, sizeof *run, "a run");
    if (status == MOT_OK) status = mot_allocate(&config, 1, sizeof *config, "a configuration");
    MOT_TRY(mot_comm_agree(comm, status));
    MOT_TRY(mot_run_find(comm, path, count, assignments, checkpoint, config, &schema));
    MOT_TRY(mot_run_set_up(run, comm, config, RUN_EVAL, &schema));
    snprintf(what, sizeof what, "from     %s", checkpoint);
    run->reporter.start_s = run->course.restored_s = mot_clock_s();
    MOT_TRY(mot_run_read(run, checkpoint));
    if (request->mask != NULL) MOT_TRY(mot_comm_agree(comm, mot_run_mask(&run->course.mask, &run->world.model, request->mask)));
    mot_run_banner(&run->world, &run->course, what); /* of the experts that it has */
    if (request->mask != NULL) mot_log(MOT_LOG_INFO, "  mask     %s: these experts are as if they were not there", request->mask);
    if (request->gate_from != NULL) MOT_TRY(mot_run_take_gates(&run->world, request->gate_from));
    if (request->analyse) MOT_TRY(mot_run_analyse_check(run, checkpoint));
    MOT_TRY(mot_run_evaluate(run));
    if (json != NULL && comm->rank == MOT_ROOT) status = put_json(run, checkpoint, request, json);
    MOT_TRY(mot_comm_agree(comm, status));
    mot_run_say_eval(run);
    mot_run_say_table(run);
    if (request->analyse) MOT_TRY(mot_run_analyse(run, checkpoint));
done:
    mot_schema_free(&schema);
    if (run != NULL && run->world.comm != NULL) mot_run_take_down(run);
    mot_free(run);
    mot_free(config);
    return status;
}
