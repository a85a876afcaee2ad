/* Some of the experts of a run go. */
#include "mot/memory.h"
#include "record_private.h"

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
