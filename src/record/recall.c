/* What a run that goes on wants to know of its own record. */
#include "mot/record_read.h"
#include "record_private.h"

static mot_status take_segment(const char *path, mot_gidx step, int layer, mot_gidx samples, size_t choices, uint16_t *expert)
{
    enum { STEP, SPLIT, CHOICE, SAMPLE, EXPERT, COLUMNS };
    static const char *const name[COLUMNS] = {"step", "split", "choice", "sample", "expert"};
    mot_record_values column[COLUMNS] = {{0}};
    mot_status status;
    hid_t file = H5I_INVALID_HID;
    size_t rows = SIZE_MAX;
    MOT_TRY(mot_h5_open_sealed(&file, path, "segment"));
    for (int c = 0; c < COLUMNS; ++c) {
        const mot_record_item item = {.kind = MOT_RECORD_CHOICES, .name = name[c], .layer = layer};
        MOT_TRY(mot_record_take(file, &item, false, &column[c]));
        rows = MOT_MIN(rows, column[c].rows);
    }
    for (size_t r = 0; r < rows; ++r) {
        const mot_gidx sample = (mot_gidx)column[SAMPLE].value[r];
        const size_t choice = (size_t)column[CHOICE].value[r];
        if ((mot_gidx)column[STEP].value[r] == step && column[SPLIT].value[r] == 1 && choice < choices && sample >= 0 && sample < samples)
            expert[(size_t)sample * choices + choice] = (uint16_t)column[EXPERT].value[r];
    }

done:
    for (int c = 0; c < COLUMNS; ++c) mot_record_values_free(&column[c]);
    mot_h5_close(&file);
    return status;
}

mot_status mot_record_last_choices(const mot_record *record, mot_gidx step, int layer, mot_gidx samples, size_t choices,
                                   uint16_t *expert)
{
    mot_status status = MOT_OK;
    for (size_t s = 0; s < record->segments && status == MOT_OK; ++s) {
        char path[MOT_RECORD_PATH];
        if (step < record->segment[s].first || step > record->segment[s].last) continue;
        status = mot_record_segment_path(path, record->folder, &record->segment[s]);
        if (status == MOT_OK) status = take_segment(path, step, layer, samples, choices, expert);
    }
    return status;
}
