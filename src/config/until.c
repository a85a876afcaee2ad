/* "400 steps", "6 epochs", "loss < 1e-3", "loss plateau 200", "purity plateau 200", "alignment plateau 200",
 * joined by " or ". */
#include "option.h"

#include <string.h>

enum { MOST_WORDS = 64 };
#define MOST_STEPS UINT64_C(1000000000000)

/* A count of steps, set once. */
static bool set_steps(mot_gidx *steps, const char *text)
{
    uint64_t value;
    if (*steps != 0 || !mot_parse_integer(text, &value) || value == 0 || value > MOST_STEPS) return false;
    *steps = (mot_gidx)value;
    return true;
}

/* A number above 0, set once. */
static bool set_real(double *number, const char *text, double most)
{
    double value;
    if (*number != 0 || !mot_parse_real(text, &value) || value <= 0 || value > most) return false;
    *number = value;
    return true;
}

static bool is_either(const char *word, const char *one, const char *many)
{
    return strcmp(word, one) == 0 || strcmp(word, many) == 0;
}

/* One clause of `count` words. */
static bool set_clause(mot_until *until, size_t count, char *const *word)
{
    if (count == 2 && is_either(word[1], "step", "steps")) return set_steps(&until->steps, word[0]);
    if (count == 2 && is_either(word[1], "epoch", "epochs")) return set_real(&until->epochs, word[0], 1e6);
    if (count != 3) return false;
    const bool loss = strcmp(word[0], "loss") == 0;
    if (loss && strcmp(word[1], "<") == 0) return set_real(&until->loss_below, word[2], 1e30);
    if (strcmp(word[1], "plateau") != 0) return false;
    if (loss) return set_steps(&until->loss_plateau, word[2]);
    if (strcmp(word[0], "alignment") == 0) return set_steps(&until->alignment_plateau, word[2]);
    return strcmp(word[0], "purity") == 0 && set_steps(&until->purity_plateau, word[2]);
}

bool mot_parse_until(const char *text, mot_until *until)
{
    char copy[sizeof until->text], *word[MOST_WORDS], *rest = NULL;
    if (strlen(text) >= sizeof copy) return false;
    memcpy(copy, text, strlen(text) + 1);
    size_t words = 0;
    for (char *at = strtok_r(copy, " ", &rest); at != NULL; at = strtok_r(NULL, " ", &rest)) {
        if (words == MOST_WORDS) return false;
        word[words++] = at;
    }

    mot_until result;
    memset(&result, 0, sizeof result); /* padding too: configurations are compared as bytes */
    for (size_t first = 0, last; first <= words; first = last + 1) {
        for (last = first; last < words && strcmp(word[last], "or") != 0;) ++last;
        if (!set_clause(&result, last - first, word + first)) return false;
    }
    /* The text is kept with single spaces, so that it reads back to itself. */
    size_t used = 0;
    for (size_t i = 0; i < words; ++i) {
        if (i > 0) result.text[used++] = ' ';
        memcpy(result.text + used, word[i], strlen(word[i]));
        used += strlen(word[i]);
    }
    memcpy(until, &result, sizeof result);
    return true;
}
