/* One message beyond 2 GiB, there and back between two ranks: no count on the way may be bytes in an int.
 * Every byte depends on its position, so a piece that is lost, repeated or out of place is seen. */
#include <stdio.h>
#include <string.h>

#include "mot/exchange.h"
#include "routing.h"

enum { SAMPLES = 700000, ROW_BYTES = 3073, SKIPPED = 77 };
static const size_t bytes = (size_t)SAMPLES * ROW_BYTES;
static const double need_gib = 5.0, gib = 1024.0 * 1024.0 * 1024.0;

/* The number behind `key` in a file of "key number" lines, or alone in it (key ""); `otherwise` when not
 * there. */
static double read_number(const char *file, const char *key, double otherwise)
{
    FILE *stream = fopen(file, "r");
    if (stream == NULL) return otherwise;
    char line[256];
    double number = otherwise;
    while (fgets(line, sizeof line, stream) != NULL)
        if (strncmp(line, key, strlen(key)) == 0 && sscanf(line + strlen(key), "%lf", &number) == 1) break;
    fclose(stream);
    return number;
}

/* What the machine has, and what its control group leaves of it. */
static double free_gib(void)
{
    const double machine = 1024.0 * read_number("/proc/meminfo", "MemAvailable:", 0.0);
    const double limit = read_number("/sys/fs/cgroup/memory.max", "",
                                     read_number("/sys/fs/cgroup/memory/memory.limit_in_bytes", "", 1e18));
    const double used = read_number("/sys/fs/cgroup/memory.stat", "anon ",
                                    read_number("/sys/fs/cgroup/memory/memory.stat", "rss ", 0.0));
    return MOT_MIN(machine, limit - used) / gib;
}

static uint64_t word_at(size_t position)
{
    uint64_t word = (position + 1) * UINT64_C(0x9E3779B97F4A7C15);
    return word ^ word >> 29;
}

static void fill(unsigned char *memory)
{
    for (size_t at = 0; at < bytes; at += 8) {
        const uint64_t word = word_at(at);
        memcpy(memory + at, &word, MOT_MIN((size_t)8, bytes - at));
    }
}

static bool is_filled(const unsigned char *memory)
{
    for (size_t at = 0; at < bytes; at += 8) {
        const uint64_t word = word_at(at);
        if (memcmp(memory + at, &word, MOT_MIN((size_t)8, bytes - at)) != 0) return false;
    }
    return true;
}

START_TEST(a_message_beyond_2_gib_arrives)
{
    mot_comm comm;
    mot_comm_init(&comm, MPI_COMM_WORLD);
    mot_ck_all(comm.size == 2 && bytes > (size_t)1 << 31);

    /* Rank 0 holds every sample, rank 1 owns the only expert. */
    mot_placement placement;
    mot_nodes nodes;
    mot_plan plan;
    mot_exchange exchange;
    int *home = mot_calloc(SAMPLES, sizeof(int));
    int32_t *expert = mot_calloc(SAMPLES, sizeof(int32_t));
    mot_ck_all(home && expert);
    mot_ck_ok(mot_placement_init(&placement, "even", 1, 2, true, false));
    mot_ck_ok(mot_nodes_init(&nodes, &comm, comm.rank));
    mot_ck_ok(mot_plan_init(&plan, &placement, &nodes));
    mot_ck_ok(mot_plan_build(&plan, &placement, SAMPLES, 1, home, expert, NULL, NULL));
    mot_ck_ok(mot_exchange_init(&exchange, &comm, &nodes, ROW_BYTES));

    mot_ck_ok(mot_exchange_reserve(&exchange, &plan));
    const bool here = comm.rank == 0;
    unsigned char *rows = here ? mot_exchange_home(&exchange, &plan, 0)
                               : mot_exchange_owner(&exchange, &plan, 0);
    if (here) fill(rows);
    mot_exchange_begin(&exchange, &plan, MOT_DISPATCH);
    mot_exchange_end(&exchange);
    mot_ck_all(is_filled(rows));

    if (here) memset(rows, 0, bytes);
    mot_exchange_begin(&exchange, &plan, MOT_COMBINE);
    mot_exchange_end(&exchange);
    mot_ck_all(is_filled(rows));
    mot_ck_all(exchange.sent_bytes == bytes && exchange.received_bytes == bytes);

    mot_exchange_free(&exchange);
    mot_plan_free(&plan);
    mot_placement_free(&placement);
    mot_free(expert);
    mot_free(home);
    mot_nodes_free(&nodes);
    mot_comm_free(&comm);
}
END_TEST

/* Both ranks skip, or none: rank 0 looks. */
int main(int argc, char **argv)
{
    MPI_Init(&argc, &argv);
    int rank;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    double available = free_gib();
    MPI_Bcast(&available, 1, MPI_DOUBLE, 0, MPI_COMM_WORLD);
    if (available < need_gib) {
        if (rank == 0) printf("skipped: needs %.0f GiB of memory, %.1f GiB are free\n", need_gib, available);
        MPI_Finalize();
        return SKIPPED;
    }
    Suite *suite = suite_create("huge");
    TCase *tcase = tcase_create("huge");
    tcase_add_test(tcase, a_message_beyond_2_gib_arrives);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK);
    srunner_run_all(runner, rank == 0 ? CK_NORMAL : CK_SILENT);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    MPI_Finalize();
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
