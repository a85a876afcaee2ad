#include "mot/utf8.h"

size_t mot_utf8_character(const char *bytes, size_t count)
{
    const unsigned char *b = (const unsigned char *)bytes;
    if (count == 0) return 0;
    const size_t length = b[0] < 0x80                   ? 1
                          : b[0] >= 0xc2 && b[0] < 0xe0 ? 2
                          : (b[0] & 0xf0) == 0xe0       ? 3
                          : b[0] >= 0xf0 && b[0] < 0xf5 ? 4
                                                        : 0;
    if (length > count) return 0;
    for (size_t k = 1; k < length; ++k)
        if ((b[k] & 0xc0) != 0x80) return 0;
    const int longer = (b[0] == 0xe0 && b[1] < 0xa0) || (b[0] == 0xf0 && b[1] < 0x90), surrogate = b[0] == 0xed && b[1] >= 0xa0,
              beyond = b[0] == 0xf4 && b[1] >= 0x90;
    return longer || surrogate || beyond ? 0 : length;
}
