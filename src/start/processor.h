/* processor.h: what the processor has. */
#ifndef MOT_PROCESSOR_H
#define MOT_PROCESSOR_H

#include "mot/features.h"

/* Those that may be used: the processor has them, and the operating system keeps the registers that they need. */
mot_features processor_features(void);

/* Their names, separated by blanks, as far as there is room. */
void processor_names(mot_features features, char *text, int size);

#endif
