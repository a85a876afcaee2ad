/* A field as text: for the resolved copy, for sentences, for the help. */
#include "option.h"

#include <string.h>

static uint64_t load_integer(const mot_option *option, const char *field)
{
    uint32_t word = 0;
    uint64_t value = 0;
    if (option->size == 1) return *(const unsigned char *)field;
    if (option->size == sizeof word) {
        memcpy(&word, field, sizeof word);
        return word;
    }
    memcpy(&value, field, sizeof value);
    return value;
}

static void print_bytes(uint64_t value, FILE *stream)
{
    static const char *const unit[] = {"", " KiB", " MiB", " GiB", " TiB"};
    size_t i = 0;
    for (; value != 0 && value % 1024 == 0 && i + 1 < MOT_COUNT(unit); ++i) value /= 1024;
    fprintf(stream, "%" PRIu64 "%s", value, unit[i]);
}

static void print_parts(mot_part_set parts, FILE *stream)
{
    const char *between = "";
    fputc('[', stream);
    for (int part = 0; part < MOT_PARTS; ++part) {
        if ((parts & 1u << part) == 0) continue;
        fprintf(stream, "%s%s", between, mot_part_name[part]);
        between = ", ";
    }
    fputc(']', stream);
}

/* Without what reading fills in by itself: repetitions of the last, or zeros. */
static void print_reals(const mot_option *option, const char *field, FILE *stream)
{
    double value[MOT_OPTION_REALS_LIMIT];
    size_t count = option->size / sizeof *value;
    memcpy(value, field, option->size);
    if (option->least > 0)
        while (count > 1 && value[count - 1] == value[count - 2]) --count;
    else
        while (count > 0 && value[count - 1] == 0) --count;
    if (count != 1 || option->least == 0) fputc('[', stream);
    for (size_t i = 0; i < count; ++i) {
        char number[32];
        mot_print_real(value[i], number);
        fprintf(stream, "%s%s", i > 0 ? ", " : "", number);
    }
    if (count != 1 || option->least == 0) fputc(']', stream);
}

static void print_span(const mot_option *option, const char *field, FILE *stream)
{
    mot_span span;
    char number[32];
    memcpy(&span, field, sizeof span);
    mot_print_real(span.percent, number);
    if (span.percent == MOT_SPAN_AUTO)
        fputs(option->word, stream);
    else if (span.percent > 0)
        fprintf(stream, "%s%%", number);
    else
        fprintf(stream, "%" PRId64, span.steps);
}

static const char *choice_name(const mot_option *option, uint64_t index)
{
    for (size_t i = 0; mot_option_choice(option, i) != NULL; ++i)
        if (i == index) return mot_option_choice(option, i);
    return "?";
}

/* Without YAML's quotes. */
static void show(const mot_option *option, const void *base, FILE *stream)
{
    const char *field = (const char *)base + option->offset;
    char number[32];
    double real;
    switch (option->type) {
    case MOT_OPTION_TEXT:
    case MOT_OPTION_TEXTS:
    case MOT_OPTION_PLACEMENT:
    case MOT_OPTION_UNTIL: /* whose first member is its text */
        fputs(field, stream);
        break;
    case MOT_OPTION_CHOICE:
        fputs(choice_name(option, load_integer(option, field)), stream);
        break;
    case MOT_OPTION_INTEGER:
        if (option->word != NULL && load_integer(option, field) == 0)
            fputs(option->word, stream);
        else
            fprintf(stream, "%" PRIu64, load_integer(option, field));
        break;
    case MOT_OPTION_SPAN:
        print_span(option, field, stream);
        break;
    case MOT_OPTION_REAL:
        memcpy(&real, field, sizeof real);
        mot_print_real(real, number);
        fputs(option->word != NULL && real == MOT_RATE_AUTO ? option->word : number, stream);
        break;
    case MOT_OPTION_DURATION:
        memcpy(&real, field, sizeof real);
        mot_print_duration(real, number);
        fputs(number, stream);
        break;
    case MOT_OPTION_REALS:
        print_reals(option, field, stream);
        break;
    case MOT_OPTION_BOOLEAN:
        fputs(load_integer(option, field) != 0 ? "true" : "false", stream);
        break;
    case MOT_OPTION_BYTES:
        print_bytes(load_integer(option, field), stream);
        break;
    case MOT_OPTION_PARTS:
        print_parts((mot_part_set)load_integer(option, field), stream);
        break;
    }
}

static void print_quoted(const char *text, FILE *stream)
{
    fputc('"', stream);
    for (; *text != '\0'; ++text) {
        if (*text == '"' || *text == '\\') fputc('\\', stream);
        fputc(*text, stream);
    }
    fputc('"', stream);
}

static void print_texts(const char *list, FILE *stream)
{
    char item[MOT_OPTION_VALUE];
    const char *between = "";
    fputc('[', stream);
    while (*list != '\0' && (list = mot_list_next(list, item, sizeof item)) != NULL) {
        fputs(between, stream);
        print_quoted(item, stream);
        between = ", ";
    }
    fputc(']', stream);
}

void mot_option_print(const mot_option *option, const void *base, FILE *stream)
{
    const char *field = (const char *)base + option->offset;
    if (option->type == MOT_OPTION_TEXT)
        print_quoted(field, stream);
    else if (option->type == MOT_OPTION_TEXTS)
        print_texts(field, stream);
    else
        show(option, base, stream);
}
