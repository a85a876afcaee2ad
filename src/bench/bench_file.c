/* The file of --json: one flat object of numbers and lists, one number a repeat. Reading back needs no more than finding
 * a key, since mot wrote it. */
#include "bench_private.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mot/atomic_file.h"
#include "mot/blas.h"
#include "mot/level.h"
#include "mot/log.h"
#include "mot/memory.h"
#include "mot/record.h"
#include "mot/version.h"

static const char format_name[] = "mot-bench";
enum { FORMAT_VERSION = 1, LARGEST_FILE = 64 << 20 };

mot_status mot_bench_describe(const mot_model *model, char **text)
{
    const mot_expert_shape *shape = &model->layer->shape;
    mot_config copy = *model->config;
    char *config = NULL;
    mot_status status;
    mot_config_clear_surroundings(&copy); /* what lies in the data's file stands below */
    MOT_TRY(mot_config_text(&copy, &config));
    const size_t room = strlen(config) + 200;
    MOT_TRY(mot_allocate(text, room, 1, "a configuration"));
    snprintf(*text, room, "%s# sample: %zu tokens of %zu numbers, %zu words, %zu outputs\n", config,
             shape->tokens, shape->width, shape->vocabulary, shape->outputs);
done:
    mot_free(config);
    return status;
}

/* ---- writing ---- */

static void put_figures(mot_json *json, const bench_result *result, double *value)
{
    for (int kind = 0; kind < BENCH_KINDS; ++kind) {
        char key[64], of_ranks[80];
        mot_bench_key(kind, key);
        mot_bench_values(result, kind, -1, value);
        mot_json_reals(json, key, (size_t)result->repeats, value);
        snprintf(of_ranks, sizeof of_ranks, "%s.ranks", key);
        double *median = value + result->repeats;
        for (int r = 0; r < result->ranks; ++r) {
            mot_bench_values(result, kind, r, value);
            median[r] = mot_bench_figure_of(result->repeats, value).median;
        }
        mot_json_reals(json, of_ranks, (size_t)result->ranks, median);
    }
    for (int p = 0; p < MOT_PHASES; ++p) {
        char key[64];
        for (int r = 0; r < result->ranks; ++r)
            value[r] = result->sample[(r + 1) * result->repeats - 1].flops[p];
        snprintf(key, sizeof key, "phase.%s_flops.ranks", mot_phase_name[p]);
        mot_json_reals(json, key, (size_t)result->ranks, value);
        for (int r = 0; r < result->ranks; ++r)
            value[r] = result->sample[(r + 1) * result->repeats - 1].bytes[p];
        snprintf(key, sizeof key, "phase.%s_bytes.ranks", mot_phase_name[p]);
        mot_json_reals(json, key, (size_t)result->ranks, value);
    }
}

/* Of layers that moved something, as in log.jsonl, over all steps. */
static void put_layers(mot_json *json, const mot_step_work *work)
{
    for (int l = 0; l < MOT_MAX_LAYERS; ++l) {
        char key[64];
        if (work->layer[l].there_and_back == 0) continue;
        snprintf(key, sizeof key, "layer%d.moved_bytes", l);
        mot_json_real(json, key, work->layer[l].moved);
        snprintf(key, sizeof key, "layer%d.there_and_back_bytes", l);
        mot_json_real(json, key, work->layer[l].there_and_back);
    }
}

mot_status mot_bench_write(const char *path, const bench_result *result, const char *description)
{
    double *value = NULL;
    mot_status status;
    MOT_TRY(mot_allocate(&value, (size_t)(result->repeats + result->ranks), sizeof *value, "figures"));
    mot_json *json = mot_json_begin();
    mot_json_text(json, "format", format_name);
    mot_json_int(json, "format_version", FORMAT_VERSION);
    mot_json_text(json, "mot_version", MOT_VERSION);
    mot_json_text(json, "commit", MOT_COMMIT);
    mot_json_text(json, "build", MOT_BUILD_FLAGS);
    mot_json_text(json, "level", mot_level());
    mot_json_text(json, "blas", mot_blas_name());
    mot_json_text(json, "config", description);
    mot_json_int(json, "ranks", result->ranks);
    mot_json_int(json, "repeats", result->repeats);
    mot_json_int(json, "steps", result->steps);
    mot_json_int(json, "batch", (int64_t)result->batch);
    put_figures(json, result, value);
    put_layers(json, result->work);
    status = mot_json_save(json, path);
done:
    mot_free(value);
    return status;
}

/* ---- reading ---- */

/* What stands behind `"key": `, or NULL. Quotes within a text are escaped, so this cannot be found inside of one. */
static const char *find(const bench_file *file, const char *key)
{
    char wanted[80];
    snprintf(wanted, sizeof wanted, "\"%s\": ", key);
    const char *at = strstr(file->text, wanted);
    return at != NULL ? at + strlen(wanted) : NULL;
}

/* Numbers of a list, at most `most`; 0 when there is no such list. */
static int find_list(const bench_file *file, const char *key, int most, double *value)
{
    const char *at = find(file, key);
    int count = 0;
    if (at == NULL || *at != '[') return 0;
    for (++at; *at != ']' && *at != '\0' && count < most; ++count) {
        char *end;
        value[count] = strtod(at, &end);
        if (end == at) return 0; /* null: not finite */
        at = end + strspn(end, ", ");
    }
    return count;
}

/* A text with its escapes undone, into `text`, which has room for all of the file. */
static void read_text(const char *at, char *text)
{
    for (; *at != '"' && *at != '\0'; ++at) {
        if (*at == '\\' && at[1] != '\0') {
            ++at;
            *text++ = *at == 'n' ? '\n' : *at == 't' ? '\t' : *at;
        } else {
            *text++ = *at;
        }
    }
    *text = '\0';
}

mot_status mot_bench_read(bench_file *file, const char *path, const char *description, int ranks)
{
    mot_status status;
    char expected[64], *then = NULL;
    MOT_TRY(mot_file_read(path, LARGEST_FILE, &file->text, &file->length));
    snprintf(expected, sizeof expected, "\"%s\", \"format_version\": %d,", format_name, FORMAT_VERSION);
    const char *format = find(file, "format"), *config = find(file, "config"), *jobs = find(file, "ranks");
    if (format == NULL || strncmp(format, expected, strlen(expected)) != 0 || config == NULL ||
        *config != '"' || jobs == NULL) {
        status = mot_fail(MOT_ERR_INPUT, "%s is not a file that mot bench --json wrote", path);
        goto done;
    }
    MOT_TRY(mot_allocate(&then, file->length + 1, 1, "a configuration"));
    read_text(config + 1, then);
    MOT_TRY(mot_config_compare(path, "measured", then, description, "nothing to compare"));
    if (atoi(jobs) != ranks)
        status = mot_fail(MOT_ERR_INPUT, "%s was measured on %d ranks, now there are %d: nothing to compare",
                          path, atoi(jobs), ranks);
done:
    mot_free(then);
    return status;
}

/* ---- comparing ---- */

void mot_bench_compare(const bench_file *before, const char *path, const bench_result *result)
{
    static double then[MOT_BENCH_MOST_REPEATS], now[MOT_BENCH_MOST_REPEATS];
    mot_log(MOT_LOG_INFO, "\n%-28s %13s %13s %8s %8s", path, "then", "now", "ratio", "noise");
    for (int kind = 0; kind < BENCH_KINDS; ++kind) {
        char key[64];
        mot_bench_key(kind, key);
        const int count = find_list(before, key, MOT_BENCH_MOST_REPEATS, then);
        if (count == 0) continue;
        mot_bench_values(result, kind, -1, now);
        const bench_figure old = mot_bench_figure_of(count, then),
                           new = mot_bench_figure_of(result->repeats, now);
        if (!(old.median > 0) || !(new.median > 0)) continue;
        const double ratio = new.median / old.median,
                     noise = hypot((old.high - old.low) / old.median, (new.high - new.low) / new.median);
        mot_log(MOT_LOG_INFO, "%-28s %13.5g %13.5g %8.3f %7.1f%%  %s", key, old.median, new.median, ratio,
                100 * noise,
                fabs(ratio - 1) <= noise ? "within noise"
                : ratio > 1              ? "more"
                                         : "less");
    }
    mot_log(
        MOT_LOG_INFO,
        "Noise: the distances of both quartiles, as a fraction of the medians, root of the sum of squares.");
}
