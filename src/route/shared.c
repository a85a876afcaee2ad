#include "mot/shared.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mot/memory.h"
#include "mot/watch.h"

/* What the first member tells the others: the memory is /proc/PROCESS/fd/FILE until it closes it, if that is still the
 * same file where another process looks: process numbers are not the same in every container. */
typedef struct offer {
    long process;
    int file;
    int error; /* errno; 0: it is there */
    dev_t device;
    ino_t number;
} offer;

static offer create(size_t size)
{
    offer made = {.process = (long)getpid(), .file = memfd_create("mot rows", MFD_CLOEXEC)};
    struct stat info;
    if (made.file < 0 || fstat(made.file, &info) != 0) {
        made.error = errno;
        return made;
    }
    made.device = info.st_dev;
    made.number = info.st_ino;
    made.error = posix_fallocate(made.file, 0, (off_t)size);
    return made;
}

/* The file of an offer; -1 with errno. */
static int open_offered(const offer *made)
{
    char name[64];
    struct stat info;
    snprintf(name, sizeof name, "/proc/%ld/fd/%d", made->process, made->file);
    const int file = open(name, O_RDWR | O_CLOEXEC);
    if (file < 0 || (fstat(file, &info) == 0 && info.st_dev == made->device && info.st_ino == made->number))
        return file;
    close(file);
    errno = ENOENT;
    return -1;
}

void mot_shared_free(mot_shared *shared)
{
    if (shared->mapped)
        munmap(shared->bytes, shared->size);
    else
        mot_free(shared->bytes);
    *shared = (mot_shared){0};
}

mot_status mot_shared_resize(mot_shared *shared, const mot_nodes *nodes, size_t size, size_t cleared)
{
    assert(cleared <= size);
    const bool first = nodes->place[nodes->rank] == 0;
    mot_shared_free(shared);
    if (mot_nodes_members(nodes, nodes->mine) == 1) {
        const mot_status status = mot_reserve(&shared->bytes, &shared->size, size, 1, "rows");
        if (status == MOT_OK) memset(shared->bytes, 0, cleared);
        return status;
    }

    offer made = {.file = -1};
    if (first) made = create(size);
    mot_watch_wait(MOT_WATCH_ALL);
    MPI_Bcast(&made, sizeof made, MPI_BYTE, 0, nodes->comm);
    int file = -1;
    void *memory = MAP_FAILED;
    if (made.error == 0) {
        file = first ? made.file : open_offered(&made);
        if (file >= 0) memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
        if (memory == MAP_FAILED) made.error = errno;
    }
    int worst;
    MPI_Allreduce(&made.error, &worst, 1, MPI_INT, MPI_MAX, nodes->comm);
    mot_watch_wait(MOT_WATCH_NOBODY);
    if (first) file = made.file;
    if (file >= 0) close(file);
    if (worst != 0) {
        if (memory != MAP_FAILED) munmap(memory, size);
        return mot_fail(MOT_ERR_MEMORY, "no shared memory for the rows of a node: %zu bytes: %s", size,
                        strerror(worst));
    }
    *shared = (mot_shared){.bytes = memory, .size = size, .mapped = true};
    return MOT_OK;
}
