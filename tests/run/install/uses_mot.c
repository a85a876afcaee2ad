/* The smallest program against an installed mot: its version, a random number, and the number's digest. */
#include <mot/digest.h>
#include <mot/rng.h>
#include <mot/version.h>
#include <stdio.h>

int main(void)
{
    const mot_random4 random = mot_random(1, MOT_STREAM_TEST, 0, 0, 0, 0);
    const mot_digest digest = mot_digest_bytes(random.word, sizeof random.word);
    char text[MOT_DIGEST_TEXT];
    mot_digest_text(&digest, text);
    printf("mot %s %08x-%s\n", MOT_VERSION, (unsigned)random.word[0], text);
    return 0;
}
