/* What claims share: settings. */
#include "claims.h"

#define MERGED                                                                                               \
    "model:\n  kind: merged\n  experts: 12\n"                                                                \
    "gate:\n  input: sum\n"
#define TRAIN                                                                                                \
    "train:\n  loss: logistic\n  optimizer: normalized_gd\n  rate: 0.01\n"                                   \
    "  gate_optimizer: sgd\n  gate_rate: 0.1\n  schedule: constant\n"
#define QUIET "checkpoint:\n  every: 0\nrecord:\n  every: 0\n  eval: false\nreport:\n  every: 1000000\n"

const char *const mot_claims_calibration =
    "data:\n  source: mixture\n  mixture:\n    sigma: 0.5\n    eval: 50000\n" MERGED
    "route:\n  noise: uniform\n  noise_scale: 1\n  noise_steps: 2400\n  balance_loss: 0\n" TRAIN
    "  batch: 400\nstages:\n"
    "  - name: neurons\n    train: [gate, ffn]\n    gate_rate: 0.01\n    until: 200 steps\n"
    "  - name: attention\n    train: [gate, attention]\n    rate: 0.05\n    gate_rate: 0.2\n    until: 200 "
    "steps\n"
    "  - name: refine\n    train: [gate, ffn]\n    gate_rate: 0.1\n    until: 2600 steps\n"
    "eval:\n  every: 50\n  start: true\n  batch: 1000\n" QUIET;

const char *const mot_claims_rate =
    "data:\n  source: mixture\n  mixture:\n    sigma: 0.25\n    eval: 100000\n" MERGED
    "route:\n  noise: uniform\n  noise_scale: 1\n  noise_steps: 600\n  noise_end: 0.3\n  balance_loss: "
    "0\n" TRAIN "  batch: 800\nstages:\n"
    "  - name: neurons\n    train: [gate, ffn]\n    gate_rate: 0.03\n    until: 200 steps\n"
    "  - name: attention\n    train: [gate, attention]\n    rate: 0.05\n    gate_rate: 0.5\n    until: 100 "
    "steps\n"
    "  - name: refine\n    train: [gate, ffn]\n    gate_rate: 0.5\n    until: 900 steps\n"
    "eval:\n  every: 20\n  start: true\n  batch: 1000\n" QUIET;

const char *mot_claims_quick(const mot_study *study)
{
    return study->options.quick ? "data.mixture.eval=10000; eval.every=100; " : "";
}

int mot_claims_seeds(const mot_study *study)
{
    return study->options.quick ? 3 : 5;
}

study_variant *mot_claims_add_calibration(mot_study *study)
{
    return mot_study_add(study, "calibration", "MoT, sigma 0.5", mot_claims_calibration,
                         study->options.quick ? 5 : 10, 3, "%s", mot_claims_quick(study));
}

study_variant *mot_claims_add_rate(mot_study *study, int N)
{
    char name[32], label[64];
    const bool quick = study->options.quick;
    snprintf(name, sizeof name, "rate-n%d", N);
    snprintf(label, sizeof label, "MoT, N = %d, E = %d", N, 6 * N);
    return mot_study_add(
        study, name, label, mot_claims_rate, quick ? 5 : 10, N * 1.5,
        "data.mixture.classes=%d; model.experts=%d; train.batch=%d; data.mixture.eval=%d; eval.every=%d", N,
        6 * N, 200 * N, quick ? 20000 : 100000, quick ? 40 : 20);
}
