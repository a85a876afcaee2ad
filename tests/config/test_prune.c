/* Who leaves by the rules of action prune, of students whose means are known in closed form: with neurons u and gates that
 * are either the same or have nothing to do with each other, the mean of o_i o_j is (u_i . u_j)^3 or 0. */
#include <math.h>

#include "ck.h"
#include "prune.h"

enum { MOST = 12 };

/* Students of the plane: degrees of a neuron, and which gate it has; the teacher's neurons are at 0 degrees, one a gate. */
typedef struct prune_scene {
    mot_prune_rule rule;
    int keep, count, teachers;
    struct {
        double degrees;
        int gate;
    } student[MOST];
    int stay, of_gate[2]; /* expected: of all, and of gates 0 and 1 */
    double farthest;      /* expected: degrees of who stays, at most */
} prune_scene;

#define PENTAGON(gate, turned) {36 + (turned), gate}, {108 + (turned), gate}, {-36 + (turned), gate}, {-108 + (turned), gate}

static const prune_scene scenes[] = {
    {.rule = MOT_PRUNE_GROUP, .count = 3, .teachers = 1, .student = {{0, 0}, {50, 1}, {230, 1}}, .stay = 1, .of_gate = {1, 0}},
    {.rule = MOT_PRUNE_SINGLE, .count = 3, .teachers = 1, .student = {{0, 0}, {50, 1}, {230, 1}}, .stay = 3, .of_gate = {1, 2}, .farthest = 230},
    {.rule = MOT_PRUNE_SINGLE, .keep = 1, .count = 3, .teachers = 1, .student = {{0, 0}, {50, 1}, {230, 1}}, .stay = 1},
    {.rule = MOT_PRUNE_CLUSTER, .count = 3, .teachers = 1, .student = {{0, 0}, {50, 1}, {230, 1}}, .stay = 1, .of_gate = {1, 0}},
    /* a pentagon is nothing, and four of its places are the fifth turned round */
    {.rule = MOT_PRUNE_GROUP, .count = 6, .teachers = 1, .student = {{0, 0}, {187, 1}, PENTAGON(1, 7)}, .stay = 1, .of_gate = {1, 0}},
    {.rule = MOT_PRUNE_GROUP, .count = 5, .teachers = 2, .student = {{0, 0}, PENTAGON(1, 0)}, .stay = 2, .of_gate = {1, 1}, .farthest = 36},
    {.rule = MOT_PRUNE_GROUP, .count = 8, .teachers = 2, .student = {PENTAGON(0, 0), PENTAGON(1, 0)}, .stay = 2, .of_gate = {1, 1}, .farthest = 36},
    {.rule = MOT_PRUNE_SINGLE, .count = 5, .teachers = 2, .student = {{0, 0}, PENTAGON(1, 0)}, .stay = 5, .of_gate = {1, 4}, .farthest = 108},
    /* who is needed stays, also beside two that cancel */
    {.rule = MOT_PRUNE_GROUP, .count = 4, .teachers = 2, .student = {{0, 0}, {0, 1}, {100, 1}, {280, 1}}, .stay = 2, .of_gate = {1, 1}},
    {.rule = MOT_PRUNE_GROUP, .keep = 1, .count = 2, .teachers = 2, .student = {{0, 0}, {0, 1}}, .stay = 1},
};

static double cube(double degrees)
{
    return pow(cos(degrees * 3.14159265358979323846 / 180), 3);
}

/* What action prune would measure. */
static void measure(const prune_scene *scene, students *s)
{
    s->loss = scene->teachers / 2.;
    for (size_t e = 0; e < s->E; ++e) {
        const double degrees = scene->student[e].degrees;
        const int gate = scene->student[e].gate;
        const double of_teacher = gate < scene->teachers ? cube(degrees) : 0;
        s->with_rest[e] = -of_teacher;
        for (size_t f = 0; f < s->E; ++f) {
            s->product[e * s->E + f] = gate == scene->student[f].gate ? cube(degrees - scene->student[f].degrees) : 0;
            s->with_rest[e] += s->product[e * s->E + f];
        }
        s->loss += (s->with_rest[e] - of_teacher) / 2;
        s->w[2 * e] = cos(degrees * 3.14159265358979323846 / 180);
        s->w[2 * e + 1] = sin(degrees * 3.14159265358979323846 / 180);
        s->keep[e] = true;
    }
}

START_TEST(test_who_stays)
{
    const prune_scene *scene = &scenes[_i];
    const mot_stage_config stage = {
        .prune = {.rule = scene->rule, .keep = scene->keep, .tolerance = 0.1, .cosine = 0.9}};
    double w[2 * MOST], product[MOST * MOST], with_rest[MOST];
    bool keep[MOST];
    int of_gate[2] = {0};
    students s = {.stage = &stage, .E = (size_t)scene->count, .D = 2, .w = w, .product = product, .with_rest = with_rest, .keep = keep};
    measure(scene, &s);
    ck_assert_double_eq_tol(s.loss, 0, 1e-12); /* every scene is a teacher learned */
    mot_ck_ok(mot_prune_choose(&s, NULL));
    ck_assert_uint_eq(mot_prune_kept(&s), (size_t)scene->stay);
    if (scene->keep > 0) return; /* all cost the same, and who stays is a matter of rounding */
    for (int e = 0; e < scene->count; ++e) {
        if (!keep[e]) continue;
        ++of_gate[scene->student[e].gate];
        ck_assert_double_le(fabs(scene->student[e].degrees), scene->farthest);
    }
    ck_assert_int_eq(of_gate[0], scene->of_gate[0]);
    ck_assert_int_eq(of_gate[1], scene->of_gate[1]);
}
END_TEST

static void prune_tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, test_who_stays, 0, MOT_COUNT(scenes));
}
MOT_CK_MAIN("prune", prune_tests)
