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
#define ROUTE "route:\n  noise: uniform\n  noise_scale: 1\n  noise_steps: 1000\n"
#define QUIET                                                                                                \
    "eval:\n  every: 300\n  batch: 500\nrecord:\n  every: 0\n  eval: false\nreport:\n  every: 1000000\n"

const ablation_set mot_ablation_sets[SETS] = {
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
     "data:\n  augment:\n    shift: 1\n    flip: true\nmodel:\n  patch: 8\n" MODEL "gate:\n  input: flat\n" ROUTE
     "  balance_loss: 0.03\ntrain:\n  batch: 64\n  rate: 3e-3\n  gate_rate: "
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
const ablation_variant mot_ablation_variants[VARIANTS] = {
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
        snprintf(text, size, "gate.kind=fixed; gate.told=%s", set->told);
        break;
    case DENSE_PARAMETERS:
        snprintf(text, size, DENSE "%s", set->dense);
        break;
    default:
        snprintf(text, size, "%s", mot_ablation_variants[variant].settings);
    }
}

bool mot_ablation_planned(const mot_study *study, size_t set, int variant)
{
    return !study->options.quick || (set == 0 && mot_ablation_variants[variant].in_quick);
}

study_variant *mot_ablation_add(mot_study *study, size_t set, int variant)
{
    char name[64], settings[1000];
    snprintf(name, sizeof name, "%s-%s", mot_ablation_sets[set].name, mot_ablation_variants[variant].name);
    settings_of(&mot_ablation_sets[set], variant, settings, sizeof settings);
    return mot_study_add(study, name, mot_ablation_variants[variant].label, mot_ablation_sets[set].base, SEEDS,
                         8 * mot_ablation_variants[variant].cost, "data.file=%s/%s; %s%s", study->options.data,
                         mot_ablation_sets[set].file, study->options.quick ? mot_ablation_sets[set].shorter : "",
                         settings);
}
