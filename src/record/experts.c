/* Which of the experts that a run began with are left: said by the run, and read from a segment. */
#include <string.h>

#include "mot/memory.h"
#include "mot/record_read.h"
#include "record_private.h"

mot_status mot_record_take_experts(record_source *source, int experts, int choices, const int *origin)
{
    const size_t count = (size_t)experts;
    int *copy = NULL;
    if (experts < source->begun) {
        const mot_status status = mot_allocate(&copy, count, sizeof *copy, "the routing record");
        if (status != MOT_OK) return status;
        memcpy(copy, origin, count * sizeof *copy);
    }
    mot_free(source->origin);
    source->origin = copy;
    source->experts = experts;
    source->choices = choices;
    return MOT_OK;
}

mot_status mot_record_experts(mot_record *record, int experts, int choices, const int *origin)
{
    const size_t count = record_table_count(record->source.layers);
    record_table *table = NULL;
    mot_status status;
    MOT_TRY(mot_record_close_segment(record)); /* a column has one shape in a file */
    MOT_TRY(mot_record_take_experts(&record->source, experts, choices, origin));
    MOT_TRY(mot_allocate(&table, count, sizeof *table, "the routing record"));
    MOT_TRY(mot_record_tables_make(table, &record->source));
    mot_record_tables_free(record->table, count);
    record->table = table;
    table = NULL;
done:
    mot_record_tables_free(table, count);
    return status;
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
