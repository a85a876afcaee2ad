/* Which samples a run reads, and how. */
#include "run_world.h"

#include <string.h>

#include "mot/log.h"
#include "mot/memory.h"
#include "mot/source.h"
#include "mot/stream.h"
#include "mot/stage.h"


/* One split; a failure is agreed by the caller. */
static mot_status open_split(const run_course *course, mot_dataset *set, const char *split, bool training)
{
    const mot_data_config *config = &course->config.data;
    const mot_source_kind *source = mot_source_kind_at(config->source);
    const char *title = mot_source_title(config);
    /* What is learned from it must not look like a result. */
    if (source->meaningless && course->purpose != RUN_BENCH)
        return mot_fail(MOT_ERR_INPUT,
                        "data.source = %s: there is nothing to learn from it; it is for mot bench",
                        source->kind.name);
    const mot_status status = source->open(set, config, split, training, course->config.seed);
    if (status != MOT_OK) return status;
    if (set->samples == 0) return mot_fail(MOT_ERR_INPUT, "%s: split '%s' has no samples", title, split);
    if (config->target == MOT_TARGET_GROUP && set->groups == 0 && course->purpose != RUN_PREDICT)
        return mot_fail(MOT_ERR_INPUT, "data.target = group: %s has no groups", title);
    return MOT_OK;
}

/* What is asked of classes, where targets are none. */
static mot_status check_numbers(const run_world *world, const run_course *course)
{
    const mot_config *config = &course->config;
    const mot_gate_kind *gate = mot_gate_kind_at(config->gate.kind);
    const char *title = mot_source_title(&config->data);
    if (world->classes > 0) return MOT_OK;
    if (mot_config_told(config, MOT_TOLD_LABEL) != NULL)
        return mot_fail(MOT_ERR_INPUT,
                        "gate.told = label: the targets of %s are numbers, and no labels that the gate could be "
                        "told (gate.told=group tells it groups, where data have them)",
                        title);
    if (gate->learn_labels != NULL)
        return mot_fail(MOT_ERR_INPUT, "gate.kind = %s: the targets of %s are numbers, and no labels that the gate could learn",
                        gate->kind.name, title);
    for (int s = 0; s < config->stages; ++s)
        if (config->stage[s].until.purity_plateau > 0 && world->groups == 0)
            return mot_fail(MOT_ERR_INPUT,
                            "stage '%s': until = '%s', but %s has neither classes nor groups, and experts no "
                            "purity: give steps, epochs or a loss",
                            config->stage[s].name, config->stage[s].until.text, title);
    return MOT_OK;
}

static mot_status check_alignment(const run_world *world, const mot_config *config)
{
    const bool learns = mot_expert_kind_at(config->model.kind)->directed && mot_gate_kind_at(config->gate.kind)->spread;
    for (int s = 0; s < config->stages; ++s)
        if (config->stage[s].until.alignment_plateau > 0 &&
            (!learns || mot_dataset_teacher(world->train.dataset, NULL) == NULL))
            return mot_fail(MOT_ERR_INPUT,
                            "stage '%s': until = '%s', but alignment is that of neurons and gates of unit length with a "
                            "teacher's (model.kind = hermite, gate.kind = sigmoid or softmax, data.source = teacher): "
                            "give steps, epochs or a loss",
                            config->stage[s].name, config->stage[s].until.text);
    return MOT_OK;
}

static mot_status check_data(const run_world *world, const run_course *course)
{
    const mot_sample_format *train = &world->train.dataset->format, *eval = &world->eval_set.format;
    if (train->bytes != eval->bytes || world->train.dataset->target_bytes != world->eval_set.target_bytes ||
        train->kind != eval->kind || train->vocabulary != eval->vocabulary)
        return mot_fail(MOT_ERR_INPUT, "%s: splits 'train' and '%s' have samples of different shape",
                        mot_source_title(&course->config.data), course->config.eval.split);
    const mot_gate_config *by_group = mot_config_told(&course->config, MOT_TOLD_GROUP),
                          *by_label = mot_config_told(&course->config, MOT_TOLD_LABEL);
    if (by_group != NULL) {
        const bool train_has = world->train.dataset->groups > 0;
        if (!train_has || world->eval_set.groups == 0)
            return mot_fail(
                MOT_ERR_INPUT,
                "gate.kind = %s: split '%s' of %s has no groups that the gate could be told "
                "(gate.told=label tells it the labels, which shows how experts do, and nothing of a gate)",
                mot_gate_kinds.row[by_group->kind]->name, train_has ? course->config.eval.split : "train",
                mot_source_title(&course->config.data));
    }
    const mot_gate_config *knows = by_label != NULL                                     ? by_label
                                   : course->config.data.target == MOT_TARGET_GROUP ? by_group
                                                                                    : NULL;
    if (knows != NULL)
        mot_log(MOT_LOG_WARNING,
                "gate.kind = %s routes by the very %s that is learned: accuracy says nothing",
                mot_gate_kinds.row[knows->kind]->name, course->config.data.target == MOT_TARGET_GROUP ? "group" : "label");
    if (course->purpose != RUN_TRAIN) return MOT_OK;
    const bool stream = mot_dataset_stream(world->train.dataset) != NULL;
    mot_status status = stream ? mot_run_check_tasks(&course->config, world->train.dataset->samples) : MOT_OK;
    if (status != MOT_OK) return status;
    status = check_alignment(world, &course->config);
    if (status != MOT_OK) return status;
    return mot_stages_check(&course->config, world->train.dataset->samples);
}

static mot_status find_parents(run_world *world, const run_course *course)
{
    const mot_dataset *set = world->train.dataset;
    const mot_stream *stream = mot_dataset_stream(set);
    if (set->groups == 0 || course->config.data.target == MOT_TARGET_GROUP || set->signed_labels ||
        (stream != NULL && stream->head != NULL)) /* whose group is known */
        return MOT_OK;
    mot_status status;
    MOT_TRY(mot_allocate(&world->parent, (size_t)set->classes, sizeof(int), "groups of labels"));
    if (!mot_dataset_label_groups(set, world->parent)) {
        mot_free(world->parent);
        world->parent = NULL;
    }
done:
    return status;
}

/* Other data as the run's. */
static mot_status adopt(run_world *world, const run_course *course)
{
    const mot_config *config = &course->config;
    const bool told = mot_config_told(config, MOT_TOLD_GROUP) != NULL,
               by_group = config->data.target == MOT_TARGET_GROUP;
    const bool known = course->purpose == RUN_EVAL;
    const unsigned what = (known && !by_group ? MOT_ADOPT_LABELS : 0) |
                          (known && (told || by_group) ? MOT_ADOPT_GROUPS : 0);
    const char *name = mot_source_title(&config->data);
    mot_gidx unknown, words;
    const mot_status status = mot_schema_adopt(&world->schema, &world->eval_set, what, name, &unknown,
                                               &words);
    if (status == MOT_OK && words > 0 &&
        course->purpose == RUN_PREDICT) /* maybe of a file made for it alone */
        mot_log(MOT_LOG_INFO, "note: words that the run does not know: %" MOT_PRI_GIDX " of %" MOT_PRI_GIDX,
                unknown, words);
    else if (status == MOT_OK && words > 0)
        mot_log(MOT_LOG_INFO,
                "%s has another vocabulary: its words are taken as the run's; %" MOT_PRI_GIDX
                " of %" MOT_PRI_GIDX " (%.1f %%) are unknown",
                name, unknown, words, 100 * (double)unknown / (double)words);
    return status;
}

mot_status mot_run_open_data(run_world *world, run_course *course)
{
    const bool learns = course->purpose == RUN_TRAIN || course->purpose == RUN_BENCH;
    mot_dataset *set = learns ? &world->train_set : &world->eval_set;
    mot_status status = MOT_OK;
    if (course->purpose != RUN_BENCH)
        MOT_TRY(open_split(course, &world->eval_set, course->config.eval.split, false));
    if (learns) MOT_TRY(open_split(course, &world->train_set, "train", true));
    MOT_TRY(!learns && world->schema.format.bytes > 0 ? adopt(world, course)
                                                      : mot_schema_take(&world->schema, set));
    world->train.dataset = set;
    world->eval.dataset = &world->eval_set;
    const bool by_group = course->config.data.target == MOT_TARGET_GROUP;
    world->classes = by_group ? world->schema.groups : world->schema.classes;
    world->groups = MOT_MAX(set->groups, world->eval_set.groups);
    const mot_stream *stream = mot_dataset_stream(set);
    if (stream != NULL) course->config.tasks = stream->tasks;
    if (learns) MOT_TRY(mot_stages_resolve(&course->config, set->samples, set->format.kind));
    if (course->purpose != RUN_PREDICT) MOT_TRY(check_numbers(world, course));
    if (course->purpose == RUN_BENCH || course->purpose == RUN_PREDICT) goto done;
    MOT_TRY(check_data(world, course));
    MOT_TRY(find_parents(world, course));
done:
    return status;
}

/* ---- what a run keeps of them ---- */

mot_status mot_run_read_schema(void *schema, hid_t file, const char *path)
{
    return mot_schema_read(schema, file, path);
}

static bool same_normalization(const mot_normalization *a, const mot_normalization *b)
{
    return a->count == b->count &&
           (a->count == 0 || memcmp(a->mean, b->mean, 2 * a->count * sizeof *a->mean) == 0);
}

/* Both splits read with it; the checksums have said that the samples are the same. */
static void set_normalization(run_world *world, mot_normalization *kept)
{
    const size_t bytes = 2 * kept->count * sizeof *kept->mean;
    mot_normalization *const of[] = {&world->schema.format.normalization,
                                     &world->train_set.format.normalization,
                                     &world->eval_set.format.normalization};
    for (size_t i = 0; i < MOT_COUNT(of); ++i)
        if (bytes > 0) memcpy(of[i]->mean, kept->mean, bytes);
}

mot_status mot_run_keep_normalization(run_world *world, const char *path)
{
    const mot_data_config *data = &world->model.config->data;
    mot_schema kept = {0};
    mot_status status;
    mot_normalization *now = &world->schema.format.normalization, *before = &kept.format.normalization;
    MOT_TRY(mot_checkpoint_more(path, mot_run_read_schema, &kept));
    if (kept.format.bytes == 0 || same_normalization(now, before)) goto done; /* or it was written without */
    if (now->count != before->count) {
        status = mot_fail(
            MOT_ERR_INPUT,
            "%s was trained with %zu means and deviations, %s = %s has %zu: choose another run "
            "folder (run=...)",
            path, before->count, mot_source_files_key(data), mot_source_title(data), now->count);
        goto done;
    }
    mot_log(MOT_LOG_WARNING,
            "%s = %s has another normalization than the run began with, which goes on with its own",
            mot_source_files_key(data), mot_source_title(data));
    set_normalization(world, before);
done:
    mot_schema_free(&kept);
    return status;
}
