/* Reading whole files, plain or packed. */
#include <lzma.h>
#include <string.h>
#include <zlib.h>

#include "import.h"
#include "mot/atomic_file.h"
#include "mot/memory.h"

/* Output grows as it comes, so that a small file that claims much costs little. */
typedef struct output {
    const char *path;
    char *bytes;
    size_t count, capacity, limit;
} output;

static mot_status make_room(output *out)
{
    if (out->count >= out->limit)
        return mot_fail(MOT_ERR_INPUT, "%s: more than %zu bytes when unpacked", out->path, out->limit);
    return mot_reserve(&out->bytes, &out->capacity, out->count + (64 << 10) + 1, 1, "an unpacked file");
}

static size_t room(const output *out)
{
    return MOT_MIN(MOT_MIN(out->capacity - out->count - 1, out->limit - out->count), (size_t)1 << 30);
}

static mot_status unpack_gzip(const char *bytes, size_t count, output *out)
{
    z_stream z = {0};
    if (inflateInit2(&z, 15 + 16) != Z_OK)
        return mot_fail(MOT_ERR_MEMORY, "not enough memory to unpack %s", out->path);
    z.next_in = (Bytef *)bytes;
    size_t left = count;
    int state = Z_OK;
    mot_status status = MOT_OK;
    for (;;) {
        if (z.avail_in == 0) {
            z.avail_in = (uInt)MOT_MIN(left, (size_t)1 << 30);
            left -= z.avail_in;
        }
        if (state == Z_STREAM_END) { /* several packed pieces may follow each other */
            if (z.avail_in == 0) break;
            if (z.next_in[0] != 0x1f) break; /* padding behind the end */
            inflateReset(&z);
        }
        MOT_TRY(make_room(out));
        const size_t space = room(out);
        z.next_out = (Bytef *)out->bytes + out->count;
        z.avail_out = (uInt)space;
        const uInt before = z.avail_in;
        state = inflate(&z, Z_NO_FLUSH);
        out->count += space - z.avail_out;
        const bool stuck = z.avail_in == before && z.avail_out == space;
        if ((state != Z_OK && state != Z_STREAM_END && state != Z_BUF_ERROR) ||
            (state != Z_STREAM_END && stuck && left == 0)) {
            status = mot_fail(MOT_ERR_INPUT, "%s: the gzip data are damaged or cut short: %s", out->path,
                              z.msg != NULL ? z.msg : "they end early");
            goto done;
        }
    }
done:
    inflateEnd(&z);
    return status;
}

static mot_status unpack_xz(const char *bytes, size_t count, output *out)
{
    lzma_stream z = LZMA_STREAM_INIT;
    mot_status status = MOT_OK;
    if (lzma_stream_decoder(&z, (uint64_t)256 << 20, LZMA_CONCATENATED) != LZMA_OK)
        return mot_fail(MOT_ERR_MEMORY, "not enough memory to unpack %s", out->path);
    z.next_in = (const uint8_t *)bytes;
    z.avail_in = count;
    lzma_ret state = LZMA_OK;
    while (state != LZMA_STREAM_END) {
        MOT_TRY(make_room(out));
        const size_t space = room(out);
        z.next_out = (uint8_t *)out->bytes + out->count;
        z.avail_out = space;
        state = lzma_code(&z, LZMA_FINISH);
        out->count += space - z.avail_out;
        if (state != LZMA_OK && state != LZMA_STREAM_END) {
            status = mot_fail(MOT_ERR_INPUT, "%s: the xz data are damaged or cut short", out->path);
            goto done;
        }
    }
done:
    lzma_end(&z);
    return status;
}

mot_status mot_import_read(const char *path, size_t limit, char **bytes, size_t *count)
{
    static const char xz[6] = "\xfd"
                              "7zXZ";
    char *packed = NULL;
    size_t size;
    output out = {.path = path, .limit = limit};
    mot_status status = MOT_OK;
    *bytes = NULL;
    *count = 0;
    MOT_TRY(mot_file_read(path, limit, &packed, &size));
    const bool is_gzip = size >= 2 && memcmp(packed, "\x1f\x8b", 2) == 0;
    const bool is_xz = size >= sizeof xz && memcmp(packed, xz, sizeof xz) == 0;
    if (is_gzip) MOT_TRY(unpack_gzip(packed, size, &out));
    if (is_xz) MOT_TRY(unpack_xz(packed, size, &out));
    if (is_gzip || is_xz) {
        out.bytes[out.count] = '\0';
        *bytes = out.bytes;
        *count = out.count;
        out.bytes = NULL;
    } else {
        *bytes = packed;
        *count = size;
        packed = NULL;
    }
    if (*count == 0) {
        status = mot_fail(MOT_ERR_INPUT, "%s is empty", path);
        mot_free(*bytes);
        *bytes = NULL;
    }
done:
    mot_free(out.bytes);
    mot_free(packed);
    return status;
}
