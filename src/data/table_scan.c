#include <string.h>

#include "table.h"

static bool is_blank(const table_scan *s, char c)
{
    return c == ' ' || (c == '\t' && s->separator != '\t');
}

static void skip_blanks(table_scan *s)
{
    while (s->at < s->end && is_blank(s, *s->at)) ++s->at;
}

static bool at_line_end(const table_scan *s)
{
    return s->at < s->end &&
           (*s->at == '\n' || (*s->at == '\r' && (s->at + 1 == s->end || s->at[1] == '\n')));
}

static bool at_field_end(const table_scan *s)
{
    if (s->at == s->end || at_line_end(s)) return true;
    return s->separator == ' ' ? is_blank(s, *s->at) : *s->at == s->separator;
}

static void scan_quoted(table_scan *s, table_field *field)
{
    field->at = ++s->at;
    field->quoted = true;
    for (; s->at < s->end; ++s->at) {
        s->next_line += *s->at == '\n';
        if (*s->at != '"') continue;
        if (s->at + 1 == s->end || s->at[1] != '"') break;
        ++s->at;
    }
    field->length = (size_t)(s->at - field->at);
    if (s->at == s->end)
        s->broken = true;
    else
        ++s->at;
    if (s->separator != ' ') skip_blanks(s);
    if (!at_field_end(s)) s->broken = true;
    while (!at_field_end(s)) ++s->at;
}

static void scan_plain(table_scan *s, table_field *field)
{
    field->at = s->at;
    while (!at_field_end(s)) ++s->at;
    field->length = (size_t)(s->at - field->at);
}

static void trim(table_field *field)
{
    while (field->length > 0 && strchr(" \t\r", field->at[field->length - 1]) != NULL) --field->length;
}

bool mot_table_scan_field(table_scan *s, table_field *field, bool *last)
{
    *field = (table_field){0};
    if (s->at == s->end) return false;
    skip_blanks(s);
    if (s->quotes && s->at < s->end && *s->at == '"')
        scan_quoted(s, field);
    else
        scan_plain(s, field);
    if (!field->quoted) trim(field);
    if (s->separator == ' ') skip_blanks(s); /* many are one, and those at the end none */
    *last = s->at == s->end || at_line_end(s);
    if (!*last) {
        s->at += s->separator != ' ';
        if (s->at < s->end) return true;
        s->end = s->at; /* the text ends with a separator, behind which is nothing */
        *last = true;
    }
    if (s->at < s->end && *s->at == '\r') ++s->at;
    if (s->at < s->end) ++s->at;
    s->line = s->next_line++;
    return true;
}

char *mot_table_field_text(const table_field *field)
{
    char *to = field->at;
    for (size_t i = 0; i < field->length; ++i) {
        if (field->quoted && field->at[i] == '"') ++i; /* of two the second */
        *to++ = field->at[i];
    }
    *to = '\0';
    return mot_import_trim(field->at);
}
