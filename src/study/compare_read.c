/* Runs, and which of them differ in their seeds alone. */
#include <dirent.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compare_private.h"
#include "mot/atomic_file.h"
#include "mot/log.h"
#include "mot/memory.h"
#include "mot/record.h"
#include "mot/variants.h"

/* Of these a comparison shows those that any run has. */
static const char *const usual[] = {"eval.accuracy", "eval.explained", "eval.loss", "routing.nmi", "time.wall_s"};

/* ---- a run ---- */

/* `done`, and `there`, as its summary says it. */
static mot_status read_figures(comparison *c, compare_run *run, bool *done, bool *there)
{
    char *text = NULL;
    const mot_status status = mot_summary_read(run->path, &text, done);
    *there = text != NULL;
    for (size_t f = 0; text != NULL && f < c->figures; ++f)
        if (!mot_json_find_real(text, strlen(text), c->figure[f], &run->value[f])) run->value[f] = NAN;
    mot_free(text);
    return status;
}

/* One that is named by itself, and is of a sweep too, counts once. */
static bool is_there(const comparison *c, const char *path)
{
    char real[PATH_MAX], other[PATH_MAX];
    for (size_t r = 0; r < c->runs && realpath(path, real) != NULL; ++r)
        if (realpath(c->run[r].path, other) != NULL && strcmp(real, other) == 0) return true;
    return false;
}

/* A run has its configuration before it has a summary. */
static bool has_begun(const char *path)
{
    char file[COMPARE_PATH + 16];
    snprintf(file, sizeof file, "%s/config.yaml", path);
    return access(file, F_OK) == 0;
}

/* One that is not done has nothing to compare yet. */
static mot_status add_run(comparison *c, const char *path)
{
    char file[COMPARE_PATH + 16];
    bool done = false, there = false;
    compare_run run = {.config = NULL};
    mot_status status;
    if (is_there(c, path)) return MOT_OK;
    snprintf(run.path, sizeof run.path, "%s", path);
    snprintf(file, sizeof file, "%s/failed.txt", path);
    const bool failed = access(file, F_OK) == 0;
    MOT_TRY(read_figures(c, &run, &done, &there));
    if (!there && !has_begun(path))
        return mot_fail(MOT_ERR_INPUT, "%s: neither a run folder, which has a summary.json, nor that of a sweep", path);
    if (failed || !done) {
        mot_log(MOT_LOG_WARNING, "%s is left out: it %s", path, failed ? "failed, its loss was not finite" : "is not done");
        return MOT_OK;
    }
    MOT_TRY(mot_allocate(&run.config, 1, sizeof *run.config, "a configuration"));
    snprintf(file, sizeof file, "%s/config.yaml", path);
    MOT_TRY(mot_config_read(run.config, file, 0, NULL));
    run.seed = run.config->seed;
    MOT_TRY(mot_reserve(&c->run, &c->run_room, c->runs + 1, sizeof *c->run, "runs"));
    c->run[c->runs++] = run;
    run.config = NULL;
done:
    mot_free(run.config);
    return status;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The runs of a sweep, in the order of their names. */
static mot_status add_sweep(comparison *c, const char *folder, DIR *files)
{
    char **name = NULL, path[COMPARE_PATH];
    size_t count = 0, room = 0;
    mot_status status = MOT_OK;
    for (struct dirent *file; (file = readdir(files)) != NULL;) {
        if (file->d_name[0] == '.') continue;
        MOT_TRY(mot_reserve(&name, &room, count + 1, sizeof *name, "runs of a sweep"));
        MOT_TRY(mot_allocate(&name[count], strlen(file->d_name) + 1, 1, "runs of a sweep"));
        strcpy(name[count++], file->d_name);
    }
    if (count > 0) qsort(name, count, sizeof *name, by_name);
    for (size_t i = 0; i < count; ++i) {
        MOT_TRY(mot_path_join(path, sizeof path, folder, name[i]));
        MOT_TRY(add_run(c, path));
    }
done:
    for (size_t i = 0; i < count; ++i) mot_free(name[i]);
    mot_free(name);
    return status;
}

static mot_status add_path(comparison *c, const char *path)
{
    char trials[COMPARE_PATH];
    const mot_status status = mot_path_join(trials, sizeof trials, path, "trials");
    if (status != MOT_OK) return status;
    DIR *files = opendir(trials);
    if (files == NULL) return add_run(c, path);
    const mot_status added = add_sweep(c, trials, files);
    closedir(files);
    return added;
}

/* ---- rows ---- */

static mot_status find_rows(comparison *c)
{
    const mot_config **config = NULL;
    size_t *row = NULL;
    mot_status status;
    MOT_TRY(mot_allocate(&config, c->runs, sizeof *config, "runs"));
    MOT_TRY(mot_allocate(&row, c->runs, sizeof *row, "runs"));
    for (size_t r = 0; r < c->runs; ++r) config[r] = c->run[r].config;
    MOT_TRY(mot_variants_find(c->runs, config, row, &c->rows));
    MOT_TRY(mot_allocate(&c->row, c->rows, sizeof *c->row, "rows of a table"));
    for (size_t r = 0; r < c->runs; ++r) {
        compare_row *const of = &c->row[row[r]];
        c->run[r].row = row[r];
        c->run[r].again = mot_variants_again(config, row, r);
        if (c->run[r].again)
            mot_log(MOT_LOG_WARNING, "%s is left out: it has the seed of a run before it, and nothing else is different", c->run[r].path);
        else if (of->runs++ == 0)
            of->first = r;
    }
done:
    mot_free(config);
    mot_free(row);
    return status;
}

/* One that stands alone, or differs in how many stages it has, is called as its first run. */
static mot_status name_rows(comparison *c)
{
    const mot_config **config = NULL;
    char(*name)[MOT_VARIANT_NAME] = NULL;
    mot_status status;
    MOT_TRY(mot_allocate(&config, c->rows, sizeof *config, "rows of a table"));
    MOT_TRY(mot_allocate(&name, c->rows, sizeof *name, "rows of a table"));
    for (size_t r = 0; r < c->rows; ++r) config[r] = c->run[c->row[r].first].config;
    MOT_TRY(mot_variants_name(c->rows, config, name));
    for (size_t r = 0; r < c->rows; ++r)
        snprintf(c->row[r].label, MOT_VARIANT_NAME, "%.500s", name[r][0] != '\0' ? name[r] : c->run[c->row[r].first].path);
done:
    mot_free(config);
    mot_free(name);
    return status;
}

/* ---- all ---- */

/* Usual figures that no run has are not shown; others were asked for. */
static mot_status drop_figures(comparison *c, bool asked)
{
    for (size_t f = 0; f < c->figures;) {
        size_t have = 0;
        for (size_t r = 0; r < c->runs; ++r) have += !isnan(c->run[r].value[f]);
        if (have > 0) {
            ++f;
            continue;
        }
        if (asked) return mot_fail(MOT_ERR_INPUT, "no summary.json of these runs has a number '%s'", c->figure[f]);
        --c->figures;
        for (size_t g = f; g < c->figures; ++g) c->figure[g] = c->figure[g + 1];
        for (size_t r = 0; r < c->runs; ++r)
            memmove(c->run[r].value + f, c->run[r].value + f + 1, (COMPARE_FIGURES - f - 1) * sizeof(double));
    }
    return MOT_OK;
}

mot_status mot_compare_read(comparison *c, const mot_compare_options *options)
{
    const bool asked = options->figures > 0;
    mot_status status = MOT_OK;
    *c = (comparison){.figures = asked ? options->figures : MOT_COUNT(usual)};
    memcpy(c->figure, asked ? options->figure : usual, c->figures * sizeof *c->figure);
    for (size_t p = 0; p < options->count; ++p) MOT_TRY(add_path(c, options->path[p]));
    if (c->runs == 0) {
        status = mot_fail(MOT_ERR_INPUT, "none of these runs is done: there is nothing to compare");
        goto done;
    }
    MOT_TRY(drop_figures(c, asked));
    MOT_TRY(find_rows(c));
    MOT_TRY(name_rows(c));
done:
    return status;
}

void mot_compare_free(comparison *c)
{
    for (size_t r = 0; r < c->runs; ++r) mot_free(c->run[r].config);
    mot_free(c->run);
    mot_free(c->row);
    *c = (comparison){.runs = 0};
}
