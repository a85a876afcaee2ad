#include <math.h>

#include "mot/record.h"

/* One summand of an entropy; an empty part adds nothing. */
static double entropy_term(double part, double total)
{
    return part > 0 ? -part / total * log(part / total) : 0;
}

mot_specialization mot_specialize(int classes, int experts, const int64_t *load)
{
    mot_specialization result = {.entropy = experts == 1 ? 1 : 0};
    double total = 0, right = 0, h_expert = 0, h_class = 0, h_both = 0;
    for (size_t i = 0; i < (size_t)classes * (size_t)experts; ++i) total += (double)load[i];
    if (!(total > 0)) return result;

    for (int e = 0; e < experts; ++e) {
        double sum = 0, largest = 0;
        for (int c = 0; c < classes; ++c) {
            const double n = (double)load[(size_t)c * (size_t)experts + (size_t)e];
            sum += n;
            largest = fmax(largest, n);
            h_both += entropy_term(n, total);
        }
        right += largest;
        h_expert += entropy_term(sum, total);
        if (sum >= 1 && sum >= 0.01 * total / experts) result.experts_used++;
    }
    for (int c = 0; c < classes; ++c) {
        double sum = 0;
        for (int e = 0; e < experts; ++e) sum += (double)load[(size_t)c * (size_t)experts + (size_t)e];
        h_class += entropy_term(sum, total);
    }

    result.purity = right / total;
    result.effective = exp(h_expert);
    if (experts > 1) result.entropy = fmin(fmax(h_expert / log(experts), 0), 1);
    /* I = H(expert) + H(class) - H(both); rounding may leave it a little outside of what it can be. */
    if (h_expert > 0 && h_class > 0)
        result.nmi = fmin(fmax((h_expert + h_class - h_both) / sqrt(h_expert * h_class), 0), 1);
    return result;
}
