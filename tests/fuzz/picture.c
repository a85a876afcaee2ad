/* Pictures: PNG or JPEG, over a background, and resampled to a size that the choice says. */
#include "fuzz.h"
#include "picture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static unsigned char to[3 * 16 * 16];
    const fuzz_input input = fuzz_cut(data, size);
    const char *path = fuzz_save("picture", input.piece[0], input.size[0]);
    const fuzz_state before = fuzz_look();
    picture p;
    if (fuzz_accepted(mot_picture_read(path, &p))) {
        const bool flat = mot_picture_flatten(&p, input.choice & 0x80 ? 255 : -1);
        FUZZ_CHECK(flat || p.channels == 2 || p.channels == 4);
        if (flat)
            FUZZ_CHECK(mot_picture_resample(&p, 1 + (input.choice & 15), 1 + (input.choice >> 3 & 15), to) ==
                       MOT_OK);
        mot_picture_free(&p);
    }
    fuzz_nothing_left(before);
    return 0;
}
