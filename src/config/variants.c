#include "mot/variants.h"

#include <stdio.h>
#include <string.h>

#include "mot/memory.h"

/* ---- who asks the same ---- */

/* What is learned, whatever the seed: not where it is computed, nor what is said of it. mot_free(*text). */
static mot_status question_of(const mot_config *of, char **text)
{
    mot_config *config;
    mot_status status = mot_allocate(&config, 1, sizeof *config, "a configuration");
    *text = NULL;
    if (status != MOT_OK) return status;
    *config = *of;
    mot_config_clear_surroundings(config);
    config->seed = 0;
    config->threads = 0;
    status = mot_config_text(config, text);
    mot_free(config);
    return status;
}

mot_status mot_variants_find(size_t count, const mot_config *const *config, size_t *variant, size_t *variants)
{
    char **question = NULL; /* of each variant */
    mot_status status;
    *variants = 0;
    MOT_TRY(mot_allocate(&question, count, sizeof *question, "configurations"));
    for (size_t i = 0; i < count; ++i) {
        char *text;
        MOT_TRY(question_of(config[i], &text));
        size_t v = 0;
        while (v < *variants && strcmp(question[v], text) != 0) ++v;
        variant[i] = v;
        if (v < *variants)
            mot_free(text);
        else
            question[(*variants)++] = text;
    }
done:
    for (size_t v = 0; question != NULL && v < *variants; ++v) mot_free(question[v]);
    mot_free(question);
    return status;
}

bool mot_variants_again(const mot_config *const *config, const size_t *variant, size_t i)
{
    for (size_t other = 0; other < i; ++other)
        if (variant[other] == variant[i] && config[other]->seed == config[i]->seed) return true;
    return false;
}

/* ---- what they are called ---- */

/* A key whose value is not the same in all. */
typedef struct differing {
    char key[160], first[160];
} differing;

typedef struct naming {
    differing *key; /* owned */
    size_t count, room;
    char *name; /* that is made; NULL: keys are collected */
    const differing *wanted;
    bool found;
    mot_status status;
} naming;

static void collect(void *with, const mot_change *change)
{
    naming *n = with;
    if (change->role == MOT_KEY_REPORTS || strcmp(change->key, "seed") == 0 || strcmp(change->key, "threads") == 0) return;
    for (size_t k = 0; k < n->count; ++k)
        if (strcmp(n->key[k].key, change->key) == 0) return;
    if (n->status == MOT_OK) n->status = mot_reserve(&n->key, &n->room, n->count + 1, sizeof *n->key, "keys that differ");
    if (n->status != MOT_OK) return;
    differing *key = &n->key[n->count++];
    snprintf(key->key, sizeof key->key, "%s", change->key);
    snprintf(key->first, sizeof key->first, "%s", change->before);
}

static void put(char *name, const char *key, const char *value)
{
    const size_t used = strlen(name);
    snprintf(name + used, MOT_VARIANT_NAME - used, "%s%s=%s", used > 0 ? " " : "", key, value);
}

static void take_value(void *with, const mot_change *change)
{
    naming *n = with;
    if (strcmp(change->key, n->wanted->key) != 0) return;
    put(n->name, change->key, change->now);
    n->found = true;
}

mot_status mot_variants_name(size_t variants, const mot_config *const *config, char (*name)[MOT_VARIANT_NAME])
{
    naming n = {.status = MOT_OK};
    mot_status status = MOT_OK;
    for (size_t v = 1; v < variants; ++v) {
        MOT_TRY(mot_config_changes(config[0], config[v], collect, &n));
        MOT_TRY(n.status);
    }
    for (size_t v = 0; v < variants; ++v) {
        name[v][0] = '\0';
        for (size_t k = 0; k < n.count; ++k) {
            n.name = name[v];
            n.wanted = &n.key[k];
            n.found = false;
            MOT_TRY(mot_config_changes(config[0], config[v], take_value, &n));
            if (!n.found) put(n.name, n.key[k].key, n.key[k].first);
        }
    }
done:
    mot_free(n.key);
    return status;
}
