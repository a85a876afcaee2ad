/* Draws one figure of each kind and looks into the SVG. The pictures stay in BUILD/tests/figures, for a person to
 * look at. */
#include <dirent.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ck.h"
#include "mot/atomic_file.h"
#include "mot/figure.h"
#include "mot/memory.h"
#include "mot/rng.h"
#include "mot/types.h"

static char folder[PATH_MAX];

static int count_of(const char *text, const char *part)
{
    int count = 0;
    for (const char *at = text; (at = strstr(at, part)) != NULL; at += strlen(part)) ++count;
    return count;
}

/* Every element that opens closes, in order, and nothing else holds a '<': what a strict reader asks first. */
static void expect_nested(const char *svg)
{
    char open[64][32];
    int depth = 0;
    for (const char *at = svg; (at = strchr(at, '<')) != NULL;) {
        const char *end = strchr(++at, '>');
        ck_assert_ptr_nonnull(end);
        if (*at == '?' || *at == '!') continue;
        char name[32];
        const bool closes = *at == '/';
        ck_assert_int_eq(sscanf(at + closes, "%31[a-zA-Z:]", name), 1);
        if (closes) {
            ck_assert_int_gt(depth, 0);
            ck_assert_str_eq(open[--depth], name);
        } else if (end[-1] != '/') {
            ck_assert_int_lt(depth, 64);
            strcpy(open[depth++], name);
        }
    }
    ck_assert_int_eq(depth, 0);
}

static int files_with(const char *part)
{
    DIR *listing = opendir(folder);
    ck_assert_ptr_nonnull(listing);
    int count = 0;
    for (struct dirent *entry; (entry = readdir(listing)) != NULL;)
        count += strstr(entry->d_name, part) != NULL;
    closedir(listing);
    return count;
}

static void path_of(char path[PATH_MAX], const char *name)
{
    mot_ck_ok(mot_path_join(path, PATH_MAX, folder, name));
}

/* The drawing (mot_free), well-formed as far as we look, with all `texts` (up to NULL) in it. */
static char *draw(const mot_figure *figure, const char *name, const char *const *texts)
{
    char path[PATH_MAX], *svg;
    size_t count;
    path_of(path, name);
    unlink(path);
    mot_ck_ok(mot_figure_write(figure, path));
    mot_ck_ok(mot_file_read(path, 1 << 24, &svg, &count));
    ck_assert_int_eq(strncmp(svg, "<?xml", 5), 0);
    expect_nested(svg);
    for (; *texts != NULL; ++texts)
        ck_assert_msg(strstr(svg, *texts) != NULL, "%s is without the text '%s'", name, *texts);
    ck_assert_int_gt(count_of(svg, "fill=\"#ffffff\""), 0); /* the background */
    ck_assert_int_eq(files_with(".tmp."), 0);
    return svg;
}

enum { STEPS = 120 };

static double noise(uint32_t line, uint32_t step)
{
    const mot_random4 r = mot_random(3, MOT_STREAM_TEST, line, step, 0, 0);
    double normal[2];
    mot_normal_pair(r.word[0], r.word[1], normal);
    return normal[0];
}

/* Losses that fall, with a band; `memory` [4, 3, STEPS]. The third misses some steps. */
static void make_losses(mot_series *series, double *memory)
{
    static const char *const labels[] = {"gate_first", "joint (ε = 0.1)", "random gate"};
    for (uint32_t k = 0; k < 3; ++k) {
        double *x = memory + (size_t)k * 4 * STEPS, *y = x + STEPS, *low = y + STEPS, *high = low + STEPS;
        for (uint32_t i = 0; i < STEPS; ++i) {
            x[i] = 50. * i;
            y[i] = (2.2 + 0.1 * k) * exp(-(double)i / (25 + 20 * k)) + 0.1 + 0.15 * k;
            y[i] *= 1 + 0.03 * noise(k, i);
            low[i] = y[i] * 0.85, high[i] = y[i] * 1.17;
            if (k == 2 && i >= 60 && i < 75) y[i] = low[i] = NAN;
        }
        series[k] = (mot_series){labels[k], STEPS, x, y, low, high, MOT_SERIES_LINE, k == 2, 0};
    }
}

START_TEST(lines)
{
    static double memory[3 * 4 * STEPS];
    mot_series series[3];
    make_losses(series, memory);
    const mot_mark marks[] = {{0, "experts"}, {2000, "gate"}, {2300, "joint_1"}, {5600, "cool down"}};
    const mot_mark levels[] = {{2.303, "chance"}};
    mot_panel panel = {.kind = MOT_PANEL_LINES,
                       .title = "Loss over training",
                       .x = {.label = "step"},
                       .y = {.label = "loss [nats]", .log = 10},
                       .series = series,
                       .series_count = 3,
                       .marks = marks,
                       .mark_count = 4,
                       .levels = levels,
                       .level_count = 1};
    const mot_figure figure = {.panels = &panel, .panel_count = 1};
    char *svg = draw(&figure, "lines.svg",
                     (const char *[]){"Loss over training", "step<", "loss [nats]", "gate_first",
                                      "joint (ε = 0.1)", "random gate", "joint_1", "cool down", "chance",
                                      NULL});
    ck_assert_int_gt(count_of(svg, "<path"), 6);
    /* A line with a gap is two, and so is its band; and there is the key. Lines without one are one less of each. */
    const int broken = count_of(svg, "rgb(  0, 158, 115)"), whole = count_of(svg, "rgb(  0, 114, 178)");
    ck_assert_int_gt(whole, 1);
    ck_assert_int_gt(broken, whole);
    mot_free(svg);
}
END_TEST

START_TEST(panels)
{
    const double ranks[] = {1, 2, 4, 8, 16, 32}, fast[] = {61, 31, 16, 8.4, 4.7, 2.9};
    const double ideal[] = {61, 30.5, 15.25, 7.625, 3.8125, 1.90625},
                 rest[] = {1, 0.98, 0.95, 0.91, 0.81, 0.66};
    const double rest_low[] = {0.99, 0.96, 0.93, 0.88, 0.77, 0.60},
                 rest_high[] = {1, 1, 0.97, 0.94, 0.85, 0.71};
    const mot_series times[] = {
        {.label = "measured", .count = 6, .x = ranks, .y = fast, .style = MOT_SERIES_LINE_POINTS},
        {.label = "ideal", .count = 6, .x = ranks, .y = ideal, .dashed = true, .color = 8}};
    const mot_series efficiency[] = {{.count = 6,
                                      .x = ranks,
                                      .y = rest,
                                      .lower = rest_low,
                                      .upper = rest_high,
                                      .style = MOT_SERIES_LINE_POINTS}};
    const double a[] = {1e-6, 3e-5, 2e-3, 0.05, 7}, b[] = {2, 9, 11, 300, 2e5};
    const mot_series scatter[] = {{.label = "all", .count = 5, .x = b, .y = a, .style = MOT_SERIES_POINTS}};
    const mot_axis x = {.label = "ranks", .log = 2, .ticks = ranks, .tick_count = 6};
    mot_panel each[] = {{.title = "Time of a step",
                         .x = x,
                         .y = {.label = "milliseconds", .log = 10},
                         .key = MOT_KEY_TOP_RIGHT,
                         .series = times,
                         .series_count = 2},
                        {.title = "Efficiency",
                         .x = x,
                         .y = {.label = "share of ideal", .low = 0, .high = 1.05},
                         .series = efficiency,
                         .series_count = 1},
                        {.title = "Gap to the bound",
                         .x = {.label = "samples", .log = 10},
                         .y = {.log = 10},
                         .key = MOT_KEY_BOTTOM_RIGHT,
                         .series = scatter,
                         .series_count = 1}};
    const mot_figure figure = {.title = "Strong scaling: 8 experts", .panels = each, .panel_count = 3};
    mot_free(draw(&figure, "panels.svg",
                  (const char *[]){"Strong scaling: 8 experts", "Time of a step", "Efficiency", ">32<", "10⁵",
                                   "measured", NULL}));
}
END_TEST

START_TEST(bars)
{
    const char *const sets[] = {"fashion_mnist", "clinc150", "mixture (4 domains)"};
    const char *const gates[] = {"learned", "random", "fixed"};
    const double value[] = {0.89, 0.81, 0.84, 0.93, NAN, 0.90, 0.97, 0.42, 0.99};
    double lower[9], upper[9];
    for (int i = 0; i < 9; ++i) lower[i] = value[i] - 0.02, upper[i] = value[i] + 0.01;
    const mot_mark chance = {0.25, "chance"};
    mot_panel each[] = {
        {.kind = MOT_PANEL_BARS,
         .title = "Accuracy",
         .y = {.label = "accuracy", .low = 0, .high = 1},
         .levels = &chance,
         .level_count = 1,
         .bars = {3, 3, sets, gates, value, lower, upper, NULL}},
        {.kind = MOT_PANEL_BARS,
         .title = "Against the tied baseline",
         .y = {.label = "difference"},
         .bars = {3, 1, sets, NULL, (const double[]){0.04, -0.012, 0.02}, (const double[]){0.03, -0.02, 0.01},
                  (const double[]){0.05, 0.001, 0.03}, (const int[]){3}}}};
    const mot_figure figure = {.panels = each, .panel_count = 2};
    char *svg = draw(
        &figure, "bars.svg",
        (const char *[]){"Accuracy", "fashion_mnist", "mixture (4 domains)", "learned", "chance", NULL});
    ck_assert_int_ge(count_of(svg, "<polygon fill = 'rgb(  0, 114, 178)'"), 3);
    mot_free(svg);
}
END_TEST

START_TEST(heat)
{
    enum { BIG = 60 };
    const char *const domains[] = {"banking", "travel", "home_auto", "work"};
    double load[16], sign[24], big[BIG * BIG];
    for (int i = 0; i < 16; ++i) load[i] = i % 5 == 0 ? 0.93 : 0.005 * i;
    for (int i = 0; i < 24; ++i) sign[i] = i == 7 ? NAN : i == 8 ? -0.0001 : 0.3 * sin(i);
    for (int i = 0; i < BIG * BIG; ++i) big[i] = sin(i % BIG * 0.2) * cos(i / BIG * 0.15);
    mot_panel each[] = {
        {.kind = MOT_PANEL_HEAT,
         .title = "Domain to expert",
         .x = {.label = "expert"},
         .heat = {4, 4, domains, NULL, load, false, 0, 0, "share"}},
        {.kind = MOT_PANEL_HEAT, .title = "Change", .heat = {4, 6, domains, NULL, sign, true, 0, 0, NULL}},
        {.kind = MOT_PANEL_HEAT,
         .title = "Many cells",
         .heat = {BIG, BIG, NULL, NULL, big, true, 0, 0, NULL}}};
    each[1].heat.column_labels = (const char *const[]){"alpha", "beta", "gamma", "delta", "epsilon", "zeta"};
    const mot_figure figure = {.panels = each, .panel_count = 3, .width = 1000, .height = 320};
    char *svg = draw(&figure, "heat.svg",
                     (const char *[]){"home_auto", ">0.93<", ">-0.30<", "epsilon", NULL});
    ck_assert_int_ge(count_of(svg, ">0.00<"), 2); /* also -0.0001 */
    ck_assert_int_eq(count_of(svg, ">-0.00<"), 0);
    ck_assert_int_gt(count_of(svg, "<polygon") + count_of(svg, "<path"), BIG * BIG);
    mot_free(svg);
}
END_TEST

/* What gnuplot, a shell or a reader of XML could take for more than text. */
START_TEST(odd_text)
{
    static const char odd[] = "a_b ^2 'q' \"d\" \\n \\ `touch x` $HOME 50%d {/Bold x} @m <i> & #\n;|é";
    static const char as_xml[] =
        "a_b ^2 'q' \"d\" \\n \\ `touch x` $HOME 50%d {/Bold x} @m &lt;i> &amp; # ;|é";
    const double one[] = {1, 2}, up[] = {0, 3};
    const mot_series series = {.label = odd, .count = 2, .x = one, .y = one};
    const mot_mark mark = {1.5, odd};
    const char *const labels[] = {odd, "%g"};
    mot_panel each[] = {{.title = odd,
                         .x = {.label = odd},
                         .y = {.label = odd},
                         .series = &series,
                         .series_count = 1,
                         .marks = &mark,
                         .mark_count = 1,
                         .levels = &mark,
                         .level_count = 1},
                        {.kind = MOT_PANEL_BARS, .bars = {2, 1, labels, labels, one, NULL, NULL, NULL}},
                        {.kind = MOT_PANEL_HEAT, .heat = {1, 2, labels, labels, up, false, 3, 1, odd}}};
    const mot_figure figure = {.title = odd, .panels = each, .panel_count = 3, .columns = 2};
    char *svg = draw(&figure, "odd '$(x)` |.svg", (const char *[]){"%g", NULL});
    ck_assert_int_eq(count_of(svg, as_xml), 9);
    ck_assert_int_eq(count_of(svg, "a_b ^2 'q' \"d\" \\n \\ `touch x` $HOME 50%d {/Bo…<"), 3); /* names */
    mot_free(svg);
    ck_assert_int_ne(access("x", F_OK), 0);
}
END_TEST

START_TEST(nothing_to_show)
{
    const double none[] = {NAN, -1, 0};
    const mot_series series[] = {
        {.label = "none", .count = 3, .x = none, .y = none, .lower = none, .upper = none},
        {.label = "empty"}};
    mot_panel each[] = {
        {.x = {.log = 10}, .y = {.log = 2}, .series = series, .series_count = 2},
        {.kind = MOT_PANEL_BARS, .y = {.log = 10}, .bars = {1, 2, NULL, NULL, none, NULL, NULL, NULL}},
        {.kind = MOT_PANEL_HEAT, .heat = {1, 1, NULL, NULL, none, true, 0, 0, NULL}}};
    const mot_figure figure = {.panels = each, .panel_count = 3};
    mot_free(draw(&figure, "nothing.svg", (const char *[]){"empty", NULL}));
}
END_TEST

START_TEST(refused)
{
    char path[PATH_MAX];
    path_of(path, "refused.svg");
    const double one[] = {1};
    const mot_series series[MOT_FIGURE_SERIES + 1] = {{.count = 1, .x = one, .y = one, .lower = one}};
    mot_panel panel = {.series = series, .series_count = 1};
    mot_figure figure = {.panels = &panel};
    ck_assert_int_eq(mot_figure_write(&figure, path), MOT_ERR_INPUT);
    figure.panel_count = 1;
    ck_assert_int_eq(mot_figure_write(&figure, path), MOT_ERR_INPUT);
    ck_assert_str_eq(mot_error_message(), "line 0 of a panel has half a band");
    panel.series_count = MOT_FIGURE_SERIES + 1;
    ck_assert_int_eq(mot_figure_write(&figure, path), MOT_ERR_INPUT);
    panel.x.log = 3;
    ck_assert_int_eq(mot_figure_write(&figure, path), MOT_ERR_INPUT);
    panel.x = (mot_axis){.low = 2, .high = 1};
    ck_assert_int_eq(mot_figure_write(&figure, path), MOT_ERR_INPUT);
    ck_assert_int_eq(files_with("refused"), 0);
}
END_TEST

static mot_status write_with_path(const char *search, const char *path)
{
    const double one[] = {1, 2};
    const mot_series series = {.count = 2, .x = one, .y = one};
    const mot_panel panel = {.series = &series, .series_count = 1};
    const mot_figure figure = {.panels = &panel, .panel_count = 1};
    char *before = strdup(getenv("PATH"));
    if (search != NULL) setenv("PATH", search, 1);
    const mot_status status = mot_figure_write(&figure, path);
    if (search != NULL) ck_assert(mot_figure_available() == (status == MOT_OK));
    setenv("PATH", before, 1);
    free(before);
    return status;
}

static void make_program(char place[PATH_MAX], const char *name, const char *script)
{
    char path[PATH_MAX];
    path_of(place, name);
    mot_ck_ok(mot_folder_make(place));
    mot_ck_ok(mot_path_join(path, sizeof path, place, "gnuplot"));
    mot_ck_ok(mot_file_replace(path, script, strlen(script)));
    ck_assert_int_eq(chmod(path, 0755), 0);
}

START_TEST(failures)
{
    char path[PATH_MAX], place[PATH_MAX];
    path_of(path, "failed.svg");
    ck_assert_int_eq(write_with_path("/nowhere", path), MOT_ERR_FILE);
    ck_assert_ptr_nonnull(strstr(mot_error_message(), "no gnuplot (Debian's package gnuplot-nox)"));
    make_program(place, "broken",
                 "#!/bin/sh\necho '<svg>'\necho one >&2\necho '  line 0: two' >&2\nexit 3\n");
    ck_assert_int_eq(write_with_path(place, path), MOT_ERR_FILE);
    ck_assert_ptr_nonnull(strstr(mot_error_message(), "gnuplot ended with code 3 and said: line 0: two"));
    make_program(place, "half", "#!/bin/sh\necho '<svg>'\nkill -9 $$\n");
    ck_assert_int_eq(write_with_path(place, path), MOT_ERR_FILE);
    ck_assert_ptr_nonnull(strstr(mot_error_message(), "code 137"));
    ck_assert_int_eq(files_with("failed"), 0);
    ck_assert_int_eq(write_with_path(NULL, "/nowhere/failed.svg"), MOT_ERR_FILE);
}
END_TEST

START_TEST(has_folder)
{
    mot_ck_ok(mot_folder_make(folder));
}
END_TEST

static void figure_tests(TCase *tcase)
{
    if (!mot_figure_available()) {
        MPI_Finalize();
        printf("skipped: gnuplot is not installed\n");
        exit(77);
    }
    const char *build = getenv("MOT_BUILD_DIR");
    snprintf(folder, sizeof folder, "%s/tests/figures", build != NULL ? build : ".");
    tcase_add_test(tcase, has_folder);
    tcase_add_test(tcase, lines);
    tcase_add_test(tcase, panels);
    tcase_add_test(tcase, bars);
    tcase_add_test(tcase, heat);
    tcase_add_test(tcase, odd_text);
    tcase_add_test(tcase, nothing_to_show);
    tcase_add_test(tcase, refused);
    tcase_add_test(tcase, failures);
}

MOT_CK_MAIN("figure", figure_tests)
