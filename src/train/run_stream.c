/* What a run says of the tasks of its stream. */
#include <stdio.h>
#include <string.h>

#include "mot/log.h"
#include "mot/screen.h"
#include "mot/stream.h"
#include "run_world.h"

void mot_run_say_stream(const run_world *world, const run_course *course, int indent)
{
    static const char *const by[] = {[MOT_SPLIT_CLASS] = "class", [MOT_SPLIT_GROUP] = "group",
                                     [MOT_SPLIT_FILE] = "data set"};
    const mot_stream_config *config = &course->config.data.stream;
    const mot_stream *stream = mot_dataset_stream(world->train.dataset);
    char order[64] = "as stored";
    if (stream == NULL) return;
    if (config->drawn) snprintf(order, sizeof order, "drawn by the seed %" PRIu64, course->config.seed);
    mot_log_wrap(indent, "  tasks    %d by %s, %s, %s", stream->tasks, by[config->split], order,
                 stream->head != NULL ? "a head each" : "with one head");
}

/* ---- each of them ---- */

enum { COLUMNS = 5 };
static void say_row(const char *const text[COLUMNS])
{
    static const mot_screen_column column[COLUMNS] = {{5, -32}, {4, 9}, {3, 9}, {4, 9}, {2, 2}};
    char line[512];
    mot_screen_row(line, sizeof line, COLUMNS, column, text);
    mot_log(MOT_LOG_INFO, "%s", line);
}

/* Of many those of the first columns. */
static void put_numbers(const double *number, size_t count, char text[80])
{
    enum { MOST = 4 };
    text[0] = '\0';
    for (size_t i = 0; i < MOT_MIN(count, (size_t)MOST); ++i)
        snprintf(text + strlen(text), 80 - strlen(text), " %.4g", number[i]);
    if (count > MOST) strcat(text, " ...");
}

/* How the samples of several data sets became those of one. */
static void say_joined(const mot_dataset *set)
{
    const mot_normalization *n = &set->format.normalization;
    char mean[80], deviation[80];
    put_numbers(n->mean, n->count, mean);
    put_numbers(n->deviation, n->count, deviation);
    if (set->vocabulary != NULL)
        mot_log_wrap(2, "texts of all data sets are read with one vocabulary, which has the %zu words of all",
                     set->format.vocabulary);
    if (n->count > 0)
        mot_log_wrap(2, "numbers of all data sets are read under one normalization: mean%s, deviation%s", mean, deviation);
}

void mot_run_dry_stream(const run_world *world, const run_course *course)
{
    const mot_dataset *train = &world->train_set, *eval = &world->eval_set;
    const mot_stream *stream = mot_dataset_stream(train), *other = mot_dataset_stream(eval);
    if (stream == NULL || other == NULL) return;
    mot_log_gap();
    say_row((const char *const[]){"task", "train", course->config.eval.split, "classes", "  change"});
    for (int t = 0; t < stream->tasks; ++t) {
        char cell[COLUMNS][160];
        const char *text[COLUMNS];
        for (int c = 0; c < COLUMNS; ++c) text[c] = cell[c];
        mot_screen_cell(cell[0], sizeof cell[0], train->group_names[t], 32);
        snprintf(cell[1], sizeof cell[1], "%" MOT_PRI_GIDX, stream->first[t + 1] - stream->first[t]);
        snprintf(cell[2], sizeof cell[2], "%" MOT_PRI_GIDX, other->first[t + 1] - other->first[t]);
        snprintf(cell[3], sizeof cell[3], "%d", stream->classes[t]);
        snprintf(cell[4], sizeof cell[4], "  %s", stream->change[t]);
        say_row(text);
    }
    if (strchr(course->config.data.stream.files, ',') != NULL) say_joined(train);
}
