/* What all ranks hold alike of a model of several layers. */
#include "model_private.h"
#include "mot/memory.h"

const char *mot_dense_name(int number)
{
#define OF_DENSE(d) "dense" #d
    static const char *const name[MOT_MAX_LAYERS] = {
        OF_DENSE(0), OF_DENSE(1), OF_DENSE(2),  OF_DENSE(3),  OF_DENSE(4),  OF_DENSE(5),  OF_DENSE(6),  OF_DENSE(7),
        OF_DENSE(8), OF_DENSE(9), OF_DENSE(10), OF_DENSE(11), OF_DENSE(12), OF_DENSE(13), OF_DENSE(14), OF_DENSE(15),
    };
#undef OF_DENSE
    return name[number];
}

mot_status mot_dense_create(mot_dense *dense, int unit)
{
    mot_status status;
    MOT_TRY(dense->kind->table(&dense->shape, &dense->table));
    MOT_TRY(mot_params_create(&dense->params, &dense->table, unit));
    MOT_TRY(mot_allocate(&dense->weight, dense->table.rows, sizeof *dense->weight, "a layer"));
    for (size_t r = 0; r < dense->table.rows; ++r)
        dense->weight[r] = dense->params.value + dense->table.row[r].offset;
    MOT_TRY(mot_allocate(&dense->largest, dense->table.rows, sizeof *dense->largest, "a layer's gradients"));
    MOT_TRY(mot_allocate(&dense->sum, dense->table.count, sizeof *dense->sum, "a layer's gradients"));
done:
    return status;
}

void mot_dense_free(mot_dense *dense)
{
    mot_params_free(&dense->params);
    mot_free(dense->weight);
    mot_free(dense->largest);
    mot_free(dense->sum);
}
