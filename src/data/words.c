#include "words.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "mot/memory.h"

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

char *mot_words_next(char **at)
{
    while (is_blank(**at)) ++*at;
    if (**at == '\0') return NULL;
    char *word = *at;
    for (; **at != '\0' && !is_blank(**at); ++*at)
        if (**at >= 'A' && **at <= 'Z') **at = (char)(**at - 'A' + 'a');
    if (**at != '\0') *(*at)++ = '\0';
    return word;
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

mot_status mot_vocabulary_open(vocabulary *v, size_t bytes)
{
    *v = (vocabulary){.room = bytes};
    return mot_allocate(&v->block, bytes, 1, "the words of a text");
}

mot_status mot_vocabulary_add(vocabulary *v, const char *text)
{
    char *at = v->block + v->used;
    const size_t size = strlen(text) + 1;
    memcpy(at, text, size);
    v->used += size;
    for (char *word; (word = mot_words_next(&at)) != NULL;) {
        if (strlen(word) > WORDS_MAX_LENGTH) continue;
        const mot_status status = mot_reserve(&v->all, &v->all_capacity, v->have + 1, sizeof(char *),
                                              "the words of a text");
        if (status != MOT_OK) return status;
        v->all[v->have++] = word;
    }
    return MOT_OK;
}

mot_status mot_vocabulary_close(vocabulary *v, size_t min_count)
{
    static char padding[] = "<padding>", unknown[] = "<unknown>";
    mot_status status = mot_allocate(&v->word, v->have + 2, sizeof(char *), "a vocabulary");
    if (status != MOT_OK) return status;
    v->word[0] = padding;
    v->word[1] = unknown;
    v->count = 2;
    if (v->have > 0) qsort(v->all, v->have, sizeof *v->all, compare);
    for (size_t i = 0, run; i < v->have; i += run) {
        for (run = 1; i + run < v->have && strcmp(v->all[i], v->all[i + run]) == 0;) ++run;
        if (run >= min_count) v->word[v->count++] = v->all[i];
    }
    mot_free(v->all);
    v->all = NULL;
    return MOT_OK;
}

int mot_vocabulary_id(const vocabulary *v, const char *word)
{
    char **found = bsearch(&word, v->word + 2, v->count - 2, sizeof *v->word, compare);
    return found != NULL ? (int)(found - v->word) : 1;
}

void mot_vocabulary_free(vocabulary *v)
{
    mot_free(v->all);
    mot_free(v->word);
    mot_free(v->block);
    *v = (vocabulary){0};
}
