#include "study_private.h"

mot_status mot_study_ablations(const mot_comm *comm, const mot_study_options *options)
{
    (void)comm;
    (void)options;
    return MOT_OK;
}
