#include "mot/merged.h"

extern const mot_expert_kind mot_encoder_kind;

const mot_expert_kind *const mot_expert_kinds[] = {&mot_encoder_kind, &mot_merged_kind};
