/* A file of weights as safetensors has it (safetensors_write.c draws it), that another program may have written, or damaged. */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mot/memory.h"
#include "weights.h"

enum { MOST_HEADER = 100000000, MOST_TENSORS = 1 << 15, DTYPE = 16, FILE_RANK = 8 }; /* bytes: the format's own bound; axes that are looked at */

typedef struct entry {
    char name[MOT_CHECKPOINT_NAME], dtype[DTYPE];
    int rank; /* -1: the file does not say */
    size_t shape[FILE_RANK];
    uint64_t first, end; /* of its bytes, from where all begin */
    bool read;
} entry;

struct safetensors {
    char path[MOT_PATH];
    int file;
    char *header; /* owned, with a 0 behind it */
    size_t header_bytes;
    uint64_t bytes; /* of the tensors */
    entry *entry;   /* [count], owned */
    size_t count, capacity;
};

/* ---- JSON; each takes what it expects at *at, or says false ---- */

static void skip_blanks(const char **at)
{
    *at += strspn(*at, " \t\r\n");
}

static bool take(const char **at, char what)
{
    skip_blanks(at);
    if (**at != what) return false;
    ++*at;
    return true;
}

/* As it stands there, escapes included: no name that is known has any. Longer ones are cut. */
static bool take_text(const char **at, char *text, size_t size)
{
    size_t used = 0;
    if (!take(at, '"')) return false;
    for (; **at != '"'; ++*at) {
        if (**at == '\0') return false;
        if (**at == '\\' && (*at)[1] != '\0') ++*at;
        if (used + 1 < size) text[used++] = **at;
    }
    text[used] = '\0';
    ++*at;
    return true;
}

static bool take_number(const char **at, uint64_t *number)
{
    skip_blanks(at);
    const size_t digits = strspn(*at, "0123456789");
    *number = 0;
    if (digits == 0 || digits > 18) return false;
    for (size_t i = 0; i < digits; ++i) *number = 10 * *number + (uint64_t)((*at)[i] - '0');
    *at += digits;
    return true;
}

static bool take_numbers(const char **at, size_t most, uint64_t *number, int *count)
{
    *count = 0;
    if (!take(at, '[')) return false;
    if (take(at, ']')) return true;
    do {
        if ((size_t)*count == most || !take_number(at, &number[*count])) return false;
        ++*count;
    } while (take(at, ','));
    return take(at, ']');
}

/* Any value that nobody wants: up to the comma or bracket behind it. */
static bool skip_value(const char **at)
{
    char ignored[2];
    int depth = 0;
    for (;;) {
        skip_blanks(at);
        if (**at == '\0') return false;
        if (**at == '"') {
            if (!take_text(at, ignored, sizeof ignored)) return false;
            continue;
        }
        if (depth == 0 && (**at == ',' || **at == '}' || **at == ']')) return true;
        depth += (**at == '{' || **at == '[') - (**at == '}' || **at == ']');
        ++*at;
    }
}

/* {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]} */
static bool take_entry(const char **at, entry *e)
{
    char key[24];
    uint64_t number[FILE_RANK];
    int count;
    if (!take(at, '{')) return false;
    if (take(at, '}')) return true;
    do {
        if (!take_text(at, key, sizeof key) || !take(at, ':')) return false;
        if (strcmp(key, "dtype") == 0) {
            if (!take_text(at, e->dtype, sizeof e->dtype)) return false;
        } else if (strcmp(key, "shape") == 0) {
            if (!take_numbers(at, FILE_RANK, number, &e->rank)) return false;
            for (int d = 0; d < e->rank; ++d) e->shape[d] = (size_t)number[d];
        } else if (strcmp(key, "data_offsets") == 0) {
            if (!take_numbers(at, 2, number, &count) || count != 2) return false;
            e->first = number[0];
            e->end = number[1];
        } else if (!skip_value(at)) {
            return false;
        }
    } while (take(at, ','));
    return take(at, '}');
}

/* ---- the file ---- */

static mot_status fail_header(const safetensors *s, const char *at)
{
    return mot_fail(MOT_ERR_INPUT, "%s: not a .safetensors file: its header is not as the format has it, at byte %zu", s->path,
                    8 + (size_t)(at - s->header));
}

static mot_status add_entry(safetensors *s, const entry *e)
{
    uint64_t bytes = sizeof(float);
    char shape[WEIGHTS_SHAPE];
    mot_status status;
    for (int d = 0; d < e->rank; ++d)
        if (__builtin_mul_overflow(bytes, (uint64_t)e->shape[d], &bytes)) bytes = UINT64_MAX;
    mot_weights_shape_text(e->rank, e->shape, shape);
    if (strcmp(e->dtype, "F32") != 0)
        return mot_fail(MOT_ERR_INPUT, "%s: tensor %s has dtype %s, expected F32", s->path, e->name, e->dtype);
    if (e->rank < 0 || e->first > e->end || e->end > s->bytes || e->end - e->first != bytes)
        return mot_fail(MOT_ERR_INPUT, "%s: tensor %s of shape %s has its bytes from %" PRIu64 " to %" PRIu64 " of %" PRIu64, s->path,
                        e->name, shape, e->first, e->end, s->bytes);
    if (s->count == MOST_TENSORS) return mot_fail(MOT_ERR_INPUT, "%s has more than %d tensors", s->path, MOST_TENSORS);
    for (size_t i = 0; i < s->count; ++i)
        if (strcmp(s->entry[i].name, e->name) == 0)
            return mot_fail(MOT_ERR_INPUT, "%s: two of its tensors are named %s", s->path, e->name);
    MOT_TRY(mot_reserve(&s->entry, &s->capacity, s->count + 1, sizeof *s->entry, "names of tensors"));
    s->entry[s->count++] = *e;
done:
    return status;
}

static mot_status read_entries(safetensors *s)
{
    const char *at = s->header;
    mot_status status = MOT_OK;
    if (!take(&at, '{')) return fail_header(s, at);
    if (take(&at, '}')) return MOT_OK;
    do {
        entry e = {.rank = -1, .dtype = "none"};
        if (!take_text(&at, e.name, sizeof e.name) || !take(&at, ':')) return fail_header(s, at);
        if (strcmp(e.name, "__metadata__") == 0) {
            if (!skip_value(&at)) return fail_header(s, at);
            continue;
        }
        if (!take_entry(&at, &e)) return fail_header(s, at);
        MOT_TRY(add_entry(s, &e));
    } while (take(&at, ','));
    if (!take(&at, '}')) return fail_header(s, at);
    skip_blanks(&at);
    if (at != s->header + s->header_bytes) return fail_header(s, at);
done:
    return status;
}

static int by_place(const void *a, const void *b)
{
    const entry *x = a, *y = b;
    if (x->first != y->first) return x->first < y->first ? -1 : 1;
    return (x->end > y->end) - (x->end < y->end);
}

/* One tensor's bytes begin where those of another end, and nothing is behind the last: offsets that went wrong give no other values. */
static mot_status check_places(safetensors *s)
{
    uint64_t at = 0;
    if (s->count > 0) qsort(s->entry, s->count, sizeof *s->entry, by_place);
    for (size_t i = 0; i < s->count; at = s->entry[i++].end)
        if (s->entry[i].first != at)
            return mot_fail(MOT_ERR_INPUT, "%s: tensor %s begins at byte %" PRIu64 ", expected %" PRIu64 ", where the one before it ends",
                            s->path, s->entry[i].name, s->entry[i].first, at);
    if (at == s->bytes) return MOT_OK;
    return mot_fail(MOT_ERR_INPUT, "%s has %" PRIu64 " bytes behind its last tensor", s->path, s->bytes - at);
}

static mot_status read_header(safetensors *s)
{
    struct stat about;
    uint64_t size = 0;
    mot_status status;
    s->file = open(s->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (s->file < 0) return mot_fail(MOT_ERR_INPUT, "cannot read %s: %s", s->path, strerror(errno));
    if (fstat(s->file, &about) != 0 || !S_ISREG(about.st_mode))
        return mot_fail(MOT_ERR_INPUT, "cannot read %s: it is not a regular file", s->path);
    const uint64_t all = (uint64_t)about.st_size;
    if (mot_read_at(s->file, &size, sizeof size, 0) != sizeof size || size > MOST_HEADER || size > all - sizeof size)
        return mot_fail(MOT_ERR_INPUT, "%s: not a .safetensors file, which begins with the length of its header", s->path);
    s->header_bytes = (size_t)size;
    s->bytes = all - sizeof size - size;
    MOT_TRY(mot_allocate(&s->header, s->header_bytes + 1, 1, "the header of a file"));
    if (mot_read_at(s->file, s->header, s->header_bytes, sizeof size) != s->header_bytes)
        return mot_fail(MOT_ERR_INPUT, "cannot read %s: %s", s->path, strerror(errno));
    MOT_TRY(read_entries(s));
    status = check_places(s);
done:
    return status;
}

mot_status mot_safetensors_open(safetensors **file, const char *path)
{
    mot_status status;
    MOT_TRY(mot_allocate(file, 1, sizeof **file, "a file of weights"));
    (*file)->file = -1;
    MOT_TRY(mot_path_join((*file)->path, sizeof (*file)->path, path, ""));
    MOT_TRY(read_header(*file));
done:
    if (status != MOT_OK) mot_safetensors_close(file);
    return status;
}

void mot_safetensors_close(safetensors **file)
{
    safetensors *s = *file;
    if (s == NULL) return;
    if (s->file >= 0) close(s->file);
    mot_free(s->entry);
    mot_free(s->header);
    mot_free(s);
    *file = NULL;
}

mot_status mot_safetensors_read(safetensors *s, const weights_tensor *tensor, float *value)
{
    char is[WEIGHTS_SHAPE], wanted[WEIGHTS_SHAPE];
    entry *e = NULL;
    for (size_t i = 0; i < s->count && e == NULL; ++i)
        if (strcmp(s->entry[i].name, tensor->name) == 0) e = &s->entry[i];
    if (e == NULL) return mot_fail(MOT_ERR_INPUT, "%s has no tensor %s", s->path, tensor->name);
    e->read = true;
    bool same = e->rank == tensor->rank;
    for (int d = 0; same && d < e->rank; ++d) same = e->shape[d] == tensor->shape[d];
    if (!same) {
        mot_weights_shape_text(e->rank, e->shape, is);
        mot_weights_shape_text(tensor->rank, tensor->shape, wanted);
        return mot_fail(MOT_ERR_INPUT, "%s: tensor %s has shape %s, expected %s", s->path, e->name, is, wanted);
    }
    const uint64_t first = 8 + s->header_bytes + e->first;
    if (mot_read_at(s->file, value, tensor->count * sizeof *value, first) != tensor->count * sizeof *value)
        return mot_fail(MOT_ERR_INPUT, "cannot read %s: %s", s->path, errno != 0 ? strerror(errno) : "it became shorter meanwhile");
    for (size_t i = 0; i < tensor->count; ++i)
        if (!isfinite(value[i]))
            return mot_fail(MOT_ERR_INPUT, "%s: tensor %s is %g at [%zu], expected a finite value", s->path, e->name, (double)value[i], i);
    return MOT_OK;
}

mot_status mot_safetensors_all_read(const safetensors *s)
{
    for (size_t i = 0; i < s->count; ++i)
        if (!s->entry[i].read) return mot_fail(MOT_ERR_INPUT, "%s has a tensor %s, which the model has not", s->path, s->entry[i].name);
    return MOT_OK;
}
