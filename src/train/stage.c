#include "mot/stage.h"

#include <math.h>

mot_gidx mot_stage_steps(const mot_stage_config *stage, mot_gidx samples, size_t batch)
{
    mot_gidx steps = stage->until.steps;
    if (stage->until.epochs > 0) {
        const mot_gidx by_epochs = (mot_gidx)ceil(stage->until.epochs * (double)samples / (double)batch);
        if (steps == 0 || by_epochs < steps) steps = by_epochs;
    }
    return steps;
}

mot_status mot_stages_check(const mot_config *config, mot_gidx samples)
{
    for (int s = 0; s < config->stages; ++s) {
        const mot_stage_config *stage = &config->stage[s];
        if (samples == MOT_ENDLESS && stage->until.epochs > 0)
            return mot_fail(
                MOT_ERR_INPUT,
                "stage '%s': until = '%s', but samples that are always fresh have no epochs: give steps, "
                "or data.mixture.train",
                stage->name, stage->until.text);
        if (stage->schedule != MOT_SCHEDULE_CONSTANT &&
            mot_stage_steps(stage, samples, config->train.batch) == 0)
            return mot_fail(
                MOT_ERR_INPUT,
                "stage '%s': a linear or cosine schedule needs an end in steps or epochs, until = '%s'",
                stage->name, stage->until.text);
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

static void begin_window(mot_progress *progress)
{
    progress->window_steps = 0;
    progress->window_loss = progress->window_purity = 0;
}

/* Closes a full window: does either plateau clause hold? */
static bool plateau(const mot_until *until, mot_progress *progress)
{
    const double loss = progress->window_loss / (double)progress->window_steps;
    const double purity = progress->window_purity / (double)progress->window_steps;
    const bool first = progress->windows == 0;
    const bool ended = !first && ((until->loss_plateau > 0 && loss > progress->previous_loss * (1 - 1e-3)) ||
                                  (until->purity_plateau > 0 && purity < progress->previous_purity + 0.005));
    progress->previous_loss = loss;
    progress->previous_purity = purity;
    ++progress->windows;
    begin_window(progress);
    return ended;
}

bool mot_stage_advance(const mot_config *config, mot_gidx samples, double loss, double purity,
                       mot_progress *progress)
{
    const mot_stage_config *stage = &config->stage[progress->stage];
    const mot_until *until = &stage->until;
    const bool learned = !isnan(loss);
    ++progress->step;
    if (learned) {
        ++progress->window_steps;
        progress->window_loss += loss;
        progress->window_purity += purity;
    }

    const mot_gidx done = progress->step - progress->stage_first;
    const mot_gidx steps = mot_stage_steps(stage, samples, config->train.batch);
    const mot_gidx window = MOT_MAX(until->loss_plateau, until->purity_plateau);
    bool ended = (steps > 0 && done >= steps) || (until->loss_below > 0 && loss < until->loss_below);
    if (learned && window > 0 && progress->window_steps == window) ended = plateau(until, progress) || ended;
    if (!ended) return false;
    if (++progress->stage == config->stages) return true; /* its figures stay: it may be made longer */
    progress->stage_first = progress->step;
    progress->windows = 0;
    progress->previous_loss = progress->previous_purity = 0;
    begin_window(progress);
    return true;
}

void mot_stage_reopen(const mot_config *config, mot_gidx samples, mot_gidx former_steps,
                      mot_progress *progress)
{
    const mot_gidx steps = mot_stage_steps(&config->stage[config->stages - 1], samples, config->train.batch),
                   done = progress->step - progress->stage_first;
    if (progress->stage == config->stages && done == former_steps && (steps == 0 || steps > done))
        --progress->stage;
}
