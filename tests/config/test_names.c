/* Whoever writes what other programs call it, leaves out a section, takes a wrong one or mistypes, is told the key. */
#include <string.h>

#include "ck.h"
#include "mot/config.h"
#include "option.h"

static mot_config config;

static const char *refused(const char *text, const char *argument)
{
    ck_assert_msg(mot_config_parse(&config, "x.yaml", text, argument != NULL, &argument) == MOT_ERR_INPUT,
                  "accepted: %s %s", text, argument);
    return mot_error_message();
}

/* Calls `take` for each name of each row. */
static void for_each_name(const mot_foreign *row, int count, void (*take)(const mot_foreign *, const char *))
{
    for (int i = 0; i < count; ++i) {
        char names[2048], *rest = NULL;
        ck_assert_uint_lt(strlen(row[i].names), sizeof names);
        strcpy(names, row[i].names);
        for (char *name = strtok_r(names, " ", &rest); name != NULL; name = strtok_r(NULL, " ", &rest))
            take(&row[i], name);
    }
}

/* ---- the table ---- */

START_TEST(test_every_row_leads_to_what_there_is)
{
    for (int i = 0; i < mot_foreign_key_count; ++i) {
        const mot_foreign *row = &mot_foreign_keys[i];
        ck_assert_ptr_null(row->value);
        if (row->key == NULL)
            ck_assert_msg(row->note != NULL, "%s: neither a key nor a reason", row->names);
        else
            ck_assert_msg(mot_option_find(row->key) != MOT_OPTION_NONE || mot_option_is_section(row->key),
                          "%s: there is no key '%s'", row->names, row->key);
    }
    for (int i = 0; i < mot_foreign_value_count; ++i) {
        const mot_foreign *row = &mot_foreign_values[i];
        if (row->key == NULL) continue;
        const int option = mot_option_find(row->key);
        ck_assert_msg(option != MOT_OPTION_NONE, "%s: there is no key '%s'", row->names, row->key);
        const char *choice;
        for (size_t k = 0; (choice = mot_option_choice(&mot_options[option], k)) != NULL; ++k)
            if (strcmp(choice, row->value) == 0) break;
        ck_assert_msg(choice != NULL, "%s is no %s", row->value, row->key);
    }
}
END_TEST

static void expect(const char *said, const mot_foreign *row, int stage)
{
    char wanted[600];
    const int option = row->key != NULL ? mot_option_find(row->key) : MOT_OPTION_NONE;
    if (row->key == NULL)
        snprintf(wanted, sizeof wanted, "; mot has none: %s", row->note);
    else if (stage != MOT_NO_STAGE && option != MOT_OPTION_NONE && mot_options[option].stage_key != NULL)
        snprintf(wanted, sizeof wanted, "; here it is 'stages.%d.%s'%s%s", stage,
                 mot_options[option].stage_key, row->note != NULL ? ", " : "",
                 row->note != NULL ? row->note : "");
    else
        snprintf(wanted, sizeof wanted, "; here it is '%s'%s%s", row->key, row->note != NULL ? ", " : "",
                 row->note != NULL ? row->note : "");
    const char *at = strstr(said, wanted);
    ck_assert_msg(at != NULL && at[strlen(wanted)] == '\0', "'%s' does not end with '%s'", said, wanted);
}

/* At the top, in a section, in a stage, as an argument, and spelled otherwise. */
static void try_key(const mot_foreign *row, const char *name)
{
    char text[300], other[100];
    snprintf(text, sizeof text, "data.file: x.h5\n%s: 1\n", name);
    expect(refused(text, NULL), row, MOT_NO_STAGE);
    snprintf(text, sizeof text, "data.file: x.h5\ntrain: {%s: {a: 1}}\n", name);
    expect(refused(text, NULL), row, MOT_NO_STAGE);
    snprintf(text, sizeof text, "data.file: x.h5\nstages: [{}, {%s: 1}]\n", name);
    expect(refused(text, NULL), row, 1);
    snprintf(text, sizeof text, "model.%s=1", name);
    if (strcmp(name, "layers") != 0) /* a list of ours */
        expect(refused("data.file: x.h5", text), row, MOT_NO_STAGE);
    for (size_t i = 0; i <= strlen(name); ++i)
        other[i] = name[i] == '_' ? '-' : (char)(name[i] - (name[i] >= 'a' && name[i] <= 'z' ? 32 : 0));
    snprintf(text, sizeof text, "%s=1", other);
    expect(refused("data.file: x.h5", text), row, MOT_NO_STAGE);
    ck_assert(mot_config_hint(name, text, sizeof text));
}

START_TEST(test_every_name_of_a_key)
{
    for_each_name(mot_foreign_keys, mot_foreign_key_count, try_key);
}
END_TEST

static void try_value(const mot_foreign *row, const char *name)
{
    char text[300], wanted[300];
    snprintf(text, sizeof text, "%s=%s", row->key != NULL ? row->key : "eval.start", name);
    snprintf(wanted, sizeof wanted, "; closest is %s%s%s", row->value, row->note != NULL ? ", " : "",
             row->note != NULL ? row->note : "");
    const char *said = refused("data.file: x.h5", text), *at = strstr(said, wanted);
    ck_assert_msg(at != NULL && at[strlen(wanted)] == '\0', "'%s' does not end with '%s'", said, wanted);
}

START_TEST(test_every_name_of_a_value)
{
    for_each_name(mot_foreign_values, mot_foreign_value_count, try_value);
}
END_TEST

/* ---- ours ---- */

/* The last part alone, and behind a section that it does not stand in, leads to every key that is named so, unless more
 * of them than one sentence holds or one that is nearer. */
START_TEST(test_every_key_of_ours_without_its_section)
{
    for (int i = 0; i < mot_option_count; ++i) {
        const char *key = mot_options[i].key, *dot = key != NULL ? strrchr(key, '.') : NULL;
        char text[300];
        if (dot == NULL || mot_option_find(dot + 1) != MOT_OPTION_NONE || mot_option_is_section(dot + 1))
            continue;
        snprintf(text, sizeof text, "%s=1", dot + 1);
        const char *said = refused("data.file: x.h5", text);
        ck_assert_msg(strstr(said, "; closest ") != NULL, "%s", said);
        const char *last = strrchr(said, '.'); /* the key that is named last has the same last part */
        ck_assert_msg(strncmp(last + 1, dot + 1, strlen(dot + 1)) == 0 && last[1 + strlen(dot + 1)] == '\'',
                      "%s: %s", key, said);
    }
}
END_TEST

static const struct meant {
    const char *text, *argument, *says;
} rows[] = {
    {"until: 5 steps", NULL, "x.yaml:1: unknown key 'until'; closest is 'train.until'"},
    {"experts: 4", NULL, "unknown key 'experts'; closest is 'model.experts'"},
    {"train: {experts: 4}", NULL, "unknown key 'train.experts'; closest is 'model.experts'"},
    {"model: {rate: 4}", NULL, "unknown key 'model.rate'; closest is 'train.rate'"},
    {"every: 4", NULL, "closest are 'eval.every', 'checkpoint.every', 'record.every' and 'report.every'"},
    {"kind: mlp", NULL, "closest are 'model.kind' and 'gate.kind'"},
    {"model: {init: 1}", NULL, "closest is 'model.merged.init'"},
    {"data: {alpha: 1}", NULL, "closest is 'data.mixture.alpha'"},
    {"eval: {shift: 1}", NULL, "closest is 'data.augment.shift'"},
    {"train: {seed: 1}", NULL, "unknown key 'train.seed'; closest is 'seed'"},
    {"train: {name: a}", NULL, "unknown key 'train.name'; closest is 'stages.0.name'"},
    {"model_width: 1", NULL, "unknown key 'model_width'; closest is 'model.width'"},
    {"Train: {rate: 1}", NULL, "unknown key 'Train'; closest is 'train'"},
    {"stages: [{batch: 1}]", NULL, "unknown key 'stages.0.batch'; closest is 'train.batch'"},
    {"stages: [{}, {lr: 1}]", NULL, "unknown key 'stages.1.lr'; here it is 'stages.1.rate'"},
    {"stages: [{top_k: 1}]", NULL, "unknown key 'stages.0.top_k'; closest is 'route.top_k'"},
    {"stages: [{width: 1}]", NULL, "unknown key 'stages.0.width'; closest is 'model.width'"},
    {"optimizer: {params: {lr: 1}}", NULL, "unknown key 'optimizer'; closest is 'train.optimizer'"},
    {"learnig_rate: 1", NULL, "unknown key 'learnig_rate'; here it is 'train.rate'"},
    {"optimizer.type: adam", NULL, "unknown key 'optimizer.type'; here it is 'train.optimizer'"},
    {"zero_optimization.stage: 2", NULL, "unknown key 'zero_optimization.stage'; mot has none: a rank holds"},
    {"milestones: 3", NULL, "unknown key 'milestones'; mot has none that is like it"},
    {"model: {num_exprts: 1}", NULL, "here it is 'model.experts'"},
    {"train: {momentun: 1}", NULL, "closest is 'train.momentum'"},
    {"", "model=8", "unknown key 'model'; it is a section, of keys such as 'model.kind'"},
    {"", "lr=0.1", "argument 1: unknown key 'lr'; here it is 'train.rate'"},
    {"", "stages.0.lr=0.1", "argument 1: unknown key 'stages.0.lr'; here it is 'stages.0.rate'"},
    {"", "model.layers=3", "argument 1: model.layers = 3: it is a list, which stands in the file, and model.layers.N.key=value "
     "changes one of its entries; a number of blocks is 'model.depth'"},
    {"", "stages=2", "argument 1: stages = 2: it is a list, which stands in the file, and stages.N.key=value changes"},
    {"layers: 3", NULL, "x.yaml:1: unknown key 'layers'; here it is 'model.depth'"},
    {"train: {optimizer: AdamW}", NULL, "expected one of sgd, normalized_gd, adamw; closest is adamw"},
    {"train: {gate_optimizer: Adam}", NULL,
     "adamw, or same; closest is adamw, which with train.weight_decay 0"},
    {"stages: [{schedule: Cosine-Annealing}]", NULL,
     "stages.0.schedule = Cosine-Annealing: expected one of constant, linear, cosine, auto; closest is cosine, "
     "with"},
    {"modle: {width: 3}", NULL, "unknown key 'modle'; closest is 'model'"},
    {"train: {schedule: cosin}", NULL, "linear, cosine, auto; closest is cosine"},
    {"eval: {start: True}", NULL, "eval.start = True: expected true or false; closest is true"},
    {"gate: {kind: deep}", NULL, "one of linear, mlp, fixed, random, even"},
};

START_TEST(test_what_was_meant)
{
    const char *said = refused(rows[_i].text, rows[_i].argument);
    ck_assert_msg(strstr(said, rows[_i].says) != NULL, "row %d: '%s' does not say '%s'", _i, said,
                  rows[_i].says);
}
END_TEST

/* Of what is like nothing, nothing is claimed. */
START_TEST(test_a_guess_is_called_one)
{
    char text[400];
    const char *const far[] = {"fast", "xyzzy", "--", "", "q", "zzzzzzzzzzzzzzzzzzzzzz"};
    const char *const near[] = {"lr", "widht", "model.width", "modle.width", "seed", "dropout", "train"};
    for (size_t i = 0; i < MOT_COUNT(far); ++i)
        ck_assert_msg(!mot_config_hint(far[i], text, sizeof text), "%s: %s", far[i], text);
    for (size_t i = 0; i < MOT_COUNT(near); ++i)
        ck_assert_msg(mot_config_hint(near[i], text, sizeof text), "%s: %s", near[i], text);
    ck_assert_ptr_null(strstr(refused("data.file: x.h5\ngate.kind: deep", NULL), "closest"));
}
END_TEST

static void names_tests(TCase *tcase)
{
    tcase_add_test(tcase, test_every_row_leads_to_what_there_is);
    tcase_add_test(tcase, test_every_name_of_a_key);
    tcase_add_test(tcase, test_every_name_of_a_value);
    tcase_add_test(tcase, test_every_key_of_ours_without_its_section);
    tcase_add_loop_test(tcase, test_what_was_meant, 0, MOT_COUNT(rows));
    tcase_add_test(tcase, test_a_guess_is_called_one);
}
MOT_CK_MAIN("names", names_tests)
