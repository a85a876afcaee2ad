/* inspect_tree.h: the parts of `mot inspect` that know nothing of the kind of file. What a file says is
 * cleaned of control characters before it reaches the terminal; links are shown, never followed. */
#ifndef MOT_INSPECT_TREE_H
#define MOT_INSPECT_TREE_H

#include <stdbool.h>

#include "mot/h5.h"

enum { INSPECT_DEEPEST = 12, INSPECT_MOST_VALUES = 1000000 };
#define INSPECT_LIMIT ((size_t)64 << 20) /* bytes of text, or numbers of a table, that are shown or summed */

typedef struct inspect_options {
    const char *path;
    uint64_t values; /* first values of each dataset to print */
    bool verify, reseal;
    bool silent; /* checked, and nothing said of it */
} inspect_options;

/* At most `most` bytes. */
void inspect_put_clean(const char *text, size_t most);
void inspect_put_bytes(unsigned long long bytes);

/* One line each, `indent` spaces in front. */
void inspect_put_attributes(hid_t object, int indent);

/* The members of a group whose path is `path` ("" for the root), with types, shapes, units and long names. */
void inspect_put_group(hid_t group, const char *path, int depth, const inspect_options *options);

/* A group that has several names. mot makes none, and one that is a member of itself would be walked for ever. */
bool inspect_has_names(hid_t group);

/* Reads every dataset below to its end: MOT_ERR_INPUT names one that cannot be read. */
mot_status inspect_read_all(hid_t group, int depth);

#endif
