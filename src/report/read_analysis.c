/* RUN/eval/step-*.h5, column by column. */
#include <stdio.h>
#include <string.h>

#include "mot/memory.h"
#include "report_private.h"

enum { MOST_NUMBERS = 1 << 30, MOST_SAMPLES = 1 << 28 };

const char *mot_report_no_analysis(report_all *report, const report_run *run)
{
    if (run->spread != NULL) return mot_report_text(&report->pool, "This is measured expert by expert, and %s.", run->spread);
    return mot_report_text(&report->pool,
                           "What every expert would have done with every sample has not been measured: `mot eval %s "
                           "route.all=record` does it, and `mot report` finds what it leaves.",
                           run->name);
}

static mot_status read_rows(const report_analysis *a, const char *path, hid_t type, size_t bytes, size_t *width, void *rows)
{
    hsize_t shape[MOT_H5_MAX_RANK];
    int rank;
    void *data = NULL;
    mot_status status = MOT_OK;
    *(void **)rows = NULL;
    *width = 0;
    if (!mot_h5_exists(a->file, path)) return MOT_OK;
    MOT_TRY(mot_h5_shape(a->file, path, &rank, shape));
    if (rank < 1 || rank > 2 || shape[0] != a->samples || (rank == 2 && (shape[1] == 0 || shape[1] > MOST_NUMBERS / MOT_MAX(shape[0], 1)))) {
        status = mot_fail(MOT_ERR_INPUT, "%s: %s has an unexpected shape", a->run->analysis, path);
        goto done;
    }
    *width = rank == 2 ? (size_t)shape[1] : 1;
    MOT_TRY(mot_allocate(&data, a->samples * *width, bytes, "an analysis"));
    MOT_TRY(mot_h5_read(a->file, path, type, rank, shape, data));
    *(void **)rows = data;
    data = NULL;
done:
    mot_free(data);
    return status;
}

mot_status mot_report_analysis_rows(const report_analysis *a, int layer, const char *name, hid_t type, size_t bytes, size_t *width,
                                    void *rows)
{
    char path[64];
    snprintf(path, sizeof path, "layer%d/%.40s", layer, name);
    return read_rows(a, path, type, bytes, width, rows);
}

/* A column that there must be, a number a sample. */
static mot_status read_column(const report_analysis *a, const char *name, hid_t type, size_t bytes, void *rows)
{
    size_t width;
    const mot_status status = read_rows(a, name, type, bytes, &width, rows);
    if (status != MOT_OK || width == 1) return status;
    return mot_fail(MOT_ERR_INPUT, "%s: %s is missing, or has an unexpected shape", a->run->analysis, name);
}

mot_status mot_report_analysis_open(report_analysis *a, const report_run *run)
{
    hsize_t shape[MOT_H5_MAX_RANK];
    int rank;
    double right = 0, known = 0, loss = 0;
    mot_status status;
    *a = (report_analysis){.file = H5I_INVALID_HID, .run = run};
    MOT_TRY(mot_h5_open_sealed(&a->file, run->analysis, "analysis"));
    MOT_TRY(mot_h5_shape(a->file, "sample", &rank, shape));
    if (rank != 1 || shape[0] == 0 || shape[0] > MOST_SAMPLES) {
        status = mot_fail(MOT_ERR_INPUT, "%s: /sample has an unexpected shape", run->analysis);
        goto done;
    }
    a->samples = (size_t)shape[0];
    MOT_TRY(read_column(a, "sample", H5T_NATIVE_INT64, sizeof *a->sample, &a->sample));
    MOT_TRY(read_column(a, "label", H5T_NATIVE_INT32, sizeof *a->label, &a->label));
    MOT_TRY(read_column(a, "group", H5T_NATIVE_INT32, sizeof *a->group, &a->group));
    MOT_TRY(read_column(a, "predicted", H5T_NATIVE_INT32, sizeof *a->predicted, &a->predicted));
    MOT_TRY(read_column(a, "loss", H5T_NATIVE_FLOAT, sizeof *a->loss, &a->loss));
    MOT_TRY(read_column(a, "hit", H5T_NATIVE_INT8, sizeof *a->hit, &a->hit));
    for (size_t i = 0; i < a->samples; ++i) {
        known += a->hit[i] >= 0;
        right += a->hit[i] > 0;
        loss += (double)a->loss[i];
    }
    a->hits = right;
    a->accuracy = known > 0 ? right / known : -1;
    a->mean_loss = loss / (double)a->samples;
done:
    if (status != MOT_OK) mot_report_analysis_close(a);
    return status;
}

void mot_report_analysis_close(report_analysis *a)
{
    mot_h5_close(&a->file);
    mot_free(a->sample);
    mot_free(a->label);
    mot_free(a->group);
    mot_free(a->predicted);
    mot_free(a->loss);
    mot_free(a->hit);
    *a = (report_analysis){.file = H5I_INVALID_HID};
}

static mot_status take_experts(report_all *report, const report_analysis *a, int layer, report_experts *x, int32_t *number)
{
    const char **names;
    char path[64];
    const hsize_t shape[] = {x->E};
    mot_status status;
    snprintf(path, sizeof path, "layer%d/expert", layer);
    MOT_TRY(mot_h5_read(a->file, path, H5T_NATIVE_INT32, 1, shape, number));
    MOT_TRY(mot_report_take(&report->pool, &names, x->E, sizeof *names));
    for (size_t e = 0; e < x->E; ++e) names[e] = mot_report_text(&report->pool, "%d", number[e]);
    x->names = names;
done:
    return status;
}

mot_status mot_report_analysis_layer(report_all *report, const report_analysis *a, int layer, report_experts *x)
{
    char path[64];
    hsize_t shape[MOT_H5_MAX_RANK];
    int rank;
    int32_t *chosen = NULL, *number = NULL;
    mot_status status;
    *x = (report_experts){0};
    snprintf(path, sizeof path, "layer%d/expert", layer);
    MOT_TRY(mot_h5_shape(a->file, path, &rank, shape));
    x->E = rank == 1 ? (size_t)shape[0] : 0;
    if (x->E == 0 || x->E > REPORT_NOBODY) {
        status = mot_fail(MOT_ERR_INPUT, "%s: /%s has an unexpected shape", a->run->analysis, path);
        goto done;
    }
    MOT_TRY(mot_allocate(&number, x->E, sizeof *number, "an analysis"));
    MOT_TRY(take_experts(report, a, layer, x, number));
    MOT_TRY(mot_report_analysis_rows(a, layer, "chosen", H5T_NATIVE_INT32, sizeof *chosen, &x->K, &chosen));
    MOT_TRY(mot_allocate(&x->first, a->samples, sizeof *x->first, "an analysis"));
    for (size_t i = 0; i < a->samples && chosen != NULL; ++i) {
        size_t e = 0;
        while (e < x->E && number[e] != chosen[i * x->K]) ++e;
        if (e == x->E) {
            status = mot_fail(MOT_ERR_INPUT, "%s: sample %zu has expert %d, which is none of the %zu of layer %d", a->run->analysis, i,
                              chosen[i * x->K], x->E, layer);
            goto done;
        }
        x->first[i] = (int32_t)e;
    }
done:
    mot_free(chosen);
    mot_free(number);
    if (status != MOT_OK) mot_report_experts_free(x);
    return status;
}

void mot_report_experts_free(report_experts *x)
{
    mot_free(x->first);
    x->first = NULL;
}

static mot_status each_layer(report_all *report, report_part *part, int r, report_layer_maker *make)
{
    const report_run *const run = &report->run[r];
    report_analysis analysis;
    char path[64] = "layer0";
    mot_status status;
    MOT_TRY(mot_report_analysis_open(&analysis, run));
    for (int l = 0; mot_h5_exists(analysis.file, path) && status == MOT_OK; snprintf(path, sizeof path, "layer%d", ++l)) {
        report_experts experts;
        status = mot_report_analysis_layer(report, &analysis, l, &experts);
        if (status == MOT_OK) status = make(report, part, r, l, &analysis, &experts);
        mot_report_experts_free(&experts);
    }
    mot_report_analysis_close(&analysis);
done:
    return status;
}

mot_status mot_report_each_analysis(report_all *report, report_part *part, report_layer_maker *make)
{
    mot_status status = MOT_OK;
    for (int r = 0; r < (int)report->runs && status == MOT_OK; ++r) {
        const report_run *const run = &report->run[r];
        if (run->analysis != NULL)
            status = each_layer(report, part, r, make);
        else
            mot_report_lacks(report, part, run, "%s", mot_report_no_analysis(report, run));
    }
    return status;
}
