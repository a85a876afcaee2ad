/* mot inspect: what is in a run folder, run.h5, checkpoint, record segment, data set or text file.
 *
 * The file may be damaged or hostile: it is read in a child process, since libhdf5 can crash on damaged
 * metadata, and a link is followed only when it leads to a file below the run folder. */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli.h"
#include "inspect_private.h"
#include "mot/atomic_file.h"
#include "mot/checkpoint.h"
#include "mot/memory.h"

enum { KEY_RESEAL = 256 };

/* ---- any HDF5 file ---- */

static mot_status inspect_hdf5(const inspect_options *options)
{
    static const struct kind {
        const char *format, *name;
    } kinds[] = {{"mot-checkpoint", "checkpoint"},
                 {"mot-record", "segment of the routing record"},
                 {"mot-run", "run"},
                 {"mot-analysis", "analysis of what every expert makes of every sample"},
                 {"mot-dataset", "data set"}};
    mot_status status = MOT_OK;
    inspect_file file;
    struct stat about;
    const char *kind = "HDF5 file that mot did not write";
    MOT_TRY(inspect_open(&file, options->path));
    const bool run = strcmp(file.format, "mot-run") == 0;
    for (size_t k = 0; k < MOT_COUNT(kinds); ++k)
        if (strcmp(file.format, kinds[k].format) == 0) kind = kinds[k].name;
    printf("%s: %s", options->path, kind);
    if (stat(options->path, &about) == 0) {
        fputs(", ", stdout);
        inspect_put_bytes((unsigned long long)about.st_size);
    }
    putchar('\n');
    MOT_TRY(inspect_sum_up(&file, options));
    MOT_TRY(inspect_put_tasks(&file, options));
    puts("attributes");
    inspect_put_attributes(file.file, 2);
    puts("contents");
    if (run) MOT_TRY(inspect_put_run(file.file, options));
    inspect_put_group(file.file, "", 0, options);
    if (options->verify && run) inspect_say_verified(file.sealed);

done:
    mot_h5_close(&file.file);
    return status;
}

/* ---- folders and texts ---- */

static mot_status inspect_folder(const inspect_options *options)
{
    char path[PATH_MAX], checkpoints[PATH_MAX], newest[PATH_MAX];
    mot_status status = mot_path_join(path, sizeof path, options->path, "run.h5");
    if (status == MOT_OK)
        status = mot_path_join(checkpoints, sizeof checkpoints, options->path, "checkpoints");
    if (status != MOT_OK) return status;
    const mot_gidx step = mot_checkpoint_newest(checkpoints, newest, sizeof newest);
    if (access(path, F_OK) != 0)
        return mot_fail(MOT_ERR_INPUT, "%s: not a run folder: it has no run.h5", options->path);
    if (step >= 0)
        printf("run folder %s, newest checkpoint %s\n", options->path, newest);
    else
        printf("run folder %s, no checkpoint yet\n", options->path);
    inspect_options file = *options;
    file.path = path;
    return inspect_hdf5(&file);
}

static mot_status inspect_text(const char *path)
{
    char *text = NULL;
    size_t count;
    mot_status status = mot_file_read(path, INSPECT_LIMIT, &text, &count);
    if (status != MOT_OK) return status;
    if (memchr(text, '\0', count) != NULL)
        status = mot_fail(MOT_ERR_INPUT,
                          "%s: neither an HDF5 file nor a text: mot inspect reads run folders, run.h5, "
                          "checkpoints, record segments, data sets, YAML and JSON",
                          path);
    for (size_t i = 0; i < count && status == MOT_OK; ++i) {
        const unsigned char byte = (unsigned char)text[i];
        putchar((byte < 0x20 && byte != '\n' && byte != '\t') || byte == 0x7f ? '?' : byte);
    }
    mot_free(text);
    return status;
}

static mot_status inspect(const inspect_options *options)
{
    struct stat about;
    if (stat(options->path, &about) != 0)
        return mot_fail(MOT_ERR_INPUT, "cannot read %s: %s", options->path, strerror(errno));
    if (options->reseal) return inspect_reseal(options->path);
    if (S_ISDIR(about.st_mode)) return inspect_folder(options);
    /* The name as well: a damaged file that has lost its signature is told so, instead of being shown as a
     * text. */
    const char *const dot = strrchr(options->path, '.');
    const bool named = dot != NULL && strcmp(dot, ".h5") == 0;
    if (named || (S_ISREG(about.st_mode) && H5Fis_hdf5(options->path) > 0))
        return inspect_hdf5(options);
    return inspect_text(options->path);
}

/* The child reads and prints; its sentence comes back through a pipe. */
static mot_status inspect_in_child(const inspect_options *options)
{
    int pipes[2], how;
    char sentence[2048];
    fflush(stdout);
    if (pipe(pipes) != 0) return mot_fail(MOT_ERR_FILE, "cannot make a pipe: %s", strerror(errno));
    const pid_t child = fork();
    if (child < 0) return mot_fail(MOT_ERR_FILE, "cannot start a process: %s", strerror(errno));
    if (child == 0) {
        close(pipes[0]);
        mot_status status = inspect(options);
        if (fflush(stdout) != 0 && status == MOT_OK)
            status = mot_fail(MOT_ERR_FILE, "cannot write to standard output: %s", strerror(errno));
        const char *const said = mot_error_message();
        if (status != MOT_OK && write(pipes[1], said, strlen(said)) < 0) _exit(MOT_ERR_FILE);
        _exit((int)status);
    }
    close(pipes[1]);
    size_t length = 0;
    for (ssize_t got; length < sizeof sentence - 1; length += (size_t)got) {
        got = read(pipes[0], sentence + length, sizeof sentence - 1 - length);
        if (got < 0 && errno == EINTR)
            got = 0;
        else if (got <= 0)
            break;
    }
    sentence[length] = '\0';
    close(pipes[0]);
    while (waitpid(child, &how, 0) < 0 && errno == EINTR) continue;
    if (WIFSIGNALED(how) && WTERMSIG(how) == SIGPIPE)
        return MOT_OK; /* who reads it has seen enough: mot inspect | head */
    if (!WIFEXITED(how) || WEXITSTATUS(how) > MOT_ERR_NUMERIC)
        return mot_fail(MOT_ERR_INPUT, "%s: damaged: libhdf5 cannot cope with it", options->path);
    const mot_status status = (mot_status)WEXITSTATUS(how);
    return status == MOT_OK ? MOT_OK : mot_fail(status, "%s", sentence);
}

/* ---- the verb ---- */

static error_t parse(int key, char *argument, struct argp_state *state)
{
    inspect_options *const options = state->input;
    switch (key) {
    case 'n':
        if (mot_cli_whole(argument, 0, INSPECT_MOST_VALUES, &options->values)) return 0;
        return mot_cli_refuse(state, "--values %s: expected a number from 0 to %d", argument, INSPECT_MOST_VALUES);
    case 'v':
        options->verify = true;
        return 0;
    case KEY_RESEAL:
        options->reseal = true;
        return 0;
    case ARGP_KEY_ARG:
        if (options->path == NULL) {
            options->path = argument;
            return 0;
        }
        return mot_cli_refuse(state, "one file or run folder at a time, '%s' is one too many", argument);
    case ARGP_KEY_END:
        if (options->path != NULL) return 0;
        return mot_cli_refuse(state, "which file or run folder?");
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

mot_status mot_cmd_inspect(int argc, char **argv)
{
    static const struct argp_option table[] = {
        {"values", 'n', "N", 0, "print the first N values of each dataset", 0},
        {"verify", 'v', NULL, 0,
         "read everything, check all checksums, and that no file and no step of a run is missing", 0},
        {"reseal", KEY_RESEAL, NULL, 0,
         "take the file as it is now, changed on purpose by another program, and seal it again", 0},
        {0},
    };
    static const struct argp argp = {
        .options = table, .parser = parse, .args_doc = "FILE|RUN_FOLDER",
        .doc =
            "Show what is in a run folder, run.h5, checkpoint, record segment or data set: what kind it is, "
            "where it comes from, and its tree with shapes, types, units and names; YAML and JSON as text."};
    inspect_options options = {0};
    bool help;
    const mot_status status = mot_cli_parse(&argp, argc, argv, &options, &help);
    return status != MOT_OK || help ? status : inspect_in_child(&options);
}
