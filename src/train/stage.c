#include "mot/stage.h"

#include <math.h>

#include "mot/stage_action.h"

mot_gidx mot_stage_steps(const mot_config *config, int stage, mot_gidx samples)
{
    const mot_until *until = &mot_stage_at(config, stage)->until;
    mot_gidx steps = until->steps;
    if (until->epochs > 0) {
        const double epoch = (double)mot_stage_epoch(config, samples) / (double)config->train.batch;
        const mot_gidx by_epochs = (mot_gidx)ceil(until->epochs * epoch);
        if (steps == 0 || by_epochs < steps) steps = by_epochs;
    }
    return steps;
}

mot_gidx mot_steps_left(const mot_config *config, mot_gidx samples, const mot_progress *progress)
{
    mot_gidx sum = 0;
    for (int s = progress->stage; s < mot_stage_count(config); ++s) {
        const mot_gidx steps = mot_stage_steps(config, s, samples);
        if (steps == 0) return -1;
        sum += s == progress->stage ? steps - (progress->step - progress->stage_first) : steps;
    }
    return sum;
}

mot_gidx mot_run_steps(const mot_config *config, mot_gidx samples)
{
    const mot_progress beginning = {0};
    return MOT_MAX(mot_steps_left(config, samples, &beginning), 0);
}

/* A power of two, such that an epoch has BATCHES_AN_EPOCH steps or a few more: a small set takes as many steps as it needs
 * to learn in some epochs, and a large one has batches that fill the processor. */
enum { BATCHES_AN_EPOCH = 16, LEAST_BATCH = 8, MOST_BATCH = 128 };
enum { STEPS_OF_NO_END = 1000 }; /* of noise, in a run whose length is not known */

static size_t fitting_batch(mot_gidx samples)
{
    size_t batch = LEAST_BATCH;
    while (batch < MOST_BATCH && (mot_gidx)(2 * batch * BATCHES_AN_EPOCH) <= samples) batch *= 2;
    return batch;
}

static void resolve_rate(double *rate, mot_sample_kind kind)
{
    if (*rate != MOT_RATE_AUTO) return;
    *rate = kind == MOT_SAMPLE_TEXT ? 1e-2 : kind == MOT_SAMPLE_PICTURE ? 3e-3 : 1e-3;
}

/* Of a run of so many steps; 0: nobody knows. */
static mot_status resolve_span(mot_span *span, mot_gidx steps, const char *whose)
{
    if (span->percent == 0) return MOT_OK;
    if (span->percent != MOT_SPAN_AUTO && steps == 0)
        return mot_fail(MOT_ERR_INPUT,
                        "%s: noise_steps = %g%% of a run whose length is not known: give steps, or every "
                        "stage an end in steps or epochs",
                        whose, span->percent);
    span->steps = span->percent != MOT_SPAN_AUTO ? MOT_MAX(1, (mot_gidx)llround(span->percent / 100 * (double)steps))
                  : steps > 0                    ? steps
                                                 : STEPS_OF_NO_END;
    return MOT_OK;
}

mot_status mot_stages_resolve(mot_config *config, mot_gidx samples, mot_sample_kind kind)
{
    for (int s = 0; s < config->stages; ++s) {
        resolve_rate(&config->stage[s].expert.rate, kind);
        resolve_rate(&config->stage[s].gate.rate, kind);
    }
    if (config->train.batch == 0) config->train.batch = fitting_batch(mot_stage_epoch(config, samples));
    if ((size_t)config->route.chunks > config->train.batch)
        return mot_fail(MOT_ERR_INPUT, "route.chunks = %d is more than train.batch = auto, which is %zu here",
                        config->route.chunks, config->train.batch);
    const mot_gidx steps = mot_run_steps(config, samples);
    char whose[80];
    mot_status status = MOT_OK;
    for (int s = 0; s < config->stages && status == MOT_OK; ++s) {
        snprintf(whose, sizeof whose, "stage '%s'", config->stage[s].name);
        status = resolve_span(&config->stage[s].explore.noise_steps, steps, whose);
    }
    for (int i = 0; i < config->layers && status == MOT_OK; ++i) {
        snprintf(whose, sizeof whose, "model.layers.%d", i);
        status = resolve_span(&config->layer[i].route.explore.noise_steps, steps, whose);
    }
    return status;
}

mot_gidx mot_stage_schedule_steps(const mot_config *config, int stage, mot_gidx samples)
{
    const mot_gidx own = mot_stage_at(config, stage)->schedule_steps;
    return own > 0 ? own : mot_stage_steps(config, stage, samples);
}

/* What schedule_steps may not be. */
static mot_status check_schedule(const mot_stage_config *stage, mot_gidx steps)
{
    if (stage->schedule_steps == 0) return MOT_OK;
    if (stage->schedule == MOT_SCHEDULE_CONSTANT)
        return mot_fail(MOT_ERR_INPUT,
                        "stage '%s': schedule_steps = %" MOT_PRI_GIDX
                        " has no effect while schedule is constant",
                        stage->name, stage->schedule_steps);
    if (stage->schedule_steps <= stage->warmup)
        return mot_fail(MOT_ERR_INPUT,
                        "stage '%s': schedule_steps = %" MOT_PRI_GIDX
                        " is over before the warm-up of %" MOT_PRI_GIDX " steps is",
                        stage->name, stage->schedule_steps, stage->warmup);
    if (stage->final_rate == 0 && (steps == 0 || stage->schedule_steps < steps))
        return mot_fail(MOT_ERR_INPUT,
                        "stage '%s': after %" MOT_PRI_GIDX
                        " steps its schedule has come to a rate of 0, with which the "
                        "rest of until = '%s' would learn nothing: give more schedule_steps, or final_rate",
                        stage->name, stage->schedule_steps, stage->until.text);
    return MOT_OK;
}

mot_status mot_stages_check(const mot_config *config, mot_gidx samples)
{
    for (int s = 0; s < config->stages; ++s) {
        const mot_stage_config *stage = &config->stage[s];
        if (samples == MOT_ENDLESS && stage->until.epochs > 0)
            return mot_fail(
                MOT_ERR_INPUT,
                "stage '%s': until = '%s', but samples that are always fresh have no epochs: give steps, "
                "or a size of the training set (data.mixture.train, data.teacher.train)",
                stage->name, stage->until.text);
        if (stage->schedule != MOT_SCHEDULE_CONSTANT && stage->schedule != MOT_SCHEDULE_AUTO &&
            mot_stage_schedule_steps(config, s, samples) == 0)
            return mot_fail(
                MOT_ERR_INPUT,
                "stage '%s': a linear or cosine schedule needs an end in steps or epochs, until = '%s', "
                "or schedule_steps",
                stage->name, stage->until.text);
        const mot_status status = check_schedule(stage, mot_stage_steps(config, s, samples));
        if (status != MOT_OK) return status;
    }
    return MOT_OK;
}

double mot_stage_factor(const mot_stage_config *stage, mot_gidx done, mot_gidx steps)
{
    if (done < stage->warmup) return (double)(done + 1) / (double)(stage->warmup + 1);
    if (stage->schedule == MOT_SCHEDULE_CONSTANT || steps <= stage->warmup) return 1;
    const double t = fmin(1, (double)(done - stage->warmup) / (double)(steps - stage->warmup));
    const double left = stage->schedule == MOT_SCHEDULE_LINEAR ? 1 - t
                                                               : 0.5 * (1 + cos(3.14159265358979323846 * t));
    return stage->final_rate + (1 - stage->final_rate) * left;
}

bool mot_stage_keep_schedule(mot_config *config, const mot_config *former, mot_gidx samples,
                             const mot_progress *progress)
{
    if (progress->stage == mot_stage_count(config)) return false;
    mot_stage_config *stage = &config->stage[progress->stage % config->stages];
    const mot_gidx done = progress->step - progress->stage_first,
                   before = mot_stage_schedule_steps(former, progress->stage, samples);
    if (stage->schedule == MOT_SCHEDULE_CONSTANT || stage->schedule_steps > 0 || done <= stage->warmup ||
        before <= stage->warmup || before == mot_stage_steps(config, progress->stage, samples))
        return false;
    stage->schedule_steps = before;
    return true;
}

/* Each clause has windows of its own: a sum over the current one, the mean of the one before. */
static void forget_windows(mot_progress *progress)
{
    progress->window_steps = progress->purity_steps = 0;
    progress->windows = progress->purity_windows = 0;
    progress->window_loss = progress->previous_loss = 0;
    progress->window_purity = progress->previous_purity = 0;
    progress->previous_alignment = 0;
}

/* Adds a step's figure; true when that fills the window, whose mean is then *mean. */
static bool fill_window(mot_gidx window, double figure, mot_gidx *steps, double *sum, double *mean)
{
    if (window == 0) return false;
    *sum += figure;
    if (++*steps < window) return false;
    *mean = *sum / (double)*steps;
    *steps = 0;
    *sum = 0;
    return true;
}

static bool loss_plateau(const mot_until *until, double loss, mot_progress *progress)
{
    double mean;
    if (!fill_window(until->loss_plateau, loss, &progress->window_steps, &progress->window_loss, &mean))
        return false;
    const bool ended = progress->windows > 0 && mean > progress->previous_loss * (1 - 1e-3);
    progress->previous_loss = mean;
    ++progress->windows;
    return ended;
}

static bool purity_plateau(const mot_until *until, double purity, mot_progress *progress)
{
    double mean;
    if (!fill_window(until->purity_plateau, purity, &progress->purity_steps, &progress->window_purity, &mean))
        return false;
    const bool ended = progress->purity_windows > 0 && mean < progress->previous_purity + 0.005;
    progress->previous_purity = mean;
    ++progress->purity_windows;
    return ended;
}

static bool ends_window(const mot_until *until, mot_gidx done)
{
    return until->alignment_plateau > 0 && done % until->alignment_plateau == 0;
}

bool mot_stage_asks_alignment(const mot_config *config, const mot_progress *progress)
{
    return ends_window(&mot_stage_at(config, progress->stage)->until, progress->step + 1 - progress->stage_first);
}

static bool alignment_plateau(const mot_until *until, mot_gidx done, double alignment, mot_progress *progress)
{
    if (!ends_window(until, done)) return false;
    const bool ended = progress->previous_alignment > 0 && alignment < progress->previous_alignment + 0.005;
    progress->previous_alignment = alignment;
    return ended;
}

void mot_stage_end(const mot_config *config, mot_progress *progress)
{
    if (++progress->stage == mot_stage_count(config)) return; /* its figures stay: it may be made longer */
    progress->stage_first = progress->step;
    forget_windows(progress);
}

bool mot_stage_advance(const mot_config *config, mot_gidx samples, const mot_stage_seen *seen, mot_progress *progress)
{
    const mot_until *until = &mot_stage_at(config, progress->stage)->until;
    const bool learned = !isnan(seen->loss);
    ++progress->step;
    const mot_gidx done = progress->step - progress->stage_first;
    const mot_gidx steps = mot_stage_steps(config, progress->stage, samples);
    bool ended = (steps > 0 && done >= steps) || (until->loss_below > 0 && seen->loss < until->loss_below);
    if (learned) ended = loss_plateau(until, seen->loss, progress) || ended;
    if (learned) ended = purity_plateau(until, seen->purity, progress) || ended;
    ended = alignment_plateau(until, done, seen->alignment, progress) || ended;
    if (ended) mot_stage_end(config, progress);
    return ended;
}

mot_status mot_stage_reopen(const mot_config *config, mot_gidx samples, mot_gidx former_steps,
                            mot_progress *progress, bool *next)
{
    const int at = MOT_MIN(progress->stage, mot_stage_count(config) - 1);
    const mot_stage_config *stage = mot_stage_at(config, at);
    const mot_gidx steps = mot_stage_steps(config, at, samples),
                   done = progress->step - progress->stage_first;
    *next = false;
    if (steps > 0 && done > steps)
        return mot_fail(MOT_ERR_INPUT,
                        "stage '%s': until = '%s' ends after %" MOT_PRI_GIDX " steps, but %" MOT_PRI_GIDX
                        " of it are done: give as many or more, or choose another run folder (run=...)",
                        stage->name, stage->until.text, steps, done);
    if (progress->action_left) return MOT_OK; /* it has ended, whatever is given now */
    const bool over = progress->stage == mot_stage_count(config), ends = !over && steps > 0 && done == steps,
               opens = over && done == former_steps && (steps == 0 || steps > done);
    const mot_stage_action *action = mot_stage_action_at(stage->action);
    if (ends && action->run != NULL)
        return mot_fail(MOT_ERR_INPUT,
                        "stage '%s': until = '%s' ends it where it stands, after %" MOT_PRI_GIDX
                        " steps, but action = %s is done behind a step: give one more",
                        stage->name, stage->until.text, done, action->kind.name);
    if (opens && action->run != NULL)
        return mot_fail(MOT_ERR_INPUT,
                        "stage '%s': its end, after %" MOT_PRI_GIDX " steps, has done action = %s, so that it cannot "
                        "be made longer: choose another run folder (run=...)",
                        stage->name, done, action->kind.name);
    if (ends) mot_stage_end(config, progress);
    if (opens) --progress->stage;
    *next = ends;
    return MOT_OK;
}
