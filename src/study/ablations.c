/* The study of stages, sharing, gates and sizes on real data. */
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "mot/atomic_file.h"
#include "mot/log.h"
#include "mot/memory.h"
#include "study_private.h"

enum { SEEDS = 3, SETS = 3, MOST_VARIANTS = 24 };

/* ---- what is trained ---- */

/* The three stages train everything: together they are one stage. What is frozen in them is the variants' affair, so that
 * rates, batches and lengths are equal. */
#define STAGES(first, second, third)                                                                         \
    "stages:\n"                                                                                              \
    "  - name: first\n    train: [gate, embed, attention, ffn, head]\n    schedule: constant\n"              \
    "    warmup: 50\n    until: " first " epochs\n"                                                          \
    "  - name: second\n    train: [gate, embed, attention, ffn, head]\n    schedule: constant\n"             \
    "    until: " second " epochs\n"                                                                         \
    "  - name: third\n    train: [gate, embed, attention, ffn, head]\n    schedule: linear\n"                \
    "    final_rate: 0\n    until: " third " epochs\n"
#define MODEL "  experts: 4\n  width: 32\n  heads: 4\n  depth: 2\n  ffn: 64\n"
#define ROUTE "route:\n  noise: uniform\n  noise_scale: 1\n  noise_steps: 1000\n"
#define QUIET                                                                                                \
    "eval:\n  every: 300\n  batch: 500\nrecord:\n  every: 0\n  eval: false\nreport:\n  every: 1000000\n"

typedef struct data_set {
    const char *name, *title, *file, *about, *base;
    const char *dense; /* one transformer with as many parameters as the four experts, within 0.1 % */
    const char *first, *early, *late; /* epochs: cap of stage I and II; three-early and three-late */
    const char *shorter;              /* the quick form's stages */
    const char *told;                 /* what a gate can be told: the groups of those that have them */
} data_set;

static const data_set sets[SETS] = {
    {"fashion-mnist", "Fashion-MNIST", "fashion-mnist.h5",
     "60,000 training and 10,000 test pictures, 10 classes; all of it",
     "data:\n  augment:\n    flip: true\nmodel:\n  patch: 7\n" MODEL "gate:\n  input: flat\n" ROUTE
     "  balance_loss: 0.1\ntrain:\n  batch: 128\n  rate: 4e-3\n  gate_rate: 1e-3\n  weight_decay: 0.05\n  "
     "clip: 1\n" STAGES("1.2", "1.2", "1.6") QUIET,
     "model.width=64; model.heads=8; model.ffn=153", "1.2",
     "stages.0.until=0.6 epochs; stages.1.until=1.8 epochs",
     "stages.0.until=1.8 epochs; stages.1.until=0.6 epochs",
     "stages.0.until=0.2 epochs; stages.1.until=0.2 epochs; stages.2.until=0.2 epochs; ", "label"},
    {"cifar100-mid", "CIFAR-100, 100 pictures a class", "cifar100-mid.h5",
     "10,000 training and 2,000 test pictures, 100 fine classes in 20 superclasses: a part of CIFAR-100, its "
     "pictures unmodified; the standard error of an accuracy is 0.009",
     "data:\n  augment:\n    shift: 1\n    flip: true\nmodel:\n  patch: 8\n" MODEL
     "gate:\n  input: flat\n" ROUTE "  balance_loss: 0.03\ntrain:\n  batch: 64\n  rate: 3e-3\n  gate_rate: "
     "1e-3\n  weight_decay: 0.1\n  clip: 1\n" STAGES("4.5", "4.5", "6") QUIET,
     "model.width=64; model.heads=8; model.ffn=212", "4.5",
     "stages.0.until=2.25 epochs; stages.1.until=6.75 epochs",
     "stages.0.until=6.75 epochs; stages.1.until=2.25 epochs", "", "group"},
    {"clinc150", "CLINC150", "clinc150.h5",
     "15,000 training and 4,500 test sentences, 150 intents in 10 domains; all of it",
     "data:\n  augment:\n    drop: 0.2\nmodel:\n" MODEL "gate:\n  input: sum\n" ROUTE
     "  balance_loss: 1\ntrain:\n  batch: 64\n  rate: 6e-3\n  gate_rate: 3e-3\n  weight_decay: 0.05\n  clip: "
     "1\n" STAGES("2.4", "2.4", "3.2") QUIET,
     "model.width=104; model.heads=8; model.ffn=138", "2.4",
     "stages.0.until=1.2 epochs; stages.1.until=3.6 epochs",
     "stages.0.until=3.6 epochs; stages.1.until=1.2 epochs", "", "group"},
};

#define NO_ATTENTION "stages.0.train=[gate, embed, ffn, head]; "
#define THREE        NO_ATTENTION "stages.1.train=[gate, attention]; stages.2.train=[gate, embed, ffn, head]; "
#define DENSE        "model.experts=1; route.scale=none; route.balance_loss=0; "
enum {
    ONE,
    TWO,
    THREE_STAGES,
    SELF,
    EARLY,
    LATE,
    DENSE_PARAMETERS,
    DENSE_FLOPS,
    SHARED,
    NO_NOISE,
    NO_BALANCE,
    RANDOM,
    ORACLE,
    TOP_2,
    ALL,
    HEADS_1,
    HEADS_8,
    DEPTH_1,
    DEPTH_3,
    WIDE,
    EIGHT,
    VARIANTS
};

static const struct {
    const char *name, *label, *settings;
    double cost;
    bool in_quick;
} variants[VARIANTS] = {
    [ONE] = {"one", "MoT, one stage", "", 1, true},
    [TWO] = {"two", "MoT, two stages", NO_ATTENTION, 1, true},
    [THREE_STAGES] = {"three", "MoT, three stages", THREE, 1, true},
    [SELF] = {"three-self", "MoT, three stages that find their ends", NULL, 0.9, false},
    [EARLY] = {"three-early", "MoT, three stages, T1 halved", NULL, 1, false},
    [LATE] = {"three-late", "MoT, three stages, T1 half as long again", NULL, 1, false},
    [DENSE_PARAMETERS] = {"dense-parameters", "one transformer, equal parameters", NULL, 3, true},
    [DENSE_FLOPS] = {"dense-flops", "one transformer, equal FLOPs", DENSE, 1, true},
    [SHARED] = {"shared", "shared attention, FFN experts", "model.tie=[embed, attention, head]", 1, true},
    [NO_NOISE] = {"no-noise", "MoT, no noise", "route.noise=none; route.noise_steps=0", 1, false},
    [NO_BALANCE] = {"no-balance", "MoT, no load balance", "route.balance_loss=0", 1, false},
    [RANDOM] = {"random", "MoT, random gate", "gate.kind=random", 1, true},
    [ORACLE] = {"oracle", "MoT, gate that is told the class or group", NULL, 1, false},
    [TOP_2] = {"top-2", "MoT, top-2", "route.top_k=2", 2.7, false},
    [ALL] = {"soft", "MoT, all four experts", "route.top_k=all", 4.5, false},
    [HEADS_1] = {"heads-1", "MoT, 1 head", "model.heads=1", 1, false},
    [HEADS_8] = {"heads-8", "MoT, 8 heads", "model.heads=8", 1.1, false},
    [DEPTH_1] = {"depth-1", "MoT, 1 layer", "model.depth=1", 0.6, false},
    [DEPTH_3] = {"depth-3", "MoT, 3 layers", "model.depth=3", 1.4, false},
    [WIDE] = {"wide", "MoT, twice as wide", "model.width=64; model.heads=8; model.ffn=128", 2.5, false},
    [EIGHT] = {"experts-8", "MoT, 8 experts", "model.experts=8", 1, false},
};

static void settings_of(const data_set *set, int variant, char *text, size_t size)
{
    switch (variant) {
    case SELF:
        snprintf(
            text, size,
            THREE
            "stages.0.until=purity plateau 100 or %s epochs; stages.1.until=loss plateau 100 or %s epochs",
            set->first, set->first);
        break;
    case EARLY:
        snprintf(text, size, THREE "%s", set->early);
        break;
    case LATE:
        snprintf(text, size, THREE "%s", set->late);
        break;
    case ORACLE:
        snprintf(text, size, "gate.kind=fixed; gate.told=%s", set->told);
        break;
    case DENSE_PARAMETERS:
        snprintf(text, size, DENSE "%s", set->dense);
        break;
    default:
        snprintf(text, size, "%s", variants[variant].settings);
    }
}

static bool planned(const mot_study *study, size_t set, int variant)
{
    return !study->options.quick || (set == 0 && variants[variant].in_quick);
}

static size_t add(mot_study *study, size_t set, int variant)
{
    char name[64], settings[1000];
    snprintf(name, sizeof name, "%s-%s", sets[set].name, variants[variant].name);
    settings_of(&sets[set], variant, settings, sizeof settings);
    return study_add(study, name, variants[variant].label, sets[set].base, SEEDS, 8 * variants[variant].cost,
                     "data.file=%s/%s; %s%s", study->options.data, sets[set].file,
                     study->options.quick ? sets[set].shorter : "", settings);
}

/* ---- what came out ---- */

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
        *to = (outcome){.there = planned(study, set, v), .median = NAN};
        if (!to->there) continue;
        const study_variant *variant = &study->variant[add(study, set, v)];
        study_last(variant, study_number, STUDY_ACCURACY, to->accuracy);
        study_last(variant, study_number, STUDY_GROUP_ACCURACY, to->group);
        study_last(variant, study_number, STUDY_LOSS, to->loss);
        study_last(variant, study_number, STUDY_NMI, to->nmi);
        study_last(variant, study_number, STUDY_ENTROPY, to->entropy);
        study_last(variant, study_number, STUDY_USED, to->used);
        study_last(variant, study_number, STUDY_STEP, to->steps);
        study_last(variant, study_number, STUDY_TIME, to->seconds);
        to->median = study_median(to->accuracy, SEEDS);
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
            const study_variant *variant = &study->variant[add(study, set, shown[i])];
            MOT_TRY(study_curve_make(variant, study_number, STUDY_LOSS, over_time, &curve[over_time][i]));
            series[over_time][i] = study_series(&curve[over_time][i], variant->label, (int)i + 1);
        }
    const mot_panel panels[] = {
        {.kind = MOT_PANEL_LINES,
         .title = "Test loss against steps",
         .x = {.label = "step"},
         .y = {.label = "loss", .log = 10},
         .series = series[0],
         .series_count = SHOWN,
         .key = MOT_KEY_NONE},
        {.kind = MOT_PANEL_LINES,
         .title = "Test loss against time",
         .x = {.label = "seconds of training, one core"},
         .y = {.label = "loss", .log = 10},
         .series = series[1],
         .series_count = SHOWN,
         .key = MOT_KEY_RIGHT},
    };
    const mot_figure figure = {.panels = panels, .panel_count = 2, .width = 1200, .height = 420};
    snprintf(name, sizeof name, "%s", sets[set].name);
    snprintf(caption, sizeof caption, "%s: median and quartiles over %d seeds.", sets[set].title, SEEDS);
    MOT_TRY(study_draw(study, name, caption, &figure));
done:
    for (size_t i = 0; i < SHOWN; ++i)
        for (int k = 0; k < 2; ++k) study_curve_free(&curve[k][i]);
    return status;
}

static mot_status tell_set(mot_study *study, size_t set, const outcome outcomes[VARIANTS])
{
    mot_status status = MOT_OK;
    char text[8][96];
    double table[VARIANTS];
    study_section(study, sets[set].title);
    study_say(study, "Data: %s.\n\n", sets[set].about);
    MOT_TRY(draw_curves(study, set));
    const bool groups = isfinite(study_median(outcomes[ONE].group, SEEDS));
    study_say(study,
              "| variant | accuracy | %sloss | NMI of expert and %s | entropy of the load | experts used | "
              "steps | seconds |\n",
              groups ? "of the group | " : "", groups ? "group" : "class");
    study_say(study, "|---|---|---|---|---|---|---|---|%s\n", groups ? "---|" : "");
    for (int v = 0; v < VARIANTS; ++v) {
        const outcome *of = &outcomes[v];
        table[v] = of->median;
        if (!of->there) continue;
        study_say(study, "| %s | %s | ", variants[v].label, study_spread(of->accuracy, SEEDS, text[0]));
        if (groups) study_say(study, "%s | ", study_spread(of->group, SEEDS, text[1]));
        study_say(study, "%s | %s | %s | %s | %s | %s |\n", study_spread(of->loss, SEEDS, text[2]),
                  study_spread(of->nmi, SEEDS, text[3]), study_spread(of->entropy, SEEDS, text[4]),
                  study_spread(of->used, SEEDS, text[5]), study_spread(of->steps, SEEDS, text[6]),
                  study_spread(of->seconds, SEEDS, text[7]));
    }
    study_say(study, "\n");
    const hsize_t shape[] = {VARIANTS};
    MOT_TRY(study_keep(study, sets[set].name, "accuracy", 1, shape, table));
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
          {NO_BALANCE, ONE,
           "no load balance (the gate may collapse: see experts used)"},
          {TOP_2, ONE, "top-2, twice the FLOPs"},
          {ALL, ONE, "all four experts, four times the FLOPs"}}},
        {"What routing is worth",
         {{ONE, RANDOM, "a gate that learns against a random one"},
          {ORACLE, ONE, "a gate that is told the class (the group) of the test sample: an upper bound"}}},
    };
    study_section(study, "What the reviewers asked for");
    study_say(study, "Differences of median accuracies over %d seeds on", SEEDS);
    const char *between = " ";
    for (size_t s = 0; s < SETS; ++s)
        if (there[s]) study_say(study, "%s%s", between, sets[s].title), between = ", ";
    study_say(study, ", in this order.\n\n| asked | compared | difference |\n|---|---|---|\n");
    for (size_t a = 0; a < MOT_COUNT(answers); ++a)
        for (size_t r = 0; r < 4 && answers[a].row[r].what != NULL; ++r) {
            char text[160];
            differences(outcomes, there, answers[a].row[r].variant, answers[a].row[r].against, text);
            study_say(study, "| %s | %s | %s |\n", r == 0 ? answers[a].asked : "", answers[a].row[r].what,
                      text);
        }
    study_say(study, "\nMore than one neuron an expert, correlated features, and why no linear rate was "
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
    study_section(study, "Verdicts");
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
        study_say(study, "- %s: **%s** (so on %d of %d data sets)%s%s.\n", verdicts[i].claim,
                  all ? "holds" : "not so", verdicts[i].holds, count, all ? "" : ", because ",
                  all ? "" : verdicts[i].because);
        mot_log(MOT_LOG_INFO, "  %s %s: on %d of %d data sets", all ? "holds.  " : "not so. ",
                verdicts[i].claim, verdicts[i].holds, count);
    }
}

static mot_status write_page(mot_study *study, const bool there[SETS])
{
    outcome(*outcomes)[VARIANTS] = NULL;
    mot_status status;
    MOT_TRY(mot_allocate(&outcomes, SETS, sizeof *outcomes, "a study"));
    MOT_TRY(study_page_open(study, "Mixture-of-Transformers on real data"));
    study_say(study,
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
            study_say(study, "%s: skipped: %s.\n\n", sets[s].title,
                      study->options.quick ? "not in the quick form" : "its file is not there");
        }
    }
    tell_answers(study, (const outcome(*)[VARIANTS])outcomes, there);
    tell_verdicts(study, (const outcome(*)[VARIANTS])outcomes, there);
    MOT_TRY(study_page_close(study));
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
        snprintf(path, sizeof path, "%s/%s", study->options.data, sets[s].file);
        file[s] = access(path, R_OK) == 0;
        there[s] = file[s] && planned(study, s, ONE);
        found += there[s];
    }
    mot_status status = MOT_OK;
    if (study->comm->rank == MOT_ROOT && found == 0)
        status = mot_fail(MOT_ERR_INPUT,
                          "no data set for the ablations in the folder '%s' (--data): launch/example.sh "
                          "makes %s, %s and %s",
                          study->options.data, sets[0].file, sets[1].file, sets[2].file);
    for (size_t s = 0; s < SETS && found > 0; ++s)
        if (!file[s])
            mot_log(MOT_LOG_WARNING, "%s/%s is not there: %s is skipped", study->options.data, sets[s].file,
                    sets[s].title);
    status = mot_comm_agree(study->comm, status);
    MPI_Bcast(there, SETS * sizeof *there, MPI_BYTE, MOT_ROOT, study->comm->mpi);
    return status;
}

mot_status mot_study_ablations(const mot_comm *comm, const mot_study_options *options)
{
    mot_study study = {
        .comm = comm, .options = *options, .name = "ablations", .room = 256, .file = H5I_INVALID_HID};
    bool there[SETS] = {false};
    mot_status status = mot_allocate(&study.variant, study.room, sizeof *study.variant, "a study");
    MOT_TRY(mot_comm_agree(comm, status));
    MOT_TRY(find_data(&study, there));
    for (size_t s = 0; s < SETS; ++s)
        for (int v = 0; v < VARIANTS && there[s]; ++v)
            if (planned(&study, s, v)) (void)add(&study, s, v);
    MOT_TRY(study_train(&study));
    if (comm->rank == MOT_ROOT) {
        status = study_read(&study);
        if (status == MOT_OK) status = write_page(&study, there);
    }
    MOT_TRY(mot_comm_agree(comm, status));
done:
    study_free(&study);
    return status;
}
