/* Which column is which: by name, by number, and between the files of the splits. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mot/memory.h"
#include "table.h"

table_column_text mot_table_column(const table *t, size_t column)
{
    table_column_text out;
    if (t->name != NULL && t->name[column][0] != '\0')
        snprintf(out.text, sizeof out.text, "column %zu ('%.60s')", column + 1, t->name[column]);
    else
        snprintf(out.text, sizeof out.text, "column %zu", column + 1);
    return out;
}

/* The number from 1, or 0: not one. */
static size_t number_of(const char *text, size_t columns)
{
    char *end;
    const unsigned long long number = isdigit((unsigned char)text[0]) ? strtoull(text, &end, 10) : 0;
    return number >= 1 && number <= columns && *end == '\0' ? (size_t)number : 0;
}

static mot_status find_name(const table *t, const char *name, const char *option, size_t *column)
{
    *column = t->columns;
    for (size_t c = 0; t->name != NULL && c < t->columns; ++c) {
        if (strcmp(t->name[c], name) != 0) continue;
        if (*column < t->columns)
            return mot_fail(MOT_ERR_INPUT, "%s: --%s %s: columns %zu and %zu have that name: give the number",
                            t->path, option, name, *column + 1, c + 1);
        *column = c;
    }
    return MOT_OK;
}

static mot_status fail_absent(const table *t, const char *wanted, const char *option)
{
    char names[160] = "";
    for (size_t c = 0; t->name != NULL && c < t->columns && strlen(names) + 80 < sizeof names; ++c)
        snprintf(names + strlen(names), sizeof names - strlen(names), "%s%.40s", c > 0 ? ", " : "",
                 t->name[c]);
    if (t->name == NULL)
        return mot_fail(
            MOT_ERR_INPUT,
            "%s: --%s %s: there is no header, and no column of that number: there are %zu columns", t->path,
            option, wanted, t->columns);
    return mot_fail(MOT_ERR_INPUT, "%s: --%s %s: no such column; the %zu columns are %s%s", t->path, option,
                    wanted, t->columns, names, strlen(names) + 80 < sizeof names ? "" : ", ...");
}

mot_status mot_table_find_column(const table *t, const char *wanted, const char *option, size_t *column)
{
    size_t named;
    mot_status status = MOT_OK;
    *column = t->columns - 1;
    if (strncmp(wanted, "name=", 5) == 0) {
        MOT_TRY(find_name(t, wanted + 5, option, column));
        return *column < t->columns ? MOT_OK : fail_absent(t, wanted, option);
    }
    const bool by_number = strncmp(wanted, "number=", 7) == 0;
    const size_t number = number_of(wanted + (by_number ? 7 : 0), t->columns);
    MOT_TRY(find_name(t, wanted, option, &named));
    if (by_number && number == 0) return fail_absent(t, wanted, option);
    if (!by_number && number > 0 && named < t->columns && named != number - 1)
        return mot_fail(
            MOT_ERR_INPUT,
            "%s: --%s %s: column %zu has that name, and it is the number of another: is it the name or "
            "the number? (--%s name=%s, --%s number=%s)",
            t->path, option, wanted, named + 1, option, wanted, option, wanted);
    if (!by_number && named < t->columns)
        *column = named;
    else if (number > 0)
        *column = number - 1;
    else if (strcmp(wanted, "last") != 0)
        return fail_absent(t, wanted, option);
done:
    return status;
}

static mot_status fail_names(const table *train, const table *t, size_t column)
{
    return mot_fail(
        MOT_ERR_INPUT,
        "%s: column %zu is '%.60s', in %s it is '%.60s': do the columns belong together by name or by "
        "place? (--columns name, --columns place)",
        t->path, column + 1, t->name[column], train->path, train->name[column]);
}

mot_status mot_table_match(const mot_import_options *options, const table *train, const table *t, size_t **place)
{
    mot_status status = MOT_OK;
    if (t->columns != train->columns)
        return mot_fail(MOT_ERR_INPUT, "%s has %zu columns, %s has %zu", t->path, t->columns, train->path,
                        train->columns);
    MOT_TRY(mot_allocate(place, t->columns, sizeof **place, "a table's columns"));
    for (size_t c = 0; c < t->columns; ++c) {
        (*place)[c] = c;
        if (train->name == NULL || t->name == NULL || options->by_name == MOT_ANSWER_NO) continue;
        if (strcmp(train->name[c], t->name[c]) == 0 || (c == 0 && train->row_names && t->row_names)) continue;
        if (options->by_name == MOT_ANSWER_AUTO) return fail_names(train, t, c);
        MOT_TRY(find_name(t, train->name[c], "columns name", &(*place)[c]));
        if ((*place)[c] == t->columns)
            return mot_fail(MOT_ERR_INPUT, "%s has no column '%.60s', as %s has", t->path, train->name[c],
                            train->path);
    }
    if ((train->name == NULL) != (t->name == NULL) && options->by_name == MOT_ANSWER_AUTO)
        mot_import_note(options, "%s has a header and %s has none: their columns are taken in the same order",
                        train->name != NULL ? train->path : t->path, train->name != NULL ? t->path : train->path);
done:
    return status;
}
