/* Every key and its value, one after another. */
#include "option.h"

/* `base` holds the option's field. False: no memory. */
static bool say_option(const mot_option *option, const char *key, const void *base, mot_setting_function *say, void *with)
{
    char text[MOT_OPTION_VALUE + 32] = "";
    if (!mot_option_resolved(option, base, text, sizeof text)) return false;
    say(with, key, text);
    return true;
}

mot_status mot_config_list(const mot_config *config, mot_setting_function *say, void *with)
{
    char key[2 * MOT_OPTION_KEY];
    bool enough = true;
    for (int i = 0; i < mot_option_count && enough; ++i) {
        const mot_option *option = &mot_options[i];
        if (!mot_option_in_effect(option, config)) continue;
        if (option->stage_key == NULL) enough = say_option(option, option->key, config, say, with);
        for (int stage = 0; option->stage_key != NULL && stage < config->stages && enough; ++stage) {
            mot_config_stage_key(config, stage, option->stage_key, key, sizeof key);
            enough = say_option(option, key, &config->stage[stage], say, with);
        }
    }
    enough = enough && mot_layers_list(config, say, with);
    return enough ? MOT_OK : mot_fail(MOT_ERR_MEMORY, "not enough memory to list a configuration");
}
