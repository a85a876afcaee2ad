/* From labels to classes, and from groups to groups. */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataset_private.h"
#include "import.h"
#include "mot/memory.h"
#include "number.h"

/* The names that the user gave, or only how many there are. */
typedef struct name_list {
    size_t count;
    char **name;
} name_list;

/* "line 7", or "sample 5". */
typedef struct import_where {
    char text[32];
} import_where;
static import_where where_is(const import_part *part, size_t index)
{
    import_where where;
    snprintf(where.text, sizeof where.text, part->line != NULL ? "line %zu" : "sample %zu",
             part->line != NULL ? part->line[index] : index);
    return where;
}

static const import_values *values_of(const import_part *part, bool group)
{
    return group ? &part->group : &part->label;
}

static bool has_values(const import_part *part, bool group)
{
    const import_values *v = values_of(part, group);
    return part->samples > 0 && (v->text != NULL || v->number != NULL);
}

/* What has letters, or digits behind a zero, is a name. */
static bool is_number(const import_values *v, size_t i, double *value)
{
    if (v->number != NULL) return *value = v->number[i], true;
    const char *text = v->text[i], *digit = text + strspn(text, "+-.,");
    if (!isdigit((unsigned char)*digit) || (*text == '0' && isdigit((unsigned char)text[1]))) return false;
    return mot_number_parse(text, v->decimal, value);
}

/* Whether every value of every part is a number. MOT_ERR_INPUT where all are but for those that are missing. */
static mot_status find_numbers(const import_part *parts, bool group, bool *numbers)
{
    size_t count = 0, names = 0, missing = 0;
    const import_part *where = NULL;
    size_t first = 0;
    double value;
    for (int s = 0; s < IMPORT_SPLITS; ++s)
        for (size_t i = 0; has_values(&parts[s], group) && i < parts[s].samples; ++i) {
            const import_values *v = values_of(&parts[s], group);
            const bool is = is_number(v, i, &value);
            count += is;
            names += !is && !mot_number_is_missing(v->text[i]);
            if (is || !mot_number_is_missing(v->text[i]) || missing++ > 0) continue;
            where = &parts[s];
            first = i;
        }
    *numbers = names + missing == 0;
    if (missing == 0 || names > 0 || count == 0) return MOT_OK;
    return mot_fail(MOT_ERR_INPUT, "%s: %s: the %s is missing ('%s')", where->path,
                    where_is(where, first).text, group ? "group" : "label",
                    values_of(where, group)->text[first]);
}

/* ---- numbers ---- */

typedef struct numbers {
    double *distinct; /* of train, sorted; owned */
    size_t count;
    double least, most; /* of all parts */
} numbers;

static int compare_numbers(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static mot_status check_number(const import_part *part, size_t i, const char *what, double value)
{
    const import_where where = where_is(part, i);
    if (isnan(value))
        return mot_fail(MOT_ERR_INPUT, "%s: %s: the %s is missing ('%s')", part->path, where.text, what,
                        "nan");
    if (value != floor(value))
        return mot_fail(MOT_ERR_INPUT,
                        "%s: %s: %s %g, expected a whole number: a %s is a class; numbers to be predicted "
                        "(regression) are --target COLUMN of csv, --numbers of arrays",
                        part->path, where.text, what, value, what);
    if (fabs(value) > 9007199254740992.0)
        return mot_fail(MOT_ERR_INPUT, "%s: %s: %s %.0f, expected at most 2^53", part->path, where.text, what,
                        value);
    return MOT_OK;
}

static mot_status gather(const import_part *parts, bool group, const char *what, numbers *n)
{
    mot_status status = MOT_OK;
    *n = (numbers){.least = INFINITY, .most = -INFINITY};
    MOT_TRY(mot_allocate(&n->distinct, parts[0].samples, sizeof(double), "labels"));
    for (int s = 0; s < IMPORT_SPLITS; ++s)
        for (size_t i = 0; has_values(&parts[s], group) && i < parts[s].samples; ++i) {
            double value = 0;
            is_number(values_of(&parts[s], group), i, &value);
            MOT_TRY(check_number(&parts[s], i, what, value));
            n->least = fmin(n->least, value);
            n->most = fmax(n->most, value);
            if (s == 0) n->distinct[i] = value;
        }
    qsort(n->distinct, parts[0].samples, sizeof(double), compare_numbers);
    for (size_t i = 0; i < parts[0].samples; ++i)
        if (n->count == 0 || n->distinct[n->count - 1] != n->distinct[i])
            n->distinct[n->count++] = n->distinct[i];
done:
    return status;
}

/* With a list of names, or a count that the format says, a number is a place in it; *first is the number of place 0. */
static mot_status find_first(const mot_import_options *options, const numbers *n, size_t count, bool listed,
                             const char *what, double *first)
{
    *first = 0;
    if (!listed || n->least < 1) return MOT_OK;
    if (options->first_label != NULL) {
        *first = options->first_label[0] - '0';
        return MOT_OK;
    }
    if (n->most > (double)count) return MOT_OK; /* named by the caller */
    if (n->most == (double)count) {
        *first = 1;
        mot_import_note(options, "the %ss run from 1 to %zu: %s 1 is the first name, and class 0", what, count,
                        what);
        return MOT_OK;
    }
    if (n->least == 1 && n->most + 1 == (double)count && n->count == count - 1) {
        mot_import_note(options, "no %s is 0: the first of the %zu names has no sample", what, count);
        return MOT_OK;
    }
    return mot_fail(MOT_ERR_INPUT,
                    "the %ss run from %.0f to %.0f, and there are %zu names: is the first name %s 0 or 1? "
                    "(--first-label 0, --first-label 1)",
                    what, n->least, n->most, count, what);
}

static mot_status place_numbers(const import_part *part, bool group, const char *what, const numbers *n,
                                size_t listed, double first, const char *train, int32_t *id)
{
    for (size_t i = 0; i < part->samples; ++i) {
        double value = 0;
        is_number(values_of(part, group), i, &value);
        const double place = value - first;
        if (listed > 0 && (place < 0 || place >= (double)listed))
            return mot_fail(MOT_ERR_INPUT, "%s: %s has %s %.0f, expected [%.0f, %.0f)", part->path,
                            where_is(part, i).text, what, value, first, first + (double)listed);
        if (listed > 0) {
            id[i] = (int32_t)place;
            continue;
        }
        const double *found = bsearch(&value, n->distinct, n->count, sizeof value, compare_numbers);
        if (found == NULL)
            return mot_fail(MOT_ERR_INPUT,
                            "%s: %s: the %s '%.0f' does not occur in %s, and could not be learned", part->path,
                            where_is(part, i).text, what, value, train);
        id[i] = (int32_t)(found - n->distinct);
    }
    return MOT_OK;
}

/* Names are the numbers; "0", "1", ... need none. */
static mot_status name_numbers(const mot_import_options *options, const import_part *part, const numbers *n,
                               const char *what, import_identity *out)
{
    const double least = n->distinct[0], most = n->distinct[n->count - 1];
    const bool signs = n->count == 2 && least == -1 && most == 1;
    out->count = n->count;
    if (n->least < 0 && !signs)
        for (size_t i = 0; i < part->samples; ++i) {
            double value = 0;
            is_number(values_of(part, strcmp(what, "group") == 0), i, &value);
            if (value < 0)
                return mot_fail(MOT_ERR_INPUT,
                                "%s: %s: %.0f is no %s: expected whole numbers from 0, or -1 and 1 alone",
                                part->path, where_is(part, i).text, value, what);
        }
    if (least == 0 && most == (double)(n->count - 1)) return MOT_OK;
    if (most - least + 1 > (double)n->count)
        mot_import_note(options,
                        "the %ss are %zu different numbers from %.0f to %.0f: the classes are those that occur, "
                        "in the order of the numbers, and named by them",
                        what, n->count, least, most);
    else
        mot_import_note(options, "the %ss run from %.0f to %.0f: %s %.0f is class 0, and classes are named by their %s",
                        what, least, most, what, least, what);
    enum { LENGTH = 24 };
    mot_status status = mot_allocate(&out->name, n->count, sizeof(char *) + LENGTH, "names");
    for (size_t i = 0; status == MOT_OK && i < n->count; ++i) {
        out->name[i] = (char *)(out->name + n->count) + LENGTH * i;
        snprintf(out->name[i], LENGTH, "%.0f", n->distinct[i]);
    }
    return status;
}

static mot_status identify_numbers(const mot_import_options *options, const import_part *parts, bool group,
                                   const char *what, const name_list *given, import_identity *out)
{
    numbers n = {0};
    double first = 0;
    mot_status status = MOT_OK;
    MOT_TRY(gather(parts, group, what, &n));
    if (given->count > 0)
        MOT_TRY(find_first(options, &n, given->count, given->name != NULL, what, &first));
    else
        MOT_TRY(name_numbers(options, &parts[0], &n, what, out));
    for (int s = 0; s < IMPORT_SPLITS; ++s)
        if (has_values(&parts[s], group))
            MOT_TRY(
                place_numbers(&parts[s], group, what, &n, given->count, first, parts[0].path, out->id[s]));
done:
    mot_free(n.distinct);
    return status;
}

/* ---- texts ---- */

typedef struct named {
    char *name;
    int32_t id;
} named;

static int compare_named(const void *a, const void *b)
{
    return strcmp(((const named *)a)->name, ((const named *)b)->name);
}

static mot_status check_text(const import_part *part, size_t i, const char *what, const char *text)
{
    const size_t length = text != NULL ? strlen(text) : 0;
    if (text == NULL)
        return mot_fail(MOT_ERR_INPUT, "%s: its %ss are numbers, those of other splits are texts", part->path,
                        what);
    if (length == 0)
        return mot_fail(MOT_ERR_INPUT, "%s: %s has no %s", part->path, where_is(part, i).text, what);
    if (length > IMPORT_MAX_NAME)
        return mot_fail(MOT_ERR_INPUT, "%s: %s: a %s of %zu bytes, expected 1 to %d", part->path,
                        where_is(part, i).text, what, length, IMPORT_MAX_NAME);
    return MOT_OK;
}

/* The names of train, or those given, sorted; each once. */
static mot_status list_names(const import_part *part, bool group, const name_list *given, named **list,
                             size_t *count)
{
    const size_t all = given->name != NULL ? given->count : part->samples;
    const import_values *values = values_of(part, group);
    mot_status status = mot_allocate(list, all, sizeof **list, "names");
    if (status != MOT_OK) return status;
    for (size_t i = 0; i < all; ++i)
        (*list)[i] = (named){given->name != NULL ? given->name[i] : values->text[i], (int32_t)i};
    qsort(*list, all, sizeof **list, compare_named);
    *count = 0;
    for (size_t i = 0; i < all; ++i)
        if (*count == 0 || strcmp((*list)[*count - 1].name, (*list)[i].name) != 0)
            (*list)[(*count)++] = (*list)[i];
    for (size_t i = 0; given->name == NULL && i < *count; ++i) (*list)[i].id = (int32_t)i;
    return MOT_OK;
}

static mot_status place_texts(const import_part *part, bool group, const char *what, const named *list,
                              size_t count, const char *where, int32_t *id)
{
    for (size_t i = 0; i < part->samples; ++i) {
        const named wanted = {values_of(part, group)->text[i], 0};
        const named *found = bsearch(&wanted, list, count, sizeof *list, compare_named);
        if (found == NULL)
            return mot_fail(MOT_ERR_INPUT,
                            "%s: %s: the %s '%.80s' does not occur in %s, and could not be learned",
                            part->path, where_is(part, i).text, what, wanted.name, where);
        id[i] = found->id;
    }
    return MOT_OK;
}

static mot_status identify_texts(const mot_import_options *options, const import_part *parts, bool group,
                                 const char *what, const name_list *given, import_identity *out)
{
    named *list = NULL;
    size_t count = 0;
    mot_status status = MOT_OK;
    for (int s = 0; s < IMPORT_SPLITS; ++s)
        for (size_t i = 0; has_values(&parts[s], group) && i < parts[s].samples; ++i) {
            const import_values *values = values_of(&parts[s], group);
            MOT_TRY(check_text(&parts[s], i, what, values->text != NULL ? values->text[i] : NULL));
        }
    MOT_TRY(list_names(&parts[0], group, given, &list, &count));
    const char *where = given->name != NULL ? (group ? options->group_names : options->class_names)
                                            : parts[0].path;
    for (int s = 0; s < IMPORT_SPLITS; ++s)
        if (has_values(&parts[s], group))
            MOT_TRY(place_texts(&parts[s], group, what, list, count, where, out->id[s]));
    if (given->name != NULL) goto done;
    size_t bytes = 0;
    for (size_t i = 0; i < count; ++i) bytes += sizeof(char *) + strlen(list[i].name) + 1;
    MOT_TRY(mot_allocate(&out->name, 1, bytes, "names"));
    char *at = (char *)(out->name + count);
    for (size_t i = 0; i < count; ++i) {
        out->name[i] = at;
        at = stpcpy(at, list[i].name) + 1;
    }
    out->count = count;
done:
    mot_free(list);
    return status;
}

/* ---- both ---- */

mot_status mot_import_identify(const mot_import_options *options, const import_part *parts, bool group,
                               size_t fixed, import_identity *out)
{
    const char *what = group ? "group" : "label";
    name_list given = {0};
    mot_status status = MOT_OK;
    *out = (import_identity){0};
    MOT_TRY(mot_import_names(group ? options->group_names : options->class_names,
                             group ? "group names" : "class names", &given.count, &given.name));
    for (int s = 0; s < IMPORT_SPLITS; ++s) {
        if (!has_values(&parts[s], group)) continue;
        if (!has_values(&parts[0], group)) {
            status = mot_fail(MOT_ERR_INPUT, "%s has %ss, and %s has none", parts[s].path, what,
                              parts[0].path);
            goto done;
        }
        MOT_TRY(mot_allocate(&out->id[s], parts[s].samples, sizeof(int32_t), "labels"));
    }
    if (out->id[0] == NULL) goto done;
    if (given.name != NULL && fixed > 0 && given.count != fixed) {
        status = mot_fail(MOT_ERR_INPUT, "%s: %zu names, expected one for each of the %zu %s",
                          group ? options->group_names : options->class_names, given.count, fixed,
                          group ? "groups" : "classes");
        goto done;
    }
    if (given.count == 0) given.count = fixed;
    bool are_numbers;
    MOT_TRY(find_numbers(parts, group, &are_numbers));
    if (are_numbers)
        MOT_TRY(identify_numbers(options, parts, group, what, &given, out));
    else
        MOT_TRY(identify_texts(options, parts, group, what, &given, out));
    if (given.count > 0) out->count = given.count;
    if (given.name != NULL) {
        out->name = given.name;
        given.name = NULL;
    }
    if (out->count > DATASET_MAX_NAMES)
        status = mot_fail(MOT_ERR_INPUT, "%s: %zu different %ss, expected at most %d", parts[0].path,
                          out->count, what, DATASET_MAX_NAMES);
done:
    mot_free(given.name);
    return status;
}

void mot_import_identity_free(import_identity *identity)
{
    mot_free(identity->name);
    for (int s = 0; s < IMPORT_SPLITS; ++s) mot_free(identity->id[s]);
    *identity = (import_identity){0};
}
