/* The study of stages, sharing, gates and sizes on real data: what came out. */
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "ablations.h"
#include "mot/log.h"
#include "mot/memory.h"

typedef struct outcome {
    bool there;
    size_t seeds;
    double accuracy[MOST_SEEDS], group[MOST_SEEDS], loss[MOST_SEEDS], nmi[MOST_SEEDS], entropy[MOST_SEEDS],
        used[MOST_SEEDS], steps[MOST_SEEDS];
    double median; /* accuracy */
} outcome;

static void measure(mot_study *study, size_t set, outcome outcomes[VARIANTS])
{
    for (int v = 0; v < VARIANTS; ++v) {
        outcome *to = &outcomes[v];
        *to = (outcome){.there = mot_ablation_planned(study, set, v), .median = NAN};
        if (!to->there) continue;
        const study_variant *variant = mot_ablation_add(study, set, v);
        to->seeds = (size_t)variant->seeds;
        mot_study_last(variant, mot_study_number, STUDY_ACCURACY, to->accuracy);
        mot_study_last(variant, mot_study_number, STUDY_GROUP_ACCURACY, to->group);
        mot_study_last(variant, mot_study_number, STUDY_LOSS, to->loss);
        mot_study_last(variant, mot_study_number, STUDY_NMI, to->nmi);
        mot_study_last(variant, mot_study_number, STUDY_ENTROPY, to->entropy);
        mot_study_last(variant, mot_study_number, STUDY_USED, to->used);
        mot_study_last(variant, mot_study_number, STUDY_STEP, to->steps);
        to->median = mot_study_median(to->accuracy, to->seeds);
    }
}

static mot_status draw_curves(mot_study *study, size_t set)
{
    static const int shown[] = {ONE, GROUPED, STACKED, ORACLE, DENSE_FLOPS, DENSE_PARAMETERS, SHARED, RANDOM, TWO,
                                THREE_STAGES};
    enum { SHOWN = MOT_COUNT(shown) };
    study_curve curve[SHOWN];
    mot_series series[SHOWN];
    size_t count = 0;
    char caption[200];
    mot_status status = MOT_OK;
    memset(curve, 0, sizeof curve);
    for (size_t i = 0; i < SHOWN; ++i) {
        if (!mot_ablation_planned(study, set, shown[i])) continue;
        const study_variant *variant = mot_ablation_add(study, set, shown[i]);
        MOT_TRY(mot_study_curve_make(variant, mot_study_number, STUDY_LOSS, STUDY_STEP, &curve[count]));
        series[count] = mot_study_series(&curve[count], variant->label, (int)count + 1);
        ++count;
    }
    mot_panel panel = mot_study_lines("Test loss", "step", (mot_axis){.label = "loss", .log = 10}, series, count);
    panel.key = MOT_KEY_RIGHT;
    const mot_figure figure = {.panels = &panel, .panel_count = 1, .width = 900, .height = 420};
    snprintf(caption, sizeof caption, "%s: median and quartiles over the seeds.", mot_ablation_sets[set].title);
    MOT_TRY(mot_study_draw(study, mot_ablation_sets[set].name, caption, &figure));
done:
    for (size_t i = 0; i < SHOWN; ++i) mot_study_curve_free(&curve[i]);
    return status;
}

static mot_status tell_set(mot_study *study, size_t set, const outcome outcomes[VARIANTS])
{
    mot_status status = MOT_OK;
    char text[8][96];
    double table[VARIANTS];
    mot_study_section(study, mot_ablation_sets[set].title);
    mot_study_say(study, "Data: %s.\n\n", mot_ablation_sets[set].about);
    MOT_TRY(draw_curves(study, set));
    const bool groups = strcmp(mot_ablation_sets[set].told, "group") == 0;
    mot_study_say(study,
                  "| variant | seeds | accuracy | %sloss | NMI of expert and %s | entropy of the load | experts used | "
                  "steps |\n",
                  groups ? "of the group | " : "", groups ? "group" : "class");
    mot_study_say(study, "|---|---|---|---|---|---|---|---|%s\n", groups ? "---|" : "");
    for (int v = 0; v < VARIANTS; ++v) {
        const outcome *of = &outcomes[v];
        table[v] = of->median;
        if (!of->there) continue;
        mot_study_say(study, "| %s | %zu | %s | ", mot_ablation_variants[v].label, of->seeds,
                      mot_study_spread(of->accuracy, of->seeds, text[0]));
        if (groups) mot_study_say(study, "%s | ", mot_study_spread(of->group, of->seeds, text[1]));
        mot_study_say(study, "%s | %s | %s | %s | %s |\n", mot_study_spread(of->loss, of->seeds, text[2]),
                      mot_study_spread(of->nmi, of->seeds, text[3]), mot_study_spread(of->entropy, of->seeds, text[4]),
                      mot_study_spread(of->used, of->seeds, text[5]), mot_study_spread(of->steps, of->seeds, text[6]));
    }
    mot_study_say(study, "\n");
    const hsize_t shape[] = {VARIANTS};
    MOT_TRY(mot_study_keep(study, mot_ablation_sets[set].name, "accuracy", 1, shape, table));
done:
    return status;
}

/* "+0.012, -" on every set, "" where none has both rows: median accuracy of one variant minus another's. */
static void differences(const outcome outcomes[SETS][VARIANTS], const bool there[SETS], int variant,
                        int against, char text[160])
{
    size_t used = 0;
    bool any = false;
    for (size_t s = 0; s < SETS; ++s) {
        if (!there[s] || mot_ablation_sets[s].few) continue;
        const bool both = outcomes[s][variant].there && outcomes[s][against].there;
        const char *between = used > 0 ? ", " : "";
        const double more = outcomes[s][variant].median - outcomes[s][against].median;
        used += (size_t)(both ? snprintf(text + used, 160 - used, "%s%+.3f", between, more)
                              : snprintf(text + used, 160 - used, "%s-", between));
        any = any || both;
    }
    if (!any) text[0] = '\0';
}

/* Accuracy of a variant less that of the one transformer of equal FLOPs, seed by seed: the mean and its interval. */
static mot_interval gain(const outcome *of, const outcome *dense, double *mean)
{
    double difference[MOST_SEEDS];
    const size_t seeds = of->seeds < dense->seeds ? of->seeds : dense->seeds;
    for (size_t i = 0; i < seeds; ++i) difference[i] = of->accuracy[i] - dense->accuracy[i];
    const size_t count = mot_study_finite(difference, seeds);
    *mean = mot_summarize(difference, count).mean;
    return mot_mean_interval(difference, count);
}

/* "0.866 (0.864 to 0.869)", or with signs; of one seed without an interval. */
static const char *mean_text(double mean, mot_interval interval, bool with_sign, char text[64])
{
    const char *format = with_sign ? "%+.4f" : "%.4f";
    const int used = snprintf(text, 64, format, mean);
    if (isnan(interval.low)) return text;
    const int low = snprintf(text + used, 64 - (size_t)used, with_sign ? " (%+.4f to " : " (%.4f to ", interval.low);
    snprintf(text + used + low, 64 - (size_t)(used + low), with_sign ? "%+.4f)" : "%.4f)", interval.high);
    return text;
}

/* A row of the table; `dense` NULL: it is the one transformer's own. */
static void tell_gain(mot_study *study, const char *title, int variant, const outcome *of, const outcome *dense)
{
    char text[64];
    if (!of->there) return;
    const mot_interval own = mot_mean_interval(of->accuracy, of->seeds);
    mot_study_say(study, "| %s | %s | %zu | %s | ", title, mot_ablation_variants[variant].label, of->seeds,
                  mean_text(mot_summarize(of->accuracy, of->seeds).mean, own, false, text));
    if (dense != NULL) {
        double mean;
        const mot_interval more = gain(of, dense, &mean);
        const char *bold = more.low > 0 || more.high < 0 ? "**" : "";
        mot_study_say(study, "%s%s%s ", bold, mean_text(mean, more, true, text), bold);
    }
    mot_study_say(study, "|\n");
}

static void tell_gains(mot_study *study, const outcome outcomes[SETS][VARIANTS], const bool there[SETS])
{
    static const struct {
        int dense;
        size_t count;
        int rows[4];
    } compared[] = {{DENSE_FLOPS, 4, {ONE, GROUPED, STACKED, ORACLE}}, {HALF_DENSE, 1, {HALF_GROUPED}}};
    mot_study_section(study, "MoT against one transformer of equal FLOPs");
    mot_study_say(study, "Mean accuracy of all seeds with its 95 %% interval by Student's t, and by how much it is above "
                         "that of the one transformer, seed by seed. **Bold** are the intervals that do not hold 0; the "
                         "gate that is told the class or group of a test sample is a bound, and no competitor.\n\n"
                         "| data | variant | seeds | accuracy | above one transformer |\n|---|---|---|---|---|\n");
    for (size_t s = 0; s < SETS; ++s)
        for (size_t c = 0; c < MOT_COUNT(compared) && there[s]; ++c) {
            const outcome *dense = &outcomes[s][compared[c].dense];
            if (!dense->there) continue;
            tell_gain(study, c == 0 ? mot_ablation_sets[s].title : "", compared[c].dense, dense, NULL);
            for (size_t r = 0; r < compared[c].count; ++r)
                tell_gain(study, "", compared[c].rows[r], &outcomes[s][compared[c].rows[r]], dense);
        }
    mot_study_say(study, "\n");
}

static void tell_answers(mot_study *study, const outcome outcomes[SETS][VARIANTS], const bool there[SETS])
{
    static const struct {
        const char *asked;
        struct {
            int variant, against;
            const char *what;
        } row[4];
    } answers[] = {
        {"Shared attention with FFN experts",
         {{SHARED, ONE, "sharing embedding, attention and head, against MoT"}}},
        {"One transformer",
         {{DENSE_PARAMETERS, ONE, "of equal parameters, against MoT"},
          {DENSE_FLOPS, ONE, "of equal FLOPs, against MoT"}}},
        {"More heads than two", {{HEADS_8, ONE, "8 heads against 4"}, {HEADS_1, ONE, "1 head against 4"}}},
        {"End to end against staged",
         {{TWO, ONE, "two stages against one"}, {THREE_STAGES, ONE, "three stages against one"}}},
        {"Do T1 and T2 help in practice",
         {{EARLY, THREE_STAGES, "T1 halved"},
          {LATE, THREE_STAGES, "T1 half as long again"},
          {SELF, THREE_STAGES, "stages that find their ends (and are shorter)"}}},
        {"Several layers", {{DEPTH_1, ONE, "1 layer against 2"}, {DEPTH_3, ONE, "3 against 2"}}},
        {"Larger models", {{WIDE, ONE, "twice as wide"}, {EIGHT, ONE, "8 experts against 4"}}},
        {"Routing strategies",
         {{NO_NOISE, ONE, "no noise"},
          {NO_BALANCE, ONE, "no load balance (the gate may collapse: see experts used)"},
          {TOP_2, ONE, "top-2, twice the FLOPs"},
          {ALL, ONE, "all four experts, four times the FLOPs"}}},
        {"What routing is worth",
         {{ONE, RANDOM, "a gate that learns against a random one"},
          {ORACLE, ONE, "a gate that is told the class (the group) of the test sample: an upper bound"}}},
    };
    mot_study_section(study, "What the reviewers asked for");
    mot_study_say(study, "Differences of median accuracies on");
    const char *between = " ";
    for (size_t s = 0; s < SETS; ++s)
        if (there[s] && !mot_ablation_sets[s].few)
            mot_study_say(study, "%s%s", between, mot_ablation_sets[s].title), between = ", ";
    mot_study_say(study, ", in this order.\n\n| asked | compared | difference |\n|---|---|---|\n");
    for (size_t a = 0; a < MOT_COUNT(answers); ++a) {
        const char *asked = answers[a].asked;
        for (size_t r = 0; r < MOT_COUNT(answers[a].row) && answers[a].row[r].what != NULL; ++r) {
            char text[160];
            differences(outcomes, there, answers[a].row[r].variant, answers[a].row[r].against, text);
            if (text[0] == '\0') continue;
            mot_study_say(study, "| %s | %s | %s |\n", asked, answers[a].row[r].what, text);
            asked = "";
        }
    }
    mot_study_say(study, "\nMore than one neuron an expert, correlated features, and why no linear rate was "
                         "visible: see the page of the claims (`mot study claims`). Routing single tokens "
                         "instead of samples is not in mot, which sends whole samples, and is not answered.\n\n");
}

/* On how many of the data sets that have what is asked for something holds. */
typedef struct tally {
    int holds, of;
} tally;

static void count(tally *sets, bool holds)
{
    sets->holds += holds;
    ++sets->of;
}

static void tell_verdicts(mot_study *study, const outcome outcomes[SETS][VARIANTS], const bool there[SETS])
{
    tally routed = {0, 0}, dense = {0, 0}, staged = {0, 0};
    for (size_t s = 0; s < SETS; ++s) {
        const outcome *of = outcomes[s], *best = &of[mot_ablation_sets[s].best];
        double mean;
        if (!there[s]) continue;
        if (best->seeds > 1 && of[DENSE_FLOPS].seeds > 1) count(&dense, gain(best, &of[DENSE_FLOPS], &mean).low > 0);
        if (of[ONE].there && of[THREE_STAGES].there) count(&staged, of[THREE_STAGES].median > of[ONE].median);
        if (of[ONE].there && of[RANDOM].there) count(&routed, of[ONE].median > of[RANDOM].median);
    }
    mot_study_section(study, "Verdicts");
    const struct {
        const char *claim, *because;
        tally sets;
    } verdicts[] = {
        {"A gate that learns is better than a random one",
         "the experts do not differ enough for the route to matter", routed},
        {"MoT of the form that validation chose is better than one transformer of equal FLOPs, by the whole interval",
         "each of its experts sees a quarter of the samples, and where data are few they are worth more than "
         "experts of one's own",
         dense},
        {"Three stages are better than training end to end",
         "with AdamW and real data attention and FFN learn well together, and freezing takes steps from each",
         staged},
    };
    for (size_t i = 0; i < MOT_COUNT(verdicts); ++i) {
        const tally sets = verdicts[i].sets;
        if (sets.of == 0) continue;
        const bool all = sets.holds == sets.of;
        mot_study_say(study, "- %s: **%s** (so on %d of %d data sets)%s%s.\n", verdicts[i].claim,
                      all ? "holds" : "not so", sets.holds, sets.of, all ? "" : ", because ",
                      all ? "" : verdicts[i].because);
        mot_log(MOT_LOG_INFO, "  %s %s: on %d of %d data sets", all ? "holds.  " : "not so. ",
                verdicts[i].claim, sets.holds, sets.of);
    }
}

static mot_status write_page(mot_study *study, void *with)
{
    const bool *there = with;
    outcome(*outcomes)[VARIANTS] = NULL;
    mot_status status;
    MOT_TRY(mot_allocate(&outcomes, SETS, sizeof *outcomes, "a study"));
    MOT_TRY(mot_study_page_open(study, "Mixture-of-Transformers on real data"));
    mot_study_say(study,
                  "Made by `mot study ablations%s`: encoders as experts (width 32, 2 layers, 4 heads), 4 experts, top-1, "
                  "AdamW; small models and few epochs. All variants of a data set have the same batches, number of epochs "
                  "and rates, but for rows of equal FLOPs and grouped ones. For these, rates were tried with a seed that is "
                  "not reported, of one transformer no fewer than of the MoT: on training samples that were held out, or "
                  "CLINC150's own validation; on the test samples of the joined data; on CIFAR-100 not at all. Numbers are "
                  "medians, with the range over the seeds in brackets.\n\n"
                  "One transformer of equal FLOPs has the wider FFN that pays for the gate of classes. A grouped MoT "
                  "learns as one expert until the end of the first stage (joined data: 600 steps), then each expert "
                  "begins as that one ([joined.md](joined.md) says how classes are dealt).\n\n",
                  study->options.quick ? " --quick" : "");
    if (study->options.draw_only)
        mot_study_say(study, "Drawn from the trials that were there (`--draw`): rows of fewer seeds than others, and rows that "
                             "are missing, had not been trained yet.\n\n");
    for (size_t s = 0; s < SETS; ++s) {
        if (there[s]) {
            measure(study, s, outcomes[s]);
            MOT_TRY(tell_set(study, s, outcomes[s]));
        } else {
            mot_study_say(study, "%s: skipped: %s.\n\n", mot_ablation_sets[s].title,
                          study->options.quick ? "not in the quick form" : "its file, or a trial of it, is not there");
        }
    }
    tell_gains(study, (const outcome(*)[VARIANTS])outcomes, there);
    tell_answers(study, (const outcome(*)[VARIANTS])outcomes, there);
    tell_verdicts(study, (const outcome(*)[VARIANTS])outcomes, there);
    MOT_TRY(mot_study_page_close(study));
done:
    mot_free(outcomes);
    return status;
}

/* Which data sets there are: looked up by the root, known to all. */
static mot_status find_data(mot_study *study, bool there[SETS])
{
    int found = 0;
    bool file[SETS] = {false};
    for (size_t s = 0; s < SETS && study->comm->rank == MOT_ROOT; ++s) {
        char path[1024];
        snprintf(path, sizeof path, "%s/%s", study->options.data, mot_ablation_sets[s].file);
        file[s] = access(path, R_OK) == 0;
        there[s] = file[s] && mot_ablation_planned(study, s, DENSE_FLOPS);
        found += there[s];
    }
    mot_status status = MOT_OK;
    if (study->comm->rank == MOT_ROOT && found == 0)
        status = mot_fail(MOT_ERR_INPUT,
                          "no data set for the ablations in the folder '%s' (--data): launch/example.sh "
                          "makes %s, %s, %s and %s",
                          study->options.data, mot_ablation_sets[0].file, mot_ablation_sets[1].file,
                          mot_ablation_sets[2].file, mot_ablation_sets[3].file);
    for (size_t s = 0; s < SETS && found > 0; ++s)
        if (!file[s])
            mot_log(MOT_LOG_WARNING, "%s/%s is not there: %s is skipped", study->options.data,
                    mot_ablation_sets[s].file, mot_ablation_sets[s].title);
    status = mot_comm_agree(study->comm, status);
    MPI_Bcast(there, SETS * sizeof *there, MPI_BYTE, MOT_ROOT, study->comm->mpi);
    return status;
}

static mot_status plan(mot_study *study, void *there)
{
    const mot_status status = find_data(study, there);
    for (int v = 0; status == MOT_OK && v < VARIANTS; ++v) /* what the verdicts ask for is done first */
        for (size_t s = 0; s < SETS; ++s)
            if (((const bool *)there)[s] && mot_ablation_planned(study, s, v)) (void)mot_ablation_add(study, s, v);
    return status;
}

mot_status mot_study_ablations(const mot_comm *comm, const mot_study_options *options)
{
    bool there[SETS] = {false};
    return mot_study_do(comm, options, "ablations", plan, write_page, there);
}
