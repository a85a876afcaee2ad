#include <math.h>

#include "mot/contingency.h"
#include "mot/record.h"

mot_specialization mot_specialize(int classes, int experts, const int64_t *load)
{
    const mot_contingency all = mot_contingency_measure(classes, experts, load);
    mot_specialization result = {.purity = all.purity, .nmi = all.nmi, .entropy = experts == 1 ? 1 : 0};
    if (!(all.samples > 0)) return result;
    for (int e = 0; e < experts; ++e) {
        double sum = 0;
        for (int c = 0; c < classes; ++c) sum += (double)load[(size_t)c * (size_t)experts + (size_t)e];
        if (sum >= 1 && sum >= 0.01 * all.samples / experts) result.experts_used++;
    }
    result.effective = exp(all.column_entropy);
    if (experts > 1) result.entropy = fmin(fmax(all.column_entropy / log(experts), 0), 1);
    return result;
}
