/* How much experts and classes tell of each other, over steps, and what chance and other gates would give. */
#include <math.h>

#include "mot/contingency.h"
#include "mot/memory.h"
#include "parts.h"

enum { ROUTING, SHUFFLED, LOTS, TOLD, LINES };

/* One kind (classes or groups) of one layer. */
typedef struct subject {
    const report_run *run;
    const report_layer *layer;
    const mot_record_values *load;
    int r, l, kinds;
    bool groups;
    size_t count; /* of evaluations shown */
    size_t pick[REPORT_BINS];
    double *step; /* [count] */
} subject;

/* So many evaluations as take a moment: each costs some milliseconds. */
static size_t most_evaluations(const report_all *report)
{
    enum { ALL = 600, LEAST = 8, MOST = 60 };
    size_t layers = 0;
    for (size_t r = 0; r < report->runs; ++r) layers += (size_t)report->run[r].layers;
    return MOT_MAX(LEAST, MOT_MIN(MOST, ALL / MOT_MAX(layers, 1)));
}

static void take_counts(const subject *s, size_t at, int64_t *count)
{
    const double *value = s->load->value + s->pick[at] * s->load->width;
    for (size_t i = 0; i < s->load->width; ++i) count[i] = (int64_t)value[i];
}

/* AMI of an evaluation, and of the controls in its place. */
static mot_status measure(const subject *s, const int64_t *count, int64_t *control, double value[LINES])
{
    const int E = s->layer->experts;
    mot_status status;
    MOT_TRY(mot_contingency_ami(s->kinds, E, count, &value[ROUTING]));
    MOT_TRY(mot_report_shuffle(s->kinds, E, count, control));
    MOT_TRY(mot_contingency_ami(s->kinds, E, control, &value[SHUFFLED]));
    mot_report_draw_lots(s->kinds, E, count, control);
    MOT_TRY(mot_contingency_ami(s->kinds, E, control, &value[LOTS]));
    MOT_TRY(mot_report_tell(s->kinds, E, count, control));
    MOT_TRY(mot_contingency_ami(s->kinds, E, control, &value[TOLD]));
done:
    return status;
}

static void axes_of(const subject *s, const char *label, report_view *view)
{
    view->x = (report_axis){.label = "step", .count = s->count, .values = s->step};
    view->y = (report_axis){.label = label, .low = 0, .high = 1};
    view->marks = s->run->marks;
    view->mark = s->run->mark;
}

static mot_status put_ami(report_all *report, report_part *part, const subject *s, int64_t *count)
{
    static const char *const name[LINES] = {"routing", "shuffled labels", "random gate", "told gate"};
    report_view *view;
    mot_status status;
    MOT_TRY(mot_report_view(report, part, REPORT_LINES, s->groups ? "ami-groups" : "ami-classes",
                            s->groups ? "Experts and groups, adjusted mutual information"
                                      : "Experts and classes, adjusted mutual information",
                            s->r, s->l, &view));
    axes_of(s, "AMI", view);
    MOT_TRY(mot_report_series(report, view, LINES, s->count, false));
    for (size_t k = 0; k < LINES; ++k) {
        view->series[k].name = name[k];
        view->series[k].dashed = k != ROUTING;
    }
    for (size_t i = 0; i < s->count; ++i) {
        double value[LINES];
        take_counts(s, i, count);
        MOT_TRY(measure(s, count, count + s->load->width, value));
        for (size_t k = 0; k < LINES; ++k) mot_report_values(view, k)[i] = value[k];
    }
done:
    return status;
}

static mot_status put_purity(report_all *report, report_part *part, const subject *s, int64_t *count)
{
    static const char *const name[] = {"purity", "normalized mutual information"};
    report_view *view;
    mot_status status;
    MOT_TRY(mot_report_view(report, part, REPORT_LINES, s->groups ? "purity-groups" : "purity-classes",
                            s->groups ? "Experts and groups, purity" : "Experts and classes, purity", s->r, s->l, &view));
    axes_of(s, "purity, NMI", view);
    MOT_TRY(mot_report_series(report, view, MOT_COUNT(name), s->count, false));
    for (size_t k = 0; k < MOT_COUNT(name); ++k) view->series[k].name = name[k];
    for (size_t i = 0; i < s->count; ++i) {
        take_counts(s, i, count);
        const mot_contingency figures = mot_contingency_measure(s->kinds, s->layer->experts, count);
        mot_report_values(view, 0)[i] = figures.purity;
        mot_report_values(view, 1)[i] = figures.nmi;
    }
done:
    return status;
}

static mot_status put_subject(report_all *report, report_part *part, int r, int l, bool groups)
{
    subject s = {.run = &report->run[r], .layer = &report->run[r].layer[l], .r = r, .l = l, .groups = groups};
    int64_t *count = NULL;
    mot_status status = MOT_OK;
    s.load = groups ? &s.layer->group_load : &s.layer->class_load;
    s.kinds = groups ? s.run->groups : s.run->classes;
    const size_t there = MOT_MIN(s.load->rows, s.layer->snapshot.rows);
    if (there == 0 || s.load->width != (size_t)s.kinds * (size_t)s.layer->experts) return MOT_OK;
    s.count = mot_report_pick(there, most_evaluations(report), s.pick);
    MOT_TRY(mot_report_take(&report->pool, &s.step, s.count, sizeof *s.step));
    for (size_t i = 0; i < s.count; ++i) s.step[i] = s.layer->snapshot.value[s.pick[i]];
    MOT_TRY(mot_allocate(&count, 2 * s.load->width, sizeof *count, "counts of classes"));
    MOT_TRY(put_ami(report, part, &s, count));
    MOT_TRY(put_purity(report, part, &s, count));
done:
    mot_free(count);
    return status;
}

static mot_status make(report_all *report, report_part *part)
{
    mot_status status = MOT_OK;
    for (int r = 0; r < (int)report->runs; ++r) {
        const report_run *const run = &report->run[r];
        const report_view *const before = part->last;
        for (int l = 0; l < run->layers && run->spread == NULL; ++l) {
            MOT_TRY(put_subject(report, part, r, l, false));
            MOT_TRY(put_subject(report, part, r, l, true));
        }
        if (part->last == before) mot_report_lacks(report, part, run, "%s", mot_report_no_classes(report, run));
    }
done:
    return status;
}

const report_part_kind mot_report_part_specialization = {
    .id = "specialization",
    .title = "Specialization",
    .definition =
        "Adjusted mutual information (Vinh, Epps and Bailey 2010) of a sample's expert and its class or group: 1 where each "
        "tells the other, 0 where they agree as by chance. Beside the routing stand the same experts with the labels shuffled; a "
        "random gate, which draws an expert for each sample; and a told gate, which deals whole classes to the experts, the largest "
        "first, each to the one with fewest samples. Purity is the share of samples whose class is the commonest of their "
        "expert; normalized mutual information is I / sqrt(H(expert) H(class)).",
    .denominator = "All samples of the evaluation split, by the gate's first choice.",
    .interval = "None of a point, which is of all samples of a fixed set; the line of shuffled labels is what chance makes of it.",
    .make = make,
};
