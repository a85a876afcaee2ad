#include "mot/source.h"

extern const mot_source_kind mot_source_file, mot_source_mixture, mot_source_random, mot_source_teacher, mot_source_stream;

mot_kinds mot_source_kinds = {{&mot_source_file.kind, &mot_source_mixture.kind, &mot_source_random.kind,
                               &mot_source_teacher.kind, &mot_source_stream.kind}};
