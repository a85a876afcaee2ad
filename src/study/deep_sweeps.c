/* Sweeps: what is similar, memory, share, order, corruption. All on CLINC150, the changed stream, by one transformer. */
#include "deep.h"

enum { SEEDS = 4, ORDER_SEEDS = 5 };

static study_variant *add(mot_study *study, int strategy, const char *name, const char *settings)
{
    return mot_deep_add(study, &(deep_trial){DEEP_CLINC, DEEP_CHANGED, DEEP_ONE, strategy, name, settings, mot_deep_seeds(study, SEEDS)});
}

/* ---- what is similar ---- */

static const double taus[] = {0, 0.05, 0.1};
static const int afters[] = {0, 20};
enum { TAUS = MOT_COUNT(taus), AFTERS = MOT_COUNT(afters) };

static study_variant *add_tau(mot_study *study, size_t after, size_t tau)
{
    char name[32], settings[96];
    if (afters[after] == 0 && taus[tau] == 0) return mot_deep_usual(study, DEEP_CLINC, DEEP_CHANGED, DEEP_ONE, DEEP_HYBRID);
    snprintf(name, sizeof name, "tau%g-after%d", taus[tau], afters[after]);
    snprintf(settings, sizeof settings, "rehearsal.tau=%g; rehearsal.compare_after=%d", taus[tau], afters[after]);
    return add(study, DEEP_HYBRID, name, settings);
}

static mot_status plan_similar(mot_study *study, rehearsal_numbers *unused)
{
    (void)unused;
    if (!mot_deep_find(study, DEEP_CLINC)) return MOT_OK;
    for (size_t a = 0; a < AFTERS; ++a)
        for (size_t t = 0; t < TAUS; ++t)
            if (!study->options.quick || taus[t] == 0.05) (void)add_tau(study, a, t);
    return MOT_OK;
}

/* ---- memory, share, order, corruption ---- */

static const int memories[] = {1, 5, 20};
static const double shares[] = {0.1, 0.5};
static const char *const orders[DEEP_ORDERS] = {"oldest", "newest", "dissimilar"};
static const char *const permuted[] = {"none", "[none, words]", "words"};
static const double permuted_share[] = {0, 0.5, 1};
enum {
    MEMORIES = MOT_COUNT(memories),
    SHARES = MOT_COUNT(shares),
    PERMUTED = MOT_COUNT(permuted)
};

static study_variant *add_memory(mot_study *study, int strategy, size_t m)
{
    char name[32], settings[96];
    if (memories[m] == 20) return mot_deep_usual(study, DEEP_CLINC, DEEP_CHANGED, DEEP_ONE, strategy);
    snprintf(name, sizeof name, "memory%d", memories[m]);
    snprintf(settings, sizeof settings, "rehearsal.memory=%d a class", memories[m]);
    return add(study, strategy, name, settings);
}

static study_variant *add_share(mot_study *study, int strategy, size_t s)
{
    char name[32], settings[96];
    snprintf(name, sizeof name, "share%g", shares[s]);
    snprintf(settings, sizeof settings, "rehearsal.share=%g", shares[s]);
    return add(study, strategy, name, settings);
}

study_variant *mot_deep_order(mot_study *study, int order)
{
    char settings[96];
    if (order == DEEP_OLDEST) return mot_deep_usual(study, DEEP_CLINC, DEEP_CHANGED, DEEP_ONE, DEEP_SEQUENTIAL);
    snprintf(settings, sizeof settings, "rehearsal.order=%s", orders[order]);
    return mot_deep_add(study, &(deep_trial){DEEP_CLINC, DEEP_CHANGED, DEEP_ONE, DEEP_SEQUENTIAL, orders[order], settings, mot_deep_seeds(study, ORDER_SEEDS)});
}

static study_variant *add_permuted(mot_study *study, int strategy, size_t p)
{
    char name[32], settings[96];
    if (p == 0) return mot_deep_usual(study, DEEP_CLINC, DEEP_CLEAN, DEEP_ONE, strategy);
    snprintf(name, sizeof name, "words%g", permuted_share[p]);
    snprintf(settings, sizeof settings, "data.stream.changes=%s", permuted[p]);
    return mot_deep_add(study, &(deep_trial){DEEP_CLINC, DEEP_CLEAN, DEEP_ONE, strategy, name, settings, mot_deep_seeds(study, SEEDS)});
}

static mot_status plan_memories(mot_study *study, rehearsal_numbers *unused)
{
    const bool quick = study->options.quick;
    (void)unused;
    if (!mot_deep_find(study, DEEP_CLINC)) return MOT_OK;
    for (int strategy = DEEP_CONCURRENT; strategy <= DEEP_HYBRID; ++strategy) {
        for (size_t m = 0; m < MEMORIES; ++m)
            if (!quick || m % 2 == 0) (void)add_memory(study, strategy, m);
        for (size_t p = 0; p < PERMUTED; ++p)
            if (!quick || p % 2 == 0) (void)add_permuted(study, strategy, p);
        for (size_t s = 0; s < SHARES && !quick; ++s) (void)add_share(study, strategy, s);
    }
    for (int o = 0; o < DEEP_ORDERS && !quick; ++o) (void)mot_deep_order(study, o);
    return MOT_OK;
}

/* ---- what came out: similarity ---- */

static mot_status tell_similar(mot_study *study, const rehearsal_numbers *unused)
{
    deep_line line[AFTERS] = {{0}};
    const char *const labels[AFTERS] = {"compared at once", "compared after 20 steps"};
    char text[2][96];
    size_t better = 0, worse = 0, tried = 0;
    mot_status status = MOT_OK;
    (void)unused;
    if (!mot_deep_planned(study, DEEP_CLINC)) return MOT_OK;
    const study_variant *concurrent = mot_deep_usual(study, DEEP_CLINC, DEEP_CHANGED, DEEP_ONE, DEEP_CONCURRENT);
    mot_study_section(study, "What hybrid takes for similar");
    mot_study_say(study,
                  "CLINC150, changed, one transformer. Gradients are compared as a task begins, while the head of its classes is "
                  "random, or after 20 of its steps (on its own samples alone; what is old then comes in fewer steps); tasks of cosine tau or more are similar. At "
                  "tau = -1 hybrid is concurrent, at 1 sequential rehearsal. Differences are from concurrent, seed by seed. "
                  "Settings that are not in the tables above have %d seeds, here and in the next section.\n\n"
                  "| compared | tau | alike | median size of cosine | Acc | forgetting | Acc, difference |\n|---|---|---|---|---|---|---|\n",
                  mot_deep_seeds(study, SEEDS));
    for (size_t a = 0; a < AFTERS; ++a)
        for (size_t t = 0; t < TAUS; ++t) {
            if (study->options.quick && taus[t] != 0.05) continue;
            const study_variant *variant = add_tau(study, a, t);
            const deep_cosines cosines = mot_deep_compare(variant, taus[t]);
            const deep_mean acc = mot_deep_mean(variant, DEEP_ACC), forgetting = mot_deep_mean(variant, DEEP_FORGETTING),
                            gain = mot_deep_difference(variant, concurrent, DEEP_ACC);
            mot_study_say(study, "| %s | %g | %.0f %% | %.3f | %s | %s |", a == 0 ? "at once" : "after 20 steps", taus[t],
                          100 * cosines.share, cosines.magnitude, mot_deep_text(&acc, false, text[0]),
                          mot_deep_text(&forgetting, false, text[1]));
            mot_study_say(study, " %s |\n", mot_deep_text(&gain, true, text[0]));
            ++tried;
            better += gain.interval.low > 0;
            worse += gain.interval.high < 0;
            mot_deep_line_add(&line[a], taus[t], variant);
        }
    mot_study_say(study, "\n");
    MOT_TRY(mot_deep_draw(study, "deep-tau", "Hybrid over tau; bands are 95 % intervals of the mean over the seeds.",
                          &(mot_axis){.label = "tau"}, line, labels, AFTERS));
    mot_study_verdict(study, better > 0 ? STUDY_HOLDS : worse == tried ? STUDY_NOT_SO : STUDY_UNDECIDED,
                      "(Some tau makes hybrid more accurate than concurrent.) %zu of %zu settings are by the whole interval, %zu are less.",
                      better, tried, worse);
done:
    return status;
}

/* ---- memory, share, order, corruption ---- */

enum { REHEARSERS = DEEP_HYBRID - DEEP_CONCURRENT + 1 };

typedef study_variant *add_point(mot_study *study, int strategy, size_t point);

/* A table over the points of a sweep of all strategies that rehearse, and its picture. */
static mot_status tell_sweep(mot_study *study, const char *name, const char *title, const mot_axis *axis, add_point *point,
                             const double *x, size_t points, size_t step)
{
    deep_line line[REHEARSERS] = {{0}};
    char text[2][96], caption[160];
    mot_study_say(study, "| %s | strategy | Acc | forgetting |\n|---|---|---|---|\n", axis->label);
    for (size_t p = 0; p < points; p += step)
        for (int s = DEEP_CONCURRENT; s <= DEEP_HYBRID; ++s) {
            const study_variant *variant = point(study, s, p);
            const deep_mean acc = mot_deep_mean(variant, DEEP_ACC), forgetting = mot_deep_mean(variant, DEEP_FORGETTING);
            mot_study_say(study, "| %g | %s | %s | %s |\n", x[p], mot_deep_strategies[s], mot_deep_text(&acc, false, text[0]),
                          mot_deep_text(&forgetting, false, text[1]));
            mot_deep_line_add(&line[s - DEEP_CONCURRENT], x[p], variant);
        }
    mot_study_say(study, "\n");
    snprintf(caption, sizeof caption, "%s; bands are 95 %% intervals of the mean over the seeds.", title);
    return mot_deep_draw(study, name, caption, axis, line, mot_deep_strategies + DEEP_CONCURRENT, REHEARSERS);
}

/* At how many points of a sweep hybrid is more accurate than concurrent, seed by seed. */
static void tell_gains(mot_study *study, const char *claim, add_point *point, size_t points, size_t step)
{
    size_t better = 0, worse = 0, tried = 0;
    for (size_t p = 0; p < points; p += step, ++tried) {
        const deep_mean gain =
            mot_deep_difference(point(study, DEEP_HYBRID, p), point(study, DEEP_CONCURRENT, p), DEEP_ACC);
        better += gain.interval.low > 0;
        worse += gain.interval.high < 0;
    }
    mot_study_verdict(study, mot_deep_decide(better, worse, tried),
                      "(%s) Hybrid is more accurate than concurrent in %zu of %zu cases by the whole interval, less in %zu.", claim,
                      better, tried, worse);
}

static void tell_orders(mot_study *study)
{
    const study_variant *oldest = mot_deep_order(study, DEEP_OLDEST);
    size_t better = 0, worse = 0;
    char text[3][96];
    mot_study_say(study, "The order in which sequential rehearsal revisits old tasks, %d seeds; differences are from oldest first, seed by "
                         "seed.\n\n| order | Acc | difference | of forgetting |\n|---|---|---|---|\n",
                  ORDER_SEEDS);
    for (int o = 0; o < DEEP_ORDERS; ++o) {
        const study_variant *variant = mot_deep_order(study, o);
        const deep_mean acc = mot_deep_mean(variant, DEEP_ACC), gain = mot_deep_difference(variant, oldest, DEEP_ACC),
                        forgetting = mot_deep_difference(variant, oldest, DEEP_FORGETTING);
        const bool other = o != DEEP_OLDEST;
        mot_study_say(study, "| %s | %s | %s | %s |\n", orders[o], mot_deep_text(&acc, false, text[0]),
                      other ? mot_deep_text(&gain, true, text[1]) : "", other ? mot_deep_text(&forgetting, true, text[2]) : "");
        better += other && gain.interval.low > 0;
        worse += other && gain.interval.high < 0;
    }
    mot_study_say(study, "\n");
    mot_study_verdict(study, mot_deep_decide(worse, better, DEEP_ORDERS - 1),
                      "(Oldest first is best.) Of %d others %zu are less accurate by the whole interval, %zu more.", DEEP_ORDERS - 1, worse,
                      better);
}

static mot_status tell_memories(mot_study *study, const rehearsal_numbers *unused)
{
    const bool quick = study->options.quick;
    double held[MEMORIES];
    mot_status status = MOT_OK;
    (void)unused;
    if (!mot_deep_planned(study, DEEP_CLINC)) return MOT_OK;
    for (size_t m = 0; m < MEMORIES; ++m) held[m] = memories[m];
    mot_study_section(study, "Memory, share, corruption, order");
    mot_study_say(study, "CLINC150, changed, one transformer; a class has 100 samples.\n\n");
    MOT_TRY(tell_sweep(study, "deep-memory", "Memory", &(mot_axis){.label = "samples held a class", .log = 10}, add_memory, held,
                       MEMORIES, quick ? 2 : 1));
    tell_gains(study, "Hybrid, at any size of memory.", add_memory, MEMORIES, quick ? 2 : 1);
    if (!quick) {
        mot_study_say(study, "The share of what a task learns that is old (rehearsal.share); as there are samples it grows from task to "
                             "task, from 0.17 to 0.64.\n\n");
        MOT_TRY(tell_sweep(study, "deep-share", "Share of old samples", &(mot_axis){.label = "share"}, add_share, shares, SHARES, 1));
        tell_gains(study, "Hybrid, at any share.", add_share, SHARES, 1);
    }
    mot_study_say(study, "How many of the tasks have their words permuted, on a stream that is otherwise clean: with 1 a word "
                         "means something else in each of them.\n\n");
    MOT_TRY(tell_sweep(study, "deep-corruption", "Permuted tasks", &(mot_axis){.label = "share of permuted tasks"}, add_permuted,
                       permuted_share, PERMUTED, quick ? 2 : 1));
    tell_gains(study, "Hybrid, at any share of permuted tasks.", add_permuted, PERMUTED, quick ? 2 : 1);
    if (!quick) tell_orders(study);
done:
    return status;
}

const rehearsal_claim mot_deep_similar = {"deep similarity", plan_similar, tell_similar};
const rehearsal_claim mot_deep_memories = {"deep memories", plan_memories, tell_memories};
