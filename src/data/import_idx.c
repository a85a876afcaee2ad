/* IDX, the format of MNIST: big-endian u32 magic (0x0803 pictures, 0x0801 labels), count, rows, columns; then
 * bytes. */
#include <string.h>

#include "dataset_private.h"
#include "import.h"
#include "mot/memory.h"

static uint32_t u32(const char *bytes)
{
    const unsigned char *b = (const unsigned char *)bytes;
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

/* Checks the head against the bytes that follow it; `dimensions` is 1 for labels and 3 for pictures. */
static mot_status read_idx(const char *path, unsigned dimensions, char **bytes, uint32_t shape[3])
{
    const size_t head = 4 + 4 * (size_t)dimensions;
    const char *what = dimensions == 1 ? "labels" : "pictures";
    size_t size, expected = 1;
    mot_status status = import_read(path, import_limit, bytes, &size);
    if (status != MOT_OK) return status;
    if (size < head)
        return mot_fail(MOT_ERR_INPUT, "%s: %zu bytes, an IDX file of %s begins with %zu", path, size, what,
                        head);
    const uint32_t magic = u32(*bytes), wanted = 0x0800 + dimensions;
    if (magic != wanted)
        return mot_fail(MOT_ERR_INPUT, "%s: byte 0: the magic number is %u, expected %u for %s", path, magic,
                        wanted, what);
    for (unsigned d = 0; d < dimensions; ++d) {
        shape[d] = u32(*bytes + 4 + 4 * d);
        if (__builtin_mul_overflow(expected, (size_t)shape[d], &expected) || shape[d] == 0)
            return mot_fail(MOT_ERR_INPUT, "%s: byte %u: %u cannot be an extent of %s", path, 4 + 4 * d,
                            shape[d], what);
    }
    if (size - head != expected)
        return mot_fail(MOT_ERR_INPUT, "%s: %zu bytes behind the head, expected %zu for %u %s", path,
                        size - head, expected, shape[0], what);
    return MOT_OK;
}

static mot_status add_split(const mot_import_options *options, int split, mot_dataset_writer **writer,
                            mot_sample_format *format)
{
    char **files = NULL, *pictures = NULL, *labels = NULL;
    int32_t *y = NULL;
    size_t count;
    uint32_t shape[3] = {0}, label_shape[3] = {0};
    mot_status status = MOT_OK;
    MOT_TRY(
        import_split_list(options->files[split], IMPORT_MAX_FILES, "the files of a split", &count, &files));
    if (count != 2) {
        status = mot_fail(MOT_ERR_INPUT, "--%s %s: %zu files, expected IMAGES,LABELS",
                          dataset_split_names[split], options->files[split], count);
        goto done;
    }
    MOT_TRY(read_idx(files[0], 3, &pictures, shape));
    MOT_TRY(read_idx(files[1], 1, &labels, label_shape));
    if (shape[0] != label_shape[0]) {
        status = mot_fail(MOT_ERR_INPUT, "%s has %u pictures, %s has %u labels", files[0], shape[0], files[1],
                          label_shape[0]);
        goto done;
    }
    if (*writer == NULL) {
        *format = (mot_sample_format){
            .kind = MOT_SAMPLE_PICTURE, .channels = 1, .height = shape[1], .width = shape[2]};
        MOT_TRY(mot_dataset_writer_open(writer, options->out, format));
    }
    if (shape[1] != format->height || shape[2] != format->width) {
        status = mot_fail(MOT_ERR_INPUT, "%s: pictures of %u x %u, those before are %zu x %zu", files[0],
                          shape[1], shape[2], format->height, format->width);
        goto done;
    }
    MOT_TRY(mot_allocate(&y, shape[0], sizeof *y, "the labels"));
    for (size_t i = 0; i < shape[0]; ++i) y[i] = (unsigned char)labels[8 + i];
    MOT_TRY(mot_dataset_writer_add(*writer, dataset_split_names[split], shape[0], pictures + 16, y, NULL));
done:
    mot_free(y);
    mot_free(labels);
    mot_free(pictures);
    mot_free(files);
    return status;
}

mot_status mot_import_idx(const mot_import_options *options)
{
    mot_dataset_writer *writer = NULL;
    mot_sample_format format;
    mot_dataset_about about = {0};
    char **names = NULL;
    mot_status status = MOT_OK;
    MOT_TRY(import_names(options->class_names, "class names", &about.class_count, &names));
    for (int s = 0; s < IMPORT_SPLITS; ++s)
        if (options->files[s] != NULL) MOT_TRY(add_split(options, s, &writer, &format));
    import_about(options, &about);
    about.class_names = (const char *const *)names;
    MOT_TRY(mot_dataset_writer_close(&writer, &about, true));
done:
    mot_dataset_writer_close(&writer, &about, false);
    mot_free(names);
    return status;
}
