/* The rows by name. */
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

bool mot_option_in_effect(const mot_option *option, const mot_config *config)
{
    if (option->key == NULL) return true;
    static const char *const of[] = {[MOT_SOURCE_FILE] = "data.file",
                                     [MOT_SOURCE_MIXTURE] = "data.mixture.",
                                     [MOT_SOURCE_RANDOM] = "data.random."};
    for (size_t source = 0; source < MOT_COUNT(of); ++source)
        if (strncmp(option->key, of[source], strlen(of[source])) == 0) return config->data.source == source;
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
