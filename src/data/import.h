/* import.h: what the importers share. */
#ifndef MOT_DATA_IMPORT_H
#define MOT_DATA_IMPORT_H

#include "mot/import.h"

enum { IMPORT_SPLITS = MOT_IMPORT_SPLITS, IMPORT_MAX_FILES = 64 };

/* The whole file, unpacked, with a 0 behind its end; at most `limit` bytes. mot_free(*bytes). */
mot_status import_read(const char *path, size_t limit, char **bytes, size_t *count);
static const size_t import_limit = (size_t)8 << 30;

/* "A,B,C" in pieces; *list and its strings are one block. `what` is for the sentence. */
mot_status import_split_list(const char *text, size_t most, const char *what, size_t *count, char ***list);
/* Names from the option's text: the lines of that file, or the pieces between commas. NULL: none. */
mot_status import_names(const char *text, const char *what, size_t *count, char ***names);

/* about->title and so on from the options; the names are owned by the caller. */
void import_about(const mot_import_options *options, mot_dataset_about *about);

/* True when the bytes are well-formed UTF-8; else *at is the first wrong byte. */
bool import_is_utf8(const char *bytes, size_t count, size_t *at);

#endif
