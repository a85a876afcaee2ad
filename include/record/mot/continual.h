/* continual.h: how well a run that learns tasks one after another learns, keeps and transfers them.
 *
 * T tasks, 0 to T - 1, are learned in their order; R(i, j) is the accuracy on the samples of task j that are held out, once
 * task i has been learned, and b(j) that before the first step. Both stand in one table, a row each:
 *
 *                 task 0   task 1   task 2
 *      before      b(0)     b(1)     b(2)         row 0
 *      task 0     R(0,0)   R(0,1)   R(0,2)        row 1      above the diagonal: not learned yet
 *      task 1     R(1,0)   R(1,1)   R(1,2)        row 2
 *      task 2     R(2,0)   R(2,1)   R(2,2)        row 3      the last row: where the run stands at its end
 *
 * Figures of the first n tasks, all means over tasks j, are taken from their rows and columns alone, so that they are those
 * of the run as it was after task n - 1; at the end n = T. Papers count from 1: their R_{T,i} is R(n - 1, i - 1) here.
 *
 *      figure                mean over     of
 *      acc                   j < n         R(n-1, j)                                   [1] eq. 2; A_k of [2]
 *      learning              j < n         R(j, j)                                     LA of [3]
 *      incremental           i < n         acc after task i, of its tasks 0 to i       [4]; AIA
 *      bwt                   j < n - 1     R(n-1, j) - R(j, j)                         [1] eq. 3
 *      fwt                   0 < j < n     R(j-1, j) - b(j)                            [1] eq. 4
 *      forgetting            j < n - 1     max over l < n - 1 of R(l, j), - R(n-1, j)  [2] eq. 3, F_k; A-GEM [5]
 *      forgetting_learned    j < n - 1     the same of j <= l < n - 1
 *      forgetting_peak       j < n - 1     the same of j <= l <= n - 1                 mammoth [6]
 *      forgetting_first      j < n - 1     R(j, j) - R(n-1, j), which is -bwt          Avalanche [7]
 *
 * What is called forgetting in the field is one of the last four, and they differ:
 *  - [2] takes the best of all rows before the last, those from before the task was learned as well (l from 1 to k - 1, whatever
 *    j is), and may be below 0 where the last row is the best. With a table of the lower triangle alone it is
 *    forgetting_learned; both differ where a task was done better before its turn than ever after.
 *  - With the last row among them it cannot be below 0: a task that is better at the end than ever before counts 0, and does not
 *    make up for another.
 *  - Against R(j, j) alone nothing is remembered of a peak that later tasks brought about.
 * So forgetting_first <= forgetting_learned <= forgetting and forgetting_learned <= forgetting_peak, always.
 * "Best so far minus final accuracy" (Deng et al., arXiv 2506.00205) is forgetting, or forgetting_peak where the final row counts
 * as one so far.
 *
 * [1] Lopez-Paz and Ranzato, Gradient Episodic Memory, NeurIPS 2017, arXiv 1706.08840.
 * [2] Chaudhry et al., Riemannian Walk, ECCV 2018, arXiv 1801.10112.
 * [3] Riemer et al., Learning to Learn without Forgetting, ICLR 2019, arXiv 1810.11910.
 * [4] Rebuffi et al., iCaRL, CVPR 2017, arXiv 1611.07725: there over classes, alike where tasks have as many samples.
 * [5] Chaudhry et al., A-GEM, ICLR 2019, arXiv 1812.00420.
 * [6] github.com/aimagelab/mammoth, utils/metrics.py: rows hold learned tasks alone, and the maximum is over all of them.
 * [7] avalanche.continualai.org, metrics of forgetting: the first accuracy of a task minus its last. */
#ifndef MOT_CONTINUAL_H
#define MOT_CONTINUAL_H

#include "mot/h5.h"
#include "mot/record.h"

typedef enum mot_continual_name {
    MOT_CONTINUAL_ACC,
    MOT_CONTINUAL_LEARNING,
    MOT_CONTINUAL_INCREMENTAL,
    MOT_CONTINUAL_BWT,
    MOT_CONTINUAL_FWT,
    MOT_CONTINUAL_FORGETTING,
    MOT_CONTINUAL_FORGETTING_LEARNED,
    MOT_CONTINUAL_FORGETTING_PEAK,
    MOT_CONTINUAL_FORGETTING_FIRST,
    MOT_CONTINUAL_FIGURES
} mot_continual_name;

/* How a figure is called in files, on the terminal, and what it is. */
typedef struct mot_continual_about {
    const char *key, *title, *long_name;
} mot_continual_about;
extern const mot_continual_about mot_continual_abouts[MOT_CONTINUAL_FIGURES];

enum { MOT_CONTINUAL_WHY = 128 };
typedef struct mot_continual_figure {
    double value;                /* NaN: there is none */
    char why[MOT_CONTINUAL_WHY]; /* then: why not, in words; else "" */
} mot_continual_figure;

/* The figures of the first `learned` of `tasks` tasks. table [tasks + 1, tasks], row 0 before the first step; NaN: not measured.
 * A figure that needs a number which was not measured has none, and says which. Sums are in double, in the order of tasks. */
void mot_continual_measure(int tasks, int learned, const double *table,
                           mot_continual_figure figure[MOT_CONTINUAL_FIGURES]);

/* ---- the table of a run ---- */

/* Rows as above. All is owned, and one allocation for each. */
typedef struct mot_task_matrix {
    int tasks;      /* T; 0: there is none */
    char **names;   /* [T], "2: birds"; NULL: they have none */
    mot_gidx *step; /* [T + 1]: steps done when the row was measured; -1: it was not */
    double *accuracy; /* [T + 1, T]: shares of samples that were right, their task being known; NaN: not measured */
    double *unaided;  /* [T + 1, T]: not being known; NULL where that is the same */
    double *cosine;   /* [T, T]: as a task (row) began, of an old one's gradient (column) with its own; NaN: not taken */
    int held_for;     /* the task that what is held is for; -1: nothing has been chosen yet */
    size_t held;
    mot_gidx *memory;     /* [held]: samples of old tasks, by their indices in the train split, ascending; */
    int32_t *memory_task; /* [held]: and their tasks */
} mot_task_matrix;

/* With nothing measured; names [tasks] are copied, or NULL. On failure it is as mot_task_matrix_free leaves it. */
mot_status mot_task_matrix_create(mot_task_matrix *matrix, int tasks, bool unaided, char *const *names);
void mot_task_matrix_free(mot_task_matrix *matrix);
/* Nothing has been measured. */
void mot_task_matrix_clear(mot_task_matrix *matrix);
/* What was measured, and is held; both are of as many tasks, and of the same kind. MOT_ERR_MEMORY changes nothing. */
mot_status mot_task_matrix_copy(mot_task_matrix *to, const mot_task_matrix *from);
/* What was measured after `task` (-1: before the first step), when so many steps were done: accuracy, unaided [T]; the latter is
 * not looked at where there is no such table. */
void mot_task_matrix_set(mot_task_matrix *matrix, int task, mot_gidx step, const double *accuracy, const double *unaided);
/* What is held for `task`: of old task t the samples sample[first[t]] .. sample[first[t + 1] - 1], of first [task + 1]. */
mot_status mot_task_matrix_hold(mot_task_matrix *matrix, int task, const mot_gidx *first, const mot_gidx *sample);
/* Whether that is what it holds, or it holds nothing yet. */
bool mot_task_matrix_holds(const mot_task_matrix *matrix, int task, const mot_gidx *first, const mot_gidx *sample);
/* Tasks up to the last one after which was measured. */
int mot_task_matrix_learned(const mot_task_matrix *matrix);

/* The group /stream of a file that is being written (docs/files.md has the table), with the figures of the tasks so far; of no
 * tasks there is none. */
mot_status mot_task_matrix_write(const mot_task_matrix *matrix, hid_t file);
/* That of a file; no tasks where it has none. MOT_ERR_INPUT: it is not what mot writes; *matrix is as after
 * mot_task_matrix_free, as it is expected. */
mot_status mot_task_matrix_read(mot_task_matrix *matrix, hid_t file, const char *path);

/* That of a run's folder; no tasks where it has no run.h5 yet, or none of a stream. As mot_task_matrix_read otherwise. */
mot_status mot_task_matrix_of_run(mot_task_matrix *matrix, const char *folder);

/* run.h5 has this table from when it is next made. It is copied, and always of as many tasks. */
mot_status mot_record_by_task(mot_record *record, const mot_task_matrix *matrix);

/* Lines for a terminal of `width` columns: of both tables what tasks so far were right in, each once it was learned, in per cent,
 * and how much of it is forgotten; then the figures, and why there is none of some. Of many tasks a row each in place of a
 * triangle. Nothing, where no task has been learned. */
void mot_task_matrix_say(const mot_task_matrix *matrix, int width, void (*say)(const char *line));

/* The figures as numbers of a JSON object: PREFIX.KEY, and PREFIX.KEY.why where there is none. */
void mot_continual_put(mot_json *json, const char *prefix, const mot_continual_figure figure[MOT_CONTINUAL_FIGURES]);

#endif
