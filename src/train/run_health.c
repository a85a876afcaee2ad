/* Whether a run goes well: the rules behind its warnings (docs/operations.md has them as a table). */
#include "run_health.h"

#include <math.h>
#include <string.h>

#include "mot/memory.h"
#include "mot/stage_action.h"

enum {
    ENDLESS_EPOCH = 20000, /* samples */
    LEAST_STEPS = 20,      /* of a window, and of a tenth of the run */
    LEAST_CHOICES = 50,    /* an expert in a window, if all have as many */
    TENTH_UNKNOWN = 200,   /* steps */
    BLOCKS = 4             /* of a tenth */
};
static const double most_share = 0.9, least_share = 0.01; /* of all samples; of a fair share */
static const double alike = 5e-7; /* difference of two probabilities, which are floats, of themselves */
static const double most_rise = 0.1, least_rise = 0.05;   /* of the lowest loss; of the first */
static const double most_gap = 0.15, most_ratio = 2;      /* of the errors in test and training */
/* Standard deviations beyond a bound that are no accident: of losses, of which many are looked at, and of errors. */
static const double loss_deviations = 4, error_deviations = 2;

/* A mean over samples with the variance of its own. */
typedef struct mean_of {
    double mean, variance;
} mean_of;

/* Sums over samples, from which a mean follows. */
typedef struct sums {
    double count, sum, squares;
} sums;

struct run_health {
    int stage; /* of the next step, and the steps done when it began */
    mot_gidx stage_first;

    struct {
        mot_gidx steps, counted; /* its length; the steps that count so far */
        int64_t *load;          /* [E] */
    } window;
    struct {
        mot_gidx steps; /* that counted, up to now, in which all samples had the same scores */
        bool open;      /* in some of them an expert's probability was not 1 */
    } blind;
    struct {
        bool begun;
        mot_gidx steps, done; /* of a block */
        sums block;
        double first; /* loss of the process's first step */
        mean_of lowest; /* of the stage's first step and blocks */
        int rising;     /* blocks in a row, up to now, that were above it */
        sums risen;     /* of them all */
    } loss;
    struct {
        double hits[2], samples[2]; /* of training: this window's, and the one's before */
    } fit;
};

/* ---- life ---- */

static mot_gidx ceil_of(double x)
{
    return (mot_gidx)ceil(x);
}

static mot_gidx window_steps(const run_world *world)
{
    const mot_config *config = world->model.config;
    const double batch = (double)config->train.batch, experts = world->model.layer->experts,
                 K = (double)mot_model_choices(&world->model);
    const mot_gidx samples = mot_stage_epoch(config, world->train.dataset->samples);
    const mot_gidx epoch = ceil_of((samples == MOT_ENDLESS ? ENDLESS_EPOCH : (double)samples) / batch);
    return MOT_MAX(epoch, MOT_MAX(LEAST_STEPS, ceil_of(LEAST_CHOICES * experts / (K * batch))));
}

static mot_gidx block_steps(const run_world *world)
{
    const mot_gidx steps = mot_run_steps(world->model.config, world->train.dataset->samples);
    return MOT_MAX(steps > 0 ? steps / 10 : TENTH_UNKNOWN, LEAST_STEPS) / BLOCKS;
}

static void begin_window(run_reporter *reporter, const run_world *world)
{
    struct run_health *health = reporter->health;
    health->window.counted = 0;
    memset(health->window.load, 0, (size_t)world->model.layer->experts * sizeof *health->window.load);
}

static void begin_stage(run_reporter *reporter, const run_course *course)
{
    struct run_health *health = reporter->health;
    health->stage = course->progress.stage;
    health->stage_first = course->progress.stage_first;
    health->loss.begun = false;
    health->loss.block = (sums){0};
}

mot_status mot_run_health_create(run_reporter *reporter, const run_world *world)
{
    static const char *const what = "what a run's health is judged by";
    mot_status status;
    MOT_TRY(mot_allocate(&reporter->health, 1, sizeof *reporter->health, what));
    MOT_TRY(mot_allocate(&reporter->health->window.load, (size_t)world->model.layer->experts, sizeof(int64_t), what));
    reporter->health->window.steps = window_steps(world);
    reporter->health->loss.steps = block_steps(world);
    reporter->health->loss.first = NAN;
done:
    return status; /* released by mot_run_take_down */
}

void mot_run_health_destroy(run_reporter *reporter)
{
    if (reporter->health != NULL) mot_free(reporter->health->window.load);
    mot_free(reporter->health);
    reporter->health = NULL;
}

void mot_run_health_recount(run_reporter *reporter, const run_world *world)
{
    if (reporter->health != NULL) begin_window(reporter, world);
}

mot_status mot_run_health_begin(mot_run *run)
{
    memset(&run->reporter.health->fit, 0, sizeof run->reporter.health->fit);
    memset(&run->reporter.health->blind, 0, sizeof run->reporter.health->blind);
    begin_window(&run->reporter, &run->world);
    begin_stage(&run->reporter, &run->course);
    return mot_run_recall_warnings(run);
}

/* ---- routing ---- */

/* Of a step of the stage at hand: a gate that is frozen, told or drawn by lot is meant to be as it is, and one that is
 * still warming up has not begun. */
static bool gate_counts(const mot_run *run)
{
    const struct run_health *health = run->reporter.health;
    const mot_stage_config *stage = mot_stage_at(&run->course.config, health->stage);
    const mot_gate *gate = &run->world.model.layer->gate;
    return run->world.model.layer->experts > 1 && mot_gate_learns(gate) && !gate->kind->spread &&
           (stage->train >> MOT_PART_GATE & 1u) && stage->gate.rate > 0 &&
           !(gate->kind->group != NULL && mot_groups_to_come(&run->course.config, health->stage)) &&
           run->course.progress.step - health->stage_first > stage->warmup;
}

/* Whether all samples of a step have the same scores, as far as the probabilities of their choices tell: each is then the
 * mean over all samples. */
static bool scores_are_alike(const mot_model *model, const mot_step_result *result, bool *open)
{
    const size_t batch = model->config->train.batch, K = mot_model_choices(model);
    for (size_t i = 0; i < batch * K; ++i) {
        const double mean = result->importance[result->expert[i]] / (double)batch;
        if (fabs((double)result->prob[i] - mean) > alike * mean) return false;
        *open = *open || mean < 0.999;
    }
    return true;
}

/* A gate that is sure of everything scores alike as well; that is no blindness unless it was so before. Gates may begin
 * slowly, so a tenth of the run is asked for. */
static mot_status judge_scores(mot_run *run, const mot_step_result *result)
{
    struct run_health *health = run->reporter.health;
    if (!scores_are_alike(&run->world.model, result, &health->blind.open)) {
        health->blind.steps = 0;
        health->blind.open = false;
        return MOT_OK;
    }
    ++health->blind.steps;
    if (!health->blind.open || health->blind.steps < MOT_MAX(health->window.steps, BLOCKS * health->loss.steps))
        return MOT_OK;
    return mot_run_warn(run, RUN_CONSTANT_GATE,
                        "the gate scored all samples of the last %" MOT_PRI_GIDX " steps alike",
                        health->blind.steps);
}

/* Nothing of what the gate is told depends on its scores: it stays as it began. */
static mot_status judge_deaf_gate(mot_run *run)
{
    if (run->world.model.layer->gate.kind->learn_labels != NULL) return MOT_OK;
    const mot_config *config = &run->course.config;
    const mot_exploration *explore = &mot_stage_at(config, run->reporter.health->stage)->explore;
    static const char *const scale[] = {
        [MOT_SCALE_PROB] = "prob", [MOT_SCALE_CHOSEN] = "chosen", [MOT_SCALE_NONE] = "none"};
    const bool all = mot_model_choices(&run->world.model) == (size_t)run->world.model.layer->experts;
    if (all || !run_gate_is_deaf(config) || explore->balance_loss > 0 || explore->z_loss > 0) return MOT_OK;
    return mot_run_warn(run, RUN_CONSTANT_GATE,
                        "with route.scale = %s and %d expert%s a sample the loss does not depend on the gate's "
                        "scores, so the gate never learns",
                        scale[config->route.scale], config->route.top_k, config->route.top_k == 1 ? "" : "s");
}

static mot_status judge_loads(mot_run *run)
{
    const struct run_health *health = run->reporter.health;
    const int64_t *load = health->window.load;
    const mot_model *model = &run->world.model;
    const int E = model->layer->experts;
    const size_t K = mot_model_choices(model);
    const double samples = (double)health->window.counted * (double)run->course.config.train.batch,
                 fair = samples * (double)K / E;
    int idle = 0, first = -1, busiest = 0;
    for (int e = 0; e < E; ++e) {
        if ((double)load[e] < least_share * fair && idle++ == 0) first = e;
        if (load[e] > load[busiest]) busiest = e;
    }
    if (2 * K <= (size_t)E && (double)load[busiest] > most_share * samples)
        return mot_run_warn(run, RUN_ONE_EXPERT,
                            "expert %d of %d had %.1f %% of the samples of the last %" MOT_PRI_GIDX " steps",
                            model->layer->origin[busiest], E, 100 * (double)load[busiest] / samples, health->window.counted);
    /* The theory has several experts for each class, or each of the teacher's, and leaves some of them out in the end. */
    const mot_dataset *set = run->world.train.dataset;
    if (idle > 0 && mot_dataset_mixture(set, NULL) == NULL && mot_dataset_teacher(set, NULL) == NULL)
        return mot_run_warn(
            run, RUN_IDLE_EXPERTS,
            "%d of %d experts, expert %d first, had less than 1 %% of a fair share of the samples of "
            "the last %" MOT_PRI_GIDX " steps",
            idle, E, model->layer->origin[first], health->window.counted);
    return MOT_OK;
}

/* What a gate sends where means little before it tells samples apart. */
static mot_status judge_window(mot_run *run)
{
    const struct run_health *health = run->reporter.health;
    const bool enough = health->window.counted >= MOT_MAX(LEAST_STEPS, (health->window.steps + 1) / 2),
               sees = health->blind.steps < health->window.counted || !health->blind.open;
    const mot_status status = enough && sees ? judge_loads(run) : MOT_OK;
    begin_window(&run->reporter, &run->world);
    return status;
}

static mot_status watch_routing(mot_run *run, const mot_step_result *result)
{
    struct run_health *health = run->reporter.health;
    mot_status status = MOT_OK;
    if (gate_counts(run)) {
        MOT_TRY(judge_deaf_gate(run));
        ++health->window.counted;
        for (int e = 0; e < run->world.model.layer->experts; ++e) health->window.load[e] += result->load[e];
        MOT_TRY(judge_scores(run, result));
    }
    if (run->course.progress.step % health->window.steps == 0 ||
        run->course.progress.stage == mot_stage_count(&run->course.config))
        status = judge_window(run);
done:
    return status;
}

/* ---- loss ---- */

static void add_losses(const double *loss, size_t count, sums *to)
{
    to->count += (double)count;
    for (size_t i = 0; i < count; ++i) {
        to->sum += loss[i];
        to->squares += loss[i] * loss[i];
    }
}

static mean_of conclude(const sums *of)
{
    const double mean = of->sum / of->count;
    return (mean_of){mean, fmax(0, of->squares / of->count - mean * mean) / of->count};
}

static void add_sums(const sums *of, sums *to)
{
    to->count += of->count;
    to->sum += of->sum;
    to->squares += of->squares;
}

/* Every block of a tenth must lie above the lowest one, and their mean by more than chance. */
static mot_status judge_block(mot_run *run)
{
    struct run_health *health = run->reporter.health;
    mean_of *lowest = &health->loss.lowest;
    const mean_of block = conclude(&health->loss.block);
    const double bound = (1 + most_rise) * lowest->mean + least_rise * health->loss.first;
    if (block.mean > bound) {
        ++health->loss.rising;
        add_sums(&health->loss.block, &health->loss.risen);
    } else {
        health->loss.rising = 0;
        health->loss.risen = (sums){0};
    }
    if (block.mean < lowest->mean) *lowest = block;
    if (health->loss.rising < BLOCKS) return MOT_OK;
    const mean_of risen = conclude(&health->loss.risen);
    if (risen.mean < bound + loss_deviations * sqrt(risen.variance + lowest->variance)) return MOT_OK;
    return mot_run_warn(run, RUN_RISING_LOSS,
                        "the training loss was %.4g in the last %" MOT_PRI_GIDX
                        " steps, and had been %.4g before",
                        risen.mean, health->loss.rising * health->loss.steps, lowest->mean);
}

static void begin_loss(struct run_health *health)
{
    health->loss.begun = true;
    health->loss.lowest = conclude(&health->loss.block);
    health->loss.rising = 0;
    health->loss.risen = (sums){0};
    if (isnan(health->loss.first)) health->loss.first = health->loss.lowest.mean;
}

/* Each stage is compared with itself: with its first step, whose parts learn nothing yet, and its blocks; where it is
 * continued, with its blocks alone, since one step may be lucky. Where it revisits old tasks of a stream in turn, its loss may
 * well rise. */
static mot_status watch_loss(mot_run *run, const mot_step_result *result)
{
    struct run_health *health = run->reporter.health;
    if (run->world.rehearsal.sampler.legs > 1) return MOT_OK;
    const bool first = !health->loss.begun, fresh = run->course.progress.step - health->stage_first <= 1;
    add_losses(result->sample_loss, run->course.config.train.batch, &health->loss.block);
    if (++health->loss.done < health->loss.steps && !(first && fresh)) return MOT_OK;
    mot_status status = MOT_OK;
    if (first)
        begin_loss(health);
    else
        status = judge_block(run);
    health->loss.block = (sums){0};
    health->loss.done = 0;
    return status;
}

/* ---- training and test ---- */

static void count_hits(run_reporter *reporter, const run_course *course, const mot_step_result *result)
{
    struct run_health *health = reporter->health;
    health->fit.hits[0] += result->hits;
    health->fit.samples[0] += (double)course->config.train.batch;
    if (course->progress.step % health->window.steps != 0) return;
    health->fit.hits[1] = health->fit.hits[0];
    health->fit.samples[1] = health->fit.samples[0];
    health->fit.hits[0] = health->fit.samples[0] = 0;
}

mot_status mot_run_health_eval(mot_run *run)
{
    const struct run_health *health = run->reporter.health;
    const run_eval *eval = &run->reporter.last_eval;
    if (health == NULL || run->world.train.dataset->samples == MOT_ENDLESS) return MOT_OK;
    if (run->world.rehearsal.stream != NULL) return MOT_OK; /* tasks are evaluated that are not learned yet */
    const double samples = health->fit.samples[0] + health->fit.samples[1];
    if (samples == 0 || isnan(eval->number[RUN_MAJORITY])) return MOT_OK; /* or nobody knows the labels */
    const double wrong = 1 - (health->fit.hits[0] + health->fit.hits[1]) / samples,
                 test = 1 - eval->number[RUN_ACCURACY],
                 deviation = sqrt(test * (1 - test) / (double)eval->samples + wrong * (1 - wrong) / samples);
    if (test < most_ratio * wrong || test < wrong + most_gap + error_deviations * deviation) return MOT_OK;
    return mot_run_warn(run, RUN_OVERFITTING,
                        "%.1f %% of the training samples were right, and %.1f %% of those of '%s'",
                        100 * (1 - wrong), 100 * (1 - test), run->course.config.eval.split);
}

/* ---- */

mot_status mot_run_health_step(mot_run *run, const mot_step_result *result)
{
    mot_status status;
    count_hits(&run->reporter, &run->course, result);
    MOT_TRY(watch_routing(run, result));
    MOT_TRY(watch_loss(run, result));
    if (run->course.progress.stage != run->reporter.health->stage) begin_stage(&run->reporter, &run->course);
done:
    return status;
}
