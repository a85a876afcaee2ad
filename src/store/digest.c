#include "mot/digest.h"

#include <stdio.h>
#include <string.h>
#define XXH_INLINE_ALL /* compiled here, with the instructions that this build may use: twice as fast */
#include <xxhash.h>

static mot_digest canonical(XXH128_hash_t hash)
{
    XXH128_canonical_t form;
    XXH128_canonicalFromHash(&form, hash);
    mot_digest digest;
    _Static_assert(sizeof form.digest == sizeof digest.byte, "an XXH3 digest of 128 bits");
    memcpy(digest.byte, form.digest, sizeof digest.byte);
    return digest;
}

mot_digest mot_digest_bytes(const void *bytes, size_t count)
{
    return canonical(XXH3_128bits(count > 0 ? bytes : "", count));
}

uint64_t mot_digest_short(const void *bytes, size_t count)
{
    return XXH3_64bits(bytes, count);
}

void mot_digest_text(const mot_digest *digest, char text[MOT_DIGEST_TEXT])
{
    for (size_t i = 0; i < sizeof digest->byte; ++i) snprintf(text + 2 * i, 3, "%02x", digest->byte[i]);
}

bool mot_digest_parse(const char *text, mot_digest *digest)
{
    static const char digits[] = "0123456789abcdef";
    if (strlen(text) != MOT_DIGEST_TEXT - 1 || strspn(text, digits) != MOT_DIGEST_TEXT - 1) return false;
    for (size_t i = 0; i < sizeof digest->byte; ++i) {
        const long high = strchr(digits, text[2 * i]) - digits,
                   low = strchr(digits, text[2 * i + 1]) - digits;
        digest->byte[i] = (unsigned char)(high << 4 | low);
    }
    return true;
}

/* mot_digest_state is XXH3_state_t under our name: it needs an alignment of 64, which xxhash's own maker
 * gives. */
mot_digest_state *mot_digest_begin(void)
{
    XXH3_state_t *state = XXH3_createState();
    if (state != NULL) XXH3_128bits_reset(state);
    return (mot_digest_state *)state;
}

void mot_digest_add(mot_digest_state *state, const void *bytes, size_t count)
{
    if (count > 0) XXH3_128bits_update((XXH3_state_t *)state, bytes, count);
}

mot_digest mot_digest_end(mot_digest_state *state)
{
    XXH3_state_t *hash = (XXH3_state_t *)state;
    const mot_digest digest = canonical(XXH3_128bits_digest(hash));
    XXH3_freeState(hash);
    return digest;
}
