#include "cli.h"

#include <ctype.h>
#include <errno.h>
#include <mpi.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mot/memory.h"

/* A key of the configuration that was given as an option, "--lr 0.1" or "-lr=0.1": adds to what argp `said` of it what it
 * should have been. */
static void explain_option(const struct argp *argp, int argc, char **argv, char *said, size_t size)
{
    static const char begin[] = ": settings are KEY=VALUE without dashes; ";
    char name[128], hint[400], letter[] = "-- 'x'";
    if (argp->args_doc == NULL || strstr(argp->args_doc, "KEY=VALUE") == NULL) return;
    for (int i = 1; i < argc; ++i) {
        const size_t dashes = strspn(argv[i], "-"), length = strcspn(argv[i] + dashes, "=");
        if (dashes == 0 || length == 0 || length >= sizeof name) continue;
        letter[4] = argv[i][1];
        if (strstr(said, argv[i]) == NULL && (dashes > 1 || strstr(said, letter) == NULL)) continue;
        memcpy(name, argv[i] + dashes, length);
        name[length] = '\0';
        const size_t used = strlen(said);
        if (mot_config_hint(name, hint, sizeof hint)) snprintf(said + used, size - used, "%s%s", begin, hint);
        return;
    }
}

/* argp prints its errors itself; to make one sentence of them they go into memory instead of stderr. */
static mot_status parse(const struct argp *argp, unsigned order, int argc, char **argv, void *input, bool *help)
{
    *help = false;
    int rank = 0, running = 0;
    MPI_Initialized(&running);
    if (running) MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; ++i) {
        const bool usage = strcmp(argv[i], "--usage") == 0;
        if (!usage && strcmp(argv[i], "--help") != 0 && strcmp(argv[i], "-?") != 0) continue;
        *help = true;
        if (rank == 0)
            argp_help(argp, stdout, usage ? ARGP_HELP_USAGE : ARGP_HELP_STD_HELP & ~ARGP_HELP_EXIT_OK,
                      argv[0]);
        return MOT_OK;
    }

    char *said = NULL;
    size_t size = 0;
    FILE *memory = open_memstream(&said, &size);
    if (memory == NULL) return mot_fail(MOT_ERR_MEMORY, "not enough memory to read the arguments");
    FILE *const terminal = stderr;
    stderr = memory;
    const error_t error = argp_parse(argp, argc, argv, order | ARGP_NO_EXIT | ARGP_NO_HELP, NULL, input);
    stderr = terminal;
    fclose(memory);

    mot_status status = MOT_OK;
    if (error != 0) {
        said[strcspn(said, "\n")] = '\0'; /* argp adds a second line, "Try ..." */
        const char *what = strncmp(said, argv[0], strlen(argv[0])) == 0 ? said + strlen(argv[0]) + 2 : said;
        char sentence[MOT_SENTENCE];
        snprintf(sentence, sizeof sentence, "%s", size > 0 ? what : strerror(error));
        explain_option(argp, argc, argv, sentence, sizeof sentence);
        status = mot_fail(MOT_ERR_INPUT, "%s (see %s --help)", sentence, argv[0]);
    }
    free(said);
    return status;
}

mot_status mot_cli_parse(const struct argp *argp, int argc, char **argv, void *input, bool *help)
{
    return parse(argp, 0, argc, argv, input, help);
}

mot_status mot_cli_parse_in_order(const struct argp *argp, int argc, char **argv, void *input, bool *help)
{
    return parse(argp, ARGP_IN_ORDER, argc, argv, input, help);
}

error_t mot_cli_refuse(const struct argp_state *state, const char *format, ...)
{
    char sentence[MOT_SENTENCE];
    va_list list;
    va_start(list, format);
    vsnprintf(sentence, sizeof sentence, format, list);
    va_end(list);
    argp_error(state, "%s", sentence); /* which returns, see mot_cli_parse */
    return EINVAL;
}

error_t mot_cli_add_setting(mot_cli_settings *settings, const char *text, struct argp_state *state)
{
    if (settings->count == MOT_CLI_SETTINGS) return mot_cli_refuse(state, "more than %d settings", MOT_CLI_SETTINGS);
    settings->text[settings->count++] = text;
    return 0;
}

bool mot_cli_whole(const char *text, uint64_t least, uint64_t most, uint64_t *value)
{
    char *end;
    if (!isdigit((unsigned char)text[0])) return false; /* strtoull takes blanks and signs */
    errno = 0;
    const unsigned long long number = strtoull(text, &end, 10);
    if (*end != '\0' || errno != 0 || number < least || number > most) return false;
    *value = number;
    return true;
}

mot_status mot_cli_config(const mot_comm *comm, const char *path, const char *name, const char *text,
                          const mot_cli_settings *settings, mot_config **config)
{
    mot_status status = mot_allocate(config, 1, sizeof **config, "a configuration");
    MOT_TRY(mot_comm_agree(comm, status));
    if (comm->rank == MOT_ROOT && path != NULL)
        status = mot_config_read(*config, path, settings->count, settings->text);
    else if (comm->rank == MOT_ROOT)
        status = mot_config_parse(*config, name, text, settings->count, settings->text);
    MOT_TRY(mot_comm_agree(comm, status));
    mot_comm_bcast(comm, *config, sizeof **config, MOT_ROOT);
done:
    return status;
}
