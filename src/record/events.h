/* events.h: the scalars of log.jsonl for TensorBoard: RUN/tensorboard/events.out.tfevents.N, a file for each process of the run.
 *
 * A file is a row of records, the first of which says "brain.Event:2":
 *
 *      length, 8 bytes | CRC32C of these, masked | an Event in protobuf | its CRC32C, masked
 *
 * Of a killed process the last may be cut: readers end there. As of log.jsonl, what was written of later steps is cut when a run goes
 * on, so that no step is there twice. Private to this folder. */
#ifndef MOT_RECORD_EVENTS_H
#define MOT_RECORD_EVENTS_H

#include <stdbool.h>

#include "mot/status.h"
#include "mot/types.h"

/* What a field of protobuf begins with: its number, and how it is stored. */
enum { EVENT_VARINT = 0, EVENT_BYTES_8 = 1, EVENT_BYTES = 2, EVENT_BYTES_4 = 5 };
#define EVENT_FIELD(number, wire) ((number) << 3 | (wire))

typedef struct record_events record_events;

/* Cuts RUN/tensorboard after `step`. `write`: and begins a file, in which *events adds; else *events is NULL. */
mot_status mot_events_open(record_events **events, const char *run, mot_gidx step, bool write);
/* The numbers of a line of log.jsonl that is of a report or an evaluation; other lines, and NULL events: nothing. */
mot_status mot_events_add(record_events *events, const char *line);
void mot_events_close(record_events **events);

/* ---- events_file.c: records of bytes ---- */

/* Appends bytes as one record to a file that is open; `path` for sentences. */
mot_status mot_events_append(int file, const char *path, const void *bytes, size_t count);
/* Of files in `folder` all records of later steps go, and a file of which nothing is left; *next: a number above all of them. */
mot_status mot_events_cut(const char *folder, mot_gidx step, unsigned *next);

#endif
