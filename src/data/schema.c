#include "mot/schema.h"

#include <stdio.h>
#include <string.h>

#include "dataset_private.h"
#include "mot/memory.h"

/* ---- copies ---- */

static mot_status copy_format(mot_sample_format *to, const mot_sample_format *from)
{
    *to = *from;
    const mot_status status = mot_dataset_normalization_allocate(to);
    const size_t count = to->normalization.count;
    if (status == MOT_OK && count > 0)
        memcpy(to->normalization.mean, from->normalization.mean, 2 * count * sizeof(double));
    return status;
}

/* How many numbers a target is, where it is no class. */
static size_t numbers_of(const mot_schema *schema)
{
    return schema->classes == 0 ? schema->target_bytes / sizeof(float) : 0;
}

mot_status mot_schema_take(mot_schema *schema, const mot_dataset *dataset)
{
    mot_status status;
    *schema = (mot_schema){.classes = dataset->classes,
                           .groups = dataset->groups,
                           .target_bytes = dataset->target_bytes,
                           .signed_labels = dataset->signed_labels};
    MOT_TRY(copy_format(&schema->format, &dataset->format));
    MOT_TRY(mot_dataset_names_copy(&schema->class_names, dataset->class_names, (size_t)dataset->classes));
    MOT_TRY(mot_dataset_names_copy(&schema->group_names, dataset->group_names, (size_t)dataset->groups));
    MOT_TRY(mot_dataset_names_copy(&schema->column_names, dataset->column_names, dataset->format.features));
    MOT_TRY(mot_dataset_names_copy(&schema->target_names, dataset->target_names, numbers_of(schema)));
    MOT_TRY(mot_dataset_names_copy(&schema->vocabulary, dataset->vocabulary, dataset->format.vocabulary));
done:
    if (status != MOT_OK) mot_schema_free(schema);
    return status;
}

void mot_schema_free(mot_schema *schema)
{
    mot_free(schema->format.normalization.mean);
    mot_free(schema->class_names);
    mot_free(schema->group_names);
    mot_free(schema->column_names);
    mot_free(schema->vocabulary);
    mot_free(schema->target_names);
    *schema = (mot_schema){0};
}

/* Names that only one of both has say nothing. */
static bool other_names(char *const *a, size_t count_a, char *const *b, size_t count_b)
{
    return a != NULL && b != NULL && !mot_dataset_names_same(a, count_a, b, count_b);
}

const char *mot_schema_difference(const mot_schema *a, const mot_schema *b)
{
    const mot_normalization *m = &a->format.normalization, *n = &b->format.normalization;
    if (other_names(a->vocabulary, a->format.vocabulary, b->vocabulary, b->format.vocabulary)) return "words";
    if (other_names(a->column_names, a->format.features, b->column_names, b->format.features)) return "columns";
    if (other_names(a->class_names, (size_t)a->classes, b->class_names, (size_t)b->classes)) return "classes";
    const bool same = m->count == n->count && (m->count == 0 || memcmp(m->mean, n->mean, 2 * m->count * sizeof *m->mean) == 0);
    return same ? NULL : "means and deviations";
}

/* ---- in a file ---- */

typedef struct field {
    const char *name;
    size_t offset, size;
} field;

#define FIELD(name_, member_)                                                                                \
    {                                                                                                        \
        name_, offsetof(mot_schema, member_), sizeof(((mot_schema *)0)->member_)                             \
    }
static const field fields[] = {
    FIELD("channels", format.channels),
    FIELD("height", format.height),
    FIELD("width", format.width),
    FIELD("tokens", format.tokens),
    FIELD("features", format.features),
    FIELD("vocabulary_size", format.vocabulary),
    FIELD("classes", classes),
    FIELD("groups", groups),
    FIELD("signed_labels", signed_labels),
};
#undef FIELD

static int64_t get_field(const mot_schema *schema, const field *f)
{
    const void *at = (const char *)schema + f->offset;
    if (f->size == sizeof(size_t)) return (int64_t) * (const size_t *)at;
    return f->size == sizeof(int) ? *(const int *)at : *(const bool *)at;
}

static void set_field(mot_schema *schema, const field *f, int64_t value)
{
    void *at = (char *)schema + f->offset;
    if (f->size == sizeof(size_t))
        *(size_t *)at = (size_t)value;
    else if (f->size == sizeof(int))
        *(int *)at = (int)value;
    else
        *(bool *)at = value != 0;
}

typedef struct list {
    const char *name;
    char **names;
    size_t count;
} list;

enum { LISTS = 5 };

static void lists_of(const mot_schema *schema, list lists[LISTS])
{
    lists[0] = (list){"class_names", schema->class_names, (size_t)schema->classes};
    lists[1] = (list){"group_names", schema->group_names, (size_t)schema->groups};
    lists[2] = (list){"column_names", schema->column_names, schema->format.features};
    lists[3] = (list){"vocabulary", schema->vocabulary, schema->format.vocabulary};
    lists[4] = (list){"target_names", schema->target_names, numbers_of(schema)};
}

/* Only where targets are no classes is it said how long they are. */
static mot_status read_target_bytes(mot_schema *schema, hid_t group, const char *path)
{
    int64_t bytes = sizeof(int32_t);
    mot_status status = MOT_OK;
    if (schema->classes == 0) MOT_TRY(mot_h5_get_int(group, ".", "target_bytes", &bytes));
    if (bytes < 1 || bytes > INT32_MAX)
        return mot_fail(MOT_ERR_INPUT, "%s: /data is not what mot writes", path);
    schema->target_bytes = (size_t)bytes;
done:
    return status;
}

mot_status mot_schema_write(const mot_schema *schema, hid_t file)
{
    mot_status status = MOT_OK;
    list lists[LISTS];
    hid_t group = H5I_INVALID_HID;
    MOT_TRY(mot_h5_make_group(file, "data"));
    group = H5Gopen2(file, "data", H5P_DEFAULT);
    if (group < 0) return mot_fail(MOT_ERR_FILE, "cannot make the group /data of a file");
    MOT_TRY(mot_h5_set_text(group, ".", "kind", mot_dataset_kind_names[schema->format.kind]));
    for (size_t f = 0; f < MOT_COUNT(fields); ++f)
        MOT_TRY(mot_h5_set_int(group, ".", fields[f].name, get_field(schema, &fields[f])));
    if (schema->classes == 0)
        MOT_TRY(mot_h5_set_int(group, ".", "target_bytes", (int64_t)schema->target_bytes));
    if (schema->format.kind != MOT_SAMPLE_TEXT)
        MOT_TRY(mot_dataset_normalization_write(group, &schema->format.normalization));
    else
        MOT_TRY(mot_h5_set_int(group, ".", "bytes", schema->format.element == MOT_ELEMENT_U8));
    MOT_TRY(mot_dataset_reading_write(group, &schema->format.reading));
    lists_of(schema, lists);
    for (size_t l = 0; l < MOT_COUNT(lists); ++l)
        if (lists[l].names != NULL)
            MOT_TRY(mot_h5_write_texts(group, lists[l].name, lists[l].count,
                                       (const char *const *)lists[l].names));
done:
    mot_h5_close(&group);
    return status;
}

/* Bytes, or ids of 32 bits. */
static mot_status read_text_element(mot_schema *schema, hid_t group)
{
    int64_t bytes = 0;
    schema->ids_or_bytes = !mot_h5_has_attribute(group, ".", "bytes");
    const mot_status status = schema->ids_or_bytes ? MOT_OK : mot_h5_get_int(group, ".", "bytes", &bytes);
    if (bytes != 0) schema->format.element = MOT_ELEMENT_U8;
    return status;
}

static mot_status read_fields(mot_schema *schema, hid_t group, const char *path)
{
    char *kind = NULL;
    int number = 0;
    mot_status status = MOT_OK;
    MOT_TRY(mot_h5_get_text(group, ".", "kind", &kind));
    while (number < 3 && strcmp(kind, mot_dataset_kind_names[number]) != 0) ++number;
    schema->format.kind = (mot_sample_kind)number;
    for (size_t f = 0; f < MOT_COUNT(fields); ++f) {
        int64_t value;
        MOT_TRY(mot_h5_get_int(group, ".", fields[f].name, &value));
        if (number == 3 || value < 0 || value > INT32_MAX) {
            status = mot_fail(MOT_ERR_INPUT, "%s: /data is not what mot writes", path);
            goto done;
        }
        set_field(schema, &fields[f], value);
    }
    MOT_TRY(read_target_bytes(schema, group, path));
    static const mot_element elements[] = {MOT_ELEMENT_U8, MOT_ELEMENT_I32, MOT_ELEMENT_F32};
    schema->format.element = elements[number];
    if (number == MOT_SAMPLE_TEXT) MOT_TRY(read_text_element(schema, group));
    MOT_TRY(mot_dataset_reading_read(&schema->format.reading, group, path));
    MOT_TRY(mot_dataset_format_check(&schema->format, path));
done:
    mot_free(kind);
    return status;
}

mot_status mot_schema_read(mot_schema *schema, hid_t file, const char *path)
{
    mot_status status = MOT_OK;
    list lists[LISTS];
    char ***const names[] = {&schema->class_names, &schema->group_names, &schema->column_names,
                             &schema->vocabulary, &schema->target_names};
    *schema = (mot_schema){0};
    if (!mot_h5_exists(file, "data")) return MOT_OK;
    hid_t group = H5Gopen2(file, "data", H5P_DEFAULT);
    MOT_TRY(read_fields(schema, group, path));
    if (schema->format.kind != MOT_SAMPLE_TEXT)
        MOT_TRY(mot_dataset_normalization_read(&schema->format, group, path));
    lists_of(schema, lists);
    for (size_t l = 0; l < MOT_COUNT(lists); ++l)
        MOT_TRY(mot_dataset_names_read(group, path, lists[l].name, lists[l].count, names[l]));
done:
    mot_h5_close(&group);
    if (status != MOT_OK) mot_schema_free(schema);
    return status;
}
