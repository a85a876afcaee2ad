/* The closing tables: where classes and groups went, how right experts were, and what was taken for what. */
#include "run_private.h"

#include <math.h>
#include <stdio.h>

#include "mot/log.h"

enum { MOST_ROWS = 40, MOST_COLUMNS = 16, WORST = 5, LINE = 512 };

static const char *name_of(char **names, int i, char number[16])
{
    if (names != NULL) return names[i];
    snprintf(number, 16, "%d", i);
    return number;
}

const char *run_class_name(const mot_run *run, int class, char number[16])
{
    const bool by_group = run->config.data.target == MOT_TARGET_GROUP;
    return name_of(by_group ? run->eval_set.group_names : run->eval_set.class_names, class, number);
}

const char *run_group_name(const mot_run *run, int group, char number[16])
{
    return name_of(run->eval_set.group_names, group, number);
}

/* A share in per cent as a column; a point where there is nothing. */
static size_t put_share(char *line, size_t at, double share, bool any)
{
    if (!any) return at + (size_t)snprintf(line + at, LINE - at, "     .");
    return at + (size_t)snprintf(line + at, LINE - at, " %5.1f", 100 * share);
}

static void say_head(const mot_run *run, const char *what, bool right)
{
    const int E = run->config.model.experts, columns = MOT_MIN(E, MOST_COLUMNS);
    char line[LINE];
    size_t at = (size_t)snprintf(line, sizeof line, "\n%-18s %7s%s", what, "samples", right ? " right" : "");
    for (int e = 0; e < columns; ++e) at += (size_t)snprintf(line + at, LINE - at, " %5d", e);
    mot_log(MOT_LOG_INFO, "%s%s", line, columns < E ? " ..." : "");
}

/* A row of the table: of a class or group its samples, the share that was right (NULL: not shown), and where they went. */
static void say_row(const mot_run *run, const char *name, const int64_t *load, const double *right)
{
    const int E = run->config.model.experts, columns = MOT_MIN(E, MOST_COLUMNS);
    char line[LINE];
    int64_t sum = 0;
    for (int e = 0; e < E; ++e) sum += load[e];
    size_t at = (size_t)snprintf(line, sizeof line, "%-18.18s %7" PRId64, name, sum);
    if (right != NULL) at = put_share(line, at, *right, !isnan(*right));
    for (int e = 0; e < columns; ++e) at = put_share(line, at, (double)load[e] / (double)sum, load[e] > 0);
    mot_log(MOT_LOG_INFO, "%s", line);
}

static void say_experts(const mot_run *run)
{
    const run_eval *eval = &run->last_eval;
    const int columns = MOT_MIN(run->config.model.experts, MOST_COLUMNS);
    char line[LINE];
    size_t at = (size_t)snprintf(line, sizeof line, "%-18s %7" MOT_PRI_GIDX, "right, %", eval->samples);
    at = put_share(line, at, eval->number[RUN_ACCURACY], true);
    for (int e = 0; e < columns; ++e)
        at = put_share(line, at, eval->expert_accuracy[e], !isnan(eval->expert_accuracy[e]));
    mot_log(MOT_LOG_INFO, "%s", line);
}

static void say_more(int rows)
{
    if (rows > MOST_ROWS)
        mot_log(MOT_LOG_INFO, "... %d more (all in record/, see docs/files.md)", rows - MOST_ROWS);
}

static void say_classes(const mot_run *run)
{
    const run_eval *eval = &run->last_eval;
    const size_t E = (size_t)run->config.model.experts;
    char number[16];
    say_head(run, "class \\ expert, %", true);
    for (int c = 0; c < MOT_MIN(run->classes, MOST_ROWS); ++c)
        say_row(run, run_class_name(run, c, number), eval->class_load + (size_t)c * E,
                &eval->class_accuracy[c]);
    say_more(run->classes);
    say_experts(run);
}

static void say_groups(const mot_run *run)
{
    const size_t E = (size_t)run->config.model.experts;
    char number[16];
    say_head(run, "group \\ expert, %", false);
    for (int g = 0; g < MOT_MIN(run->groups, MOST_ROWS); ++g)
        say_row(run, run_group_name(run, g, number), run->last_eval.group_load + (size_t)g * E, NULL);
    say_more(run->groups);
}

/* The pairs of classes that were confused most often. */
static void say_confusion(const mot_run *run)
{
    const run_eval *eval = &run->last_eval;
    const int C = run->classes;
    double below = INFINITY;
    int last = -1; /* pairs are said in falling order of count, then rising order of place */
    for (int said = 0; said < WORST; ++said) {
        int worst = -1;
        for (int i = 0; i < C * C; ++i) {
            const double count = eval->confusion[i];
            const bool later = count < below || (count == below && i > last);
            if (i / C == i % C || count == 0 || !later) continue;
            if (worst < 0 || count > eval->confusion[worst]) worst = i;
        }
        if (worst < 0) return;
        char label[16], taken[16];
        mot_log(MOT_LOG_INFO, "%s%6.0f of '%s' were taken for '%s'", said == 0 ? "\n" : "",
                eval->confusion[worst], run_class_name(run, worst / C, label),
                run_class_name(run, worst % C, taken));
        below = eval->confusion[worst];
        last = worst;
    }
}

void run_say_table(const mot_run *run)
{
    if (run->comm->rank != MOT_ROOT) return;
    say_classes(run);
    if (run->eval_set.groups > 0 && run->config.data.target == MOT_TARGET_LABEL) say_groups(run);
    if (run->last_eval.confusion != NULL) say_confusion(run);
}
