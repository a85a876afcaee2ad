/* schema.h: what a run knows of its data, so that it can read other data alike.
 *
 * A model has learned samples of one form, under one normalization, and classes by number. Another file may hold other
 * classes, in another order, under a normalization and a vocabulary of its own; read as its own samples it would give wrong
 * figures in silence. A schema is what the run keeps, in its checkpoints; a data set that adopts it gives the
 * samples that the run would have been given, or is refused:
 *
 *      form            kind, channels, rows and columns, numbers a token: the same. Texts are cut, or padded, to L tokens
 *      columns         of vectors: by name where both have names; columns that the run does not know are left out
 *      normalization   the schema's
 *      words           of texts: by word; a word that the run does not know is the unknown one. Ids without words are the
 *                      same numbers in the files they came from; bytes are no ids
 *      classes         by name; a sample of a class that the run does not know is refused
 *      groups          by name where they are what is learned, or told; else they stay the data set's own
 *
 * Not collective. */
#ifndef MOT_SCHEMA_H
#define MOT_SCHEMA_H

#include "mot/dataset.h"
#include "mot/h5.h"

typedef struct mot_schema {
    mot_sample_format format; /* with a normalization of its own; bytes 0: there is no schema */
    int classes, groups; /* classes 0: targets are none */
    size_t target_bytes; /* of a sample's target */
    bool signed_labels;
    bool ids_or_bytes; /* texts without words, of a version that did not write which of both they are */
    char **class_names, **group_names, **column_names, **vocabulary, **target_names; /* owned; NULL: no names */
} mot_schema;

/* Copies what a data set says of itself. */
mot_status mot_schema_take(mot_schema *schema, const mot_dataset *dataset);
void mot_schema_free(mot_schema *schema);

/* What is other in one than in the other, of samples of one form: "words", "columns", "classes", or "means and deviations"; NULL:
 * nothing of these. */
const char *mot_schema_difference(const mot_schema *a, const mot_schema *b);

/* The schema as the group `data` of a file. Reading: bytes stay 0 where the file has no such group; MOT_ERR_INPUT where it
 * is not what was written. */
mot_status mot_schema_write(const mot_schema *schema, hid_t file);
mot_status mot_schema_read(mot_schema *schema, hid_t file, const char *path);

/* What of a data set must be the run's. */
typedef enum mot_adopt {
    MOT_ADOPT_LABELS = 1, /* labels are learned, and known */
    MOT_ADOPT_GROUPS = 2, /* groups are: learned, or told to the gate */
} mot_adopt;

/* From here on the data set gives its samples, labels and names as those of the schema, which must stay as long as it
 * does. `path` begins the sentence of a refusal, after which the data set may only be closed. *unknown, *words: tokens of
 * texts that are not known to the run, among all; 0, 0 where the vocabulary is the same. */
mot_status mot_schema_adopt(const mot_schema *schema, mot_dataset *dataset, unsigned what, const char *path,
                            mot_gidx *unknown, mot_gidx *words);

#endif
