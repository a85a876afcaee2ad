/* import_support.h: input files for the importers, made byte by byte. */
#ifndef MOT_TEST_IMPORT_SUPPORT_H
#define MOT_TEST_IMPORT_SUPPORT_H

#include <zlib.h>

#include "ck.h"
#include "mot/h5.h"
#include "mot/import.h"
#include "mot/memory.h"
#include "scratch.h"

/* ---- files in memory ---- */

typedef struct bytes {
    unsigned char byte[1 << 16];
    size_t count;
} bytes;

static inline void add(bytes *b, const void *more, size_t count)
{
    memcpy(b->byte + b->count, more, count);
    b->count += count;
}

static inline void add_le(bytes *b, uint64_t value, int count)
{
    for (int i = 0; i < count; ++i) b->byte[b->count++] = i < 8 ? (unsigned char)(value >> 8 * i) : 0;
}

static inline void add_be32(bytes *b, uint32_t value)
{
    for (int i = 3; i >= 0; --i) b->byte[b->count++] = (unsigned char)(value >> 8 * i);
}

static inline const char *save(const char *name, const bytes *b)
{
    const char *path = scratch_path(name);
    scratch_write(path, b->byte, b->count);
    return path;
}

static inline const char *save_gz(const char *name, const bytes *b)
{
    const char *path = scratch_path(name);
    gzFile file = gzopen(path, "wb");
    gzwrite(file, b->byte, (unsigned)b->count);
    gzclose(file);
    return path;
}

static inline const char *save_text(const char *name, const char *text)
{
    const char *path = scratch_path(name);
    scratch_write(path, text, strlen(text));
    return path;
}

static inline const char *join(const char *a, const char *b)
{
    static char texts[8][1100];
    static int next;
    char joined[sizeof texts[0]];
    snprintf(joined, sizeof joined, "%s,%s", a, b);
    return strcpy(texts[next++ % 8], joined);
}

static inline bytes idx_pictures(uint32_t magic, uint32_t count, uint32_t height, uint32_t width, size_t have)
{
    bytes b = {.count = 0};
    add_be32(&b, magic);
    add_be32(&b, count);
    add_be32(&b, height);
    add_be32(&b, width);
    for (size_t i = 0; i < have; ++i) b.byte[b.count++] = (unsigned char)i;
    return b;
}

static inline bytes idx_labels(uint32_t magic, uint32_t count, size_t have)
{
    bytes b = {.count = 0};
    add_be32(&b, magic);
    add_be32(&b, count);
    for (size_t i = 0; i < have; ++i) b.byte[b.count++] = (unsigned char)(i % 3);
    return b;
}

static inline bytes npy(const char *type, const char *shape, const char *order, const void *data,
                        size_t count)
{
    char head[200];
    bytes b = {.count = 0};
    snprintf(head, sizeof head, "{'descr': '%s', 'fortran_order': %s, 'shape': %s, }\n", type, order, shape);
    add(&b, "\x93NUMPY\1\0", 8);
    add_le(&b, strlen(head), 2);
    add(&b, head, strlen(head));
    add(&b, data, count);
    return b;
}

/* A zip of members, deflated or stored. */
static inline void zip_member(bytes *zip, bytes *directory, const char *name, const bytes *data,
                              bool deflated)
{
    static unsigned char packed[1 << 16];
    z_stream z = {0};
    size_t size = data->count;
    memcpy(packed, data->byte, size);
    if (deflated) {
        deflateInit2(&z, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY);
        z.next_in = (Bytef *)data->byte;
        z.avail_in = (uInt)data->count;
        z.next_out = packed;
        z.avail_out = sizeof packed;
        deflate(&z, Z_FINISH);
        size = z.total_out;
        deflateEnd(&z);
    }
    const size_t start = zip->count;
    const uint32_t crc = (uint32_t)crc32_z(0, data->byte, data->count);
    for (int central = 0; central < 2; ++central) {
        bytes *to = central ? directory : zip;
        add(to, central ? "PK\1\2\24\0" : "PK\3\4", central ? 6 : 4);
        add_le(to, 20, 2);
        add_le(to, 0, 2);
        add_le(to, deflated ? 8 : 0, 2);
        add_le(to, 0, 4);
        add_le(to, crc, 4);
        add_le(to, size, 4);
        add_le(to, data->count, 4);
        add_le(to, strlen(name), 2);
        add_le(to, 0, 2);
        if (central) add_le(to, 0, 10);
        if (central) add_le(to, start, 4);
        add(to, name, strlen(name));
        if (!central) add(to, packed, size);
    }
}

static inline void zip_end(bytes *zip, const bytes *directory, unsigned entries)
{
    const size_t start = zip->count;
    add(zip, directory->byte, directory->count);
    add(zip, "PK\5\6\0\0\0\0", 8);
    add_le(zip, entries, 2);
    add_le(zip, entries, 2);
    add_le(zip, directory->count, 4);
    add_le(zip, start, 4);
    add_le(zip, 0, 2);
}

static inline bytes cifar(int kind, int count)
{
    bytes b = {.count = 0};
    for (int i = 0; i < count; ++i) {
        if (kind == 100) b.byte[b.count++] = 19;
        b.byte[b.count++] = (unsigned char)(kind == 100 ? 60 + i : i);
        memset(b.byte + b.count, 100 + i, 3072);
        b.count += 3072;
    }
    return b;
}

#endif
