/* choosing.h: the steps of a batch's choice and of its balance (mot/choose.h), one behind the other. */
#ifndef MOT_TEST_CHOOSING_H
#define MOT_TEST_CHOOSING_H

#include "mot/choose.h"

/* Means over the batch. */
static inline mot_confidence choose_all(const mot_route_config *config, const mot_gate_kind *kind,
                                        const mot_choice_batch *batch)
{
    const double n = (double)batch->n;
    const mot_confidence sum = mot_choose(config, kind, batch, 0, batch->n);
    return (mot_confidence){sum.top / n, sum.margin / n, sum.entropy / n};
}

/* Both losses; their gradients times their coefficients are added to d_h (NULL: none). */
static inline mot_balance balance_all(const mot_route_config *config, const mot_choice_batch *batch, mot_real *d_h)
{
    double share[MOT_MAX_EXPERTS], importance[MOT_MAX_EXPERTS];
    mot_balance_shares(batch, share);
    mot_balance_importance(batch, 0, batch->E, importance);
    return (mot_balance){.switch_loss = mot_balance_switch_loss(batch, importance),
                         .z_loss = mot_balance_rows(config, batch, share, 0, batch->n, d_h)};
}

#endif
