/* Who reads which sample of a batch, for many sizes: every rank is played in turn. And what a thread loads ahead is what
 * the caller would have read. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mot/order.h"
#include "train_data.h"

enum { MOST = 60 };

static mot_dataset dataset, on_disk; /* the same samples, in memory or not */
static char disk_path[64];
static mot_gate gate;
static mot_gate_config gate_config;

static void setup(void)
{
    mot_comm comm;
    mot_comm_init(&comm, MPI_COMM_WORLD);
    data_open(&dataset, &comm);
    mot_comm_free(&comm);
    snprintf(disk_path, sizeof disk_path, "train-data-disk.%d.h5", (int)getpid());
    data_write(disk_path);
    mot_ck_ok(mot_dataset_open(&on_disk, disk_path, "train", 0));
    ck_assert(mot_dataset_waits(&on_disk) && !mot_dataset_waits(&dataset));
    mot_ck_ok(mot_gate_init(&gate, &gate_config, 4, DATA_TOKENS, DATA_WIDTH, 0, DATA_CLASSES));
}

static void teardown(void)
{
    mot_dataset_close(&on_disk);
    mot_dataset_close(&dataset);
    unlink(disk_path);
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
        const mot_sample_note *note = mot_batch_note(batch, p);
        int32_t label;
        memcpy(&label, note->target, sizeof label);
        ck_assert_int_eq(note->index, index);
        ck_assert_int_eq(label, source->learn_group ? data_group(index) : data_label(index));
        ck_assert_int_eq(note->group, data_group(index));
        float x[DATA_TOKENS * DATA_WIDTH], g[DATA_WIDTH];
        memcpy(x, batch->bytes + batch->slot[p] * batch->sample_bytes, sizeof x);
        memcpy(g, (const unsigned char *)note + batch->note_numbers, sizeof g);
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
                                                  .patch = 1,
                                                 .seed = 11,
                                                 .shuffled = rank % 2 == 0 || total > DATA_SAMPLES,
                                                 .learn_group = chunks == 3};
                mot_batch batch;
                mot_ck_ok(mot_batch_init(&batch, &comm, &gate, 1, &source, MOST, chunks));
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
    const mot_batch_source source = {.dataset = &dataset,  .patch = 1};
    mot_batch batch;
    mot_ck_ok(mot_batch_init(&batch, &comm, &gate, 1, &source, 8, 1));
    ck_assert_int_ne(mot_batch_load(&batch, &comm, &source, DATA_SAMPLES - 3, 8), MOT_OK);
    for (size_t p = 0; p < 8; ++p) ck_assert_int_eq(batch.home[p], 0); /* right even then */
    mot_batch_free(&batch);
}
END_TEST

/* ---- from a disk ---- */

/* Training and evaluation from the disk, evaluation from memory; batches mostly follow one another, as steps do. */
START_TEST(what_was_loaded_ahead_is_what_was_asked_for)
{
    const mot_comm comm = {.mpi = MPI_COMM_SELF, .rank = _i / 2, .size = 1 + _i / 2 * 2};
    const mot_augment_config augment = {0};
    const mot_batch_source sources[] = {
        {.dataset = &on_disk,  .patch = 1, .seed = 3, .shuffled = true, .augment = &augment},
        {.dataset = &on_disk,  .patch = 1, .learn_group = true},
        {.dataset = &dataset,  .patch = 1},
    };
    uint64_t random = 7 + (uint64_t)_i;
    mot_batch batch;
    mot_ck_ok(mot_batch_init(&batch, &comm, &gate, 1, &sources[0], MOST, 2));
    mot_gidx end[3] = {0};
    size_t last = 10, which = 0;
    for (int load = 0; load < 400; ++load) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        const unsigned dice = random >> 33 & 0xff;
        if (dice < 20) which = dice % 3;
        if (dice >= 20 && dice < 30) last = 1 + dice % 13; /* another size */
        const mot_batch_source *source = &sources[which];
        mot_gidx first = dice >= 30 && dice < 40 ? dice : end[which]; /* a jump */
        size_t total = last;
        if (!source->shuffled) {
            if (first >= DATA_SAMPLES) first = 0;
            total = (size_t)MOT_MIN((mot_gidx)total, DATA_SAMPLES - first);
        }
        mot_ck_ok(mot_batch_load(&batch, &comm, source, first, total));
        ck_assert_int_eq(batch.first, first);
        ck_assert_uint_eq(batch.total, total);
        int held[MOST] = {0};
        check_rank(&batch, &comm, source, held);
        end[which] = first + (mot_gidx)total;
        if (_i % 2 == 1 && load % 7 == 0) usleep(500); /* the thread goes ahead, or is still at it */
    }
    mot_batch_free(&batch);
}
END_TEST

/* Without a thread: a batch that was made for samples in memory. */
static mot_status load_plainly(const mot_comm *comm, const mot_batch_source *source, mot_gidx first,
                               size_t total)
{
    const mot_batch_source in_memory = {.dataset = &dataset,  .patch = 1};
    mot_batch plain;
    mot_ck_ok(mot_batch_init(&plain, comm, &gate, 1, &in_memory, MOST, 1));
    ck_assert_ptr_null(plain.ahead);
    const mot_status status = mot_batch_load(&plain, comm, source, first, total);
    mot_batch_free(&plain);
    return status;
}

/* Sample i and those behind it are no longer there. */
static void cut_file(mot_gidx i)
{
    unsigned char bytes[DATA_TOKENS * DATA_WIDTH * sizeof(float)];
    struct stat info;
    ck_assert_int_eq(stat(disk_path, &info), 0);
    for (off_t size = info.st_size; mot_dataset_read(&on_disk, i, bytes) == MOT_OK; size -= 8)
        ck_assert_int_eq(truncate(disk_path, size), 0);
    mot_ck_ok(mot_dataset_read(&on_disk, i - 1, bytes));
}

START_TEST(a_failure_ahead_is_told_when_its_batch_is_asked_for)
{
    enum { BATCH = 4, LOST = 22 }; /* the second half of batch 5 */
    const mot_comm comm = {.mpi = MPI_COMM_SELF, .rank = 0, .size = 1};
    const mot_batch_source source = {.dataset = &on_disk,  .patch = 1};
    mot_batch batch;
    mot_ck_ok(mot_batch_init(&batch, &comm, &gate, 1, &source, MOST, 1));
    cut_file(LOST);
    for (int again = 0; again < 2; ++again) {
        for (mot_gidx first = 0; first + BATCH <= LOST; first += BATCH) {
            int held[MOST] = {0};
            mot_ck_ok(mot_batch_load(&batch, &comm, &source, first, BATCH));
            check_rank(&batch, &comm, &source, held);
        }
        usleep(2000); /* it has failed by now, or will when it is asked for */
        char expected[2048];
        const mot_gidx first = LOST / BATCH * BATCH;
        ck_assert_int_eq(load_plainly(&comm, &source, first, BATCH), MOT_ERR_FILE);
        snprintf(expected, sizeof expected, "%s", mot_error_message());
        mot_fail(MOT_OK, "another sentence");
        ck_assert_int_eq(mot_batch_load(&batch, &comm, &source, first, BATCH), MOT_ERR_FILE);
        ck_assert_str_eq(mot_error_message(), expected);
        for (size_t p = 0; p < BATCH; ++p) ck_assert_int_eq(batch.home[p], 0); /* right even then */
        ck_assert_int_eq(mot_batch_load(&batch, &comm, &source, first, BATCH), MOT_ERR_FILE); /* and again */
    }
    mot_batch_free(&batch);
}
END_TEST

START_TEST(it_may_be_freed_while_it_loads)
{
    const mot_comm comm = {.mpi = MPI_COMM_SELF, .rank = 0, .size = 1};
    const mot_batch_source source = {.dataset = &on_disk,  .patch = 1, .shuffled = true};
    for (int loads = 0; loads < 40; ++loads) {
        mot_batch batch;
        mot_ck_ok(mot_batch_init(&batch, &comm, &gate, 1, &source, MOST, 1));
        for (mot_gidx i = 0; i < loads; ++i) mot_ck_ok(mot_batch_load(&batch, &comm, &source, 60 * i, 60));
        mot_batch_free(&batch);
    }
}
END_TEST

/* ---- samples that are made ---- */

static void check_same(const mot_batch *batch, const mot_batch *plain)
{
    ck_assert_int_eq(batch->first, plain->first);
    ck_assert_uint_eq(batch->total, plain->total);
    ck_assert_uint_eq(batch->mine, plain->mine);
    for (size_t p = 0; p < plain->total; ++p) {
        ck_assert_int_eq(batch->home[p], plain->home[p]);
        if (plain->home[p] != 0) continue;
        const size_t bytes = mot_batch_sample_bytes(plain, p);
        ck_assert_uint_eq(mot_batch_sample_bytes(batch, p), bytes);
        ck_assert_mem_eq(mot_batch_sample(batch, p), mot_batch_sample(plain, p), bytes);
        ck_assert_mem_eq(mot_batch_note(batch, p), mot_batch_note(plain, p), plain->note_bytes);
    }
}

/* What threads make ahead is what the caller alone would have made, whatever is asked for, and freed while they are at it. */
START_TEST(what_threads_make_ahead_is_what_was_asked_for)
{
    enum { SAMPLES = 100000, MANY = 200 };
    const mot_comm comm = {.mpi = MPI_COMM_SELF, .rank = 0, .size = 1 + _i % 2};
    mot_dataset sets[2];
    mot_gate made_gate;
    mot_threads *threads;
    mot_batch batch, plain;
    for (int s = 0; s < 2; ++s) {
        const mot_mixture_config mixture = {.classes = 4,
                                            .tokens = 8,
                                            .width = 32,
                                            .alpha = {1, 2},
                                            .beta = {1, 2},
                                            .gamma = {1, 2},
                                            .sigma = 0.5,
                                            .seed = 5 + (uint64_t)s};
        mot_ck_ok(mot_dataset_generate(&sets[s], &mixture, "train", SAMPLES, 0));
        ck_assert(mot_dataset_made_anew(&sets[s]));
    }
    const mot_batch_source sources[] = {{.dataset = &sets[0], .patch = 1, .repeats = true},
                                        {.dataset = &sets[1], .patch = 1}};
    mot_ck_ok(mot_gate_init(&made_gate, &gate_config, 4, 8, 32, 0, DATA_CLASSES));
    mot_ck_ok(mot_threads_create(&threads, 1 + _i));
    mot_ck_ok(mot_batch_init(&batch, &comm, &made_gate, 1, &sources[0], MANY, 2));
    mot_ck_ok(mot_batch_init(&plain, &comm, &made_gate, 1, &sources[0], MANY, 2));
    mot_ck_ok(mot_batch_make_ahead(&batch, &comm, &sources[0], threads));
    ck_assert(_i == 0 ? batch.ahead == NULL : batch.ahead != NULL);
    uint64_t random = 11 + (uint64_t)_i;
    mot_gidx end[2] = {0};
    size_t total = MANY, which = 0;
    for (int load = 0; load < 300; ++load) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        const unsigned dice = random >> 33 & 0xff;
        if (dice < 20) which = dice % 2;
        if (dice >= 20 && dice < 40)
            total = 1 + (random >> 41) % MANY; /* down to what is too little for threads */
        const mot_gidx first = dice >= 40 && dice < 50 ? (mot_gidx)dice : end[which];
        mot_ck_ok(mot_batch_load(&batch, &comm, &sources[which], first, total));
        mot_ck_ok(mot_batch_load(&plain, &comm, &sources[which], first, total));
        check_same(&batch, &plain);
        if (dice >= 50 && dice < 60) mot_batch_forget(&batch);
        end[which] = first + (mot_gidx)total;
    }
    mot_batch_free(&batch);
    mot_batch_free(&plain);
    mot_threads_destroy(&threads);
    for (int s = 0; s < 2; ++s) mot_dataset_close(&sets[s]);
}
END_TEST

static void batch_tests(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, every_sample_has_one_home, 1, 10);
    tcase_add_test(tcase, a_sample_that_is_not_there_is_a_sentence);
    tcase_add_loop_test(tcase, what_was_loaded_ahead_is_what_was_asked_for, 0, 6);
    tcase_add_test(tcase, a_failure_ahead_is_told_when_its_batch_is_asked_for);
    tcase_add_loop_test(tcase, what_threads_make_ahead_is_what_was_asked_for, 0, 4);
    tcase_add_test(tcase, it_may_be_freed_while_it_loads);
}

MOT_CK_MAIN("batch", batch_tests)
