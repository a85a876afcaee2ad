/* A value from text into its field, and the sentence about what the text should have been. */
#include "option.h"

#include <string.h>

static void store(const mot_option *option, void *base, const void *value, size_t size)
{
    char *field = (char *)base + option->offset;
    memset(field, 0, option->size); /* behind a text too: configurations are compared as bytes */
    memcpy(field, value, size);
}

/* Integers, enums and bools differ in width only: the values are small enough for their fields by their
 * bounds. */
static bool store_integer(const mot_option *option, void *base, uint64_t value)
{
    const uint32_t word = (uint32_t)value;
    const unsigned char byte = (unsigned char)value;
    switch (option->size) {
    case sizeof byte:
        store(option, base, &byte, sizeof byte);
        return true;
    case sizeof word:
        store(option, base, &word, sizeof word);
        return true;
    case sizeof value:
        store(option, base, &value, sizeof value);
        return true;
    default:
        return false;
    }
}

static bool set_integer(const mot_option *option, void *base, const char *text)
{
    uint64_t value;
    if (option->word != NULL && strcmp(text, option->word) == 0) return store_integer(option, base, 0);
    const bool known = option->type == MOT_OPTION_BYTES ? mot_parse_bytes(text, &value)
                                                        : mot_parse_integer(text, &value);
    return known && value >= option->least && value <= option->most && store_integer(option, base, value);
}

static bool set_span(const mot_option *option, void *base, const char *text)
{
    mot_span span = {.percent = MOT_SPAN_AUTO};
    const bool word = option->word != NULL && strcmp(text, option->word) == 0;
    if (!word && !mot_parse_span(text, &span)) return false;
    if ((uint64_t)span.steps > option->most) return false;
    store(option, base, &span, sizeof span);
    return true;
}

static bool set_real(const mot_option *option, void *base, const char *text)
{
    double value = MOT_RATE_AUTO;
    if (option->word != NULL && strcmp(text, option->word) == 0) {
        store(option, base, &value, sizeof value);
        return true;
    }
    if (!mot_parse_real(text, &value) || value < option->low || value > option->high) return false;
    if (option->below && value == option->high) return false;
    store(option, base, &value, sizeof value);
    return true;
}

static bool set_reals(const mot_option *option, void *base, const char *text)
{
    double value[MOT_OPTION_REALS_LIMIT] = {0};
    const size_t room = option->size / sizeof *value;
    size_t count;
    if (!mot_parse_reals(text, (size_t)option->most, value, &count) || count < option->least) return false;
    for (size_t i = 0; i < count; ++i)
        if (value[i] < option->low || value[i] > option->high) return false;
    for (size_t i = count; option->least > 0 && i < room; ++i) value[i] = value[count - 1];
    store(option, base, value, option->size);
    return true;
}

static bool set_duration(const mot_option *option, void *base, const char *text)
{
    double seconds;
    if (!mot_parse_duration(text, &seconds) || seconds > option->high) return false;
    store(option, base, &seconds, sizeof seconds);
    return true;
}

static bool set_choice(const mot_option *option, void *base, const char *text)
{
    for (size_t i = 0; mot_option_choice(option, i) != NULL; ++i)
        if (strcmp(text, mot_option_choice(option, i)) == 0) return store_integer(option, base, i);
    return false;
}

static bool set_texts(const mot_option *option, void *base, const char *text)
{
    char list[MOT_OPTION_VALUE];
    if (!mot_parse_texts(text, (size_t)option->most, option->is_item, list, MOT_MIN(sizeof list, option->size)))
        return false;
    store(option, base, list, strlen(list));
    return true;
}

static bool set_parts(const mot_option *option, void *base, const char *text)
{
    mot_part_set parts;
    if (!mot_parse_parts(text, &parts) || (parts & ~option->most) != 0) return false;
    if (option->least > 0 && parts == 0) return false;
    store(option, base, &parts, sizeof parts);
    return true;
}

bool mot_option_set(const mot_option *option, void *base, const char *text)
{
    switch (option->type) {
    case MOT_OPTION_TEXT:
        if (strlen(text) < option->least || strlen(text) > option->most || !mot_parse_is_text(text))
            return false;
        store(option, base, text, strlen(text));
        return true;
    case MOT_OPTION_CHOICE:
        return set_choice(option, base, text);
    case MOT_OPTION_INTEGER:
    case MOT_OPTION_BYTES:
        return set_integer(option, base, text);
    case MOT_OPTION_SPAN:
        return set_span(option, base, text);
    case MOT_OPTION_REAL:
        return set_real(option, base, text);
    case MOT_OPTION_DURATION:
        return set_duration(option, base, text);
    case MOT_OPTION_REALS:
        return set_reals(option, base, text);
    case MOT_OPTION_TEXTS:
        return set_texts(option, base, text);
    case MOT_OPTION_BOOLEAN:
        if (strcmp(text, "true") == 0) return store_integer(option, base, true);
        return strcmp(text, "false") == 0 && store_integer(option, base, false);
    case MOT_OPTION_PARTS:
        return set_parts(option, base, text);
    case MOT_OPTION_PLACEMENT: {
        char canonical[MOT_OPTION_VALUE];
        if (!mot_parse_placement(text, canonical, MOT_MIN(sizeof canonical, option->size))) return false;
        store(option, base, canonical, strlen(canonical));
        return true;
    }
    case MOT_OPTION_UNTIL:
        return mot_parse_until(text, (mot_until *)((char *)base + option->offset));
    }
    return false;
}

static void add_name(char *text, size_t size, const char *name, bool first)
{
    const size_t used = strlen(text);
    snprintf(text + used, size - used, "%s%s", first ? "" : ", ", name);
}

void mot_option_expected(const mot_option *option, char *text, size_t size)
{
    char low[32], high[32];
    int count = 0;
    switch (option->type) {
    case MOT_OPTION_TEXT:
        snprintf(text, size, "a text of %" PRIu64 " to %" PRIu64 " bytes without control characters",
                 option->least, option->most);
        break;
    case MOT_OPTION_CHOICE:
        snprintf(text, size, "one of ");
        for (size_t i = 0; mot_option_choice(option, i) != NULL; ++i)
            add_name(text, size, mot_option_choice(option, i), i == 0);
        break;
    case MOT_OPTION_INTEGER:
        snprintf(text, size, "an integer from %" PRIu64 " to %" PRIu64 "%s%s", option->least, option->most,
                 option->word != NULL ? ", or " : "", option->word != NULL ? option->word : "");
        break;
    case MOT_OPTION_SPAN:
        snprintf(text, size,
                 "an integer from %" PRIu64 " to %" PRIu64 ", a share of the run such as 50%%, or %s",
                 option->least, option->most, option->word);
        break;
    case MOT_OPTION_REAL:
        mot_print_real(option->low, low);
        mot_print_real(option->high, high);
        snprintf(text, size,
                 option->below ? "a number of at least %s and below %s%s%s" : "a number from %s to %s%s%s", low,
                 high, option->word != NULL ? ", or " : "", option->word != NULL ? option->word : "");
        break;
    case MOT_OPTION_DURATION:
        mot_print_duration(option->high, high);
        snprintf(text, size, "a time such as 90s, 55m, 1.5h or 2d, at most %s", high);
        break;
    case MOT_OPTION_REALS:
        mot_print_real(option->low, low);
        mot_print_real(option->high, high);
        if (option->least > 0)
            snprintf(text, size, "a number from %s to %s, or a list of up to %" PRIu64, low, high,
                     option->most);
        else
            snprintf(text, size, "a list of up to %" PRIu64 " numbers from %s to %s", option->most, low,
                     high);
        break;
    case MOT_OPTION_TEXTS:
        snprintf(text, size, "%s, or a list of up to %" PRIu64 ", without commas and brackets in them", option->items,
                 option->most);
        break;
    case MOT_OPTION_BOOLEAN:
        snprintf(text, size, "true or false");
        break;
    case MOT_OPTION_BYTES:
        snprintf(text, size, "a size such as 256 MiB (B, KiB, MiB, GiB, TiB), at most %" PRIu64 " TiB",
                 option->most >> 40);
        break;
    case MOT_OPTION_PARTS:
        snprintf(text, size, "a list of %s", option->least > 0 ? "one or more of " : "");
        for (int part = 0; part < MOT_PARTS; ++part)
            if (option->most >> part & 1) add_name(text, size, mot_part_name[part], count++ == 0);
        break;
    case MOT_OPTION_PLACEMENT:
        snprintf(text, size, "even, or the list of each rank's experts such as [[0, 1], [2, 3]]");
        break;
    case MOT_OPTION_UNTIL:
        snprintf(
            text, size,
            "400 steps, 6 epochs, loss < 1e-3, loss plateau 200, purity plateau 200 or alignment plateau 200, each at "
            "most once, joined by \" or \"");
        break;
    }
    const size_t used = strlen(text);
    if (option->inherits != NULL) snprintf(text + used, size - used, ", or same");
}
