/* The texts of another data set as the run's own. */
#include "dataset_private.h"
#include "mot/memory.h"
#include "schema_private.h"

/* ---- which word, or id, is which ---- */

/* Bytes mean the same everywhere, and so do ids that nobody has named, as the numbers that they were before they were
 * stored. */
static mot_status map_ids(const mot_schema *schema, const mot_dataset *dataset, const char *path,
                          struct dataset_map *map)
{
    const mot_sample_format *here = &dataset->format, *there = &schema->format;
    const size_t shift_here = here->reading.id_shift, shift_there = there->reading.id_shift;
    const bool bytes_here = here->element == MOT_ELEMENT_U8,
               bytes_there = schema->ids_or_bytes ? bytes_here && there->vocabulary == 256
                                                  : there->element == MOT_ELEMENT_U8;
    mot_status status = MOT_OK;
    if (bytes_here != bytes_there)
        return mot_fail(MOT_ERR_INPUT, "%s holds %s; the run learned %s", path,
                        bytes_here ? "bytes of texts" : "word ids",
                        bytes_there ? "bytes of texts" : "word ids");
    if (here->vocabulary - shift_here > there->vocabulary - shift_there)
        return mot_fail(MOT_ERR_INPUT, "%s holds ids up to %zu; the run learned ids up to %zu", path,
                        here->vocabulary - 1 - shift_here, there->vocabulary - 1 - shift_there);
    if (shift_here == shift_there) return MOT_OK;
    if (shift_here > shift_there)
        return mot_fail(MOT_ERR_INPUT, "%s holds the id 0 as a word; in what the run learned 0 was padding",
                        path);
    MOT_TRY(mot_allocate(&map->word, here->vocabulary, sizeof *map->word, "words"));
    for (size_t i = 1; i < here->vocabulary; ++i) map->word[i] = (int32_t)(i + shift_there);
done:
    return status;
}

/* Texts: which of the run's ids each word is. */
mot_status mot_schema_map_words(const mot_schema *schema, const mot_dataset *dataset, const char *path,
                                struct dataset_map *map)
{
    const size_t here = dataset->format.vocabulary, there = schema->format.vocabulary;
    mot_status status = MOT_OK;
    if ((schema->vocabulary == NULL) != (dataset->vocabulary == NULL))
        return mot_fail(MOT_ERR_INPUT, "%s holds %s; the run learned %s", path,
                        dataset->vocabulary != NULL ? "words" : "bytes, or numbers without words",
                        schema->vocabulary != NULL ? "words" : "bytes, or numbers without words");
    if (schema->vocabulary == NULL) return map_ids(schema, dataset, path, map);
    if (mot_dataset_names_same(dataset->vocabulary, here, schema->vocabulary, there)) return MOT_OK;
    MOT_TRY(mot_allocate(&map->word, here, sizeof *map->word, "words"));
    MOT_TRY(mot_dataset_names_map(dataset->vocabulary, here, schema->vocabulary, there, "words", "of the run",
                                  path, map->word));
    for (size_t i = 0; i < here; ++i)
        if (map->word[i] <= 0) map->word[i] = 1; /* also a word that is written as padding is named */
    map->word[0] = 0;
done:
    return status;
}

/* ---- what is lost ---- */

/* What importing a data set may have taken from texts that the run would have read. */
typedef struct text_losses {
    mot_gidx full;    /* texts as long as there is room for: perhaps cut */
    mot_gidx unnamed; /* words without an id of their own there */
} text_losses;

/* Goes through all texts once. */
static mot_status count_words(mot_dataset *dataset, const struct dataset_map *map, mot_gidx *unknown,
                              mot_gidx *words, text_losses *losses)
{
    const mot_sample_format *format = &map->from;
    unsigned char *sample = NULL;
    mot_status status = mot_allocate(&sample, 1, format->bytes, "a sample");
    if (status != MOT_OK) return status;
    for (mot_gidx i = 0; i < dataset->samples; ++i) {
        size_t t = 0;
        MOT_TRY(mot_dataset_stored(dataset, i, sample));
        for (; t < format->tokens; ++t) {
            const int32_t id = dataset_token(format, sample, t);
            if (id == 0) break;
            if (map->word == NULL) continue;
            *unknown += map->word[id] == 1;
            losses->unnamed += id == 1;
            ++*words;
        }
        losses->full += t == format->tokens;
    }
done:
    mot_free(sample);
    return status;
}

/* Texts of bytes or of words: nothing that the run would have read of them may be lost. */
mot_status mot_schema_check_texts(const mot_schema *schema, mot_dataset *dataset, const struct dataset_map *map,
                                  const char *path, mot_gidx *unknown, mot_gidx *words)
{
    const mot_sample_format *here = &map->from, *there = &schema->format;
    const bool ids = schema->vocabulary == NULL && here->element == MOT_ELEMENT_I32,
               shorter = here->tokens < there->tokens,
               all_named = here->reading.min_count == 1 && dataset->source->split == 0;
    text_losses losses = {0};
    mot_status status = MOT_OK;
    if (ids || (map->word == NULL && !shorter)) return MOT_OK;
    MOT_TRY(count_words(dataset, map, unknown, words, &losses));
    if (shorter && losses.full > 0)
        status = mot_fail(
            MOT_ERR_INPUT,
            "%s was imported with --length %zu, and the run reads %zu tokens of a text: %" MOT_PRI_GIDX
            " texts are that long, and may have been cut (--length %zu)",
            path, here->tokens, there->tokens, losses.full, there->tokens);
    else if (losses.unnamed > 0 && !all_named)
        status = mot_fail(
            MOT_ERR_INPUT,
            "%s: %" MOT_PRI_GIDX " of %" MOT_PRI_GIDX
            " words were rare or unknown where it was imported, and are lost, but the run may know "
            "them: import these texts as --train with --min-count 1 and give eval.split=train, or "
            "'mot predict --text'",
            path, losses.unnamed, *words);
done:
    return status;
}
