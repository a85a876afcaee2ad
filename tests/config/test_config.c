/* What a configuration means: defaults, precedence, inheritance, and every type of value. */
#include <limits.h>
#include <string.h>

#include "ck.h"
#include "mot/config.h"
#include "mot/expert.h"
#include "option.h"

static mot_config config;

/* Reads "text" and up to three arguments. */
#define READ(text, ...)                                                                                      \
    do {                                                                                                     \
        const char *const arguments[] = {"data.file=x.h5", __VA_ARGS__};                                     \
        mot_ck_ok(mot_config_parse(&config, "configs/digits.yaml", text, MOT_COUNT(arguments), arguments));  \
    } while (0)

START_TEST(test_every_default_is_a_value_of_its_option)
{
    mot_config_defaults(&config);
    ck_assert_int_eq(config.model.experts, 4);
    ck_assert_uint_eq(config.data.memory, (size_t)256 << 20);
    ck_assert_double_eq(config.stage[0].gate.rate, MOT_RATE_AUTO); /* as the experts' */
    ck_assert_uint_eq(config.stage[0].train, 31);
    ck_assert_str_eq(config.route.placement, "even");
    ck_assert_double_eq(config.stage[0].until.epochs, 1);
    ck_assert_int_eq(config.stages, 1);
    ck_assert_str_eq(config.stage[0].name, "train");
    ck_assert(config.record.eval);
    char base[sizeof config];
    for (int i = 0; i < mot_option_count; ++i)
        if (mot_options[i].inherits == NULL && mot_options[i].fallback[0] != '\0')
            ck_assert_msg(mot_option_set(&mot_options[i], base, mot_options[i].fallback), "%s",
                          mot_options[i].key);
}
END_TEST

START_TEST(test_table_is_sound)
{
    for (int i = 0; i < mot_option_count; ++i) {
        const mot_option *option = &mot_options[i];
        const size_t whole = option->stage_key != NULL ? sizeof(mot_stage_config) : sizeof(mot_config);
        ck_assert_uint_le(option->offset + option->size, whole);
        ck_assert_ptr_nonnull(option->help);
        if (option->key != NULL) ck_assert_int_eq(mot_option_find(option->key), i);
        if (option->stage_key != NULL) ck_assert_int_eq(mot_option_find_in_stage(option->stage_key), i);
        if (option->type == MOT_OPTION_TEXT) ck_assert_uint_lt(option->most, option->size);
        if (option->type == MOT_OPTION_INTEGER && option->size == sizeof(int))
            ck_assert_uint_le(option->most, INT_MAX);
        if (option->inherits == NULL) continue;
        const int from = mot_option_find_in_stage(option->inherits);
        ck_assert_int_ne(from, MOT_OPTION_NONE);
        ck_assert_uint_eq(mot_options[from].size, option->size);
    }
}
END_TEST

START_TEST(test_nested_and_dotted_keys_are_the_same)
{
    READ("model:\n  width: 32\n  heads: 2\ndata: {augment: {shift: 2}, augment.flip: true}\nmodel.depth: 3\n",
         "seed=7");
    ck_assert_uint_eq(config.model.width, 32);
    ck_assert_uint_eq(config.model.heads, 2);
    ck_assert_uint_eq(config.model.depth, 3);
    ck_assert_int_eq(config.data.augment.shift, 2);
    ck_assert(config.data.augment.flip);
    ck_assert_uint_eq(config.seed, 7);
    ck_assert_str_eq(config.run, "runs/digits");
}
END_TEST

START_TEST(test_last_argument_wins_over_the_file)
{
    READ("model: {width: 32}\ntrain: {rate: 1}\n", "model.width=64", "model.width=128", "train.rate=0.5");
    ck_assert_uint_eq(config.model.width, 128);
    ck_assert_double_eq(config.stage[0].expert.rate, 0.5);
}
END_TEST

START_TEST(test_empty_files_and_sections_are_defaults)
{
    mot_config defaults;
    const char *const texts[] = {"",
                                 "\n# nothing\n",
                                 "---\n",
                                 "model:\n",
                                 "{}",
                                 "\xEF\xBB\xBFmodel:\r\n"};
    for (size_t i = 0; i < MOT_COUNT(texts); ++i) {
        READ(texts[i], "run=r");
        mot_config_defaults(&defaults);
        snprintf(defaults.run, sizeof defaults.run, "r");
        snprintf(defaults.data.file, sizeof defaults.data.file, "x.h5");
        ck_assert_msg(memcmp(&defaults, &config, sizeof config) == 0, "text %zu", i);
    }
}
END_TEST

START_TEST(test_types)
{
    READ("{route: {top_k: all, placement: [[ 3, 0 ], [], [1, 2]], coordinator: dedicated, noise: gaussian},"
         " model: {tie: [head, embed]}, data.memory: 1.5 GiB, seed: 18446744073709551615, train.batch: 1e3,"
         " train.until: 4 steps  or 1.5 epochs or loss < 1e-3 or loss plateau 20 or purity plateau 30 or alignment plateau 40}",
         "train.warmup=5e2", "train.clip=.5");
    ck_assert_int_eq(config.route.top_k, 0);
    ck_assert_str_eq(config.route.placement, "[[3,0],[],[1,2]]");
    ck_assert(config.route.dedicated);
    ck_assert_int_eq(config.stage[0].explore.noise, MOT_NOISE_GAUSSIAN);
    ck_assert_uint_eq(config.model.tie, 1u << MOT_PART_EMBED | 1u << MOT_PART_HEAD);
    ck_assert_uint_eq(config.data.memory, (size_t)3 << 29);
    ck_assert_uint_eq(config.seed, UINT64_MAX);
    ck_assert_uint_eq(config.train.batch, 1000);
    const mot_until *until = &config.stage[0].until;
    ck_assert_str_eq(until->text,
                     "4 steps or 1.5 epochs or loss < 1e-3 or loss plateau 20 or purity plateau 30 or alignment plateau 40");
    ck_assert_int_eq(until->steps, 4);
    ck_assert_double_eq(until->epochs, 1.5);
    ck_assert_double_eq(until->loss_below, 1e-3);
    ck_assert_int_eq(until->loss_plateau, 20);
    ck_assert_int_eq(until->purity_plateau, 30);
    ck_assert_int_eq(until->alignment_plateau, 40);
    ck_assert_int_eq(config.stage[0].warmup, 500);
    ck_assert_double_eq(config.stage[0].expert.clip, 0.5);
    READ("", "route.placement=even", "train.parts=[gate]", "train.until=1 epoch");
    ck_assert_str_eq(config.route.placement, "even");
    ck_assert_uint_eq(config.stage[0].train, 1);
}
END_TEST

START_TEST(test_stages_start_from_train)
{
    READ("stages:\n- {name: a, train: [gate], until: 5 steps}\n- rate: 0.25\ntrain: {rate: 0.5, warmup: 3}\n",
         "stages.1.until=7 steps", "train.momentum=0.75");
    ck_assert_int_eq(config.stages, 2);
    ck_assert_str_eq(config.stage[0].name, "a");
    ck_assert_str_eq(config.stage[1].name, "stage1");
    ck_assert_uint_eq(config.stage[0].train, 1);
    ck_assert_uint_eq(config.stage[1].train, 31);
    ck_assert_double_eq(config.stage[0].expert.rate, 0.5);
    ck_assert_double_eq(config.stage[1].expert.rate, 0.25);
    ck_assert_double_eq(config.stage[1].expert.momentum, 0.75);
    ck_assert_int_eq(config.stage[1].warmup, 3);
    ck_assert_int_eq(config.stage[0].until.steps, 5);
    ck_assert_int_eq(config.stage[1].until.steps, 7);
}
END_TEST

START_TEST(test_gate_follows_the_experts_of_its_stage)
{
    READ("train: {optimizer: sgd, rate: 0.5, beta1: 0.75}\nstages: [{rate: 0.25}, {gate_rate: 2}, "
         "{optimizer: adamw}]",
         "seed=1");
    ck_assert_double_eq(config.stage[0].gate.rate, 0.25);
    ck_assert_double_eq(config.stage[1].gate.rate, 2);
    ck_assert_double_eq(config.stage[1].expert.rate, 0.5);
    ck_assert_int_eq(config.stage[0].gate.kind, MOT_SGD);
    ck_assert_int_eq(config.stage[2].gate.kind, MOT_ADAMW);
    ck_assert_double_eq(config.stage[2].gate.beta1, 0.75);
    /* what train says of the gate holds in every stage, until a stage says otherwise */
    READ("train: {gate_rate: 3}\nstages: [{rate: 0.25}, {rate: 0.125, gate_rate: same}]", "seed=1");
    ck_assert_double_eq(config.stage[0].gate.rate, 3);
    ck_assert_double_eq(config.stage[1].gate.rate, 0.125);
}
END_TEST

START_TEST(test_failure_leaves_the_configuration)
{
    READ("", "seed=5");
    ck_assert_int_eq(mot_config_parse(&config, "x.yaml", "data.file: y\nseed: 6\nmodel.width: 0", 0, NULL),
                     MOT_ERR_INPUT);
    ck_assert_uint_eq(config.seed, 5);
}
END_TEST

static void config_tests(TCase *tcase)
{
    tcase_add_test(tcase, test_every_default_is_a_value_of_its_option);
    tcase_add_test(tcase, test_table_is_sound);
    tcase_add_test(tcase, test_nested_and_dotted_keys_are_the_same);
    tcase_add_test(tcase, test_last_argument_wins_over_the_file);
    tcase_add_test(tcase, test_empty_files_and_sections_are_defaults);
    tcase_add_test(tcase, test_types);
    tcase_add_test(tcase, test_stages_start_from_train);
    tcase_add_test(tcase, test_gate_follows_the_experts_of_its_stage);
    tcase_add_test(tcase, test_failure_leaves_the_configuration);
}
MOT_CK_MAIN("config", config_tests)
