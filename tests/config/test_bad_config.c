/* Every kind of mistake gets one sentence with the place, the key and what was expected. */
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ck.h"
#include "mot/config.h"

#define FILE_KEY "data.file: x.h5\n"

/* The text, one argument or NULL, and up to three pieces of the sentence. */
static const struct mistake {
    const char *text, *argument, *says[3];
} mistakes[] = {
    /* keys */
    {FILE_KEY "model:\n  widht: 3", NULL, {"x.yaml:3: unknown key 'model.widht'; closest is 'model.width'"}},
    {FILE_KEY "width: 3", NULL, {"x.yaml:2: unknown key 'width'; closest is 'model.width'"}},
    {FILE_KEY "modle: {width: 3}", NULL, {"x.yaml:2: unknown key 'modle'"}},
    {FILE_KEY "model: {width: 8}\nmodel.width: 8",
     NULL,
     {"x.yaml:3: model.width is given twice, first in line 2"}},
    {FILE_KEY "model: {width: 8}\nmodel: {depth: 8}",
     NULL,
     {"x.yaml:3: key 'model' is given twice, first in line 2"}},
    {FILE_KEY "stages: [{}]\nstages: [{}]", NULL, {"x.yaml:3: key 'stages' is given twice"}},
    {FILE_KEY "? [a, b]\n: 3", NULL, {"x.yaml:2: expected a key, found a list"}},
    {FILE_KEY "'': 3", NULL, {"x.yaml:2: unknown key ''"}},
    {FILE_KEY "\"a\\nb\": 3", NULL, {"x.yaml:2: unknown key 'a?b'"}},
    {FILE_KEY "model.: 3", NULL, {"x.yaml:2: unknown key 'model.'"}},
    {FILE_KEY "train: {name: a}", NULL, {"x.yaml:2: unknown key 'train.name'"}},
    {FILE_KEY "<<: {width: 3}", NULL, {"x.yaml:2: unknown key '<<'"}},
    /* numbers */
    {FILE_KEY "model.width: 0", NULL, {"x.yaml:2: model.width = 0: expected an integer from 1 to 16384"}},
    {FILE_KEY "model.width: 16385", NULL, {"model.width = 16385: expected an integer from 1 to 16384"}},
    {FILE_KEY "model.width: -4", NULL, {"model.width = -4: expected an integer from 1 to 16384"}},
    {FILE_KEY "model.width: 010", NULL, {"model.width = 010: expected an integer"}},
    {FILE_KEY "model.width: 0x10", NULL, {"model.width = 0x10: expected an integer"}},
    {FILE_KEY "model.width: 1_000", NULL, {"model.width = 1_000: expected an integer"}},
    {FILE_KEY "model.width: 1.5", NULL, {"model.width = 1.5: expected an integer"}},
    {FILE_KEY "model.width: wide", NULL, {"model.width = wide: expected an integer"}},
    {FILE_KEY "model.width: 64 # ok\nmodel.depth: 1e99",
     NULL,
     {"x.yaml:3: model.depth = 1e99: expected an integer"}},
    {FILE_KEY "seed: 18446744073709551616",
     NULL,
     {"seed = 18446744073709551616: expected an integer from 0"}},
    {FILE_KEY "train.warmup: 99999999999999999999",
     NULL,
     {"train.warmup", "expected an integer from 0 to 1000000000000"}},
    {FILE_KEY "route.top_k: 0", NULL, {"route.top_k = 0: expected an integer from 1 to 4096, or all"}},
    {FILE_KEY "train.rate: .nan", NULL, {"train.rate = .nan: expected a number from 0 to 1000000"}},
    {FILE_KEY "train.rate: nan", NULL, {"train.rate = nan: expected a number"}},
    {FILE_KEY "train.rate: inf", NULL, {"train.rate = inf: expected a number"}},
    {FILE_KEY "train.rate: 1e999", NULL, {"train.rate = 1e999: expected a number"}},
    {FILE_KEY "train.rate: 1e-999", NULL, {"train.rate = 1e-999: expected a number"}},
    {FILE_KEY "train.rate: 0x1p3", NULL, {"train.rate = 0x1p3: expected a number"}},
    {FILE_KEY "train.rate: -1", NULL, {"train.rate = -1: expected a number"}},
    {FILE_KEY "train.rate: +-1", NULL, {"train.rate = +-1: expected a number"}},
    {FILE_KEY "train.rate: 1e", NULL, {"train.rate = 1e: expected a number"}},
    {FILE_KEY "train.rate: .", NULL, {"train.rate = .: expected a number"}},
    {FILE_KEY "train.rate: 1,5", NULL, {"train.rate = 1,5: expected a number"}},
    {FILE_KEY "train.beta2: 1", NULL, {"train.beta2 = 1: expected a number of at least 0 and below 1"}},
    {FILE_KEY "train.gate_rate: fast", NULL, {"train.gate_rate = fast: expected a number", ", or same"}},
    {FILE_KEY "train.rate: same", NULL, {"train.rate = same: expected a number"}},
    {FILE_KEY "data.memory: 256 MB", NULL, {"data.memory = 256 MB: expected a size such as 256 MiB"}},
    {FILE_KEY "data.memory: 0.3 B", NULL, {"data.memory = 0.3 B: expected a size"}},
    {FILE_KEY "data.memory: 9999999 TiB",
     NULL,
     {"data.memory = 9999999 TiB: expected a size", "at most 1024 TiB"}},
    {FILE_KEY "stop_after: 55 min", NULL, {"stop_after = 55 min: expected a time such as 90s, 55m"}},
    {FILE_KEY "stop_after: -1s", NULL, {"stop_after = -1s: expected a time"}},
    {FILE_KEY "stop_after: 366d", NULL, {"stop_after = 366d: expected a time", "at most 365d"}},
    {FILE_KEY "stop_after: m", NULL, {"stop_after = m: expected a time"}},
    /* names, texts and lists */
    {FILE_KEY "data.augment.flip: yes", NULL, {"data.augment.flip = yes: expected true or false"}},
    {FILE_KEY "gate.kind: deep", NULL, {"gate.kind = deep: expected one of linear, mlp, fixed, random"}},
    {FILE_KEY "gate.kind: Linear", NULL, {"gate.kind = Linear: expected one of"}},
    {FILE_KEY "eval.split: abcdefghijklmnop", NULL, {"eval.split", "expected a text of 1 to 15 bytes"}},
    {"data.file: ''", NULL, {"x.yaml:1: data.file = : expected a text of 1 to 511 bytes"}},
    {"data.file: ~", NULL, {"x.yaml:1: data.file: expected a text of", "found nothing"}},
    {"data.file: \"a\\tb\"", NULL, {"data.file = a?b: expected a text", "without control characters"}},
    {"data.file: \"a\\0b\"", NULL, {"x.yaml:1: a text with a zero byte"}},
    {FILE_KEY "model.tie: [gate]",
     NULL,
     {"model.tie = [gate]: expected a list of embed, attention, ffn, head"}},
    {FILE_KEY "model.tie: [head, head]", NULL, {"model.tie = [head,head]: expected a list of"}},
    {FILE_KEY "model.tie: head", NULL, {"model.tie = head: expected a list of"}},
    {FILE_KEY "model.tie: ['head,ffn']", NULL, {"model.tie: expected a list of", "found a list"}},
    {FILE_KEY "train.parts: []", NULL, {"train.parts = []: expected a list of one or more of gate"}},
    {FILE_KEY "train.parts: [gate, eyes]", NULL, {"train.parts = [gate,eyes]: expected a list"}},
    {FILE_KEY "model.tie: {head: 1}", NULL, {"model.tie: expected a list of", "found a map"}},
    {FILE_KEY "model.width: {a: 1}",
     NULL,
     {"x.yaml:2: model.width: expected an integer from 1 to 16384, found a map"}},
    {FILE_KEY "model.width: [1]", NULL, {"model.width: expected an integer from 1 to 16384, found a list"}},
    {FILE_KEY "model.width:", NULL, {"model.width: expected an integer from 1 to 16384, found nothing"}},
    {FILE_KEY "model: [1, 2]", NULL, {"x.yaml:2: model: expected a map of keys, found a list"}},
    {FILE_KEY "model: big", NULL, {"x.yaml:2: model: expected a map of keys, found a text"}},
    {"- a\n- b", NULL, {"x.yaml:1: the file: expected a map of keys, found a list"}},
    {"hello", NULL, {"x.yaml:1: the file: expected a map of keys, found a text"}},
    /* until */
    {FILE_KEY "train.until: 5",
     NULL,
     {"x.yaml:2: train.until = 5: expected 400 steps, 6 epochs, loss < 1e-3"}},
    {FILE_KEY "train.until: 0 steps", NULL, {"train.until = 0 steps: expected 400 steps"}},
    {FILE_KEY "train.until: 5 steps or", NULL, {"train.until = 5 steps or: expected 400 steps"}},
    {FILE_KEY "train.until: 5 steps or 6 steps", NULL, {"train.until", "each at most once"}},
    {FILE_KEY "train.until: loss < 0", NULL, {"train.until = loss < 0: expected"}},
    {FILE_KEY "train.until: loss > 1", NULL, {"train.until = loss > 1: expected"}},
    {FILE_KEY "train.until: speed plateau 5", NULL, {"train.until = speed plateau 5: expected"}},
    {FILE_KEY "train.until: ''", NULL, {"train.until = : expected"}},
    {FILE_KEY "train.until: 1e999 epochs", NULL, {"train.until = 1e999 epochs: expected"}},
    /* placement */
    {FILE_KEY "route.placement: odd", NULL, {"route.placement = odd: expected even, or the list"}},
    {FILE_KEY "route.placement: [0, 1, 2, 3]", NULL, {"route.placement = [0,1,2,3]: expected even"}},
    {FILE_KEY "route.placement: [[0, 1], [2]]",
     NULL,
     {"x.yaml:2: route.placement: expert 3 of 4 stands in no row"}},
    {FILE_KEY "route.placement: [[0, 1], [2, 3, 1]]", NULL, {"route.placement: expert 1 stands there twice"}},
    {FILE_KEY "route.placement: [[0, 1], [2, 3, 9]]", NULL, {"route.placement: expert 9 outside [0, 4)"}},
    {FILE_KEY "route.placement: [[0, 99999999999999999999]]", NULL, {"route.placement = ", "expected even"}},
    {FILE_KEY "route.placement: [[0, [1]]]", NULL, {"route.placement = [[0,[1]]]: expected even"}},
    {FILE_KEY "route.placement: [[0, -1]]", NULL, {"route.placement = [[0,-1]]: expected even"}},
    {FILE_KEY "route.placement: []", NULL, {"route.placement = []: expected even"}},
    /* several keys */
    {"", NULL, {"x.yaml: data.file is missing"}},
    {FILE_KEY "data.source: mixture",
     NULL,
     {"x.yaml:1: data.file has no effect while data.source is mixture"}},
    {FILE_KEY,
     "data.mixture.sigma=1",
     {"argument 1: data.mixture.sigma has no effect while data.source is file"}},
    {"data.source: random",
     "data.mixture.sigma=1",
     {"argument 1: data.mixture.sigma has no effect while data.source is random"}},
    {FILE_KEY,
     "data.random.width=4",
     {"argument 1: data.random.width has no effect while data.source is file"}},
    {"data.source: mixture",
     "data.mixture.alpha=[1, 2, 3]",
     {"data.mixture.alpha = [1, 2, 3]: expected a number from"}},
    {"data.source: mixture", "data.mixture.alpha=[]", {"data.mixture.alpha = []: expected a number from"}},
    {"data.source: mixture",
     "data.mixture.class_weights=[1, -1]",
     {"expected a list of up to 64 numbers from 0"}},
    {"data.source: mixture", "data.mixture.sigma=nan", {"expected a number from 0"}},
    {FILE_KEY "\nmodel.width: 65", NULL, {"x.yaml:3: model.width = 65 is not divisible by model.heads = 4"}},
    {FILE_KEY "route.combine: probabilities", NULL, {"x.yaml:2: route.combine = probabilities needs route.top_k of at least 2"}},
    {FILE_KEY "route: {combine: probabilities, top_k: 2}\ntrain.loss: squared", NULL,
     {"route.combine = probabilities needs train.loss = cross_entropy: with squared"}},
    {FILE_KEY "route.top_k: 5", NULL, {"x.yaml:2: route.top_k = 5 is more than model.experts = 4"}},
    {FILE_KEY "route.noise_steps: 101%",
     NULL,
     {"route.noise_steps = 101%: expected an integer from 0 to 1000000000000, a share of the run such as 50%, "
      "or auto"}},
    {FILE_KEY "stages:\n- {noise_end: 1, noise_steps: 0}",
     NULL,
     {"stages.0.noise_end has no effect while noise_steps is 0"}},
    {FILE_KEY "route.noise_end: 1\nroute.noise_steps: 0",
     NULL,
     {"x.yaml:2: route.noise_end has no effect while route.noise_steps is 0"}},
    {FILE_KEY "route.chunks: 9\ntrain.batch: 8",
     NULL,
     {"x.yaml:2: route.chunks = 9 is more than train.batch = 8"}},
    {FILE_KEY "route.rebalance: eval",
     NULL,
     {"x.yaml:2: route.rebalance = eval has no effect while eval.every is 0"}},
    {FILE_KEY "route.rebalance: checkpoint",
     NULL,
     {"route.rebalance = checkpoint has no effect while checkpoint.every is 0"}},
    {FILE_KEY "route.rebalance: stage",
     NULL,
     {"route.rebalance = stage has no effect where there is one stage"}},
    /* stages */
    {FILE_KEY "stages: []", NULL, {"x.yaml:2: stages: expected 1 to 16 stages, found 0"}},
    {FILE_KEY "stages: [{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}]",
     NULL,
     {"expected 1 to 16 stages, found 17"}},
    {FILE_KEY "stages: {rate: 1}", NULL, {"x.yaml:2: stages: expected a list of maps, found a map"}},
    {FILE_KEY "stages:", NULL, {"stages: expected a list of maps, found nothing"}},
    {FILE_KEY "stages: [fast]", NULL, {"x.yaml:2: stages.0: expected a map of keys, found a text"}},
    {FILE_KEY "stages:\n- {}\n- raet: 1",
     NULL,
     {"x.yaml:4: unknown key 'stages.1.raet'; closest is 'stages.1.rate'"}},
    {FILE_KEY "stages: [{parts: [gate]}]",
     NULL,
     {"unknown key 'stages.0.parts'; closest is 'stages.0.train'"}},
    {FILE_KEY "stages: [{batch: 5}]", NULL, {"unknown key 'stages.0.batch'"}},
    {FILE_KEY "stages: [{rate: 1, rate: 2}]", NULL, {"x.yaml:2: key 'rate' is given twice"}},
    {FILE_KEY "stages: [{rate: -1}]", NULL, {"x.yaml:2: stages.0.rate = -1: expected a number"}},
    {FILE_KEY "stages: [{train: all}]", NULL, {"stages.0.train = all: expected a list of one or more of"}},
    {FILE_KEY "stages:\n- name: a\n- name: a",
     NULL,
     {"x.yaml:4: stages.1.name = a: stage 0 has the same name"}},
    /* the command line */
    {FILE_KEY, "model.width", {"argument 1: 'model.width': expected key=value"}},
    {FILE_KEY, "=3", {"argument 1: '=3': expected key=value"}},
    {FILE_KEY, "model.widht=3", {"argument 1: unknown key 'model.widht'; closest is 'model.width'"}},
    {FILE_KEY, "model.width=", {"argument 1: model.width = : expected an integer"}},
    {FILE_KEY, "model.width= 8", {"argument 1: model.width =  8: expected an integer"}},
    {FILE_KEY, "model=8", {"argument 1: unknown key 'model'"}},
    {FILE_KEY, "model.tie=[gate", {"argument 1: model.tie = [gate: expected a list"}},
    {FILE_KEY, "model.tie=[ffn,]", {"argument 1: model.tie = [ffn,]: expected a list"}},
    {FILE_KEY, "data.file=\xC3", {"argument 1: data.file = ?: expected a text"}},
    {FILE_KEY, "data.file=a\x1B[2J", {"argument 1: data.file = a?[2J: expected a text"}},
    {FILE_KEY, "stages.1.rate=1", {"argument 1: stages.1.rate: expected a stage from 0 to 0"}},
    {FILE_KEY, "stages.x.rate=1", {"argument 1: 'stages.x.rate=1': expected stages.N.key=value"}},
    {FILE_KEY, "stages.99999999999.rate=1", {"argument 1: ", "expected stages.N.key=value"}},
    {FILE_KEY, "stages.0.raet=1", {"argument 1: unknown key 'stages.0.raet'; closest is 'stages.0.rate'"}},
    {FILE_KEY, "model.heads=5", {"x.yaml: model.width = 64 is not divisible by model.heads = 5"}},
    {FILE_KEY "stages: [{rate: 1}]",
     "train.rate=2",
     {"argument 1: train.rate has no effect", "use stages.0.rate"}},
    /* hostile YAML */
    {FILE_KEY "model: &a {width: 8}", NULL, {"x.yaml:2: anchors are not accepted"}},
    {FILE_KEY "model: *a", NULL, {"x.yaml:2: aliases are not accepted"}},
    {FILE_KEY "seed: !!int 3", NULL, {"x.yaml:2: tags are not accepted"}},
    {FILE_KEY "model: !m {width: 8}", NULL, {"x.yaml:2: tags are not accepted"}},
    {FILE_KEY "stages: ! [{}]", NULL, {"x.yaml:2: tags are not accepted"}},
    {FILE_KEY "---\nseed: 3", NULL, {"x.yaml:2: several documents are not accepted"}},
    {"---\n---\n" FILE_KEY, NULL, {"x.yaml:2: several documents are not accepted"}},
    {FILE_KEY "run: [[[[[[[[[[a]]]]]]]]]]", NULL, {"x.yaml:2: nested deeper than 8"}},
    {FILE_KEY "run: {", NULL, {"x.yaml:", "not YAML: "}},
    {FILE_KEY "run: \"a", NULL, {"x.yaml:", "not YAML: "}},
    {FILE_KEY "\trun: a", NULL, {"x.yaml:2: not YAML: "}},
    {FILE_KEY "run: a\n  b: c", NULL, {"x.yaml:3: not YAML: "}},
    {FILE_KEY "run: \xFF", NULL, {"x.yaml:2: expected UTF-8 text without control characters"}},
    {FILE_KEY "run: \xC0\x80", NULL, {"x.yaml:2: expected UTF-8 text"}},
    {FILE_KEY "run: \xED\xA0\x80", NULL, {"x.yaml:2: expected UTF-8 text"}},
    {FILE_KEY "run: \xF5\x80\x80\x80", NULL, {"x.yaml:2: expected UTF-8 text"}},
    {FILE_KEY "run: \x1B[31m", NULL, {"x.yaml:2: expected UTF-8 text"}},
    {"d\xFF", NULL, {"x.yaml:1: expected UTF-8 text"}},
};

START_TEST(test_mistake)
{
    const struct mistake *mistake = &mistakes[_i];
    mot_config config;
    const mot_status status = mot_config_parse(&config, "x.yaml", mistake->text, mistake->argument != NULL,
                                               &mistake->argument);
    ck_assert_msg(status == MOT_ERR_INPUT, "accepted: %s %s", mistake->text, mistake->argument);
    for (int i = 0; i < 3 && mistake->says[i] != NULL; ++i)
        ck_assert_msg(strstr(mot_error_message(), mistake->says[i]) != NULL,
                      "mistake %d: \"%s\" does not say \"%s\"", _i, mot_error_message(), mistake->says[i]);
    ck_assert_ptr_null(strchr(mot_error_message(), '\n'));
}
END_TEST

START_TEST(test_long_texts_are_cut)
{
    enum { LONG = 100000 };
    static char text[LONG + 64];
    mot_config config;
    const char *const before[] = {FILE_KEY "model.width: ", FILE_KEY "",
                                  "data.file: ", FILE_KEY "route.placement: [["};
    const char *const behind[] = {"", ": 3", "", "]]"};
    for (size_t i = 0; i < MOT_COUNT(before); ++i) {
        memset(text, 0, sizeof text);
        strcpy(text, before[i]);
        memset(text + strlen(text), '7', LONG);
        strcat(text, behind[i]);
        ck_assert_int_eq(mot_config_parse(&config, "x.yaml", text, 0, NULL), MOT_ERR_INPUT);
        ck_assert_uint_lt(strlen(mot_error_message()), 300);
    }
}
END_TEST

START_TEST(test_files)
{
    char folder[] = "/tmp/mot_config_XXXXXX", path[64];
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/digits.yaml", folder);
    mot_config config;
    ck_assert_int_eq(mot_config_read(&config, path, 0, NULL), MOT_ERR_INPUT); /* missing */
    ck_assert_ptr_nonnull(strstr(mot_error_message(), path));
    ck_assert_int_eq(mot_config_read(&config, folder, 0, NULL), MOT_ERR_INPUT); /* a folder */
    ck_assert_ptr_nonnull(strstr(mot_error_message(), folder));

    FILE *file = fopen(path, "w");
    fputs(FILE_KEY "seed: 9\n", file);
    fclose(file);
    mot_ck_ok(mot_config_read(&config, path, 0, NULL));
    ck_assert_uint_eq(config.seed, 9);
    ck_assert_str_eq(config.run, "runs/digits");

    file = fopen(path, "a");
    fputc('\0', file);
    fclose(file);
    ck_assert_int_eq(mot_config_read(&config, path, 0, NULL), MOT_ERR_INPUT);
    ck_assert_ptr_nonnull(strstr(mot_error_message(), "zero byte"));

    ck_assert_int_eq(truncate(path, (1 << 20) + 1), 0); /* too large */
    ck_assert_int_eq(mot_config_read(&config, path, 0, NULL), MOT_ERR_INPUT);
    ck_assert_ptr_nonnull(strstr(mot_error_message(), path));
    unlink(path);
    rmdir(folder);
}
END_TEST

static void bad_config_tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, test_mistake, 0, MOT_COUNT(mistakes));
    tcase_add_test(tcase, test_long_texts_are_cut);
    tcase_add_test(tcase, test_files);
}
MOT_CK_MAIN("bad_config", bad_config_tests)
