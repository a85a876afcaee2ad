/* The options of mot study rehearsal, where it is asked about settings of one's own. */
#include "cmd_study_rehearsal.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cmd_data.h"

enum { GAP = 512, TASKS, SAMPLES, MEMORY, NOISE, WIDTH, STRATEGY, SIMILAR, ORDER, STORED, TRUTHS };

static const struct argp_option options[] = {
    {"gap", GAP, "G,...", 0, "How far apart any two truths are (default 0,0.5,1,2)", 0},
    {"tasks", TASKS, "T", 0, "Tasks, one after another (default 4)", 0},
    {"samples", SAMPLES, "N", 0, "Samples of a task (default 24)", 0},
    {"memory", MEMORY, "M", 0, "Samples in memory; old tasks have equal shares, rounded down (default 24)", 0},
    {"noise", NOISE, "S", 0, "Deviation of the noise (default 0.3)", 0},
    {"width", WIDTH, "P", 0, "Numbers a sample, at least N + M + 2 (default 200)", 0},
    {"strategy", STRATEGY, "NAME", 0, "none, concurrent, sequential, hybrid, or all of them (default)", 0},
    {"similar", SIMILAR, "RULE", 0,
     "Which old tasks hybrid fits together with the new one: distance=D, those at most D apart (default: where so many "
     "tasks are forgotten alike either way); cosine=C, of expected gradients; foresight, the set that theory finds best; "
     "pairs=2-1,3-1,..., tasks from 1",
     0},
    {"order", ORDER, "NAME", 0, "Of memories that follow one another: oldest (default), newest or dissimilar first", 0},
    {"stored", STORED, NULL, 0, "Simulate a memory of samples that tasks were learned from, in place of fresh ones", 0},
    {"truths", TRUTHS, "FILE", 0, "The truths in place of --gap and --tasks: a line of numbers each", 0},
    {0}};

static int read_word(struct argp_state *state, const char *option, const char *const *words, int count, const char *text)
{
    char list[200] = "";
    for (int i = 0; i < count; ++i) {
        if (strcmp(words[i], text) == 0) return i;
        const size_t used = strlen(list);
        snprintf(list + used, sizeof list - used, "%s%s", i > 0 ? ", " : "", words[i]);
    }
    cmd_data_wrong(state, "--%s is one of %s, not '%s'", option, list, text);
    return 0;
}

static void read_gaps(struct argp_state *state, cmd_rehearsal *a, const char *text)
{
    const char *at = text;
    a->gaps = 0;
    a->gap_given = true;
    for (;;) {
        char *end;
        const double gap = strtod(at, &end);
        if (end == at || (*end != '\0' && *end != ',') || !(gap >= 0 && gap <= 1e6) || a->gaps == CMD_REHEARSAL_GAPS) {
            cmd_data_wrong(state, "--gap is up to %d numbers from 0 to 1e6 with commas between, not '%s'", CMD_REHEARSAL_GAPS,
                           text);
            return;
        }
        a->gap[a->gaps++] = gap;
        if (*end == '\0') return;
        at = end + 1;
    }
}

/* "2-1,3-1" */
static void read_pairs(struct argp_state *state, cmd_rehearsal *a, const char *text)
{
    const char *at = text;
    for (a->pairs = 0;; ++a->pairs) {
        int length = 0, first, second;
        if (a->pairs == CMD_REHEARSAL_PAIRS || sscanf(at, "%2d-%2d%n", &first, &second, &length) != 2 || length == 0 ||
            (at[length] != '\0' && at[length] != ',') || first < 1 || second < 1 || first == second) {
            cmd_data_wrong(state, "--similar pairs=A-B,... are two different tasks each, from 1, up to %d pairs, not '%s'",
                           CMD_REHEARSAL_PAIRS, text);
            return;
        }
        a->pair[a->pairs][0] = first > second ? first : second;
        a->pair[a->pairs][1] = first > second ? second : first;
        if (at[length] == '\0') break;
        at += length + 1;
    }
    ++a->pairs;
}

static void read_similar(struct argp_state *state, cmd_rehearsal *a, const char *text)
{
    static const char distance[] = "distance=", cosine[] = "cosine=", pairs[] = "pairs=";
    a->similar_given = true;
    if (strncmp(text, distance, strlen(distance)) == 0) {
        a->rule.likeness = MOT_REHEARSAL_BY_DISTANCE;
        a->rule.bound = cmd_data_number(state, "similar distance", text + strlen(distance), 0, 1e6);
    } else if (strncmp(text, cosine, strlen(cosine)) == 0) {
        a->rule.likeness = MOT_REHEARSAL_BY_COSINE;
        a->rule.bound = cmd_data_number(state, "similar cosine", text + strlen(cosine), -1, 1);
    } else if (strncmp(text, pairs, strlen(pairs)) == 0) {
        a->rule.likeness = MOT_REHEARSAL_GIVEN;
        read_pairs(state, a, text + strlen(pairs));
    } else if (strcmp(text, "foresight") == 0) {
        a->rule.likeness = MOT_REHEARSAL_BY_FORESIGHT;
    } else {
        cmd_data_wrong(state, "--similar is distance=D, cosine=C, foresight or pairs=A-B,..., not '%s'", text);
    }
}

static const char *name_of(int key)
{
    for (const struct argp_option *option = options; option->name != NULL; ++option)
        if (option->key == key) return option->name;
    return NULL;
}

static error_t parse(int key, char *text, struct argp_state *state)
{
    cmd_rehearsal *a = state->input;
    switch (key) {
    case GAP:
        read_gaps(state, a, text);
        break;
    case TASKS:
        a->tasks_given = true;
        a->setting.tasks = (int)cmd_data_whole(state, "tasks", text, 1, MOT_REHEARSAL_TASKS);
        break;
    case SAMPLES:
        a->setting.samples = cmd_data_whole(state, "samples", text, 1, MOT_REHEARSAL_ROWS);
        break;
    case MEMORY:
        a->setting.memory = cmd_data_whole(state, "memory", text, 0, MOT_REHEARSAL_ROWS);
        break;
    case NOISE:
        a->setting.noise = cmd_data_number(state, "noise", text, 0, 1e6);
        break;
    case WIDTH:
        a->setting.width = cmd_data_whole(state, "width", text, 1, MOT_REHEARSAL_WIDTH);
        break;
    case STRATEGY:
        a->all = strcmp(text, "all") == 0;
        if (!a->all)
            a->rule.strategy = (mot_rehearsal_strategy)read_word(state, "strategy", mot_rehearsal_strategy_names,
                                                                 MOT_REHEARSAL_STRATEGIES, text);
        break;
    case SIMILAR:
        read_similar(state, a, text);
        break;
    case ORDER:
        a->order_given = true;
        a->rule.order = (mot_rehearsal_order)read_word(state, "order", mot_rehearsal_order_names, MOT_REHEARSAL_ORDERS, text);
        break;
    case STORED:
        a->setting.stored = true;
        break;
    case TRUTHS:
        a->truths = text;
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    if (a->given == NULL) a->given = name_of(key);
    return state->hook != NULL ? EINVAL : 0;
}

const struct argp cmd_rehearsal_argp = {.options = options, .parser = parse};
