#include "mot/shared.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "mot/memory.h"

/* What the first member tells the others. */
typedef struct offer {
    char name[64];
    int error; /* errno; 0: it is there */
} offer;

static int create(offer *made, size_t size)
{
    static unsigned number;
    snprintf(made->name, sizeof made->name, "/mot.%ld.%u", (long)getpid(), number++);
    const int file = shm_open(made->name, O_RDWR | O_CREAT | O_EXCL, 0600);
    if (file < 0) {
        made->error = errno;
        return file;
    }
    made->error = posix_fallocate(file, 0, (off_t)size);
    if (made->error == 0) return file;
    shm_unlink(made->name);
    close(file);
    return -1;
}

bool mot_shared_room(size_t size)
{
    struct statvfs folder;
    return statvfs("/dev/shm", &folder) == 0 && folder.f_bavail * folder.f_frsize >= size;
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

    offer made = {.error = 0};
    int file = first ? create(&made, size) : -1;
    MPI_Bcast(&made, sizeof made, MPI_BYTE, 0, nodes->comm);
    if (!first && made.error == 0) {
        file = shm_open(made.name, O_RDWR, 0);
        if (file < 0) made.error = errno;
    }
    void *memory = MAP_FAILED;
    if (made.error == 0) {
        memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
        if (memory == MAP_FAILED) made.error = errno;
    }
    if (file >= 0) close(file);
    int worst;
    MPI_Allreduce(&made.error, &worst, 1, MPI_INT, MPI_MAX, nodes->comm);
    if (first && made.name[0] != 0) shm_unlink(made.name); /* a second time does no harm */
    if (worst != 0) {
        if (memory != MAP_FAILED) munmap(memory, size);
        return mot_fail(MOT_ERR_MEMORY,
                        "not enough shared memory (/dev/shm) for the rows of a node: %zu bytes: %s", size,
                        strerror(worst));
    }
    *shared = (mot_shared){.bytes = memory, .size = size, .mapped = true};
    return MOT_OK;
}
