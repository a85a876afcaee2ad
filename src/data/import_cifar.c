/* CIFAR binary records: CIFAR-10 is a label byte and 3072 bytes (planes R, G, B of 32 x 32), CIFAR-100 a
 * coarse label, a fine label and 3072 bytes. */
#include <stdio.h>
#include <string.h>

#include "dataset_private.h"
#include "import.h"
#include "mot/memory.h"

enum { PIXELS = 3072, BLOCK = 1024 };

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

static mot_status add_file(mot_dataset_writer *writer, const char *split, const char *path, int *kind)
{
    char *bytes = NULL;
    unsigned char *x = NULL;
    int32_t y[BLOCK], group[BLOCK];
    size_t size;
    mot_status status = MOT_OK;
    MOT_TRY(import_read(path, import_limit, &bytes, &size));
    MOT_TRY(find_kind(path, bytes, size, kind));
    MOT_TRY(mot_allocate(&x, BLOCK, PIXELS, "pictures"));
    const size_t labels = *kind == 10 ? 1 : 2, record = PIXELS + labels, count = size / record;
    for (size_t first = 0; first < count; first += BLOCK) {
        const size_t some = MOT_MIN((size_t)BLOCK, count - first);
        for (size_t i = 0; i < some; ++i) {
            const unsigned char *r = (const unsigned char *)bytes + (first + i) * record;
            y[i] = r[labels - 1];
            group[i] = r[0];
            if (y[i] >= *kind || (labels == 2 && group[i] >= 20)) {
                status = mot_fail(MOT_ERR_INPUT, "%s: byte %zu: label %d, expected a CIFAR-%d label", path,
                                  (first + i) * record, y[i] >= *kind ? y[i] : group[i], *kind);
                goto done;
            }
            memcpy(x + i * PIXELS, r + labels, PIXELS);
        }
        MOT_TRY(mot_dataset_writer_add(writer, split, some, x, y, labels == 2 ? group : NULL));
    }
done:
    mot_free(x);
    mot_free(bytes);
    return status;
}

mot_status mot_import_cifar(const mot_import_options *options)
{
    const mot_sample_format format = {.kind = MOT_SAMPLE_PICTURE, .channels = 3, .height = 32, .width = 32};
    mot_dataset_writer *writer = NULL;
    mot_dataset_about about = {0};
    char **files = NULL, **class_names = NULL, **group_names = NULL;
    int kind = options->cifar;
    mot_status status = MOT_OK;
    MOT_TRY(import_names(options->class_names, "class names", &about.class_count, &class_names));
    MOT_TRY(import_names(options->group_names, "group names", &about.group_count, &group_names));
    MOT_TRY(mot_dataset_writer_open(&writer, options->out, &format));
    for (int s = 0; s < IMPORT_SPLITS; ++s) {
        size_t count;
        if (options->files[s] == NULL) continue;
        MOT_TRY(
            import_split_list(options->files[s], IMPORT_MAX_FILES, "the files of a split", &count, &files));
        for (size_t f = 0; f < count; ++f) MOT_TRY(add_file(writer, dataset_split_names[s], files[f], &kind));
        mot_free(files);
        files = NULL;
    }
    import_about(options, &about);
    about.class_names = (const char *const *)class_names;
    about.group_names = (const char *const *)group_names;
    if (class_names == NULL) about.class_count = (size_t)kind; /* a part of the set may lack classes */
    if (kind == 100 && group_names == NULL) about.group_count = 20;
    MOT_TRY(mot_dataset_writer_close(&writer, &about, true));
done:
    mot_dataset_writer_close(&writer, &about, false);
    mot_free(files);
    mot_free(class_names);
    mot_free(group_names);
    return status;
}
