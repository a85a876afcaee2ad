/* The study of the claims about Mixture-of-Transformers: which they are, and how its page begins. */
#include "claims.h"

static const study_claim *const claims[] = {&mot_claim_routing,   &mot_claim_maps,     &mot_claim_attention,
                                            &mot_claim_alignment, &mot_claim_conflict, &mot_claim_rate,
                                            &mot_claim_plain,     &mot_claim_floor,    &mot_claim_experts,
                                            &mot_claim_growth,    &mot_claim_data,     &mot_claim_stages};

static void about(mot_study *study)
{
    mot_study_say(study,
                  "The claims of Li et al., *Mixture-of-Transformers Learn Faster* (arXiv 2510.27004), on its "
                  "synthetic mixture of N classes, measured.\n"
                  "Made by `mot study claims%s`; every trial is a run of mot, every number is in `claims.h5`, "
                  "and a page made again from the same version has the same numbers.\n"
                  "Numbers are medians over the seeds, with the range from the lowest to the highest in "
                  "brackets; bands in pictures are quartiles.\n"
                  "What the paper leaves open (ranges, rates, schedules) is this project's choice, and is the "
                  "same for all seeds of a setting; the settings stand in `claims.h5` and in the trials' "
                  "`config.yaml`.\n\n",
                  study->options.quick ? " --quick" : "");
}

mot_status mot_study_claims(const mot_comm *comm, const mot_study_options *options)
{
    const study_claims all = {"claims", "What the claims about Mixture-of-Transformers come to", about, claims,
                              MOT_COUNT(claims)};
    return mot_study_do_claims(comm, options, &all);
}
