/* Files of samples without labels, by the importers, which want labels: each sample gets one that means nothing. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mot/atomic_file.h"
#include "mot/import.h"
#include "mot/memory.h"
#include "predict_private.h"

static const size_t largest = (size_t)8 << 30;

/* The mark between columns: of those that it may be the most frequent in the first line; 0: one column. */
static char separator_of(const char *text)
{
    static const char marks[] = ",;\t|";
    const size_t length = strcspn(text, "\n");
    size_t most = 0;
    char best = 0;
    for (const char *mark = marks; *mark != '\0'; ++mark) {
        size_t count = 0;
        for (size_t i = 0; i < length; ++i) count += text[i] == *mark;
        if (count > most) {
            most = count;
            best = *mark;
        }
    }
    return best;
}

/* Names of columns are a line in which no column is a number. */
static bool has_names(const char *text, char separator)
{
    for (const char *at = text;; ++at) {
        char *end;
        at += strspn(at, " \"");
        (void)strtod(at, &end);
        if (end != at) return false;
        at += strcspn(at, (const char[]){separator, '\n', '\0'});
        if (*at != separator || *at == '\0') return true;
    }
}

/* Every line that is not empty, with `begin` before it, and `head` before the first one where it is given; tabs of the line
 * become blanks where `blanks`. */
static mot_status put_before(const char *path, const char *head, const char *begin, bool blanks,
                             const char *to)
{
    char *text = NULL, *made = NULL;
    size_t count, size = 0;
    FILE *stream = NULL;
    mot_status status;
    MOT_TRY(mot_file_read(path, largest, &text, &count));
    stream = open_memstream(&made, &size);
    if (stream == NULL) {
        status = mot_fail(MOT_ERR_MEMORY, "not enough memory for the samples of %s", path);
        goto done;
    }
    for (size_t at = 0, line = 0; at < count;) {
        const size_t length = strcspn(text + at, "\n");
        for (size_t i = at; blanks && i < at + length; ++i)
            if (text[i] == '\t') text[i] = ' ';
        if (length > 0 && text[at] != '\r')
            fprintf(stream, "%s%.*s\n", line++ == 0 && head != NULL ? head : begin, (int)length, text + at);
        at += length + 1;
    }
    const bool failed = ferror(stream) != 0;
    if (fclose(stream) != 0 || failed)
        status = mot_fail(MOT_ERR_MEMORY, "not enough memory for the samples of %s", path);
    stream = NULL;
    if (status == MOT_OK) status = mot_file_replace(to, made, size);
done:
    if (stream != NULL) fclose(stream);
    free(made);
    mot_free(text);
    return status;
}

static mot_status put_csv(const char *path, const char *to)
{
    char *text = NULL, head[16], begin[4];
    size_t count;
    mot_status status;
    MOT_TRY(mot_file_read(path, largest, &text, &count));
    const char separator = separator_of(text);
    snprintf(head, sizeof head, "no label%c", separator == 0 ? ',' : separator);
    snprintf(begin, sizeof begin, "0%c", separator == 0 ? ',' : separator);
    status = put_before(path, has_names(text, separator) ? head : NULL, begin, false, to);
done:
    mot_free(text);
    return status;
}

/* Labels for the samples of an array: as many as its first extent says. */
static mot_status put_labels(const char *path, const char *to)
{
    char *bytes = NULL;
    size_t count;
    mot_status status;
    MOT_TRY(mot_file_read(path, largest, &bytes, &count));
    const char *shape = count > 12 && memcmp(bytes, "\x93NUMPY", 6) == 0 ? strstr(bytes + 10, "'shape': (")
                                                                         : NULL;
    const long long samples = shape != NULL ? strtoll(shape + strlen("'shape': ("), NULL, 10) : 0;
    if (samples <= 0 || (size_t)samples > count) {
        status = mot_fail(MOT_ERR_INPUT, "%s: not an array of samples as numpy.save writes it", path);
        goto done;
    }
    char head[128] = "\x93NUMPY\x01\x00\x76\x00";
    char text[119];
    snprintf(text, sizeof text, "{'descr': '<i4', 'fortran_order': False, 'shape': (%lld,), }", samples);
    memset(head + 10, ' ', sizeof head - 11);
    memcpy(head + 10, text, strlen(text));
    head[127] = '\n';
    char *made = NULL;
    const size_t size = sizeof head + (size_t)samples * sizeof(int32_t);
    MOT_TRY(mot_allocate(&made, size, 1, "labels")); /* zero */
    memcpy(made, head, sizeof head);
    status = mot_file_replace(to, made, size);
    mot_free(made);
done:
    mot_free(bytes);
    return status;
}

mot_status predict_user_words(mot_status status, const char *to, const char *path)
{
    char sentence[2048];
    if (status == MOT_OK) return MOT_OK;
    snprintf(sentence, sizeof sentence, "%s", mot_error_message());
    const char *at = strstr(sentence, to);
    if (at == NULL) return status;
    return mot_fail(status, "%.*s%s%s", (int)(at - sentence), sentence, path, at + strlen(to));
}

mot_status predict_import(const mot_predict_options *options, const mot_schema *schema, const char *made)
{
    const mot_sample_format *format = &schema->format;
    char with[4096], files[8192];
    const bool picture = format->kind == MOT_SAMPLE_PICTURE, text = format->kind == MOT_SAMPLE_TEXT;
    mot_import_options import = {.out = made, .files = {files}, .min_count = 1, .length = format->tokens};
    mot_status status = MOT_OK;
    if (strlen(made) + 16 > sizeof with)
        return mot_fail(MOT_ERR_INPUT, "the path '%.80s...' is too long", made);
    if (text != (options->input == MOT_PREDICT_TEXT) && options->input != MOT_PREDICT_NPY)
        return mot_fail(MOT_ERR_INPUT, "%s: the run learned %s: give --%s", options->file,
                        text ? "texts" : "numbers", text ? "text" : "csv or --npy");
    snprintf(with, sizeof with, "%s.%s", made, options->input == MOT_PREDICT_NPY ? "npy" : "txt");
    snprintf(files, sizeof files, "%s", with);
    switch (options->input) {
    case MOT_PREDICT_DATA:
        break;
    case MOT_PREDICT_CSV:
        import.label_column = "1";
        if (picture)
            memcpy(import.shape, (size_t[]){format->channels, format->height, format->width},
                   sizeof import.shape);
        MOT_TRY(put_csv(options->file, with));
        status = mot_import_csv(&import);
        break;
    case MOT_PREDICT_TEXT:
        import.bytes = schema->vocabulary == NULL;
        MOT_TRY(put_before(options->file, NULL, "0\t", true, with));
        status = mot_import_text(&import);
        break;
    case MOT_PREDICT_NPY:
        if (snprintf(files, sizeof files, "%s,%s", options->file, with) >= (int)sizeof files)
            return mot_fail(MOT_ERR_INPUT, "the path '%.80s...' is too long", options->file);
        MOT_TRY(put_labels(options->file, with));
        status = mot_import_npy(&import);
        break;
    }
    status = predict_user_words(status, with, options->file);
done:
    unlink(with);
    return status;
}
