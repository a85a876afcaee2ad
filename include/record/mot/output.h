/* output.h: whether a file that a command is told to write may be written. */
#ifndef MOT_OUTPUT_H
#define MOT_OUTPUT_H

#include <stdbool.h>

#include "mot/status.h"

/* Before anything is read, so that what cannot be written leaves nothing half-written. MOT_ERR_INPUT where there is something and
 * `force` is not said, where that is no ordinary file (a folder, for a folder), and where its folder cannot be written. NULL and ""
 * are fine: whoever writes refuses an empty name. */
mot_status mot_output_check(const char *path, bool is_folder, bool force);

/* MOT_ERR_INPUT where `path` is what the run in the folder `run` consists of: its configuration, log, record, checkpoints,
 * evaluations. These are replaced by nobody else. */
mot_status mot_output_spares(const char *path, const char *run);

#endif
