/* Predictions as a table, as NumPy arrays, and as HDF5. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "csv.h"
#include "mot/h5.h"
#include "mot/memory.h"
#include "mot/npz.h"
#include "mot/version.h"
#include "predict_private.h"

static bool ends_with(const char *text, const char *end)
{
    const size_t length = strlen(text), tail = strlen(end);
    return length > tail && strcmp(text + length - tail, end) == 0;
}

mot_status mot_predict_check_name(const char *path)
{
    if (ends_with(path, ".csv") || ends_with(path, ".npz") || ends_with(path, ".h5")) return MOT_OK;
    return mot_fail(MOT_ERR_INPUT, "%s: expected a name that ends with .csv, .npz or .h5", path);
}

static mot_status fail_write(const predict_output *output, const char *step)
{
    return mot_fail(MOT_ERR_FILE, "cannot write %s: %s: %s", output->path, step, strerror(errno));
}

static mot_status put_bytes(const predict_output *output, const void *bytes, size_t count, uint64_t at)
{
    return mot_write_at(output->file, bytes, count, at) == count ? MOT_OK : fail_write(output, "writing");
}

/* ---- .csv ---- */

/* Of a class, or of a number of the target. */
static const char *name_of(const predict_output *o, size_t which, char number[24])
{
    if (o->names != NULL) return o->names[which];
    snprintf(number, 24, "%zu", which);
    return number;
}

/* "sample,class,expert,gate_probability,expert_2,gate_probability_2,...,p_NAME,..."; of pictures "sample,file,class,...";
 * of targets that are numbers "sample,output_NAME,...,expert,...", without names "sample,output,expert,..." or
 * "sample,output_0,output_1,...,expert,..." */
static void put_head(const predict_output *o, FILE *stream)
{
    char number[24];
    fputs(o->files != NULL ? "sample,file" : "sample", stream);
    if (o->numbers == 0) fputs(",class", stream);
    for (size_t c = 0; c < o->numbers; ++c)
        if (o->names != NULL || o->numbers > 1) {
            fputc(',', stream);
            mot_csv_put_field(stream, "output_", name_of(o, c, number));
        } else {
            fputs(",output", stream);
        }
    for (size_t k = 0; k < o->choices; ++k)
        if (k == 0)
            fputs(",expert,gate_probability", stream);
        else
            fprintf(stream, ",expert_%zu,gate_probability_%zu", k + 1, k + 1);
    for (size_t c = 0; c < o->classes; ++c) {
        fputc(',', stream);
        mot_csv_put_field(stream, "p_", name_of(o, c, number));
    }
    fputc('\n', stream);
}

/* Of the i-th sample of the piece. */
static void put_sample(const predict_output *o, const predictions *p, size_t i, FILE *stream)
{
    char number[24];
    fprintf(stream, "%zu,", p->first + i);
    if (o->files != NULL) {
        mot_csv_put_field(stream, "", o->files[p->first + i]);
        fputc(',', stream);
    }
    if (o->numbers == 0) mot_csv_put_field(stream, "", name_of(o, (size_t)p->class[i], number));
    for (size_t c = 0; c < o->numbers; ++c)
        fprintf(stream, c > 0 ? ",%.9g" : "%.9g", (double)p->output[i * o->numbers + c]);
    for (size_t k = 0; k < o->choices; ++k)
        fprintf(stream, ",%d,%.9g", p->expert[i * o->choices + k], (double)p->gate[i * o->choices + k]);
    for (size_t c = 0; c < o->classes; ++c)
        fprintf(stream, ",%.9g", (double)p->probability[i * o->classes + c]);
    fputc('\n', stream);
}

typedef struct lines {
    const predict_output *output;
    const predictions *piece;
} lines;

static void put_lines(const void *of, FILE *stream)
{
    const lines *l = of;
    if (l->piece->first == 0) put_head(l->output, stream);
    for (size_t i = 0; i < l->piece->count; ++i) put_sample(l->output, l->piece, i, stream);
}

static mot_status add_lines(predict_output *o, const predictions *p)
{
    char *text = NULL;
    size_t size = 0;
    mot_status status = mot_csv_text(o->path, put_lines, &(lines){o, p}, &text, &size);
    if (status == MOT_OK) status = put_bytes(o, text, size, o->end);
    o->end += size;
    free(text);
    return status;
}

static mot_status end_table(predict_output *o)
{
    if (fsync(o->file) != 0) return fail_write(o, "syncing");
    const int closed = close(o->file);
    o->file = -1;
    if (closed != 0) return fail_write(o, "closing");
    const mot_status status = mot_file_rename(o->temporary, o->path);
    o->temporary[0] = '\0';
    return status;
}

/* ---- arrays ---- */

enum { MOST_COLUMNS = 4, BLOCK_BYTES = 4 << 20 };

/* A column of all samples, in the nameless file:
 *      | class [n] | probability [n, C] | expert [n, K] | gate_probability [n, K] |
 * or   | output [n, C] | expert [n, K] | gate_probability [n, K] | */
typedef struct column {
    const char *name, *long_name;
    char kind; /* 'i': int32, 'f': float32 */
    int rank;
    size_t width; /* numbers a sample, of four bytes each */
    size_t data;  /* where `predictions` has the pointer to them */
    uint64_t at;
} column;

#define DATA(member) offsetof(predictions, member)
static int columns_of(const predict_output *o, column columns[MOST_COLUMNS])
{
    const size_t C = o->classes, K = o->choices;
    int count = 0;
    uint64_t at = 0;
    if (o->numbers > 0) {
        columns[count++] = (column){"output", "what is predicted for each number of the target", 'f', 2,
                                    o->numbers, DATA(output), 0};
    } else {
        columns[count++] = (column){"class", "predicted class, index into class_names", 'i', 1, 1, DATA(class), 0};
        columns[count++] = (column){"probability", "probability of each class", 'f', 2, C, DATA(probability), 0};
    }
    columns[count++] = (column){"expert", "the gate's choices, the first one first", 'i', 2, K, DATA(expert), 0};
    columns[count++] = (column){"gate_probability", "the gate's probability of each", 'f', 2, K, DATA(gate), 0};
    for (int i = 0; i < count; ++i) {
        columns[i].at = at;
        at += (uint64_t)o->samples * columns[i].width * 4;
    }
    return count;
}
#undef DATA

static mot_status add_columns(const predict_output *o, const predictions *p)
{
    column columns[MOST_COLUMNS];
    mot_status status = MOT_OK;
    const int count = columns_of(o, columns);
    for (int i = 0; i < count && status == MOT_OK; ++i) {
        const size_t bytes = columns[i].width * 4;
        const void *data = *(void *const *)(const void *)((const char *)p + columns[i].data);
        status = put_bytes(o, data, p->count * bytes, columns[i].at + p->first * bytes);
    }
    return status;
}

/* Rows [first, first + count) of a column. */
static mot_status read_rows(const predict_output *o, const column *c, size_t first, size_t count, void *rows)
{
    const size_t bytes = c->width * 4;
    if (mot_read_at(o->file, rows, count * bytes, c->at + first * bytes) == count * bytes) return MOT_OK;
    if (errno == 0) errno = EIO;
    return fail_write(o, "reading back what was written");
}

/* In blocks of whole chunks of the dataset, so that each is packed once. */
static mot_status write_column(const predict_output *o, const column *c, hid_t file)
{
    const hid_t type = c->kind == 'i' ? H5T_NATIVE_INT32 : H5T_NATIVE_FLOAT;
    const hsize_t shape[] = {o->samples, c->width};
    void *block = NULL;
    size_t most;
    mot_status status = MOT_OK;
    MOT_TRY(mot_h5_write(file, c->name, type, c->rank, shape, MOT_H5_COMPRESSED, NULL));
    MOT_TRY(mot_h5_block(file, c->name, BLOCK_BYTES, &most));
    MOT_TRY(mot_allocate(&block, most, c->width * 4, "a block of predictions"));
    for (size_t first = 0; first < o->samples; first += most) {
        const size_t count = MOT_MIN(most, o->samples - first);
        MOT_TRY(read_rows(o, c, first, count, block));
        MOT_TRY(mot_h5_write_rows(file, c->name, type, first, count, block));
    }
    MOT_TRY(mot_h5_set_text(file, c->name, "long_name", c->long_name));
    MOT_TRY(mot_h5_set_text(file, c->name, "units", "1"));
done:
    mot_free(block);
    return status;
}

static const char *names_called(const predict_output *o)
{
    return o->numbers > 0 ? "target_names" : "class_names";
}

static mot_status write_h5(const predict_output *o)
{
    column columns[MOST_COLUMNS];
    hid_t file = H5I_INVALID_HID;
    mot_status status;
    const int count = columns_of(o, columns);
    MOT_TRY(mot_h5_create_file(&file, o->path, MOT_H5_HEAD));
    MOT_TRY(mot_h5_set_text(file, ".", "format", "mot-predictions"));
    MOT_TRY(mot_h5_set_int(file, ".", "format_version", 1));
    MOT_TRY(mot_h5_set_text(file, ".", "mot_version", MOT_VERSION));
    for (int i = 0; i < count; ++i) MOT_TRY(write_column(o, &columns[i], file));
    if (o->names != NULL)
        MOT_TRY(mot_h5_write_texts(file, names_called(o), o->classes + o->numbers, (const char *const *)o->names));
    if (o->files != NULL)
        MOT_TRY(mot_h5_write_texts(file, "file", o->samples, (const char *const *)o->files));
    MOT_TRY(mot_h5_close_file(&file, o->path, true));
done:
    (void)mot_h5_close_file(&file, o->path, false);
    return status;
}

static mot_status write_npz(const predict_output *o)
{
    const mot_npz_texts texts[] = {{names_called(o), o->names != NULL ? o->classes + o->numbers : 0, o->names},
                                   {"file", o->files != NULL ? o->samples : 0, o->files}};
    column columns[MOST_COLUMNS];
    mot_npz_array array[MOST_COLUMNS];
    void *data[MOST_COLUMNS] = {NULL};
    mot_status status = MOT_OK;
    const int count = columns_of(o, columns);
    for (int i = 0; i < count; ++i) {
        const column *c = &columns[i];
        MOT_TRY(mot_allocate(&data[i], o->samples, c->width * 4, "predictions"));
        MOT_TRY(read_rows(o, c, 0, o->samples, data[i]));
        array[i] = (mot_npz_array){c->name, c->kind, c->rank, {o->samples, c->width}, data[i]};
    }
    status = mot_npz_write(o->path, (size_t)count, array, MOT_COUNT(texts), texts);
done:
    for (int i = 0; i < count; ++i) mot_free(data[i]);
    return status;
}

/* ---- the output ---- */

mot_status mot_predict_output_open(predict_output *o)
{
    char name[MOT_PATH + 8];
    const bool table = ends_with(o->path, ".csv");
    mot_status status = mot_file_temporary(o->temporary, o->path);
    if (status != MOT_OK) return status;
    mot_path_folder(name, sizeof name, o->path);
    status = mot_folder_make(name);
    if (status != MOT_OK) o->temporary[0] = '\0';
    if (status != MOT_OK) return status;
    snprintf(name, sizeof name, "%s.XXXXXX", o->temporary);
    o->file = table ? open(o->temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666)
                    : mkostemp(name, O_CLOEXEC);
    if (o->file < 0) o->temporary[0] = '\0';
    if (o->file < 0) return fail_write(o, "opening");
    if (table) return MOT_OK;
    unlink(name); /* nameless from here on: nothing is left behind however the process ends */
    o->temporary[0] = '\0';
    return MOT_OK;
}

mot_status mot_predict_output_add(predict_output *o, const predictions *piece)
{
    return ends_with(o->path, ".csv") ? add_lines(o, piece) : add_columns(o, piece);
}

mot_status mot_predict_output_close(predict_output *o, bool commit)
{
    mot_status status = MOT_OK;
    if (commit)
        status = ends_with(o->path, ".csv")  ? end_table(o)
                 : ends_with(o->path, ".h5") ? write_h5(o)
                                             : write_npz(o);
    if (o->file >= 0) close(o->file);
    o->file = -1;
    if (o->temporary[0] != '\0') unlink(o->temporary);
    o->temporary[0] = '\0';
    return status;
}
