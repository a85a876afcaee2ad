/* What of the claims survives where the theory does not say so: other gates, activations and teachers, and finite data. */
#include <math.h>
#include <string.h>

#include "soft.h"

static const struct {
    const char *name, *label, *settings;
    bool in_quick;
} settings[] = {
    {"as-it-is", "as in the theory", "", true},
    {"softmax", "softmax gates, both", "gate.kind=softmax; data.teacher.gate=softmax", true},
    {"hermite2", "activation a^2 - 1, both", "model.hermite.activation=hermite2; data.teacher.activation=hermite2", true},
    {"relu", "activation relu, both", "model.hermite.activation=relu; data.teacher.activation=relu", true},
    {"tanh", "activation tanh, both", "model.hermite.activation=tanh; data.teacher.activation=tanh", false},
    {"cosine-0.2", "teacher's vectors at cosines of 0.2", "data.teacher.correlation=0.2", false},
    {"cosine-0.5", "teacher's vectors at cosines of 0.5", "data.teacher.correlation=0.5", true},
    {"data-512", "512 samples", "data.teacher.train=512; train.batch=512", false},
    {"data-2048", "2,048 samples", "data.teacher.train=2048; train.batch=2048", true},
    {"data-8192", "8,192 samples", "data.teacher.train=8192; train.batch=4096", false},
    {"data-32768", "32,768 samples", "data.teacher.train=32768; train.batch=4096", false},
};
enum { SETTINGS = MOT_COUNT(settings) };

static bool has(const mot_study *study, size_t i)
{
    return !study->options.quick || settings[i].in_quick;
}

/* Learning takes the same time in all: what loss is little depends on the activation. */
static study_variant *add(mot_study *study, size_t i)
{
    char name[STUDY_NAME];
    const bool quick = study->options.quick;
    snprintf(name, sizeof name, "limits-%s", settings[i].name);
    return mot_study_add(study, name, settings[i].label, mot_soft_phases, quick ? 3 : 10, 8,
                         "stages.0.until=%d steps; stages.1.until=loss < 6e-13 or %d steps; %s",
                         quick ? 600 : 800, quick ? 300 : 600, settings[i].settings);
}

static void plan(mot_study *study)
{
    for (size_t i = 0; i < SETTINGS; ++i)
        if (has(study, i)) (void)add(study, i);
}

/* What survives, as shares. */
typedef struct survival {
    double found, guided, exact;
} survival;

static survival tell_row(mot_study *study, const study_variant *variant)
{
    const soft_guided count = mot_soft_count(variant);
    const size_t seeds = (size_t)variant->seeds, exact = mot_soft_exact(variant);
    double first[STUDY_MOST_SEEDS], students[STUDY_MOST_SEEDS], lowest[STUDY_MOST_SEEDS];
    char a[96], b[96], c[96];
    for (size_t s = 0; s < seeds; ++s) {
        const study_result *result = &variant->result[s];
        first[s] = mot_soft_first(result);
        students[s] = result->rows > 0 ? (double)mot_soft_students(result, result->rows - 1) : NAN;
        lowest[s] = mot_study_lowest_loss(result);
    }
    mot_study_say(study, "| %s | %zu of %zu | %s | %zu of %zu | %s | %s | %zu of %zu |\n", variant->label, count.experts,
                  count.teachers, mot_study_spread(first, seeds, a), count.after, count.gates,
                  mot_study_spread(students, seeds, b), mot_study_spread(lowest, seeds, c), exact, seeds);
    return (survival){(double)count.experts / (double)count.teachers,
                      count.gates > 0 ? (double)count.after / (double)count.gates : 0, (double)exact / (double)seeds};
}

/* Adds a name to a list in words. */
static void list(char *text, size_t size, const char *name)
{
    const size_t used = strlen(text);
    snprintf(text + used, size - used, "%s%s", used > 0 ? "; " : "", name);
}

static mot_status tell(mot_study *study)
{
    char lost[3][600] = {"", "", ""};
    double kept[SETTINGS][3];
    mot_status status = MOT_OK;
    mot_study_section(study, "Beyond the theory");
    mot_study_say(study, "D = 32, m* = 2, m = 6. Learning for t = %d, pruning by group, fine-tuning for at most t = "
                         "%d. Finite data are gone through again and again; losses are those of fresh test samples. "
                         "Softmax gates are only known up to a vector that is common to all of them, so that their "
                         "cosines say little.\n\n"
                         "| setting | experts found | the first at t | router after its expert | students that stay "
                         "| lowest loss | seeds at 1e-12 |\n|---|---|---|---|---|---|---|\n",
                  study->options.quick ? 30 : 40, study->options.quick ? 60 : 120);
    for (size_t i = 0; i < SETTINGS; ++i) {
        kept[i][0] = kept[i][1] = kept[i][2] = NAN;
        if (!has(study, i)) continue;
        const survival of = tell_row(study, add(study, i));
        const double share[] = {of.found, of.guided, of.exact};
        for (size_t k = 0; k < 3; ++k) {
            kept[i][k] = share[k];
            if (share[k] < 0.9) list(lost[k], sizeof lost[k], settings[i].label);
        }
    }
    mot_study_say(study, "\n");
    MOT_TRY(mot_study_keep(study, "limits", "shares", 2, (const hsize_t[]){SETTINGS, 3}, &kept[0][0]));
    static const char *const claims[] = {"(All experts are found.)", "(Each router after its expert.)", "(Zero loss.)"};
    for (size_t k = 0; k < 3; ++k)
        mot_study_verdict(study, lost[k][0] == '\0', "%s %s%s", claims[k],
                          lost[k][0] == '\0' ? "In at least nine of ten cases in every setting."
                                             : "In less than nine of ten cases, or none: ",
                          lost[k][0] == '\0' ? "" : lost[k]);
done:
    return status;
}
const study_claim mot_soft_limits = {"limits", plan, tell};
