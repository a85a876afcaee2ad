/* A step for a model that has other experts now. All that is sized by their number is in the step, so it is made anew. */
#include "mot/memory.h"
#include "step_private.h"

mot_status mot_step_renew(mot_step **step, const mot_batch_source *source)
{
    const mot_step *const before = *step;
    mot_model *const model = before->model;
    const mot_loss loss = before->loss;
    const int groups = before->groups, threads = mot_threads_count(before->threads);
    const size_t most = before->most;
    const bool outputs = before->reports.output != NULL;
    const mot_step_work work = *mot_step_measure(*step);
    mot_rank_work *sums = before->root.before; /* the root's; handed on */
    mot_status status;
    (*step)->root.before = NULL;
    mot_step_destroy(step); /* first: there is not room for both */
    MOT_TRY(mot_step_create(step, model, source, &loss, groups, most, threads));
    (*step)->work = work;
    (*step)->split.sent_bytes = work.sent_bytes;
    mot_free((*step)->root.before);
    (*step)->root.before = sums;
    sums = NULL;
    if (outputs) MOT_TRY(mot_step_keep_outputs(*step));
done:
    mot_free(sums);
    return status;
}
