/* What is said when a run goes wrong, once, with the keys and values that cure it. tests/run/health.py tries each. */
#include "run_health.h"

#include <stdarg.h>
#include <stdio.h>

#include "mot/log.h"

enum { CURE = 160 }; /* bytes of its text */

static const char *const names[RUN_WARNINGS] = {
    [RUN_CONSTANT_GATE] = "constant_gate", [RUN_ONE_EXPERT] = "one_expert",
    [RUN_IDLE_EXPERTS] = "idle_experts",   [RUN_RISING_LOSS] = "rising_loss",
    [RUN_OVERFITTING] = "overfitting",
};

/* ---- cures, as they stand on a command line ---- */

/* The stage of the last step, after which the next one may have begun. */
static int stage_index(const run_course *course)
{
    const mot_progress *progress = &course->progress;
    const bool next = progress->stage < mot_stage_count(&course->config) && progress->stage_first == progress->step;
    return MOT_MAX(0, MOT_MIN(progress->stage, mot_stage_count(&course->config) - 1) - next);
}

static const mot_stage_config *stage_now(const run_course *course)
{
    return mot_stage_at(&course->config, stage_index(course));
}

static void cure_gate(const mot_run *run, char cure[CURE])
{
    const mot_config *config = &run->course.config;
    if (run_gate_is_deaf(config))
        snprintf(cure, CURE, "route.scale=prob");
    else if (config->gate.input != MOT_GATE_FLAT && run->world.model.layer->gate.tokens == 0)
        snprintf(cure, CURE, "gate.input=flat");
    else
        snprintf(cure, CURE, "train.gate_rate=%g", 10 * stage_now(&run->course)->gate.rate);
}

static void cure_routing(const mot_run *run, char cure[CURE])
{
    const mot_config *config = &run->course.config;
    const mot_route_config *first = run->world.model.layer->route;
    const mot_exploration explore = mot_explore(first, &stage_now(&run->course)->explore);
    int layer = 0;
    while (layer + 1 < config->layers && config->layer[layer].role != MOT_LAYER_EXPERTS) ++layer;
    char of[32] = "";
    if (first->own >> MOT_OWN_BALANCE_LOSS & 1u) snprintf(of, sizeof of, "model.layers.%d.", layer);
    snprintf(cure, CURE, "%sroute.balance_loss=%g", of, MOT_MAX(1, 3 * explore.balance_loss));
}

static void cure_loss(const mot_run *run, char cure[CURE])
{
    char key[64];
    mot_config_stage_key(&run->course.config, stage_index(&run->course), "rate", key, sizeof key);
    snprintf(cure, CURE, "%s=%g", key, stage_now(&run->course)->expert.rate / 10);
}

static void cure_overfitting(const mot_run *run, char cure[CURE])
{
    const mot_sample_kind kind = run->world.train_set.format.kind;
    const mot_augment_config *augment = &run->course.config.data.augment;
    if (kind == MOT_SAMPLE_TEXT && augment->drop < 0.5)
        snprintf(cure, CURE, "data.augment.drop=0.5");
    else if (kind == MOT_SAMPLE_PICTURE && augment->shift == 0)
        snprintf(cure, CURE, "data.augment.shift=1");
    else if (mot_model_choices(&run->world.model) < (size_t)run->world.model.layer->experts)
        snprintf(cure, CURE, "route.top_k=all"); /* every expert learns from every sample */
    else /* what is learned stays as it is: the best on the way is kept */
        snprintf(cure, CURE, "checkpoint.best=true eval.every=%" MOT_PRI_GIDX,
                 MOT_MAX(1, run->course.progress.step / 10));
}

static void (*const cures[RUN_WARNINGS])(const mot_run *run, char cure[CURE]) = {
    [RUN_CONSTANT_GATE] = cure_gate,   [RUN_ONE_EXPERT] = cure_routing,
    [RUN_IDLE_EXPERTS] = cure_routing, [RUN_RISING_LOSS] = cure_loss,
    [RUN_OVERFITTING] = cure_overfitting,
};

/* ---- saying and remembering ---- */

static mot_status log_warning(mot_run *run, run_warning warning, const char *seen, const char *cure)
{
    mot_json *json = mot_json_begin();
    mot_json_int(json, "step", run->course.progress.step);
    mot_json_int(json, "stage", stage_index(&run->course));
    mot_json_text(json, "warning", names[warning]);
    mot_json_text(json, "seen", seen);
    mot_json_text(json, "cure", cure);
    return mot_record_log_json(run->keeper.record, json);
}

mot_status mot_run_warn(mot_run *run, run_warning warning, const char *format, ...)
{
    char seen[MOT_SENTENCE], cure[CURE];
    va_list args;
    if (run->reporter.warned >> warning & 1u) return MOT_OK;
    run->reporter.warned |= 1u << warning;
    va_start(args, format);
    vsnprintf(seen, sizeof seen, format, args);
    va_end(args);
    cures[warning](run, cure);
    mot_log(MOT_LOG_WARNING, "%s after step %" MOT_PRI_GIDX ": %s; try %s (docs/operations.md)",
            names[warning], run->course.progress.step, seen, cure);
    return log_warning(run, warning, seen, cure);
}

void mot_run_put_warnings(const run_reporter *reporter, mot_json *json)
{
    const char *said[RUN_WARNINGS];
    size_t count = 0;
    for (int w = 0; w < RUN_WARNINGS; ++w)
        if (reporter->warned >> w & 1u) said[count++] = names[w];
    mot_json_texts(json, "warnings", count, (char *const *)said);
}

mot_status mot_run_recall_warnings(mot_run *run)
{
    mot_status status = MOT_OK;
    MOT_TRY(mot_record_find(run->keeper.record, "warning", RUN_WARNINGS, names, &run->reporter.warned));
done:
    return status;
}
