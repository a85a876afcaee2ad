/* Checksums of datasets made anew, for a file that was changed on purpose. */
#include <string.h>

#include "mot/digest.h"
#include "mot/h5.h"
#include "mot/memory.h"
#include "store_private.h"

/* Of its bytes as they are stored: numbers little-endian, a text without the zeros behind it. */
static mot_status digest_rows(hid_t dataset, hid_t type, size_t row, hsize_t rows, mot_digest *digest)
{
    enum { PIECE = 1 << 20 };
    const hsize_t most = MOT_MAX(PIECE / MOT_MAX(row, (size_t)1), (size_t)1);
    const bool text = H5Tget_class(type) == H5T_STRING;
    unsigned char *piece = NULL;
    mot_digest_state *state = NULL;
    mot_status status;
    MOT_TRY(mot_allocate(&piece, (size_t)MOT_MIN(most, rows), row, "rows of a dataset"));
    state = mot_digest_begin();
    if (state == NULL) status = mot_fail(MOT_ERR_MEMORY, "not enough memory for a digest");
    for (hsize_t at = 0; status == MOT_OK && at < rows; at += most) {
        const hsize_t count = MOT_MIN(most, rows - at);
        MOT_TRY(mot_h5_read_rows_of(dataset, type, at, count, piece));
        mot_digest_add(state, piece, text ? strnlen((char *)piece, row) : (size_t)count * row);
    }

done:
    if (state != NULL) *digest = mot_digest_end(state);
    mot_free(piece);
    return status;
}

static mot_status digest_of(hid_t file, const char *name, mot_digest *digest)
{
    mot_status status = MOT_OK;
    hid_t dataset = H5I_INVALID_HID, type = H5I_INVALID_HID;
    int rank = 0;
    hsize_t shape[MOT_H5_MAX_RANK] = {0};
    MOT_TRY(mot_h5_shape(file, name, &rank, shape));
    MOT_TRY(mot_h5_open_dataset(file, name, &dataset));
    type = H5Dget_type(dataset);
    const H5T_class_t class = H5Tget_class(type);
    size_t row = H5Tget_size(type);
    bool fits = rank > 0 && (class == H5T_INTEGER || class == H5T_FLOAT ||
                             (class == H5T_STRING && H5Tis_variable_str(type) == 0));
    for (int d = 1; d < rank && fits; ++d) fits = !__builtin_mul_overflow(row, (size_t)shape[d], &row);
    if (!fits)
        status = mot_h5_fail(MOT_ERR_INPUT, false, file, name, "is not stored as mot stores it");
    else
        MOT_TRY(digest_rows(dataset, type, row, shape[0], digest));

done:
    mot_h5_close(&type);
    mot_h5_close(&dataset);
    return status;
}

typedef struct renewing {
    hid_t file;
    size_t changed;
    mot_status status;
} renewing;

static mot_status renew(renewing *r, const char *name)
{
    mot_status status = MOT_OK;
    char *said = NULL, found[MOT_DIGEST_TEXT];
    mot_digest digest;
    MOT_TRY(mot_h5_get_text(r->file, name, "xxh3", &said));
    MOT_TRY(digest_of(r->file, name, &digest));
    mot_digest_text(&digest, found);
    if (strcmp(said, found) == 0) goto done;
    MOT_TRY(mot_h5_set_text(r->file, name, "xxh3", found));
    ++r->changed;

done:
    mot_free(said);
    return status;
}

static herr_t visit(hid_t file, const char *name, const H5O_info_t *info, void *context)
{
    renewing *const r = context;
    if (info->type == H5O_TYPE_DATASET && mot_h5_has_attribute(file, name, "xxh3")) r->status = renew(r, name);
    return r->status == MOT_OK ? 0 : 1;
}

mot_status mot_h5_renew_checksums(hid_t file, size_t *changed)
{
    renewing r = {file, 0, MOT_OK};
    const herr_t walked = H5Ovisit2(file, H5_INDEX_NAME, H5_ITER_INC, visit, &r, H5O_INFO_BASIC);
    *changed = r.changed;
    if (r.status == MOT_OK && walked < 0)
        return mot_h5_fail(MOT_ERR_INPUT, true, file, ".", "cannot be read from end to end");
    return r.status;
}
