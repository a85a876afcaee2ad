/* Experts that move to other ranks between steps: what they learn, and how they go on, is the same bits as on one rank
 * that keeps them all. */
#include <string.h>

#include "mot/rng.h"
#include "train_world.h"

enum { STEPS = 8 };

static void world_make(world *w, MPI_Comm mpi, const char *more)
{
    world_configure(w, mpi, more);
    world_build(w);
}

/* Anywhere, but not on a dedicated coordinator; sometimes all on one rank. */
static void move(world *w, int number)
{
    const int lowest = w->model.layer->placement.dedicated ? 1 : 0, workers = w->comm.size - lowest;
    mot_placement placement;
    int owner[EXPERTS];
    for (int e = 0; e < EXPERTS; ++e) {
        const mot_random4 random = mot_random(5, MOT_STREAM_TEST, (uint32_t)number, (uint32_t)e, 0, 0);
        owner[e] = lowest + (number % 4 == 3 ? number / 4 : (int)random.word[0] & 0xFFFF) % workers;
    }
    mot_ck_ok(mot_placement_assign(&placement, &w->model.layer->placement, owner));
    mot_ck_ok(mot_model_move(&w->model, 0, &placement));
    ck_assert_ptr_null(placement.owner);
    ck_assert_mem_eq(w->model.layer->placement.owner, owner, sizeof owner);
}

static bool same(const mot_params *a, const mot_params *b)
{
    const size_t bytes = a->table->count * sizeof(mot_real);
    return memcmp(a->value, b->value, bytes) == 0 && memcmp(a->moment[0], b->moment[0], bytes) == 0 &&
           memcmp(a->moment[1], b->moment[1], bytes) == 0 && a->updates == b->updates && a->unit == b->unit;
}

/* A rank has the experts that the placement gives it, and no others. */
static bool holds_what_it_should(const mot_model *model, const mot_model *alone)
{
    bool good = model->layer->local == mot_placement_count(&model->layer->placement, model->comm->rank) &&
                same(&model->layer->tied, &alone->layer->tied);
    for (int e = 0; e < EXPERTS; ++e) {
        const mot_params *own = mot_model_expert(model, e);
        good = good && (own != NULL) == (model->layer->placement.owner[e] == model->comm->rank);
        if (own != NULL)
            good = good && own == &model->layer->own[model->layer->placement.local_index[e]] && same(own, mot_model_expert(alone, e));
    }
    return good;
}

static const char *const cases[] = {
    "train.optimizer: adamw",
    "train.optimizer: sgd\ntrain.momentum: 0.9\nmodel.tie: [attention]\nroute.top_k: 2",
    "model.strip: 2\nroute.split: true\ngate.kind: fixed\nroute.chunks: 2",
    "model.tie: [embed, attention, ffn, head]\nroute.top_k: all\nroute.chunks: 3",
    "route.coordinator: dedicated\nmodel.strip: 1\nroute.split: true\nmodel.tie: [ffn]",
    "route.placement: \"[[0, 1, 2, 3, 4]]\"",
};

START_TEST(moving_does_not_show)
{
    world w, alone;
    world_make(&w, MPI_COMM_WORLD, cases[_i]);
    world_make(&alone, MPI_COMM_SELF, cases[_i]);
    for (int s = 0; s < STEPS; ++s) {
        const double loss = train(&w, s);
        mot_ck_all(loss == train(&alone, s));
        if (s % 3 < 2) move(&w, s); /* after some steps not at all */
        mot_ck_all(holds_what_it_should(&w.model, &alone.model));
    }
    /* It did learn. */
    mot_model fresh;
    data_model(&fresh, &alone.comm, &alone.config);
    mot_ck_all(!same(&fresh.layer->own[0], &alone.model.layer->own[0]) || !same(&fresh.layer->tied, &alone.model.layer->tied));
    mot_model_free(&fresh);
    world_free(&alone);
    world_free(&w);
}
END_TEST

static void move_tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, moving_does_not_show, 0, (int)(sizeof cases / sizeof *cases));
}

MOT_CK_MAIN("move", move_tests)
