/* Where the time went, and what the run was. */
#include <math.h>
#include <string.h>

#include "mot/memory.h"
#include "parts.h"

static mot_status put_times(report_all *report, report_part *part, int r)
{
    static const char *const name[] = {"compute", "exchange", "wait"};
    const report_run *const run = &report->run[r];
    report_view *view;
    mot_status status;
    MOT_TRY(mot_report_view(report, part, REPORT_LINES, "cost-times", "Seconds of a step", r, -1, &view));
    mot_report_over_steps(run, "s", view);
    MOT_TRY(mot_report_series(report, view, MOT_COUNT(name), run->bins, false));
    for (size_t s = 0; s < MOT_COUNT(name); ++s) {
        view->series[s].name = name[s];
        for (size_t b = 0; b < run->bins; ++b) mot_report_values(view, s)[b] = mot_report_fold_mean(&run->step[REPORT_COMPUTE + s][b]);
    }
done:
    return status;
}

/* Phases of the last process, with the rank that had least and most of each. */
static mot_status put_phases(report_all *report, report_part *part, int r)
{
    static const char *const phase[] = {"load", "score", "choose", "dispatch", "expert", "combine", "loss", "return", "update",
                                        "report", "wait", "record", "log", "evaluation", "checkpoint", "rebalance", "other"};
    const report_run *const run = &report->run[r];
    const char **names;
    report_view *view;
    mot_status status = MOT_OK;
    if (mot_report_fact(run, "phase.expert_s") == NULL) return MOT_OK;
    MOT_TRY(mot_report_view(report, part, REPORT_BARS, "cost-phases", "Seconds of a rank, by phase", r, -1, &view));
    MOT_TRY(mot_report_take(&report->pool, &names, MOT_COUNT(phase), sizeof *names));
    memcpy(names, phase, sizeof phase);
    view->x = (report_axis){.label = "phase", .count = MOT_COUNT(phase), .names = names};
    view->y = (report_axis){.label = "s"};
    view->note = "Mean over ranks; the bounds are the rank with least and the one with most. Of the last process of the run.";
    MOT_TRY(mot_report_series(report, view, 1, MOT_COUNT(phase), true));
    view->series[0].name = "seconds";
    for (size_t p = 0; p < MOT_COUNT(phase); ++p) {
        static const char *const ends[] = {"", "_min", "_max"};
        double *const to[] = {mot_report_values(view, 0), mot_report_low(view, 0), mot_report_high(view, 0)};
        for (int k = 0; k < 3; ++k) {
            char key[64];
            snprintf(key, sizeof key, "phase.%s%s_s", phase[p], ends[k]);
            const report_fact *fact = mot_report_fact(run, key);
            to[k][p] = fact != NULL && fact->text == NULL ? fact->value : NAN;
        }
    }
done:
    return status;
}

/* With an expert a rank, a step takes as long as the busiest one: its load over the mean. */
static mot_status put_loads(report_all *report, report_part *part, int r, int l)
{
    const report_run *const run = &report->run[r];
    const report_fold *most = run->layer[l].load[REPORT_MAX_OVER_MEAN];
    report_view *view;
    mot_status status;
    MOT_TRY(mot_report_view(report, part, REPORT_LINES, "cost-imbalance", "What uneven loads would cost", r, l, &view));
    view->x = (report_axis){.label = "step", .count = run->bins, .values = run->bin_step};
    view->y = (report_axis){.label = "share that is waited"};
    view->note = "1 - mean load / largest load: what the experts would wait if each had a rank of its own.";
    MOT_TRY(mot_report_series(report, view, 1, run->bins, false));
    view->series[0].name = "waited";
    for (size_t b = 0; b < run->bins; ++b)
        mot_report_values(view, 0)[b] = most[b].steps > 0 ? 1 - (double)most[b].steps / most[b].sum : NAN;
done:
    return status;
}

static const struct {
    const char *name, *key;
} provenance[] = {
    {"run id", "run_id"},       {"status", "status"},
    {"steps", "steps"},         {"restarts", "restarts"},
    {"digest", "digest"},       {"ranks", "mpi.ranks"},
    {"hosts", "mpi.hosts"},     {"threads", "threads"},
    {"level", "level"},         {"precision", "precision"},
    {"BLAS", "blas"},           {"wall time, s", "time.wall_s"},
    {"compute, s", "time.compute_s"}, {"exchange, s", "time.exchange_s"},
    {"wait, s", "time.wait_s"}, {"samples a second", "speed.samples_per_s"},
    {"peak memory, bytes", "memory.peak_bytes"}, {"bytes sent", "mpi.sent_bytes"},
};

static mot_status put_provenance(report_all *report, report_part *part)
{
    static const char *const extra[] = {"data checksum", "seed"};
    const size_t rows = MOT_COUNT(provenance) + MOT_COUNT(extra), columns = report->runs + 1;
    const char **names;
    report_view *view;
    mot_status status;
    MOT_TRY(mot_report_view(report, part, REPORT_TABLE, "provenance", "Provenance", -1, -1, &view));
    MOT_TRY(mot_report_take(&report->pool, &names, columns, sizeof *names));
    MOT_TRY(mot_report_take(&report->pool, &view->cell, rows * columns, sizeof *view->cell));
    names[0] = "what";
    for (size_t r = 0; r < report->runs; ++r) names[r + 1] = report->run[r].name;
    view->x = (report_axis){.count = columns, .names = names};
    view->rows = rows;
    for (size_t i = 0; i < rows; ++i) {
        report_cell *const row = view->cell + i * columns;
        row[0].text = i < MOT_COUNT(provenance) ? provenance[i].name : extra[i - MOT_COUNT(provenance)];
        for (size_t r = 0; r < report->runs; ++r) {
            const report_run *const run = &report->run[r];
            const report_fact *fact = i < MOT_COUNT(provenance) ? mot_report_fact(run, provenance[i].key) : NULL;
            row[r + 1].value = NAN;
            if (fact != NULL) row[r + 1] = (report_cell){fact->text, fact->value};
            if (i == MOT_COUNT(provenance)) row[r + 1].text = run->checksum;
            if (i == MOT_COUNT(provenance) + 1 && run->config != NULL) row[r + 1].value = (double)run->config->seed;
        }
    }
done:
    return status;
}

static mot_status put_configuration(report_all *report, report_part *part, int r)
{
    static const char *const columns[] = {"line"};
    const report_run *const run = &report->run[r];
    char *text = NULL, *rest;
    size_t rows = 0;
    report_view *view;
    mot_status status;
    MOT_TRY(mot_config_text(run->config, &text));
    MOT_TRY(mot_report_view(report, part, REPORT_TABLE, "configuration", "Configuration", r, -1, &view));
    view->x = (report_axis){.count = 1, .names = columns};
    for (const char *at = text; *at != '\0'; ++at) rows += *at == '\n';
    MOT_TRY(mot_report_take(&report->pool, &view->cell, rows + 1, sizeof *view->cell));
    for (char *line = strtok_r(text, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest))
        view->cell[view->rows++].text = mot_report_text(&report->pool, "%s", line);
done:
    mot_free(text);
    return status;
}

static mot_status make(report_all *report, report_part *part)
{
    mot_status status = MOT_OK;
    for (int r = 0; r < (int)report->runs; ++r) {
        const report_run *const run = &report->run[r];
        if (run->last > 0) MOT_TRY(put_times(report, part, r));
        MOT_TRY(mot_report_cost_of_ranks(report, part, r));
        MOT_TRY(put_phases(report, part, r));
        for (int l = 0; l < run->layers && run->last > 0 && run->spread == NULL; ++l) MOT_TRY(put_loads(report, part, r, l));
    }
    MOT_TRY(put_provenance(report, part));
    for (int r = 0; r < (int)report->runs; ++r)
        if (report->run[r].config != NULL) MOT_TRY(put_configuration(report, part, r));
done:
    return status;
}

const report_part_kind mot_report_part_cost = {
    .id = "cost",
    .title = "Cost and provenance",
    .definition = "Seconds of computation, exchange and waiting of every training step, mean over ranks; the same of each rank between "
                  "reports; of every phase, with the rank that had least and the one that had most. The price of imbalance is the "
                  "computation of each step's slowest rank less the mean of the ranks: what a step would be shorter, were all even. "
                  "And where the numbers come from.",
    .denominator = "Steps (or bins of as many steps or reports) and ranks. Shares are of a step's computation, exchange and waiting, "
                   "mean over ranks, without what is done between steps. Phases are of the last process of the run.",
    .interval = "None: measured. Bars of phases have the least and the most of a rank.",
    .make = make,
};
