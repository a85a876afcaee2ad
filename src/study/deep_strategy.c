/* The claims about strategies at equal steps: how near to joint training, and hybrid against concurrent rehearsal. */
#include <math.h>
#include <string.h>

#include "deep.h"

static const char *const form_names[DEEP_FORMS] = {"clean", "changed"};
static const char *const model_names[DEEP_MODELS] = {"one transformer", "MoT of 4"};

static int models_of(const mot_study *study)
{
    return study->options.quick ? DEEP_MOT : DEEP_MODELS;
}

static mot_status plan(mot_study *study, rehearsal_numbers *unused)
{
    (void)unused;
    for (int set = 0; set < DEEP_SETS; ++set) {
        if (!mot_deep_find(study, set)) continue;
        for (int form = 0; form < DEEP_FORMS; ++form)
            for (int model = 0; model < DEEP_MODELS; ++model)
                for (int s = 0; s < DEEP_STRATEGIES; ++s)
                    if (model < models_of(study)) (void)mot_deep_usual(study, set, form, (deep_model)model, s);
    }
    return MOT_OK;
}

/* Of a stream and a model: its strategies. */
typedef struct setting {
    int set, form;
    deep_model model;
    const study_variant *of[DEEP_STRATEGIES];
    char name[64];
} setting;
enum { MOST_SETTINGS = DEEP_SETS * DEEP_FORMS * DEEP_MODELS };
_Static_assert(DEEP_STRATEGIES * DEEP_FORMS * DEEP_MODELS <= DEEP_BARS, "a picture has room for all settings of a data set");

static size_t list_settings(mot_study *study, setting settings[MOST_SETTINGS])
{
    size_t count = 0;
    for (int set = 0; set < DEEP_SETS; ++set) {
        if (!mot_deep_planned(study, set)) continue;
        for (int model = 0; model < models_of(study); ++model)
            for (int form = 0; form < DEEP_FORMS; ++form) {
                setting *to = &settings[count++];
                *to = (setting){.set = set, .form = form, .model = (deep_model)model};
                for (int s = 0; s < DEEP_STRATEGIES; ++s)
                    to->of[s] = mot_deep_usual(study, set, form, (deep_model)model, s);
                snprintf(to->name, sizeof to->name, "%s, %s, %s", mot_deep_sets[set].brief, form_names[form], model_names[model]);
            }
    }
    return count;
}

static void say_table(mot_study *study, const setting *of)
{
    static const deep_value columns[] = {DEEP_ACC, DEEP_FORGETTING, DEEP_LEARNING, DEEP_UNAIDED, DEEP_UNAIDED_FORGETTING};
    char text[96];
    for (int s = 0; s < DEEP_STRATEGIES; ++s) {
        mot_study_say(study, "| %s | %d | %s |", s == 0 ? of->name : "", of->of[s]->seeds, mot_deep_strategies[s]);
        for (size_t c = 0; c < MOT_COUNT(columns); ++c) {
            const deep_mean mean = mot_deep_mean(of->of[s], columns[c]);
            mot_study_say(study, " %s |", mot_deep_text(&mean, false, text));
        }
        mot_study_say(study, "\n");
    }
}

static mot_status keep(mot_study *study, const setting *of)
{
    double values[DEEP_STRATEGIES][DEEP_VALUES][STUDY_MOST_SEEDS], all[DEEP_STRATEGIES * DEEP_VALUES * STUDY_MOST_SEEDS];
    const size_t seeds = (size_t)of->of[0]->seeds;
    char name[64];
    for (int s = 0; s < DEEP_STRATEGIES; ++s)
        for (int v = 0; v < DEEP_VALUES; ++v) {
            mot_deep_values(of->of[s], (deep_value)v, values[s][v]);
            memcpy(&all[((size_t)s * DEEP_VALUES + (size_t)v) * seeds], values[s][v], seeds * sizeof *all);
        }
    snprintf(name, sizeof name, "%s-%s-%s", mot_deep_sets[of->set].name, form_names[of->form], of->model == DEEP_ONE ? "one" : "mot");
    return mot_study_keep(study, "deep", name, 3, (const hsize_t[]){DEEP_STRATEGIES, DEEP_VALUES, seeds}, all);
}

/* Bars of Acc and of forgetting: a group a strategy, a bar a setting of the data set. */
static mot_status draw(mot_study *study, const setting *settings, size_t count, int set)
{
    char labels[MOST_SETTINGS][48], name[48], caption[160];
    const char *label[MOST_SETTINGS];
    deep_bars bars = {.groups = DEEP_STRATEGIES, .group = mot_deep_strategies, .label = label};
    for (size_t i = 0; i < count; ++i) bars.series += settings[i].set == set;
    for (size_t i = 0, bar = 0; i < count; ++i) {
        if (settings[i].set != set) continue;
        snprintf(labels[bar], sizeof labels[bar], "%s, %s", model_names[settings[i].model], form_names[settings[i].form]);
        label[bar] = labels[bar];
        for (size_t s = 0; s < DEEP_STRATEGIES; ++s) mot_deep_bar_set(&bars, s * bars.series + bar, settings[i].of[s]);
        ++bar;
    }
    snprintf(name, sizeof name, "deep-%s", mot_deep_sets[set].name);
    snprintf(caption, sizeof caption, "%s: means over the seeds, with their 95 %% intervals.", mot_deep_sets[set].title);
    return mot_deep_draw_bars(study, name, caption, 1100, 400, &bars);
}

/* ---- how near to joint training ---- */

static void tell_near(mot_study *study, const setting *settings, size_t count)
{
    size_t near[DEEP_STRATEGIES] = {0}, means[DEEP_STRATEGIES] = {0}, far[DEEP_STRATEGIES] = {0};
    char text[96];
    mot_study_say(study, "Acc less that of joint training, seed by seed, where 20 samples a class are held:\n\n"
                         "| stream, model | none | concurrent | sequential | hybrid |\n|---|---|---|---|---|\n");
    for (size_t i = 0; i < count; ++i) {
        mot_study_say(study, "| %s |", settings[i].name);
        for (int s = DEEP_NONE; s < DEEP_JOINT; ++s) {
            const deep_mean less = mot_deep_difference(settings[i].of[s], settings[i].of[DEEP_JOINT], DEEP_ACC);
            near[s] += less.interval.low > -5;
            means[s] += less.mean > -5;
            far[s] += less.interval.high < -5;
            mot_study_say(study, " %s |", mot_deep_text(&less, true, text));
        }
        mot_study_say(study, "\n");
    }
    mot_study_say(study, "\n");
    for (int s = DEEP_CONCURRENT; s < DEEP_JOINT; ++s)
        mot_study_verdict(study, mot_deep_decide(near[s], far[s], count),
                          "(20 a class, %s.) Within 5 points of joint training, the task being known, in %zu of %zu settings by "
                          "the whole interval, in %zu by the mean; in %zu it is farther away by the whole interval.",
                          mot_deep_strategies[s], near[s], count, means[s], far[s]);
    mot_study_say(study, "At equal steps joint training is no upper bound: of the last task's steps a tenth is of its own samples, and right "
                         "after its turn it knows a task less well than rehearsal does (learned). Sequential rehearsal ends on steps of one "
                         "old task alone after another; what each does to those before it is measured below.\n\n");
}

/* ---- hybrid against concurrent ---- */

/* By how much more hybrid gains over concurrent on the changed stream than on the clean one. */
static deep_mean more_gain(const setting *clean, const setting *changed, deep_value which)
{
    double value[4][STUDY_MOST_SEEDS];
    const size_t seeds = (size_t)MOT_MIN(clean->of[0]->seeds, changed->of[0]->seeds);
    mot_deep_values(changed->of[DEEP_HYBRID], which, value[0]);
    mot_deep_values(changed->of[DEEP_CONCURRENT], which, value[1]);
    mot_deep_values(clean->of[DEEP_HYBRID], which, value[2]);
    mot_deep_values(clean->of[DEEP_CONCURRENT], which, value[3]);
    for (size_t s = 0; s < seeds; ++s) value[0][s] += value[3][s] - value[1][s] - value[2][s];
    return mot_deep_mean_of(value[0], seeds);
}

static void tell_hybrid(mot_study *study, const setting *settings, size_t count)
{
    static const deep_value asked[] = {DEEP_ACC, DEEP_FORGETTING, DEEP_UNAIDED, DEEP_UNAIDED_FORGETTING};
    size_t better = 0, worse = 0, kept = 0, lost = 0, more = 0, less = 0, pairs = 0;
    char text[96];
    mot_study_say(study, "Hybrid less concurrent, seed by seed. The paper has Acc +1.07 to +4.32 and forgetting -1.48 to -13.32 "
                         "(ResNet-18), more with more corruption.\n\n| stream, model | Acc | forgetting | Acc, task not known | "
                         "forgetting, task not known | alike |\n|---|---|---|---|---|---|\n");
    for (size_t i = 0; i < count; ++i) {
        const study_variant *hybrid = settings[i].of[DEEP_HYBRID], *concurrent = settings[i].of[DEEP_CONCURRENT];
        mot_study_say(study, "| %s |", settings[i].name);
        for (size_t v = 0; v < MOT_COUNT(asked); ++v) {
            const deep_mean gain = mot_deep_difference(hybrid, concurrent, asked[v]);
            mot_study_say(study, " %s |", mot_deep_text(&gain, true, text));
            if (asked[v] == DEEP_ACC) better += gain.interval.low > 0, worse += gain.interval.high < 0;
            if (asked[v] == DEEP_FORGETTING) kept += gain.interval.high < 0, lost += gain.interval.low > 0;
        }
        mot_study_say(study, " %.0f %% |\n", 100 * mot_deep_compare(hybrid, 0).share);
    }
    mot_study_say(study, "\n(alike: old tasks that hybrid learned together with the new one.)\n\n");
    for (size_t i = 0; i + 1 < count; i += DEEP_FORMS, ++pairs) {
        const deep_mean gain = more_gain(&settings[i], &settings[i + 1], DEEP_ACC);
        more += gain.interval.low > 0;
        less += gain.interval.high < 0;
    }
    mot_study_verdict(study, mot_deep_decide(better, worse, count),
                      "(Hybrid is more accurate than concurrent.) In %zu of %zu settings by the whole interval, in %zu less.", better,
                      count, worse);
    mot_study_verdict(study, mot_deep_decide(kept, lost, count),
                      "(Hybrid forgets less than concurrent.) In %zu of %zu settings by the whole interval, in %zu more.", kept, count,
                      lost);
    mot_study_verdict(study, mot_deep_decide(more, less, pairs),
                      "(The more corruption, the better hybrid.) Its gain in Acc over concurrent is larger on the changed stream than "
                      "on the clean one in %zu of %zu cases by the whole interval, smaller in %zu.",
                      more, pairs, less);
}

static mot_status tell(mot_study *study, const rehearsal_numbers *unused)
{
    setting settings[MOST_SETTINGS];
    const size_t count = list_settings(study, settings);
    mot_status status = MOT_OK;
    (void)unused;
    mot_study_section(study, "Streams of tasks, learned by transformers");
    for (int set = 0; set < DEEP_SETS; ++set)
        if (!mot_deep_planned(study, set))
            mot_study_say(study, "%s: skipped: %s.\n\n", mot_deep_sets[set].title,
                          study->options.quick && set != DEEP_CLINC ? "not in the quick form" : "its file is not there (--data)");
    if (count == 0) return MOT_OK;
    mot_study_say(study,
                  "From here on transformers (width 32, one block) learn ten tasks one after another, whose order a seed draws; every "
                  "trial is a run of mot. All strategies take as many steps of 50 samples a task. One transformer, or a MoT of 4 experts of "
                  "that size each, of which a sample goes to one, at about its FLOPs. Rate and steps were chosen by the look of seed %d, on "
                  "accuracy of held-out samples: so that joint training is well above none. They are the same for all strategies, and were "
                  "tuned for none. Of three settings of the MoT's load balance and gate the one was taken that forgot least without memory "
                  "on CLINC150 at that seed; the other streams have it as it is. Seed %d is none of those reported, which are %d and on, so "
                  "that no figure is flattered by what was chosen. Larger models were not tried. Acc and forgetting are in points; learned "
                  "is the accuracy of a task right after it was learned; in brackets are 95 %% intervals of the mean over seeds by "
                  "Student's t. `docs/continual.md` defines the figures.\n\n", DEEP_CHOSEN, DEEP_CHOSEN, DEEP_CHOSEN + 1);
    for (int set = 0; set < DEEP_SETS; ++set)
        if (mot_deep_planned(study, set))
            mot_study_say(study, "- %s: %s; %d steps a task. Changed: %s.\n", mot_deep_sets[set].title, mot_deep_sets[set].about,
                          mot_deep_steps(study, set), mot_deep_sets[set].changed_about);
    mot_study_say(study, "\n| stream, model | seeds | strategy | Acc | forgetting | learned | Acc, task not known | forgetting, task not "
                         "known |\n|---|---|---|---|---|---|---|---|\n");
    for (size_t i = 0; i < count; ++i) {
        say_table(study, &settings[i]);
        MOT_TRY(keep(study, &settings[i]));
    }
    mot_study_say(study, "\n");
    for (int set = 0; set < DEEP_SETS; ++set)
        if (mot_deep_planned(study, set)) MOT_TRY(draw(study, settings, count, set));
    tell_near(study, settings, count);
    tell_hybrid(study, settings, count);
done:
    return status;
}

const rehearsal_claim mot_deep_strategy = {"deep strategies", plan, tell};
