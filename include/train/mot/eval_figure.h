/* eval_figure.h: figures that are found at every evaluation, for the record (/eval), and numbers for log.jsonl and
 * summary.json as well. A kind of figures is a row of a table; all kinds that have something to say of a run say it.
 *
 *      describe, create | describe   add   add   add ...   end            | describe   add ...   end | ... | destroy
 *                       | values: 0  a pass each           the root's are |
 *                       |                                  what was found |
 *
 * Values must not depend on the number of ranks: sums over samples in their order, and sums over ranks of rows that one rank
 * has and others have as 0. */
#ifndef MOT_EVAL_FIGURE_H
#define MOT_EVAL_FIGURE_H

#include "mot/kinds.h"
#include "mot/record.h"
#include "mot/step.h"

enum { MOT_MOST_FIGURES = 8, MOT_FIGURE_WORDS = 64 }; /* of a kind */

/* What a kind sees, and what it has found: one of them a kind and run. */
typedef struct mot_evaluation {
    const mot_model *model; /* E is model->layer->experts, which may fall from one evaluation to the next */
    mot_loss loss;
    const mot_dataset *set; /* that is evaluated, from the first sample to the last */
    size_t pass;            /* samples a pass, at most */
    int classes, groups;    /* of what is learned; 0: none */
    /* The root's: first choices so far, [classes, E] and [groups, E] or NULL; at the end, the mean loss. */
    const int64_t *class_load, *group_load;
    const double *mean_loss;

    size_t figures;
    mot_eval_figure figure[MOT_MOST_FIGURES]; /* as they have been described */
    double *value[MOT_MOST_FIGURES];          /* of each, its numbers */
    void *own;                                /* the kind's */
} mot_evaluation;

typedef struct mot_figure_kind {
    mot_kind kind;
    /* Describes the figures, but for their values, and counts them: those of MOT_FIGURE and so on. None: the kind says nothing
     * of this run, and is not called again. Anew for each evaluation: of fewer experts they may be smaller, and else stay. Every
     * rank. */
    void (*describe)(mot_evaluation *evaluation);
    /* Makes `own`; the status is this rank's, and destroy releases whatever is there. (NULL, both: there is none.) */
    mot_status (*create)(mot_evaluation *evaluation);
    void (*destroy)(mot_evaluation *evaluation);
    /* Takes a pass: samples [first, first + n) of the set; without result->expert every expert has had all of them. The root
     * alone. (NULL: nothing is taken.) */
    void (*add)(mot_evaluation *evaluation, mot_gidx first, size_t n, const mot_step_result *result);
    /* All passes are over; behind it the root has the values. Every rank, and may talk. It cannot fail. (NULL: they are there.) */
    void (*end)(mot_evaluation *evaluation);
    /* What the line on the terminal has of it, in few words. The root. (NULL: nothing.) */
    void (*say)(const mot_evaluation *evaluation, char text[MOT_FIGURE_WORDS]);
} mot_figure_kind;

/* All kinds, in the order of their figures. */
extern mot_kinds mot_figure_kinds;
static inline const mot_figure_kind *mot_figure_kind_at(int row)
{
    return (const mot_figure_kind *)mot_figure_kinds.row[row];
}

/* ---- for kinds of figures ---- */

/* A number, which log.jsonl and summary.json have as `key_`; a row, and a table of them. */
#define MOT_FIGURE(name_, key_, text_)                                                                       \
    (mot_eval_figure)                                                                                        \
    {                                                                                                        \
        .name = name_, .key = key_, .units = "1", .long_name = text_                                         \
    }
#define MOT_FIGURE_ROW(name_, text_, length_, axis_)                                                         \
    (mot_eval_figure)                                                                                        \
    {                                                                                                        \
        .name = name_, .units = "1", .long_name = text_, .rank = 1, .shape = {length_}, .axis = {axis_}      \
    }
#define MOT_FIGURE_TABLE(name_, text_, rows_, row_axis_, columns_, column_axis_)                             \
    (mot_eval_figure)                                                                                        \
    {                                                                                                        \
        .name = name_, .units = "1", .long_name = text_, .rank = 2, .shape = {rows_, columns_},              \
        .axis = {row_axis_, column_axis_}                                                                    \
    }

#endif
