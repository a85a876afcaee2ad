/* The study of rehearsal: which claims there are, of linear regression and of streams, and how its page begins. */
#include "mot/atomic_file.h"
#include "mot/log.h"
#include "deep.h"

static const rehearsal_claim *const claims[] = {&mot_rehearsal_gaps,       &mot_rehearsal_sizes,  &mot_rehearsal_crossovers, &mot_rehearsal_groups,
                                                &mot_rehearsal_structures, &mot_rehearsal_orders, &mot_rehearsal_memories,
                                                &mot_deep_strategy,        &mot_deep_causes,      &mot_deep_experts,
                                                &mot_deep_similar,         &mot_deep_memories};
enum { CLAIMS = MOT_COUNT(claims) };

static void about(mot_study *study)
{
    mot_study_say(study,
                  "The claims of Deng et al., *Unlocking the Power of Rehearsal in Continual Learning* (arXiv 2506.00205), "
                  "about memories of old tasks, measured: in over-parameterized linear regression, forgetting F and "
                  "generalization error G after T tasks, by closed forms (lines) and by simulated runs (points); and in "
                  "the last sections where transformers and mixtures of them learn streams of real tasks.\n"
                  "Made by `mot study rehearsal%s` with seed %llu; every number is in `rehearsal.h5`, and a page made again "
                  "from the same version and seed has the same numbers, on any number of ranks.\n"
                  "p numbers a sample, n samples a task, a memory of M samples, noise of variance s^2. Unless it says "
                  "otherwise p = 200, n = M = 24, s = 0.3, and tasks are all g apart, with a common part of length 1. Points "
                  "are means of %zu runs; +- is one standard error, and z is how many of these a point is off its line.\n"
                  "All points of a page share their random numbers, so that differences between strategies are paired; it "
                  "also means that points are off together. The closed forms are this project's derivation "
                  "(`rehearsal.h`), not taken from the paper.\n\n",
                  study->options.quick ? " --quick" : "", (unsigned long long)study->options.seed, mot_rehearsal_runs(study));
}

static mot_status measure(mot_study *study, void *with)
{
    rehearsal_numbers *numbers = with;
    mot_status status = MOT_OK;
    if (study->comm->rank == MOT_ROOT) status = mot_folder_make(study->options.folder);
    MOT_TRY(mot_comm_agree(study->comm, status));
    for (size_t c = 0; c < CLAIMS; ++c) {
        mot_log(MOT_LOG_INFO, "rehearsal: %s", claims[c]->name);
        MOT_TRY(claims[c]->measure(study, &numbers[c]));
    }
done:
    return status;
}

static mot_status tell(mot_study *study, void *with)
{
    const rehearsal_numbers *numbers = with;
    mot_status status;
    MOT_TRY(mot_study_page_open(study, "What the claims about rehearsal come to"));
    about(study);
    if (study->options.quick) mot_study_say(study, "This is the quick form: fewer settings and seeds. Trust the full one.\n\n");
    for (size_t c = 0; c < CLAIMS; ++c) MOT_TRY(claims[c]->tell(study, &numbers[c]));
    mot_study_say_failures(study);
    MOT_TRY(mot_study_page_close(study));
done:
    return status;
}

mot_status mot_study_rehearsal(const mot_comm *comm, const mot_study_options *options)
{
    rehearsal_numbers numbers[CLAIMS] = {{0}};
    if (options->runs < 2) return mot_fail(MOT_ERR_INPUT, "%d runs: expected 2 at least, for a standard error", options->runs);
    const mot_status status = mot_study_do(comm, options, "rehearsal", measure, tell, numbers);
    for (size_t c = 0; c < CLAIMS; ++c) mot_rehearsal_numbers_free(&numbers[c]);
    return status;
}
