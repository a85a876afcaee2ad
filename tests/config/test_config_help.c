/* docs/config.md is what the table says, and both forms of the help name every key. */
#include <string.h>

#include "ck.h"
#include "mot/config.h"

static char *help_text;
static size_t help_size;

/* Owned by the caller. */
static char *help(bool markdown)
{
    FILE *stream = open_memstream(&help_text, &help_size);
    ck_assert_ptr_nonnull(stream);
    mot_config_help(stream, markdown);
    fclose(stream);
    return help_text;
}

/* MOT_WRITE_DOCS=1 writes the page instead. */
START_TEST(test_page_is_the_table)
{
    const char *folder = getenv("MOT_SOURCE_DIR");
    char path[4096];
    snprintf(path, sizeof path, "%s/docs/config.md", folder != NULL ? folder : ".");
    char *expected = help(true);
    if (getenv("MOT_WRITE_DOCS") != NULL) {
        FILE *page = fopen(path, "w");
        ck_assert_ptr_nonnull(page);
        fputs(expected, page);
        fclose(page);
    }
    FILE *page = fopen(path, "r");
    ck_assert_msg(page != NULL, "%s is missing", path);
    char line[4096];
    size_t at = 0;
    for (int number = 1; fgets(line, sizeof line, page) != NULL; at += strlen(line), ++number)
        ck_assert_msg(strncmp(expected + at, line, strlen(line)) == 0,
                      "%s:%d is not what the option table says; run this test with MOT_WRITE_DOCS=1", path,
                      number);
    ck_assert_msg(expected[at] == '\0', "%s ends too early; run this test with MOT_WRITE_DOCS=1", path);
    fclose(page);
    free(expected);
}
END_TEST

START_TEST(test_example_of_the_page_is_read)
{
    char *text = help(true);
    char *begin = strstr(text, "```yaml\n");
    ck_assert_ptr_nonnull(begin);
    begin += strlen("```yaml\n");
    *strstr(begin, "```") = '\0';
    mot_config config;
    mot_ck_ok(mot_config_parse(&config, "configs/digits.yaml", begin, 0, NULL));
    ck_assert_int_eq(config.stages, 2);
    free(text);
}
END_TEST

START_TEST(test_terminal_help_has_every_section)
{
    char *text = help(false);
    const char *const keys[] = {
        "run ",        "data.augment.drop", "model.tie",       "gate.init",   "route.placement",
        "train.until", "eval.every",        "checkpoint.keep", "record.eval", "report.every"};
    for (size_t i = 0; i < MOT_COUNT(keys); ++i) ck_assert_msg(strstr(text, keys[i]) != NULL, "%s", keys[i]);
    free(text);
}
END_TEST

static void config_help_tests(TCase *tcase)
{
    tcase_add_test(tcase, test_page_is_the_table);
    tcase_add_test(tcase, test_example_of_the_page_is_read);
    tcase_add_test(tcase, test_terminal_help_has_every_section);
}
MOT_CK_MAIN("config_help", config_help_tests)
