/* config.h: one typed table of options drives the YAML reader, key=value on the command line, --help-config,
 * docs/config.md, the printed summary and the copy saved with each run.
 *
 * A key is a dotted path ("model.width"); in YAML it is a nested map (or the dotted key itself). `stages` is a list
 * of maps whose keys are those of `train` that describe a stage; what a stage leaves out it takes from `train`. No
 * `stages`: one stage called "train". On the command line `stages.0.rate=0.1` changes one stage.
 *
 * Errors are MOT_ERR_INPUT with one sentence: file, line, key, what was expected; an unknown key names the one that was
 * meant: the closest, or what other programs' name for it is here. A key given twice in the file is an error; on the
 * command line the last one wins. Not collective: rank 0 reads, and the struct, which is plain data, is broadcast as
 * bytes. */
#ifndef MOT_CONFIG_H
#define MOT_CONFIG_H

#include <stdio.h>

#include "mot/data_config.h"
#include "mot/model_config.h"
#include "mot/rehearsal_config.h"
#include "mot/stage_config.h"

typedef struct mot_config {
    char run[512]; /* the run folder */
    uint64_t seed;
    int threads;       /* of a rank; 0: as many as the cores allow (auto) */
    double stop_after; /* seconds; 0: never */
    mot_data_config data;
    mot_expert_config model;
    int layers; /* of the list model.layers; 0: none, the model is one layer of whole transformers */
    mot_layer_config layer[MOT_MAX_LAYERS];
    bool residual;           /* keys model.residual and model.shared: of a layer that does not say */
    int shared;
    mot_recompute recompute; /* keys model.recompute and model.memory: of layers' activations */
    size_t activation_memory;
    mot_gate_config gate;
    mot_route_config route;
    struct {
        char from[512];     /* a .npz file with initial values, a run folder or a checkpoint; "": all are drawn */
        mot_part_set parts; /* of a run: those that are taken */
        double noise;       /* of a run: N(0, noise^2) beside each value of an expert, in units of its tensor's deviation */
    } init;
    struct {
        size_t batch; /* B, over all ranks; 0 (auto): follows from the data (mot_stages_resolve) */
        int loss;     /* row of mot_loss_kinds */
        mot_on_nonfinite on_nonfinite;
    } train;
    int tasks; /* no key: of a stream, as its data have them, and each goes through all stages; else 1 (mot_stage_at) */
    int stages;
    mot_stage_config stage[MOT_MAX_STAGES];
    mot_rehearsal_config rehearsal;
    struct {
        char split[16]; /* "test", "val" */
        mot_gidx every; /* steps; 0: at the end only */
        size_t batch;   /* samples a pass */
        bool start;     /* also before the first step */
    } eval;
    struct {
        mot_gidx every;      /* steps; 0: at the end only */
        double interval;     /* seconds between checkpoints as well; 0: by steps alone */
        mot_gidx keep;       /* newest N stay; 0: all */
        mot_gidx keep_every; /* and those of steps that are multiples of it; 0: none */
        bool best;           /* one at each evaluation that is the best so far, which stays */
        bool background;     /* written while training goes on */
        bool start;          /* also before the first step */
    } checkpoint;
    struct {
        mot_gidx every; /* gate assignments of every n-th step; 0: none */
        bool eval;      /* those of every evaluation */
    } record;
    struct {
        double warn, abort; /* seconds without progress; 0: never */
    } watch;
    mot_gidx report_every; /* steps a line of log.jsonl and of the terminal; key report.every */
    bool report_tensorboard; /* key report.tensorboard */
} mot_config;

/* Defaults only; zeros where memory is short. */
void mot_config_defaults(mot_config *config);

/* Reads `path` (YAML), then applies `count` "key=value" arguments, then checks what concerns several keys. */
mot_status mot_config_read(mot_config *config, const char *path, size_t count,
                           const char *const *assignments);

/* The resolved configuration as YAML that reads back to the same struct, bit for bit; mot_free(*text). */
mot_status mot_config_text(const mot_config *config, char **text);

/* The same reading from text in memory (`name` stands in messages); used by checkpoints and tests. */
mot_status mot_config_parse(mot_config *config, const char *name, const char *text, size_t count,
                            const char *const *assignments);

/* What another value of a key changes in a run that goes on: a column of the table. */
typedef enum mot_key_role {
    MOT_KEY_FIXED,  /* what is learned, from the first step on: it must stay */
    MOT_KEY_LEARNS, /* what is learned from here on */
    MOT_KEY_PLACES, /* where and how it is computed, with the same bits */
    MOT_KEY_REPORTS /* what is evaluated, kept and said, with the same bits */
} mot_key_role;
typedef struct mot_change {
    const char *key, *before, *now; /* the key as one would write it; values as in the resolved text */
    mot_key_role role;
} mot_change;
typedef void mot_change_function(void *with, const mot_change *change);

/* Calls `say` for each key whose resolved value differs, in the order of the table; of stages, those that both have. */
mot_status mot_config_changes(const mot_config *before, const mot_config *now, mot_change_function *say,
                              void *with);

/* Calls `say` for every key in effect, the value as in the resolved text: "model.width", "train.rate" (of stages "stages.1.rate"), and of
 * a list of layers "model.layers.0", whose value is what kind of layer it is, and "model.layers.0.patch". */
typedef void mot_setting_function(void *with, const char *key, const char *value);
mot_status mot_config_list(const mot_config *config, mot_setting_function *say, void *with);

/* A gate, of any layer, that is told this of each sample; NULL: there is none. */
const mot_gate_config *mot_config_told(const mot_config *config, mot_told told);

/* How a key of a stage is written: "train.rate" where there is one stage called train, else "stages.1.rate". */
void mot_config_stage_key(const mot_config *config, int stage, const char *stage_key, char *text,
                          size_t size);

/* Clears what surrounds the training and changes no step of it: the keys that only report. */
void mot_config_clear_surroundings(mot_config *config);

/* MOT_OK where two resolved texts are equal. Otherwise MOT_ERR_INPUT names the first line in which they differ:
 * "`path` was `did` (trained) with 'width: 8', now it is 'width: 16': `advice`". */
mot_status mot_config_compare(const char *path, const char *did, const char *before, const char *now,
                              const char *advice);

/* What to say about a key that is not known: "closest is 'model.width'", "here it is 'train.rate'", "mot has none: ...".
 * False where that is a mere guess. */
bool mot_config_hint(const char *key, char *text, size_t size);

/* Every option: key, type, default, bounds, unit, help; as text for a terminal, or as Markdown (docs/config.md). */
void mot_config_help(FILE *stream, bool markdown);

#endif
