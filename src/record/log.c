#include "record_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "mot/atomic_file.h"
#include "mot/memory.h"

static const size_t log_limit = (size_t)4 << 30;

/* Moves the lines that stay to the front and returns their length. A last line without an end is half a line:
 * the process that wrote it was killed. */
static size_t keep_lines(char *text, size_t count, mot_gidx step)
{
    size_t kept = 0;
    for (size_t at = 0; at < count;) {
        const char *const line = text + at, *const end = memchr(line, '\n', count - at);
        if (end == NULL) break;
        const size_t length = (size_t)(end - line) + 1;
        int64_t of;
        const bool later = mot_json_find_int(line, length, "step", &of) && of > step;
        if (!later) {
            memmove(text + kept, line, length);
            kept += length;
        }
        at += length;
    }
    return kept;
}

mot_status mot_log_open(mot_record *record, mot_gidx step)
{
    mot_status status = MOT_OK;
    char path[MOT_RECORD_PATH], *text = NULL;
    size_t count = 0;
    MOT_TRY(mot_path_join(path, sizeof path, record->folder, "log.jsonl"));
    if (access(path, F_OK) == 0) {
        MOT_TRY(mot_file_read(path, log_limit, &text, &count));
        const size_t kept = keep_lines(text, count, step);
        if (kept != count) MOT_TRY(mot_file_replace(path, text, kept));
    }
    record->log = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
    if (record->log < 0) status = mot_fail(MOT_ERR_FILE, "%s: cannot be opened: %s", path, strerror(errno));

done:
    mot_free(text);
    return status;
}

mot_status mot_record_last_line(const mot_record *record, const char *key, char **line)
{
    mot_status status = MOT_OK;
    char path[MOT_RECORD_PATH], *text = NULL;
    size_t count = 0, from = 0, length = 0;
    double value;
    *line = NULL;
    MOT_TRY(mot_path_join(path, sizeof path, record->folder, "log.jsonl"));
    MOT_TRY(mot_file_read(path, log_limit, &text, &count));
    for (size_t at = 0, end; at < count; at = end) {
        for (end = at; end < count && text[end++] != '\n';) continue;
        if (!mot_json_find_real(text + at, end - at, key, &value)) continue;
        from = at;
        length = end - at;
    }
    if (length == 0) goto done;
    MOT_TRY(mot_allocate(line, length + 1, 1, "a line of the log"));
    memcpy(*line, text + from, length);

done:
    mot_free(text);
    return status;
}

mot_status mot_record_find(const mot_record *record, const char *key, size_t count, const char *const *text,
                           unsigned *found)
{
    mot_status status = MOT_OK;
    char path[MOT_RECORD_PATH], member[128], *lines = NULL;
    size_t length = 0;
    *found = 0;
    MOT_TRY(mot_path_join(path, sizeof path, record->folder, "log.jsonl"));
    MOT_TRY(mot_file_read(path, log_limit, &lines, &length));
    for (size_t i = 0; i < count; ++i) {
        /* A quote within a text is escaped, so these can only be a member's. */
        const int wanted = snprintf(member, sizeof member, "\"%s\": \"%s\"", key, text[i]);
        if (memmem(lines, length, member, (size_t)wanted) != NULL) *found |= 1u << i;
    }

done:
    mot_free(lines);
    return status;
}

static mot_status append(const mot_record *record, const char *bytes, size_t count)
{
    while (count > 0) {
        const ssize_t wrote = write(record->log, bytes, count);
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote < 0)
            return mot_fail(MOT_ERR_FILE, "%s/log.jsonl: cannot append: %s", record->folder, strerror(errno));
        bytes += wrote;
        count -= (size_t)wrote;
    }
    return MOT_OK;
}

mot_status mot_record_log(mot_record *record, const char *line)
{
    /* In one write, so that a reader who follows the file sees whole lines. */
    const size_t length = strlen(line);
    char here[4096], *text = here;
    mot_status status = MOT_OK;
    if (length + 1 > sizeof here) MOT_TRY(mot_allocate(&text, length + 1, 1, "a line of the log"));
    memcpy(text, line, length);
    text[length] = '\n';
    MOT_TRY(append(record, text, length + 1));
    status = mot_events_add(record->events, line);

done:
    if (text != here) mot_free(text);
    return status;
}

mot_status mot_record_log_json(mot_record *record, mot_json *json)
{
    char *text = NULL;
    mot_status status = mot_json_end(json, &text);
    if (status == MOT_OK) status = mot_record_log(record, text);
    mot_free(text);
    return status;
}
