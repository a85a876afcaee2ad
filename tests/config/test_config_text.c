/* The resolved copy reads back to the same bytes: random configurations, drawn from the option table; and
 * damaged text either is refused with a sentence or is a configuration that reads back. */
#include <math.h>
#include <string.h>

#include "ck.h"
#include "mot/config.h"
#include "mot/memory.h"
#include "mot/rng.h"
#include "option.h"

static uint32_t drawn;
static uint32_t draw(uint32_t below)
{
    return mot_random(1, MOT_STREAM_TEST, drawn++, 0, 0, 0).word[0] % below;
}

static uint64_t draw_integer(uint64_t least, uint64_t most)
{
    const mot_random4 random = mot_random(2, MOT_STREAM_TEST, drawn++, 0, 0, 0);
    const uint64_t word = (uint64_t)random.word[0] << 32 | random.word[1];
    const uint64_t any = least + (most - least == UINT64_MAX ? word : word % (most - least + 1));
    const uint64_t small = word >> draw(64);
    return draw(2) == 0 ? any : MOT_MAX(least, MOT_MIN(most, small));
}

static void draw_until(char *text, size_t size)
{
    const char *const clause[] = {"7 steps",        "1 step",          "2.5 epochs",
                                  "loss < 1.25e-3", "loss plateau 40", "purity plateau 1e3", "alignment plateau 9"};
    snprintf(text, size, "%s or %s or %s", clause[draw(3)], clause[3 + draw(2)], clause[5 + draw(2)]);
}

static void draw_parts(const mot_option *option, char *text, size_t size)
{
    char between = '[';
    text[0] = '\0';
    for (int part = MOT_PARTS - 1; part >= 0; --part) {
        if ((option->most & 1u << part) == 0 || (draw(2) == 0 && !(part == 1 && between == '['))) continue;
        const size_t used = strlen(text);
        snprintf(text + used, size - used, "%c%s", between, mot_part_name[part]);
        between = ',';
    }
    if (between == '[') strcpy(text, "[");
    strcat(text, "]");
}

static void draw_reals(const mot_option *option, char *text, size_t size)
{
    const uint32_t count = (uint32_t)option->least + draw(3);
    snprintf(text, size, "[");
    for (uint32_t i = 0; i < count && i < option->most; ++i) {
        const size_t used = strlen(text);
        snprintf(text + used, size - used, "%s%.5g", i > 0 ? ", " : "",
                 option->low + (MOT_MIN(option->high, 1e3) - option->low) * draw(1000) * 1e-3);
    }
    strcat(text, "]");
}

static void draw_value(const mot_option *option, char *text, size_t size)
{
    static const char *const letters[] = {"a",  "Z", "7", " ",  "\"", "\\", "'", "#",
                                          ": ", "-", "ä", "専", "%",  "{",  "&"};
    double real;
    int choices = 0;
    text[0] = '\0';
    switch (option->type) {
    case MOT_OPTION_TEXT:
        for (uint32_t i = 0, count = 1 + draw(5); i < count; ++i)
            strcat(text, letters[draw(MOT_COUNT(letters))]);
        break;
    case MOT_OPTION_CHOICE:
        while (mot_option_choice(option, (size_t)choices) != NULL) ++choices;
        snprintf(text, size, "%s", mot_option_choice(option, draw((uint32_t)choices)));
        break;
    case MOT_OPTION_INTEGER:
    case MOT_OPTION_BYTES:
        if (option->word != NULL && draw(2) == 0)
            snprintf(text, size, "%s", option->word);
        else
            snprintf(text, size, "%" PRIu64, draw_integer(option->least, option->most));
        break;
    case MOT_OPTION_SPAN: /* not 0: the end of the noise would have no effect */
        if (draw(2) == 0)
            snprintf(text, size, "%.17g%%", (double)draw_integer(1, 1000) / 10);
        else
            snprintf(text, size, "%" PRIu64, draw_integer(1, option->most));
        break;
    case MOT_OPTION_REAL:
        real = option->low + (option->high - option->low) *
                                 mot_uniform(mot_random(3, MOT_STREAM_TEST, drawn++, 0, 0, 0).word[0]);
        real = MOT_MAX(option->low, real * exp(-(double)draw(60)));
        snprintf(text, size, "%.17g", real);
        break;
    case MOT_OPTION_DURATION:
        snprintf(text, size, "%s%" PRIu64 "%s%s", draw(2) ? "0." : "", draw_integer(1, 300),
                 draw(2) ? " " : "", (const char *const[]){"s", "m", "h", "d"}[draw(4)]);
        break;
    case MOT_OPTION_BOOLEAN:
        snprintf(text, size, "%s", draw(2) ? "true" : "false");
        break;
    case MOT_OPTION_TEXTS:
        snprintf(text, size, "%s", option->is_item == NULL ? (draw(2) ? "[a b.h5,  \"c\" ]" : "d: #1.h5")
                                   : draw(2)               ? "none"
                                                           : "[rotate -3.5e1 + labels 0.25 , none,colours]");
        break;
    case MOT_OPTION_REALS:
        draw_reals(option, text, size);
        break;
    case MOT_OPTION_PARTS:
        draw_parts(option, text, size);
        break;
    case MOT_OPTION_PLACEMENT:
        snprintf(text, size, "%s", draw(2) ? "even" : "[[2, 0],[ ],[1]]");
        break;
    case MOT_OPTION_UNTIL:
        draw_until(text, size);
        break;
    }
    if (option->inherits != NULL && draw(3) == 0) snprintf(text, size, "same");
}

/* The text of `config` reads back to the same bytes, and its text is the same. */
static void check_reads_back(const mot_config *config)
{
    char *text = NULL, *again = NULL;
    mot_config back;
    mot_ck_ok(mot_config_text(config, &text));
    const mot_status status = mot_config_parse(&back, "copy.yaml", text, 0, NULL);
    ck_assert_msg(status == MOT_OK, "%s in\n%s", mot_error_message(), text);
    mot_ck_ok(mot_config_text(&back, &again));
    ck_assert_str_eq(text, again);
    ck_assert_msg(memcmp(config, &back, sizeof back) == 0, "the copy differs:\n%s", text);
    mot_free(text);
    mot_free(again);
}

enum { ARGUMENTS = 200, ARGUMENT = 256 };
static char argument[ARGUMENTS][ARGUMENT];

START_TEST(test_random_configurations_read_back)
{
    char text[256] = "stages:\n";
    const uint32_t stages = draw(4);
    for (uint32_t i = 0; i < stages; ++i) strcat(text, "- {}\n");
    size_t count = 0;
    const char *pointer[ARGUMENTS];
    static const char *const sources[] = {"data.source=file", "data.source=mixture", "data.source=random",
                                         "data.source=teacher"};
    const mot_config source = {.data.source = (int)draw(MOT_COUNT(sources))};
    const bool file = source.data.source == 0;
    for (int i = 0; i < mot_option_count; ++i) {
        char value[ARGUMENT - 64];
        if (!mot_option_in_effect(&mot_options[i], &source)) continue;
        for (uint32_t stage = 0; mot_options[i].stage_key != NULL && stage < stages; ++stage) {
            if (draw(2) == 0) continue;
            draw_value(&mot_options[i], value, sizeof value);
            if (strcmp(mot_options[i].stage_key, "name") == 0)
                snprintf(value, sizeof value, "%u name", stage);
            snprintf(argument[count++], ARGUMENT, "stages.%u.%s=%s", stage, mot_options[i].stage_key, value);
        }
        if (mot_options[i].key == NULL || draw(5) == 0) continue;
        draw_value(&mot_options[i], value, sizeof value);
        snprintf(argument[count++], ARGUMENT, "%s=%s", mot_options[i].key, value);
    }
    /* what concerns several keys is put right */
    const char *const right[] = {file ? "data.file=x: \"y\"" : "seed=1",
                                 sources[source.data.source],
                                 "model.experts=3",
                                 draw(2) == 0 ? "gate.kind=mlp" : "gate.kind=even",
                                 "gate.prototypes=1", /* classes alone have them */
                                 "model.heads=6",
                                 "model.width=42",
                                 "route.top_k=2",
                                 "route.combine=outputs", /* probabilities need a loss of them */
                                 "route.noise_steps=9",
                                 "route.chunks=3",
                                 "eval.every=70",
                                 "init.from=runs/a",
                                 draw(2) == 0 ? "route.rebalance=eval" : "route.rebalance=never"};
    for (size_t i = 0; i < MOT_COUNT(right); ++i) snprintf(argument[count++], ARGUMENT, "%s", right[i]);
    snprintf(argument[count++], ARGUMENT, "train.batch=%u", 3 + draw(10000));
    static const char *const actions[] = {"none", "drop_idle"}; /* to prune takes experts that are neurons */
    snprintf(argument[count++], ARGUMENT, "train.action=%s", actions[draw(2)]);
    for (uint32_t stage = 0; stage < stages; ++stage)
        snprintf(argument[count++], ARGUMENT, "stages.%u.action=%s", stage, actions[draw(2)]);
    for (size_t i = 0; i < count; ++i) pointer[i] = argument[i];
    mot_config config;
    memset(&config, 0xA5, sizeof config); /* padding must come from the reader */
    mot_ck_ok(mot_config_parse(&config, "x.yaml", stages > 0 ? text : "", count, pointer));
    check_reads_back(&config);
}
END_TEST

START_TEST(test_damaged_text)
{
    static const char whole[] = "run: \"r\\\"\"\nmodel: {width: 64, tie: [head, ffn]}\ndata:\n  file: "
                                "'x.h5'\n  memory: 1 GiB\n  augment: {shift: 2}\n"
                                "route:\n  top_k: all\n  placement: [[0,1],[2,3]]\n  noise_end: 1e-3\n  "
                                "noise_steps: 1e3\ntrain.rate: 0.5\n"
                                "stages:\n- name: a\n  train: [gate]\n  until: 5 steps or loss < 1e-3\n- "
                                "{gate_rate: same, rate: 2}\n";
    static const char bytes[] = "[]{}:,-#&*!|>'\"%@` \n\t?0e9.\\\xC3\xFF~";
    for (int round = 0; round < 300; ++round) {
        char text[sizeof whole];
        memcpy(text, whole, sizeof whole);
        for (uint32_t i = 0, damage = 1 + draw(3); i < damage; ++i)
            text[draw(sizeof whole - 1)] = bytes[draw(sizeof bytes - 1)];
        if (draw(4) == 0) text[draw(sizeof whole - 1)] = '\0';
        mot_config config;
        const mot_status status = mot_config_parse(&config, "x.yaml", text, 0, NULL);
        if (status == MOT_OK)
            check_reads_back(&config);
        else
            ck_assert_int_eq(status, MOT_ERR_INPUT);
    }
}
END_TEST

START_TEST(test_override_of_a_copy_reaches_the_gate)
{
    mot_config config;
    char *text = NULL;
    mot_ck_ok(mot_config_parse(&config, "x.yaml", "data.file: x", 0, NULL));
    mot_ck_ok(mot_config_text(&config, &text));
    const char *const rate = "train.rate=0.5";
    mot_ck_ok(mot_config_parse(&config, "config.yaml", text, 1, &rate));
    ck_assert_double_eq(config.stage[0].expert.rate, 0.5);
    ck_assert_double_eq(config.stage[0].gate.rate, 0.5);
    mot_free(text);
}
END_TEST

START_TEST(test_compare_names_the_first_line)
{
    mot_ck_ok(mot_config_compare("a.h5", "trained", "x: 1\n  y: 2\n", "x: 1\n  y: 2\n", "stop"));
    ck_assert_int_eq(mot_config_compare("a.h5", "trained", "x: 1\n  y: 2\nz: 3\n", "x: 1\n  y: 25\n", "stop"),
                     MOT_ERR_INPUT);
    ck_assert_str_eq(mot_error_message(), "a.h5 was trained with 'y: 2', now it is 'y: 25': stop");
    ck_assert_int_eq(mot_config_compare("a.h5", "measured", "x: 1\n", "x: 1\ny: 2\n", "stop"), MOT_ERR_INPUT);
    ck_assert_str_eq(mot_error_message(), "a.h5 was measured with '', now it is 'y: 2': stop");
}
END_TEST

/* Every change is said once, by the key as one would write it, in the order of the table. */
static void note_change(void *with, const mot_change *change)
{
    static const char *const roles[] = {"fixed", "learns", "places", "reports"};
    FILE *stream = with;
    fprintf(stream, "%s %s: %s -> %s\n", roles[change->role], change->key, change->before, change->now);
}

static char *changes_text;
static size_t changes_size;

static const char *changes(const char *before, const char *now)
{
    static mot_config then, today;
    free(changes_text);
    mot_ck_ok(mot_config_parse(&then, "x.yaml", before, 0, NULL));
    mot_ck_ok(mot_config_parse(&today, "x.yaml", now, 0, NULL));
    FILE *stream = open_memstream(&changes_text, &changes_size);
    mot_ck_ok(mot_config_changes(&then, &today, note_change, stream));
    fclose(stream);
    return changes_text;
}

START_TEST(test_changes_of_a_run_are_told_apart)
{
    ck_assert_str_eq(changes("data.file: x", "data.file: x"), "");
    ck_assert_str_eq(
        changes("{data.file: x, threads: 2, train.rate: 0.5, model.width: 8, report.every: 5}",
                "{data.file: y, threads: auto, train.rate: 0.25, model.width: 16, report.every: 6}"),
        "places threads: 2 -> auto\nreports data.file: \"x\" -> \"y\"\nfixed model.width: 8 -> 16\n"
        "learns train.rate: 0.5 -> 0.25\nreports report.every: 5 -> 6\n");
    ck_assert_str_eq(
        changes("{data.file: x, route.placement: [[0, 1], [2, 3]], stages: [{name: a}, {rate: 2}]}",
                "{data.file: x, stages: [{name: a, gate_rate: 0.5}, {rate: 2, until: 5 steps}]}"),
        "places route.placement: [[0,1],[2,3]] -> even\nlearns stages.0.gate_rate: same -> 0.5\n"
        "learns stages.1.until: 1 epochs -> 5 steps\n");
    /* of the keys of a source that neither has, nothing */
    ck_assert_ptr_null(strstr(changes("{data.file: x}", "{data.file: x, train.beta1: 0.5}"), "mixture"));
    ck_assert_str_eq(changes_text, "fixed train.beta1: 0.9 -> 0.5\n");
}
END_TEST

/* A run may not change what decides its steps from the first on: what else there is has a role. */
START_TEST(test_what_may_change_is_listed)
{
    static const char *const may[] = {"run",
                                      "threads",
                                      "stop_after",
                                      "data.file=y",
                                      "data.memory=1 MiB",
                                      "eval.every=9",
                                      "checkpoint.every=9",
                                      "record.every=9",
                                      "watch.warn=9s",
                                      "report.every=9",
                                      "route.split=true",
                                      "route.exchange=direct",
                                      "route.coordinator=dedicated",
                                      "train.rate=9",
                                      "train.gate_rate=9",
                                      "train.until=9 steps",
                                      "train.final_rate=0.9",
                                      "route.noise_steps=50%",
                                      "train.schedule_steps=9",
                                      "train.on_nonfinite=skip_step"};
    static mot_config before, now;
    for (size_t i = 0; i < MOT_COUNT(may); ++i) {
        char given[64];
        const char *assignment = given;
        snprintf(given, sizeof given, "%s%s", may[i],
                 strchr(may[i], '=') != NULL ? ""
                 : i == 2                    ? "=9s"
                                             : "=9");
        mot_ck_ok(mot_config_parse(&before, "x.yaml", "data.file: x", 0, NULL));
        mot_ck_ok(mot_config_parse(&now, "x.yaml", "data.file: x", 1, &assignment));
        free(changes_text);
        FILE *stream = open_memstream(&changes_text, &changes_size);
        mot_ck_ok(mot_config_changes(&before, &now, note_change, stream));
        fclose(stream);
        ck_assert_msg(changes_size > 0 && strstr(changes_text, "fixed") == NULL, "%s: %s", given,
                      changes_text);
    }
}
END_TEST

static void config_text_tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, test_random_configurations_read_back, 0, 300);
    tcase_add_loop_test(tcase, test_damaged_text, 0, 10);
    tcase_add_test(tcase, test_override_of_a_copy_reaches_the_gate);
    tcase_add_test(tcase, test_compare_names_the_first_line);
    tcase_add_test(tcase, test_changes_of_a_run_are_told_apart);
    tcase_add_test(tcase, test_what_may_change_is_listed);
}
MOT_CK_MAIN("config_text", config_text_tests)
