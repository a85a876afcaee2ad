/* What a run that goes on wants to know of its own record. */
#include "mot/memory.h"
#include "record_private.h"

/* Columns of /assign, as far as they say where an evaluation's samples went first. */
typedef struct choices {
    int64_t *step, *sample;
    int8_t *split;
    int32_t *choice, *expert;
    hsize_t rows;
} choices;

static void free_choices(choices *c)
{
    mot_free(c->step);
    mot_free(c->sample);
    mot_free(c->split);
    mot_free(c->choice);
    mot_free(c->expert);
}

static mot_status read_choices(hid_t file, choices *c)
{
    static const char *const what = "the assignments of an evaluation";
    mot_status status = MOT_OK;
    int rank;
    hsize_t shape[MOT_H5_MAX_RANK];
    MOT_TRY(mot_h5_shape(file, "assign/step", &rank, shape));
    c->rows = shape[0];
    MOT_TRY(mot_allocate(&c->step, c->rows, sizeof *c->step, what));
    MOT_TRY(mot_allocate(&c->sample, c->rows, sizeof *c->sample, what));
    MOT_TRY(mot_allocate(&c->split, c->rows, sizeof *c->split, what));
    MOT_TRY(mot_allocate(&c->choice, c->rows, sizeof *c->choice, what));
    MOT_TRY(mot_allocate(&c->expert, c->rows, sizeof *c->expert, what));
    MOT_TRY(mot_h5_read(file, "assign/step", H5T_NATIVE_INT64, 1, &c->rows, c->step));
    MOT_TRY(mot_h5_read(file, "assign/sample", H5T_NATIVE_INT64, 1, &c->rows, c->sample));
    MOT_TRY(mot_h5_read(file, "assign/split", H5T_NATIVE_INT8, 1, &c->rows, c->split));
    MOT_TRY(mot_h5_read(file, "assign/choice", H5T_NATIVE_INT32, 1, &c->rows, c->choice));
    MOT_TRY(mot_h5_read(file, "assign/expert", H5T_NATIVE_INT32, 1, &c->rows, c->expert));

done:
    return status;
}

static mot_status take_segment(const char *path, mot_gidx step, mot_gidx samples, uint16_t *expert)
{
    mot_status status = MOT_OK;
    hid_t file = H5I_INVALID_HID;
    choices c = {0};
    MOT_TRY(mot_h5_open_sealed(&file, path, "segment"));
    if (!mot_h5_exists(file, "assign")) goto done;
    MOT_TRY(read_choices(file, &c));
    for (hsize_t r = 0; r < c.rows; ++r) {
        const bool wanted = c.step[r] == step && c.split[r] == 1 && c.choice[r] == 0;
        if (wanted && c.sample[r] >= 0 && c.sample[r] < samples) expert[c.sample[r]] = (uint16_t)c.expert[r];
    }

done:
    free_choices(&c);
    mot_h5_close(&file);
    return status;
}

mot_status mot_record_last_choices(const mot_record *record, mot_gidx step, mot_gidx samples,
                                   uint16_t *expert)
{
    mot_status status = MOT_OK;
    for (size_t s = 0; s < record->segments && status == MOT_OK; ++s) {
        char path[MOT_RECORD_PATH];
        if (step < record->segment[s].first || step > record->segment[s].last) continue;
        status = mot_record_segment_path(path, record->folder, &record->segment[s]);
        if (status == MOT_OK) status = take_segment(path, step, samples, expert);
    }
    return status;
}
