/* A comparison on the terminal, as a table and as JSON. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compare_private.h"
#include "mot/atomic_file.h"
#include "mot/memory.h"
#include "mot/record.h"
#include "mot/statistics.h"

static const char *const columns[] = {"median", "quartile_low", "quartile_high", "mean", "mean_low", "mean_high",
                                      "difference", "difference_low", "difference_high", "bootstrap_low", "bootstrap_high"};

/* In the order of `columns`. */
static void numbers_of(const compare_cell *cell, double number[MOT_COUNT(columns)])
{
    const double all[] = {cell->median, cell->low, cell->high, cell->mean, cell->mean_low, cell->mean_high,
                          cell->difference, cell->difference_low, cell->difference_high,
                          cell->bootstrap_low, cell->bootstrap_high};
    memcpy(number, all, sizeof all);
}

/* ---- the terminal ---- */

/* "[0.88, 0.90]", or nothing where there is no interval. */
static void interval_text(double low, double high, char text[48])
{
    text[0] = '\0';
    if (!isnan(low)) snprintf(text, 48, "[%.4g, %.4g]", low, high);
}

static void say_row(const char *label, int width, const compare_cell *cell, bool first)
{
    char quartiles[48], mean[48], drawn[48], difference[96] = "", apart[48];
    snprintf(quartiles, sizeof quartiles, "%.4g to %.4g", cell->low, cell->high);
    interval_text(cell->mean_low, cell->mean_high, mean);
    interval_text(cell->bootstrap_low, cell->bootstrap_high, drawn);
    interval_text(cell->difference_low, cell->difference_high, apart);
    if (!first && cell->pairs > 0) snprintf(difference, sizeof difference, "%+.4g %s", cell->difference, apart);
    printf("%-*.*s %5zu %10.4g  %-20s %-22s %-22s%s%s\n", width, width, label, cell->count, cell->median, quartiles, mean, drawn,
           difference[0] != '\0' ? " " : "", difference);
}

mot_status mot_compare_say(const comparison *c)
{
    enum { WIDEST = 60 };
    int width = 8;
    size_t few = 0;
    compare_cell cell;
    mot_status status = MOT_OK;
    for (size_t r = 0; r < c->rows; ++r) few += c->row[r].runs < MOT_BOOTSTRAP_LEAST;
    for (size_t r = 0; r < c->rows; ++r) width = MOT_MAX(width, (int)MOT_MIN(strlen(c->row[r].label), (size_t)WIDEST));
    for (size_t f = 0; f < c->figures; ++f) {
        printf("%s%s\n%-*s %5s %10s  %-20s %-22s %-22s%s\n", f > 0 ? "\n" : "", c->figure[f], width, "settings", "runs", "median",
               "quartiles", "95 % of the mean", "the same by bootstrap", c->rows > 1 ? " from the first row, by seed" : "");
        for (size_t r = 0; r < c->rows; ++r) {
            MOT_TRY(mot_compare_cell(c, r, f, &cell));
            if (cell.count > 0) say_row(c->row[r].label, width, &cell, r == 0);
        }
    }
    if (few > 0)
        printf("\nOf fewer than %d runs there is no interval by bootstrap: %zu of %zu rows.\n", (int)MOT_BOOTSTRAP_LEAST, few, c->rows);
done:
    return status;
}

/* ---- files ---- */

typedef mot_status cell_function(FILE *stream, const compare_row *row, const char *figure, const compare_cell *cell, bool first);

static mot_status write_all(const comparison *c, const char *path, const char *head, cell_function *put, const char *tail)
{
    char *text = NULL;
    size_t size = 0;
    compare_cell cell;
    mot_status status = MOT_OK;
    FILE *stream = open_memstream(&text, &size);
    if (stream == NULL) return mot_fail(MOT_ERR_MEMORY, "not enough memory for %s", path);
    fputs(head, stream);
    for (size_t r = 0; r < c->rows && status == MOT_OK; ++r)
        for (size_t f = 0; f < c->figures && status == MOT_OK; ++f) {
            status = mot_compare_cell(c, r, f, &cell);
            if (status == MOT_OK) status = put(stream, &c->row[r], c->figure[f], &cell, r + f == 0);
        }
    fputs(tail, stream);
    const bool failed = ferror(stream) != 0;
    if ((fclose(stream) != 0 || failed) && status == MOT_OK) status = mot_fail(MOT_ERR_MEMORY, "not enough memory for %s", path);
    if (status == MOT_OK) status = mot_file_replace(path, text, size);
    free(text);
    return status;
}

static mot_status put_line(FILE *stream, const compare_row *row, const char *figure, const compare_cell *cell, bool first)
{
    double number[MOT_COUNT(columns)];
    (void)first;
    numbers_of(cell, number);
    fputc('"', stream);
    for (const char *at = row->label; *at != '\0'; ++at) fprintf(stream, *at == '"' ? "\"\"" : "%c", *at);
    fprintf(stream, "\",%s,%zu", figure, cell->count);
    for (size_t i = 0; i < MOT_COUNT(columns); ++i)
        if (isnan(number[i]))
            fputc(',', stream);
        else
            fprintf(stream, ",%.9g", number[i]);
    fputc('\n', stream);
    return MOT_OK;
}

mot_status mot_compare_csv(const comparison *c, const char *path)
{
    char head[256] = "settings,figure,runs";
    for (size_t i = 0; i < MOT_COUNT(columns); ++i) snprintf(head + strlen(head), sizeof head - strlen(head), ",%s", columns[i]);
    strcat(head, "\n");
    return write_all(c, path, head, put_line, "");
}

static mot_status put_object(FILE *stream, const compare_row *row, const char *figure, const compare_cell *cell, bool first)
{
    double number[MOT_COUNT(columns)];
    char *text = NULL;
    mot_json *json = mot_json_begin();
    numbers_of(cell, number);
    mot_json_text(json, "settings", row->label);
    mot_json_text(json, "figure", figure);
    mot_json_int(json, "runs", (int64_t)cell->count);
    for (size_t i = 0; i < MOT_COUNT(columns); ++i) mot_json_real(json, columns[i], number[i]);
    const mot_status status = mot_json_end(json, &text);
    if (status == MOT_OK) fprintf(stream, "%s %s", first ? "" : ",\n", text);
    mot_free(text);
    return status;
}

mot_status mot_compare_json(const comparison *c, const char *path)
{
    return write_all(c, path, "[", put_object, "]\n");
}
