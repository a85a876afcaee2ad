/* The parts of a run, and what one does otherwise than the one before.
 *
 *      step   1 ............ 400 | 401 ............ 900 | 901 ...
 *             config-00000400    | config-00000900      | config.yaml       first_step 1, 401 and 901, in their comments
 *
 * A part ends at the checkpoint from which the run goes on with another configuration. The part's file is written first,
 * then config.yaml, then what the new part has in its place is removed; whoever is stopped between does the same again, since
 * a step belongs to the part that begins last before it, and that is the same with and without the files left over. */
#include "run_keeper.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mot/atomic_file.h"
#include "mot/log.h"
#include "mot/memory.h"
#include "mot/stage.h"

/* ---- what must stay ---- */

typedef struct complaint {
    const char *path;
    mot_status status;
} complaint;

static void complain(void *with, const mot_change *change)
{
    complaint *about = with;
    if (about->status != MOT_OK || change->role != MOT_KEY_FIXED) return;
    about->status = mot_fail(
        MOT_ERR_INPUT,
        "%s was trained with '%s: %s', now it is '%s: %s': choose another run folder (run=...)", about->path,
        change->key, change->before, change->key, change->now);
}

mot_status mot_run_compare(const mot_config *now, const mot_config *before, const char *path)
{
    complaint about = {path, MOT_OK};
    if (now->stages != before->stages)
        return mot_fail(MOT_ERR_INPUT,
                        "%s was trained with %d stage%s, now there %s %d: choose another run folder "
                        "(run=...)",
                        path, before->stages, before->stages == 1 ? "" : "s", now->stages == 1 ? "is" : "are",
                        now->stages);
    const mot_status status = mot_config_changes(before, now, complain, &about);
    return status != MOT_OK ? status : about.status;
}

int mot_run_precision_before(const mot_config *config)
{
    char folder[1024], path[2048], *text = NULL, *checksum = NULL;
    mot_config *before = NULL;
    int rule = -1;
    mot_gidx step = INT64_MAX;
    if (mot_path_join(folder, sizeof folder, config->run, "checkpoints") != MOT_OK) return rule;
    if (mot_allocate(&before, 1, sizeof *before, "a configuration") != MOT_OK) return rule;
    while (rule < 0 && (step = mot_checkpoint_before(folder, step, path, sizeof path)) >= 0) {
        if (mot_checkpoint_config(path, &text, &checksum) != MOT_OK) continue; /* find_checkpoint says why */
        if (mot_config_parse(before, path, text, 0, NULL) == MOT_OK) rule = (int)before->model.precision;
        mot_free(text);
        mot_free(checksum);
    }
    mot_free(before);
    return rule;
}

/* ---- the schedule ---- */

/* Of the experts, for step `step` of the run (the first is 1) on so many training samples, by another configuration or the
 * run's own; 0 steps: by its own schedule. */
static double rate_at(const mot_progress *progress, const mot_config *config, mot_gidx samples, mot_gidx step,
                      mot_gidx schedule_steps)
{
    const mot_stage_config *stage = mot_stage_at(config, progress->stage);
    if (schedule_steps == 0) schedule_steps = mot_stage_schedule_steps(config, progress->stage, samples);
    return stage->expert.rate * mot_stage_factor(stage, step - 1 - progress->stage_first, schedule_steps);
}

/* It stays, and now ends elsewhere than its stage. */
static mot_status say_schedule(const run_course *course, const mot_config *former, mot_gidx samples)
{
    const mot_config *config = &course->config;
    const mot_progress *progress = &course->progress;
    const mot_stage_config *stage = mot_stage_at(config, progress->stage);
    const mot_gidx steps = stage->schedule_steps, next = progress->step + 1,
                   whole = mot_stage_steps(config, progress->stage, samples);
    const double was = rate_at(progress, former, samples, next - 1, 0),
                 stays = rate_at(progress, config, samples, next, steps);
    char key[128], final[128], longer[256] = "";
    mot_config_stage_key(config, progress->stage % config->stages, "schedule_steps", key, sizeof key);
    mot_config_stage_key(config, progress->stage % config->stages, "final_rate", final, sizeof final);
    if (whole > 0)
        snprintf(longer, sizeof longer, "%s=%" MOT_PRI_GIDX " (then it would be %.4g)", key, whole,
                 rate_at(progress, config, samples, next, whole));
    if (stage->final_rate == 0 && (whole == 0 || steps < whole))
        return mot_fail(
            MOT_ERR_INPUT,
            "stage '%s': until is now '%s', but a schedule stays as it began, and this one ends at a "
            "rate of 0 after %" MOT_PRI_GIDX " steps, with which the rest would learn nothing (the "
            "rate was %.4g at step %" MOT_PRI_GIDX ", %.4g would be next): give a %s at which it "
            "stays, or for another length %s",
            stage->name, stage->until.text, steps, was, next - 1, stays, final, whole > 0 ? longer : key);
    mot_log(MOT_LOG_WARNING,
            "stage '%s': until is now '%s', but its schedule stays one of %" MOT_PRI_GIDX
            " steps: the rate was %.4g at step %" MOT_PRI_GIDX " and is %.4g at the next%s%s",
            stage->name, stage->until.text, steps, was, next - 1, stays,
            whole > 0 ? "; for the new length give " : "", longer);
    return MOT_OK;
}

/* A share of the run's length stays the number of steps that it was; whether it is another one. */
static bool keep_span(mot_span *span, mot_gidx before, const char *whose, const char *key)
{
    if (span->percent == 0 || before == 0 || before == span->steps) return false;
    mot_log(MOT_LOG_WARNING,
            "%s: the length of the run is another, but its noise ends after step %" MOT_PRI_GIDX
            ", as it began; for the new length give %s=%" MOT_PRI_GIDX,
            whose, before, key, span->steps);
    *span = (mot_span){.steps = before};
    return true;
}

static bool keep_noise(mot_config *config, const mot_config *former)
{
    char key[128], whose[80];
    bool kept = false;
    for (int s = 0; s < config->stages; ++s) {
        mot_exploration *explore = &config->stage[s].explore;
        if (explore->noise == MOT_NOISE_NONE) continue;
        mot_config_stage_key(config, s, "noise_steps", key, sizeof key);
        snprintf(whose, sizeof whose, "stage '%s'", config->stage[s].name);
        kept = keep_span(&explore->noise_steps, former->stage[s].explore.noise_steps.steps, whose, key) || kept;
    }
    for (int i = 0; i < config->layers; ++i) {
        snprintf(whose, sizeof whose, "model.layers.%d", i);
        snprintf(key, sizeof key, "%s.route.noise_steps", whose);
        kept = keep_span(&config->layer[i].route.explore.noise_steps, former->layer[i].route.explore.noise_steps.steps, whose, key) ||
               kept;
    }
    return kept;
}

mot_status mot_run_keep_schedule(run_course *course, run_keeper *keeper, const run_world *world)
{
    const mot_dataset *data = world->train.dataset;
    const mot_progress *progress = &course->progress;
    mot_config *config = &course->config, *former = keeper->former;
    const bool root = world->comm->rank == MOT_ROOT;
    mot_status status = MOT_OK;
    if (progress->stage == mot_stage_count(config) || progress->step == 0) return status;
    MOT_TRY(
        mot_stages_resolve(former, data->samples, data->format.kind)); /* the same everywhere, as all is */
    const bool schedule = mot_stage_keep_schedule(config, former, data->samples, progress),
               noise = keep_noise(config, former);
    if (root && schedule) status = say_schedule(course, former, data->samples);
    if (root && status == MOT_OK && (schedule || noise)) {
        mot_free(keeper->config_text);
        keeper->config_text = NULL;
        status = mot_config_text(config, &keeper->config_text);
    }
    status = mot_comm_agree(world->comm, status);
done:
    return status;
}

/* ---- what has changed ---- */

typedef struct teller {
    mot_key_role role;
    const char *head; /* NULL: it has been said */
} teller;

static void say_change(void *with, const mot_change *change)
{
    teller *tell = with;
    if (change->role != tell->role) return;
    if (tell->head != NULL) mot_log(MOT_LOG_INFO, "%s", tell->head);
    tell->head = NULL;
    mot_log(MOT_LOG_INFO, "  %s: %s -> %s", change->key, change->before, change->now);
}

/* What follows for the step that is next. */
static void say_rate(const run_course *course, const mot_config *former, mot_gidx samples)
{
    const mot_progress *progress = &course->progress;
    const mot_gidx next = progress->step + 1;
    if (progress->stage == mot_stage_count(&course->config)) return;
    const double before = rate_at(progress, former, samples, next, 0),
                 now = rate_at(progress, &course->config, samples, next, 0);
    if (before != now)
        mot_log(MOT_LOG_INFO, "  so the rate of step %" MOT_PRI_GIDX ": %.4g -> %.4g", next, before, now);
}

mot_status mot_run_say_changes(const run_course *course, const mot_config *former, mot_gidx samples)
{
    const mot_gidx next = course->progress.step + 1;
    char learned[100];
    snprintf(learned, sizeof learned,
             "changed, and with it what is learned from step %" MOT_PRI_GIDX " on:", next);
    const char *const heads[] = {
        [MOT_KEY_LEARNS] = learned,
        [MOT_KEY_PLACES] = "changed, with the same bits:",
        [MOT_KEY_REPORTS] = "changed in what is evaluated, kept and said, with the same bits:"};
    for (int role = MOT_KEY_LEARNS; role <= MOT_KEY_REPORTS; ++role) {
        teller tell = {(mot_key_role)role, heads[role]};
        const mot_status status = mot_config_changes(former, &course->config, say_change, &tell);
        if (status != MOT_OK) return status;
        if (role == MOT_KEY_LEARNS && tell.head == NULL) say_rate(course, former, samples);
    }
    return MOT_OK;
}

/* ---- config.yaml and those of former parts ---- */

static const char first_mark[] = "\n# first_step: ";

/* The last step of the part whose file has this name; -1: it is none. */
static mot_gidx last_step(const char *name)
{
    static const char head[] = "config-";
    const char *digits = name + strlen(head);
    if (strncmp(name, head, strlen(head)) != 0) return -1;
    const size_t count = strspn(digits, "0123456789");
    if (count < 8 || count > 18 || strcmp(digits + count, ".yaml") != 0) return -1;
    return strtoll(digits, NULL, 10);
}

/* The first step of a file's part; 1 also where it does not say, as in older versions. */
static mot_status read_first(const char *path, mot_gidx *first)
{
    char *text;
    size_t count;
    *first = 1;
    if (access(path, F_OK) != 0) return MOT_OK;
    const mot_status status = mot_file_read(path, 1 << 20, &text, &count);
    if (status != MOT_OK) return status;
    const char *at = strstr(text, first_mark);
    if (at != NULL) *first = MOT_MAX(1, strtoll(at + strlen(first_mark), NULL, 10));
    mot_free(text);
    return MOT_OK;
}

typedef mot_status part_function(void *with, const char *path, mot_gidx last);

static mot_status for_each_former(const run_course *course, part_function *take, void *with)
{
    mot_status status = MOT_OK;
    DIR *const files = opendir(course->config.run);
    if (files == NULL) return mot_fail(MOT_ERR_FILE, "%s: %s", course->config.run, strerror(errno));
    for (struct dirent *file; status == MOT_OK && (file = readdir(files)) != NULL;) {
        char path[2048];
        const mot_gidx last = last_step(file->d_name);
        if (last < 0) continue;
        status = mot_path_join(path, sizeof path, course->config.run, file->d_name);
        if (status == MOT_OK) status = take(with, path, last);
    }
    closedir(files);
    return status;
}

/* A step, and the first of its part as far as it is known. */
typedef struct part {
    mot_gidx step, first;
} part;

static mot_status seek_part(void *with, const char *path, mot_gidx last)
{
    part *of = with;
    mot_gidx first;
    (void)last;
    const mot_status status = read_first(path, &first);
    if (status == MOT_OK && first <= of->step) of->first = MOT_MAX(of->first, first);
    return status;
}

/* The new part has these steps now, or they are to be done again. */
static mot_status remove_later(void *with, const char *path, mot_gidx last)
{
    if (last < *(const mot_gidx *)with || unlink(path) == 0 || errno == ENOENT) return MOT_OK;
    return mot_fail(MOT_ERR_FILE, "%s: cannot remove what a later part of the run replaces: %s", path,
                    strerror(errno));
}

/* The id stands in a comment: who repeats the run by its config.yaml makes another run. */
static mot_status write_part(const run_keeper *keeper, const char *path, mot_gidx first,
                             const char *config_text)
{
    char *text = NULL;
    const int length = asprintf(&text, "# run_id: %s%s%" MOT_PRI_GIDX "\n%s", keeper->id, first_mark, first,
                                config_text);
    if (length < 0) return mot_fail(MOT_ERR_MEMORY, "not enough memory for %s", path);
    const mot_status status = mot_file_replace(path, text, (size_t)length);
    free(text);
    return status;
}

mot_status mot_run_write_config(const run_keeper *keeper, const run_course *course)
{
    char path[1024], former[1024 + 32], *before = NULL;
    part at = {.step = course->progress.step, .first = 1};
    mot_status status;
    MOT_TRY(mot_path_join(path, sizeof path, course->config.run, "config.yaml"));
    if (keeper->former != NULL && at.step > 0) {
        MOT_TRY(seek_part(&at, path, INT64_MAX));
        MOT_TRY(for_each_former(course, seek_part, &at));
        MOT_TRY(mot_config_text(keeper->former, &before));
        if (strcmp(before, keeper->config_text) != 0) {
            snprintf(former, sizeof former, "%s/config-%08" MOT_PRI_GIDX ".yaml", course->config.run,
                     at.step);
            MOT_TRY(write_part(keeper, former, at.first, before));
            at.first = at.step + 1;
        }
    }
    MOT_TRY(write_part(keeper, path, at.first, keeper->config_text));
    MOT_TRY(for_each_former(course, remove_later, &at.first));
done:
    mot_free(before);
    return status;
}
