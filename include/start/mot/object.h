/* object.h: the program as one shared object for each level of instruction set (level.h), and what the executable, which
 * runs on any processor, knows of it. All else in an object is hidden. */
#ifndef MOT_OBJECT_H
#define MOT_OBJECT_H

#include "mot/features.h"

typedef struct mot_start {
    const char *mistake; /* what is wrong with MOT_LEVEL, in a sentence, or NULL: then the object ends with it */
    int level;           /* of the object, counted from the lowest that the executable knows */
    int next;            /* -1; or the object returned for this lower one to be run. MPI stays initialized. */
} mot_start;

typedef struct mot_object {
    mot_features features; /* that it was compiled for: a processor without them must call nothing */
    /* main(), with the exit code. MPI initialized already: the level is agreed. */
    int (*run)(mot_start *start, int argc, char **argv);
} mot_object;

/* The symbol that objects export. */
#define MOT_OBJECT_SYMBOL "mot_program"
extern const mot_object mot_program __attribute__((visibility("default")));

#endif
