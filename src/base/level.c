#include "mot/level.h"

#include <stddef.h>
#include <stdio.h>

#if MOT_X86_LEVEL == 4
#define HIGHEST "x86-64-v4"
#elif MOT_X86_LEVEL == 3
#define HIGHEST "x86-64-v3"
#elif MOT_X86_LEVEL == 2
#define HIGHEST "x86-64-v2"
#elif MOT_X86_LEVEL == 1
#define HIGHEST "x86-64"
#else
#define HIGHEST MOT_ARCHITECTURE
#endif

#ifdef MOT_NATIVE
#define LEVEL "native (" HIGHEST ")"
#else
#define LEVEL HIGHEST
#endif

static char level[64] = LEVEL;

const char *mot_level(void)
{
    return level;
}

void mot_level_with(const char *besides)
{
    snprintf(level, sizeof level, LEVEL "%s%s", besides != NULL ? " with " : "", besides != NULL ? besides : "");
}
