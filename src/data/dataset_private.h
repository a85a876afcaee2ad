/* dataset_private.h: what reader and writer of a data set file agree on. */
#ifndef MOT_DATASET_PRIVATE_H
#define MOT_DATASET_PRIVATE_H

#include <limits.h>
#include <sys/types.h>

#include "mot/dataset.h"
#include "mot/h5.h"

#define DATASET_FORMAT "mot-dataset"
#define DATASET_SUMS   "sample_xxh3" /* of each sample, beside x */
#define DATASET_FIRST  "first"       /* texts of their own lengths: the place in x of each; */
#define DATASET_PADDED "padded_xxh3" /* and what the checksum of x would be were they all alike long */
enum {
    DATASET_VERSION = 3,
    DATASET_VERSION_LENGTHS = 4, /* whose texts have lengths of their own */
    DATASET_VERSION_ATTRIBUTES =
        2, /* whose mean and deviation are attributes, one for all numbers of vectors */
    DATASET_SPLITS = 3,
    DATASET_MAX_NAMES = 1 << 20,  /* classes, groups */
    DATASET_MAX_EXTENT = 1 << 20, /* of one dimension of a sample */
    DATASET_MAX_CHANNELS = 16,
};
static const size_t dataset_max_sample = (size_t)1 << 30; /* bytes */

extern const char *const mot_dataset_split_names[DATASET_SPLITS]; /* train, val, test */
extern const char *const mot_dataset_kind_names[3];
extern const char *const mot_dataset_scaling_names[3]; /* column, all, none */

/* From samples as they are stored to those of a schema. */
struct dataset_map {
    mot_sample_format from; /* with the data set's own normalization, owned */
    int32_t *column;        /* [features of the schema]: which stored one each is; owned; NULL: the same */
    int32_t *word;          /* [vocabulary of `from`]: the schema's id of each; owned; NULL: the same */
};

/* Where samples come from: their places in a file, all of them in memory, or who makes them. */
struct mot_dataset_source {
    /* As mot_dataset_sample, of a sample that there is, in the form that it is stored in. */
    mot_status (*sample)(const mot_dataset *dataset, mot_gidx index, void *bytes, void *target,
                         int32_t *group);
    void *maker; /* of samples, what it needs for that; NULL: they are read */
    void (*free_maker)(void *maker);
    /* Whose sample is read for it; *index becomes its number there. NULL: nobody's. */
    mot_dataset *(*behind)(const mot_dataset *dataset, mot_gidx *index);
    bool waits; /* one of those is read from a disk */

    int split;               /* its number */
    int descriptor;          /* of the file; -1: none is read any more */
    off_t first;             /* place of sample 0, where `format.bytes` bytes are a sample */
    uint64_t *place;         /* [samples + 1]: of texts of their own lengths, tokens before each; owned; NULL: all are alike long */
    uint64_t *sum;           /* [samples]: their checksums, as long as any is to be read */
    unsigned char *loaded;   /* or all samples of the split */
    char where[PATH_MAX];    /* "FILE:/split/x", for sentences */
    struct dataset_map *map; /* samples are given in another form than they are stored in; owned; else NULL */
};

/* dataset_sums.c: in which 64-bit type the samples' checksums are stored: a signed one, since programs that know no other
 * (R) would clamp them; unsigned in older files. The bits are the same. */
hid_t mot_dataset_sum_type(hid_t file, const char *name);

/* dataset_file.c: all that the file says of a split but its samples, and where those lie. */
mot_status mot_dataset_read_structure(mot_dataset *dataset, const char *path, const char *split);
/* Which splits a data set has. */
mot_status mot_dataset_splits(const char *path, bool has[DATASET_SPLITS]);

/* dataset_texts.c: bytes of a text, without the padding behind its end; where samples lie behind the split's first byte, as they are
 * stored; and `first`, of a file whose texts have lengths of their own, and what follows from it: tokens, samples, places. */
size_t mot_dataset_text_bytes(const mot_sample_format *format, const void *sample);
typedef struct dataset_span {
    uint64_t at;
    size_t bytes;
} dataset_span;
dataset_span mot_dataset_span_of(const mot_dataset *dataset, mot_gidx first, size_t count);
mot_status mot_dataset_read_places(mot_dataset *dataset, hid_t file, const char *split, const char *where);

/* dataset_targets.c: targets and groups of a split whose samples are counted. */
mot_status mot_dataset_read_targets(mot_dataset *dataset, hid_t file, const char *path, const char *split);
/* The first of `count` targets y [count, numbers] that is not finite. Sentence: "WHERE: sample N ...". */
mot_status mot_dataset_numbers_check(const char *where, mot_gidx first, size_t count, size_t numbers,
                                     const float *y);

/* The group `normalization`, whose scaling, means and deviations are read, or written. */
mot_status mot_dataset_normalization_read(mot_sample_format *format, hid_t where, const char *path);
mot_status mot_dataset_normalization_write(hid_t where, const mot_normalization *normalization);
/* Attributes of `where`, each of them there where it is not the usual. */
mot_status mot_dataset_reading_read(mot_reading *reading, hid_t where, const char *path);
mot_status mot_dataset_reading_write(hid_t where, const mot_reading *reading);

/* dataset_names.c: pointers and characters in one block; NULL: there are none. */
mot_status mot_dataset_names_copy(char ***copy, char *const *names, size_t count);
/* "0", "1", ... */
mot_status mot_dataset_names_number(char ***names, size_t count);
/* Names of a list, which must be `expected`; absent: NULL. `where` is a file or a group of one. */
mot_status mot_dataset_names_read(hid_t where, const char *path, const char *name, size_t expected,
                                  char ***names);
bool mot_dataset_names_same(char *const *a, size_t count_a, char *const *b, size_t count_b);
/* map[i]: the place among `of` that has the name of i, or -1. MOT_ERR_INPUT: two there, `whose` they are, have one name. */
mot_status mot_dataset_names_map(char *const *names, size_t count, char *const *of, size_t of_count,
                                 const char *what, const char *whose, const char *path, int32_t *map);

/* Those of `names` that are not among all [*all_count] yet are put behind them, where there is room; map[i]: the place of each. */
mot_status mot_dataset_names_add(char **all, size_t *all_count, char *const *names, size_t count, const char *what,
                                 const char *path, int32_t *map);

/* dataset_map.c: a stored sample in the form of the schema; all of a map. */
void mot_dataset_map_sample(const struct dataset_map *map, const mot_sample_format *to, const void *sample,
                            void *bytes);
void mot_dataset_map_free(struct dataset_map *map);
/* The word id, or byte, of a token of a text. */
static inline int32_t dataset_token(const mot_sample_format *format, const void *sample, size_t token)
{
    return format->element == MOT_ELEMENT_I32 ? ((const int32_t *)sample)[token]
                                              : ((const unsigned char *)sample)[token];
}

/* dataset.c: a sample as it is stored. */
mot_status mot_dataset_stored(const mot_dataset *dataset, mot_gidx index, void *bytes);

/* dataset_made.c: who makes its samples (`of`), if they are made by this function; else NULL. */
const void *mot_dataset_made_by(const mot_dataset *dataset, mot_dataset_sampler *sample, int *split);
/* Of a split that is made: training samples (0: endless), or those of evaluation. */
static inline mot_gidx mot_dataset_made_samples(bool training, mot_gidx train, mot_gidx eval)
{
    return !training ? eval : train == 0 ? MOT_ENDLESS : train;
}

/* dataset.c: makes dataset->source, which reads nothing yet; `split`: MOT_ERR_INPUT where there is none of that name. */
mot_status mot_dataset_begin(mot_dataset *dataset, const char *split);

/* The native HDF5 type of an element. */
hid_t mot_dataset_element_type(mot_element element);

/* Every extent in its bounds and of the right element for its kind; sets format->bytes. `where` begins the
 * sentence. */
mot_status mot_dataset_format_check(mot_sample_format *format, const char *where);

/* "pictures of 28 x 28 pixels (rows x columns) and 1 channel", for sentences. */
void mot_dataset_form_text(const mot_sample_format *format, char text[160]);
/* "classes", "numbers, 3 a sample" */
void mot_dataset_target_text(int classes, size_t target_bytes, char text[48]);

/* Room for the means and deviations of this scaling: format->normalization's count and its one block, which the caller owns. */
mot_status mot_dataset_normalization_allocate(mot_sample_format *format);

/* The first value among `count` samples that no model could take: a word id outside the vocabulary, or a
 * number that is not finite. Sentence: "WHERE: sample N ...". */
mot_status mot_dataset_samples_check(const mot_sample_format *format, const char *where, mot_gidx first,
                                     size_t count, const void *x);

#endif
