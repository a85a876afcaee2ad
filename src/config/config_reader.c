/* A key that was given: where, and what it sets. */
#include <string.h>

#include "config_reader.h"

const char *mot_reader_place(const mot_config_reader *reader, long where, char place[MOT_PLACE])
{
    if (where > 0)
        snprintf(place, MOT_PLACE, "%s:%ld", reader->name, where);
    else if (where < 0)
        snprintf(place, MOT_PLACE, "argument %ld", -where);
    else
        snprintf(place, MOT_PLACE, "%s", reader->name);
    return place;
}

mot_status mot_reader_unknown(const mot_config_reader *reader, const char *key, int stage, long where)
{
    char place[MOT_PLACE], shown[80], hint[400], prefix[32] = "";
    if (stage != MOT_NO_STAGE) snprintf(prefix, sizeof prefix, "stages.%d.", stage);
    mot_option_hint(key, stage, hint, sizeof hint);
    return mot_fail(MOT_ERR_INPUT, "%s: unknown key '%s%s'; %s", mot_reader_place(reader, where, place),
                    prefix, mot_shown(key, shown), hint);
}

static void *base_of(mot_config_reader *reader, int option, int stage)
{
    if (mot_options[option].stage_key == NULL) return &reader->config;
    return stage == MOT_NO_STAGE ? &reader->common : &reader->config.stage[stage];
}

mot_status mot_reader_set(mot_config_reader *reader, int option, int stage, const char *key, const char *text,
                          long where)
{
    const mot_option *row = &mot_options[option];
    mot_given *given = stage == MOT_NO_STAGE ? &reader->given[option] : &reader->stage_given[stage][option];
    char place[MOT_PLACE], shown[80], wanted[600];
    if (where > 0 && given->where > 0)
        return mot_fail(MOT_ERR_INPUT, "%s: %s is given twice, first in line %ld",
                        mot_reader_place(reader, where, place), key, given->where);
    const bool same = row->inherits != NULL && strcmp(text, "same") == 0;
    if (!same && !mot_option_set(row, base_of(reader, option, stage), text)) {
        mot_option_expected(row, wanted, sizeof wanted);
        mot_option_value_hint(row, text, wanted, sizeof wanted);
        return mot_fail(MOT_ERR_INPUT, "%s: %s = %s: expected %s", mot_reader_place(reader, where, place),
                        key, mot_shown(text, shown), wanted);
    }
    *given = (mot_given){.where = where, .same = same};
    return MOT_OK;
}
