/* h5.h: HDF5 behind one page.
 *
 * Files are streamed to a temporary name, through a driver of our own (serial HDF5 may crash at exit or report success
 * when a disk is full, our own write(2) does not), sealed, and renamed.
 *
 * HDF5's own error stack is switched off; its last message is put into ours. All names are paths below `where`,
 * which is a file or group; missing groups are made when writing. Every function names file and object on failure:
 * MOT_ERR_FILE when writing, MOT_ERR_INPUT when reading (a damaged or foreign file is the user's input).
 *
 * Readers treat the file as hostile: external and soft links are not followed unless `mot_h5_open` was told so
 * (follow_links), extents are checked against what the caller expects before anything is allocated.
 *
 * Not collective: serial HDF5, one process a file. Identifiers start as H5I_INVALID_HID, and closing one is safe. */
#ifndef MOT_H5_H
#define MOT_H5_H

#include <hdf5.h>

#include "mot/status.h"
#include "mot/types.h"

enum { MOT_H5_MAX_RANK = 6 };

/* ---- files ---- */
mot_status mot_h5_open(hid_t *file, const char *path, bool follow_links); /* read only; file locking off */
void mot_h5_close(hid_t *id); /* any identifier: file, group, dataset; sets it invalid; invalid is fine */
/* What libhdf5, and the heap behind it, keep of files that were closed goes back to the system. */
void mot_h5_give_back(void);

/* ---- sealed files, and such with bytes of others: checkpoints and data sets ----
 *
 *      0        MOT_H5_HEAD            end                 n      n + MOT_H5_MARK
 *      | HDF5   | bytes of others ...  | HDF5 ...          | mark |
 *
 * The large arrays of checkpoints and data sets lie at places known before HDF5 describes them: others write and read
 * them past HDF5. All else, the whole of a small file, belongs to HDF5.
 * The mark is a checksum of all that belongs to HDF5 (XXH3, 128 bits), and is checked before HDF5 sees the file, since
 * libhdf5 1.10 may crash on damaged structure. What others wrote it does not cover: their checksums stand in what it
 * covers. It lies in room that HDF5 counts as the file's: another program may open the file for writing and close it
 * again; one that changes it makes the mark wrong. */
enum { MOT_H5_HEAD = 4096, MOT_H5_MARK = 40 };
/* Streams to path.tmp.PID, around [MOT_H5_HEAD, end), which others write or have written there; no such bytes: end is
 * MOT_H5_HEAD. */
mot_status mot_h5_create_file(hid_t *file, const char *path, uint64_t end);
/* Makes a dataset of bytes of others: contiguous, little-endian, at `address`, which HDF5 never touches. */
mot_status mot_h5_place(hid_t where, const char *name, hid_t type, int rank, const hsize_t *shape,
                        uint64_t address);
/* `commit` syncs, seals and renames; otherwise the temporary file is removed. Closes always. */
mot_status mot_h5_close_file(hid_t *file, const char *path, bool commit);
/* Opens a file, read only, whose mark is there and right. Else MOT_ERR_INPUT: "PATH: the WHAT is damaged...";
 * MOT_ERR_FILE where it cannot be opened at all. */
mot_status mot_h5_open_sealed(hid_t *file, const char *path, const char *what);
/* Whether a file ends with a mark, right or not. */
bool mot_h5_is_sealed(const char *path);
/* Opens the file `name`, with its mark right or not, to change it; sentences name `path`. Only for a file that libhdf5 can
 * read: a damaged one may crash it. */
mot_status mot_h5_edit(hid_t *file, const char *name, const char *path);
/* Renews the checksums that stand in a file (attribute `xxh3` of its datasets) where the bytes have others now; *changed
 * counts those. A checksum over what is elsewhere is its owner's matter. */
mot_status mot_h5_renew_checksums(hid_t file, size_t *changed);
/* Ends mot_h5_edit: closes the file always, and seals it as it is now, bytes of others included. */
mot_status mot_h5_seal(hid_t *file, const char *name, const char *path);

/* ---- attributes: UTF-8 strings, 64-bit integers, doubles. Strings have a fixed length here and in datasets: those of
 * variable length are refused, since HDF5 1.10 trusts their addresses and crashes on damaged ones ---- */
mot_status mot_h5_set_text(hid_t where, const char *object, const char *name,
                           const char *text); /* object "." = where */
mot_status mot_h5_set_int(hid_t where, const char *object, const char *name, int64_t value);
mot_status mot_h5_set_real(hid_t where, const char *object, const char *name, double value);
mot_status mot_h5_set_reals(hid_t where, const char *object, const char *name, size_t count,
                            const double *values);
bool mot_h5_has_attribute(hid_t where, const char *object, const char *name);
/* The text is owned by the caller (mot_free); at most 16 MiB. */
mot_status mot_h5_get_text(hid_t where, const char *object, const char *name, char **text);
/* The same, and *text is NULL where there is no such attribute. */
mot_status mot_h5_find_text(hid_t where, const char *object, const char *name, char **text);
mot_status mot_h5_get_int(hid_t where, const char *object, const char *name, int64_t *value);
mot_status mot_h5_get_real(hid_t where, const char *object, const char *name, double *value);
mot_status mot_h5_get_reals(hid_t where, const char *object, const char *name, size_t count, double *values);

/* ---- datasets; `type` is a native memory type (H5T_NATIVE_FLOAT...), stored little-endian ---- */
typedef enum mot_h5_layout {
    MOT_H5_CONTIGUOUS, /* whole rows can be read at random without decoding */
    MOT_H5_COMPRESSED, /* above 4 KiB chunked, 64 KiB to 1 MiB, shuffle, deflate */
    MOT_H5_GROWING,    /* chunked so, with an unlimited first dimension */
} mot_h5_layout;

/* Makes a dataset; `data` may be NULL (to be filled by mot_h5_write_rows). */
mot_status mot_h5_write(hid_t where, const char *name, hid_t type, int rank, const hsize_t *shape,
                        mot_h5_layout layout, const void *data);
/* Rows [first, first + count) along the first dimension; a GROWING dataset is extended as needed. */
mot_status mot_h5_write_rows(hid_t where, const char *name, hid_t type, hsize_t first, hsize_t count,
                             const void *data);
/* How many rows make about `bytes` in whole chunks, as to write a COMPRESSED or GROWING dataset piece by piece: a chunk that
 * is cut by two pieces would be packed twice. At least one chunk; of a dataset without chunks any number. */
mot_status mot_h5_block(hid_t where, const char *name, size_t bytes, size_t *rows);
/* List of UTF-8 strings of fixed length, each padded with 0 to the longest. */
mot_status mot_h5_write_texts(hid_t where, const char *name, size_t count, const char *const *texts);

/* The same of variable length, which all readers of netCDF show. mot itself reads it by mot_h5_read_names alone. */
mot_status mot_h5_write_names(hid_t where, const char *name, size_t count, const char *const *texts);

bool mot_h5_exists(hid_t where, const char *name);
mot_status mot_h5_make_group(hid_t where, const char *name); /* one that is there is fine */
/* Shape of a dataset; MOT_ERR_INPUT when it is absent or its rank is above MOT_H5_MAX_RANK. */
mot_status mot_h5_shape(hid_t where, const char *name, int *rank, hsize_t shape[MOT_H5_MAX_RANK]);
/* Where in the file the bytes of a dataset begin that lies as mot_h5_place leaves it: contiguous, of exactly this type,
 * little-endian. Without meaning for one that has no bytes. */
mot_status mot_h5_position(hid_t where, const char *name, hid_t type, uint64_t *address);

/* Makes a view: a dataset without bytes of its own, which shows some columns of `of`, a dataset of two dimensions in the same
 * file ("/path"), as [rows, ...]: element [i, ...] of `shape` is number first + (place of ... in row-major order) of row i.
 * HDF5 calls it a virtual dataset; whoever reads or writes it sees the numbers of `of`. */
mot_status mot_h5_view(hid_t where, const char *name, const char *of, hsize_t first, int rank,
                       const hsize_t *shape);
/* Shape and first column of a view. MOT_ERR_INPUT unless `name` is a view of `of` that mot_h5_view may have made. Its numbers
 * are not looked at. One without numbers begins anywhere: *first is 0. */
mot_status mot_h5_view_place(hid_t where, const char *name, const char *of, int *rank,
                             hsize_t shape[MOT_H5_MAX_RANK], hsize_t *first);

/* Reads the whole dataset, which must have exactly this shape and convert to `type` (same class). */
mot_status mot_h5_read(hid_t where, const char *name, hid_t type, int rank, const hsize_t *shape, void *data);
mot_status mot_h5_read_rows(hid_t where, const char *name, hid_t type, hsize_t first, hsize_t count,
                            void *data);
/* Same, on an opened dataset (H5Dopen once, read many): for the data path. */
mot_status mot_h5_read_rows_of(hid_t dataset, hid_t type, hsize_t first, hsize_t count, void *data);
mot_status mot_h5_open_dataset(hid_t where, const char *name, hid_t *dataset);
/* Strings of a one-dimensional dataset of fixed-length strings; *texts and its strings are one allocation,
 * mot_free(*texts) releases all. `limit`: the most strings allowed. */
mot_status mot_h5_read_texts(hid_t where, const char *name, size_t limit, size_t *count, char ***texts);
/* Strings of either length. Not for what a run depends on: of a damaged file that is not sealed, HDF5 1.10 may crash. */
mot_status mot_h5_read_names(hid_t where, const char *name, size_t limit, size_t *count, char ***texts);

/* Makes `name` a dimension scale called `label`: of its own, until it is attached. */
mot_status mot_h5_make_scale(hid_t where, const char *name, const char *label);
/* Makes `name` (one-dimensional, or any) a dimension scale called `label`, and attaches it to dimension `dim` of
 * `dataset`; xarray and h5py show it as a named axis. */
mot_status mot_h5_scale(hid_t where, const char *dataset, unsigned dim, const char *name, const char *label);
/* The label of the scale of a dimension, cut where `size` ends; MOT_ERR_INPUT where it has none. Of sealed files alone: HDF5
 * trusts the addresses in a list of scales. */
mot_status mot_h5_axis(hid_t where, const char *dataset, unsigned dim, char *label, size_t size);
/* All that file `from` has, as the group `place` of file `to` ("/" or "/segments/x"): groups, datasets, attributes, scales and views;
 * links that lead out of the file are not followed, texts get a variable length, which every program reads. Of sealed files alone. */
mot_status mot_h5_copy(hid_t from, hid_t to, const char *place);
/* An external link where/name -> file:object, `file` relative to the linking file. */
mot_status mot_h5_link(hid_t where, const char *name, const char *file, const char *object);

#endif
