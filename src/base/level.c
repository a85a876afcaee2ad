#include "mot/level.h"

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

const char *mot_level(void)
{
#ifdef MOT_NATIVE
    return "native (" HIGHEST ")";
#else
    return HIGHEST;
#endif
}
