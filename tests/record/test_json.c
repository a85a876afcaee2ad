/* JSON: what is written is what a reader gets, digit for digit. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "ck.h"
#include "mot/memory.h"
#include "record_private.h"

static char *number(double value)
{
    char *text;
    mot_json *const json = mot_json_begin();
    mot_json_real(json, "x", value);
    mot_ck_ok(mot_json_end(json, &text));
    return text;
}

static void is(double value, const char *expected)
{
    char *const text = number(value);
    ck_assert_str_eq(text, expected);
    mot_free(text);
}

START_TEST(shortest_text_that_reads_back)
{
    is(0.1, "{\"x\": 0.1}");
    is(1.0 / 3, "{\"x\": 0.3333333333333333}");
    is(0.1 + 0.2, "{\"x\": 0.30000000000000004}");
    is(0, "{\"x\": 0}");
    is(-0.0, "{\"x\": -0}");
    is(1e300, "{\"x\": 1e+300}");
    is(NAN, "{\"x\": null}");
    is(-INFINITY, "{\"x\": null}");
    const double some[] = {DBL_MAX, DBL_MIN, DBL_TRUE_MIN, 1.0 + DBL_EPSILON, 123456789.123456789, -2.0 / 7};
    for (size_t i = 0; i < MOT_COUNT(some); ++i) {
        char *const text = number(some[i]);
        ck_assert(strtod(text + 6, NULL) == some[i]);
        mot_free(text);
    }
}
END_TEST

START_TEST(all_kinds)
{
    char *text;
    mot_json *const json = mot_json_begin();
    mot_json_text(json, "status", "done");
    mot_json_text(json, "a \"b\"\\\n\t\x01", "\xc3\xa9");
    mot_json_int(json, "steps", INT64_MIN);
    mot_json_reals(json, "r", 3, (double[]){1, 0.5, NAN});
    mot_json_ints(json, "i", 2, (int64_t[]){INT64_MAX, -1});
    mot_json_ints(json, "none", 0, NULL);
    mot_ck_ok(mot_json_end(json, &text));
    ck_assert_str_eq(text, "{\"status\": \"done\", \"a \\\"b\\\"\\\\\\n\\t\\u0001\": \"\xc3\xa9\", "
                           "\"steps\": -9223372036854775808, \"r\": [1, 0.5, null], "
                           "\"i\": [9223372036854775807, -1], \"none\": []}");
    mot_free(text);
    mot_ck_ok(mot_json_end(mot_json_begin(), &text));
    ck_assert_str_eq(text, "{}");
    mot_free(text);
}
END_TEST

static bool find(const char *line, int64_t *value)
{
    return mot_json_find_int(line, strlen(line), "step", value);
}

typedef struct seen {
    size_t count;
    char said[400];
} seen;

static mot_status note(void *with, const mot_json_member *member)
{
    seen *all = with;
    const size_t used = strlen(all->said);
    ++all->count;
    if (member->text != NULL)
        snprintf(all->said + used, sizeof all->said - used, "%.*s='%.*s';", (int)member->key_length, member->key, (int)member->text_length,
                 member->text);
    else
        snprintf(all->said + used, sizeof all->said - used, "%.*s=%g;", (int)member->key_length, member->key, member->number);
    return MOT_OK;
}

/* Lists, objects and words count as members without a value; brackets and quotes within texts are no structure. */
START_TEST(going_through_the_members)
{
    seen all = {0};
    mot_ck_ok(mot_json_members("{\"a\": 1.5, \"b.c\": \"x, \\\"y\\\" ]}\", \"list\": [1, \"]\", {\"k\": \"}\"}], \"n\": null,\n\"t\": true, \"\": -2e3}", note, &all));
    ck_assert_str_eq(all.said, "a=1.5;b.c='x, \\\"y\\\" ]}';list=nan;n=nan;t=nan;=-2000;");
    all = (seen){0};
    mot_ck_ok(mot_json_members("{}", note, &all));
    mot_ck_ok(mot_json_members("", note, &all));
    mot_ck_ok(mot_json_members("{\"cut", note, &all)); /* ends with what there is */
    ck_assert_uint_eq(all.count, 1);
}
END_TEST

START_TEST(finding_a_number)
{
    int64_t v = 0;
    ck_assert(find("{\"step\": 12, \"x\": 1}", &v) && v == 12);
    ck_assert(find("{\"x\":{\"step\":3},\"step\":-4}", &v) && v == -4);
    ck_assert(find("{\"text\": \"\\\"step\\\": 9\", \"step\" : 7}", &v) && v == 7);
    ck_assert(find("{\"step\": 12", &v) && v == 12);
    ck_assert(!find("{\"steps\": 12}", &v));
    ck_assert(!find("{\"x\": \"step\"}", &v));
    ck_assert(!find("{\"x\": [\"step\", 1]}", &v));
    ck_assert(!find("{\"step\": \"12\"}", &v));
    ck_assert(!find("{\"step\":", &v));
    ck_assert(!find("{\"step", &v));
    ck_assert(!find("{\"step\\", &v));
    ck_assert(!find("", &v));
}
END_TEST

static void json_tests(TCase *tcase)
{
    tcase_add_test(tcase, shortest_text_that_reads_back);
    tcase_add_test(tcase, all_kinds);
    tcase_add_test(tcase, going_through_the_members);
    tcase_add_test(tcase, finding_a_number);
}

MOT_CK_MAIN("json", json_tests)
