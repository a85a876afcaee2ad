/* The data of a page (docs/report.md), by kinds of views alone. */
#include <math.h>
#include <string.h>
#include <time.h>

#include "mot/memory.h"
#include "mot/version.h"
#include "report_private.h"

static void put_names(mot_json *json, const char *key, size_t count, const char *const *names)
{
    mot_json_open(json, key, '[');
    for (size_t i = 0; i < count; ++i) mot_json_text(json, NULL, names[i]);
    mot_json_close(json, ']');
}

static void put_axis(mot_json *json, const char *key, const report_axis *axis)
{
    mot_json_open(json, key, '{');
    mot_json_text(json, "label", axis->label != NULL ? axis->label : "");
    if (axis->names != NULL) put_names(json, "names", axis->count, axis->names);
    if (axis->values != NULL) mot_json_reals(json, "values", axis->count, axis->values);
    if (axis->low != axis->high) {
        mot_json_real(json, "min", axis->low);
        mot_json_real(json, "max", axis->high);
    }
    if (axis->log) mot_json_bool(json, "log", true);
    mot_json_close(json, '}');
}

static void put_axes(mot_json *json, const report_view *view)
{
    put_axis(json, "x", &view->x);
    put_axis(json, "y", &view->y);
}

static void put_table_of_numbers(mot_json *json, const char *key, size_t rows, size_t columns, const double *value)
{
    mot_json_open(json, key, '[');
    for (size_t r = 0; r < rows; ++r) mot_json_reals(json, NULL, columns, value + r * columns);
    mot_json_close(json, ']');
}

static void put_frame(mot_json *json, const report_frame *frame)
{
    if (frame->step >= 0) mot_json_int(json, "step", frame->step);
    mot_json_text(json, "label", frame->label);
}

static void put_heat(mot_json *json, const report_view *view)
{
    static const char *const modes[] = {"by rows", "by columns", "counts"};
    put_axes(json, view);
    mot_json_text(json, "unit", view->unit);
    if (view->diverging) mot_json_bool(json, "diverging", true);
    if (view->modes) put_names(json, "modes", MOT_COUNT(modes), modes);
    mot_json_open(json, "frames", '[');
    for (size_t f = 0; f < view->frames; ++f) {
        mot_json_open(json, NULL, '{');
        put_frame(json, &view->frame[f]);
        put_table_of_numbers(json, "values", view->y.count, view->x.count, view->frame[f].value);
        mot_json_close(json, '}');
    }
    mot_json_close(json, ']');
}

static void put_series(mot_json *json, const report_view *view)
{
    mot_json_open(json, "series", '[');
    for (size_t s = 0; s < view->series_count; ++s) {
        const report_series *one = &view->series[s];
        mot_json_open(json, NULL, '{');
        mot_json_text(json, "name", one->name);
        if (one->x != NULL) mot_json_reals(json, "x", one->count, one->x);
        mot_json_reals(json, view->kind == REPORT_SCATTER ? "y" : "values", one->count, one->value);
        if (one->low != NULL) {
            mot_json_reals(json, "low", one->count, one->low);
            mot_json_reals(json, "high", one->count, one->high);
        }
        if (one->dashed) mot_json_bool(json, "dashed", true);
        mot_json_close(json, '}');
    }
    mot_json_close(json, ']');
}

static void put_lines(mot_json *json, const report_view *view)
{
    put_axes(json, view);
    put_series(json, view);
    if (view->marks > 0) mot_json_open(json, "marks", '[');
    for (size_t m = 0; m < view->marks; ++m) {
        mot_json_open(json, NULL, '{');
        mot_json_real(json, "x", view->mark[m].x);
        mot_json_text(json, "label", view->mark[m].label);
        mot_json_close(json, '}');
    }
    if (view->marks > 0) mot_json_close(json, ']');
    if (view->diagonal) mot_json_bool(json, "diagonal", true);
}

static void put_flow(mot_json *json, const report_view *view)
{
    const size_t E = view->x.count;
    put_names(json, "names", E, view->x.names);
    mot_json_open(json, "snapshots", '[');
    for (size_t f = 0; f < view->frames; ++f) {
        mot_json_open(json, NULL, '{');
        put_frame(json, &view->frame[f]);
        mot_json_close(json, '}');
    }
    mot_json_close(json, ']');
    mot_json_open(json, "counts", '{');
    for (size_t i = 0; i < view->frames; ++i)
        for (size_t j = i + 1; j < view->frames; ++j) {
            char key[48];
            snprintf(key, sizeof key, "%zu-%zu", i, j);
            put_table_of_numbers(json, key, E, E, view->flow[i * view->frames + j]);
        }
    mot_json_close(json, '}');
}

/* Shares [blocks, heads, rows], and those of all together. */
static void put_look(mot_json *json, const report_looks *looks, const report_look *look)
{
    mot_json_open(json, "attention", '{');
    mot_json_open(json, "received", '[');
    for (size_t b = 0; b < looks->blocks; ++b)
        put_table_of_numbers(json, NULL, looks->heads, look->rows, look->received + b * looks->heads * look->rows);
    mot_json_close(json, ']');
    mot_json_reals(json, "rollout", look->rows, look->rollout);
    if (look->piece != NULL) put_names(json, "pieces", look->rows - looks->class_token, look->piece);
    mot_json_close(json, '}');
}

static void put_looks(mot_json *json, const report_looks *looks)
{
    mot_json_open(json, "attention", '{');
    mot_json_int(json, "blocks", (int64_t)looks->all_blocks);
    mot_json_int(json, "heads", (int64_t)looks->all_heads);
    mot_json_bool(json, "class_token", looks->class_token);
    if (looks->grid_rows > 0) mot_json_int(json, "rows", (int64_t)looks->grid_rows);
    if (looks->grid_rows > 0) mot_json_int(json, "columns", (int64_t)looks->grid_columns);
    mot_json_text(json, "between", looks->between);
    mot_json_close(json, '}');
}

static void put_gallery(mot_json *json, const report_view *view)
{
    mot_json_text(json, "label", view->x.label);
    put_names(json, "names", view->x.count, view->x.names);
    if (view->looks.all_blocks > 0) put_looks(json, &view->looks);
    mot_json_open(json, "items", '[');
    for (size_t i = 0; i < view->items; ++i) {
        const report_item *item = &view->item[i];
        mot_json_open(json, NULL, '{');
        mot_json_int(json, "of", (int64_t)item->of);
        mot_json_text(json, "picture", item->picture);
        mot_json_text(json, "text", item->text);
        mot_json_int(json, "sample", item->sample);
        mot_json_text(json, "caption", item->caption);
        if (item->look.rows > 0) put_look(json, &view->looks, &item->look);
        mot_json_close(json, '}');
    }
    mot_json_close(json, ']');
}

static void put_table(mot_json *json, const report_view *view)
{
    const size_t columns = view->x.count;
    put_names(json, "columns", columns, view->x.names);
    mot_json_open(json, "rows", '[');
    for (size_t r = 0; r < view->rows; ++r) {
        mot_json_open(json, NULL, '[');
        for (size_t c = 0; c < columns; ++c) {
            const report_cell *cell = &view->cell[r * columns + c];
            if (cell->text != NULL)
                mot_json_text(json, NULL, cell->text);
            else
                mot_json_real(json, NULL, cell->value);
        }
        mot_json_close(json, ']');
    }
    mot_json_close(json, ']');
}

static void put_view(mot_json *json, const report_view *view)
{
    static const struct {
        const char *name;
        void (*put)(mot_json *json, const report_view *view);
    } kinds[REPORT_KINDS] = {
        [REPORT_HEAT] = {"heat", put_heat},       [REPORT_LINES] = {"lines", put_lines},
        [REPORT_BARS] = {"bars", put_lines},      [REPORT_SCATTER] = {"scatter", put_lines},
        [REPORT_FLOW] = {"flow", put_flow},       [REPORT_GALLERY] = {"gallery", put_gallery},
        [REPORT_TABLE] = {"table", put_table},
    };
    mot_json_open(json, NULL, '{');
    mot_json_text(json, "id", view->id);
    mot_json_text(json, "title", view->title);
    mot_json_text(json, "kind", kinds[view->kind].name);
    if (view->run >= 0) mot_json_int(json, "run", view->run);
    if (view->layer >= 0) mot_json_int(json, "layer", view->layer);
    if (view->note != NULL) mot_json_text(json, "note", view->note);
    mot_json_text(json, "csv", view->csv);
    kinds[view->kind].put(json, view);
    mot_json_close(json, '}');
}

static void put_part(mot_json *json, const report_part *part)
{
    mot_json_open(json, NULL, '{');
    mot_json_text(json, "id", part->kind->id);
    mot_json_int(json, "number", part->number);
    mot_json_text(json, "title", part->kind->title);
    mot_json_text(json, "definition", part->kind->definition);
    mot_json_text(json, "denominator", part->kind->denominator);
    mot_json_text(json, "interval", part->kind->interval);
    if (part->missing != NULL) mot_json_text(json, "missing", part->missing);
    mot_json_open(json, "views", '[');
    for (const report_view *view = part->first; view != NULL; view = view->next) put_view(json, view);
    mot_json_close(json, ']');
    mot_json_close(json, '}');
}

/* What is said of a run at the head of a page: its name here, and its key in summary.json. */
static const struct {
    const char *name, *key;
} facts[] = {
    {"status", "status"},
    {"steps", "steps"},
    {"split", "eval.split"},
    {"samples", "eval.samples"},
    {"loss", "eval.loss"},
    {"accuracy", "eval.accuracy"},
    {"explained", "eval.explained"},
    {"purity", "routing.purity"},
    {"experts used", "routing.experts_used"},
    {"seconds", "time.wall_s"},
    {"ranks", "mpi.ranks"},
    {"digest", "digest"},
};

static void put_run(mot_json *json, const report_run *run)
{
    mot_json_open(json, NULL, '{');
    mot_json_text(json, "name", run->name);
    for (size_t i = 0; i < MOT_COUNT(facts); ++i) {
        const report_fact *fact = mot_report_fact(run, facts[i].key);
        if (fact == NULL) continue;
        if (fact->text != NULL)
            mot_json_text(json, facts[i].name, fact->text);
        else
            mot_json_real(json, facts[i].name, fact->value);
    }
    if (run->layers > 0) mot_json_int(json, "layers", run->layers);
    if (run->layers > 0) mot_json_int(json, "experts", run->layer[0].experts);
    mot_json_close(json, '}');
}

mot_status mot_report_json(const report_all *report, char **text)
{
    char made[32] = "";
    const time_t now = time(NULL);
    struct tm utc;
    if (gmtime_r(&now, &utc) != NULL) strftime(made, sizeof made, "%Y-%m-%dT%H:%M:%SZ", &utc);
    mot_json *const json = mot_json_begin();
    mot_json_text(json, "title", report->runs == 1 ? report->run[0].name : "Several runs");
    mot_json_text(json, "made", made);
    mot_json_text(json, "program", "mot " MOT_VERSION " (" MOT_COMMIT ")");
    mot_json_open(json, "runs", '[');
    for (size_t r = 0; r < report->runs; ++r) put_run(json, &report->run[r]);
    mot_json_close(json, ']');
    put_names(json, "warnings", report->warnings, report->warning);
    mot_json_open(json, "parts", '[');
    for (size_t p = 0; p < report->parts; ++p) put_part(json, &report->part[p]);
    mot_json_close(json, ']');
    return mot_json_end(json, text);
}
