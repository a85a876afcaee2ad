/* join.h: one data set of several, its sources, one behind another in each split.
 *
 *      samples      of source 0 in their order, then those of source 1, ...; each changed as its source says (task_change.h)
 *      groups       the sources, called by their names; or the sources' own, one source's behind another's
 *      classes      one source's behind another's, "mnist: 3"; or those that are called alike are one
 *      form         one kind, size, scaling, columns; texts get one vocabulary, as those of a stream do (stream.h)
 *      numbers      normalized by mean and deviation of all training samples together, as changed
 *      splits       that all sources have
 *
 * A source may be a file that another one is too. What is drawn for a change follows from (seed, source, split, index in the
 * joined split) alone, so the same call makes the same bytes, and those of a stream by file with the same changes. Samples
 * are read and written one block after another. In the file /sources says what it is made of. Not collective. */
#ifndef MOT_JOIN_H
#define MOT_JOIN_H

#include "mot/import.h"
#include "mot/task_change.h"

enum { MOT_JOIN_SOURCES = 16, MOT_JOIN_NAME = 200 /* bytes, with the final 0 */ };

typedef struct mot_join_source {
    const char *path;
    const char *name;              /* NULL: that of its file, and its change */
    char change[MOT_CHANGES_TEXT]; /* "": none */
} mot_join_source;

/* Zero is the default of every field. */
typedef struct mot_join_options {
    const char *out, *title, *licence;
    int count;
    mot_join_source source[MOT_JOIN_SOURCES];
    bool split[MOT_IMPORT_SPLITS]; /* those that are joined; none: all, which all sources must have */
    bool by_name;                  /* classes that are called alike are one */
    bool own_groups;               /* those of the sources */
    uint64_t seed;                 /* of what is drawn for changes */
    mot_import_notes *notes;       /* may be NULL */
} mot_join_options;

/* MOT_ERR_INPUT with a sentence: sources that cannot be joined, or changed so. */
mot_status mot_data_join(const mot_join_options *options);

#endif
