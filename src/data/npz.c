/* A .npz file is a zip of .npy files: the central directory at its end names every member and where it begins. */
#include <stdio.h>
#include <string.h>
#include <zlib.h>

#include "array.h"
#include "mot/memory.h"

typedef struct member {
    const char *name;
    size_t name_length;
    uint64_t method, packed, whole, local; /* sizes in bytes; where its own head begins */
    uint32_t crc;
} member;

typedef struct directory {
    const char *zip;
    size_t size, at;
    uint64_t left; /* members that are still to come */
} directory;

static uint64_t le(const char *bytes, int count)
{
    uint64_t value = 0;
    for (int i = count - 1; i >= 0; --i) value = value << 8 | (unsigned char)bytes[i];
    return value;
}

/* Where sizes do not fit 32 bits a second end of the directory says them, found by its locator before the first. */
static bool open_directory(const char *zip, size_t size, directory *d)
{
    size_t end = size >= 22 ? size - 22 : 0;
    while (end > 0 && memcmp(zip + end, "PK\5\6", 4) != 0) --end;
    if (size < 22 || memcmp(zip + end, "PK\5\6", 4) != 0) return false;
    uint64_t entries = le(zip + end + 10, 2), at = le(zip + end + 16, 4);
    if (end >= 20 && memcmp(zip + end - 20, "PK\6\7", 4) == 0) {
        const uint64_t wide = le(zip + end - 12, 8);
        if (size < 56 || wide > size - 56 || memcmp(zip + wide, "PK\6\6", 4) != 0) return false;
        entries = le(zip + wide + 32, 8);
        at = le(zip + wide + 48, 8);
    }
    if (at > size) return false;
    *d = (directory){zip, size, (size_t)at, entries};
    return true;
}

/* What did not fit into 32 bits stands in an extra field, in this order. */
static void read_extra(const char *extra, size_t size, member *m)
{
    while (size >= 4) {
        const size_t length = le(extra + 2, 2);
        if (length > size - 4) return;
        const char *at = extra + 4, *end = at + length;
        uint64_t *const wide[] = {&m->whole, &m->packed, &m->local};
        for (size_t i = 0; i < MOT_COUNT(wide) && le(extra, 2) == 1; ++i)
            if (*wide[i] == UINT32_MAX && end - at >= 8) {
                *wide[i] = le(at, 8);
                at += 8;
            }
        extra += 4 + length;
        size -= 4 + length;
    }
}

/* False at the end, and where the directory is damaged: then `left` is not 0. */
static bool next_member(directory *d, member *m)
{
    if (d->left == 0) return false;
    if (d->size - d->at < 46 || memcmp(d->zip + d->at, "PK\1\2", 4) != 0) return false;
    const char *entry = d->zip + d->at;
    const size_t name = le(entry + 28, 2), extra = le(entry + 30, 2),
                 skip = 46 + name + extra + le(entry + 32, 2);
    if (skip > d->size - d->at) return false;
    *m = (member){.name = entry + 46,
                  .name_length = name,
                  .method = le(entry + 10, 2),
                  .packed = le(entry + 20, 4),
                  .whole = le(entry + 24, 4),
                  .local = le(entry + 42, 4),
                  .crc = (uint32_t)le(entry + 16, 4)};
    read_extra(entry + 46 + name, extra, m);
    d->at += skip;
    --d->left;
    return true;
}

static mot_status inflate_member(const char *path, const char *packed, size_t packed_size, size_t size,
                                 char **bytes)
{
    if (size / 1032 > packed_size) /* deflate packs no better */
        return mot_fail(MOT_ERR_INPUT, "%s: %zu packed bytes cannot be %zu bytes", path, packed_size, size);
    mot_status status = mot_allocate(bytes, size + 1, 1, "a packed array");
    if (status != MOT_OK) return status;
    z_stream z = {.next_in = (Bytef *)packed};
    if (inflateInit2(&z, -15) != Z_OK)
        return mot_fail(MOT_ERR_MEMORY, "not enough memory to unpack %s", path);
    z.next_out = (Bytef *)*bytes;
    size_t in = packed_size, out = size; /* beside what z was given */
    int state = Z_OK;
    while (state == Z_OK) {
        const size_t more_in = z.avail_in == 0 ? MOT_MIN(in, (size_t)1 << 30) : 0,
                     more_out = z.avail_out == 0 ? MOT_MIN(out, (size_t)1 << 30) : 0;
        z.avail_in += (uInt)more_in;
        z.avail_out += (uInt)more_out;
        in -= more_in;
        out -= more_out;
        state = inflate(&z, Z_NO_FLUSH);
    }
    const bool whole = state == Z_STREAM_END && z.total_out == size;
    inflateEnd(&z);
    return whole ? MOT_OK : mot_fail(MOT_ERR_INPUT, "%s: the packed data are damaged", path);
}

static mot_status read_member(const char *path, const directory *d, const member *m, array *a)
{
    char where[512], *unpacked = NULL;
    snprintf(where, sizeof where, "%s:%.*s", path, (int)m->name_length, m->name);
    if (m->local > d->size || d->size - m->local < 30 || memcmp(d->zip + m->local, "PK\3\4", 4) != 0)
        return mot_fail(MOT_ERR_INPUT, "%s: byte %llu: no member begins here", where,
                        (unsigned long long)m->local);
    const char *local = d->zip + m->local;
    const size_t data = (size_t)m->local + 30 + le(local + 26, 2) + le(local + 28, 2);
    if (data > d->size || m->packed > d->size - data || (m->method == 0 && m->packed != m->whole))
        return mot_fail(MOT_ERR_INPUT, "%s: %llu bytes do not lie in the file", where,
                        (unsigned long long)m->packed);
    if (m->method != 0 && m->method != 8)
        return mot_fail(MOT_ERR_INPUT, "%s: packed by method %llu, expected stored or deflated", where,
                        (unsigned long long)m->method);
    if (m->whole > import_limit)
        return mot_fail(MOT_ERR_INPUT, "%s: more than %zu bytes when unpacked", where, import_limit);
    const char *bytes = d->zip + data;
    mot_status status = MOT_OK;
    if (m->method == 8) {
        MOT_TRY(inflate_member(where, bytes, (size_t)m->packed, (size_t)m->whole, &unpacked));
        bytes = unpacked;
    }
    if (crc32_z(0, (const Bytef *)bytes, (size_t)m->whole) != m->crc) {
        status = mot_fail(MOT_ERR_INPUT, "%s: is damaged (its CRC is wrong)", where);
        goto done;
    }
    MOT_TRY(mot_npy_parse(where, bytes, (size_t)m->whole, a));
    a->owned = unpacked;
    unpacked = NULL;
done:
    mot_free(unpacked);
    return status;
}

mot_status mot_npz_find(const char *path, const char *zip, size_t size, const char *name, array *a, bool *found)
{
    directory d, at = {0};
    member m, first = {0};
    *found = false;
    if (!open_directory(zip, size, &d))
        return mot_fail(MOT_ERR_INPUT, "%s: not a whole .npz file (a zip ends with a directory)", path);
    const size_t length = strlen(name);
    while (next_member(&d, &m)) {
        if (m.name_length != length + 4 || memcmp(m.name, name, length) != 0 ||
            memcmp(m.name + length, ".npy", 4) != 0)
            continue;
        if (*found) return mot_fail(MOT_ERR_INPUT, "%s: two of its arrays are named %s", path, name);
        *found = true;
        at = d;
        first = m;
    }
    if (d.left > 0)
        return mot_fail(MOT_ERR_INPUT, "%s: byte %zu: the zip's directory is damaged", path, d.at);
    return *found ? read_member(path, &at, &first, a) : MOT_OK;
}

mot_status mot_npz_count(const char *path, const char *zip, size_t size, size_t *members)
{
    directory d;
    if (!open_directory(zip, size, &d))
        return mot_fail(MOT_ERR_INPUT, "%s: not a whole .npz file (a zip ends with a directory)", path);
    *members = (size_t)d.left;
    return MOT_OK;
}

void mot_npz_names(const char *zip, size_t size, char *names, size_t room)
{
    directory d;
    member m;
    size_t used = 0;
    names[0] = '\0';
    if (!open_directory(zip, size, &d)) return;
    while (next_member(&d, &m) && used < room) {
        const int length = (int)MOT_MIN(m.name_length > 4 ? m.name_length - 4 : m.name_length, (size_t)40);
        used += (size_t)snprintf(names + used, room - used, "%s%.*s", used > 0 ? ", " : "", length, m.name);
    }
}
