/* report_record.h: how the record's assignments are read. */
#ifndef MOT_REPORT_RECORD_H
#define MOT_REPORT_RECORD_H

#include "report_private.h"

enum { REPORT_MOST_LAYERS = 256 };

typedef struct record_reader {
    const report_run *run;
    report_layer *layer;
} record_reader;

/* Adds a block of a layer's assignments: those of training to counts by windows of steps; of evaluations each sample's experts. */
mot_status mot_report_take_choices(void *with, const mot_record_choices *choices);

/* read_ranks.c: how many rows segments have; room for them; and what a segment says. */
mot_status mot_report_measure_ranks(report_ranks *ranks, hid_t segment);
mot_status mot_report_make_ranks(report_pool *pool, report_ranks *ranks);
mot_status mot_report_read_ranks(report_run *run, hid_t segment);

#endif
