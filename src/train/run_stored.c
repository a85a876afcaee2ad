/* A run that stands in a folder, or a checkpoint of one: which it is. */
#include "run_private.h"

#include <stdio.h>
#include <sys/stat.h>

#include "mot/atomic_file.h"
#include "mot/log.h"
#include "mot/memory.h"

mot_status mot_run_find_checkpoint(const char *path, char *checkpoint, size_t size)
{
    struct stat info;
    char folder[1024];
    mot_status status = MOT_OK;
    if (stat(path, &info) != 0) return mot_fail(MOT_ERR_INPUT, "%s: no such run folder or checkpoint", path);
    if (S_ISDIR(info.st_mode)) {
        MOT_TRY(mot_path_join(folder, sizeof folder, path, "checkpoints"));
        if (mot_checkpoint_newest(folder, checkpoint, size) < 0) {
            status = mot_fail(MOT_ERR_INPUT, "%s: no checkpoint in this run folder", path);
            goto done;
        }
    } else {
        snprintf(checkpoint, size, "%s", path);
    }
done:
    return status;
}

/* The root turns a run folder or a checkpoint into a checkpoint's path and its configuration. */
static mot_status find_run(const char *path, size_t count, const char *const *assignments, char *checkpoint,
                           size_t size, mot_config *config)
{
    char *text = NULL;
    mot_status status;
    MOT_TRY(mot_run_find_checkpoint(path, checkpoint, size));
    MOT_TRY(mot_checkpoint_config(checkpoint, &text, NULL));
    MOT_TRY(mot_config_parse(config, checkpoint, text, count, assignments));
done:
    mot_free(text);
    return status;
}

mot_status mot_run_find(const mot_comm *comm, const char *path, size_t count, const char *const *assignments,
                        char checkpoint[RUN_CHECKPOINT_PATH], mot_config *config, mot_schema *schema)
{
    mot_status status = MOT_OK;
    if (comm->rank == MOT_ROOT)
        status = find_run(path, count, assignments, checkpoint, RUN_CHECKPOINT_PATH, config);
    MOT_TRY(mot_comm_agree(comm, status));
    mot_comm_bcast(comm, config, sizeof *config, MOT_ROOT);
    mot_comm_bcast(comm, checkpoint, RUN_CHECKPOINT_PATH, MOT_ROOT);
    MOT_TRY(mot_comm_agree(comm, mot_checkpoint_more(checkpoint, mot_run_read_schema, schema)));
    if (schema->format.bytes == 0)
        mot_log(MOT_LOG_WARNING,
                "%s keeps nothing of its data (it is of an older version): normalization, classes and words "
                "are taken as those of the data set",
                checkpoint);
done:
    return status;
}
