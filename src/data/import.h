/* import.h: what the importers share: reading files, and from samples with labels to a data set. */
#ifndef MOT_DATA_IMPORT_H
#define MOT_DATA_IMPORT_H

#include "mot/import.h"

enum { IMPORT_SPLITS = MOT_IMPORT_SPLITS, IMPORT_MAX_FILES = 64, IMPORT_MAX_NAME = 255 };

/* ---- import_read.c ---- */

/* The whole file, unpacked, with a 0 behind its end; at most `limit` bytes. mot_free(*bytes). */
mot_status mot_import_read(const char *path, size_t limit, char **bytes, size_t *count);
static const size_t import_limit = (size_t)8 << 30;

/* ---- import_names.c ---- */

/* "A,B,C" in pieces; *list and its strings are one block. `what` is for the sentence. */
mot_status mot_import_split_list(const char *text, size_t most, const char *what, size_t *count, char ***list);
/* Names from the option's text: the lines of that file, or the pieces between commas. NULL: none. */
mot_status mot_import_names(const char *text, const char *what, size_t *count, char ***names);
/* True when the bytes are well-formed UTF-8; else *at is the first wrong byte. */
bool mot_import_is_utf8(const char *bytes, size_t count, size_t *at);
/* Without the blanks, byte order marks and no-break spaces at both ends, in place. */
char *mot_import_trim(char *text);
/* A sentence for the user, if there is room for it. */
void mot_import_note(const mot_import_options *options, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* ---- import_values.c: labels and groups ---- */

/* One a sample, as a file has them: texts, or numbers. */
typedef struct import_values {
    char **text;    /* [samples], owned; the strings are their file's */
    double *number; /* [samples], owned; NULL: texts */
    char decimal;   /* of texts that are numbers; 0: '.' */
} import_values;

/* A split as its file has it. */
typedef struct import_part {
    const char *path;           /* for sentences */
    size_t samples;             /* 0: no such split */
    const size_t *line;         /* [samples], where the file has lines; else NULL */
    import_values label, group; /* group: both NULL for none */
    float *number;              /* [samples, numbers of the set]: targets in place of labels; owned */
    void *context;
    mot_status (*sample)(void *context, size_t index, void *x); /* its stored bytes */
} import_part;

/* Classes, or groups: their names and which each sample is of. */
typedef struct import_identity {
    size_t count;
    char **name;                /* [count], one block, owned; NULL: "0", "1", ... */
    int32_t *id[IMPORT_SPLITS]; /* [samples] of each part, owned */
} import_identity;
/* `fixed` above 0: values are the numbers of so many, whether or not all occur. */
mot_status mot_import_identify(const mot_import_options *options, const import_part *parts, bool group,
                               size_t fixed, import_identity *out);
void mot_import_identity_free(import_identity *identity);

/* ---- import_set.c: the data set ---- */

typedef struct import_set {
    mot_sample_format format;
    import_part part[IMPORT_SPLITS];
    size_t classes, groups; /* that there are by the format itself; 0: those of the labels */
    size_t numbers;         /* that a target is; 0: it is a label */
    size_t vocabulary_count;
    const char *const *vocabulary, *const *column_names, *const *target_names;
    import_identity label, group;
    bool signed_labels; /* labels are -1 and +1 */
    size_t origin_count;
    const mot_dataset_origin *origin;
    unsigned char *target; /* [samples of part 0]: the split that each goes to; NULL: all to train */
} import_set;

/* Which class each sample is of and which split it goes to: label, group and target. */
mot_status mot_import_plan(const mot_import_options *options, import_set *set);
/* The file. */
mot_status mot_import_write(const mot_import_options *options, const import_set *set);
void mot_import_set_free(import_set *set);
static inline bool import_trains(const import_set *set, size_t index)
{
    return set->target == NULL || set->target[index] == 0;
}

/* ---- import_divide.c ---- */

/* The split of each of the n samples of `classes` classes: fractions of each class, the rest is train. label NULL: of one. */
mot_status mot_import_divide(const mot_import_options *options, const char *path, size_t n, const int32_t *label,
                             size_t classes, unsigned char **target);

#endif
