/* What the samples of an array are. */
#include <stdio.h>
#include <string.h>

#include "array.h"

static mot_status fail_axes(const array *x, const char *kind, const char *expected)
{
    return mot_fail(MOT_ERR_INPUT, "%s: %s as %ss: expected %s", x->path, mot_array_describe(x).text, kind,
                    expected);
}

/* Where the channels of a run's pictures can stand in an array of this shape: behind the sample, at the end, both, or
 * neither. */
static void run_layouts(const array *x, const mot_sample_format *run, bool *front, bool *back)
{
    const size_t *shape = x->shape;
    *front = shape[1] == run->channels && shape[2] == run->height && shape[3] == run->width;
    *back = shape[1] == run->height && shape[2] == run->width && shape[3] == run->channels;
}

/* Channels stand behind the sample, or at the end: where the run's have room, or else the axis that is short. */
static mot_status find_layout(const mot_import_options *options, array *x)
{
    enum { FEW = 4, MOST = 16 };
    const size_t front = x->shape[1], back = x->shape[3];
    bool last = options->layout == MOT_LAYOUT_HWC, fits_front = false, fits_back = false;
    if (options->as != NULL) run_layouts(x, &options->as->format, &fits_front, &fits_back);
    if (options->layout == MOT_LAYOUT_AUTO && fits_front != fits_back) {
        last = fits_back;
    } else if (options->layout == MOT_LAYOUT_AUTO) {
        last = back <= FEW && front > FEW;
        if ((fits_front && fits_back) ||
            (!last && (front > MOST || back <= FEW || (front > FEW && back <= MOST))))
            return mot_fail(MOT_ERR_INPUT,
                            "%s: %s: do the channels stand before the rows of a picture or behind its columns? "
                            "(--layout chw, --layout hwc)",
                            x->path, mot_array_describe(x).text);
        mot_import_note(options, "%s: %s are pictures of %zu x %zu with %zu channels (--layout %s)", x->path,
                        mot_array_describe(x).text, x->shape[last ? 1 : 2], x->shape[last ? 2 : 3],
                        last ? back : front, last ? "hwc" : "chw");
    }
    if (!last) return MOT_OK;
    const size_t shape[3] = {x->shape[3], x->shape[1], x->shape[2]},
                 stride[3] = {x->stride[3], x->stride[1], x->stride[2]};
    memcpy(x->shape + 1, shape, sizeof shape);
    memcpy(x->stride + 1, stride, sizeof stride);
    x->plain = false;
    return MOT_OK;
}

static mot_status as_pictures(const mot_import_options *options, array *x, mot_sample_format *format)
{
    if (x->rank != 3 && x->rank != 4)
        return fail_axes(x, "picture", "[n, H, W], [n, C, H, W] or [n, H, W, C]");
    if (x->rank == 4) {
        const mot_status status = find_layout(options, x);
        if (status != MOT_OK) return status;
    }
    *format = (mot_sample_format){.kind = MOT_SAMPLE_PICTURE,
                                  .channels = x->rank == 4 ? x->shape[1] : 1,
                                  .height = x->shape[x->rank - 2],
                                  .width = x->shape[x->rank - 1]};
    return MOT_OK;
}

static mot_status as_texts(const array *x, mot_sample_format *format)
{
    if (x->rank != 2) return fail_axes(x, "text", "word ids [n, L]");
    *format = (mot_sample_format){.kind = MOT_SAMPLE_TEXT, .element = MOT_ELEMENT_I32, .tokens = x->shape[1]};
    return MOT_OK;
}

static mot_status as_vectors(const array *x, mot_sample_format *format)
{
    if (x->rank != 2 && x->rank != 3) return fail_axes(x, "vector", "[n, D] or [n, L, D]");
    *format = (mot_sample_format){.kind = MOT_SAMPLE_VECTOR,
                                  .element = MOT_ELEMENT_F32,
                                  .tokens = x->rank == 3 ? x->shape[1] : 1,
                                  .features = x->shape[x->rank - 1]};
    return MOT_OK;
}

/* Integers of 32 and 64 bits in two axes are word ids, other numbers there vectors; bytes in more axes are pictures, and so
 * are all in four. */
static const char *usual_kind(const array *x)
{
    const bool integer = x->kind == ARRAY_SIGNED || x->kind == ARRAY_UNSIGNED;
    if (x->rank == 4) return "picture";
    if (x->rank == 2) return integer && x->size >= 4 ? "text" : "vector";
    if (x->kind == ARRAY_UNSIGNED && x->size == 1) return "picture";
    return x->rank == 3 && integer ? NULL : "vector";
}

static void note_kind(const mot_import_options *options, const array *x, const char *kind)
{
    if (x->rank == 3 && strcmp(kind, "vector") == 0)
        mot_import_note(options,
                        "%s: %s are %zu tokens of %zu numbers a sample; --kind picture takes them as pictures",
                        x->path, mot_array_describe(x).text, x->shape[1], x->shape[2]);
    if (x->rank == 2 && strcmp(kind, "text") == 0)
        mot_import_note(options, "%s: %s are word ids; --kind vector takes them as numbers", x->path,
                        mot_array_describe(x).text);
    if (x->rank == 2 && strcmp(kind, "vector") == 0 && !array_is_float(x))
        mot_import_note(options, "%s: %s are numbers; --kind text takes them as word ids", x->path,
                        mot_array_describe(x).text);
}

/* ---- as a run learned them ---- */

static mot_status fail_run(const array *x, const mot_sample_format *run)
{
    const size_t C = run->channels, H = run->height, W = run->width;
    char form[160];
    if (run->kind == MOT_SAMPLE_TEXT)
        snprintf(form, sizeof form, "word ids [n, %zu]", run->tokens);
    else if (run->kind == MOT_SAMPLE_PICTURE && C == 1)
        snprintf(form, sizeof form, "pictures [n, %zu, %zu]", H, W);
    else if (run->kind == MOT_SAMPLE_PICTURE)
        snprintf(form, sizeof form, "pictures [n, %zu, %zu, %zu] or [n, %zu, %zu, %zu]", C, H, W, H, W, C);
    else if (run->tokens == 1)
        snprintf(form, sizeof form, "numbers [n, %zu]", run->features);
    else
        snprintf(form, sizeof form, "numbers [n, %zu, %zu]", run->tokens, run->features);
    return mot_fail(MOT_ERR_INPUT, "%s: %s: the run learned %s", x->path, mot_array_describe(x).text, form);
}

static mot_status as_run(const mot_import_options *options, array *x, mot_sample_format *format)
{
    const mot_sample_format *run = &options->as->format;
    const bool axes[3] = {x->rank == 3 || x->rank == 4, x->rank == 2, x->rank == 2 || x->rank == 3};
    mot_status status = MOT_OK;
    if (array_is_text(x) || !axes[run->kind]) return fail_run(x, run);
    if (run->kind == MOT_SAMPLE_TEXT) return as_texts(x, format);
    if (run->kind == MOT_SAMPLE_VECTOR) {
        MOT_TRY(as_vectors(x, format));
    } else {
        bool front = true, back = true;
        if (x->rank == 4) run_layouts(x, run, &front, &back);
        if (!front && !back) return fail_run(x, run);
        MOT_TRY(as_pictures(options, x, format));
    }
    if (format->channels != run->channels || format->height != run->height || format->width != run->width ||
        format->tokens != run->tokens || format->features != run->features)
        return fail_run(x, run);
done:
    return status;
}

mot_status mot_array_sample_format(const mot_import_options *options, array *x, mot_sample_format *format)
{
    if (options->as != NULL) return as_run(options, x, format);
    const char *kind = options->kind != NULL ? options->kind : usual_kind(x);
    if (array_is_text(x))
        return mot_fail(MOT_ERR_INPUT,
                        "%s: samples that are texts: 'mot data import text' reads them, a line each",
                        x->path);
    if (kind == NULL)
        return mot_fail(MOT_ERR_INPUT, "%s: %s: pictures, or tokens of numbers? (--kind picture, --kind vector)",
                        x->path, mot_array_describe(x).text);
    if (x->rank == 1)
        return mot_fail(MOT_ERR_INPUT,
                        "%s: samples in 1 dimensions: one number a sample; a column of numbers is [n, 1]",
                        x->path);
    if (options->kind == NULL) note_kind(options, x, kind);
    if (strcmp(kind, "picture") == 0) return as_pictures(options, x, format);
    return strcmp(kind, "text") == 0 ? as_texts(x, format) : as_vectors(x, format);
}
