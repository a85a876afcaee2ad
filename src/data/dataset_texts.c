/* Texts of lengths of their own: x is their tokens one behind the other, and `first` says where each begins.
 *
 *      x       | 5 9 2 | 7 | 4 4 1 8 |          first   0 3 4 8         a text of the model is padded with 0 when it is read
 */
#include <stdio.h>
#include <string.h>

#include "dataset_private.h"
#include "mot/memory.h"

size_t mot_dataset_text_bytes(const mot_sample_format *format, const void *sample)
{
    const size_t each = mot_element_bytes(format->element);
    size_t tokens = format->tokens;
    while (tokens > 0 && dataset_token(format, sample, tokens - 1) == 0) --tokens;
    return tokens * each;
}

size_t mot_dataset_stored_bytes(const mot_dataset *dataset)
{
    return mot_dataset_span_of(dataset, 0, (size_t)dataset->samples).bytes;
}

static size_t tokens_of(const uint64_t *place, size_t i)
{
    return MOT_MAX((size_t)(place[i + 1] - place[i]), (size_t)1); /* an empty text has one, too */
}

size_t mot_dataset_most_tokens(const mot_dataset *dataset, size_t count, size_t times)
{
    const uint64_t *place = dataset->source->place;
    size_t low = 0, high = dataset->format.tokens;
    if (place == NULL) return count * high;
    /* The least length of which no more than `count` are longer; as many as are missing then are as long as that. */
    while (low < high) {
        const size_t middle = (low + high) / 2;
        size_t longer = 0;
        for (mot_gidx i = 0; i < dataset->samples; ++i) longer += tokens_of(place, (size_t)i) > middle ? times : 0;
        if (longer <= count)
            high = middle;
        else
            low = middle + 1;
    }
    size_t tokens = count * low;
    for (mot_gidx i = 0; i < dataset->samples; ++i)
        if (tokens_of(place, (size_t)i) > low) tokens += times * (tokens_of(place, (size_t)i) - low);
    return tokens;
}

dataset_span mot_dataset_span_of(const mot_dataset *dataset, mot_gidx first, size_t count)
{
    const struct mot_dataset_source *source = dataset->source;
    const mot_sample_format *format = source->map != NULL ? &source->map->from : &dataset->format;
    const size_t each = mot_element_bytes(format->element);
    if (source->place == NULL) return (dataset_span){(uint64_t)first * format->bytes, count * format->bytes};
    const uint64_t *place = source->place + first;
    return (dataset_span){place[0] * each, (size_t)(place[count] - place[0]) * each};
}

/* Places ascend, to the end of x, and no text is longer than the longest may be. */
static mot_status check_places(const uint64_t *place, size_t samples, size_t tokens, uint64_t all, const char *where)
{
    for (size_t i = 0; i < samples; ++i)
        if (place[i + 1] < place[i] || place[i + 1] - place[i] > tokens)
            return mot_fail(MOT_ERR_INPUT, "%s: sample %zu has its tokens from %llu to %llu, expected 0 to %zu of them", where,
                            i, (unsigned long long)place[i], (unsigned long long)place[i + 1], tokens);
    if (place[0] != 0 || place[samples] != all)
        return mot_fail(MOT_ERR_INPUT, "%s: texts have the tokens from %llu to %llu, and there are %llu", where,
                        (unsigned long long)place[0], (unsigned long long)place[samples], (unsigned long long)all);
    return MOT_OK;
}

mot_status mot_dataset_read_places(mot_dataset *dataset, hid_t file, const char *split, const char *where)
{
    struct mot_dataset_source *source = dataset->source;
    mot_sample_format *format = &dataset->format;
    char x[16], first[16];
    int rank[2];
    hsize_t shape[2][MOT_H5_MAX_RANK], size = 0;
    int64_t tokens;
    uint64_t at;
    mot_status status = MOT_OK;
    snprintf(x, sizeof x, "%s/x", split);
    snprintf(first, sizeof first, "%s/" DATASET_FIRST, split);
    MOT_TRY(mot_h5_get_int(file, ".", "tokens", &tokens));
    format->tokens = tokens > 0 ? (size_t)MOT_MIN(tokens, (int64_t)DATASET_MAX_EXTENT + 1) : 0; /* refused below */
    MOT_TRY(mot_dataset_format_check(format, where));
    MOT_TRY(mot_h5_shape(file, x, &rank[0], shape[0]));
    MOT_TRY(mot_h5_shape(file, first, &rank[1], shape[1]));
    MOT_TRY(mot_h5_position(file, x, mot_dataset_element_type(format->element), &at));
    if (rank[0] != 1 || rank[1] != 1 || shape[1][0] < 2 || H5Fget_filesize(file, &size) < 0 || at > size ||
        shape[0][0] > (size - at) / mot_element_bytes(format->element) || shape[1][0] > size / sizeof(uint64_t)) {
        status = mot_fail(MOT_ERR_INPUT, "%s: texts of their own lengths do not fit into a file of %llu bytes", where,
                          (unsigned long long)size);
        goto done;
    }
    MOT_TRY(mot_allocate(&source->place, (size_t)shape[1][0], sizeof *source->place, "the places of texts"));
    MOT_TRY(mot_h5_read(file, first, H5T_NATIVE_INT64, 1, shape[1], source->place));
    dataset->samples = (mot_gidx)shape[1][0] - 1;
    source->first = (off_t)at;
    MOT_TRY(check_places(source->place, (size_t)dataset->samples, format->tokens, shape[0][0], where));
done:
    return status;
}
