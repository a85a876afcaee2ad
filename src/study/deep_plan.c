/* The deep half of the study of rehearsal: data sets, settings, trials. */
#include <string.h>
#include <unistd.h>

#include "deep.h"

const char *const mot_deep_strategies[DEEP_STRATEGIES] = {"none", "concurrent", "sequential", "hybrid", "joint"};

#define SIZES "  experts: 1\n  width: 32\n  heads: 4\n  depth: 1\n  ffn: 64\n"
#define ALONE "route:\n  top_k: 1\n  scale: none\n  noise: none\n  balance_loss: 0\n"
#define REHEARSE                                                                                             \
    "train:\n  batch: 50\n  rate: 1e-2\n"                                               \
    "rehearsal:\n  strategy: none\n  memory: 20 a class\n  memory_form: class\n"
#define QUIET                                                                                                \
    "checkpoint:\n  every: 0\nrecord:\n  every: 0\n  eval: false\nreport:\n  every: 1000000\n"

const deep_set mot_deep_sets[DEEP_SETS] = {
    {"clinc150", "CLINC150", "CLINC150", {"clinc150.h5"}, "15,000 training and 4,500 test sentences, 150 intents; its 10 domains are tasks of 15 intents",
     "data:\n  source: stream\n  stream:\n    split: group\n    order: drawn\nmodel:\n" SIZES "gate:\n  input: sum\n" ALONE REHEARSE QUIET,
     "[none, words, labels 0.3, drop 0.3]",
     "every fourth task as it is, and of the others all words permuted, 30 % of the training labels wrong, 30 % of the words unknown",
     100, 3},
    {"cifar100", "CIFAR-100", "CIFAR-100, 100 pictures a class", {"cifar100-mid.h5"},
     "10,000 training and 2,000 test pictures; 10 tasks of 10 classes, dealt anew for each seed",
     "data:\n  source: stream\n  stream:\n    split: class\n    tasks: 10\n    order: drawn\nmodel:\n  patch: 16\n" SIZES
     "gate:\n  input: flat\n" ALONE REHEARSE QUIET,
     "[none, rotate 90, colours, blur 2, labels 0.3]",
     "every fifth task as it is, and of the others pictures turned by 90 degrees, colours permuted, blurred by 2 pixels, 30 % of the "
     "training labels wrong",
     60, 3.3},
    {"joined", "joined", "Joined, Fashion-MNIST and MNIST", {"fashion-mnist-few.h5", "mnist-few.h5"},
     "two sources that come five times each, in an order that a seed draws, so that five tasks have the same 1,000 training and 1,000 "
     "test pictures (of the sources' test splits), each with a head of its own; 10 tasks of 10 classes",
     "data:\n  source: stream\n  stream:\n    split: file\n    tasks: 10\n    order: drawn\nmodel:\n  patch: 14\n" SIZES
     "gate:\n  input: flat\n" ALONE REHEARSE QUIET,
     "[none, rotate 90, pixels, blur 2, labels 0.3]",
     "every fifth task as it is, and of the others pictures turned by 90 degrees, all places permuted, blurred by 2 pixels, 30 % of "
     "the training labels wrong",
     40, 2.5},
};

int mot_deep_steps(const mot_study *study, int set)
{
    return study->options.quick ? 50 : mot_deep_sets[set].steps;
}

int mot_deep_seeds(const mot_study *study, int seeds)
{
    return study->options.quick ? 2 : seeds;
}

/* "data/a.h5" or "[data/a.h5, data/b.h5]" */
static void name_files(const mot_study *study, const deep_set *set, char *text, size_t size)
{
    const char *folder = study->options.data;
    if (set->file[1] == NULL)
        snprintf(text, size, "%s/%s", folder, set->file[0]);
    else
        snprintf(text, size, "[%s/%s, %s/%s]", folder, set->file[0], folder, set->file[1]);
}

study_variant *mot_deep_add(mot_study *study, const deep_trial *trial)
{
    const deep_set *set = &mot_deep_sets[trial->set];
    const bool many = trial->model == DEEP_MOT;
    char name[STUDY_NAME], label[STUDY_NAME], gate[200] = "", files[600];
    snprintf(name, sizeof name, "%s-%s-%s-%s%s%s", set->name, trial->form == DEEP_CLEAN ? "clean" : "changed",
             many ? "mot" : "one", mot_deep_strategies[trial->strategy], trial->name != NULL ? "-" : "",
             trial->name != NULL ? trial->name : "");
    snprintf(label, sizeof label, "%s", name);
    if (many)
        snprintf(gate, sizeof gate,
                 "model.experts=4; route.scale=prob; route.noise=uniform; route.noise_scale=1; route.noise_steps=10%%; "
                 "route.balance_loss=1; train.gate_rate=1e-2; ");
    name_files(study, set, files, sizeof files);
    study_variant *variant =
        mot_study_add(study, name, label, set->base, trial->seeds, set->cost * (many ? 1.4 : 1),
                      "data.stream.files=%s; train.until=%d steps; data.stream.changes=%s; rehearsal.strategy=%s; %s%s", files,
                      mot_deep_steps(study, trial->set), trial->form == DEEP_CLEAN ? "none" : set->changed,
                      mot_deep_strategies[trial->strategy], gate, trial->settings != NULL ? trial->settings : "");
    if (variant != NULL) variant->chosen = DEEP_CHOSEN;
    return variant;
}

study_variant *mot_deep_usual(mot_study *study, int set, int form, deep_model model, int strategy)
{
    enum { SEEDS = 10 };
    return mot_deep_add(study, &(deep_trial){.set = set,
                                             .form = form,
                                             .model = model,
                                             .strategy = strategy,
                                             .seeds = study->options.quick ? 3 : SEEDS});
}

bool mot_deep_find(const mot_study *study, int set)
{
    int there = !study->options.quick || set == DEEP_CLINC;
    for (size_t f = 0; f < 2 && mot_deep_sets[set].file[f] != NULL; ++f) {
        char path[1024];
        snprintf(path, sizeof path, "%s/%s", study->options.data, mot_deep_sets[set].file[f]);
        if (study->comm->rank == MOT_ROOT && there && access(path, R_OK) != 0) there = 0;
    }
    mot_comm_bcast(study->comm, &there, sizeof there, MOT_ROOT);
    return there;
}

bool mot_deep_planned(const mot_study *study, int set)
{
    const size_t length = strlen(mot_deep_sets[set].name);
    for (size_t v = 0; v < study->variants; ++v)
        if (strncmp(study->variant[v].name, mot_deep_sets[set].name, length) == 0) return true;
    return false;
}
