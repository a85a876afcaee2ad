/* What a task of a stream learns from: its own samples, and the memory of the tasks before it (Deng et al., arXiv 2506.00205).
 *
 *      concurrent   | new and old together                                    |
 *      sequential   | new                      | task 0 | task 1 | task 2     |
 *      hybrid       | new and tasks 0, 2 together               | task 1      |
 *
 * A stage has the same number of steps under each strategy, so what is spent on old samples is not spent on new ones; a share
 * of them, in steps or in samples of a batch, is old: as there are samples, or rehearsal.share. */
#include "run_private.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "mot/log.h"
#include "mot/memory.h"

/* ---- the plan of a stage ---- */

/* Old tasks, as the strategy takes them. */
typedef struct plan {
    const mot_config *config;
    run_rehearsal *of;
    int task;
    mot_gidx steps, alone; /* of the stage; of those, at its begin, the ones before tasks are compared */
    bool known;            /* cosines, or none are asked for */
    int *order;    /* [task]: which is revisited when */
    bool *similar; /* [task]: learned together with the new one */
    mot_gidx old, beside; /* samples of all of them, and of those */
} plan;

static mot_gidx held(const plan *p, int task)
{
    const mot_gidx *first = p->config->rehearsal.strategy == MOT_REHEARSE_JOINT ? p->of->stream->first
                                                                               : p->of->memory.first;
    return first[task + 1] - first[task];
}

static const double *cosines(const plan *p)
{
    return p->of->cosine + (size_t)p->task * (size_t)p->of->stream->tasks;
}

static bool is_similar(const plan *p, int task)
{
    switch (p->config->rehearsal.strategy) {
    case MOT_REHEARSE_CONCURRENT:
    case MOT_REHEARSE_JOINT:
        return true;
    case MOT_REHEARSE_HYBRID:
        return cosines(p)[task] >= p->config->rehearsal.tau;
    case MOT_REHEARSE_NONE:
    case MOT_REHEARSE_SEQUENTIAL:
        break;
    }
    return false;
}

/* Whether `a` comes before `b` < a. */
static bool goes_before(const plan *p, int a, int b)
{
    switch (p->config->rehearsal.order) {
    case MOT_REVISIT_OLDEST:
        return false;
    case MOT_REVISIT_NEWEST:
        return true;
    case MOT_REVISIT_DISSIMILAR:
        break;
    }
    return cosines(p)[a] < cosines(p)[b];
}

static void sort_old(plan *p)
{
    for (int t = 0; t < p->task; ++t) {
        int place = t;
        for (; place > 0 && goes_before(p, t, p->order[place - 1]); --place) p->order[place] = p->order[place - 1];
        p->order[place] = t;
        p->similar[t] = is_similar(p, t);
        p->old += p->config->rehearsal.strategy == MOT_REHEARSE_NONE ? 0 : held(p, t);
        p->beside += p->similar[t] ? held(p, t) : 0;
    }
}

/* Of what is learned from here on, the share that is old. */
static double old_share(const plan *p)
{
    const mot_gidx *first = p->of->stream->first;
    const double share = p->config->rehearsal.share, own = (double)(first[p->task + 1] - first[p->task]);
    if (p->old == 0 || !p->known) return 0;
    const double of_all = share != MOT_SHARE_AUTO && p->config->rehearsal.strategy != MOT_REHEARSE_JOINT
                              ? share
                              : (double)p->old / (own + (double)p->old);
    if (p->alone == 0) return of_all;
    /* What came before the comparison was all new. */
    return fmin(of_all * (double)p->steps / (double)(p->steps - p->alone), 0.95);
}

static void add_leg(plan *p, mot_gidx end, const mot_sample_pool *new, const mot_sample_pool *old)
{
    mot_sampler *sampler = &p->of->sampler;
    const mot_gidx before = sampler->legs > 0 ? sampler->leg[sampler->legs - 1].end : 0;
    if (end <= before) return;
    sampler->leg[sampler->legs++] = (mot_leg){end, {*new, *old}};
}

/* The new task, with those that are similar to it; before they are compared alone. */
static void plan_new(plan *p, mot_gidx end, double share)
{
    const mot_sample_pool none = {0};
    const mot_stream *stream = p->of->stream;
    const size_t batch = p->config->train.batch;
    const double of_old = p->old > 0 ? (double)p->beside / (double)p->old : 0;
    const double here = share * of_old / (1 - share * (1 - of_old));
    size_t old = (size_t)llround(here * (double)batch);
    if (p->beside > 0 && p->known) old = MOT_MIN(MOT_MAX(old, (size_t)1), batch - 1);
    mot_sample_pool new = {.count = stream->first[p->task + 1] - stream->first[p->task],
                          .first = stream->first[p->task],
                          .of_batch = batch},
                    memory = {.count = p->beside, .index = p->of->similar, .of_batch = old};
    add_leg(p, p->alone, &new, &none);
    new.of_batch = batch - old;
    add_leg(p, end, &new, &memory);
}

/* How many are revisited one after another. */
static mot_gidx others_of(const plan *p)
{
    mot_gidx others = 0;
    for (int t = 0; t < p->task && p->old > p->beside; ++t) others += !p->similar[t] && held(p, t) > 0;
    return others;
}

/* The others, one after another, with steps as they have samples, and one at least. */
static void plan_others(plan *p, mot_gidx begin)
{
    const mot_sample_pool none = {0};
    const mot_gidx steps = p->steps - begin, all = p->old - p->beside;
    const mot_gidx others = others_of(p);
    mot_gidx done = 0, samples = 0;
    if (others == 0) return; /* there are none, or none is learned */
    for (int i = 0; i < p->task; ++i) {
        const int t = p->order[i];
        if (p->similar[t] || held(p, t) == 0) continue;
        const mot_gidx least = MOT_MIN(others, steps);
        samples += held(p, t);
        ++done;
        const mot_gidx end = begin + MOT_MIN(done, least) + (steps - least) * samples / all;
        const mot_sample_pool memory = {.count = held(p, t),
                                 .index = p->of->memory.sample + p->of->memory.first[t],
                                 .of_batch = p->config->train.batch};
        add_leg(p, end, &memory, &none);
    }
}

/* Steps behind which the others are revisited. */
static mot_gidx steps_of_new(const plan *p, double share)
{
    const mot_gidx others = others_of(p);
    if (p->old == p->beside || !p->known) return p->steps;
    const double part = share * (double)(p->old - p->beside) / (double)p->old;
    const mot_gidx least = MOT_MAX(llround(part * (double)(p->steps - p->alone)), others);
    return MOT_MAX(p->steps - least, p->alone + 1);
}

/* Lists what of the memory is learned beside the new task; all samples of old tasks need no list. */
static mot_status list_similar(plan *p)
{
    run_rehearsal *r = p->of;
    mot_status status = MOT_OK;
    mot_gidx count = 0;
    mot_free(r->similar);
    r->similar = NULL;
    if (p->beside == 0 || p->config->rehearsal.strategy == MOT_REHEARSE_JOINT) return MOT_OK;
    MOT_TRY(mot_allocate(&r->similar, (size_t)p->beside, sizeof *r->similar, "samples to rehearse"));
    for (int t = 0; t < p->task; ++t) {
        if (!p->similar[t]) continue;
        for (mot_gidx i = r->memory.first[t]; i < r->memory.first[t + 1]; ++i) r->similar[count++] = r->memory.sample[i];
    }
done:
    return status;
}

/* ---- what is said of it ---- */

static void name_tasks(const plan *p, bool similar, char *text, size_t size)
{
    size_t length = 0;
    text[0] = '\0';
    for (int i = 0; i < p->task && length < size; ++i) {
        const int t = similar ? i : p->order[i];
        if (p->similar[t] == similar && held(p, t) > 0)
            length += (size_t)snprintf(text + length, size - length, "%s%d", length > 0 ? ", " : "", t);
    }
}

/* In which the new task is learned, with others or without. */
static const mot_leg *new_leg(const plan *p)
{
    return &p->of->sampler.leg[p->alone > 0 && p->known];
}

static void say(const mot_run *run, const plan *p)
{
    if (!p->known) return;
    const mot_sampler *sampler = &p->of->sampler;
    const mot_leg *leg = new_leg(p);
    char beside[128], behind[128], text[256] = "", after[256] = "";
    name_tasks(p, true, beside, sizeof beside);
    name_tasks(p, false, behind, sizeof behind);
    if (p->beside > 0)
        snprintf(text, sizeof text, ", %zu of the %zu samples of a batch from task%s %s", leg->pool[1].of_batch,
                 sampler->batch, strchr(beside, ',') != NULL ? "s" : "", beside);
    if (leg->end < p->steps)
        snprintf(after, sizeof after, ", then %" MOT_PRI_GIDX " of task%s %s%s", p->steps - leg->end,
                 strchr(behind, ',') != NULL ? "s" : "", behind, strchr(behind, ',') != NULL ? " in turn" : "");
    mot_log_wrap(2, "task %d of %d, '%s': %" MOT_PRI_GIDX " steps%s%s", p->task, p->of->stream->tasks,
                 run->world.train_set.group_names[p->task], leg->end, text, after);
    if (others_of(p) > p->steps - leg->end)
        mot_log(MOT_LOG_WARNING, "task %d: %" MOT_PRI_GIDX " steps are too few to revisit %" MOT_PRI_GIDX " old tasks: some are not",
                p->task, p->steps, others_of(p));
}

static mot_status log_plan(const mot_run *run, const plan *p)
{
    mot_json *json = mot_json_begin();
    char text[256];
    mot_json_int(json, "step", run->course.progress.step);
    mot_json_int(json, "task", p->task);
    mot_json_text(json, "task_name", run->world.train_set.group_names[p->task]);
    mot_json_int(json, "task_steps", p->steps);
    mot_json_int(json, "task_steps_new", new_leg(p)->end);
    mot_json_int(json, "batch_old", (mot_gidx)new_leg(p)->pool[1].of_batch);
    mot_json_int(json, "memory", p->of->memory.first[p->task]);
    name_tasks(p, true, text, sizeof text);
    mot_json_text(json, "beside", text);
    name_tasks(p, false, text, sizeof text);
    mot_json_text(json, "behind", text);
    return mot_record_log_json(run->keeper.record, json);
}

/* ---- the stage at hand ---- */

mot_status mot_run_rehearsal_open(run_world *world, const run_course *course)
{
    run_rehearsal *r = &world->rehearsal;
    const size_t tasks = (size_t)course->config.tasks;
    mot_status status = MOT_OK;
    r->stream = course->purpose == RUN_TRAIN ? mot_dataset_stream(&world->train_set) : NULL;
    if (r->stream == NULL) return MOT_OK;
    MOT_TRY(mot_allocate(&r->sampler.leg, tasks + 2, sizeof *r->sampler.leg, "the tasks of a stream"));
    MOT_TRY(mot_allocate(&r->cosine, tasks * tasks, sizeof *r->cosine, "the tasks of a stream"));
    for (size_t i = 0; i < tasks * tasks; ++i) r->cosine[i] = NAN;
done:
    return status;
}

void mot_run_rehearsal_close(run_rehearsal *r)
{
    mot_memory_free(&r->memory);
    mot_free(r->similar);
    mot_free(r->sampler.leg);
    mot_free(r->cosine);
}

/* Whether the plan of this task asks how similar old tasks are to it. */
static bool compares(const mot_rehearsal_config *config, int task)
{
    return task > 0 && mot_rehearsal_compares(config);
}

/* Tasks that are not rehearsed are not held either. */
static mot_status choose_memory(const mot_config *config, run_rehearsal *r, const mot_dataset *train, int task)
{
    const mot_rehearsal_config *of = &config->rehearsal;
    mot_memory_size size;
    (void)mot_memory_size_parse(of->memory, of->memory_form, &size); /* it has been checked */
    if (!mot_rehearsal_remembers(of)) size = (mot_memory_size){0, MOT_MEMORY_SAMPLES};
    return mot_memory_choose(&r->memory, of->memory_form, size, train, task, config->seed);
}

static mot_status make_plan(plan *p, run_course *course)
{
    mot_sampler *sampler = &p->of->sampler;
    mot_status status;
    sampler->stage = course->progress.stage;
    sampler->seed = course->config.seed;
    sampler->shuffled = course->config.data.shuffle;
    sampler->batch = course->config.train.batch;
    sampler->first = course->progress.stage_first + course->progress.left_out;
    sampler->skipped = course->progress.left_out;
    sampler->legs = 0;
    sort_old(p);
    MOT_TRY(list_similar(p));
    const double share = old_share(p);
    const mot_gidx new = steps_of_new(p, share);
    plan_new(p, new, share);
    if (new < p->steps) plan_others(p, new);
done:
    return status;
}

bool mot_run_compares_now(const run_course *course, const run_rehearsal *r)
{
    const mot_config *config = &course->config;
    const mot_progress *progress = &course->progress;
    if (r->stream == NULL || progress->stage == mot_stage_count(config)) return false;
    const int task = mot_stage_task(config, progress->stage);
    const bool later = progress->stage % config->stages != 0; /* of the task's stages */
    return compares(&config->rehearsal, task) && isnan(r->cosine[(size_t)task * (size_t)config->tasks]) &&
           (later || progress->step - progress->stage_first >= config->rehearsal.compare_after);
}

/* Those of a checkpoint, and those that are due. Collective. */
static mot_status know_cosines(mot_run *run, int task)
{
    run_rehearsal *r = &run->world.rehearsal;
    const size_t T = (size_t)r->stream->tasks, row = (size_t)task * T;
    mot_task_matrix *files = &run->reporter.tasks.now; /* the root's */
    if (files->tasks > 0) memcpy(r->cosine, files->cosine, T * T * sizeof *r->cosine);
    mot_comm_bcast(run->world.comm, r->cosine, T * T * sizeof *r->cosine, MOT_ROOT);
    if (!mot_run_compares_now(&run->course, r)) return MOT_OK;
    const mot_status status = mot_run_compare_tasks(run, task);
    if (files->tasks > 0) memcpy(files->cosine + row, r->cosine + row, T * sizeof *r->cosine);
    return status;
}

mot_status mot_run_rehearse(mot_run *run)
{
    run_world *world = &run->world;
    run_course *course = &run->course;
    run_rehearsal *r = &world->rehearsal;
    const int stage = course->progress.stage, task = mot_stage_task(&course->config, stage);
    plan p = {.config = &course->config, .of = r, .task = task};
    mot_status status = MOT_OK;
    if (r->stream == NULL || stage == mot_stage_count(&course->config)) return MOT_OK;
    p.steps = mot_stage_steps(&course->config, stage, world->train_set.samples);
    p.alone = compares(&course->config.rehearsal, task) && stage % course->config.stages == 0
                  ? course->config.rehearsal.compare_after
                  : 0;
    mot_step_forget(world->step);
    mot_memory_free(&r->memory);
    status = choose_memory(&course->config, r, &world->train_set, task);
    if (status == MOT_OK && run->reporter.tasks.now.tasks > 0)
        status = mot_run_tasks_hold(&run->reporter.tasks, task, &r->memory);
    MOT_TRY(mot_comm_agree(world->comm, status));
    MOT_TRY(know_cosines(run, task));
    status = mot_allocate(&p.order, (size_t)task + 1, sizeof *p.order, "the tasks of a stream");
    if (status == MOT_OK) status = mot_allocate(&p.similar, (size_t)task + 1, sizeof *p.similar, "the tasks of a stream");
    p.known = !compares(&course->config.rehearsal, task) || !isnan(r->cosine[(size_t)task * (size_t)course->config.tasks]);
    if (status == MOT_OK) status = make_plan(&p, course);
    MOT_TRY(mot_comm_agree(world->comm, status));
    world->train.sampler = &r->sampler;
    const mot_gidx done = course->progress.step - course->progress.stage_first;
    if (world->comm->rank != MOT_ROOT || done != (p.known ? p.alone : 0)) goto done;
    say(run, &p);
    if (p.known) status = log_plan(run, &p);
done:
    status = mot_comm_agree(world->comm, status);
    mot_free(p.similar);
    mot_free(p.order);
    return status;
}
