/* The table of parameters, and initial values that nobody's order changes. */
#include "mot/params.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "ck.h"
#include "mot/memory.h"

static mot_table table;

static void make_table(mot_table *made)
{
    *made = (mot_table){0};
    mot_ck_ok(mot_table_add(made, "embed", MOT_PART_EMBED, 2, (const size_t[]){5, 7}, 0, 0.5, true));
    mot_ck_ok(mot_table_add(made, "absent", MOT_PART_EMBED, 1, (const size_t[]){0}, 0, 0.5, false));
    mot_ck_ok(mot_table_add(made, "gain", MOT_PART_FFN, 1, (const size_t[]){16}, 1, 0, false));
    mot_ck_ok(mot_table_add(made, "twin", MOT_PART_FFN, 2, (const size_t[]){5, 7}, 0, 0.5, true));
    mot_ck_ok(mot_table_add(made, "large", MOT_PART_HEAD, 3, (const size_t[]){20, 30, 40}, 2, 3, true));
}

START_TEST(offsets_are_aligned_and_apart)
{
    make_table(&table);
    ck_assert_uint_eq(table.rows, 5);
    size_t end = 0;
    for (size_t r = 0; r < table.rows; ++r) {
        const mot_tensor *row = &table.row[r];
        ck_assert_uint_eq(row->offset % 16, 0);
        ck_assert_uint_ge(row->offset, end);
        end = row->offset + row->count;
    }
    ck_assert_uint_eq(table.row[0].count, 35);
    ck_assert_uint_eq(table.row[1].count, 0);
    ck_assert_uint_eq(table.row[4].count, 24000);
    ck_assert_uint_eq(table.row[4].shape[2], 40);
    ck_assert_uint_ge(table.count, end);
    ck_assert_uint_eq(table.count, 48 + 0 + 16 + 48 + 24000);
    ck_assert_uint_eq(mot_table_parameters(&table, 1u << MOT_PART_EMBED), 35);
    ck_assert_uint_eq(mot_table_parameters(&table, 1u << MOT_PART_FFN | 1u << MOT_PART_HEAD),
                      16 + 35 + 24000);
    ck_assert_uint_eq(mot_table_parameters(&table, 1u << MOT_PART_GATE), 0);
}
END_TEST

START_TEST(a_full_table_says_so)
{
    mot_table full = {0};
    for (int i = 0; i < MOT_TABLE_ROWS; ++i)
        mot_ck_ok(mot_table_add(&full, "t", MOT_PART_FFN, 1, (const size_t[]){1}, 0, 1, true));
    ck_assert_int_eq(mot_table_add(&full, "t", MOT_PART_FFN, 1, (const size_t[]){1}, 0, 1, true),
                     MOT_ERR_INPUT);
    ck_assert_ptr_nonnull(strstr(mot_error_message(), "model.depth"));
    ck_assert_uint_eq(full.rows, MOT_TABLE_ROWS);
}
END_TEST

/* Every row of the whole is in exactly one of the two selections, in order, with everything but its offset.
 */
START_TEST(selections_split_the_table)
{
    make_table(&table);
    for (mot_part_set parts = 0; parts < 1u << MOT_PARTS; ++parts) {
        mot_table in, out;
        memset(&in, 0x55, sizeof in); /* a selection overwrites whatever was there */
        memset(&out, 0x55, sizeof out);
        mot_table_select(&in, &table, parts, true);
        mot_table_select(&out, &table, parts, false);
        ck_assert_uint_eq(in.rows + out.rows, table.rows);
        size_t at[2] = {0, 0}, count[2] = {0, 0};
        for (size_t r = 0; r < table.rows; ++r) {
            const mot_tensor *row = &table.row[r];
            const int side = (parts >> row->part & 1u) == 0;
            const mot_tensor *found = &(side == 0 ? &in : &out)->row[at[side]++];
            ck_assert_str_eq(found->name, row->name);
            ck_assert(found->part == row->part && found->rank == row->rank && found->count == row->count);
            ck_assert(memcmp(found->shape, row->shape, sizeof row->shape) == 0);
            ck_assert(found->mean == row->mean && found->deviation == row->deviation &&
                      found->decay == row->decay);
            ck_assert_uint_eq(found->offset, count[side]);
            count[side] += (row->count + 15) / 16 * 16;
        }
        ck_assert_uint_eq(in.count, count[0]);
        ck_assert_uint_eq(out.count, count[1]);
    }
}
END_TEST

static mot_params made(int unit, uint64_t seed)
{
    mot_params params;
    mot_ck_ok(mot_params_create(&params, &table, unit));
    mot_params_init(&params, seed);
    return params;
}

START_TEST(blocks_start_empty)
{
    make_table(&table);
    mot_params params;
    mot_ck_ok(mot_params_create(&params, &table, 3));
    const mot_real *block[] = {params.value, params.gradient, params.moment[0], params.moment[1]};
    for (size_t i = 0; i < MOT_COUNT(block); ++i) {
        ck_assert_uint_eq((uintptr_t)block[i] % MOT_ALIGNMENT, 0);
        for (size_t j = 0; j < table.count; ++j) ck_assert(block[i][j] == 0);
    }
    ck_assert_int_eq(params.unit, 3);
    ck_assert_int_eq(params.updates, 0);
    for (size_t j = 0; j < table.count; ++j) params.gradient[j] = 1;
    mot_params_zero_gradient(&params);
    for (size_t j = 0; j < table.count; ++j) ck_assert(params.gradient[j] == 0);
    mot_params_free(&params);
    ck_assert_ptr_null(params.value);
}
END_TEST

START_TEST(initial_values_are_pure)
{
    make_table(&table);
    const size_t bytes = table.count * sizeof(mot_real);
    mot_params first = made(4, 7), second = made(5, 7), third = made(4, 7), other = made(4, 8);
    ck_assert_int_eq(memcmp(first.value, third.value, bytes), 0);
    ck_assert_int_ne(memcmp(first.value, second.value, bytes), 0);
    ck_assert_int_ne(memcmp(first.value, other.value, bytes), 0);

    /* Training leaves no trace in values that are made anew, nor in the optimizer's state. */
    for (size_t i = 0; i < table.count; ++i) first.moment[0][i] = first.moment[1][i] = 3;
    for (size_t r = 0; r < table.rows; ++r)
        for (size_t i = 0; i < table.row[r].count; ++i) first.value[table.row[r].offset + i] = 9;
    first.updates = 12;
    mot_params_init(&first, 7);
    ck_assert_int_eq(memcmp(first.value, third.value, bytes), 0);
    ck_assert_int_eq(first.updates, 0);
    for (size_t i = 0; i < table.count; ++i) ck_assert(first.moment[0][i] == 0 && first.moment[1][i] == 0);

    mot_params_free(&first);
    mot_params_free(&second);
    mot_params_free(&third);
    mot_params_free(&other);
}
END_TEST

/* How many numbers two tensors have in common, place by place. */
static size_t in_common(const mot_real *x, const mot_real *y, size_t n)
{
    size_t same = 0;
    for (size_t i = 0; i < n; ++i) same += x[i] == y[i];
    return same;
}

START_TEST(units_and_tensors_differ)
{
    make_table(&table);
    const int unit[] = {MOT_UNIT_GATE, MOT_UNIT_TIED, 0, 1, 2, 4095};
    const mot_tensor *embed = &table.row[0], *twin = &table.row[3];
    mot_params params[MOT_COUNT(unit)];
    for (size_t u = 0; u < MOT_COUNT(unit); ++u) {
        params[u] = made(unit[u], 7);
        for (size_t v = 0; v < u; ++v)
            ck_assert_uint_eq(in_common(params[u].value, params[v].value, embed->count), 0);
        ck_assert_uint_eq(
            in_common(params[u].value + embed->offset, params[u].value + twin->offset, twin->count), 0);
    }
    for (size_t u = 0; u < MOT_COUNT(unit); ++u) mot_params_free(&params[u]);
}
END_TEST

START_TEST(initial_values_have_their_moments)
{
    make_table(&table);
    mot_params params = made(0, 7);
    const mot_tensor *gain = &table.row[2], *large = &table.row[4];
    for (size_t i = 0; i < gain->count; ++i) ck_assert(params.value[gain->offset + i] == 1);
    double sum = 0, square = 0;
    for (size_t i = 0; i < large->count; ++i) {
        const double x = ((double)params.value[large->offset + i] - large->mean) / large->deviation;
        sum += x;
        square += x * x;
    }
    const double n = (double)large->count;
    ck_assert_double_lt(fabs(sum / n), 5 / sqrt(n));
    ck_assert_double_lt(fabs(square / n - 1), 5 * sqrt(2 / n));
    /* Padding stays 0: it is part of the block that is hashed and stored. */
    for (size_t i = 35; i < 48; ++i) ck_assert(params.value[i] == 0);
    mot_params_free(&params);
}
END_TEST

static void params_tests(TCase *tcase)
{
    tcase_add_test(tcase, offsets_are_aligned_and_apart);
    tcase_add_test(tcase, a_full_table_says_so);
    tcase_add_test(tcase, selections_split_the_table);
    tcase_add_test(tcase, blocks_start_empty);
    tcase_add_test(tcase, initial_values_are_pure);
    tcase_add_test(tcase, units_and_tensors_differ);
    tcase_add_test(tcase, initial_values_have_their_moments);
}

MOT_CK_MAIN("params", params_tests)
