/* The protocol by which a checkpoint is written; docs/checkpoint.md draws it. */
#include "saver_private.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "mot/memory.h"
#include "mot/watch.h"

/* ---- the saver ---- */

/* "node1 x 4, node2 x 4" from the ranks' host names; cut where it gets long. */
static void hosts_text(char *text, size_t size, const char *names, int ranks)
{
    size_t used = 0;
    text[0] = '\0';
    for (int first = 0; first < ranks;) {
        const char *const name = names + (size_t)first * MPI_MAX_PROCESSOR_NAME;
        int next = first + 1;
        while (next < ranks && strcmp(names + (size_t)next * MPI_MAX_PROCESSOR_NAME, name) == 0) ++next;
        const int wrote = snprintf(text + used, size - used, "%s%s x %d", first > 0 ? ", " : "", name,
                                   next - first);
        if (wrote < 0 || (size_t)wrote >= size - used) return;
        used += (size_t)wrote;
        first = next;
    }
}

static mot_status find_hosts(mot_saver *saver)
{
    enum { WIDTH = MPI_MAX_PROCESSOR_NAME, TEXT = 8192 };
    const mot_comm *comm = saver->comm;
    char *names = NULL, host[WIDTH] = "";
    int length;
    mot_status status = MOT_OK;
    if (comm->rank == MOT_ROOT) {
        status = mot_allocate(&names, (size_t)comm->size, WIDTH, "host names");
        if (status == MOT_OK) status = mot_allocate(&saver->hosts, TEXT, 1, "host names");
    }
    status = mot_comm_agree(comm, status);
    if (status == MOT_OK) {
        MPI_Get_processor_name(host, &length);
        MPI_Gather(host, WIDTH, MPI_CHAR, names, WIDTH, MPI_CHAR, MOT_ROOT, comm->mpi);
        if (comm->rank == MOT_ROOT) hosts_text(saver->hosts, TEXT, names, comm->size);
    }
    mot_free(names);
    return status;
}

static void release(mot_saver *saver)
{
    mot_background_destroy(&saver->background);
    mot_free(saver->request);
    mot_free(saver->reports);
    mot_free(saver->digest_at);
    mot_free(saver->digests);
    mot_free(saver->digest);
    mot_saver_free_units(saver);
    mot_free(saver->copy);
    mot_free(saver->hosts);
    mot_free(saver);
}

mot_status mot_saver_create(mot_saver **result, const mot_comm *comm, size_t room)
{
    const size_t ranks = (size_t)comm->size;
    const size_t reports = comm->rank == MOT_ROOT ? ranks : 1;
    mot_saver *saver = NULL;
    mot_status status;
    *result = NULL;
    MOT_TRY(mot_comm_agree(comm, mot_allocate(&saver, 1, sizeof *saver, "the state of a checkpoint")));
    saver->comm = comm;
    status = mot_background_create(&saver->background, 1);
    if (status == MOT_OK) status = mot_allocate(&saver->copy, room, 1, "copies of tensors for checkpoints");
    if (status == MOT_OK) status = mot_allocate(&saver->digests, ranks, sizeof *saver->digests, "digests");
    if (status == MOT_OK)
        status = mot_allocate(&saver->digest_at, ranks, sizeof *saver->digest_at, "digests");
    if (status == MOT_OK) status = mot_allocate(&saver->reports, reports, sizeof(mot_failure), "reports");
    if (status == MOT_OK) status = mot_allocate(&saver->request, 2 * ranks, sizeof(MPI_Request), "messages");
    saver->copy_room = status == MOT_OK ? room : 0;
    MOT_TRY(mot_comm_agree(comm, status));
    MOT_TRY(find_hosts(saver));
    *result = saver;
    saver = NULL;
done:
    if (saver != NULL) release(saver);
    return status;
}

void mot_saver_destroy(mot_saver **handle)
{
    mot_saver *saver = *handle;
    *handle = NULL;
    if (saver == NULL) return;
    /* What went wrong before, if anything, is what the user should read. */
    char before[MOT_SENTENCE];
    snprintf(before, sizeof before, "%s", mot_error_message());
    (void)mot_saver_wait(saver);
    (void)mot_fail(MOT_OK, "%s", before);
    release(saver);
}

/* ---- on a thread ---- */

static mot_status write_unit(mot_saver *saver, mot_tensor_file *file, size_t number)
{
    const mot_unit *unit = &saver->state.units.unit[number];
    const mot_table *table = unit->table;
    mot_digest *digest = saver->digest_of[number];
    uint64_t at = saver->first[number];
    char name[MOT_CHECKPOINT_NAME];
    mot_status status = MOT_OK;
    mot_digest_state *values = mot_digest_begin();
    if (values == NULL) return mot_fail(MOT_ERR_MEMORY, "not enough memory for a digest");
    for (int b = 0; b < 1 + (int)saver->about[number].moments; ++b) {
        for (size_t r = 0; r < table->rows; ++r) {
            const mot_tensor *tensor = &table->row[r];
            mot_tensor_words(name, unit, tensor, b - 1);
            MOT_TRY(mot_tensor_write(file, at, saver->block[number][b] + tensor->offset, tensor->count, name,
                                     &digest[1 + (size_t)b * table->rows + r], b == 0 ? values : NULL));
            at += tensor->count * sizeof(mot_real);
        }
    }
    mot_tensor_file_hurry(file, saver->first[number], at - saver->first[number]);
done:
    digest[0] = mot_digest_end(values);
    return status;
}

/* Every rank: the tensors of its units, on disk. */
static void write_tensors(void *context)
{
    mot_saver *saver = context;
    const mot_units *units = &saver->state.units;
    mot_tensor_file file;
    mot_status status;
    MOT_TRY(mot_tensor_file_open(&file, saver->names.temporary, saver->names.path, true));
    for (size_t u = 0; u < units->count; ++u) { /* asked before the first byte is written */
        if (mot_unit_keeper(&units->unit[u]) != saver->comm->rank) continue;
        MOT_TRY(mot_tensor_file_reserve(&file, saver->first[u], saver->first[u + 1] - saver->first[u]));
    }
    for (size_t u = 0; u < units->count; ++u) {
        if (mot_unit_keeper(&units->unit[u]) == saver->comm->rank) MOT_TRY(write_unit(saver, &file, u));
    }
done:;
    const mot_status closed = mot_tensor_file_close(&file, status == MOT_OK);
    mot_failure_keep(&saver->reports[0], status == MOT_OK ? closed : status);
    atomic_store(&saver->done, true);
}

/* The root: everybody's tensors are on disk. */
static void describe(void *context)
{
    mot_saver *saver = context;
    const mot_description description = {
        .state = &saver->state,
        .about = saver->about,
        .first = saver->first,
        .digest = (const mot_digest *const *)saver->digest_of,
        .ranks = saver->comm->size,
        .hosts = saver->hosts,
    };
    char folder[MOT_PATH];
    mot_status status = mot_description_write(&description, saver->names.path);
    if (status == MOT_OK && saver->retain) {
        mot_path_folder(folder, sizeof folder, saver->names.path);
        status = mot_checkpoint_retain(folder, &saver->retention);
    }
    mot_failure_keep(&saver->outcome, status);
    atomic_store(&saver->done, true);
}

/* ---- the protocol, on a rank's first thread ---- */

static void begin_work(mot_saver *saver, mot_background_work *work)
{
    atomic_store(&saver->done, false);
    saver->work = mot_background_begin(saver->background, work, saver);
}

/* The root gets every other rank's report and digests. */
static void expect_reports(mot_saver *saver)
{
    saver->requests = 0;
    for (int r = 1; saver->comm->rank == MOT_ROOT && r < saver->comm->size; ++r) {
        MPI_Irecv(&saver->reports[r], sizeof(mot_failure), MPI_BYTE, r, MOT_TAG_CHECKPOINT, saver->comm->mpi,
                  &saver->request[saver->requests++]);
        MPI_Irecv(saver->digest + saver->digest_at[r], (int)(saver->digests[r] * sizeof(mot_digest)),
                  MPI_BYTE, r, MOT_TAG_CHECKPOINT, saver->comm->mpi, &saver->request[saver->requests++]);
    }
}

/* This rank's thread is done. */
static void hand_over(mot_saver *saver)
{
    const int rank = saver->comm->rank;
    mot_background_end(saver->background, saver->work);
    if (rank != MOT_ROOT) {
        MPI_Isend(&saver->reports[0], sizeof(mot_failure), MPI_BYTE, MOT_ROOT, MOT_TAG_CHECKPOINT,
                  saver->comm->mpi, &saver->request[saver->requests++]);
        MPI_Isend(saver->digest + saver->digest_at[rank], (int)(saver->digests[rank] * sizeof(mot_digest)),
                  MPI_BYTE, MOT_ROOT, MOT_TAG_CHECKPOINT, saver->comm->mpi,
                  &saver->request[saver->requests++]);
    }
    saver->outcome = saver->reports[0];
    saver->phase = SENT;
}

/* Messages are through. The root now knows how all went. */
static void conclude(mot_saver *saver)
{
    saver->phase = ENDED;
    if (saver->comm->rank != MOT_ROOT) return;
    for (int r = 1; r < saver->comm->size && saver->outcome.status == MOT_OK; ++r) {
        if (saver->reports[r].status == MOT_OK) continue;
        saver->outcome.status = saver->reports[r].status;
        snprintf(saver->outcome.sentence, sizeof saver->outcome.sentence, "rank %d: %.2000s", r,
                 saver->reports[r].sentence);
    }
    if (saver->outcome.status != MOT_OK) return;
    saver->phase = DESCRIBING;
    hbool_t safe = false;
    if (H5is_library_threadsafe(&safe) >= 0 && safe) {
        begin_work(saver, describe);
    } else { /* training uses HDF5 as well: it has to wait */
        describe(saver);
    }
}

mot_status mot_saver_begin(mot_saver *saver, const mot_state *state, const char *path, bool copy,
                           const mot_retention *retention)
{
    mot_status status;
    MOT_TRY(mot_saver_wait(saver));
    MOT_TRY(mot_saver_prepare(saver, state, path, copy));
    saver->retain = retention != NULL;
    if (retention != NULL) saver->retention = *retention;
    expect_reports(saver);
    saver->phase = WRITING;
    begin_work(saver, write_tensors);
done:
    return status;
}

mot_status mot_saver_poll(mot_saver *saver)
{
    if (saver->phase == WRITING && atomic_load(&saver->done)) hand_over(saver);
    if (saver->phase == SENT) {
        int through;
        MPI_Testall(saver->requests, saver->request, &through, MPI_STATUSES_IGNORE);
        if (through) conclude(saver);
    }
    if (saver->phase == DESCRIBING && atomic_load(&saver->done)) {
        mot_background_end(saver->background, saver->work);
        saver->phase = ENDED;
    }
    return saver->phase == SENT || saver->phase == ENDED ? mot_failure_say(&saver->outcome) : MOT_OK;
}

bool mot_saver_written(const mot_saver *saver)
{
    return saver->comm->rank == MOT_ROOT && saver->phase == ENDED && saver->outcome.status == MOT_OK;
}

mot_status mot_saver_wait(mot_saver *saver)
{
    if (saver->phase == IDLE) return MOT_OK; /* the same on every rank */
    if (saver->phase == WRITING) hand_over(saver);
    if (saver->phase == SENT) {
        mot_watch_wait(saver->comm->rank == MOT_ROOT ? MOT_WATCH_ALL : MOT_ROOT);
        mot_comm_wait(saver->comm, saver->requests, saver->request);
        mot_watch_wait(MOT_WATCH_NOBODY);
        conclude(saver);
    }
    if (saver->phase == DESCRIBING) mot_background_end(saver->background, saver->work);
    saver->phase = IDLE;
    /* Every thread has ended, so that nobody makes it anew. */
    if (saver->comm->rank == MOT_ROOT && saver->outcome.status != MOT_OK) unlink(saver->names.temporary);
    return mot_comm_agree(saver->comm, mot_failure_say(&saver->outcome));
}

mot_status mot_checkpoint_write(const mot_comm *comm, const mot_state *state, const char *path)
{
    mot_saver *saver = NULL;
    mot_status status;
    MOT_TRY(mot_saver_create(&saver, comm, 0));
    MOT_TRY(mot_saver_begin(saver, state, path, false, NULL));
    MOT_TRY(mot_saver_wait(saver));
done:
    mot_saver_destroy(&saver);
    return status;
}
