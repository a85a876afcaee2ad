/* What claims share: settings, and truths of random tasks. */
#include <math.h>
#include <string.h>

#include "mot/neuron.h"
#include "mot/rng.h"
#include "rehearsal_study.h"

enum { WIDTH = REHEARSAL_STRUCTURE_WIDTH };
enum { SHAPE = UINT16_MAX, CENTRES = 1 << 15 }; /* draws beside those of tasks */

const char *const mot_rehearsal_kind_names[] = {"clusters", "correlations", "drift"};

size_t mot_rehearsal_runs(const mot_study *study)
{
    return (size_t)study->options.runs;
}

size_t mot_rehearsal_many_runs(const mot_study *study)
{
    return (study->options.quick ? 1 : 5) * mot_rehearsal_runs(study);
}

mot_rehearsal mot_rehearsal_usual(int tasks)
{
    return (mot_rehearsal){.tasks = tasks, .width = 200, .samples = 24, .memory = 24, .noise = 0.3};
}

/* Where a structure's numbers come from: those of simulations never have this b (rng.h). */
typedef struct source {
    uint64_t seed;
    uint32_t number, kind;
} source;

static double uniform_of(const source *of, uint32_t which)
{
    return mot_uniform(mot_random(of->seed, MOT_STREAM_REHEARSAL, of->number, UINT32_MAX, of->kind << 16 | SHAPE, which).word[0]);
}

static void normals_of(const source *of, uint32_t draw, size_t count, double *z)
{
    float made[WIDTH];
    mot_normal_row(of->seed, MOT_STREAM_REHEARSAL, (uint32_t[]){of->number, UINT32_MAX, of->kind << 16 | draw, 0}, 1, made, count);
    for (size_t k = 0; k < count; ++k) z[k] = (double)made[k];
}

/* Two or three centres of length 1, each task near one of them: 0.05 to 0.4 away. */
static void draw_clusters(const source *of, int tasks, double *w)
{
    const double centres = 2 + floor(2 * uniform_of(of, 0)), spread = 0.05 + 0.35 * uniform_of(of, 1);
    double centre[WIDTH];
    for (int t = 0; t < tasks; ++t) {
        const uint32_t which = (uint32_t)(centres * uniform_of(of, 2 + (uint32_t)t));
        normals_of(of, CENTRES + which, WIDTH, centre);
        (void)mot_to_unit(centre, WIDTH);
        normals_of(of, (uint32_t)t, WIDTH, w);
        (void)mot_to_unit(w, WIDTH);
        for (size_t k = 0; k < WIDTH; ++k) w[k] = centre[k] + spread * w[k];
        w += WIDTH;
    }
}

/* Random directions in a space of 2 to 8 dimensions. */
static void draw_correlations(const source *of, int tasks, double *w)
{
    const size_t dimensions = 2 + (size_t)(7 * uniform_of(of, 0));
    for (int t = 0; t < tasks; ++t, w += WIDTH) {
        memset(w, 0, WIDTH * sizeof *w);
        normals_of(of, (uint32_t)t, dimensions, w);
        (void)mot_to_unit(w, WIDTH);
    }
}

/* Each task a step of 0.1 to 1 away from the one before it, and back to length 1. */
static void draw_drift(const source *of, int tasks, double *w)
{
    const double step = 0.1 + 0.9 * uniform_of(of, 0);
    for (int t = 0; t < tasks; ++t, w += WIDTH) {
        normals_of(of, (uint32_t)t, WIDTH, w);
        (void)mot_to_unit(w, WIDTH);
        for (size_t k = 0; t > 0 && k < WIDTH; ++k) w[k] = w[k - WIDTH] + step * w[k];
        (void)mot_to_unit(w, WIDTH);
    }
}

mot_rehearsal_truths mot_rehearsal_draw(uint64_t seed, int kind, size_t number, int tasks, double *w)
{
    static void (*const draw[])(const source *, int, double *) = {draw_clusters, draw_correlations, draw_drift};
    const source of = {seed, (uint32_t)number, (uint32_t)kind};
    draw[kind](&of, tasks, w);
    return (mot_rehearsal_truths){tasks, WIDTH, w};
}
