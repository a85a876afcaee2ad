/* The closing tables: where classes and groups went, how right experts were, and what was taken for what. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "csv.h"
#include "mot/atomic_file.h"
#include "mot/log.h"
#include "mot/screen.h"
#include "run_private.h"

/* On a terminal: rows of a table in all, or of those that stand for the others; experts; pairs of classes. */
enum { MOST_ROWS = 40, MOST_CHOSEN = 20, MOST_EXPERTS = 64, WORST = 5, LINE = 1024 };
/* Columns of it: a name at most, samples, a share. */
enum { NAME = 17, SAMPLES = 8, SHARE = 6 };

/* What there is of classes, or of groups: of both the same. */
typedef struct run_table {
    const mot_run *run;
    const char *what, *plural, *file; /* "class", "classes", "classes.csv" */
    int rows;
    const int64_t *load; /* [rows, E] */
    const int64_t *hits; /* [rows] */
    const char *(*name)(const run_world *world, int row, char number[16]);
} run_table;

static const char *name_of(char **names, int i, char number[16])
{
    if (names != NULL) return names[i];
    snprintf(number, 16, "%d", i);
    return number;
}

/* Name of a class or group, or its number, which is then written to `number`. */
static const char *class_name(const run_world *world, int class, char number[16])
{
    const bool by_group = world->model.config->data.target == MOT_TARGET_GROUP;
    return name_of(by_group ? world->eval_set.group_names : world->eval_set.class_names, class, number);
}

static const char *group_name(const run_world *world, int group, char number[16])
{
    return name_of(world->eval_set.group_names, group, number);
}

static run_table classes_of(const mot_run *run)
{
    const run_eval *eval = &run->reporter.last_eval;
    return (run_table){
        run,        "class",       "classes", "classes.csv", run->world.classes, eval->class_load,
        eval->hits, class_name};
}

/* Where targets are no classes there is no table of them, and nothing is right. */
static bool has_classes(const run_world *world)
{
    return world->classes > 0;
}

static bool has_groups(const run_world *world)
{
    return world->eval_set.groups > 0 && world->model.config->data.target == MOT_TARGET_LABEL;
}

static run_table groups_of(const mot_run *run)
{
    const run_eval *eval = &run->reporter.last_eval;
    return (run_table){
        run,           "group", "groups", "groups.csv", run->world.groups, eval->group_load, eval->group_hits,
        group_name};
}

static int experts_of(const run_table *table)
{
    return table->run->reporter.last_eval.experts;
}

/* What it is called: the number that it had in the beginning. */
static int name_of_expert(const run_table *table, int expert)
{
    return table->run->reporter.last_eval.origin[expert];
}

/* Samples of a class or group, of all of them for ALL, at an expert. */
enum { ALL = -1 };
static int64_t load_at(const run_table *table, int row, int expert)
{
    const size_t E = (size_t)experts_of(table);
    if (row != ALL) return table->load[(size_t)row * E + (size_t)expert];
    int64_t sum = 0;
    for (size_t r = 0; r < (size_t)table->rows; ++r) sum += table->load[r * E + (size_t)expert];
    return sum;
}

static int64_t samples_of(const run_table *table, int row)
{
    int64_t sum = 0;
    for (int e = 0; e < experts_of(table); ++e) sum += load_at(table, row, e);
    return sum / table->run->reporter.last_eval.seen;
}

/* Of an expert's samples, those of all classes that were right. */
static int64_t hits_at(const run_table *table, int row, int expert)
{
    (void)row;
    return table->run->reporter.last_eval.expert_hits[expert];
}

/* Share of them that was right. Not a number without samples, or labels. */
static double right_of(const run_table *table, int row)
{
    const run_eval *eval = &table->run->reporter.last_eval;
    const double samples = (double)samples_of(table, row);
    if (row == ALL) return eval->number[RUN_ACCURACY];
    return samples > 0 && !isnan(eval->number[RUN_MAJORITY]) ? (double)table->hits[row] / samples : NAN;
}

/* ---- the largest of many ---- */

typedef struct best {
    int most, count, index[MOST_EXPERTS]; /* by falling score; those of equal scores in their order */
    double score[MOST_EXPERTS];
} best;

static void offer(best *list, int index, double score)
{
    int at = list->count;
    while (at > 0 && list->score[at - 1] < score) --at;
    if (at == list->most) return;
    if (list->count < list->most) ++list->count;
    const size_t behind = (size_t)(list->count - 1 - at);
    memmove(list->index + at + 1, list->index + at, behind * sizeof *list->index);
    memmove(list->score + at + 1, list->score + at, behind * sizeof *list->score);
    list->index[at] = index;
    list->score[at] = score;
}

static bool has(const best *list, int index)
{
    for (int i = 0; i < list->count; ++i)
        if (list->index[i] == index) return true;
    return false;
}

/* ---- on the terminal ---- */

/* Which experts have a column, in their order, and how wide the names are. With `others` the last column is the rest. */
typedef struct layout {
    int name, count, expert[MOST_EXPERTS];
    bool others;
} layout;

static layout lay_out(const run_table *table)
{
    const int width = mot_screen_width(), E = experts_of(table);
    layout result = {.name = MOT_MIN(NAME, width / 4)};
    const int room = MOT_MAX((width - result.name - SAMPLES - SHARE) / SHARE, 2),
              most = MOT_MIN(room, MOST_EXPERTS);
    result.others = E > most;
    best top = {.most = result.others ? most - 1 : E};
    for (int e = 0; e < E; ++e) offer(&top, e, (double)load_at(table, ALL, e));
    for (int e = 0; e < E; ++e)
        if (has(&top, e)) result.expert[result.count++] = e;
    return result;
}

/* A share in per cent as a column; a point where there is nothing. */
static size_t put_share(char *line, size_t at, double share, bool any)
{
    if (!any) return at + (size_t)snprintf(line + at, LINE - at, "%*s", SHARE, ".");
    return at + (size_t)snprintf(line + at, LINE - at, "%*.1f", SHARE, 100 * share);
}

/* A count as a column; in thousands, millions, ... where it is too long for one. */
static size_t put_count(char *line, size_t at, int64_t count)
{
    static const char *const units[] = {"", "k", "M", "G", "T"};
    size_t unit = 0;
    for (; count >= (unit == 0 ? 100000 : 10000) && unit + 1 < MOT_COUNT(units); ++unit) count /= 1000;
    return at +
           (size_t)snprintf(line + at, LINE - at, "%*" PRId64 "%s", SHARE - (unit > 0), count, units[unit]);
}

/* Of a column, the last of which may be that of all experts without one. */
static int64_t in_column(const run_table *table, const layout *columns, int column, int row,
                         int64_t (*at)(const run_table *, int, int))
{
    int64_t sum = 0;
    if (column < columns->count) return at(table, row, columns->expert[column]);
    for (int e = 0, next = 0; e < experts_of(table); ++e)
        if (next < columns->count && columns->expert[next] == e)
            ++next;
        else
            sum += at(table, row, e);
    return sum;
}

static size_t put_name(char *line, const layout *columns, const char *name)
{
    mot_screen_cell(line, LINE, name, columns->name);
    return strlen(line);
}

static void say_head(const run_table *table, const layout *columns)
{
    char line[LINE], what[2 * NAME];
    snprintf(what, sizeof what, columns->name < NAME ? "%s" : "%s \\ expert, %%", table->what);
    size_t at = put_name(line, columns, what);
    at += (size_t)snprintf(line + at, LINE - at, "%*s", SAMPLES, "samples");
    if (has_classes(&table->run->world)) at += (size_t)snprintf(line + at, LINE - at, "%*s", SHARE, "right");
    for (int i = 0; i < columns->count; ++i)
        at += (size_t)snprintf(line + at, LINE - at, "%*d", SHARE, name_of_expert(table, columns->expert[i]));
    mot_log(MOT_LOG_INFO, "%s%s", line, columns->others ? " other" : "");
}

/* Of a class or group, or of ALL: its samples, the share that was right, and where they went. */
static void say_row(const run_table *table, const layout *columns, int row)
{
    char line[LINE], number[16];
    const int64_t samples = samples_of(table, row);
    const double right = right_of(table, row);
    size_t at = put_name(line, columns, row == ALL ? "all" : table->name(&table->run->world, row, number));
    at += (size_t)snprintf(line + at, LINE - at, "%*" PRId64, SAMPLES, samples);
    if (has_classes(&table->run->world)) at = put_share(line, at, right, !isnan(right));
    for (int c = 0; c < columns->count + columns->others; ++c) {
        const int64_t load = in_column(table, columns, c, row, load_at);
        at = put_share(line, at, (double)load / (double)samples, load > 0);
    }
    mot_log(MOT_LOG_INFO, "%s", line);
}

/* Of all classes, by expert: samples, and the share of them that was right. */
static void say_experts(const run_table *table, const layout *columns)
{
    char count[LINE], right[LINE];
    size_t count_at = put_name(count, columns, "samples"), right_at = put_name(right, columns, "right, %");
    count_at += (size_t)snprintf(count + count_at, LINE - count_at, "%*s", SAMPLES + SHARE, "");
    right_at += (size_t)snprintf(right + right_at, LINE - right_at, "%*s", SAMPLES + SHARE, "");
    for (int c = 0; c < columns->count + columns->others; ++c) {
        const int64_t load = in_column(table, columns, c, ALL, load_at),
                      hits = in_column(table, columns, c, ALL, hits_at);
        count_at = put_count(count, count_at, load);
        right_at = put_share(right, right_at, (double)hits / (double)load, load > 0);
    }
    say_row(table, columns, ALL);
    mot_log(MOT_LOG_INFO, "%s", count);
    mot_log(MOT_LOG_INFO, "%s", right);
}

/* In place of too many rows, the largest, and of the others those with the least right; how many. */
static int say_chosen(const run_table *table, const layout *columns)
{
    best largest = {.most = MOST_CHOSEN}, worst = {.most = MOST_CHOSEN};
    for (int r = 0; r < table->rows; ++r) offer(&largest, r, (double)samples_of(table, r));
    for (int r = 0; r < table->rows; ++r)
        if (!has(&largest, r) && !isnan(right_of(table, r))) offer(&worst, r, -right_of(table, r));
    for (int i = 0; i < largest.count; ++i) say_row(table, columns, largest.index[i]);
    if (worst.count > 0)
        mot_log_wrap(0,
                     "those were the %d largest; of the others the %d with the least right:", largest.count,
                     worst.count);
    for (int i = 0; i < worst.count; ++i) say_row(table, columns, worst.index[i]);
    return largest.count + worst.count;
}

/* What the table leaves out, and where all of it stands. */
static void say_left_out(const run_table *table, const layout *columns, int rows)
{
    const mot_run *run = table->run;
    char of_rows[64] = "", of_experts[80] = "";
    if (rows < table->rows)
        snprintf(of_rows, sizeof of_rows, "%d of %d %s", rows, table->rows, table->plural);
    if (columns->others)
        snprintf(of_experts, sizeof of_experts, "%s%d of %d experts, those with the most samples",
                 of_rows[0] != '\0' ? ", " : "", columns->count, experts_of(table));
    if (of_rows[0] == '\0' && of_experts[0] == '\0') return;
    if (run->course.purpose == RUN_TRAIN)
        mot_log_wrap(2, "shown: %s%s; all: %s/%s", of_rows, of_experts, run->course.config.run, table->file);
    else
        mot_log_wrap(2, "shown: %s%s; all: with --json", of_rows, of_experts);
}

static void say_table(const run_table *table, bool experts)
{
    const layout columns = lay_out(table);
    int rows = table->rows;
    mot_log_gap();
    say_head(table, &columns);
    if (rows > MOST_ROWS)
        rows = say_chosen(table, &columns);
    else
        for (int r = 0; r < rows; ++r) say_row(table, &columns, r);
    if (experts) say_experts(table, &columns);
    say_left_out(table, &columns, rows);
}

/* The pairs of classes that were confused most often. */
static void say_confusion(const run_world *world, const run_eval *eval)
{
    const double *const confusion = eval->confusion;
    const int C = world->classes;
    best pairs = {.most = WORST};
    for (int i = 0; i < C * C; ++i)
        if (i / C != i % C && confusion[i] > 0) offer(&pairs, i, confusion[i]);
    if (pairs.count > 0) mot_log_gap();
    for (int i = 0; i < pairs.count; ++i) {
        char label[16], taken[16];
        mot_log_wrap(7, "%6.0f of '%s' were taken for '%s'", pairs.score[i],
                     class_name(world, pairs.index[i] / C, label),
                     class_name(world, pairs.index[i] % C, taken));
    }
}

void mot_run_say_table(const mot_run *run)
{
    if (run->world.comm->rank != MOT_ROOT) return;
    if (has_classes(&run->world)) {
        const run_table classes = classes_of(run);
        say_table(&classes, true);
    }
    if (has_groups(&run->world)) {
        const run_table groups = groups_of(run);
        say_table(&groups, false);
    }
    if (run->reporter.last_eval.confusion != NULL) say_confusion(&run->world, &run->reporter.last_eval);
}

/* ---- as files ---- */

static void put_csv(const void *of, FILE *stream)
{
    const run_table *table = of;
    const int E = experts_of(table);
    char number[16];
    const bool right = has_classes(&table->run->world);
    fprintf(stream, right ? "%s,samples,right" : "%s,samples", table->what);
    for (int e = 0; e < E; ++e) fprintf(stream, ",expert_%d", name_of_expert(table, e));
    fputc('\n', stream);
    for (int r = 0; r < table->rows; ++r) {
        mot_csv_put_field(stream, "", table->name(&table->run->world, r, number));
        fprintf(stream, ",%" PRId64, samples_of(table, r));
        if (right) fprintf(stream, ",%" PRId64, table->hits[r]);
        for (int e = 0; e < E; ++e) fprintf(stream, ",%" PRId64, load_at(table, r, e));
        fputc('\n', stream);
    }
}

static mot_status write_table(const run_table *table)
{
    char path[MOT_PATH];
    const mot_status status = mot_path_join(path, sizeof path, table->run->course.config.run, table->file);
    return status != MOT_OK ? status : mot_csv_write(path, put_csv, table);
}

mot_status mot_run_write_tables(const mot_run *run)
{
    const run_table classes = classes_of(run), groups = groups_of(run);
    mot_status status = MOT_OK;
    if (has_classes(&run->world)) MOT_TRY(write_table(&classes));
    if (has_groups(&run->world)) MOT_TRY(write_table(&groups));
done:
    return status;
}
