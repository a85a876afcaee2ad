/* What the views of both theories are made of. */
#include <math.h>
#include <string.h>

#include "theory.h"

mot_status mot_report_theory_lines(const theory_subject *s, const char *id, const char *title, const char *label, size_t series,
                                   report_view **view)
{
    mot_status status;
    MOT_TRY(mot_report_view(s->report, s->part, REPORT_LINES, id, title, s->r, -1, view));
    (*view)->x = (report_axis){.label = "step", .count = s->count, .values = s->step};
    (*view)->y = (report_axis){.label = label};
    (*view)->marks = s->run->marks;
    (*view)->mark = s->run->mark;
    if (s->count < s->rows) (*view)->note = mot_report_text(&s->report->pool, "%zu of %zu evaluations.", s->count, s->rows);
    MOT_TRY(mot_report_series(s->report, *view, series, s->count, false));
done:
    return status;
}

static mot_status name_places(report_all *report, const char *label, size_t count, report_axis *axis)
{
    *axis = (report_axis){.label = label, .count = count};
    return mot_report_numbers(report, count, &axis->names);
}

/* Whether the last evaluation has places without a number. */
static bool any_gone(const mot_record_values *of)
{
    size_t numbers = 0;
    for (size_t i = 0; i < of->width; ++i) numbers += !isnan(of->value[(of->rows - 1) * of->width + i]);
    return numbers < of->width;
}

mot_status mot_report_theory_map(const theory_subject *s, report_figure_name figure, const char *id, const char *title, const char *y,
                                 const char *x, const char *unit)
{
    const mot_record_values *const of = &s->run->figure[figure];
    size_t pick[REPORT_BINS];
    report_view *view;
    mot_status status = MOT_OK;
    if (!mot_report_has(s->run, figure) || of->rank != 2) return MOT_OK;
    const size_t frames = mot_report_pick(s->rows, MOT_MIN(mot_report_frame_room(s->report, of->width), (size_t)REPORT_BINS), pick);
    MOT_TRY(mot_report_view(s->report, s->part, REPORT_HEAT, id, title, s->r, -1, &view));
    MOT_TRY(name_places(s->report, y, of->shape[0], &view->y));
    MOT_TRY(name_places(s->report, x, of->shape[1], &view->x));
    view->unit = unit;
    view->diverging = true;
    if (frames < s->rows) view->note = mot_report_text(&s->report->pool, "%zu of %zu evaluations.", frames, s->rows);
    if (any_gone(of))
        view->note = mot_report_text(&s->report->pool, "%s%sThose that have gone have none.", view->note != NULL ? view->note : "",
                                     view->note != NULL ? " " : "");
    MOT_TRY(mot_report_frames(s->report, view, frames, of->width));
    for (size_t f = 0; f < frames; ++f) {
        view->frame[f].step = (mot_gidx)*mot_report_row(s->run, REPORT_EVAL_STEP, pick[f]);
        view->frame[f].label = mot_report_text(&s->report->pool, "step %" MOT_PRI_GIDX, view->frame[f].step);
        memcpy((double *)view->frame[f].value, mot_report_row(s->run, figure, pick[f]), of->width * sizeof(double));
    }
done:
    return status;
}
