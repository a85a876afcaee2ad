/* Whether two runs train the same, as far as their configurations say. */
#include <string.h>

#include "mot/config.h"

void mot_config_clear_surroundings(mot_config *config)
{
    memset(config->run, 0, sizeof config->run);
    memset(config->data.file, 0, sizeof config->data.file);
    memset(&config->eval, 0, sizeof config->eval);
    memset(&config->checkpoint, 0, sizeof config->checkpoint);
    memset(&config->record, 0, sizeof config->record);
    config->report_every = 0;
}

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
