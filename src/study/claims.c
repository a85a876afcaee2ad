/* The study of the claims: what it trains, and the page from its first line to its last. */
#include "claims.h"

static const study_claim *const claims[] = {&mot_claim_routing,   &mot_claim_maps,     &mot_claim_attention,
                                            &mot_claim_alignment, &mot_claim_conflict, &mot_claim_rate,
                                            &mot_claim_plain,     &mot_claim_floor,    &mot_claim_experts,
                                            &mot_claim_growth,    &mot_claim_data,     &mot_claim_stages};

static void say_failures(mot_study *study)
{
    for (size_t v = 0; v < study->variants; ++v)
        for (int s = 0; s < study->variant[v].seeds; ++s)
            if (study->variant[v].result[s].failed)
                mot_study_say(study,
                              "- %s, seed %d, ended with a loss that was not finite; it counts as never there.\n",
                              study->variant[v].label, s + 1);
}

static mot_status write_page(mot_study *study, void *unused)
{
    (void)unused;
    mot_status status;
    MOT_TRY(mot_study_page_open(study, "What the claims about Mixture-of-Transformers come to"));
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
    if (study->options.quick)
        mot_study_say(study,
                      "This is the quick form: fewer seeds, settings and test samples. Trust the full one.\n\n");
    for (size_t c = 0; c < MOT_COUNT(claims); ++c) MOT_TRY(claims[c]->tell(study));
    say_failures(study);
    MOT_TRY(mot_study_page_close(study));
done:
    return status;
}

static mot_status plan(mot_study *study, void *unused)
{
    (void)unused;
    for (size_t c = 0; c < MOT_COUNT(claims); ++c) claims[c]->plan(study);
    return MOT_OK;
}

mot_status mot_study_claims(const mot_comm *comm, const mot_study_options *options)
{
    return mot_study_do(comm, options, "claims", plan, write_page, NULL);
}
