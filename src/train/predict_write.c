/* Predictions as a table, as NumPy arrays, and as HDF5. */
#include <stdio.h>
#include <string.h>

#include "csv.h"
#include "mot/h5.h"
#include "mot/npz.h"
#include "mot/version.h"
#include "predict_private.h"

static bool ends_with(const char *text, const char *end)
{
    const size_t length = strlen(text), tail = strlen(end);
    return length > tail && strcmp(text + length - tail, end) == 0;
}

mot_status predict_check_name(const char *out)
{
    if (ends_with(out, ".csv") || ends_with(out, ".npz") || ends_with(out, ".h5")) return MOT_OK;
    return mot_fail(MOT_ERR_INPUT, "%s: expected a name that ends with .csv, .npz or .h5", out);
}

/* ---- .csv ---- */

static const char *name_of(const predictions *p, size_t class, char number[24])
{
    if (p->names != NULL) return p->names[class];
    snprintf(number, 24, "%zu", class);
    return number;
}

/* "sample,class,expert,gate_probability,expert_2,gate_probability_2,...,p_NAME,..." */
static void put_head(const predictions *p, FILE *stream)
{
    char number[24];
    fputs("sample,class", stream);
    for (size_t k = 0; k < p->choices; ++k)
        if (k == 0)
            fputs(",expert,gate_probability", stream);
        else
            fprintf(stream, ",expert_%zu,gate_probability_%zu", k + 1, k + 1);
    for (size_t c = 0; c < p->classes; ++c) {
        fputc(',', stream);
        csv_put_field(stream, "p_", name_of(p, c, number));
    }
    fputc('\n', stream);
}

static void put_sample(const predictions *p, size_t i, FILE *stream)
{
    char number[24];
    fprintf(stream, "%zu,", i);
    csv_put_field(stream, "", name_of(p, (size_t)p->class[i], number));
    for (size_t k = 0; k < p->choices; ++k)
        fprintf(stream, ",%d,%.9g", p->expert[i * p->choices + k], (double)p->gate[i * p->choices + k]);
    for (size_t c = 0; c < p->classes; ++c)
        fprintf(stream, ",%.9g", (double)p->probability[i * p->classes + c]);
    fputc('\n', stream);
}

static void put_csv(const void *table, FILE *stream)
{
    const predictions *p = table;
    put_head(p, stream);
    for (size_t i = 0; i < p->samples; ++i) put_sample(p, i, stream);
}

/* ---- arrays ---- */

enum { ARRAYS = 4 };

static void arrays_of(const predictions *p, mot_npz_array array[ARRAYS])
{
    const size_t n = p->samples, C = p->classes, K = p->choices;
    array[0] = (mot_npz_array){"class", 'i', 1, {n}, p->class};
    array[1] = (mot_npz_array){"probability", 'f', 2, {n, C}, p->probability};
    array[2] = (mot_npz_array){"expert", 'i', 2, {n, K}, p->expert};
    array[3] = (mot_npz_array){"gate_probability", 'f', 2, {n, K}, p->gate};
}

static mot_status write_h5(const predictions *p, const char *out)
{
    static const char *const long_name[ARRAYS] = {
        "predicted class, index into class_names", "probability of each class",
        "the gate's choices, the first one first", "the gate's probability of each"};
    mot_npz_array array[ARRAYS];
    hid_t file = H5I_INVALID_HID;
    mot_status status;
    arrays_of(p, array);
    MOT_TRY(mot_h5_create_file(&file, out, MOT_H5_HEAD));
    MOT_TRY(mot_h5_set_text(file, ".", "format", "mot-predictions"));
    MOT_TRY(mot_h5_set_int(file, ".", "format_version", 1));
    MOT_TRY(mot_h5_set_text(file, ".", "mot_version", MOT_VERSION));
    for (size_t a = 0; a < ARRAYS; ++a) {
        const hsize_t shape[] = {array[a].shape[0], array[a].shape[1]};
        MOT_TRY(mot_h5_write(file, array[a].name, array[a].kind == 'i' ? H5T_NATIVE_INT32 : H5T_NATIVE_FLOAT,
                             array[a].rank, shape, MOT_H5_COMPRESSED, array[a].data));
        MOT_TRY(mot_h5_set_text(file, array[a].name, "long_name", long_name[a]));
        MOT_TRY(mot_h5_set_text(file, array[a].name, "units", "1"));
    }
    if (p->names != NULL)
        MOT_TRY(mot_h5_write_texts(file, "class_names", p->classes, (const char *const *)p->names));
    MOT_TRY(mot_h5_close_file(&file, out, true));
done:
    (void)mot_h5_close_file(&file, out, false);
    return status;
}

mot_status predict_write(const predictions *p, const char *out)
{
    mot_npz_array array[ARRAYS];
    if (ends_with(out, ".csv")) return csv_write(out, put_csv, p);
    if (ends_with(out, ".h5")) return write_h5(p, out);
    arrays_of(p, array);
    return mot_npz_write(out, ARRAYS, array, "class_names", p->names != NULL ? p->classes : 0, p->names);
}
