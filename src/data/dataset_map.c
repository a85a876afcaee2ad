/* Samples in another form than they are stored in. */
#include <string.h>

#include "dataset_private.h"
#include "mot/memory.h"

void mot_dataset_map_free(struct dataset_map *map)
{
    if (map == NULL) return;
    mot_free(map->column);
    mot_free(map->word);
    mot_free(map);
}

static void map_text(const struct dataset_map *map, const mot_sample_format *to, const void *sample, void *bytes)
{
    int32_t *ids = bytes;
    unsigned char *narrow = bytes;
    memset(bytes, 0, to->bytes);
    for (size_t t = 0; t < MOT_MIN(map->from.tokens, to->tokens); ++t) {
        const int32_t id = dataset_token(&map->from, sample, t);
        if (id == 0) return;
        const int32_t mapped = map->word != NULL ? map->word[id] : id;
        if (to->element == MOT_ELEMENT_I32)
            ids[t] = mapped;
        else
            narrow[t] = (unsigned char)mapped;
    }
}

void mot_dataset_map_sample(const struct dataset_map *map, const mot_sample_format *to, const void *sample,
                            void *bytes)
{
    const float *from = sample;
    float *x = bytes;
    if (to->kind == MOT_SAMPLE_TEXT) {
        map_text(map, to, sample, bytes);
    } else if (map->column == NULL) {
        memcpy(bytes, sample, to->bytes);
    } else {
        for (size_t t = 0; t < to->tokens; ++t, from += map->from.features)
            for (size_t c = 0; c < to->features; ++c) *x++ = from[map->column[c]];
    }
}
