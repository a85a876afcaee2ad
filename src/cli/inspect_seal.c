/* mot inspect --reseal. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "inspect_private.h"
#include "mot/atomic_file.h"
#include "mot/checkpoint.h"
#include "mot/dataset.h"
#include "mot/memory.h"

static mot_status get_format(hid_t file, const char *path, char **format)
{
    *format = NULL;
    if (mot_h5_has_attribute(file, ".", "format")) {
        const mot_status status = mot_h5_get_text(file, ".", "format", format);
        if (status != MOT_OK) return status;
    }
    if (*format != NULL && strncmp(*format, "mot-", 4) == 0) return MOT_OK;
    return mot_fail(MOT_ERR_INPUT, "%s: mot did not write this file, and seals none of others", path);
}

static mot_status renew(hid_t file, const char *format, const char *path, size_t *changed)
{
    mot_status status = MOT_OK;
    if (strcmp(format, "mot-checkpoint") == 0) return mot_checkpoint_renew(file, path, changed);
    if (strcmp(format, "mot-dataset") == 0) MOT_TRY(mot_dataset_renew_sums(file));
    MOT_TRY(mot_h5_renew_checksums(file, changed));

done:
    return status;
}

/* As `mot train` and `mot eval` will look at it. */
static mot_status verify_sealed(const char *temporary, const char *format)
{
    mot_status status = MOT_OK;
    hid_t file = H5I_INVALID_HID;
    char *config = NULL;
    MOT_TRY(mot_h5_open_sealed(&file, temporary, "file"));
    MOT_TRY(inspect_verify(file, format, temporary, true));
    if (strcmp(format, "mot-checkpoint") == 0) MOT_TRY(mot_checkpoint_config(temporary, &config, NULL));

done:
    mot_free(config);
    mot_h5_close(&file);
    return status;
}

/* The renewed file as `temporary`. */
static mot_status seal_copy(const char *temporary, const char *path, char **format, size_t *changed)
{
    mot_status status = MOT_OK;
    hid_t file = H5I_INVALID_HID;
    MOT_TRY(mot_file_copy(path, temporary));
    MOT_TRY(mot_h5_edit(&file, temporary, path));
    MOT_TRY(get_format(file, path, format));
    MOT_TRY(renew(file, *format, temporary, changed));
    MOT_TRY(mot_h5_seal(&file, temporary, path));
    MOT_TRY(verify_sealed(temporary, *format));

done:
    mot_h5_close(&file);
    return status;
}

/* A mark that lies behind the end that HDF5 knows, as older versions put it, is made anew: it would be cut. */
static bool has_room(hid_t file, const char *path)
{
    struct stat about;
    haddr_t end;
    return stat(path, &about) == 0 && H5Fget_eoa(file, &end) >= 0 && end == (haddr_t)about.st_size;
}

static bool is_right(const char *path)
{
    inspect_file file;
    const bool right = inspect_open(&file, path) == MOT_OK && file.sealed && has_room(file.file, path) &&
                       strncmp(file.format, "mot-", 4) == 0 &&
                       inspect_verify(file.file, file.format, path, true) == MOT_OK;
    mot_h5_close(&file.file);
    return right;
}

/* What failed is of the user's file, and not of the copy that is gone. */
static mot_status left_as_it_is(mot_status status, const char *path, const char *temporary)
{
    char said[2048];
    snprintf(said, sizeof said, "%s", mot_error_message());
    const char *name = strstr(said, temporary), *rest = name != NULL ? name + strlen(temporary) : said;
    return mot_fail(status, "%s is left as it is: %.*s%s%s", path, name != NULL ? (int)(name - said) : 0, said, name != NULL ? path : "", rest);
}

mot_status inspect_reseal(const char *path)
{
    char temporary[MOT_PATH], *format = NULL;
    size_t changed = 0;
    if (H5Fis_hdf5(path) <= 0)
        return mot_fail(MOT_ERR_INPUT, "cannot read %s: it is not an HDF5 file", path);
    if (is_right(path)) {
        printf("%s: nothing to do, all checksums are right\n", path);
        return MOT_OK;
    }
    mot_status status = mot_file_temporary(temporary, path);
    if (status != MOT_OK) return status;
    status = seal_copy(temporary, path, &format, &changed);
    mot_free(format);
    if (status != MOT_OK) {
        unlink(temporary);
        return left_as_it_is(status, path, temporary);
    }
    status = mot_file_rename(temporary, path);
    if (status == MOT_OK)
        printf("%s: sealed as it is now; %zu dataset%s had other bytes than were written\n", path, changed,
               changed == 1 ? "" : "s");
    return status;
}
