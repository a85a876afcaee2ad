/* stream_private.h: what the sources of a stream of tasks share. */
#ifndef MOT_STREAM_PRIVATE_H
#define MOT_STREAM_PRIVATE_H

#include "change.h"
#include "dataset_private.h"
#include "mot/stream.h"

enum {
    STREAM_FILES = 16,
    STREAM_TASKS = 256,
    STREAM_FILE = 512, /* bytes of a path */
    STREAM_NAME = 256, /* and of a name that is made */
};

/* ---- stream_files.c: the data sets of a stream as one ---- */

/* Samples, classes and groups of all data sets, one data set's behind another's. */
typedef struct stream_files {
    int count;
    char path[STREAM_FILES][STREAM_FILE];
    char label[STREAM_FILES][STREAM_FILE]; /* what it is called: its name without folders and ending, where no other has that */
    mot_dataset set[STREAM_FILES];
    mot_gidx first[STREAM_FILES + 1]; /* number of its sample 0 */
    int class[STREAM_FILES + 1], group[STREAM_FILES + 1]; /* likewise */
} stream_files;

/* All of one form, else MOT_ERR_INPUT. */
mot_status mot_stream_files_open(stream_files *files, const mot_stream_config *config, const char *split,
                                 size_t memory);
/* The same of paths and labels that stand in *files already, whatever the targets are. */
mot_status mot_stream_files_read(stream_files *files, const char *split, size_t memory);
void mot_stream_files_close(stream_files *files);
/* A path without folders and ending. */
void mot_stream_file_label(const char *path, char label[STREAM_FILE]);
/* Which data set has this sample; *index becomes its own. */
static inline int stream_file_of(const stream_files *files, mot_gidx *index)
{
    int f = 0;
    while (*index >= files->first[f + 1]) ++f;
    *index -= files->first[f];
    return f;
}
/* Class and group (-1: none) of a sample among those of all. */
static inline int stream_class(const stream_files *files, int file, mot_gidx index)
{
    return files->class[file] + mot_dataset_class(&files->set[file], index);
}
static inline int stream_group(const stream_files *files, int file, mot_gidx index)
{
    const int32_t *group = files->set[file].group;
    return group != NULL ? files->group[file] + group[index] : -1;
}
/* What a class or a group is called, with its data set where there are several. */
void mot_stream_name(const stream_files *files, bool group, int value, char name[STREAM_NAME]);

/* stream_join.c: gives *format, columns and vocabulary of all, the dataset's to release; samples of `files` are read so from here
 * on. `train`: the train splits, whose numbers are normalized. */
mot_status mot_stream_join(stream_files *files, const stream_files *train, mot_dataset *dataset);

/* ---- stream_plan.c: which task is what ---- */

typedef struct stream_plan {
    mot_stream_split split;
    int tasks, joined; /* classes of all data sets */
    int keys;          /* classes, groups or files, that are dealt to tasks */
    int32_t *task;     /* [keys]: of a class or a group; NULL by file */
    int32_t *key;      /* [tasks]: by file, its data set; else the first of its keys */
    int32_t *key_count; /* [tasks] */
    /* Classes of the stream: with a head a task those of task 0, then those of task 1, ... */
    int classes;
    int32_t *class;       /* [tasks, joined]: its number in the stream; -1: none in the train split of the task */
    int32_t *class_count; /* [tasks] */
    char **class_names, **task_names;
} stream_plan;

/* From the train splits. MOT_ERR_INPUT: there cannot be such tasks. */
mot_status mot_stream_plan(stream_plan *plan, const mot_stream_config *config, const stream_files *train,
                           uint64_t seed);
void mot_stream_plan_free(stream_plan *plan);
/* The first task behind `after` (-1: of all) that has such samples; -1: none. */
int mot_stream_next(const stream_plan *plan, int file, int class, int group, int after);

/* stream_names.c: names of its tasks and classes. */
mot_status mot_stream_plan_names(stream_plan *plan, const mot_stream_config *config, const stream_files *files);

#endif
