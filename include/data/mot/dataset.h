/* dataset.h: a data set in one HDF5 file, or generated, and reading samples of it.
 *
 * docs/data.md has the schema. In short, for each split S in {train, val, test} that is present:
 *      /S/x      [n, shape...]  uint8 (pictures [H, W] or [C, H, W]; texts: bytes [L]), int32 (texts: word ids [L]),
 *                               or float32 (vectors [L, D])
 *                [tokens] int32 or uint8, with /S/first [n + 1] int64: texts whose padding would be most of x, one behind the other
 *      /S/y      [n] int32      label, 0 .. classes-1; of a signed set -1 and +1, which are its classes 0 and 1
 *                [n] or [n, C] float32, where classes = 0: C numbers that are to be predicted
 *      /S/group  [n] int32      optional: superclass, domain; never shown to the model, only to the study
 *      /S/sample_xxh3  [n] int64    checksum of each sample, its 64 bits
 *      /class_names, /group_names, /vocabulary, /column_names, /target_names   strings
 *      /sources/name, file, change, train, ...   strings: what it is joined of
 *      /normalization/mean, /normalization/deviation   [columns] float64
 * A text's tokens are ids >= 1; 0 is padding behind the end, so a text's length is the place of its first 0.
 *
 * Reading is random access by sample index: what `mot_order` gives. Nothing loads the whole file unless the split's
 * x fits `memory_bytes`; then it is read once. Otherwise a sample is read from its place in the file. Either way its checksum
 * is compared. Not collective: every rank opens the file for itself. */
#ifndef MOT_DATASET_H
#define MOT_DATASET_H

#include "mot/digest.h"
#include "mot/h5.h"
#include "mot/mixture.h"
#include "mot/status.h"
#include "mot/teacher.h"
#include "mot/types.h"

typedef enum mot_sample_kind { MOT_SAMPLE_PICTURE, MOT_SAMPLE_TEXT, MOT_SAMPLE_VECTOR } mot_sample_kind;
typedef enum mot_element { MOT_ELEMENT_U8, MOT_ELEMENT_I32, MOT_ELEMENT_F32 } mot_element;
size_t mot_element_bytes(mot_element element);

/* How stored numbers become what a model reads: (value - mean) / deviation, of the train split. A column is a channel of a
 * picture, whose values then count in units of 0..1 (value / 255), or a feature of a vector, alike for all its tokens. */
typedef enum mot_scaling {
    MOT_SCALING_COLUMN, /* a mean and a deviation a column */
    MOT_SCALING_ALL,    /* one for all numbers */
    MOT_SCALING_NONE,   /* numbers stay as they are */
} mot_scaling;
typedef struct mot_normalization {
    mot_scaling scaling;
    size_t count;             /* columns; 1; 0 for MOT_SCALING_NONE and for texts */
    double *mean, *deviation; /* [count], one block, owned by the data set or the writer that has them; NULL with 0 */
} mot_normalization;

/* How numbers of a file became what is stored, where that followed from the numbers or from an option: others that are to
 * mean the same must be read so too. */
typedef struct mot_reading {
    size_t id_shift;   /* texts of ids without words: 1 where an id 0 was a word, and each is stored plus 1; else 0 */
    char pad[16];      /* the same: padding as the option --pad has it; "": 0 behind the end */
    size_t min_count;  /* texts of words: those seen less often in train have no id of their own; 0: not known */
    size_t pixel_unit; /* pictures: 255 where pixels were numbers in 0..1; 0: they were in 0..255 */
} mot_reading;

/* What a sample is: everything needed to turn stored bytes into tokens, on any rank. */
typedef struct mot_sample_format {
    mot_sample_kind kind;
    mot_element element;
    size_t channels, height, width; /* pictures (stored planes C, then H, then W) */
    size_t tokens;                  /* texts: the most tokens L; vectors: L */
    size_t features;                /* vectors: D */
    size_t vocabulary;              /* texts: ids are below it; 256 for bytes, whose id is the byte. 0 otherwise */
    mot_reading reading;
    mot_normalization normalization;
    size_t bytes; /* of one stored sample */
} mot_sample_format;

typedef struct mot_dataset {
    mot_sample_format format;
    int classes, groups;               /* that targets are; 0: they are none. Groups 0: the file has none */
    char **class_names, **group_names; /* owned; NULL when absent */
    char **column_names;               /* [features] of vectors, owned; NULL when absent */
    char **target_names;               /* of the numbers of a target, owned; NULL when absent */
    char **vocabulary;                 /* of texts, the words in the order of their ids, owned; NULL when absent */
    mot_gidx samples;                  /* in this split */
    /* What each sample should be taken for: bytes that the loss alone understands (loss.h). A class is an int32_t in [0, classes); numbers are floats. */
    size_t target_bytes;
    unsigned char *target; /* [samples, target_bytes], owned; NULL when generated */
    int32_t *group;        /* [samples], owned; NULL when absent or generated */
    char checksum
        [MOT_DIGEST_TEXT]; /* of the split's x, y and groups, as the file says: provenance; "": from no file */
    bool signed_labels;    /* in the file y is -1 / +1 */
    struct mot_dataset_source *source; /* private: open file, or the loaded samples */
} mot_dataset;

/* Opens split "train", "val" or "test". MOT_ERR_INPUT with a sentence for: missing file, not HDF5, not a mot data
 * set, damaged, missing split, wrong types or shapes, labels outside [0, classes), mean or deviation not finite. */
mot_status mot_dataset_open(mot_dataset *dataset, const char *path, const char *split, size_t memory_bytes);
void mot_dataset_close(mot_dataset *dataset);

#define MOT_ENDLESS ((mot_gidx)1 << 62)

/* Who makes samples: sample `index` of split `split` (0 train, 1 val, 2 test), a pure function, as mot_dataset_sample has it
 * (target may be NULL). free(of), unless it is NULL, when the data set is closed. */
typedef mot_status mot_dataset_sampler(const void *of, int split, mot_gidx index, void *bytes, void *target,
                                       int32_t *group);
typedef struct mot_dataset_maker {
    const char *title; /* "the mixture", in sentences */
    mot_dataset_sampler *sample;
    void (*free)(void *of);
    void *of;
} mot_dataset_maker;
/* A split that lies in no file: of *dataset the caller has set format (but its bytes), samples (MOT_ENDLESS: a new one for every
 * index), classes, groups, target_bytes and signed_labels, and all else to 0. Any rank makes the samples that it is asked for;
 * they are kept once made where all of them fit `memory_bytes`. `of` is the data set's from here on, whatever comes back.
 * MOT_ERR_INPUT: no such split, or no such format. */
mot_status mot_dataset_make(mot_dataset *dataset, const char *split, const mot_dataset_maker *maker,
                            size_t memory_bytes);
/* The format of float vectors [tokens, width] that stay as they are. */
static inline mot_sample_format mot_dataset_vectors(size_t tokens, size_t width)
{
    return (mot_sample_format){.kind = MOT_SAMPLE_VECTOR,
                               .element = MOT_ELEMENT_F32,
                               .tokens = tokens,
                               .features = width,
                               .normalization = {.scaling = MOT_SCALING_NONE}};
}

/* A split that lies in no file: `samples` samples of a mixture, each made when it is asked for, by whichever rank asks;
 * MOT_ENDLESS: a new one for every index. Kept once made where all of them fit `memory_bytes`. Groups are the mixture's
 * classes. MOT_ERR_INPUT with a sentence when the mixture cannot be. */
mot_status mot_dataset_generate(mot_dataset *dataset, const mot_mixture_config *config, const char *split,
                                mot_gidx samples, size_t memory_bytes);
/* A split that lies in no file and means nothing: `samples` vectors [tokens, width] of independent N(0, 1) numbers with
 * labels drawn alike from `classes`, all of them in memory. For measuring speed. Sample i is a pure function of (seed,
 * i). */
mot_status mot_dataset_random(mot_dataset *dataset, size_t tokens, size_t width, int classes,
                              mot_gidx samples, uint64_t seed);
/* Likewise of a teacher, whose targets are one float each. */
mot_status mot_dataset_taught(mot_dataset *dataset, const mot_teacher_config *config, const char *split,
                              mot_gidx samples, size_t memory_bytes);
/* The mixture that a generated split's samples are of, owned by the data set, and the split's number for
 * mot_mixture_sample (may be NULL); NULL for a split that was read from a file. */
const mot_mixture *mot_dataset_mixture(const mot_dataset *dataset, int *split);
const mot_teacher *mot_dataset_teacher(const mot_dataset *dataset, int *split); /* likewise */

/* Sample `index`: its stored bytes [format.bytes], its target [target_bytes] (may be NULL), and its group (-1: none).
 * MOT_ERR_INPUT names the sample when its bytes in the file are not those that were written; MOT_ERR_FILE when they cannot
 * be read. */
mot_status mot_dataset_sample(mot_dataset *dataset, mot_gidx index, void *bytes, void *target,
                              int32_t *group);
/* Says that a sample will be asked for soon: where it lies on a disk the system begins to read it, and nobody waits. False:
 * that is of no use with this data set, whose samples are in memory, made, or packed. */
bool mot_dataset_expect(const mot_dataset *dataset, mot_gidx index);
/* True when samples are read from their places in a file: then reading one may wait for a disk, and any thread may do it
 * while others do what they like with this data set or with HDF5. */
bool mot_dataset_waits(const mot_dataset *dataset);
/* True when each sample is made when it is asked for, and kept nowhere: several threads may ask at the same time, and nothing fails. */
bool mot_dataset_made_anew(const mot_dataset *dataset);
/* Its bytes alone. */
mot_status mot_dataset_read(mot_dataset *dataset, mot_gidx index, void *bytes);
/* The targets of all samples, target [samples, target_bytes], of a split that has an end; where samples are made, all are
 * made for it. */
mot_status mot_dataset_targets(const mot_dataset *dataset, void *target);
/* The most tokens that `count` texts of the split have together, none of them taken more than `times` times; those of the longest that
 * may be, where the texts' own lengths are not known without reading them. */
size_t mot_dataset_most_tokens(const mot_dataset *dataset, size_t count, size_t times);
/* Bytes of all samples as they are stored, in a file or in memory. */
size_t mot_dataset_stored_bytes(const mot_dataset *dataset);
/* The class of a sample of a split that was read; -1: targets are no classes. */
int mot_dataset_class(const mot_dataset *dataset, mot_gidx index);

/* True when every label belongs to one group; then parent[label] is it (a table owned by the data set, of `classes`
 * entries, -1 for a label that never occurs). */
bool mot_dataset_label_groups(const mot_dataset *dataset, int *parent);

/* ---- writing: split by split, in pieces; used by importers ---- */
typedef struct mot_dataset_writer mot_dataset_writer;
/* A data set that this one is joined of (join.h). */
typedef struct mot_dataset_origin {
    const char *name, *file, *change; /* "none": as it stands there */
    const char *checksum[3];          /* of its splits that are part of this one; NULL: not so */
} mot_dataset_origin;
typedef struct mot_dataset_about {
    const char *title, *source, *licence; /* may be NULL */
    size_t class_count, group_count, vocabulary_count;
    const char *const *class_names, *const *group_names,
                                        *const *vocabulary; /* names may be NULL: "0", "1", ... */
    const char *const *column_names;                        /* [features] of vectors, or NULL: they have none */
    const char *const *target_names;                        /* of the numbers of a target; likewise */
    bool signed_labels;
    size_t origin_count; /* all with the same splits; 0: it is joined of none */
    const mot_dataset_origin *origin;
} mot_dataset_about;
/* Of `format.normalization` the caller says the scaling alone; mean and deviation are computed by the writer over the train
 * split. Counts of 0 in `about` stand for the largest label or group + 1. Samples are checked when added, labels when closed. Nothing appears
 * under `path` before mot_dataset_writer_close(commit = true) has returned MOT_OK; its folder is made with the first sample. */
mot_status mot_dataset_writer_open(mot_dataset_writer **writer, const char *path,
                                   const mot_sample_format *format);
/* Before the first sample: each target is so many numbers, and no label. */
void mot_dataset_writer_numbers(mot_dataset_writer *writer, size_t numbers);
/* target: labels int32_t [count], or float [count, numbers]. */
mot_status mot_dataset_writer_add(mot_dataset_writer *writer, const char *split, size_t count, const void *x,
                                  const void *target, const int32_t *group /* or NULL */);
mot_status mot_dataset_writer_close(mot_dataset_writer **writer, const mot_dataset_about *about, bool commit);

/* Makes the checksums of the samples anew, in a data set that mot_h5_edit has opened. */
mot_status mot_dataset_renew_sums(hid_t file);

#endif
