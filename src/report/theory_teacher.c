/* Students and their teacher: maps of cosines, and when each of the teacher's experts is found, as the study of soft routing draws
 * them (src/study/soft_alignment.c). */
#include <math.h>

#include "mot/memory.h"
#include "mot/theory.h"
#include "theory.h"

/* Largest cosines with one of the teacher's experts: of neurons in magnitude, or of gates. */
typedef struct alignment {
    const report_run *run;
    size_t E, m, which;
    bool gates;
} alignment;

static double value_of(const void *with, size_t row)
{
    const alignment *a = with;
    return mot_theory_largest(mot_report_row(a->run, a->gates ? REPORT_TEACHER_V : REPORT_TEACHER_W, row), a->E, a->m, a->which, !a->gates);
}

static mot_status put_alignment(const theory_subject *s, size_t E, size_t m)
{
    report_view *view;
    mot_status status;
    MOT_TRY(mot_report_theory_lines(s, "theory-alignment", "Alignment with the teacher's experts", "cosine", 2 * m, &view));
    for (size_t j = 0; j < m; ++j)
        for (int gates = 0; gates < 2; ++gates) {
            const alignment a = {s->run, E, m, j, gates};
            const size_t line = 2 * j + (size_t)gates;
            view->series[line].name = mot_report_text(&s->report->pool, gates ? "gate of expert %zu" : "expert %zu", j);
            view->series[line].dashed = gates;
            for (size_t i = 0; i < s->count; ++i) mot_report_values(view, line)[i] = value_of(&a, s->pick[i]);
        }
done:
    return status;
}

static mot_status put_found(const theory_subject *s, size_t E, size_t m)
{
    static const char *const name[] = {"found by a neuron", "found by a gate", "matched: a student has both"};
    report_view *view;
    mot_status status;
    MOT_TRY(mot_report_theory_lines(s, "theory-found", "Experts of the teacher that are found", "experts", MOT_COUNT(name), &view));
    view->y.high = (double)m;
    for (size_t k = 0; k < MOT_COUNT(name); ++k) view->series[k].name = name[k];
    for (size_t i = 0; i < s->count; ++i) {
        for (int gates = 0; gates < 2; ++gates)
            for (size_t j = 0; j < m; ++j)
                mot_report_values(view, (size_t)gates)[i] += value_of(&(alignment){s->run, E, m, j, gates}, s->pick[i]) >= MOT_THEORY_FOUND;
        mot_report_values(view, 2)[i] = mot_report_has(s->run, REPORT_MATCHED) ? *mot_report_row(s->run, REPORT_MATCHED, s->pick[i]) : NAN;
    }
done:
    return status;
}

/* Who is nearest at the end, and when the nearest came so near. */
static mot_status put_order(const theory_subject *s, size_t E, size_t m)
{
    static const char *const columns[] = {"teacher's expert", "nearest student", "cosine of neurons", "cosine of gates",
                                          "found by a neuron at step", "found by a gate at step"};
    const size_t last = s->rows - 1;
    report_view *view;
    mot_status status;
    MOT_TRY(mot_report_view(s->report, s->part, REPORT_TABLE, "theory-order", "When each is found, and by whom", s->r, -1, &view));
    view->x = (report_axis){.count = MOT_COUNT(columns), .names = columns};
    view->note = "The student is the one whose neuron is nearest at the last evaluation. Steps are between evaluations, on a straight line.";
    view->rows = m;
    MOT_TRY(mot_report_take(&s->report->pool, &view->cell, m * MOT_COUNT(columns), sizeof *view->cell));
    for (size_t j = 0; j < m; ++j) {
        const double *const w = mot_report_row(s->run, REPORT_TEACHER_W, last), *const v = mot_report_row(s->run, REPORT_TEACHER_V, last);
        const size_t nearest = mot_theory_nearest(w, E, m, j, true);
        report_cell *const cell = view->cell + j * MOT_COUNT(columns);
        cell[0].value = (double)j;
        cell[1].value = nearest < E ? (double)nearest : NAN;
        cell[2].value = nearest < E ? w[nearest * m + j] : NAN;
        cell[3].value = nearest < E ? v[nearest * m + j] : NAN;
        for (int gates = 0; gates < 2; ++gates)
            cell[4 + gates].value = mot_theory_reach(s->rows, s->run->figure[REPORT_EVAL_STEP].value, value_of,
                                                     &(alignment){s->run, E, m, j, gates}, MOT_THEORY_FOUND);
    }
done:
    return status;
}

mot_status mot_report_theory_teacher(const theory_subject *s)
{
    const mot_record_values *const w = &s->run->figure[REPORT_TEACHER_W];
    static const char *const student = "student", *const expert = "teacher's expert";
    mot_status status = MOT_OK;
    if (!mot_report_has(s->run, REPORT_TEACHER_W) || !mot_report_has(s->run, REPORT_TEACHER_V) || w->rank != 2 ||
        w->width != s->run->figure[REPORT_TEACHER_V].width)
        return MOT_OK;
    MOT_TRY(mot_report_theory_map(s, REPORT_TEACHER_W, "theory-neurons", "Students' neurons and the teacher's", student, expert, "cosine"));
    MOT_TRY(mot_report_theory_map(s, REPORT_TEACHER_V, "theory-gates", "Students' gates and the teacher's", student, expert, "cosine"));
    MOT_TRY(put_alignment(s, w->shape[0], w->shape[1]));
    MOT_TRY(put_found(s, w->shape[0], w->shape[1]));
    MOT_TRY(put_order(s, w->shape[0], w->shape[1]));
done:
    return status;
}
