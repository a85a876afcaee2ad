/* A checkpoint's values, or a whole run, as one file. */
#include <stdio.h>
#include <string.h>

#include "mot/memory.h"
#include "mot/npz.h"
#include "mot/output.h"
#include "weights.h"

static void free_arrays(mot_npz_array *array, size_t count)
{
    for (size_t a = 0; array != NULL && a < count; ++a) mot_free((void *)array[a].data);
    mot_free(array);
}

static mot_status write_npz(const weights *w, char *metadata, const char *out)
{
    mot_npz_array *array = NULL;
    const mot_npz_texts texts = {.name = "metadata", .count = 1, .text = &metadata};
    mot_status status;
    MOT_TRY(mot_allocate(&array, w->count, sizeof *array, "a list of arrays"));
    for (size_t t = 0; t < w->count; ++t) {
        const weights_tensor *tensor = &w->tensor[t];
        float *value = NULL;
        MOT_TRY(mot_allocate(&value, tensor->count, sizeof *value, "a tensor"));
        array[t] = (mot_npz_array){.name = tensor->name, .kind = 'f', .rank = tensor->rank, .data = value};
        memcpy(array[t].shape, tensor->shape, sizeof tensor->shape);
        MOT_TRY(mot_weights_read(w, tensor, value));
    }
    status = mot_npz_write(out, w->count, array, 1, &texts);
done:
    free_arrays(array, w->count);
    return status;
}

static mot_status write_weights(const char *path, mot_export_form form, const char *out)
{
    weights w;
    char *metadata = NULL;
    mot_status status = mot_weights_open(&w, path);
    if (status != MOT_OK) return status;
    MOT_TRY(mot_output_apart(out, w.path));
    MOT_TRY(mot_weights_metadata(w.path, &metadata));
    status = form == MOT_EXPORT_NPZ ? write_npz(&w, metadata, out) : mot_safetensors_write(&w, metadata, out);
    if (status == MOT_OK) printf("wrote %s: %zu tensors of %s\n", out, w.count, w.path);
done:
    mot_free(metadata);
    mot_weights_close(&w);
    return status;
}

mot_status mot_export(const char *path, mot_export_form form, const char *out, bool replace)
{
    const mot_status status = mot_output_check(out, MOT_OUTPUT_FILE, replace);
    if (status != MOT_OK) return status;
    return form == MOT_EXPORT_H5 ? mot_run_h5_write(path, out) : write_weights(path, form, out);
}
