/* Word ids, with padding on either side. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"

/* What is left of a sample without the padding at its ends: [first, first + count). */
typedef struct span {
    size_t first, count;
} span;

static span without_padding(const array *x, const array_ids *ids, size_t sample)
{
    const size_t length = x->shape[1], start = sample * length;
    span s = {0, length};
    if (!ids->has_pad) return s;
    while (s.count > 0 && mot_array_number(x, start + s.count - 1) == ids->pad) --s.count;
    while (s.count > 0 && mot_array_number(x, start + s.first) == ids->pad) ++s.first, --s.count;
    return s;
}

static mot_status fail_id(const array *x, size_t sample, size_t at, double id)
{
    if (id == 0)
        return mot_fail(
            MOT_ERR_INPUT,
            "%s: sample %zu: id 0 stands before other ids: is it padding, or a word? (--pad 0 takes it from "
            "both ends; --pad ID names another id as padding; --pad none: there is none; --kind vector: "
            "these are numbers)",
            x->path, sample);
    if (array_is_float(x) && id != floor(id))
        return mot_fail(MOT_ERR_INPUT, "%s: sample %zu: %g is no word id", x->path, sample, id);
    return mot_fail(MOT_ERR_INPUT,
                    "%s: sample %zu, number %zu: id %.0f, expected 0 to %d (--pad %.0f, if that is padding; "
                    "--kind vector, if these are numbers)",
                    x->path, sample, at, id, INT32_MAX - 2, id);
}

/* Samples for a run have its ids alone. */
static mot_status fail_run_id(const array *x, const mot_schema *run, size_t sample, size_t at, double id)
{
    const mot_reading *reading = &run->format.reading;
    const bool none = strcmp(reading->pad, "none") == 0, told = reading->pad[0] != '\0';
    return mot_fail(
        MOT_ERR_INPUT, "%s: sample %zu, number %zu: %g: the run learned word ids from %d to %zu, with %s%s",
        x->path, sample, at, id, reading->id_shift == 0, run->format.vocabulary - 1 - reading->id_shift,
        none   ? "no padding"
        : told ? "padding at both ends of "
               : "padding behind the last word of 0",
        told && !none ? reading->pad : "");
}

/* Of one sample: the largest id, whether a word is 0, and that all are ids. Untold, 0 is padding behind the end alone. */
static mot_status look(const mot_import_options *options, const array *x, const array_ids *ids, bool told,
                       size_t sample, double *most, bool *zero)
{
    const span s = without_padding(x, ids, sample);
    const mot_schema *run = options->as;
    const double last = run == NULL ? INT32_MAX - 2
                                    : (double)(run->format.vocabulary - 1 - run->format.reading.id_shift);
    for (size_t i = s.first; i < s.first + s.count; ++i) {
        const double id = mot_array_number(x, sample * x->shape[1] + i);
        const bool is_id = id >= 0 && id <= last && id == floor(id);
        if (run != NULL && (!is_id || (id == 0 && ids->shift == 0)))
            return fail_run_id(x, run, sample, i, id);
        if (!is_id || (id == 0 && !told)) return fail_id(x, sample, i, id);
        *most = fmax(*most, id);
        *zero = *zero || id == 0;
    }
    if (told || s.first == 0 || s.count == 0) return MOT_OK;
    return run != NULL ? fail_run_id(x, run, sample, 0, 0) : fail_id(x, sample, 0, 0);
}

mot_status mot_array_ids_find(const mot_import_options *options, const array *const x[IMPORT_SPLITS],
                              array_ids *ids)
{
    const mot_sample_format *run = options->as != NULL ? &options->as->format : NULL;
    const char *pad = run == NULL ? options->pad : run->reading.pad[0] != '\0' ? run->reading.pad : NULL;
    const bool told = pad != NULL;
    double most = 1;
    bool zero = false;
    *ids = (array_ids){.has_pad = !told || strcmp(pad, "none") != 0};
    if (told && ids->has_pad) ids->pad = strtod(pad, NULL);
    if (run != NULL) ids->shift = run->reading.id_shift;
    for (int s = 0; s < IMPORT_SPLITS; ++s)
        for (size_t i = 0; x[s] != NULL && i < x[s]->shape[0]; ++i) {
            const mot_status status = look(options, x[s], ids, told, i, &most, &zero);
            if (status != MOT_OK) return status;
        }
    if (run == NULL) ids->shift = zero;
    ids->vocabulary = (size_t)most + 1 + ids->shift;
    if (zero && run == NULL)
        mot_import_note(options, "%s: id 0 is a word: every id is stored plus 1", x[0]->path);
    return MOT_OK;
}

void mot_array_ids_read(const array *x, const array_ids *ids, size_t sample, int32_t *out)
{
    const span s = without_padding(x, ids, sample);
    memset(out, 0, x->shape[1] * sizeof *out);
    for (size_t i = 0; i < s.count; ++i)
        out[i] = (int32_t)mot_array_number(x, sample * x->shape[1] + s.first + i) + (int32_t)ids->shift;
}
