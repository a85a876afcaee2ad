/* cli.h: the verbs of the command. Only this folder may end the process. */
#ifndef MOT_CLI_H
#define MOT_CLI_H

#include <argp.h>
#include <stdbool.h>
#include <stdint.h>

#include "mot/comm.h"
#include "mot/config.h"

/* A verb gets its own argv (argv[0] is "mot VERB") and returns a status; main prints the sentence of a failure once,
 * on the root, and turns it into the exit code. argv is parsed by mot_cli_parse, so that a wrong option is exit
 * code 2 with one sentence and --help is 0 on any rank count. */
typedef mot_status mot_verb_function(int argc, char **argv);

mot_verb_function mot_cmd_train, mot_cmd_eval, mot_cmd_predict, mot_cmd_bench, mot_cmd_data, mot_cmd_inspect,
    mot_cmd_report, mot_cmd_study, mot_cmd_export, mot_cmd_import_weights,
    mot_cmd_sweep, mot_cmd_compare;

/* argp_parse with mot's manners: errors become MOT_ERR_INPUT with a sentence, nothing is printed twice under mpirun,
 * and --help / --usage set *help and print on the root only (the verb then returns MOT_OK at once). */
mot_status mot_cli_parse(const struct argp *argp, int argc, char **argv, void *input, bool *help);
/* The same where an option belongs to the argument before it: the parser sees both as they stand. */
mot_status mot_cli_parse_in_order(const struct argp *argp, int argc, char **argv, void *input, bool *help);

/* What a parser returns where an argument is wrong, with the sentence; argp_error by itself says it and goes on. */
error_t mot_cli_refuse(const struct argp_state *state, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* "KEY=VALUE" arguments behind a configuration. */
enum { MOT_CLI_SETTINGS = 256 };
typedef struct mot_cli_settings {
    size_t count;
    const char *text[MOT_CLI_SETTINGS];
} mot_cli_settings;
/* An argp error when there are too many. */
error_t mot_cli_add_setting(mot_cli_settings *settings, const char *text, struct argp_state *state);

/* A whole number in decimal digits alone, in [least, most]; false otherwise, and *value is untouched. */
bool mot_cli_whole(const char *text, uint64_t least, uint64_t most, uint64_t *value);

/* The root reads a configuration, all receive it: mot_free(*config), also after a failure. `path` NULL: `text`, called
 * `name` in messages. Collective. */
mot_status mot_cli_config(const mot_comm *comm, const char *path, const char *name, const char *text,
                          const mot_cli_settings *settings, mot_config **config);

#endif
