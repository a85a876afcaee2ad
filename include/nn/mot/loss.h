/* loss.h: a loss is everything that a run needs to know of its targets, as a table of functions.
 *
 * A target is what a sample should be taken for: bytes that travel with it and that its loss alone understands. Those of
 * the losses here are classes, an int32_t in [0, classes). C outputs F; C = 1: two classes, y = 2 class - 1. Where targets
 * are no classes (classes = 0) they are C numbers y, each a float.
 *      cross_entropy   log sum_c exp(F_c) - F_class                      (C = 1: as logistic)
 *      logistic        C = 1: log(1 + exp(-y F)); C > 1: the sum over c with y_c = +1 for the class, -1 else
 *      squared         1/2 (F - y)^2; C > 1: 1/2 sum_c (F_c - [c = class])^2
 *                      of numbers 1/2 sum_c (F_c - y_c)^2
 * Classes may be parted among heads (a stream of tasks, each with classes of its own): then a sample is known to be of one of
 * its target's head, sums over classes and what is predicted are of that head alone, and other outputs have no gradient. The same
 * loss without heads says what would be predicted if that were not known.
 * Computed in double; a gradient is what the formula gives, rounded once. Cross-entropy of more than 256 classes of one head takes
 * a sample once through vectors: exponentials to 2e-14, and a gradient to 2 units in the last place. Not collective. */
#ifndef MOT_LOSS_H
#define MOT_LOSS_H

#include "mot/kinds.h"
#include "mot/real.h"
#include "mot/types.h"

struct mot_loss_kind;

/* A loss of certain data. */
typedef struct mot_loss {
    const struct mot_loss_kind *kind;
    size_t target_bytes; /* of a sample's target */
    int classes;         /* that targets are; 0: they are no classes */
    size_t outputs;      /* C */
    const int32_t *head; /* [classes]: the head that each is of, owned by whoever set it; NULL: all are of one */
} mot_loss;

typedef struct mot_loss_kind {
    mot_kind kind; /* its name is a value of train.loss */
    /* C for such targets; 0: they are none of this loss. */
    size_t (*outputs)(size_t target_bytes, int classes);
    const struct mot_loss_kind *otherwise; /* the loss of that name of other targets; NULL: it has none */
    /* The loss of outputs out [C]; d_out [C], which may be NULL, is its gradient. */
    double (*value)(const mot_loss *loss, const mot_real *out, const void *target, mot_real *d_out);
    /* Whether the outputs count as right. NULL: right and wrong have no meaning, and there is no accuracy. */
    bool (*right)(const mot_loss *loss, const mot_real *out, const void *target);
    /* The least mean loss, over targets [samples, target_bytes], of outputs that are the same for all of them: what a model
     * should be better than. NULL: nobody asks. */
    double (*of_constant)(const mot_loss *loss, size_t samples, const void *target);
    /* Of classes; all are NULL where targets are no classes. A target's class; the class that outputs stand for, of which `target`
     * says nothing but the head, and may be NULL without heads; without heads the probability of each class [classes], of which
     * that of the predicted one is the largest. */
    bool softmax; /* outputs are logarithms of probabilities, but for what they have in common */
    int (*target_class)(const void *target);
    int (*predicted)(const mot_loss *loss, const mot_real *out, const void *target);
    void (*probabilities)(const mot_loss *loss, const mot_real *out, float *probability);
} mot_loss_kind;

/* All kinds, in the order of the option train.loss. */
extern mot_kinds mot_loss_kinds;
static inline const mot_loss_kind *mot_loss_kind_at(int row)
{
    return (const mot_loss_kind *)mot_loss_kinds.row[row];
}

/* *loss is the kind, or the one of its name that such targets have, without heads. MOT_ERR_INPUT where there is none. */
mot_status mot_loss_init(mot_loss *loss, const mot_loss_kind *kind, size_t target_bytes, int classes);

/* -1: it has none. */
static inline int mot_target_class(const mot_loss *loss, const void *target)
{
    return loss->kind->target_class != NULL ? loss->kind->target_class(target) : -1;
}

static inline int mot_loss_predicted(const mot_loss *loss, const mot_real *out, const void *target)
{
    return loss->kind->predicted != NULL ? loss->kind->predicted(loss, out, target) : -1;
}

#endif
