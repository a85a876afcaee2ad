/* A sample as people see it: a picture as a PNG in a data URL, a text in words, numbers as they are. */
#include <png.h>
#include <stdio.h>
#include <string.h>

#include "mot/memory.h"
#include "sample_text.h"

enum { MOST_WORDS = 60, MOST_NUMBERS = 8, MOST_TEXT = 2000 };

/* Planes C x H x W become pixels of one or three numbers: what has more shows its first three, what has two its first. */
static void put_pixels(const mot_sample_format *format, const unsigned char *bytes, unsigned char *pixel)
{
    const size_t plane = format->height * format->width, shown = format->channels >= 3 ? 3 : 1;
    for (size_t i = 0; i < plane; ++i)
        for (size_t c = 0; c < shown; ++c) pixel[i * shown + c] = bytes[c * plane + i];
}

static const char *to_base64(report_pool *pool, const unsigned char *bytes, size_t count)
{
    static const char letter[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", head[] = "data:image/png;base64,";
    char *text;
    if (mot_report_take(pool, &text, sizeof head + (count + 2) / 3 * 4, 1) != MOT_OK) return NULL;
    memcpy(text, head, sizeof head - 1);
    char *to = text + sizeof head - 1;
    for (size_t i = 0; i < count; i += 3) {
        const unsigned group = (unsigned)bytes[i] << 16 | (i + 1 < count ? (unsigned)bytes[i + 1] << 8 : 0) |
                               (i + 2 < count ? (unsigned)bytes[i + 2] : 0);
        for (int k = 0; k < 4; ++k) *to++ = i + (size_t)k > count ? '=' : letter[group >> (18 - 6 * k) & 63];
    }
    return text;
}

static mot_status put_picture(report_pool *pool, const mot_sample_format *format, const unsigned char *bytes, const char **url)
{
    png_image image = {.version = PNG_IMAGE_VERSION, .width = (png_uint_32)format->width, .height = (png_uint_32)format->height,
                       .format = format->channels >= 3 ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY};
    unsigned char *pixel = NULL, *file = NULL;
    png_alloc_size_t size;
    mot_status status;
    MOT_TRY(mot_allocate(&pixel, PNG_IMAGE_SIZE(image), 1, "a picture"));
    put_pixels(format, bytes, pixel);
    size = PNG_IMAGE_PNG_SIZE_MAX(image);
    MOT_TRY(mot_allocate(&file, size, 1, "a picture"));
    if (png_image_write_to_memory(&image, file, &size, 0, pixel, 0, NULL) == 0)
        status = mot_fail(MOT_ERR_MEMORY, "a picture cannot be packed: %s", image.message);
    else if ((*url = to_base64(pool, file, size)) == NULL)
        status = MOT_ERR_MEMORY;
done:
    mot_free(pixel);
    mot_free(file);
    return status;
}

static int32_t id_at(const mot_dataset *data, const unsigned char *bytes, size_t t)
{
    int32_t id = bytes[t];
    if (data->format.element == MOT_ELEMENT_I32) memcpy(&id, bytes + t * sizeof id, sizeof id);
    return id;
}

/* A word, by its id, or a letter, which is a question mark where a byte is no UTF-8 by itself. Returns its length. */
static int put_token(const mot_dataset *data, int32_t id, char *to, size_t size)
{
    if (data->format.element != MOT_ELEMENT_I32) return snprintf(to, size, "%c", id < ' ' || id > 126 ? '?' : (char)id);
    if (data->vocabulary != NULL && id > 0 && (size_t)id < data->format.vocabulary) return snprintf(to, size, "%.60s", data->vocabulary[id]);
    return snprintf(to, size, "%d", id);
}

mot_status mot_report_pieces(report_pool *pool, mot_dataset *data, mot_gidx sample, size_t count, const char *const **pieces)
{
    unsigned char *bytes;
    const char **made;
    mot_status status;
    MOT_TRY(mot_allocate(&bytes, data->format.bytes, 1, "a sample"));
    MOT_TRY(mot_report_take(pool, &made, count, sizeof *made));
    MOT_TRY(mot_dataset_read(data, sample, bytes));
    for (size_t t = 0; t < count; ++t) {
        char text[64] = "";
        if (t < data->format.tokens) put_token(data, id_at(data, bytes, t), text, sizeof text);
        made[t] = mot_report_text(pool, "%s", text);
    }
    *pieces = made;
done:
    mot_free(bytes);
    return status;
}

/* Words or letters up to the first 0. */
static const char *put_words(report_pool *pool, const mot_dataset *data, const unsigned char *bytes)
{
    char text[MOST_TEXT] = "";
    size_t length = 0;
    for (size_t t = 0; t < data->format.tokens && length + 80 < sizeof text; ++t) {
        const int32_t id = id_at(data, bytes, t);
        if (id == 0) break;
        if (t == MOST_WORDS && data->format.element == MOT_ELEMENT_I32) {
            length += (size_t)snprintf(text + length, sizeof text - length, "...");
            break;
        }
        length += (size_t)put_token(data, id, text + length, sizeof text - length);
        if (data->format.element == MOT_ELEMENT_I32) text[length++] = ' ';
    }
    while (length > 0 && text[length - 1] == ' ') --length;
    return mot_report_text(pool, "%.*s", (int)length, text);
}

static const char *put_numbers(report_pool *pool, const mot_dataset *data, const unsigned char *bytes)
{
    char text[MOST_TEXT] = "";
    size_t length = 0;
    const size_t all = data->format.tokens * data->format.features;
    for (size_t i = 0; i < MOT_MIN(all, MOST_NUMBERS); ++i) {
        float value;
        memcpy(&value, bytes + i * sizeof value, sizeof value);
        const char *name = data->column_names != NULL ? data->column_names[i % data->format.features] : "";
        length += (size_t)snprintf(text + length, sizeof text - length, "%s%.60s%s%.4g", i > 0 ? ", " : "", name, name[0] != '\0' ? " " : "",
                                   (double)value);
    }
    return mot_report_text(pool, "%s%s", text, all > MOST_NUMBERS ? ", ..." : "");
}

mot_status mot_report_sample(report_pool *pool, mot_dataset *data, mot_gidx sample, report_item *item)
{
    unsigned char *bytes;
    mot_status status;
    MOT_TRY(mot_allocate(&bytes, data->format.bytes, 1, "a sample"));
    status = mot_dataset_read(data, sample, bytes);
    if (status == MOT_OK && data->format.kind == MOT_SAMPLE_PICTURE)
        status = put_picture(pool, &data->format, bytes, &item->picture);
    else if (status == MOT_OK)
        item->text = data->format.kind == MOT_SAMPLE_TEXT ? put_words(pool, data, bytes) : put_numbers(pool, data, bytes);
    mot_free(bytes);
done:
    return status;
}
