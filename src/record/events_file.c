/* Files of records with checksums. */
#include "events.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mot/atomic_file.h"
#include "mot/memory.h"

enum { HEAD = 12, TAIL = 4 }; /* bytes around those of a record */
static const size_t file_limit = (size_t)4 << 30;

/* CRC-32C (Castagnoli), the bits of a byte from the lowest on. */
static uint32_t crc32c(const unsigned char *bytes, size_t count)
{
    uint32_t crc = ~0u;
    for (size_t i = 0; i < count; ++i) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (0x82f63b78u & (0u - (crc & 1)));
    }
    return ~crc;
}

/* As TensorFlow stores it, lest the checksum of bytes that have checksums in them be a simple one. */
static uint32_t masked(const unsigned char *bytes, size_t count)
{
    const uint32_t crc = crc32c(bytes, count);
    return (crc >> 15 | crc << 17) + 0xa282ead8u;
}

static void put(unsigned char *at, uint64_t value, int bytes)
{
    for (int i = 0; i < bytes; ++i) at[i] = (unsigned char)(value >> 8 * i);
}

static uint64_t get(const unsigned char *at, int bytes)
{
    uint64_t value = 0;
    for (int i = bytes - 1; i >= 0; --i) value = value << 8 | at[i];
    return value;
}

mot_status mot_events_append(int file, const char *path, const void *bytes, size_t count)
{
    unsigned char here[4096], *record = here;
    const size_t size = HEAD + count + TAIL;
    mot_status status = MOT_OK;
    if (size > sizeof here) MOT_TRY(mot_allocate(&record, size, 1, "a record of events"));
    put(record, count, 8);
    put(record + 8, masked(record, 8), 4);
    memcpy(record + HEAD, bytes, count);
    put(record + HEAD + count, masked(record + HEAD, count), 4);
    /* In one write, so that who follows the file sees whole records. */
    for (size_t at = 0; at < size && status == MOT_OK;) {
        const ssize_t wrote = write(file, record + at, size - at);
        if (wrote < 0 && errno != EINTR) status = mot_fail(MOT_ERR_FILE, "%s: cannot append: %s", path, strerror(errno));
        if (wrote > 0) at += (size_t)wrote;
    }
done:
    if (record != here) mot_free(record);
    return status;
}

/* Bytes of the whole record at `at`; 0: there is none, as at the end and where a process was killed. */
static size_t record_at(const unsigned char *at, size_t count)
{
    if (count < HEAD + TAIL || get(at + 8, 4) != masked(at, 8)) return 0;
    const uint64_t length = get(at, 8);
    if (length > count - HEAD - TAIL || get(at + HEAD + length, 4) != masked(at + HEAD, (size_t)length)) return 0;
    return HEAD + (size_t)length + TAIL;
}

static bool take_varint(const unsigned char **at, const unsigned char *end, uint64_t *value)
{
    *value = 0;
    for (int shift = 0; *at < end && shift < 64; shift += 7) {
        const unsigned char byte = *(*at)++;
        *value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) return true;
    }
    return false;
}

/* The step of an Event; -1: it has none, as the first of a file. */
static mot_gidx step_of(const unsigned char *bytes, size_t count)
{
    const unsigned char *at = bytes, *const end = bytes + count;
    uint64_t key, value;
    while (take_varint(&at, end, &key)) {
        uint64_t skip = (key & 7) == EVENT_BYTES_8 ? 8 : (key & 7) == EVENT_BYTES_4 ? 4 : 0;
        if ((key & 7) == EVENT_VARINT || (key & 7) == EVENT_BYTES) {
            if (!take_varint(&at, end, &value)) return -1;
            if (key == EVENT_FIELD(2, EVENT_VARINT)) return (mot_gidx)value;
            if ((key & 7) == EVENT_BYTES) skip = value;
        }
        if (skip > (uint64_t)(end - at)) return -1;
        at += skip;
    }
    return -1;
}

static mot_status cut_file(const char *path, mot_gidx step)
{
    char *text = NULL;
    size_t count, kept = 0, events = 0;
    mot_status status;
    MOT_TRY(mot_file_read(path, file_limit, &text, &count));
    unsigned char *bytes = (unsigned char *)text;
    for (size_t at = 0, size; (size = record_at(bytes + at, count - at)) > 0; at += size) {
        const mot_gidx of = step_of(bytes + at + HEAD, size - HEAD - TAIL);
        if (of > step) continue;
        memmove(bytes + kept, bytes + at, size);
        kept += size;
        events += of >= 0;
    }
    if (events == 0 && unlink(path) != 0)
        status = mot_fail(MOT_ERR_FILE, "%s: cannot be removed: %s", path, strerror(errno));
    else if (events > 0 && kept < count)
        status = mot_file_replace(path, bytes, kept);
done:
    mot_free(text);
    return status;
}

mot_status mot_events_cut(const char *folder, mot_gidx step, unsigned *next)
{
    static const char head[] = "events.out.tfevents.";
    mot_status status = MOT_OK;
    *next = 1;
    DIR *const files = opendir(folder);
    if (files == NULL && errno == ENOENT) return MOT_OK;
    if (files == NULL) return mot_fail(MOT_ERR_FILE, "%s: %s", folder, strerror(errno));
    for (struct dirent *file; status == MOT_OK && (file = readdir(files)) != NULL;) {
        char path[MOT_PATH], *end;
        if (strncmp(file->d_name, head, strlen(head)) != 0) continue;
        const unsigned long number = strtoul(file->d_name + strlen(head), &end, 10);
        if (*end != '\0' || number >= UINT32_MAX) continue; /* another program's */
        *next = MOT_MAX(*next, (unsigned)number + 1);
        status = mot_path_join(path, sizeof path, folder, file->d_name);
        if (status == MOT_OK) status = cut_file(path, step);
    }
    closedir(files);
    return status;
}
