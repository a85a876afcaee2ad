/* A file of weights as safetensors has it:
 *
 *      n, 8 bytes, little-endian | header: n bytes of JSON, blanks at its end | the tensors' bytes, one behind the other
 *
 * "NAME": {"dtype": "F32", "shape": [...], "data_offsets": [first, end]}, counted from where the bytes begin. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mot/memory.h"
#include "weights.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "values are written as they lie in memory");

enum { ALIGNMENT = 64 }; /* of the bytes in the file */

static mot_status fail_write(const char *out, const char *step)
{
    return mot_fail(MOT_ERR_FILE, "cannot write %s: %s: %s", out, step, strerror(errno));
}

/* free(*header) */
static mot_status make_header(const weights *w, const char *metadata, char **header, size_t *size)
{
    uint64_t at = 0;
    char shape[WEIGHTS_SHAPE];
    FILE *stream = open_memstream(header, size);
    if (stream == NULL) return mot_fail(MOT_ERR_MEMORY, "not enough memory for the header of a file");
    fprintf(stream, "{\"__metadata__\": %s", metadata);
    for (size_t t = 0; t < w->count; ++t) {
        const weights_tensor *tensor = &w->tensor[t];
        const uint64_t end = at + tensor->count * sizeof(float);
        mot_weights_shape_text(tensor->rank, tensor->shape, shape);
        fprintf(stream, ", \"%s\": {\"dtype\": \"F32\", \"shape\": %s, \"data_offsets\": [%" PRIu64 ", %" PRIu64 "]}", tensor->name,
                shape, at, end);
        at = end;
    }
    fputc('}', stream);
    for (long length = ftell(stream); (length + 8) % ALIGNMENT != 0; ++length) fputc(' ', stream);
    const bool failed = ferror(stream) != 0;
    if (fclose(stream) != 0 || failed) return mot_fail(MOT_ERR_MEMORY, "not enough memory for the header of a file");
    return MOT_OK;
}

static mot_status write_bytes(int file, const char *out, const void *bytes, size_t count, uint64_t *at)
{
    if (mot_write_at(file, bytes, count, *at) != count) return fail_write(out, "writing");
    *at += count;
    return MOT_OK;
}

static mot_status write_all(const weights *w, int file, const char *out, const char *header, uint64_t size)
{
    float *value = NULL;
    size_t room = 0;
    uint64_t at = 0;
    mot_status status;
    MOT_TRY(write_bytes(file, out, &size, sizeof size, &at));
    MOT_TRY(write_bytes(file, out, header, (size_t)size, &at));
    for (size_t t = 0; t < w->count; ++t) {
        MOT_TRY(mot_reserve(&value, &room, w->tensor[t].count + 1, sizeof *value, "a tensor"));
        MOT_TRY(mot_weights_read(w, &w->tensor[t], value));
        MOT_TRY(write_bytes(file, out, value, w->tensor[t].count * sizeof *value, &at));
    }
    if (fsync(file) != 0) status = fail_write(out, "syncing");
done:
    mot_free(value);
    return status;
}

mot_status mot_safetensors_write(const weights *w, const char *metadata, const char *out)
{
    char temporary[MOT_PATH], *header = NULL;
    size_t size = 0;
    mot_status status;
    MOT_TRY(mot_file_temporary(temporary, out));
    MOT_TRY(make_header(w, metadata, &header, &size));
    const int file = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (file < 0) {
        status = fail_write(out, "opening");
        goto done;
    }
    status = write_all(w, file, out, header, size);
    if (close(file) != 0 && status == MOT_OK) status = fail_write(out, "closing");
    if (status == MOT_OK)
        status = mot_file_rename(temporary, out);
    else
        unlink(temporary);
done:
    free(header);
    return status;
}
