/* What is given to the parts of `mot data`: numbers, and where their result goes. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd_data.h"

/* argp_error returns where the parser must not exit: the hook tells its end that there was one. */
void cmd_data_wrong(struct argp_state *state, const char *format, ...)
{
    char sentence[512];
    va_list args;
    va_start(args, format);
    vsnprintf(sentence, sizeof sentence, format, args);
    va_end(args);
    if (state->hook == NULL) argp_error(state, "%s", sentence);
    state->hook = state;
}

int cmd_data_word(struct argp_state *state, const char *option, const char *list, const char *text)
{
    const size_t length = strlen(text);
    int place = 0;
    for (const char *at = list;; ++place) {
        const size_t word = strcspn(at, "|");
        if (word == length && strncmp(at, text, word) == 0) return place;
        if (at[word] == '\0') break;
        at += word + 1;
    }
    cmd_data_wrong(state, "--%s is %s, not '%s'", option, list, text);
    return 0;
}

uint64_t cmd_data_whole(struct argp_state *state, const char *option, const char *text, uint64_t least,
                        uint64_t most)
{
    uint64_t value;
    if (mot_cli_whole(text, least, most, &value)) return value;
    cmd_data_wrong(state, "--%s is a whole number from %llu to %llu, not '%s'", option,
                   (unsigned long long)least, (unsigned long long)most, text);
    return least;
}

double cmd_data_number(struct argp_state *state, const char *option, const char *text, double least,
                       double most)
{
    char *end;
    const double value = strtod(text, &end);
    if (end != text && *end == '\0' && value >= least && value <= most) return value;
    cmd_data_wrong(state, "--%s is a number from %g to %g, not '%s'", option, least, most, text);
    return least;
}
