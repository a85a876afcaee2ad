/* Files of samples without labels, by the importers, which take them as those of the run. */
#include <stdio.h>
#include <string.h>

#include "mot/log.h"
#include "predict_private.h"

/* What a run may have learned. */
enum { PICTURES, TEXTS, IDS, NUMBERS, LEARNED };

static int learned_by(const mot_schema *schema)
{
    const mot_sample_format *format = &schema->format;
    const bool bytes = format->element == MOT_ELEMENT_U8 ||
                       (schema->ids_or_bytes && format->vocabulary == 256);
    if (format->kind == MOT_SAMPLE_PICTURE) return PICTURES;
    if (format->kind == MOT_SAMPLE_VECTOR) return NUMBERS;
    return schema->vocabulary != NULL || bytes ? TEXTS : IDS;
}

static mot_importer *importer_of(mot_predict_input input, int learned)
{
    static const struct {
        mot_importer *run;
        bool reads[LEARNED];
    } inputs[] = {
        [MOT_PREDICT_CSV] = {mot_import_csv, {true, false, false, true}},
        [MOT_PREDICT_TEXT] = {mot_import_text, {false, true, false, false}},
        [MOT_PREDICT_NPY] = {mot_import_npy, {true, false, true, true}},
        [MOT_PREDICT_IMAGES] = {mot_import_images, {true, false, false, false}},
        [MOT_PREDICT_HDF5] = {mot_import_hdf5, {true, false, true, true}},
    };
    return inputs[input].reads[learned] ? inputs[input].run : NULL;
}

mot_status mot_predict_user_words(mot_status status, const char *to, const char *path)
{
    char sentence[2048];
    if (status == MOT_OK) return MOT_OK;
    snprintf(sentence, sizeof sentence, "%s", mot_error_message());
    const char *at = strstr(sentence, to);
    if (at == NULL) return status;
    return mot_fail(status, "%.*s%s%s", (int)(at - sentence), sentence, path, at + strlen(to));
}

mot_status mot_predict_import(const mot_predict_options *options, const mot_schema *schema, const char *made,
                              mot_import_paths *paths)
{
    static const char *const words[LEARNED] = {"pictures: give --images, --csv, --npy or --hdf5",
                                               "texts: give --text", "word ids: give --npy or --hdf5",
                                               "numbers: give --csv, --npy or --hdf5"};
    const int learned = learned_by(schema);
    mot_importer *import = importer_of(options->input, learned);
    mot_import_options reading = options->reading;
    mot_import_notes notes = {.count = 0};
    if (import == NULL)
        return mot_fail(MOT_ERR_INPUT, "%s: the run learned %s", options->file, words[learned]);
    reading.out = made;
    reading.files[0] = options->file;
    reading.scaling = MOT_SCALING_NONE; /* the run's counts */
    reading.as = schema;
    reading.paths = paths;
    reading.notes = &notes;
    const mot_status status = import(&reading);
    for (size_t i = 0; status == MOT_OK && i < MOT_MIN(notes.count, (size_t)MOT_IMPORT_NOTES); ++i)
        mot_log(MOT_LOG_INFO, "note: %s", notes.text[i]);
    return status;
}
