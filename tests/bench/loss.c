/* loss: what a cross-entropy costs, a sample after another on one thread.
 *
 *      bench_loss [CLASSES [REPEATS]]
 *
 * Nanoseconds a class, the least of the repeats, by the thread's own time: of the loss alone, as an evaluation wants it, of the
 * loss with its gradient, and of finding the class that is predicted. Nothing is asserted. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "mot/loss.h"
#include "mot/memory.h"
#include "mot/rng.h"

static double cpu_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

int main(int count, char **argument)
{
    const size_t C = count > 1 ? strtoul(argument[1], NULL, 10) : 50000;
    const int repeats = count > 2 ? atoi(argument[2]) : 200;
    const mot_loss loss = {.kind = mot_loss_kind_at(mot_kinds_find(&mot_loss_kinds, "cross_entropy")),
                           .target_bytes = sizeof(int32_t),
                           .classes = (int)C,
                           .outputs = C};
    const int32_t label = (int32_t)C / 2;
    mot_real *out = NULL, *d_out = NULL;
    if (C < 2 || mot_allocate(&out, C, sizeof *out, "outputs") != MOT_OK ||
        mot_allocate(&d_out, C, sizeof *d_out, "their gradient") != MOT_OK)
        return 1;
    for (size_t c = 0; c < C; ++c) {
        double normal[2];
        const mot_random4 random = mot_random(7, MOT_STREAM_TEST, 1, (uint32_t)c, 0, 0);
        mot_normal_pair(random.word[0], random.word[1], normal);
        out[c] = (mot_real)(3 * normal[0]);
    }
    double least[3] = {1e9, 1e9, 1e9}, value = 0;
    for (int i = 0; i < repeats; ++i) {
        const double start = cpu_s();
        value += loss.kind->value(&loss, out, &label, NULL);
        const double forward = cpu_s();
        value += loss.kind->value(&loss, out, &label, d_out);
        const double backward = cpu_s();
        value += loss.kind->predicted(&loss, out, &label);
        const double part[] = {forward - start, backward - forward, cpu_s() - backward};
        for (int p = 0; p < 3; ++p) least[p] = MOT_MIN(least[p], part[p]);
    }
    const double ns = 1e9 / (double)C;
    printf("%zu classes: loss %.2f, with its gradient %.2f, predicted %.2f ns a class (%.17g)\n", C, ns * least[0], ns * least[1],
           ns * least[2], value);
    mot_free(out);
    mot_free(d_out);
    return 0;
}
