/* What to say about a key or a value that is not known: where the one that was meant stands, or what it is called here. */
#include "option.h"

#include <stdarg.h>
#include <string.h>

enum { MOST_NAMED = 4, LEAST_FOR_A_SLIP = 6 };

/* ---- names ---- */

static bool is_between(char c)
{
    return c == '_' || c == '-' || c == '.' || c == ' ';
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* The next letter that counts; 0 at the end. */
static char next_letter(const char **at, const char *end)
{
    while (*at < end && is_between(**at)) ++*at;
    return *at < end ? lower(*(*at)++) : '\0';
}

/* The same letters, whatever their case and what stands between them; `length` bytes of the first. */
static bool is_alike(const char *name, size_t length, const char *other)
{
    const char *const end = name + length, *const other_end = other + strlen(other);
    char letter;
    bool some = false;
    do {
        letter = next_letter(&name, end);
        if (letter != next_letter(&other, other_end)) return false;
        some = some || letter != '\0';
    } while (letter != '\0');
    return some;
}

static bool is_same(const char *name, const char *other)
{
    return is_alike(name, strlen(name), other);
}

static const char *last_name(const char *key)
{
    const char *dot = strrchr(key, '.');
    return dot != NULL ? dot + 1 : key;
}

/* Letters to insert, remove or replace, or neighbours to swap, to make one of the other, row by row of the table
 * (Levenshtein's distance, with Damerau's swaps). */
static int edit_distance(const char *left, const char *right, size_t right_length)
{
    int table[3][MOT_OPTION_KEY + 1];
    const int columns = (int)MOT_MIN(right_length, (size_t)MOT_OPTION_KEY),
              rows = (int)strnlen(left, MOT_OPTION_KEY);
    int *before = table[0], *above = table[1], *row = table[2]; /* two rows up, one, this one */
    for (int j = 0; j <= columns; ++j) row[j] = j;
    for (int i = 1; i <= rows; ++i) {
        int *const free = before;
        before = above;
        above = row;
        row = free;
        row[0] = i;
        for (int j = 1; j <= columns; ++j) {
            const int replaced = above[j - 1] + (left[i - 1] != right[j - 1]);
            row[j] = MOT_MIN(replaced, MOT_MIN(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1])
                row[j] = MOT_MIN(row[j], before[j - 2] + 1);
        }
    }
    return row[columns];
}

/* A right name in the wrong section is nearer than any misspelling but one. */
static int distance_to(const char *key, const char *known)
{
    const char *last = last_name(known);
    const int whole = edit_distance(key, known, strlen(known)),
              name = 1 + edit_distance(last_name(key), last, strlen(last));
    return MOT_MIN(2 * whole, 2 * name + 1);
}

/* ---- the sentence ---- */

typedef struct hint {
    int stage; /* or MOT_NO_STAGE */
    char *text;
    size_t size;
} hint;

static void add(const hint *to, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add(const hint *to, const char *format, ...)
{
    const size_t used = strlen(to->text);
    va_list args;
    va_start(args, format);
    vsnprintf(to->text + used, to->size - used, format, args);
    va_end(args);
}

/* As it is to be written where the unknown key stood: in a stage by its name there, if it has one. */
static void add_key(const hint *to, const mot_option *option)
{
    if (option->stage_key != NULL && (to->stage != MOT_NO_STAGE || option->key == NULL))
        add(to, "'stages.%d.%s'", MOT_MAX(to->stage, 0), option->stage_key);
    else
        add(to, "'%s'", option->key);
}

/* ---- a key of ours in another place ---- */

static int count_dots(const char *text)
{
    int dots = 0;
    for (; *text != '\0'; ++text) dots += *text == '.';
    return dots;
}

/* How far the option is from where the key was sought; -1: it has another name. */
static int displacement(const mot_option *option, const char *key, int stage)
{
    const char *const name = last_name(key), *const known = option->key;
    if (stage != MOT_NO_STAGE && option->stage_key != NULL &&
        (is_same(name, option->stage_key) || (known != NULL && is_same(name, last_name(known)))))
        return 0;
    if (known == NULL) return stage == MOT_NO_STAGE && is_same(name, option->stage_key) ? 9 : -1;
    if (is_same(key, known)) return 0;
    if (!is_same(name, last_name(known))) return -1;
    /* A stage takes from `train`; elsewhere what stands in the same section, or below it, is nearer. */
    const char *const section = stage != MOT_NO_STAGE ? "train." : key;
    const size_t length = stage != MOT_NO_STAGE ? strlen(section) : (size_t)(name - key);
    return length > 0 && strncmp(known, section, length) == 0 ? 1 : 2 + count_dots(known);
}

static bool hint_at_place(const hint *to, const char *key)
{
    int found[MOST_NAMED], count = 0, nearest = -1;
    for (int i = 0; i < mot_option_count; ++i) {
        const int far = displacement(&mot_options[i], key, to->stage);
        if (far < 0 || (nearest >= 0 && far > nearest)) continue;
        if (far < nearest) count = 0;
        nearest = far;
        if (count < MOST_NAMED) found[count++] = i;
    }
    if (count == 0) return false;
    add(to, count > 1 ? "closest are " : "closest is ");
    for (int i = 0; i < count; ++i) {
        add(to, "%s", i == 0 ? "" : i == count - 1 ? " and " : ", ");
        add_key(to, &mot_options[found[i]]);
    }
    return true;
}

/* ---- names of other programs ---- */

/* Whether a name of the row is this one, or (`slips` 1) but for one letter. */
static bool has_name(const mot_foreign *row, const char *name, int slips)
{
    for (const char *at = row->names; *at != '\0';) {
        const size_t length = strcspn(at, " ");
        if (is_alike(at, length, name)) return true;
        if (slips > 0 && length >= LEAST_FOR_A_SLIP && edit_distance(name, at, length) <= slips) return true;
        at += length + strspn(at + length, " ");
    }
    return false;
}

static bool hint_at_foreign(const hint *to, const char *name, int slips)
{
    for (int i = 0; i < mot_foreign_key_count; ++i) {
        const mot_foreign *row = &mot_foreign_keys[i];
        if (!has_name(row, name, slips)) continue;
        if (row->key == NULL) {
            add(to, "mot has none: %s", row->note);
            return true;
        }
        const int option = mot_option_find(row->key);
        add(to, "here it is ");
        if (option != MOT_OPTION_NONE)
            add_key(to, &mot_options[option]);
        else
            add(to, "'%s'", row->key); /* a section */
        if (row->note != NULL) add(to, ", %s", row->note);
        return true;
    }
    return false;
}

/* ---- a misspelling ---- */

/* The closest of ours by edit distance, which may be far. */
static const mot_option *closest(const char *key, bool in_stage, int *least)
{
    const mot_option *best = NULL;
    const char *best_name = "";
    for (int i = 0; i < mot_option_count; ++i) {
        const char *known = in_stage ? mot_options[i].stage_key : mot_options[i].key;
        if (known == NULL) continue;
        int distance = distance_to(key, known);
        /* "parts" in a stage means what `train.parts` means outside of one */
        if (in_stage && mot_options[i].key != NULL)
            distance = MOT_MIN(distance, distance_to(key, last_name(mot_options[i].key)));
        /* of equals the shorter, which is the more general */
        if (best == NULL || distance < *least || (distance == *least && strlen(known) < strlen(best_name))) {
            best = &mot_options[i];
            best_name = known;
            *least = distance;
        }
    }
    return best;
}

/* The section that the key may mean, mistyped by less than `than`; NULL: none. */
static const char *closest_section(const char *key, int *than)
{
    const char *best = NULL;
    for (int i = 0; i < mot_option_section_count; ++i) {
        const char *name = mot_option_sections[i].name;
        const int distance = is_same(key, name) ? 0 : 2 * edit_distance(key, name, strlen(name));
        if (name[0] == '\0' || distance >= *than) continue;
        best = name;
        *than = distance;
    }
    return best;
}

static bool hint_at_section(const hint *to, const char *key)
{
    int more_than_case = 1; /* "Train" */
    const char *section = closest_section(key, &more_than_case);
    if (section != NULL && strcmp(section, key) != 0) {
        add(to, "closest is '%s'", section);
        return true;
    }
    for (int i = 0; mot_option_is_section(key) && i < mot_option_count; ++i) {
        const char *known = mot_options[i].key;
        if (known == NULL || strncmp(known, key, strlen(key)) != 0 || known[strlen(key)] != '.') continue;
        add(to, "it is a section, of keys such as '%s'", known);
        return true;
    }
    return false;
}

/* "optimizer.type" of a map where others write optimizer_type, and what is below a section that mot does not have. */
static bool hint_at_foreign_section(const hint *to, const char *key)
{
    char section[MOT_OPTION_KEY];
    if (strchr(key, '.') == NULL) return false;
    if (hint_at_foreign(to, key, 0)) return true;
    snprintf(section, sizeof section, "%.*s", (int)strcspn(key, "."), key);
    return !mot_option_is_section(section) && hint_at_foreign(to, section, 0);
}

bool mot_option_hint(const char *key, int stage, char *text, size_t size)
{
    const hint to = {stage, text, size};
    const char *section = NULL;
    int distance = 0;
    text[0] = '\0';
    if (stage == MOT_NO_STAGE && hint_at_section(&to, key)) return true;
    if (hint_at_place(&to, key) || hint_at_foreign(&to, last_name(key), 0) || hint_at_foreign_section(&to, key))
        return true;
    const mot_option *const option = closest(key, stage != MOT_NO_STAGE, &distance);
    if (distance > 2 && hint_at_foreign(&to, last_name(key), 1)) return true;
    if (stage == MOT_NO_STAGE) section = closest_section(key, &distance);
    if (distance > MOT_MAX(6, 2 * (int)strlen(last_name(key)) / 3 + 1)) { /* two letters, or a third of them */
        add(&to, "mot has none that is like it (mot train --help-config explains all)");
        return false;
    }
    add(&to, "closest is ");
    if (section != NULL)
        add(&to, "'%s'", section);
    else
        add_key(&to, option);
    return distance <= 5; /* two letters, or one and another section */
}

/* ---- values ---- */

static bool has_choices(const mot_option *option, const char *key)
{
    if (option->type == MOT_OPTION_BOOLEAN) return key == NULL;
    if (option->type != MOT_OPTION_CHOICE || key == NULL) return false;
    const mot_option *of = &mot_options[mot_option_find(key)];
    return option->choices == of->choices && option->kinds == of->kinds;
}

/* As mot_option_choice, of a boolean too. */
static const char *value_name(const mot_option *option, size_t index)
{
    static const char *const truth[] = {"true", "false", NULL};
    return option->type == MOT_OPTION_BOOLEAN ? truth[index] : mot_option_choice(option, index);
}

void mot_option_value_hint(const mot_option *option, const char *value, char *text, size_t size)
{
    const hint to = {MOT_NO_STAGE, text, size};
    const char *name;
    if (option->type != MOT_OPTION_CHOICE && option->type != MOT_OPTION_BOOLEAN) return;
    for (size_t i = 0; (name = value_name(option, i)) != NULL; ++i) {
        if (!is_same(value, name)) continue;
        add(&to, "; closest is %s", name);
        return;
    }
    for (int i = 0; i < mot_foreign_value_count; ++i) {
        const mot_foreign *row = &mot_foreign_values[i];
        if (!has_choices(option, row->key) || !has_name(row, value, 0)) continue;
        add(&to, "; closest is %s%s%s", row->value, row->note != NULL ? ", " : "",
            row->note != NULL ? row->note : "");
        return;
    }
    for (size_t i = 0; (name = value_name(option, i)) != NULL; ++i) {
        if (3 * edit_distance(value, name, strlen(name)) > (int)strlen(name)) continue;
        add(&to, "; closest is %s", name);
        return;
    }
}

bool mot_config_hint(const char *key, char *text, size_t size)
{
    return mot_option_hint(key, MOT_NO_STAGE, text, size);
}
