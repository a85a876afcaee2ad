/* A .npy file: "\x93NUMPY", version, length of the head, the head as the text of a Python dictionary, the data. */
#include <ctype.h>
#include <float.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "mot/memory.h"

enum { MAX_HEAD = 1 << 16 };

/* What the dictionary says, as it says it. */
typedef struct head {
    char type[80], order[16], shape[256];
} head;

/* ---- the dictionary ---- */

static const char *skip_blanks(const char *at)
{
    return at + strspn(at, " \t\r\n,");
}

/* A string in either kind of quotes; NULL when there is none. */
static const char *read_string(const char *at, char *to, size_t room)
{
    const char quote = *at;
    if (quote == 'u' || quote == 'b') return read_string(at + 1, to, room); /* as old Python wrote them */
    if (quote != '\'' && quote != '"') return NULL;
    const char *end = strchr(at + 1, quote);
    if (end == NULL || (size_t)(end - at) > room) return NULL;
    snprintf(to, room, "%.*s", (int)(end - at - 1), at + 1);
    return end + 1;
}

/* A value: a string without its quotes; or all from a bracket to the one that closes it; or a word. */
static const char *read_value(const char *at, char *to, size_t room)
{
    const char *end = read_string(at, to, room);
    if (end != NULL) return end;
    if (*at == '(' || *at == '[') {
        int depth = 0;
        for (end = at; *end != '\0'; ++end) {
            depth += (*end == '(' || *end == '[') - (*end == ')' || *end == ']');
            if (depth == 0) break;
        }
        if (*end == '\0') return NULL;
        ++end;
    } else {
        end = at + strcspn(at, ", }\n");
    }
    snprintf(to, room, "%.*s", (int)(end - at), at);
    return end;
}

static bool read_head(const char *at, head *h)
{
    *h = (head){.type = ""};
    at = skip_blanks(at);
    if (*at++ != '{') return false;
    for (at = skip_blanks(at); *at != '}'; at = skip_blanks(at)) {
        char key[32], other[16];
        at = read_string(at, key, sizeof key);
        if (at == NULL) return false;
        at = skip_blanks(at);
        if (*at++ != ':') return false;
        at = skip_blanks(at);
        if (strcmp(key, "descr") == 0)
            at = read_value(at, h->type, sizeof h->type);
        else if (strcmp(key, "fortran_order") == 0)
            at = read_value(at, h->order, sizeof h->order);
        else if (strcmp(key, "shape") == 0)
            at = read_value(at, h->shape, sizeof h->shape);
        else
            at = read_value(at, other, sizeof other);
        if (at == NULL) return false;
    }
    return true;
}

/* ---- what it says ---- */

static mot_status read_shape(array *a, const char *text)
{
    if (*text++ != '(') return mot_fail(MOT_ERR_INPUT, "%s: the head has no shape", a->path);
    for (text = skip_blanks(text); *text != ')'; text = skip_blanks(text)) {
        char *end;
        const unsigned long long extent = isdigit((unsigned char)*text) ? strtoull(text, &end, 10) : 0;
        if (extent == 0 || extent > (size_t)1 << 40 || a->rank == ARRAY_MAX_RANK)
            return mot_fail(MOT_ERR_INPUT, "%s: shape '(%.60s', expected 1 to %d extents above 0", a->path,
                            text, ARRAY_MAX_RANK);
        a->shape[a->rank++] = (size_t)extent;
        text = end + (*end == 'L'); /* Python 2 writes its long integers so */
    }
    if (a->rank == 0) return mot_fail(MOT_ERR_INPUT, "%s: one value alone, expected one a sample", a->path);
    return MOT_OK;
}

static bool size_fits(char kind, size_t size)
{
    switch (kind) {
    case 'b':
        return size == 1;
    case 'u':
    case 'i':
        return size == 1 || size == 2 || size == 4 || size == 8;
    case 'f':
        return size == 2 || size == 4 || size == 8;
    default:
        return size >= 1 && size <= 1 << 16;
    }
}

/* An order, a kind and a size, as in "<f4". */
static mot_status read_type(array *a, const char *type)
{
    static const struct {
        char letter;
        array_kind kind;
    } kinds[] = {{'b', ARRAY_BOOL},  {'u', ARRAY_UNSIGNED}, {'i', ARRAY_SIGNED}, {'f', ARRAY_FLOAT},
                 {'S', ARRAY_BYTES}, {'a', ARRAY_BYTES},    {'U', ARRAY_UNICODE}};
    static const struct {
        const char *letters, *why;
    } others[] = {{"c", "complex numbers, of which mot could read one part: save .real, .imag or abs()"},
                  {"O", "Python objects (a pickle): save numbers, or texts with .astype(str)"},
                  {"mM", "dates or times: save them as numbers, with .astype('i8')"},
                  {"V", "raw bytes, or a type NumPy does not know (bfloat16): save as float32"},
                  {"[({", "a table with several fields: save each as an array of its own"}};
    for (size_t i = 0; i < MOT_COUNT(others); ++i) {
        const char *letter = strchr("<>|=", type[0]) != NULL && type[0] != '\0' ? type + 1 : type;
        if (*letter != '\0' && strchr(others[i].letters, *letter) != NULL)
            return mot_fail(MOT_ERR_INPUT, "%s: type '%.40s': %s", a->path, type, others[i].why);
    }
    const bool order = type[0] == '<' || type[0] == '>' || type[0] == '|' || type[0] == '=';
    const char *letter = type + order;
    char *end = NULL;
    const unsigned long size = letter[0] != '\0' && isdigit((unsigned char)letter[1])
                                   ? strtoul(letter + 1, &end, 10)
                                   : 0;
    for (size_t i = 0; i < MOT_COUNT(kinds); ++i) {
        if (letter[0] != kinds[i].letter || end == NULL || *end != '\0') continue;
        const bool wide = letter[0] == 'f' && size == sizeof(long double) && LDBL_MANT_DIG == 64 &&
                          type[0] == '<';
        if (!size_fits(letter[0], size) && !wide) continue;
        a->kind = kinds[i].kind;
        a->size = size * (letter[0] == 'U' ? 4 : 1);
        a->big = type[0] == '>';
        return MOT_OK;
    }
    return mot_fail(
        MOT_ERR_INPUT,
        "%s: type '%.40s', expected bool, integers of 1 to 8 bytes, floats of 2, 4 or 8, or texts (U, S)",
        a->path, type);
}

mot_status mot_npy_parse(const char *path, const char *bytes, size_t size, array *a)
{
    *a = (array){.size = 0};
    snprintf(a->path, sizeof a->path, "%s", path);
    const unsigned char *b = (const unsigned char *)bytes;
    if (size < 12 || memcmp(bytes, "\x93NUMPY", 6) != 0)
        return mot_fail(MOT_ERR_INPUT, "%s: byte 0: not a .npy array", path);
    const size_t start = b[6] == 1 ? 10 : 12;
    const size_t length = b[6] == 1
                              ? (size_t)(b[8] | b[9] << 8)
                              : (size_t)b[8] | (size_t)b[9] << 8 | (size_t)b[10] << 16 | (size_t)b[11] << 24;
    if (b[6] < 1 || b[6] > 3 || length > size - start || length > MAX_HEAD)
        return mot_fail(MOT_ERR_INPUT, "%s: byte 6: a head of version %d and %zu bytes cannot be read", path,
                        b[6], length);
    char text[MAX_HEAD + 1];
    head h;
    memcpy(text, bytes + start, length);
    text[length] = '\0';
    if (!read_head(text, &h))
        return mot_fail(MOT_ERR_INPUT, "%s: byte %zu: the head is no dictionary: '%.60s'", path, start, text);
    mot_status status = MOT_OK;
    MOT_TRY(read_type(a, h.type));
    MOT_TRY(read_shape(a, h.shape));
    MOT_TRY(mot_array_lay_out(a, strcmp(h.order, "True") == 0));
    const size_t have = size - start - length;
    if (a->count > have / a->size || a->count * a->size != have)
        return mot_fail(MOT_ERR_INPUT, "%s: %zu bytes of data, expected %zu numbers of %zu bytes", path, have,
                        a->count, a->size);
    a->data = bytes + start + length;
done:
    return status;
}
