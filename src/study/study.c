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
