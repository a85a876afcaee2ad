/* What is said of a checkpoint's values: where they come from, and all that a program needs to use them. Every member is a text, as
 * the format safetensors has it; what is more than a text is JSON in it. */
#include <stdio.h>

#include "mot/config.h"
#include "mot/memory.h"
#include "mot/record.h"
#include "mot/schema.h"
#include "mot/version.h"
#include "weights.h"

/* What stands in the checkpoint besides. */
typedef struct about {
    mot_schema schema;
    char *digest, *run_id, *kind; /* owned; kind: of samples */
    int64_t step, experts;
} about;

static mot_status read_about(void *to, hid_t file, const char *path)
{
    about *a = to;
    mot_status status;
    MOT_TRY(mot_schema_read(&a->schema, file, path));
    if (a->schema.format.bytes > 0) MOT_TRY(mot_h5_get_text(file, "data", "kind", &a->kind));
    MOT_TRY(mot_h5_get_text(file, ".", "digest", &a->digest));
    MOT_TRY(mot_h5_find_text(file, ".", "run_id", &a->run_id));
    MOT_TRY(mot_h5_get_int(file, "progress", "step", &a->step));
    MOT_TRY(mot_h5_get_int(file, ".", "experts", &a->experts));
done:
    return status;
}

static void put_setting(void *json, const char *key, const char *value)
{
    mot_json_text(json, key, value);
}

static void put_names(mot_json *json, const char *key, char *const *names, size_t count)
{
    if (names != NULL) mot_json_texts(json, key, count, names);
}

/* Of pictures, texts or vectors, and of what they should be taken for. */
static mot_status data_text(const about *a, char **text)
{
    const mot_schema *schema = &a->schema;
    const mot_sample_format *format = &schema->format;
    const mot_normalization *n = &format->normalization;
    const size_t numbers = schema->classes == 0 ? schema->target_bytes / sizeof(float) : 0;
    mot_json *json = mot_json_begin();
    mot_json_text(json, "kind", a->kind != NULL ? a->kind : "");
    mot_json_int(json, "channels", (int64_t)format->channels);
    mot_json_int(json, "height", (int64_t)format->height);
    mot_json_int(json, "width", (int64_t)format->width);
    mot_json_int(json, "tokens", (int64_t)format->tokens);
    mot_json_int(json, "features", (int64_t)format->features);
    mot_json_int(json, "vocabulary_size", (int64_t)format->vocabulary);
    mot_json_reals(json, "mean", n->count, n->mean);
    mot_json_reals(json, "deviation", n->count, n->deviation);
    mot_json_int(json, "classes", schema->classes);
    mot_json_int(json, "groups", schema->groups);
    mot_json_int(json, "targets", (int64_t)numbers);
    put_names(json, "class_names", schema->class_names, (size_t)schema->classes);
    put_names(json, "group_names", schema->group_names, (size_t)schema->groups);
    put_names(json, "target_names", schema->target_names, numbers);
    put_names(json, "column_names", schema->column_names, format->features);
    put_names(json, "vocabulary", schema->vocabulary, format->vocabulary);
    return mot_json_end(json, text);
}

static mot_status settings_text(const mot_config *config, char **text)
{
    mot_json *json = mot_json_begin();
    const mot_status listed = mot_config_list(config, put_setting, json);
    const mot_status status = mot_json_end(json, text);
    return listed != MOT_OK ? listed : status;
}

/* The numbers in the beginning of those experts that are left, "[0, 2]"; of a model that has lost none nothing. */
static mot_status put_left(mot_json *json, const char *checkpoint, const about *a, const mot_config *config)
{
    char *text = NULL;
    bool *there = NULL;
    mot_status status = MOT_OK;
    const size_t begun = (size_t)config->model.experts;
    if (config->layers > 0 || a->experts == config->model.experts) return MOT_OK;
    MOT_TRY(mot_allocate(&there, begun, sizeof *there, "the numbers of experts"));
    MOT_TRY(mot_allocate(&text, 12 * begun + 3, 1, "the numbers of experts"));
    MOT_TRY(mot_checkpoint_experts(checkpoint, (int)begun, there));
    size_t used = 0;
    for (size_t e = 0; e < begun; ++e)
        if (there[e]) used += (size_t)sprintf(text + used, used == 0 ? "[%zu" : ", %zu", e);
    sprintf(text + used, "]");
    mot_json_text(json, "experts.left", text);
done:
    mot_free(text);
    mot_free(there);
    return status;
}

mot_status mot_weights_metadata(const char *checkpoint, char **result)
{
    about a = {.step = 0};
    mot_config *config = NULL;
    char *text = NULL, *settings = NULL, *data = NULL, step[32];
    mot_json *json = NULL;
    mot_status status;
    *result = NULL;
    MOT_TRY(mot_allocate(&config, 1, sizeof *config, "a configuration"));
    MOT_TRY(mot_checkpoint_config(checkpoint, &text, NULL));
    MOT_TRY(mot_config_parse(config, checkpoint, text, 0, NULL));
    MOT_TRY(mot_checkpoint_more(checkpoint, read_about, &a));
    MOT_TRY(settings_text(config, &settings));
    MOT_TRY(data_text(&a, &data));
    snprintf(step, sizeof step, "%" PRId64, a.step);
    json = mot_json_begin();
    mot_json_text(json, "format", "mot-weights");
    mot_json_text(json, "format_version", "1");
    mot_json_text(json, "program", "mot " MOT_VERSION " (" MOT_COMMIT ")");
    mot_json_text(json, "checkpoint", checkpoint);
    mot_json_text(json, "run_id", a.run_id != NULL ? a.run_id : "");
    mot_json_text(json, "step", step);
    mot_json_text(json, "digest", a.digest);
    status = put_left(json, checkpoint, &a, config);
    mot_json_text(json, "settings", settings);
    mot_json_text(json, "data", data);
    mot_json_text(json, "config", text);
    const mot_status ended = mot_json_end(json, result);
    if (status == MOT_OK) status = ended;
done:
    mot_free(data);
    mot_free(settings);
    mot_free(text);
    mot_free(config);
    mot_free(a.kind);
    mot_free(a.run_id);
    mot_free(a.digest);
    mot_schema_free(&a.schema);
    return status;
}
