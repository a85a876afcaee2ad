/* How much experts and classes tell of each other, over steps, and what chance and other gates would give. */
#include <math.h>
#include <string.h>

#include "mot/contingency.h"
#include "mot/memory.h"
#include "parts.h"

enum { ROUTING, SHUFFLED, LOTS, TOLD, GEOMETRY, LINES };

/* What k-means makes of what the gate saw, at the step of the analysis. */
typedef struct geometry {
    bool known;
    double classes, groups, experts, share; /* AMI with each; samples whose expert is the commonest of their cluster */
    double own_classes, own_groups;         /* AMI of the gate's own experts */
    double dealt_groups;                    /* were classes in other groups; NaN: a class is in several */
} geometry;

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
    view->y = (report_axis){.label = label, .low = -0.05, .high = 1}; /* by chance AMI is as often below 0 as above */
    view->marks = s->run->marks;
    view->mark = s->run->mark;
}

static mot_status put_ami(report_all *report, report_part *part, const subject *s, const geometry *g, int64_t *count)
{
    static const char *const name[LINES] = {"routing", "shuffled labels", "random gate", "told gate", "k-means on what the gate sees"};
    const size_t lines = g->known ? LINES : GEOMETRY;
    report_view *view;
    mot_status status;
    MOT_TRY(mot_report_view(report, part, REPORT_LINES, s->groups ? "ami-groups" : "ami-classes",
                            s->groups ? "AMI of experts and groups" : "AMI of experts and classes",
                            s->r, s->l, &view));
    axes_of(s, "AMI", view);
    MOT_TRY(mot_report_series(report, view, lines, s->count, false));
    for (size_t k = 0; k < lines; ++k) {
        view->series[k].name = name[k];
        view->series[k].dashed = k != ROUTING;
    }
    for (size_t i = 0; i < s->count; ++i) {
        double value[LINES];
        take_counts(s, i, count);
        MOT_TRY(measure(s, count, count + s->load->width, value));
        value[GEOMETRY] = s->groups ? g->groups : g->classes;
        for (size_t k = 0; k < lines; ++k) mot_report_values(view, k)[i] = value[k];
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
                            s->groups ? "Purity and NMI, groups" : "Purity and NMI, classes", s->r, s->l, &view));
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

/* ---- is it only geometry? ---- */

static mot_status ami_of(size_t samples, const int32_t *row, int rows, const int32_t *column, int columns, double *ami)
{
    int64_t *count;
    mot_status status;
    MOT_TRY(mot_allocate(&count, (size_t)rows * (size_t)columns, sizeof *count, "counts of clusters"));
    for (size_t i = 0; i < samples; ++i)
        if (row[i] >= 0 && row[i] < rows) count[(size_t)row[i] * (size_t)columns + (size_t)column[i]]++;
    status = mot_contingency_ami(rows, columns, count, ami);
    mot_free(count);
done:
    return status;
}

static mot_status share_of(size_t samples, const int32_t *cluster, const int32_t *expert, int E, double *share)
{
    int64_t *count;
    mot_status status;
    MOT_TRY(mot_allocate(&count, (size_t)E * (size_t)E, sizeof *count, "counts of clusters"));
    for (size_t i = 0; i < samples; ++i) count[(size_t)expert[i] * (size_t)E + (size_t)cluster[i]]++;
    *share = mot_contingency_measure(E, E, count).purity;
    mot_free(count);
done:
    return status;
}

/* Sums of the rows of the classes of each group. */
static void sum_groups(size_t classes, size_t E, const int32_t *group, const int64_t *by_class, int64_t *by_group)
{
    for (size_t c = 0; c < classes; ++c)
        for (size_t e = 0; e < E; ++e) by_group[(size_t)group[c] * E + e] += by_class[c * E + e];
}

/* Experts that tell classes tell something of groups that are made of classes, of whatever groups. How much that is: the mean AMI over
 * lots by which the classes that occur are dealt to the same groups. */
static mot_status deal_groups(const report_run *run, const report_analysis *a, const report_experts *x, double *ami)
{
    enum { TIMES = 10 };
    const size_t C = (size_t)run->classes, G = (size_t)run->groups, E = x->E;
    size_t classes = 0;
    int32_t *place = NULL, *group = NULL; /* of a class among those that occur, from 1; of that place */
    int64_t *by_class = NULL, *by_group = NULL;
    double sum = 0;
    mot_status status;
    *ami = NAN;
    MOT_TRY(mot_allocate(&place, C, sizeof *place, "groups of classes"));
    MOT_TRY(mot_allocate(&group, C, sizeof *group, "groups of classes"));
    MOT_TRY(mot_allocate(&by_class, C * E, sizeof *by_class, "groups of classes"));
    for (size_t i = 0; i < a->samples; ++i) {
        const int32_t c = a->label[i], g = a->group[i];
        if (c < 0 || c >= run->classes || g < 0 || g >= run->groups) goto done;
        if (place[c] == 0) group[classes] = g, place[c] = (int32_t)++classes;
        if (group[place[c] - 1] != g) goto done;
        by_class[(size_t)(place[c] - 1) * E + (size_t)x->first[i]]++;
    }
    MOT_TRY(mot_allocate(&by_group, G * E, sizeof *by_group, "groups of classes"));
    for (uint32_t lot = 0; lot < TIMES; ++lot) {
        double one;
        mot_report_regroup(classes, group, lot);
        memset(by_group, 0, G * E * sizeof *by_group);
        sum_groups(classes, E, group, by_class, by_group);
        MOT_TRY(mot_contingency_ami((int)G, (int)E, by_group, &one));
        sum += one;
    }
    *ami = sum / TIMES;
done:
    mot_free(place);
    mot_free(group);
    mot_free(by_class);
    mot_free(by_group);
    return status;
}

static mot_status compare(const report_run *run, const report_analysis *a, const report_experts *x, const report_points *seen,
                          double work, geometry *g)
{
    const int E = (int)x->E;
    int32_t *cluster = NULL;
    mot_status status;
    MOT_TRY(mot_allocate(&cluster, a->samples, sizeof *cluster, "clusters"));
    MOT_TRY(mot_report_kmeans(seen, x->E, work, cluster));
    MOT_TRY(ami_of(a->samples, a->label, run->classes, cluster, E, &g->classes));
    MOT_TRY(ami_of(a->samples, a->group, run->groups, cluster, E, &g->groups));
    MOT_TRY(ami_of(a->samples, a->label, run->classes, x->first, E, &g->own_classes));
    MOT_TRY(ami_of(a->samples, a->group, run->groups, x->first, E, &g->own_groups));
    MOT_TRY(deal_groups(run, a, x, &g->dealt_groups));
    MOT_TRY(ami_of(a->samples, x->first, E, cluster, E, &g->experts));
    MOT_TRY(share_of(a->samples, cluster, x->first, E, &g->share));
    g->known = true;
done:
    mot_free(cluster);
    return status;
}

/* Where an analysis has what the gate saw; else it is said why not. */
static mot_status find_geometry(report_all *report, report_part *part, const report_run *run, const report_analysis *a, int l,
                                double work, geometry *g)
{
    report_experts x = {0};
    report_points seen = {0};
    char group[32], *why = NULL;
    mot_status status = MOT_OK;
    snprintf(group, sizeof group, "layer%d", l);
    if (run->analysis == NULL || !mot_h5_exists(a->file, group)) return MOT_OK;
    MOT_TRY(mot_report_analysis_layer(report, a, l, &x));
    MOT_TRY(mot_report_analysis_seen(a, l, &seen, &why));
    if (seen.value == NULL)
        mot_report_lacks(report, part, run, "There is no line of k-means in layer %d: %s.", l, why != NULL ? why : "the analysis does not have what the gate saw");
    else
        MOT_TRY(compare(run, a, &x, &seen, work, g));
done:
    mot_free(why);
    mot_report_points_free(&seen);
    mot_report_experts_free(&x);
    return status;
}

static mot_status put_geometry(report_all *report, report_part *part, int r, int l, const geometry *g)
{
    static const char *const columns[] = {"figure", "value"};
    const report_run *const run = &report->run[r];
    const struct {
        const char *name;
        double value;
        bool shown;
    } figures[] = {{"AMI of k-means' clusters and classes", g->classes, run->classes > 0},
                   {"AMI of the gate's experts and classes", g->own_classes, run->classes > 0},
                   {"AMI of k-means' clusters and groups", g->groups, run->groups > 0},
                   {"AMI of the gate's experts and groups", g->own_groups, run->groups > 0},
                   {"AMI of the gate's experts and groups of classes by lot", g->dealt_groups, isfinite(g->dealt_groups)},
                   {"AMI of k-means' clusters and the gate's experts", g->experts, true},
                   {"share of samples whose expert is the commonest of their cluster", g->share, true}};
    report_view *view;
    mot_status status = MOT_OK;
    if (!g->known) return MOT_OK;
    MOT_TRY(mot_report_view(report, part, REPORT_TABLE, "geometry", "Is it only geometry?", r, l, &view));
    MOT_TRY(mot_report_take(&report->pool, &view->cell, MOT_COUNT(figures) * MOT_COUNT(columns), sizeof *view->cell));
    view->x = (report_axis){.count = MOT_COUNT(columns), .names = columns};
    view->note = mot_report_text(&report->pool, "k-means with as many clusters as experts, on what the gate sees, at step %" MOT_PRI_GIDX ".",
                                 run->analysis_step);
    for (size_t f = 0; f < MOT_COUNT(figures); ++f) {
        if (!figures[f].shown) continue;
        report_cell *const cell = view->cell + view->rows++ * MOT_COUNT(columns);
        cell[0].text = figures[f].name;
        cell[1].value = figures[f].value;
    }
done:
    return status;
}

static mot_status put_subject(report_all *report, report_part *part, int r, int l, bool groups, const geometry *g)
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
    MOT_TRY(put_ami(report, part, &s, g, count));
    MOT_TRY(put_purity(report, part, &s, count));
done:
    mot_free(count);
    return status;
}

static mot_status put_run(report_all *report, report_part *part, int r, double work)
{
    const report_run *const run = &report->run[r];
    report_analysis a = {.file = H5I_INVALID_HID};
    mot_status status = MOT_OK;
    if (run->analysis != NULL && run->spread == NULL) MOT_TRY(mot_report_analysis_open(&a, run));
    for (int l = 0; l < run->layers && run->spread == NULL; ++l) {
        geometry g = {.known = false};
        MOT_TRY(find_geometry(report, part, run, &a, l, work, &g));
        MOT_TRY(put_subject(report, part, r, l, false, &g));
        MOT_TRY(put_subject(report, part, r, l, true, &g));
        MOT_TRY(put_geometry(report, part, r, l, &g));
    }
    if (run->analysis == NULL && run->spread == NULL)
        mot_report_lacks(report, part, run,
                         "There is no line of k-means on what the gate sees: `mot eval %s route.all=record` records that.", run->name);
done:
    mot_report_analysis_close(&a);
    return status;
}

static mot_status make(report_all *report, report_part *part)
{
    static const char *const over_seeds[] = {"ami-classes", "ami-groups", "purity-classes", "purity-groups"};
    const double work = 2e10; /* multiplications of k-means in all: a few seconds */
    size_t layers = 0;
    mot_status status = MOT_OK;
    for (size_t r = 0; r < report->runs; ++r) layers += (size_t)report->run[r].layers;
    for (int r = 0; r < (int)report->runs; ++r) {
        const report_view *const before = part->last;
        MOT_TRY(put_run(report, part, r, work / (double)MOT_MAX(layers, 1)));
        if (part->last == before) mot_report_lacks(report, part, &report->run[r], "%s", mot_report_no_classes(report, &report->run[r]));
    }
    for (size_t k = 0; k < MOT_COUNT(over_seeds); ++k) MOT_TRY(mot_report_over_seeds(report, part, over_seeds[k]));
done:
    return status;
}

const report_part_kind mot_report_part_specialization = {
    .id = "specialization",
    .title = "Specialization",
    .definition =
        "Adjusted mutual information (Vinh, Epps and Bailey 2010) of a sample's expert and its class or group: 1 where each "
        "tells the other, 0 where they agree as by chance. Beside the routing stand the same experts with the labels shuffled; a "
        "random gate, which draws an expert for each sample; a told gate, which deals whole classes to the experts, the largest "
        "first, each to the one with fewest samples (where there are fewer classes than experts, some get none); and k-means on what "
        "the gate sees (numbers, or which words, how often), with as many clusters as experts, which knows geometry alone. "
        "Purity is the share of samples whose class is the commonest of their expert; normalized mutual information is "
        "I / sqrt(H(expert) H(class)).",
    .denominator = "All samples of the evaluation split, by the gate's first choice.",
    .interval = "None of a point, which is of all samples of a fixed set; the line of shuffled labels is what chance makes of it. "
                "Over seeds: of the mean of several runs, by bootstrap.",
    .make = make,
};
