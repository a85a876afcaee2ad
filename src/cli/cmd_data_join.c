/* mot data join: several data sets as one. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cmd_data.h"
#include "mot/join.h"
#include "mot/log.h"
#include "mot/output.h"

enum { OUT = 256, FORCE, CLASSES, GROUPS, SPLITS, SEED, TITLE, LICENCE, NAME, ROTATE, FLIP, TRANSPOSE, NEGATE, CHANGE };

typedef struct arguments {
    mot_join_options options;
    bool force;
} arguments;

static const struct argp_option options[] = {
    {"out", OUT, "FILE", 0, "the data set to make", 0},
    {"force", FORCE, NULL, 0, "replace an existing file", 0},
    {"classes", CLASSES, "apart|name", 0,
     "apart (default): the classes of each source follow those of the one before it; name: those that are called alike are one", 0},
    {"groups", GROUPS, "source|own", 0,
     "source (default): a sample's group is its source; own: the groups that the sources have, one source's behind another's", 0},
    {"splits", SPLITS, "train,...", 0, "those that are joined, of train, val and test (default: all, which all sources must have)", 0},
    {"seed", SEED, "S", 0, "of what changes draw (default 0)", 0},
    {"title", TITLE, "TEXT", 0, "kept in the file", 0},
    {"licence", LICENCE, "TEXT", 0, "kept in the file", 0},
    {NULL, 0, NULL, 0, "Of the source whose FILE stands before it; changes are made in the order in which they stand:", 1},
    {"name", NAME, "NAME", 0, "what it is called (default: as its file, with its changes behind)", 1},
    {"rotate", ROTATE, "DEGREES", 0, "pictures turned anticlockwise; exact by multiples of 90", 1},
    {"flip", FLIP, NULL, 0, "pictures with left and right exchanged", 1},
    {"transpose", TRANSPOSE, NULL, 0, "pictures with rows and columns exchanged", 1},
    {"negate", NEGATE, NULL, 0, "pictures with white for black", 1},
    {"change", CHANGE, "CHANGES", 0, "any that data.stream.changes knows, such as \"blur 2 + noise 0.1\" or \"pixels\"", 1},
    {0}};

/* The source that an option belongs to; NULL: there is none before it. */
static mot_join_source *last_source(mot_join_options *o, const char *option, struct argp_state *state)
{
    if (o->count > 0) return &o->source[o->count - 1];
    cmd_data_wrong(state, "--%s stands behind the FILE of the source that it belongs to, and none stands before it", option);
    return NULL;
}

static void add_source(mot_join_options *o, const char *path, struct argp_state *state)
{
    if (o->count == MOT_JOIN_SOURCES)
        cmd_data_wrong(state, "more than %d data sets: join some of them first", MOT_JOIN_SOURCES);
    else
        o->source[o->count++].path = path;
}

/* "rotate 180" behind what is done to the source already. */
static void add_change(mot_join_options *o, const char *option, const char *change, struct argp_state *state)
{
    mot_join_source *source = last_source(o, option, state);
    char all[2 * MOT_CHANGES_TEXT];
    mot_task_changes known;
    if (source == NULL) return;
    const int length = snprintf(all, sizeof all, "%s%s%s", source->change, source->change[0] != '\0' ? " + " : "", change);
    if ((size_t)length < sizeof all && mot_task_changes_parse(all, &known) && known.count > 0)
        memcpy(source->change, all, strlen(all) + 1);
    else if (mot_task_changes_known(change) && strcmp(change, "none") != 0)
        cmd_data_wrong(state, "%s: more than %d changes of one source", source->path, MOT_MOST_CHANGES);
    else
        cmd_data_wrong(state, "--%s '%s' is no change: expected such as \"rotate 180 + negate\" (see docs/data.md)", option, change);
}

static void read_splits(mot_join_options *o, const char *text, struct argp_state *state)
{
    char name[8];
    for (const char *at = text; at != NULL && *at != '\0' && state->hook == NULL;) {
        at = mot_list_next(at, name, sizeof name);
        o->split[cmd_data_word(state, "splits", "train|val|test", at != NULL ? name : text)] = true;
    }
}

static error_t parse_source(int key, char *text, struct argp_state *state)
{
    mot_join_options *o = &((arguments *)state->input)->options;
    mot_join_source *source;
    char turn[64];
    switch (key) {
    case ARGP_KEY_ARG:
        add_source(o, text, state);
        break;
    case NAME:
        source = last_source(o, "name", state);
        if (source != NULL) source->name = text;
        break;
    case ROTATE:
        snprintf(turn, sizeof turn, "rotate %g", cmd_data_number(state, "rotate", text, -360, 360));
        add_change(o, "rotate", turn, state);
        break;
    case FLIP:
        add_change(o, "flip", "flip", state);
        break;
    case TRANSPOSE:
        add_change(o, "transpose", "transpose", state);
        break;
    case NEGATE:
        add_change(o, "negate", "negate", state);
        break;
    case CHANGE:
        add_change(o, "change", text, state);
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

static error_t parse(int key, char *text, struct argp_state *state)
{
    arguments *a = state->input;
    mot_join_options *o = &a->options;
    error_t error = 0;
    switch (key) {
    case OUT:
        o->out = text;
        break;
    case FORCE:
        a->force = true;
        break;
    case CLASSES:
        o->by_name = cmd_data_word(state, "classes", "apart|name", text) == 1;
        break;
    case GROUPS:
        o->own_groups = cmd_data_word(state, "groups", "source|own", text) == 1;
        break;
    case SPLITS:
        read_splits(o, text, state);
        break;
    case SEED:
        o->seed = cmd_data_whole(state, "seed", text, 0, UINT64_MAX);
        break;
    case TITLE:
        o->title = text;
        break;
    case LICENCE:
        o->licence = text;
        break;
    default:
        error = parse_source(key, text, state);
    }
    return error == 0 && state->hook != NULL ? EINVAL : error;
}

mot_status cmd_data_join(int argc, char **argv)
{
    static const struct argp argp = {
        .options = options,
        .parser = parse,
        .args_doc = "FILE [OPTION...] FILE [OPTION...] ...",
        .doc = "--out FILE\nOne data set of several, one behind another, whose groups are the sources. A source is a FILE and what stands "
               "behind it up to the next one; a FILE may be given more than once.\v"
               "mot data join --out joined.h5 fashion.h5 mnist.h5 fashion.h5 --rotate 180 --negate mnist.h5 --transpose --negate"};
    mot_import_notes notes = {.count = 0};
    arguments a = {.options = {.notes = &notes}};
    const mot_join_options *o = &a.options;
    bool help;
    mot_status status = mot_cli_parse_in_order(&argp, argc, argv, &a, &help);
    if (status != MOT_OK || help) return status;
    if (o->out == NULL || o->count == 0)
        return mot_fail(MOT_ERR_INPUT, "%s needs %s (see %s --help)", argv[0], o->out == NULL ? "--out" : "data sets to join",
                        argv[0]);
    for (int s = 0; s < o->count; ++s) MOT_TRY(mot_output_apart(o->out, o->source[s].path));
    MOT_TRY(mot_output_check(o->out, MOT_OUTPUT_FILE_IN_MADE, a.force));
    MOT_TRY(mot_data_join(o));
    for (size_t i = 0; i < MOT_MIN(notes.count, (size_t)MOT_IMPORT_NOTES); ++i) mot_log(MOT_LOG_INFO, "note: %s", notes.text[i]);
    MOT_TRY(cmd_data_say_made(o->out));
done:
    return status;
}
