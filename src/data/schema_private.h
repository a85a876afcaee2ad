/* schema_private.h: what the sources of adopting a data set share. */
#ifndef MOT_SCHEMA_PRIVATE_H
#define MOT_SCHEMA_PRIVATE_H

#include "dataset_private.h"
#include "mot/schema.h"

/* schema_texts.c. Which of the run's ids each word is: map->word. */
mot_status mot_schema_map_words(const mot_schema *schema, const mot_dataset *dataset, const char *path,
                                struct dataset_map *map);
/* Texts of bytes or of words: nothing that the run would have read of them may be lost. Counts words, and those that the run
 * does not know. */
mot_status mot_schema_check_texts(const mot_schema *schema, mot_dataset *dataset, const struct dataset_map *map,
                                  const char *path, mot_gidx *unknown, mot_gidx *words);

#endif
