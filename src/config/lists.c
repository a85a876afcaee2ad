/* The options that are lists, written as YAML's flow sequences: parts, numbers, texts, and placement. */
#include <stdlib.h>
#include <string.h>

#include "config_reader.h"

static const char *skip_spaces(const char *at)
{
    return at + strspn(at, " ");
}

/* Takes the next item, up to ',' or ']', without the spaces around it. */
static const char *take_item(const char *at, char item[32])
{
    at = skip_spaces(at);
    size_t length = strcspn(at, ",[] ");
    if (length == 0 || length >= 32) return NULL;
    memcpy(item, at, length);
    item[length] = '\0';
    return skip_spaces(at + length);
}

bool mot_parse_parts(const char *text, mot_part_set *value)
{
    mot_part_set set = 0;
    const char *at = skip_spaces(text);
    if (*at++ != '[') return false;
    at = skip_spaces(at);
    while (*at != ']') {
        char item[32];
        at = take_item(at, item);
        if (at == NULL) return false;
        int part = 0;
        while (part < MOT_PARTS && strcmp(item, mot_part_name[part]) != 0) ++part;
        if (part == MOT_PARTS || (set & 1u << part) != 0) return false;
        set |= 1u << part;
        if (*at == ',') {
            at = skip_spaces(at + 1);
            if (*at == ']') return false;
        } else if (*at != ']') {
            return false;
        }
    }
    if (*skip_spaces(at + 1) != '\0') return false;
    *value = set;
    return true;
}

bool mot_parse_reals(const char *text, size_t most, double *value, size_t *count)
{
    const char *at = skip_spaces(text);
    *count = 0;
    if (*at != '[') {
        *count = 1;
        return most > 0 && mot_parse_real(text, value);
    }
    at = skip_spaces(at + 1);
    while (*at != ']') {
        char item[32];
        at = take_item(at, item);
        if (at == NULL || *count == most || !mot_parse_real(item, &value[*count])) return false;
        ++*count;
        if (*at == ',') {
            at = skip_spaces(at + 1);
            if (*at == ']') return false;
        } else if (*at != ']') {
            return false;
        }
    }
    return *skip_spaces(at + 1) == '\0';
}

/* Text that grows up to a bound, and remembers that it did not fit. */
typedef struct bounded {
    char *text;
    size_t size, used;
    bool full;
} bounded;

static void add(bounded *to, const char *piece)
{
    const size_t length = strlen(piece);
    to->full = to->full || length >= to->size - to->used;
    if (to->full) return;
    memcpy(to->text + to->used, piece, length + 1);
    to->used += length;
}

/* The next text, up to ',' or ']' or, where there are no brackets, the end; without the spaces around it. */
static const char *take_text(const char *at, bool listed, char *item, size_t size)
{
    at = skip_spaces(at);
    size_t length = strcspn(at, ",[]");
    const char *const end = at + length;
    while (length > 0 && at[length - 1] == ' ') --length;
    if (length == 0 || length >= size || (listed ? *end != ',' && *end != ']' : *end != '\0')) return NULL;
    memcpy(item, at, length);
    item[length] = '\0';
    return end;
}

bool mot_parse_texts(const char *text, size_t most, bool (*is_item)(const char *text), char *list, size_t size)
{
    char item[MOT_OPTION_VALUE];
    bounded to = {.text = list, .size = size};
    const char *at = skip_spaces(text);
    const bool listed = *at == '[';
    memset(list, 0, size);
    at += listed;
    for (size_t count = 1; count <= most; ++count) {
        at = take_text(at, listed, item, sizeof item);
        if (at == NULL || !mot_parse_is_text(item) || (is_item != NULL && !is_item(item))) return false;
        add(&to, count > 1 ? ", " : "");
        add(&to, item);
        if (*at != ',') return *skip_spaces(at + listed) == '\0' && !to.full;
        ++at;
    }
    return false;
}

/* Row of experts "[0, 1]" or "[]"; the place behind it, NULL when malformed. */
static const char *take_row(const char *at, bounded *to)
{
    if (*at++ != '[') return NULL;
    add(to, "[");
    at = skip_spaces(at);
    while (*at != ']') {
        char item[32];
        uint64_t expert;
        at = take_item(at, item);
        if (at == NULL || !mot_parse_integer(item, &expert) || expert > INT32_MAX) return NULL;
        snprintf(item, sizeof item, "%" PRIu64, expert);
        add(to, item);
        if (*at == ',') {
            at = skip_spaces(at + 1);
            if (*at == ']') return NULL;
            add(to, ",");
        } else if (*at != ']') {
            return NULL;
        }
    }
    add(to, "]");
    return skip_spaces(at + 1);
}

bool mot_parse_placement(const char *text, char *canonical, size_t size)
{
    bounded to = {.text = canonical, .size = size};
    memset(canonical, 0, size);
    const char *at = skip_spaces(text);
    if (strncmp(at, "even", 4) == 0 && *skip_spaces(at + 4) == '\0') {
        add(&to, "even");
        return true;
    }
    if (*at++ != '[') return false;
    add(&to, "[");
    for (;;) {
        at = take_row(skip_spaces(at), &to);
        if (at == NULL) return false;
        if (*at == ']') break;
        if (*at++ != ',') return false;
        add(&to, ",");
    }
    add(&to, "]");
    return *skip_spaces(at + 1) == '\0' && !to.full;
}

mot_status mot_check_placement(const char *where, const char *what, const char *at, int experts)
{
    bool seen[MOT_MAX_EXPERTS] = {false};
    if (strcmp(at, "even") == 0) return MOT_OK;
    while (*at != '\0') {
        if (*at < '0' || *at > '9') {
            ++at;
            continue;
        }
        char *end;
        const long expert = strtol(at, &end, 10);
        if (expert >= experts)
            return mot_fail(MOT_ERR_INPUT, "%s: %s: expert %ld outside [0, %d), the model.experts", where, what, expert,
                            experts);
        if (seen[expert])
            return mot_fail(MOT_ERR_INPUT, "%s: %s: expert %ld stands there twice", where, what, expert);
        seen[expert] = true;
        at = end;
    }
    for (int expert = 0; expert < experts; ++expert)
        if (!seen[expert])
            return mot_fail(MOT_ERR_INPUT, "%s: %s: expert %d of %d stands in no row", where, what, expert, experts);
    return MOT_OK;
}
