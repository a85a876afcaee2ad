#include "mot/stage_action.h"

static const mot_stage_action none = {.kind = {"none"}};
extern const mot_stage_action mot_action_drop_idle, mot_action_group, mot_action_prune;

mot_kinds mot_stage_actions = {{&none.kind, &mot_action_drop_idle.kind, &mot_action_prune.kind, &mot_action_group.kind}};

bool mot_groups_to_come(const mot_config *config, int stage)
{
    for (int s = stage; s < config->stages; ++s)
        if (mot_stage_action_at(config->stage[s].action) == &mot_action_group) return true;
    return false;
}
