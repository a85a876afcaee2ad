/* The files in RUN/record: their names, and which there are. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

/* True when the name is one of ours. */
static bool parse(const char *name, record_segment *segment)
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
        if (!parse(file->d_name, &segment)) continue;
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
