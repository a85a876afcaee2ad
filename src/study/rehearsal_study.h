/* rehearsal_study.h: the study of rehearsal: theory beside simulation. Private to src/study. */
#ifndef MOT_REHEARSAL_STUDY_H
#define MOT_REHEARSAL_STUDY_H

#include "mot/rehearsal.h"
#include "study_private.h"

/* ---- rehearsal_numbers.c: columns of F and G, by theory and by run ---- */

typedef struct rehearsal_numbers {
    size_t runs, columns;
    double *theory; /* [columns] */
    double *value;  /* [columns, runs] */
    size_t theory_room, value_room;
} rehearsal_numbers;
void mot_rehearsal_numbers_free(rehearsal_numbers *numbers);

/* Cases of one setting, with what they are made of. */
enum { REHEARSAL_TRUTHS = 64 * 65 };
typedef struct rehearsal_case {
    mot_rehearsal_truths truths;
    mot_rehearsal_plan plan;
    double w[REHEARSAL_TRUTHS];
} rehearsal_case;
typedef struct rehearsal_batch {
    mot_rehearsal setting;
    size_t count, room;
    rehearsal_case *made; /* [room], owned */
} rehearsal_batch;
mot_status mot_rehearsal_batch_make(rehearsal_batch *batch, const mot_rehearsal *setting, size_t room);
void mot_rehearsal_batch_free(rehearsal_batch *batch);
/* The truths [tasks, length] are copied. */
mot_status mot_rehearsal_batch_add(rehearsal_batch *batch, const mot_rehearsal_truths *truths, const mot_rehearsal_rule *rule);
/* Truths that are all `gap` apart. */
mot_status mot_rehearsal_batch_apart(rehearsal_batch *batch, double gap, const mot_rehearsal_rule *rule);

/* Simulates the cases and appends, for each of them, after each of `after` [afters] tasks, two columns: F and G. Collective. */
mot_status mot_rehearsal_measure(const mot_comm *comm, const rehearsal_batch *batch, uint64_t seed, size_t runs,
                                 const int *after, size_t afters, rehearsal_numbers *numbers);

/* Mean over the runs, its standard error, and how many of these it is off the theory. */
typedef struct rehearsal_mean {
    double theory, mean, error, z;
} rehearsal_mean;
rehearsal_mean mot_rehearsal_mean(const rehearsal_numbers *numbers, size_t column);
/* Of the differences run by run of two columns. */
rehearsal_mean mot_rehearsal_difference(const rehearsal_numbers *numbers, size_t column, size_t other);

/* All columns against their theory. Columns of one seed share random numbers, so that they are off together: what chance does
 * is found by flipping signs of whole runs (of what they are off their mean), which keeps what columns have in common. */
typedef struct rehearsal_agreement {
    size_t points, within; /* 3 standard errors */
    double largest, sum;   /* |z|; of z^2 */
    double p_largest, p_sum; /* the share of flips in which these are at least so large */
} rehearsal_agreement;
mot_status mot_rehearsal_agree(const rehearsal_numbers *numbers, uint64_t seed, rehearsal_agreement *agreement);
/* Says it as a verdict of a claim about `what`; `every`: and whether every single point is within, as another one. */
mot_status mot_rehearsal_tell_agreement(mot_study *study, const rehearsal_numbers *numbers, const char *claim, const char *what,
                                        bool every);

/* Points of a picture, each with a bar of 3 standard errors to either side. */
enum { REHEARSAL_BARS = 16 };
typedef struct rehearsal_bars {
    size_t count;
    double at[REHEARSAL_BARS], mean[REHEARSAL_BARS];
    double x[3 * REHEARSAL_BARS], ends[3 * REHEARSAL_BARS];
} rehearsal_bars;
void mot_rehearsal_bars_begin(rehearsal_bars *bars);
void mot_rehearsal_bars_add(rehearsal_bars *bars, double x, const rehearsal_mean *mean);
/* The two series of a picture that they are, which look at them. */
void mot_rehearsal_bars_series(const rehearsal_bars *bars, int color, mot_series series[2]);

/* ---- rehearsal_truths.c: settings, and random structures of similarity ---- */

/* Runs of the study, and of what needs more of them. */
size_t mot_rehearsal_runs(const mot_study *study);
size_t mot_rehearsal_many_runs(const mot_study *study);
/* p 200, n 24, M 24, s 0.3. */
mot_rehearsal mot_rehearsal_usual(int tasks);

enum { REHEARSAL_KINDS = 3, REHEARSAL_STRUCTURE_WIDTH = 8 };
extern const char *const mot_rehearsal_kind_names[REHEARSAL_KINDS];
/* The truths of structure `number` of a kind: a function of these and the seed; those of fewer tasks are the first ones of more.
 * w [tasks, REHEARSAL_STRUCTURE_WIDTH] gets them. */
mot_rehearsal_truths mot_rehearsal_draw(uint64_t seed, int kind, size_t number, int tasks, double *w);

/* ---- claims ---- */

/* A claim measures, or plans trials (mot_study_add), on all ranks; once all trials are done the root tells what came out. */
typedef struct rehearsal_claim {
    const char *name; /* in the file */
    mot_status (*measure)(mot_study *study, rehearsal_numbers *numbers);
    mot_status (*tell)(mot_study *study, const rehearsal_numbers *numbers);
} rehearsal_claim;

extern const rehearsal_claim mot_rehearsal_gaps;       /* rehearsal_gaps.c */
extern const rehearsal_claim mot_rehearsal_sizes;      /* rehearsal_sizes.c */
extern const rehearsal_claim mot_rehearsal_crossovers; /* rehearsal_crossover.c */
extern const rehearsal_claim mot_rehearsal_groups;     /* rehearsal_groups.c */
extern const rehearsal_claim mot_rehearsal_structures; /* rehearsal_structures.c */
extern const rehearsal_claim mot_rehearsal_orders;     /* rehearsal_orders.c */
extern const rehearsal_claim mot_rehearsal_memories;   /* rehearsal_memories.c */

#endif
