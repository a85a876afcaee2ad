/* CIFAR binary records: CIFAR-10 is a label byte and 3072 bytes (planes R, G, B of 32 x 32), CIFAR-100 a
 * coarse label, a fine label and 3072 bytes. */
#include <stdio.h>
#include <string.h>

#include "import.h"
#include "mot/memory.h"

enum { PIXELS = 3072 };

/* The kind that the option names, or the only one that the size and the label bytes allow. */
static mot_status find_kind(const char *path, const char *bytes, size_t size, int *kind)
{
    bool fits[2] = {size % (PIXELS + 1) == 0, size % (PIXELS + 2) == 0};
    for (size_t at = 0; fits[0] && at < size; at += PIXELS + 1) fits[0] = (unsigned char)bytes[at] < 10;
    for (size_t at = 0; fits[1] && at < size; at += PIXELS + 2)
        fits[1] = (unsigned char)bytes[at] < 20 && (unsigned char)bytes[at + 1] < 100;
    if (*kind == 0 && fits[0] != fits[1]) *kind = fits[0] ? 10 : 100;
    if (*kind == 0 && fits[0])
        return mot_fail(MOT_ERR_INPUT, "%s: %zu bytes could be either CIFAR: name one with --kind", path,
                        size);
    if (*kind == 0 || size % (size_t)(PIXELS + (*kind == 10 ? 1 : 2)) != 0)
        return mot_fail(MOT_ERR_INPUT, "%s: %zu bytes are not whole records of %s bytes%s", path, size,
                        *kind == 0    ? "3073 or 3074"
                        : *kind == 10 ? "3073"
                                      : "3074",
                        *kind == 0 ? " with labels in their range" : "");
    return MOT_OK;
}

/* The records of a split's files, one behind another. */
typedef struct records {
    char **files;
    size_t count;
    char **bytes;  /* [count], owned */
    size_t *first; /* [count + 1]: the sample that each begins with */
    double *label, *group;
    size_t size, labels; /* of a record, and its label bytes */
} records;

static mot_status read_files(const char *list, records *r, int *kind)
{
    size_t size;
    mot_status status = MOT_OK;
    MOT_TRY(mot_import_split_list(list, IMPORT_MAX_FILES, "the files of a split", &r->count, &r->files));
    MOT_TRY(mot_allocate(&r->bytes, r->count, sizeof *r->bytes, "the files of a split"));
    MOT_TRY(mot_allocate(&r->first, r->count + 1, sizeof *r->first, "the files of a split"));
    for (size_t f = 0; f < r->count; ++f) {
        MOT_TRY(mot_import_read(r->files[f], import_limit, &r->bytes[f], &size));
        MOT_TRY(find_kind(r->files[f], r->bytes[f], size, kind));
        r->labels = *kind == 10 ? 1 : 2;
        r->size = PIXELS + r->labels;
        r->first[f + 1] = r->first[f] + size / r->size;
    }
done:
    return status;
}

static const unsigned char *record_at(const records *r, size_t index, size_t *file)
{
    *file = 0;
    while (index >= r->first[*file + 1]) ++*file;
    return (const unsigned char *)r->bytes[*file] + (index - r->first[*file]) * r->size;
}

static mot_status read_picture(void *context, size_t index, void *x)
{
    const records *r = context;
    size_t file;
    memcpy(x, record_at(r, index, &file) + r->labels, PIXELS);
    return MOT_OK;
}

static mot_status read_labels(records *r, int kind, import_part *part)
{
    mot_status status = MOT_OK;
    size_t file;
    *part = (import_part){
        .path = r->files[0], .samples = r->first[r->count], .context = r, .sample = read_picture};
    MOT_TRY(mot_allocate(&r->label, part->samples, sizeof(double), "the labels"));
    MOT_TRY(mot_allocate(&r->group, part->samples, sizeof(double), "the groups"));
    for (size_t i = 0; i < part->samples; ++i) {
        const unsigned char *record = record_at(r, i, &file);
        r->label[i] = record[r->labels - 1];
        r->group[i] = record[0];
        if (r->label[i] >= kind || (kind == 100 && r->group[i] >= 20)) {
            status = mot_fail(MOT_ERR_INPUT, "%s: byte %zu: label %g, expected a CIFAR-%d label",
                              r->files[file], (i - r->first[file]) * r->size,
                              r->label[i] >= kind ? r->label[i] : r->group[i], kind);
            goto done;
        }
    }
    part->label.number = r->label;
    part->group.number = kind == 100 ? r->group : NULL;
done:
    return status;
}

mot_status mot_import_cifar(const mot_import_options *options)
{
    records splits[IMPORT_SPLITS] = {{.count = 0}};
    import_set set = {.format = {.kind = MOT_SAMPLE_PICTURE, .channels = 3, .height = 32, .width = 32}};
    int kind = options->cifar;
    mot_status status = MOT_OK;
    for (int s = 0; s < IMPORT_SPLITS; ++s)
        if (options->files[s] != NULL) MOT_TRY(read_files(options->files[s], &splits[s], &kind));
    for (int s = 0; s < IMPORT_SPLITS; ++s)
        if (options->files[s] != NULL) MOT_TRY(read_labels(&splits[s], kind, &set.part[s]));
    set.classes = (size_t)kind; /* a part of the set may lack classes */
    set.groups = kind == 100 ? 20 : 0;
    MOT_TRY(mot_import_plan(options, &set));
    MOT_TRY(mot_import_write(options, &set));
done:
    mot_import_set_free(&set);
    for (int s = 0; s < IMPORT_SPLITS; ++s) {
        for (size_t f = 0; splits[s].bytes != NULL && f < splits[s].count; ++f) mot_free(splits[s].bytes[f]);
        mot_free(splits[s].bytes);
        mot_free(splits[s].first);
        mot_free(splits[s].files);
        mot_free(splits[s].label);
        mot_free(splits[s].group);
    }
    return status;
}
