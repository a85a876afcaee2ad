/* The file of an analysis: where it is to stand, whether it can be, and what it says of itself. */
#include "run_analyse.h"

#include <stdio.h>
#include <string.h>

#include "mot/atomic_file.h"

/* The run folder that a checkpoint stands in: RUN of RUN/checkpoints/step-*.h5. */
static mot_status find_folder(const char *checkpoint, char folder[RUN_CHECKPOINT_PATH])
{
    char checkpoints[RUN_CHECKPOINT_PATH];
    mot_path_folder(checkpoints, sizeof checkpoints, checkpoint);
    const char *name = strrchr(checkpoints, '/');
    mot_path_folder(folder, RUN_CHECKPOINT_PATH, checkpoints);
    if (strcmp(name != NULL ? name + 1 : checkpoints, "checkpoints") == 0) return MOT_OK;
    return mot_fail(MOT_ERR_INPUT, "route.all=record: %s stands in no run folder, where the analysis could be written", checkpoint);
}

mot_status mot_run_analyse_check(const mot_run *run, const char *checkpoint)
{
    const mot_model *model = &run->world.model;
    char folder[RUN_CHECKPOINT_PATH];
    const int active = mot_run_active(&run->course.config, mot_run_task(&run->course));
    for (int l = 0; l < model->layers; ++l)
        if (model->layer[l].gate.kind->spread)
            return mot_fail(MOT_ERR_INPUT, "route.all=record: a gate of kind %s sends every sample to every expert, there are no choices",
                            model->layer[l].gate.kind->kind.name);
    if (active > 0 && active < model->layer->experts)
        return mot_fail(MOT_ERR_INPUT, "route.all=record: %d of the %d experts are still to come (rehearsal.grow)",
                        model->layer->experts - active, model->layer->experts);
    return find_folder(checkpoint, folder);
}

mot_status mot_run_analysis_create(mot_analysis **file, mot_run *run, const mot_analysis_layer *layer, const char *checkpoint,
                                   const char *digest, char path[RUN_CHECKPOINT_PATH])
{
    const char *config = run->keeper.config_text;
    char folder[RUN_CHECKPOINT_PATH], name[64], config_digest[MOT_DIGEST_TEXT];
    run_about about;
    mot_status status;
    const mot_digest of_config = mot_digest_bytes(config, strlen(config));
    mot_digest_text(&of_config, config_digest);
    MOT_TRY(find_folder(checkpoint, folder));
    snprintf(name, sizeof name, "eval/step-%08" MOT_PRI_GIDX ".h5", run->course.progress.step);
    MOT_TRY(mot_path_join(path, RUN_CHECKPOINT_PATH, folder, name));
    MOT_TRY(mot_checkpoint_run_id(checkpoint, run->keeper.id, sizeof run->keeper.id));
    mot_run_describe(&about, &run->keeper, &run->world, &run->course, &run->world.eval_set);
    MOT_TRY(mot_analysis_create(file, path,
                                &(mot_analysis_about){.run = &about.record,
                                                      .checkpoint = checkpoint,
                                                      .checkpoint_digest = digest,
                                                      .split = run->course.config.eval.split,
                                                      .config_digest = config_digest,
                                                      .step = run->course.progress.step,
                                                      .samples = run->world.eval_set.samples,
                                                      .layer = layer}));
done:
    return status;
}
