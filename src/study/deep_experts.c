/* What a MoT adds: experts that tasks may have for themselves, at the FLOPs of one. */
#include "deep.h"

enum { ONE, FREE, FIVE, FROZEN, TOLD, GROWN, GROWN_FROZEN, GATES, LEVELS = 2, SEEDS = 10 };
static const struct {
    const char *name, *label, *settings;
} gates[GATES] = {
    [ONE] = {"one", "one transformer", "model.experts=1; route.balance_loss=0; route.noise=none; route.scale=none"},
    [FREE] = {"free", "MoT, gate learns", ""},
    [FIVE] = {"five", "MoT, gate learns five tasks", "rehearsal.gate_tasks=5"},
    [FROZEN] = {"frozen", "MoT, gate learns the first task", "rehearsal.gate_tasks=1"},
    [TOLD] = {"told", "MoT, gate is told the task", "gate.kind=fixed; gate.told=group; route.balance_loss=0; route.noise=none; route.scale=none"},
    [GROWN] = {"grown", "MoT, an expert more with each task", "rehearsal.grow=1"},
    [GROWN_FROZEN] = {"grown-frozen", "the same, older experts stand still", "rehearsal.grow=1; rehearsal.freeze_old=true"},
};

/* level 0: without memory; 1: with two samples a class. */
static study_variant *add(mot_study *study, int level, int gate)
{
    char name[32], settings[300];
    snprintf(name, sizeof name, "ten-%s", gates[gate].name);
    snprintf(settings, sizeof settings, "model.experts=10; %s%s", level == 1 ? "rehearsal.memory=2 a class; " : "", gates[gate].settings);
    return mot_deep_add(study, &(deep_trial){DEEP_CLINC, DEEP_CLEAN, DEEP_MOT, level == 1 ? DEEP_CONCURRENT : DEEP_NONE, name,
                                             settings, mot_deep_seeds(study, SEEDS)});
}

/* Told the task, with twenty samples a class in memory. */
static study_variant *add_told_many(mot_study *study)
{
    char settings[300];
    snprintf(settings, sizeof settings, "model.experts=10; rehearsal.memory=20 a class; %s", gates[TOLD].settings);
    return mot_deep_add(study, &(deep_trial){DEEP_CLINC, DEEP_CLEAN, DEEP_MOT, DEEP_CONCURRENT, "ten-told-many", settings,
                                             mot_deep_seeds(study, SEEDS)});
}

static bool is_shown(const mot_study *study, int gate)
{
    return !study->options.quick || gate == ONE || gate == FREE || gate == TOLD;
}

static mot_status plan(mot_study *study, rehearsal_numbers *unused)
{
    (void)unused;
    if (!mot_deep_find(study, DEEP_CLINC)) return MOT_OK;
    for (int level = 0; level < LEVELS; ++level)
        for (int gate = 0; gate < GATES; ++gate)
            if (is_shown(study, gate)) (void)add(study, level, gate);
    if (!study->options.quick) (void)add_told_many(study);
    return MOT_OK;
}

static void say_row(mot_study *study, int level, int gate)
{
    const study_variant *variant = add(study, level, gate), *one = add(study, level, ONE);
    const deep_mean acc = mot_deep_mean(variant, DEEP_ACC), forgetting = mot_deep_mean(variant, DEEP_FORGETTING),
                    learned = mot_deep_mean(variant, DEEP_LEARNING), unaided = mot_deep_mean(variant, DEEP_UNAIDED),
                    less = mot_deep_difference(variant, one, DEEP_FORGETTING), gain = mot_deep_difference(variant, one, DEEP_ACC),
                    nmi = mot_deep_mean(variant, DEEP_NMI);
    char text[6][96];
    mot_study_say(study, "| %s | %s | %s | %s | %s | %s | %s | %s | %.2f |\n", gate == ONE ? (level == 0 ? "no memory" : "2 a class") : "",
                  gates[gate].label, mot_deep_text(&acc, false, text[0]), gate == ONE ? "" : mot_deep_text(&gain, true, text[1]),
                  mot_deep_text(&forgetting, false, text[2]), gate == ONE ? "" : mot_deep_text(&less, true, text[3]),
                  mot_deep_text(&learned, false, text[4]), mot_deep_text(&unaided, false, text[5]), nmi.mean);
}

static mot_status draw(mot_study *study)
{
    static const char *const levels[LEVELS] = {"no memory", "2 a class"};
    const char *label[GATES];
    deep_bars bars = {.series = LEVELS, .group = label, .label = levels};
    for (int gate = 0; gate < GATES; ++gate) {
        if (!is_shown(study, gate)) continue;
        for (int level = 0; level < LEVELS; ++level)
            mot_deep_bar_set(&bars, bars.groups * LEVELS + (size_t)level, add(study, level, gate));
        label[bars.groups++] = gates[gate].name;
    }
    return mot_deep_draw_bars(study, "deep-experts", "CLINC150, clean: means over the seeds, with their 95 % intervals.", 1200, 380,
                              &bars);
}

/* NMI of expert and task after each task, of the gates that choose. */
static mot_status draw_nmi(mot_study *study)
{
    static const char *const titles[LEVELS] = {"NMI of expert and task, no memory", "NMI of expert and task, 2 a class"};
    study_curve curves[LEVELS][GATES] = {{{0}}};
    mot_series series[LEVELS][GATES];
    mot_panel panels[LEVELS];
    mot_status status = MOT_OK;
    for (int level = 0; level < LEVELS; ++level) {
        size_t count = 0;
        for (int gate = 0; gate < GATES; ++gate) {
            if (!is_shown(study, gate) || gate == ONE || gate == TOLD) continue;
            MOT_TRY(mot_study_curve_make(add(study, level, gate), mot_study_number, STUDY_NMI, STUDY_STEP, &curves[level][gate]));
            series[level][count] = mot_study_series(&curves[level][gate], gates[gate].name, (int)count + 1);
            ++count;
        }
        panels[level] = mot_study_lines(titles[level], "steps", (mot_axis){.label = ""}, series[level], count);
    }
    const mot_figure figure = {.panels = panels, .panel_count = LEVELS, .width = 1000};
    status = mot_study_draw(study, "deep-nmi",
                            "Over the stream, before it and after each of its ten tasks: median and quartiles over the seeds. Told the task "
                            "it is 1, of one transformer 0.",
                            &figure);
done:
    for (int level = 0; level < LEVELS; ++level)
        for (int gate = 0; gate < GATES; ++gate) mot_study_curve_free(&curves[level][gate]);
    return status;
}

/* Whether a gate forgets less than one transformer, and is more accurate, in both levels of memory. */
static void tell_gate(mot_study *study, int gate, const char *claim)
{
    char text[LEVELS][2][96];
    size_t less = 0, more = 0;
    for (int level = 0; level < LEVELS; ++level) {
        const study_variant *variant = add(study, level, gate), *one = add(study, level, ONE);
        const deep_mean forgetting = mot_deep_difference(variant, one, DEEP_FORGETTING), acc = mot_deep_difference(variant, one, DEEP_ACC);
        (void)mot_deep_text(&forgetting, true, text[level][0]);
        (void)mot_deep_text(&acc, true, text[level][1]);
        less += forgetting.interval.high < 0;
        more += forgetting.interval.low > 0;
    }
    mot_study_verdict(study, mot_deep_decide(less, more, LEVELS), "(%s) Forgetting %s without memory and %s with 2 a class; Acc %s and %s.", claim, text[0][0],
                      text[1][0], text[0][1], text[1][1]);
}

/* Whether memory harms experts that are told their task because it is small. */
static void tell_told(mot_study *study)
{
    char text[3][96];
    const study_variant *none = add(study, 0, TOLD), *few = add(study, 1, TOLD), *many = add_told_many(study);
    const deep_mean by_few = mot_deep_difference(few, none, DEEP_ACC), by_many = mot_deep_difference(many, none, DEEP_ACC),
                    gain = mot_deep_difference(many, few, DEEP_ACC);
    mot_study_verdict(study, mot_deep_decide(by_few.interval.high < 0 && gain.interval.low > 0, gain.interval.high < 0, 1),
                      "(Told the task, memory harms, the more the smaller it is.) Acc less that without memory: %s with 2 a class, %s with 20; "
                      "20 a class less 2: %s.",
                      mot_deep_text(&by_few, true, text[0]), mot_deep_text(&by_many, true, text[1]), mot_deep_text(&gain, true, text[2]));
}

static mot_status tell(mot_study *study, const rehearsal_numbers *unused)
{
    mot_status status = MOT_OK;
    (void)unused;
    if (!mot_deep_planned(study, DEEP_CLINC)) return MOT_OK;
    mot_study_section(study, "What experts add");
    mot_study_say(study,
                  "CLINC150, clean: one transformer against ten experts of its size, of which a sample goes to one, at its FLOPs; none "
                  "without memory, concurrent with 2 samples a class. A gate may learn all along, only in the first five tasks or the first "
                  "(arXiv 2406.16437), be told the task, so that each has an expert, or get an expert more with each task. "
                  "Of %d seeds; differences are from one transformer, seed by seed; NMI is that of expert and task at the end.\n\n"
                  "| memory | gate | Acc | difference | forgetting | difference | learned | Acc, task not known | NMI |\n"
                  "|---|---|---|---|---|---|---|---|---|\n",
                  mot_deep_seeds(study, SEEDS));
    for (int level = 0; level < LEVELS; ++level)
        for (int gate = 0; gate < GATES; ++gate)
            if (is_shown(study, gate)) say_row(study, level, gate);
    mot_study_say(study, "\n");
    MOT_TRY(draw(study));
    MOT_TRY(draw_nmi(study));
    tell_gate(study, FREE, "A gate that learns forgets less than one transformer.");
    if (!study->options.quick) {
        tell_gate(study, FIVE, "So does one that learns five tasks.");
        tell_gate(study, FROZEN, "So does one that learns the first task alone.");
        tell_gate(study, GROWN, "So do experts that come with tasks.");
        tell_gate(study, GROWN_FROZEN, "So do they where older ones stand still.");
    }
    tell_gate(study, TOLD, "So does a gate that is told the task.");
    if (!study->options.quick) tell_told(study);
    mot_study_say(study,
                  "Forgetting alone says little: what was learned less well can be forgotten less, and where a gate forgets less than one "
                  "transformer it has also learned less (learned), unless it is told the task. It does not find the tasks: expert and task "
                  "share almost nothing (NMI). Told the task, experts share nothing and without memory nothing is forgotten, by "
                  "construction: an upper bound, not a method.\n\n");
done:
    return status;
}

const rehearsal_claim mot_deep_experts = {"deep experts", plan, tell};
