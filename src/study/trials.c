/* The trials of a study: who does which, and what is done already. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mot/atomic_file.h"
#include "mot/clock.h"
#include "mot/config.h"
#include "mot/log.h"
#include "mot/memory.h"
#include "mot/run.h"
#include "study_private.h"

/* ---- the list ---- */

static void split_settings(study_variant *variant, char *text)
{
    char *rest = NULL;
    for (char *part = strtok_r(text, ";", &rest); part != NULL; part = strtok_r(NULL, ";", &rest)) {
        part += strspn(part, " ");
        if (*part == '\0' || variant->settings == STUDY_MOST_SETTINGS) continue;
        snprintf(variant->setting[variant->settings++], STUDY_SETTING, "%s", part);
    }
}

study_variant *mot_study_add(mot_study *study, const char *name, const char *label, const char *base, int seeds,
                             double cost, const char *settings, ...)
{
    for (size_t v = 0; v < study->variants; ++v)
        if (strcmp(study->variant[v].name, name) == 0) return &study->variant[v];
    if (study->variants == study->room) return NULL; /* mot_study_train refuses */
    study_variant *variant = &study->variant[study->variants++];
    *variant = (study_variant){.base = base, .seeds = seeds, .cost = cost};
    snprintf(variant->name, sizeof variant->name, "%s", name);
    snprintf(variant->label, sizeof variant->label, "%s", label);
    char text[STUDY_MOST_SETTINGS * STUDY_SETTING];
    va_list args;
    va_start(args, settings);
    vsnprintf(text, sizeof text, settings, args);
    va_end(args);
    split_settings(variant, text);
    return variant;
}

void mot_study_path(const mot_study *study, const study_variant *variant, int seed, char *path, size_t size)
{
    snprintf(path, size, "%s/trials/%s-%d", study->options.folder, variant->name, seed);
}

/* ---- one trial ---- */

static void initial_path(const mot_study *study, const study_variant *variant, int seed, char *path, size_t size)
{
    snprintf(path, size, "%s/initial/%s-%d.npz", study->options.folder, variant->name, seed);
}

static mot_status write_initial(const mot_study *study, const study_variant *variant, int seed)
{
    char path[640];
    mot_status status = MOT_OK;
    if (variant->initial == NULL) return MOT_OK;
    snprintf(path, sizeof path, "%s/initial", study->options.folder);
    MOT_TRY(mot_folder_make(path));
    initial_path(study, variant, seed, path, sizeof path);
    MOT_TRY(variant->initial(variant, seed, path));
done:
    return status;
}

static mot_status configure(const mot_study *study, const study_variant *variant, int seed,
                            mot_config *config)
{
    char run[600], number[64], initial[640];
    const char *assignment[STUDY_MOST_SETTINGS + 4] = {
        "threads=1"}; /* other ranks have trials of their own */
    size_t count = 1;
    for (size_t s = 0; s < variant->settings; ++s) assignment[count++] = variant->setting[s];
    mot_study_path(study, variant, seed, run + 4, sizeof run - 4);
    memcpy(run, "run=", 4);
    snprintf(number, sizeof number, "seed=%d", seed);
    assignment[count++] = run;
    assignment[count++] = number;
    memcpy(initial, "init.from=", 10);
    initial_path(study, variant, seed, initial + 10, sizeof initial - 10);
    if (variant->initial != NULL) assignment[count++] = initial;
    return mot_config_parse(config, variant->name, variant->base, count, assignment);
}

/* What stands in a trial's folder. */
typedef enum trial_state { TRIAL_OPEN, TRIAL_DONE, TRIAL_FAILED } trial_state;

/* Whether the file's configuration asks for the same trial: what it does not name has its default, as when options came
 * later, and the number of threads is no part of the question. */
static mot_status is_same(const char *path, const mot_config *config, bool *same)
{
    static const char *const threads[] = {"threads=1"};
    char *found = NULL, *now = NULL, *then = NULL;
    size_t count;
    mot_config *old = NULL;
    mot_status status;
    MOT_TRY(mot_allocate(&old, 1, sizeof *old, "a configuration"));
    MOT_TRY(mot_file_read(path, 1 << 20, &found, &count));
    MOT_TRY(mot_config_parse(old, path, found, 1, threads));
    MOT_TRY(mot_config_text(old, &then));
    MOT_TRY(mot_config_text(config, &now));
    *same = strcmp(then, now) == 0;
done:
    mot_free(then);
    mot_free(now);
    mot_free(found);
    mot_free(old);
    return status;
}

/* What the files of a trial's folder say of it, whatever its configuration. */
static mot_status read_state(const char *folder, trial_state *state)
{
    char path[700], *found = NULL;
    bool done;
    *state = TRIAL_OPEN;
    snprintf(path, sizeof path, "%s/failed.txt", folder);
    if (access(path, F_OK) == 0) *state = TRIAL_FAILED;
    if (*state != TRIAL_OPEN) return MOT_OK;
    const mot_status status = mot_summary_read(folder, &found, &done);
    if (done) *state = TRIAL_DONE;
    mot_free(found);
    return status;
}

int mot_study_there(const mot_study *study, const study_variant *variant)
{
    for (int s = 1; s <= variant->seeds; ++s) {
        char folder[600];
        trial_state state;
        mot_study_path(study, variant, variant->chosen + s, folder, sizeof folder);
        if (read_state(folder, &state) != MOT_OK || state == TRIAL_OPEN) return s - 1;
    }
    return variant->seeds;
}

/* What is asked of a trial stands beside its configuration, where what follows from the data ("auto") has been filled in. */
static const char *const question = "trial.yaml";

static bool has_begun(const char *folder)
{
    char path[700];
    snprintf(path, sizeof path, "%s/config.yaml", folder);
    return access(path, F_OK) == 0;
}

/* Another process that begins the same trial at this moment clears its folder of what is half written, and that may be this: then it
 * has asked the same before. */
static mot_status keep_question(const mot_config *config)
{
    char path[700], *text = NULL;
    mot_status status;
    MOT_TRY(mot_config_text(config, &text));
    MOT_TRY(mot_folder_make(config->run));
    snprintf(path, sizeof path, "%s/%s", config->run, question);
    status = mot_file_replace(path, text, strlen(text));
    if (status != MOT_OK && access(path, F_OK) == 0) status = MOT_OK;
done:
    mot_free(text);
    return status;
}

/* Of a trial that was refused: nothing of it stays. */
static void drop_question(const char *folder)
{
    char path[700];
    if (has_begun(folder)) return;
    snprintf(path, sizeof path, "%s/%s", folder, question);
    unlink(path);
    rmdir(folder);
}

/* A trial is done when its summary says so, for the very configuration that is asked for. */
static mot_status look_at(const mot_study *study, const study_variant *variant, int seed,
                          const mot_config *config, trial_state *state)
{
    char folder[600], path[700];
    bool same;
    mot_status status = MOT_OK;
    *state = TRIAL_OPEN;
    mot_study_path(study, variant, seed, folder, sizeof folder);
    if (!has_begun(folder)) goto done;
    snprintf(path, sizeof path, "%s/%s", folder, question);
    if (access(path, F_OK) != 0) snprintf(path, sizeof path, "%s/config.yaml", folder); /* of an older version */
    MOT_TRY(is_same(path, config, &same));
    if (!same) {
        status = mot_fail(
            MOT_ERR_INPUT,
            "%s is a trial with another configuration: a study with other settings needs another folder",
            folder);
        goto done;
    }
    MOT_TRY(read_state(folder, state));
done:
    return status;
}

/* A loss that is not finite is a result of the trial, and would be found again. */
static mot_status keep_failure(const mot_config *config)
{
    char path[600], text[1100];
    snprintf(path, sizeof path, "%s/failed.txt", config->run);
    const int length = snprintf(text, sizeof text, "%s\n", mot_error_message());
    return mot_file_replace(path, text, (size_t)length);
}

static mot_status do_trial(const mot_comm *alone, const mot_study *study, const study_variant *variant,
                           int seed)
{
    mot_config *config;
    trial_state state;
    mot_status status = mot_allocate(&config, 1, sizeof *config, "a configuration");
    if (status != MOT_OK) return status;
    MOT_TRY(configure(study, variant, seed, config));
    MOT_TRY(look_at(study, variant, seed, config, &state));
    if (state != TRIAL_OPEN) goto done;
    if (study->options.draw_only) {
        status = mot_fail(MOT_ERR_INPUT, "%s is not done yet: leave out --draw", config->run);
        goto done;
    }
    MOT_TRY(write_initial(study, variant, seed));
    MOT_TRY(keep_question(config));
    status = mot_run_train(alone, config, false);
    if (status == MOT_ERR_INPUT) drop_question(config->run);
    if (status == MOT_ERR_NUMERIC) status = keep_failure(config);
done:
    mot_free(config);
    return status;
}

/* ---- all ---- */

typedef struct job {
    const study_variant *variant;
    int seed;
    double cost;
    size_t number;
} job;

static int dearest_first(const void *a, const void *b)
{
    const job *x = a, *y = b;
    if (x->cost != y->cost) return x->cost < y->cost ? 1 : -1;
    return x->number < y->number ? -1 : x->number > y->number;
}

/* The dearest trial that is left goes to the rank with the least work: the same on every rank. */
static size_t share_out(const mot_study *study, job *jobs, size_t count, double *work)
{
    const int ranks = study->comm->size;
    size_t mine = 0;
    if (ranks > 1) qsort(jobs, count, sizeof *jobs, dearest_first);
    memset(work, 0, (size_t)ranks * sizeof *work);
    for (size_t i = 0; i < count; ++i) {
        int least = 0;
        for (int r = 1; r < ranks; ++r)
            if (work[r] < work[least]) least = r;
        work[least] += jobs[i].cost;
        if (least == study->comm->rank) jobs[mine++] = jobs[i];
    }
    return mine;
}

static mot_status do_jobs(const mot_study *study, const job *jobs, size_t count)
{
    mot_comm alone;
    mot_status status = MOT_OK;
    const double start = mot_clock_s();
    double done = 0, all = 0;
    size_t left = 0;
    for (size_t i = 0; i < count; ++i) all += jobs[i].cost;
    mot_comm_init(&alone, MPI_COMM_SELF);
    for (size_t i = 0; i < count && status == MOT_OK; ++i) {
        mot_log_init(study->comm->rank, MOT_LOG_ERROR); /* a trial says nothing */
        status = do_trial(&alone, study, jobs[i].variant, jobs[i].seed);
        mot_log_init(study->comm->rank, MOT_LOG_INFO);
        done += jobs[i].cost;
        if (status == MOT_ERR_BUSY) {
            mot_log(MOT_LOG_WARNING, "%s, seed %d, is left to another process that is at work on it", jobs[i].variant->label, jobs[i].seed);
            ++left;
            status = MOT_OK;
            continue;
        }
        if (status == MOT_OK)
            mot_log(MOT_LOG_INFO, "%4zu of %zu%s  %3.0f %%  %5.0f s  %s, seed %d", i + 1, count,
                    study->comm->size > 1 ? " of this rank" : "", 100 * done / all, mot_clock_s() - start,
                    jobs[i].variant->label, jobs[i].seed);
    }
    mot_comm_free(&alone);
    if (left == 0 || status != MOT_OK) return status;
    mot_log(MOT_LOG_WARNING, "%zu of %zu were left to other processes: when these have ended, the same command sees that all are done", left, count);
    return mot_fail(MOT_STOPPED, "%zu of %zu are at work in other processes", left, count);
}

mot_status mot_study_train(mot_study *study)
{
    mot_status status = MOT_OK;
    job *jobs = NULL;
    double *work = NULL;
    size_t count = 0;
    if (study->variants == 0) return MOT_OK;
    if (study->variants == study->room)
        return mot_fail(MOT_ERR_INPUT, "a study has less than %zu variants", study->room);
    for (size_t v = 0; v < study->variants; ++v) count += (size_t)study->variant[v].seeds;
    status = mot_allocate(&jobs, count, sizeof *jobs, "the trials");
    if (status == MOT_OK) status = mot_allocate(&work, (size_t)study->comm->size, sizeof *work, "the trials");
    if (status == MOT_OK) {
        size_t at = 0, kept = 0;
        for (size_t v = 0; v < study->variants; ++v)
            for (int s = 1; s <= study->variant[v].seeds; ++s, ++at)
                if (study->parts == 0 || at % study->parts == study->part)
                    jobs[kept++] = (job){&study->variant[v], study->variant[v].chosen + s, study->variant[v].cost, at};
        count = kept;
        mot_log(MOT_LOG_INFO, "%s: %zu trials of %zu variants on %d rank%s", study->name, count,
                study->variants, study->comm->size, study->comm->size == 1 ? "" : "s");
        status = do_jobs(study, jobs, share_out(study, jobs, count, work));
    }
    mot_free(jobs);
    mot_free(work);
    return mot_comm_agree(study->comm, status);
}
