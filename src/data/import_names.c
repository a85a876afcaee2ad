/* The small texts of options and files. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "import.h"
#include "mot/memory.h"
#include "mot/utf8.h"

/* Pointers into a copy of the text that stands behind them. */
static mot_status cut(const char *text, size_t length, char between, size_t most, const char *what,
                      size_t *count, char ***list)
{
    size_t pieces = 1;
    for (size_t i = 0; i < length; ++i) pieces += text[i] == between;
    if (pieces > most)
        return mot_fail(MOT_ERR_INPUT, "%s: %zu of them, at most %zu are allowed", what, pieces, most);
    mot_status status = mot_allocate(list, 1, pieces * sizeof(char *) + length + 1, what);
    if (status != MOT_OK) return status;
    char *copy = (char *)*list + pieces * sizeof(char *);
    memcpy(copy, text, length);
    *count = 0;
    for (char *end = copy + length; copy <= end;) {
        char *stop = memchr(copy, between, (size_t)(end - copy));
        if (stop == NULL) stop = end;
        *stop = '\0';
        (*list)[(*count)++] = mot_import_trim(copy);
        copy = stop + 1;
    }
    return MOT_OK;
}

static mot_status refuse_empty(const char *text, const char *what, size_t count, char **list)
{
    for (size_t i = 0; i < count; ++i)
        if (list[i][0] == '\0') return mot_fail(MOT_ERR_INPUT, "%s: an empty piece in '%.200s'", what, text);
    return MOT_OK;
}

mot_status mot_import_split_list(const char *text, size_t most, const char *what, size_t *count, char ***list)
{
    mot_status status = cut(text, strlen(text), ',', most, what, count, list);
    if (status == MOT_OK) status = refuse_empty(text, what, *count, *list);
    if (status == MOT_OK) return status;
    mot_free(*list);
    *list = NULL;
    return status;
}

static int compare(const void *a, const void *b)
{
    return strcmp(**(char **const *)a, **(char **const *)b);
}

/* A name is how a class is found again: no two may be alike. */
static mot_status refuse_repeated(const char *text, const char *what, size_t count, char **names)
{
    char ***sorted;
    mot_status status = mot_allocate(&sorted, count, sizeof *sorted, what);
    if (status != MOT_OK) return status;
    for (size_t i = 0; i < count; ++i) sorted[i] = &names[i];
    qsort(sorted, count, sizeof *sorted, compare);
    for (size_t i = 1; i < count && status == MOT_OK; ++i)
        if (strcmp(*sorted[i - 1], *sorted[i]) == 0)
            status = mot_fail(MOT_ERR_INPUT, "%.200s: two of the %s are '%.80s'", text, what, *sorted[i]);
    mot_free(sorted);
    return status;
}

static mot_status read_names(const char *path, const char *what, size_t *count, char ***names)
{
    char *bytes = NULL;
    size_t size, at;
    mot_status status = MOT_OK;
    MOT_TRY(mot_import_read(path, (size_t)16 << 20, &bytes, &size));
    if (memchr(bytes, '\0', size) != NULL || !mot_import_is_utf8(bytes, size, &at)) {
        status = mot_fail(MOT_ERR_INPUT, "%s: not a text file in UTF-8 (expected a name a line)", path);
        goto done;
    }
    MOT_TRY(cut(bytes, size, '\n', 1 << 20, what, count, names));
    while (*count > 1 && (*names)[*count - 1][0] == '\0') --*count; /* blank lines at the end */
    for (size_t i = 0; i < *count; ++i)
        if ((*names)[i][0] == '\0') {
            status = mot_fail(MOT_ERR_INPUT, "%s: line %zu is empty, expected a name a line", path, i + 1);
            goto done;
        }
done:
    mot_free(bytes);
    return status;
}

mot_status mot_import_names(const char *text, const char *what, size_t *count, char ***names)
{
    *names = NULL;
    *count = 0;
    if (text == NULL) return MOT_OK;
    mot_status status = strchr(text, ',') != NULL ? mot_import_split_list(text, 1 << 20, what, count, names)
                                                  : read_names(text, what, count, names);
    return status == MOT_OK ? refuse_repeated(text, what, *count, *names) : status;
}

static size_t blank_at(const char *text)
{
    if (*text == ' ' || (*text >= '\t' && *text <= '\r')) return 1;
    if (strncmp(text, "\xc2\xa0", 2) == 0) return 2;      /* no-break space */
    return strncmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0; /* byte order mark */
}

char *mot_import_trim(char *text)
{
    for (size_t skip; (skip = blank_at(text)) > 0;) text += skip;
    for (size_t length = strlen(text); length > 0;) {
        size_t blank = 0;
        for (size_t back = 1; back <= 3 && back <= length && blank == 0; ++back)
            if (blank_at(text + length - back) == back) blank = back;
        if (blank == 0) break;
        length -= blank;
        text[length] = '\0';
    }
    return text;
}

void mot_import_note(const mot_import_options *options, const char *format, ...)
{
    mot_import_notes *notes = options->notes;
    if (notes == NULL || notes->count++ >= MOT_IMPORT_NOTES) return;
    va_list args;
    va_start(args, format);
    vsnprintf(notes->text[notes->count - 1], sizeof notes->text[0], format, args);
    va_end(args);
}

bool mot_import_is_utf8(const char *bytes, size_t count, size_t *at)
{
    for (size_t i = 0, length; i < count; i += length) {
        length = mot_utf8_character(bytes + i, count - i);
        *at = i;
        if (length == 0) return false;
    }
    return true;
}
