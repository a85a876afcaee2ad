/* Texts: lines "label<TAB>group<TAB>text" or "label<TAB>text". Ids of labels and groups are the places of
 * their names in sorted order over all splits. Words: lower-case (ASCII), split at blanks, id 0 padding, 1
 * unknown, then the words seen min_count times or more in train, in sorted order. Bytes: the id is the byte.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataset_private.h"
#include "import.h"
#include "mot/memory.h"

enum { MAX_WORD = 64, MAX_NAME = 255 }; /* bytes; a longer word is an unknown one */

typedef struct line {
    char *label, *group, *text; /* group NULL with two columns; ended by 0, in the file's bytes */
} line;

typedef struct lines {
    char *bytes;
    line *line;
    size_t count, capacity;
} lines;

/* ---- lines ---- */

static mot_status read_line(const char *path, size_t number, char *at, bool *has_group, bool first, line *out)
{
    char *tab = strchr(at, '\t'), *second = tab != NULL ? strchr(tab + 1, '\t') : NULL;
    if (tab == NULL || (second != NULL && strchr(second + 1, '\t') != NULL))
        return mot_fail(MOT_ERR_INPUT, "%s: line %zu: expected label<TAB>group<TAB>text or label<TAB>text",
                        path, number);
    if (first) *has_group = second != NULL;
    if (*has_group != (second != NULL))
        return mot_fail(MOT_ERR_INPUT, "%s: line %zu has %d columns, those before have %d", path, number,
                        second != NULL ? 3 : 2, second != NULL ? 2 : 3);
    *tab = '\0';
    if (second != NULL) *second = '\0';
    *out = (line){at, second != NULL ? tab + 1 : NULL, second != NULL ? second + 1 : tab + 1};
    const size_t label = strlen(out->label), group = out->group != NULL ? strlen(out->group) : 1;
    if (label < 1 || label > MAX_NAME || group < 1 || group > MAX_NAME)
        return mot_fail(MOT_ERR_INPUT, "%s: line %zu: a label or group of %zu bytes, expected 1 to %d", path,
                        number, label < 1 || label > MAX_NAME ? label : group, MAX_NAME);
    return MOT_OK;
}

static mot_status read_lines(const char *path, bool *has_group, bool *known, lines *l)
{
    size_t size, number = 0;
    mot_status status = import_read(path, import_limit, &l->bytes, &size);
    if (status != MOT_OK) return status;
    for (char *at = l->bytes, *end = l->bytes + size; at < end;) {
        char *stop = memchr(at, '\n', (size_t)(end - at));
        if (stop == NULL) stop = end;
        const size_t length = (size_t)(stop - at);
        size_t wrong;
        ++number;
        if (memchr(at, '\0', length) != NULL || !import_is_utf8(at, length, &wrong))
            return mot_fail(MOT_ERR_INPUT, "%s: line %zu: not a text in UTF-8", path, number);
        *stop = '\0';
        if (length > 0 && at[length - 1] == '\r') at[length - 1] = '\0';
        if (at[0] != '\0') {
            status = mot_reserve(&l->line, &l->capacity, l->count + 1, sizeof(line), "the lines of a text");
            if (status == MOT_OK)
                status = read_line(path, number, at, has_group, !*known, &l->line[l->count]);
            if (status != MOT_OK) return status;
            *known = true;
            ++l->count;
        }
        at = stop + 1;
    }
    return l->count > 0 ? MOT_OK : mot_fail(MOT_ERR_INPUT, "%s: no line of text", path);
}

/* ---- names: sorted, without repetition ---- */

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static size_t unique(size_t count, char **names)
{
    size_t kept = 0;
    if (count > 0) qsort(names, count, sizeof *names, compare);
    for (size_t i = 0; i < count; ++i)
        if (kept == 0 || strcmp(names[kept - 1], names[i]) != 0) names[kept++] = names[i];
    return kept;
}

static int32_t place(size_t count, char **names, const char *name)
{
    char **found = bsearch(&name, names, count, sizeof *names, compare);
    return found != NULL ? (int32_t)(found - names) : -1;
}

/* The names of train are those of all splits: one that only another split has could never be learned. */
static mot_status collect(const mot_import_options *options, const lines *splits, bool group, size_t *count,
                          char ***names)
{
    mot_status status = mot_allocate(names, splits[0].count, sizeof(char *), "names");
    if (status != MOT_OK) return status;
    for (size_t i = 0; i < splits[0].count; ++i)
        (*names)[i] = group ? splits[0].line[i].group : splits[0].line[i].label;
    *count = unique(splits[0].count, *names);
    for (int s = 1; s < IMPORT_SPLITS; ++s)
        for (size_t i = 0; i < splits[s].count; ++i) {
            const char *name = group ? splits[s].line[i].group : splits[s].line[i].label;
            if (place(*count, *names, name) < 0)
                return mot_fail(MOT_ERR_INPUT, "%s: sample %zu: the %s '%.80s' does not occur in %s",
                                options->files[s], i, group ? "group" : "label", name, options->files[0]);
        }
    return MOT_OK;
}

/* ---- words ---- */

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* The next word of *at, cut off by a 0 in place and in lower case; NULL at the end. */
static char *next_word(char **at)
{
    while (is_blank(**at)) ++*at;
    if (**at == '\0') return NULL;
    char *word = *at;
    for (; **at != '\0' && !is_blank(**at); ++*at)
        if (**at >= 'A' && **at <= 'Z') **at = (char)(**at - 'A' + 'a');
    if (**at != '\0') *(*at)++ = '\0';
    return word;
}

/* A text is copied before it is cut into words: it is gone through twice. */
static mot_status copy_text(const char *text, char **copy, size_t *capacity)
{
    const size_t size = strlen(text) + 1;
    mot_status status = mot_reserve(copy, capacity, size, 1, "a text");
    if (status == MOT_OK) memcpy(*copy, text, size);
    return status;
}

/* *words: [2 + count], the first two for padding and unknown; sorted from the third on. *block holds all
 * characters. */
static mot_status make_vocabulary(const lines *train, size_t min_count, size_t *count, char ***words,
                                  char **block)
{
    size_t bytes = 0, have = 0, capacity = 0;
    char *next, **all = NULL;
    for (size_t i = 0; i < train->count; ++i) bytes += strlen(train->line[i].text) + 1;
    mot_status status = MOT_OK;
    MOT_TRY(mot_allocate(block, bytes, 1, "the words of a text"));
    next = *block;
    for (size_t i = 0; i < train->count; ++i) {
        char *at = next;
        const size_t size = strlen(train->line[i].text) + 1;
        memcpy(at, train->line[i].text, size);
        next += size;
        for (char *word; (word = next_word(&at)) != NULL;) {
            if (strlen(word) > MAX_WORD) continue;
            MOT_TRY(mot_reserve(&all, &capacity, have + 1, sizeof(char *), "the words of a text"));
            all[have++] = word;
        }
    }
    MOT_TRY(mot_allocate(words, have + 2, sizeof(char *), "a vocabulary"));
    static char padding[] = "<padding>", unknown[] = "<unknown>";
    (*words)[0] = padding;
    (*words)[1] = unknown;
    *count = 2;
    if (have > 0) qsort(all, have, sizeof *all, compare);
    for (size_t i = 0, run; i < have; i += run) {
        for (run = 1; i + run < have && strcmp(all[i], all[i + run]) == 0;) ++run;
        if (run >= min_count) (*words)[(*count)++] = all[i];
    }
done:
    mot_free(all);
    return status;
}

/* ---- a split ---- */

typedef struct names {
    size_t labels, groups, words;
    char **label, **group, **word, *block;
} names;

static mot_status add_split(const mot_import_options *options, int s, const lines *l, const names *n,
                            size_t length, mot_dataset_writer *writer)
{
    char *copy = NULL;
    size_t capacity = 0;
    int32_t *ids = NULL;
    mot_status status = MOT_OK;
    MOT_TRY(mot_allocate(&ids, length, sizeof *ids, "a text"));
    for (size_t i = 0; i < l->count; ++i) {
        const line *row = &l->line[i];
        memset(ids, 0, length * sizeof *ids);
        if (options->bytes) {
            memcpy(ids, row->text, strnlen(row->text, length));
        } else {
            MOT_TRY(copy_text(row->text, &copy, &capacity));
            char *at = copy, *word;
            for (size_t t = 0; t < length && (word = next_word(&at)) != NULL; ++t) {
                const int32_t found = place(n->words - 2, n->word + 2, word);
                ids[t] = found >= 0 ? found + 2 : 1;
            }
        }
        const int32_t y = place(n->labels, n->label, row->label);
        const int32_t group = row->group != NULL ? place(n->groups, n->group, row->group) : 0;
        MOT_TRY(mot_dataset_writer_add(writer, dataset_split_names[s], 1, ids, &y,
                                       row->group != NULL ? &group : NULL));
    }
done:
    mot_free(ids);
    mot_free(copy);
    return status;
}

mot_status mot_import_text(const mot_import_options *options)
{
    lines splits[IMPORT_SPLITS] = {{0}};
    names n = {0};
    mot_dataset_writer *writer = NULL;
    mot_dataset_about about = {0};
    bool has_group = false, known = false;
    const size_t length = options->length > 0 ? options->length : options->bytes ? 128 : 16;
    mot_status status = MOT_OK;
    for (int s = 0; s < IMPORT_SPLITS; ++s)
        if (options->files[s] != NULL) MOT_TRY(read_lines(options->files[s], &has_group, &known, &splits[s]));
    MOT_TRY(collect(options, splits, false, &n.labels, &n.label));
    if (has_group) MOT_TRY(collect(options, splits, true, &n.groups, &n.group));
    mot_sample_format format = {.kind = MOT_SAMPLE_TEXT, .tokens = length, .vocabulary = 256};
    if (!options->bytes) {
        const size_t min_count = options->min_count > 0 ? options->min_count : 3;
        MOT_TRY(make_vocabulary(&splits[0], min_count, &n.words, &n.word, &n.block));
        format.element = MOT_ELEMENT_I32;
        format.vocabulary = n.words;
    }
    MOT_TRY(mot_dataset_writer_open(&writer, options->out, &format));
    for (int s = 0; s < IMPORT_SPLITS; ++s)
        if (splits[s].count > 0) MOT_TRY(add_split(options, s, &splits[s], &n, length, writer));
    import_about(options, &about);
    about.class_count = n.labels;
    about.class_names = (const char *const *)n.label;
    about.group_count = n.groups;
    about.group_names = (const char *const *)n.group;
    about.vocabulary_count = n.words;
    about.vocabulary = (const char *const *)n.word;
    MOT_TRY(mot_dataset_writer_close(&writer, &about, true));
done:
    mot_dataset_writer_close(&writer, &about, false);
    for (int s = 0; s < IMPORT_SPLITS; ++s) {
        mot_free(splits[s].line);
        mot_free(splits[s].bytes);
    }
    mot_free(n.label);
    mot_free(n.group);
    mot_free(n.word);
    mot_free(n.block);
    return status;
}
