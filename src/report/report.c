#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mot/atomic_file.h"
#include "mot/log.h"
#include "mot/memory.h"
#include "mot/output.h"
#include "report_private.h"

/* One that is named twice counts once. */
static bool is_there(const report_all *report, const char *folder)
{
    char real[PATH_MAX], other[PATH_MAX];
    for (size_t r = 0; r < report->runs && realpath(folder, real) != NULL; ++r)
        if (realpath(report->run[r].folder, other) != NULL && strcmp(real, other) == 0) return true;
    return false;
}

static mot_status read_runs(report_all *report, const mot_report_options *options)
{
    mot_status status;
    MOT_TRY(mot_report_take(&report->pool, &report->run, options->runs, sizeof *report->run));
    for (size_t r = 0; r < options->runs; ++r) {
        if (is_there(report, options->run[r])) continue;
        report_run *const run = &report->run[report->runs++];
        MOT_TRY(mot_report_read_run(report, options->run[r], run));
    }
    MOT_TRY(mot_report_find_variants(report));
done:
    return status;
}

static mot_status make_parts(report_all *report)
{
    mot_status status;
    MOT_TRY(mot_report_take(&report->pool, &report->part, mot_report_part_count, sizeof *report->part));
    for (size_t p = 0; p < mot_report_part_count; ++p) {
        report_part *const part = &report->part[report->parts++];
        part->kind = mot_report_parts[p];
        part->number = (int)p + 1;
        MOT_TRY(part->kind->make(report, part));
        MOT_TRY(report->pool.status);
    }
done:
    return status;
}

static mot_status check_outputs(const mot_report_options *options)
{
    const char *const file[] = {options->html, options->json};
    mot_status status;
    for (size_t f = 0; f < MOT_COUNT(file); ++f) MOT_TRY(mot_output_check(file[f], MOT_OUTPUT_FILE, options->force));
    MOT_TRY(mot_output_check(options->figures, MOT_OUTPUT_FOLDER, options->force));
    if (options->html != NULL && options->json != NULL && strcmp(options->html, options->json) == 0)
        status = mot_fail(MOT_ERR_INPUT, "%s cannot be both the page and its numbers", options->html);
done:
    return status;
}

static mot_status write_all(const report_all *report, const mot_report_options *options)
{
    char *json = NULL, *page = NULL;
    size_t length;
    mot_status status;
    MOT_TRY(mot_report_json(report, &json));
    if (options->html != NULL) {
        MOT_TRY(mot_report_page(json, &page, &length));
        MOT_TRY(mot_file_replace(options->html, page, length));
    }
    if (options->json != NULL) MOT_TRY(mot_file_replace(options->json, json, strlen(json)));
    if (options->figures != NULL) MOT_TRY(mot_report_figures(report, options->figures));
done:
    mot_free(json);
    mot_free(page);
    return status;
}

mot_status mot_report(const mot_report_options *options)
{
    report_all report = {0};
    mot_status status;
    MOT_TRY(check_outputs(options));
    MOT_TRY(read_runs(&report, options));
    MOT_TRY(make_parts(&report));
    MOT_TRY(write_all(&report, options));
    for (size_t w = 0; w < report.warnings; ++w) mot_log(MOT_LOG_WARNING, "%s", report.warning[w]);
done:
    for (size_t r = 0; r < report.runs; ++r) mot_report_run_free(&report.run[r]);
    mot_free(report.warning);
    mot_report_pool_free(&report.pool);
    return status;
}
