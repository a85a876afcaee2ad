/* Samples, labels and groups in arrays. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "dataset_private.h"
#include "mot/memory.h"

typedef struct reader {
    array x[IMPORT_SPLITS];
    array_ids ids;
    double unit; /* of a picture's numbers: 1, or 255 where they lie in 0..1 */
    import_set set;
} reader;

typedef struct reader_part {
    const reader *from;
    int split;
} reader_part;

/* ---- samples ---- */

static size_t numbers_each(const array *x)
{
    return x->count / x->shape[0];
}

static mot_status read_vector(void *context, size_t index, void *out)
{
    const reader_part *part = context;
    const array *x = &part->from->x[part->split];
    const size_t each = numbers_each(x);
    float *number = out;
    for (size_t k = 0; k < each; ++k) number[k] = (float)mot_array_number(x, index * each + k);
    return MOT_OK;
}

static bool is_bytes(const array *x)
{
    return x->kind == ARRAY_UNSIGNED && x->size == 1;
}

static mot_status read_picture(void *context, size_t index, void *out)
{
    const reader_part *part = context;
    const array *x = &part->from->x[part->split];
    const size_t each = numbers_each(x);
    unsigned char *pixel = out;
    if (is_bytes(x) && x->plain) {
        memcpy(out, x->data + index * each, each);
        return MOT_OK;
    }
    for (size_t k = 0; k < each; ++k)
        pixel[k] = (unsigned char)lround(mot_array_number(x, index * each + k) * part->from->unit);
    return MOT_OK;
}

static mot_status read_text(void *context, size_t index, void *out)
{
    const reader_part *part = context;
    mot_array_ids_read(&part->from->x[part->split], &part->from->ids, index, out);
    return MOT_OK;
}

/* Bytes as they are; other numbers that are whole in 0..255; or, where all lie in 0..1, parts of 255. */
static mot_status check_pixels(const mot_import_options *options, reader *r)
{
    double most = 0, error = 0;
    bool whole = true;
    r->unit = 1;
    for (int s = 0; s < IMPORT_SPLITS; ++s)
        for (size_t i = 0; i < r->x[s].count && !is_bytes(&r->x[s]); ++i) {
            const array *x = &r->x[s];
            const double value = mot_array_number(x, i);
            if (!(value >= 0 && value <= 255))
                return mot_fail(MOT_ERR_INPUT, "%s: sample %zu: pixel %g, expected 0 to 255, or 0 to 1",
                                x->path, i / numbers_each(x), value);
            most = fmax(most, value);
            whole = whole && value == floor(value);
            error = fmax(error, fabs(value * 255 - round(value * 255)));
        }
    const bool float_or_bool = array_is_float(&r->x[0]) || r->x[0].kind == ARRAY_BOOL;
    if (options->as != NULL && options->as->format.reading.pixel_unit == 0 && whole && most == 1 &&
        float_or_bool)
        return mot_fail(MOT_ERR_INPUT,
                        "%s: all pixels are 0 or 1: of 0 to 1, or of 0 to 255? Saved as bytes (uint8), they "
                        "are of 0 to 255",
                        r->x[0].path);
    if (whole && (most > 1 || !array_is_float(&r->x[0]))) return MOT_OK;
    if (most > 1)
        return mot_fail(MOT_ERR_INPUT,
                        "%s: pixels up to %g that are not whole: pictures are bytes, so round them first",
                        r->x[0].path, most);
    r->unit = 255;
    r->set.format.reading.pixel_unit = 255;
    if (error > 1e-3)
        mot_import_note(options, "%s: pixels of 0 to 1 are kept as bytes, and rounded by up to %.4f",
                        r->x[0].path, error / 255);
    return MOT_OK;
}

static bool same_format(const mot_sample_format *a, const mot_sample_format *b)
{
    return a->kind == b->kind && a->channels == b->channels && a->height == b->height &&
           a->width == b->width && a->tokens == b->tokens && a->features == b->features;
}

static mot_status find_format(const mot_import_options *options, reader *r)
{
    const array *x[IMPORT_SPLITS] = {NULL};
    mot_sample_format other;
    mot_status status = MOT_OK;
    for (int s = 0; s < IMPORT_SPLITS; ++s) {
        if (r->x[s].rank == 0) continue;
        x[s] = &r->x[s];
        MOT_TRY(mot_array_sample_format(options, &r->x[s], &other));
        if (s == 0) r->set.format = other;
        if (same_format(&r->set.format, &other)) continue;
        status = mot_fail(MOT_ERR_INPUT, "%s: its samples have another shape than those of train: %s, and %s",
                          r->x[s].path, mot_array_describe(&r->x[s]).text, mot_array_describe(&r->x[0]).text);
        goto done;
    }
    if (r->set.format.kind == MOT_SAMPLE_PICTURE) MOT_TRY(check_pixels(options, r));
    if (r->set.format.kind != MOT_SAMPLE_TEXT) goto done;
    MOT_TRY(mot_array_ids_find(options, x, &r->ids));
    r->set.format.vocabulary = MOT_MAX(r->ids.vocabulary, (size_t)2);
    r->set.format.reading.id_shift = r->ids.shift;
    if (options->pad != NULL)
        snprintf(r->set.format.reading.pad, sizeof r->set.format.reading.pad, "%s", options->pad);
done:
    return status;
}

/* ---- labels and groups ---- */

/* A one and zeros besides, in every row. */
static bool is_one_hot(const array *y)
{
    for (size_t i = 0; i < y->shape[0]; ++i) {
        size_t ones = 0;
        for (size_t k = 0; k < y->shape[1]; ++k) {
            const double value = mot_array_number(y, i * y->shape[1] + k);
            if (value != 0 && value != 1) return false;
            ones += value == 1;
        }
        if (ones != 1) return false;
    }
    return true;
}

static mot_status fail_several(const array *y, const array *x, const char *what, size_t columns)
{
    if (x->rank == 2 && y->shape[1] == x->shape[1] && columns > 2 && !array_is_float(x))
        return mot_fail(MOT_ERR_INPUT, "%s: %s: a %s a token: mot learns one %s a sample", y->path,
                        mot_array_describe(y).text, what, what);
    return mot_fail(MOT_ERR_INPUT,
                    "%s: %s: %zu columns of %ss: mot learns one %s a sample (--label-column N takes the N-th)",
                    y->path, mot_array_describe(y).text, columns, what, what);
}

/* Which of several columns, or t->columns... the one-hot of one. */
static mot_status find_column(const mot_import_options *options, const array *y, const array *x, bool group,
                              size_t *column)
{
    const size_t columns = y->count / y->shape[0];
    const char *what = group ? "group" : "label";
    *column = 0;
    if (columns == 1) return MOT_OK;
    if (!group && options->label_column != NULL) {
        char *end;
        const size_t number = strtoul(options->label_column, &end, 10);
        *column = strcmp(options->label_column, "last") == 0 ? columns - 1 : number - 1;
        if (*column < columns && (*end == '\0' || *column == columns - 1)) return MOT_OK;
        return mot_fail(MOT_ERR_INPUT, "%s: --label-column %s: expected 1 to %zu, or last", y->path,
                        options->label_column, columns);
    }
    *column = columns;
    if (y->rank == 2 && !array_is_text(y) && is_one_hot(y)) {
        mot_import_note(options, "%s: %s is a one among zeros a sample, and its place the %s", y->path,
                        mot_array_describe(y).text, what);
        return MOT_OK;
    }
    return fail_several(y, x, what, columns);
}

/* *column: y with a row a sample, or MOT_ERR_INPUT. */
static mot_status find_rows(const array *y, size_t samples, const char *what, array *column)
{
    *column = *y;
    if (y->rank == 2 && y->shape[0] == 1 && samples > 1) { /* a row */
        column->rank = 1;
        column->shape[0] = y->shape[1];
        column->stride[0] = y->stride[1];
    }
    if (column->shape[0] == samples) return MOT_OK;
    return mot_fail(MOT_ERR_INPUT, "%s: %s: expected one %s for each of the %zu samples", y->path,
                    mot_array_describe(y).text, what, samples);
}

/* Targets that are numbers, as many in every split. */
static mot_status read_numbers(const array *y, size_t samples, size_t *numbers, float **out)
{
    array rows;
    mot_status status = MOT_OK;
    MOT_TRY(find_rows(y, samples, "target", &rows));
    const size_t each = rows.count / samples;
    if (array_is_text(y) || y->rank > 2 || (*numbers > 0 && *numbers != each))
        return mot_fail(MOT_ERR_INPUT, "%s: %s: expected numbers, one or several a sample and as many as in train",
                        y->path, mot_array_describe(y).text);
    *numbers = each;
    MOT_TRY(mot_allocate(out, samples * each, sizeof(float), "the targets"));
    for (size_t i = 0; i < samples * each; ++i) (*out)[i] = (float)mot_array_number(&rows, i);
    MOT_TRY(mot_dataset_numbers_check(y->path, 0, samples, each, *out));
done:
    return status;
}

static mot_status read_values(const mot_import_options *options, const array *y, const array *x, bool group,
                              import_values *out)
{
    array column;
    const size_t samples = x->shape[0];
    mot_status status = MOT_OK;
    MOT_TRY(find_rows(y, samples, group ? "group" : "label", &column));
    size_t which;
    MOT_TRY(find_column(options, &column, x, group, &which));
    const size_t columns = column.count / samples;
    if (array_is_text(y)) {
        MOT_TRY(mot_array_texts(&column, &out->text));
        for (size_t i = 0; i < samples; ++i) out->text[i] = out->text[i * columns + which];
        goto done;
    }
    MOT_TRY(mot_allocate(&out->number, samples, sizeof(double), "the labels"));
    for (size_t i = 0; i < samples; ++i) {
        if (which < columns) {
            out->number[i] = mot_array_number(&column, i * columns + which);
            continue;
        }
        for (size_t k = 0; k < columns; ++k)
            if (mot_array_number(&column, i * columns + k) == 1) out->number[i] = (double)k;
    }
done:
    return status;
}

static mot_status make_part(const mot_import_options *options, reader *r, const arrays *from,
                            reader_part *context)
{
    const int s = context->split;
    import_part *part = &r->set.part[s];
    *part = (import_part){.path = from->x.path,
                          .samples = from->x.shape[0],
                          .context = context,
                          .sample = r->set.format.kind == MOT_SAMPLE_PICTURE ? read_picture
                                    : r->set.format.kind == MOT_SAMPLE_TEXT  ? read_text
                                                                             : read_vector};
    mot_status status = MOT_OK;
    if (options->as != NULL) return MOT_OK;
    if (from->y.rank == 0)
        return mot_fail(MOT_ERR_INPUT,
                        "%s: samples without labels: mot learns one label a sample, from a second array; it "
                        "does not learn the next word of a text (language modelling)",
                        from->x.path);
    MOT_TRY(options->numbers ? read_numbers(&from->y, part->samples, &r->set.numbers, &part->number)
                             : read_values(options, &from->y, &from->x, false, &part->label));
    if (from->group.rank > 0) MOT_TRY(read_values(options, &from->group, &from->x, true, &part->group));
done:
    return status;
}

mot_status mot_import_arrays(const mot_import_options *options, const arrays splits[IMPORT_SPLITS])
{
    reader r = {.unit = 1};
    reader_part parts[IMPORT_SPLITS];
    mot_status status = MOT_OK;
    for (int s = 0; s < IMPORT_SPLITS; ++s) r.x[s] = splits[s].x;
    MOT_TRY(find_format(options, &r));
    for (int s = 0; s < IMPORT_SPLITS; ++s) {
        parts[s] = (reader_part){&r, s};
        if (splits[s].x.rank > 0) MOT_TRY(make_part(options, &r, &splits[s], &parts[s]));
    }
    MOT_TRY(mot_import_plan(options, &r.set));
    MOT_TRY(mot_import_write(options, &r.set));
done:
    mot_import_set_free(&r.set);
    for (int s = 0; s < IMPORT_SPLITS; ++s) {
        mot_free(r.set.part[s].label.text);
        mot_free(r.set.part[s].label.number);
        mot_free(r.set.part[s].group.text);
        mot_free(r.set.part[s].group.number);
    }
    return status;
}
