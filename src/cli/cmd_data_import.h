/* cmd_data_import.h: the importers, and the options that each of them takes. */
#ifndef MOT_CMD_DATA_IMPORT_H
#define MOT_CMD_DATA_IMPORT_H

#include "cmd_data.h"
#include "mot/import.h"

/* A bit for each, by which an option says who takes it; and one for mot predict, which reads by them. */
enum { IDX = 1, CIFAR = 2, NPY = 4, TEXTS = 8, CSV = 16, IMAGES = 32, HDF5 = 64, ALL = 127, PREDICT = 128 };
enum { ARRAYS = IDX | NPY | HDF5, TABLES = TEXTS | CSV };

typedef struct importer {
    unsigned bit;
    const char *name;
    mot_importer *run;
    const char *usage, *help; /* usage: of arguments that are no options, or NULL */
} importer;

typedef struct import_arguments {
    mot_import_options options;
    const importer *importer;
    bool force;
} import_arguments;

/* cmd_data_options.c. The options that an importer takes, ended by an empty one, in `taken`. */
enum { IMPORT_MAX_OPTIONS = 64 };
void import_options_of(unsigned who, struct argp_option taken[IMPORT_MAX_OPTIONS]);
/* The importers that take the option of this key which mot predict takes; its name in *name. 0: it takes none of that key. */
unsigned import_takers(int key, const char **name);
/* For argp; the input is an import_arguments. */
error_t import_parse(int key, char *text, struct argp_state *state);

#endif
