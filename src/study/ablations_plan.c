/* The study of stages, sharing, gates and sizes on real data: what it trains. */
#include "ablations.h"

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
/* A block for all samples, then one of four experts: two blocks a sample, as in every other row. */
#define LAYERS(embed)                                                                                        \
    "model:\n  layers:\n    - embed: {" embed "width: 32}\n    - dense: {depth: 1, heads: 4, ffn: 64}\n"     \
    "    - experts: {count: 4, depth: 1, heads: 4, ffn: 64, gate: {init: 0.1}}\n    - head: {pool: mean}\n"
#define ROUTE "route:\n  noise: uniform\n  noise_scale: 1\n  noise_steps: 1000\n"
#define REPORT(every, batch)                                                                                 \
    "eval:\n  every: " every "\n  batch: " batch                                                             \
    "\nrecord:\n  every: 0\n  eval: false\nreport:\n  every: 1000000\n"
#define QUIET REPORT("300", "500")

#define JOINED                                                                                               \
    "model:\n  patch: 7\n" MODEL "gate:\n  input: flat\n"                                                     \
    "route:\n  noise: uniform\n  noise_scale: 1\n  noise_steps: 50%\n  balance_loss: 0.1\n"                   \
    "train:\n  batch: 128\n  rate: 8e-3\n  gate_rate: 3e-3\n  clip: 1\n"

#define FASHION "data:\n  augment:\n    flip: true\n"
#define FASHION_TRAIN                                                                                        \
    ROUTE "  balance_loss: 0.1\ntrain:\n  batch: 128\n  rate: 4e-3\n  gate_rate: 1e-3\n"                     \
          "  weight_decay: 0.05\n  clip: 1\n" STAGES("1.2", "1.2", "1.6") QUIET

#define CIFAR "data:\n  augment:\n    shift: 1\n    flip: true\n"
#define CIFAR_TRAIN                                                                                          \
    ROUTE "  balance_loss: 0.03\ntrain:\n  batch: 64\n  rate: 3e-3\n  gate_rate: 1e-3\n"                     \
          "  weight_decay: 0.1\n  clip: 1\n" STAGES("4.5", "4.5", "6") QUIET

#define CLINC "data:\n  augment:\n    drop: 0.2\n"
#define CLINC_TRAIN                                                                                          \
    ROUTE "  balance_loss: 1\ntrain:\n  batch: 64\n  rate: 6e-3\n  gate_rate: 3e-3\n"                        \
          "  weight_decay: 0.05\n  clip: 1\n" STAGES("2.4", "2.4", "3.2") QUIET

const ablation_set mot_ablation_sets[SETS] = {
    {.name = "joined",
     .title = "Four sources joined",
     .file = "joined.h5",
     .about = "Fashion-MNIST; MNIST; Fashion-MNIST turned by 180 degrees and negated; MNIST transposed and "
              "negated; 240,000 training and 40,000 test pictures, each source with 10 classes of its own. The "
              "source is the group, and nobody but a gate that is told knows it. A smaller model than that of "
              "[joined.md](joined.md), which says more of these data",
     .base = JOINED "  warmup: 50\n  schedule: cosine\n  final_rate: 0\n  until: 2 epochs\n" REPORT("1250", "2000"),
     .grouped = JOINED "stages:\n  - name: together\n    schedule: constant\n    warmup: 50\n    until: 600 steps\n"
                       "  - name: apart\n    schedule: cosine\n    final_rate: 0\n    until: 3150 steps\n" REPORT("1250", "2000"),
     .grouping = "stages.0.action=group",
     .flops = "model.ffn=80",
     .best = GROUPED,
     .few = true,
     .told = "group"},
    {.name = "fashion-mnist",
     .title = "Fashion-MNIST",
     .file = "fashion-mnist.h5",
     .about = "60,000 training and 10,000 test pictures, 10 classes; all of it",
     .base = FASHION "model:\n  patch: 7\n" MODEL "gate:\n  input: flat\n" FASHION_TRAIN,
     .grouping = "stages.0.action=group",
     .flops = "model.ffn=68; train.rate=8e-3",
     .half_flops = "model.ffn=40; train.rate=16e-3",
     .half_grouping = "train.rate=8e-3",
     .best = GROUPED,
     .stack = FASHION LAYERS("patch: 7, ") FASHION_TRAIN,
     .dense = "model.width=64; model.heads=8; model.ffn=153",
     .first = "1.2",
     .early = "stages.0.until=0.6 epochs; stages.1.until=1.8 epochs",
     .late = "stages.0.until=1.8 epochs; stages.1.until=0.6 epochs",
     .shorter = "stages.0.until=0.2 epochs; stages.1.until=0.2 epochs; stages.2.until=0.2 epochs; ",
     .told = "label"},
    {.name = "cifar100-mid",
     .title = "CIFAR-100, 100 pictures a class",
     .file = "cifar100-mid.h5",
     .about = "10,000 training and 2,000 test pictures, 100 fine classes in 20 superclasses: a part of CIFAR-100, "
              "its pictures unmodified; the standard error of an accuracy is 0.009",
     .base = CIFAR "model:\n  patch: 8\n" MODEL "gate:\n  input: flat\n" CIFAR_TRAIN,
     .grouping = "stages.0.action=group; gate.input=mean", /* all pixels by 100 classes would be as dear as an expert */
     .flops = "model.ffn=74",
     .half_flops = "model.ffn=52",
     .best = GROUPED,
     .stack = CIFAR LAYERS("patch: 8, ") CIFAR_TRAIN,
     .dense = "model.width=64; model.heads=8; model.ffn=212",
     .first = "4.5",
     .early = "stages.0.until=2.25 epochs; stages.1.until=6.75 epochs",
     .late = "stages.0.until=6.75 epochs; stages.1.until=2.25 epochs",
     .told = "group"},
    {.name = "clinc150",
     .title = "CLINC150",
     .file = "clinc150.h5",
     .about = "15,000 training and 4,500 test sentences, 150 intents in 10 domains; all of it",
     .base = CLINC "model:\n" MODEL "gate:\n  input: sum\n" CLINC_TRAIN,
     .grouping = "stages.0.action=group",
     .flops = "model.ffn=66",
     .half_flops = "model.ffn=36; train.rate=12e-3",
     .half_grouping = "train.rate=12e-3",
     .best = GROUPED,
     .stack = CLINC LAYERS("") CLINC_TRAIN,
     .dense = "model.width=104; model.heads=8; model.ffn=138",
     .first = "2.4",
     .early = "stages.0.until=1.2 epochs; stages.1.until=3.6 epochs",
     .late = "stages.0.until=3.6 epochs; stages.1.until=1.2 epochs",
     .told = "group"},
};

#define NO_ATTENTION "stages.0.train=[gate, embed, ffn, head]; "
#define THREE        NO_ATTENTION "stages.1.train=[gate, attention]; stages.2.train=[gate, embed, ffn, head]; "
#define GROUPS       "gate.kind=classes; route.noise=none; route.balance_loss=0; "
#define DENSE        "model.experts=1; route.scale=none; route.balance_loss=0; "
/* Controls score all experts alike; the output of the one that is chosen counts whole, as a gate's that has learned does. */
#define WHOLE "; route.scale=chosen; route.balance_loss=0"
const ablation_variant mot_ablation_variants[VARIANTS] = {
    [DENSE_FLOPS] = {"dense-flops", "one transformer, equal FLOPs", NULL, 1, MOST_SEEDS, .in_quick = true, .in_few = true},
    [GROUPED] = {"grouped", "MoT, grouped by what the gate confuses", NULL, 1, MOST_SEEDS, .in_quick = true, .in_few = true},
    [HALF_DENSE] = {"half-dense", "one transformer, half as wide, equal FLOPs", NULL, 0.5, MOST_SEEDS},
    [HALF_GROUPED] = {"half-grouped", "MoT, grouped, half as wide", NULL, 0.5, MOST_SEEDS},
    [ONE] = {"one", "MoT, one stage", "", 1, MOST_SEEDS, .in_quick = true, .in_few = true},
    [STACKED] = {"stack", "a block for all, then one of four", NULL, 1, MOST_SEEDS},
    [ORACLE] = {"oracle", "MoT, gate that is told the class or group", NULL, 1, MOST_SEEDS, .in_few = true},
    [RANDOM] = {"random", "MoT, random gate", "gate.kind=random" WHOLE, 1, SEEDS, .in_quick = true},
    [SHARED] = {"shared", "shared attention, FFN experts", "model.tie=[embed, attention, head]", 1, SEEDS, .in_quick = true},
    [DENSE_PARAMETERS] = {"dense-parameters", "one transformer, equal parameters", NULL, 3, SEEDS, .in_quick = true},
    [TWO] = {"two", "MoT, two stages", NO_ATTENTION, 1, SEEDS, .in_quick = true},
    [THREE_STAGES] = {"three", "MoT, three stages", THREE, 1, SEEDS, .in_quick = true},
    [SELF] = {"three-self", "MoT, three stages that find their ends", NULL, 0.9, SEEDS},
    [EARLY] = {"three-early", "MoT, three stages, T1 halved", NULL, 1, SEEDS},
    [LATE] = {"three-late", "MoT, three stages, T1 half as long again", NULL, 1, SEEDS},
    [NO_NOISE] = {"no-noise", "MoT, no noise", "route.noise=none; route.noise_steps=0", 1, SEEDS},
    [NO_BALANCE] = {"no-balance", "MoT, no load balance", "route.balance_loss=0", 1, SEEDS},
    [TOP_2] = {"top-2", "MoT, top-2", "route.top_k=2", 2.7, SEEDS},
    [ALL] = {"soft", "MoT, all four experts", "route.top_k=all", 4.5, SEEDS},
    [HEADS_1] = {"heads-1", "MoT, 1 head", "model.heads=1", 1, SEEDS},
    [HEADS_8] = {"heads-8", "MoT, 8 heads", "model.heads=8", 1.1, SEEDS},
    [DEPTH_1] = {"depth-1", "MoT, 1 layer", "model.depth=1", 0.6, SEEDS},
    [DEPTH_3] = {"depth-3", "MoT, 3 layers", "model.depth=3", 1.4, SEEDS},
    [WIDE] = {"wide", "MoT, twice as wide", "model.width=64; model.heads=8; model.ffn=128", 2.5, SEEDS},
    [EIGHT] = {"experts-8", "MoT, 8 experts", "model.experts=8", 1, SEEDS},
};

static void settings_of(const ablation_set *set, int variant, char *text, size_t size)
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
        snprintf(text, size, "gate.kind=fixed; gate.told=%s" WHOLE, set->told);
        break;
    case DENSE_PARAMETERS:
        snprintf(text, size, DENSE "%s", set->dense);
        break;
    case DENSE_FLOPS:
        snprintf(text, size, DENSE "%s", set->flops);
        break;
    case HALF_DENSE:
        snprintf(text, size, DENSE "model.width=16; %s", set->half_flops);
        break;
    case GROUPED:
        snprintf(text, size, GROUPS "%s", set->grouping);
        break;
    case HALF_GROUPED:
        snprintf(text, size, GROUPS "model.width=16; model.ffn=32; %s; %s", set->grouping,
                 set->half_grouping != NULL ? set->half_grouping : "");
        break;
    case STACKED:
        snprintf(text, size, "route.balance_loss=0.05");
        break;
    default:
        snprintf(text, size, "%s", mot_ablation_variants[variant].settings);
    }
}

/* The row's own name in the study's folder, and its seeds: where nothing is trained, those that are there. */
static study_variant row_of(const mot_study *study, size_t set, int variant)
{
    study_variant row = {.seeds = mot_ablation_variants[variant].seeds};
    snprintf(row.name, sizeof row.name, "%s-%s", mot_ablation_sets[set].name, mot_ablation_variants[variant].name);
    if (study->options.draw_only) row.seeds = mot_study_there(study, &row);
    return row;
}

bool mot_ablation_planned(const mot_study *study, size_t set, int variant)
{
    const ablation_set *of = &mot_ablation_sets[set];
    if (variant == STACKED && of->stack == NULL) return false;
    if (study->options.quick && (of->shorter == NULL || !mot_ablation_variants[variant].in_quick)) return false;
    if (of->few && !mot_ablation_variants[variant].in_few) return false;
    return row_of(study, set, variant).seeds > 0;
}

static const char *base_of(const ablation_set *set, int variant)
{
    if (variant == STACKED) return set->stack;
    return (variant == GROUPED || variant == HALF_GROUPED) && set->grouped != NULL ? set->grouped : set->base;
}

study_variant *mot_ablation_add(mot_study *study, size_t set, int variant)
{
    const ablation_set *of = &mot_ablation_sets[set];
    const ablation_variant *what = &mot_ablation_variants[variant];
    const study_variant row = row_of(study, set, variant);
    char settings[1000];
    settings_of(of, variant, settings, sizeof settings);
    return mot_study_add(study, row.name, what->label, base_of(of, variant), row.seeds, 8 * what->cost,
                         "data.file=%s/%s; %s%s", study->options.data, of->file,
                         study->options.quick ? of->shorter : "", settings);
}
