/* run_analyse.h: what the files of an analysis share. Included by src/train/run_analyse*.c and run_attention.c alone. */
#ifndef MOT_RUN_ANALYSE_H
#define MOT_RUN_ANALYSE_H

#include "mot/analysis.h"
#include "run_private.h"

/* run_analyse_file.c: RUN/eval/step-*.h5 of the run that `checkpoint`, with that digest, is of, and its path. Root. */
mot_status mot_run_analysis_create(mot_analysis **file, mot_run *run, const mot_analysis_layer *layer, const char *checkpoint,
                                   const char *digest, char path[RUN_CHECKPOINT_PATH]);

/* run_attention.c: where the experts look, of the samples that each has with the highest probability of the gate as first choice,
 * and of those among the wrong ones: 12 of each, or fewer of all where the file would grow by more than 32 MiB.
 * Create, on every rank; note, on the root: the samples of every batch, in order, as the evaluation is; look, collective, the same
 * status everywhere: one evaluation more, of the batches with such samples; write, on the root. Missing: why there is none of a
 * layer, or NULL. */
typedef struct run_attention run_attention;
mot_status mot_run_attention_create(run_attention **attention, mot_run *run);
void mot_run_attention_free(run_attention **attention);
const char *mot_run_attention_missing(const run_attention *attention, int layer);
void mot_run_attention_note(run_attention *attention, size_t n, const mot_step_result *result);
mot_status mot_run_attention_look(run_attention *attention);
mot_status mot_run_attention_write(const run_attention *attention, mot_analysis *file);

#endif
