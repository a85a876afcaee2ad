#include "table.h"

#include <string.h>

#include "mot/memory.h"
#include "number.h"

const char *mot_table_separator_name(char separator)
{
    switch (separator) {
    case ',':
        return "commas";
    case ';':
        return "semicolons";
    case '\t':
        return "tabs";
    case '|':
        return "bars";
    default:
        return "blanks";
    }
}

void mot_table_free(table *t)
{
    mot_free(t->comment_name);
    mot_free(t->cells);
    mot_free(t->lines);
    mot_free(t->bytes);
    *t = (table){0};
}

/* ---- the text ---- */

static mot_status check_text(const char *path, const char *bytes, size_t size)
{
    size_t wrong = size;
    const char *zero = memchr(bytes, '\0', size);
    if (size >= 2 && (memcmp(bytes, "\xff\xfe", 2) == 0 || memcmp(bytes, "\xfe\xff", 2) == 0))
        return mot_fail(MOT_ERR_INPUT,
                        "%s: a text in UTF-16: 'iconv -f UTF-16 -t UTF-8' makes it one in UTF-8", path);
    if (mot_import_is_utf8(bytes, size, &wrong)) wrong = size;
    if (zero != NULL && (size_t)(zero - bytes) < wrong) wrong = (size_t)(zero - bytes);
    if (wrong == size) return MOT_OK;
    size_t line = 1;
    for (size_t i = 0; i < wrong; ++i) line += bytes[i] == '\n';
    return mot_fail(
        MOT_ERR_INPUT,
        "%s: line %zu: not a text in UTF-8 ('iconv -f LATIN1 -t UTF-8' makes one of the usual other kind)",
        path, line);
}

/* Where lines end with a carriage return alone they get the usual end. */
static void mend_line_ends(char *bytes, size_t size)
{
    if (memchr(bytes, '\n', size) != NULL) return;
    for (char *at = bytes; (at = memchr(at, '\r', (size_t)(bytes + size - at))) != NULL;) *at = '\n';
}

static char *line_end(const table_scan *scan)
{
    char *end = memchr(scan->at, '\n', (size_t)(scan->end - scan->at));
    return end != NULL ? end : scan->end;
}

static void skip_line(table_scan *scan)
{
    scan->at = line_end(scan);
    if (scan->at < scan->end) ++scan->at;
    ++scan->next_line;
}

/* What may stand before the first row: a byte order mark, the separator in words, comments; *comment is the last of these,
 * behind its mark, as long as `length`. */
static size_t skip_preamble(table_scan *scan, bool texts, char *separator, table_field *comment)
{
    size_t comments = 0;
    if (scan->end - scan->at >= 3 && memcmp(scan->at, "\xef\xbb\xbf", 3) == 0) scan->at += 3;
    if (scan->end - scan->at >= 5 && strncmp(scan->at, "sep=", 4) == 0 &&
        strcspn(scan->at + 5, "\r\n") == 0) {
        *separator = scan->at[4];
        skip_line(scan);
    }
    for (; !texts && scan->at < scan->end && *scan->at == '#'; ++comments) {
        *comment = (table_field){.at = scan->at + 1, .length = (size_t)(line_end(scan) - scan->at - 1)};
        skip_line(scan);
    }
    return comments;
}

/* ---- the separator ---- */

/* How well the first rows go with a separator: the share of their cells that are numbers, less one where rows differ in
 * length, less two where there is one column. */
static double fit(table_scan scan, char separator, bool texts)
{
    enum { ROWS = 200 };
    size_t most = 0, least = SIZE_MAX, cells = 0, numbers = 0;
    table_field field;
    bool last;
    scan.separator = separator;
    for (size_t row = 0; row < ROWS && scan.at < scan.end; ++row) {
        size_t filled = 0, columns = 0;
        do {
            if (!mot_table_scan_field(&scan, &field, &last)) break;
            ++columns;
            if (field.length > 0) filled = columns;
            char copy[64];
            double value;
            if (row == 0 || field.length >= sizeof copy) continue;
            memcpy(copy, field.at, field.length);
            copy[field.length] = '\0';
            numbers += mot_number_parse(copy, '.', &value) || mot_number_parse(copy, ',', &value);
        } while (!last);
        if (filled == 0) continue;
        most = MOT_MAX(most, filled);
        if (row > 0) least = MOT_MIN(least, columns);
        if (row > 0) cells += columns;
    }
    const double share = texts || cells == 0 ? 0.5 : (double)numbers / (double)cells;
    return most < 2 ? share - 2 : least < most ? share - 1 : share;
}

static char find_separator(const table_scan *scan, bool texts)
{
    static const char numbers[] = "\t;,| ", words[] = "\t;,";
    if (texts && memchr(scan->at, '\t', (size_t)(line_end(scan) - scan->at)) != NULL) return '\t';
    char best = texts ? '\t' : ',';
    double best_fit = texts ? -0.5 : -1.99; /* a text alone is rather a text than a table with commas in it */
    for (const char *separator = texts ? words : numbers; *separator != '\0'; ++separator) {
        const double found = fit(*scan, *separator, texts);
        if (found <= best_fit) continue;
        best = *separator;
        best_fit = found;
    }
    return best;
}

/* ---- rows ---- */

typedef struct rows {
    size_t cells, cell_capacity, line_capacity, start_capacity;
    size_t *start; /* [rows + 1], owned */
    size_t most;   /* filled columns of a row */
    size_t empty;  /* rows without content since the last one */
} rows;

/* One row; one without content leaves nothing, but where each line is a text, of which one may be empty. The first cell of all is kept free for the name of row names. */
static mot_status read_row(table *t, table_scan *scan, rows *r)
{
    const size_t first = r->cells, line = scan->next_line;
    size_t filled = 0;
    table_field field;
    bool last = false;
    mot_status status = MOT_OK;
    while (!last && mot_table_scan_field(scan, &field, &last)) {
        if (scan->broken) {
            status = mot_fail(MOT_ERR_INPUT,
                              "%s: line %zu: a quote is never closed, or something follows it in its cell",
                              t->path, line);
            goto done;
        }
        MOT_TRY(mot_reserve(&t->cells, &r->cell_capacity, r->cells + 1, sizeof(char *), "a table"));
        t->cells[r->cells++] = mot_table_field_text(&field);
        if (t->cells[r->cells - 1][0] != '\0') filled = r->cells - first;
    }
    if (t->separator == TABLE_LINES && filled == 0) filled = 1;
    if (filled == 0) {
        r->cells = first;
        ++r->empty;
        goto done;
    }
    if (filled > TABLE_MAX_COLUMNS) {
        status = mot_fail(MOT_ERR_INPUT, "%s: line %zu has %zu columns, at most %d are read", t->path,
                          scan->line, filled, TABLE_MAX_COLUMNS);
        goto done;
    }
    MOT_TRY(mot_reserve(&t->lines, &r->line_capacity, t->rows + 1, sizeof(size_t), "a table"));
    MOT_TRY(mot_reserve(&r->start, &r->start_capacity, t->rows + 2, sizeof(size_t), "a table"));
    t->lines[t->rows] = scan->line;
    r->start[t->rows++] = first;
    t->empty += r->empty;
    r->empty = 0;
    r->start[t->rows] = r->cells;
    r->most = MOT_MAX(r->most, filled);
done:
    return status;
}

/* All rows get the columns of the longest. A first row that has one name less is a header as R writes it before rows that
 * begin with their names. */
static mot_status align_rows(table *t, const rows *r, bool texts)
{
    t->columns = r->most;
    t->row_names = !texts && t->rows > 1 && r->start[1] - r->start[0] + 1 == t->columns &&
                   mot_table_are_names(t->cells + r->start[0], t->columns - 1);
    for (size_t i = t->row_names; i < t->rows; ++i) {
        const size_t have = r->start[i + 1] - r->start[i];
        t->row_names = t->row_names && have >= t->columns;
        if (have >= t->columns && (!t->row_names || i > 0)) continue;
        size_t other = 0; /* one of full length */
        while (r->start[other + 1] - r->start[other] < t->columns) ++other;
        return mot_fail(MOT_ERR_INPUT, "%s: line %zu has %zu columns, line %zu has %zu", t->path, t->lines[i],
                        have, t->lines[other], t->columns);
    }
    if (t->row_names) {
        static char none[1];
        t->cells[0] = none;
    }
    for (size_t i = 0; i < t->rows; ++i)
        if (!t->row_names || i > 0)
            memmove(t->cells + i * t->columns, t->cells + r->start[i], t->columns * sizeof(char *));
    t->cell = t->cells;
    t->line = t->lines;
    return MOT_OK;
}

static mot_status read_rows(table *t, table_scan scan, bool texts)
{
    rows r = {.cells = 1};
    mot_status status = mot_reserve(&t->cells, &r.cell_capacity, 1, sizeof(char *), "a table");
    while (status == MOT_OK && scan.at < scan.end) status = read_row(t, &scan, &r);
    if (status == MOT_OK && t->rows == 0)
        status = mot_fail(MOT_ERR_INPUT, "%s: no line of %s", t->path, texts ? "text" : "numbers");
    if (status == MOT_OK) status = align_rows(t, &r, texts);
    mot_free(r.start);
    return status;
}

/* Whether quotes are closed wherever a cell begins with one; in texts that do not, they are characters as others. */
static bool quotes_close(table_scan scan)
{
    table_field field;
    bool last;
    while (!scan.broken && mot_table_scan_field(&scan, &field, &last)) {
    }
    return !scan.broken;
}

/* A comment with a name for each column names them. */
static mot_status read_comment(table *t, const table_field *comment)
{
    table_scan scan = {.at = comment->at,
                       .end = comment->at + comment->length,
                       .separator = t->separator,
                       .quotes = t->quotes};
    table_field field;
    size_t count = 0;
    bool last = false;
    mot_status status = mot_allocate(&t->comment_name, t->columns + 1, sizeof(char *), "names of columns");
    if (status != MOT_OK) return status;
    while (!last && count <= t->columns && mot_table_scan_field(&scan, &field, &last))
        t->comment_name[count++] = mot_table_field_text(&field);
    if (count == t->columns && mot_table_are_names(t->comment_name, count)) return MOT_OK;
    mot_free(t->comment_name);
    t->comment_name = NULL;
    return MOT_OK;
}

mot_status mot_table_read(const mot_import_options *options, const char *path, bool texts, table *t)
{
    size_t size;
    table_field comment = {0};
    mot_status status = MOT_OK;
    *t = (table){.path = path};
    MOT_TRY(mot_import_read(path, import_limit, &t->bytes, &size));
    MOT_TRY(check_text(path, t->bytes, size));
    mend_line_ends(t->bytes, size);
    table_scan scan = {.at = t->bytes, .end = t->bytes + size, .quotes = true, .next_line = 1};
    const size_t comments = skip_preamble(&scan, texts, &t->separator, &comment);
    if (scan.at < scan.end && *scan.at == '{') {
        status = mot_fail(MOT_ERR_INPUT,
                          "%s: JSON, which is not read: \"jq -r '[.label, .text] | @tsv'\" makes lines of it",
                          path);
        goto done;
    }
    if (options->separator != 0) t->separator = options->separator;
    if (t->separator == 0) t->separator = find_separator(&scan, texts);
    scan.separator = t->separator;
    scan.quotes = t->quotes = !texts || (t->separator != '\t' && t->separator != TABLE_LINES) ||
                              quotes_close(scan);
    MOT_TRY(read_rows(t, scan, texts));
    if (options->as != NULL && t->empty > 0)
        mot_import_note(options, "%s: empty lines between others are no samples, and left out: %zu", path,
                        t->empty);
    if (comments > 0)
        mot_import_note(options, "%s: lines that begin with # at its top are comments: %zu", path, comments);
    if (comments > 0 && options->header != MOT_ANSWER_NO) MOT_TRY(read_comment(t, &comment));
done:
    return status;
}
