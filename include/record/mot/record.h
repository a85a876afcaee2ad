/* record.h: what a run leaves behind for study, written by the root alone.
 *
 *      RUN/log.jsonl                      one line a report step or evaluation; lines of steps that will be redone are cut on resume
 *      RUN/tensorboard/events.out.tfevents.0000000001   where it is asked for, the same for TensorBoard, a file a process
 *      RUN/record/00000001-00000400.h5    segments of the routing record, first and last step in the name
 *      RUN/record/00000401-open.h5        one that is small and will be written again, with what comes next
 *      RUN/run.h5                         links to all segments and checkpoints, and the configuration
 *      RUN/summary.json                   written at the end
 *
 * A segment (docs/files.md has the table):
 *      /steps/{step, stage, loss, accuracy, learning_rate, samples, time_compute, time_exchange, time_wait}  [n]
 *      /ranks/{step, steps, interval, slowest} [r], /ranks/{compute, exchange, wait} [r, R]   seconds of each rank between two reports
 *      /layer0/load        [n, E]   samples an expert got at the step; layer0 is the first layer of experts, and so on
 *      /layer0/importance  [n, E]   sum of its softmax probabilities over the batch
 *      /layer0/{confidence, margin, gate_entropy}  [n]   how sure the gate was
 *      /layer0/class_load  [snapshots, classes, E]   of the evaluation set; /layer0/group_load likewise with groups
 *      /layer0/snapshot_step [snapshots]
 *      /layer1/..., /layer1_assign/... the same of the layers behind the first, with a scale expert_layer1
 *      /eval/step [m], /eval/NAME [m, ...]   figures of every evaluation, in double; which ones, the run decides
 *      /assign/{row, step, split, sample, label, group, choice, expert, prob, predicted, loss}   columns: one row a
 *              (sample, chosen expert); split 0 train, 1 evaluation; choice 0..K-1; group -1 where the data set has none;
 *              predicted and loss of evaluations alone, else -1 and NaN
 * with dimension scales (step, expert, class, rank, row), in the group of what they belong to or the root, as readers of netCDF
 * want them; attributes units and long_name; above 4 KiB chunked, shuffled, deflated.
 *
 * Who reads asks record_read.h, which knows where things stand.
 *
 * Experts may go in the middle of a run: then a segment ends, and from the next one on E counts those that are left. A segment's
 * scale `expert` has the numbers that its experts had in the beginning, and so has /assign/expert; where some have gone it says
 * how many there were, in the attribute experts_begun.
 *
 * A segment is written by one process, so the number of ranks, R, is a segment's own too (scale `rank`): a run that goes on with
 * others begins a segment.
 *
 * Rows collect in memory, at most 16 MiB of them, and are written whole (mot_h5_create_file): by mot_record_flush, which the
 * trainer calls before each checkpoint, and where there is no more room. What was flushed stays in memory while it is less
 * than 32 KiB, and is written again with what follows: a run that makes a checkpoint a step has few files, and none of its
 * flushes costs more than the others. On resume from step s what came after s is cut away, in whole segments and of one. */
#ifndef MOT_RECORD_H
#define MOT_RECORD_H

#include "mot/status.h"
#include "mot/types.h"

typedef struct mot_record mot_record;

/* The attribute `format` of run.h5. */
#define MOT_RUN_FORMAT "mot-run"

/* What tells a run from all others: a UUID, made once, when the run begins; every file of the run carries it as `run_id`,
 * so that a reader sees when links have led it to the files of another run. */
enum { MOT_RUN_ID = 37 }; /* with the final 0 */
mot_status mot_run_id_make(char id[MOT_RUN_ID]);

typedef struct mot_record_about {
    const char *folder;                /* the run folder; record/ is made in it */
    const char *config_text;           /* resolved configuration */
    int experts, choices;              /* E, K */
    int begun;                         /* experts in the beginning; not above E: none has gone */
    const int *origin;                 /* [E]: the numbers that they had then, ascending; where some have gone */
    int classes, groups;               /* groups 0: none */
    int ranks;                         /* of this process's job; 0: nothing is recorded of them */
    int layers;                        /* of experts, at least 1 */
    const int *layer_experts, *layer_choices; /* [layers]: E and K of each; NULL: one layer */
    char **class_names, **group_names; /* NULL: none */
    const char *dataset_checksum;
    const char *run_id; /* NULL: none */
    uint64_t seed;
    bool tensorboard; /* RUN/tensorboard as well: the numbers of log.jsonl for TensorBoard */
} mot_record_about;

/* Opens the record after step `step` (-1: a fresh run, of which not even an evaluation stays): removes what segments and
 * log.jsonl have of later steps, and stray temporary files. A segment with steps on both sides is cut; one of another run is
 * MOT_ERR_INPUT. The strings of `about` are copied. */
mot_status mot_record_open(mot_record **record, const mot_record_about *about, mot_gidx step);
void mot_record_close(mot_record **record);

/* Fewer experts are left, and their choices: what follows is a new segment. origin [experts]: as in mot_record_about. */
mot_status mot_record_experts(mot_record *record, int experts, int choices, const int *origin);

/* Bytes of the rows that collect between two flushes; much makes a segment of its own, so this stays bounded. */
typedef struct mot_record_amount {
    int experts, classes, groups, layers, ranks;
    size_t figures; /* numbers of an evaluation's figures */
    mot_gidx steps, reports, evaluations, assignments;
} mot_record_amount;
size_t mot_record_bytes(const mot_record_amount *amount);

typedef struct mot_step_figures {
    mot_gidx step; /* 1-based: the first step is 1 */
    int stage;
    size_t samples;
    double loss, accuracy, rate;
    double compute_s, exchange_s, wait_s; /* mean over ranks */
} mot_step_figures;
mot_status mot_record_step(mot_record *record, const mot_step_figures *figures);
/* Of each rank in the `steps` training steps up to `step`. */
typedef struct mot_rank_figures {
    mot_gidx step, steps;
    double interval_s; /* by the clock, evaluations left out */
    double slowest_s;  /* sum over the steps of the computation of the rank that computed longest in the step */
    const float *compute_s, *exchange_s, *wait_s; /* [ranks] */
} mot_rank_figures;
mot_status mot_record_ranks(mot_record *record, const mot_rank_figures *figures);
/* How sure a layer's gate was: mot_confidence (choose.h). */
typedef struct mot_record_gate {
    double confidence, margin, entropy;
} mot_record_gate;
/* Of a layer at that step: load [E], samples an expert got; importance [E], sum of probabilities. */
mot_status mot_record_loads(mot_record *record, mot_gidx step, int layer, const int64_t *load, const double *importance,
                            const mot_record_gate *gate);

/* The assignments of `samples` samples by the gate of a layer: sample, label, group [samples]; expert, prob [samples, K]; of an evaluation
 * also what they were taken for, predicted [samples], and their loss [samples]. */
mot_status mot_record_assign(mot_record *record, mot_gidx step, int layer, bool evaluation, size_t samples,
                             const mot_gidx *sample, const int32_t *label, const int32_t *group,
                             const int32_t *expert, const float *prob, const int32_t *predicted,
                             const double *loss);

/* Class and group loads of a layer at an evaluation: [classes, E], [groups, E] (NULL without groups), first choices
 * counted. */
mot_status mot_record_snapshot(mot_record *record, mot_gidx step, int layer, const int64_t *class_load,
                               const int64_t *group_load);

/* A figure of an evaluation: a number (rank 0) or a table of them. Each axis has a name: expert, class and group are the
 * file's; of others, which are the same size wherever they occur, long_name says what the places mean. `key` is what a number
 * is called in log.jsonl, which is the caller's matter; NULL: it is not there. */
enum { MOT_FIGURE_RANK = 3 };
typedef struct mot_eval_figure {
    const char *name, *key, *units, *long_name;
    int rank;
    size_t shape[MOT_FIGURE_RANK];
    const char *axis[MOT_FIGURE_RANK];
    const double *value; /* NaN: there is none */
} mot_eval_figure;

/* The figures of an evaluation after `step` steps (0: before the first). The same list for every call of a run, in which axes of
 * experts alone may have become shorter (mot_record_experts). */
mot_status mot_record_eval(mot_record *record, mot_gidx step, size_t count, const mot_eval_figure *figure);

/* Writes what has collected since the last flush. `last`: nothing follows for now, so that the segment is closed, and run.h5
 * names all that there is. */
mot_status mot_record_flush(mot_record *record, bool last);

/* Makes run.h5 anew, as the folder stands now. */
mot_status mot_record_relink(mot_record *record);
/* There is a checkpoint, or one less. */
void mot_record_unlinked(mot_record *record);
/* Makes run.h5 anew where it does not name all that there is, unless that were more than a twentieth of this thread's work
 * since the last time, or a minute has passed: it costs as much as there are files. To be called now and then: segments that
 * have ended get their names by it. */
mot_status mot_record_keep_linked(mot_record *record);

/* ---- JSON: an object, flat unless something is opened in it ---- */
typedef struct mot_json mot_json;
mot_json *mot_json_begin(void); /* NULL: memory; all else takes that, and mot_json_end says it */
void mot_json_text(mot_json *json, const char *key, const char *value); /* NULL: null */
void mot_json_bool(mot_json *json, const char *key, bool value);
void mot_json_int(mot_json *json, const char *key, int64_t value);
void mot_json_real(mot_json *json, const char *key,
                   double value); /* not finite: null; shortest text that reads back */
void mot_json_reals(mot_json *json, const char *key, size_t count, const double *values);
void mot_json_ints(mot_json *json, const char *key, size_t count, const int64_t *values);
void mot_json_texts(mot_json *json, const char *key, size_t count, char *const *values);
/* An object or a list ('{', '[') within; what follows is in it until it is closed ('}', ']'). In a list keys are NULL, of
 * everything. */
void mot_json_open(mot_json *json, const char *key, char bracket);
void mot_json_close(mot_json *json, char bracket);
/* Ends the object; mot_free(*text). The text has no line end. Releases json. */
mot_status mot_json_end(mot_json *json, char **text);
/* Ends the object and makes it, as one line, the file `path`: complete or as it was. Releases json. */
mot_status mot_json_save(mot_json *json, const char *path);

/* The shortest text that reads back to a number, as JSON has it; "null" where it is not finite. */
enum { MOT_NUMBER_TEXT = 40 };
void mot_number_text(char text[MOT_NUMBER_TEXT], double value);

/* The number at `key` of a flat JSON object; false when it has no such key, or no (whole) number there. */
bool mot_json_find_int(const char *line, size_t length, const char *key, int64_t *value);
bool mot_json_find_real(const char *line, size_t length, const char *key, double *value);

/* Goes through the members of a flat JSON object as mot writes it: each key, escapes included, and its value: a number, else NaN; a
 * text, escapes included, else NULL. Lists and objects are passed over with neither. */
typedef struct mot_json_member {
    const char *key, *text; /* within the object */
    size_t key_length, text_length;
    double number;
} mot_json_member;
typedef mot_status mot_json_member_function(void *with, const mot_json_member *member);
mot_status mot_json_members(const char *object, mot_json_member_function *say, void *with);

/* The summary.json of a run folder, *text owned, and whether it says that its run is done. A run that has just begun has none: *text
 * is NULL then. MOT_ERR_INPUT where it is not the whole object that a run writes, which is complete or as it was before. */
mot_status mot_summary_read(const char *folder, char **text, bool *done);

/* The last line of log.jsonl that has `key`; mot_free(*line). NULL: none has. */
mot_status mot_record_last_line(const mot_record *record, const char *key, char **line);
/* Which of the texts (at most 32) some line of log.jsonl has at `key`: bit i of *found says that of text[i]. */
mot_status mot_record_find(const mot_record *record, const char *key, size_t count, const char *const *text,
                           unsigned *found);
/* The first `choices` experts of each of `samples` samples by a layer's gate in the evaluation after `step`, as far as the record's
 * segments have them: what they do not have stays as it is in `expert` [samples, choices]. */
mot_status mot_record_last_choices(const mot_record *record, mot_gidx step, int layer, mot_gidx samples, size_t choices,
                                   uint16_t *expert);

/* Appends a line to log.jsonl; the file is flushed to the operating system. */
mot_status mot_record_log(mot_record *record, const char *line);
/* Ends the object, which is the line. Releases json. */
mot_status mot_record_log_json(mot_record *record, mot_json *json);

/* ---- figures of specialization from a load table [classes, E] ---- */
typedef struct mot_specialization {
    double purity;    /* sum over experts of its largest class, over all samples */
    double nmi;       /* I(expert; class) / sqrt(H(expert) H(class)); 0 when either entropy is 0 */
    double entropy;   /* H(expert) / log E, in [0, 1]; 1 for E = 1 */
    int experts_used; /* experts with at least 1 % of a fair share (samples / E), and at least one sample */
    double effective; /* exp H(expert): so many experts with even loads have the same entropy */
} mot_specialization;
mot_specialization mot_specialize(int classes, int experts, const int64_t *load);

#endif
