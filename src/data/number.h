/* number.h: numbers as people write them into tables. */
#ifndef MOT_DATA_NUMBER_H
#define MOT_DATA_NUMBER_H

#include <stdbool.h>

/* Digits with a sign, a decimal mark and a power of ten; `true` and `false` are 1 and 0. The mark is '.' (also for 0) or ',',
 * which must stand between digits. No blanks, hexadecimals, infinities, thousands. */
bool mot_number_parse(const char *text, char decimal, double *value);
/* What programs write where a value is missing: "", ?, NA, nan, null, ... */
bool mot_number_is_missing(const char *text);

#endif
