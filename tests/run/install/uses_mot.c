/* The smallest program against an installed mot: its version and a random number. */
#include <mot/rng.h>
#include <mot/version.h>
#include <stdio.h>

int main(void)
{
    printf("mot %s %08x\n", MOT_VERSION, (unsigned)mot_random(1, MOT_STREAM_TEST, 0, 0, 0, 0).word[0]);
    return 0;
}
