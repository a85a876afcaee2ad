/* How much better another expert would have done. */
#include <math.h>

#include "mot/memory.h"
#include "parts.h"

/* Sums over samples: of all, of an expert's, and of a class and expert. */
typedef struct sums {
    double own, own_squares, best, regret, regret_squares, is_best, oracle, any;
    double *of_expert; /* [3, E]: samples, regret, its squares */
    double *by_class;  /* [C, E]: losses; then [C]: samples */
} sums;

static void add(const report_analysis *a, const report_experts *x, size_t C, const float *loss, const int32_t *predicted, sums *s)
{
    const size_t E = x->E;
    for (size_t i = 0; i < a->samples; ++i) {
        const size_t own = (size_t)x->first[i];
        const int label = a->label[i];
        size_t best = 0;
        bool any = false;
        for (size_t e = 0; e < E; ++e) {
            if (loss[i * E + e] < loss[i * E + best]) best = e;
            any = any || predicted[i * E + e] == label;
            if (label >= 0 && (size_t)label < C) s->by_class[(size_t)label * E + e] += (double)loss[i * E + e];
        }
        if (label >= 0 && (size_t)label < C) s->by_class[C * E + (size_t)label] += 1;
        const double of_own = (double)loss[i * E + own], of_best = (double)loss[i * E + best], regret = of_own - of_best;
        s->own += of_own;
        s->own_squares += of_own * of_own;
        s->best += of_best;
        s->regret += regret;
        s->regret_squares += regret * regret;
        s->is_best += regret <= 0;
        s->oracle += predicted[i * E + best] == label;
        s->any += any;
        s->of_expert[own] += 1;
        s->of_expert[E + own] += regret;
        s->of_expert[2 * E + own] += regret * regret;
    }
}

static mot_status put_table(report_all *report, report_part *part, int r, int l, const report_analysis *a, const sums *s)
{
    static const char *const columns[] = {"figure", "value", "low", "high"};
    const double N = (double)a->samples;
    const bool classes = a->accuracy >= 0;
    double own[3], regret[3], best[2], oracle[2], any[2], as_is[2];
    report_view *view;
    mot_status status;
    mot_report_mean(s->own, s->own_squares, N, &own[0], &own[1], &own[2]);
    mot_report_mean(s->regret, s->regret_squares, N, &regret[0], &regret[1], &regret[2]);
    mot_report_wilson(s->is_best, N, &best[0], &best[1]);
    mot_report_wilson(s->oracle, N, &oracle[0], &oracle[1]);
    mot_report_wilson(s->any, N, &any[0], &any[1]);
    mot_report_wilson(a->hits, N, &as_is[0], &as_is[1]);
    const struct {
        const char *name;
        double value[3];
        bool of_classes;
    } figures[] = {
        {"loss as the model is", {a->mean_loss, NAN, NAN}, false},
        {"loss of the first choice alone", {own[0], own[1], own[2]}, false},
        {"loss of the best expert alone", {s->best / N, NAN, NAN}, false},
        {"regret", {regret[0], regret[1], regret[2]}, false},
        {"share of samples whose first choice is the best", {s->is_best / N, best[0], best[1]}, false},
        {"accuracy as the model is", {a->accuracy, as_is[0], as_is[1]}, true},
        {"accuracy of an oracle gate", {s->oracle / N, oracle[0], oracle[1]}, true},
        {"share of samples that any expert takes right", {s->any / N, any[0], any[1]}, true},
    };
    MOT_TRY(mot_report_view(report, part, REPORT_TABLE, "regret", "Regret and the oracle gate", r, l, &view));
    MOT_TRY(mot_report_take(&report->pool, &view->cell, MOT_COUNT(figures) * MOT_COUNT(columns), sizeof *view->cell));
    view->x = (report_axis){.count = MOT_COUNT(columns), .names = columns};
    for (size_t f = 0; f < MOT_COUNT(figures); ++f) {
        if (figures[f].of_classes && !classes) continue;
        report_cell *const cell = view->cell + view->rows++ * MOT_COUNT(columns);
        cell[0].text = figures[f].name;
        for (int k = 0; k < 3; ++k) cell[1 + k].value = figures[f].value[k];
    }
done:
    return status;
}

static mot_status put_experts(report_all *report, report_part *part, int r, int l, const report_experts *x, const sums *s)
{
    const size_t E = x->E;
    report_view *view;
    mot_status status;
    MOT_TRY(mot_report_view(report, part, REPORT_BARS, "regret-experts", "Regret of an expert's samples", r, l, &view));
    view->x = (report_axis){.label = "expert", .count = E, .names = x->names};
    view->y = (report_axis){.label = "regret"};
    MOT_TRY(mot_report_series(report, view, 1, E, true));
    view->series[0].name = "regret";
    for (size_t e = 0; e < E; ++e)
        mot_report_mean(s->of_expert[E + e], s->of_expert[2 * E + e], s->of_expert[e], &mot_report_values(view, 0)[e],
                        &mot_report_low(view, 0)[e], &mot_report_high(view, 0)[e]);
done:
    return status;
}

static mot_status put_losses(report_all *report, report_part *part, int r, int l, const report_experts *x, const sums *s)
{
    const report_run *const run = &report->run[r];
    const size_t C = (size_t)run->classes, E = x->E;
    report_view *view;
    mot_status status = MOT_OK;
    if (C == 0) return MOT_OK;
    MOT_TRY(mot_report_view(report, part, REPORT_HEAT, "regret-losses", "Loss of one expert alone", r, l, &view));
    view->x = (report_axis){.label = "expert", .count = E, .names = x->names};
    view->y = (report_axis){.label = "class", .count = C, .names = run->class_names};
    view->unit = "mean loss";
    MOT_TRY(mot_report_frames(report, view, 1, C * E));
    view->frame[0].step = run->analysis_step;
    view->frame[0].label = mot_report_text(&report->pool, "step %" MOT_PRI_GIDX, run->analysis_step);
    for (size_t i = 0; i < C * E; ++i) {
        const double all = s->by_class[C * E + i / E];
        ((double *)view->frame[0].value)[i] = all > 0 ? s->by_class[i] / all : NAN;
    }
    MOT_TRY(mot_report_cut_rows(report, view, s->by_class + C * E));
done:
    return status;
}

static mot_status make_layer(report_all *report, report_part *part, int r, int l, const report_analysis *a, const report_experts *x)
{
    const size_t C = (size_t)report->run[r].classes, E = x->E;
    size_t width, of_loss;
    int32_t *predicted = NULL;
    float *loss = NULL;
    sums s = {0};
    mot_status status;
    MOT_TRY(mot_report_analysis_rows(a, l, "only_predicted", H5T_NATIVE_INT32, sizeof *predicted, &width, &predicted));
    MOT_TRY(mot_report_analysis_rows(a, l, "only_loss", H5T_NATIVE_FLOAT, sizeof *loss, &of_loss, &loss));
    if (predicted == NULL || loss == NULL || width != E || of_loss != E) {
        status = mot_fail(MOT_ERR_INPUT, "%s: layer %d lacks the losses of its experts", a->run->analysis, l);
        goto done;
    }
    MOT_TRY(mot_allocate(&s.of_expert, 3 * E, sizeof(double), "sums of an analysis"));
    MOT_TRY(mot_allocate(&s.by_class, C * (E + 1), sizeof(double), "sums of an analysis"));
    add(a, x, C, loss, predicted, &s);
    MOT_TRY(put_table(report, part, r, l, a, &s));
    MOT_TRY(put_experts(report, part, r, l, x, &s));
    MOT_TRY(put_losses(report, part, r, l, x, &s));
done:
    mot_free(s.of_expert);
    mot_free(s.by_class);
    mot_free(predicted);
    mot_free(loss);
    return status;
}

static mot_status make(report_all *report, report_part *part)
{
    return mot_report_each_analysis(report, part, make_layer);
}

const report_part_kind mot_report_part_regret = {
    .id = "regret",
    .title = "Regret",
    .definition = "Of each sample, the loss with the expert of its first choice alone over that with its best expert alone. An oracle "
                  "gate sends each sample to the expert with the least loss on it.",
    .denominator = "All samples of the evaluation split; those of an expert by first choice; those of a class.",
    .interval = "95 %: of losses the normal one of the mean over samples, of shares Wilson's.",
    .make = make,
};
