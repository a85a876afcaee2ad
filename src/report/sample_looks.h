/* sample_looks.h: where experts look, of the items of galleries; from an analysis (mot/analysis.h). */
#ifndef MOT_REPORT_SAMPLE_LOOKS_H
#define MOT_REPORT_SAMPLE_LOOKS_H

#include "mot/dataset.h"
#include "report_private.h"

/* Looks at samples of a layer, owned. */
typedef struct layer_looks {
    size_t samples, blocks, heads, rows; /* samples 0: there are none */
    bool class_token;
    int64_t *sample;
    int32_t *expert, *length;
    float *received, *rollout; /* [samples, blocks, heads, rows], [samples, rows] */
} layer_looks;

/* The analysis of a run if it is of the evaluation whose samples are shown; else it is said what is lacking, and *file is
 * invalid. mot_h5_close. */
mot_status mot_report_looks_open(report_all *report, report_part *part, const report_run *run, hid_t *file);
/* A layer's, of a file that may be invalid; where it has none it is said why. mot_report_looks_free, also after a failure. */
mot_status mot_report_looks_read(report_all *report, report_part *part, const report_run *run, hid_t file, int layer,
                                 layer_looks *looks);
void mot_report_looks_free(layer_looks *looks);
/* Gives the items of a gallery their looks, as detailed as a page has room for. */
mot_status mot_report_looks_put(report_all *report, const layer_looks *looks, mot_dataset *data, size_t patch, report_view *view);

#endif
