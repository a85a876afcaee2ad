#include "number.h"

#include <ctype.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "mot/types.h"

static size_t digits(const char *text)
{
    size_t count = 0;
    while (isdigit((unsigned char)text[count])) ++count;
    return count;
}

/* The length of a number at the beginning of the text; *mark is the place of its decimal mark, or 0. */
static size_t extent(const char *text, char decimal, size_t *mark)
{
    size_t at = text[0] == '+' || text[0] == '-';
    const size_t whole = digits(text + at);
    size_t fraction = 0;
    at += whole;
    *mark = 0;
    if (text[at] == decimal) {
        fraction = digits(text + at + 1);
        if (decimal == ',' && (whole == 0 || fraction == 0)) return 0;
        *mark = at;
        at += 1 + fraction;
    }
    if (whole + fraction == 0) return 0;
    if (text[at] == 'e' || text[at] == 'E') {
        const size_t sign = text[at + 1] == '+' || text[at + 1] == '-', power = digits(text + at + 1 + sign);
        if (power == 0) return 0;
        at += 1 + sign + power;
    }
    return at;
}

bool mot_number_parse(const char *text, char decimal, double *value)
{
    size_t mark;
    char copy[64];
    if (strcasecmp(text, "true") == 0) return *value = 1, true;
    if (strcasecmp(text, "false") == 0) return *value = 0, true;
    const size_t length = extent(text, decimal == ',' ? ',' : '.', &mark);
    if (length == 0 || text[length] != '\0') return false;
    if (decimal != ',' || mark == 0) return *value = strtod(text, NULL), true;
    if (length >= sizeof copy) return false;
    memcpy(copy, text, length + 1);
    copy[mark] = '.';
    return *value = strtod(copy, NULL), true;
}

bool mot_number_is_missing(const char *text)
{
    static const char *const marks[] = {"",    "?",    "-",    ".",    "na",   "n/a",    "#n/a",
                                        "nan", "-nan", "null", "none", "<na>", "missing"};
    for (size_t i = 0; i < MOT_COUNT(marks); ++i)
        if (strcasecmp(text, marks[i]) == 0) return true;
    return false;
}
