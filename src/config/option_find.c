/* The rows by name. */
#include "mot/source.h"
#include "option.h"

#include <string.h>

int mot_option_find(const char *key)
{
    for (int i = 0; i < mot_option_count; ++i)
        if (mot_options[i].key != NULL && strcmp(mot_options[i].key, key) == 0) return i;
    return MOT_OPTION_NONE;
}

int mot_option_find_in_stage(const char *key)
{
    for (int i = 0; i < mot_option_count; ++i)
        if (mot_options[i].stage_key != NULL && strcmp(mot_options[i].stage_key, key) == 0) return i;
    return MOT_OPTION_NONE;
}

const char *mot_option_choice(const mot_option *option, size_t index)
{
    if (option->choices != NULL) return option->choices[index];
    return option->kinds->row[index] != NULL ? option->kinds->row[index]->name : NULL;
}

bool mot_option_in_effect(const mot_option *option, const mot_config *config)
{
    if (option->key == NULL) return true;
    if (strncmp(option->key, "rehearsal.", strlen("rehearsal.")) == 0)
        return mot_source_kind_at(config->data.source)->tasks;
    static const char *const of_layers[] = {"model.residual", "model.shared", "model.recompute", "model.memory"};
    for (size_t i = 0; i < MOT_COUNT(of_layers); ++i)
        if (strcmp(option->key, of_layers[i]) == 0) return config->layers > 0;
    for (int source = 0; mot_source_kinds.row[source] != NULL; ++source) {
        const char *keys = mot_source_kind_at(source)->keys;
        if (keys != NULL && strncmp(option->key, keys, strlen(keys)) == 0) return config->data.source == source;
    }
    return true;
}

bool mot_option_is_section(const char *path)
{
    const size_t length = strlen(path);
    for (int i = 0; i < mot_option_count; ++i) {
        const char *key = mot_options[i].key;
        if (key != NULL && length > 0 && strncmp(key, path, length) == 0 && key[length] == '.') return true;
    }
    return false;
}
