/* The plan against a double loop over all samples. A plan is built without talking, so one process makes the
 * plans of all ranks of jobs of many sizes, side by side; under mpiexec each process throws other routings.
 */
#include "mot/plan.h"

#include <limits.h>
#include <string.h>

#include "routing.h"

static struct {
    int rank, size;
} world;

/* What a plan is, said without a counting sort: for each peer, all rows, those that fit. */
static void check_against_twin(const routing *r, const mot_plan *plan, int me)
{
    size_t home = 0, owner = 0;
    for (int peer = 0; peer < r->ranks; peer++) {
        ck_assert_uint_eq(plan->home_first[peer], home);
        ck_assert_uint_eq(plan->owner_first[peer], owner);
        for (size_t s = 0; s < r->samples; s++) {
            for (size_t k = 0; k < r->choices; k++) {
                if (r->home[s] == me && routing_owner(r, s, k) == peer) {
                    ck_assert_uint_lt(home, plan->rows_home);
                    ck_assert_int_eq(plan->home_sample[home], (int)s);
                    ck_assert_int_eq(plan->home_choice[home], (int)k);
                    home++;
                }
                if (r->home[s] == peer && routing_owner(r, s, k) == me) {
                    ck_assert_uint_lt(owner, plan->rows_owner);
                    ck_assert_int_eq(plan->owner_sample[owner], (int)s);
                    ck_assert_int_eq(plan->owner_choice[owner], (int)k);
                    owner++;
                }
            }
        }
    }
    ck_assert_uint_eq(plan->home_first[r->ranks], home);
    ck_assert_uint_eq(plan->owner_first[r->ranks], owner);
    ck_assert_uint_eq(plan->rows_home, home);
    ck_assert_uint_eq(plan->rows_owner, owner);
}

/* The rows of each local expert are the samples that chose it, in global order. */
static void check_groups(const routing *r, const mot_plan *plan, int me)
{
    const mot_placement *p = &r->placement;
    size_t at = 0;
    ck_assert_uint_eq(plan->groups, (size_t)mot_placement_count(p, me));
    for (size_t g = 0; g < plan->groups; g++) {
        ck_assert_uint_eq(plan->group_first[g], at);
        for (size_t s = 0; s < r->samples; s++) {
            for (size_t k = 0; k < r->choices; k++) {
                if (r->expert[s * r->choices + k] != p->local[p->first[me] + (int)g]) continue;
                ck_assert_uint_lt(at, plan->rows_owner);
                const uint32_t place = plan->row[at++];
                ck_assert_uint_lt(place, plan->rows_owner);
                ck_assert_int_eq(plan->owner_sample[place], (int)s);
                ck_assert_int_eq(plan->owner_choice[place], (int)k);
            }
        }
    }
    ck_assert_uint_eq(plan->group_first[plan->groups], at);
    ck_assert_uint_eq(at, plan->rows_owner);
}

START_TEST(plan_is_what_the_double_loop_says)
{
    const int ranks = _i;
    for (uint32_t number = 0; number < CHOICE_KINDS * HOME_KINDS * PLACE_KINDS; number++) {
        routing r;
        routing_init(&r, 1, number + 100 * (uint32_t)ranks, ranks, 60);
        size_t rows_home = 0, rows_owner = 0;
        for (int me = 0; me < ranks; me++) {
            mot_plan plan;
            mot_nodes nodes;
            routing_nodes(&nodes, ranks, me, NODES_ALONE);
            mot_ck_ok(routing_plan(&r, &plan, &nodes));
            check_against_twin(&r, &plan, me);
            check_groups(&r, &plan, me);
            rows_home += plan.rows_home;
            rows_owner += plan.rows_owner;
            mot_plan_free(&plan);
            mot_nodes_free(&nodes);
        }
        ck_assert_uint_eq(rows_home, r.samples * r.choices);
        ck_assert_uint_eq(rows_owner, r.samples * r.choices);
        routing_free(&r);
    }
}
END_TEST

/* The number that row (s, k) has on one side of a plan. */
static size_t number_of(const int32_t *sample, const int32_t *choice, size_t rows, size_t s, size_t k)
{
    size_t at = 0;
    while (at < rows && (sample[at] != (int32_t)s || choice[at] != (int32_t)k)) at++;
    ck_assert_uint_lt(at, rows);
    return at;
}

/* Takes a place in the buffer of a node, which nobody may have, and which is in the part of `other`. */
static void take_place(unsigned char *taken, const size_t *part, int other, size_t place)
{
    ck_assert(place >= part[other] && place < part[other + 1]);
    ck_assert_uint_eq(taken[place]++, 0);
}

/* In the buffers of all nodes: a row within a node has one place, a row between nodes one at either end, as far from
 * the beginning of its part; and no place is anybody else's, or nobody's. */
START_TEST(places_in_a_node_are_what_the_double_loop_says)
{
    enum { MOST_RANKS = 10 };
    const int ranks = 1 + _i / NODES_KINDS;
    for (uint32_t number = 0; number < CHOICE_KINDS * HOME_KINDS * PLACE_KINDS; number += 7) {
        routing r;
        routing_init(&r, 90 + 100 * (uint64_t)_i, number, ranks, 37);
        mot_nodes nodes[MOST_RANKS];
        mot_plan plan[MOST_RANKS];
        unsigned char *taken[MOST_RANKS];
        size_t all = 0, places = 0;
        for (int me = 0; me < ranks; me++) {
            routing_nodes(&nodes[me], ranks, me, _i % NODES_KINDS);
            mot_ck_ok(routing_plan(&r, &plan[me], &nodes[me]));
            taken[me] = mot_calloc(2 * r.samples * r.choices, 1);
            ck_assert_ptr_nonnull(taken[me]);
        }
        const int *node = nodes[0].node;
        for (size_t i = 0; i < r.samples * r.choices; i++) {
            const size_t s = i / r.choices, k = i % r.choices;
            const int home = r.home[s], owner = routing_owner(&r, s, k);
            const mot_plan *of_home = &plan[home], *of_owner = &plan[owner];
            const size_t at_home = of_home->home_place[number_of(of_home->home_sample, of_home->home_choice,
                                                                 of_home->rows_home, s, k)],
                         at_owner = of_owner->owner_place[number_of(
                             of_owner->owner_sample, of_owner->owner_choice, of_owner->rows_owner, s, k)];
            const size_t *sent = of_home->layout.home, *received = of_owner->layout.owner;
            take_place(taken[node[home]], sent, node[owner], at_home);
            all++;
            if (node[home] == node[owner]) {
                ck_assert_uint_eq(at_home, at_owner);
                continue;
            }
            take_place(taken[node[owner]], received, node[home], at_owner);
            ck_assert_uint_eq(at_home - sent[node[owner]], at_owner - received[node[home]]);
            all++;
        }
        for (int n = 0; n < nodes[0].count; n++)
            places += plan[nodes[0].member[nodes[0].first[n]]].layout.owner[nodes[0].count];
        ck_assert_uint_eq(places, all);
        for (int me = 0; me < ranks; me++) {
            mot_free(taken[me]);
            mot_plan_free(&plan[me]);
            mot_nodes_free(&nodes[me]);
        }
        routing_free(&r);
    }
}
END_TEST

/* One plan used for chunk after chunk, larger and smaller, is as good as a fresh one, and keeps its memory.
 */
START_TEST(a_plan_is_used_again)
{
    routing r;
    routing_init(&r, 50, 7, 3, 200);
    for (int me = 0; me < 3; me++) {
        mot_plan plan;
        mot_nodes nodes;
        routing_nodes(&nodes, 3, me, NODES_NEIGHBOURS);
        mot_ck_ok(mot_plan_init(&plan, &r.placement, &nodes));
        ck_assert_uint_eq(plan.rows_home + plan.rows_owner, 0);
        const size_t all = r.samples;
        const size_t chunk[] = {all / 2, 1, all, 0, all / 3, all};
        const uint32_t *row = NULL;
        for (size_t i = 0; i < MOT_COUNT(chunk); i++) {
            r.samples = MOT_MIN(chunk[i], all);
            mot_ck_ok(mot_plan_build(&plan, &r.placement, r.samples, r.choices, r.home, r.expert, NULL, NULL));
            check_against_twin(&r, &plan, me);
            check_groups(&r, &plan, me);
            if (i == 2) row = plan.row;
            if (i > 2) ck_assert_ptr_eq(plan.row, row);
        }
        r.samples = all;
        mot_plan_free(&plan);
        mot_plan_free(&plan);
        mot_nodes_free(&nodes);
    }
    routing_free(&r);
}
END_TEST

/* Too many rows: a sentence, and the plan is as it was. No table is read, so none has to be that long. */
START_TEST(a_chunk_beyond_int_is_refused)
{
    routing r;
    routing_init(&r, 60, 0, 2, 60);
    mot_plan plan;
    mot_nodes nodes;
    routing_nodes(&nodes, 2, 1, NODES_ALONE);
    mot_ck_ok(routing_plan(&r, &plan, &nodes));
    const size_t too_many[][2] = {
        {(size_t)INT_MAX + 1, 1}, {(size_t)1 << 30, 2}, {SIZE_MAX / 2, 4}, {1, SIZE_MAX}};
    for (size_t i = 0; i < MOT_COUNT(too_many); i++) {
        ck_assert_int_eq(
            mot_plan_build(&plan, &r.placement, too_many[i][0], too_many[i][1], r.home, r.expert, NULL, NULL),
            MOT_ERR_INPUT);
        ck_assert_ptr_nonnull(strstr(mot_error_message(), "a plan ends at 2147483647 rows"));
        check_against_twin(&r, &plan, 1);
        check_groups(&r, &plan, 1);
    }
    mot_plan_free(&plan);
    mot_nodes_free(&nodes);
    routing_free(&r);
}
END_TEST

/* The samples of every expert in the order it meets them, gathered over the ranks of the job, are those of a
 * job of one rank: -1 beyond the last. */
static void meetings(const mot_placement *p, const mot_plan *plan, size_t samples, int *met)
{
    for (size_t i = 0; i < (size_t)p->experts * samples; i++) met[i] = -1;
    for (size_t g = 0; g < plan->groups; g++) {
        int *mine = met + (size_t)p->local[p->first[plan->rank] + (int)g] * samples;
        for (size_t i = plan->group_first[g]; i < plan->group_first[g + 1]; i++)
            *mine++ = plan->owner_sample[plan->row[i]];
    }
}

START_TEST(experts_meet_their_samples_in_the_same_order_on_any_number_of_ranks)
{
    for (uint32_t number = 0; number < 2 * CHOICE_KINDS * HOME_KINDS * PLACE_KINDS; number++) {
        routing r;
        routing_init(&r, 70, number, world.size, 60);
        mot_plan plan, alone;
        mot_placement one;
        mot_nodes nodes, single;
        routing_nodes(&nodes, world.size, world.rank, (int)(number % NODES_KINDS));
        routing_nodes(&single, 1, 0, NODES_ALONE);
        const bool built = routing_plan(&r, &plan, &nodes) == MOT_OK;
        mot_ck_all(built);
        int *homes = mot_calloc(r.samples, sizeof(int));
        mot_ck_ok(mot_placement_init(&one, "even", r.experts, 1, false, false));
        mot_ck_ok(mot_plan_init(&alone, &one, &single));
        mot_ck_ok(mot_plan_build(&alone, &one, r.samples, r.choices, homes, r.expert, NULL, NULL));

        const size_t n = (size_t)r.experts * r.samples;
        int *met = mot_calloc(n, sizeof(int)), *met_alone = mot_calloc(n, sizeof(int));
        meetings(&r.placement, &plan, r.samples, met);
        meetings(&one, &alone, r.samples, met_alone);
        MPI_Allreduce(MPI_IN_PLACE, met, (int)n, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
        const bool same = memcmp(met, met_alone, n * sizeof(int)) == 0;
        mot_ck_all(same);

        mot_free(met);
        mot_free(met_alone);
        mot_free(homes);
        mot_plan_free(&alone);
        mot_plan_free(&plan);
        mot_nodes_free(&nodes);
        mot_nodes_free(&single);
        mot_placement_free(&one);
        routing_free(&r);
    }
}
END_TEST

static void plan_tests(TCase *tcase)
{
    MPI_Comm_rank(MPI_COMM_WORLD, &world.rank);
    MPI_Comm_size(MPI_COMM_WORLD, &world.size);
    if (world.size == 1) { /* the other ranks are made up */
        tcase_add_loop_test(tcase, plan_is_what_the_double_loop_says, 1, 10);
        tcase_add_loop_test(tcase, places_in_a_node_are_what_the_double_loop_says, 0, 6 * NODES_KINDS);
        tcase_add_test(tcase, a_plan_is_used_again);
        tcase_add_test(tcase, a_chunk_beyond_int_is_refused);
    }
    tcase_add_test(tcase, experts_meet_their_samples_in_the_same_order_on_any_number_of_ranks);
}

MOT_CK_MAIN("plan", plan_tests)
