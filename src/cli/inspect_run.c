/* The files of a run, as run.h5 links to them. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inspect_private.h"
#include "mot/atomic_file.h"
#include "mot/memory.h"
#include "mot/record_read.h"

/* What --verify finds on the way. Segments come in the order of steps. */
typedef struct run_check {
    size_t missing;                /* files */
    char first_missing[PATH_MAX];  /* of them */
    int64_t covered, gap, newest;  /* steps up to here stand in segments; first that does not, or -1; newest checkpoint */
} run_check;

typedef struct run_listing {
    const inspect_options *options;
    char folder[PATH_MAX], *run_id;
    run_check check;
    hsize_t member, members; /* of the group at work: the next, and all */
    mot_status status;
} run_listing;

/* `target` as it is below `folder`, or false: absent, or outside. */
static bool inside(char path[PATH_MAX], const char *folder, const char *target, const char **why)
{
    char joined[PATH_MAX], home[PATH_MAX];
    *why = "missing";
    if (target[0] == '/' || mot_path_join(joined, sizeof joined, folder, target) != MOT_OK) {
        *why = "leads outside the run folder: not followed";
        return false;
    }
    if (realpath(folder, home) == NULL || realpath(joined, path) == NULL) return false;
    const size_t length = strlen(home);
    if (strncmp(path, home, length) == 0 && path[length] == '/') return true;
    *why = "leads outside the run folder: not followed";
    return false;
}

static void note_missing(run_check *check, const char *target)
{
    if (check->missing++ == 0) snprintf(check->first_missing, sizeof check->first_missing, "%s", target);
}

/* A checkpoint by the name of its link, step-STEP; a segment, which is whole, by what it says itself. */
static mot_status note_steps(run_check *check, const char *member, const char *path)
{
    mot_gidx first, last;
    if (sscanf(member, "step-%" SCNd64, &first) == 1) {
        check->newest = MOT_MAX(check->newest, first);
        return MOT_OK;
    }
    const mot_status status = mot_record_span(path, &first, &last);
    if (status != MOT_OK) return status;
    if (first > check->covered + 1 && check->gap < 0) check->gap = check->covered + 1;
    check->covered = MOT_MAX(check->covered, last);
    return MOT_OK;
}

/* The target of a member that is a link to a file: false for any other. `value` keeps the text. */
static bool get_target(hid_t group, const char *member, char value[PATH_MAX], const char **target)
{
    const char *object;
    H5L_info_t link;
    return H5Lget_info(group, member, &link, H5P_DEFAULT) >= 0 && link.type == H5L_TYPE_EXTERNAL &&
           link.u.val_size <= PATH_MAX && H5Lget_val(group, member, value, PATH_MAX, H5P_DEFAULT) >= 0 &&
           H5Lunpack_elink_val(value, link.u.val_size, NULL, target, &object) >= 0;
}

/* Whether a linked file is of the run of this id ("": it has none). */
static mot_status check_run(hid_t file, const inspect_options *options, const char *run_id)
{
    mot_status status = MOT_OK;
    char *id = NULL;
    if (run_id[0] == '\0') return MOT_OK;
    MOT_TRY(mot_h5_find_text(file, ".", "run_id", &id));
    if (id == NULL || strcmp(id, run_id) == 0) goto done;
    fputs("  OF ANOTHER RUN: ", stdout);
    inspect_put_clean(id, 40);
    putchar('\n');
    if (options->verify)
        status = mot_fail(MOT_ERR_INPUT, "%s: of another run, whose id is %.40s: the run's is %.40s",
                          options->path, id, run_id);

done:
    mot_free(id);
    return status;
}

/* A file that the run links to, in short. */
static mot_status put_file(const inspect_options *options, const char *run_id)
{
    inspect_file file;
    mot_status status;
    MOT_TRY(inspect_open(&file, options->path));
    MOT_TRY(check_run(file.file, options, run_id));
    MOT_TRY(inspect_sum_up(&file, options));

done:
    mot_h5_close(&file.file);
    return status;
}

/* One that is not shown is looked at for --verify alone. */
static mot_status put_member(run_listing *run, hid_t group, const char *member, bool shown)
{
    char value[PATH_MAX], path[PATH_MAX];
    const char *target, *why;
    if (!get_target(group, member, value, &target)) {
        if (shown) puts("    (a member is not a link to a file)");
        note_missing(&run->check, "a member that is not a link to a file");
        return MOT_OK;
    }
    const bool there = inside(path, run->folder, target, &why);
    if (shown) {
        fputs("    ", stdout);
        inspect_put_clean(target, 200);
        if (!there) printf("  (%s)", why);
        putchar('\n');
    }
    if (!there) {
        note_missing(&run->check, target);
        return MOT_OK;
    }
    const inspect_options linked = {.path = path, .verify = run->options->verify, .silent = !shown};
    const mot_status status = put_file(&linked, run->run_id != NULL ? run->run_id : "");
    return status == MOT_OK && linked.verify ? note_steps(&run->check, member, path) : status;
}

/* Of a long list its first and its last few are shown. */
enum { SHOWN = 4, LONG_LIST = 3 * SHOWN };

static herr_t put_next(hid_t group, const char *member, const H5L_info_t *info, void *context)
{
    run_listing *const run = context;
    (void)info;
    const hsize_t i = run->member++, left = run->members - i;
    const bool shown = run->members <= LONG_LIST || i < SHOWN || left <= SHOWN;
    if (!shown && i == SHOWN)
        printf("    ... and %llu more\n", (unsigned long long)(run->members - 2 * SHOWN));
    if (shown || run->options->verify) run->status = put_member(run, group, member, shown);
    return run->status == MOT_OK ? 0 : 1;
}

/* The files that a group of run.h5 links to, each in short. */
static mot_status put_linked(run_listing *run, hid_t file, const char *name)
{
    H5G_info_t info = {0};
    hsize_t at = 0;
    if (!mot_h5_exists(file, name)) return MOT_OK;
    hid_t group = H5Gopen2(file, name, H5P_DEFAULT);
    if (group < 0 || H5Gget_info(group, &info) < 0) info.nlinks = 0;
    printf("  %s/ (%llu)\n", name, (unsigned long long)info.nlinks);
    run->member = 0;
    run->members = info.nlinks;
    if (info.nlinks > 0 && H5Literate(group, H5_INDEX_NAME, H5_ITER_INC, &at, put_next, run) < 0)
        run->status = mot_fail(MOT_ERR_INPUT, "%s: the members of /%s cannot be read", run->options->path, name);
    mot_h5_close(&group);
    return run->status;
}

/* All that was linked is there, and the segments have every step up to the newest checkpoint. */
static mot_status check_whole(const run_listing *run)
{
    const run_check *check = &run->check;
    const char *path = run->options->path;
    if (check->missing > 0)
        return mot_fail(MOT_ERR_INPUT, "%s: %zu of the files that it links to %s missing, first of all %s",
                        path, check->missing, check->missing == 1 ? "is" : "are", check->first_missing);
    if (check->gap >= 0)
        return mot_fail(MOT_ERR_INPUT, "%s: no segment of the record has step %" PRId64, path, check->gap);
    if (check->covered < check->newest)
        return mot_fail(MOT_ERR_INPUT,
                        "%s: the record ends with step %" PRId64 ", the newest checkpoint is of step %" PRId64,
                        path, check->covered, check->newest);
    return MOT_OK;
}

mot_status inspect_put_run(hid_t file, const inspect_options *options)
{
    run_listing run = {.options = options, .check = {.gap = -1}};
    char real[PATH_MAX];
    mot_status status = MOT_OK;
    /* Through a link too, the run is where run.h5 is. */
    if (realpath(options->path, real) == NULL) snprintf(real, sizeof real, "%s", options->path);
    mot_path_folder(run.folder, sizeof run.folder, real);
    MOT_TRY(mot_h5_find_text(file, ".", "run_id", &run.run_id));
    MOT_TRY(put_linked(&run, file, "segments"));
    MOT_TRY(put_linked(&run, file, "checkpoints"));
    if (options->verify) MOT_TRY(check_whole(&run));

done:
    mot_free(run.run_id);
    return status;
}
