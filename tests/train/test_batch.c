/* Who reads which sample of a batch, for many sizes: every rank is played in turn. */
#include <string.h>

#include "mot/order.h"
#include "train_data.h"

enum { MOST = 60 };

static mot_dataset dataset;
static mot_gate gate;
static mot_gate_config gate_config;

static void setup(void)
{
    mot_comm comm;
    mot_comm_init(&comm, MPI_COMM_WORLD);
    data_open(&dataset, &comm);
    mot_comm_free(&comm);
    mot_ck_ok(mot_gate_init(&gate, &gate_config, 4, DATA_TOKENS, DATA_WIDTH, 0));
}

static void teardown(void)
{
    mot_dataset_close(&dataset);
}

static const size_t totals[] = {1, 2, 3, 7, 24, 59, 60};
static const size_t chunk_counts[] = {1, 2, 3, 5, 8};

/* Every sample of a batch is held by one rank, in its slot, with what the file says of it. */
static void check_rank(const mot_batch *batch, const mot_comm *comm, const mot_batch_source *source,
                       int *held)
{
    size_t mine = 0;
    for (size_t p = 0; p < batch->total; ++p) {
        ck_assert(batch->home[p] >= 0 && batch->home[p] < comm->size);
        if (batch->home[p] != comm->rank) continue;
        ++held[p];
        ck_assert_uint_eq(batch->slot[p], mine); /* slots are filled in the order of positions */
        ++mine;
        const mot_gidx position = batch->first + (mot_gidx)p;
        const int index = (int)(source->shuffled ? mot_order_sample(source->seed, DATA_SAMPLES, position)
                                                 : position);
        mot_sample_note note;
        memcpy(&note, batch->note + batch->slot[p] * batch->note_bytes, sizeof note);
        ck_assert_int_eq(note.index, index);
        ck_assert_int_eq(note.label, source->learn_group ? data_group(index) : data_label(index));
        ck_assert_int_eq(note.group, data_group(index));
        float x[DATA_TOKENS * DATA_WIDTH], g[DATA_WIDTH];
        memcpy(x, batch->bytes + batch->slot[p] * batch->sample_bytes, sizeof x);
        memcpy(g, batch->note + batch->slot[p] * batch->note_bytes + sizeof note, sizeof g);
        for (int j = 0; j < DATA_TOKENS * DATA_WIDTH; ++j) ck_assert(x[j] == data_number(index, j));
        for (int d = 0; d < DATA_WIDTH; ++d) {
            double mean = 0;
            for (int t = 0; t < DATA_TOKENS; ++t)
                mean += data_number(index, t * DATA_WIDTH + d) / DATA_TOKENS;
            ck_assert_double_eq_tol(g[d], mean, 1e-6);
        }
    }
    ck_assert_uint_eq(mine, batch->mine);
}

START_TEST(every_sample_has_one_home)
{
    const int ranks = _i;
    for (size_t c = 0; c < sizeof chunk_counts / sizeof *chunk_counts; ++c)
        for (size_t t = 0; t < sizeof totals / sizeof *totals; ++t) {
            const size_t total = totals[t], chunks = chunk_counts[c];
            int held[MOST] = {0}, home[MOST];
            for (int rank = 0; rank < ranks; ++rank) {
                const mot_comm comm = {.mpi = MPI_COMM_SELF, .rank = rank, .size = ranks};
                const mot_batch_source source = {.dataset = &dataset,
                                                 .gate = &gate,
                                                 .patch = 1,
                                                 .seed = 11,
                                                 .shuffled = rank % 2 == 0 || total > DATA_SAMPLES,
                                                 .learn_group = chunks == 3};
                mot_batch batch;
                mot_ck_ok(mot_batch_init(&batch, &comm, &source, MOST, chunks));
                mot_ck_ok(mot_batch_load(&batch, &comm, &source, source.shuffled ? 1000 : 0, total));
                check_rank(&batch, &comm, &source, held);
                /* All ranks agree on the homes. */
                if (rank == 0) memcpy(home, batch.home, total * sizeof *home);
                ck_assert(memcmp(home, batch.home, total * sizeof *home) == 0);
                /* A chunk's homes are contiguous slices in the order of ranks, of even length. */
                ck_assert_uint_eq(mot_chunk_first(&batch, 0), 0);
                ck_assert_uint_eq(mot_chunk_first(&batch, chunks), total);
                for (size_t k = 0; k < chunks; ++k) {
                    const size_t from = mot_chunk_first(&batch, k), end = mot_chunk_first(&batch, k + 1);
                    size_t count = 0;
                    for (size_t p = from; p < end; ++p) {
                        ck_assert(p == from || home[p] >= home[p - 1]);
                        count += home[p] == rank;
                    }
                    ck_assert(count >= (end - from) / (size_t)ranks &&
                              count <= (end - from) / (size_t)ranks + 1);
                }
                mot_batch_free(&batch);
            }
            for (size_t p = 0; p < total; ++p) ck_assert_int_eq(held[p], 1);
        }
}
END_TEST

START_TEST(a_sample_that_is_not_there_is_a_sentence)
{
    const mot_comm comm = {.mpi = MPI_COMM_SELF, .rank = 0, .size = 1};
    const mot_batch_source source = {.dataset = &dataset, .gate = &gate, .patch = 1};
    mot_batch batch;
    mot_ck_ok(mot_batch_init(&batch, &comm, &source, 8, 1));
    ck_assert_int_ne(mot_batch_load(&batch, &comm, &source, DATA_SAMPLES - 3, 8), MOT_OK);
    for (size_t p = 0; p < 8; ++p) ck_assert_int_eq(batch.home[p], 0); /* right even then */
    mot_batch_free(&batch);
}
END_TEST

static void batch_tests(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, every_sample_has_one_home, 1, 10);
    tcase_add_test(tcase, a_sample_that_is_not_there_is_a_sentence);
}

MOT_CK_MAIN("batch", batch_tests)
