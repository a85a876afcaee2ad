/* Numbers as a person writes them: plain decimal only. strtod alone would also take "nan", "0x1p3" and
 * "1e999". */
#include "option.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DIGITS "0123456789"

bool mot_parse_real(const char *text, double *value)
{
    const char *at = text + strspn(text, "+-");
    if (at - text > 1) return false;
    if (at[0] == '0' && at[1] >= '0' && at[1] <= '9') return false; /* "010" is octal elsewhere */
    const size_t whole = strspn(at, DIGITS);
    bool zero = strspn(at, "0") == whole;
    at += whole;
    size_t fraction = 0;
    if (*at == '.') {
        ++at;
        fraction = strspn(at, DIGITS);
        zero = zero && strspn(at, "0") == fraction;
        at += fraction;
    }
    if (whole + fraction == 0) return false;
    if (*at == 'e' || *at == 'E') {
        ++at;
        if (*at == '+' || *at == '-') ++at;
        const size_t exponent = strspn(at, DIGITS);
        if (exponent == 0) return false;
        at += exponent;
    }
    if (*at != '\0') return false;
    const double number = strtod(text, NULL);
    if (!isfinite(number) || (number == 0 && !zero)) return false; /* too large, or lost to 0 */
    *value = number + 0.0;                                         /* -0 becomes 0 */
    return true;
}

bool mot_parse_integer(const char *text, uint64_t *value)
{
    const size_t digits = strspn(text, DIGITS);
    if (digits > 0 && text[digits] == '\0') {
        if (text[0] == '0' && digits > 1) return false;
        errno = 0;
        const unsigned long long number = strtoull(text, NULL, 10);
        if (errno != 0) return false;
        *value = number;
        return true;
    }
    double number;
    if (!mot_parse_real(text, &number) || number < 0 || number > 0x1p53 || number != floor(number))
        return false;
    *value = (uint64_t)number;
    return true;
}

bool mot_parse_span(const char *text, mot_span *span)
{
    const size_t length = strlen(text);
    char number[64];
    double percent;
    uint64_t steps;
    if (length == 0 || text[length - 1] != '%') {
        if (!mot_parse_integer(text, &steps) || steps > INT64_MAX) return false;
        *span = (mot_span){.steps = (mot_gidx)steps};
        return true;
    }
    if (length > sizeof number) return false;
    memcpy(number, text, length - 1);
    number[length - 1] = '\0';
    if (!mot_parse_real(number, &percent) || !(percent > 0) || percent > 100) return false;
    *span = (mot_span){.percent = percent};
    return true;
}

bool mot_parse_bytes(const char *text, uint64_t *value)
{
    static const char *const unit[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    char number[32];
    const size_t length = strspn(text, DIGITS ".");
    if (length == 0 || length >= sizeof number) return mot_parse_integer(text, value);
    memcpy(number, text, length);
    number[length] = '\0';
    const char *name = text + length + strspn(text + length, " ");
    for (size_t i = 0; i < MOT_COUNT(unit); ++i) {
        if (strcmp(name, unit[i]) != 0) continue;
        const double scale = ldexp(1, 10 * (int)i);
        double count;
        if (!mot_parse_real(number, &count) || count * scale > 0x1p53 ||
            count * scale != floor(count * scale))
            return false;
        *value = (uint64_t)(count * scale);
        return true;
    }
    return mot_parse_integer(text, value);
}

static const struct {
    const char *name;
    double seconds;
} times[] = {{"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}};

bool mot_parse_duration(const char *text, double *seconds)
{
    char number[32];
    const size_t length = strcspn(text, " smhd");
    if (length >= sizeof number) return false;
    memcpy(number, text, length);
    number[length] = '\0';
    const char *name = text + length + strspn(text + length, " ");
    if (text[length] == '\0') name = "s";
    double count;
    if (!mot_parse_real(number, &count) || count < 0) return false;
    for (size_t i = 0; i < MOT_COUNT(times); ++i) {
        if (strcmp(name, times[i].name) != 0) continue;
        *seconds = count * times[i].seconds;
        return true;
    }
    return false;
}

void mot_print_duration(double seconds, char text[32])
{
    size_t i = MOT_COUNT(times) - 1;
    while (i > 0 && (seconds == 0 || floor(seconds / times[i].seconds) * times[i].seconds != seconds)) --i;
    char number[32];
    mot_print_real(seconds / times[i].seconds, number);
    snprintf(text, 32, "%.30s%s", number, times[i].name);
}

void mot_print_real(double value, char text[32])
{
    snprintf(text, 32, "%.0f", value); /* 1000000 rather than 1e+06 */
    if (fabs(value) < 1e9 && strtod(text, NULL) == value) return;
    for (int digits = 1; digits <= 17; ++digits) {
        snprintf(text, 32, "%.*g", digits, value);
        if (strtod(text, NULL) == value) return;
    }
}
