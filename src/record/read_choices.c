/* Assignments, block by block. */
#include <math.h>
#include <string.h>

#include "mot/atomic_file.h"
#include "mot/memory.h"
#include "mot/record_read.h"
#include "record_private.h"

enum { BLOCK_BYTES = 1 << 20, COLUMNS = 10 }; /* of a column that is read at once */

/* Where a column goes, and as which numbers. */
typedef struct choice_column {
    const char *name;
    record_type type;
    const void **to;
    hid_t dataset; /* H5I_INVALID_HID: the segment has none */
    void *data;    /* [block] */
} choice_column;

static mot_status open_column(hid_t segment, const char *group, hsize_t rows, choice_column *column)
{
    char path[MOT_RECORD_PATH];
    hsize_t shape[MOT_H5_MAX_RANK];
    int rank;
    mot_status status;
    MOT_TRY(mot_path_join(path, sizeof path, group, column->name));
    if (!mot_h5_exists(segment, path)) return MOT_OK;
    MOT_TRY(mot_h5_shape(segment, path, &rank, shape));
    if (rank != 1 || shape[0] != rows) {
        char of[MOT_RECORD_PATH];
        status = mot_fail(MOT_ERR_INPUT, "%s: %s has an unexpected shape", mot_record_file_name(segment, of), path);
        goto done;
    }
    MOT_TRY(mot_h5_open_dataset(segment, path, &column->dataset));
done:
    return status;
}

static void fill_absent(const choice_column *column, size_t rows)
{
    if (column->type != RECORD_F32) {
        memset(column->data, 0xff, rows * mot_record_type_bytes(column->type));
        return;
    }
    for (size_t i = 0; i < rows; ++i) ((float *)column->data)[i] = NAN;
}

mot_status mot_record_each_choice(hid_t segment, int layer, mot_record_choices_taker *take, void *with)
{
    mot_record_choices choices = {0};
    choice_column column[COLUMNS] = {
        {"step", RECORD_I64, (const void **)&choices.step, H5I_INVALID_HID, NULL},
        {"sample", RECORD_I64, (const void **)&choices.sample, H5I_INVALID_HID, NULL},
        {"split", RECORD_I32, (const void **)&choices.split, H5I_INVALID_HID, NULL},
        {"label", RECORD_I32, (const void **)&choices.label, H5I_INVALID_HID, NULL},
        {"group", RECORD_I32, (const void **)&choices.group, H5I_INVALID_HID, NULL},
        {"choice", RECORD_I32, (const void **)&choices.choice, H5I_INVALID_HID, NULL},
        {"expert", RECORD_I32, (const void **)&choices.expert, H5I_INVALID_HID, NULL},
        {"predicted", RECORD_I32, (const void **)&choices.predicted, H5I_INVALID_HID, NULL},
        {"prob", RECORD_F32, (const void **)&choices.prob, H5I_INVALID_HID, NULL},
        {"loss", RECORD_F32, (const void **)&choices.loss, H5I_INVALID_HID, NULL},
    };
    char group[MOT_RECORD_GROUP], path[MOT_RECORD_PATH];
    hsize_t shape[MOT_H5_MAX_RANK];
    int rank;
    size_t block = 1;
    mot_status status = MOT_OK;
    mot_record_assign_group(group, layer);
    MOT_TRY(mot_path_join(path, sizeof path, group, column[0].name));
    if (!mot_h5_exists(segment, path)) return MOT_OK;
    MOT_TRY(mot_h5_shape(segment, path, &rank, shape));
    MOT_TRY(mot_h5_block(segment, path, BLOCK_BYTES, &block));
    block = MOT_MIN(block, (size_t)shape[0]);
    for (int c = 0; c < COLUMNS; ++c) {
        MOT_TRY(open_column(segment, group, shape[0], &column[c]));
        MOT_TRY(mot_allocate(&column[c].data, block, mot_record_type_bytes(column[c].type), "assignments of a record"));
        *column[c].to = column[c].data;
        if (column[c].dataset < 0) fill_absent(&column[c], block);
    }
    for (hsize_t first = 0; first < shape[0] && status == MOT_OK; first += block) {
        choices.rows = MOT_MIN(block, (size_t)(shape[0] - first));
        for (int c = 0; c < COLUMNS && status == MOT_OK; ++c)
            if (column[c].dataset >= 0)
                status = mot_h5_read_rows_of(column[c].dataset, mot_record_type_h5(column[c].type), first, choices.rows,
                                             column[c].data);
        if (status == MOT_OK) status = take(with, &choices);
    }
done:
    for (int c = 0; c < COLUMNS; ++c) {
        mot_h5_close(&column[c].dataset);
        mot_free(column[c].data);
    }
    return status;
}
