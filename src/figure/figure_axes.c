#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "figure_private.h"

/* In single quotes gnuplot knows one thing only: a doubled quote is a quote. */
void mot_figure_text(FILE *script, const char *text)
{
    fputc('\'', script);
    for (const char *c = text == NULL ? "" : text; *c != '\0'; ++c) {
        if (*c == '\'') fputc(*c, script);
        fputc((unsigned char)*c < ' ' || *c == 127 ? ' ' : *c, script);
    }
    fputc('\'', script);
}

/* Gnuplot cuts a tick's label behind its 49th byte, if need be within a character; so it is shortened here before. */
static void tick_text(FILE *script, const char *text)
{
    char label[2 * 48 + 4];
    size_t length = 0, bytes = strlen(text) <= 48 ? 48 : 45;
    while (bytes < strlen(text) && bytes < 48 && ((unsigned char)text[bytes] & 0xC0) == 0x80) --bytes;
    for (size_t i = 0; i < bytes && text[i] != '\0'; ++i) {
        if (text[i] == '%') label[length++] = '%';
        label[length++] = text[i];
    }
    snprintf(label + length, sizeof label - length, "%s", strlen(text) > 48 ? "…" : "");
    mot_figure_text(script, label);
}

double mot_figure_text_width(const char *text)
{
    size_t characters = 0;
    for (const char *c = text == NULL ? "" : text; *c != '\0'; ++c)
        characters += ((unsigned char)*c & 0xC0) != 0x80; /* the first byte of each in UTF-8 */
    return (double)characters * FIGURE_CHARACTER;
}

/* Okabe and Ito's, the lines that are easiest to tell apart first; their yellow, too pale on white, is a grey here. */
const char *mot_figure_color(size_t index, int color)
{
    static const char *const colors[MOT_FIGURE_COLORS] = {"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                                          "#e69f00", "#56b4e9", "#000000", "#8c8c8c"};
    return colors[color > 0 ? (size_t)color - 1 : index % MOT_FIGURE_COLORS];
}

figure_range mot_figure_range_empty(void)
{
    return (figure_range){HUGE_VAL, -HUGE_VAL};
}

bool mot_figure_shows(const mot_axis *axis, double value)
{
    return isfinite(value) && (axis->log == 0 || value > 0);
}

void mot_figure_extend(figure_range *range, const mot_axis *axis, double value)
{
    if (!mot_figure_shows(axis, value)) return;
    range->low = fmin(range->low, value);
    range->high = fmax(range->high, value);
}

/* What the data take, widened by `margin` of itself; numbers that are nowhere negative do not start below 0. */
static figure_range widen(figure_range data, bool logarithmic, double margin)
{
    if (data.low > data.high) data = logarithmic ? (figure_range){1, 10} : (figure_range){0, 1};
    if (logarithmic) {
        const double pad = data.low == data.high ? 2 : exp(margin * log(data.high / data.low));
        return (figure_range){data.low / pad, data.high * pad};
    }
    const double size = data.high - data.low;
    const double pad = size > 0 ? margin * size : fmax(0.1 * fabs(data.high), 1e-3);
    const double low = data.low >= 0 ? fmax(data.low - pad, 0) : data.low - pad;
    return (figure_range){low, data.high + pad};
}

figure_range mot_figure_range_settle(figure_range data, const mot_axis *axis, double margin)
{
    figure_range range = widen(data, axis->log != 0, margin);
    if (axis->low == 0 && axis->high == 0) return range;
    if (!isnan(axis->low)) range.low = axis->low;
    if (!isnan(axis->high)) range.high = axis->high;
    if (range.low < range.high) return range;
    /* One end was given and lies beyond all data. */
    if (isnan(axis->high)) range.high = axis->log != 0 ? 2 * range.low : range.low + 1;
    if (isnan(axis->low)) range.low = axis->log != 0 ? range.high / 2 : range.high - 1;
    return range;
}

static void write_key(FILE *script, mot_key key)
{
    static const char *const places[] = {
        [MOT_KEY_BELOW] = "bmargin center horizontal",
        [MOT_KEY_RIGHT] = "rmargin top vertical",
        [MOT_KEY_TOP_LEFT] = "inside top left vertical",
        [MOT_KEY_TOP_RIGHT] = "inside top right vertical",
        [MOT_KEY_BOTTOM_LEFT] = "inside bottom left vertical",
        [MOT_KEY_BOTTOM_RIGHT] = "inside bottom right vertical",
    };
    if (key == MOT_KEY_NONE) {
        fputs("unset key\n", script);
        return;
    }
    const bool inside = key != MOT_KEY_BELOW && key != MOT_KEY_RIGHT;
    fprintf(script, "set key %s Left reverse samplen 1.8 spacing 1.15 font ',10'%s\n",
            places[key], inside ? " opaque fillcolor rgb '#40ffffff' nobox" : "");
}

void mot_figure_begin(const figure_pen *pen, int rows)
{
    const mot_panel *panel = pen->panel;
    fputs("reset\nset border 3 lw 0.8 lc rgb '#505050'\n"
          "set tics nomirror out scale 0.5 font ',10' textcolor rgb '" FIGURE_INK "'\n"
          "set grid xtics ytics back lt 1 lw 0.5 lc rgb '#e3e3e3'\nset format '%.10g'\n",
          pen->script);
    if (panel->title != NULL) {
        fputs("set title ", pen->script);
        mot_figure_text(pen->script, panel->title);
        fprintf(pen->script, " font ',12' textcolor rgb '" FIGURE_INK "' offset 0,%.2f\n",
                0.8 * rows);
    }
    /* Without an offset gnuplot finds the room for a title by itself. */
    if (rows > 0) fprintf(pen->script, "set tmargin %.2f\n", 0.9 * rows + (panel->title != NULL ? 2.2 : 0.8));
    const mot_axis *axes[] = {&panel->x, &panel->y};
    for (int i = 0; i < 2; ++i) {
        if (axes[i]->label == NULL) continue;
        fprintf(pen->script, "set %clabel ", "xy"[i]);
        mot_figure_text(pen->script, axes[i]->label);
        fprintf(pen->script, " textcolor rgb '" FIGURE_INK "' offset 0,%s\n", i == 0 ? "0.4" : "0");
    }
    write_key(pen->script, panel->key);
}

/* `raise`: from 100 on, powers of ten stand as 10 with a raised exponent. */
static void log_tick(FILE *script, int base, int exponent, int factor, bool raise, bool first)
{
    static const char *const raised[] = {"⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"};
    const double value = factor * pow(base, exponent);
    if (!first) fputs(", ", script);
    if (!raise || exponent == 0 || exponent == 1) {
        fprintf(script, "'%.6g' %.17g", value, value);
        return;
    }
    fputc('\'', script);
    if (factor != 1) fprintf(script, "%d·", factor);
    fprintf(script, "10%s", exponent < 0 ? "⁻" : "");
    if (abs(exponent) >= 10) fputs(raised[abs(exponent) / 10 % 10], script);
    fprintf(script, "%s' %.17g", raised[abs(exponent) % 10], value);
}

/* Ticks at powers of the base, thinned to about eight; over less than two decades also at 2 and 5, or at all digits. */
static void log_ticks(FILE *script, int base, figure_range range)
{
    const double scale = log(base);
    const int first = (int)ceil(log(range.low) / scale - 1e-9);
    const int last = (int)floor(log(range.high) / scale + 1e-9);
    const int powers = last - first + 1, every = powers > 8 ? (powers + 7) / 8 : 1;
    static const char steps[3][10] = {"1", "125", "123456789"};
    const double decades = log(range.high / range.low) / log(10);
    const char *factors = base != 10 || powers >= 3 ? steps[0] : decades > 0.8 ? steps[1] : steps[2];
    const bool raise = base == 10 && (last >= 5 || first <= -5);
    bool empty = true;
    for (int exponent = first - 1; exponent <= last; exponent += factors[1] == '\0' ? every : 1) {
        for (const char *f = factors; *f != '\0'; ++f) {
            const double value = (*f - '0') * pow(base, exponent);
            if (value < range.low * (1 - 1e-9) || value > range.high * (1 + 1e-9)) continue;
            log_tick(script, base, exponent, *f - '0', raise, empty);
            empty = false;
        }
        if (factors[1] == '\0' && exponent == first - 1) exponent += 1 - every; /* on to `first` itself */
    }
}

void mot_figure_axis(FILE *script, char name, const mot_axis *axis, figure_range range)
{
    fprintf(script, "set %crange [%.17g:%.17g]\n", name, range.low, range.high);
    if (axis->log != 0) fprintf(script, "set logscale %c %d\n", name, axis->log);
    if (axis->ticks == NULL && axis->log == 0) return;
    fprintf(script, "set %ctics (", name);
    if (axis->ticks == NULL) log_ticks(script, axis->log, range);
    for (size_t i = 0; i < (axis->ticks == NULL ? 0 : axis->tick_count); ++i)
        fprintf(script, "%s'%.10g' %.17g", i > 0 ? ", " : "", axis->ticks[i], axis->ticks[i]);
    fputs(")\n", script);
}

void mot_figure_levels(const figure_pen *pen)
{
    for (size_t i = 0; i < pen->panel->level_count; ++i) {
        const mot_mark *level = &pen->panel->levels[i];
        if (!mot_figure_shows(&pen->panel->y, level->at)) continue;
        fprintf(pen->script, ", %.17g with lines dt %zu lw 1.3 lc rgb '" FIGURE_FAINT "' ", level->at,
                2 + i % 4);
        if (level->text == NULL) fputs("notitle", pen->script);
        if (level->text != NULL) fputs("title ", pen->script), mot_figure_text(pen->script, level->text);
    }
}

/* The next round number from `least` on: 1, 2, 5, 10, 20, ... */
static size_t round_step(double least)
{
    static const size_t factors[] = {2, 5, 10};
    size_t ten = 1, step = 1;
    for (size_t i = 0; (double)step < least; ++i) {
        step = ten * factors[i % 3];
        if (i % 3 == 2) ten = step;
    }
    return step;
}

void mot_figure_names(const figure_pen *pen, char axis, const char *const *labels, size_t count)
{
    const double room = (axis == 'x' ? 0.68 * pen->width : 0.6 * pen->height) / (double)count, line = 14;
    char number[24];
    snprintf(number, sizeof number, "%zu", count - 1);
    double longest = mot_figure_text_width(labels == NULL ? number : "");
    for (size_t i = 0; labels != NULL && i < count; ++i)
        longest = fmax(longest, mot_figure_text_width(labels[i]));
    const bool leans = axis == 'x' && labels != NULL && longest + 4 > room;
    const size_t every = round_step((axis == 'x' && !leans ? longest + 4 : line) / room);
    fprintf(pen->script, "set %ctics scale 0 %s (", axis, leans ? "rotate by 35 right" : "");
    for (size_t i = 0; i < count; i += every) {
        snprintf(number, sizeof number, "%zu", i);
        if (i > 0) fputs(", ", pen->script);
        tick_text(pen->script, labels != NULL ? labels[i] : number);
        fprintf(pen->script, " %zu", i);
    }
    fputs(")\n", pen->script);
}
