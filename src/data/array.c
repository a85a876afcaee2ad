#include "array.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "mot/memory.h"

mot_status mot_array_lay_out(array *a, bool fortran)
{
    a->count = 1;
    for (size_t d = 0; d < a->rank; ++d)
        if (a->shape[d] == 0 || a->shape[d] > (size_t)1 << 40 ||
            __builtin_mul_overflow(a->count, a->shape[d], &a->count))
            return mot_fail(MOT_ERR_INPUT,
                            "%s: an axis of %zu elements, expected extents above 0 and below 2^40", a->path,
                            a->shape[d]);
    size_t stride = 1;
    for (size_t k = 0; k < a->rank; ++k) {
        const size_t d = fortran ? k : a->rank - 1 - k;
        a->stride[d] = stride;
        stride *= a->shape[d];
    }
    a->plain = !fortran || a->rank == 1;
    return MOT_OK;
}

array_text mot_array_describe(const array *a)
{
    static const char *const names[] = {"bool", "uint", "int", "float", "bytes", "unicode"};
    array_text out;
    int at = snprintf(out.text, sizeof out.text, "%s", names[a->kind]);
    if (a->kind != ARRAY_BOOL && !array_is_text(a))
        at += snprintf(out.text + at, sizeof out.text - (size_t)at, "%zu", 8 * a->size);
    for (size_t d = 0; d < a->rank; ++d)
        at += snprintf(out.text + at, sizeof out.text - (size_t)at, "%s%zu", d == 0 ? " [" : ", ",
                       a->shape[d]);
    snprintf(out.text + at, sizeof out.text - (size_t)at, "%s", a->rank > 0 ? "]" : "");
    return out;
}

/* Elements in C order, whatever the order they lie in. */
static size_t place(const array *a, size_t index)
{
    size_t place = 0;
    if (a->plain) return index;
    for (size_t d = a->rank; d-- > 0;) {
        place += index % a->shape[d] * a->stride[d];
        index /= a->shape[d];
    }
    return place;
}

/* The bytes of an element in this machine's order, which is that of small ones first. */
static void copy_element(const array *a, size_t place, unsigned char *to)
{
    const char *from = a->data + place * a->size;
    for (size_t i = 0; i < a->size; ++i) to[i] = (unsigned char)from[a->big ? a->size - 1 - i : i];
}

static double half(unsigned bits)
{
    const int exponent = bits >> 10 & 31;
    const double fraction = bits & 1023, sign = bits >> 15 ? -1 : 1;
    if (exponent == 31) return fraction > 0 ? NAN : sign * INFINITY;
    return sign * (exponent == 0 ? ldexp(fraction, -24) : ldexp(1024 + fraction, exponent - 25));
}

static double read_float(const unsigned char *bytes, size_t size)
{
    float single;
    double real;
    long double wide = 0;
    switch (size) {
    case 2:
        return half((unsigned)(bytes[0] | bytes[1] << 8));
    case 4:
        return memcpy(&single, bytes, sizeof single), single;
    case 8:
        return memcpy(&real, bytes, sizeof real), real;
    default:
        return memcpy(&wide, bytes, sizeof wide), (double)wide;
    }
}

double mot_array_number(const array *a, size_t index)
{
    unsigned char bytes[16] = {0};
    copy_element(a, place(a, index), bytes);
    if (a->kind == ARRAY_FLOAT) return read_float(bytes, a->size);
    if (a->kind == ARRAY_BOOL) return bytes[0] != 0;
    uint64_t bits;
    if (a->kind == ARRAY_SIGNED && bytes[a->size - 1] >> 7) memset(bytes + a->size, 0xff, 8 - a->size);
    memcpy(&bits, bytes, sizeof bits);
    return a->kind == ARRAY_SIGNED ? (double)(int64_t)bits : (double)bits;
}

/* ---- texts ---- */

static char *put_utf8(char *to, uint32_t c)
{
    if (c > 0x10ffff || (c >= 0xd800 && c < 0xe000)) c = 0xfffd;
    if (c < 0x80) {
        *to++ = (char)c;
    } else if (c < 0x800) {
        *to++ = (char)(0xc0 | c >> 6);
    } else if (c < 0x10000) {
        *to++ = (char)(0xe0 | c >> 12);
        *to++ = (char)(0x80 | (c >> 6 & 63));
    } else {
        *to++ = (char)(0xf0 | c >> 18);
        *to++ = (char)(0x80 | (c >> 12 & 63));
        *to++ = (char)(0x80 | (c >> 6 & 63));
    }
    if (c >= 0x80) *to++ = (char)(0x80 | (c & 63));
    return to;
}

static char *put_text(const array *a, size_t index, char *to)
{
    const unsigned char *from = (const unsigned char *)a->data + place(a, index) * a->size;
    if (a->kind == ARRAY_BYTES) {
        const size_t length = strnlen((const char *)from, a->size);
        memcpy(to, from, length);
        return to + length;
    }
    for (size_t i = 0; i < a->size; i += 4) {
        const unsigned char *b = from + i;
        const uint32_t c = a->big ? (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3]
                                  : (uint32_t)b[3] << 24 | (uint32_t)b[2] << 16 | (uint32_t)b[1] << 8 | b[0];
        if (c == 0) break;
        to = put_utf8(to, c);
    }
    return to;
}

mot_status mot_array_texts(const array *a, char ***list)
{
    mot_status status = mot_allocate(list, a->count, sizeof(char *) + a->size + 1, "texts");
    if (status != MOT_OK) return status;
    char *at = (char *)(*list + a->count);
    for (size_t i = 0; i < a->count; ++i) {
        char *end = put_text(a, i, at);
        size_t wrong;
        *end = '\0';
        if (!mot_import_is_utf8(at, (size_t)(end - at), &wrong))
            return mot_fail(MOT_ERR_INPUT, "%s: sample %zu: not a text in UTF-8", a->path, i);
        (*list)[i] = mot_import_trim(at);
        at = end + 1;
    }
    return MOT_OK;
}

void mot_array_free(array *a)
{
    mot_free(a->owned);
    *a = (array){0};
}
