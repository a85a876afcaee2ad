/* The rows by name, and the closest name to a mistyped one. */
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

/* Letters to insert, remove or replace to make one of the other (Levenshtein), row by row of the table. */
static int edit_distance(const char *left, const char *right)
{
    int row[MOT_OPTION_KEY + 1];
    const int columns = (int)strnlen(right, MOT_OPTION_KEY), rows = (int)strnlen(left, MOT_OPTION_KEY);
    for (int j = 0; j <= columns; ++j) row[j] = j;
    for (int i = 1; i <= rows; ++i) {
        int diagonal = row[0];
        row[0] = i;
        for (int j = 1; j <= columns; ++j) {
            const int replaced = diagonal + (left[i - 1] != right[j - 1]);
            diagonal = row[j];
            row[j] = MOT_MIN(replaced, MOT_MIN(row[j], row[j - 1]) + 1);
        }
    }
    return row[columns];
}

static const char *last_name(const char *key)
{
    const char *dot = strrchr(key, '.');
    return dot != NULL ? dot + 1 : key;
}

/* A right name in the wrong section is nearer than any misspelling but one. */
static int distance_to(const char *key, const char *known)
{
    const int whole = edit_distance(key, known), last = 1 + edit_distance(last_name(key), last_name(known));
    return MOT_MIN(2 * whole, 2 * last + 1);
}

const char *mot_option_closest(const char *key, bool in_stage)
{
    const char *closest = "";
    int least = 0;
    for (int i = 0; i < mot_option_count; ++i) {
        const char *known = in_stage ? mot_options[i].stage_key : mot_options[i].key;
        if (known == NULL) continue;
        int distance = distance_to(key, known);
        /* "parts" in a stage means what `train.parts` means outside of one */
        if (in_stage && mot_options[i].key != NULL)
            distance = MOT_MIN(distance, distance_to(key, last_name(mot_options[i].key)));
        /* of equals the shorter, which is the more general */
        if (closest[0] == '\0' || distance < least ||
            (distance == least && strlen(known) < strlen(closest))) {
            closest = known;
            least = distance;
        }
    }
    return closest;
}
