/* The table of options for people: for a terminal, and as docs/config.md. */
#include <string.h>

#include "option.h"

static const char head[] =
    "# Configuration\n"
    "\n"
    "A run is described by one YAML file.\n"
    "Every key has a default; only `data.file` must be given, or `data.source: mixture`, `teacher` or `stream`.\n"
    "\n"
    "```yaml\n"
    "data:\n"
    "  file: data/digits.h5\n"
    "model:\n"
    "  experts: 8\n"
    "  width: 64\n"
    "route:\n"
    "  noise: gumbel\n"
    "train:\n"
    "  batch: 256\n"
    "  rate: 1e-3\n"
    "stages:\n"
    "  - name: explore\n"
    "    train: [gate, head]\n"
    "    until: purity plateau 200 or 400 steps\n"
    "  - name: learn\n"
    "    until: 6 epochs\n"
    "```\n"
    "\n"
    "A key is a path: `model.width` is `width` in the map `model`, or the key `model.width` itself.\n"
    "On the command line `key=value` overrides the file: `model.width=128`, `model.tie=[attention]`; the "
    "last one wins.\n"
    "\n"
    "`stages` is a list of 1 to 16 maps that are trained in order.\n"
    "A stage takes what it leaves out from `train`; `train.parts` is called `train` there.\n"
    "Without `stages` there is one, called `train`.\n"
    "`stages.0.rate=0.1` on the command line changes one stage.\n"
    "A `gate_` key that is `same`, the default, follows the experts' key of its stage.\n"
    "\n"
    "`model.layers` is a list of layers, each a map of one entry such as `dense: {depth: 1}` ([layers.md](layers.md)); "
    "`model.layers.2.count=16` on the command line changes one.\n"
    "\n"
    "A run that goes on may have other values of some keys; `may change` says of each key what that does:\n"
    "\n"
    "- `no`: it would have been another run from its first step on, and is refused.\n"
    "- `from there on`: it changes what is learned from the next step on.\n"
    "- `same bits`: it changes where and how that is computed.\n"
    "- `reports`: it changes what is evaluated, kept and said, and no bit of what is learned.\n"
    "\n"
    "The file is UTF-8 of at most 1 MiB, one document, without anchors, aliases and tags.\n"
    "Numbers are plain decimal: `400`, `1e3`, `0.05`.\n"
    "A mistake ends the program with exit code 2 and a sentence that names file, line and key:\n"
    "\n"
    "```\n"
    "mot: error: configs/digits.yaml:5: unknown key 'model.widht'; closest is 'model.width'\n"
    "mot: error: argument 1: model.width = 0: expected an integer from 1 to 16384\n"
    "mot: error: argument 2: unknown key 'lr'; here it is 'train.rate'\n"
    "```\n"
    "\n"
    "The run folder keeps the resolved copy, `config.yaml`, which repeats the run.\n"
    "This page is made from the option table, `src/config/options.c`.\n";

static const char *const may_change[] = {[MOT_KEY_FIXED] = "no",
                                         [MOT_KEY_LEARNS] = "from there on",
                                         [MOT_KEY_PLACES] = "same bits",
                                         [MOT_KEY_REPORTS] = "reports"};

static bool in_section(const mot_option *option, const char *section)
{
    const char *key = option->key != NULL ? option->key : "train.";
    const size_t length = strlen(section);
    return length == 0 ? strchr(key, '.') == NULL : strncmp(key, section, length) == 0 && key[length] == '.';
}

/* "`train.parts`, in a stage `train`" */
static void key_text(const mot_option *option, const char *quote, char *text, size_t size)
{
    const char *key = option->key;
    if (key == NULL)
        snprintf(text, size, "%s%s%s, in stages only", quote, option->stage_key, quote);
    else if (option->stage_key != NULL && strcmp(key + strlen("train."), option->stage_key) != 0)
        snprintf(text, size, "%s%s%s, in a stage %s%s%s", quote, key, quote, quote, option->stage_key, quote);
    else
        snprintf(text, size, "%s%s%s", quote, key, quote);
}

static void default_text(const mot_option *option, char *text, size_t size)
{
    snprintf(text, size, "%s", option->fallback);
    if (option->inherits != NULL)
        snprintf(text, size, "same, as %s", option->inherits);
    else if (option->key == NULL)
        snprintf(text, size, "stage0, ...");
    else if (strcmp(option->key, "run") == 0)
        snprintf(text, size, "runs/NAME");
    else if (option->fallback[0] == '\0')
        snprintf(text, size, "required");
}

static void print_row(FILE *stream, const mot_option *option, bool markdown)
{
    char key[MOT_OPTION_KEY], value[400], fallback[80];
    key_text(option, markdown ? "`" : "", key, sizeof key);
    mot_option_expected(option, value, sizeof value);
    default_text(option, fallback, sizeof fallback);
    const char *unit = option->unit != NULL ? option->unit : "";
    if (markdown)
        fprintf(stream, "| %s | %s | %s | %s | %s | %s |\n", key, value, fallback, unit, may_change[option->role],
                option->help);
    else
        fprintf(stream, "  %-24s %s\n  %-24s %s%s%s; default %s; may change: %s\n", key, option->help, "", value,
                unit[0] != '\0' ? "; " : "", unit, fallback, may_change[option->role]);
}

static void print_names(FILE *stream, const char *names, const char *quote)
{
    for (const char *at = names; *at != '\0';) {
        const int length = (int)strcspn(at, " ");
        fprintf(stream, "%s%s%.*s%s", at == names ? "" : ", ", quote, length, at, quote);
        at += length + (int)strspn(at + length, " ");
    }
}

/* What keys and values are called elsewhere. */
static void print_foreign(FILE *stream, bool markdown)
{
    fputs(markdown ? "\n## Names of other programs\n\nAn unknown key or value that stands here is refused by "
                     "a sentence "
                     "that names ours. Case, `_` and `-` do not matter.\n\n| elsewhere | here |\n|---|---|\n"
                   : "\nNames of other programs, and what they are here\n",
          stream);
    const char *const quote = markdown ? "`" : "";
    for (int i = 0; i < mot_foreign_key_count + mot_foreign_value_count; ++i) {
        const mot_foreign *row = i < mot_foreign_key_count ? &mot_foreign_keys[i]
                                                           : &mot_foreign_values[i - mot_foreign_key_count];
        fputs(markdown ? "| " : "  ", stream);
        print_names(stream, row->names, quote);
        fputs(markdown ? " | " : "\n                           ", stream);
        const char *const key = row->key != NULL || row->value == NULL ? row->key : "a boolean";
        if (key != NULL) fprintf(stream, "%s%s%s", quote, key, quote);
        if (row->value != NULL) fprintf(stream, ": %s%s%s", quote, row->value, quote);
        if (row->note != NULL) fprintf(stream, "%s%s", key != NULL ? ", " : "none: ", row->note);
        fputs(markdown ? " |\n" : "\n", stream);
    }
}

void mot_config_help(FILE *stream, bool markdown)
{
    if (markdown) fputs(head, stream);
    for (int section = 0; section < mot_option_section_count; ++section) {
        const mot_option_section *title = &mot_option_sections[section];
        if (markdown)
            fprintf(stream, "\n## %s\n\n| key | value | default | unit | may change | meaning |\n"
                            "|---|---|---|---|---|---|\n",
                    title->help);
        else
            fprintf(stream, "%s%s\n", section > 0 ? "\n" : "", title->help);
        for (int i = 0; i < mot_option_count; ++i)
            if (in_section(&mot_options[i], title->name)) print_row(stream, &mot_options[i], markdown);
    }
    print_foreign(stream, markdown);
}
