/* IDX, the format of MNIST: two zero bytes, a type, the number of axes, their extents as big-endian u32, then the elements,
 * big-endian. */
#include <stdio.h>
#include <string.h>

#include "array.h"
#include "dataset_private.h"
#include "mot/memory.h"

enum { FILES = 3 };

typedef struct idx_split {
    char *bytes[FILES];
    arrays arrays;
} idx_split;

static const struct {
    unsigned char code;
    array_kind kind;
    size_t size;
} types[] = {{0x08, ARRAY_UNSIGNED, 1}, {0x09, ARRAY_SIGNED, 1}, {0x0b, ARRAY_SIGNED, 2},
             {0x0c, ARRAY_SIGNED, 4},   {0x0d, ARRAY_FLOAT, 4},  {0x0e, ARRAY_FLOAT, 8}};

static uint32_t u32(const char *bytes)
{
    const unsigned char *b = (const unsigned char *)bytes;
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

/* Checks the head against the bytes that follow it. */
static mot_status parse_idx(const char *path, const char *bytes, size_t size, array *a)
{
    const char *const what = "expected two zero bytes, a type of 8, 9 or 11 to 14, and the number of axes";
    *a = (array){.big = true};
    snprintf(a->path, sizeof a->path, "%s", path);
    if (size < 8)
        return mot_fail(MOT_ERR_INPUT, "%s: %zu bytes, an IDX file begins with 8 or more", path, size);
    for (size_t i = 0; i < MOT_COUNT(types) && bytes[0] == 0 && bytes[1] == 0; ++i)
        if (types[i].code == (unsigned char)bytes[2]) {
            a->kind = types[i].kind;
            a->size = types[i].size;
        }
    a->rank = (unsigned char)bytes[3];
    if (a->size == 0 || a->rank < 1 || a->rank > 4)
        return mot_fail(MOT_ERR_INPUT, "%s: byte 0: the magic number is %u, %s", path, u32(bytes), what);
    const size_t head = 4 + 4 * a->rank;
    if (size < head)
        return mot_fail(MOT_ERR_INPUT, "%s: %zu bytes, its head alone has %zu", path, size, head);
    for (size_t d = 0; d < a->rank; ++d) {
        a->shape[d] = u32(bytes + 4 + 4 * d);
        if (a->shape[d] == 0)
            return mot_fail(MOT_ERR_INPUT, "%s: byte %zu: 0 cannot be an extent", path, 4 + 4 * d);
    }
    const mot_status status = mot_array_lay_out(a, false);
    if (status != MOT_OK) return status;
    if (a->count > (size - head) / a->size || a->count * a->size != size - head)
        return mot_fail(MOT_ERR_INPUT,
                        "%s: %zu bytes behind the head, expected %zu numbers of %zu bytes for %zu %s", path,
                        size - head, a->count, a->size, a->shape[0], a->rank == 1 ? "labels" : "samples");
    a->data = bytes + head;
    return MOT_OK;
}

static mot_status read_split(const mot_import_options *options, int split, idx_split *s)
{
    char **files = NULL;
    size_t count, size;
    array *const into[FILES] = {&s->arrays.x, &s->arrays.y, &s->arrays.group};
    mot_status status = MOT_OK;
    MOT_TRY(
        mot_import_split_list(options->files[split], IMPORT_MAX_FILES, "the files of a split", &count, &files));
    if (count != 2 && count != FILES) {
        status = mot_fail(MOT_ERR_INPUT, "--%s %s: %zu files, expected IMAGES,LABELS[,GROUPS]",
                          mot_dataset_split_names[split], options->files[split], count);
        goto done;
    }
    for (size_t i = 0; i < count; ++i) {
        MOT_TRY(mot_import_read(files[i], import_limit, &s->bytes[i], &size));
        MOT_TRY(parse_idx(files[i], s->bytes[i], size, into[i]));
    }
    if (s->arrays.x.rank == 1 && s->arrays.y.rank > 2)
        status = mot_fail(MOT_ERR_INPUT, "%s holds labels and %s samples: expected IMAGES,LABELS", files[0],
                          files[1]);
done:
    mot_free(files);
    return status;
}

mot_status mot_import_idx(const mot_import_options *options)
{
    idx_split splits[IMPORT_SPLITS] = {{.bytes = {NULL}}};
    arrays all[IMPORT_SPLITS];
    mot_status status = MOT_OK;
    for (int s = 0; s < IMPORT_SPLITS; ++s)
        if (options->files[s] != NULL) MOT_TRY(read_split(options, s, &splits[s]));
    for (int s = 0; s < IMPORT_SPLITS; ++s) all[s] = splits[s].arrays;
    MOT_TRY(mot_import_arrays(options, all));
done:
    for (int s = 0; s < IMPORT_SPLITS; ++s)
        for (int i = 0; i < FILES; ++i) mot_free(splits[s].bytes[i]);
    return status;
}
