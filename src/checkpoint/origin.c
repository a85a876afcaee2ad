/* Which of the experts that a run began with are left. */
#include "checkpoint_file.h"

#include "mot/memory.h"

mot_status mot_get_origin(hid_t file, const char *path, int experts, int begun, int *origin)
{
    for (int e = 0; e < experts; ++e) origin[e] = e;
    if (!mot_h5_exists(file, mot_origin_path)) return MOT_OK;
    const mot_status status = mot_h5_read(file, mot_origin_path, H5T_NATIVE_INT32, 1,
                                          (hsize_t[]){(hsize_t)experts}, origin);
    if (status != MOT_OK) return status;
    for (int e = 0; e < experts; ++e)
        if (origin[e] < (e > 0 ? origin[e - 1] + 1 : 0) || origin[e] >= begun)
            return mot_fail(MOT_ERR_INPUT, "%s: %s [%d] is %d, expected ascending numbers in [0, %d)", path,
                            mot_origin_path, e, origin[e], begun);
    return MOT_OK;
}

mot_status mot_check_origin(hid_t file, const char *path, int64_t experts, const mot_state *state)
{
    int *origin = NULL, rank;
    hsize_t shape[MOT_H5_MAX_RANK];
    mot_status status;
    if (mot_h5_exists(file, mot_origin_path)) {
        MOT_TRY(mot_h5_shape(file, mot_origin_path, &rank, shape));
        if (rank != 1 || shape[0] != (hsize_t)experts || experts > INT_MAX)
            return mot_fail(MOT_ERR_INPUT, "%s: %s does not hold the numbers of %" PRId64 " experts", path,
                            mot_origin_path, experts);
    } else if (state == NULL || state->origin == NULL) {
        return MOT_OK;
    }
    MOT_TRY(mot_allocate(&origin, (size_t)experts, sizeof *origin, "the numbers of experts"));
    MOT_TRY(mot_get_origin(file, path, (int)experts, INT_MAX, origin));
    for (int e = 0; state != NULL && e < (int)experts; ++e) {
        const int wanted = state->origin != NULL ? state->origin[e] : e;
        if (origin[e] == wanted) continue;
        status = mot_fail(MOT_ERR_INPUT,
                          "%s: its expert %d had the number %d in the beginning, that of the run had %d", path, e,
                          origin[e], wanted);
        break;
    }
done:
    mot_free(origin);
    return status;
}
