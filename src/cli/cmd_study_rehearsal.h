/* cmd_study_rehearsal.h: mot study rehearsal with settings of one's own: a table in place of a study. */
#ifndef MOT_CMD_STUDY_REHEARSAL_H
#define MOT_CMD_STUDY_REHEARSAL_H

#include "cli.h"
#include "mot/rehearsal.h"

enum { CMD_REHEARSAL_GAPS = 64, CMD_REHEARSAL_PAIRS = 256 };

typedef struct cmd_rehearsal {
    const char *given; /* the first of these options that was given; NULL: none */
    mot_rehearsal setting;
    mot_rehearsal_rule rule;
    bool all; /* strategies, or the rule's alone */
    double gap[CMD_REHEARSAL_GAPS];
    size_t gaps;
    bool similar_given, order_given, tasks_given, gap_given;
    int pair[CMD_REHEARSAL_PAIRS][2]; /* tasks that are similar, from 1 */
    size_t pairs;
    const char *truths; /* a file; NULL: by gaps */
} cmd_rehearsal;
#define CMD_REHEARSAL_USUAL                                                                                              \
    {                                                                                                                    \
        .setting = {.tasks = 4, .width = 200, .samples = 24, .memory = 24, .noise = 0.3}, .all = true,                   \
        .gap = {0, 0.5, 1, 2}, .gaps = 4                                                                                 \
    }

/* The options, of which the input is a cmd_rehearsal. */
extern const struct argp cmd_rehearsal_argp;

/* Prints the table (the root). Collective. */
mot_status cmd_rehearsal_say(const mot_comm *comm, const cmd_rehearsal *asked, uint64_t seed, int runs);

#endif
