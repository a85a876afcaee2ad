/* The exchange against a dull twin that gathers every row on every rank and picks; then its algebra. */
#include "mot/exchange.h"

#include <limits.h>
#include <string.h>

#include "routing.h"

static mot_comm comm;
static mot_nodes nodes[NODES_KINDS]; /* several nodes on one host, as far as an exchange knows */
static const size_t widths[] = {1, 4, 12, 784, 3073};

/* One routing with its plan, its buffers and what the twin expects in them. */
typedef struct traffic {
    routing r;
    mot_plan plan;
    mot_direction direction;
    size_t width, rows_sent, rows_received;
    unsigned char *rows, *receive, *expected; /* rows to be sent, rows that have arrived */
} traffic;

/* Which side of row (s, k) a rank is on: it has the row before the exchange, or after it. */
static int rank_before(const traffic *t, size_t s, size_t k)
{
    return t->direction == MOT_DISPATCH ? t->r.home[s] : routing_owner(&t->r, s, k);
}

static int rank_after(const traffic *t, size_t s, size_t k)
{
    return t->direction == MOT_DISPATCH ? routing_owner(&t->r, s, k) : t->r.home[s];
}

/* The twin. Every rank has a table of all rows [samples, choices, width], filled with random bytes where the
 * row is its own to send; all tables go to all ranks; what must arrive is picked from them, peer by peer. */
static void traffic_init(traffic *t, uint64_t seed, uint32_t number, mot_direction direction, size_t width,
                         int kind)
{
    *t = (traffic){.direction = direction, .width = width};
    routing_init(&t->r, seed, number, comm.size, width > 100 ? 20 : 60);
    const routing *r = &t->r;
    const bool built = routing_plan(r, &t->plan, &nodes[kind]) == MOT_OK;
    mot_ck_all(built);

    const size_t table_bytes = r->samples * r->choices * width;
    unsigned char *table = mot_calloc(table_bytes, 1), *tables = mot_calloc(table_bytes, (size_t)comm.size);
    t->rows = mot_calloc(table_bytes, 1);
    t->receive = mot_calloc(table_bytes, 1);
    t->expected = mot_calloc(table_bytes, 1);
    const bool allocated = table && tables && t->rows && t->receive && t->expected;
    mot_ck_all(allocated);

    for (size_t i = 0; i < r->samples * r->choices; i++) {
        if (rank_before(t, i / r->choices, i % r->choices) != comm.rank) continue;
        for (size_t j = 0; j < width; j++)
            table[i * width + j] = (unsigned char)mot_random(seed, MOT_STREAM_TEST, number,
                                                             (uint32_t)comm.rank, (uint32_t)i,
                                                             1 + (uint32_t)j)
                                       .word[0];
    }
    MPI_Allgather(table, (int)table_bytes, MPI_BYTE, tables, (int)table_bytes, MPI_BYTE, comm.mpi);
    for (int peer = 0; peer < comm.size; peer++) {
        for (size_t i = 0; i < r->samples * r->choices; i++) {
            const int before = rank_before(t, i / r->choices, i % r->choices);
            const int after = rank_after(t, i / r->choices, i % r->choices);
            if (before == comm.rank && after == peer)
                memcpy(t->rows + t->rows_sent++ * width, table + i * width, width);
            if (before == peer && after == comm.rank)
                memcpy(t->expected + t->rows_received++ * width,
                       tables + (size_t)peer * table_bytes + i * width, width);
        }
    }
    mot_free(table);
    mot_free(tables);
}

static void traffic_free(traffic *t)
{
    mot_free(t->rows);
    mot_free(t->receive);
    mot_free(t->expected);
    mot_plan_free(&t->plan);
    routing_free(&t->r);
}

static bool arrived(const traffic *t)
{
    return memcmp(t->receive, t->expected, t->rows_received * t->width) == 0;
}

/* Every routing where each rank is a node; otherwise, and in short, every 7th, which meets every kind of each sort. */
static uint32_t next_number(uint32_t number, int kind)
{
    return number + (kind == NODES_ALONE && !mot_ck_short() ? 1 : 7);
}

static uint64_t sum_over_ranks(uint64_t mine)
{
    uint64_t sum;
    MPI_Allreduce(&mine, &sum, 1, MPI_UINT64_T, MPI_SUM, comm.mpi);
    return sum;
}

/* Where rows are written, and where they are read. */
static unsigned char *row_at(const mot_exchange *exchange, const mot_plan *plan, bool home, size_t row)
{
    return home ? mot_exchange_home(exchange, plan, row) : mot_exchange_owner(exchange, plan, row);
}

/* Makes room and packs, as every caller does: row by row, each written once. */
static void pack(mot_exchange *exchange, const mot_plan *plan, mot_direction direction, const void *rows)
{
    const bool home = direction == MOT_DISPATCH;
    const size_t width = exchange->row_bytes, n = home ? plan->rows_home : plan->rows_owner;
    mot_ck_ok(mot_exchange_reserve(exchange, plan));
    MPI_Barrier(comm.mpi);
    for (size_t r = 0; r < n; r++)
        memcpy(row_at(exchange, plan, home, r), (const unsigned char *)rows + r * width, width);
}

static void unpack(const mot_exchange *exchange, const mot_plan *plan, mot_direction direction, void *rows)
{
    const bool home = direction == MOT_COMBINE;
    const size_t width = exchange->row_bytes, n = home ? plan->rows_home : plan->rows_owner;
    for (size_t r = 0; r < n; r++)
        memcpy((unsigned char *)rows + r * width, row_at(exchange, plan, home, r), width);
}

static void exchange_now(mot_exchange *exchange, const mot_plan *plan, mot_direction direction,
                         const void *rows, void *received)
{
    pack(exchange, plan, direction, rows);
    mot_exchange_begin(exchange, plan, direction);
    mot_exchange_end(exchange);
    unpack(exchange, plan, direction, received);
}

/* Rows sent are rows received, the counters count what leaves the rank, and the bytes are the twin's. */
START_TEST(rows_arrive_as_the_twin_says)
{
    const int kind = _i % NODES_KINDS;
    const size_t width = widths[_i / NODES_KINDS];
    mot_exchange exchange;
    mot_ck_ok(mot_exchange_init(&exchange, &comm, &nodes[kind], width));
    for (uint32_t number = 0; number < CHOICE_KINDS * HOME_KINDS * PLACE_KINDS;
         number = next_number(number, kind)) {
        for (int direction = MOT_DISPATCH; direction <= MOT_COMBINE; direction++) {
            traffic t;
            traffic_init(&t, 100 + (uint64_t)_i, number, (mot_direction)direction, width, kind);
            const uint64_t sent_before = exchange.sent_bytes, received_before = exchange.received_bytes;
            exchange_now(&exchange, &t.plan, t.direction, t.rows, t.receive);
            mot_ck_all(arrived(&t));

            const size_t *first = direction == MOT_DISPATCH ? t.plan.home_first : t.plan.owner_first;
            const size_t own = first[comm.rank + 1] - first[comm.rank];
            mot_ck_all(exchange.sent_bytes - sent_before == (t.rows_sent - own) * width);
            mot_ck_all(exchange.received_bytes - received_before == (t.rows_received - own) * width);
            mot_ck_all(sum_over_ranks(t.rows_sent) == t.r.samples * t.r.choices);
            mot_ck_all(sum_over_ranks(t.rows_received) == t.r.samples * t.r.choices);
            traffic_free(&t);
        }
    }
    mot_exchange_free(&exchange);
}
END_TEST

/* Rows of their own lengths, none among them: every byte is where its row says, at both ends, and no more travel than that. */
START_TEST(rows_of_their_own_lengths)
{
    mot_exchange exchange;
    mot_ck_ok(mot_exchange_init(&exchange, &comm, &nodes[_i], 0));
    for (uint32_t number = 0; number < CHOICE_KINDS * HOME_KINDS * PLACE_KINDS; number = next_number(number, _i)) {
        traffic t;
        traffic_init(&t, 180, number, MOT_DISPATCH, 4, _i);
        uint32_t *units = mot_calloc(t.r.samples, sizeof *units);
        for (size_t s = 0; s < t.r.samples; s++) units[s] = (uint32_t)(s * s % 7 + (s % 11 == 3 ? 300 : 0));
        mot_ck_ok(mot_plan_build(&t.plan, &t.r.placement, t.r.samples, t.r.choices, t.r.home, t.r.expert, NULL, units));
        mot_ck_ok(mot_exchange_reserve(&exchange, &t.plan));
        MPI_Barrier(comm.mpi);
        size_t out = 0;
        for (size_t r = 0; r < t.plan.rows_home; r++) {
            const int32_t s = t.plan.home_sample[r], k = t.plan.home_choice[r];
            memset(mot_exchange_home(&exchange, &t.plan, r), 1 + (s * 5 + k) % 251, units[s] * (size_t)MOT_UNIT_BYTES);
            out += units[s] * (size_t)MOT_UNIT_BYTES;
        }
        mot_ck_all(out == mot_exchange_home_bytes(&exchange, &t.plan));
        mot_exchange_begin(&exchange, &t.plan, MOT_DISPATCH);
        mot_exchange_end(&exchange);
        bool right = true;
        size_t in = 0;
        for (size_t r = 0; r < t.plan.rows_owner; r++) {
            const int32_t s = t.plan.owner_sample[r], k = t.plan.owner_choice[r];
            const unsigned char *row = mot_exchange_owner(&exchange, &t.plan, r);
            for (size_t i = 0; i < units[s] * (size_t)MOT_UNIT_BYTES; i++) right = right && row[i] == 1 + (s * 5 + k) % 251;
            in += units[s] * (size_t)MOT_UNIT_BYTES;
        }
        mot_ck_all(right && in == mot_exchange_owner_bytes(&exchange, &t.plan));
        mot_free(units);
        traffic_free(&t);
    }
    mot_exchange_free(&exchange);
}
END_TEST

/* A row that stays on its rank has one place, and so have rows within a node, for both ranks. */
START_TEST(rows_that_stay_are_written_where_they_are_read)
{
    mot_exchange exchange;
    mot_ck_ok(mot_exchange_init(&exchange, &comm, &nodes[_i], 4));
    for (uint32_t number = 0; number < CHOICE_KINDS * HOME_KINDS * PLACE_KINDS;
         number = next_number(number, _i)) {
        traffic t;
        traffic_init(&t, 150, number, MOT_DISPATCH, 4, _i);
        pack(&exchange, &t.plan, MOT_DISPATCH, t.rows);
        MPI_Barrier(comm.mpi);
        bool right = true;
        for (int peer = 0; peer < comm.size; peer++) {
            if (nodes[_i].node[peer] != nodes[_i].mine) continue;
            for (size_t r = t.plan.owner_first[peer]; r < t.plan.owner_first[peer + 1]; r++)
                right = right &&
                        memcmp(mot_exchange_owner(&exchange, &t.plan, r), t.expected + 4 * r, 4) == 0;
        }
        mot_ck_all(right);
        traffic_free(&t);
    }
    mot_exchange_free(&exchange);
}
END_TEST

START_TEST(dispatch_then_combine_is_the_identity)
{
    const int kind = _i % NODES_KINDS;
    const size_t width = widths[_i / NODES_KINDS];
    mot_exchange exchange;
    mot_ck_ok(mot_exchange_init(&exchange, &comm, &nodes[kind], width));
    for (uint32_t number = 0; number < CHOICE_KINDS * HOME_KINDS * PLACE_KINDS;
         number = next_number(number, kind)) {
        traffic t;
        traffic_init(&t, 200 + (uint64_t)_i, number, MOT_DISPATCH, width, kind);
        unsigned char *back = mot_calloc(t.rows_sent, width);
        exchange_now(&exchange, &t.plan, MOT_DISPATCH, t.rows, t.receive);
        exchange_now(&exchange, &t.plan, MOT_COMBINE, t.receive, back);
        mot_ck_all(memcmp(back, t.rows, t.rows_sent * width) == 0);
        mot_free(back);
        traffic_free(&t);
    }
    mot_exchange_free(&exchange);
}
END_TEST

static int64_t dot(const int64_t *x, const int64_t *y, size_t n)
{
    int64_t sum = 0;
    for (size_t i = 0; i < n; i++) sum += x[i] * y[i];
    return sum;
}

/* <D x, y> = <x, C y>, in whole numbers and so exactly: combine carries the gradient of dispatch. */
START_TEST(combine_is_the_adjoint_of_dispatch)
{
    enum { WIDTH = 3 };
    mot_exchange exchange;
    mot_ck_ok(mot_exchange_init(&exchange, &comm, &nodes[_i], WIDTH * sizeof(int64_t)));
    for (uint32_t number = 0; number < CHOICE_KINDS * HOME_KINDS * PLACE_KINDS;
         number = next_number(number, _i)) {
        routing r;
        routing_init(&r, 300, number, comm.size, 60);
        mot_plan plan;
        const bool built = routing_plan(&r, &plan, &nodes[_i]) == MOT_OK;
        mot_ck_all(built);
        const size_t home = WIDTH * plan.rows_home, owner = WIDTH * plan.rows_owner;
        int64_t *x = mot_calloc(home, sizeof *x), *cy = mot_calloc(home, sizeof *cy);
        int64_t *y = mot_calloc(owner, sizeof *y), *dx = mot_calloc(owner, sizeof *dx);
        dice d = {.seed = 301 + (uint64_t)comm.rank + 16 * number};
        for (size_t i = 0; i < home; i++) x[i] = (int64_t)dice_throw(&d, 2001) - 1000;
        for (size_t i = 0; i < owner; i++) y[i] = (int64_t)dice_throw(&d, 2001) - 1000;
        exchange_now(&exchange, &plan, MOT_DISPATCH, x, dx);
        exchange_now(&exchange, &plan, MOT_COMBINE, y, cy);
        const uint64_t left = sum_over_ranks((uint64_t)dot(dx, y, owner));
        const uint64_t right = sum_over_ranks((uint64_t)dot(x, cy, home));
        mot_ck_all(left == right);
        mot_free(x);
        mot_free(cy);
        mot_free(y);
        mot_free(dx);
        mot_plan_free(&plan);
        routing_free(&r);
    }
    mot_exchange_free(&exchange);
}
END_TEST

/* Whoever holds the samples and wherever the experts live: an expert reads its rows in global order. */
START_TEST(experts_read_their_rows_in_global_order)
{
    mot_exchange exchange;
    mot_ck_ok(mot_exchange_init(&exchange, &comm, &nodes[_i], sizeof(int64_t)));
    for (uint32_t number = 0; number < CHOICE_KINDS * HOME_KINDS * PLACE_KINDS;
         number = next_number(number, _i)) {
        routing r;
        routing_init(&r, 400, number, comm.size, 60);
        mot_plan plan;
        const bool built = routing_plan(&r, &plan, &nodes[_i]) == MOT_OK;
        mot_ck_all(built);
        /* A row says which sample it is; 1 + s, so that an unwritten row is nobody's. */
        int64_t *send = mot_calloc(plan.rows_home, sizeof *send);
        int64_t *received = mot_calloc(plan.rows_owner, sizeof *received);
        for (size_t i = 0; i < plan.rows_home; i++) send[i] = 1 + plan.home_sample[i];
        exchange_now(&exchange, &plan, MOT_DISPATCH, send, received);

        /* [experts, samples]: gathered from the owners, and as one rank alone would have it. */
        const size_t n = (size_t)r.experts * r.samples;
        int64_t *read = mot_calloc(n, sizeof *read), *alone = mot_calloc(n, sizeof *alone);
        for (size_t g = 0; g < plan.groups; g++) {
            const int e = r.placement.local[r.placement.first[comm.rank] + (int)g];
            for (size_t i = plan.group_first[g]; i < plan.group_first[g + 1]; i++)
                read[(size_t)e * r.samples + i - plan.group_first[g]] = received[plan.row[i]];
        }
        for (int e = 0; e < r.experts; e++) {
            size_t at = (size_t)e * r.samples;
            for (size_t i = 0; i < r.samples * r.choices; i++)
                if (r.expert[i] == e) alone[at++] = 1 + (int64_t)(i / r.choices);
        }
        MPI_Allreduce(MPI_IN_PLACE, read, (int)n, MPI_INT64_T, MPI_MAX, comm.mpi);
        mot_ck_all(memcmp(read, alone, n * sizeof *read) == 0);
        mot_free(read);
        mot_free(alone);
        mot_free(send);
        mot_free(received);
        mot_plan_free(&plan);
        routing_free(&r);
    }
    mot_exchange_free(&exchange);
}
END_TEST

static unsigned char byte_of(const int32_t *sample, const int32_t *choice, size_t row, size_t at)
{
    return (unsigned char)(31 * sample[row] + 7 * choice[row] + (int)(at * at >> 5));
}

/* What goes to other hosts goes in pieces; here nodes are declared distant, all of them or every second one. Rows so
 * wide that a message has several pieces, most of which end within a row, and some messages have too many. */
START_TEST(pieces_arrive_where_they_belong)
{
    enum { WIDTH = 30011 };
    size_t whole = 0, cut = 0;
    mot_exchange exchange;
    mot_ck_ok(mot_exchange_init(&exchange, &comm, &nodes[_i], WIDTH));
    bool all_here = true;
    for (int n = 0; n < nodes[_i].count; n++) all_here = all_here && !exchange.distant[n];
    mot_ck_all(all_here);
    for (uint32_t number = 0; number < CHOICE_KINDS * HOME_KINDS * PLACE_KINDS;
         number += _i == NODES_ALONE ? 1 : 7) { /* some are cut, and some are not */
        routing r;
        routing_init(&r, 700, number, comm.size, 37);
        mot_plan plan;
        mot_ck_ok(routing_plan(&r, &plan, &nodes[_i]));
        for (int n = 0; n < nodes[_i].count; n++) {
            const size_t bytes = (plan.layout.home[n + 1] - plan.layout.home[n]) * WIDTH;
            exchange.distant[n] = number % 2 == 0 || (n + nodes[_i].mine) % 2 == 1;
            if (n == nodes[_i].mine || !exchange.distant[n]) continue;
            if (bytes > (size_t)MOT_MOST_PIECES * MOT_PIECE_BYTES)
                ++whole;
            else if (bytes > MOT_PIECE_BYTES)
                ++cut;
        }
        unsigned char *home = mot_calloc(plan.rows_home, WIDTH), *owner = mot_calloc(plan.rows_owner, WIDTH);
        for (size_t i = 0; i < plan.rows_home; i++)
            for (size_t j = 0; j < WIDTH; j++)
                home[i * WIDTH + j] = byte_of(plan.home_sample, plan.home_choice, i, j);
        exchange_now(&exchange, &plan, MOT_DISPATCH, home, owner);
        bool right = true;
        for (size_t i = 0; i < plan.rows_owner; i++)
            for (size_t j = 0; j < WIDTH; j++)
                right = right && owner[i * WIDTH + j] == byte_of(plan.owner_sample, plan.owner_choice, i, j);
        mot_ck_all(right);
        unsigned char *back = mot_calloc(plan.rows_home, WIDTH);
        exchange_now(&exchange, &plan, MOT_COMBINE, owner, back);
        mot_ck_all(memcmp(back, home, plan.rows_home * WIDTH) == 0);
        mot_free(back);
        mot_free(home);
        mot_free(owner);
        mot_plan_free(&plan);
        routing_free(&r);
    }
    mot_exchange_free(&exchange);
    mot_ck_all(_i != NODES_ALONE || comm.size == 1 || (sum_over_ranks(whole) > 0 && sum_over_ranks(cut) > 0));
}
END_TEST

/* Several in the air, of several widths, plans and directions; each rank ends them in an order of its own. */
START_TEST(several_in_flight_end_in_any_order)
{
    enum { FLIGHTS = 6 };
    for (uint32_t number = 0; number < 20; number = next_number(number, _i)) {
        traffic t[FLIGHTS];
        mot_exchange exchange[FLIGHTS];
        int order[FLIGHTS];
        for (int f = 0; f < FLIGHTS; f++) {
            const size_t width = widths[((size_t)f + number) % MOT_COUNT(widths)];
            order[f] = f;
            traffic_init(&t[f], 500 + (uint64_t)f, 7 * number + (uint32_t)f,
                         f % 2 == 0 ? MOT_DISPATCH : MOT_COMBINE, width, _i);
            mot_ck_ok(mot_exchange_init(&exchange[f], &comm, &nodes[_i], width));
        }
        for (int f = 0; f < FLIGHTS; f++) {
            pack(&exchange[f], &t[f].plan, t[f].direction, t[f].rows);
            mot_exchange_begin(&exchange[f], &t[f].plan, t[f].direction);
        }
        dice d = {.seed = 600 + (uint64_t)comm.rank + 16 * number};
        dice_shuffle(&d, order, FLIGHTS);
        for (int i = 0; i < FLIGHTS; i++) {
            const int f = order[i];
            /* Half of them are polled until they have landed; the end has nothing left to do then. */
            while (i % 2 == 0 && !mot_exchange_test(&exchange[f])) continue;
            mot_exchange_end(&exchange[f]);
            unpack(&exchange[f], &t[f].plan, t[f].direction, t[f].receive);
        }
        bool all = true;
        for (int f = 0; f < FLIGHTS; f++) all = all && arrived(&t[f]);
        mot_ck_all(all);
        for (int f = 0; f < FLIGHTS; f++) {
            mot_exchange_free(&exchange[f]);
            traffic_free(&t[f]);
        }
    }
}
END_TEST

/* Nothing in the air: testing and ending are harmless, and so is freeing twice, or what could not be made. */
START_TEST(edges_of_an_exchange)
{
    mot_exchange exchange;
    mot_ck_ok(mot_exchange_init(&exchange, &comm, &nodes[0], 8));
    ck_assert(mot_exchange_test(&exchange));
    mot_exchange_end(&exchange);
    mot_exchange_free(&exchange);
    mot_exchange_free(&exchange);
    ck_assert_int_eq(mot_exchange_init(&exchange, &comm, &nodes[0], (size_t)INT_MAX + 1), MOT_ERR_INPUT);
    mot_exchange_free(&exchange);
}
END_TEST

static void set_up(void)
{
    mot_comm_init(&comm, MPI_COMM_WORLD);
    for (int kind = 0; kind < NODES_KINDS; kind++)
        mot_ck_ok(mot_nodes_init(&nodes[kind], &comm, routing_colour(kind, comm.rank)));
}

static void tear_down(void)
{
    for (int kind = 0; kind < NODES_KINDS; kind++) mot_nodes_free(&nodes[kind]);
    mot_comm_free(&comm);
}

static void exchange_tests(TCase *tcase)
{
    tcase_add_unchecked_fixture(tcase, set_up, tear_down);
    const int widths_and_nodes = (int)MOT_COUNT(widths) * NODES_KINDS;
    tcase_add_loop_test(tcase, rows_arrive_as_the_twin_says, 0, widths_and_nodes);
    tcase_add_loop_test(tcase, rows_that_stay_are_written_where_they_are_read, 0, NODES_KINDS);
    tcase_add_loop_test(tcase, rows_of_their_own_lengths, 0, NODES_KINDS);
    tcase_add_loop_test(tcase, dispatch_then_combine_is_the_identity, 0, widths_and_nodes);
    tcase_add_loop_test(tcase, combine_is_the_adjoint_of_dispatch, 0, NODES_KINDS);
    tcase_add_loop_test(tcase, experts_read_their_rows_in_global_order, 0, NODES_KINDS);
    tcase_add_loop_test(tcase, pieces_arrive_where_they_belong, 0, NODES_KINDS);
    tcase_add_loop_test(tcase, several_in_flight_end_in_any_order, 0, NODES_KINDS);
    tcase_add_test(tcase, edges_of_an_exchange);
}

MOT_CK_MAIN("exchange", exchange_tests)
