/* The lines of steps: one a report, and, on a terminal, one that is drawn anew while the run goes on. */
#include "run_reporter.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "mot/log.h"
#include "mot/screen.h"
#include "mot/stage.h"

enum { LINE = 512 };

void mot_run_say_means(mot_gidx step, const run_means *means)
{
    mot_piece piece[] = {{9, ""}, {8, ""}, {7, ""}, {6, ""}, {3, ""}, {5, ""}, {4, ""}};
    char line[LINE];
    snprintf(piece[0].text, MOT_PIECE, "step %6" MOT_PRI_GIDX, step);
    snprintf(piece[1].text, MOT_PIECE, "  loss %s", run_loss_text(means->loss).text);
    if (means->classes) snprintf(piece[2].text, MOT_PIECE, "  acc %6.4f", means->accuracy);
    snprintf(piece[3].text, MOT_PIECE, "  %7.0f samples/s", means->samples_per_s);
    snprintf(piece[4].text, MOT_PIECE, "  %6.1f GFLOP/s", means->gflops);
    snprintf(piece[5].text, MOT_PIECE, "  load max/mean %4.2f", means->load_ratio);
    snprintf(piece[6].text, MOT_PIECE, "  compute %2.0f%% exchange %2.0f%% wait %2.0f%%",
             100 * means->compute, 100 * means->exchange, 100 * means->wait);
    mot_screen_join(line, sizeof line, mot_screen_room(), MOT_COUNT(piece), piece);
    mot_log(MOT_LOG_INFO, "%s", line);
}

void mot_run_keep_pace(run_reporter *reporter, int stage)
{
    if (reporter->pace.begun_s == 0 || reporter->pace.stage != stage) {
        reporter->pace.begun_s = mot_clock_s();
        reporter->pace.steps = 0;
        reporter->pace.stage = stage;
    } else {
        ++reporter->pace.steps;
    }
}

/* "0:45", "12:31", "1:02:31", "3 d 4 h" */
static void put_seconds(char *text, size_t size, double seconds)
{
    const long long all = llround(fmin(seconds, 1e12)), minutes = all / 60, hours = minutes / 60;
    if (hours >= 48)
        snprintf(text, size, "%lld d %lld h", hours / 24, hours % 24);
    else if (hours > 0)
        snprintf(text, size, "%lld:%02lld:%02lld", hours, minutes % 60, all % 60);
    else
        snprintf(text, size, "%lld:%02lld", minutes, all % 60);
}

/* The pieces of the line that is alive, in their order, and how much each is missed where it has no room. */
enum {
    STAGE,
    PERCENT,
    BAR,
    STEP_WORD,
    STEP,
    EPOCH,
    LOSS,
    ACCURACY,
    RATE,
    RATE_WORD,
    RATE_UNIT,
    LEFT,
    PIECES
};
static const mot_piece pieces[PIECES] = {{3, ""}, {11, ""}, {1, ""}, {4, " step"},    {10, ""},  {5, ""},
                                         {9, ""}, {6, ""},  {7, ""}, {2, " samples"}, {7, "/s"}, {8, ""}};

/* What is known only where the run's end is: how much is done, and how long the rest takes. */
static void put_end(const run_reporter *reporter, const run_course *course, mot_gidx left,
                    mot_piece piece[PIECES])
{
    const double step = (double)course->progress.step, done = step / (step + (double)left);
    char marks[] = "..........", text[32];
    snprintf(piece[PERCENT].text, MOT_PIECE, "%3.0f%%", floor(100 * done));
    memset(marks, '#', (size_t)((double)strlen(marks) * done));
    snprintf(piece[BAR].text, MOT_PIECE, " [%s]", marks);
    snprintf(piece[STEP].text, MOT_PIECE, " %" MOT_PRI_GIDX "/%" MOT_PRI_GIDX, course->progress.step,
             course->progress.step + left);
    if (reporter->pace.steps == 0) return; /* nobody knows the pace yet */
    put_seconds(text, sizeof text,
                (mot_clock_s() - reporter->pace.begun_s) / (double)reporter->pace.steps * (double)left);
    snprintf(piece[LEFT].text, MOT_PIECE, "  %s left", text);
}

static void put_figures(const run_world *world, const run_course *course, const run_means *means,
                        mot_piece piece[PIECES])
{
    const mot_config *config = &course->config;
    const mot_gidx samples = world->train.dataset->samples,
                   taken = (course->progress.step + course->progress.left_out) *
                           (mot_gidx)config->train.batch;
    const int stage = course->progress.stage;
    if (config->stages > 1 && stage < mot_stage_count(config))
        snprintf(piece[STAGE].text, MOT_PIECE, "%.20s ", mot_stage_at(config, stage)->name);
    snprintf(piece[STEP].text, MOT_PIECE, " %" MOT_PRI_GIDX, course->progress.step);
    if (samples != MOT_ENDLESS)
        snprintf(piece[EPOCH].text, MOT_PIECE, "  epoch %.1f", (double)taken / (double)samples);
    snprintf(piece[LOSS].text, MOT_PIECE, means->loss < 1e-3 ? "  loss %.1e" : "  loss %.4f", means->loss);
    if (means->classes) snprintf(piece[ACCURACY].text, MOT_PIECE, "  acc %.4f", means->accuracy);
    snprintf(piece[RATE].text, MOT_PIECE, "  %.0f", means->samples_per_s);
}

void mot_run_draw_progress(run_reporter *reporter, const run_world *world, const run_course *course,
                           const run_means *means)
{
    if (!mot_log_is_live() || mot_clock_s() - reporter->drawn_s < 0.1) return;
    reporter->drawn_s = mot_clock_s();
    const mot_gidx left = mot_steps_left(&course->config, world->train.dataset->samples, &course->progress);
    mot_piece piece[PIECES];
    char line[LINE];
    memcpy(piece, pieces, sizeof piece);
    put_figures(world, course, means, piece);
    if (left >= 0) put_end(reporter, course, left, piece);
    mot_screen_join(line, sizeof line, mot_screen_width(), PIECES, piece);
    mot_log_progress(line);
}
