/* product_tiles.h: mot_multiply_bf16 by tiles (AMX-BF16). Private to src/math. */
#ifndef MOT_PRODUCT_TILES_H
#define MOT_PRODUCT_TILES_H

#include "mot/product_bf16.h"

void mot_multiply_tiles(const mot_product_bf16 *product);

#endif
