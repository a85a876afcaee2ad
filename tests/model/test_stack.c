/* Embed, blocks and head, one behind the other by hand, against the kind `encoder`: the same table, and to the bit the same
 * outputs and gradients, however d_in is asked for; and each takes the memory that it says. */
#include "bench.h"
#include "mot/product_bf16.h"
#include "mot/stack_kinds.h"

enum { D = 6, C = BENCH_OUTPUTS, STATES = (BENCH_ROWS + BENCH_SAMPLES) * D, PARTS = 3 };

typedef struct part {
    const mot_expert_kind *kind;
    mot_expert_shape shape;
    size_t row; /* where its tensors begin in the encoder's table */
    mot_arena arena;
    void *kept;
} part;

static bench_expert whole;
static bench_batch batch;
static bench_tile tile;
static mot_tile states; /* what blocks and head are given */
static size_t first[BENCH_SAMPLES + 1];
static part embed, blocks, head;
static part *const parts[PARTS] = {&embed, &blocks, &head};
static mot_real in[STATES], last[STATES], out[BENCH_SAMPLES * C], d_out[BENCH_SAMPLES * C];

static void begin_part(part *p, const mot_expert_kind *kind, mot_expert_shape shape, mot_table *table)
{
    *p = (part){.kind = kind, .shape = shape, .row = table->rows};
    p->shape.config = &whole.config;
    p->shape.precision = whole.shape.precision;
    mot_ck_ok(kind->table(&p->shape, table));
    mot_ck_ok(mot_arena_init(&p->arena, kind->workspace(&p->shape)));
}

static void begin(mot_precision precision, mot_pool pool, bool text, size_t depth, size_t samples)
{
    static mot_table table;
    const mot_expert_config config = {.width = D,
                                      .heads = 2,
                                      .depth = depth,
                                      .ffn = 7,
                                      .pool = pool,
                                      .tile = samples,
                                      .precision = (mot_precision_rule)precision};
    bench_batch_init(&batch, text);
    bench_expert_init(&whole, &config, text, C, 80);
    gradient_fill(d_out, MOT_COUNT(d_out), 90, 0, 1);
    memset(&table, 0, sizeof table);
    begin_part(&embed, &mot_embed_kind, bench_shape(text, C), &table);
    begin_part(&blocks, &mot_blocks_kind, bench_states(&config, C), &table);
    begin_part(&head, &mot_head_kind, bench_states(&config, C), &table);
    ck_assert_uint_eq(table.count, whole.table.count);
    ck_assert_uint_eq(table.rows, whole.table.rows);
    ck_assert_mem_eq(table.row, whole.table.row, table.rows * sizeof *table.row);
}

static void end(void)
{
    for (size_t i = 0; i < PARTS; ++i) mot_arena_free(&parts[i]->arena);
    bench_expert_free(&whole);
}

static void gather(const size_t *sample, size_t samples)
{
    bench_gather(&tile, &batch, sample, samples);
    for (size_t s = 0; s < samples; ++s)
        first[s + 1] =
            first[s] + mot_expert_rows(embed.kind, &embed.shape, tile.first[s + 1] - tile.first[s]);
    states = (mot_tile){.samples = samples, .first = first};
}

/* NaN: nothing may be read before it is written. */
static void forget(void)
{
    for (size_t i = 0; i < PARTS; ++i) memset(parts[i]->arena.base, 0xff, parts[i]->arena.size);
    memset(in, 0xff, sizeof in);
    memset(last, 0xff, sizeof last);
    memset(out, 0xff, sizeof out);
}

static const mot_real *forward_part(part *p, const mot_tile *of, const mot_real *x, bool learn, mot_real *gives)
{
    mot_tile given = *of;
    if (x != NULL) given.x = x;
    p->kept = p->kind->forward(&p->shape, whole.weight + p->row, &given, &p->arena, learn, gives);
    return gives;
}

static void forward_parts(bool learn)
{
    const mot_real *h = forward_part(&embed, &tile.tile, NULL, learn, in);
    h = forward_part(&blocks, &states, h, learn, last);
    forward_part(&head, &states, h, learn, out);
}

static mot_real *backward_part(part *p, const mot_tile *of, const mot_real *x, const mot_real *d, mot_real *d_in)
{
    mot_tile given = *of;
    if (x != NULL) given.x = x;
    p->kind->backward(&p->shape, whole.weight + p->row, whole.gradient + p->row, &given, &p->arena, p->kept, d,
                      d_in, ~0u);
    return d_in;
}

typedef enum ask { APART, IN_PLACE, NOT_WANTED } ask; /* d_in of blocks */

static void backward_parts(ask how)
{
    static mot_real d_last[STATES], d_states[STATES];
    memset(d_last, 0xff, sizeof d_last);
    memset(d_states, 0xff, sizeof d_states);
    backward_part(&head, &states, last, d_out, d_last);
    mot_real *d_in = how == APART ? d_states : how == IN_PLACE ? d_last : NULL;
    backward_part(&blocks, &states, in, d_last, d_in);
    if (d_in != NULL) backward_part(&embed, &tile.tile, NULL, d_in, NULL);
}

/* Where d_in of blocks is not wanted the embedding learns nothing: its gradient is as it was. */
static void check_gradient(const mot_real *wanted, ask how)
{
    for (size_t r = 0; r < whole.table.rows; ++r) {
        const mot_tensor *row = &whole.table.row[r];
        const mot_real *got = whole.gradient[r];
        if (how == NOT_WANTED && row->part == MOT_PART_EMBED)
            for (size_t i = 0; i < row->count; ++i) ck_assert(got[i] == 0);
        else
            ck_assert_msg(memcmp(got, wanted + row->offset, row->count * sizeof *got) == 0, "%s", row->name);
    }
}

static void check_composition(void)
{
    static const size_t mixed[] = {4, 0, 6, 1, 2};
    static mot_real wanted[20000], wanted_out[BENCH_SAMPLES * C];
    const size_t samples = whole.config.tile, bytes = samples * C * sizeof *out;
    ck_assert_uint_le(whole.table.count, MOT_COUNT(wanted));
    gather(mixed, samples);
    mot_params_zero_gradient(&whole.params);
    void *kept = bench_forward(&whole, &tile.tile, true, wanted_out);
    bench_backward(&whole, &tile.tile, kept, d_out);
    memcpy(wanted, whole.params.gradient, whole.table.count * sizeof *wanted);

    forget();
    forward_parts(false);
    ck_assert_mem_eq(out, wanted_out, bytes);
    for (size_t i = 0; i < PARTS; ++i) ck_assert_uint_eq(parts[i]->arena.used, 0);
    for (int how = APART; how <= NOT_WANTED; ++how) {
        mot_params_zero_gradient(&whole.params);
        forget();
        forward_parts(true);
        ck_assert_mem_eq(out, wanted_out, bytes);
        backward_parts((ask)how);
        check_gradient(wanted, (ask)how);
        for (size_t i = 0; i < PARTS; ++i) mot_arena_rewind(&parts[i]->arena, 0);
    }
}

START_TEST(one_behind_the_other_they_are_an_encoder)
{
    for (int pool = MOT_POOL_MEAN; pool <= MOT_POOL_CLASS; ++pool)
        for (int text = 0; text < 2; ++text)
            for (size_t depth = 0; depth <= 3; ++depth) {
                begin((mot_precision)_i, (mot_pool)pool, text, depth, 2 + depth);
                check_composition();
                end();
            }
}
END_TEST

/* A full tile of the longest samples keeps and takes what was said, and a shorter one less. */
START_TEST(they_take_the_memory_that_they_say)
{
    static const size_t longest[] = {2, 4}, shorter[] = {4, 6}; /* the samples with BENCH_TOKENS tokens; one with fewer */
    for (int pool = MOT_POOL_MEAN; pool <= MOT_POOL_CLASS; ++pool)
        for (int full = 0; full < 2; ++full) {
            begin((mot_precision)_i, (mot_pool)pool, false, 2, 2);
            gather(full ? longest : shorter, 2);
            forward_parts(true);
            for (size_t i = 0; i < PARTS; ++i) {
                const size_t kept = parts[i]->kind->kept(&parts[i]->shape);
                ck_assert(full ? parts[i]->arena.used == kept : parts[i]->arena.used <= kept);
                backward_part(parts[i], i == 0 ? &tile.tile : &states, i == 0 ? NULL : i == 1 ? in : last,
                              i == PARTS - 1 ? d_out : in, NULL);
                ck_assert(full ? parts[i]->arena.used == kept : parts[i]->arena.used <= kept);
                if (full) ck_assert_uint_eq(parts[i]->arena.high, parts[i]->kind->workspace(&parts[i]->shape));
            }
            end();
        }
}
END_TEST

/* What is prepared for many tiles changes no bit, fits the room that was said, and forward alone needs less. */
START_TEST(prepared_weights_change_no_bit)
{
    static const size_t mixed[] = {4, 0, 6};
    static mot_real wanted[20000], wanted_out[BENCH_SAMPLES * C];
    static const void *made;
    mot_arena arena;
    begin((mot_precision)_i, MOT_POOL_CLASS, false, 3, MOT_COUNT(mixed));
    gather(mixed, MOT_COUNT(mixed));
    bench_backward(&whole, &tile.tile, bench_forward(&whole, &tile.tile, true, wanted_out), d_out);
    memcpy(wanted, whole.params.gradient, whole.table.count * sizeof *wanted);
    mot_arena_rewind(&whole.arena, 0);

    mot_ck_ok(mot_arena_init(&arena, mot_expert_prepared(whole.kind, &whole.shape)));
    memset(arena.base, 0xff, arena.size);
    ck_assert_ptr_null(mot_expert_prepare(whole.kind, &whole.shape, whole.weight, &arena, 1, true));
    for (int learn = 0; learn < 2; ++learn) {
        mot_params_zero_gradient(&whole.params);
        memset(out, 0xff, sizeof out);
        mot_arena_rewind(&arena, 0);
        made = mot_expert_prepare(whole.kind, &whole.shape, whole.weight, &arena, 2, learn);
        ck_assert_ptr_nonnull(made);
        ck_assert(learn ? arena.used == arena.size : arena.used < arena.size);
        tile.tile.prepared = made;
        void *kept = bench_forward(&whole, &tile.tile, learn, out);
        ck_assert_mem_eq(out, wanted_out, MOT_COUNT(mixed) * C * sizeof *out);
        if (learn) bench_backward(&whole, &tile.tile, kept, d_out);
    }
    ck_assert_mem_eq(whole.params.gradient, wanted, whole.table.count * sizeof *wanted);
    mot_arena_free(&arena);
    end();
}
END_TEST

START_TEST(rows_of_what_they_give)
{
    mot_expert_config config = {.pool = MOT_POOL_MEAN};
    const mot_expert_shape shape = {.config = &config};
    for (int pool = MOT_POOL_MEAN; pool <= MOT_POOL_CLASS; ++pool) {
        config.pool = (mot_pool)pool;
        ck_assert_uint_eq(mot_expert_rows(&mot_embed_kind, &shape, 7), pool == MOT_POOL_CLASS ? 8 : 7);
        ck_assert_uint_eq(mot_expert_rows(&mot_blocks_kind, &shape, 7), 7);
        ck_assert_uint_eq(mot_expert_rows(&mot_head_kind, &shape, 7), 1);
        ck_assert_uint_eq(mot_expert_rows(mot_expert_kind_at(0), &shape, 7), 1);
    }
}
END_TEST

static void stack_tests(TCase *tcase)
{
    const int precisions = mot_bf16_available() ? 2 : 1;
    tcase_add_loop_test(tcase, one_behind_the_other_they_are_an_encoder, 0, precisions);
    tcase_add_loop_test(tcase, they_take_the_memory_that_they_say, 0, precisions);
    tcase_add_loop_test(tcase, prepared_weights_change_no_bit, 0, precisions);
    tcase_add_test(tcase, rows_of_what_they_give);
}

MOT_CK_MAIN("stack", stack_tests)
