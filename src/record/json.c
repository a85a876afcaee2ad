#include "record_private.h"

#include <ctype.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mot/atomic_file.h"
#include "mot/memory.h"
#include "mot/utf8.h"

struct mot_json {
    char *text;
    size_t length, capacity;
    mot_status status; /* the first failure: later calls do nothing */
};

/* ---- writing ---- */

static void put(mot_json *json, const char *bytes, size_t count)
{
    if (json == NULL) return;
    if (json->status == MOT_OK)
        json->status = mot_reserve(&json->text, &json->capacity, json->length + count + 1, 1,
                                   "a line of JSON");
    if (json->status != MOT_OK) return;
    memcpy(json->text + json->length, bytes, count);
    json->length += count;
    json->text[json->length] = '\0';
}

static void put_text(mot_json *json, const char *text)
{
    put(json, text, strlen(text));
}

/* What is no UTF-8, as a folder's name may be, becomes the replacement character. */
static void put_quoted(mot_json *json, const char *text)
{
    const char *const end = text + strlen(text), *plain = text;
    put_text(json, "\"");
    while (text < end) {
        const unsigned char byte = (unsigned char)*text;
        const size_t length = byte < 0x80 ? 1 : mot_utf8_character(text, (size_t)(end - text));
        char escape[8];
        if (length > 1 || (length == 1 && byte >= 0x20 && byte != '"' && byte != '\\' && byte != 0x7f)) {
            text += length;
            continue;
        }
        put(json, plain, (size_t)(text - plain));
        plain = ++text;
        if (length == 0)
            snprintf(escape, sizeof escape, "\\ufffd");
        else if (byte == '"' || byte == '\\')
            snprintf(escape, sizeof escape, "\\%c", byte);
        else if (byte == '\n')
            snprintf(escape, sizeof escape, "\\n");
        else if (byte == '\t')
            snprintf(escape, sizeof escape, "\\t");
        else
            snprintf(escape, sizeof escape, "\\u%04x", byte);
        put_text(json, escape);
    }
    put(json, plain, (size_t)(end - plain));
    put_text(json, "\"");
}

/* NULL: of a list. */
static void put_key(mot_json *json, const char *key)
{
    const char last = json == NULL || json->length == 0 ? '{' : json->text[json->length - 1];
    if (last != '{' && last != '[') put_text(json, ", ");
    if (key == NULL) return;
    put_quoted(json, key);
    put_text(json, ": ");
}

static void put_int(mot_json *json, int64_t value)
{
    char number[32];
    snprintf(number, sizeof number, "%" PRId64, value);
    put_text(json, number);
}

/* The shortest of 15, 16, 17 digits that reads back to the same number. */
void mot_number_text(char text[MOT_NUMBER_TEXT], double value)
{
    if (!isfinite(value)) {
        snprintf(text, MOT_NUMBER_TEXT, "null");
        return;
    }
    if (fabs(value) < 1e15 && value == trunc(value) && !(value == 0 && signbit(value))) {
        snprintf(text, MOT_NUMBER_TEXT, "%" PRId64, (int64_t)value); /* the same text, sooner */
        return;
    }
    for (int digits = 15; digits <= 17; ++digits) {
        snprintf(text, MOT_NUMBER_TEXT, "%.*g", digits, value);
        if (strtod(text, NULL) == value) break;
    }
}

static void put_real(mot_json *json, double value)
{
    char number[MOT_NUMBER_TEXT];
    mot_number_text(number, value);
    put_text(json, number);
}

mot_json *mot_json_begin(void)
{
    mot_json *const json = mot_calloc(1, sizeof *json);
    put_text(json, "{");
    return json;
}

void mot_json_text(mot_json *json, const char *key, const char *value)
{
    put_key(json, key);
    if (value == NULL)
        put_text(json, "null");
    else
        put_quoted(json, value);
}

void mot_json_bool(mot_json *json, const char *key, bool value)
{
    put_key(json, key);
    put_text(json, value ? "true" : "false");
}

void mot_json_int(mot_json *json, const char *key, int64_t value)
{
    put_key(json, key);
    put_int(json, value);
}

void mot_json_real(mot_json *json, const char *key, double value)
{
    put_key(json, key);
    put_real(json, value);
}

void mot_json_reals(mot_json *json, const char *key, size_t count, const double *values)
{
    put_key(json, key);
    put_text(json, "[");
    for (size_t i = 0; i < count; ++i) {
        if (i > 0) put_text(json, ", ");
        put_real(json, values[i]);
    }
    put_text(json, "]");
}

void mot_json_ints(mot_json *json, const char *key, size_t count, const int64_t *values)
{
    put_key(json, key);
    put_text(json, "[");
    for (size_t i = 0; i < count; ++i) {
        if (i > 0) put_text(json, ", ");
        put_int(json, values[i]);
    }
    put_text(json, "]");
}

void mot_json_texts(mot_json *json, const char *key, size_t count, char *const *values)
{
    put_key(json, key);
    put_text(json, "[");
    for (size_t i = 0; i < count; ++i) {
        if (i > 0) put_text(json, ", ");
        put_quoted(json, values[i]);
    }
    put_text(json, "]");
}

void mot_json_open(mot_json *json, const char *key, char bracket)
{
    put_key(json, key);
    put(json, &bracket, 1);
}

void mot_json_close(mot_json *json, char bracket)
{
    put(json, &bracket, 1);
}

mot_status mot_json_end(mot_json *json, char **text)
{
    *text = NULL;
    if (json == NULL) return mot_fail(MOT_ERR_MEMORY, "not enough memory for a line of JSON");
    put_text(json, "}");
    const mot_status status = json->status;
    if (status == MOT_OK)
        *text = json->text;
    else
        mot_free(json->text);
    mot_free(json);
    return status;
}

mot_status mot_json_save(mot_json *json, const char *path)
{
    char *text;
    mot_status status = mot_json_end(json, &text);
    if (status != MOT_OK) return status;
    const size_t length = strlen(text);
    text[length] = '\n'; /* in place of the final 0, which a file does not need */
    status = mot_file_replace(path, text, length + 1);
    mot_free(text);
    return status;
}

/* ---- reading back one number ---- */

/* The end of the string that opens at `at`, behind its closing quote; or `end`. */
static const char *string_end(const char *at, const char *end)
{
    for (++at; at < end && *at != '"'; ++at) {
        if (*at == '\\') ++at;
    }
    return at < end ? at + 1 : end;
}

/* The text behind `key`, copied to `number`, since strtoll and strtod want a final 0. */
static bool find_number(const char *line, size_t length, const char *key, char number[48])
{
    const char *const end = line + length;
    const size_t wanted = strlen(key);
    int depth = 0;
    for (const char *at = line; at < end;) {
        if (*at == '{' || *at == '[') ++depth;
        if (*at == '}' || *at == ']') --depth;
        if (*at != '"') {
            ++at;
            continue;
        }
        const char *const name = at + 1;
        at = string_end(at, end);
        const bool same = depth == 1 && (size_t)(at - name) == wanted + 1 && memcmp(name, key, wanted) == 0;
        while (at < end && isspace((unsigned char)*at)) ++at;
        if (!same || at >= end || *at != ':') continue;
        for (++at; at < end && isspace((unsigned char)*at);) ++at;
        const size_t count = MOT_MIN((size_t)(end - at), 47);
        memcpy(number, at, count);
        number[count] = '\0';
        return true;
    }
    return false;
}

bool mot_json_find_int(const char *line, size_t length, const char *key, int64_t *value)
{
    char number[48], *behind;
    if (!find_number(line, length, key, number)) return false;
    *value = strtoll(number, &behind, 10);
    return behind != number;
}

bool mot_json_find_real(const char *line, size_t length, const char *key, double *value)
{
    char number[48], *behind;
    if (!find_number(line, length, key, number)) return false;
    *value = strtod(number, &behind);
    return behind != number;
}

enum { MOST_OF_SUMMARY = 1 << 24 };

mot_status mot_summary_read(const char *folder, char **text, bool *done)
{
    char path[PATH_MAX];
    size_t count;
    mot_status status;
    *text = NULL;
    *done = false;
    MOT_TRY(mot_path_join(path, sizeof path, folder, "summary.json"));
    if (access(path, F_OK) != 0) return MOT_OK;
    MOT_TRY(mot_file_read(path, MOST_OF_SUMMARY, text, &count));
    while (count > 0 && isspace((unsigned char)(*text)[count - 1])) --count;
    if (count < 2 || (*text)[0] != '{' || (*text)[count - 1] != '}' || strlen(*text) < count)
        status = mot_fail(MOT_ERR_INPUT,
                          "%s is not whole: expected the object that the run wrote; mot train %s/config.yaml writes it anew", path,
                          folder);
    else
        *done = strstr(*text, "\"status\": \"done\"") != NULL;
done:
    if (status != MOT_OK) {
        mot_free(*text);
        *text = NULL;
    }
    return status;
}

/* ---- all members ---- */

/* Behind the text whose quotation mark is at `at`. */
static const char *take_text(const char *at, const char **text, size_t *length)
{
    *text = ++at;
    for (; *at != '\0' && *at != '"'; ++at) at += *at == '\\' && at[1] != '\0';
    *length = (size_t)(at - *text);
    return *at == '"' ? at + 1 : at;
}

/* Behind a list or an object. */
static const char *skip_list(const char *at)
{
    const char *text;
    size_t length;
    int depth = 0;
    while (*at != '\0') {
        if (*at == '"') {
            at = take_text(at, &text, &length);
            continue;
        }
        depth += (*at == '[' || *at == '{') - (*at == ']' || *at == '}');
        ++at;
        if (depth == 0) break;
    }
    return at;
}

static const char *take_value(const char *at, mot_json_member *member)
{
    char *end;
    if (*at == '"') return take_text(at, &member->text, &member->text_length);
    if (*at == '[' || *at == '{') return skip_list(at);
    const double number = strtod(at, &end);
    if (end == at) return at + strcspn(at, ",}"); /* true, false, null */
    member->number = number;
    return end;
}

mot_status mot_json_members(const char *object, mot_json_member_function *say, void *with)
{
    static const char between[] = " \t\r\n,:";
    const char *at = strchr(object, '{');
    mot_status status = MOT_OK;
    for (at = at != NULL ? at + 1 + strspn(at + 1, between) : ""; *at == '"' && status == MOT_OK; at += strspn(at, between)) {
        mot_json_member member = {.number = NAN};
        at = take_text(at, &member.key, &member.key_length);
        at = take_value(at + strspn(at, between), &member);
        status = say(with, &member);
    }
    return status;
}
