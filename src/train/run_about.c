#include "run_keeper.h"

void mot_run_describe(run_about *about, const run_keeper *keeper, const run_world *world, const run_course *course,
                      const mot_dataset *set)
{
    const mot_config *config = &course->config;
    const bool by_group = config->data.target == MOT_TARGET_GROUP;
    for (int l = 0; l < world->model.layers; ++l) {
        about->experts[l] = world->model.layer[l].experts;
        about->choices[l] = (int)mot_layer_choices(&world->model.layer[l]);
    }
    about->record = (mot_record_about){
        .folder = config->run,
        .config_text = keeper->config_text,
        .experts = world->model.layer->experts,
        .begun = config->model.experts,
        .origin = world->model.layer->origin,
        .choices = (int)mot_model_choices(&world->model),
        .classes = world->classes,
        .groups = world->groups,
        .ranks = world->comm->size,
        .layers = world->model.layers,
        .layer_experts = about->experts,
        .layer_choices = about->choices,
        .class_names = by_group ? set->group_names : set->class_names,
        .group_names = set->group_names,
        .dataset_checksum = set->checksum,
        .run_id = keeper->id,
        .seed = config->seed,
    };
}
