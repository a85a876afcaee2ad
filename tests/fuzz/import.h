/* import.h: an importer on files made of the input. What it accepts makes a data set that can be read to the end. */
#ifndef MOT_FUZZ_IMPORT_H
#define MOT_FUZZ_IMPORT_H

#include "fuzz.h"
#include "mot/dataset.h"
#include "mot/import.h"

static inline void fuzz_read_dataset(const char *path)
{
    static const char *const splits[] = {"train", "val", "test"};
    for (size_t s = 0; s < MOT_COUNT(splits); ++s) {
        mot_dataset dataset;
        if (!fuzz_accepted(mot_dataset_open(&dataset, path, splits[s], SIZE_MAX))) {
            FUZZ_CHECK(strstr(mot_error_message(), "has no split") != NULL);
            continue;
        }
        void *sample = mot_calloc(1, dataset.format.bytes);
        FUZZ_CHECK(sample != NULL);
        for (mot_gidx i = 0; i < dataset.samples; ++i)
            FUZZ_CHECK(mot_dataset_read(&dataset, i, sample) == MOT_OK);
        mot_free(sample);
        mot_dataset_close(&dataset);
    }
}

/* The pieces as files, `each` of them a split. With the highest bit of the choice the last piece is a file of class
 * names. */
static inline void fuzz_import(mot_status (*import)(const mot_import_options *), mot_import_options options,
                               const fuzz_input *input, size_t each)
{
    const fuzz_state before = fuzz_look();
    const bool names = (input->choice & 0x80) != 0 && input->count > 1;
    const size_t files = input->count - names;
    char list[MOT_IMPORT_SPLITS][512] = {""};
    for (size_t i = 0; i < input->count; ++i) {
        char name[32];
        snprintf(name, sizeof name, "piece%zu", i);
        const char *path = fuzz_save(name, input->piece[i], input->size[i]);
        const size_t split = i / each;
        if (i == files) {
            options.class_names = path;
        } else if (split < MOT_IMPORT_SPLITS) {
            const size_t used = strlen(list[split]);
            snprintf(list[split] + used, sizeof list[split] - used, "%s%s", used > 0 ? "," : "", path);
            options.files[split] = list[split];
        }
    }
    options.out = fuzz_path("out.h5");
    unlink(options.out);
    if (fuzz_accepted(import(&options)))
        fuzz_read_dataset(options.out);
    else
        FUZZ_CHECK(access(options.out, F_OK) != 0);
    fuzz_nothing_left(before);
}

#endif
