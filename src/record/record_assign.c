/* The experts of samples: a row of the record for each (sample, choice). */
#include <math.h>
#include <string.h>

#include "record_private.h"

/* What was chosen for the samples of one step. */
typedef struct assignments {
    mot_gidx step;
    bool evaluation;
    size_t choices;
    const int *origin; /* of experts; NULL: their numbers */
    const mot_gidx *sample;
    const int32_t *label, *group, *expert, *predicted;
    const float *prob;
    const double *loss;
} assignments;

/* The nearest number with 16 bits behind the point, at most 2^-17 of it away: what is noise does not pack, and takes half of the
 * room of an assignment. */
static float with_16_bits(float p)
{
    uint32_t bits;
    memcpy(&bits, &p, sizeof bits);
    bits = (bits + 0x40) & ~(uint32_t)0x7f;
    memcpy(&p, &bits, sizeof p);
    return p;
}

static void fill_assignments(record_table *table, const assignments *these, size_t from, size_t samples)
{
    record_column *const column = table->column;
    const size_t K = these->choices, first = table->rows, rows = samples * K;
    int64_t *const to_step = (int64_t *)column[ASSIGN_STEP].data + first;
    int64_t *const to_sample = (int64_t *)column[ASSIGN_SAMPLE].data + first;
    int32_t *const to_label = (int32_t *)column[ASSIGN_LABEL].data + first;
    int32_t *const to_group = (int32_t *)column[ASSIGN_GROUP].data + first;
    int32_t *const to_choice = (int32_t *)column[ASSIGN_CHOICE].data + first;
    int32_t *const to_expert = (int32_t *)column[ASSIGN_EXPERT].data + first;
    int32_t *const to_predicted = (int32_t *)column[ASSIGN_PREDICTED].data + first;
    float *const to_loss = (float *)column[ASSIGN_LOSS].data + first;
    memset((int8_t *)column[ASSIGN_SPLIT].data + first, these->evaluation ? 1 : 0, rows);
    for (size_t row = 0; row < rows; ++row) {
        const int32_t expert = these->expert[from * K + row];
        to_expert[row] = these->origin != NULL ? these->origin[expert] : expert;
    }
    float *const to_prob = (float *)column[ASSIGN_PROB].data + first;
    for (size_t row = 0; row < rows; ++row)
        to_prob[row] = these->evaluation ? these->prob[from * K + row] : with_16_bits(these->prob[from * K + row]);
    for (size_t i = from; i < from + samples; ++i) {
        for (size_t k = 0; k < K; ++k) {
            const size_t row = (i - from) * K + k;
            to_step[row] = these->step;
            to_sample[row] = these->sample[i];
            to_label[row] = these->label[i];
            to_group[row] = these->group != NULL ? these->group[i] : -1;
            to_choice[row] = (int32_t)k;
            to_predicted[row] = these->evaluation ? these->predicted[i] : -1;
            to_loss[row] = these->evaluation ? (float)these->loss[i] : NAN;
        }
    }
}

mot_status mot_record_assign(mot_record *record, mot_gidx step, int layer, bool evaluation, size_t samples,
                             const mot_gidx *sample, const int32_t *label, const int32_t *group,
                             const int32_t *expert, const float *prob, const int32_t *predicted,
                             const double *loss)
{
    mot_status status = MOT_OK;
    const record_source *const source = &record->source;
    record_table *const table = &record->table[layer == 0 ? TABLE_ASSIGN : record_layer_table(layer, LAYER_ASSIGN)];
    const size_t choices = (size_t)(layer == 0 ? source->choices : source->layer_choices[layer]),
                 most = MOT_MAX(MOT_RECORD_ROOM / 4 / (choices * table->row_bytes), 1);
    const assignments these = {step,  evaluation, choices, layer == 0 ? source->origin : NULL, sample, label,
                               group, expert,     predicted, prob,                loss};
    for (size_t from = 0; from < samples; from += most) {
        const size_t count = MOT_MIN(most, samples - from);
        MOT_TRY(mot_record_make_room(record, table, count * choices));
        fill_assignments(table, &these, from, count);
        MOT_TRY(mot_record_count_rows(record, table, step, count * choices));
    }

done:
    return status;
}
