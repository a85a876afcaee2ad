/* The table of mot study rehearsal for settings of one's own. */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cmd_study_rehearsal.h"
#include "mot/atomic_file.h"
#include "mot/memory.h"
#include "mot/statistics.h"

/* ---- truths of a file ---- */

/* A line of numbers a truth, with commas, semicolons or blanks between; all lines have as many. Lines without any, and such as
 * begin with #, are none. */
static mot_status read_truths(const char *path, const char *text, double *w, mot_rehearsal_truths *truths)
{
    size_t count = 0, line = 1, in_line = 0;
    for (const char *at = text;; ++line) {
        at += strspn(at, " \t\r");
        if (*at == '#') at += strcspn(at, "\n");
        while (*at != '\n' && *at != '\0') {
            char *end;
            const double value = strtod(at, &end);
            if (end == at || (strchr(",; \t\r\n", *end) == NULL)) /* which has the 0 at its end */
                return mot_fail(MOT_ERR_INPUT, "%s:%zu: expected numbers with commas or blanks between", path, line);
            w[count++] = value;
            ++in_line;
            at = end + strspn(end, ",; \t\r");
        }
        if (in_line > 0 && truths->tasks++ == 0) truths->length = in_line;
        if (in_line > 0 && in_line != truths->length)
            return mot_fail(MOT_ERR_INPUT, "%s:%zu: %zu numbers, the first truth has %zu", path, line, in_line, truths->length);
        in_line = 0;
        if (*at == '\0') break;
        ++at;
    }
    truths->w = w;
    if (truths->tasks >= 1 && truths->tasks <= MOT_REHEARSAL_TASKS) return MOT_OK;
    return mot_fail(MOT_ERR_INPUT, "%s: %d truths, expected 1 to %d lines of numbers", path, truths->tasks, MOT_REHEARSAL_TASKS);
}

/* The root reads, all receive. *w: the caller's, mot_free. */
static mot_status take_truths(const mot_comm *comm, const char *path, double **w, mot_rehearsal_truths *truths)
{
    char *text = NULL;
    size_t size = 0;
    mot_status status = MOT_OK;
    if (comm->rank == MOT_ROOT) status = mot_file_read(path, 1 << 26, &text, &size);
    MOT_TRY(mot_comm_agree(comm, status));
    mot_comm_bcast(comm, &size, sizeof size, MOT_ROOT);
    if (comm->rank != MOT_ROOT) status = mot_allocate(&text, size + 1, 1, "the truths");
    if (status == MOT_OK) status = mot_allocate(w, size + 1, sizeof **w, "the truths");
    MOT_TRY(mot_comm_agree(comm, status));
    mot_comm_bcast(comm, text, size + 1, MOT_ROOT);
    status = read_truths(path, text, *w, truths);
done:
    mot_free(text);
    return status;
}

/* ---- cases ---- */

typedef struct table {
    mot_rehearsal setting;
    mot_rehearsal_rule rule;
    size_t truths_count, strategies, cases;
    int first; /* strategy */
    mot_rehearsal_truths truths[CMD_REHEARSAL_GAPS];
    double *w; /* of all of them */
    mot_rehearsal_plan *plan;
    mot_rehearsal_case *list;
    bool similar[MOT_REHEARSAL_TASKS * MOT_REHEARSAL_TASKS];
    double *loss; /* [runs, cases, T, T] */
} table;

static mot_status mark_pairs(const cmd_rehearsal *asked, table *of)
{
    for (size_t i = 0; i < asked->pairs; ++i) {
        const int *pair = asked->pair[i];
        if (pair[0] > of->setting.tasks)
            return mot_fail(MOT_ERR_INPUT, "--similar pairs=: task %d of %d", pair[0], of->setting.tasks);
        of->similar[(pair[0] - 1) * of->setting.tasks + pair[1] - 1] = true;
    }
    of->rule.similar = of->similar;
    return MOT_OK;
}

static mot_status make_truths(const mot_comm *comm, const cmd_rehearsal *asked, table *of)
{
    const size_t T = (size_t)asked->setting.tasks;
    mot_status status = MOT_OK;
    of->truths_count = asked->truths != NULL ? 1 : asked->gaps;
    if (asked->truths != NULL) {
        MOT_TRY(take_truths(comm, asked->truths, &of->w, &of->truths[0]));
        of->setting.tasks = of->truths[0].tasks;
    } else {
        MOT_TRY(mot_allocate(&of->w, asked->gaps * T * (T + 1), sizeof *of->w, "the truths"));
        for (size_t g = 0; g < asked->gaps; ++g)
            of->truths[g] = mot_rehearsal_apart((int)T, asked->gap[g], of->w + g * T * (T + 1));
    }
done:
    return status;
}

static mot_status make_cases(const cmd_rehearsal *asked, size_t runs, table *of)
{
    const size_t T = (size_t)of->setting.tasks;
    mot_status status;
    of->first = asked->all ? 0 : (int)asked->rule.strategy;
    of->strategies = asked->all ? MOT_REHEARSAL_STRATEGIES : 1;
    of->cases = of->truths_count * of->strategies;
    MOT_TRY(mot_allocate(&of->plan, of->cases, sizeof *of->plan, "the cases"));
    MOT_TRY(mot_allocate(&of->list, of->cases, sizeof *of->list, "the cases"));
    for (size_t c = 0; c < of->cases; ++c) {
        const mot_rehearsal_truths *truths = &of->truths[c / of->strategies];
        of->rule.strategy = (mot_rehearsal_strategy)(of->first + (int)(c % of->strategies));
        MOT_TRY(mot_rehearsal_make_plan(&of->setting, truths, &of->rule, &of->plan[c]));
        of->list[c] = (mot_rehearsal_case){truths, &of->plan[c]};
    }
    MOT_TRY(mot_allocate(&of->loss, runs * of->cases * T * T, sizeof *of->loss, "the losses of all runs"));
done:
    return status;
}

/* ---- the table ---- */

static void say_heading(const cmd_rehearsal *asked, const table *of, uint64_t seed, size_t runs)
{
    const mot_rehearsal *r = &of->setting;
    printf("T = %d tasks, p = %zu, n = %zu, M = %zu%s, s = %g; %zu runs, seed %llu; memories follow %s first\n", r->tasks,
           r->width, r->samples, r->memory, r->stored ? " stored" : "", r->noise, runs, (unsigned long long)seed,
           mot_rehearsal_order_names[of->rule.order]);
    if (asked->all || asked->rule.strategy == MOT_REHEARSAL_HYBRID) {
        switch (of->rule.likeness) {
        case MOT_REHEARSAL_BY_DISTANCE:
            if (of->rule.bound < 0) printf("similar: none, as sequential is better even for tasks that are the same\n");
            else if (isinf(of->rule.bound)) printf("similar: all, as concurrent is better for any tasks that are equally far apart\n");
            else printf("similar: at most %.4g apart\n", of->rule.bound);
            break;
        case MOT_REHEARSAL_BY_COSINE: printf("similar: a cosine of at least %g\n", of->rule.bound); break;
        case MOT_REHEARSAL_BY_FORESIGHT: printf("similar: by foresight\n"); break;
        case MOT_REHEARSAL_GIVEN: printf("similar: %zu pairs\n", asked->pairs); break;
        }
    }
    if (r->stored) printf("theory is that of fresh samples in memory\n");
    if (r->width < r->samples + r->memory + 4)
        printf("width - samples - memory = %zu: below 4 the noise's part has no finite variance, and standard errors say little\n",
               r->width - r->samples - r->memory);
    printf("%8s  %-10s %11s %11s %9s %6s   %11s %11s %9s %6s\n", "gap", "strategy", "F theory", "simulated", "+-", "z",
           "G theory", "simulated", "+-", "z");
}

static void say_figure(double theory, const double *values, size_t runs)
{
    const mot_summary of = mot_summarize(values, runs);
    const double error = of.deviation / sqrt((double)runs);
    printf(" %11.6f %11.6f %9.6f %6.2f", theory, of.mean, error, error > 0 ? (of.mean - theory) / error : 0);
}

static mot_status say_table(const cmd_rehearsal *asked, const table *of, size_t runs)
{
    const int T = of->setting.tasks;
    double expected[MOT_REHEARSAL_TASKS * MOT_REHEARSAL_TASKS], *values;
    const mot_status status = mot_allocate(&values, 2 * runs, sizeof *values, "the figures");
    if (status != MOT_OK) return status;
    for (size_t c = 0; c < of->cases; ++c) {
        mot_rehearsal_theory(&of->setting, of->list[c].truths, of->list[c].plan, expected);
        const mot_rehearsal_figures theory = mot_rehearsal_figures_of(expected, T, T);
        for (size_t run = 0; run < runs; ++run) {
            const double *loss = of->loss + (run * of->cases + c) * (size_t)(T * T);
            const mot_rehearsal_figures figures = mot_rehearsal_figures_of(loss, T, T);
            values[run] = figures.forgetting;
            values[runs + run] = figures.error;
        }
        char gap[16] = "file";
        if (asked->truths == NULL) snprintf(gap, sizeof gap, "%g", asked->gap[c / of->strategies]);
        printf("%8s  %-10s", gap, mot_rehearsal_strategy_names[of->first + (int)(c % of->strategies)]);
        say_figure(theory.forgetting, values, runs);
        printf("  ");
        say_figure(theory.error, values + runs, runs);
        printf("\n");
    }
    mot_free(values);
    return MOT_OK;
}

mot_status cmd_rehearsal_say(const mot_comm *comm, const cmd_rehearsal *asked, uint64_t seed, int runs)
{
    table of = {.setting = asked->setting, .rule = asked->rule};
    const size_t count = (size_t)runs;
    mot_status status;
    MOT_TRY(make_truths(comm, asked, &of));
    MOT_TRY(mark_pairs(asked, &of));
    if (of.setting.tasks < 2) {
        status = mot_fail(MOT_ERR_INPUT, "one task has none before it: expected 2 to %d", MOT_REHEARSAL_TASKS);
        goto done;
    }
    MOT_TRY(mot_rehearsal_check(&of.setting, &of.truths[0]));
    if (!asked->similar_given) of.rule.bound = mot_rehearsal_like_gap(&of.setting);
    MOT_TRY(mot_comm_agree(comm, make_cases(asked, count, &of)));
    MOT_TRY(mot_rehearsal_simulate(comm, &of.setting, of.list, of.cases, seed, count, of.loss));
    if (comm->rank == MOT_ROOT) {
        say_heading(asked, &of, seed, count);
        status = say_table(asked, &of, count);
    }
    MOT_TRY(mot_comm_agree(comm, status));
done:
    mot_free(of.w);
    mot_free(of.plan);
    mot_free(of.list);
    mot_free(of.loss);
    return status;
}
