/* The study of the claims: what it trains, and the page from its first line to its last. */
#include "claims.h"

#include <stdarg.h>

#include "mot/log.h"
#include "mot/memory.h"

static const study_claim *const claims[] = {
    &claim_routing, &claim_maps,  &claim_attention, &claim_alignment, &claim_conflict, &claim_rate,
    &claim_plain,   &claim_floor, &claim_experts,   &claim_growth,    &claim_data,     &claim_stages};

#define MERGED                                                                                               \
    "model:\n  kind: merged\n  experts: 12\n"                                                                \
    "gate:\n  input: sum\n"
#define TRAIN                                                                                                \
    "train:\n  loss: logistic\n  optimizer: normalized_gd\n  rate: 0.01\n"                                   \
    "  gate_optimizer: sgd\n  gate_rate: 0.1\n  schedule: constant\n"
#define QUIET "checkpoint:\n  every: 0\nrecord:\n  every: 0\n  eval: false\nreport:\n  every: 1000000\n"

const char *const claims_calibration =
    "data:\n  source: mixture\n  mixture:\n    sigma: 0.5\n    eval: 50000\n" MERGED
    "route:\n  noise: uniform\n  noise_scale: 1\n  noise_steps: 2400\n  balance_loss: 0\n" TRAIN
    "  batch: 400\nstages:\n"
    "  - name: neurons\n    train: [gate, ffn]\n    gate_rate: 0.01\n    until: 200 steps\n"
    "  - name: attention\n    train: [gate, attention]\n    rate: 0.05\n    gate_rate: 0.2\n    until: 200 "
    "steps\n"
    "  - name: refine\n    train: [gate, ffn]\n    gate_rate: 0.1\n    until: 2600 steps\n"
    "eval:\n  every: 50\n  start: true\n  batch: 1000\n" QUIET;

const char *const claims_rate =
    "data:\n  source: mixture\n  mixture:\n    sigma: 0.25\n    eval: 100000\n" MERGED
    "route:\n  noise: uniform\n  noise_scale: 1\n  noise_steps: 600\n  noise_end: 0.3\n  balance_loss: 0\n" TRAIN
    "  batch: 800\nstages:\n"
    "  - name: neurons\n    train: [gate, ffn]\n    gate_rate: 0.03\n    until: 200 steps\n"
    "  - name: attention\n    train: [gate, attention]\n    rate: 0.05\n    gate_rate: 0.5\n    until: 100 "
    "steps\n"
    "  - name: refine\n    train: [gate, ffn]\n    gate_rate: 0.5\n    until: 900 steps\n"
    "eval:\n  every: 20\n  start: true\n  batch: 1000\n" QUIET;

const char *claims_quick(const mot_study *study)
{
    return study->options.quick ? "data.mixture.eval=10000; eval.every=100; " : "";
}

int claims_seeds(const mot_study *study)
{
    return study->options.quick ? 3 : 5;
}

size_t claims_add_calibration(mot_study *study)
{
    return study_add(study, "calibration", "MoT, sigma 0.5", claims_calibration,
                     study->options.quick ? 5 : 10, 3, "%s", claims_quick(study));
}

size_t claims_add_rate(mot_study *study, int N)
{
    char name[32], label[64];
    const bool quick = study->options.quick;
    snprintf(name, sizeof name, "rate-n%d", N);
    snprintf(label, sizeof label, "MoT, N = %d, E = %d", N, 6 * N);
    return study_add(
        study, name, label, claims_rate, quick ? 5 : 10, N * 1.5,
        "data.mixture.classes=%d; model.experts=%d; train.batch=%d; data.mixture.eval=%d; eval.every=%d", N,
        6 * N, 200 * N, quick ? 20000 : 100000, quick ? 40 : 20);
}

void claims_verdict(mot_study *study, bool holds, const char *format, ...)
{
    char text[2000];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    study_say(study, "**Verdict: %s** %s\n\n", holds ? "holds." : "not so.", text);
    mot_log(MOT_LOG_INFO, "  %s %s", holds ? "holds.  " : "not so. ", text);
}

size_t claims_marks(const study_result *result, mot_mark marks[16])
{
    static const char *const names[] = {"I", "II", "III"};
    for (size_t s = 1; s < result->stages; ++s)
        marks[s - 1] = (mot_mark){result->stage_begin[s], result->stages <= 3 ? names[s] : NULL};
    return result->stages > 0 ? result->stages - 1 : 0;
}

/* ---- the study ---- */

static void say_failures(mot_study *study)
{
    for (size_t v = 0; v < study->variants; ++v)
        for (int s = 0; s < study->variant[v].seeds; ++s)
            if (study->variant[v].result[s].failed)
                study_say(study,
                          "- %s, seed %d, ended with a loss that was not finite; it counts as never there.\n",
                          study->variant[v].label, s + 1);
}

static mot_status write_page(mot_study *study)
{
    mot_status status;
    MOT_TRY(study_page_open(study, "What the claims about Mixture-of-Transformers come to"));
    study_say(study,
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
        study_say(study,
                  "This is the quick form: fewer seeds, settings and test samples. Trust the full one.\n\n");
    for (size_t c = 0; c < MOT_COUNT(claims); ++c) MOT_TRY(claims[c]->tell(study));
    say_failures(study);
    MOT_TRY(study_page_close(study));
done:
    return status;
}

mot_status mot_study_claims(const mot_comm *comm, const mot_study_options *options)
{
    mot_study study = {
        .comm = comm, .options = *options, .name = "claims", .room = 256, .file = H5I_INVALID_HID};
    mot_status status = mot_allocate(&study.variant, study.room, sizeof *study.variant, "a study");
    MOT_TRY(mot_comm_agree(comm, status));
    for (size_t c = 0; c < MOT_COUNT(claims); ++c) claims[c]->plan(&study);
    MOT_TRY(study_train(&study));
    if (comm->rank == MOT_ROOT) {
        status = study_read(&study);
        if (status == MOT_OK) status = write_page(&study);
    }
    MOT_TRY(mot_comm_agree(comm, status));
done:
    study_free(&study);
    return status;
}
