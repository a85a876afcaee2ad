/* The claims about soft routing: what is asked of a trial, and all of them from tiny trials to their page. */
#include <math.h>
#include <string.h>

#include "mot/atomic_file.h"
#include "scratch.h"
#include "soft.h"

/* Three students of two experts, of whom the second leaves before the last evaluation. */
static double step[] = {0, 10, 20, 30}, flowed[] = {0, 1, 2, 3}, loss[] = {1, 0.1, 1e-5, 1e-13};
static double w[4][3][2] = {{{0.1, 0.3}, {-0.2, 0.1}, {0, 0}},
                            {{0.5, 0}, {-0.5, 0}, {0, 0.7}},
                            {{0.6, 0}, {-1, 0}, {0, 0.95}},
                            {{0.8, 0}, {NAN, NAN}, {0, 1}}};
static double v[4][3][2] = {{{0, 0}, {0, 0}, {0, 0}},
                            {{0, 0.94}, {0, 0}, {0, 0.2}},
                            {{0, 0}, {0.4, 0}, {0, 0.6}},
                            {{0.95, 0}, {NAN, NAN}, {0, 1}}};
static double length[4][3] = {{1, 1, 1}, {1, 2, 1}, {2, 2, 1}, {2, NAN, 1}};
static study_result result = {.rows = 4,
                              .E = 3,
                              .N = 2,
                              .stages = 2,
                              .stage_begin = {0, 25},
                              .column = {[STUDY_STEP] = step,
                                         [STUDY_FLOWED] = flowed,
                                         [STUDY_LOSS] = loss,
                                         [STUDY_TEACHER_W] = &w[0][0][0],
                                         [STUDY_TEACHER_V] = &v[0][0][0],
                                         [STUDY_LENGTH_W] = &length[0][0]}};

START_TEST(a_trial_is_asked)
{
    ck_assert_double_eq(mot_soft_expert(&result, 1, 0), 0.5);
    ck_assert_double_eq(mot_soft_expert(&result, 3, 0), 0.8); /* the one that left counts no more */
    ck_assert_double_eq(mot_soft_toward(&result, 0, 0), 0.1);
    ck_assert_double_eq(mot_soft_gate(&result, 1, 1), 0.94);
    ck_assert_double_eq(mot_soft_all(&result, 1, 0), 0.5);
    ck_assert_uint_eq(mot_soft_students(&result, 2), 3);
    ck_assert_uint_eq(mot_soft_students(&result, 3), 2);
    ck_assert_uint_eq(mot_soft_learned(&result), 2);
    ck_assert_double_eq_tol(mot_soft_reach(&result, mot_soft_expert, 0, 0.9), 1.8, 1e-12);
    ck_assert_double_eq_tol(mot_soft_first(&result), 1.8, 1e-12);
    /* the second student's clock: (1 + 1/4) / 2, and 0.8 of (1/4 + 1/4) / 2; the third's is t, at 1.8 */
    ck_assert_double_eq_tol(mot_soft_first_turned(&result), 0.625 + 0.8 * 0.25, 1e-12);
    ck_assert_double_nan(mot_soft_reach(&result, mot_soft_expert, 0, 1.1));
    ck_assert_double_eq(mot_soft_reach(&result, mot_soft_expert, 0, 0.2), 0); /* from the beginning */
    const study_variant variant = {.seeds = 1, .result = &result};
    const soft_guided count = mot_soft_count(&variant);
    ck_assert_uint_eq(count.teachers, 2);
    ck_assert_uint_eq(count.experts, 2);
    ck_assert_uint_eq(count.gates, 2);
    ck_assert_uint_eq(count.after, 1); /* the second gate was there before its expert */
    ck_assert_uint_eq(mot_soft_exact(&variant), 1);
}
END_TEST

START_TEST(a_failed_trial_says_nothing)
{
    study_result failed = {.failed = true};
    const study_variant variant = {.seeds = 1, .result = &failed};
    ck_assert_double_nan(mot_soft_first(&failed));
    ck_assert_double_nan(mot_soft_first_turned(&failed));
    ck_assert_uint_eq(mot_soft_count(&variant).teachers, 0);
    ck_assert_uint_eq(mot_soft_exact(&variant), 0);
}
END_TEST

/* The integral of 1 / (4.5 z^2 (1 - z^2)) from 32^-1/2 to 0.9, by the midpoint rule. */
START_TEST(theory_is_an_integral)
{
    const double from = 1 / sqrt(32), width = (0.9 - from) / 10000;
    double sum = 0;
    for (int i = 0; i < 10000; ++i) {
        const double z = from + (i + 0.5) * width;
        sum += width / (4.5 * z * z * (1 - z * z));
    }
    ck_assert_double_eq_tol(mot_soft_theory(from), sum, 1e-6);
    ck_assert_double_eq_tol(mot_soft_theory(from), 1.2976, 1e-4);
}
END_TEST

/* ---- all claims, of trials that learn next to nothing ---- */

static const study_claim *const claims[] = {&mot_soft_alignment, &mot_soft_width,   &mot_soft_success, &mot_soft_pipeline,
                                            &mot_soft_rules,     &mot_soft_surplus, &mot_soft_router,  &mot_soft_limits};

static void make_tiny(study_variant *variant)
{
    static const char *const one[] = {"train.until=4 steps"},
                      *const phases[] = {"stages.0.until=4 steps", "stages.1.until=4 steps", "stages.0.prune_cosine=1"},
                      *const all[] = {"train.batch=16", "data.teacher.eval=16", "eval.every=2"};
    const bool staged = variant->base == mot_soft_phases;
    for (size_t i = 0; i < MOT_COUNT(all); ++i) snprintf(variant->setting[variant->settings++], STUDY_SETTING, "%s", all[i]);
    for (size_t i = 0; i < (staged ? MOT_COUNT(phases) : MOT_COUNT(one)); ++i)
        snprintf(variant->setting[variant->settings++], STUDY_SETTING, "%s", (staged ? phases : one)[i]);
    variant->seeds = 1; /* a trial takes a tenth of a second, most of it for its files */
}

/* What the gates' own trials begin with. */
static void check_initial(const mot_study *study)
{
    for (size_t i = 0; i < study->variants; ++i) {
        const study_variant *variant = &study->variant[i];
        if (variant->initial == NULL) continue;
        const study_result *r = &variant->result[0];
        for (size_t j = 0; j < 4; ++j) {
            const double z = j == 0 || j == 3 ? variant->parameter : 0; /* of each student his own expert's */
            ck_assert_double_eq_tol(r->column[STUDY_TEACHER_W][j], z, 1e-6);
            ck_assert_double_eq_tol(r->column[STUDY_TEACHER_V][j], 0, 1e-6);
            ck_assert_double_eq_tol(r->column[STUDY_TEACHER_W][(r->rows - 1) * 4 + j], z, 1e-6);
        }
        ck_assert_double_ne(r->column[STUDY_TEACHER_V][(r->rows - 1) * 4], r->column[STUDY_TEACHER_V][0]);
    }
}

START_TEST(claims_are_told)
{
    mot_study study;
    mot_comm comm;
    begin(&study, &comm, "soft", 128);
    study.options.quick = true;
    for (size_t c = 0; c < MOT_COUNT(claims); ++c) claims[c]->plan(&study);
    const size_t variants = study.variants;
    for (size_t i = 0; i < variants; ++i) make_tiny(&study.variant[i]);
    mot_status status = mot_study_train(&study);
    mot_ck_all(status == MOT_OK);
    if (comm.rank == MOT_ROOT) {
        char path[160], *text = NULL;
        size_t size;
        mot_ck_ok(mot_study_read(&study));
        check_initial(&study);
        const study_result *r = &study.variant[0].result[0];
        ck_assert_uint_eq(r->N, 2);
        ck_assert_uint_eq(r->E, 6);
        ck_assert_double_eq_tol(r->column[STUDY_FLOWED][r->rows - 1], 4 * 0.05 + 4 * 0.2, 1e-6);
        mot_ck_ok(mot_study_page_open(&study, "Soft"));
        for (size_t c = 0; c < MOT_COUNT(claims); ++c) mot_ck_ok(claims[c]->tell(&study));
        ck_assert_uint_eq(study.variants, variants); /* what is told was planned */
        mot_ck_ok(mot_study_page_close(&study));
        snprintf(path, sizeof path, "%s/soft.md", folder);
        mot_ck_ok(mot_file_read(path, 1 << 20, &text, &size));
        ck_assert(strstr(text, "## 8. Beyond the theory") != NULL && strstr(text, "| softmax gates, both | 0 of 2 | never |") != NULL);
        ck_assert(strstr(text, "**Verdict: not so.**") != NULL);
        mot_free(text);
    }
    finish(&study, &comm);
}
END_TEST

static void soft_tests(TCase *tcase)
{
    tcase_add_test(tcase, a_trial_is_asked);
    tcase_add_test(tcase, a_failed_trial_says_nothing);
    tcase_add_test(tcase, theory_is_an_integral);
    tcase_add_test(tcase, claims_are_told);
}

MOT_CK_MAIN("soft", soft_tests)
