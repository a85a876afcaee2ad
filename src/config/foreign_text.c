/* Text that came from outside. */
#include "option.h"

#include <string.h>

/* The code point at *at, which moves behind it; -1 when it is not UTF-8 (overlong, surrogate, cut off, too
 * large). */
static long next_code_point(const unsigned char **at)
{
    const unsigned char *byte = *at;
    if (byte[0] < 0x80) {
        *at += 1;
        return byte[0];
    }
    const int more = byte[0] >= 0xF0 ? 3 : byte[0] >= 0xE0 ? 2 : 1;
    static const long least[] = {0, 0x80, 0x800, 0x10000};
    if (byte[0] < 0xC0 || byte[0] > 0xF7) return -1;
    long point = byte[0] & (0x3F >> more);
    for (int i = 1; i <= more; ++i) {
        if ((byte[i] & 0xC0) != 0x80) return -1; /* the final 0 too */
        point = point << 6 | (byte[i] & 0x3F);
    }
    if (point < least[more] || point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF)) return -1;
    *at += more + 1;
    return point;
}

bool mot_parse_is_text(const char *text)
{
    for (const unsigned char *at = (const unsigned char *)text; *at != '\0';) {
        const long point = next_code_point(&at);
        if (point < 0x20 || (point >= 0x7F && point < 0xA0)) return false;
        /* line and paragraph separators, byte order mark and non-characters do not survive YAML */
        if (point == 0x2028 || point == 0x2029 || point == 0xFEFF || (point & 0xFFFE) == 0xFFFE) return false;
    }
    return true;
}

const char *mot_shown(const char *text, char shown[80])
{
    const bool whole = mot_parse_is_text(text);
    size_t used = 0;
    for (; text[used] != '\0' && used < 64; ++used) {
        const unsigned char byte = (unsigned char)text[used];
        shown[used] = whole || (byte >= 0x20 && byte < 0x7F) ? (char)byte : '?';
    }
    if (text[used] != '\0') {
        while (whole && used > 0 && ((unsigned char)text[used] & 0xC0) == 0x80)
            --used; /* not inside a character */
        memcpy(shown + used, "...", 3);
        used += 3;
    }
    shown[used] = '\0';
    return shown;
}
