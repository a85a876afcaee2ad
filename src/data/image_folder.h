/* image_folder.h: the pictures of a folder, by class and split. */
#ifndef MOT_DATA_IMAGE_FOLDER_H
#define MOT_DATA_IMAGE_FOLDER_H

#include "import.h"

typedef struct image_file {
    char *path, *class_name; /* owned together, in that order */
    int split;
} image_file;

typedef struct image_list {
    size_t count, capacity;
    image_file *file; /* owned; by split, then by class, then by path, in the order of bytes */
    size_t others;    /* files that have no name of a picture */
    char other[256];  /* the first of them */
} image_list;

/* FOLDER/CLASS/[.../]*.png, all of split `split`; or, where all folders in FOLDER are called train, val (valid,
 * validation) and test, FOLDER/SPLIT/CLASS/... of these. Names that begin with a dot are passed over. */
mot_status mot_image_folder_list(const char *folder, int split, image_list *list);
/* All pictures in a folder and those below it, of no class, in the order of their paths; or the one picture `path`. */
mot_status mot_image_folder_list_all(const char *path, image_list *list);
void mot_image_folder_free(image_list *list);

#endif
