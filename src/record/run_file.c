#include "record_private.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "mot/atomic_file.h"
#include "mot/clock.h"

/* run.h5 costs as much as there are files: always made anew at once it would slow down a run with many. */
enum { MOST_OF_TIME = 20, LATEST_S = 60 };

/* Seconds that this thread had a processor: neither a slow disk nor a busy machine is a reason to leave a file out. */
static double worked_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static mot_status link_segments(hid_t file, const mot_record *record)
{
    mot_status status = MOT_OK;
    const size_t written = record->segments - (record->begun && !record->written ? 1 : 0);
    for (size_t s = 0; s < written && status == MOT_OK; ++s) {
        char name[MOT_SEGMENT_NAME], link[MOT_SEGMENT_NAME + 16], target[MOT_SEGMENT_NAME + 16];
        record_segment segment = record->segment[s];
        segment.open = record->begun && s + 1 == record->segments; /* the others get their names below */
        mot_record_segment_name(name, &segment);
        snprintf(link, sizeof link, "segments/%.*s", (int)strlen(name) - 3, name);
        snprintf(target, sizeof target, "record/%s", name);
        status = mot_h5_link(file, link, target, "/");
    }
    return status;
}

/* Links to every file of RUN/checkpoints that is called as one. HDF5 lists a group's members by name, and names have their
 * steps in eight digits, so that they come in the order of steps. */
static mot_status link_checkpoints(hid_t file, const char *run)
{
    mot_status status = MOT_OK;
    char path[MOT_RECORD_PATH];
    MOT_TRY(mot_path_join(path, sizeof path, run, "checkpoints"));
    DIR *const files = opendir(path);
    if (files == NULL && errno == ENOENT) return MOT_OK; /* no checkpoint yet */
    if (files == NULL) return mot_fail(MOT_ERR_FILE, "%s: %s", path, strerror(errno));
    for (struct dirent *entry; status == MOT_OK && (entry = readdir(files)) != NULL;) {
        const size_t length = strlen(entry->d_name);
        if (strncmp(entry->d_name, "step-", 5) != 0 || length <= 8 || length >= 64 ||
            strcmp(entry->d_name + length - 3, ".h5") != 0)
            continue;
        char link[128], target[128];
        snprintf(link, sizeof link, "checkpoints/%.*s", (int)(length - 3), entry->d_name);
        snprintf(target, sizeof target, "checkpoints/%.63s", entry->d_name);
        status = mot_h5_link(file, link, target, "/");
    }
    closedir(files);

done:
    return status;
}

static mot_status write_run_file(const mot_record *record)
{
    mot_status status = MOT_OK;
    hid_t file = H5I_INVALID_HID;
    char path[MOT_RECORD_PATH];
    const char *const config = record->config_text;
    MOT_TRY(mot_path_join(path, sizeof path, record->folder, "run.h5"));
    MOT_TRY(mot_h5_create_file(&file, path, MOT_H5_HEAD));
    MOT_TRY(mot_record_provenance(file, &record->source, MOT_RUN_FORMAT));
    MOT_TRY(mot_record_kinds(file, &record->source));
    MOT_TRY(mot_h5_write_names(file, "config", 1, &config));
    MOT_TRY(mot_h5_make_scale(file, "config", "config")); /* of itself: no dimension is without a name */
    MOT_TRY(link_segments(file, record));
    MOT_TRY(link_checkpoints(file, record->folder));
    MOT_TRY(mot_task_matrix_write(&record->by_task, file));
    MOT_TRY(mot_h5_close_file(&file, path, true));

done:
    (void)mot_h5_close_file(&file, path, false);
    return status;
}

/* Segments that nothing more comes into get their names only now, so that run.h5 leads to them all the time. */
static mot_status settle(mot_record *record)
{
    mot_status status = MOT_OK;
    const size_t ended = record->segments - (record->begun ? 1 : 0);
    size_t s = ended;
    while (s > 0 && record->segment[s - 1].open) --s;
    for (; s < ended && status == MOT_OK; ++s)
        status = mot_record_segment_settle(record->folder, &record->segment[s]);
    return status;
}

mot_status mot_record_relink(mot_record *record)
{
    const double before_s = worked_s();
    mot_status status;
    MOT_TRY(write_run_file(record));
    MOT_TRY(settle(record));
    record->unlinked = false;
    record->linked_s = mot_clock_s();
    record->linked_work_s = worked_s();
    record->link_work_s = record->linked_work_s - before_s;
done:
    return status;
}

void mot_record_unlinked(mot_record *record)
{
    record->unlinked = true;
}

mot_status mot_record_keep_linked(mot_record *record)
{
    const bool due = record->unlinked &&
                     (worked_s() - record->linked_work_s >= MOST_OF_TIME * record->link_work_s ||
                      mot_clock_s() - record->linked_s >= LATEST_S);
    return due ? mot_record_relink(record) : MOT_OK;
}
