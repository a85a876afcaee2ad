/* digest.h: checksums and digests, all XXH3 by libxxhash: 128 bits, written as 32 hexadecimal digits, where nothing
 * else is said.
 * They detect damage and compare runs; they are no defence against an adversary. Not collective. */
#ifndef MOT_DIGEST_H
#define MOT_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MOT_DIGEST_TEXT = 33 }; /* 32 digits and the final 0 */

typedef struct mot_digest {
    unsigned char byte[16]; /* canonical, big-endian: the same on every machine */
} mot_digest;

/* Of `count` bytes in memory. */
mot_digest mot_digest_bytes(const void *bytes, size_t count);
/* Of 64 bits, for one thing among many. */
uint64_t mot_digest_short(const void *bytes, size_t count);
void mot_digest_text(const mot_digest *digest, char text[MOT_DIGEST_TEXT]);
/* The other way round; false when the text is not a digest's. */
bool mot_digest_parse(const char *text, mot_digest *digest);

/* In pieces: begin, add any number of times, end (which releases). NULL from begin: memory. */
typedef struct mot_digest_state mot_digest_state;
mot_digest_state *mot_digest_begin(void);
void mot_digest_add(mot_digest_state *state, const void *bytes, size_t count);
mot_digest mot_digest_end(mot_digest_state *state);

#endif
