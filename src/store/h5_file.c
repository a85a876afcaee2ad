#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mot/atomic_file.h"
#include "mot/h5.h"
#include "mot/memory.h"
#include "store_private.h"

/* ---- failures ---- */

/* HDF5's description of a failed system call is a page of values; the system's own words are in it. */
static herr_t keep_first(unsigned n, const H5E_error2_t *error, void *text)
{
    if (n > 0 || error->desc == NULL) return 0;
    const char *mark = "error message = '", *own = strstr(error->desc, mark);
    const char *from = own != NULL ? own + strlen(mark) : error->desc;
    snprintf(text, 256, "%.*s", (int)strcspn(from, own != NULL ? "'" : "\n"), from);
    return 0;
}

mot_status mot_h5_fail(mot_status code, bool quote, hid_t where, const char *object, const char *format, ...)
{
    char inner[256] = "", sentence[512], file[STORE_MAX_NAME] = "", group[STORE_MAX_NAME] = "";
    if (quote) H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, keep_first, inner); /* begins where the error began */
    if (H5Fget_name(where, file, sizeof file) < 0) file[0] = '\0';
    if (H5Iget_name(where, group, sizeof group) < 0 || strcmp(group, "/") == 0) group[0] = '\0';
    va_list args;
    va_start(args, format);
    vsnprintf(sentence, sizeof sentence, format, args);
    va_end(args);
    const bool own = strcmp(object, ".") == 0;
    const char *slash = own || object[0] == '/' ? "" : "/", *colon = own && group[0] == '\0' ? "" : ":";
    return mot_fail(code, "%s%s%s%s%s: %s%s%s", file, colon, group, slash, own ? "" : object, sentence,
                    inner[0] != '\0' ? ": " : "", inner);
}

/* HDF5 prints its error stack to standard error until told otherwise, thread by thread. */
static void silence(void)
{
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
}

static mot_status fail_file(mot_status code, const char *path, const char *what)
{
    char inner[256] = "";
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, keep_first, inner);
    return mot_fail(code, "%s: %s%s%s", path, what, inner[0] != '\0' ? ": " : "", inner);
}

/* ---- files ---- */

/* STRONG: closing a file closes what a failing path left open in it, so that its bytes reach the disk. The
 * property `gc_references`, without meaning for a file that is read, carries `follow_links` through HDF5 to
 * every group and linked file opened from this one. */
static hid_t access_list(bool follow_links)
{
    const hid_t list = H5Pcreate(H5P_FILE_ACCESS);
    if (list >= 0) {
        H5Pset_fclose_degree(list, H5F_CLOSE_STRONG);
        H5Pset_gc_references(list, follow_links);
        H5Pset_file_locking(list, false, true);
    }
    return list;
}

/* A file of HDF5 1.8's format: its metadata carry checksums, and a program that opens it for writing and closes it
 * leaves each byte as it was, where it rewrites the first block of one of the older format. No time of creation: the same
 * contents give the same bytes. */
static hid_t create_at(const char *path, hid_t access)
{
    hid_t creation = H5Pcreate(H5P_FILE_CREATE);
    H5Pset_obj_track_times(creation, false);
    H5Pset_libver_bounds(access, H5F_LIBVER_V18, H5F_LIBVER_LATEST);
    H5Pset_small_data_block_size(access, 0); /* else these share blocks, wherever the first of them was put */
    const hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, creation, access);
    mot_h5_close(&creation);
    return file;
}

mot_status mot_h5_create_file(hid_t *file, const char *path, uint64_t end)
{
    *file = H5I_INVALID_HID;
    silence();
    char temporary[MOT_PATH];
    mot_status status = mot_file_temporary(temporary, path);
    if (status != MOT_OK) return status;
    /* Asked of the system first, whose answer says more than HDF5's. */
    const int fd = open(temporary, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0) return mot_fail(MOT_ERR_FILE, "cannot write %s: opening: %s", path, strerror(errno));
    close(fd);
    hid_t access = access_list(false);
    if (!mot_h5_stream_choose(access, end))
        status = fail_file(MOT_ERR_FILE, path, "cannot choose the file driver");
    else if ((*file = create_at(temporary, access)) < 0)
        status = fail_file(MOT_ERR_FILE, path, "cannot make the HDF5 file");
    if (status != MOT_OK) unlink(temporary);
    mot_h5_close(&access);
    if (status == MOT_OK && !mot_h5_stream_skip_foreign(*file)) {
        (void)mot_h5_close_file(file, path, false);
        status = mot_fail(MOT_ERR_FILE, "%s: HDF5 takes more than the first %d bytes for itself", path,
                          MOT_H5_HEAD);
    }
    return status;
}

mot_status mot_h5_check_written(hid_t where, const char *object)
{
    const int error = mot_h5_stream_error(where);
    if (error == 0) return MOT_OK;
    return mot_h5_fail(MOT_ERR_FILE, false, where, object, "cannot be written: %s", strerror(error));
}

/* Makes room for the mark. Flushed first, which gives back what HDF5 keeps in reserve: else the room would lie behind
 * that. Closes always. */
static mot_status close_with_room(hid_t *file, const char *path)
{
    mot_status status = MOT_OK;
    if (H5Fflush(*file, H5F_SCOPE_GLOBAL) < 0 || H5Fincrement_filesize(*file, MOT_H5_MARK) < 0) {
        status = fail_file(MOT_ERR_FILE, path, "cannot write the file to the end");
        mot_h5_stream_give_up(*file);
    }
    if (H5Fclose(*file) < 0 && status == MOT_OK)
        status = fail_file(MOT_ERR_FILE, path, "cannot close the file");
    *file = H5I_INVALID_HID;
    const int error = mot_h5_stream_closed_error();
    if (status == MOT_OK && error != 0)
        status = mot_fail(MOT_ERR_FILE, "cannot write %s: writing: %s", path, strerror(error));
    return status;
}

mot_status mot_h5_close_file(hid_t *file, const char *path, bool commit)
{
    if (*file < 0) return MOT_OK;
    char temporary[MOT_PATH];
    const uint64_t end = mot_h5_stream_foreign_end(*file);
    mot_status status = mot_file_temporary(temporary, path);
    if (commit && status == MOT_OK) {
        MOT_TRY(close_with_room(file, path));
        MOT_TRY(mot_h5_mark_write(temporary, path, end));
        return mot_file_rename(temporary, path);
    }
    mot_h5_stream_give_up(*file);
    mot_h5_close(file);
done:
    unlink(temporary);
    return status;
}

mot_status mot_h5_edit(hid_t *file, const char *name, const char *path)
{
    silence();
    mot_status status = MOT_OK;
    hid_t access = access_list(false);
    *file = H5I_INVALID_HID;
    if (mot_h5_stream_choose(access, MOT_H5_HEAD)) *file = H5Fopen(name, H5F_ACC_RDWR, access);
    if (*file < 0) status = fail_file(MOT_ERR_INPUT, path, "the HDF5 file is damaged");
    mot_h5_close(&access);
    return status;
}

mot_status mot_h5_seal(hid_t *file, const char *name, const char *path)
{
    const mot_status status = close_with_room(file, path);
    return status == MOT_OK ? mot_h5_mark_write(name, path, MOT_H5_HEAD) : status;
}

mot_status mot_h5_open(hid_t *file, const char *path, bool follow_links)
{
    *file = H5I_INVALID_HID;
    silence();
    struct stat about;
    if (stat(path, &about) != 0) return mot_fail(MOT_ERR_INPUT, "cannot read %s: %s", path, strerror(errno));
    if (!S_ISREG(about.st_mode))
        return mot_fail(MOT_ERR_INPUT, "cannot read %s: it is not a regular file", path);
    if (access(path, R_OK) != 0) return mot_fail(MOT_ERR_INPUT, "cannot read %s: %s", path, strerror(errno));
    const htri_t is_hdf5 = H5Fis_hdf5(path);
    if (is_hdf5 <= 0) return mot_fail(MOT_ERR_INPUT, "cannot read %s: it is not an HDF5 file", path);
    hid_t list = access_list(follow_links);
    *file = H5Fopen(path, H5F_ACC_RDONLY, list);
    mot_status status = MOT_OK;
    if (*file < 0) status = fail_file(MOT_ERR_INPUT, path, "the HDF5 file is damaged");
    mot_h5_close(&list);
    return status;
}

mot_status mot_h5_open_sealed(hid_t *file, const char *path, const char *what)
{
    *file = H5I_INVALID_HID;
    silence();
    const mot_status status = mot_h5_mark_check(path, what);
    return status == MOT_OK ? mot_h5_open(file, path, false) : status;
}

void mot_h5_give_back(void)
{
    (void)H5garbage_collect();
    (void)malloc_trim(0);
}

void mot_h5_close(hid_t *id)
{
    if (*id >= 0 && H5Iis_valid(*id) > 0) H5Idec_ref(*id); /* closes whatever kind it is */
    *id = H5I_INVALID_HID;
}

/* ---- links ---- */

/* Whether the file of `where` was opened with follow_links. */
static bool follows(hid_t where)
{
    unsigned follow = 0;
    hid_t file = H5Iget_file_id(where);
    hid_t list = file >= 0 ? H5Fget_access_plist(file) : H5I_INVALID_HID;
    if (list >= 0) H5Pget_gc_references(list, &follow);
    mot_h5_close(&list);
    mot_h5_close(&file);
    return follow != 0;
}

/* Looks at the links from `where` to `name`, one after the other. */
static mot_status check_path(hid_t where, const char *name)
{
    char path[STORE_MAX_NAME];
    const size_t length = strlen(name);
    if (length == 0 || length >= sizeof path)
        return mot_fail(MOT_ERR_INPUT, "'%.80s' cannot be the name of an object in an HDF5 file", name);
    memcpy(path, name, length + 1);
    const bool follow = follows(where);
    for (size_t i = 1; i <= length; ++i) {
        if (path[i] != '/' && path[i] != '\0') continue;
        const char end = path[i];
        path[i] = '\0';
        H5L_info_t link;
        if (H5Lexists(where, path, H5P_DEFAULT) <= 0 || H5Lget_info(where, path, &link, H5P_DEFAULT) < 0)
            return mot_h5_fail(MOT_ERR_INPUT, false, where, path, "is missing");
        if (link.type != H5L_TYPE_HARD && !follow)
            return mot_h5_fail(MOT_ERR_INPUT, false, where, path, "is a link elsewhere, which is not followed");
        if (link.type != H5L_TYPE_HARD && H5Oexists_by_name(where, path, H5P_DEFAULT) <= 0)
            return mot_h5_fail(MOT_ERR_INPUT, false, where, path, "the link leads nowhere");
        path[i] = end;
    }
    return MOT_OK;
}

mot_status mot_h5_open_object(hid_t where, const char *name, hid_t *object)
{
    *object = H5I_INVALID_HID;
    const bool own = strcmp(name, ".") == 0 || strcmp(name, "/") == 0;
    mot_status status = own ? MOT_OK : check_path(where, name);
    if (status != MOT_OK) return status;
    *object = H5Oopen(where, name, H5P_DEFAULT);
    if (*object < 0) return mot_h5_fail(MOT_ERR_INPUT, true, where, name, "cannot be opened");
    return MOT_OK;
}

bool mot_h5_exists(hid_t where, const char *name)
{
    hid_t object;
    const bool exists = mot_h5_open_object(where, name, &object) == MOT_OK;
    mot_h5_close(&object);
    return exists;
}

/* By hand: HDF5's own groups on the way to an object would have their time of creation. */
static mot_status make_groups(hid_t where, const char *name, bool itself)
{
    char path[STORE_MAX_NAME];
    const size_t length = strlen(name);
    mot_status status = MOT_OK;
    if (length >= sizeof path)
        return mot_fail(MOT_ERR_FILE, "'%.80s...' is too long for a name in an HDF5 file", name);
    memcpy(path, name, length + 1);
    hid_t list = H5Pcreate(H5P_GROUP_CREATE);
    H5Pset_obj_track_times(list, false);
    for (size_t i = 1; i <= length && status == MOT_OK; ++i) {
        if (path[i] != '/' && !(itself && path[i] == '\0')) continue;
        path[i] = '\0';
        if (H5Lexists(where, path, H5P_DEFAULT) <= 0) {
            hid_t group = H5Gcreate2(where, path, H5P_DEFAULT, list, H5P_DEFAULT);
            if (group < 0) status = mot_h5_fail(MOT_ERR_FILE, true, where, path, "cannot be made");
            mot_h5_close(&group);
        }
        path[i] = name[i];
    }
    mot_h5_close(&list);
    return status;
}

mot_status mot_h5_make_group(hid_t where, const char *name)
{
    return make_groups(where, name, true);
}

mot_status mot_h5_make_parents(hid_t where, const char *name)
{
    return make_groups(where, name, false);
}

mot_status mot_h5_link(hid_t where, const char *name, const char *file, const char *object)
{
    mot_status status = mot_h5_make_parents(where, name);
    if (status == MOT_OK && H5Lcreate_external(file, object, where, name, H5P_DEFAULT, H5P_DEFAULT) < 0)
        status = mot_h5_fail(MOT_ERR_FILE, true, where, name, "cannot link to %s:%s", file, object);
    return status;
}
