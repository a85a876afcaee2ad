/* A disk that is full at every point of writing a checkpoint: a small tmpfs, one page larger each time, which only root
 * may mount. On every rank the same sentence, the older checkpoint as it was, nothing left behind; with room it is
 * written. */
#include <errno.h>
#include <dirent.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "checkpoint_state.h"

enum { PAGE = 4096 };

static mot_comm comm;
static char disk[512];
static bool mounted;

static bool resize(size_t pages, unsigned long flags)
{
    char size[32];
    snprintf(size, sizeof size, "size=%zu", pages * PAGE);
    return mount("tmpfs", disk, "tmpfs", flags, size) == 0;
}

static void set_up(void)
{
    mot_comm_init(&comm, MPI_COMM_WORLD);
    snprintf(disk, sizeof disk, "%s", test_path("disk"));
    int worked = 0;
    if (comm.rank == MOT_ROOT) {
        mkdir(disk, 0700);
        worked = resize(256, 0);
        if (!worked) printf("skipped: no small disk to fill (mount: %s)\n", strerror(errno));
    }
    MPI_Bcast(&worked, 1, MPI_INT, MOT_ROOT, comm.mpi);
    mounted = worked;
}

static void tear_down(void)
{
    MPI_Barrier(comm.mpi);
    if (mounted && comm.rank == MOT_ROOT) umount(disk);
    if (comm.rank == MOT_ROOT) rmdir(disk);
    mot_comm_free(&comm);
}

static int files_on_disk(void)
{
    int count = 0;
    DIR *folder = opendir(disk);
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) count += entry->d_name[0] != '.';
    closedir(folder);
    return count;
}

static size_t pages_of(const char *path)
{
    struct stat about;
    return stat(path, &about) == 0 ? (size_t)about.st_blocks * 512 / PAGE : 0;
}

/* loop index: whether the tensors are copied and the writing is polled, as a run does it */
START_TEST(every_point_of_writing)
{
    if (!mounted) return;
    char older[600], newer[600], sentence[1024] = "";
    snprintf(older, sizeof older, "%s/step-00000001.h5", disk);
    snprintf(newer, sizeof newer, "%s/step-00000002.h5", disk);
    test_state first, second, read;
    mot_saver *saver;
    test_state_make(&first, &comm, PLACE_ROUND, true);
    test_state_fill(&first, 2, 1);
    test_state_make(&second, &comm, PLACE_ROUND, true);
    test_state_fill(&second, 2, 7);
    mot_ck_all(mot_checkpoint_write(&comm, &first.state, older) == MOT_OK);
    size_t used = pages_of(older);
    MPI_Bcast(&used, sizeof used, MPI_BYTE, MOT_ROOT, comm.mpi);
    mot_ck_all(mot_saver_create(&saver, &comm, 0) == MOT_OK);

    size_t refused = 0, room = 0;
    for (bool done = false; !done; ++room) {
        if (comm.rank == MOT_ROOT) ck_assert(resize(used + 1 + room, MS_REMOUNT)); /* 1: the folder */
        MPI_Barrier(comm.mpi);
        mot_status status = mot_saver_begin(saver, &second.state, newer, _i == 1, NULL);
        for (bool waiting = true; status == MOT_OK && waiting && _i == 1;) {
            /* As training does at the end of a step. */
            status = mot_comm_agree(&comm, mot_saver_poll(saver));
            int there = access(newer, F_OK) == 0;
            MPI_Allreduce(MPI_IN_PLACE, &there, 1, MPI_INT, MPI_LAND, comm.mpi);
            waiting = !there;
        }
        snprintf(sentence, sizeof sentence, "%s", status != MOT_OK ? mot_error_message() : "");
        const mot_status waited = mot_saver_wait(saver);
        if (sentence[0] == '\0' && waited != MOT_OK)
            snprintf(sentence, sizeof sentence, "%s", mot_error_message());
        mot_ck_all((status == MOT_OK || waited != MOT_OK) && (waited == MOT_OK || waited == MOT_ERR_FILE));
        done = waited == MOT_OK;
        if (done) break;
        ++refused;
        ck_assert_msg(strstr(sentence, newer) != NULL && strstr(sentence, "No space left") != NULL,
                      "with %zu pages: %s", room, sentence);
        MPI_Barrier(comm.mpi);
        mot_ck_all(access(newer, F_OK) != 0 && files_on_disk() == 1);
        ck_assert_uint_lt(room, 200);
    }
    /* From the first page to the last: the tensors, the structure, the mark. */
    ck_assert_uint_ge(refused, 12);
    mot_ck_all(files_on_disk() == 2);

    test_state_make(&read, &comm, PLACE_ROUND, true);
    mot_ck_all(mot_checkpoint_read(&comm, &read.state, older) == MOT_OK);
    mot_ck_all(test_same_state(&read, &first));
    mot_ck_all(mot_checkpoint_read(&comm, &read.state, newer) == MOT_OK);
    mot_ck_all(test_same_state(&read, &second));
    mot_saver_destroy(&saver);
    MPI_Barrier(comm.mpi);
    if (comm.rank == MOT_ROOT) {
        ck_assert(resize(256, MS_REMOUNT));
        unlink(older);
        unlink(newer);
    }
    test_state_free(&first);
    test_state_free(&second);
    test_state_free(&read);
}
END_TEST

static void full_disk_tests(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, every_point_of_writing, 0, 2);
}

MOT_CK_MAIN("full_disk", full_disk_tests)
