/* A stream of tasks as one data set: which sample of which file stands where, and what is done to it. */
#include <stdio.h>
#include <string.h>

#include "mot/memory.h"
#include "mot/source.h"
#include "stream_private.h"

typedef struct stream {
    mot_stream about;
    stream_files files;
    stream_plan plan;
    uint64_t seed;
    mot_gidx *of;    /* [samples]: number of each among those of all files */
    mot_gidx *first; /* of `about`, likewise the next two */
    int32_t *head;
    char **change;
    made_changes *made; /* [tasks] */
} stream;

static void free_stream(void *of)
{
    stream *s = of;
    for (int t = 0; s->made != NULL && t < s->plan.tasks; ++t) mot_changes_free(&s->made[t]);
    mot_stream_files_close(&s->files);
    mot_stream_plan_free(&s->plan);
    mot_free(s->made);
    mot_free(s->of);
    mot_free(s->first);
    mot_free(s->head);
    mot_free(s->change);
    mot_free(s);
}

/* ---- a sample ---- */

static mot_dataset *behind(const mot_dataset *dataset, mot_gidx *index)
{
    stream *s = dataset->source->maker;
    *index = s->of[*index];
    return &s->files.set[stream_file_of(&s->files, index)];
}

static mot_status sample(const mot_dataset *dataset, mot_gidx index, void *bytes, void *target, int32_t *group)
{
    const stream *s = dataset->source->maker;
    const made_changes *changes = &s->made[dataset->group[index]];
    const change_place place = {s->seed, dataset->source->split, index};
    const size_t size = dataset->target_bytes;
    mot_gidx own = index;
    mot_dataset *set = behind(dataset, &own);
    int32_t own_group;
    void *scratch = NULL;
    mot_status status = MOT_OK;
    if (target != NULL) memcpy(target, dataset->target + (size_t)index * size, size);
    *group = dataset->group[index];
    MOT_TRY(mot_dataset_sample(set, own, bytes, NULL, &own_group));
    if (!mot_changes_touch(changes)) goto done;
    MOT_TRY(mot_allocate(&scratch, mot_change_scratch(&set->format), 1, "a sample"));
    mot_changes_apply(changes, &place, &set->format, bytes, scratch);
done:
    mot_free(scratch);
    return status;
}

const mot_stream *mot_dataset_stream(const mot_dataset *dataset)
{
    const struct mot_dataset_source *source = dataset->source;
    if (source == NULL || source->sample != sample) return NULL;
    return &((const stream *)source->maker)->about;
}

/* ---- what is where ---- */

static mot_status refuse_class(const stream *s, const char *split, int file, int class, int task)
{
    char name[STREAM_NAME];
    mot_stream_name(&s->files, false, class, name);
    return mot_fail(MOT_ERR_INPUT,
                    "%s: the split '%s' has samples of the class '%s' in the task '%s', and the split 'train' has none",
                    s->files.path[file], split, name, s->plan.task_names[task]);
}

/* first[t + 1]: how many samples task t has, then where it ends. */
static mot_status count_samples(stream *s, const char *split)
{
    const stream_plan *plan = &s->plan;
    for (int f = 0; f < s->files.count; ++f)
        for (mot_gidx i = 0; i < s->files.set[f].samples; ++i) {
            const int class = stream_class(&s->files, f, i), group = stream_group(&s->files, f, i);
            for (int t = -1; (t = mot_stream_next(plan, f, class, group, t)) >= 0;) {
                if (plan->class[(size_t)t * (size_t)plan->joined + (size_t)class] < 0)
                    return refuse_class(s, split, f, class, t);
                ++s->first[t + 1];
            }
        }
    for (int t = 0; t < plan->tasks; ++t) {
        if (s->first[t + 1] == 0)
            return mot_fail(MOT_ERR_INPUT, "the task '%s' has no samples in the split '%s'", plan->task_names[t], split);
        s->first[t + 1] += s->first[t];
    }
    return MOT_OK;
}

/* In each task as they stand in the files. */
static mot_status place_samples(stream *s, mot_dataset *dataset)
{
    const stream_plan *plan = &s->plan;
    const size_t samples = (size_t)dataset->samples;
    mot_gidx *next = NULL;
    mot_status status;
    MOT_TRY(mot_allocate(&next, (size_t)plan->tasks, sizeof *next, "the tasks"));
    MOT_TRY(mot_allocate(&s->of, samples, sizeof *s->of, "the order of samples"));
    MOT_TRY(mot_allocate(&dataset->target, samples, sizeof(int32_t), "the labels"));
    MOT_TRY(mot_allocate(&dataset->group, samples, sizeof(int32_t), "the tasks"));
    memcpy(next, s->first, (size_t)plan->tasks * sizeof *next);
    for (int f = 0; f < s->files.count; ++f)
        for (mot_gidx i = 0; i < s->files.set[f].samples; ++i) {
            const int class = stream_class(&s->files, f, i), group = stream_group(&s->files, f, i);
            for (int t = -1; (t = mot_stream_next(plan, f, class, group, t)) >= 0;) {
                const mot_gidx place = next[t]++;
                s->of[place] = s->files.first[f] + i;
                dataset->group[place] = t;
                memcpy(dataset->target + (size_t)place * sizeof(int32_t),
                       &plan->class[(size_t)t * (size_t)plan->joined + (size_t)class], sizeof(int32_t));
            }
        }
done:
    mot_free(next);
    return status;
}

static mot_status find_heads(stream *s)
{
    const stream_plan *plan = &s->plan;
    const size_t joined = (size_t)plan->joined;
    const mot_status status = mot_allocate(&s->head, (size_t)plan->classes, sizeof *s->head, "heads");
    for (size_t i = 0; status == MOT_OK && i < (size_t)plan->tasks * joined; ++i)
        if (plan->class[i] >= 0) s->head[plan->class[i]] = (int32_t)(i / joined);
    return status;
}

/* ---- changes ---- */

static int count_items(const char *list)
{
    int count = 1;
    for (; *list != '\0'; ++list) count += *list == ',';
    return count;
}

static mot_status make_changes(stream *s, const mot_dataset *dataset, const char *list)
{
    char text[STREAM_TASKS][MOT_CHANGES_TEXT], *names[STREAM_TASKS];
    const char *at = list;
    mot_status status;
    MOT_TRY(mot_allocate(&s->made, (size_t)s->plan.tasks, sizeof *s->made, "the changes of tasks"));
    for (int t = 0; t < s->plan.tasks; ++t) {
        mot_task_changes wanted;
        at = mot_list_next(*at != '\0' ? at : list, text[t], sizeof text[t]);
        names[t] = text[t];
        if (at == NULL || !mot_task_changes_parse(text[t], &wanted))
            return mot_fail(MOT_ERR_INPUT, "data.stream.changes: the change of the task '%s' is none", s->plan.task_names[t]);
        MOT_TRY(mot_changes_make(&s->made[t], &wanted, &dataset->format, s->seed, t, "data.stream.changes"));
        if (mot_changes_wrong_labels(&s->made[t]) && s->plan.class_count[t] < 2)
            return mot_fail(MOT_ERR_INPUT,
                            "data.stream.changes: the task '%s' has one class: no label of it can be wrong",
                            s->plan.task_names[t]);
    }
    if (s->plan.tasks < count_items(list))
        return mot_fail(MOT_ERR_INPUT, "data.stream.changes has %d items, and there are %d tasks", count_items(list),
                        s->plan.tasks);
    MOT_TRY(mot_dataset_names_copy(&s->change, names, (size_t)s->plan.tasks));
done:
    return status;
}

/* Labels of a task with wrong ones: another of its classes, in the order of their numbers. */
static void confuse(const stream *s, mot_dataset *dataset, int task)
{
    const stream_plan *plan = &s->plan;
    const int32_t *class = plan->class + (size_t)task * (size_t)plan->joined;
    int32_t *target = (int32_t *)(void *)dataset->target;
    for (mot_gidx i = s->first[task]; i < s->first[task + 1]; ++i) {
        const change_place place = {s->seed, dataset->source->split, i};
        int own = 0, c = 0;
        for (; class[c] != target[i]; ++c) own += class[c] >= 0;
        int other = mot_changes_label(&s->made[task], &place, own, plan->class_count[task]);
        for (c = 0; class[c] < 0 || other-- > 0; ++c) {
        }
        target[i] = class[c];
    }
}

/* ---- checksum ---- */

/* Of the files' and of what is made of them, so that another making is other data. */
static mot_status sum_up(const stream *s, const mot_stream_config *config, mot_dataset *dataset)
{
    mot_digest_state *state = mot_digest_begin();
    bool drawn = config->drawn;
    if (state == NULL) return mot_fail(MOT_ERR_MEMORY, "not enough memory for the checksum of a stream");
    for (int t = 0; t < s->plan.tasks; ++t) drawn = drawn || s->made[t].count > 0;
    for (int f = 0; f < s->files.count; ++f) mot_digest_add(state, s->files.set[f].checksum, MOT_DIGEST_TEXT);
    const int64_t number[] = {config->split, s->plan.tasks, config->drawn, config->one_head, drawn ? (int64_t)s->seed : 0};
    mot_digest_add(state, number, sizeof number);
    for (int t = 0; t < s->plan.tasks; ++t) mot_digest_add(state, s->change[t], strlen(s->change[t]) + 1);
    const mot_digest digest = mot_digest_end(state);
    mot_digest_text(&digest, dataset->checksum);
    return MOT_OK;
}

/* ---- all ---- */

/* Splits but that of training look at it too: which tasks there are does not depend on them. */
static mot_status plan_tasks(stream *s, const mot_stream_config *config, const char *split, mot_dataset *dataset)
{
    const bool is_train = strcmp(split, "train") == 0;
    stream_files other = {0};
    const stream_files *train = is_train ? &s->files : &other;
    mot_status status = MOT_OK;
    if (!is_train) MOT_TRY(mot_stream_files_open(&other, config, "train", 0));
    MOT_TRY(mot_stream_join(&s->files, train, dataset));
    MOT_TRY(mot_stream_plan(&s->plan, config, train, s->seed));
done:
    mot_stream_files_close(&other);
    return status;
}

static mot_status describe(stream *s, const mot_stream_config *config, mot_dataset *dataset)
{
    const stream_plan *plan = &s->plan;
    mot_status status = MOT_OK;
    dataset->samples = s->first[plan->tasks];
    dataset->classes = plan->classes;
    dataset->groups = plan->tasks;
    dataset->target_bytes = sizeof(int32_t);
    MOT_TRY(mot_dataset_names_copy(&dataset->class_names, plan->class_names, (size_t)plan->classes));
    MOT_TRY(mot_dataset_names_copy(&dataset->group_names, plan->task_names, (size_t)plan->tasks));
    if (!config->one_head) MOT_TRY(find_heads(s));
    for (int f = 0; f < s->files.count; ++f)
        dataset->source->waits = dataset->source->waits || mot_dataset_waits(&s->files.set[f]);
done:
    return status;
}

mot_status mot_dataset_stream_open(mot_dataset *dataset, const mot_data_config *config, const char *split,
                                   bool training, uint64_t seed)
{
    const mot_stream_config *how = &config->stream;
    stream *s;
    mot_status status = mot_dataset_begin(dataset, split);
    if (status != MOT_OK) return status;
    struct mot_dataset_source *source = dataset->source;
    MOT_TRY(mot_allocate(&s, 1, sizeof *s, "a stream of tasks"));
    s->seed = seed;
    source->maker = s;
    source->free_maker = free_stream;
    source->sample = sample;
    source->behind = behind;
    snprintf(source->where, sizeof source->where, "the stream's split '%s'", split);
    MOT_TRY(mot_stream_files_open(&s->files, how, split, config->memory));
    MOT_TRY(plan_tasks(s, how, split, dataset));
    MOT_TRY(mot_allocate(&s->first, (size_t)s->plan.tasks + 1, sizeof *s->first, "the tasks"));
    MOT_TRY(count_samples(s, split));
    MOT_TRY(make_changes(s, dataset, how->changes));
    MOT_TRY(describe(s, how, dataset));
    MOT_TRY(place_samples(s, dataset));
    for (int t = 0; training && t < s->plan.tasks; ++t)
        if (mot_changes_wrong_labels(&s->made[t])) confuse(s, dataset, t);
    MOT_TRY(sum_up(s, how, dataset));
    s->about = (mot_stream){s->plan.tasks, s->first, s->head, s->plan.class_count, (const char *const *)s->change};
done:
    if (status != MOT_OK) mot_dataset_close(dataset);
    return status;
}

/* ---- the source ---- */

static const char *missing(const mot_data_config *config)
{
    return config->stream.files[0] == '\0' ? "data.stream.files" : NULL;
}

static const char *files(const mot_data_config *config)
{
    return config->stream.files;
}

static mot_status open_split(mot_dataset *dataset, const mot_data_config *config, const char *split,
                             bool training, uint64_t seed)
{
    if (config->target == MOT_TARGET_GROUP)
        return mot_fail(MOT_ERR_INPUT,
                        "data.target = group: the groups of a stream are its tasks, of which the labels are learned");
    return mot_dataset_stream_open(dataset, config, split, training, seed);
}

const mot_source_kind mot_source_stream = {.kind = {"stream"},
                                           .keys = "data.stream.",
                                           .tasks = true,
                                           .files = files,
                                           .files_key = "data.stream.files",
                                           .missing = missing,
                                           .open = open_split};
