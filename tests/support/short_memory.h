/* short_memory.h: memory that runs short on demand.
 *
 * The program is linked with --wrap=posix_memalign, through which mot takes all its memory; the libraries' own is not
 * touched. Whatever is tried comes to its end for each request that fails: with a status, nothing held, nothing open. */
#ifndef MOT_TEST_SHORT_MEMORY_H
#define MOT_TEST_SHORT_MEMORY_H

#include <errno.h>
#include <hdf5.h>

#include "ck.h"
#include "mot/memory.h"

static size_t short_asked, short_at; /* requests so far; the one that fails, 0: none */

int __real_posix_memalign(void **memory, size_t alignment, size_t size);
int __wrap_posix_memalign(void **memory, size_t alignment, size_t size);

int __wrap_posix_memalign(void **memory, size_t alignment, size_t size)
{
    return ++short_asked == short_at ? ENOMEM : __real_posix_memalign(memory, alignment, size);
}

/* Without a failure, then with the first request failing, the second, and so on to the last. Some may do without what
 * they asked for: at least `least` of the failures must come back. */
static inline void short_of_memory(const char *what, mot_status (*attempt)(void), size_t least)
{
    short_at = 0;
    mot_ck_ok(attempt()); /* libraries keep what they take at first */
    const size_t held = mot_memory_held();
    size_t failed = 0;
    for (size_t at = 1;; ++at) {
        short_asked = 0;
        short_at = at;
        const mot_status status = attempt();
        short_at = 0;
        ck_assert_msg(mot_memory_held() == held, "%s: %zu bytes are left when request %zu fails", what,
                      mot_memory_held() - held, at);
        ck_assert_msg(H5Fget_obj_count(H5F_OBJ_ALL, H5F_OBJ_ALL) <= 0,
                      "%s: HDF5 objects are left when request %zu fails", what, at);
        ck_assert_msg(status == MOT_OK || status == MOT_ERR_MEMORY || status == MOT_ERR_FILE,
                      "%s: status %d when request %zu fails: %s", what, status, at, mot_error_message());
        failed += status != MOT_OK;  /* MOT_ERR_FILE: of our file driver, through HDF5 */
        if (short_asked < at) break; /* there is no such request any more */
    }
    printf("%s: %zu failures came back\n", what, failed);
    ck_assert_uint_ge(failed, least);
}

#endif
