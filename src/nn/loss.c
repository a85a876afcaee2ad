#include "mot/loss.h"

extern const mot_loss_kind mot_loss_cross_entropy, mot_loss_logistic, mot_loss_squared;

mot_kinds mot_loss_kinds = {{&mot_loss_cross_entropy.kind, &mot_loss_logistic.kind, &mot_loss_squared.kind}};

mot_status mot_loss_init(mot_loss *loss, const mot_loss_kind *kind, size_t target_bytes, int classes)
{
    for (const mot_loss_kind *k = kind; k != NULL; k = k->otherwise) {
        *loss = (mot_loss){.kind = k,
                           .target_bytes = target_bytes,
                           .classes = classes,
                           .outputs = k->outputs(target_bytes, classes)};
        if (loss->outputs > 0) return MOT_OK;
    }
    if (classes == 0 && target_bytes % sizeof(float) == 0)
        return mot_fail(MOT_ERR_INPUT,
                        "train.loss = %s is a loss of classes, and these data have none: a target is %zu "
                        "number%s (train.loss=squared)",
                        kind->kind.name, target_bytes / sizeof(float),
                        target_bytes == sizeof(float) ? "" : "s");
    return mot_fail(MOT_ERR_INPUT, "train.loss = %s is no loss of targets of %zu bytes and %d classes",
                    kind->kind.name, target_bytes, classes);
}
