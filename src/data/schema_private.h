/* schema_private.h: what the sources of adopting a data set share. */
#ifndef MOT_SCHEMA_PRIVATE_H
#define MOT_SCHEMA_PRIVATE_H

#include "dataset_private.h"
#include "mot/schema.h"

bool mot_schema_same_names(char *const *a, size_t count_a, char *const *b, size_t count_b);
/* map[i]: the place among `of` that has the name of i, or -1. MOT_ERR_INPUT: two there, `whose` they are, have one name. */
mot_status mot_schema_map_names(char *const *names, size_t count, char *const *of, size_t of_count,
                                const char *what, const char *whose, const char *path, int32_t *map);

/* schema_texts.c. Which of the run's ids each word is: map->word. */
mot_status mot_schema_map_words(const mot_schema *schema, const mot_dataset *dataset, const char *path,
                                struct dataset_map *map);
/* Texts of bytes or of words: nothing that the run would have read of them may be lost. Counts words, and those that the run
 * does not know. */
mot_status mot_schema_check_texts(const mot_schema *schema, mot_dataset *dataset, const struct dataset_map *map,
                                  const char *path, mot_gidx *unknown, mot_gidx *words);
void mot_schema_map_text(const struct dataset_map *map, const mot_sample_format *to, const void *sample,
                         void *bytes);

#endif
