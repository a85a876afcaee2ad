/* Values by their names. */
#include "mot/values.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "checkpoint_file.h"
#include "mot/memory.h"

typedef struct named {
    char name[MOT_CHECKPOINT_NAME]; /* of experts in the former version without their number */
    bool found;
    mot_stacked stacked; /* where it lies, once found, unless it is alone */
} named;

struct mot_values {
    char path[MOT_PATH];
    hid_t file;
    mot_tensor_file tensors;
    int version, experts;
    mot_stack stack; /* empty in files of the former version, and where experts have no tensors of their own */
    named *named;    /* [count]: tensors with values, owned */
    size_t count, capacity;
    mot_status status; /* of looking through the file */
};

/* ---- names ---- */

/* "experts/00000/ffn/weight" is that of every expert; of others than the first it is left out. */
static const char *without_number(const mot_values *v, const char *name, char shortened[MOT_CHECKPOINT_NAME])
{
    static const char experts[] = "experts/";
    const size_t length = sizeof experts - 1;
    if (v->version != MOT_CHECKPOINT_FORMER || strncmp(name, experts, length) != 0) return name;
    const char *rest = strchr(name + length, '/');
    if (rest == NULL || strtol(name + length, NULL, 10) != 0) return NULL;
    snprintf(shortened, MOT_CHECKPOINT_NAME, "%s%s", experts, rest + 1);
    return shortened;
}

/* Of a unit's values: no moment, and nothing that stands beside tensors. */
static bool is_value(const mot_values *v, const char *name)
{
    static const char *const groups[] = {"gate/", "tied/", "experts/"};
    bool ours = false;
    for (size_t g = 0; g < MOT_COUNT(groups); ++g) ours = ours || strncmp(name, groups[g], strlen(groups[g])) == 0;
    if (!ours || strstr(name, ".moment") != NULL || strcmp(name, "gate/balance_bias") == 0) return false;
    if (strncmp(name, "experts/", 8) != 0) return true;
    return v->version == MOT_CHECKPOINT_FORMER || mot_h5_has_attribute(v->file, name, mot_stack_column);
}

static herr_t visit(hid_t file, const char *name, const H5O_info_t *info, void *context)
{
    mot_values *v = context;
    char shortened[MOT_CHECKPOINT_NAME];
    (void)file;
    if (info->type != H5O_TYPE_DATASET || strlen(name) >= MOT_CHECKPOINT_NAME || !is_value(v, name)) return 0;
    name = without_number(v, name, shortened);
    if (name == NULL) return 0;
    v->status = mot_reserve(&v->named, &v->capacity, v->count + 1, sizeof *v->named, "names of tensors");
    if (v->status != MOT_OK) return 1;
    v->named[v->count] = (named){.found = false};
    snprintf(v->named[v->count++].name, MOT_CHECKPOINT_NAME, "%s", name);
    return 0;
}

const char *mot_values_left(const mot_values *values, mot_part_set parts)
{
    for (size_t i = 0; i < values->count; ++i) {
        const char *name = values->named[i].name, *part = strchr(name, '/') + 1;
        int p = MOT_PART_GATE;
        if (strncmp(name, "gate/", 5) != 0)
            for (p = MOT_PARTS - 1; p > MOT_PART_GATE; --p)
                if (strncmp(part, mot_part_name[p], strlen(mot_part_name[p])) == 0) break;
        if (!values->named[i].found && parts >> p & 1u) return name;
    }
    return NULL;
}

/* ---- the file ---- */

static mot_status look_through(mot_values *v)
{
    char name[MOT_CHECKPOINT_NAME];
    int64_t experts;
    mot_status status;
    MOT_TRY(mot_h5_open_sealed(&v->file, v->path, "checkpoint"));
    MOT_TRY(mot_check_format(v->file, v->path, &v->version));
    MOT_TRY(mot_h5_get_int(v->file, ".", "experts", &experts));
    if (experts < 1 || experts > INT_MAX) return mot_fail(MOT_ERR_INPUT, "%s: a checkpoint of %" PRId64 " experts", v->path, experts);
    MOT_TRY(mot_check_experts(v->file, v->path, v->version, experts));
    v->experts = (int)experts;
    mot_stack_path(name, "experts", mot_stack_state);
    if (mot_h5_exists(v->file, name)) MOT_TRY(mot_stack_read(&v->stack, v->file, v->path, "experts", (size_t)experts));
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
    mot_stack_free(&v->stack);
    (void)mot_tensor_file_close(&v->tensors, false);
    mot_h5_close(&v->file);
    mot_free(v->named);
    mot_free(v);
    *values = NULL;
}

int mot_values_experts(const mot_values *values)
{
    return values->experts;
}

/* ---- tensors ---- */

static bool is_of_experts(const char *name)
{
    return strncmp(name, "experts/", 8) == 0;
}

static bool is_stacked(const mot_values *v, const char *name)
{
    return is_of_experts(name) && v->version != MOT_CHECKPOINT_FORMER;
}

/* A dataset of one unit alone: of an expert in the former version its number is part of the name. */
static void lone_name(const char *name, size_t row, char lone[MOT_CHECKPOINT_NAME])
{
    if (is_of_experts(name))
        snprintf(lone, MOT_CHECKPOINT_NAME, "experts/%05zu%.160s", row, name + 7);
    else
        snprintf(lone, MOT_CHECKPOINT_NAME, "%s", name);
}

mot_status mot_values_find(mot_values *values, const char *group, const mot_tensor *tensor, mot_values_found *found)
{
    char name[MOT_CHECKPOINT_NAME];
    named *of = NULL;
    mot_status status = MOT_OK;
    *found = (mot_values_found){0};
    mot_tensor_path(name, group, tensor, -1);
    for (size_t i = 0; i < values->count && of == NULL; ++i)
        if (strcmp(values->named[i].name, name) == 0) of = &values->named[i];
    if (of == NULL) goto done;
    of->found = true;
    found->number = (size_t)(of - values->named);
    if (is_stacked(values, name)) {
        MOT_TRY(mot_stack_find(&values->stack, values->file, values->path, name, &of->stacked));
        found->rank = of->stacked.rank;
        memcpy(found->shape, of->stacked.shape, sizeof found->shape);
    } else {
        lone_name(of->name, 0, name);
        MOT_TRY(mot_h5_shape(values->file, name, &found->rank, found->shape));
    }
    found->units = is_of_experts(of->name) ? (size_t)values->experts : 1;
done:
    return status;
}

static mot_status place_of(const mot_values *v, const named *of, size_t count, size_t row, mot_place *place)
{
    char name[MOT_CHECKPOINT_NAME];
    int rank;
    hsize_t shape[MOT_H5_MAX_RANK], there = 1;
    mot_status status;
    if (is_stacked(v, of->name)) {
        *place = (mot_place){of->stacked.at + row * v->stack.stride, v->stack.digest[row * v->stack.columns + of->stacked.column]};
        return MOT_OK;
    }
    lone_name(of->name, row, name);
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
    snprintf(words, sizeof words, is_of_experts(of->name) ? "%s of expert %zu" : "%s", of->name, row);
    MOT_TRY(place_of(values, of, count, row, &place));
    MOT_TRY(mot_tensor_check(&values->tensors, place.at, count, words, &place.digest));
    MOT_TRY(mot_tensor_read(&values->tensors, place.at, value, count));
done:
    return status;
}

mot_status mot_values_bias(mot_values *values, mot_real *bias)
{
    return mot_balance_bias_read(values->file, values->path, values->experts, bias);
}
