/* Another data set as the run's own. */
#include <stdio.h>
#include <string.h>

#include "dataset_private.h"
#include "mot/memory.h"
#include "mot/schema.h"
#include "schema_private.h"

/* ---- the form of a sample ---- */

static mot_status other_form(const mot_schema *schema, const mot_dataset *dataset, const char *path)
{
    char has[160], learned[160];
    mot_dataset_form_text(&dataset->format, has);
    mot_dataset_form_text(&schema->format, learned);
    return mot_fail(MOT_ERR_INPUT, "%s holds %s; the run learned %s", path, has, learned);
}

/* Vectors: which column each of the run's is. */
static mot_status map_columns(const mot_schema *schema, const mot_dataset *dataset, const char *path,
                              struct dataset_map *map)
{
    const size_t here = dataset->format.features, there = schema->format.features;
    mot_status status = MOT_OK;
    if (schema->column_names == NULL || dataset->column_names == NULL) {
        if (here == there) return MOT_OK;
        return other_form(schema, dataset, path);
    }
    if (mot_dataset_names_same(dataset->column_names, here, schema->column_names, there)) return MOT_OK;
    MOT_TRY(mot_allocate(&map->column, MOT_MAX(here, there), sizeof *map->column, "columns"));
    MOT_TRY(mot_dataset_names_map(dataset->column_names, here, schema->column_names, there, "columns",
                                  "of the run", path,
                                  map->column)); /* for its sentence: two of the run would be one here */
    MOT_TRY(mot_dataset_names_map(schema->column_names, there, dataset->column_names, here, "columns",
                                  "of its own", path, map->column));
    for (size_t c = 0; c < there; ++c)
        if (map->column[c] < 0) {
            status = mot_fail(MOT_ERR_INPUT, "%s has no column '%.60s', which the run learned from", path,
                              schema->column_names[c]);
            goto done;
        }
done:
    return status;
}

static mot_status map_form(const mot_schema *schema, const mot_dataset *dataset, const char *path,
                           struct dataset_map *map)
{
    const mot_sample_format *here = &dataset->format, *there = &schema->format;
    if (here->kind != there->kind) return other_form(schema, dataset, path);
    if (here->kind == MOT_SAMPLE_TEXT) return mot_schema_map_words(schema, dataset, path, map);
    if (here->channels != there->channels || here->height != there->height || here->width != there->width ||
        here->tokens != there->tokens)
        return other_form(schema, dataset, path);
    return here->kind == MOT_SAMPLE_VECTOR ? map_columns(schema, dataset, path, map) : MOT_OK;
}

/* ---- labels ---- */

static mot_status refuse_value(char *const *names, int value, mot_gidx count, const char *what,
                               char *const *known, int known_count, const char *path)
{
    char list[240] = "";
    for (int i = 0; i < known_count; ++i) {
        const size_t used = strlen(list);
        if (used + 80 > sizeof list) {
            snprintf(list + used, sizeof list - used, ", ...");
            break;
        }
        snprintf(list + used, sizeof list - used, "%s%.60s", i > 0 ? ", " : "", known[i]);
    }
    return mot_fail(MOT_ERR_INPUT,
                    "%s: %" MOT_PRI_GIDX
                    " samples are of the %s '%.60s', which the run does not know; it has %s",
                    path, count, what, names[value], list);
}

/* Labels or groups by name: values [samples] become the run's. */
static mot_status map_values(int32_t *value, mot_gidx samples, char *const *names, int count, char *const *of,
                             int of_count, const char *what, const char *path)
{
    int32_t *map = NULL;
    mot_status status = MOT_OK;
    if (names == NULL || of == NULL) {
        if (count == of_count) return MOT_OK;
        return mot_fail(MOT_ERR_INPUT, "%s: %d %s without names; the run has %d", path, count,
                        strcmp(what, "class") == 0 ? "classes" : "groups", of_count);
    }
    if (mot_dataset_names_same(names, (size_t)count, of, (size_t)of_count)) return MOT_OK;
    MOT_TRY(mot_allocate(&map, (size_t)count, sizeof *map, "names"));
    MOT_TRY(mot_dataset_names_map(names, (size_t)count, of, (size_t)of_count,
                                  strcmp(what, "class") == 0 ? "classes" : "groups", "of the run", path, map));
    for (mot_gidx i = 0; i < samples; ++i) {
        const int32_t before = value[i];
        if (map[before] < 0) {
            mot_gidx same = 0;
            for (mot_gidx k = i; k < samples; ++k) same += value[k] == before;
            status = refuse_value(names, before, same, what, of, of_count, path);
            goto done;
        }
        value[i] = map[before];
    }
done:
    mot_free(map);
    return status;
}

static mot_status replace_names(char ***names, char *const *by, size_t count)
{
    mot_free(*names);
    return mot_dataset_names_copy(names, by, count);
}

static mot_status check_targets(const mot_schema *schema, const mot_dataset *dataset, const char *path)
{
    char has[48], learned[48];
    if ((dataset->classes > 0) == (schema->classes > 0) && dataset->target_bytes == schema->target_bytes)
        return MOT_OK;
    mot_dataset_target_text(dataset->classes, dataset->target_bytes, has);
    mot_dataset_target_text(schema->classes, schema->target_bytes, learned);
    return mot_fail(MOT_ERR_INPUT, "%s has targets that are %s; the run learned %s", path, has, learned);
}

/* Nobody knows them: they mean nothing. */
static mot_status forget_targets(const mot_schema *schema, mot_dataset *dataset)
{
    mot_free(dataset->target);
    dataset->target = NULL;
    dataset->target_bytes = schema->target_bytes;
    return mot_allocate(&dataset->target, (size_t)dataset->samples, schema->target_bytes, "the targets");
}

static mot_status adopt_labels(const mot_schema *schema, mot_dataset *dataset, const char *path)
{
    mot_status status = MOT_OK;
    if (dataset->signed_labels != schema->signed_labels)
        return mot_fail(MOT_ERR_INPUT, "%s has labels %s; the run learned %s", path,
                        dataset->signed_labels ? "-1 and +1" : "0, 1, ...",
                        schema->signed_labels ? "-1 and +1" : "0, 1, ...");
    if (!schema->signed_labels && schema->classes > 0)
        MOT_TRY(map_values((int32_t *)(void *)dataset->target, dataset->samples, dataset->class_names,
                           dataset->classes, schema->class_names, schema->classes, "class", path));
done:
    return status;
}

static mot_status adopt_groups(const mot_schema *schema, mot_dataset *dataset, const char *path)
{
    mot_status status = MOT_OK;
    if (dataset->groups == 0) return mot_fail(MOT_ERR_INPUT, "%s has no groups, which the run needs", path);
    MOT_TRY(map_values(dataset->group, dataset->group != NULL ? dataset->samples : 0, dataset->group_names,
                       dataset->groups, schema->group_names, schema->groups, "group", path));
    dataset->groups = schema->groups;
    MOT_TRY(replace_names(&dataset->group_names, schema->group_names, (size_t)schema->groups));
done:
    return status;
}

/* ---- all ---- */

mot_status mot_schema_adopt(const mot_schema *schema, mot_dataset *dataset, unsigned what, const char *path,
                            mot_gidx *unknown, mot_gidx *words)
{
    struct dataset_map *map = NULL;
    mot_status status = MOT_OK;
    *unknown = *words = 0;
    MOT_TRY(mot_allocate(&map, 1, sizeof *map, "a data set"));
    dataset->source->map = map; /* released with it */
    map->from = dataset->format;
    MOT_TRY(map_form(schema, dataset, path, map));
    if (what & MOT_ADOPT_LABELS || dataset->target == NULL) MOT_TRY(check_targets(schema, dataset, path));
    if (what & MOT_ADOPT_LABELS)
        MOT_TRY(adopt_labels(schema, dataset, path));
    else if (dataset->target != NULL)
        MOT_TRY(forget_targets(schema, dataset));
    if (what & MOT_ADOPT_GROUPS) MOT_TRY(adopt_groups(schema, dataset, path));
    if (schema->format.kind == MOT_SAMPLE_TEXT)
        MOT_TRY(mot_schema_check_texts(schema, dataset, map, path, unknown, words));
    dataset->classes = schema->classes;
    dataset->signed_labels = schema->signed_labels;
    MOT_TRY(replace_names(&dataset->class_names, schema->class_names, (size_t)schema->classes));
    dataset->format = schema->format; /* the map has the data set's own */
done:
    return status;
}
