/* mot data import KIND: from the formats in which data come to one data set file. */
#include <stdio.h>
#include <string.h>

#include "cmd_data_import.h"
#include "mot/log.h"
#include "mot/output.h"
#include "mot/types.h"

static const importer importers[] = {
    {IDX, "idx", mot_import_idx, NULL,
     "--out FILE --train IMAGES,LABELS[,GROUPS] --test IMAGES,LABELS\n"
     "MNIST and its likes: IDX files of any type, plain, .gz or .xz."},
    {CIFAR, "cifar", mot_import_cifar, NULL,
     "--out FILE --train F[,F...] --test F[,F...]\n"
     "CIFAR-10 or CIFAR-100 binary records, plain, .gz or .xz."},
    {NPY, "npy", mot_import_npy, NULL,
     "--out FILE --train X.npy,Y.npy[,GROUP.npy] | FILE.npz\n"
     "NumPy arrays: bytes of three or four axes are pictures, integers of 32 or 64 bits [n, L] word ids, "
     "other numbers vectors [n, D] or [n, L, D]."},
    {TEXTS, "text", mot_import_text, NULL,
     "--out FILE --train FILE.tsv [--val FILE.tsv] [--test FILE.tsv]\n"
     "Lines label<TAB>group<TAB>text, or label<TAB>text, or a table with such columns; plain, .gz or .xz."},
    {CSV, "csv", mot_import_csv, NULL,
     "--out FILE --train FILE [--test FILE | --test-fraction F]\n"
     "Lines of numbers with the label in one column; plain, .gz or .xz."},
    {IMAGES, "images", mot_import_images, "FOLDER",
     "--out FILE --test-fraction F\n"
     "PNG and JPEG files, a folder a class: FOLDER/CLASS/*.png, or FOLDER/train/CLASS and "
     "FOLDER/test/CLASS."},
    {HDF5, "hdf5", mot_import_hdf5, "FILE X=/PATH Y=/PATH [GROUP=/PATH]",
     "--out FILE\n"
     "Arrays in an HDF5 file, taken as those of npy are. VAL_X=, TEST_X= and so on name those of other "
     "splits."},
};

static mot_status import(const importer *kind, char *name, int argc, char **argv)
{
    struct argp_option taken[IMPORT_MAX_OPTIONS];
    import_options_of(kind->bit, taken);
    const struct argp argp = {
        .options = taken, .parser = import_parse, .args_doc = kind->usage, .doc = kind->help};
    mot_import_notes notes = {.count = 0};
    import_arguments a = {.importer = kind, .options = {.notes = &notes}};
    bool help;
    mot_status status = mot_cli_parse(&argp, argc, argv, &a, &help);
    if (status != MOT_OK || help) return status;
    if (a.options.out == NULL || a.options.files[0] == NULL)
        return mot_fail(MOT_ERR_INPUT, "%s needs %s (see %s --help)", name,
                        a.options.out == NULL ? "--out"
                        : kind->usage != NULL ? kind->usage
                                              : "--train",
                        name);
    for (size_t s = 0; s < MOT_COUNT(a.options.files); ++s) MOT_TRY(mot_output_apart(a.options.out, a.options.files[s]));
    MOT_TRY(mot_output_apart(a.options.out, a.options.class_names));
    MOT_TRY(mot_output_apart(a.options.out, a.options.group_names));
    MOT_TRY(mot_output_check(a.options.out, MOT_OUTPUT_FILE_IN_MADE, a.force));
    MOT_TRY(kind->run(&a.options));
    for (size_t i = 0; i < MOT_MIN(notes.count, (size_t)MOT_IMPORT_NOTES); ++i)
        mot_log(MOT_LOG_INFO, "note: %s", notes.text[i]);
    MOT_TRY(cmd_data_say_made(a.options.out));
done:
    return status;
}

mot_status cmd_data_import(int argc, char **argv)
{
    const char *wanted = argc > 1 ? argv[1] : "--help";
    for (size_t i = 0; i < MOT_COUNT(importers); ++i) {
        if (strcmp(wanted, importers[i].name) != 0) continue;
        char name[64];
        snprintf(name, sizeof name, "%.32s %s", argv[0], wanted);
        argv[1] = name;
        return import(&importers[i], name, argc - 1, argv + 1);
    }
    const char *usage =
        "Usage: mot data import KIND [OPTION...]\nKIND is idx, cifar, npy, text, csv, images or hdf5; "
        "'mot data import KIND --help' tells more of one.";
    if (strcmp(wanted, "--help") == 0 && argc > 1) return mot_log(MOT_LOG_INFO, "%s", usage), MOT_OK;
    if (strcmp(wanted, "parquet") == 0)
        return mot_fail(MOT_ERR_INPUT, "'parquet': no C library of Debian reads it; docs/data.md has the "
                                       "line that makes a .csv or .npz of it");
    return mot_fail(MOT_ERR_INPUT,
                    "'%s': expected mot data import idx, cifar, npy, text, csv, images or hdf5",
                    argc > 1 ? wanted : "");
}
