#include "table_numbers.h"

#include <ctype.h>
#include <string.h>

#include "number.h"

/* Where a cell of numbers stands, for a sentence. */
typedef struct cell_place {
    const table *t;
    size_t row, column;
} cell_place;

typedef struct marks {
    size_t points, commas;
    cell_place point, comma; /* the first of each */
    bool thousands;          /* every comma stands before three digits, and after one to three */
} marks;

static bool is_thousands(const char *cell)
{
    const size_t lead = strspn(cell, "0123456789");
    if (lead < 1 || lead > 3 || cell[0] == '0') return false;
    cell += lead;
    while (*cell == ',') {
        if (strspn(cell + 1, "0123456789") != 3) return false;
        cell += 4;
    }
    return *cell == '\0';
}

static const char *text_of(const cell_place *at)
{
    return table_cell(at->t, at->row, at->column);
}

static void count_marks(const table *tables, size_t *const place[], const table_numbers *numbers, marks *m)
{
    *m = (marks){.thousands = true};
    for (int s = 0; s < IMPORT_SPLITS; ++s)
        for (size_t row = 0; row < tables[s].rows; ++row)
            for (size_t k = 0; k < numbers->count + numbers->targets; ++k) {
                const cell_place at = {&tables[s], row, place[s][numbers->column[k]]};
                const char *cell = text_of(&at);
                const bool comma = strchr(cell, ',') != NULL, point = strchr(cell, '.') != NULL;
                if (!isdigit((unsigned char)cell[strspn(cell, "+-.,")])) continue;
                if (point && m->points++ == 0) m->point = at;
                if (!comma) continue;
                if (m->commas++ == 0) m->comma = at;
                m->thousands = m->thousands && is_thousands(cell);
            }
}

static mot_status find_decimal(const mot_import_options *options, const marks *m, table_numbers *numbers)
{
    numbers->decimal = options->decimal != 0 ? options->decimal : m->commas > 0 ? ',' : '.';
    if (options->decimal != 0 || m->commas == 0) return MOT_OK;
    if (m->points > 0)
        return mot_fail(
            MOT_ERR_INPUT,
            "%s: line %zu has '%.40s' and %s: line %zu has '%.40s': is the decimal mark a comma or a point? "
            "(--decimal comma, --decimal point; marks of thousands must go)",
            m->comma.t->path, m->comma.t->line[m->comma.row], text_of(&m->comma), m->point.t->path,
            m->point.t->line[m->point.row], text_of(&m->point));
    if (m->thousands)
        return mot_fail(
            MOT_ERR_INPUT,
            "%s: line %zu: '%.40s' may be a decimal comma or thousands: --decimal comma takes it as the "
            "first; marks of thousands must go",
            m->comma.t->path, m->comma.t->line[m->comma.row], text_of(&m->comma));
    mot_import_note(options, "%s: numbers have a decimal comma", m->comma.t->path);
    return MOT_OK;
}

/* advice: what to do with a text. */
static mot_status fail_cell(const cell_place *at, const char *advice)
{
    const table *t = at->t;
    const char *cell = text_of(at);
    const table_column_text column = mot_table_column(t, at->column);
    const bool first = at->row == 0 && t->name == NULL;
    if (mot_number_is_missing(cell))
        return mot_fail(
            MOT_ERR_INPUT,
            "%s: line %zu, %s: '%s' is not a number: a value that is missing must be filled in, or its line "
            "or column (--ignore-columns) left out%s",
            t->path, t->line[at->row], column.text, cell,
            first ? "; if the line names the columns: --header yes" : "");
    return mot_fail(
        MOT_ERR_INPUT, "%s: line %zu, %s: '%.40s' is not a number%s", t->path, t->line[at->row], column.text,
        cell,
        first ? " (if the line names the columns: --header yes)" : advice);
}

mot_status mot_table_numbers_check(const mot_import_options *options, const table *tables,
                                   size_t *const place[IMPORT_SPLITS], table_numbers *numbers)
{
    marks m;
    count_marks(tables, place, numbers, &m);
    mot_status status = find_decimal(options, &m, numbers);
    for (int s = 0; s < IMPORT_SPLITS && status == MOT_OK; ++s)
        for (size_t row = 0; row < tables[s].rows; ++row)
            for (size_t k = 0; k < numbers->count + numbers->targets; ++k) {
                const cell_place at = {&tables[s], row, place[s][numbers->column[k]]};
                double value;
                if (!mot_number_parse(text_of(&at), numbers->decimal, &value))
                    return fail_cell(&at, k >= numbers->count       ? "; a target is a number, and --label-column in place of --target learns texts"
                                          : numbers->targets > 0 ? " (--group-column takes texts, --ignore-columns leaves a column out)"
                                                                 : " (--label-column and --group-column take texts, --ignore-columns leaves a column out)");
            }
    return status;
}
