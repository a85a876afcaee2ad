#include "inspect_tree.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "mot/memory.h"

enum { NAME_WIDTH = 34 };

/* ---- text that came from a file ---- */

void inspect_put_clean(const char *text, size_t most)
{
    for (size_t i = 0; text[i] != '\0'; ++i) {
        if (i == most) {
            fputs("...", stdout);
            return;
        }
        const unsigned char byte = (unsigned char)text[i];
        putchar(byte < 0x20 || byte == 0x7f ? (byte == '\n' ? ' ' : '?') : byte);
    }
}

void inspect_put_bytes(unsigned long long bytes)
{
    static const char *const unit[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
    double size = (double)bytes;
    size_t u = 0;
    for (; size >= 1024 && u + 1 < MOT_COUNT(unit); ++u) size /= 1024;
    printf(u == 0 ? "%.0f %s" : "%.1f %s", size, unit[u]);
}

/* ---- attributes ---- */

static herr_t put_attribute(hid_t object, const char *name, const H5A_info_t *info, void *indent)
{
    (void)info;
    static const char *const hidden[] = {"CLASS", "NAME", "DIMENSION_LIST", "REFERENCE_LIST", "xxh3"};
    for (size_t h = 0; h < MOT_COUNT(hidden); ++h)
        if (strcmp(name, hidden[h]) == 0) return 0;
    printf("%*s", *(const int *)indent, "");
    inspect_put_clean(name, 60);
    fputs(": ", stdout);
    char *text = NULL;
    int64_t integer;
    double real;
    if (mot_h5_get_text(object, ".", name, &text) == MOT_OK) {
        inspect_put_clean(text, 300);
        mot_free(text);
    } else if (mot_h5_get_int(object, ".", name, &integer) == MOT_OK) {
        if (strcmp(name, "seed") == 0)
            printf("%" PRIu64, (uint64_t)integer);
        else
            printf("%" PRId64, integer);
    } else if (mot_h5_get_real(object, ".", name, &real) == MOT_OK) {
        printf("%.9g", real);
    } else {
        fputs("(several values)", stdout);
    }
    putchar('\n');
    return 0;
}

void inspect_put_attributes(hid_t object, int indent)
{
    hsize_t at = 0;
    H5Aiterate2(object, H5_INDEX_NAME, H5_ITER_INC, &at, put_attribute, &indent);
}

/* ---- datasets ---- */

static const char *type_name(hid_t type)
{
    static char name[32];
    const size_t bits = 8 * H5Tget_size(type);
    switch (H5Tget_class(type)) {
    case H5T_STRING:
        return "text";
    case H5T_FLOAT:
        snprintf(name, sizeof name, "float%zu", bits);
        return name;
    case H5T_INTEGER:
        snprintf(name, sizeof name, "%sint%zu", H5Tget_sign(type) == H5T_SGN_NONE ? "u" : "", bits);
        return name;
    default:
        return "other";
    }
}

static void put_values(hid_t dataset, hid_t type, int rank, const hsize_t *shape, int indent, uint64_t most)
{
    const H5T_class_t class = H5Tget_class(type);
    if (most == 0 || rank < 1 || shape[0] == 0) return;
    printf("%*s", indent, "");
    if (class == H5T_STRING) {
        char **texts;
        size_t count;
        if (mot_h5_read_names(dataset, ".", (size_t)1 << 20, &count, &texts) != MOT_OK) {
            puts("(unreadable)");
            return;
        }
        for (size_t i = 0; i < count && i < most; ++i) {
            fputs(i > 0 ? ", " : "", stdout);
            inspect_put_clean(texts[i], 4000);
        }
        mot_free(texts);
    } else if (class == H5T_FLOAT || class == H5T_INTEGER) {
        /* As many whole rows as the wanted values need. */
        size_t row = 1;
        bool large = false;
        for (int d = 1; d < rank; ++d)
            large = large || __builtin_mul_overflow(row, (size_t)shape[d], &row) ||
                    row > INSPECT_LIMIT / sizeof(double);
        const size_t rows = row == 0 ? 0 : MOT_MIN((size_t)shape[0], (most + row - 1) / row);
        double *value = NULL;
        if (large || mot_allocate(&value, MOT_MAX(rows, 1) * row, sizeof *value, "values") != MOT_OK) {
            puts("(rows too large to show)");
            return;
        }
        if (mot_h5_read_rows_of(dataset, class == H5T_FLOAT ? H5T_NATIVE_DOUBLE : H5T_NATIVE_INT64, 0, rows,
                                value) != MOT_OK)
            fputs("(unreadable)", stdout);
        else
            for (size_t i = 0; i < rows * row && i < most; ++i) {
                if (class == H5T_FLOAT)
                    printf("%s%.7g", i > 0 ? " " : "", value[i]);
                else
                    printf("%s%" PRId64, i > 0 ? " " : "", ((int64_t *)(void *)value)[i]);
            }
        mot_free(value);
    }
    putchar('\n');
}

static void put_dataset(hid_t dataset, const char *name, int indent, const inspect_options *options)
{
    hid_t type = H5Dget_type(dataset), space = H5Dget_space(dataset);
    hsize_t shape[H5S_MAX_RANK] = {0};
    const int rank = H5Sget_simple_extent_dims(space, shape, NULL);
    printf("%*s", indent, "");
    inspect_put_clean(name, 80);
    printf("%*s %s [", MOT_MAX(NAME_WIDTH - indent - (int)strlen(name), 0), "", type_name(type));
    for (int d = 0; d < rank; ++d) printf("%s%llu", d > 0 ? ", " : "", (unsigned long long)shape[d]);
    putchar(']');
    char *units = NULL, *about = NULL;
    if (mot_h5_has_attribute(dataset, ".", "units") &&
        mot_h5_get_text(dataset, ".", "units", &units) == MOT_OK && strcmp(units, "1") != 0) {
        putchar(' ');
        inspect_put_clean(units, 20);
    }
    if (mot_h5_has_attribute(dataset, ".", "long_name") &&
        mot_h5_get_text(dataset, ".", "long_name", &about) == MOT_OK) {
        fputs("  ", stdout);
        inspect_put_clean(about, 120);
    }
    putchar('\n');
    mot_free(units);
    mot_free(about);
    put_values(dataset, type, rank, shape, indent + 2, options->values);
    mot_h5_close(&space);
    mot_h5_close(&type);
}

/* ---- the tree ---- */

bool inspect_has_names(hid_t group)
{
    H5O_info_t info;
    return H5Oget_info2(group, &info, H5O_INFO_BASIC) < 0 || info.rc > 1;
}

static void put_link(hid_t group, const char *name, const H5L_info_t *link, int indent)
{
    const char *file = "", *object = "";
    char *value = link->u.val_size < PATH_MAX ? mot_calloc(link->u.val_size + 1, 1) : NULL;
    if (value != NULL && H5Lget_val(group, name, value, link->u.val_size, H5P_DEFAULT) >= 0) {
        if (link->type == H5L_TYPE_EXTERNAL)
            H5Lunpack_elink_val(value, link->u.val_size, NULL, &file, &object);
        else
            object = value;
    }
    printf("%*s", indent, "");
    inspect_put_clean(name, 80);
    fputs(" -> ", stdout);
    inspect_put_clean(file, 300);
    if (object[0] != '\0' && strcmp(object, "/") != 0) {
        putchar(':');
        inspect_put_clean(object, 80);
    }
    putchar('\n');
    mot_free(value);
}

/* Whether the first member stands for all: of the files that run.h5 links to, and of the experts of a checkpoint of version
 * 2, which have a group each. */
static bool are_alike(hid_t group, const char *path)
{
    return strcmp(path, "/segments") == 0 || strcmp(path, "/checkpoints") == 0 ||
           (strcmp(path, "/experts") == 0 && H5Lexists(group, "00000", H5P_DEFAULT) > 0);
}

void inspect_put_group(hid_t group, const char *path, int depth, const inspect_options *options)
{
    H5G_info_t info = {0};
    const int indent = 2 + 2 * depth;
    if (depth > INSPECT_DEEPEST || H5Gget_info(group, &info) < 0) return;
    const hsize_t shown = are_alike(group, path) ? MOT_MIN(info.nlinks, 1) : info.nlinks;
    for (hsize_t i = 0; i < shown; ++i) {
        char name[256], inner[1024];
        const ssize_t length = H5Lget_name_by_idx(group, ".", H5_INDEX_NAME, H5_ITER_INC, i, name,
                                                  sizeof name, H5P_DEFAULT);
        H5L_info_t link;
        if (length <= 0 || H5Lget_info(group, name, &link, H5P_DEFAULT) < 0) {
            printf("%*s(unreadable)\n", indent, "");
            continue;
        }
        if (link.type != H5L_TYPE_HARD) {
            put_link(group, name, &link, indent);
            continue;
        }
        hid_t object = H5Oopen(group, name, H5P_DEFAULT);
        const H5I_type_t kind = object >= 0 ? H5Iget_type(object) : H5I_BADID;
        if (kind == H5I_DATASET) {
            put_dataset(object, name, indent, options);
        } else {
            printf("%*s", indent, "");
            inspect_put_clean(name, 80);
            const bool group_again = kind == H5I_GROUP && inspect_has_names(object);
            puts(group_again ? "/ (a group with several names)" : kind == H5I_GROUP ? "/" : " (unreadable)");
            if (kind == H5I_GROUP && !group_again) {
                inspect_put_attributes(object, indent + 4);
                snprintf(inner, sizeof inner, "%s/%s", path, name);
                inspect_put_group(object, inner, depth + 1, options);
            }
        }
        mot_h5_close(&object);
    }
    if (shown < info.nlinks)
        printf("%*s... and %llu more like it\n", indent, "", (unsigned long long)(info.nlinks - shown));
}

/* ---- reading all ---- */

static mot_status read_dataset(hid_t dataset)
{
    mot_status status = MOT_OK;
    hid_t type = H5Dget_type(dataset), space = H5Dget_space(dataset),
          native = H5Tget_native_type(type, H5T_DIR_ASCEND);
    hsize_t shape[H5S_MAX_RANK] = {0};
    const int rank = H5Sget_simple_extent_dims(space, shape, NULL);
    const H5T_class_t class = H5Tget_class(type);
    unsigned char *rows = NULL;
    if (class == H5T_STRING) {
        char **texts = NULL;
        size_t count;
        MOT_TRY(mot_h5_read_names(dataset, ".", (size_t)1 << 24, &count, &texts));
        mot_free(texts);
    }
    if ((class != H5T_FLOAT && class != H5T_INTEGER) || rank < 1 || shape[0] == 0) goto done;
    size_t row = H5Tget_size(native); /* 4 bytes for a stored integer of 3 */
    for (int d = 1; d < rank; ++d) {
        if (__builtin_mul_overflow(row, (size_t)shape[d], &row) || row > (size_t)1 << 30) {
            status = mot_fail(MOT_ERR_INPUT, "a dataset has rows above 1 GiB");
            goto done;
        }
    }
    if (row == 0) goto done; /* however many rows there are, they hold nothing */
    hsize_t stored =
        0; /* what never was written is counted as stored all the same, so the file's size bounds it */
    hid_t file = H5Iget_file_id(dataset);
    if (file >= 0) H5Fget_filesize(file, &stored);
    mot_h5_close(&file);
    stored = MOT_MIN(stored, H5Dget_storage_size(dataset));
    /* Deflate makes data at most 1032 times smaller: a shape beyond that is damage, and would be read for
     * ever. */
    if ((double)row * (double)shape[0] > 8 * 1032. * (double)stored + 65536) {
        status = mot_fail(MOT_ERR_INPUT, "a dataset claims %llu rows, far more than it stores",
                          (unsigned long long)shape[0]);
        goto done;
    }
    const size_t most = MOT_MIN(MOT_MAX(((size_t)1 << 24) / MOT_MAX(row, 1), 1), (size_t)shape[0]);
    status = mot_allocate(&rows, most, MOT_MAX(row, 1), "rows of a dataset");
    for (hsize_t at = 0; at < shape[0] && status == MOT_OK; at += most)
        status = mot_h5_read_rows_of(dataset, native, at, MOT_MIN(most, shape[0] - at), rows);

done:
    mot_free(rows);
    mot_h5_close(&native);
    mot_h5_close(&space);
    mot_h5_close(&type);
    return status;
}

mot_status inspect_read_all(hid_t group, int depth)
{
    mot_status status = MOT_OK;
    H5G_info_t info = {0};
    if (depth > INSPECT_DEEPEST || H5Gget_info(group, &info) < 0)
        return mot_fail(MOT_ERR_INPUT, "a group is unreadable");
    for (hsize_t i = 0; i < info.nlinks && status == MOT_OK; ++i) {
        char name[256];
        H5L_info_t link;
        if (H5Lget_name_by_idx(group, ".", H5_INDEX_NAME, H5_ITER_INC, i, name, sizeof name, H5P_DEFAULT) <=
                0 ||
            H5Lget_info(group, name, &link, H5P_DEFAULT) < 0)
            return mot_fail(MOT_ERR_INPUT, "a group has an unreadable member");
        if (link.type != H5L_TYPE_HARD) continue;
        hid_t object = H5Oopen(group, name, H5P_DEFAULT);
        if (object < 0) return mot_fail(MOT_ERR_INPUT, "%.80s cannot be opened", name);
        if (H5Iget_type(object) == H5I_GROUP)
            status = inspect_has_names(object)
                         ? mot_fail(MOT_ERR_INPUT, "%.80s is a group with several names", name)
                         : inspect_read_all(object, depth + 1);
        if (H5Iget_type(object) == H5I_DATASET) {
            status = read_dataset(object);
            if (status != MOT_OK) status = mot_fail(status, "%.80s: %s", name, mot_error_message());
        }
        mot_h5_close(&object);
    }
    return status;
}
