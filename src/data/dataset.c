#include "mot/dataset.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "dataset_private.h"
#include "mot/atomic_file.h"
#include "mot/digest.h"
#include "mot/memory.h"
#include "mot/source.h"

static const mot_sample_format *stored_format(const mot_dataset *dataset)
{
    return dataset->source->map != NULL ? &dataset->source->map->from : &dataset->format;
}

/* Of samples as they are stored, one behind the other: the checksum of each, and what a model could not take. */
static mot_status check_samples(const mot_dataset *dataset, mot_gidx first, size_t count, const unsigned char *x)
{
    const struct mot_dataset_source *source = dataset->source;
    mot_sample_format format = *stored_format(dataset);
    mot_status status = MOT_OK;
    for (size_t i = 0; i < count && status == MOT_OK; ++i, x += format.bytes) {
        const mot_gidx sample = first + (mot_gidx)i;
        format.bytes = mot_dataset_span_of(dataset, sample, 1).bytes;
        const uint64_t found = mot_digest_short(x, format.bytes), said = source->sum[sample];
        if (found != said)
            return mot_fail(MOT_ERR_INPUT,
                            "%s is damaged: sample %" MOT_PRI_GIDX " has checksum %016" PRIx64 ", %016" PRIx64
                            " was written",
                            source->where, sample, found, said);
        status = mot_dataset_samples_check(&format, source->where, sample, 1, x);
    }
    return status;
}

/* The number of a sample of [first, first + count) in which byte `at` lies. */
static mot_gidx sample_at(const mot_dataset *dataset, mot_gidx first, size_t count, size_t at)
{
    size_t i = 0;
    while (i + 1 < count && mot_dataset_span_of(dataset, first, i + 1).bytes <= at) ++i;
    return first + (mot_gidx)i;
}

/* Reads `count` samples from `first` on, past HDF5, as they are stored, and checks each. Any thread. */
static mot_status read_samples(const mot_dataset *dataset, mot_gidx first, size_t count, unsigned char *x)
{
    const struct mot_dataset_source *source = dataset->source;
    const dataset_span span = mot_dataset_span_of(dataset, first, count);
    const size_t have = mot_read_at(source->descriptor, x, span.bytes, (uint64_t)source->first + span.at);
    if (have < span.bytes)
        return mot_fail(MOT_ERR_FILE, "%s: cannot read sample %" MOT_PRI_GIDX ": %s", source->where,
                        sample_at(dataset, first, count, have),
                        errno != 0 ? strerror(errno) : "the file ends before it");
    return check_samples(dataset, first, count, x);
}

static mot_status load(mot_dataset *dataset)
{
    struct mot_dataset_source *source = dataset->source;
    const size_t samples = (size_t)dataset->samples;
    mot_status status = MOT_OK;
    MOT_TRY(mot_allocate(&source->loaded, mot_dataset_stored_bytes(dataset), 1, "the samples"));
    MOT_TRY(read_samples(dataset, 0, samples, source->loaded));
    close(source->descriptor);
    source->descriptor = -1;
    mot_free(source->sum);
    source->sum = NULL;
done:
    return status;
}

/* Of a split that is read, or in memory. */
static mot_status fetch(const mot_dataset *dataset, mot_gidx index, void *bytes, void *target, int32_t *group)
{
    const size_t size = dataset->target_bytes, stored = stored_format(dataset)->bytes;
    if (target != NULL) memcpy(target, dataset->target + (size_t)index * size, size);
    *group = dataset->group != NULL ? dataset->group[index] : -1;
    const dataset_span span = mot_dataset_span_of(dataset, index, 1);
    memset((unsigned char *)bytes + span.bytes, 0, stored - span.bytes); /* what pads a text */
    if (dataset->source->loaded == NULL) return read_samples(dataset, index, 1, bytes);
    memcpy(bytes, dataset->source->loaded + span.at, span.bytes);
    return MOT_OK;
}

bool mot_dataset_waits(const mot_dataset *dataset)
{
    return dataset->source->descriptor >= 0 || dataset->source->waits;
}

bool mot_dataset_expect(const mot_dataset *dataset, mot_gidx index)
{
    const struct mot_dataset_source *source = dataset->source;
    if (source->behind != NULL) {
        const mot_dataset *other = source->behind(dataset, &index);
        return mot_dataset_expect(other, index);
    }
    if (source->descriptor < 0) return false;
    const dataset_span span = mot_dataset_span_of(dataset, index, 1);
    return posix_fadvise(source->descriptor, source->first + (off_t)span.at, (off_t)span.bytes, POSIX_FADV_WILLNEED) == 0;
}

mot_status mot_dataset_begin(mot_dataset *dataset, const char *split)
{
    int number = 0;
    *dataset = (mot_dataset){0};
    while (number < DATASET_SPLITS && strcmp(split, mot_dataset_split_names[number]) != 0) ++number;
    if (number == DATASET_SPLITS)
        return mot_fail(MOT_ERR_INPUT, "unknown split '%s', expected train, val or test", split);
    const mot_status status = mot_allocate(&dataset->source, 1, sizeof *dataset->source, "a data set");
    if (status != MOT_OK) return status;
    dataset->source->sample = fetch;
    dataset->source->split = number;
    dataset->source->descriptor = -1;
    return MOT_OK;
}

mot_status mot_dataset_open(mot_dataset *dataset, const char *path, const char *split, size_t memory_bytes)
{
    mot_status status = mot_dataset_begin(dataset, split);
    if (status != MOT_OK) return status;
    struct mot_dataset_source *source = dataset->source;
    snprintf(source->where, sizeof source->where, "%s:/%s/x", path, split);

    MOT_TRY(mot_dataset_read_structure(dataset, path, split));
    source->descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (source->descriptor < 0) {
        status = mot_fail(MOT_ERR_INPUT, "cannot read %s: %s", path, strerror(errno));
        goto done;
    }
    if (mot_dataset_stored_bytes(dataset) <= memory_bytes) /* no more than the file has */
        MOT_TRY(load(dataset));
done:
    if (status != MOT_OK) mot_dataset_close(dataset);
    return status;
}

void mot_dataset_close(mot_dataset *dataset)
{
    if (dataset->source != NULL) {
        mot_free((double *)stored_format(dataset)->normalization.mean);
        mot_dataset_map_free(dataset->source->map);
        if (dataset->source->descriptor >= 0) close(dataset->source->descriptor);
        mot_free(dataset->source->sum);
        mot_free(dataset->source->place);
        mot_free(dataset->source->loaded);
        if (dataset->source->maker != NULL) dataset->source->free_maker(dataset->source->maker);
    }
    mot_free(dataset->source);
    mot_free(dataset->column_names);
    mot_free(dataset->target_names);
    mot_free(dataset->vocabulary);
    mot_free(dataset->class_names);
    mot_free(dataset->group_names);
    mot_free(dataset->target);
    mot_free(dataset->group);
    *dataset = (mot_dataset){0};
}

mot_status mot_dataset_read(mot_dataset *dataset, mot_gidx index, void *bytes)
{
    int32_t group;
    return mot_dataset_sample(dataset, index, bytes, NULL, &group);
}

mot_status mot_dataset_stored(const mot_dataset *dataset, mot_gidx index, void *bytes)
{
    int32_t group;
    return dataset->source->sample(dataset, index, bytes, NULL, &group);
}

static mot_status mapped(const mot_dataset *dataset, mot_gidx index, void *bytes, void *target, int32_t *group)
{
    const struct dataset_map *map = dataset->source->map;
    unsigned char *stored = NULL;
    mot_status status;
    MOT_TRY(mot_allocate(&stored, 1, map->from.bytes, "a sample"));
    MOT_TRY(dataset->source->sample(dataset, index, stored, target, group));
    mot_dataset_map_sample(map, &dataset->format, stored, bytes);
done:
    mot_free(stored);
    return status;
}

mot_status mot_dataset_sample(mot_dataset *dataset, mot_gidx index, void *bytes, void *target, int32_t *group)
{
    if (index < 0 || index >= dataset->samples)
        return mot_fail(MOT_ERR_INPUT, "%s: sample %" MOT_PRI_GIDX " outside [0, %" MOT_PRI_GIDX ")",
                        dataset->source->where, index, dataset->samples);
    return dataset->source->map != NULL ? mapped(dataset, index, bytes, target, group)
                                        : dataset->source->sample(dataset, index, bytes, target, group);
}

mot_status mot_dataset_targets(const mot_dataset *dataset, void *target)
{
    const size_t samples = (size_t)dataset->samples, size = dataset->target_bytes;
    unsigned char *bytes = NULL;
    int32_t group;
    mot_status status = MOT_OK;
    if (dataset->target != NULL) {
        memcpy(target, dataset->target, samples * size);
        return MOT_OK;
    }
    MOT_TRY(mot_allocate(&bytes, 1, dataset->format.bytes, "a sample"));
    for (size_t i = 0; i < samples; ++i)
        MOT_TRY(dataset->source->sample(dataset, (mot_gidx)i, bytes, (unsigned char *)target + i * size, &group));
done:
    mot_free(bytes);
    return status;
}

int mot_dataset_class(const mot_dataset *dataset, mot_gidx index)
{
    int32_t class = -1;
    if (dataset->classes > 0) memcpy(&class, dataset->target + (size_t)index * sizeof class, sizeof class);
    return class;
}

bool mot_dataset_label_groups(const mot_dataset *dataset, int *parent)
{
    for (int c = 0; c < dataset->classes; ++c) parent[c] = -1;
    if (dataset->group == NULL || dataset->classes == 0) return false;
    for (mot_gidx i = 0; i < dataset->samples; ++i) {
        const int c = mot_dataset_class(dataset, i);
        if (parent[c] >= 0 && parent[c] != dataset->group[i]) return false;
        parent[c] = dataset->group[i];
    }
    return true;
}

/* ---- the source ---- */

static const char *missing(const mot_data_config *config)
{
    return config->file[0] == '\0' ? "data.file" : NULL;
}

static mot_status open_split(mot_dataset *dataset, const mot_data_config *config, const char *split,
                             bool training, uint64_t seed)
{
    (void)training;
    (void)seed;
    return mot_dataset_open(dataset, config->file, split, config->memory);
}

const mot_source_kind mot_source_file = {
    .kind = {"file"}, .keys = "data.file", .missing = missing, .open = open_split};
