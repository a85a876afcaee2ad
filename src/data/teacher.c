#include "mot/teacher.h"

#include <math.h>
#include <string.h>

#include "basis.h"
#include "mot/memory.h"

/* What the random numbers of MOT_STREAM_TEACHER are for: the counter's third word. Part of the definition of the data:
 * append only. */
enum { DRAW_NUMBERS = 0, DRAW_BASIS = 1 };

/* Experts whose sums are found side by side, v and w of each:
 *
 *      by_number [blocks, D, SUMS]     | v0 .. v3 w0 .. w3 | of number 0, | ... | of number 1, ...
 *
 * So every sum has the order of the numbers, whatever vectors a machine has. Experts that are none are 0. */
enum { SIDE = 4, SUMS = 2 * SIDE };

static size_t blocks_of(const mot_teacher_config *config)
{
    return ((size_t)config->experts + SIDE - 1) / SIDE;
}

static mot_status check(const mot_teacher_config *config)
{
    const int m = config->experts;
    if (m < 1 || m > MOT_TEACHER_MAX_EXPERTS)
        return mot_fail(MOT_ERR_INPUT, "a teacher has 1 to %d experts, not %d", MOT_TEACHER_MAX_EXPERTS, m);
    if (config->width < 2 * (size_t)m || config->width > 1 << 16)
        return mot_fail(MOT_ERR_INPUT, "a teacher of %d expert%s needs a width of %d to %d, not %zu", m,
                        m == 1 ? "" : "s", 2 * m, 1 << 16, config->width);
    if (!(config->correlation >= 0 && config->correlation < 1))
        return mot_fail(MOT_ERR_INPUT, "correlation must be in [0, 1), not %g", config->correlation);
    return MOT_OK;
}

static void lay_by_number(mot_teacher *teacher)
{
    const size_t D = teacher->config.width;
    for (size_t j = 0; j < (size_t)teacher->config.experts; ++j)
        for (size_t d = 0; d < D; ++d) {
            double *at = teacher->by_number + (j / SIDE * D + d) * SUMS + j % SIDE;
            at[0] = teacher->v[j * D + d];
            at[SIDE] = teacher->w[j * D + d];
        }
}

mot_status mot_teacher_init(mot_teacher *teacher, const mot_teacher_config *config)
{
    *teacher = (mot_teacher){0};
    mot_status status = check(config);
    if (status != MOT_OK) return status;
    const size_t m = (size_t)config->experts, D = config->width;
    MOT_TRY(mot_allocate(&teacher->v, 2 * m * D, sizeof(double), "a teacher"));
    MOT_TRY(mot_allocate(&teacher->by_number, blocks_of(config) * D * SUMS, sizeof(double), "a teacher"));
    teacher->w = teacher->v + m * D;
    teacher->config = *config;
    mot_basis_make(config->seed, MOT_STREAM_TEACHER, DRAW_BASIS, 2 * m, D, teacher->v);
    if (config->correlation > 0) mot_basis_correlate(config->correlation, 2 * m, D, teacher->v);
    lay_by_number(teacher);
done:
    if (status != MOT_OK) mot_teacher_free(teacher);
    return status;
}

void mot_teacher_free(mot_teacher *teacher)
{
    mot_free(teacher->v);
    mot_free(teacher->by_number);
    *teacher = (mot_teacher){0};
}

/* ---- a sample ---- */

typedef double pair __attribute__((vector_size(2 * sizeof(double)), aligned(sizeof(double)), may_alias));

static void block_sums(const double *by_number, size_t D, const float *x, double sum[SUMS])
{
    pair sums[SIDE] = {{0}};
    for (size_t d = 0; d < D; ++d) {
        const double number = (double)x[d];
        for (size_t i = 0; i < SIDE; ++i) sums[i] += number * *(const pair *)(by_number + d * SUMS + 2 * i);
    }
    memcpy(sum, sums, sizeof sums);
}

/* sum_j e^(s_j) value_j / sum_j e^(s_j), without overflow. */
static double softmax_sum(size_t m, const double *score, const double *value)
{
    double most = score[0], above = 0, below = 0;
    for (size_t j = 1; j < m; ++j) most = fmax(most, score[j]);
    for (size_t j = 0; j < m; ++j) {
        const double e = exp(score[j] - most);
        above += e * value[j];
        below += e;
    }
    return above / below;
}

double mot_teacher_value(const mot_teacher *teacher, const float *x)
{
    const mot_teacher_config *config = &teacher->config;
    const size_t m = (size_t)config->experts, D = config->width;
    double score[MOT_TEACHER_MAX_EXPERTS], value[MOT_TEACHER_MAX_EXPERTS], y = 0;
    for (size_t first = 0; first < m; first += SIDE) {
        double sum[SUMS];
        block_sums(teacher->by_number + first * 2 * D, D, x, sum);
        for (size_t j = first; j < MOT_MIN(first + SIDE, m); ++j) {
            score[j] = sum[j - first];
            value[j] = mot_neuron_value(config->activation, sum[SIDE + j - first]);
        }
    }
    if (config->gate == MOT_TEACHER_SOFTMAX) return softmax_sum(m, score, value);
    for (size_t j = 0; j < m; ++j) y += mot_sigmoid(score[j]) * value[j];
    return y;
}

void mot_teacher_sample(const mot_teacher *teacher, int split, mot_gidx index, float *x, float *y)
{
    /* Counter words: the index's low word; its high word with the split; the purpose; the element. */
    const uint32_t low = (uint32_t)index, high = (uint32_t)((uint64_t)index >> 32) << 2 | (uint32_t)split;
    mot_normal_row(teacher->config.seed, MOT_STREAM_TEACHER, (const uint32_t[]){low, high, DRAW_NUMBERS, 0},
                   1, x, teacher->config.width);
    *y = (float)mot_teacher_value(teacher, x);
}
