/* table.h: tables in text files, a row a line.
 *
 *      file    = [mark] ["sep=" X line] {"#" line} row {row}          comments only where asked for
 *      row     = field {separator field} line end                     rows without any content are left out
 *      field   = blanks (quoted | plain) blanks
 *      quoted  = '"' {any but '"' | '""'} '"'                          may hold separators and line ends
 *
 * The separator, whether there are quotes, and whether the first row names the columns are found out once for a file, or
 * told. Cells are trimmed and end in 0, in the file's bytes. Empty fields at the end of rows that have too many are left
 * out; otherwise all rows have as many cells. */
#ifndef MOT_DATA_TABLE_H
#define MOT_DATA_TABLE_H

#include "import.h"

typedef struct table {
    const char *path;
    char *bytes; /* owned */
    char separator;
    bool quotes;
    size_t columns, rows;
    char **cells;        /* [all rows, columns], owned */
    size_t *lines;       /* [all rows], owned */
    char **cell;         /* [rows, columns]: those behind a header */
    size_t *line;        /* [rows] */
    char **name;         /* [columns], in cells or in `comment_name`; NULL: no header */
    char **comment_name; /* owned: names that stood in a comment, one for each column; or NULL */
    bool row_names;      /* the first column only counts or names the rows */
    size_t empty;        /* rows without content between others, which are left out */
} table;

enum { TABLE_MAX_COLUMNS = 1 << 20 };
enum { TABLE_LINES = '\n' }; /* the separator of a table of one column: a cell a line */

/* table_scan.c: one row after another. */
typedef struct table_scan {
    char *at, *end; /* what is to be read */
    char separator;
    bool quotes, broken; /* broken: text behind a closing quote, or a quote never closed */
    size_t line;         /* of the row read last */
    size_t next_line;
} table_scan;
typedef struct table_field {
    char *at; /* trimmed of blanks, without its quotes */
    size_t length;
    bool quoted;
} table_field;
/* False at the end of the text. *last: the row ends behind this field. Nothing is written. */
bool mot_table_scan_field(table_scan *scan, table_field *field, bool *last);
/* Makes the field a string in place, and returns it. */
char *mot_table_field_text(const table_field *field);

/* table.c. `texts`: rows of texts, where nothing but the separator and quotes is looked at. */
mot_status mot_table_read(const mot_import_options *options, const char *path, bool texts, table *t);
void mot_table_free(table *t);
static inline char *table_cell(const table *t, size_t row, size_t column)
{
    return t->cell[row * t->columns + column];
}
/* What separates the columns, in words. */
const char *mot_table_separator_name(char separator);

/* table_header.c. Whether cells are names: neither numbers nor marks of a missing value. */
bool mot_table_are_names(char *const *cells, size_t count);
/* The first row becomes the names of the columns. */
void mot_table_take_header(table *t);
/* Whether the first row of a table of numbers names the columns. */
mot_status mot_table_find_header(const mot_import_options *options, table *t);

/* table_columns.c */
/* A column by its name, its number from 1, or "last". `option` is for sentences. */
mot_status mot_table_find_column(const table *t, const char *wanted, const char *option, size_t *column);
/* The place in `t` of each column of `train`: *place [columns], owned by the caller. */
mot_status mot_table_match(const mot_import_options *options, const table *train, const table *t, size_t **place);
/* "column 3 ('width')" */
typedef struct table_column_text {
    char text[120];
} table_column_text;
table_column_text mot_table_column(const table *t, size_t column);

#endif
