/* data_config.h: what the configuration says of the data. Plain data; defaults, bounds and help stand in the option
 * table (src/config/options.c). */
#ifndef MOT_DATA_CONFIG_H
#define MOT_DATA_CONFIG_H

#include <string.h>

#include "mot/augment.h"
#include "mot/mixture.h"
#include "mot/teacher.h"

typedef enum mot_target { MOT_TARGET_LABEL, MOT_TARGET_GROUP } mot_target;

/* The first item of a list "a, b" is copied to `item`; the place of the next one, or of the list's end. NULL: there is no
 * room for it. */
static inline const char *mot_list_next(const char *list, char *item, size_t size)
{
    const size_t length = strcspn(list, ",");
    if (length >= size) return NULL;
    memcpy(item, list, length);
    item[length] = '\0';
    list += length;
    return list + strspn(list, ", ");
}

/* What makes the tasks of a stream (stream.h). */
typedef enum mot_stream_split { MOT_SPLIT_CLASS, MOT_SPLIT_GROUP, MOT_SPLIT_FILE } mot_stream_split;
typedef struct mot_stream_config { /* keys data.stream.* */
    char files[2048];              /* "a.h5, b.h5" */
    mot_stream_split split;
    int tasks;                     /* 0 (auto): a group, or a file, a task */
    bool drawn;                    /* which classes, groups or files make which task, by the seed */
    bool one_head;                 /* all tasks share their classes and one softmax */
    char changes[1024];            /* "none, rotate 30 + noise 0.1": of tasks 0, 1, 0 again, ... */
} mot_stream_config;

typedef struct mot_data_config { /* keys data.* */
    int source;                  /* row of mot_source_kinds */
    char file[512];
    mot_mixture_config mixture; /* its seed is the run's */
    mot_gidx mixture_train;     /* training samples; 0: fresh ones for ever */
    mot_gidx mixture_eval;
    mot_teacher_config teacher; /* likewise */
    mot_gidx teacher_train, teacher_eval;
    struct {
        size_t tokens, width;
        int classes;
        mot_gidx samples;
    } random;
    mot_stream_config stream;
    bool shuffle;      /* each epoch in an order of its own, or always as they stand */
    mot_target target; /* learn the label, or the group in its place */
    size_t memory;     /* bytes a rank may hold of a split's samples; above it they are read as needed */
    mot_augment_config augment;
} mot_data_config;

#endif
