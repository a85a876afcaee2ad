/* What stands in a run's folder besides its record. */
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "mot/atomic_file.h"
#include "mot/gate.h"
#include "mot/memory.h"
#include "report_private.h"

static bool is_there(const char *folder, const char *name)
{
    char path[MOT_PATH];
    struct stat about;
    return mot_path_join(path, sizeof path, folder, name) == MOT_OK && stat(path, &about) == 0;
}

/* The configuration that the run has now; one that this program cannot read is a warning. */
static mot_status read_config(report_all *report, report_run *run)
{
    char path[MOT_PATH];
    mot_status status;
    if (!is_there(run->folder, "config.yaml")) return MOT_OK;
    MOT_TRY(mot_path_join(path, sizeof path, run->folder, "config.yaml"));
    MOT_TRY(mot_allocate(&run->config, 1, sizeof *run->config, "a configuration"));
    if (mot_config_read(run->config, path, 0, NULL) == MOT_OK) return MOT_OK;
    mot_free(run->config);
    run->config = NULL;
    MOT_TRY(mot_report_warn(report, "The configuration of %s cannot be read: %s", run->name, mot_error_message()));
done:
    return status;
}

/* The newest of RUN/eval/step-STEP.h5. */
static mot_status find_analysis(report_all *report, report_run *run)
{
    char folder[MOT_PATH];
    struct dirent *file;
    mot_status status;
    MOT_TRY(mot_path_join(folder, sizeof folder, run->folder, "eval"));
    DIR *const files = opendir(folder);
    if (files == NULL) return MOT_OK;
    while ((file = readdir(files)) != NULL) {
        mot_gidx step;
        int end = 0;
        if (sscanf(file->d_name, "step-%" SCNd64 ".h5%n", &step, &end) != 1 || end == 0 || file->d_name[end] != '\0') continue;
        if (run->analysis != NULL && step <= run->analysis_step) continue;
        run->analysis = mot_report_text(&report->pool, "%s/%s", folder, file->d_name);
        run->analysis_step = step;
    }
    closedir(files);
done:
    return status;
}

/* Two runs of one name are told apart by their folders. */
static const char *name_of(report_all *report, const char *folder)
{
    size_t length = strlen(folder);
    while (length > 1 && folder[length - 1] == '/') --length;
    return mot_report_text(&report->pool, "%.*s", (int)length, folder);
}

mot_status mot_report_read_run(report_all *report, const char *folder, report_run *run)
{
    mot_status status;
    run->name = run->folder = name_of(report, folder);
    run->checksum = run->run_id = "";
    if (!is_there(folder, "config.yaml") && !is_there(folder, "record") && !is_there(folder, "summary.json")) {
        status = mot_fail(MOT_ERR_INPUT, "%s is no run: expected a folder that mot train has made, with config.yaml", folder);
        goto done;
    }
    MOT_TRY(read_config(report, run));
    MOT_TRY(mot_report_read_facts(report, run));
    if (run->config != NULL && mot_gate_kind_at(run->config->gate.kind)->spread)
        run->spread = "every expert gets every sample of a gate of this kind, so no sample is one expert's";
    MOT_TRY(find_analysis(report, run));
    MOT_TRY(mot_report_read_record(report, run));
    MOT_TRY(mot_task_matrix_of_run(&run->tasks, folder));
done:
    return status;
}

static void free_layer(report_layer *layer)
{
    mot_record_values_free(&layer->snapshot);
    mot_record_values_free(&layer->class_load);
    mot_record_values_free(&layer->group_load);
    for (size_t i = 0; i < layer->routes_count; ++i) mot_free(layer->routes[i].expert);
    mot_free(layer->routes);
    mot_free(layer->prob);
    mot_free(layer->loss);
    mot_free(layer->label);
    mot_free(layer->group);
    mot_free(layer->predicted);
}

void mot_report_run_free(report_run *run)
{
    for (int l = 0; l < run->layers; ++l) free_layer(&run->layer[l]);
    for (int f = 0; f < REPORT_FIGURES; ++f) mot_record_values_free(&run->figure[f]);
    mot_task_matrix_free(&run->tasks);
    mot_free(run->config);
}
