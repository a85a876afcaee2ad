#include "mot/npz.h"

#include <stdio.h>
#include <string.h>
#include <zlib.h>

#include "mot/atomic_file.h"
#include "mot/memory.h"

/* The files of the zip one behind the other, and what its directory will say of them. */
typedef struct zip {
    char *bytes;
    size_t count, capacity;
    char *directory;
    size_t directory_count, directory_capacity, files;
} zip;

static mot_status add(char **bytes, size_t *count, size_t *capacity, const void *more, size_t size)
{
    mot_status status = mot_reserve(bytes, capacity, *count + size, 1, "arrays");
    if (status != MOT_OK) return status;
    memcpy(*bytes + *count, more, size);
    *count += size;
    return MOT_OK;
}

static void put(unsigned char *at, uint64_t value, int bytes)
{
    for (int i = 0; i < bytes; ++i) at[i] = (unsigned char)(value >> 8 * i);
}

/* What the header before a file and its line in the directory have in common, from "version needed" on. */
static void put_about(unsigned char about[26], uint32_t crc, size_t size, size_t name)
{
    memset(about, 0, 26);
    put(about, 20, 2);
    put(about + 8, 0x21, 2); /* the first of January 1980 */
    put(about + 10, crc, 4);
    put(about + 14, size, 4);
    put(about + 18, size, 4);
    put(about + 22, name, 2);
}

static mot_status add_file(zip *z, const char *name, const char *head, size_t head_size, const void *data,
                           size_t size)
{
    unsigned char local[30] = "PK\x03\x04", line[46] = "PK\x01\x02", about[26];
    char file[256];
    snprintf(file, sizeof file, "%s.npy", name);
    uLong crc = crc32(0, (const Bytef *)head, (uInt)head_size);
    for (size_t at = 0; at < size; at += (size_t)1 << 30)
        crc = crc32(crc, (const Bytef *)data + at, (uInt)MOT_MIN((size_t)1 << 30, size - at));
    put_about(about, (uint32_t)crc, head_size + size, strlen(file));
    memcpy(local + 4, about, sizeof about);
    memcpy(line + 6, about, sizeof about);
    put(line + 4, 20, 2);
    put(line + 42, z->count, 4);
    ++z->files;
    mot_status status = MOT_OK;
    MOT_TRY(add(&z->directory, &z->directory_count, &z->directory_capacity, line, sizeof line));
    MOT_TRY(add(&z->directory, &z->directory_count, &z->directory_capacity, file, strlen(file)));
    MOT_TRY(add(&z->bytes, &z->count, &z->capacity, local, sizeof local));
    MOT_TRY(add(&z->bytes, &z->count, &z->capacity, file, strlen(file)));
    MOT_TRY(add(&z->bytes, &z->count, &z->capacity, head, head_size));
    MOT_TRY(add(&z->bytes, &z->count, &z->capacity, data, size));
done:
    return status;
}

/* The head of a .npy file, whose length is a multiple of 64. */
static size_t put_head(char head[256], const char *type, int rank, const size_t *shape)
{
    char text[200], extents[24 * MOT_NPZ_RANK] = "";
    for (int d = 0; d < rank; ++d) {
        const size_t used = strlen(extents);
        snprintf(extents + used, sizeof extents - used, "%zu,%s", shape[d], d + 1 < rank ? " " : "");
    }
    snprintf(text, sizeof text, "{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", type, extents);
    const size_t size = (10 + strlen(text) + 1 + 63) / 64 * 64;
    memset(head, ' ', size);
    memcpy(head, "\x93NUMPY\x01", 8);
    put((unsigned char *)head + 8, size - 10, 2);
    memcpy(head + 10, text, strlen(text));
    head[size - 1] = '\n';
    return size;
}

static mot_status add_array(zip *z, const mot_npz_array *array)
{
    char head[256];
    size_t size = 4;
    for (int d = 0; d < array->rank; ++d) size *= array->shape[d];
    const size_t head_size = put_head(head, array->kind == 'i' ? "<i4" : "<f4", array->rank, array->shape);
    return add_file(z, array->name, head, head_size, array->data, size);
}

/* The next character of a well-formed UTF-8 text. */
static uint32_t next_character(const unsigned char **at)
{
    const unsigned char first = *(*at)++;
    const int more = first < 0xc0 ? 0 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
    uint32_t character = more == 0 ? first : first & (0x3fu >> more);
    for (int i = 0; i < more && **at != '\0'; ++i) character = character << 6 | (*(*at)++ & 0x3fu);
    return character;
}

/* NumPy's texts have a fixed length, in UTF-32. */
static mot_status add_texts(zip *z, const mot_npz_texts *list)
{
    const size_t count = list->count;
    char *const *text = list->text;
    size_t longest = 1;
    uint32_t *characters = NULL;
    char head[256], type[24];
    mot_status status;
    for (size_t i = 0; i < count; ++i) longest = MOT_MAX(longest, strlen(text[i]));
    MOT_TRY(mot_allocate(&characters, count * longest, sizeof *characters, "names"));
    for (size_t i = 0; i < count; ++i) {
        uint32_t *to = characters + i * longest;
        for (const unsigned char *at = (const unsigned char *)text[i]; *at != '\0';)
            *to++ = next_character(&at);
    }
    snprintf(type, sizeof type, "<U%zu", longest);
    const size_t head_size = put_head(head, type, 1, &count);
    status = add_file(z, list->name, head, head_size, characters, count * longest * sizeof *characters);
done:
    mot_free(characters);
    return status;
}

mot_status mot_npz_write(const char *path, size_t count, const mot_npz_array *array, size_t lists,
                         const mot_npz_texts *list)
{
    zip z = {0};
    unsigned char end[22] = "PK\x05\x06";
    mot_status status = MOT_OK;
    for (size_t a = 0; a < count; ++a) MOT_TRY(add_array(&z, &array[a]));
    for (size_t l = 0; l < lists; ++l)
        if (list[l].count > 0) MOT_TRY(add_texts(&z, &list[l]));
    if (z.count + z.directory_count > UINT32_MAX) {
        status = mot_fail(MOT_ERR_INPUT,
                          "%s would have more than 4 GiB, which .npz has no room for: give .h5", path);
        goto done;
    }
    put(end + 8, z.files, 2);
    put(end + 10, z.files, 2);
    put(end + 12, z.directory_count, 4);
    put(end + 16, z.count, 4);
    MOT_TRY(add(&z.bytes, &z.count, &z.capacity, z.directory, z.directory_count));
    MOT_TRY(add(&z.bytes, &z.count, &z.capacity, end, sizeof end));
    status = mot_file_replace(path, z.bytes, z.count);
done:
    mot_free(z.directory);
    mot_free(z.bytes);
    return status;
}
