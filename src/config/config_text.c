/* The resolved configuration as YAML: every key, nested maps, two spaces a level. */
#include <stdlib.h>
#include <string.h>

#include "mot/memory.h"
#include "option.h"

/* A gate's value that equals the experts' is "same", so that a later change of the experts' still reaches the
 * gate. */
void mot_option_print_resolved(const mot_option *option, const void *base, FILE *stream)
{
    if (option->inherits != NULL) {
        const mot_option *from = &mot_options[mot_option_find_in_stage(option->inherits)];
        if (memcmp((const char *)base + option->offset, (const char *)base + from->offset, option->size) ==
            0) {
            fputs("same", stream);
            return;
        }
    }
    mot_option_print(option, base, stream);
}

bool mot_option_resolved(const mot_option *option, const void *base, char *text, size_t size)
{
    FILE *stream = fmemopen(text, size, "w");
    if (stream == NULL) return false;
    mot_option_print_resolved(option, base, stream);
    return fclose(stream) == 0;
}

/* Opens the maps of "data.augment.shift" that the key before it, "data.memory", has not opened. */
static void print_key(const char *key, const char *before, FILE *stream)
{
    size_t shared = 0;
    int depth = 0;
    for (size_t i = 0; key[i] != '\0' && key[i] == before[i]; ++i) {
        if (key[i] != '.') continue;
        shared = i + 1;
        ++depth;
    }
    const char *at = key + shared;
    if (shared == 0 && strchr(at, '.') != NULL) fputc('\n', stream);
    for (const char *dot = strchr(at, '.'); dot != NULL; dot = strchr(at, '.')) {
        fprintf(stream, "%*s%.*s:\n", 2 * depth++, "", (int)(dot - at), at);
        at = dot + 1;
    }
    fprintf(stream, "%*s%s: ", 2 * depth, "", at);
}

/* One stage called "train" stands in `train`, where one looks for it; others in a list. */
static bool is_listed(const mot_config *config)
{
    return config->stages != 1 || strcmp(config->stage[0].name, "train") != 0;
}

void mot_config_stage_key(const mot_config *config, int stage, const char *stage_key, char *text, size_t size)
{
    const int option = mot_option_find_in_stage(stage_key);
    if (is_listed(config) || option == MOT_OPTION_NONE || mot_options[option].key == NULL)
        snprintf(text, size, "stages.%d.%s", stage, stage_key);
    else
        snprintf(text, size, "%s", mot_options[option].key);
}

static void print_config(const mot_config *config, FILE *stream)
{
    const bool listed = is_listed(config);
    const char *before = "";
    fputs("# The resolved configuration, with every key; docs/config.md explains them.\n", stream);
    for (int i = 0; i < mot_option_count; ++i) {
        const mot_option *option = &mot_options[i];
        if (option->key == NULL || (option->stage_key != NULL && listed)) continue;
        if (!mot_option_in_effect(option, config)) continue;
        print_key(option->key, before, stream);
        mot_option_print_resolved(
            option, option->stage_key != NULL ? (const void *)&config->stage[0] : config, stream);
        fputc('\n', stream);
        before = option->key;
    }
    mot_layers_print(config, stream);
    if (!listed) return;
    fputs("\nstages:\n", stream);
    for (int stage = 0; stage < config->stages; ++stage) {
        const char *bullet = "  - ";
        for (int i = 0; i < mot_option_count; ++i) {
            if (mot_options[i].stage_key == NULL) continue;
            fprintf(stream, "%s%s: ", bullet, mot_options[i].stage_key);
            mot_option_print_resolved(&mot_options[i], &config->stage[stage], stream);
            fputc('\n', stream);
            bullet = "    ";
        }
    }
}

mot_status mot_config_text(const mot_config *config, char **text)
{
    char *memory = NULL;
    size_t size = 0;
    *text = NULL;
    FILE *stream = open_memstream(&memory, &size);
    if (stream == NULL)
        return mot_fail(MOT_ERR_MEMORY, "not enough memory for the text of the configuration");
    print_config(config, stream);
    const bool failed = ferror(stream) != 0;
    mot_status status = MOT_OK;
    if (fclose(stream) != 0 || failed)
        status = mot_fail(MOT_ERR_MEMORY, "not enough memory for the text of the configuration");
    if (status == MOT_OK) status = mot_allocate(text, size + 1, 1, "text of the configuration");
    if (status == MOT_OK) memcpy(*text, memory, size);
    free(memory);
    return status;
}
