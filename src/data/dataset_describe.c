/* What stands in a data set's file beside its samples, which lie there already. */
#include <stdio.h>
#include <string.h>

#include "dataset_writer.h"
#include "mot/memory.h"
#include "mot/version.h"

/* Names of the dimensions, where h5py and the netCDF tools look for them. */
static void label_dimensions(hid_t file, const char *name, int rank, const char *const *labels)
{
    const hsize_t extent = (hsize_t)rank;
    char table[4][8] = {{0}}; /* "sample", "channel", ...: padded, without a final 0 */
    for (int d = 0; d < rank; ++d) memcpy(table[d], labels[d], strlen(labels[d]));
    hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate_simple(1, &extent, NULL);
    H5Tset_size(type, sizeof table[0]);
    hid_t attribute = H5Acreate_by_name(file, name, "DIMENSION_LABELS", type, space, H5P_DEFAULT, H5P_DEFAULT,
                                        H5P_DEFAULT);
    if (attribute >= 0)
        H5Awrite(attribute, type, table); /* for people only: a failing disk is seen elsewhere */
    mot_h5_close(&attribute);
    mot_h5_close(&space);
    mot_h5_close(&type);
}

static mot_status set_digest(hid_t file, const char *name, const char *attribute, mot_digest digest)
{
    char text[MOT_DIGEST_TEXT];
    mot_digest_text(&digest, text);
    return mot_h5_set_text(file, name, attribute, text);
}

static mot_status describe_x(const mot_dataset_writer *writer, hid_t file, const char *name, const split *s)
{
    static const char *const picture[] = {"sample", "channel", "row", "column"},
                             *const grey[] = {"sample", "row", "column"}, *const text[] = {"sample", "token"},
                             *const vector[] = {"sample", "token", "feature"};
    const mot_sample_format *format = &writer->format;
    hsize_t shape[4] = {s->samples, format->tokens, format->features};
    int rank = format->kind == MOT_SAMPLE_TEXT ? 2 : 3;
    const char *const *labels = format->kind == MOT_SAMPLE_TEXT ? text : vector;
    const char *units = format->kind == MOT_SAMPLE_TEXT ? "id" : "1";
    if (format->kind == MOT_SAMPLE_PICTURE) {
        rank = format->channels > 1 ? 4 : 3;
        labels = format->channels > 1 ? picture : grey;
        shape[1] = format->channels;
        shape[rank - 2] = format->height;
        shape[rank - 1] = format->width;
        units = "1/255";
    }
    if (writer->lengths) {
        rank = 1;
        shape[0] = s->first[s->samples];
        ++labels; /* tokens alone */
    }
    mot_status status = MOT_OK;
    MOT_TRY(mot_h5_place(file, name, mot_dataset_element_type(format->element), rank, shape, s->at));
    label_dimensions(file, name, rank, labels);
    MOT_TRY(mot_h5_set_text(file, name, "long_name", mot_dataset_kind_names[format->kind]));
    MOT_TRY(mot_h5_set_text(file, name, "units", units));
    MOT_TRY(set_digest(file, name, "xxh3", s->digest));
    if (writer->lengths) MOT_TRY(set_digest(file, name, DATASET_PADDED, s->padded));
done:
    return status;
}

/* What is one number a sample: a label, a group, a checksum; or, with `width` above 0, so many of each. */
static mot_status write_column(hid_t file, const char *split_name, const char *what, const char *long_name,
                               hid_t type, size_t count, size_t width, const void *values)
{
    char name[32];
    snprintf(name, sizeof name, "%s/%s", split_name, what);
    const int rank = width > 0 ? 2 : 1;
    const hsize_t shape[] = {count, width};
    static const char *const labels[] = {"sample", "number"};
    mot_status status = MOT_OK;
    MOT_TRY(mot_h5_write(file, name, type, rank, shape, MOT_H5_CONTIGUOUS, values));
    label_dimensions(file, name, rank, labels);
    MOT_TRY(mot_h5_set_text(file, name, "long_name", long_name));
    MOT_TRY(set_digest(file, name, "xxh3", mot_digest_bytes(values, count * MOT_MAX(width, 1) * H5Tget_size(type))));
done:
    return status;
}

/* `names` may be NULL: then "0", "1", ... */
static mot_status write_names(hid_t file, const char *name, size_t count, const char *const *names)
{
    char **made = NULL;
    mot_status status = MOT_OK;
    if (names == NULL) MOT_TRY(mot_dataset_names_number(&made, count));
    MOT_TRY(mot_h5_write_texts(file, name, count, names != NULL ? names : (const char *const *)made));
done:
    mot_free(made);
    return status;
}

/* Of data sets that were joined: which, what was done to each, and the checksums of their splits. */
static mot_status write_origins(hid_t file, const mot_dataset_about *about)
{
    static const char *const columns[] = {"sources/name",  "sources/file", "sources/change",
                                          "sources/train", "sources/val",  "sources/test"};
    const char **text = NULL;
    mot_status status;
    MOT_TRY(mot_allocate(&text, about->origin_count, sizeof *text, "the sources"));
    for (size_t c = 0; c < MOT_COUNT(columns); ++c) {
        for (size_t i = 0; i < about->origin_count; ++i) {
            const mot_dataset_origin *origin = &about->origin[i];
            const char *const of[] = {origin->name,        origin->file,        origin->change,
                                      origin->checksum[0], origin->checksum[1], origin->checksum[2]};
            text[i] = of[c];
        }
        if (text[0] != NULL) MOT_TRY(mot_h5_write_texts(file, columns[c], about->origin_count, text));
    }
done:
    mot_free(text);
    return status;
}

mot_status mot_dataset_normalization_write(hid_t file, const mot_normalization *n)
{
    const hsize_t shape = n->count;
    mot_status status;
    MOT_TRY(mot_h5_make_group(file, "normalization"));
    MOT_TRY(mot_h5_set_text(file, "normalization", "scaling", mot_dataset_scaling_names[n->scaling]));
    if (n->count == 0) goto done;
    MOT_TRY(
        mot_h5_write(file, "normalization/mean", H5T_NATIVE_DOUBLE, 1, &shape, MOT_H5_CONTIGUOUS, n->mean));
    MOT_TRY(mot_h5_write(file, "normalization/deviation", H5T_NATIVE_DOUBLE, 1, &shape, MOT_H5_CONTIGUOUS,
                         n->deviation));
done:
    return status;
}

static mot_status write_head(const mot_dataset_writer *writer, hid_t file, const mot_dataset_about *about,
                             int classes, int groups)
{
    static const char *const signs[] = {"-1", "+1"};
    const mot_sample_format *format = &writer->format;
    const struct {
        const char *name, *text;
    } texts[] = {{"format", DATASET_FORMAT},  {"kind", mot_dataset_kind_names[format->kind]},
                 {"title", about->title},     {"source", about->source},
                 {"licence", about->licence}, {"mot_version", MOT_VERSION}};
    mot_status status = MOT_OK;
    for (size_t i = 0; i < MOT_COUNT(texts); ++i)
        if (texts[i].text != NULL) MOT_TRY(mot_h5_set_text(file, ".", texts[i].name, texts[i].text));
    MOT_TRY(mot_h5_set_int(file, ".", "format_version", writer->lengths ? DATASET_VERSION_LENGTHS : DATASET_VERSION));
    if (writer->lengths) MOT_TRY(mot_h5_set_int(file, ".", "tokens", (int64_t)format->tokens));
    MOT_TRY(mot_h5_set_int(file, ".", "classes", classes));
    MOT_TRY(mot_h5_set_int(file, ".", "groups", groups));
    MOT_TRY(mot_h5_set_int(file, ".", "signed_labels", about->signed_labels));
    if (format->kind == MOT_SAMPLE_TEXT) {
        MOT_TRY(mot_h5_set_int(file, ".", "vocabulary_size", (int64_t)format->vocabulary));
        if (about->vocabulary != NULL)
            MOT_TRY(mot_h5_write_texts(file, "vocabulary", about->vocabulary_count, about->vocabulary));
    } else {
        MOT_TRY(mot_dataset_normalization_write(file, &format->normalization));
    }
    MOT_TRY(mot_dataset_reading_write(file, &format->reading));
    if (about->column_names != NULL)
        MOT_TRY(mot_h5_write_texts(file, "column_names", format->features, about->column_names));
    if (about->target_names != NULL)
        MOT_TRY(mot_h5_write_texts(file, "target_names", writer->numbers, about->target_names));
    const char *const *class_names = about->class_names;
    if (about->signed_labels && class_names == NULL) class_names = signs;
    if (classes > 0) MOT_TRY(write_names(file, "class_names", (size_t)classes, class_names));
    if (groups > 0) MOT_TRY(write_names(file, "group_names", (size_t)groups, about->group_names));
done:
    return status;
}

static mot_status describe_split(const mot_dataset_writer *writer, hid_t file, int number)
{
    const split *s = &writer->splits[number];
    const char *split_name = mot_dataset_split_names[number];
    char name[16];
    snprintf(name, sizeof name, "%s/x", split_name);
    mot_status status = MOT_OK;
    MOT_TRY(describe_x(writer, file, name, s));
    if (writer->lengths)
        MOT_TRY(write_column(file, split_name, DATASET_FIRST, "tokens of x before each text, and of all", H5T_NATIVE_INT64,
                             s->samples + 1, 0, s->first));
    if (writer->numbers > 0)
        MOT_TRY(write_column(file, split_name, "y", "target", H5T_NATIVE_FLOAT, s->samples,
                             writer->numbers > 1 ? writer->numbers : 0, s->target));
    else
        MOT_TRY(write_column(file, split_name, "y", "label", H5T_NATIVE_INT32, s->samples, 0, s->target));
    if (s->group != NULL)
        MOT_TRY(write_column(file, split_name, "group", "group", H5T_NATIVE_INT32, s->samples, 0, s->group));
    MOT_TRY(write_column(file, split_name, DATASET_SUMS, "XXH3 of 64 bits of each sample of x",
                         H5T_NATIVE_INT64, s->samples, 0, s->sum));
done:
    return status;
}

mot_status mot_dataset_describe(const mot_dataset_writer *writer, hid_t file, const mot_dataset_about *about,
                                int classes, int groups)
{
    mot_status status;
    MOT_TRY(write_head(writer, file, about, classes, groups));
    if (about->origin_count > 0) MOT_TRY(write_origins(file, about));
    for (int i = 0; i < DATASET_SPLITS; ++i)
        if (writer->splits[i].samples > 0) MOT_TRY(describe_split(writer, file, i));
done:
    return status;
}
