/* Runs that differ in their seeds alone: who they are, and lines over them. */
#include <math.h>
#include <string.h>

#include "mot/memory.h"
#include "mot/statistics.h"
#include "mot/variants.h"
#include "report_private.h"

enum { LONGEST_NAME = 60 }; /* by its keys; of others that of the first run stands for it */

/* ---- who they are ---- */

/* Of runs whose configuration can be read: numbers and names. from [runs]: the run of each configuration. */
static mot_status find_named(report_all *report, size_t count, const size_t *from, const mot_config **config)
{
    size_t *variant = NULL, variants = 0;
    char(*name)[MOT_VARIANT_NAME] = NULL;
    mot_status status;
    MOT_TRY(mot_allocate(&variant, count, sizeof *variant, "runs"));
    MOT_TRY(mot_variants_find(count, config, variant, &variants));
    for (size_t i = 0; i < count; ++i) {
        report->run[from[i]].variant = variant[i];
        report->run[from[i]].again = mot_variants_again(config, variant, i);
    }
    report->variants = variants;
    /* the first of each moves to the front, behind which nobody looks any more */
    for (size_t i = 0, v = 0; i < count && v < variants; ++i)
        if (variant[i] == v) {
            report->variant[v].name = report->run[from[i]].name;
            config[v++] = config[i];
        }
    MOT_TRY(mot_allocate(&name, variants, sizeof *name, "names of variants"));
    MOT_TRY(mot_variants_name(variants, config, name));
    for (size_t v = 0; v < variants; ++v)
        if (name[v][0] != '\0' && strlen(name[v]) <= LONGEST_NAME) report->variant[v].name = mot_report_text(&report->pool, "%s", name[v]);
done:
    mot_free(variant);
    mot_free(name);
    return status;
}

mot_status mot_report_find_variants(report_all *report)
{
    const mot_config **config = NULL;
    size_t *from = NULL, count = 0;
    mot_status status;
    MOT_TRY(mot_report_take(&report->pool, &report->variant, report->runs, sizeof *report->variant));
    MOT_TRY(mot_allocate(&config, report->runs, sizeof *config, "runs"));
    MOT_TRY(mot_allocate(&from, report->runs, sizeof *from, "runs"));
    for (size_t r = 0; r < report->runs; ++r) {
        if (report->run[r].config == NULL) continue;
        config[count] = report->run[r].config;
        from[count++] = r;
    }
    MOT_TRY(find_named(report, count, from, config));
    for (size_t r = 0; r < report->runs; ++r) {
        if (report->run[r].config != NULL) continue;
        report->variant[report->variants].name = report->run[r].name;
        report->run[r].variant = report->variants++;
    }
    for (size_t r = 0; r < report->runs; ++r) report->variant[report->run[r].variant].seeds += !report->run[r].again;
done:
    mot_free(config);
    mot_free(from);
    return status;
}

/* ---- lines over them ---- */

/* Views of one name and layer. */
typedef struct family {
    const report_view **of; /* [runs]: of each run, or NULL; owned */
    bool *placed;           /* [variants], owned */
} family;

static bool same_places(const report_view *a, const report_view *b)
{
    return a->x.count == b->x.count && memcmp(a->x.values, b->x.values, a->x.count * sizeof *a->x.values) == 0;
}

/* Whether a run's view counts in the lines of a variant, whose places are those of `like` (NULL: any). */
static bool counts(const report_all *report, const family *f, size_t variant, size_t r, const report_view *like)
{
    return f->of[r] != NULL && report->run[r].variant == variant && !report->run[r].again && (like == NULL || same_places(f->of[r], like));
}

/* The first view of a variant whose places most of its runs have, several at least; NULL: there is none. */
static const report_view *lead(const report_all *report, const family *f, size_t variant)
{
    const report_view *found = NULL;
    size_t most = 1;
    for (size_t r = 0; r < report->runs; ++r) {
        size_t alike = 0;
        if (!counts(report, f, variant, r, NULL)) continue;
        for (size_t other = 0; other < report->runs; ++other) alike += counts(report, f, variant, other, f->of[r]);
        if (alike > most) found = f->of[r], most = alike;
    }
    return found;
}

/* The same of one that is yet to be placed, and goes into the view of `like`. */
static const report_view *joins(const report_all *report, const family *f, size_t variant, const report_view *like)
{
    const report_view *const own = f->placed[variant] ? NULL : lead(report, f, variant);
    return own != NULL && same_places(own, like) && own->series_count == like->series_count ? own : NULL;
}

/* The mean of a line over the runs of a variant, and its interval, at each place; how many runs have it, at most. */
static mot_status take_mean(const report_all *report, const family *f, size_t variant, size_t line, const report_view *own,
                            report_view *view, size_t to, size_t *most)
{
    double *value = NULL;
    mot_status status;
    *most = 0;
    MOT_TRY(mot_allocate(&value, report->runs, sizeof *value, "seeds"));
    for (size_t i = 0; i < own->x.count; ++i) {
        mot_interval interval;
        size_t count = 0;
        for (size_t r = 0; r < report->runs; ++r)
            if (counts(report, f, variant, r, own) && line < f->of[r]->series_count && !isnan(f->of[r]->series[line].value[i]))
                value[count++] = f->of[r]->series[line].value[i];
        mot_report_values(view, to)[i] = mot_summarize(value, count).mean;
        MOT_TRY(mot_bootstrap_mean(value, count, &interval));
        mot_report_low(view, to)[i] = interval.low;
        mot_report_high(view, to)[i] = interval.high;
        *most = MOT_MAX(*most, count);
    }
    if (*most < MOT_BOOTSTRAP_LEAST) view->series[to].low = view->series[to].high = NULL;
done:
    mot_free(value);
    return status;
}

/* How many runs a band is of, and who is left out. */
static void tell(report_all *report, const family *f, size_t variant, const report_view *own, size_t count, report_view *view)
{
    report_pool *const pool = &report->pool;
    const bool several = report->variants > 1;
    view->note = mot_report_text(pool, "%s %s%s%zu seeds%s.", view->note, several ? report->variant[variant].name : "", several ? ": " : "", count,
                                 count < MOT_BOOTSTRAP_LEAST ? "; a band needs three" : "");
    for (size_t r = 0; r < report->runs; ++r)
        if (counts(report, f, variant, r, NULL) && !same_places(f->of[r], own))
            view->note = mot_report_text(pool, "%s %s has other steps, and is left out.", view->note, report->run[r].name);
}

/* The lines of a variant behind those that are there already. */
static mot_status put_variant(report_all *report, const family *f, size_t variant, const report_view *own, size_t lines, report_view *view,
                              size_t *to)
{
    const char *const name = report->variant[variant].name;
    size_t most = 0;
    mot_status status = MOT_OK;
    for (size_t s = 0; s < own->series_count && lines > 0; ++s) {
        if (own->series[s].dashed) continue;
        view->series[*to].name = report->variants == 1 ? own->series[s].name
                                 : lines == 1          ? name
                                                       : mot_report_text(&report->pool, "%s, %s", own->series[s].name, name);
        MOT_TRY(take_mean(report, f, variant, s, own, view, (*to)++, &most));
    }
    tell(report, f, variant, own, most, view);
done:
    return status;
}

/* Of all variants yet to be placed whose lines have the places of `like`. */
static mot_status put_view(report_all *report, report_part *part, family *f, const report_view *like, size_t number)
{
    const char *const title = mot_report_text(&report->pool, "%s, over seeds", like->title);
    const char *const id = number == 0 ? mot_report_text(&report->pool, "%s-seeds", like->id)
                                       : mot_report_text(&report->pool, "%s-seeds-%zu", like->id, number + 1);
    size_t lines = 0, variants = 0, to = 0;
    report_view *view;
    mot_status status;
    for (size_t s = 0; s < like->series_count; ++s) lines += !like->series[s].dashed;
    for (size_t v = 0; v < report->variants; ++v) variants += joins(report, f, v, like) != NULL;
    MOT_TRY(mot_report_view(report, part, REPORT_LINES, id, title, -1, like->layer, &view));
    if (like->layer > 0) view->csv = mot_report_text(&report->pool, "%s-layer%d.csv", id, like->layer);
    view->x = like->x;
    view->y = like->y;
    view->marks = like->marks;
    view->mark = like->mark;
    view->note = "Means over runs that differ in their seeds alone, at steps that they have in common; a band is the interval of the mean at 95 %, by bootstrap.";
    MOT_TRY(mot_report_series(report, view, lines * variants, like->x.count, true));
    for (size_t v = 0; v < report->variants; ++v) {
        const report_view *const own = joins(report, f, v, like);
        if (own == NULL) continue;
        MOT_TRY(put_variant(report, f, v, own, lines, view, &to));
        f->placed[v] = true;
    }
done:
    return status;
}

/* Whether all views of a variant have the place. */
static bool is_common(const report_all *report, const family *f, size_t variant, double place)
{
    for (size_t r = 0; r < report->runs; ++r) {
        bool has = !counts(report, f, variant, r, NULL);
        for (size_t i = 0; !has && i < f->of[r]->x.count; ++i) has = f->of[r]->x.values[i] == place;
        if (!has) return false;
    }
    return true;
}

/* A view's places that all of its variant have, and the values there. */
static mot_status trim(report_all *report, const family *f, size_t variant, const report_view *from, report_view **to)
{
    double *number;
    size_t kept = 0;
    mot_status status;
    MOT_TRY(mot_report_take(&report->pool, to, 1, sizeof **to));
    **to = *from;
    MOT_TRY(mot_report_take(&report->pool, &(*to)->series, from->series_count, sizeof *from->series));
    MOT_TRY(mot_report_take(&report->pool, &number, (from->series_count + 1) * from->x.count, sizeof *number));
    for (size_t i = 0; i < from->x.count; ++i) {
        if (!is_common(report, f, variant, from->x.values[i])) continue;
        number[kept] = from->x.values[i];
        for (size_t s = 0; s < from->series_count; ++s) number[(s + 1) * from->x.count + kept] = from->series[s].value[i];
        ++kept;
    }
    (*to)->x.values = number;
    (*to)->x.count = kept;
    for (size_t s = 0; s < from->series_count; ++s) {
        (*to)->series[s] = from->series[s];
        (*to)->series[s].value = number + (s + 1) * from->x.count;
    }
done:
    return status;
}

/* Where stages end by what is learned, no two runs have the same places: then those that all have are shown. */
static mot_status find_common(report_all *report, family *f, size_t variant)
{
    const report_view **trimmed = NULL;
    mot_status status = MOT_OK;
    if (lead(report, f, variant) != NULL) return MOT_OK;
    MOT_TRY(mot_allocate(&trimmed, report->runs, sizeof *trimmed, "seeds"));
    for (size_t r = 0; r < report->runs; ++r) {
        report_view *view = NULL;
        if (counts(report, f, variant, r, NULL)) MOT_TRY(trim(report, f, variant, f->of[r], &view));
        trimmed[r] = view;
    }
    for (size_t r = 0; r < report->runs; ++r)
        if (trimmed[r] != NULL) f->of[r] = trimmed[r];
done:
    mot_free(trimmed);
    return status;
}

static mot_status put_layer(report_all *report, report_part *part, const char *id, int layer)
{
    family f = {0};
    mot_status status;
    MOT_TRY(mot_allocate(&f.of, report->runs, sizeof *f.of, "seeds"));
    MOT_TRY(mot_allocate(&f.placed, report->variants, sizeof *f.placed, "seeds"));
    for (const report_view *view = part->first; view != NULL; view = view->next)
        if (view->kind == REPORT_LINES && view->run >= 0 && view->layer == layer && strcmp(view->id, id) == 0) f.of[view->run] = view;
    for (size_t v = 0; v < report->variants; ++v) MOT_TRY(find_common(report, &f, v));
    for (size_t v = 0, number = 0; v < report->variants; ++v) {
        const report_view *const own = lead(report, &f, v);
        if (own != NULL && own->x.count > 0 && !f.placed[v]) MOT_TRY(put_view(report, part, &f, own, number++));
    }
done:
    mot_free(f.of);
    mot_free(f.placed);
    return status;
}

mot_status mot_report_over_seeds(report_all *report, report_part *part, const char *id)
{
    int layers = 0;
    mot_status status = MOT_OK;
    for (size_t r = 0; r < report->runs; ++r) layers = MOT_MAX(layers, report->run[r].layers);
    for (int l = -1; l < layers; ++l) MOT_TRY(put_layer(report, part, id, l));
done:
    return status;
}
