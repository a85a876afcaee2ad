/* What is lost without an expert, and with the busiest ones alone. */
#include <math.h>

#include "mot/memory.h"
#include "parts.h"

static mot_status put_classes(report_all *report, report_part *part, int r, int l, const report_analysis *a,
                              const report_experts *x, const int32_t *without)
{
    const report_run *const run = &report->run[r];
    const size_t C = (size_t)run->classes, E = x->E;
    double *all;
    report_view *view;
    mot_status status = MOT_OK;
    if (C == 0 || a->accuracy < 0) return MOT_OK;
    MOT_TRY(mot_report_view(report, part, REPORT_HEAT, "knockout-classes", "Classes without an expert", r, l, &view));
    view->x = (report_axis){.label = "expert that is masked", .count = E, .names = x->names};
    view->y = (report_axis){.label = "class", .count = C, .names = run->class_names};
    view->unit = "change of accuracy";
    view->diverging = true;
    MOT_TRY(mot_report_frames(report, view, 1, C * E));
    MOT_TRY(mot_report_take(&report->pool, &all, C, sizeof *all));
    view->frame[0].step = run->analysis_step;
    view->frame[0].label = mot_report_text(&report->pool, "step %" MOT_PRI_GIDX, run->analysis_step);
    double *const change = (double *)view->frame[0].value;
    for (size_t i = 0; i < a->samples; ++i) {
        const int label = a->label[i];
        if (label < 0 || (size_t)label >= C) continue;
        all[label] += 1;
        for (size_t e = 0; e < E; ++e) change[(size_t)label * E + e] += (without[i * E + e] == label) - (a->hit[i] > 0);
    }
    for (size_t i = 0; i < C * E; ++i) change[i] = all[i / E] > 0 ? change[i] / all[i / E] : NAN;
    MOT_TRY(mot_report_cut_rows(report, view, all));
done:
    return status;
}

/* Means over samples of what changes without each expert. */
static mot_status put_bars(report_all *report, report_part *part, int r, int l, const char *id, const char *title,
                           const char *label, const report_analysis *a, const report_experts *x, const double *sum,
                           const double *squares)
{
    report_view *view;
    mot_status status;
    MOT_TRY(mot_report_view(report, part, REPORT_BARS, id, title, r, l, &view));
    view->x = (report_axis){.label = "expert that is masked", .count = x->E, .names = x->names};
    view->y = (report_axis){.label = label};
    MOT_TRY(mot_report_series(report, view, 1, x->E, true));
    view->series[0].name = label;
    for (size_t e = 0; e < x->E; ++e)
        mot_report_mean(sum[e], squares[e], (double)a->samples, &mot_report_values(view, 0)[e], &mot_report_low(view, 0)[e],
                        &mot_report_high(view, 0)[e]);
done:
    return status;
}

static mot_status put_totals(report_all *report, report_part *part, int r, int l, const report_analysis *a,
                             const report_experts *x, const int32_t *without, const float *loss)
{
    const size_t E = x->E;
    double *sum = NULL;
    mot_status status;
    MOT_TRY(mot_allocate(&sum, 4 * E, sizeof *sum, "sums of an analysis"));
    for (size_t i = 0; i < a->samples; ++i)
        for (size_t e = 0; e < E; ++e) {
            const double hit = (without[i * E + e] == a->label[i]) - (a->hit[i] > 0), more = (double)loss[i * E + e] - (double)a->loss[i];
            sum[e] += hit;
            sum[E + e] += hit * hit;
            sum[2 * E + e] += more;
            sum[3 * E + e] += more * more;
        }
    if (a->accuracy >= 0)
        MOT_TRY(put_bars(report, part, r, l, "knockout-accuracy", "Accuracy without an expert", "change of accuracy", a, x, sum,
                         sum + E));
    MOT_TRY(put_bars(report, part, r, l, "knockout-loss", "Loss without an expert", "change of the loss", a, x, sum + 2 * E,
                     sum + 3 * E));
done:
    mot_free(sum);
    return status;
}

enum { MOST_PARTS = 8 };

/* Parts come as half, quarter, eighth; on the axis least stands first, and all last. */
static mot_status put_kept(report_all *report, report_part *part, int r, int l, const report_analysis *a, const report_experts *x)
{
    char path[64];
    hsize_t shape[MOT_H5_MAX_RANK];
    int rank;
    int8_t *kept = NULL;
    double loss[MOST_PARTS], accuracy[MOST_PARTS], *share;
    report_view *view;
    mot_status status = MOT_OK;
    snprintf(path, sizeof path, "layer%d/kept/expert", l);
    if (!mot_h5_exists(a->file, path)) return MOT_OK;
    MOT_TRY(mot_h5_shape(a->file, path, &rank, shape));
    if (rank != 2 || shape[0] > MOST_PARTS || shape[1] != x->E) {
        status = mot_fail(MOT_ERR_INPUT, "%s: /%s has an unexpected shape", a->run->analysis, path);
        goto done;
    }
    const size_t parts = (size_t)shape[0];
    MOT_TRY(mot_allocate(&kept, parts * x->E, 1, "an analysis"));
    MOT_TRY(mot_h5_read(a->file, path, H5T_NATIVE_INT8, 2, shape, kept));
    snprintf(path, sizeof path, "layer%d/kept/loss", l);
    MOT_TRY(mot_h5_read(a->file, path, H5T_NATIVE_DOUBLE, 1, shape, loss));
    snprintf(path, sizeof path, "layer%d/kept/accuracy", l);
    MOT_TRY(mot_h5_read(a->file, path, H5T_NATIVE_DOUBLE, 1, shape, accuracy));
    MOT_TRY(mot_report_take(&report->pool, &share, parts + 1, sizeof *share));
    for (size_t p = 0; p <= parts; ++p) {
        double count = 0;
        for (size_t e = 0; p < parts && e < x->E; ++e) count += kept[(parts - 1 - p) * x->E + e] > 0;
        share[p] = p < parts ? count / (double)x->E : 1;
    }
    for (int of_loss = a->accuracy < 0; of_loss < 2; ++of_loss) {
        const char *label = of_loss ? "loss" : "accuracy";
        MOT_TRY(mot_report_view(report, part, REPORT_LINES, of_loss ? "kept-loss" : "kept-accuracy",
                                of_loss ? "Loss with the busiest experts alone" : "Accuracy with the busiest experts alone", r, l,
                                &view));
        view->x = (report_axis){.label = "share of the experts that is kept", .count = parts + 1, .values = share};
        view->y = (report_axis){.label = label};
        MOT_TRY(mot_report_series(report, view, 1, parts + 1, !of_loss));
        view->series[0].name = label;
        for (size_t p = 0; p <= parts; ++p) {
            const double value = p == parts ? (of_loss ? a->mean_loss : a->accuracy) : of_loss ? loss[parts - 1 - p] : accuracy[parts - 1 - p];
            const double all = (double)a->samples;
            mot_report_values(view, 0)[p] = value;
            if (!of_loss) mot_report_wilson(value * all, all, &mot_report_low(view, 0)[p], &mot_report_high(view, 0)[p]);
        }
    }
done:
    mot_free(kept);
    return status;
}

static mot_status make_layer(report_all *report, report_part *part, int r, int l, const report_analysis *a, const report_experts *x)
{
    size_t width, of_loss;
    int32_t *without = NULL;
    float *loss = NULL;
    mot_status status;
    MOT_TRY(mot_report_analysis_rows(a, l, "without_predicted", H5T_NATIVE_INT32, sizeof *without, &width, &without));
    MOT_TRY(mot_report_analysis_rows(a, l, "without_loss", H5T_NATIVE_FLOAT, sizeof *loss, &of_loss, &loss));
    if (without == NULL || loss == NULL || width != x->E || of_loss != x->E) {
        mot_report_lacks(report, part, &report->run[r], "Layer %d has one expert: there is nothing without it.", l);
        goto done;
    }
    MOT_TRY(put_classes(report, part, r, l, a, x, without));
    MOT_TRY(put_totals(report, part, r, l, a, x, without, loss));
    MOT_TRY(put_kept(report, part, r, l, a, x));
done:
    mot_free(without);
    mot_free(loss);
    return status;
}

static mot_status make(report_all *report, report_part *part)
{
    return mot_report_each_analysis(report, part, make_layer);
}

const report_part_kind mot_report_part_knockout = {
    .id = "knockout",
    .title = "Knock-out",
    .definition = "What changes when an expert is masked, and its samples go where the gate would send them next: the accuracy of "
                  "each class, and accuracy and loss of all samples. Then what is left where the busiest half, quarter or "
                  "eighth of the experts is kept, and the others are masked.",
    .denominator = "The samples of the class; all samples of the evaluation split.",
    .interval = "95 %: of changes the normal one of the mean over samples, which are paired; of accuracies Wilson's.",
    .make = make,
};
