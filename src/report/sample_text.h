/* sample_text.h: samples of a data set as items of a gallery. */
#ifndef MOT_REPORT_SAMPLE_TEXT_H
#define MOT_REPORT_SAMPLE_TEXT_H

#include "mot/dataset.h"
#include "report_private.h"

/* The picture, or the text, of a sample. */
mot_status mot_report_sample(report_pool *pool, mot_dataset *data, mot_gidx sample, report_item *item);
/* What the `count` tokens of a text stand for: its words, or letters. */
mot_status mot_report_pieces(report_pool *pool, mot_dataset *data, mot_gidx sample, size_t count, const char *const **pieces);

#endif
