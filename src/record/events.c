/* From a line of log.jsonl to an Event:
 *
 *      Event    1: wall time, double   2: step, int64   3: file version, text   5: Summary
 *      Summary  1: Value, for each number
 *      Value    1: tag, text           2: float
 */
#include "events.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "mot/atomic_file.h"
#include "mot/memory.h"
#include "record_private.h"

typedef struct message {
    unsigned char *bytes;
    size_t count, room;
    mot_status status; /* the first failure */
} message;

struct record_events {
    char path[MOT_PATH];
    int file;
    message event, summary; /* their memory stays from line to line */
};

static void put_bytes(message *m, const void *bytes, size_t count)
{
    if (m->status == MOT_OK) m->status = mot_reserve(&m->bytes, &m->room, m->count + count, 1, "an event");
    if (m->status != MOT_OK) return;
    memcpy(m->bytes + m->count, bytes, count);
    m->count += count;
}

static void put_varint(message *m, uint64_t value)
{
    unsigned char byte[10];
    size_t count = 0;
    do {
        byte[count++] = (unsigned char)((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
        value >>= 7;
    } while (value > 0);
    put_bytes(m, byte, count);
}

static void put_text(message *m, unsigned field, const void *bytes, size_t count)
{
    put_varint(m, EVENT_FIELD(field, EVENT_BYTES));
    put_varint(m, count);
    put_bytes(m, bytes, count);
}

static void begin_event(message *m)
{
    struct timespec now;
    m->count = 0;
    clock_gettime(CLOCK_REALTIME, &now);
    const double seconds = (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
    put_varint(m, EVENT_FIELD(1, EVENT_BYTES_8));
    put_bytes(m, &seconds, sizeof seconds);
}

/* ---- tags ---- */

/* "train.loss" is train/loss, "routing.purity" layer0/purity, as "layer1.purity" is layer1/purity; what an evaluation says besides its own
 * has names of its own, eval_layer0/purity, since a step may have both lines. False: it is no figure. */
static bool tag_of(const char *key, size_t length, bool evaluation, char tag[160])
{
    static const char first[] = "routing.";
    const char *rest = memchr(key, '.', length);
    const bool own = strncmp(key, "eval.", 5) == 0;
    if (rest == NULL || length > 120) return false;
    const size_t group = (size_t)(rest - key);
    if (strncmp(key, first, strlen(first)) == 0)
        snprintf(tag, 160, "%slayer0/%.*s", evaluation ? "eval_" : "", (int)(length - group - 1), rest + 1);
    else
        snprintf(tag, 160, "%s%.*s/%.*s", evaluation && !own ? "eval_" : "", (int)group, key, (int)(length - group - 1), rest + 1);
    return true;
}

static void put_value(message *summary, const char *tag, double number)
{
    const float value = (float)number;
    const size_t length = strlen(tag);
    put_varint(summary, EVENT_FIELD(1, EVENT_BYTES));
    put_varint(summary, (length > 0x7f ? 3 : 2) + length + 1 + sizeof value);
    put_text(summary, 1, tag, length);
    put_varint(summary, EVENT_FIELD(2, EVENT_BYTES_4));
    put_bytes(summary, &value, sizeof value);
}

/* Numbers of one line. */
typedef struct line_numbers {
    message *summary;
    bool evaluation;
} line_numbers;

static mot_status put_member(void *with, const mot_json_member *member)
{
    const line_numbers *line = with;
    char tag[160];
    if (isfinite(member->number) && tag_of(member->key, member->key_length, line->evaluation, tag))
        put_value(line->summary, tag, member->number);
    return MOT_OK;
}

/* ---- the file ---- */

mot_status mot_events_open(record_events **opened, const char *run, mot_gidx step, bool write)
{
    static const char version[] = "brain.Event:2";
    record_events *events = NULL;
    char folder[MOT_PATH], name[64];
    unsigned next;
    mot_status status;
    *opened = NULL;
    MOT_TRY(mot_path_join(folder, sizeof folder, run, "tensorboard"));
    MOT_TRY(mot_file_sweep(folder));
    MOT_TRY(mot_events_cut(folder, step, &next));
    if (!write) return MOT_OK;
    MOT_TRY(mot_allocate(&events, 1, sizeof *events, "events"));
    events->file = -1;
    MOT_TRY(mot_folder_make(folder));
    snprintf(name, sizeof name, "events.out.tfevents.%010u", next); /* readers go by the order of names */
    MOT_TRY(mot_path_join(events->path, sizeof events->path, folder, name));
    events->file = open(events->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
    if (events->file < 0) {
        status = mot_fail(MOT_ERR_FILE, "%s: cannot be opened: %s", events->path, strerror(errno));
        goto done;
    }
    begin_event(&events->event);
    put_text(&events->event, 3, version, strlen(version));
    MOT_TRY(events->event.status);
    MOT_TRY(mot_events_append(events->file, events->path, events->event.bytes, events->event.count));
    *opened = events;
    events = NULL;
done:
    mot_events_close(&events);
    return status;
}

mot_status mot_events_add(record_events *events, const char *line)
{
    int64_t step;
    double loss;
    const size_t length = strlen(line);
    const bool evaluation = mot_json_find_real(line, length, "eval.loss", &loss);
    if (events == NULL || !mot_json_find_int(line, length, "step", &step)) return MOT_OK;
    if (!evaluation && strstr(line, "\"train.loss\": ") == NULL) return MOT_OK;
    message *event = &events->event, *summary = &events->summary;
    begin_event(event);
    put_varint(event, EVENT_FIELD(2, EVENT_VARINT));
    put_varint(event, (uint64_t)step);
    summary->count = 0;
    (void)mot_json_members(line, put_member, &(line_numbers){summary, evaluation});
    put_text(event, 5, summary->bytes, summary->count);
    if (summary->status != MOT_OK || event->status != MOT_OK)
        return mot_fail(MOT_ERR_MEMORY, "not enough memory for an event of %s", events->path);
    return mot_events_append(events->file, events->path, event->bytes, event->count);
}

void mot_events_close(record_events **closed)
{
    record_events *events = *closed;
    if (events == NULL) return;
    if (events->file >= 0) close(events->file);
    mot_free(events->event.bytes);
    mot_free(events->summary.bytes);
    mot_free(events);
    *closed = NULL;
}
