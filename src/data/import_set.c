/* From samples with labels to a data set. */
#include <string.h>

#include "dataset_private.h"
#include "import.h"
#include "mot/memory.h"

static mot_status check_fractions(const mot_import_options *options)
{
    const double fraction[IMPORT_SPLITS] = {0, options->val_fraction, options->test_fraction};
    for (int s = 1; s < IMPORT_SPLITS; ++s)
        if (fraction[s] > 0 && options->files[s] != NULL)
            return mot_fail(MOT_ERR_INPUT, "--%s-fraction and --%s: give one of them", mot_dataset_split_names[s],
                            mot_dataset_split_names[s]);
    if (fraction[1] + fraction[2] >= 1)
        return mot_fail(MOT_ERR_INPUT, "--val-fraction %g and --test-fraction %g leave nothing to train with",
                        fraction[1], fraction[2]);
    return MOT_OK;
}

/* What is right by its form and yet rarely meant. */
static void note_labels(const mot_import_options *options, const import_set *set)
{
    const size_t samples = set->part[0].samples, classes = set->label.count;
    for (int s = 1; s < IMPORT_SPLITS; ++s)
        if (set->part[s].samples > 0 && set->group.id[0] != NULL && set->group.id[s] == NULL)
            mot_import_note(options, "%s has no groups: there are no figures of groups for it",
                            set->part[s].path);
    if (set->numbers > 0) return;
    if (classes == 1) mot_import_note(options, "all samples are of one class: there is nothing to learn");
    if (classes > 20 && classes * 2 > samples && set->classes == 0)
        mot_import_note(options,
                        "%zu classes of %zu samples: with few samples a class nothing is learned; if the labels are "
                        "numbers to be predicted (regression): --target COLUMN of csv, --numbers of arrays",
                        classes, samples);
}

/* Samples for a run: none has a label that means anything. */
static mot_status plan_unlabelled(import_set *set)
{
    set->label.count = 1;
    return mot_allocate(&set->label.id[0], set->part[0].samples, sizeof(int32_t), "labels"); /* zero */
}

/* No option is without effect. */
static mot_status check_numbers(const mot_import_options *options)
{
    const struct {
        const char *name;
        bool given;
    } of_labels[] = {{"label-column", options->label_column != NULL},
                     {"class-names", options->class_names != NULL},
                     {"first-label", options->first_label != NULL}};
    for (size_t i = 0; i < MOT_COUNT(of_labels); ++i)
        if (of_labels[i].given)
            return mot_fail(MOT_ERR_INPUT, "--%s is of labels, and %s says that the targets are numbers",
                            of_labels[i].name, options->target_columns != NULL ? "--target" : "--numbers");
    return MOT_OK;
}

mot_status mot_import_plan(const mot_import_options *options, import_set *set)
{
    const import_part *train = &set->part[0];
    mot_status status = MOT_OK;
    if (options->as != NULL) return plan_unlabelled(set);
    MOT_TRY(check_fractions(options));
    MOT_TRY(set->numbers > 0 ? check_numbers(options)
                             : mot_import_identify(options, set->part, false, set->classes, &set->label));
    MOT_TRY(mot_import_identify(options, set->part, true, set->groups, &set->group));
    note_labels(options, set);
    if (options->val_fraction > 0 || options->test_fraction > 0)
        MOT_TRY(mot_import_divide(options, train->path, train->samples, set->label.id[0],
                                  set->numbers > 0 ? 1 : set->label.count, &set->target));
done:
    return status;
}

/* Samples that go the same way, until there are enough to write them at once. */
typedef struct gathering {
    const mot_sample_format *format;
    mot_dataset_writer *writer;
    const char *split;
    size_t size, target_size, most, count;
    unsigned char *x, *target;
    int32_t *group;
    bool has_group;
} gathering;

static mot_status flush(gathering *g)
{
    const size_t count = g->count;
    g->count = 0;
    return mot_dataset_writer_add(g->writer, g->split, count, g->x, g->target, g->has_group ? g->group : NULL);
}

static mot_status add_part(const import_set *set, int p, int target, gathering *g)
{
    const import_part *part = &set->part[p];
    mot_status status = MOT_OK;
    g->split = mot_dataset_split_names[target];
    g->has_group = set->group.id[p] != NULL;
    for (size_t i = 0; i < part->samples; ++i) {
        if ((p == 0 && set->target != NULL ? set->target[i] : p) != target) continue;
        unsigned char *x = g->x + g->count * g->size;
        MOT_TRY(part->sample(part->context, i, x));
        MOT_TRY(mot_dataset_samples_check(g->format, part->path, (mot_gidx)i, 1, x));
        memcpy(g->target + g->count * g->target_size,
               set->numbers > 0 ? (const void *)(part->number + i * set->numbers) : &set->label.id[p][i],
               g->target_size);
        g->group[g->count] = g->has_group ? set->group.id[p][i] : 0;
        if (++g->count == g->most) MOT_TRY(flush(g));
    }
    MOT_TRY(flush(g));
done:
    return status;
}

static mot_dataset_about about_set(const mot_import_options *options, const import_set *set)
{
    return (mot_dataset_about){.title = options->title,
                               .source = options->source,
                               .licence = options->licence,
                               .class_count = set->label.count,
                               .class_names = (const char *const *)set->label.name,
                               .group_count = set->group.count,
                               .group_names = (const char *const *)set->group.name,
                               .vocabulary_count = set->vocabulary_count,
                               .vocabulary = set->vocabulary,
                               .column_names = set->column_names,
                               .target_names = set->target_names,
                               .signed_labels = set->signed_labels,
                               .origin_count = set->origin_count,
                               .origin = set->origin};
}

mot_status mot_import_write(const mot_import_options *options, const import_set *set)
{
    enum { BLOCK = 1 << 20 };
    mot_sample_format format = set->format;
    const mot_dataset_about about = about_set(options, set);
    gathering g = {.format = &format};
    mot_status status = MOT_OK;
    format.normalization.scaling = options->scaling;
    MOT_TRY(mot_dataset_format_check(&format, set->part[0].path));
    MOT_TRY(mot_dataset_writer_open(&g.writer, options->out, &format));
    mot_dataset_writer_numbers(g.writer, set->numbers);
    g.size = format.bytes;
    g.target_size = set->numbers > 0 ? set->numbers * sizeof(float) : sizeof(int32_t);
    g.most = MOT_MAX(BLOCK / format.bytes, 1);
    MOT_TRY(mot_allocate(&g.x, g.most, format.bytes, "a block of samples"));
    MOT_TRY(mot_allocate(&g.target, g.most, g.target_size, "a block of samples"));
    MOT_TRY(mot_allocate(&g.group, g.most, sizeof *g.group, "a block of samples"));
    for (int target = 0; target < IMPORT_SPLITS; ++target) {
        if (set->part[target].samples > 0) MOT_TRY(add_part(set, target, target, &g));
        if (target > 0 && set->target != NULL) MOT_TRY(add_part(set, 0, target, &g));
    }
    MOT_TRY(mot_dataset_writer_close(&g.writer, &about, true));
done:
    mot_dataset_writer_close(&g.writer, &about, false);
    mot_free(g.group);
    mot_free(g.target);
    mot_free(g.x);
    return status;
}

void mot_import_set_free(import_set *set)
{
    mot_import_identity_free(&set->label);
    mot_import_identity_free(&set->group);
    for (int s = 0; s < IMPORT_SPLITS; ++s) mot_free(set->part[s].number);
    mot_free(set->target);
    set->target = NULL;
}
