/* What two configurations say otherwise, and what that changes in a run that goes on. */
#include <string.h>

#include "mot/config.h"
#include "option.h"

void mot_config_clear_surroundings(mot_config *config)
{
    for (int i = 0; i < mot_option_count; ++i)
        if (mot_options[i].role == MOT_KEY_REPORTS)
            memset((char *)config + mot_options[i].offset, 0, mot_options[i].size);
}

/* ---- key by key ---- */

/* `stage` MOT_NO_STAGE: an option of the whole run. False: no memory. */
static bool compare_option(const mot_option *option, int stage, const mot_config *before,
                           const mot_config *now, mot_change_function *say, void *with)
{
    char then_text[MOT_OPTION_VALUE + 32] = "", now_text[MOT_OPTION_VALUE + 32] = "", key[2 * MOT_OPTION_KEY];
    const bool of_stage = stage != MOT_NO_STAGE;
    if (!mot_option_in_effect(option, before) && !mot_option_in_effect(option, now)) return true;
    if (!mot_option_resolved(option, of_stage ? (const void *)&before->stage[stage] : before, then_text,
                             sizeof then_text) ||
        !mot_option_resolved(option, of_stage ? (const void *)&now->stage[stage] : now, now_text, sizeof now_text))
        return false;
    if (strcmp(then_text, now_text) == 0) return true;
    if (of_stage) mot_config_stage_key(now, stage, option->stage_key, key, sizeof key);
    const mot_change change = {
        .key = of_stage ? key : option->key, .before = then_text, .now = now_text, .role = option->role};
    say(with, &change);
    return true;
}

mot_status mot_config_changes(const mot_config *before, const mot_config *now, mot_change_function *say,
                              void *with)
{
    bool enough = true;
    for (int i = 0; i < mot_option_count && enough; ++i) {
        const mot_option *option = &mot_options[i];
        const int stages = option->stage_key != NULL ? MOT_MIN(before->stages, now->stages) : 0;
        if (stages == 0) enough = compare_option(option, MOT_NO_STAGE, before, now, say, with);
        for (int stage = 0; stage < stages && enough; ++stage)
            enough = compare_option(option, stage, before, now, say, with);
    }
    enough = enough && mot_layers_changes(before, now, say, with);
    return enough ? MOT_OK : mot_fail(MOT_ERR_MEMORY, "not enough memory to compare configurations");
}

/* ---- line by line ---- */

mot_status mot_config_compare(const char *path, const char *did, const char *before, const char *now,
                              const char *advice)
{
    while (*before != '\0' && *now != '\0') {
        const size_t there = strcspn(before, "\n"), here = strcspn(now, "\n");
        if (there != here || memcmp(before, now, here) != 0) break;
        before += there + (before[there] == '\n');
        now += here + (now[here] == '\n');
    }
    if (*before == '\0' && *now == '\0') return MOT_OK;
    before += strspn(before, " ");
    now += strspn(now, " ");
    return mot_fail(MOT_ERR_INPUT, "%s was %s with '%.*s', now it is '%.*s': %s", path, did,
                    (int)strcspn(before, "\n"), before, (int)strcspn(now, "\n"), now, advice);
}
