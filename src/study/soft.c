/* The study of the claims about soft routing: which they are, and how its page begins. */
#include "soft.h"

static const study_claim *const claims[] = {&mot_soft_alignment, &mot_soft_width,   &mot_soft_success, &mot_soft_pipeline,
                                            &mot_soft_rules,     &mot_soft_surplus, &mot_soft_router,  &mot_soft_limits};

static void about(mot_study *study)
{
    mot_study_say(study,
                  "The claims of Liao and Kyrillidis, *Guided by the Experts* (arXiv 2510.07205), about soft-routed "
                  "mixtures of experts, measured: students with neurons w of unit length, a^3 - 3a of w . x, and "
                  "sigmoid gates v of unit length learn from a teacher of the same form, whose vectors are "
                  "orthonormal, on Gaussian samples.\n"
                  "Made by `mot study soft-routed%s`; every trial is a run of mot, every number is in "
                  "`soft-routed.h5`, and a page made again from the same version has the same numbers.\n"
                  "Numbers are medians over the seeds, with the range from the lowest to the highest in brackets; "
                  "bands in pictures are quartiles unless they say otherwise. m* experts of the teacher, m students, "
                  "D numbers a sample; t is the sum of the rates of the steps, the time of gradient flow. A batch "
                  "has 8,192 fresh samples.\n"
                  "What is called derived follows from the model at leading order, and is no claim of the paper.\n\n",
                  study->options.quick ? " --quick" : "");
}

mot_status mot_study_soft_routed(const mot_comm *comm, const mot_study_options *options)
{
    const study_claims all = {"soft-routed", "What the claims about soft-routed mixtures of experts come to", about, claims,
                              MOT_COUNT(claims)};
    return mot_study_do_claims(comm, options, &all);
}
