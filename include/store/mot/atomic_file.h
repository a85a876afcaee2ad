/* atomic_file.h: a file is there complete, or not at all.
 *
 * write FILE.tmp.PID in the same folder -> fsync -> close -> rename -> fsync of the folder; every return code kept,
 * the temporary file removed on failure. Also reads whole files, with a bound. Not collective. */
#ifndef MOT_ATOMIC_FILE_H
#define MOT_ATOMIC_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "mot/status.h"

/* Bytes [at, at + count) of an open file, in as many calls as it takes; each counts as progress (watch.h). How many were
 * transferred: where that is fewer, errno says why, and is 0 where a file that is read ends. Any thread. */
size_t mot_read_at(int file, void *bytes, size_t count, uint64_t at);
size_t mot_write_at(int file, const void *bytes, size_t count, uint64_t at);

/* Replaces `path` by the bytes. MOT_ERR_FILE names the path, the step that failed and errno's text. */
mot_status mot_file_replace(const char *path, const void *bytes, size_t count);

/* The steps of it for a file that is written otherwise. The temporary name is "PATH.tmp.PID", MOT_ERR_INPUT where there is a folder
 * or a device in the file's place; the rename syncs the folder, and the temporary file is gone afterwards, whatever happened. */
enum { MOT_PATH = 4096 };
mot_status mot_file_temporary(char name[MOT_PATH], const char *path);
mot_status mot_file_rename(const char *temporary, const char *path);

/* Writes the bytes of a file, with its permissions, to another name, which need not be complete when something fails. */
mot_status mot_file_copy(const char *from, const char *to);

/* Removes the temporary files that killed processes left in a folder; a folder that is not there is fine. Nobody may
 * be writing into it. */
mot_status mot_file_sweep(const char *folder);

/* Reads a whole file of at most `limit` bytes; *bytes (owned by the caller, mot_free) gets a 0 behind its end that
 * *count does not include. MOT_ERR_INPUT when it is missing, unreadable, not a regular file, or larger. */
mot_status mot_file_read(const char *path, size_t limit, char **bytes, size_t *count);

/* Makes a folder and its parents; an existing folder is fine. */
mot_status mot_folder_make(const char *path);

/* The folder that `path` lies in: "." for a bare name, "/" at the root; cut where `size` ends. */
void mot_path_folder(char *folder, size_t size, const char *path);

/* Joins "folder/name" into `path` of `size` bytes; MOT_ERR_INPUT when it does not fit. */
mot_status mot_path_join(char *path, size_t size, const char *folder, const char *name);

#endif
