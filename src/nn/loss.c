#include "mot/loss.h"

extern const mot_loss_kind mot_loss_cross_entropy, mot_loss_logistic, mot_loss_squared;

mot_kinds mot_loss_kinds = {{&mot_loss_cross_entropy.kind, &mot_loss_logistic.kind, &mot_loss_squared.kind}};

mot_status mot_loss_init(mot_loss *loss, const mot_loss_kind *kind, size_t target_bytes, int classes)
{
    *loss = (mot_loss){kind, target_bytes, classes, kind->outputs(target_bytes, classes)};
    if (loss->outputs > 0) return MOT_OK;
    return mot_fail(MOT_ERR_INPUT, "train.loss = %s is no loss of targets of %zu bytes and %d classes",
                    kind->kind.name, target_bytes, classes);
}
