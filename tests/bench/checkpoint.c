/* checkpoint: what training waits for when a checkpoint begins, how fast one reaches the disk, and what writing and reading
 * one costs the processor.
 *
 *      mpirun -n RANKS bench_checkpoint FOLDER [EXPERTS [WIDTH [REPEATS]]]
 *
 * A state of EXPERTS experts of depth 4 and WIDTH (default 8 of 256: 25 million parameters with two moments each, 303 MB),
 * dealt evenly over the ranks; files are made in FOLDER. In turn, each as long as its slowest rank:
 *
 *      memcpy    a copy of the same bytes into memory that has been written before
 *      stall     mot_saver_begin with a copy, nothing under way
 *      plain     each rank writes the same bytes into a file of its own, one write after the other, and fsync
 *      file      mot_saver_begin without a copy, and mot_saver_wait: the checkpoint has its name
 *      read      mot_checkpoint_read
 *
 * Ratios are taken within a repeat; figures are medians. "cpu" is the processor time of all threads, of the rank that took
 * most. Small experts show what a tensor costs: 1024 of width 16 have 172,032 (56 rows, three blocks). The state read last is
 * compared with the one that was written. Nothing is asserted. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "mot/checkpoint.h"
#include "mot/clock.h"
#include "mot/memory.h"
#include "mot/rng.h"
#include "mot/statistics.h"

enum { MOST_EXPERTS = 4096, MOST_REPEATS = 999, DEPTH = 4 };

static mot_comm comm;
static mot_table gate, expert;
static mot_params gate_params, own[MOST_EXPERTS];
static mot_unit units[1 + MOST_EXPERTS];
static float bias[MOST_EXPERTS];
static char path[4096], plain_path[4200];
static unsigned char *copy;
static size_t bytes;

static void must(mot_status status)
{
    if (status == MOT_OK) return;
    fprintf(stderr, "%s\n", mot_error_message());
    MPI_Abort(MPI_COMM_WORLD, 1);
}

static double slowest(double mine)
{
    double all;
    MPI_Allreduce(&mine, &all, 1, MPI_DOUBLE, MPI_MAX, comm.mpi);
    return all;
}

static void add(const char *name, mot_part part, size_t rows, size_t columns)
{
    must(mot_table_add(&expert, name, part, 2, (size_t[]){rows, columns}, 0, 0.02, true));
}

/* The tensors of an encoder, near enough. */
static void make_tables(size_t width, int count)
{
    static const struct {
        const char *name;
        mot_part part;
        size_t rows, columns; /* in widths; 0: one row */
    } row[] = {{"norm_gain", MOT_PART_ATTENTION, 0, 1}, {"norm_bias", MOT_PART_ATTENTION, 0, 1},
               {"qkv_weight", MOT_PART_ATTENTION, 1, 3}, {"qkv_bias", MOT_PART_ATTENTION, 0, 3},
               {"mix_weight", MOT_PART_ATTENTION, 1, 1}, {"mix_bias", MOT_PART_ATTENTION, 0, 1},
               {"ffn_norm_gain", MOT_PART_FFN, 0, 1},        {"ffn_norm_bias", MOT_PART_FFN, 0, 1},
               {"up_weight", MOT_PART_FFN, 1, 4},        {"up_bias", MOT_PART_FFN, 0, 4},
               {"down_weight", MOT_PART_FFN, 4, 1},      {"down_bias", MOT_PART_FFN, 0, 1},
               {"scale", MOT_PART_FFN, 0, 1},            {"shift", MOT_PART_FFN, 0, 1}};
    char name[32];
    for (int b = 0; b < DEPTH; ++b) {
        for (size_t r = 0; r < MOT_COUNT(row); ++r) {
            snprintf(name, sizeof name, "block%d/%s", b, row[r].name);
            add(name, row[r].part, row[r].rows > 0 ? row[r].rows * width : 1, row[r].columns * width);
        }
    }
    must(mot_table_add(&gate, "weight", MOT_PART_GATE, 2, (size_t[]){width, (size_t)count}, 0, 0.02, true));
}

static void fill(mot_params *unit)
{
    mot_params_init(unit, 1);
    for (size_t i = 0; i < unit->table->count; ++i)
        unit->moment[0][i] = unit->moment[1][i] = unit->value[i] + 1;
}

static mot_state make_state(int count)
{
    units[0] = (mot_unit){"gate", MOT_ALONE, &gate, MOT_ROLE_GATE, MOT_ROOT, NULL};
    for (int e = 0; e < count; ++e) {
        const int owner = (int)((long)e * comm.size / count);
        units[1 + e] = (mot_unit){"experts", e, &expert, MOT_ROLE_EXPERT, owner, NULL};
        if (owner != comm.rank) continue;
        must(mot_params_create(&own[e], &expert, e));
        fill(&own[e]);
        units[1 + e].params = &own[e];
    }
    if (comm.rank == MOT_ROOT) {
        must(mot_params_create(&gate_params, &gate, MOT_UNIT_GATE));
        fill(&gate_params);
        units[0].params = &gate_params;
    }
    return (mot_state){
        .units = {1 + (size_t)count, units},
        .experts = count,
        .balance_bias = comm.rank == MOT_ROOT ? bias : NULL,
        .config_text = "bench: checkpoint\n",
    };
}

/* ---- the five ---- */

static double copy_plainly(const mot_state *state)
{
    MPI_Barrier(comm.mpi);
    const double since = mot_clock_s();
    unsigned char *to = copy;
    for (int e = 0; e < state->experts; ++e) {
        const mot_params *params = units[1 + e].params;
        for (int b = 0; params != NULL && b < 3; ++b) {
            const size_t count = params->table->count * sizeof(mot_real);
            memcpy(to, b == 0 ? params->value : params->moment[b - 1], count);
            to += count;
        }
    }
    return slowest(mot_clock_s() - since);
}

static double write_plainly(void)
{
    enum { PIECE = 1 << 20 };
    unlink(plain_path);
    MPI_Barrier(comm.mpi);
    const double since = mot_clock_s();
    const int file = open(plain_path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    for (size_t at = 0; at < bytes && file >= 0;) {
        const ssize_t put = write(file, copy + at, MOT_MIN((size_t)PIECE, bytes - at));
        if (put < 0) break;
        at += (size_t)put;
    }
    if (file < 0 || fsync(file) != 0 || close(file) != 0) {
        perror(plain_path);
        MPI_Abort(MPI_COMM_WORLD, 1);
    }
    return slowest(mot_clock_s() - since);
}

static double stall(mot_saver *saver, const mot_state *state)
{
    MPI_Barrier(comm.mpi);
    const double since = mot_clock_s();
    must(mot_saver_begin(saver, state, path, true, NULL));
    const double took = slowest(mot_clock_s() - since);
    must(mot_saver_wait(saver));
    return took;
}

static double file(mot_saver *saver, const mot_state *state)
{
    unlink(path);
    MPI_Barrier(comm.mpi);
    const double since = mot_clock_s();
    must(mot_saver_begin(saver, state, path, false, NULL));
    must(mot_saver_wait(saver));
    return slowest(mot_clock_s() - since);
}

static double read_back(mot_state *state)
{
    MPI_Barrier(comm.mpi);
    const double since = mot_clock_s();
    must(mot_checkpoint_read(&comm, state, path));
    return slowest(mot_clock_s() - since);
}

/* Of this process, all its threads. */
static double processor_s(void)
{
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
           1e-6 * (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
}

int main(int argc, char **argv)
{
    enum { MEMCPY, STALL, PLAIN, FILE_, READ, KINDS };
    static double took[KINDS][MOST_REPEATS], waits[MOST_REPEATS], fraction[MOST_REPEATS],
        writing[MOST_REPEATS], reading[MOST_REPEATS];
    int provided;
    MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &provided);
    mot_comm_init(&comm, MPI_COMM_WORLD);
    const int count = argc > 2 ? atoi(argv[2]) : 8, repeats = argc > 4 ? atoi(argv[4]) : 7;
    const long width = argc > 3 ? atol(argv[3]) : 256;
    if (argc < 2 || count < 1 || count > MOST_EXPERTS || width < 1 || repeats < 1 || repeats > MOST_REPEATS) {
        fprintf(stderr, "usage: bench_checkpoint FOLDER [EXPERTS [WIDTH [REPEATS]]]\n");
        MPI_Abort(MPI_COMM_WORLD, 2);
    }
    snprintf(path, sizeof path, "%s/bench.h5", argv[1]);
    snprintf(plain_path, sizeof plain_path, "%s/bench.plain.%d", argv[1], comm.rank);
    make_tables((size_t)width, count);
    mot_state state = make_state(count);
    bytes = mot_state_bytes(&comm, &state);
    must(mot_allocate(&copy, bytes, 1, "a copy"));
    mot_saver *saver;
    must(mot_saver_create(&saver, &comm, bytes));
    double all_bytes;
    MPI_Allreduce(&(double){(double)bytes}, &all_bytes, 1, MPI_DOUBLE, MPI_SUM, comm.mpi);

    char before[33];
    must(mot_state_digest(&comm, &state, before));
    for (int r = -1; r < repeats; ++r) { /* the first is not counted */
        double now[KINDS] = {copy_plainly(&state), stall(saver, &state), write_plainly()};
        const double before_file = processor_s();
        now[FILE_] = file(saver, &state);
        const double between = processor_s();
        now[READ] = read_back(&state);
        const double write_s = slowest(between - before_file), read_s = slowest(processor_s() - between);
        for (int k = 0; k < KINDS && r >= 0; ++k) took[k][r] = now[k];
        if (r < 0) continue;
        waits[r] = now[STALL] / now[MEMCPY];
        fraction[r] = now[PLAIN] / now[FILE_];
        writing[r] = write_s;
        reading[r] = read_s;
    }
    char after[33];
    must(mot_state_digest(&comm, &state, after));
    if (comm.rank == MOT_ROOT) {
        const size_t n = (size_t)repeats;
        printf("%d ranks, %d experts, %zu tensors, %.0f MB; medians of %d\n", comm.size, count,
               (size_t)count * expert.rows * 3, all_bytes / 1e6, repeats);
        printf("memcpy %8.1f ms  %6.2f GB/s\nstall  %8.1f ms  %6.2f times a memcpy (%.2f to %.2f)\n",
               1e3 * mot_median(took[MEMCPY], n), all_bytes / 1e9 / mot_median(took[MEMCPY], n),
               1e3 * mot_median(took[STALL], n), mot_median(waits, n), mot_quantile(waits, n, 0.25),
               mot_quantile(waits, n, 0.75));
        printf("plain  %8.1f ms  %6.2f GB/s\nfile   %8.1f ms  %6.2f of the plain bandwidth (%.2f to %.2f)\n",
               1e3 * mot_median(took[PLAIN], n), all_bytes / 1e9 / mot_median(took[PLAIN], n),
               1e3 * mot_median(took[FILE_], n), mot_median(fraction, n), mot_quantile(fraction, n, 0.25),
               mot_quantile(fraction, n, 0.75));
        printf("                                cpu %.3f s\nread   %8.1f ms  %6.2f GB/s       cpu %.3f s\n",
               mot_median(writing, n), 1e3 * mot_median(took[READ], n),
               all_bytes / 1e9 / mot_median(took[READ], n), mot_median(reading, n));
        printf("read back: %s\n", strcmp(before, after) == 0 ? "the same" : "ANOTHER STATE");
        unlink(path);
    }
    unlink(plain_path);
    mot_saver_destroy(&saver);
    mot_free(copy);
    mot_comm_free(&comm);
    MPI_Finalize();
    return 0;
}
