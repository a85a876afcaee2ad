/* cmd_data.h: the parts of `mot data`. */
#ifndef MOT_CMD_DATA_H
#define MOT_CMD_DATA_H

#include <stdint.h>

#include "cli.h"
#include "mot/dataset.h"

mot_verb_function cmd_data_import, cmd_data_join, cmd_data_show, cmd_data_make_mixture, cmd_data_make_teacher;

/* cmd_data_given.c. An option is wrong: one sentence, and state->hook is set, for which a parser returns EINVAL. */
void cmd_data_wrong(struct argp_state *state, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The place of a word in a list "a|b|c"; otherwise cmd_data_wrong names the option and the list. */
int cmd_data_word(struct argp_state *state, const char *option, const char *list, const char *text);

/* A whole number, or a number, in [least, most]; otherwise cmd_data_wrong names the option. */
uint64_t cmd_data_whole(struct argp_state *state, const char *option, const char *text, uint64_t least,
                        uint64_t most);
double cmd_data_number(struct argp_state *state, const char *option, const char *text, double least,
                       double most);

/* "mean 0.5 deviation 1.2, from -3 to 4": number `which` of the targets of a split that was read, which are no classes. */
typedef struct cmd_data_range {
    char text[120];
} cmd_data_range;
cmd_data_range cmd_data_target_range(const mot_dataset *set, size_t which);
float cmd_data_target_number(const mot_dataset *set, mot_gidx index, size_t which);

/* cmd_data_make.c. A kind of mot data make: `own` has its options and doc, read into `config`, from which `open` has a split of so
 * many samples made; what all kinds take is added. */
typedef mot_status cmd_data_opener(mot_dataset *set, const void *config, uint64_t seed, const char *split, mot_gidx samples);
mot_status cmd_data_make_by(int argc, char **argv, const struct argp *own, void *config, const char *kind, cmd_data_opener *open);

/* "made FILE", what it holds in three lines, and what may be done next. */
mot_status cmd_data_say_made(const char *path);

#endif
