/* import.h: making data set files of the formats in which data come (docs/data.md has an example of each).
 *
 * Every input file may be plain, gzip or xz (told by its first bytes) and is hostile: its unpacked size is
 * bounded, counts are checked against the bytes that are there before anything is allocated, and a mistake is
 * one sentence with file and line or byte (MOT_ERR_INPUT). The output appears only when everything was right.
 * Not collective. */
#ifndef MOT_IMPORT_H
#define MOT_IMPORT_H

#include "mot/dataset.h"

enum { MOT_IMPORT_SPLITS = 3 }; /* train, val, test */

typedef struct mot_import_options {
    const char *out;
    /* Files of each split, as given: "A,B[,C]". NULL: no such split. */
    const char *files[MOT_IMPORT_SPLITS];
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
} mot_import_options;

mot_status mot_import_idx(const mot_import_options *options);
mot_status mot_import_cifar(const mot_import_options *options);
mot_status mot_import_npy(const mot_import_options *options);
mot_status mot_import_text(const mot_import_options *options);
mot_status mot_import_csv(const mot_import_options *options);

#endif
