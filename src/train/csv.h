/* csv.h: fields of a table of text, and the table as a file. */
#ifndef MOT_CSV_H
#define MOT_CSV_H

#include <stdio.h>

#include "mot/status.h"

/* `prefix` and `text` as one field: quoted where a comma, a quote or the end of a line would be taken for the table's. */
void mot_csv_put_field(FILE *stream, const char *prefix, const char *text);

/* What `put` writes, in memory; *text is free()d by the caller, also after a failure. `path`: what it is for. */
mot_status mot_csv_text(const char *path, void (*put)(const void *table, FILE *stream), const void *table,
                        char **text, size_t *size);

/* Replaces `path` by what `put` writes; all of it, or the file stays. */
mot_status mot_csv_write(const char *path, void (*put)(const void *table, FILE *stream), const void *table);

#endif
