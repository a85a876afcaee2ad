/* Why hybrid rehearsal gains nothing here: what is said to be the cause is taken away, or put in, and all is measured again. */
#include <math.h>
#include <string.h>

#include "deep.h"

/* A changed stream, learned otherwise than in the tables above; by hybrid alone where the others would be the same. */
typedef struct cause {
    int set;
    const char *name, *label, *settings; /* NULL: as above */
    bool alone;
} cause;
static const cause causes[] = {
    {DEEP_CLINC, NULL, "as above", NULL, false},
    {DEEP_CLINC, "onehead", "one head for all tasks", "data.stream.heads=one", false},
    {DEEP_CLINC, "narrow", "width 8 in place of 32", "model.width=8; model.heads=2; model.ffn=16", false},
    {DEEP_CLINC, "blind", "cosines of one sample a task", "rehearsal.cosine_samples=1", true},
    {DEEP_CIFAR, NULL, "as above", NULL, false},
    {DEEP_CIFAR, "long", "300 steps a task in place of 60", "train.until=300 steps", false},
    {DEEP_JOINED, NULL, "as above", NULL, false},
    {DEEP_JOINED, "onehead", "one head for all tasks", "data.stream.heads=one", false},
    {DEEP_JOINED, "narrow", "width 8 in place of 32", "model.width=8; model.heads=2; model.ffn=16", false},
    {DEEP_JOINED, "long", "200 steps a task in place of 40", "train.until=200 steps", false},
    {DEEP_JOINED, "blind", "cosines of one sample a task", "rehearsal.cosine_samples=1", true},
    {DEEP_JOINED, "late", "compared after 10 steps", "rehearsal.compare_after=10", true},
    {DEEP_JOINED, "pixels", "places permuted in every task", "data.stream.changes=pixels", false},
    {DEEP_JOINED, "pixels-onehead", "places permuted in every task, one head", "data.stream.changes=pixels; data.stream.heads=one", false},
};
enum { CAUSES = MOT_COUNT(causes), SEEDS = 5 };

static study_variant *add(mot_study *study, size_t c, int strategy)
{
    const cause *of = &causes[c];
    if (of->name == NULL || (of->alone && strategy != DEEP_HYBRID))
        return mot_deep_usual(study, of->set, DEEP_CHANGED, DEEP_ONE, strategy);
    return mot_deep_add(study, &(deep_trial){of->set, DEEP_CHANGED, DEEP_ONE, strategy, of->name, of->settings, mot_deep_seeds(study, SEEDS)});
}

static bool is_shown(const mot_study *study, size_t c)
{
    return mot_deep_planned(study, causes[c].set);
}

static mot_status plan(mot_study *study, rehearsal_numbers *unused)
{
    (void)unused;
    if (study->options.quick) return MOT_OK;
    if (mot_deep_planned(study, DEEP_CLINC)) (void)mot_deep_order(study, DEEP_NEWEST);
    for (size_t c = 0; c < CAUSES; ++c)
        for (int s = DEEP_CONCURRENT; s <= DEEP_HYBRID && is_shown(study, c); ++s) (void)add(study, c, s);
    return MOT_OK;
}

/* ---- differences from concurrent ---- */

/* Of a strategy from concurrent, under a cause. */
static deep_mean gain(mot_study *study, size_t c, int strategy, deep_value which)
{
    return mot_deep_difference(add(study, c, strategy), add(study, c, DEEP_CONCURRENT), which);
}

/* By how much more Acc there is of it under a cause than in the usual trials of its stream, seed by seed. */
static deep_mean more(mot_study *study, size_t c, int strategy)
{
    double value[4][STUDY_MOST_SEEDS];
    const study_variant *of[4] = {add(study, c, strategy), add(study, c, DEEP_CONCURRENT),
                                  mot_deep_usual(study, causes[c].set, DEEP_CHANGED, DEEP_ONE, strategy),
                                  mot_deep_usual(study, causes[c].set, DEEP_CHANGED, DEEP_ONE, DEEP_CONCURRENT)};
    const size_t seeds = (size_t)of[0]->seeds;
    for (size_t i = 0; i < 4; ++i) mot_deep_values(of[i], DEEP_ACC, value[i]);
    for (size_t s = 0; s < seeds; ++s) value[0][s] += value[3][s] - value[1][s] - value[2][s];
    return mot_deep_mean_of(value[0], seeds);
}

static void say_table(mot_study *study)
{
    static const deep_value asked[] = {DEEP_ACC, DEEP_FORGETTING};
    char text[96];
    mot_study_say(study, "| stream | what is other | concurrent, Acc | forgetting | sequential less concurrent, Acc | forgetting | hybrid less "
                         "concurrent, Acc | forgetting | alike |\n|---|---|---|---|---|---|---|---|---|\n");
    for (size_t c = 0; c < CAUSES; ++c) {
        if (!is_shown(study, c)) continue;
        mot_study_say(study, "| %s | %s |", causes[c].name == NULL ? mot_deep_sets[causes[c].set].brief : "", causes[c].label);
        for (int s = DEEP_CONCURRENT; s <= DEEP_HYBRID; ++s)
            for (size_t v = 0; v < MOT_COUNT(asked); ++v) {
                const bool itself = s == DEEP_CONCURRENT;
                const deep_mean of = itself ? mot_deep_mean(add(study, c, s), asked[v]) : gain(study, c, s, asked[v]);
                mot_study_say(study, " %s |", mot_deep_text(&of, !itself, text));
            }
        mot_study_say(study, " %.0f %% |\n", 100 * mot_deep_compare(add(study, c, DEEP_HYBRID), 0).share);
    }
    mot_study_say(study, "\n");
}

/* A panel a stream: bars of both differences, a group a cause. */
static mot_status draw(mot_study *study)
{
    enum { SERIES = 2, MOST = SERIES * CAUSES };
    static const char *const series[SERIES] = {"sequential less concurrent", "hybrid less concurrent"};
    static const int colors[SERIES] = {2, 3};
    double value[DEEP_SETS][MOST], low[DEEP_SETS][MOST], high[DEEP_SETS][MOST];
    const char *label[DEEP_SETS][CAUSES];
    char title[DEEP_SETS][96];
    mot_panel panels[DEEP_SETS];
    size_t count = 0;
    for (int set = 0; set < DEEP_SETS; ++set) {
        size_t groups = 0;
        for (size_t c = 0; c < CAUSES; ++c) {
            if (causes[c].set != set || causes[c].alone || !is_shown(study, c)) continue;
            for (size_t s = 0; s < SERIES; ++s) {
                const deep_mean of = gain(study, c, DEEP_SEQUENTIAL + (int)s, DEEP_ACC);
                const size_t at = groups * SERIES + s;
                value[count][at] = of.mean, low[count][at] = of.interval.low, high[count][at] = of.interval.high;
            }
            label[count][groups++] = causes[c].name == NULL ? "as above" : causes[c].name;
        }
        if (groups == 0) continue;
        snprintf(title[count], sizeof title[count], "%s: Acc, points", mot_deep_sets[set].brief);
        panels[count] = (mot_panel){.kind = MOT_PANEL_BARS,
                                    .title = title[count],
                                    .bars = {.groups = groups,
                                             .series = SERIES,
                                             .group_labels = label[count],
                                             .series_labels = series,
                                             .value = value[count],
                                             .lower = low[count],
                                             .upper = high[count],
                                             .color = colors}};
        ++count;
    }
    const mot_figure figure = {.panels = panels, .panel_count = count, .width = 1200, .height = 400};
    return mot_study_draw(study, "deep-causes", "Differences seed by seed, with their 95 % intervals.", &figure);
}

/* ---- verdicts over streams ---- */

/* What a claim is about: a figure of a strategy under a cause. */
typedef deep_mean measure(mot_study *study, size_t c, int strategy);

/* By how much less is forgotten than by concurrent. */
static deep_mean kept(mot_study *study, size_t c, int strategy)
{
    return mot_deep_difference(add(study, c, DEEP_CONCURRENT), add(study, c, strategy), DEEP_FORGETTING);
}

/* By how much more accurate a task is right after it was learned than by concurrent. */
static deep_mean learned(mot_study *study, size_t c, int strategy)
{
    return gain(study, c, strategy, DEEP_LEARNING);
}

/* By how much more accurate the usual trials are than those under a cause. */
static deep_mean lost(mot_study *study, size_t c, int strategy)
{
    return mot_deep_difference(mot_deep_usual(study, causes[c].set, DEEP_CHANGED, DEEP_ONE, strategy), add(study, c, strategy), DEEP_ACC);
}

/* Whether a figure is above 0 under the causes of this name, in all streams that have one. */
static void tell_figure(mot_study *study, const char *name, measure *figure, int strategy, const char *claim)
{
    char said[DEEP_SETS * 160] = "", text[96];
    size_t used = 0, streams = 0, so = 0, not_so = 0;
    for (size_t c = 0; c < CAUSES; ++c) {
        if (causes[c].name == NULL || strcmp(causes[c].name, name) != 0 || !is_shown(study, c)) continue;
        const deep_mean of = figure(study, c, strategy);
        used += (size_t)snprintf(said + used, sizeof said - used, "%s%s in %s", streams > 0 ? ", " : "", mot_deep_text(&of, true, text),
                                 mot_deep_sets[causes[c].set].brief);
        so += of.interval.low > 0;
        not_so += of.interval.high < 0;
        ++streams;
    }
    if (streams > 0) mot_study_verdict(study, mot_deep_decide(so, not_so, streams), "%s %s.", claim, said);
}

static void tell_figures(mot_study *study)
{
    tell_figure(study, "onehead", more, DEEP_HYBRID,
                "(Heads of their own take what tasks disagree about: with one head hybrid gains.) Its difference from concurrent in Acc is "
                "more than with a head each by");
    tell_figure(study, "narrow", more, DEEP_HYBRID,
                "(The model has room for all that is held at once: a narrow one has hybrid gain.) Its difference from concurrent in Acc is "
                "more than at width 32 by");
    tell_figure(study, "long", more, DEEP_HYBRID,
                "(Tasks and legs are too short.) With five times the steps hybrid's difference from concurrent in Acc is more by");
    tell_figure(study, "long", more, DEEP_SEQUENTIAL, "(So they are for sequential.) By");
    tell_figure(study, "long", kept, DEEP_HYBRID, "(With five times the steps hybrid forgets less than concurrent.) By");
    tell_figure(study, "long", kept, DEEP_SEQUENTIAL, "(So does sequential.) By");
    tell_figure(study, "long", learned, DEEP_SEQUENTIAL, "(And it has learned more.) Learned, less concurrent's:");
    tell_figure(study, "blind", lost, DEEP_HYBRID,
                "(It matters which tasks hybrid takes for similar.) Acc of hybrid by the cosines of up to 512 samples a task, less that by "
                "the cosines of one sample each:");
}

/* ---- the cosines of tasks of one source, and of two ---- */

static const char *source_of(const mot_task_matrix *tasks, int task)
{
    const char *colon = strchr(tasks->names[task], ':');
    return colon != NULL ? colon : tasks->names[task];
}

/* Of each seed: the mean cosine of its pairs of tasks of one source, or of two. */
static void pair_values(const study_variant *variant, bool same, double *values)
{
    for (int s = 0; s < variant->seeds; ++s) {
        const mot_task_matrix *tasks = &variant->result[s].tasks;
        double sum = 0;
        size_t count = 0;
        for (int t = 0; t < tasks->tasks; ++t)
            for (int old = 0; old < t; ++old) {
                const double cosine = tasks->cosine[(size_t)t * (size_t)tasks->tasks + (size_t)old];
                if (isnan(cosine) || (strcmp(source_of(tasks, t), source_of(tasks, old)) == 0) != same) continue;
                sum += cosine;
                ++count;
            }
        values[s] = count > 0 ? sum / (double)count : NAN;
    }
}

static const char *say_cosine(const deep_mean *of, bool sign, char text[96])
{
    snprintf(text, 96, sign ? "%+.3f (%+.3f to %+.3f)" : "%.3f (%.3f to %.3f)", of->mean, of->interval.low, of->interval.high);
    return text;
}

static void tell_cosines(mot_study *study)
{
    char text[3][96];
    size_t so[2] = {0}, not_so[2] = {0}, asked[2] = {0}; /* a head each, one head */
    if (!mot_deep_planned(study, DEEP_JOINED)) return;
    mot_study_say(study, "What cosines know of the sources of the joined stream: the mean cosine of the gradients of two tasks, over pairs of "
                         "one source, and of two.\n\n| joined | one source | two sources | difference |\n|---|---|---|---|\n");
    for (size_t c = 0; c < CAUSES; ++c) {
        if (causes[c].set != DEEP_JOINED) continue;
        double same[STUDY_MOST_SEEDS], other[STUDY_MOST_SEEDS], less[STUDY_MOST_SEEDS];
        const study_variant *hybrid = add(study, c, DEEP_HYBRID);
        const size_t seeds = (size_t)hybrid->seeds, heads = strstr(causes[c].label, "one head") != NULL;
        pair_values(hybrid, true, same);
        pair_values(hybrid, false, other);
        for (size_t s = 0; s < seeds; ++s) less[s] = same[s] - other[s];
        const deep_mean one = mot_deep_mean_of(same, seeds), two = mot_deep_mean_of(other, seeds), difference = mot_deep_mean_of(less, seeds);
        mot_study_say(study, "| %s | %s | %s | %s |\n", causes[c].label, say_cosine(&one, false, text[0]), say_cosine(&two, false, text[1]),
                      say_cosine(&difference, true, text[2]));
        so[heads] += difference.interval.low > 0;
        not_so[heads] += difference.interval.high < 0;
        ++asked[heads];
    }
    mot_study_say(study, "\n");
    mot_study_verdict(study, mot_deep_decide(so[0], not_so[0], asked[0]),
                      "(Cosines tell sources apart, a head for each task.) Larger for tasks of one source by the whole interval in %zu of %zu "
                      "settings.",
                      so[0], asked[0]);
    mot_study_verdict(study, mot_deep_decide(so[1], not_so[1], asked[1]),
                      "(So they do with one head for all.) Larger for tasks of one source by the whole interval in %zu of %zu settings.",
                      so[1], asked[1]);
}

/* ---- what a leg does to the legs before it ---- */

/* Of each seed: by how much better the oldest four tasks are than the newest four old ones, at the end. */
static void age_values(const study_variant *variant, double *values)
{
    enum { OF = 4 };
    for (int s = 0; s < variant->seeds; ++s) {
        const mot_task_matrix *tasks = &variant->result[s].tasks;
        const int T = tasks->tasks;
        values[s] = NAN;
        if (T < 2 * OF + 1) continue;
        const double *end = &tasks->accuracy[(size_t)T * (size_t)T];
        values[s] = 0;
        for (int i = 0; i < OF; ++i) values[s] += 100 * (end[i] - end[T - 2 - i]) / OF;
    }
}

static void tell_legs(mot_study *study)
{
    double oldest[STUDY_MOST_SEEDS], newest[STUDY_MOST_SEEDS];
    char text[96];
    const study_variant *usual = mot_deep_usual(study, DEEP_CLINC, DEEP_CHANGED, DEEP_ONE, DEEP_SEQUENTIAL);
    const study_variant *other = mot_deep_order(study, DEEP_NEWEST);
    const size_t seeds = (size_t)MOT_MIN(usual->seeds, other->seeds);
    age_values(usual, oldest);
    age_values(other, newest);
    for (size_t s = 0; s < seeds; ++s) newest[s] -= oldest[s];
    const deep_mean of = mot_deep_mean_of(newest, seeds);
    mot_study_verdict(study, mot_deep_decide(of.interval.low > 0, of.interval.high < 0, 1),
                      "(Each leg of sequential rehearsal forgets the legs before it.) CLINC150: by as much are the four oldest tasks better, "
                      "compared with the four that are newest before the last, where they are revisited last (newest first) than where they "
                      "are revisited first: %s.",
                      mot_deep_text(&of, true, text));
}

static mot_status tell(mot_study *study, const rehearsal_numbers *unused)
{
    mot_status status = MOT_OK;
    (void)unused;
    if (study->options.quick || (!mot_deep_planned(study, DEEP_CLINC) && !mot_deep_planned(study, DEEP_JOINED))) return MOT_OK;
    mot_study_section(study, "Why hybrid does not gain");
    mot_study_say(study, "What may be the cause is taken away, or put in: the changed streams, one transformer, all else as above, %d seeds; "
                         "what is as above has those of the tables; differences are seed by seed.\n\n",
                  SEEDS);
    say_table(study);
    MOT_TRY(draw(study));
    tell_figures(study);
    if (mot_deep_planned(study, DEEP_CLINC)) tell_legs(study);
    tell_cosines(study);
    mot_study_say(study, "Sequential rehearsal is not ahead of concurrent in Acc in any of these settings. Heads of their own and room to spare are not why: without them both lose more. With a head each the cosines "
                         "hardly know which tasks are of one source; with one head they do, and hybrid by them loses more still. What the "
                         "paper says of forgetting is so of sequential rehearsal once tasks are learned for long, where it has also "
                         "learned them less well.\n\n");
done:
    return status;
}

const rehearsal_claim mot_deep_causes = {"deep causes", plan, tell};
