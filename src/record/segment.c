/* The files in RUN/record: their names, which there are, and which stay when a run goes on. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mot/atomic_file.h"
#include "mot/memory.h"
#include "record_private.h"

/* ---- names ---- */

void mot_record_segment_name(char name[MOT_SEGMENT_NAME], const record_segment *segment)
{
    char last[24] = "open", number[16] = "";
    if (!segment->open) snprintf(last, sizeof last, "%08" MOT_PRI_GIDX, segment->last);
    if (segment->number > 0) snprintf(number, sizeof number, "_%d", segment->number);
    snprintf(name, MOT_SEGMENT_NAME, "%08" MOT_PRI_GIDX "-%s%s.h5", segment->first, last, number);
}

/* Digits at *text, which is then behind them; -1: there is no such number. */
static int64_t take_number(const char **text, int64_t most)
{
    int64_t number = 0;
    const size_t digits = strspn(*text, "0123456789");
    for (size_t i = 0; i < digits; ++i)
        if (__builtin_mul_overflow(number, 10, &number) || __builtin_add_overflow(number, (*text)[i] - '0', &number))
            return -1;
    *text += digits;
    return digits > 0 && number <= most ? number : -1;
}

bool mot_record_segment_parse(const char *name, record_segment *segment)
{
    const char *at = name;
    char again[MOT_SEGMENT_NAME];
    *segment = (record_segment){.first = take_number(&at, INT64_MAX), .last = -1};
    if (segment->first < 0 || *at++ != '-') return false;
    segment->open = strncmp(at, "open", 4) == 0;
    if (segment->open)
        at += 4;
    else
        segment->last = take_number(&at, INT64_MAX);
    if (*at == '_' && ++at) segment->number = (int)take_number(&at, INT_MAX);
    if (segment->number < 0 || (!segment->open && segment->last < segment->first)) return false;
    mot_record_segment_name(again, segment); /* only what we would call it ourselves */
    return strcmp(name, again) == 0;
}

mot_status mot_record_segment_path(char path[MOT_RECORD_PATH], const char *run, const record_segment *segment)
{
    char name[MOT_SEGMENT_NAME], folder[MOT_RECORD_PATH];
    mot_record_segment_name(name, segment);
    const mot_status status = mot_path_join(folder, sizeof folder, run, "record");
    return status == MOT_OK ? mot_path_join(path, MOT_RECORD_PATH, folder, name) : status;
}

/* ---- which there are ---- */

static int in_order(const void *a, const void *b)
{
    const record_segment *x = a, *y = b;
    if (x->first != y->first) return x->first < y->first ? -1 : 1;
    if (x->number != y->number) return x->number < y->number ? -1 : 1;
    return (x->last > y->last) - (x->last < y->last);
}

mot_status mot_record_segments_list(const char *run, record_segment **segments, size_t *count)
{
    mot_status status = MOT_OK;
    char folder[MOT_RECORD_PATH];
    size_t room = 0;
    DIR *files = NULL;
    *segments = NULL;
    *count = 0;
    MOT_TRY(mot_path_join(folder, sizeof folder, run, "record"));
    files = opendir(folder);
    if (files == NULL && errno != ENOENT) status = mot_fail(MOT_ERR_FILE, "%s: %s", folder, strerror(errno));
    for (struct dirent *file; files != NULL && (file = readdir(files)) != NULL;) {
        record_segment segment;
        if (!mot_record_segment_parse(file->d_name, &segment)) continue;
        MOT_TRY(mot_reserve(segments, &room, *count + 1, sizeof segment, "a list of segments"));
        (*segments)[(*count)++] = segment;
    }
    if (*count > 0) qsort(*segments, *count, sizeof **segments, in_order);

done:
    if (files != NULL) closedir(files);
    if (status != MOT_OK) {
        mot_free(*segments);
        *segments = NULL;
        *count = 0;
    }
    return status;
}

mot_status mot_record_segments_add(mot_record *record, const record_segment *segment)
{
    const mot_status status = mot_reserve(&record->segment, &record->room, record->segments + 1,
                                          sizeof *segment, "a list of segments");
    if (status == MOT_OK) record->segment[record->segments++] = *segment;
    return status;
}

/* ---- which stay ---- */

static mot_status remove_segment(const mot_record *record, const record_segment *segment)
{
    char path[MOT_RECORD_PATH];
    const mot_status status = mot_record_segment_path(path, record->folder, segment);
    if (status == MOT_OK && unlink(path) != 0 && errno != ENOENT)
        return mot_fail(MOT_ERR_FILE, "%s: cannot be removed: %s", path, strerror(errno));
    return status;
}

/* Which step an open segment ends with; and that the part of one which goes beyond `step` is this run's to cut away. */
static mot_status look_into(const mot_record *record, record_segment *segment, mot_gidx step)
{
    mot_status status = MOT_OK;
    hid_t file = H5I_INVALID_HID;
    char path[MOT_RECORD_PATH], *id = NULL;
    if (!segment->open && segment->last <= step) return MOT_OK;
    MOT_TRY(mot_record_segment_path(path, record->folder, segment));
    MOT_TRY(mot_h5_open_sealed(&file, path, "segment"));
    MOT_TRY(mot_h5_get_int(file, ".", "last_step", &segment->last));
    if (mot_h5_has_attribute(file, ".", "run_id")) MOT_TRY(mot_h5_get_text(file, ".", "run_id", &id));
    if (segment->last > step && strcmp(id != NULL ? id : "", record->source.run_id) != 0)
        status = mot_fail(MOT_ERR_INPUT,
                          "%s holds steps before and after step %" MOT_PRI_GIDX
                          ", from which the run would go on: it is not of this run; move it away",
                          path, step);

done:
    mot_free(id);
    mot_h5_close(&file);
    return status;
}

mot_status mot_record_segment_settle(const char *run, record_segment *segment)
{
    char before[MOT_RECORD_PATH], path[MOT_RECORD_PATH];
    mot_status status;
    MOT_TRY(mot_record_segment_path(before, run, segment));
    segment->open = false;
    MOT_TRY(mot_record_segment_path(path, run, segment));
    if (rename(before, path) != 0)
        status = mot_fail(MOT_ERR_FILE, "%s: cannot be renamed to %s: %s", before, path, strerror(errno));
    segment->open = status != MOT_OK;

done:
    return status;
}

/* A process that was killed while it cut one has left what it cut as well: the shorter stays. */
static bool is_uncut(const record_segment *segment, const record_segment *before)
{
    return segment->first == before->first && segment->number == before->number;
}

mot_status mot_record_segments_cut(mot_record *record, mot_gidx step)
{
    record_segment *const segment = record->segment;
    mot_status status = MOT_OK;
    size_t stay = 0;
    for (size_t s = 0; s < record->segments; ++s) /* all are looked at before any is touched */
        if (segment[s].first <= step) MOT_TRY(look_into(record, &segment[s], step));
    for (size_t s = 0; s < record->segments; ++s) {
        if (segment[s].first <= step && (stay == 0 || !is_uncut(&segment[s], &segment[stay - 1])))
            segment[stay++] = segment[s];
        else
            MOT_TRY(remove_segment(record, &segment[s]));
    }
    record->segments = stay;
    for (size_t s = 0; s < stay; ++s) {
        if (segment[s].last > step)
            MOT_TRY(mot_record_segment_cut(record->folder, &segment[s], step));
        else if (segment[s].open)
            MOT_TRY(mot_record_segment_settle(record->folder, &segment[s]));
    }

done:
    return status;
}
