/* A study from its list to its page: what is the same for all of them. */
#include "mot/memory.h"
#include "study_private.h"

void mot_study_free(mot_study *study)
{
    for (size_t v = 0; study->variant != NULL && v < study->variants; ++v) {
        for (int s = 0; study->variant[v].result != NULL && s < study->variant[v].seeds; ++s)
            mot_study_result_free(&study->variant[v].result[s]);
        mot_free(study->variant[v].result);
    }
    mot_study_page_give_up(study);
    mot_free(study->variant);
    *study = (mot_study){.file = H5I_INVALID_HID};
}

mot_status mot_study_do(const mot_comm *comm, const mot_study_options *options, const char *name,
                        study_part *plan, study_part *tell, void *with)
{
    mot_study study = {.comm = comm, .options = *options, .name = name, .room = 256, .file = H5I_INVALID_HID};
    mot_status status = mot_allocate(&study.variant, study.room, sizeof *study.variant, "a study");
    MOT_TRY(mot_comm_agree(comm, status));
    MOT_TRY(plan(&study, with));
    MOT_TRY(mot_study_train(&study));
    if (comm->rank == MOT_ROOT) {
        status = mot_study_read(&study);
        if (status == MOT_OK) status = tell(&study, with);
    }
    MOT_TRY(mot_comm_agree(comm, status));
done:
    mot_study_free(&study);
    return status;
}

/* ---- a study of claims ---- */

void mot_study_say_failures(mot_study *study)
{
    for (size_t v = 0; v < study->variants; ++v)
        for (int s = 0; s < study->variant[v].seeds; ++s)
            if (study->variant[v].result[s].failed)
                mot_study_say(study,
                              "- %s, seed %d, ended with a loss that was not finite; it counts as never there.\n",
                              study->variant[v].label, study->variant[v].chosen + s + 1);
}

static mot_status tell_claims(mot_study *study, void *with)
{
    const study_claims *claims = with;
    mot_status status;
    MOT_TRY(mot_study_page_open(study, claims->title));
    claims->about(study);
    if (study->options.quick)
        mot_study_say(study,
                      "This is the quick form: fewer seeds, settings and test samples. Trust the full one.\n\n");
    for (size_t c = 0; c < claims->count; ++c) MOT_TRY(claims->claim[c]->tell(study));
    mot_study_say_failures(study);
    MOT_TRY(mot_study_page_close(study));
done:
    return status;
}

static mot_status plan_claims(mot_study *study, void *with)
{
    const study_claims *claims = with;
    for (size_t c = 0; c < claims->count; ++c) claims->claim[c]->plan(study);
    return MOT_OK;
}

mot_status mot_study_do_claims(const mot_comm *comm, const mot_study_options *options, const study_claims *claims)
{
    study_claims with = *claims;
    return mot_study_do(comm, options, claims->name, plan_claims, tell_claims, &with);
}
