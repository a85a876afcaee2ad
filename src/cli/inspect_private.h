/* inspect_private.h: what the sources of `mot inspect` share. */
#ifndef MOT_INSPECT_PRIVATE_H
#define MOT_INSPECT_PRIVATE_H

#include "inspect_tree.h"

/* cmd_inspect.c: a file, or in short one that a run of this id links to ("": the run has none; NULL: it is no link's). */
mot_status inspect_hdf5(const inspect_options *options, const char *run_id);

/* inspect_run.c: the files that run.h5 links to. With options->verify it is MOT_ERR_INPUT when one is missing or leads
 * elsewhere, or a step stands in none. */
mot_status inspect_put_run(hid_t file, const inspect_options *options);
/* Whether a linked file is of that run: said, and MOT_ERR_INPUT with options->verify, where it is of another. */
mot_status inspect_check_run(hid_t file, const inspect_options *options, const char *run_id);

/* inspect_seal.c: all checksums of an open file of this format; `sealed`: it has a mark, which was right when it was
 * opened. */
mot_status inspect_verify(hid_t file, const char *format, const char *path, bool sealed);
void inspect_say_verified(bool sealed);
/* Checks the file as it is but for its mark and checksums, makes these anew, and replaces it. */
mot_status inspect_reseal(const char *path);

#endif
