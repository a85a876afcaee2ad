#include "mot/contingency.h"

#include <float.h>
#include <math.h>
#include <stddef.h>

#include "mot/memory.h"
#include "mot/types.h"

/* One summand of an entropy; an empty part adds nothing. */
static double entropy_term(double part, double total)
{
    return part > 0 ? -part / total * log(part / total) : 0;
}

static double at(int columns, const int64_t *count, int row, int column)
{
    return (double)count[(size_t)row * (size_t)columns + (size_t)column];
}

mot_contingency mot_contingency_measure(int rows, int columns, const int64_t *count)
{
    mot_contingency m = {0};
    double right = 0;
    for (size_t i = 0; i < (size_t)rows * (size_t)columns; ++i) m.samples += (double)count[i];
    if (!(m.samples > 0)) return m;
    for (int c = 0; c < columns; ++c) {
        double sum = 0, largest = 0;
        for (int r = 0; r < rows; ++r) {
            const double n = at(columns, count, r, c);
            sum += n;
            largest = fmax(largest, n);
            m.joint_entropy += entropy_term(n, m.samples);
        }
        right += largest;
        m.column_entropy += entropy_term(sum, m.samples);
    }
    for (int r = 0; r < rows; ++r) {
        double sum = 0;
        for (int c = 0; c < columns; ++c) sum += at(columns, count, r, c);
        m.row_entropy += entropy_term(sum, m.samples);
    }
    m.purity = right / m.samples;
    /* Rounding may leave it a little outside of what it can be. */
    m.mutual = fmax(m.column_entropy + m.row_entropy - m.joint_entropy, 0);
    if (m.column_entropy > 0 && m.row_entropy > 0)
        m.nmi = fmin(m.mutual / sqrt(m.column_entropy * m.row_entropy), 1);
    return m;
}

/* ---- against chance ---- */

/* What a cell with `a` samples in its row and `b` in its column adds to I on the average, `n` samples in all. By chance it has x of
 * them with the hypergeometric probability
 *
 *      p(x) = C(a, x) C(n - a, b - x) / C(n, b),      p(x + 1) / p(x) = (a - x)(b - x) / ((x + 1)(n - a - b + x + 1))
 *
 * and adds f(x) = x/n log(n x / (a b)). The ratio is followed from the likeliest x to either side, as far as it matters, with 1 in
 * its place, and the sum of what was passed is divided by: no factorial is taken, whose logarithm would cost digits. */
static double expected_cell(double a, double b, double n)
{
    const double least = fmax(a + b - n, 0), most = fmin(a, b), mode = fmin(fmax(floor((a + 1) * (b + 1) / (n + 2)), least), most);
    const double matters = 1e-22;
    double weights = 0, sum = 0, p = 1;
    for (double x = mode; x <= most && p > matters; ++x) {
        weights += p;
        if (x > 0) sum += p * (x / n) * log(n * x / (a * b));
        p *= (a - x) / (x + 1) * ((b - x) / (n - a - b + x + 1));
    }
    p = 1;
    for (double x = mode; x > least && p > matters; --x) {
        p *= x / (a - x + 1) * ((n - a - b + x) / (b - x + 1));
        weights += p;
        if (x > 1) sum += p * ((x - 1) / n) * log(n * (x - 1) / (a * b));
    }
    return sum / weights;
}

/* E[I]; fills what rows and columns have. */
static double expected_mutual(int rows, int columns, const int64_t *count, double samples, double *row, double *column)
{
    double expected = 0;
    for (int r = 0; r < rows; ++r)
        for (int c = 0; c < columns; ++c) {
            row[r] += at(columns, count, r, c);
            column[c] += at(columns, count, r, c);
        }
    for (int r = 0; r < rows; ++r)
        for (int c = 0; c < columns; ++c)
            if (row[r] > 0 && column[c] > 0) expected += expected_cell(row[r], column[c], samples);
    return expected;
}

/* Away from 0, so that a perfect match of what chance gives as well is one. */
static double not_zero(double x)
{
    return x < 0 ? fmin(x, -DBL_EPSILON) : fmax(x, DBL_EPSILON);
}

mot_status mot_contingency_ami(int rows, int columns, const int64_t *count, double *ami)
{
    const mot_contingency m = mot_contingency_measure(rows, columns, count);
    double *sums = NULL;
    mot_status status = MOT_OK;
    *ami = NAN;
    if (!(m.samples > 0)) return MOT_OK;
    *ami = m.row_entropy == 0 && m.column_entropy == 0;
    if (m.row_entropy == 0 || m.column_entropy == 0) return MOT_OK;
    MOT_TRY(mot_allocate(&sums, (size_t)rows + (size_t)columns, sizeof *sums, "the sums of a table"));
    const double expected = expected_mutual(rows, columns, count, m.samples, sums, sums + rows);
    *ami = not_zero(m.mutual - expected) / not_zero((m.row_entropy + m.column_entropy) / 2 - expected);
done:
    mot_free(sums);
    return status;
}

double mot_contingency_ari(int rows, int columns, const int64_t *count)
{
    double samples = 0, both = 0, row = 0, column = 0; /* ordered pairs of samples that are together, each with itself */
    for (int r = 0; r < rows; ++r) {
        double sum = 0;
        for (int c = 0; c < columns; ++c) {
            const double n = at(columns, count, r, c);
            sum += n;
            both += n * n;
        }
        samples += sum;
        row += sum * sum;
    }
    for (int c = 0; c < columns; ++c) {
        double sum = 0;
        for (int r = 0; r < rows; ++r) sum += at(columns, count, r, c);
        column += sum * sum;
    }
    if (!(samples > 0)) return NAN;
    const double together = both - samples, row_alone = row - both, column_alone = column - both,
                 apart = samples * samples - row - column + both;
    if (row_alone == 0 && column_alone == 0) return 1;
    return 2 * (together * apart - row_alone * column_alone) /
           ((together + row_alone) * (row_alone + apart) + (together + column_alone) * (column_alone + apart));
}

/* ---- a load ---- */

mot_load_spread mot_load_spread_of(int experts, const int64_t *load)
{
    mot_load_spread s = {.max_over_mean = NAN, .cv = NAN, .entropy = NAN, .effective = NAN, .idle = 0};
    double total = 0, most = 0, squares = 0, entropy = 0;
    for (int e = 0; e < experts; ++e) {
        total += (double)load[e];
        most = fmax(most, (double)load[e]);
        s.idle += load[e] == 0;
    }
    if (!(total > 0)) return s;
    const double mean = total / experts;
    for (int e = 0; e < experts; ++e) {
        squares += ((double)load[e] - mean) * ((double)load[e] - mean);
        entropy += entropy_term((double)load[e], total);
    }
    s.max_over_mean = most / mean;
    s.cv = sqrt(squares / experts) / mean;
    s.entropy = entropy;
    s.effective = exp(entropy);
    return s;
}
