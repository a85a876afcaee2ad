#include <string.h>

#include "ck.h"
#include "mot/digest.h"

/* The value that `xxhsum -H2` prints for no bytes: a file's digest can be checked without mot. */
START_TEST(known_value)
{
    char text[MOT_DIGEST_TEXT];
    mot_digest digest = mot_digest_bytes(NULL, 0);
    mot_digest_text(&digest, text);
    ck_assert_str_eq(text, "99aa06d3014798d86001c324468d497f");
}
END_TEST

START_TEST(pieces_equal_the_whole)
{
    unsigned char bytes[5000];
    for (size_t i = 0; i < sizeof bytes; ++i) bytes[i] = (unsigned char)(i * 31 >> 3);
    const mot_digest whole = mot_digest_bytes(bytes, sizeof bytes);
    for (size_t piece = 1; piece < sizeof bytes; piece = piece * 3 + 1) {
        mot_digest_state *state = mot_digest_begin();
        ck_assert_ptr_nonnull(state);
        for (size_t at = 0; at < sizeof bytes; at += piece)
            mot_digest_add(state, bytes + at, at + piece < sizeof bytes ? piece : sizeof bytes - at);
        const mot_digest digest = mot_digest_end(state);
        ck_assert_mem_eq(digest.byte, whole.byte, sizeof whole.byte);
    }
    bytes[4999] ^= 1;
    const mot_digest other = mot_digest_bytes(bytes, sizeof bytes);
    ck_assert(memcmp(other.byte, whole.byte, sizeof whole.byte) != 0);
}
END_TEST

static void digest_tests(TCase *tcase)
{
    tcase_add_test(tcase, known_value);
    tcase_add_test(tcase, pieces_equal_the_whole);
}

MOT_CK_MAIN("digest", digest_tests)
