/* A run as one HDF5 file: run.h5, and in the place of its links what they lead to. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "mot/h5.h"
#include "mot/memory.h"
#include "mot/output.h"
#include "mot/record.h"
#include "weights.h"

typedef struct whole {
    const char *run, *out;
    char *id; /* owned: the run's */
    hid_t to;
    size_t copied, missing;
    mot_status status;
} whole;

/* Where an external link leads, relative to the run folder; false: it is none. */
static bool target_of(hid_t group, const char *name, char value[MOT_PATH], const char **target)
{
    const char *object;
    H5L_info_t link;
    return H5Lget_info(group, name, &link, H5P_DEFAULT) >= 0 && link.type == H5L_TYPE_EXTERNAL && link.u.val_size <= MOT_PATH &&
           H5Lget_val(group, name, value, MOT_PATH, H5P_DEFAULT) >= 0 &&
           H5Lunpack_elink_val(value, link.u.val_size, NULL, target, &object) >= 0;
}

/* run.h5, whose links are to be followed, may itself have been replaced. */
static mot_status check_run_file(whole *w, hid_t file, const char *path)
{
    char *format = NULL;
    mot_status status;
    MOT_TRY(mot_h5_find_text(file, ".", "format", &format));
    if (format == NULL || strcmp(format, MOT_RUN_FORMAT) != 0)
        status = mot_fail(MOT_ERR_INPUT, "%s is no file of a run: its format is '%s', expected '%s'; the run makes it anew when it goes on", path,
                          format != NULL ? format : "", MOT_RUN_FORMAT);
    else
        status = mot_h5_find_text(file, ".", "run_id", &w->id);
done:
    mot_free(format);
    return status;
}

static mot_status copy_file(whole *w, const char *path, const char *place)
{
    hid_t from = H5I_INVALID_HID;
    char *id = NULL;
    mot_status status;
    MOT_TRY(mot_output_apart(w->out, path));
    MOT_TRY(mot_h5_open_sealed(&from, path, "file of the run"));
    MOT_TRY(mot_h5_find_text(from, ".", "run_id", &id));
    if (id != NULL && w->id != NULL && strcmp(id, w->id) != 0)
        status = mot_fail(MOT_ERR_INPUT, "%s is of the run %s, and run.h5 beside it of the run %s", path, id, w->id);
    else
        status = mot_h5_copy(from, w->to, place);
done:
    mot_free(id);
    mot_h5_close(&from);
    return status;
}

/* A checkpoint that was removed since leaves a link that leads nowhere. */
static mot_status copy_linked(whole *w, hid_t group, const char *of, const char *name)
{
    char value[MOT_PATH], path[MOT_PATH], place[256];
    const char *target;
    mot_status status = MOT_OK;
    if (!target_of(group, name, value, &target)) return MOT_OK;
    if (target[0] == '/' || strstr(target, "..") != NULL)
        return mot_fail(MOT_ERR_INPUT, "%s/run.h5: /%s/%s leads outside the run folder: not followed", w->run, of, name);
    MOT_TRY(mot_path_join(path, sizeof path, w->run, target));
    if (access(path, F_OK) != 0) {
        ++w->missing;
        return MOT_OK;
    }
    snprintf(place, sizeof place, "/%s/%.200s", of, name);
    MOT_TRY(copy_file(w, path, place));
    ++w->copied;
done:
    return status;
}

/* `segments`, `checkpoints`: groups of links. */
static mot_status copy_links(whole *w, hid_t file, const char *of)
{
    H5G_info_t info = {0};
    char name[256];
    mot_status status = MOT_OK;
    if (!mot_h5_exists(file, of)) return MOT_OK;
    hid_t group = H5Gopen2(file, of, H5P_DEFAULT);
    if (group < 0 || H5Gget_info(group, &info) < 0) status = mot_fail(MOT_ERR_INPUT, "%s/run.h5: /%s cannot be read", w->run, of);
    for (hsize_t i = 0; i < info.nlinks && status == MOT_OK; ++i)
        if (H5Lget_name_by_idx(group, ".", H5_INDEX_NAME, H5_ITER_INC, i, name, sizeof name, H5P_DEFAULT) > 0)
            status = copy_linked(w, group, of, name);
    mot_h5_close(&group);
    return status;
}

mot_status mot_run_h5_write(const char *run, const char *out)
{
    whole w = {.run = run, .out = out, .to = H5I_INVALID_HID};
    hid_t file = H5I_INVALID_HID;
    char path[MOT_PATH];
    mot_status status;
    MOT_TRY(mot_path_join(path, sizeof path, run, "run.h5"));
    if (access(path, F_OK) != 0) return mot_fail(MOT_ERR_INPUT, "%s: not a run folder: it has no run.h5", run);
    MOT_TRY(mot_output_apart(out, path));
    MOT_TRY(mot_h5_open_sealed(&file, path, "run"));
    MOT_TRY(check_run_file(&w, file, path));
    MOT_TRY(mot_h5_create_file(&w.to, out, MOT_H5_HEAD));
    MOT_TRY(mot_h5_copy(file, w.to, "/"));
    MOT_TRY(copy_links(&w, file, "segments"));
    MOT_TRY(copy_links(&w, file, "checkpoints"));
    MOT_TRY(mot_h5_set_text(w.to, ".", "format", "mot-run-export"));
    MOT_TRY(mot_h5_close_file(&w.to, out, true));
    printf("wrote %s: run.h5 with %zu files in it", out, w.copied);
    if (w.missing > 0) printf(", without %zu that were removed", w.missing);
    putchar('\n');
done:
    (void)mot_h5_close_file(&w.to, out, false);
    mot_free(w.id);
    mot_h5_close(&file);
    return status;
}
