#include <math.h>
#include <stdio.h>
#include <string.h>

#include "mot/memory.h"
#include "mot/record_read.h"
#include "record_private.h"

enum { MOST_NUMBERS = 1 << 26, MOST_LAYERS = 10000 };

void mot_record_values_free(mot_record_values *values)
{
    mot_free(values->value);
    *values = (mot_record_values){0};
}

/* Where an item stands. */
static void find(char path[128], const mot_record_item *item)
{
    static const char *const of_layer[] = {[MOT_RECORD_LOAD] = "load",
                                           [MOT_RECORD_CLASS_LOAD] = "class_load",
                                           [MOT_RECORD_GROUP_LOAD] = "group_load"};
    char group[MOT_RECORD_GROUP];
    static const char *const table[] = {[MOT_RECORD_STEPS] = "steps", [MOT_RECORD_FIGURES] = "eval", [MOT_RECORD_RANKS] = "ranks"};
    const char *name = item->name;
    if (item->kind == MOT_RECORD_CHOICES)
        mot_record_assign_group(group, item->layer);
    else if (item->kind < MOT_COUNT(table))
        snprintf(group, sizeof group, "%s", table[item->kind]);
    else
        mot_record_layer_group(group, item->layer), name = of_layer[item->kind];
    snprintf(path, 128, "%s/%.100s", group, name);
}

mot_status mot_record_span(const char *path, mot_gidx *first, mot_gidx *last)
{
    hid_t segment = H5I_INVALID_HID;
    mot_status status;
    MOT_TRY(mot_h5_open(&segment, path, false));
    MOT_TRY(mot_h5_get_int(segment, ".", "first_step", first));
    MOT_TRY(mot_h5_get_int(segment, ".", "last_step", last));
done:
    mot_h5_close(&segment);
    return status;
}

int mot_record_layers(hid_t segment)
{
    int layers = 1;
    for (char group[MOT_RECORD_GROUP]; layers < MOST_LAYERS; ++layers) {
        mot_record_layer_group(group, layers);
        if (!mot_h5_exists(segment, group)) break;
    }
    return layers;
}

mot_status mot_record_left(hid_t segment, int *begun, int **origin)
{
    mot_status status;
    int64_t all, experts = 0;
    int *number = NULL, rank;
    hsize_t shape[MOT_H5_MAX_RANK];
    char of[MOT_RECORD_PATH];
    *begun = 0;
    *origin = NULL;
    MOT_TRY(mot_h5_get_int(segment, ".", "experts", &experts));
    *begun = (int)MOT_MIN(MOT_MAX(experts, 0), INT_MAX);
    if (!mot_h5_has_attribute(segment, ".", "experts_begun")) return MOT_OK;
    MOT_TRY(mot_h5_get_int(segment, ".", "experts_begun", &all));
    MOT_TRY(mot_h5_shape(segment, "expert", &rank, shape));
    bool right = rank == 1 && experts > 0 && shape[0] == (hsize_t)experts && experts < all && all <= INT_MAX;
    if (right) {
        MOT_TRY(mot_allocate(&number, (size_t)experts, sizeof *number, "the experts of a segment"));
        MOT_TRY(mot_h5_read(segment, "expert", H5T_NATIVE_INT32, 1, shape, number));
    }
    for (int64_t e = 0; right && e < experts; ++e)
        right = number[e] >= (e > 0 ? number[e - 1] + 1 : 0) && number[e] < all;
    if (!right) {
        status = mot_fail(MOT_ERR_INPUT, "%s: `expert` does not have ascending numbers of %" PRId64 " of %" PRId64 " experts",
                          mot_record_file_name(segment, of), experts, all);
        goto done;
    }
    *begun = (int)all;
    *origin = number;
    number = NULL;
done:
    mot_free(number);
    return status;
}

bool mot_record_has(hid_t segment, const mot_record_item *item)
{
    char path[128];
    find(path, item);
    return mot_h5_exists(segment, path);
}

/* The extents of a row; false: too large, or not those of the rows before. */
static bool take_shape(mot_record_values *values, int rank, const hsize_t *shape, size_t rows)
{
    size_t width = 1;
    if (rank < 1) return false;
    for (int d = 1; d < rank; ++d) {
        if (shape[d] == 0 || shape[d] > MOST_NUMBERS / width) return false;
        width *= (size_t)shape[d];
    }
    if (rows > MOST_NUMBERS / width - values->rows || (values->rows > 0 && width != values->width))
        return false;
    values->width = width;
    values->rank = rank - 1;
    for (int d = 1; d < rank && d <= MOT_FIGURE_RANK; ++d) values->shape[d - 1] = (size_t)shape[d];
    return true;
}

/* HDF5 does not turn integers into doubles here: they are read as what they are, in their places. */
static mot_status read_numbers(hid_t segment, const char *path, hsize_t first, size_t rows, size_t count,
                               double *value)
{
    hid_t dataset = H5I_INVALID_HID;
    mot_status status = mot_h5_open_dataset(segment, path, &dataset);
    if (status != MOT_OK) return status;
    hid_t type = H5Dget_type(dataset);
    const bool integers = H5Tget_class(type) == H5T_INTEGER;
    status = mot_h5_read_rows_of(dataset, integers ? H5T_NATIVE_INT64 : H5T_NATIVE_DOUBLE, first, rows, value);
    mot_h5_close(&type);
    mot_h5_close(&dataset);
    for (size_t i = 0; integers && i < count && status == MOT_OK; ++i) {
        int64_t number;
        memcpy(&number, &value[i], sizeof number);
        value[i] = (double)number;
    }
    return status;
}

mot_status mot_record_take(hid_t segment, const mot_record_item *item, bool last, mot_record_values *values)
{
    char path[128];
    int rank;
    hsize_t shape[MOT_H5_MAX_RANK];
    mot_status status = MOT_OK;
    mot_record_values taken = *values;
    find(path, item);
    if (!mot_h5_exists(segment, path)) return MOT_OK;
    MOT_TRY(mot_h5_shape(segment, path, &rank, shape));
    const size_t rows = rank > 0 && last ? MOT_MIN(shape[0], 1) : rank > 0 ? (size_t)MOT_MIN(shape[0], MOST_NUMBERS + 1) : 0;
    if (!take_shape(&taken, rank, shape, rows)) {
        char of[MOT_RECORD_PATH];
        status = mot_fail(MOT_ERR_INPUT, "%s: %s has an unexpected shape", mot_record_file_name(segment, of),
                          path);
        goto done;
    }
    if (rows == 0) return MOT_OK;
    size_t room = values->rows * taken.width;
    MOT_TRY(mot_reserve(&taken.value, &room, (values->rows + rows) * taken.width, sizeof *taken.value,
                        "what a record says"));
    values->value = taken.value;
    MOT_TRY(read_numbers(segment, path, shape[0] - rows, rows, rows * taken.width,
                         taken.value + values->rows * taken.width));
    taken.rows += rows;
    *values = taken;

done:
    return status;
}

/* ---- all segments ---- */

/* The places of a row's numbers along axes of experts become those that these had in the beginning: row [values->width] goes to
 * `to`, whose extents are shape[]. */
static void spread_row(const mot_record_values *values, const size_t *shape, const bool *by_expert,
                       const int *origin, const double *row, double *to)
{
    for (size_t i = 0; i < values->width; ++i) {
        size_t rest = i, at = 0, stride = 1;
        for (int d = values->rank; d-- > 0;) {
            const size_t place = rest % values->shape[d];
            rest /= values->shape[d];
            at += stride * (by_expert[d] ? (size_t)origin[place] : place);
            stride *= shape[d];
        }
        to[at] = row[i];
    }
}

/* `values` are of an item of this segment. */
static mot_status spread(hid_t segment, const mot_record_item *item, int begun, const int *origin,
                         mot_record_values *values)
{
    const double nothing = item->kind == MOT_RECORD_FIGURES ? NAN : 0;
    mot_record_values wide = *values;
    bool by_expert[MOT_FIGURE_RANK] = {false}, any = false;
    char path[128], axis[32];
    mot_status status = MOT_OK;
    find(path, item);
    if (values->rows == 0 || values->rank > MOT_FIGURE_RANK) return MOT_OK;
    wide.width = 1;
    for (int d = 0; d < values->rank; ++d) {
        MOT_TRY(mot_h5_axis(segment, path, 1 + (unsigned)d, axis, sizeof axis));
        by_expert[d] = strcmp(axis, "expert") == 0 && values->shape[d] < (size_t)begun;
        any = any || by_expert[d];
        if (by_expert[d]) wide.shape[d] = (size_t)begun;
        if (wide.shape[d] > MOST_NUMBERS / wide.width / values->rows) {
            char of[MOT_RECORD_PATH];
            return mot_fail(MOT_ERR_INPUT, "%s: %s has an unexpected shape", mot_record_file_name(segment, of), path);
        }
        wide.width *= wide.shape[d];
    }
    if (!any) return MOT_OK;
    MOT_TRY(mot_allocate(&wide.value, wide.rows * wide.width, sizeof(double), "what a record says"));
    for (size_t i = 0; i < wide.rows * wide.width; ++i) wide.value[i] = nothing;
    for (size_t r = 0; r < wide.rows; ++r)
        spread_row(values, wide.shape, by_expert, origin, values->value + r * values->width,
                   wide.value + r * wide.width);
    mot_free(values->value);
    *values = wide;
done:
    return status;
}

/* Adds the rows of a segment some of whose experts have gone. */
static mot_status take_spread(hid_t segment, const mot_record_item *item, int begun, const int *origin,
                              mot_record_values *values)
{
    mot_record_values here = {0};
    mot_status status;
    MOT_TRY(mot_record_take(segment, item, false, &here));
    MOT_TRY(spread(segment, item, begun, origin, &here));
    if (here.rows == 0) goto done;
    if (values->rows > 0 && values->width != here.width) {
        char path[128], of[MOT_RECORD_PATH];
        find(path, item);
        status = mot_fail(MOT_ERR_INPUT, "%s: %s has an unexpected shape", mot_record_file_name(segment, of), path);
        goto done;
    }
    size_t room = values->rows * values->width;
    MOT_TRY(mot_reserve(&values->value, &room, (values->rows + here.rows) * here.width, sizeof *values->value,
                        "what a record says"));
    memcpy(values->value + values->rows * here.width, here.value, here.rows * here.width * sizeof *here.value);
    double *const all = values->value;
    here.rows += values->rows;
    mot_free(here.value);
    *values = here;
    values->value = all;
    here.value = NULL;
done:
    mot_free(here.value);
    return status;
}

mot_status mot_record_add(hid_t segment, size_t count, const mot_record_item *item, mot_record_values *values)
{
    int begun, *origin = NULL;
    mot_status status;
    MOT_TRY(mot_record_left(segment, &begun, &origin));
    for (size_t i = 0; i < count && status == MOT_OK; ++i)
        status = origin == NULL ? mot_record_take(segment, &item[i], false, &values[i])
                                : take_spread(segment, &item[i], begun, origin, &values[i]);
done:
    mot_free(origin);
    return status;
}

mot_status mot_record_each(const char *run, mot_record_taker *take, void *with)
{
    record_segment *segment = NULL;
    size_t segments = 0;
    mot_status status = mot_record_segments_list(run, &segment, &segments);
    for (size_t s = 0; s < segments && status == MOT_OK; ++s) {
        char path[MOT_RECORD_PATH];
        hid_t file = H5I_INVALID_HID;
        status = mot_record_segment_path(path, run, &segment[s]);
        if (status == MOT_OK) status = mot_h5_open_sealed(&file, path, "segment of a record");
        if (status == MOT_OK) status = take(with, file);
        mot_h5_close(&file);
    }
    mot_free(segment);
    return status;
}

/* What mot_record_read was asked. */
typedef struct read_request {
    size_t count;
    const mot_record_item *item;
    mot_record_values *values;
} read_request;

static mot_status take_request(void *with, hid_t segment)
{
    const read_request *request = with;
    return mot_record_add(segment, request->count, request->item, request->values);
}

mot_status mot_record_read(const char *run, size_t count, const mot_record_item *item, mot_record_values *values)
{
    read_request request = {count, item, values};
    return mot_record_each(run, take_request, &request);
}
