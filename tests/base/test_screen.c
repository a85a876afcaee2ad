#include <stdlib.h>
#include <string.h>

#include "ck.h"
#include "mot/screen.h"
#include "mot/types.h"

START_TEST(pieces_of_the_least_weight_go_first_and_together)
{
    static const mot_piece piece[] = {{2, "step 7"}, {3, "  loss 0.5"}, {1, "  9"}, {1, " samples/s"}};
    char line[64];
    static const struct {
        int width;
        const char *line;
    } expected[] = {{80, "step 7  loss 0.5  9 samples/s"},
                    {29, "step 7  loss 0.5  9 samples/s"},
                    {28, "step 7  loss 0.5"},
                    {16, "step 7  loss 0.5"},
                    {15, "  loss 0.5"},
                    {6, "  loss"}};
    for (size_t i = 0; i < MOT_COUNT(expected); ++i) {
        mot_screen_join(line, sizeof line, expected[i].width, MOT_COUNT(piece), piece);
        ck_assert_str_eq(line, expected[i].line);
    }
}
END_TEST

START_TEST(a_cell_has_its_columns_whatever_the_characters)
{
    static const struct {
        const char *text, *cell;
    } expected[] = {{"", "     "},
                    {"abc", "abc  "},
                    {"abcde", "abcde"},
                    {"abcdef", "abcd~"},
                    {"é\u0301x", "é\u0301x   "},
                    {"文字", "文字 "},
                    {"文字文", "文字~"},
                    {"a文字", "a文字"},
                    {"a文字b", "a文~ "},
                    {"a\tb\033", "a?b? "},
                    {"\xff\xe6", "\xff\xe6   "}};
    char cell[32];
    for (size_t i = 0; i < MOT_COUNT(expected); ++i) {
        mot_screen_cell(cell, sizeof cell, expected[i].text, 5);
        ck_assert_str_eq(cell, expected[i].cell);
    }
}
END_TEST

START_TEST(a_line_is_broken_at_blanks_and_behind_words_that_are_longer)
{
    const char *text = "  data   one two three";
    ck_assert_ptr_null(mot_screen_break(text, 22));
    ck_assert_str_eq(mot_screen_break(text, 21), " three");
    ck_assert_str_eq(mot_screen_break(text, 16), " three");
    ck_assert_str_eq(mot_screen_break(text, 15), " two three");
    ck_assert_str_eq(mot_screen_break(text, 3), "   one two three");
    ck_assert_ptr_null(mot_screen_break("longer", 3));
    ck_assert_str_eq(mot_screen_break("longer word", 3), " word");
}
END_TEST

START_TEST(who_has_no_terminal_has_the_columns_of_the_environment)
{
    static const struct {
        const char *columns;
        int width;
    } expected[] = {{"132", 131}, {"", 79}, {"wide", 79}, {"-3", 79}, {"0", 79}, {"1", 9}};
    for (size_t i = 0; i < MOT_COUNT(expected); ++i) {
        ck_assert_int_eq(setenv("COLUMNS", expected[i].columns, 1), 0);
        ck_assert_int_eq(mot_screen_width(), expected[i].width);
    }
    unsetenv("COLUMNS");
    ck_assert_int_eq(mot_screen_width(), 79);
    ck_assert(!mot_screen_is_there());
    ck_assert_int_gt(mot_screen_room(), 1 << 20);
}
END_TEST

static void screen_tests(TCase *tcase)
{
    tcase_add_test(tcase, pieces_of_the_least_weight_go_first_and_together);
    tcase_add_test(tcase, a_cell_has_its_columns_whatever_the_characters);
    tcase_add_test(tcase, a_line_is_broken_at_blanks_and_behind_words_that_are_longer);
    tcase_add_test(tcase, who_has_no_terminal_has_the_columns_of_the_environment);
}

MOT_CK_MAIN("screen", screen_tests)
