/* The file driver of files that are streamed to disk.
 *
 * HDF5 1.10 crashes when a write of its metadata fails: closing the file then fails too, and the end of the
 * process closes it once more. So this driver never tells HDF5 of a failed write. It keeps the first errno,
 * drops what follows, and the file is given up by our own code, which asks mot_h5_stream_error() before it
 * renames. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mot/atomic_file.h"
#include "mot/h5.h"
#include "mot/memory.h"
#include "store_private.h"

typedef struct stream {
    H5FD_t base; /* first: HDF5 knows the file by it */
    int descriptor, error;
    haddr_t end_of_addresses, end_of_file;
    haddr_t foreign_end; /* bytes [MOT_H5_HEAD, foreign_end) are written by others */
    haddr_t place;       /* of the next dataset's bytes; HADDR_UNDEF: wherever there is room */
} stream;

/* What an access list carries to the driver. */
typedef struct stream_choice {
    haddr_t foreign_end;
} stream_choice;

static H5FD_t *stream_open(const char *name, unsigned flags, hid_t access, haddr_t most)
{
    (void)most;
    struct stat about = {0};
    const stream_choice *choice = H5Pget_driver_info(access);
    if (choice == NULL) return NULL;
    const int descriptor = open(name, O_RDWR | O_CREAT | O_CLOEXEC,
                                0666); /* others may have written into it */
    const bool anew = (flags & H5F_ACC_TRUNC) != 0;
    stream *s = descriptor >= 0 && (anew || fstat(descriptor, &about) == 0) ? mot_calloc(1, sizeof *s) : NULL;
    if (s != NULL)
        *s = (stream){.descriptor = descriptor,
                      .end_of_file = (haddr_t)about.st_size,
                      .foreign_end = choice->foreign_end,
                      .place = HADDR_UNDEF};
    else if (descriptor >= 0)
        close(descriptor);
    return (H5FD_t *)s;
}

static _Thread_local int closed_error; /* of the stream that was closed last */

static herr_t stream_close(H5FD_t *file)
{
    stream *s = (stream *)file;
    if (s->error == 0 && fsync(s->descriptor) != 0) s->error = errno;
    if (close(s->descriptor) != 0 && s->error == 0) s->error = errno;
    closed_error = s->error;
    mot_free(s);
    return 0;
}

static herr_t stream_query(const H5FD_t *file, unsigned long *flags)
{
    (void)file;
    /* SWMR: without it HDF5 refuses H5Fincrement_filesize, which has nothing to do with it. */
    *flags = H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_ACCUMULATE_METADATA | H5FD_FEAT_DATA_SIEVE |
             H5FD_FEAT_AGGREGATE_SMALLDATA | H5FD_FEAT_SUPPORTS_SWMR_IO;
    return 0;
}

/* A dataset whose bytes others write lies where they were told to write them; all else follows the end. */
static haddr_t stream_alloc(H5FD_t *file, H5FD_mem_t type, hid_t transfer, hsize_t size)
{
    (void)transfer;
    stream *s = (stream *)file;
    haddr_t address = s->end_of_addresses;
    if (type == H5FD_MEM_DRAW && s->place != HADDR_UNDEF) {
        address = s->place;
        s->place = HADDR_UNDEF;
    } else {
        s->end_of_addresses += size;
    }
    return address;
}

static haddr_t stream_get_eoa(const H5FD_t *file, H5FD_mem_t type)
{
    (void)type;
    return ((const stream *)file)->end_of_addresses;
}

static herr_t stream_set_eoa(H5FD_t *file, H5FD_mem_t type, haddr_t address)
{
    (void)type;
    ((stream *)file)->end_of_addresses = address;
    return 0;
}

static haddr_t stream_get_eof(const H5FD_t *file, H5FD_mem_t type)
{
    (void)type;
    return ((const stream *)file)->end_of_file;
}

static herr_t stream_handle(H5FD_t *file, hid_t access, void **handle)
{
    (void)access;
    *handle = file;
    return 0;
}

/* What lies behind the end of the file reads as 0, as with HDF5's own driver. */
static herr_t stream_read(H5FD_t *file, H5FD_mem_t type, hid_t transfer, haddr_t at, size_t size,
                          void *buffer)
{
    (void)type, (void)transfer;
    const size_t have = mot_read_at(((stream *)file)->descriptor, buffer, size, at);
    if (have < size && errno != 0) return -1;
    memset((unsigned char *)buffer + have, 0, size - have);
    return 0;
}

static herr_t stream_write(H5FD_t *file, H5FD_mem_t type, hid_t transfer, haddr_t at, size_t size,
                           const void *buffer)
{
    (void)type, (void)transfer;
    stream *s = (stream *)file;
    s->end_of_file = MOT_MAX(s->end_of_file, at + size);
    if (s->error == 0 && mot_write_at(s->descriptor, buffer, size, at) < size) s->error = errno;
    return 0;
}

static herr_t stream_truncate(H5FD_t *file, hid_t transfer, hbool_t closing)
{
    (void)transfer, (void)closing;
    stream *s = (stream *)file;
    if (s->end_of_addresses < s->foreign_end) return 0; /* what others wrote is never cut */
    if (s->error == 0 && ftruncate(s->descriptor, (off_t)s->end_of_addresses) != 0) s->error = errno;
    s->end_of_file = s->end_of_addresses;
    return 0;
}

static const H5FD_class_t stream_class = {
#ifdef H5FD_CLASS_VERSION /* since HDF5 1.14, which refuses a driver without them */
    .version = H5FD_CLASS_VERSION,
    .value = H5_VFD_RESERVED, /* from here on they are anybody's */
#endif
    .name = "mot_stream",
    .maxaddr = INT64_MAX,
    .fc_degree = H5F_CLOSE_STRONG,
    .fapl_size = sizeof(stream_choice),
    .open = stream_open,
    .close = stream_close,
    .query = stream_query,
    .alloc = stream_alloc,
    .get_eoa = stream_get_eoa,
    .set_eoa = stream_set_eoa,
    .get_eof = stream_get_eof,
    .get_handle = stream_handle,
    .read = stream_read,
    .write = stream_write,
    .truncate = stream_truncate,
    .fl_map = H5FD_FLMAP_DICHOTOMY,
};

static hid_t driver = H5I_INVALID_HID;

bool mot_h5_stream_choose(hid_t access, uint64_t foreign_end)
{
    const stream_choice choice = {foreign_end};
    if (driver < 0 || H5Iis_valid(driver) <= 0) driver = H5FDregister(&stream_class);
    return driver >= 0 && H5Pset_driver(access, driver, &choice) >= 0;
}

/* The stream behind any object of a file; NULL when the file has another driver. */
static stream *stream_of(hid_t where)
{
    void *handle = NULL;
    hid_t file = H5Iget_file_id(where);
    hid_t access = file >= 0 ? H5Fget_access_plist(file) : H5I_INVALID_HID;
    if (access >= 0 && driver >= 0 && H5Pget_driver(access) == driver)
        H5Fget_vfd_handle(file, H5P_DEFAULT, &handle);
    if (access >= 0) H5Pclose(access);
    if (file >= 0) H5Idec_ref(file);
    return handle;
}

int mot_h5_stream_error(hid_t where)
{
    const stream *s = stream_of(where);
    return s != NULL ? s->error : 0;
}

bool mot_h5_stream_skip_foreign(hid_t file)
{
    stream *s = stream_of(file);
    if (s == NULL || s->end_of_addresses > MOT_H5_HEAD) return false;
    s->end_of_addresses = s->foreign_end;
    return true;
}

uint64_t mot_h5_stream_foreign_end(hid_t file)
{
    const stream *s = stream_of(file);
    return s != NULL ? s->foreign_end : MOT_H5_HEAD;
}

bool mot_h5_stream_place(hid_t where, uint64_t address)
{
    stream *s = stream_of(where);
    if (s != NULL) s->place = address;
    return s != NULL;
}

void mot_h5_stream_give_up(hid_t file)
{
    stream *s = stream_of(file);
    if (s != NULL && s->error == 0) s->error = ECANCELED;
}

int mot_h5_stream_closed_error(void)
{
    return closed_error;
}
