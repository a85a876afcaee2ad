/* Data sets as one, behind one another. */
#include "mot/join.h"

#include <stdio.h>
#include <string.h>

#include "import.h"
#include "mot/memory.h"
#include "stream_private.h"

_Static_assert((int)STREAM_FILES == (int)MOT_JOIN_SOURCES && (int)DATASET_SPLITS == (int)IMPORT_SPLITS, "the same");

typedef struct joining joining;
typedef struct joined_split {
    const joining *of;
    int number;
    stream_files files;
    mot_dataset form; /* what all samples are: format, columns, words */
    void *scratch;
} joined_split;

struct joining {
    const mot_join_options *options;
    mot_import_options how;
    joined_split split[DATASET_SPLITS];
    bool has[DATASET_SPLITS];
    char change_text[STREAM_FILES][MOT_CHANGES_TEXT];
    made_changes change[STREAM_FILES];
    mot_dataset_origin origin[STREAM_FILES];
    int32_t *class; /* [classes of all sources]: its number among those of the set */
    import_set set;
};

static const stream_files *train_of(const joining *j)
{
    return &j->split[0].files;
}

/* ---- sources ---- */

static mot_status other_splits(const joining *j, int source, int split)
{
    const mot_join_source *first = &j->options->source[0], *other = &j->options->source[source];
    const bool first_has = j->has[split];
    return mot_fail(MOT_ERR_INPUT, "%s has a split '%s', %s has none: --splits says which are joined",
                    first_has ? first->path : other->path, mot_dataset_split_names[split],
                    first_has ? other->path : first->path);
}

static mot_status choose_splits(joining *j)
{
    const mot_join_options *o = j->options;
    const bool told = o->split[0] || o->split[1] || o->split[2];
    mot_status status = MOT_OK;
    for (int s = 0; s < DATASET_SPLITS; ++s) j->has[s] = o->split[s];
    for (int f = 0; f < o->count; ++f) {
        bool has[DATASET_SPLITS];
        MOT_TRY(mot_dataset_splits(o->source[f].path, has));
        for (int s = 0; s < DATASET_SPLITS; ++s) {
            if (told && j->has[s] && !has[s])
                return mot_fail(MOT_ERR_INPUT, "%s has no split '%s'", o->source[f].path, mot_dataset_split_names[s]);
            if (!told && f == 0) j->has[s] = has[s];
            if (!told && has[s] != j->has[s]) return other_splits(j, f, s);
        }
    }
    if (!j->has[0]) status = mot_fail(MOT_ERR_INPUT, "--splits: the split 'train' must be one of those that are joined");
done:
    return status;
}

/* What it is called: as told, or by its file and what is done to it. */
static mot_status take_source(joining *j, stream_files *files)
{
    const int f = files->count;
    const mot_join_source *source = &j->options->source[f];
    const bool changed = source->change[0] != '\0';
    char label[STREAM_FILE];
    int length;
    snprintf(j->change_text[f], MOT_CHANGES_TEXT, "%s", changed ? source->change : "none");
    if (strlen(source->path) >= STREAM_FILE)
        return mot_fail(MOT_ERR_INPUT, "the path '%.80s...' is longer than %d bytes", source->path, STREAM_FILE - 1);
    snprintf(files->path[f], STREAM_FILE, "%s", source->path);
    mot_stream_file_label(source->path, label);
    length = source->name != NULL ? snprintf(files->label[f], STREAM_FILE, "%s", source->name)
                                  : snprintf(files->label[f], STREAM_FILE, "%s%s%s", label, changed ? " " : "", source->change);
    if (length < 1 || length >= MOT_JOIN_NAME)
        return mot_fail(MOT_ERR_INPUT, "a source is called '%.80s...': expected a name of 1 to %d bytes (--name)", files->label[f],
                        MOT_JOIN_NAME - 1);
    for (int g = 0; g < f; ++g)
        if (strcmp(files->label[g], files->label[f]) == 0)
            return mot_fail(MOT_ERR_INPUT, "two sources are called '%s': --name NAME behind each tells them apart", files->label[f]);
    ++files->count;
    return MOT_OK;
}

/* Targets of one form. */
static mot_status check_targets(const stream_files *files, int f)
{
    const mot_dataset *here = &files->set[f], *first = &files->set[0];
    char has[48], others[48];
    if ((here->classes > 0) != (first->classes > 0) || here->target_bytes != first->target_bytes) {
        mot_dataset_target_text(here->classes, here->target_bytes, has);
        mot_dataset_target_text(first->classes, first->target_bytes, others);
        return mot_fail(MOT_ERR_INPUT, "%s has targets that are %s, %s %s: data sets that are joined have targets of one form",
                        files->path[f], has, files->path[0], others);
    }
    const size_t numbers = here->target_bytes / sizeof(float);
    if (here->classes == 0 && here->target_names != NULL && first->target_names != NULL &&
        !mot_dataset_names_same(here->target_names, numbers, first->target_names, numbers))
        return mot_fail(MOT_ERR_INPUT,
                        "%s and %s have targets of other names: data sets that are joined have the same targets in one order",
                        files->path[f], files->path[0]);
    return MOT_OK;
}

static mot_status open_split(joining *j, int number)
{
    joined_split *split = &j->split[number];
    stream_files *files = &split->files;
    const char *name = mot_dataset_split_names[number];
    mot_status status = MOT_OK;
    split->of = j;
    split->number = number;
    MOT_TRY(mot_dataset_begin(&split->form, name)); /* for mot_dataset_close */
    while (files->count < j->options->count) MOT_TRY(take_source(j, files));
    MOT_TRY(mot_stream_files_read(files, name, 0));
    for (int f = 0; f < files->count; ++f) {
        mot_dataset *set = &files->set[f];
        MOT_TRY(check_targets(files, f));
        if (set->class_names == NULL && set->classes > 0)
            MOT_TRY(mot_dataset_names_number(&set->class_names, (size_t)set->classes));
        if (set->group_names == NULL && set->groups > 0)
            MOT_TRY(mot_dataset_names_number(&set->group_names, (size_t)set->groups));
        j->origin[f].checksum[number] = set->checksum;
    }
    MOT_TRY(mot_stream_join(files, train_of(j), &split->form));
    MOT_TRY(mot_allocate(&split->scratch, mot_change_scratch(&split->form.format), 1, "a sample"));
done:
    return status;
}

static mot_status make_changes(joining *j)
{
    const stream_files *files = train_of(j);
    mot_status status = MOT_OK;
    for (int f = 0; f < files->count; ++f) {
        mot_task_changes wanted;
        if (!mot_task_changes_parse(j->change_text[f], &wanted))
            return mot_fail(MOT_ERR_INPUT, "%s: '%s' is no change that can be made", files->label[f], j->change_text[f]);
        MOT_TRY(mot_changes_make(&j->change[f], &wanted, &j->split[0].form.format, j->options->seed, f, files->label[f]));
        if (mot_changes_wrong_labels(&j->change[f]) && files->set[f].classes < 2)
            return mot_fail(MOT_ERR_INPUT, "%s: labels can be wrong only where there are two classes or more", files->label[f]);
        j->origin[f].name = files->label[f];
        j->origin[f].file = files->path[f];
        j->origin[f].change = j->change_text[f];
    }
done:
    return status;
}

/* ---- names ---- */

/* "mnist: 3", of the classes or groups of all; with one source as they are. */
static mot_status name_apart(const stream_files *files, bool group, char ***names)
{
    const size_t count = (size_t)(group ? files->group : files->class)[files->count];
    const bool several = files->count > 1;
    size_t bytes = count * sizeof(char *), next = 0;
    mot_status status;
    for (int pass = 0; pass < 2; ++pass) {
        char *at = pass == 1 ? (char *)(*names + count) : NULL;
        for (int f = 0; f < files->count; ++f) {
            const mot_dataset *set = &files->set[f];
            char **own = group ? set->group_names : set->class_names;
            for (int i = 0; i < (group ? set->groups : set->classes); ++i) {
                const size_t length = strlen(own[i]) + (several ? strlen(files->label[f]) + 2 : 0) + 1;
                if (pass == 1) {
                    (*names)[next++] = at;
                    at += snprintf(at, length, "%s%s%s", several ? files->label[f] : "", several ? ": " : "", own[i]) + 1;
                }
                bytes += length;
            }
        }
        if (pass == 0) MOT_TRY(mot_allocate(names, bytes, 1, "names"));
    }
    status = MOT_OK;
done:
    return status;
}

static mot_status classes_by_name(joining *j)
{
    const stream_files *files = train_of(j);
    char **names = NULL;
    mot_status status;
    MOT_TRY(mot_allocate(&names, (size_t)files->class[files->count], sizeof *names, "the classes"));
    for (int f = 0; f < files->count; ++f)
        MOT_TRY(mot_dataset_names_add(names, &j->set.label.count, files->set[f].class_names, (size_t)files->set[f].classes,
                                      "classes", files->path[f], j->class + files->class[f]));
    /* for its sentence: two of one data set that are called alike */
    MOT_TRY(mot_dataset_names_map(NULL, 0, names, j->set.label.count, "classes", "of one data set", j->options->out, NULL));
    MOT_TRY(mot_dataset_names_copy(&j->set.label.name, names, j->set.label.count));
    j->set.signed_labels = j->set.label.count == 2;
    for (int f = 0; f < files->count; ++f) j->set.signed_labels = j->set.signed_labels && files->set[f].signed_labels;
done:
    mot_free(names);
    return status;
}

static mot_status number_classes(joining *j)
{
    const stream_files *files = train_of(j);
    const int classes = files->class[files->count];
    mot_status status = MOT_OK;
    if (classes == 0 && j->options->by_name)
        return mot_fail(MOT_ERR_INPUT, "--classes is of labels, and the targets of %s are numbers", files->path[0]);
    if (classes > DATASET_MAX_NAMES)
        return mot_fail(MOT_ERR_INPUT, "%d classes together, at most %d are possible", classes, DATASET_MAX_NAMES);
    if (classes == 0) return MOT_OK;
    MOT_TRY(mot_allocate(&j->class, (size_t)classes, sizeof *j->class, "the classes"));
    if (j->options->by_name) return classes_by_name(j);
    for (int c = 0; c < classes; ++c) j->class[c] = c;
    j->set.label.count = (size_t)classes;
    status = name_apart(files, false, &j->set.label.name);
done:
    return status;
}

static mot_status name_groups(joining *j)
{
    const stream_files *files = train_of(j);
    import_identity *group = &j->set.group;
    char *labels[STREAM_FILES];
    if (j->options->own_groups) {
        group->count = (size_t)files->group[files->count];
        return name_apart(files, true, &group->name);
    }
    group->count = (size_t)files->count;
    for (int f = 0; f < files->count; ++f) {
        labels[f] = (char *)files->label[f];
        if (files->set[f].groups > 0)
            mot_import_note(&j->how, "groups are the sources: the %d groups of %s itself are left out (--groups own keeps those)",
                            files->set[f].groups, files->path[f]);
    }
    return mot_dataset_names_copy(&group->name, labels, group->count);
}

/* ---- samples ---- */

/* The class of a sample; in training perhaps a wrong one. */
static int32_t label_of(const joined_split *split, int f, mot_gidx own, mot_gidx place)
{
    const joining *j = split->of;
    const change_place where = {j->options->seed, split->number, place};
    const mot_dataset *set = &split->files.set[f];
    int class = mot_dataset_class(set, own);
    if (split->number == 0) class = mot_changes_label(&j->change[f], &where, class, set->classes);
    class = j->class[split->files.class[f] + class];
    return j->set.signed_labels ? 2 * class - 1 : class;
}

static mot_status check_groups(const joined_split *split)
{
    for (int f = 0; split->of->options->own_groups && f < split->files.count; ++f)
        if (split->files.set[f].group == NULL)
            return mot_fail(MOT_ERR_INPUT, "--groups own: the split '%s' of %s has no groups",
                            mot_dataset_split_names[split->number], split->files.path[f]);
    return MOT_OK;
}

static mot_status list_samples(joining *j, joined_split *split)
{
    const stream_files *files = &split->files;
    const size_t samples = (size_t)files->first[files->count], bytes = files->set[0].target_bytes;
    import_part *part = &j->set.part[split->number];
    int32_t **label = &j->set.label.id[split->number], **group = &j->set.group.id[split->number];
    mot_gidx place = 0;
    mot_status status;
    MOT_TRY(check_groups(split));
    MOT_TRY(mot_allocate(group, samples, sizeof **group, "the groups"));
    if (j->set.numbers > 0)
        MOT_TRY(mot_allocate(&part->number, samples, bytes, "the targets"));
    else
        MOT_TRY(mot_allocate(label, samples, sizeof **label, "the labels"));
    for (int f = 0; f < files->count; ++f) {
        const mot_dataset *set = &files->set[f];
        if (j->set.numbers > 0)
            memcpy(part->number + (size_t)place * j->set.numbers, set->target, (size_t)set->samples * bytes);
        for (mot_gidx i = 0; i < set->samples; ++i, ++place) {
            (*group)[place] = j->options->own_groups ? stream_group(files, f, i) : f;
            if (j->set.numbers == 0) (*label)[place] = label_of(split, f, i, place);
        }
    }
done:
    return status;
}

static mot_status sample(void *context, size_t index, void *x)
{
    joined_split *split = context;
    const joining *j = split->of;
    const change_place place = {j->options->seed, split->number, (mot_gidx)index};
    mot_gidx own = place.index;
    const int f = stream_file_of(&split->files, &own);
    const mot_status status = mot_dataset_read(&split->files.set[f], own, x);
    if (status == MOT_OK) mot_changes_apply(&j->change[f], &place, &split->form.format, x, split->scratch);
    return status;
}

/* ---- all ---- */

static mot_status describe(joining *j)
{
    const stream_files *files = train_of(j);
    const mot_dataset *form = &j->split[0].form, *first = &files->set[0];
    mot_status status;
    j->set.format = form->format;
    j->set.numbers = first->classes == 0 ? first->target_bytes / sizeof(float) : 0;
    j->set.target_names = (const char *const *)first->target_names;
    j->set.column_names = (const char *const *)form->column_names;
    j->set.vocabulary = (const char *const *)form->vocabulary;
    j->set.vocabulary_count = form->vocabulary != NULL ? form->format.vocabulary : 0;
    j->set.origin = j->origin;
    j->set.origin_count = (size_t)files->count;
    j->how.scaling = form->format.normalization.scaling;
    for (int f = 1; f < files->count; ++f)
        if (files->set[f].format.reading.pixel_unit != first->format.reading.pixel_unit) j->set.format.reading.pixel_unit = 0;
    MOT_TRY(number_classes(j));
    MOT_TRY(name_groups(j));
    for (int s = 0; s < DATASET_SPLITS; ++s) {
        if (!j->has[s]) continue;
        joined_split *split = &j->split[s];
        j->set.part[s] = (import_part){.path = j->options->out,
                                       .samples = (size_t)split->files.first[files->count],
                                       .context = split,
                                       .sample = sample};
        MOT_TRY(list_samples(j, split));
    }
done:
    return status;
}

static void free_joining(joining *j)
{
    for (int f = 0; f < STREAM_FILES; ++f) mot_changes_free(&j->change[f]);
    for (int s = 0; s < DATASET_SPLITS; ++s) {
        mot_stream_files_close(&j->split[s].files);
        mot_dataset_close(&j->split[s].form);
        mot_free(j->split[s].scratch);
    }
    mot_import_set_free(&j->set);
    mot_free(j->class);
    mot_free(j);
}

mot_status mot_data_join(const mot_join_options *options)
{
    joining *j = NULL;
    mot_status status = mot_allocate(&j, 1, sizeof *j, "the sources");
    if (status != MOT_OK) return status;
    j->options = options;
    j->how = (mot_import_options){.out = options->out,
                                  .title = options->title,
                                  .source = "mot data join",
                                  .licence = options->licence,
                                  .notes = options->notes};
    MOT_TRY(choose_splits(j));
    for (int s = 0; s < DATASET_SPLITS; ++s)
        if (j->has[s]) MOT_TRY(open_split(j, s));
    MOT_TRY(make_changes(j));
    MOT_TRY(describe(j));
    MOT_TRY(mot_import_write(&j->how, &j->set));
done:
    free_joining(j);
    return status;
}
