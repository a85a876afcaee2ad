/* import.h: making data set files of the formats in which data come (docs/data.md has an example of each).
 *
 * An importer reads what its format says of each split: samples, a label a sample, and perhaps a group. What follows is
 * the same for all: labels and groups become classes, splits are divided where fractions say so, and one file is written.
 *
 * Labels are names. Whole numbers that run from 0 are their own class; other numbers are classes in the order of the
 * numbers, texts in the order of their bytes, and with --class-names the place of a name in that list is the class.
 * Numbers that are not whole are refused, unless an option says that they are targets, to be predicted as they are. What is ambiguous is refused by a sentence that names both
 * readings and the option that decides.
 *
 * Every input file may be plain, gzip or xz (told by its first bytes; HDF5 and pictures are packed in themselves) and is
 * hostile: its unpacked size is bounded, counts are checked against the bytes that are there before anything is
 * allocated, and a mistake is one sentence with file and line or byte (MOT_ERR_INPUT). The output appears only when
 * everything was right. Not collective. */
#ifndef MOT_IMPORT_H
#define MOT_IMPORT_H

#include "mot/dataset.h"
#include "mot/schema.h"

enum { MOT_IMPORT_SPLITS = 3 }; /* train, val, test */
enum { MOT_IMPORT_ARGUMENTS = 9 };

typedef enum mot_answer { MOT_ANSWER_AUTO, MOT_ANSWER_YES, MOT_ANSWER_NO } mot_answer;
typedef enum mot_picture_color { MOT_COLOR_AUTO, MOT_COLOR_GREY, MOT_COLOR_RGB } mot_picture_color;
typedef enum mot_picture_layout { MOT_LAYOUT_AUTO, MOT_LAYOUT_CHW, MOT_LAYOUT_HWC } mot_picture_layout;

/* What an importer took without being told, a sentence each, for the user to read. */
enum { MOT_IMPORT_NOTES = 16 };
typedef struct mot_import_notes {
    size_t count; /* also of those that found no room */
    char text[MOT_IMPORT_NOTES][400];
} mot_import_notes;

/* Where samples came from, one path a sample; its strings are part of one block, which the caller frees. */
typedef struct mot_import_paths {
    size_t count;
    char **path;
} mot_import_paths;

enum { MOT_IMPORT_MOST_TOKENS = 1 << 20 }; /* of a text */

/* Zero is the default of every field. */
typedef struct mot_import_options {
    const char *out;
    const char *files[MOT_IMPORT_SPLITS]; /* of each split, as given: "A,B[,C]". NULL: no such split */
    const char *title, *source, *licence;
    const char *class_names, *group_names;    /* a file with a name a line, or a,b,c; NULL: none */
    const char *first_label;                  /* with class names: the number of the first one, "0" or "1" */
    double val_fraction, test_fraction;       /* of the training samples, class by class, for these splits */
    uint64_t seed;                            /* of that choice */
    mot_scaling scaling;                      /* pictures, vectors */
    const char *kind;                         /* arrays: "picture", "text" or "vector"; NULL: by type and axes */
    int cifar;                                /* cifar: 10, 100, or 0 to find out */

    /* tables: csv, text */
    char separator, decimal;                  /* ',' ';' '\t' '|' or ' ' (blanks); '.' or ','; 0: find out */
    mot_answer header, by_name;               /* columns of splits in another order: by name, or by place */
    const char *label_column, *group_column, *text_column; /* a name, a number from 1, or "last" */
    const char *ignore_columns;               /* such, with commas between */
    const char *target_columns;               /* csv: likewise: numbers to be predicted, in place of labels */
    size_t shape[3];                          /* C, H, W of a picture a line; all 0: one vector a line */
    bool bytes;                               /* text: byte tokens instead of words */
    size_t length;                            /* text: tokens a sample; 0: those of the longest, up to 64 words, 512 bytes */
    size_t min_count;                         /* text: a word's count in train to be in the vocabulary; 0: 3 */

    /* arrays: npy, idx, hdf5 */
    const char *array[3];                     /* npz, hdf5: names of samples, labels, groups; NULL: x, y, group */
    bool numbers;                             /* the second array is numbers to be predicted, in place of labels */
    const char *pad;                          /* word ids: the id of padding, or "none"; NULL: 0 behind the end */
    mot_picture_layout layout;

    /* pictures: images */
    size_t height, width;                     /* 0: all have the same already */
    mot_picture_color color;
    const char *background;                   /* "white" or "black" behind what is transparent */
    bool skip_unreadable;

    /* hdf5: "X=/path", "TEST_Y=/path", ... */
    size_t argument_count;
    const char *argument[MOT_IMPORT_ARGUMENTS];

    /* Samples alone, for a run that learned `as`: its kind, sizes, columns and word ids are taken, not found out, and labels
     * are neither needed nor read. csv, text (a text a line), npy, hdf5, images (of all folders below the one given): of
     * these the training split alone; all samples get label 0. NULL: a data set to learn from. */
    const mot_schema *as;
    mot_import_paths *paths;                  /* images with `as`: the file of each sample; may be NULL */

    mot_import_notes *notes;                  /* may be NULL */
} mot_import_options;

typedef mot_status mot_importer(const mot_import_options *options);
mot_importer mot_import_idx, mot_import_cifar, mot_import_npy, mot_import_text, mot_import_csv,
    mot_import_images, mot_import_hdf5;

#endif
