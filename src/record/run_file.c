#include "record_private.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "mot/atomic_file.h"

/* Links from `group` to every file of RUN/`group` whose name ends with ".h5". HDF5 lists a group's members by
 * name, and names have their steps in eight digits, so that they come in the order of steps. */
static mot_status link_files(hid_t file, const char *run, const char *folder, const char *group,
                             bool segments)
{
    mot_status status = MOT_OK;
    char path[MOT_RECORD_PATH];
    MOT_TRY(mot_path_join(path, sizeof path, run, folder));
    DIR *const files = opendir(path);
    if (files == NULL && errno == ENOENT) return MOT_OK; /* no checkpoint yet */
    if (files == NULL) return mot_fail(MOT_ERR_FILE, "%s: %s", path, strerror(errno));
    for (struct dirent *entry; status == MOT_OK && (entry = readdir(files)) != NULL;) {
        mot_gidx first, last;
        const size_t length = strlen(entry->d_name);
        const bool ours = segments ? mot_segment_parse(entry->d_name, &first, &last)
                                   : strncmp(entry->d_name, "step-", 5) == 0 && length > 8 && length < 64 &&
                                         strcmp(entry->d_name + length - 3, ".h5") == 0;
        if (!ours) continue;
        char link[MOT_RECORD_PATH], target[MOT_RECORD_PATH];
        snprintf(link, sizeof link, "%s/%.*s", group, (int)(length - 3), entry->d_name);
        snprintf(target, sizeof target, "%s/%s", folder, entry->d_name);
        status = mot_h5_link(file, link, target, "/");
    }
    closedir(files);

done:
    return status;
}

mot_status mot_record_relink(const mot_record *record)
{
    mot_status status = MOT_OK;
    hid_t file = H5I_INVALID_HID;
    char path[MOT_RECORD_PATH];
    const char *const config = record->config_text;
    MOT_TRY(mot_path_join(path, sizeof path, record->folder, "run.h5"));
    MOT_TRY(mot_h5_create_file(&file, path, MOT_H5_HEAD));
    MOT_TRY(mot_record_provenance(file, record, MOT_RUN_FORMAT));
    MOT_TRY(mot_record_kinds(file, record));
    MOT_TRY(mot_h5_write_names(file, "config", 1, &config));
    MOT_TRY(mot_h5_make_scale(file, "config", "config")); /* of itself: no dimension is without a name */
    MOT_TRY(link_files(file, record->folder, "record", "segments", true));
    MOT_TRY(link_files(file, record->folder, "checkpoints", "checkpoints", false));
    MOT_TRY(mot_h5_close_file(&file, path, true));

done:
    (void)mot_h5_close_file(&file, path, false);
    return status;
}
