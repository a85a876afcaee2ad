/* Whether the first row of a table of numbers is a row as the others or names the columns. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "number.h"
#include "table.h"

static bool is_number(const char *cell)
{
    double value;
    return mot_number_parse(cell, '.', &value) || mot_number_parse(cell, ',', &value);
}

static bool is_name(const char *cell)
{
    return !mot_number_is_missing(cell) && !is_number(cell);
}

bool mot_table_are_names(char *const *cells, size_t count)
{
    for (size_t c = 0; c < count; ++c)
        if (!is_name(cells[c])) return false;
    return true;
}

static size_t count_names(const table *t)
{
    size_t count = 0;
    for (size_t c = 0; c < t->columns; ++c) count += is_name(table_cell(t, 0, c));
    return count;
}

/* Where there is a number it is that of its column, from 0: so pandas names columns that have no names. */
static bool counts_columns(const table *t, size_t *numbers)
{
    *numbers = 0;
    for (size_t c = 0; c < t->columns; ++c) {
        const char *cell = table_cell(t, 0, c);
        char number[24];
        if (!is_number(cell)) continue;
        snprintf(number, sizeof number, "%zu", c);
        if (strcmp(cell, number) != 0) return false;
        ++*numbers;
    }
    return *numbers > 0;
}

/* A column whose first cell is a name above numbers alone; t->columns: none is. */
static size_t named_numbers(const table *t)
{
    for (size_t c = 0; c < t->columns; ++c) {
        bool numbers = t->rows > 1 && is_name(table_cell(t, 0, c));
        for (size_t row = 1; numbers && row < t->rows; ++row) numbers = is_number(table_cell(t, row, c));
        if (numbers) return c;
    }
    return t->columns;
}

/* A name of the first row that no other row has, in its column. */
static bool has_own_name(const table *t)
{
    for (size_t c = 0; c < t->columns; ++c) {
        const char *name = table_cell(t, 0, c);
        bool own = is_name(name);
        for (size_t row = 1; own && row < t->rows; ++row) own = strcmp(table_cell(t, row, c), name) != 0;
        if (own) return true;
    }
    return false;
}

/* 0, 1, 2, ... or 1, 2, 3, ... down the first column. */
static bool counts_rows(const table *t)
{
    for (size_t row = 0; row < t->rows; ++row) {
        char *end;
        const char *cell = table_cell(t, row, 0);
        const size_t value = strtoul(cell, &end, 10), first = strtoul(table_cell(t, 0, 0), NULL, 10);
        if (end == cell || *end != '\0' || first > 1 || value != first + row) return false;
    }
    return t->rows > 1;
}

static mot_status refuse(const table *t, const char *why)
{
    return mot_fail(
        MOT_ERR_INPUT,
        "%s: line %zu: %s: does it name the columns, or is it a sample? (--header yes, --header no)", t->path,
        t->line[0], why);
}

/* Decides for a table that has no row names by its form. */
static mot_status decide(const table *t, bool *header)
{
    const size_t names = count_names(t), above = named_numbers(t);
    size_t numbers;
    *header = names == t->columns || (names + 1 == t->columns && names > 0 && table_cell(t, 0, 0)[0] == '\0');
    if (*header || t->rows == 1) return MOT_OK;
    if (counts_columns(t, &numbers)) {
        if (numbers == t->columns) return refuse(t, "its numbers count the columns");
        if (has_own_name(t))
            return refuse(t, "its numbers count the columns, beside a name that no other line has");
    }
    if (above == t->columns) return MOT_OK;
    char why[160];
    snprintf(why, sizeof why, "column %zu is '%.60s' here and numbers below", above + 1,
             table_cell(t, 0, above));
    return refuse(t, why);
}

void mot_table_take_header(table *t)
{
    t->name = t->cell;
    t->cell += t->columns;
    ++t->line;
    --t->rows;
}

mot_status mot_table_find_header(const mot_import_options *options, table *t)
{
    bool header = options->header == MOT_ANSWER_YES || t->row_names;
    mot_status status = MOT_OK;
    if (t->comment_name != NULL) {
        t->name = t->comment_name;
        mot_import_note(options, "%s: the last comment names the columns", t->path);
        return MOT_OK;
    }
    if (options->header == MOT_ANSWER_AUTO && !header) MOT_TRY(decide(t, &header));
    if (options->header == MOT_ANSWER_NO && t->row_names)
        return mot_fail(MOT_ERR_INPUT, "%s: line %zu has %zu columns, line %zu has %zu", t->path, t->line[0],
                        t->columns - 1, t->line[1], t->columns);
    if (header) mot_table_take_header(t);
    if (t->rows == 0) return mot_fail(MOT_ERR_INPUT, "%s: no line of numbers", t->path);
    if (options->header == MOT_ANSWER_AUTO)
        mot_import_note(options, "%s: line 1 %s", t->path,
                        header ? "names the columns" : "is a sample: no header");
    if (header && !t->row_names && t->name[0][0] == '\0') {
        t->row_names = counts_rows(t);
        if (!t->row_names && options->header == MOT_ANSWER_AUTO && options->ignore_columns == NULL)
            status = mot_fail(
                MOT_ERR_INPUT,
                "%s: column 1 has no name: does it number the lines, or is it one of the numbers? "
                "(--ignore-columns 1, --header yes)",
                t->path);
    }
    if (status == MOT_OK && t->row_names)
        mot_import_note(options, "%s: column 1 numbers or names the lines, and is left out", t->path);
done:
    return status;
}
