/* Memory, the arena, and the sentence of a failure. */
#include <stdint.h>
#include <string.h>

#include "ck.h"
#include "mot/memory.h"
#include "mot/types.h"

static bool aligned(const void *memory)
{
    return (uintptr_t)memory % MOT_ALIGNMENT == 0;
}

START_TEST(calloc_is_aligned_and_zero)
{
    for (size_t count = 0; count < 300; count += 7) {
        unsigned char *memory = mot_calloc(count, 3);
        ck_assert_ptr_nonnull(memory);
        ck_assert(aligned(memory));
        for (size_t i = 0; i < 3 * count; ++i) ck_assert_uint_eq(memory[i], 0);
        if (count > 0) memset(memory, 0xff, 3 * count); /* the next one of this size must be zeroed again */
        mot_free(memory);
    }
    mot_free(NULL);
}
END_TEST

START_TEST(overflow_is_refused)
{
    int here;
    void *memory = &here;
    ck_assert_ptr_null(mot_calloc(SIZE_MAX / 2, 4));
    ck_assert_ptr_null(mot_calloc(SIZE_MAX, 1));
    ck_assert_int_eq(mot_allocate(&memory, SIZE_MAX / 2, 4, "the moon"), MOT_ERR_MEMORY);
    ck_assert_ptr_null(memory);
    ck_assert_ptr_nonnull(strstr(mot_error_message(), "the moon"));
}
END_TEST

START_TEST(reserve_keeps_what_is_there)
{
    int *numbers = NULL;
    size_t capacity = 0, moves = 0;
    for (size_t n = 0; n < 1000; ++n) {
        const int *before = numbers;
        mot_ck_ok(mot_reserve(&numbers, &capacity, n + 1, sizeof *numbers, "numbers"));
        ck_assert_uint_ge(capacity, n + 1);
        moves += numbers != before;
        numbers[n] = (int)n;
    }
    for (size_t n = 0; n < 1000; ++n) ck_assert_int_eq(numbers[n], (int)n);
    ck_assert_uint_le(moves, 16); /* not one copy for every number */

    int *kept = numbers;
    const size_t had = capacity;
    ck_assert_int_eq(mot_reserve(&numbers, &capacity, SIZE_MAX / 2, sizeof *numbers, "too many numbers"),
                     MOT_ERR_MEMORY);
    ck_assert_ptr_eq(numbers, kept);
    ck_assert_uint_eq(capacity, had);
    ck_assert_int_eq(numbers[999], 999);
    mot_free(numbers);
}
END_TEST

START_TEST(arena_takes_marks_and_rewinds)
{
    mot_arena arena;
    const size_t bytes = mot_arena_bytes(3, 5) + mot_arena_bytes(100, 4) + mot_arena_bytes(0, 8) +
                         mot_arena_bytes(1, 65);
    mot_ck_ok(mot_arena_init(&arena, bytes));
    ck_assert(aligned(arena.base));
    ck_assert_uint_eq(arena.size, bytes);

    unsigned char *first = mot_arena_take(&arena, 3, 5);
    memset(first, 1, 15);
    const size_t mark = mot_arena_mark(&arena);
    ck_assert_uint_eq(mark, mot_arena_bytes(3, 5));
    unsigned char *second = mot_arena_take(&arena, 100, 4);
    memset(second, 2, 400);
    (void)mot_arena_take(&arena, 0, 8);
    unsigned char *third = mot_arena_take(&arena, 1, 65);
    memset(third, 3, 65);
    ck_assert(aligned(first) && aligned(second) && aligned(third));
    ck_assert_uint_eq(first[14], 1);
    ck_assert_uint_eq(second[399], 2);
    ck_assert_uint_eq(arena.used, bytes); /* the sizes that were added up are exactly what is used */

    mot_arena_rewind(&arena, mark);
    ck_assert_ptr_eq(mot_arena_take(&arena, 1, 1), second);
    ck_assert_uint_eq(arena.high, bytes); /* the high-water mark stays */
    mot_arena_free(&arena);
    ck_assert_ptr_null(arena.base);
}
END_TEST

START_TEST(arena_sizes_round_up)
{
    ck_assert_uint_eq(mot_arena_bytes(0, 8), 0);
    ck_assert_uint_eq(mot_arena_bytes(1, 1), 64);
    ck_assert_uint_eq(mot_arena_bytes(16, 4), 64);
    ck_assert_uint_eq(mot_arena_bytes(17, 4), 128);
}
END_TEST

START_TEST(failures_speak)
{
    ck_assert_int_eq(mot_fail(MOT_ERR_INPUT, "expert %d outside [0, %d)", 9, 8), MOT_ERR_INPUT);
    ck_assert_str_eq(mot_error_message(), "expert 9 outside [0, 8)");
    ck_assert_int_eq(mot_fail(MOT_ERR_FILE, "%s: %s", "run", mot_error_message()), MOT_ERR_FILE);
    ck_assert_str_eq(mot_error_message(), "run: expert 9 outside [0, 8)");
    ck_assert_int_eq(mot_exit_code(MOT_OK), 0);
    ck_assert_int_eq(mot_exit_code(MOT_ERR_INPUT), 2);
    ck_assert_int_eq(mot_exit_code(MOT_ERR_FILE), 1);
    ck_assert_int_eq(mot_exit_code(MOT_ERR_MEMORY), 1);
    ck_assert_int_eq(mot_exit_code(MOT_ERR_NUMERIC), 1);
    ck_assert_int_eq(mot_exit_code(MOT_STOPPED), 75);
}
END_TEST

/* What is only planned may be more than any machine has; what is written of it is there, and all of it is counted. */
START_TEST(plans_take_no_memory)
{
    const size_t many = (size_t)1 << 42, page = 1 << 12, before = mot_memory_held(), resident = mot_memory_resident().now;
    unsigned char *large = NULL, *small = NULL;
    mot_memory_plan();
    mot_ck_ok(mot_allocate(&large, many, 1, "a plan"));
    mot_ck_ok(mot_allocate(&small, 100, 1, "a small one"));
    ck_assert(aligned(large) && aligned(small));
    ck_assert_uint_ge(mot_memory_held() - before, many + 100);
    ck_assert_uint_eq(large[many - 1], 0);
    large[many - page] = 7;
    ck_assert_uint_eq(large[many - page], 7);
    ck_assert_uint_lt(mot_memory_resident().now - resident, (size_t)1 << 26);

    mot_free(large);
    ck_assert_uint_lt(mot_memory_held() - before, (size_t)1 << 16);
    large = NULL;
    size_t capacity = 0; /* one that grows moves, with what it holds */
    mot_ck_ok(mot_reserve(&large, &capacity, 1 << 20, 1, "a plan"));
    large[12345] = 9;
    mot_ck_ok(mot_reserve(&large, &capacity, 1 << 21, 1, "a plan"));
    ck_assert_uint_eq(large[12345], 9);
    mot_free(large);

    enum { BLOCKS = 6000 }; /* many experts have many */
    static unsigned char *block[BLOCKS];
    for (size_t i = 0; i < BLOCKS; ++i) mot_ck_ok(mot_allocate(&block[i], many >> 12, 1, "one of many"));
    ck_assert_uint_lt(mot_memory_resident().now - resident, (size_t)1 << 26);
    for (size_t i = 0; i < BLOCKS; ++i) mot_free(block[i]);
    ck_assert_int_eq(mot_allocate(&large, SIZE_MAX / 4, 1, "the moon"), MOT_ERR_MEMORY); /* promised is not given as real memory */
    mot_free(small);
    ck_assert_uint_eq(mot_memory_held(), before);
}
END_TEST

static mot_status leaves_on_failure(mot_status first, int *reached)
{
    mot_status status;
    MOT_TRY(first);
    *reached = 1;
done:
    return status;
}

START_TEST(try_leaves_on_failure)
{
    int reached = 0;
    ck_assert_int_eq(leaves_on_failure(MOT_ERR_FILE, &reached), MOT_ERR_FILE);
    ck_assert_int_eq(reached, 0);
    ck_assert_int_eq(leaves_on_failure(MOT_OK, &reached), MOT_OK);
    ck_assert_int_eq(reached, 1);
}
END_TEST

START_TEST(parts_cover_everything)
{
    for (size_t total = 0; total < 40; ++total)
        for (size_t parts = 1; parts < 9; ++parts) {
            ck_assert_uint_eq(mot_part_first(total, parts, 0), 0);
            ck_assert_uint_eq(mot_part_first(total, parts, parts), total);
            for (size_t i = 0; i < parts; ++i) {
                const size_t rows = mot_part_first(total, parts, i + 1) - mot_part_first(total, parts, i);
                ck_assert(rows == total / parts || rows == total / parts + 1);
            }
        }
}
END_TEST

static void memory_tests(TCase *tcase)
{
    tcase_add_test(tcase, calloc_is_aligned_and_zero);
    tcase_add_test(tcase, overflow_is_refused);
    tcase_add_test(tcase, reserve_keeps_what_is_there);
    tcase_add_test(tcase, arena_takes_marks_and_rewinds);
    tcase_add_test(tcase, arena_sizes_round_up);
    tcase_add_test(tcase, failures_speak);
    tcase_add_test(tcase, plans_take_no_memory);
    tcase_add_test(tcase, try_leaves_on_failure);
    tcase_add_test(tcase, parts_cover_everything);
}

MOT_CK_MAIN("memory", memory_tests)
