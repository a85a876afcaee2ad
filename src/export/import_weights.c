/* A checkpoint with values from outside, in a run folder of its own. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "mot/config.h"
#include "mot/memory.h"
#include "mot/npz.h"
#include "mot/record.h"
#include "weights.h"

/* A file of either kind: one of both is open. */
typedef struct given {
    const char *path;
    safetensors *safetensors;
    mot_npz *npz;
    const weights *weights; /* which tensors there must be */
} given;

static bool ends_with(const char *text, const char *end)
{
    const size_t length = strlen(text), tail = strlen(end);
    return length > tail && strcmp(text + length - tail, end) == 0;
}

static mot_status open_given(given *g)
{
    if (ends_with(g->path, ".safetensors")) return mot_safetensors_open(&g->safetensors, g->path);
    if (ends_with(g->path, ".npz")) return mot_npz_open(&g->npz, g->path);
    return mot_fail(MOT_ERR_INPUT, "%s: expected a name that ends with .safetensors or .npz", g->path);
}

static mot_status read_given(const given *g, const weights_tensor *tensor, float *value)
{
    bool found = false;
    mot_status status = MOT_OK;
    if (g->safetensors != NULL) return mot_safetensors_read(g->safetensors, tensor, value);
    if (tensor->count == 0) {
        const size_t count = mot_npz_leave(g->npz, tensor->name, &found);
        if (count > 0) return mot_fail(MOT_ERR_INPUT, "%s: array %s has %zu numbers, expected none", g->path, tensor->name, count);
    } else {
        status = mot_npz_numbers(g->npz, tensor->name, (size_t)tensor->rank, tensor->shape, value, &found);
    }
    return status != MOT_OK || found ? status : mot_fail(MOT_ERR_INPUT, "%s has no tensor %s", g->path, tensor->name);
}

/* All that must be there is, and fits, and there is nothing else. */
static mot_status check_given(const given *g)
{
    float *value = NULL;
    size_t room = 0;
    bool about; /* what mot export says there of the values may be left out */
    mot_status status = MOT_OK;
    for (size_t t = 0; t < g->weights->count; ++t) {
        MOT_TRY(mot_reserve(&value, &room, g->weights->tensor[t].count + 1, sizeof *value, "a tensor"));
        MOT_TRY(read_given(g, &g->weights->tensor[t], value));
    }
    if (g->npz != NULL) (void)mot_npz_leave(g->npz, "metadata", &about);
    status = g->npz != NULL ? mot_npz_all_read(g->npz, "those that mot export writes of this run") : mot_safetensors_all_read(g->safetensors);
done:
    mot_free(value);
    return status;
}

static mot_status give(void *of, const char *name, int rank, const hsize_t *shape, mot_real *value)
{
    const given *g = of;
    (void)rank;
    (void)shape; /* those of the list */
    for (size_t t = 0; t < g->weights->count; ++t)
        if (strcmp(g->weights->tensor[t].name, name) == 0) return read_given(g, &g->weights->tensor[t], value);
    return mot_fail(MOT_ERR_INPUT, "%s: /%s is not what mot writes", g->weights->path, name);
}

/* As the run that it comes from, but for its folder. */
static mot_status write_config(const weights *w, const char *run, const char *id)
{
    char path[MOT_PATH], said[1024], *text = NULL, *resolved = NULL, *whole = NULL;
    mot_config *config = NULL;
    const char *setting = said;
    mot_status status;
    snprintf(said, sizeof said, "run=%s", run);
    MOT_TRY(mot_path_join(path, sizeof path, run, "config.yaml"));
    MOT_TRY(mot_allocate(&config, 1, sizeof *config, "a configuration"));
    MOT_TRY(mot_checkpoint_config(w->path, &text, NULL));
    MOT_TRY(mot_config_parse(config, w->path, text, 1, &setting));
    MOT_TRY(mot_config_text(config, &resolved));
    const size_t size = strlen(resolved) + 64;
    MOT_TRY(mot_allocate(&whole, size, 1, "a configuration"));
    snprintf(whole, size, "# run_id: %s\n%s", id, resolved);
    status = mot_file_replace(path, whole, strlen(whole));
done:
    mot_free(whole);
    mot_free(resolved);
    mot_free(text);
    mot_free(config);
    return status;
}

static mot_status read_step(void *to, hid_t file, const char *path)
{
    (void)path;
    return mot_h5_get_int(file, "progress", "step", to);
}

/* In `folder`, under the name of its step. */
static mot_status write_checkpoint(given *g, const char *folder, const char *id)
{
    char name[64], path[MOT_PATH], temporary[MOT_PATH] = "";
    int64_t step;
    mot_status status;
    MOT_TRY(mot_checkpoint_more(g->weights->path, read_step, &step));
    mot_checkpoint_name(name, sizeof name, step);
    MOT_TRY(mot_path_join(path, sizeof path, folder, name));
    MOT_TRY(mot_file_temporary(temporary, path));
    MOT_TRY(mot_file_copy(g->weights->path, temporary));
    MOT_TRY(mot_checkpoint_replace(temporary, id, give, g));
    status = mot_file_rename(temporary, path);
    temporary[0] = '\0';
    if (status == MOT_OK) printf("wrote %s: %s with the %zu tensors of %s\n", path, g->weights->path, g->weights->count, g->path);
done:
    if (temporary[0] != '\0') unlink(temporary);
    return status;
}

/* Nothing stays of it when something fails. */
static mot_status make_run(given *g, const char *run)
{
    char folder[MOT_PATH], config[MOT_PATH], id[MOT_RUN_ID];
    mot_status status;
    MOT_TRY(mot_path_join(folder, sizeof folder, run, "checkpoints"));
    MOT_TRY(mot_path_join(config, sizeof config, run, "config.yaml"));
    MOT_TRY(mot_run_id_make(id));
    MOT_TRY(mot_folder_make(folder));
    status = write_config(g->weights, run, id);
    if (status == MOT_OK) status = write_checkpoint(g, folder, id);
    if (status != MOT_OK) {
        unlink(config);
        rmdir(folder);
        rmdir(run);
    }
done:
    return status;
}

mot_status mot_import_weights(const char *path, const char *into, const char *run)
{
    weights w = {.count = 0};
    given g = {.path = path, .weights = &w};
    mot_status status;
    if (access(run, F_OK) == 0) return mot_fail(MOT_ERR_INPUT, "%s exists: expected the name of a new run folder", run);
    MOT_TRY(mot_weights_open(&w, into));
    MOT_TRY(open_given(&g));
    MOT_TRY(check_given(&g));
    status = make_run(&g, run);
done:
    mot_safetensors_close(&g.safetensors);
    mot_npz_close(&g.npz);
    mot_weights_close(&w);
    return status;
}
