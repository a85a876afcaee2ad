/* Reading whole files, plain or packed, and the small texts of options. */
#include <lzma.h>
#include <stdio.h>
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

mot_status import_read(const char *path, size_t limit, char **bytes, size_t *count)
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

/* Pointers into a copy of the text that stands behind them. */
static mot_status cut(const char *text, size_t length, char between, size_t most, const char *what,
                      size_t *count, char ***list)
{
    size_t pieces = 1;
    for (size_t i = 0; i < length; ++i) pieces += text[i] == between;
    if (pieces > most)
        return mot_fail(MOT_ERR_INPUT, "%s: %zu of them, at most %zu are allowed", what, pieces, most);
    mot_status status = mot_allocate(list, 1, pieces * sizeof(char *) + length + 1, what);
    if (status != MOT_OK) return status;
    char *copy = (char *)*list + pieces * sizeof(char *);
    memcpy(copy, text, length);
    *count = 0;
    for (char *end = copy + length; copy <= end;) {
        char *stop = memchr(copy, between, (size_t)(end - copy));
        if (stop == NULL) stop = end;
        *stop = '\0';
        (*list)[(*count)++] = copy;
        copy = stop + 1;
    }
    return MOT_OK;
}

mot_status import_split_list(const char *text, size_t most, const char *what, size_t *count, char ***list)
{
    mot_status status = cut(text, strlen(text), ',', most, what, count, list);
    for (size_t i = 0; status == MOT_OK && i < *count; ++i)
        if ((*list)[i][0] == '\0')
            status = mot_fail(MOT_ERR_INPUT, "%s: an empty piece in '%.200s'", what, text);
    if (status == MOT_OK) return status;
    mot_free(*list);
    *list = NULL;
    return status;
}

mot_status import_names(const char *text, const char *what, size_t *count, char ***names)
{
    char *bytes = NULL;
    size_t size, at;
    *names = NULL;
    *count = 0;
    if (text == NULL) return MOT_OK;
    if (strchr(text, ',') != NULL) return import_split_list(text, 1 << 20, what, count, names);
    mot_status status = MOT_OK;
    MOT_TRY(import_read(text, (size_t)16 << 20, &bytes, &size));
    if (memchr(bytes, '\0', size) != NULL || !import_is_utf8(bytes, size, &at)) {
        status = mot_fail(MOT_ERR_INPUT, "%s: not a text file in UTF-8 (expected a name a line)", text);
        goto done;
    }
    if (bytes[size - 1] == '\n') --size;
    MOT_TRY(cut(bytes, size, '\n', 1 << 20, what, count, names));
    for (size_t i = 0; i < *count; ++i) (*names)[i][strcspn((*names)[i], "\r")] = '\0';
done:
    mot_free(bytes);
    return status;
}

void import_about(const mot_import_options *options, mot_dataset_about *about)
{
    about->title = options->title;
    about->source = options->source;
    about->licence = options->licence;
}

bool import_is_utf8(const char *bytes, size_t count, size_t *at)
{
    const unsigned char *b = (const unsigned char *)bytes;
    for (size_t i = 0; i < count;) {
        const unsigned char first = b[i];
        const size_t length = first < 0x80                    ? 1
                              : first >= 0xc2 && first < 0xe0 ? 2
                              : (first & 0xf0) == 0xe0        ? 3
                              : first >= 0xf0 && first < 0xf5 ? 4
                                                              : 0;
        *at = i;
        if (length == 0 || length > count - i) return false;
        for (size_t k = 1; k < length; ++k)
            if ((b[i + k] & 0xc0) != 0x80) return false;
        /* Longer than needed, surrogates, and beyond U+10FFFF. */
        if ((first == 0xe0 && b[i + 1] < 0xa0) || (first == 0xed && b[i + 1] >= 0xa0) ||
            (first == 0xf0 && b[i + 1] < 0x90) || (first == 0xf4 && b[i + 1] >= 0x90))
            return false;
        i += length;
    }
    return true;
}
