/* loss.h: the loss of one sample and its gradient.
 *
 * C outputs F. C > 1: label in [0, C). C = 1: a two-class problem with label 0 or 1, y = 2 label - 1.
 *      cross_entropy   log sum_c exp(F_c) - F_label                      (C = 1: as logistic)
 *      logistic        C = 1: log(1 + exp(-y F)); C > 1: the sum over c with y_c = +1 for the label, -1 else
 *      squared         1/2 (F - y)^2; C > 1: 1/2 sum_c (F_c - [c = label])^2
 * Computed in double; not collective; never fails. */
#ifndef MOT_LOSS_H
#define MOT_LOSS_H

#include "mot/real.h"
#include "mot/types.h"

typedef enum mot_loss_kind { MOT_LOSS_CROSS_ENTROPY, MOT_LOSS_LOGISTIC, MOT_LOSS_SQUARED } mot_loss_kind;

/* How many outputs a model needs for a data set of `classes` labels. */
size_t mot_loss_outputs(mot_loss_kind kind, int classes);

/* Returns the loss; d_out [C] (may be NULL) is its gradient; *predicted the label that F stands for (argmax, lowest
 * index at a tie; C = 1: F > 0). */
double mot_loss(mot_loss_kind kind, size_t C, const mot_real *out, int label, mot_real *d_out,
                int *predicted);

/* The probability of each class [classes] that outputs out [C] stand for: softmax for cross_entropy and squared; for
 * logistic 1 / (1 + exp(-F_c)), each class by itself. C = 1: of both, by 1 / (1 + exp(-F)); squared: (1 + F) / 2, within
 * [0, 1]. The largest is that of the predicted class. */
void mot_loss_probabilities(mot_loss_kind kind, size_t C, const mot_real *out, int classes,
                            float *probability);

#endif
