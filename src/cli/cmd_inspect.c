/* mot inspect: what is in a run folder, run.h5, checkpoint, record segment, data set or text file.
 *
 * The file may be damaged or hostile: it is read in a child process, since libhdf5 can crash on damaged
 * metadata, and a link is followed only when it leads to a file below the run folder. */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli.h"
#include "inspect_private.h"
#include "mot/atomic_file.h"
#include "mot/checkpoint.h"
#include "mot/dataset.h"
#include "mot/memory.h"
#include "mot/record_read.h"

enum { MOST_VALUES = 1000000, KEY_RESEAL = 256 };

/* ---- what only one kind of file has ---- */

static herr_t add_parameters(hid_t group, const char *name, const H5O_info_t *info, void *sum)
{
    static const char *const others[] = {"balance_bias", "state", "xxh3", "updates", "origin"};
    bool counts = info->type == H5O_TYPE_DATASET && strstr(name, ".moment") == NULL;
    for (size_t o = 0; o < MOT_COUNT(others); ++o) counts = counts && strcmp(name, others[o]) != 0;
    if (!counts) return 0;
    hid_t object = H5Oopen(group, name, H5P_DEFAULT), space = H5Dget_space(object);
    *(unsigned long long *)sum += (unsigned long long)H5Sget_simple_extent_npoints(space);
    mot_h5_close(&space);
    mot_h5_close(&object);
    return 0;
}

/* Numbers in the tensors of a group, moments not counted. */
static unsigned long long parameters_of(hid_t file, const char *group)
{
    unsigned long long sum = 0;
    if (mot_h5_exists(file, group))
        H5Ovisit_by_name2(file, group, H5_INDEX_NAME, H5_ITER_INC, add_parameters, &sum, H5O_INFO_BASIC,
                          H5P_DEFAULT);
    return sum;
}

/* The numbers in the beginning of those that are left, a list that a file has where some have gone. */
static mot_status put_left(hid_t file, const char *name)
{
    int rank;
    hsize_t shape[MOT_H5_MAX_RANK];
    int32_t *number = NULL;
    mot_status status;
    MOT_TRY(mot_h5_shape(file, name, &rank, shape));
    if (rank != 1 || shape[0] > MOST_VALUES) return mot_fail(MOT_ERR_INPUT, "/%s is no list of experts", name);
    MOT_TRY(mot_allocate(&number, shape[0], sizeof *number, "the numbers of experts"));
    MOT_TRY(mot_h5_read(file, name, H5T_NATIVE_INT32, 1, shape, number));
    fputs("  experts that are left, by their numbers in the beginning:", stdout);
    for (hsize_t e = 0; e < shape[0]; ++e) printf(" %" PRId32, number[e]);
    putchar('\n');
done:
    mot_free(number);
    return status;
}

static mot_status put_checkpoint(hid_t file)
{
    mot_status status = MOT_OK;
    int64_t step, stage, experts, complete = 0;
    char *digest = NULL;
    MOT_TRY(mot_h5_get_int(file, "progress", "step", &step));
    MOT_TRY(mot_h5_get_int(file, "progress", "stage", &stage));
    MOT_TRY(mot_h5_get_int(file, ".", "experts", &experts));
    if (mot_h5_has_attribute(file, ".", "complete"))
        MOT_TRY(mot_h5_get_int(file, ".", "complete", &complete));
    MOT_TRY(mot_h5_get_text(file, ".", "digest", &digest));
    const unsigned long long gate = parameters_of(file, "gate"), tied = parameters_of(file, "tied");
    /* Of version 2: a group an expert. */
    const bool former = mot_h5_exists(file, "experts/00000");
    const unsigned long long rows = former ? 1 : (unsigned long long)MOT_MAX(experts, 1),
                             expert = parameters_of(file, former ? "experts/00000" : "experts") / rows;
    printf("  step %" PRId64 " in stage %" PRId64 ", %s\n", step, stage,
           complete == 1 ? "complete" : "NOT COMPLETE");
    printf("  parameters: gate %llu, tied %llu, expert %llu x %" PRId64 "; in all %llu\n", gate, tied, expert,
           experts, gate + tied + expert * (unsigned long long)experts);
    if (mot_h5_exists(file, "experts/origin")) MOT_TRY(put_left(file, "experts/origin"));
    fputs("  digest of the parameters: ", stdout);
    inspect_put_clean(digest, 40);
    putchar('\n');

done:
    mot_free(digest);
    return status;
}

/* Over the steps of a segment. */
static mot_status put_load(hid_t file, int layer)
{
    const mot_record_item item = {.kind = MOT_RECORD_LOAD, .layer = layer};
    mot_record_values load = {0};
    mot_status status;
    double total = 0, least = 0, most = 0, *of = NULL;
    MOT_TRY(mot_record_take(file, &item, false, &load));
    if (load.rows == 0 || load.rank != 1) goto done;
    MOT_TRY(mot_allocate(&of, load.width, sizeof *of, "loads"));
    for (size_t i = 0; i < load.rows * load.width; ++i) of[i % load.width] += load.value[i];
    for (size_t e = 0; e < load.width; ++e) {
        total += of[e];
        least = e == 0 || of[e] < least ? of[e] : least;
        most = MOT_MAX(most, of[e]);
    }
    if (total > 0)
        printf(
            "  load over %zu steps: mean %.4g, least %.4g, most %.4g samples an expert (most / mean %.3f)\n",
            load.rows, total / (double)load.width, least, most, most * (double)load.width / total);
    if (total > 0 && load.width <= 32) {
        fputs("  share of an expert:", stdout);
        for (size_t e = 0; e < load.width; ++e) printf(" %.1f%%", 100 * of[e] / total);
        putchar('\n');
    }

done:
    mot_free(of);
    mot_record_values_free(&load);
    return status;
}

/* By groups where the data have them, as a run reports it. */
static mot_status put_specialization(hid_t file, int layer)
{
    mot_record_item item = {.kind = MOT_RECORD_GROUP_LOAD, .layer = layer};
    mot_record_values table = {0};
    mot_status status;
    int64_t *load = NULL;
    if (!mot_record_has(file, &item)) item.kind = MOT_RECORD_CLASS_LOAD;
    if (!mot_record_has(file, &item)) return MOT_OK; /* of data with neither */
    MOT_TRY(mot_record_take(file, &item, true, &table));
    if (table.rows == 0 || table.rank != 2) goto done;
    MOT_TRY(mot_allocate(&load, table.width, sizeof *load, "loads"));
    for (size_t i = 0; i < table.width; ++i) load[i] = (int64_t)table.value[i];
    const int kinds = (int)table.shape[0], experts = (int)table.shape[1];
    const mot_specialization s = mot_specialize(kinds, experts, load);
    printf("  last snapshot: purity %.4f, nmi %.4f, entropy %.4f, experts used %d of %d\n", s.purity, s.nmi,
           s.entropy, s.experts_used, experts);

done:
    mot_free(load);
    mot_record_values_free(&table);
    return status;
}

static mot_status put_segment(hid_t file)
{
    mot_status status = MOT_OK;
    int64_t first, last;
    MOT_TRY(mot_h5_get_int(file, ".", "first_step", &first));
    MOT_TRY(mot_h5_get_int(file, ".", "last_step", &last));
    printf("  steps %" PRId64 " to %" PRId64 "\n", first, last);
    if (mot_h5_has_attribute(file, ".", "experts_begun")) MOT_TRY(put_left(file, "expert"));
    const int layers = mot_record_layers(file);
    for (int l = 0; l < layers; ++l) {
        if (layers > 1) printf("  layer %d of experts\n", l);
        MOT_TRY(put_load(file, l));
        MOT_TRY(put_specialization(file, l));
    }

done:
    return status;
}

/* ---- any HDF5 file ---- */

mot_status inspect_hdf5(const inspect_options *options, const char *run_id)
{
    const bool brief = run_id != NULL;
    static const struct kind {
        const char *format, *name;
    } kinds[] = {{"mot-checkpoint", "checkpoint"},
                 {"mot-record", "segment of the routing record"},
                 {"mot-run", "run"},
                 {"mot-dataset", "data set"}};
    mot_status status = MOT_OK;
    hid_t file = H5I_INVALID_HID;
    char *format = NULL;
    struct stat about;
    const char *kind = "HDF5 file that mot did not write";
    const bool sealed = mot_h5_is_sealed(options->path);
    MOT_TRY(sealed ? mot_h5_open_sealed(&file, options->path, "file")
                   : mot_h5_open(&file, options->path, false));
    if (mot_h5_has_attribute(file, ".", "format")) MOT_TRY(mot_h5_get_text(file, ".", "format", &format));
    const char *const is = format != NULL ? format : "";
    for (size_t k = 0; k < MOT_COUNT(kinds); ++k) {
        if (strcmp(is, kinds[k].format) == 0) kind = kinds[k].name;
    }
    if (!brief) {
        printf("%s: %s", options->path, kind);
        if (stat(options->path, &about) == 0) {
            fputs(", ", stdout);
            inspect_put_bytes((unsigned long long)about.st_size);
        }
        putchar('\n');
    }
    if (brief) MOT_TRY(inspect_check_run(file, options, run_id));
    if (strcmp(is, "mot-checkpoint") == 0 && !options->silent) MOT_TRY(put_checkpoint(file));
    if (strcmp(is, "mot-record") == 0 && !options->silent) MOT_TRY(put_segment(file));
    if (options->verify) {
        MOT_TRY(inspect_verify(file, is, options->path, sealed));
        if (strcmp(is, "mot-run") != 0 && !options->silent) inspect_say_verified(sealed);
    }
    if (brief) goto done;
    puts("attributes");
    inspect_put_attributes(file, 2);
    puts("contents");
    if (strcmp(is, "mot-run") == 0) MOT_TRY(inspect_put_run(file, options));
    inspect_put_group(file, "", 0, options);
    if (options->verify && strcmp(is, "mot-run") == 0) inspect_say_verified(sealed);

done:
    mot_free(format);
    mot_h5_close(&file);
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
    return inspect_hdf5(&file, NULL);
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
        return inspect_hdf5(options, NULL);
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

/* argp_error only says it: the value that comes back is what stops the parsing. */
static error_t parse(int key, char *argument, struct argp_state *state)
{
    inspect_options *const options = state->input;
    switch (key) {
    case 'n':
        if (mot_cli_whole(argument, 0, MOST_VALUES, &options->values)) return 0;
        argp_error(state, "--values %s: expected a number from 0 to %d", argument, MOST_VALUES);
        return EINVAL;
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
        argp_error(state, "one file or run folder at a time, '%s' is one too many", argument);
        return EINVAL;
    case ARGP_KEY_END:
        if (options->path != NULL) return 0;
        argp_error(state, "which file or run folder?");
        return EINVAL;
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
