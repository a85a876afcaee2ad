#include "mot/stage_action.h"

static const mot_stage_action none = {.kind = {"none"}};
extern const mot_stage_action mot_action_drop_idle, mot_action_group, mot_action_prune;

mot_kinds mot_stage_actions = {{&none.kind, &mot_action_drop_idle.kind, &mot_action_prune.kind, &mot_action_group.kind}};
