/* The sum of tied gradients: right to the last bits of a float, and the same bits on any ranks and placement. */
#include <string.h>

#include "mot/rng.h"
#include "train_data.h"

enum { EXPERTS = 5 };

/* Number i of expert e's tied gradient: of very different sizes, some of them zero. */
static double number(int e, size_t i, int size)
{
    const mot_random4 random = mot_random(3, MOT_STREAM_TEST, (uint32_t)e, (uint32_t)i, (uint32_t)size, 0);
    double normal[2];
    mot_normal_pair(random.word[0], random.word[1], normal);
    switch (size) {
    case 0:
        return normal[0];
    case 1:
        return ldexp(normal[0], e == 0 ? 60 : -60); /* one expert outweighs the others */
    case 2:
        return random.word[2] % 3 == 0 ? normal[0] * 1e-30 : 0;
    case 3:
        return (e % 2 == 0 ? 1 : -1) * (1 + 1e-7 * (double)i) + (e == 4 ? -1 : 0); /* cancels */
    default:
        return 0;
    }
}

static void fill(mot_model *model, int size)
{
    for (int l = 0; l < model->layer->local; ++l) {
        const int e = model->layer->placement.local[model->layer->placement.first[model->comm->rank] + l];
        for (size_t i = 0; i < model->layer->tied_table.count; ++i)
            model->layer->tied_gradient[(size_t)l * model->layer->tied_table.count + i] = (mot_real)number(e, i, size);
    }
}

static const char *const placements[] = {"even", "even\nroute.coordinator: dedicated", "[[4,0],[],[3,1],[2]]",
                                         "[[0,1,2,3,4]]", "[[],[],[],[4,3,2,1,0]]"};

static bool same_bits(const mot_model *a, const mot_model *b)
{
    return memcmp(a->layer->tied.gradient, b->layer->tied.gradient, a->layer->tied_table.count * sizeof(mot_real)) == 0;
}

START_TEST(sums_exactly_everywhere)
{
    const int size = _i;
    mot_comm comm, self;
    mot_config config, alone_config;
    mot_model alone;
    mot_comm_init(&comm, MPI_COMM_WORLD);
    mot_comm_init(&self, MPI_COMM_SELF);
    data_configure(&alone_config, "model.tie: [attention, head]");
    data_model(&alone, &self, &alone_config);
    fill(&alone, size);
    mot_model_sum_tied(&alone);

    /* Against a sum in double: the error is one rounding to float, and the fixed point's. */
    for (size_t r = 0; r < alone.layer->tied_table.rows; ++r) {
        const mot_tensor *row = &alone.layer->tied_table.row[r];
        double most = 0;
        for (int e = 0; e < EXPERTS; ++e)
            for (size_t i = 0; i < row->count; ++i)
                most = fmax(most, fabs((mot_real)number(e, row->offset + i, size)));
        for (size_t i = 0; i < row->count; ++i) {
            double sum = 0;
            for (int e = 0; e < EXPERTS; ++e) sum += (mot_real)number(e, row->offset + i, size);
            const double got = alone.layer->tied.gradient[row->offset + i];
            ck_assert_msg(fabs(got - sum) <= 0x1p-24 * fabs(sum) + 0x1p-50 * most,
                          "%s[%zu] is %.9g, expected %.9g", row->name, i, got, sum);
        }
    }
    for (size_t p = 0; p < sizeof placements / sizeof *placements; ++p) {
        const bool lists = placements[p][0] == '[';
        if (lists && p != 3 && comm.size != 4) continue;
        char more[200];
        mot_model model;
        snprintf(more, sizeof more, "model.tie: [attention, head]\nroute.placement: %s%s%s",
                 lists ? "\"" : "", placements[p], lists ? "\"" : "");
        data_configure(&config, more);
        data_model(&model, &comm, &config);
        fill(&model, size);
        mot_model_sum_tied(&model);
        mot_ck_all(same_bits(&alone, &model));
        mot_model_free(&model);
    }
    mot_model_free(&alone);
    mot_comm_free(&self);
    mot_comm_free(&comm);
}
END_TEST

/* A number that is not finite anywhere is seen everywhere, in its tensor alone. */
START_TEST(keeps_what_is_not_finite)
{
    static const double bad[] = {NAN, INFINITY, -INFINITY};
    mot_comm comm;
    mot_config config;
    mot_model model;
    mot_comm_init(&comm, MPI_COMM_WORLD);
    data_configure(&config, "model.tie: [head]");
    data_model(&model, &comm, &config);
    for (size_t b = 0; b < 3; ++b) {
        fill(&model, 0);
        if (model.layer->placement.owner[3] == comm.rank)
            model.layer->tied_gradient[(size_t)model.layer->placement.local_index[3] * model.layer->tied_table.count + 1] =
                (mot_real)bad[b];
        mot_model_sum_tied(&model);
        bool finite_elsewhere = true;
        const mot_tensor *first = &model.layer->tied_table.row[0];
        mot_ck_all(!isfinite(model.layer->tied.gradient[first->offset + 1]));
        for (size_t r = 1; r < model.layer->tied_table.rows; ++r)
            for (size_t i = 0; i < model.layer->tied_table.row[r].count; ++i)
                finite_elsewhere = finite_elsewhere &&
                                   isfinite(model.layer->tied.gradient[model.layer->tied_table.row[r].offset + i]);
        mot_ck_all(finite_elsewhere);
    }
    mot_model_free(&model);
    mot_comm_free(&comm);
}
END_TEST

static void tied_tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, sums_exactly_everywhere, 0, 5);
    tcase_add_test(tcase, keeps_what_is_not_finite);
}

MOT_CK_MAIN("tied", tied_tests)
