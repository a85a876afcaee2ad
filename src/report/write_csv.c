/* Views as tables of text, RFC 4180: the columns that the page has (page/page.js). What is not defined is empty. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report_private.h"

static void put_text(FILE *to, const char *text)
{
    if (text == NULL) text = "";
    if (strpbrk(text, "\",\n\r") == NULL) {
        fputs(text, to);
        return;
    }
    fputc('"', to);
    for (; *text != '\0'; ++text) {
        if (*text == '"') fputc('"', to);
        fputc(*text, to);
    }
    fputc('"', to);
}

static void put_number(FILE *to, double value)
{
    char text[MOT_NUMBER_TEXT];
    if (!isfinite(value)) return;
    mot_number_text(text, value);
    fputs(text, to);
}

/* A step, or what stands in its place. */
static void put_step(FILE *to, const report_frame *frame)
{
    if (frame->step >= 0)
        fprintf(to, "%" MOT_PRI_GIDX ",", frame->step);
    else
        put_text(to, frame->label), fputc(',', to);
}

/* Four columns; one that is called as one before it is another one. */
static void put_head(FILE *to, const char *first, const char *second, const char *third, const char *fourth)
{
    const char *const name[] = {first, second, third, fourth};
    for (size_t i = 0; i < MOT_COUNT(name); ++i) {
        char text[256];
        bool again = false;
        for (size_t j = 0; j < i; ++j) again = again || strcmp(name[i], name[j]) == 0;
        snprintf(text, sizeof text, "%s%.200s", again ? "other " : "", name[i]);
        if (i > 0) fputc(',', to);
        put_text(to, text);
    }
    fputc('\n', to);
}

static void put_heat(FILE *to, const report_view *view)
{
    const size_t columns = view->x.count;
    put_head(to, "step", view->y.label, view->x.label, view->modes ? "count" : view->unit);
    for (size_t f = 0; f < view->frames; ++f)
        for (size_t i = 0; i < view->y.count * columns; ++i) {
            put_step(to, &view->frame[f]);
            put_text(to, view->y.names[i / columns]);
            fputc(',', to);
            put_text(to, view->x.names[i % columns]);
            fputc(',', to);
            put_number(to, view->frame[f].value[i]);
            fputc('\n', to);
        }
}

static void put_series(FILE *to, const report_view *view)
{
    static const char *const ends[] = {"", " low", " high"};
    put_text(to, view->x.label);
    for (size_t s = 0; s < view->series_count; ++s)
        for (int k = 0; k < (view->series[s].low != NULL ? 3 : 1); ++k) {
            char name[256];
            snprintf(name, sizeof name, "%.200s%s", view->series[s].name, ends[k]);
            fputc(',', to);
            put_text(to, name);
        }
    for (size_t i = 0; i < view->x.count; ++i) {
        fputc('\n', to);
        if (view->x.names != NULL)
            put_text(to, view->x.names[i]);
        else
            put_number(to, view->x.values[i]);
        for (size_t s = 0; s < view->series_count; ++s) {
            const report_series *one = &view->series[s];
            const double *const column[] = {one->value, one->low, one->high};
            for (int k = 0; k < (one->low != NULL ? 3 : 1); ++k) {
                fputc(',', to);
                put_number(to, column[k][i]);
            }
        }
    }
    fputc('\n', to);
}

static void put_scatter(FILE *to, const report_view *view)
{
    fputs("series,", to);
    put_text(to, view->x.label);
    fputc(',', to);
    put_text(to, view->y.label);
    for (size_t s = 0; s < view->series_count; ++s)
        for (size_t i = 0; i < view->series[s].count; ++i) {
            fputc('\n', to);
            put_text(to, view->series[s].name);
            fputc(',', to);
            put_number(to, view->series[s].x[i]);
            fputc(',', to);
            put_number(to, view->series[s].value[i]);
        }
    fputc('\n', to);
}

static void put_flow(FILE *to, const report_view *view)
{
    const size_t E = view->x.count;
    fputs("step,to step,from,to,count\n", to);
    for (size_t i = 0; i < view->frames; ++i)
        for (size_t j = i + 1; j < view->frames; ++j)
            for (size_t k = 0; k < E * E; ++k) {
                put_step(to, &view->frame[i]);
                put_step(to, &view->frame[j]);
                put_text(to, view->x.names[k / E]);
                fputc(',', to);
                put_text(to, view->x.names[k % E]);
                fputc(',', to);
                put_number(to, view->flow[i * view->frames + j][k]);
                fputc('\n', to);
            }
}

static void put_gallery(FILE *to, const report_view *view)
{
    fputs("of,sample,caption,text\n", to);
    for (size_t i = 0; i < view->items; ++i) {
        const report_item *item = &view->item[i];
        put_text(to, view->x.names[item->of]);
        fprintf(to, ",%" MOT_PRI_GIDX ",", item->sample);
        put_text(to, item->caption);
        fputc(',', to);
        put_text(to, item->text);
        fputc('\n', to);
    }
}

static void put_table(FILE *to, const report_view *view)
{
    const size_t columns = view->x.count;
    for (size_t c = 0; c < columns; ++c) {
        if (c > 0) fputc(',', to);
        put_text(to, view->x.names[c]);
    }
    for (size_t i = 0; i < view->rows * columns; ++i) {
        fputc(i % columns == 0 ? '\n' : ',', to);
        if (view->cell[i].text != NULL)
            put_text(to, view->cell[i].text);
        else
            put_number(to, view->cell[i].value);
    }
    fputc('\n', to);
}

/* "2", or "mean" where there is one in place of several. */
static void put_place(FILE *to, size_t place, size_t shown, size_t all)
{
    if (shown < all)
        fputs("mean,", to);
    else
        fprintf(to, "%zu,", place);
}

/* A row a token; the class token is -1. */
static void put_map(FILE *to, const report_view *view, const report_item *item, size_t map)
{
    const report_looks *looks = &view->looks;
    const report_look *look = &item->look;
    const bool rollout = map == looks->blocks * looks->heads;
    for (size_t i = 0; i < look->rows; ++i) {
        const size_t token = i - looks->class_token;
        const bool class_token = looks->class_token && i == 0;
        put_text(to, view->x.names[item->of]);
        fprintf(to, ",%" MOT_PRI_GIDX ",", item->sample);
        if (rollout)
            fputs("rollout,,", to);
        else
            put_place(to, map / looks->heads, looks->blocks, looks->all_blocks), put_place(to, map % looks->heads, looks->heads, looks->all_heads);
        fprintf(to, "%d,", class_token ? -1 : (int)token);
        if (looks->grid_rows > 0 && !class_token)
            fprintf(to, "%zu,%zu,", token / looks->grid_columns, token % looks->grid_columns);
        else
            fputs(",,", to);
        put_text(to, look->piece != NULL && !class_token ? look->piece[token] : "");
        fputc(',', to);
        put_number(to, rollout ? look->rollout[i] : look->received[map * look->rows + i]);
        fputc('\n', to);
    }
}

static void put_looks(FILE *to, const report_view *view)
{
    fputs("of,sample,block,head,token,row,column,piece,share\n", to);
    for (size_t i = 0; i < view->items; ++i)
        for (size_t map = 0; view->item[i].look.rows > 0 && map <= view->looks.blocks * view->looks.heads; ++map)
            put_map(to, view, &view->item[i], map);
}

typedef void put_view(FILE *to, const report_view *view);

static mot_status as_text(put_view *put, const report_view *view, char **text, size_t *length)
{
    *text = NULL;
    FILE *const to = open_memstream(text, length);
    if (to == NULL) return mot_fail(MOT_ERR_MEMORY, "no memory for a table: %s", strerror(errno));
    put(to, view);
    const bool failed = ferror(to);
    if (fclose(to) == 0 && !failed) return MOT_OK;
    free(*text);
    *text = NULL;
    return mot_fail(MOT_ERR_MEMORY, "no memory for a table");
}

mot_status mot_report_csv(const report_view *view, char **text, size_t *length)
{
    static put_view *const put[REPORT_KINDS] = {
        [REPORT_HEAT] = put_heat,       [REPORT_LINES] = put_series, [REPORT_BARS] = put_series,
        [REPORT_SCATTER] = put_scatter, [REPORT_FLOW] = put_flow,    [REPORT_GALLERY] = put_gallery,
        [REPORT_TABLE] = put_table,
    };
    return as_text(put[view->kind], view, text, length);
}

mot_status mot_report_csv_of_looks(const report_view *view, char **text, size_t *length)
{
    return as_text(put_looks, view, text, length);
}
