/* Initial values that have no direction where nothing but their direction counts. */
#include "run_initial.h"

bool mot_initial_directed(const mot_model *model, const mot_unit *unit, size_t r)
{
    if (r > 0) return false;
    return unit->role == MOT_ROLE_GATE ? model->layer->gate.kind->spread : model->layer->kind->directed && unit->row != MOT_ALONE;
}

mot_status mot_initial_check_directions(const char *name, const mot_tensor *tensor, bool rows, size_t first, size_t count,
                                        const mot_real *all)
{
    const size_t vectors = rows ? count : tensor->shape[1], length = rows ? tensor->count : tensor->shape[0];
    for (size_t e = 0; e < vectors; ++e) {
        bool zero = true;
        for (size_t d = 0; d < length; ++d) zero = zero && all[rows ? e * length + d : d * vectors + e] == 0;
        if (zero)
            return mot_fail(MOT_ERR_INPUT, "init.from: %s: the vector of expert %zu is 0, and has no direction", name, first + e);
    }
    return MOT_OK;
}
