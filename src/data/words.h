/* words.h: a text's words, and their ids. Words are what stands between blanks, in lower case as far as ASCII goes. */
#ifndef MOT_DATA_WORDS_H
#define MOT_DATA_WORDS_H

#include <stddef.h>

#include "mot/status.h"

enum { WORDS_MAX_LENGTH = 64 }; /* bytes; a longer word is an unknown one */

/* The next word of *at, cut off by a 0 in place and in lower case; NULL at the end. */
char *mot_words_next(char **at);

/* Id 0 is padding, 1 an unknown word; from 2 on come the words in sorted order. */
typedef struct vocabulary {
    size_t count;
    char **word; /* [count], owned */
    char *block; /* their characters, owned */
    size_t have, room, all_capacity, used;
    char **all; /* every word of every text, until mot_vocabulary_close; owned */
} vocabulary;
/* Room for texts of so many bytes in all, each with its 0. */
mot_status mot_vocabulary_open(vocabulary *v, size_t bytes);
mot_status mot_vocabulary_add(vocabulary *v, const char *text);
/* The words seen min_count times or more. */
mot_status mot_vocabulary_close(vocabulary *v, size_t min_count);
int mot_vocabulary_id(const vocabulary *v, const char *word);
void mot_vocabulary_free(vocabulary *v);

#endif
