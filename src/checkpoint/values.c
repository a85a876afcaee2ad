/* Values by their names. */
#include "mot/values.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "checkpoint_file.h"
#include "mot/memory.h"

/* A group of units: of one that is alone, or of those that are alike. */
typedef struct unit_group {
    char name[64];
    size_t units;
    mot_stack stack; /* no rows in files of the former version, and where such units have no tensors of their own */
} unit_group;

typedef struct named {
    char name[MOT_CHECKPOINT_NAME]; /* of experts in the former version without their number */
    size_t group;
    bool found;
    mot_stacked stacked; /* where it lies, once found, unless it is alone */
} named;

struct mot_values {
    char path[MOT_PATH];
    hid_t file;
    mot_tensor_file tensors;
    int version, experts;
    unit_group *group; /* [groups], owned */
    size_t groups, group_capacity;
    named *named; /* [count]: tensors with values, owned */
    size_t count, capacity;
    mot_status status; /* of looking through the file */
};

/* ---- what there is ---- */

/* The former version has experts alone in groups of their own. */
static bool is_former(const mot_values *v, const char *name)
{
    return v->version == MOT_CHECKPOINT_FORMER && strncmp(name, "experts", 7) == 0 && (name[7] == '/' || name[7] == '\0');
}

/* One of units says how many moments it has; but for a gate without tensors, and the former version's experts. */
static mot_status enter_group(mot_values *v, const char *name)
{
    char path[MOT_CHECKPOINT_NAME];
    hsize_t shape[MOT_H5_MAX_RANK] = {1};
    int rank;
    mot_status status;
    unit_group *g;
    if (!is_former(v, name) && !mot_h5_has_attribute(v->file, name, "moments")) return MOT_OK;
    MOT_TRY(mot_reserve(&v->group, &v->group_capacity, v->groups + 1, sizeof *v->group, "groups of a checkpoint"));
    g = &v->group[v->groups++];
    *g = (unit_group){.units = is_former(v, name) ? (size_t)v->experts : 1};
    snprintf(g->name, sizeof g->name, "%s", name);
    mot_stack_path(path, name, mot_stack_updates);
    if (!mot_h5_exists(v->file, path)) return MOT_OK;
    MOT_TRY(mot_h5_shape(v->file, path, &rank, shape));
    g->units = (size_t)shape[0];
    mot_stack_path(path, name, mot_stack_state);
    if (mot_h5_exists(v->file, path)) MOT_TRY(mot_stack_read(&g->stack, v->file, v->path, name, g->units));
done:
    return status;
}

/* "experts/00000/ffn/weight" is that of every expert; of others than the first it is left out. */
static const char *without_number(const mot_values *v, const char *name, char shortened[MOT_CHECKPOINT_NAME])
{
    if (!is_former(v, name)) return name;
    const char *number = name + strlen("experts/"), *rest = strchr(number, '/');
    if (rest == NULL || strtol(number, NULL, 10) != 0) return NULL;
    snprintf(shortened, MOT_CHECKPOINT_NAME, "experts/%s", rest + 1);
    return shortened;
}

/* Of a unit's values: no moment, and nothing that stands beside tensors. */
static bool is_value(const mot_values *v, const unit_group *of, const char *name)
{
    static const char *const beside[] = {mot_stack_state, mot_stack_xxh3, mot_stack_updates, "origin", "balance_bias"};
    const char *own = name + strlen(of->name) + 1;
    for (size_t i = 0; i < MOT_COUNT(beside); ++i)
        if (strcmp(own, beside[i]) == 0) return false;
    return strstr(name, ".moment") == NULL && (of->stack.rows == 0 || mot_h5_has_attribute(v->file, name, mot_stack_column));
}

static mot_status note_tensor(mot_values *v, const char *name)
{
    const unit_group *last = v->groups > 0 ? &v->group[v->groups - 1] : NULL;
    const size_t length = last != NULL ? strlen(last->name) : 0;
    char shortened[MOT_CHECKPOINT_NAME];
    mot_status status = MOT_OK;
    if (last == NULL || strncmp(name, last->name, length) != 0 || name[length] != '/') return MOT_OK;
    if (strlen(name) >= MOT_CHECKPOINT_NAME || !is_value(v, last, name)) return MOT_OK;
    name = without_number(v, name, shortened);
    if (name == NULL) return MOT_OK;
    MOT_TRY(mot_reserve(&v->named, &v->capacity, v->count + 1, sizeof *v->named, "names of tensors"));
    v->named[v->count] = (named){.group = v->groups - 1};
    snprintf(v->named[v->count++].name, MOT_CHECKPOINT_NAME, "%s", name);
done:
    return status;
}

/* A group of the root comes with all that is in it before the next one. */
static herr_t visit(hid_t file, const char *name, const H5O_info_t *info, void *context)
{
    mot_values *v = context;
    (void)file;
    if (info->type == H5O_TYPE_DATASET)
        v->status = note_tensor(v, name);
    else if (strchr(name, '/') == NULL && strcmp(name, ".") != 0 && strlen(name) < sizeof v->group->name)
        v->status = enter_group(v, name);
    return v->status == MOT_OK ? 0 : 1;
}

/* The gate has no parts. */
static mot_part part_of(const mot_values *v, const named *of)
{
    const char *own = of->name + strlen(v->group[of->group].name) + 1;
    int part = MOT_PARTS - 1;
    while (part > MOT_PART_GATE && (strncmp(own, mot_part_name[part], strlen(mot_part_name[part])) != 0 ||
                                    own[strlen(mot_part_name[part])] != '/'))
        --part;
    return (mot_part)part;
}

const char *mot_values_left(const mot_values *values, mot_part_set parts)
{
    for (size_t i = 0; i < values->count; ++i)
        if (!values->named[i].found && parts >> part_of(values, &values->named[i]) & 1u) return values->named[i].name;
    return NULL;
}

void mot_values_leave(mot_values *values, const char *group)
{
    for (size_t i = 0; i < values->count; ++i)
        if (strcmp(values->group[values->named[i].group].name, group) == 0) values->named[i].found = true;
}

size_t mot_values_units(const mot_values *values, const char *group)
{
    for (size_t g = 0; g < values->groups; ++g)
        if (strcmp(values->group[g].name, group) == 0) return values->group[g].units;
    return 0;
}

/* ---- the file ---- */

static mot_status look_through(mot_values *v)
{
    int64_t experts;
    mot_status status;
    MOT_TRY(mot_h5_open_sealed(&v->file, v->path, "checkpoint"));
    MOT_TRY(mot_check_format(v->file, v->path, &v->version));
    MOT_TRY(mot_h5_get_int(v->file, ".", "experts", &experts));
    if (experts < 1 || experts > INT_MAX) return mot_fail(MOT_ERR_INPUT, "%s: a checkpoint of %" PRId64 " experts", v->path, experts);
    MOT_TRY(mot_check_experts(v->file, v->path, v->version, experts));
    v->experts = (int)experts;
    const herr_t visited = H5Ovisit2(v->file, H5_INDEX_NAME, H5_ITER_INC, visit, v, H5O_INFO_BASIC);
    MOT_TRY(v->status);
    if (visited < 0) status = mot_fail(MOT_ERR_INPUT, "%s: its groups cannot be read", v->path);
    if (status == MOT_OK) status = mot_tensor_file_open(&v->tensors, v->path, v->path, false);
done:
    return status;
}

mot_status mot_values_open(mot_values **values, const char *path)
{
    mot_values *v = NULL;
    mot_status status;
    *values = NULL;
    MOT_TRY(mot_allocate(&v, 1, sizeof *v, "the values of a checkpoint"));
    v->file = H5I_INVALID_HID;
    v->tensors.descriptor = -1;
    MOT_TRY(mot_path_join(v->path, sizeof v->path, path, ""));
    MOT_TRY(look_through(v));
    *values = v;
    v = NULL;
done:
    mot_values_close(&v);
    return status;
}

void mot_values_close(mot_values **values)
{
    mot_values *v = *values;
    if (v == NULL) return;
    for (size_t g = 0; g < v->groups; ++g) mot_stack_free(&v->group[g].stack);
    (void)mot_tensor_file_close(&v->tensors, false);
    mot_h5_close(&v->file);
    mot_free(v->group);
    mot_free(v->named);
    mot_free(v);
    *values = NULL;
}

/* ---- tensors ---- */

/* A dataset of one unit alone: of an expert in the former version its number is part of the name. */
static void lone_name(const mot_values *v, const named *of, size_t row, char lone[MOT_CHECKPOINT_NAME])
{
    if (is_former(v, of->name))
        snprintf(lone, MOT_CHECKPOINT_NAME, "experts/%05zu%.160s", row, of->name + strlen("experts"));
    else
        snprintf(lone, MOT_CHECKPOINT_NAME, "%s", of->name);
}

/* How often a tensor is there, and in which shape. It counts as found. */
static mot_status locate(mot_values *values, named *of, mot_values_found *found)
{
    const unit_group *in = &values->group[of->group];
    char name[MOT_CHECKPOINT_NAME];
    mot_status status;
    of->found = true;
    *found = (mot_values_found){.number = (size_t)(of - values->named), .rows = in->stack.rows > 0 || is_former(values, of->name)};
    if (in->stack.rows > 0) {
        MOT_TRY(mot_stack_find(&in->stack, values->file, values->path, of->name, &of->stacked));
        found->rank = of->stacked.rank;
        memcpy(found->shape, of->stacked.shape, sizeof found->shape);
    } else {
        lone_name(values, of, 0, name);
        MOT_TRY(mot_h5_shape(values->file, name, &found->rank, found->shape));
    }
    found->units = in->units;
done:
    return status;
}

mot_status mot_values_find(mot_values *values, const char *group, const mot_tensor *tensor, mot_values_found *found)
{
    char name[MOT_CHECKPOINT_NAME];
    *found = (mot_values_found){0};
    mot_tensor_path(name, group, tensor, -1);
    for (size_t i = 0; i < values->count; ++i)
        if (strcmp(values->named[i].name, name) == 0) return locate(values, &values->named[i], found);
    return MOT_OK;
}

size_t mot_values_count(const mot_values *values)
{
    return values->count;
}

mot_status mot_values_at(mot_values *values, size_t number, const char **name, mot_values_found *found)
{
    *name = values->named[number].name;
    return locate(values, &values->named[number], found);
}

static mot_status place_of(const mot_values *v, const named *of, size_t count, size_t row, mot_place *place)
{
    char name[MOT_CHECKPOINT_NAME];
    int rank;
    hsize_t shape[MOT_H5_MAX_RANK], there = 1;
    mot_status status;
    const mot_stack *stack = &v->group[of->group].stack;
    if (stack->rows > 0) {
        *place = (mot_place){of->stacked.at + row * stack->stride, stack->digest[row * stack->columns + of->stacked.column]};
        return MOT_OK;
    }
    lone_name(v, of, row, name);
    MOT_TRY(mot_h5_shape(v->file, name, &rank, shape));
    for (int d = 0; d < rank; ++d) there *= shape[d];
    if (there != count)
        return mot_fail(MOT_ERR_INPUT, "%s: tensor /%s has another shape than those of other experts", v->path, name);
    MOT_TRY(mot_h5_position(v->file, name, H5T_NATIVE_FLOAT, &place->at));
    MOT_TRY(mot_get_digest(v->file, v->path, name, &place->digest));
done:
    return status;
}

mot_status mot_values_read(mot_values *values, const mot_values_found *found, size_t row, size_t count, mot_real *value)
{
    const named *of = &values->named[found->number];
    char words[2 * MOT_CHECKPOINT_NAME];
    mot_place place;
    mot_status status;
    snprintf(words, sizeof words, values->group[of->group].units > 1 ? "%s of expert %zu" : "%s", of->name, row);
    MOT_TRY(place_of(values, of, count, row, &place));
    MOT_TRY(mot_tensor_check(&values->tensors, place.at, count, words, &place.digest));
    MOT_TRY(mot_tensor_read(&values->tensors, place.at, value, count));
done:
    return status;
}

mot_status mot_values_bias(mot_values *values, size_t first, size_t count, mot_real *bias)
{
    int rank;
    hsize_t shape[MOT_H5_MAX_RANK];
    mot_real *all = NULL;
    mot_status status;
    MOT_TRY(mot_h5_shape(values->file, "gate/balance_bias", &rank, shape));
    if (rank != 1 || shape[0] > INT_MAX || first + count > shape[0])
        return mot_fail(MOT_ERR_INPUT, "%s: /gate/balance_bias has %llu numbers, expected those of all experts", values->path,
                        (unsigned long long)shape[0]);
    MOT_TRY(mot_allocate(&all, (size_t)shape[0], sizeof *all, "the balance bias"));
    MOT_TRY(mot_balance_bias_read(values->file, values->path, (int)shape[0], all));
    memcpy(bias, all + first, count * sizeof *bias);
done:
    mot_free(all);
    return status;
}
