/* import.h: making data set files of the formats in which data come. Private to this folder and to the
 * command.
 *
 * Every input file may be plain, gzip or xz (told by its first bytes) and is hostile: its unpacked size is
 * bounded, counts are checked against the bytes that are there before anything is allocated, and a mistake is
 * one sentence with file and line or byte (MOT_ERR_INPUT). The output appears only when everything was right.
 */
#ifndef MOT_IMPORT_H
#define MOT_IMPORT_H

#include "mot/dataset.h"

enum { IMPORT_SPLITS = 3, IMPORT_MAX_FILES = 64 };

typedef struct import_options {
    const char *out;
    /* Files of each split, as given: "A,B[,C]". NULL: no such split. */
    const char *files[IMPORT_SPLITS]; /* train, val, test */
    const char *title, *source, *licence;
    const char *class_names, *group_names; /* a file with a name a line, or a,b,c; NULL: none */
    int cifar;                             /* cifar: 10, 100, or 0 to find out */
    bool bytes;                            /* text: byte tokens instead of words */
    size_t length;                         /* text: tokens a sample; 0: 16 words, 128 bytes */
    size_t min_count;                      /* text: a word's count in train to be in the vocabulary; 0: 3 */
    int label_column;                      /* csv: from 0; -1: the last */
    size_t shape[3];                       /* csv: C, H, W; all 0: one vector a line */
    double test_fraction;                  /* csv: of the lines, when there is no test file */
    uint64_t seed;
} import_options;

mot_status import_idx(const import_options *options);
mot_status import_cifar(const import_options *options);
mot_status import_npy(const import_options *options);
mot_status import_text(const import_options *options);
mot_status import_csv(const import_options *options);

/* ---- shared by the importers ---- */

/* The whole file, unpacked, with a 0 behind its end; at most `limit` bytes. mot_free(*bytes). */
mot_status import_read(const char *path, size_t limit, char **bytes, size_t *count);
static const size_t import_limit = (size_t)8 << 30;

/* "A,B,C" in pieces; *list and its strings are one block. `what` is for the sentence. */
mot_status import_split_list(const char *text, size_t most, const char *what, size_t *count, char ***list);
/* Names from the option's text: the lines of that file, or the pieces between commas. NULL: none. */
mot_status import_names(const char *text, const char *what, size_t *count, char ***names);

/* about->title and so on from the options; the names are owned by the caller. */
void import_about(const import_options *options, mot_dataset_about *about);

/* True when the bytes are well-formed UTF-8; else *at is the first wrong byte. */
bool import_is_utf8(const char *bytes, size_t count, size_t *at);

#endif
