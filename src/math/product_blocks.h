/* product_blocks.h: a function for each number of rows, and of vectors, that a block of C may have, so that all of it stays
 * in registers. Included where `block` and the inlined multiply(rows, vectors, of) stand, of which they are made. */
typedef void multiply_block(const block *of);

#define BLOCK(rows)                                                                                          \
    static void multiply_##rows##_1(const block *of)                                                         \
    {                                                                                                        \
        multiply(rows, 1, of);                                                                               \
    }                                                                                                        \
    static void multiply_##rows##_2(const block *of)                                                         \
    {                                                                                                        \
        multiply(rows, 2, of);                                                                               \
    }
#define BLOCKS_OF(rows)                                                                                      \
    {                                                                                                        \
        multiply_##rows##_1, multiply_##rows##_2                                                             \
    }

/* clang-format off */
BLOCK(1) BLOCK(2) BLOCK(3) BLOCK(4) BLOCK(5) BLOCK(6)
#ifdef MOT_BLOCKS_OF_14
BLOCK(7) BLOCK(8) BLOCK(9) BLOCK(10) BLOCK(11) BLOCK(12) BLOCK(13) BLOCK(14)
#endif
static multiply_block *const blocks[ROWS][2] = {
    BLOCKS_OF(1), BLOCKS_OF(2), BLOCKS_OF(3), BLOCKS_OF(4), BLOCKS_OF(5), BLOCKS_OF(6),
#ifdef MOT_BLOCKS_OF_14
    BLOCKS_OF(7), BLOCKS_OF(8), BLOCKS_OF(9), BLOCKS_OF(10), BLOCKS_OF(11), BLOCKS_OF(12), BLOCKS_OF(13), BLOCKS_OF(14),
#endif
};
/* clang-format on */
