/* The data sets of a stream, one behind another. */
#include <stdio.h>
#include <string.h>

#include "stream_private.h"

/* Paths of the list "a.h5, b.h5", none of them twice. */
static mot_status take_paths(stream_files *files, const char *list)
{
    for (const char *at = list; *at != '\0'; ++files->count) {
        if (files->count == STREAM_FILES)
            return mot_fail(MOT_ERR_INPUT, "data.stream.files: more than %d data sets", STREAM_FILES);
        at = mot_list_next(at, files->path[files->count], STREAM_FILE);
        if (at == NULL)
            return mot_fail(MOT_ERR_INPUT, "data.stream.files: a path of more than %d bytes", STREAM_FILE - 1);
        for (int f = 0; f < files->count; ++f)
            if (strcmp(files->path[f], files->path[files->count]) == 0)
                return mot_fail(MOT_ERR_INPUT,
                                "data.stream.files: %s stands there twice (with split = file and more tasks a "
                                "data set comes again)",
                                files->path[f]);
    }
    return MOT_OK;
}

void mot_stream_file_label(const char *path, char label[STREAM_FILE])
{
    const char *slash = strrchr(path, '/'), *name = slash != NULL ? slash + 1 : path, *dot = strrchr(name, '.');
    const size_t length = dot != NULL && dot != name ? (size_t)(dot - name) : strlen(name);
    memcpy(label, name, length);
    label[length] = '\0';
}

/* The whole path where two would be called alike. */
static void take_labels(stream_files *files)
{
    bool alike = false;
    for (int f = 0; f < files->count; ++f) {
        mot_stream_file_label(files->path[f], files->label[f]);
        for (int g = 0; g < f; ++g) alike = alike || strcmp(files->label[g], files->label[f]) == 0;
    }
    for (int f = 0; alike && f < files->count; ++f) memcpy(files->label[f], files->path[f], STREAM_FILE);
}

mot_status mot_stream_files_read(stream_files *files, const char *split, size_t memory)
{
    mot_status status = MOT_OK;
    for (int f = 0; f < files->count; ++f) {
        mot_dataset *set = &files->set[f];
        MOT_TRY(mot_dataset_open(set, files->path[f], split, memory));
        files->first[f + 1] = files->first[f] + set->samples;
        files->class[f + 1] = files->class[f] + set->classes;
        files->group[f + 1] = files->group[f] + set->groups;
        if (!mot_dataset_waits(set)) memory -= mot_dataset_stored_bytes(set);
    }
done:
    if (status != MOT_OK) mot_stream_files_close(files);
    return status;
}

static mot_status check_classes(const stream_files *files, int f)
{
    if (files->set[f].classes > 0) return MOT_OK;
    return mot_fail(MOT_ERR_INPUT, "%s: its targets are numbers, and a stream of tasks is of classes", files->path[f]);
}

mot_status mot_stream_files_open(stream_files *files, const mot_stream_config *config, const char *split,
                                 size_t memory)
{
    mot_status status;
    *files = (stream_files){0};
    MOT_TRY(take_paths(files, config->files));
    take_labels(files);
    MOT_TRY(mot_stream_files_read(files, split, memory));
    for (int f = 0; f < files->count; ++f) MOT_TRY(check_classes(files, f));
done:
    if (status != MOT_OK) mot_stream_files_close(files);
    return status;
}

void mot_stream_files_close(stream_files *files)
{
    for (int f = 0; f < files->count; ++f)
        if (files->set[f].source != NULL) mot_dataset_close(&files->set[f]);
    files->count = 0;
}

void mot_stream_name(const stream_files *files, bool group, int value, char name[STREAM_NAME])
{
    const int *first = group ? files->group : files->class;
    int f = 0;
    while (value >= first[f + 1]) ++f;
    char **names = group ? files->set[f].group_names : files->set[f].class_names;
    const bool several = files->count > 1;
    const int own = value - first[f];
    const char *label = several ? files->label[f] : "", *colon = several ? ": " : "";
    if (names != NULL)
        snprintf(name, STREAM_NAME, "%.96s%s%.96s", label, colon, names[own]);
    else
        snprintf(name, STREAM_NAME, "%.96s%s%d", label, colon, own);
}
