/* output.h: whether a file that a command is told to write may be written. */
#ifndef MOT_OUTPUT_H
#define MOT_OUTPUT_H

#include <stdbool.h>

#include "mot/status.h"

typedef enum mot_output {
    MOT_OUTPUT_FILE,         /* its folder is there */
    MOT_OUTPUT_FILE_IN_MADE, /* whoever writes it makes the folders above it */
    MOT_OUTPUT_FOLDER,       /* likewise */
} mot_output;

/* Before anything is read, so that what cannot be written leaves nothing half-written. MOT_ERR_INPUT where there is something and
 * `force` is not said, where that is no ordinary file (a folder, for a folder), where it is what a run consists of (its
 * configuration, log, record, checkpoints, evaluations: replaced by nobody else), and where its folder cannot be written. NULL and
 * "" are fine: whoever writes refuses an empty name. */
mot_status mot_output_check(const char *path, mot_output kind, bool force);

/* MOT_ERR_INPUT where `path` is what is read: the file `input`, or one of "A,B,C". NULL: nothing. */
mot_status mot_output_apart(const char *path, const char *input);

/* MOT_ERR_INPUT where the disk of `path`, which mot_output_check let through, has less free than `bytes`: for what would be made for
 * hours before it fails. */
mot_status mot_output_room(const char *path, double bytes);

#endif
