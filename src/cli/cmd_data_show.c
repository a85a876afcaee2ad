/* mot data show: what a data set holds, in words and small pictures. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cmd_data.h"
#include "mot/dataset.h"
#include "mot/h5.h"
#include "mot/memory.h"

typedef struct arguments {
    const char *path, *split;
    uint64_t samples;
} arguments;

static const struct argp_option options[] = {{"samples", 'n', "N", 0, "samples to show (default 2)", 0},
                                             {"split", 's', "S", 0, "train (default), val or test", 0},
                                             {0}};

static error_t parse(int key, char *text, struct argp_state *state)
{
    arguments *a = state->input;
    switch (key) {
    case 'n':
        a->samples = cmd_data_whole(state, "samples", text, 0, 1000000);
        break;
    case 's':
        a->split = text;
        break;
    case ARGP_KEY_ARG:
        if (a->path != NULL) {
            cmd_data_wrong(state, "unexpected argument '%s'", text);
            break;
        }
        a->path = text;
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return state->hook != NULL ? EINVAL : 0;
}

static const char *name_of(char **names, int index, char number[16])
{
    snprintf(number, 16, "%d", index);
    return names != NULL ? names[index] : number;
}

static mot_status show_counts(const mot_dataset *set, bool group)
{
    enum { MOST = 120 };
    const int count = group ? set->groups : set->classes;
    mot_gidx *samples;
    char number[16];
    mot_status status = mot_allocate(&samples, (size_t)count, sizeof *samples, "counts");
    if (status != MOT_OK) return status;
    for (mot_gidx i = 0; i < set->samples; ++i) ++samples[group ? set->group[i] : mot_dataset_class(set, i)];
    printf("%s:\n", group ? "samples of each group" : "samples of each class");
    for (int c = 0; c < MOT_MIN(count, MOST); ++c)
        printf("  %-24.60s %8" MOT_PRI_GIDX "\n",
               name_of(group ? set->group_names : set->class_names, c, number), samples[c]);
    if (count > MOST) printf("  ... %d more\n", count - MOST);
    mot_free(samples);
    return MOT_OK;
}

static void show_numbers(const mot_dataset *set)
{
    enum { MOST = 24 };
    const size_t numbers = set->target_bytes / sizeof(float);
    char number[16];
    for (size_t k = 0; k < MOT_MIN(numbers, (size_t)MOST); ++k)
        printf("target %-5.60s %s\n", name_of(set->target_names, (int)k, number), cmd_data_target_range(set, k).text);
    if (numbers > MOST) printf("... %zu more numbers a target\n", numbers - MOST);
}

/* The class of a sample, or its target. */
static void write_target(const mot_dataset *set, mot_gidx index)
{
    enum { MOST = 12 };
    const size_t numbers = set->classes == 0 ? set->target_bytes / sizeof(float) : 0;
    char number[16];
    printf("sample %" MOT_PRI_GIDX ":", index);
    for (size_t k = 0; k < MOT_MIN(numbers, (size_t)MOST); ++k)
        printf(" %.7g", (double)cmd_data_target_number(set, index, k));
    if (numbers > MOST) printf(" ...");
    if (numbers == 0) printf(" %s", name_of(set->class_names, mot_dataset_class(set, index), number));
}

/* Grey, two rows a line since a character is twice as high as wide; large pictures are made smaller. */
static void draw(const mot_sample_format *format, const unsigned char *x)
{
    static const char ramp[] = " .:-=+*#%@";
    const size_t step = (format->width + 79) / 80;
    for (size_t row = 0; row < format->height; row += 2 * step) {
        printf("  |");
        for (size_t column = 0; column < format->width; column += step) {
            unsigned sum = 0, count = 0;
            for (size_t c = 0; c < format->channels; ++c)
                for (size_t h = row; h < MOT_MIN(row + 2 * step, format->height); ++h)
                    for (size_t w = column; w < MOT_MIN(column + step, format->width); ++w, ++count)
                        sum += x[(c * format->height + h) * format->width + w];
            putchar(ramp[sum * (sizeof ramp - 2) / (255 * count)]);
        }
        printf("|\n");
    }
}

static void write_text(const mot_sample_format *format, const void *x, size_t words, char **vocabulary)
{
    const int32_t *ids = x;
    const unsigned char *bytes = x;
    printf("  ");
    for (size_t t = 0; t < format->tokens; ++t) {
        const int32_t id = format->element == MOT_ELEMENT_I32 ? ids[t] : bytes[t];
        if (id == 0) break;
        if (format->element == MOT_ELEMENT_U8)
            putchar(id < ' ' || id == 127 ? ' ' : id);
        else if ((size_t)id < words)
            printf("%s ", vocabulary[id]);
        else
            printf("%d ", id);
    }
    printf("\n");
}

static mot_status show_samples(mot_dataset *set, const char *path, uint64_t count)
{
    const mot_sample_format *format = &set->format;
    hid_t file = H5I_INVALID_HID;
    char **vocabulary = NULL, number[16];
    size_t words = 0;
    float *x = NULL;
    mot_status status = MOT_OK;
    MOT_TRY(mot_allocate(&x, 1, format->bytes, "a sample"));
    MOT_TRY(mot_h5_open(&file, path, false));
    if (mot_h5_exists(file, "vocabulary"))
        MOT_TRY(mot_h5_read_texts(file, "vocabulary", 1 << 24, &words, &vocabulary));
    for (mot_gidx i = 0; i < set->samples && (uint64_t)i < count; ++i) {
        MOT_TRY(mot_dataset_read(set, i, x));
        write_target(set, i);
        if (set->group != NULL) printf(", group %s", name_of(set->group_names, set->group[i], number));
        printf("\n");
        if (format->kind == MOT_SAMPLE_PICTURE) draw(format, (const unsigned char *)x);
        if (format->kind == MOT_SAMPLE_TEXT) write_text(format, x, words, vocabulary);
        for (size_t t = 0; t < MOT_MIN(format->tokens, 16) && format->kind == MOT_SAMPLE_VECTOR; ++t) {
            for (size_t d = 0; d < MOT_MIN(format->features, 12); ++d)
                printf(" %7.3g", x[t * format->features + d]);
            printf(format->features > 12 ? " ...\n" : "\n");
        }
    }
done:
    mot_free(vocabulary);
    mot_h5_close(&file);
    mot_free(x);
    return status;
}

/* The columns of a table, or the channels of a picture; of many, those of the first ones. */
static void show_normalization(const mot_dataset *set)
{
    enum { MOST = 24 };
    static const char *const no_columns = "scaling      none: numbers are taken as they are\n";
    const mot_normalization *n = &set->format.normalization;
    const bool picture = set->format.kind == MOT_SAMPLE_PICTURE;
    if (set->format.kind == MOT_SAMPLE_TEXT) return;
    if (n->scaling == MOT_SCALING_NONE) printf("%s", no_columns);
    for (size_t c = 0; c < MOT_MIN(n->count, (size_t)MOST); ++c) {
        char number[16];
        const char *name = n->scaling == MOT_SCALING_ALL
                               ? "all numbers"
                               : name_of(picture ? NULL : set->column_names, (int)c, number);
        printf("%s %-24.60s mean %.4g deviation %.4g\n", picture ? "channel" : "column", name, n->mean[c],
               n->deviation[c]);
    }
    if (n->count > MOST) printf("... %zu more columns\n", n->count - MOST);
}

/* What a data set is joined of. */
static mot_status show_sources(hid_t file)
{
    static const char *const columns[] = {"sources/name", "sources/file", "sources/change"};
    char **text[3] = {NULL};
    size_t count[3] = {0};
    mot_status status = MOT_OK;
    for (size_t c = 0; c < MOT_COUNT(columns) && mot_h5_exists(file, "sources"); ++c)
        MOT_TRY(mot_h5_read_texts(file, columns[c], 1 << 10, &count[c], &text[c]));
    for (size_t i = 0; i < count[0] && count[1] == count[0] && count[2] == count[0]; ++i)
        printf("joined of    %s: %s, changes: %s\n", text[0][i], text[1][i], text[2][i]);
done:
    for (size_t c = 0; c < MOT_COUNT(columns); ++c) mot_free(text[c]);
    return status;
}

static mot_status show_head(const mot_dataset *set, const arguments *a)
{
    static const char *const kinds[] = {"pictures", "texts", "vectors"}, *const texts[] = {"title", "source",
                                                                                           "licence",
                                                                                           "mot_version"};
    const mot_sample_format *format = &set->format;
    hid_t file;
    mot_status status = mot_h5_open(&file, a->path, false);
    if (status != MOT_OK) return status;
    printf("%s: %" MOT_PRI_GIDX " %s in %s", a->path, set->samples, kinds[format->kind], a->split);
    if (format->kind == MOT_SAMPLE_PICTURE)
        printf(", %zu x %zu x %zu bytes", format->channels, format->height, format->width);
    if (format->kind == MOT_SAMPLE_TEXT)
        printf(", up to %zu tokens of %zu", format->tokens, format->vocabulary);
    if (format->kind == MOT_SAMPLE_VECTOR)
        printf(", %zu tokens of %zu numbers", format->tokens, format->features);
    if (set->classes > 0)
        printf(", %d classes", set->classes);
    else
        printf(", targets of %zu number%s", set->target_bytes / sizeof(float),
               set->target_bytes == sizeof(float) ? "" : "s");
    printf(", %d groups%s\n", set->groups, set->signed_labels ? ", labels -1 and +1" : "");
    for (size_t i = 0; i < MOT_COUNT(texts); ++i) {
        char *text = NULL;
        if (mot_h5_has_attribute(file, ".", texts[i]) &&
            mot_h5_get_text(file, ".", texts[i], &text) == MOT_OK)
            printf("%-12s %.400s\n", texts[i], text);
        mot_free(text);
    }
    status = show_sources(file);
    show_normalization(set);
    printf("checksum     %s (verified)\n", set->checksum);
    mot_h5_close(&file);
    return status;
}

mot_status cmd_data_show(int argc, char **argv)
{
    static const struct argp argp = {.options = options,
                                     .parser = parse,
                                     .args_doc = "FILE",
                                     .doc = "What a data set holds; its checksums are verified."};
    arguments a = {.split = "train", .samples = 2};
    bool help;
    mot_dataset set = {0};
    mot_status status = mot_cli_parse(&argp, argc, argv, &a, &help);
    if (status != MOT_OK || help) return status;
    if (a.path == NULL)
        return mot_fail(MOT_ERR_INPUT, "mot data show needs a FILE (see mot data show --help)");
    MOT_TRY(mot_dataset_open(&set, a.path, a.split, SIZE_MAX));
    MOT_TRY(show_head(&set, &a));
    if (set.classes > 0)
        MOT_TRY(show_counts(&set, false));
    else
        show_numbers(&set);
    if (set.group != NULL) MOT_TRY(show_counts(&set, true));
    MOT_TRY(show_samples(&set, a.path, a.samples));
done:
    mot_dataset_close(&set);
    return status;
}
