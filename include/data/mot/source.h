/* source.h: a source is where samples come from: how a split is opened, and what a run must know of the way.
 *
 *      file      a data set in a file (dataset.h)
 *      mixture   synthetic samples (mixture.h), each made by whichever rank asks
 *      random    numbers that mean nothing, for measuring speed
 *      teacher   synthetic samples whose targets are numbers (teacher.h)
 *      stream    tasks one after another, made of data sets in files (stream.h)
 * Once open, a split is a mot_dataset, of which nobody need know the source. */
#ifndef MOT_SOURCE_H
#define MOT_SOURCE_H

#include "mot/data_config.h"
#include "mot/dataset.h"
#include "mot/kinds.h"

typedef struct mot_source_kind {
    mot_kind kind;     /* its name is a value of data.source */
    const char *keys;  /* the beginning of its own keys, which say nothing of other sources; NULL: it has none */
    const char *title; /* what its data are called; NULL: the files that they are in */
    /* Which those are, and the key that says so; NULL: data.file. */
    const char *(*files)(const mot_data_config *config);
    const char *files_key;
    bool made;         /* any rank makes any sample, and no file is read */
    bool meaningless;  /* there is nothing to learn */
    bool tasks;        /* its splits are streams of tasks (stream.h), which the keys rehearsal.* are about */
    /* The key that must be given and is not, or NULL. (NULL: none must.) */
    const char *(*missing)(const mot_data_config *config);
    /* Opens split "train", "val" or "test"; `training`: its samples are learned from, else evaluated. MOT_ERR_INPUT with a
     * sentence. Not collective. */
    mot_status (*open)(mot_dataset *dataset, const mot_data_config *config, const char *split, bool training,
                       uint64_t seed);
} mot_source_kind;

/* All kinds, in the order of the option data.source. */
extern mot_kinds mot_source_kinds;
static inline const mot_source_kind *mot_source_kind_at(int row)
{
    return (const mot_source_kind *)mot_source_kinds.row[row];
}

/* What the data are called: a file's name, or what the source says. */
static inline const char *mot_source_title(const mot_data_config *config)
{
    const mot_source_kind *source = mot_source_kind_at(config->source);
    if (source->title != NULL) return source->title;
    return source->files != NULL ? source->files(config) : config->file;
}
static inline const char *mot_source_files_key(const mot_data_config *config)
{
    const char *key = mot_source_kind_at(config->source)->files_key;
    return key != NULL ? key : "data.file";
}

#endif
