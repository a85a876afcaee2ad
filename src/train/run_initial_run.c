/* A run that begins with the values of another one.
 *
 *      there                  here
 *      E experts              E experts, each as it is
 *      1 expert               any number, all as that one (arXiv 2212.05055), with init.noise beside
 *      a tied part            tied, or of each expert its own
 *      own parts, 1 expert    own, or tied
 *      gate of E experts      gate of E experts; where one expert becomes several it is drawn
 *
 * Every rank opens the file and reads what it holds. Optimizers begin anew: their state stays as it is, zero. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "mot/log.h"
#include "mot/memory.h"
#include "mot/rng.h"
#include "mot/source.h"
#include "mot/values.h"
#include "run_initial.h"
#include "run_private.h"

typedef struct taking {
    const mot_model *model;
    const char *key, *path; /* "init.from", for sentences; the checkpoint */
    mot_part_set parts;
    double noise;
    mot_values *values;
    bool keep;
    size_t taken; /* tensors */
} taking;

/* Units go by a layer's name and what they are of it: "gate", "layer1_tied", "layer1_experts". Another one of the same layer; false: it is
 * not called so. */
enum { GROUP = 64 };
static bool beside(const char *group, const char *is, const char *wanted, char other[GROUP])
{
    const size_t length = strlen(group), end = strlen(is);
    if (length < end || strcmp(group + length - end, is) != 0) return false;
    snprintf(other, GROUP, "%.*s%s", (int)MOT_MIN(length - end, (size_t)GROUP / 2), group, wanted);
    return true;
}

/* How many experts the layer of a unit has there; 0: there is none. */
static size_t experts_there(const mot_values *values, const char *gate)
{
    char experts[GROUP];
    return beside(gate, "gate", "experts", experts) ? mot_values_units(values, experts) : 0;
}

/* Whether a run begins with it, which may do without. */
static bool of_beginning(const taking *t)
{
    return strcmp(t->key, "init.from") == 0;
}

static const char *parts_hint(const taking *t)
{
    return of_beginning(t) ? " (init.parts says what is taken)" : "";
}

/* The gate of one expert has chosen nothing. */
static bool is_left(const taking *t, size_t unit)
{
    const mot_layer *layer = mot_model_layer_of(t->model, unit);
    return of_beginning(t) && t->model->units.unit[unit].role == MOT_ROLE_GATE && layer->experts > 1 &&
           experts_there(t->values, t->model->units.unit[unit].group) == 1;
}

/* ---- a tensor ---- */

static mot_status other_shape(const taking *t, const char *name, const mot_values_found *found, const mot_tensor *tensor)
{
    char there[128] = "", here[128] = "";
    for (int d = 0; d < found->rank; ++d) {
        const size_t used = strlen(there);
        snprintf(there + used, sizeof there - used, "%s%llu", d > 0 ? ", " : "", (unsigned long long)found->shape[d]);
    }
    for (int d = 0; d < tensor->rank; ++d) {
        const size_t used = strlen(here);
        snprintf(here + used, sizeof here - used, "%s%zu", d > 0 ? ", " : "", tensor->shape[d]);
    }
    return mot_fail(MOT_ERR_INPUT, "%s: %s has %s of shape [%s], here it has [%s]", t->key, t->path, name, there, here);
}

static mot_status check_shape(const taking *t, const char *name, const mot_values_found *found, const mot_tensor *tensor)
{
    bool same = found->rank == tensor->rank;
    for (int d = 0; same && d < found->rank; ++d) same = found->shape[d] == tensor->shape[d];
    return same ? MOT_OK : other_shape(t, name, found, tensor);
}

/* Where the other run has it: in the group of that name, or, tied there and own here or the other way round, in the other. */
static mot_status find(const taking *t, size_t first, const mot_tensor *tensor, mot_values_found *found)
{
    const mot_unit *unit = &t->model->units.unit[first];
    const size_t here = mot_units_alike(&t->model->units, first);
    char name[MOT_CHECKPOINT_NAME], other[GROUP];
    mot_status status;
    mot_tensor_path(name, unit->group, tensor, -1);
    MOT_TRY(mot_values_find(t->values, unit->group, tensor, found));
    if (found->units == 0 && (beside(unit->group, "experts", "tied", other) || beside(unit->group, "tied", "experts", other)))
        MOT_TRY(mot_values_find(t->values, other, tensor, found));
    if (found->units == 0)
        return mot_fail(MOT_ERR_INPUT, "%s: %s has no %s, which this model has%s", t->key, t->path, name, parts_hint(t));
    MOT_TRY(check_shape(t, name, found, tensor));
    if (found->units == here) return MOT_OK;
    if (unit->row != MOT_ALONE && unit->owner == MOT_ALIKE) /* each has weight 1: several of one do not do what it does */
        return mot_fail(MOT_ERR_INPUT, "init.from: %s has %zu shared expert%s of %s, this run %zu: expected as many", t->path,
                        found->units, found->units == 1 ? "" : "s", unit->group, here);
    if (found->units == 1) return MOT_OK;
    return unit->row != MOT_ALONE
               ? mot_fail(MOT_ERR_INPUT, "%s: %s has %zu experts, this run %zu: expected as many, or one", t->key, t->path, found->units, here)
               : mot_fail(MOT_ERR_INPUT, "%s: %s is tied here (model.tie), and %s has one for each of %zu experts", t->key, name, t->path,
                          found->units);
done:
    return status;
}

/* In units of the deviation of the tensor's own values; it has none where they are all the same. */
static mot_status add_noise(const taking *t, const mot_unit *unit, size_t r, mot_real *value)
{
    const mot_config *config = t->model->config;
    const size_t count = unit->table->row[r].count;
    double sum = 0, squares = 0;
    float *noise = NULL;
    mot_status status;
    MOT_TRY(mot_allocate(&noise, count, sizeof *noise, "initial values"));
    for (size_t i = 0; i < count; ++i) sum += (double)value[i];
    for (size_t i = 0; i < count; ++i) squares += ((double)value[i] - sum / (double)count) * ((double)value[i] - sum / (double)count);
    mot_normal_row(config->seed, MOT_STREAM_PART, (const uint32_t[]){(uint32_t)(unit->params->unit + 2), (uint32_t)r, 0, 0},
                   (float)(t->noise * sqrt(squares / (double)count)), noise, count);
    for (size_t i = 0; i < count; ++i) value[i] += (mot_real)noise[i];
done:
    mot_free(noise);
    return status;
}

/* Tensor r of all units of a group, the first of which is `first`; of those that are held here. */
static mot_status take_tensor(taking *t, size_t first, size_t r)
{
    const mot_unit *unit = &t->model->units.unit[first];
    const mot_tensor *tensor = &unit->table->row[r];
    const size_t count = mot_units_alike(&t->model->units, first);
    char name[MOT_CHECKPOINT_NAME];
    mot_values_found found;
    mot_real *value = NULL;
    mot_status status;
    MOT_TRY(find(t, first, tensor, &found));
    ++t->taken;
    mot_tensor_path(name, unit->group, tensor, -1);
    MOT_TRY(mot_allocate(&value, tensor->count, sizeof *value, "initial values"));
    for (size_t u = 0; u < count; ++u) {
        mot_params *params = unit[u].params;
        const bool expert = unit->row != MOT_ALONE;
        if (params == NULL) continue;
        MOT_TRY(mot_values_read(t->values, &found, found.units > 1 ? u : 0, tensor->count, value));
        if (mot_initial_directed(t->model, unit, r)) MOT_TRY(mot_initial_check_directions(name, tensor, expert, u, 1, value));
        if (expert && t->noise > 0) MOT_TRY(add_noise(t, &unit[u], r, value));
        if (t->keep) memcpy(params->value + tensor->offset, value, tensor->count * sizeof *value);
    }
done:
    mot_free(value);
    return status;
}

/* ---- all ---- */

/* What belongs to a gate beside its tensors. */
static mot_status take_bias(const taking *t, size_t unit)
{
    const mot_layer *layer = mot_model_layer_of(t->model, unit);
    const size_t here = (size_t)layer->experts, there = experts_there(t->values, t->model->units.unit[unit].group);
    size_t first = 0; /* behind those of the layers before */
    mot_real *bias = NULL;
    mot_status status = MOT_OK;
    if (there != here)
        return mot_fail(MOT_ERR_INPUT, "%s: %s has a gate of %zu experts, this run of %zu%s", t->key, t->path, there, here,
                        of_beginning(t) ? " (init.parts without gate has it drawn)" : "");
    if (t->model->comm->rank != MOT_ROOT) return MOT_OK;
    for (const mot_layer *before = t->model->layer; before < layer; ++before)
        first += experts_there(t->values, t->model->units.unit[before->first_unit].group);
    MOT_TRY(mot_allocate(&bias, here, sizeof *bias, "the balance bias"));
    MOT_TRY(mot_values_bias(t->values, first, here, bias));
    if (t->keep) memcpy(layer->balance_bias, bias, here * sizeof *bias);
done:
    mot_free(bias);
    return status;
}

static mot_status take_units(taking *t, size_t first)
{
    const mot_unit *unit = &t->model->units.unit[first];
    const mot_part_set parts = t->parts;
    mot_status status = MOT_OK;
    if (is_left(t, first)) {
        mot_values_leave(t->values, unit->group);
        return MOT_OK;
    }
    if (unit->role == MOT_ROLE_GATE && parts >> MOT_PART_GATE & 1u) MOT_TRY(take_bias(t, first));
    for (size_t r = 0; r < unit->table->rows; ++r)
        if (parts >> unit->table->row[r].part & 1u) MOT_TRY(take_tensor(t, first, r));
done:
    return status;
}

static mot_status take_all(taking *t)
{
    const mot_units *units = &t->model->units;
    mot_status status = MOT_OK;
    for (size_t u = 0; u < units->count; u += mot_units_alike(units, u)) MOT_TRY(take_units(t, u));
    const char *left = mot_values_left(t->values, t->parts);
    if (left != NULL)
        status = mot_fail(MOT_ERR_INPUT, "%s: %s has %s, which this model has not%s", t->key, t->path, left, parts_hint(t));
    else if (t->taken == 0)
        status = mot_fail(MOT_ERR_INPUT, "%s: %s has nothing of init.parts that could be taken: the gate of one expert chose nothing",
                          t->key, t->path);
done:
    return status;
}

static mot_status take_from(taking *t)
{
    mot_status status;
    MOT_TRY(mot_values_open(&t->values, t->path));
    status = take_all(t);
done:
    mot_values_close(&t->values);
    return status == MOT_ERR_FILE ? MOT_ERR_INPUT : status; /* the user's choice of a run */
}

static taking initial(const run_world *world, const char *path)
{
    const mot_config *config = world->model.config;
    return (taking){.model = &world->model, .key = "init.from", .path = path, .parts = config->init.parts, .noise = config->init.noise};
}

mot_status mot_initial_of_run(const run_world *world, const char *path, bool take)
{
    taking t = initial(world, path);
    t.keep = take;
    return take_from(&t);
}

mot_status mot_initial_gates(const run_world *world, const char *key, const char *path)
{
    return take_from(&(taking){.model = &world->model, .key = key, .path = path, .parts = 1u << MOT_PART_GATE, .keep = true});
}

/* ---- what is said ---- */

static void list_parts(mot_part_set parts, char text[80])
{
    text[0] = '\0';
    for (int p = 0; p < MOT_PARTS; ++p) {
        const size_t used = strlen(text);
        if (parts >> p & 1u) snprintf(text + used, 80 - used, "%s%s", used > 0 ? ", " : "", mot_part_name[p]);
    }
}

/* Values that were learned with other data are taken by their places, whatever those mean. */
mot_status mot_initial_warn_of_data(const run_world *world, const char *key, const char *path)
{
    const mot_data_config *data = &world->model.config->data;
    mot_schema there = {0};
    mot_status status;
    MOT_TRY(mot_checkpoint_more(path, mot_run_read_schema, &there));
    const char *other = there.format.bytes > 0 ? mot_schema_difference(&world->schema, &there) : NULL;
    if (other != NULL)
        mot_log(MOT_LOG_WARNING, "%s: %s has learned with other %s than %s = %s has: its values may mean something else here", key, path,
                other, mot_source_files_key(data), mot_source_title(data));
done:
    mot_schema_free(&there);
    return status;
}

/* "its 3 experts", of layer after layer. */
static void list_experts(const taking *t, char text[400])
{
    const mot_model *model = t->model;
    text[0] = '\0';
    for (int l = 0; l < model->layers; ++l) {
        const mot_layer *layer = &model->layer[l];
        const size_t there = experts_there(t->values, model->units.unit[layer->first_unit].group), used = strlen(text);
        snprintf(text + used, 400 - used, there == (size_t)layer->experts ? "%sits %d expert%s" : "%sits one expert in each of %d",
                 l > 0 ? ", " : "", layer->experts, there == 1 ? "" : "s");
    }
}

mot_status mot_initial_say(const run_world *world, const char *path)
{
    const mot_model *model = &world->model;
    const mot_part_set all = (1u << MOT_PARTS) - 1;
    const double noise = model->config->init.noise;
    mot_part_set parts = model->config->init.parts;
    taking t = initial(world, path);
    char taken[80], drawn[80], experts[400], beside_them[80] = "";
    mot_status status;
    MOT_TRY(mot_values_open(&t.values, path));
    for (int l = 0; l < model->layers; ++l)
        if (is_left(&t, model->layer[l].first_unit)) parts &= ~(1u << MOT_PART_GATE);
    list_parts(parts, taken);
    list_parts(~parts & all, drawn);
    list_experts(&t, experts);
    if (noise > 0) snprintf(beside_them, sizeof beside_them, ", with a noise of %g of their deviation", noise);
    mot_log(MOT_LOG_INFO, "initial values from %s: %s of %s%s%s%s", path, taken, experts, beside_them,
            drawn[0] != '\0' ? "; drawn: " : "", drawn);
    status = mot_initial_warn_of_data(world, t.key, path);
done:
    mot_values_close(&t.values);
    return status;
}
