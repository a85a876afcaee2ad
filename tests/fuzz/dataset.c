/* A data set with a right mark and any contents: refused, or all its samples can be read or are refused, from memory and
 * from the file alike. With the highest bit of the choice the input itself is the file. */
#include "h5.h"
#include "mot/dataset.h"

static const char *const objects[] = {"/",
                                      "train",
                                      "train/x",
                                      "train/y",
                                      "train/group",
                                      "test",
                                      "test/x",
                                      "test/y",
                                      "class_names",
                                      "group_names",
                                      "vocabulary",
                                      "train/sample_xxh3",
                                      "normalization",
                                      "normalization/mean",
                                      "normalization/deviation",
                                      NULL};
static const char *const attributes[] = {
    "format",          "format_version", "kind", "classes", "groups", "signed_labels",
    "vocabulary_size", "scaling",        "xxh3", "source",  NULL};

/* Pictures with groups and names; texts; vectors; vectors whose targets are two numbers. */
enum { KINDS = 4, NUMBERS = 3 };
static void make(int kind, const char *path)
{
    static const char *const names[] = {"a", "b", "c"}, *const words[] = {"<padding>", "<unknown>", "w"};
    static const mot_sample_format formats[] = {
        {.kind = MOT_SAMPLE_PICTURE, .channels = 2, .height = 2, .width = 3},
        {.kind = MOT_SAMPLE_TEXT, .element = MOT_ELEMENT_I32, .tokens = 3, .vocabulary = 3},
        {.kind = MOT_SAMPLE_VECTOR, .element = MOT_ELEMENT_F32, .tokens = 2, .features = 2},
        {.kind = MOT_SAMPLE_VECTOR, .element = MOT_ELEMENT_F32, .tokens = 2, .features = 2}};
    const mot_dataset_about about = {.title = "fuzz",
                                     .class_names = names,
                                     .class_count = 3,
                                     .group_names = names,
                                     .group_count = 2,
                                     .vocabulary = words,
                                     .vocabulary_count = kind == 1 ? 3 : 0};
    const int32_t x[16] = {1, 2, 0, 1}, y[8] = {0, 1, 2, 0}, group[4] = {0, 1, 0, 1}; /* small numbers as floats too */
    mot_sample_format format = formats[kind];
    mot_dataset_writer *writer = NULL;
    FUZZ_CHECK(mot_dataset_writer_open(&writer, path, &format) == MOT_OK);
    if (kind == NUMBERS) mot_dataset_writer_numbers(writer, 2);
    FUZZ_CHECK(mot_dataset_writer_add(writer, "train", 4, x, y, group) == MOT_OK);
    FUZZ_CHECK(mot_dataset_writer_add(writer, "test", 1, x, y, group) == MOT_OK);
    FUZZ_CHECK(mot_dataset_writer_close(&writer, &about, true) == MOT_OK);
}

static bool try(const char *path, size_t memory)
{
    mot_dataset dataset;
    if (!fuzz_accepted(mot_dataset_open(&dataset, path, "train", memory))) return false;
    void *sample = mot_calloc(1, dataset.format.bytes), *target = mot_calloc(1, dataset.target_bytes);
    int *parent = mot_calloc((size_t)dataset.classes, sizeof *parent);
    FUZZ_CHECK(sample != NULL && target != NULL && parent != NULL);
    int32_t group;
    for (mot_gidx i = 0; i < MOT_MIN(dataset.samples, 64); ++i)
        fuzz_accepted(mot_dataset_sample(&dataset, i, sample, target, &group));
    mot_dataset_label_groups(&dataset, parent);
    mot_free(parent);
    mot_free(target);
    mot_free(sample);
    mot_dataset_close(&dataset);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static fuzz_file good[KINDS];
    const fuzz_input input = fuzz_cut(data, size);
    fuzz_file *from = &good[input.choice % KINDS];
    const char *path = fuzz_path("dataset.h5");
    if (from->image == NULL) {
        make((int)(input.choice % KINDS), path);
        fuzz_keep_good(from, path);
        from->objects = objects;
        from->attributes = attributes;
    }
    const fuzz_state before = fuzz_look();
    if (input.choice & 0x80)
        fuzz_save("dataset.h5", input.piece[0], input.size[0]);
    else if (!fuzz_change(from, input.piece[0], input.size[0], path) ||
             !fuzz_seal(path))
        return 0;
    if (try(path, SIZE_MAX)) try(path, 0);
    fuzz_nothing_left(before);
    return 0;
}
