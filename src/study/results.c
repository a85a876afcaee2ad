/* What the trials left in their records. */
#include <dirent.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mot/memory.h"
#include "study_private.h"

enum { MOST_ROWS = 1 << 24 };

static int is_segment(const struct dirent *entry)
{
    const size_t length = strlen(entry->d_name);
    return length > 3 && strcmp(entry->d_name + length - 3, ".h5") == 0 &&
           strspn(entry->d_name, "0123456789-") == length - 3;
}

/* Appends a dataset's rows to *values (rows of *width numbers; *width 0: as the dataset has them). */
static mot_status append(hid_t file, const char *name, double **values, size_t *rows, size_t *width)
{
    int rank;
    hsize_t shape[MOT_H5_MAX_RANK];
    mot_status status = mot_h5_shape(file, name, &rank, shape);
    if (status != MOT_OK) return status;
    size_t wide = 1;
    for (int d = 1; d < rank; ++d) wide *= (size_t)shape[d];
    if (shape[0] > MOST_ROWS || wide > MOST_ROWS || (*width != 0 && wide != *width))
        return mot_fail(MOT_ERR_INPUT, "%s of a trial has an unexpected shape", name);
    *width = wide;
    double *grown = realloc(*values, (*rows + (size_t)shape[0]) * wide * sizeof **values);
    if (grown == NULL) return mot_fail(MOT_ERR_MEMORY, "not enough memory for the record of a trial");
    *values = grown;
    status = mot_h5_read(file, name, H5T_NATIVE_DOUBLE, rank, shape, grown + *rows * wide);
    *rows += (size_t)shape[0];
    return status;
}

/* One dataset over all segments that have it. */
static mot_status read_column(const char *folder, struct dirent **segments, int count, const char *name,
                              double **values, size_t *rows, size_t *width)
{
    mot_status status = MOT_OK;
    *values = NULL;
    *rows = *width = 0;
    for (int s = 0; s < count && status == MOT_OK; ++s) {
        char path[1024];
        hid_t file = H5I_INVALID_HID;
        snprintf(path, sizeof path, "%s/%s", folder, segments[s]->d_name);
        status = mot_h5_open(&file, path, false);
        if (status == MOT_OK && mot_h5_exists(file, name)) status = append(file, name, values, rows, width);
        mot_h5_close(&file);
    }
    return status;
}

/* Integers are read as they are and become doubles: mot_h5_read converts within a class only. */
static mot_status read_integers(const char *folder, struct dirent **segments, int count, const char *name,
                                double **values, size_t *rows, size_t *width);

static mot_status append_integers(hid_t file, const char *name, double **values, size_t *rows, size_t *width)
{
    int rank;
    hsize_t shape[MOT_H5_MAX_RANK];
    mot_status status = mot_h5_shape(file, name, &rank, shape);
    if (status != MOT_OK) return status;
    size_t wide = 1;
    for (int d = 1; d < rank; ++d) wide *= (size_t)shape[d];
    if (shape[0] > MOST_ROWS || wide > MOST_ROWS || (*width != 0 && wide != *width))
        return mot_fail(MOT_ERR_INPUT, "%s of a trial has an unexpected shape", name);
    *width = wide;
    const size_t numbers = (size_t)shape[0] * wide;
    int64_t *read = NULL;
    double *grown = realloc(*values, (*rows * wide + numbers) * sizeof **values);
    if (grown == NULL) return mot_fail(MOT_ERR_MEMORY, "not enough memory for the record of a trial");
    *values = grown;
    status = mot_allocate(&read, numbers, sizeof *read, "the record of a trial");
    if (status == MOT_OK) status = mot_h5_read(file, name, H5T_NATIVE_INT64, rank, shape, read);
    for (size_t i = 0; status == MOT_OK && i < numbers; ++i) grown[*rows * wide + i] = (double)read[i];
    if (status == MOT_OK) *rows += (size_t)shape[0];
    mot_free(read);
    return status;
}
