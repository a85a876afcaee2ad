/* Tables of numbers, a sample a line, with the label in one column: a vector of one token, or with a shape a
 * picture whose values are whole numbers in 0..255. */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataset_private.h"
#include "import.h"
#include "mot/memory.h"
#include "mot/order.h"

typedef struct table {
    const char *path;
    size_t columns, samples; /* columns with the label; 0: not known yet */
    double *value;           /* [samples, columns], owned */
    size_t capacity;
} table;

/* One line [at, end), which ends in 0 or a newline. *numbers: whether every field was a number. */
static mot_status read_line(table *t, const char *at, const char *end, size_t line, bool *numbers)
{
    size_t column = 0;
    *numbers = true;
    for (;;) {
        while (at < end && (*at == ' ' || *at == '\t' || *at == '"')) ++at;
        char *stop;
        double value = at < end ? strtod(at, &stop) : 0;
        const char *after = at < end ? stop : at;
        if (after == at || after > end) {
            *numbers = false;
            return mot_fail(MOT_ERR_INPUT, "%s: line %zu, column %zu: '%.*s' is not a number", t->path, line,
                            column + 1, (int)MOT_MIN(strcspn(at, ",;\n"), 40), at);
        }
        while (after < end && (*after == ' ' || *after == '\t' || *after == '"')) ++after;
        if (!isfinite(value))
            return mot_fail(MOT_ERR_INPUT, "%s: line %zu, column %zu: the number is not finite", t->path,
                            line, column + 1);
        if (t->columns > 0 && column >= t->columns)
            return mot_fail(MOT_ERR_INPUT, "%s: line %zu has more than %zu columns", t->path, line,
                            t->columns);
        const size_t place = t->samples * t->columns + column;
        mot_status status = mot_reserve(&t->value, &t->capacity, place + 1, sizeof(double), "a table");
        if (status != MOT_OK) return status;
        t->value[place] = value;
        ++column;
        at = after;
        if (at == end) break;
        if (*at != ',' && *at != ';')
            return mot_fail(MOT_ERR_INPUT, "%s: line %zu, column %zu: expected a comma behind the number",
                            t->path, line, column);
        ++at;
    }
    if (t->columns == 0) t->columns = column;
    if (column != t->columns)
        return mot_fail(MOT_ERR_INPUT, "%s: line %zu has %zu columns, those before have %zu", t->path, line,
                        column, t->columns);
    ++t->samples;
    return MOT_OK;
}

static mot_status read_table(const char *path, table *t)
{
    char *bytes = NULL;
    size_t size, line = 0;
    mot_status status = MOT_OK;
    t->path = path;
    MOT_TRY(import_read(path, import_limit, &bytes, &size));
    for (const char *at = bytes; at < bytes + size;) {
        const char *next = memchr(at, '\n', (size_t)(bytes + size - at));
        const char *end = next != NULL ? next : bytes + size;
        const char *trimmed = end > at && end[-1] == '\r' ? end - 1 : end;
        ++line;
        bool numbers = true;
        if (trimmed > at) status = read_line(t, at, trimmed, line, &numbers);
        if (status != MOT_OK && line == 1 && !numbers) status = MOT_OK; /* a header */
        if (status != MOT_OK) goto done;
        at = end + 1;
    }
    if (t->samples == 0) status = mot_fail(MOT_ERR_INPUT, "%s: no line of numbers", path);
done:
    mot_free(bytes);
    return status;
}

typedef struct rows {
    size_t label_column, picture; /* picture: pixels, or 0 */
    unsigned char *pixel;         /* room for one sample, owned */
    float *number;
} rows;

static mot_status add_row(mot_dataset_writer *writer, const char *split, const table *t, size_t row,
                          const rows *r)
{
    const double *value = t->value + row * t->columns;
    const double label = value[r->label_column];
    if (label != floor(label) || label < 0 || label >= DATASET_MAX_NAMES)
        return mot_fail(MOT_ERR_INPUT, "%s: sample %zu: label %g, expected a whole number from 0 to %d",
                        t->path, row, label, DATASET_MAX_NAMES - 1);
    for (size_t c = 0, d = 0; c < t->columns; ++c) {
        if (c == r->label_column) continue;
        if (r->picture > 0) {
            if (value[c] != floor(value[c]) || value[c] < 0 || value[c] > 255)
                return mot_fail(MOT_ERR_INPUT, "%s: sample %zu: pixel %g, expected a whole number in 0..255",
                                t->path, row, value[c]);
            r->pixel[d++] = (unsigned char)value[c];
        } else {
            r->number[d++] = (float)value[c];
        }
    }
    const int32_t y = (int32_t)label;
    return mot_dataset_writer_add(writer, split, 1, r->picture > 0 ? (void *)r->pixel : r->number, &y, NULL);
}

/* The lines of the file, or, without a test file, a part of them in a shuffled order for each of train and
 * test. */
static mot_status add_table(const mot_import_options *options, int split, mot_dataset_writer *writer,
                            const table *t, const rows *r)
{
    const bool divide = split == 0 && options->files[2] == NULL && options->test_fraction > 0;
    const size_t test = divide ? (size_t)floor(options->test_fraction * (double)t->samples) : 0;
    if (divide && (test == 0 || test == t->samples))
        return mot_fail(MOT_ERR_INPUT, "--test-fraction %g of %zu samples leaves a split empty",
                        options->test_fraction, t->samples);
    mot_status status = MOT_OK;
    for (size_t i = 0; i < t->samples && status == MOT_OK; ++i) {
        const size_t row = divide ? (size_t)mot_order_sample(options->seed, (mot_gidx)t->samples, (mot_gidx)i)
                                  : i;
        status = add_row(writer, i < test ? "test" : dataset_split_names[split], t, row, r);
    }
    return status;
}

mot_status mot_import_csv(const mot_import_options *options)
{
    mot_dataset_writer *writer = NULL;
    mot_dataset_about about = {0};
    char **names = NULL;
    table tables[IMPORT_SPLITS] = {{0}};
    rows r = {.picture = options->shape[0] * options->shape[1] * options->shape[2]};
    mot_status status = MOT_OK;
    MOT_TRY(import_names(options->class_names, "class names", &about.class_count, &names));
    for (int s = 0; s < IMPORT_SPLITS; ++s)
        if (options->files[s] != NULL) MOT_TRY(read_table(options->files[s], &tables[s]));
    const size_t columns = tables[0].columns;
    if (columns < 2 || options->label_column >= (int)MOT_MIN(columns, (size_t)INT32_MAX)) {
        status = mot_fail(
            MOT_ERR_INPUT, "%s: %zu columns, expected a label in column %d and numbers beside it",
            tables[0].path, columns, options->label_column < 0 ? (int)columns : options->label_column + 1);
        goto done;
    }
    r.label_column = options->label_column < 0 ? columns - 1 : (size_t)options->label_column;
    if (r.picture > 0 && r.picture != columns - 1) {
        status = mot_fail(MOT_ERR_INPUT, "%s: %zu numbers a line do not fill the shape %zu x %zu x %zu",
                          tables[0].path, columns - 1, options->shape[0], options->shape[1],
                          options->shape[2]);
        goto done;
    }
    MOT_TRY(mot_allocate(&r.pixel, columns, 1, "a sample"));
    MOT_TRY(mot_allocate(&r.number, columns, sizeof(float), "a sample"));
    mot_sample_format format = {
        .kind = MOT_SAMPLE_VECTOR, .element = MOT_ELEMENT_F32, .tokens = 1, .features = columns - 1};
    if (r.picture > 0)
        format = (mot_sample_format){.kind = MOT_SAMPLE_PICTURE,
                                     .channels = options->shape[0],
                                     .height = options->shape[1],
                                     .width = options->shape[2]};
    MOT_TRY(mot_dataset_writer_open(&writer, options->out, &format));
    for (int s = 0; s < IMPORT_SPLITS; ++s) {
        if (tables[s].samples == 0) continue;
        if (tables[s].columns != columns) {
            status = mot_fail(MOT_ERR_INPUT, "%s has %zu columns, %s has %zu", tables[s].path,
                              tables[s].columns, tables[0].path, columns);
            goto done;
        }
        MOT_TRY(add_table(options, s, writer, &tables[s], &r));
    }
    import_about(options, &about);
    about.class_names = (const char *const *)names;
    MOT_TRY(mot_dataset_writer_close(&writer, &about, true));
done:
    mot_dataset_writer_close(&writer, &about, false);
    for (int s = 0; s < IMPORT_SPLITS; ++s) mot_free(tables[s].value);
    mot_free(r.number);
    mot_free(r.pixel);
    mot_free(names);
    return status;
}
