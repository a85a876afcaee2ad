/* The study of stages, sharing, gates and sizes on real data: what came out. */
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "ablations.h"
#include "mot/log.h"
#include "mot/memory.h"

typedef struct outcome {
    bool there;
    double accuracy[SEEDS], group[SEEDS], loss[SEEDS], nmi[SEEDS], entropy[SEEDS], used[SEEDS], steps[SEEDS],
        seconds[SEEDS];
    double median; /* accuracy */
} outcome;

static void measure(mot_study *study, size_t set, outcome outcomes[VARIANTS])
{
    for (int v = 0; v < VARIANTS; ++v) {
        outcome *to = &outcomes[v];
        *to = (outcome){.there = mot_ablation_planned(study, set, v), .median = NAN};
        if (!to->there) continue;
        const study_variant *variant = mot_ablation_add(study, set, v);
        mot_study_last(variant, mot_study_number, STUDY_ACCURACY, to->accuracy);
        mot_study_last(variant, mot_study_number, STUDY_GROUP_ACCURACY, to->group);
        mot_study_last(variant, mot_study_number, STUDY_LOSS, to->loss);
        mot_study_last(variant, mot_study_number, STUDY_NMI, to->nmi);
        mot_study_last(variant, mot_study_number, STUDY_ENTROPY, to->entropy);
        mot_study_last(variant, mot_study_number, STUDY_USED, to->used);
        mot_study_last(variant, mot_study_number, STUDY_STEP, to->steps);
        mot_study_last(variant, mot_study_number, STUDY_TIME, to->seconds);
        to->median = mot_study_median(to->accuracy, SEEDS);
    }
}

static mot_status draw_curves(mot_study *study, size_t set)
{
    static const int shown[] = {ONE, TWO, THREE_STAGES, DENSE_FLOPS, DENSE_PARAMETERS, SHARED, RANDOM};
    enum { SHOWN = MOT_COUNT(shown) };
    study_curve curve[2][SHOWN];
    mot_series series[2][SHOWN];
    char name[64], caption[200];
    mot_status status = MOT_OK;
    memset(curve, 0, sizeof curve);
    for (size_t i = 0; i < SHOWN; ++i)
        for (int over_time = 0; over_time < 2; ++over_time) {
            const study_variant *variant = mot_ablation_add(study, set, shown[i]);
            MOT_TRY(mot_study_curve_make(variant, mot_study_number, STUDY_LOSS, over_time ? STUDY_TIME : STUDY_STEP,
                                         &curve[over_time][i]));
            series[over_time][i] = mot_study_series(&curve[over_time][i], variant->label, (int)i + 1);
        }
    const mot_axis loss = {.label = "loss", .log = 10};
    mot_panel panels[] = {
        mot_study_lines("Test loss against steps", "step", loss, series[0], SHOWN),
        mot_study_lines("Test loss against time", "seconds of training, one core", loss, series[1], SHOWN)};
    panels[0].key = MOT_KEY_NONE;
    panels[1].key = MOT_KEY_RIGHT;
    const mot_figure figure = {.panels = panels, .panel_count = 2, .width = 1200, .height = 420};
    snprintf(name, sizeof name, "%s", mot_ablation_sets[set].name);
    snprintf(caption, sizeof caption, "%s: median and quartiles over %d seeds.", mot_ablation_sets[set].title,
             SEEDS);
    MOT_TRY(mot_study_draw(study, name, caption, &figure));
done:
    for (size_t i = 0; i < SHOWN; ++i)
        for (int k = 0; k < 2; ++k) mot_study_curve_free(&curve[k][i]);
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
    const bool groups = isfinite(mot_study_median(outcomes[ONE].group, SEEDS));
    mot_study_say(study,
                  "| variant | accuracy | %sloss | NMI of expert and %s | entropy of the load | experts used | "
                  "steps | seconds |\n",
                  groups ? "of the group | " : "", groups ? "group" : "class");
    mot_study_say(study, "|---|---|---|---|---|---|---|---|%s\n", groups ? "---|" : "");
    for (int v = 0; v < VARIANTS; ++v) {
        const outcome *of = &outcomes[v];
        table[v] = of->median;
        if (!of->there) continue;
        mot_study_say(study, "| %s | %s | ", mot_ablation_variants[v].label,
                      mot_study_spread(of->accuracy, SEEDS, text[0]));
        if (groups) mot_study_say(study, "%s | ", mot_study_spread(of->group, SEEDS, text[1]));
        mot_study_say(study, "%s | %s | %s | %s | %s | %s |\n", mot_study_spread(of->loss, SEEDS, text[2]),
                      mot_study_spread(of->nmi, SEEDS, text[3]), mot_study_spread(of->entropy, SEEDS, text[4]),
                      mot_study_spread(of->used, SEEDS, text[5]), mot_study_spread(of->steps, SEEDS, text[6]),
                      mot_study_spread(of->seconds, SEEDS, text[7]));
    }
    mot_study_say(study, "\n");
    const hsize_t shape[] = {VARIANTS};
    MOT_TRY(mot_study_keep(study, mot_ablation_sets[set].name, "accuracy", 1, shape, table));
done:
    return status;
}

/* "+0.012" on every set: median accuracy of one variant minus another's. */
static void differences(const outcome outcomes[SETS][VARIANTS], const bool there[SETS], int variant,
                        int against, char text[160])
{
    text[0] = '\0';
    for (size_t s = 0; s < SETS; ++s) {
        if (!there[s] || !outcomes[s][variant].there || !outcomes[s][against].there) continue;
        const size_t used = strlen(text);
        snprintf(text + used, 160 - used, "%s%+.3f", used > 0 ? ", " : "",
                 outcomes[s][variant].median - outcomes[s][against].median);
    }
    if (text[0] == '\0') snprintf(text, 160, "not in the quick form");
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
    mot_study_say(study, "Differences of median accuracies over %d seeds on", SEEDS);
    const char *between = " ";
    for (size_t s = 0; s < SETS; ++s)
        if (there[s]) mot_study_say(study, "%s%s", between, mot_ablation_sets[s].title), between = ", ";
    mot_study_say(study, ", in this order.\n\n| asked | compared | difference |\n|---|---|---|\n");
    for (size_t a = 0; a < MOT_COUNT(answers); ++a)
        for (size_t r = 0; r < 4 && answers[a].row[r].what != NULL; ++r) {
            char text[160];
            differences(outcomes, there, answers[a].row[r].variant, answers[a].row[r].against, text);
            mot_study_say(study, "| %s | %s | %s |\n", r == 0 ? answers[a].asked : "", answers[a].row[r].what,
                          text);
        }
    mot_study_say(study, "\nMore than one neuron an expert, correlated features, and why no linear rate was "
                         "visible: see the page of the claims (`mot study claims`). Routing single tokens "
                         "instead of samples is not in mot, which sends whole samples, and is not answered.\n\n");
}

static void tell_verdicts(mot_study *study, const outcome outcomes[SETS][VARIANTS], const bool there[SETS])
{
    int dense = 0, staged = 0, routed = 0, count = 0;
    for (size_t s = 0; s < SETS; ++s) {
        if (!there[s]) continue;
        ++count;
        dense += outcomes[s][ONE].median > outcomes[s][DENSE_FLOPS].median;
        staged += outcomes[s][THREE_STAGES].median > outcomes[s][ONE].median;
        routed += outcomes[s][ONE].median > outcomes[s][RANDOM].median;
    }
    mot_study_section(study, "Verdicts");
    const struct {
        const char *claim, *because;
        int holds;
    } verdicts[] = {
        {"A gate that learns is better than a random one",
         "the experts do not differ enough for the route to matter", routed},
        {"MoT is better than one transformer of equal FLOPs",
         "each of its experts sees a quarter of the samples, and data of this size are worth more than "
         "experts of one's own",
         dense},
        {"Three stages are better than training end to end",
         "with AdamW and real data attention and FFN learn well together, and freezing takes steps from each",
         staged},
    };
    for (size_t i = 0; i < MOT_COUNT(verdicts); ++i) {
        const bool all = verdicts[i].holds == count;
        mot_study_say(study, "- %s: **%s** (so on %d of %d data sets)%s%s.\n", verdicts[i].claim,
                      all ? "holds" : "not so", verdicts[i].holds, count, all ? "" : ", because ",
                      all ? "" : verdicts[i].because);
        mot_log(MOT_LOG_INFO, "  %s %s: on %d of %d data sets", all ? "holds.  " : "not so. ",
                verdicts[i].claim, verdicts[i].holds, count);
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
                  "Made by `mot study ablations%s`: encoders as experts (width 32, 2 layers, 4 heads), 4 "
                  "experts, top-1, AdamW, %d seeds; small models and few epochs, so that the whole table takes "
                  "half an hour on two cores. All variants of a data set have the same batches, rates and number "
                  "of epochs, which were chosen for MoT and not tuned for the others. Numbers are medians, with "
                  "the range over the seeds in brackets; seconds are those of training on one core, while others "
                  "were at work on the machine: they are rough.\n\n",
                  study->options.quick ? " --quick" : "", SEEDS);
    for (size_t s = 0; s < SETS; ++s) {
        if (there[s]) {
            measure(study, s, outcomes[s]);
            MOT_TRY(tell_set(study, s, outcomes[s]));
        } else {
            mot_study_say(study, "%s: skipped: %s.\n\n", mot_ablation_sets[s].title,
                          study->options.quick ? "not in the quick form" : "its file is not there");
        }
    }
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
        there[s] = file[s] && mot_ablation_planned(study, s, ONE);
        found += there[s];
    }
    mot_status status = MOT_OK;
    if (study->comm->rank == MOT_ROOT && found == 0)
        status = mot_fail(MOT_ERR_INPUT,
                          "no data set for the ablations in the folder '%s' (--data): launch/example.sh "
                          "makes %s, %s and %s",
                          study->options.data, mot_ablation_sets[0].file, mot_ablation_sets[1].file,
                          mot_ablation_sets[2].file);
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
    for (size_t s = 0; status == MOT_OK && s < SETS; ++s)
        for (int v = 0; v < VARIANTS && ((const bool *)there)[s]; ++v)
            if (mot_ablation_planned(study, s, v)) (void)mot_ablation_add(study, s, v);
    return status;
}

mot_status mot_study_ablations(const mot_comm *comm, const mot_study_options *options)
{
    bool there[SETS] = {false};
    return mot_study_do(comm, options, "ablations", plan, write_page, there);
}
