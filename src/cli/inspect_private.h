/* inspect_private.h: what the sources of `mot inspect` share. */
#ifndef MOT_INSPECT_PRIVATE_H
#define MOT_INSPECT_PRIVATE_H

#include "inspect_tree.h"

/* inspect_kind.c: an HDF5 file that is open; mot_h5_close(&file), also after a failure. */
typedef struct inspect_file {
    hid_t file;
    char format[32]; /* "": it has none */
    bool sealed;
} inspect_file;
mot_status inspect_open(inspect_file *file, const char *path);
/* What the file holds, in a few lines, and with options->verify whether all of it is right. */
mot_status inspect_sum_up(const inspect_file *file, const inspect_options *options);
/* How well tasks were learned and kept, by a run or up to a checkpoint, where it learns tasks. */
mot_status inspect_put_tasks(const inspect_file *file, const inspect_options *options);
/* All checksums of an open file of this format; `sealed`: it has a mark, which was right when it was opened. */
mot_status inspect_verify(hid_t file, const char *format, const char *path, bool sealed);
void inspect_say_verified(bool sealed);

/* inspect_run.c: the files that run.h5 links to. With options->verify it is MOT_ERR_INPUT when one is missing or leads
 * elsewhere, or a step stands in none. */
mot_status inspect_put_run(hid_t file, const inspect_options *options);

/* inspect_seal.c: checks the file as it is but for its mark and checksums, makes these anew, and replaces it. */
mot_status inspect_reseal(const char *path);

#endif
