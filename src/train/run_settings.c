/* Settings that have no effect, or another one than they seem to have: said as a run begins. What could be meant by none is
 * refused where the configuration is read (config_check.c). */
#include "run_private.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "mot/gate.h"
#include "mot/log.h"
#include "mot/memory.h"
#include "mot/stage.h"
#include "mot/stage_action.h"

/* An epoch is less than a step then. */
static void warn_of_batch(const run_world *world, const run_course *course)
{
    const mot_gidx samples = world->train.dataset->samples, batch = (mot_gidx)course->config.train.batch;
    if (samples == MOT_ENDLESS || batch <= samples) return;
    mot_log(MOT_LOG_WARNING,
            "train.batch = %" MOT_PRI_GIDX " is more than the %" MOT_PRI_GIDX
            " training samples: each step has some twice, and an epoch is less than a step",
            batch, samples);
}

/* Settings that no stage has an optimizer for, of experts or gate, and a rate at which none learns. */
static void warn_of_optimizer(const run_course *course, const mot_stage_config *usual)
{
    bool adamw = false, other = false, rate = false, betas = false;
    double momentum = 0;
    for (int s = 0; s < course->config.stages; ++s) {
        const mot_stage_config *stage = &course->config.stage[s];
        const mot_optimizer_config *const both[] = {&stage->expert, &stage->gate};
        for (size_t i = 0; i < MOT_COUNT(both); ++i) {
            adamw = adamw || both[i]->kind == MOT_ADAMW;
            other = other || both[i]->kind != MOT_ADAMW;
            rate = rate || both[i]->rate != 0;
            momentum = MOT_MAX(momentum, both[i]->momentum);
            betas = betas || both[i]->beta1 != usual->expert.beta1 ||
                    both[i]->beta2 != usual->expert.beta2;
        }
    }
    if (!other && momentum != 0)
        mot_log(MOT_LOG_WARNING,
                "train.momentum = %g has no effect while train.optimizer is adamw, which has beta1", momentum);
    if (!adamw && betas)
        mot_log(MOT_LOG_WARNING,
                "train.beta1 and train.beta2 have no effect while train.optimizer is not adamw; others have "
                "momentum");
    if (!rate) mot_log(MOT_LOG_WARNING, "train.rate = 0: nothing learns");
}

/* What is done with samples of another kind. */
static void warn_of_samples(const run_world *world, const run_course *course, const mot_config *usual)
{
    static const char *const kind[] = {[MOT_SAMPLE_PICTURE] = "pictures", [MOT_SAMPLE_TEXT] = "texts", [MOT_SAMPLE_VECTOR] = "vectors"};
    const mot_config *config = &course->config;
    const mot_sample_kind is = world->train.dataset->format.kind;
    const struct {
        const char *key;
        mot_sample_kind of;
        bool asked;
    } setting[] = {{"model.patch", MOT_SAMPLE_PICTURE, config->model.patch != usual->model.patch},
                   {"data.augment.shift", MOT_SAMPLE_PICTURE, config->data.augment.shift > 0},
                   {"data.augment.flip", MOT_SAMPLE_PICTURE, config->data.augment.flip},
                   {"data.augment.drop", MOT_SAMPLE_TEXT, config->data.augment.drop > 0}};
    for (size_t i = 0; i < MOT_COUNT(setting); ++i)
        if (setting[i].asked && setting[i].of != is)
            mot_log(MOT_LOG_WARNING, "%s has no effect: it is of %s, and the samples are %s", setting[i].key, kind[setting[i].of],
                    kind[is]);
}

/* A size of what is not there. */
static void warn_of_no_noise(const run_course *course, const mot_stage_config *usual)
{
    const mot_config *config = &course->config;
    bool noise = config->layers > 0 /* each may have its own */, scale = false;
    for (int s = 0; s < config->stages; ++s) {
        noise = noise || config->stage[s].explore.noise != MOT_NOISE_NONE;
        scale = scale || config->stage[s].explore.noise_scale != usual->explore.noise_scale;
    }
    if (scale && !noise) mot_log(MOT_LOG_WARNING, "route.noise_scale has no effect while route.noise is none");
}

/* Choices stay random to the end where the noise has not fallen by then. */
static void warn_of_noise(const run_world *world, const run_course *course)
{
    const mot_config *config = &course->config;
    const mot_gidx steps = mot_run_steps(config, world->train.dataset->samples);
    const mot_exploration *explore = &config->stage[config->stages - 1].explore;
    mot_route_config route = {.explore = *explore};
    if (steps == 0 || explore->noise == MOT_NOISE_NONE) return;
    if (explore->noise_steps.steps > steps)
        mot_log(MOT_LOG_WARNING,
                "route.noise_steps = %" MOT_PRI_GIDX " is beyond the end of the run (%" MOT_PRI_GIDX
                " steps), where the noise is still %.3g, and not %.3g",
                explore->noise_steps.steps, steps, mot_noise_scale(&route, steps), explore->noise_end);
}

/* Outputs begin near 0 and at about 1: numbers of another size take as long to reach as they are large. */
static void warn_of_targets(const run_world *world)
{
    enum { LOOKED_AT = 256 };
    const double most = 1e3;
    const mot_dataset *set = world->train.dataset;
    const size_t numbers = set->target_bytes / sizeof(float);
    const mot_gidx samples = MOT_MIN((mot_gidx)LOOKED_AT, set->samples);
    double squares = 0;
    if (world->classes > 0 || set->target == NULL) return;
    for (size_t i = 0; i < (size_t)samples * numbers; ++i) {
        float y;
        memcpy(&y, set->target + i * sizeof y, sizeof y);
        squares += (double)y * (double)y;
    }
    const double size = sqrt(squares / ((double)samples * (double)numbers));
    if (size > most)
        mot_log(MOT_LOG_WARNING,
                "targets are numbers of about %.0e, and outputs begin at about 1: they are learned where they are brought to a "
                "deviation of about 1 (divide them before they are imported)",
                size);
}

/* Parts that the model has. */
static mot_part_set parts_of(const mot_units *units)
{
    mot_part_set parts = 0;
    for (size_t u = 0; u < units->count; ++u)
        for (size_t row = 0; row < units->unit[u].table->rows; ++row) parts |= 1u << units->unit[u].table->row[row].part;
    return parts;
}

/* "gate, ffn" */
static void list_parts(mot_part_set parts, char *text, size_t size)
{
    size_t used = 0;
    text[0] = '\0';
    for (int part = 0; part < MOT_PARTS; ++part)
        if (parts >> part & 1u)
            used += (size_t)snprintf(text + used, size - used, "%s%s", used > 0 ? ", " : "", mot_part_name[part]);
}

static void warn_of_parts(const run_world *world, const run_course *course)
{
    const mot_part_set has = parts_of(&world->model.units);
    char learns[64], there[64];
    for (int s = 0; s < course->config.stages; ++s) {
        const mot_stage_config *stage = &course->config.stage[s];
        if ((stage->train & has) != 0) continue;
        list_parts(stage->train, learns, sizeof learns);
        list_parts(has, there, sizeof there);
        mot_log(MOT_LOG_WARNING, "stage '%s': train = [%s]: nothing learns, since all that the model has is %s", stage->name,
                learns, there);
    }
}

static void say_no_choice(const char *key, const mot_gate_kind *gate)
{
    mot_log(MOT_LOG_WARNING, "%s has no effect with gate.kind = %s, which sends every sample to every expert", key,
            gate->kind.name);
}

/* Where nothing is chosen. */
static void warn_of_choices(const run_course *course, const mot_stage_config *usual)
{
    const mot_gate_kind *gate = mot_gate_kind_at(course->config.gate.kind);
    const mot_exploration *as_usual = &usual->explore;
    bool noise = false, balance = false;
    for (int s = 0; s < course->config.stages; ++s) {
        const mot_exploration *explore = &course->config.stage[s].explore;
        noise = noise || (explore->noise != MOT_NOISE_NONE &&
                          (explore->noise != as_usual->noise || explore->noise_scale != as_usual->noise_scale ||
                           explore->noise_end != as_usual->noise_end));
        balance = balance || (explore->balance_loss != 0 && explore->balance_loss != as_usual->balance_loss);
    }
    if (gate->spread && noise) say_no_choice("route.noise", gate);
    if (gate->spread && balance) say_no_choice("route.balance_loss", gate);
}

/* Of action prune. */
static void warn_of_pruning(const run_course *course, const mot_stage_config *usual)
{
    bool prunes = false, asks = false;
    for (int s = 0; s < course->config.stages; ++s) {
        const mot_stage_config *stage = &course->config.stage[s];
        const bool here = strcmp(mot_stage_action_at(stage->action)->kind.name, "prune") == 0,
                   one_by_one = stage->prune.rule == MOT_PRUNE_GROUP || stage->prune.rule == MOT_PRUNE_SINGLE;
        prunes = prunes || here;
        asks = asks || memcmp(&stage->prune, &usual->prune, sizeof stage->prune) != 0;
        if (here && !one_by_one && stage->prune.keep > 0)
            mot_log(MOT_LOG_WARNING, "stage '%s': prune_keep = %d has no effect with this prune_rule: it is of group and single",
                    stage->name, stage->prune.keep);
    }
    if (asks && !prunes)
        mot_log(MOT_LOG_WARNING, "prune_rule, prune_keep, prune_tolerance and prune_cosine have no effect: no stage has action prune");
}

/* A strategy that has nothing to rehearse. */
static void warn_of_memory(const run_world *world, const run_course *course)
{
    const mot_rehearsal_config *rehearsal = &course->config.rehearsal;
    mot_memory_size size;
    (void)mot_memory_size_parse(rehearsal->memory, rehearsal->memory_form, &size); /* it has been checked */
    if (size.unit == MOT_MEMORY_BYTES) size.amount /= (mot_gidx)world->train_set.format.bytes;
    if (size.amount > 0 || !mot_rehearsal_remembers(rehearsal)) return;
    mot_log(MOT_LOG_WARNING,
            "rehearsal.memory = %s holds no sample of old tasks: each task learns from its own alone, as with rehearsal.strategy = none",
            rehearsal->memory);
}

void mot_run_warn_of_settings(const run_world *world, const run_course *course)
{
    mot_config *usual = NULL;
    if (mot_allocate_sparse(&usual, 1, sizeof *usual, "what is usual") == MOT_OK) mot_config_defaults(usual);
    warn_of_batch(world, course);
    if (usual != NULL) warn_of_samples(world, course, usual);
    if (usual != NULL) warn_of_optimizer(course, &usual->stage[0]);
    warn_of_noise(world, course);
    if (usual != NULL) warn_of_no_noise(course, &usual->stage[0]);
    warn_of_targets(world);
    warn_of_parts(world, course);
    if (usual != NULL) warn_of_choices(course, &usual->stage[0]);
    if (usual != NULL) warn_of_pruning(course, &usual->stage[0]);
    warn_of_memory(world, course);
    mot_free(usual);
}
