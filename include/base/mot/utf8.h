/* utf8.h: text in UTF-8, RFC 3629. */
#ifndef MOT_UTF8_H
#define MOT_UTF8_H

#include <stddef.h>

/* The bytes of the character that `bytes` [count] begins with; 0: it begins with none: a byte out of place, a character that is cut
 * off, longer than needed, a surrogate, or beyond U+10FFFF. */
size_t mot_utf8_character(const char *bytes, size_t count);

#endif
