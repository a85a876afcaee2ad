/* What a run says of its instruction set, and of what it takes besides. */
#include "mot/level.h"

#include <stdio.h>

#include "ck.h"

START_TEST(what_is_taken_besides)
{
    char plain[64], with[96];
    snprintf(plain, sizeof plain, "%s", mot_level());
    snprintf(with, sizeof with, "%s with AMX-BF16", plain);
    for (int turn = 0; turn < 2; ++turn) {
        mot_level_with("AMX-BF16");
        ck_assert_str_eq(mot_level(), with);
        mot_level_with(NULL);
        ck_assert_str_eq(mot_level(), plain);
    }
}
END_TEST

static void level_tests(TCase *tcase)
{
    tcase_add_test(tcase, what_is_taken_besides);
}

MOT_CK_MAIN("level", level_tests)
