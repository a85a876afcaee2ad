/* variants.h: which configurations differ in their seeds alone, and what the others are called. */
#ifndef MOT_VARIANTS_H
#define MOT_VARIANTS_H

#include "mot/config.h"

/* variant [count]: of each configuration the number of those that ask the same whatever the seed, wherever it is computed and
 * whatever it reports. Numbers are in the order in which they come first; how many there are. */
mot_status mot_variants_find(size_t count, const mot_config *const *config, size_t *variant, size_t *variants);

/* Whether a configuration before number i is of its variant and has its seed: the run then is no other seed. */
bool mot_variants_again(const mot_config *const *config, const size_t *variant, size_t i);

/* name [variants]: the keys in which any of them differs from the first, with their values, "model.experts=4 train.rate=0.1"; "":
 * there are none, since one stands alone, or they have other numbers of stages. */
enum { MOT_VARIANT_NAME = 512 };
mot_status mot_variants_name(size_t variants, const mot_config *const *config, char (*name)[MOT_VARIANT_NAME]);

#endif
