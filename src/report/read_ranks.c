/* Seconds of each rank, of a record's reports. A segment has the ranks of the job that wrote it; a run that went on with fewer or
 * more has as many places as the largest job. */
#include <math.h>
#include <stdio.h>

#include "mot/memory.h"
#include "report_private.h"
#include "report_record.h"

enum { MOST_CELLS = 6000 }; /* of a view of ranks by reports */

mot_status mot_report_measure_ranks(report_ranks *ranks, hid_t segment)
{
    static const char *const path = "ranks/compute";
    int rank;
    hsize_t shape[MOT_H5_MAX_RANK];
    if (!mot_h5_exists(segment, path)) return MOT_OK; /* of an older version, or without a report */
    const mot_status status = mot_h5_shape(segment, path, &rank, shape);
    if (status != MOT_OK || rank != 2 || shape[1] == 0) return status; /* whoever reads it refuses it */
    ranks->rows += (size_t)shape[0];
    ranks->ranks = MOT_MAX(ranks->ranks, (size_t)shape[1]);
    return MOT_OK;
}

mot_status mot_report_make_ranks(report_pool *pool, report_ranks *ranks)
{
    const size_t R = ranks->ranks;
    mot_status status = MOT_OK;
    if (ranks->rows == 0) return MOT_OK;
    ranks->bins = MOT_MIN(ranks->rows, MOT_MIN((size_t)REPORT_BINS, MOT_MAX(MOST_CELLS / R, 1)));
    double **const of_bin[] = {&ranks->step, &ranks->steps, &ranks->mean, &ranks->slowest, &ranks->kept, &ranks->whole};
    for (size_t i = 0; i < MOT_COUNT(of_bin); ++i) MOT_TRY(mot_report_take(pool, of_bin[i], ranks->bins, sizeof(double)));
    for (int k = 0; k < REPORT_RANK_NAMES; ++k) MOT_TRY(mot_report_take(pool, &ranks->seconds[k], ranks->bins * R, sizeof(double)));
    MOT_TRY(mot_report_take(pool, &ranks->there, ranks->bins * R, sizeof(double)));
done:
    return status;
}

enum { STEP, STEPS, INTERVAL, SLOWEST, COMPUTE, EXCHANGE, WAIT, ITEMS };

/* A report: of each rank its seconds, and over ranks what uneven computation costs. */
static void fold_row(report_ranks *to, const mot_record_values *value, size_t row)
{
    const size_t R = value[COMPUTE].width, bin = to->row++ * to->bins / to->rows;
    const double steps = value[STEPS].value[row], *compute = value[COMPUTE].value + row * R,
                 *exchange = value[EXCHANGE].value + row * R, *wait = value[WAIT].value + row * R;
    double mean = 0, largest = 0, whole = 0;
    for (size_t r = 0; r < R; ++r) {
        const double all = compute[r] + exchange[r] + wait[r], left = fmax(0, value[INTERVAL].value[row] - all); /* of the root's clock */
        const double of_rank[REPORT_RANK_NAMES] = {compute[r], exchange[r], wait[r], left};
        for (int k = 0; k < REPORT_RANK_NAMES; ++k) to->seconds[k][bin * to->ranks + r] += of_rank[k];
        to->there[bin * to->ranks + r] += steps;
        mean += compute[r] / (double)R;
        whole += all / (double)R;
        largest = fmax(largest, compute[r]);
    }
    to->step[bin] = value[STEP].value[row];
    to->steps[bin] += steps;
    to->mean[bin] += mean;
    to->whole[bin] += whole;
    to->kept[bin] += largest;
    to->slowest[bin] += value[SLOWEST].value[row];
    if (to->first == 0) to->first = (mot_gidx)(value[STEP].value[row] - steps) + 1;
}

mot_status mot_report_read_ranks(report_run *run, hid_t segment)
{
    static const char *const name[ITEMS] = {"step", "steps", "interval", "slowest", "compute", "exchange", "wait"};
    mot_record_item item[ITEMS];
    mot_record_values value[ITEMS] = {{0}};
    mot_status status;
    for (int i = 0; i < ITEMS; ++i) item[i] = (mot_record_item){MOT_RECORD_RANKS, name[i], 0};
    MOT_TRY(mot_record_add(segment, ITEMS, item, value));
    const size_t rows = value[STEP].rows, R = value[COMPUTE].width;
    bool right = true;
    for (int i = 0; i < ITEMS; ++i)
        right = right && value[i].rows == rows && (rows == 0 || value[i].width == (i < COMPUTE ? 1 : R));
    if (!right || R > run->ranks.ranks || run->ranks.row + rows > run->ranks.rows) {
        status = mot_fail(MOT_ERR_INPUT, "%s: the seconds of ranks in a segment of its record do not belong together", run->folder);
        goto done;
    }
    for (size_t row = 0; row < rows; ++row) fold_row(&run->ranks, value, row);
done:
    for (int i = 0; i < ITEMS; ++i) mot_record_values_free(&value[i]);
    return status;
}
