/* store_private.h: what the sources of this folder share. */
#ifndef MOT_STORE_PRIVATE_H
#define MOT_STORE_PRIVATE_H

#include <hdf5.h>
#include <limits.h>

#include "mot/status.h"
#include "mot/types.h"

enum { STORE_MAX_NAME = 1024 };

/* Records "FILE:OBJECT: sentence: HDF5's innermost message". The message is that of the last failed HDF5
 * call, and is left out where the fact is ours alone (`quote` false). Call it directly after the failed call:
 * the next one clears the message. */
mot_status mot_h5_fail(mot_status code, bool quote, hid_t where, const char *object, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* Opens any object below `where` ("." is `where` itself) to read it, after looking at every link on the way:
 * a link that is not followed, or absent, is MOT_ERR_INPUT. */
mot_status mot_h5_open_object(hid_t where, const char *name, hid_t *object);

/* The groups on the way to `name`; those that are there are fine. */
mot_status mot_h5_make_parents(hid_t where, const char *name);

/* How the links of new datasets are made: their names are UTF-8. */
hid_t mot_h5_link_list(void);

/* Of an open dataset, which sentences call `name`. */
mot_status mot_h5_shape_of(hid_t where, const char *name, hid_t dataset, int *rank, hsize_t *shape);

/* How numbers go between `dataset` and memory, where they are of `type`: those that must be converted go through a piece of
 * MOT_H5_PIECE bytes, twice, where HDF5 would take 1 MiB, twice. Not to be closed. */
enum { MOT_H5_PIECE = 1 << 16 };
hid_t mot_h5_transfer(hid_t dataset, hid_t type);

/* UTF-8 strings of `size` bytes (at least one), padded with 0. */
hid_t mot_h5_string_type(size_t size);

/* Files by h5_stream.c: choose its driver in an access property list; then the errno of the first write that
 * failed (0: none, or another driver) of the file that `where` belongs to. */
bool mot_h5_stream_choose(hid_t access, uint64_t foreign_end);
int mot_h5_stream_error(hid_t where);
/* Of a file around foreign bytes (mot_h5_create_file): once made, its structure continues behind them; and the next
 * dataset lies at `address`. */
bool mot_h5_stream_skip_foreign(hid_t file);
bool mot_h5_stream_place(hid_t where, uint64_t address);
uint64_t mot_h5_stream_foreign_end(hid_t file);
void mot_h5_stream_give_up(hid_t file); /* nothing more is written, and closing is quick */
int mot_h5_stream_closed_error(void);   /* the same of the file closed last, with its final writes and fsync */

/* h5_mark.c: puts the mark into the last MOT_H5_MARK bytes of the file `name`, in which nothing lies, and syncs it;
 * sentences name `path`. */
mot_status mot_h5_mark_write(const char *name, const char *path, uint64_t end);

/* h5_mark.c: whether the file ends with a mark that is right; else as mot_h5_open_sealed says. */
mot_status mot_h5_mark_check(const char *path, const char *what);

/* For the end of a function that wrote: MOT_ERR_FILE, with the system's words, when its bytes did not reach
 * the disk. */
mot_status mot_h5_check_written(hid_t where, const char *object);

#endif
