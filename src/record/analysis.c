#include "mot/analysis.h"

#include <stdio.h>
#include <string.h>

#include "mot/atomic_file.h"
#include "mot/memory.h"
#include "record_private.h"

#define MOT_ANALYSIS_FORMAT "mot-analysis"
enum { NAME = 64 };

struct mot_analysis {
    hid_t file;
    char path[MOT_RECORD_PATH];
    record_source source;
    mot_gidx samples;
    mot_analysis_layer layer[MOT_RECORD_LAYERS];
};

/* What a row is as long as. */
typedef enum row_width { ONE, EXPERTS, CHOICES, FEATURES, WORDS } row_width;

static const struct {
    const char *name, *long_name;
    record_type stored, given;
    row_width width;
} columns[MOT_ANALYSIS_COLUMNS] = {
    [MOT_ANALYSIS_SAMPLE] = {"sample", "index of the sample in its split", RECORD_I64, RECORD_I64, ONE},
    [MOT_ANALYSIS_LABEL] = {"label", "class of the sample, -1 where there is none", RECORD_I32, RECORD_I32, ONE},
    [MOT_ANALYSIS_GROUP] = {"group", "group of the sample, -1 where there is none", RECORD_I32, RECORD_I32, ONE},
    [MOT_ANALYSIS_LOSS] = {"loss", "loss of the sample", RECORD_F32, RECORD_F64, ONE},
    [MOT_ANALYSIS_PREDICTED] = {"predicted", "class that it was taken for, -1 where there is none", RECORD_I32, RECORD_I32, ONE},
    [MOT_ANALYSIS_HIT] = {"hit", "1: that is right, 0: wrong, -1: nothing is right or wrong", RECORD_I8, RECORD_I8, ONE},
    [MOT_ANALYSIS_GATE_SCORE] = {"gate_score", "the gate's probability of each expert", RECORD_F32, RECORD_F32, EXPERTS},
    [MOT_ANALYSIS_CHOSEN] = {"chosen", "the gate's choices, the first one first", RECORD_I32, RECORD_I32, CHOICES},
    [MOT_ANALYSIS_WEIGHT] = {"weight", "weight of the chosen expert's output", RECORD_F32, RECORD_F32, CHOICES},
    [MOT_ANALYSIS_FEATURES] = {"features", "what the gate saw of the sample", RECORD_F32, RECORD_F32, FEATURES},
    [MOT_ANALYSIS_WORDS] = {"words", "ids of the words that the gate saw of the sample, 0 behind the end", RECORD_I32, RECORD_I32, WORDS},
    [MOT_ANALYSIS_ONLY_LOSS] = {"only_loss", "loss if the expert were the only one of the layer", RECORD_F32, RECORD_F32, EXPERTS},
    [MOT_ANALYSIS_ONLY_PREDICTED] = {"only_predicted", "class if the expert were the only one of the layer", RECORD_I32, RECORD_I32, EXPERTS},
    [MOT_ANALYSIS_WITHOUT_LOSS] = {"without_loss", "loss if the expert were not there", RECORD_F32, RECORD_F32, EXPERTS},
    [MOT_ANALYSIS_WITHOUT_PREDICTED] = {"without_predicted", "class if the expert were not there", RECORD_I32, RECORD_I32, EXPERTS},
};

static const char *path_of(char path[NAME], int layer, mot_analysis_column column)
{
    if (column < MOT_ANALYSIS_GATE_SCORE)
        snprintf(path, NAME, "%s", columns[column].name);
    else
        snprintf(path, NAME, "layer%d/%s", layer, columns[column].name);
    return path;
}

static bool has(const mot_analysis_layer *layer, mot_analysis_column column)
{
    if (column == MOT_ANALYSIS_FEATURES) return layer->features > 0;
    if (column == MOT_ANALYSIS_WORDS) return layer->words > 0;
    return layer->experts > 1 || (column != MOT_ANALYSIS_WITHOUT_LOSS && column != MOT_ANALYSIS_WITHOUT_PREDICTED);
}

/* ---- what there is ---- */

/* Attached to an axis of a layer's dataset: /layer0/NAME, or with "attention/" as its place /layer0/attention/NAME. */
static mot_status attach(hid_t file, int layer, const char *dataset, unsigned dim, const char *place, const char *name)
{
    char scale[2 * NAME];
    snprintf(scale, sizeof scale, "layer%d/%s%s", layer, place, name);
    return mot_h5_scale(file, dataset, dim, scale, name);
}

static mot_status make_column(mot_analysis *a, int layer, mot_analysis_column column)
{
    static const char *const axis[] = {[EXPERTS] = "expert", [CHOICES] = "choice", [FEATURES] = "feature", [WORDS] = "place"};
    const mot_analysis_layer *of = &a->layer[layer];
    const row_width width = columns[column].width;
    const hsize_t widths[] = {[EXPERTS] = (hsize_t)of->experts, [CHOICES] = (hsize_t)of->choices, [FEATURES] = of->features,
                              [WORDS] = of->words},
                  shape[] = {(hsize_t)a->samples, widths[width]};
    char path[NAME];
    mot_status status;
    path_of(path, layer, column);
    MOT_TRY(mot_h5_write(a->file, path, mot_record_type_h5(columns[column].stored), width == ONE ? 1 : 2, shape,
                         MOT_H5_COMPRESSED, NULL));
    MOT_TRY(mot_record_describe(a->file, path, "1", columns[column].long_name));
    if (column != MOT_ANALYSIS_SAMPLE) MOT_TRY(mot_h5_scale(a->file, path, 0, columns[MOT_ANALYSIS_SAMPLE].name, "sample"));
    if (width != ONE) MOT_TRY(attach(a->file, layer, path, 1, "", axis[width]));
    if (width == WORDS) MOT_TRY(mot_h5_set_text(a->file, path, "input", of->input));
done:
    return status;
}

static mot_status make_scale(mot_analysis *a, int layer, const char *name, size_t count, const int *value, const char *long_name)
{
    char path[NAME];
    snprintf(path, sizeof path, "layer%d/%s", layer, name);
    const mot_status status = mot_record_write_scale(a->file, path, count, value, long_name);
    return status == MOT_OK ? mot_h5_make_scale(a->file, path, name) : status;
}

static mot_status make_layer(mot_analysis *a, int layer)
{
    const mot_analysis_layer *of = &a->layer[layer];
    char group[MOT_RECORD_GROUP];
    mot_status status;
    mot_record_layer_group(group, layer);
    MOT_TRY(mot_h5_make_group(a->file, group));
    MOT_TRY(make_scale(a, layer, "expert", (size_t)of->experts, of->origin, "expert, by its number in the beginning"));
    MOT_TRY(make_scale(a, layer, "choice", (size_t)of->choices, NULL, "choice, the first one is 0"));
    if (of->features > 0) MOT_TRY(make_scale(a, layer, "feature", of->features, NULL, "number of what the gate saw"));
    if (of->words > 0) MOT_TRY(make_scale(a, layer, "place", of->words, NULL, "place of a word in the text"));
    if (of->features + of->words == 0) MOT_TRY(mot_h5_set_text(a->file, group, "features_missing", of->without_features));
    if (of->without_attention != NULL) MOT_TRY(mot_h5_set_text(a->file, group, "attention_missing", of->without_attention));
    for (int c = MOT_ANALYSIS_GATE_SCORE; c < MOT_ANALYSIS_COLUMNS; ++c)
        if (has(of, (mot_analysis_column)c)) MOT_TRY(make_column(a, layer, (mot_analysis_column)c));
done:
    return status;
}

static mot_status describe_file(mot_analysis *a, const mot_analysis_about *about)
{
    const record_source *source = &a->source;
    const hid_t file = a->file;
    mot_status status;
    MOT_TRY(mot_record_provenance(file, source, MOT_ANALYSIS_FORMAT));
    MOT_TRY(mot_h5_set_int(file, ".", "layers", source->layers));
    MOT_TRY(mot_h5_set_int(file, ".", "step", about->step));
    MOT_TRY(mot_h5_set_text(file, ".", "split", about->split));
    MOT_TRY(mot_h5_set_text(file, ".", "checkpoint", about->checkpoint));
    MOT_TRY(mot_h5_set_text(file, ".", "checkpoint_digest", about->checkpoint_digest));
    MOT_TRY(mot_h5_set_text(file, ".", "config_digest", about->config_digest));
    if (source->class_names != NULL)
        MOT_TRY(mot_h5_write_names(file, "class_names", (size_t)source->classes, (const char *const *)source->class_names));
    if (source->group_names != NULL)
        MOT_TRY(mot_h5_write_names(file, "group_names", (size_t)source->groups, (const char *const *)source->group_names));
done:
    return status;
}

/* ---- the file ---- */

static mot_status make_folder(const char *path)
{
    char folder[MOT_RECORD_PATH];
    mot_path_folder(folder, sizeof folder, path);
    return mot_folder_make(folder);
}

mot_status mot_analysis_create(mot_analysis **created, const char *path, const mot_analysis_about *about)
{
    mot_analysis *a = NULL;
    mot_status status;
    MOT_TRY(mot_allocate(&a, 1, sizeof *a, "an analysis"));
    a->file = H5I_INVALID_HID;
    a->samples = about->samples;
    snprintf(a->path, sizeof a->path, "%s", path);
    memcpy(a->layer, about->layer, (size_t)about->run->layers * sizeof *a->layer);
    MOT_TRY(mot_record_take_source(&a->source, about->run));
    MOT_TRY(make_folder(path));
    MOT_TRY(mot_h5_create_file(&a->file, path, MOT_H5_HEAD));
    MOT_TRY(describe_file(a, about));
    for (int c = 0; c < MOT_ANALYSIS_GATE_SCORE; ++c) MOT_TRY(make_column(a, 0, (mot_analysis_column)c));
    for (int l = 0; l < a->source.layers; ++l) MOT_TRY(make_layer(a, l));
done:
    *created = a;
    if (status != MOT_OK) (void)mot_analysis_close(created, false);
    return status;
}

mot_status mot_analysis_write(mot_analysis *a, int layer, mot_analysis_column column, mot_gidx first, size_t count,
                              const void *rows)
{
    char path[NAME];
    if (column >= MOT_ANALYSIS_GATE_SCORE && !has(&a->layer[layer], column)) return MOT_OK;
    return mot_h5_write_rows(a->file, path_of(path, layer, column), mot_record_type_h5(columns[column].given), (hsize_t)first,
                             count, rows);
}

static mot_status write_part(mot_analysis *a, int layer, const char *name, const char *long_name, record_type type, const void *data)
{
    const mot_analysis_layer *of = &a->layer[layer];
    const bool by_expert = type == RECORD_I8;
    const hsize_t shape[] = {of->parts, (hsize_t)of->experts};
    char path[NAME], rows[NAME];
    mot_status status;
    snprintf(path, sizeof path, "layer%d/kept/%s", layer, name);
    snprintf(rows, sizeof rows, "layer%d/kept/part", layer);
    MOT_TRY(mot_h5_write(a->file, path, mot_record_type_h5(type), by_expert ? 2 : 1, shape, MOT_H5_COMPRESSED, data));
    MOT_TRY(mot_record_describe(a->file, path, "1", long_name));
    MOT_TRY(mot_h5_scale(a->file, path, 0, rows, "part"));
    if (by_expert) MOT_TRY(attach(a->file, layer, path, 1, "", "expert"));
done:
    return status;
}

mot_status mot_analysis_write_parts(mot_analysis *a, int layer, const int8_t *kept, const double *loss, const double *accuracy)
{
    mot_status status = MOT_OK;
    if (a->layer[layer].parts == 0) return MOT_OK;
    MOT_TRY(make_scale(a, layer, "kept/part", a->layer[layer].parts, NULL, "half, quarter and eighth of the experts"));
    MOT_TRY(write_part(a, layer, "expert", "1: of the busiest, which alone are there", RECORD_I8, kept));
    MOT_TRY(write_part(a, layer, "loss", "mean loss with these experts alone", RECORD_F64, loss));
    MOT_TRY(write_part(a, layer, "accuracy", "share of samples with the right label, with these experts alone", RECORD_F64, accuracy));
done:
    return status;
}

/* ---- attention ---- */

static mot_status write_looks(mot_analysis *a, int layer, const char *name, const char *long_name, hid_t type, int rank,
                              const hsize_t *shape, const void *data)
{
    static const char *const received[] = {"sample", "block", "head", "token"}, *const rollout[] = {"sample", "token"};
    char path[NAME];
    mot_status status;
    snprintf(path, sizeof path, "layer%d/attention/%s", layer, name);
    MOT_TRY(mot_h5_write(a->file, path, type, rank, shape, MOT_H5_COMPRESSED, data));
    MOT_TRY(mot_record_describe(a->file, path, "1", long_name));
    for (int d = 0; d < rank; ++d) MOT_TRY(attach(a->file, layer, path, (unsigned)d, "attention/", (rank == 4 ? received : rollout)[d]));
done:
    return status;
}

static mot_status write_looked_at(mot_analysis *a, int layer, size_t count, const mot_gidx *sample)
{
    const hsize_t shape[] = {count};
    char path[NAME];
    mot_status status;
    snprintf(path, sizeof path, "layer%d/attention/sample", layer);
    MOT_TRY(mot_h5_write(a->file, path, H5T_NATIVE_INT64, 1, shape, MOT_H5_COMPRESSED, sample));
    MOT_TRY(mot_record_describe(a->file, path, "1", columns[MOT_ANALYSIS_SAMPLE].long_name));
    MOT_TRY(mot_h5_make_scale(a->file, path, "sample"));
done:
    return status;
}

/* Tokens by their numbers, the class token -1. */
static mot_status make_tokens(mot_analysis *a, int layer, const mot_analysis_attention *attention)
{
    int *token = NULL;
    mot_status status;
    MOT_TRY(mot_allocate(&token, attention->rows, sizeof *token, "an analysis"));
    for (size_t t = 0; t < attention->rows; ++t) token[t] = (int)t - attention->class_token;
    status = make_scale(a, layer, "attention/token", attention->rows, token, "token of a sample; -1: the class token");
done:
    mot_free(token);
    return status;
}

mot_status mot_analysis_write_attention(mot_analysis *a, int layer, const mot_analysis_attention *attention)
{
    const hsize_t shape[] = {attention->samples, attention->blocks, attention->heads, attention->rows},
                  flat[] = {attention->samples, attention->rows};
    char group[NAME];
    mot_status status;
    snprintf(group, sizeof group, "layer%d/attention", layer);
    MOT_TRY(mot_h5_make_group(a->file, group));
    MOT_TRY(mot_h5_set_int(a->file, group, "class_token", attention->class_token));
    MOT_TRY(write_looked_at(a, layer, attention->samples, attention->sample));
    MOT_TRY(make_scale(a, layer, "attention/block", attention->blocks, NULL, "block of the expert, the first one is 0"));
    MOT_TRY(make_scale(a, layer, "attention/head", attention->heads, NULL, "head of the block"));
    MOT_TRY(make_tokens(a, layer, attention));
    MOT_TRY(write_looks(a, layer, "expert", "the expert that looks: the sample's first choice", H5T_NATIVE_INT32, 1, shape, attention->expert));
    MOT_TRY(write_looks(a, layer, "rows", "rows of the sample: its tokens, and the class token", H5T_NATIVE_INT32, 1, shape, attention->length));
    MOT_TRY(write_looks(a, layer, "received", "share of the attention that a token gets from the rows that are pooled", H5T_NATIVE_FLOAT, 4, shape,
                        attention->received));
    MOT_TRY(write_looks(a, layer, "rollout", "attention rollout through the blocks of the expert", H5T_NATIVE_FLOAT, 2, flat, attention->rollout));
done:
    return status;
}

mot_status mot_analysis_close(mot_analysis **analysis, bool commit)
{
    mot_analysis *a = *analysis;
    mot_status status = MOT_OK;
    if (a == NULL) return MOT_OK;
    if (a->file >= 0) status = mot_h5_close_file(&a->file, a->path, commit);
    mot_record_source_free(&a->source);
    mot_free(a);
    *analysis = NULL;
    return status;
}
