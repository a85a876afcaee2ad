#include <png.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include "mot/memory.h"
#include "picture.h"

/* libpng ends a call that fails by a jump: all that must outlive it stands here. */
typedef struct reading {
    const char *path;
    const unsigned char *bytes;
    size_t size, at;
    png_structp png;
    png_infop info;
    png_bytep *row;
    picture *picture;
    mot_status status;
    char said[120];
} reading;

static void on_error(png_structp png, png_const_charp message)
{
    reading *r = png_get_error_ptr(png);
    snprintf(r->said, sizeof r->said, "%s", message);
    png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp message)
{
    (void)png;
    (void)message;
}

static void read_bytes(png_structp png, png_bytep to, size_t count)
{
    reading *r = png_get_io_ptr(png);
    if (count > r->size - r->at) png_error(png, "the file ends early");
    memcpy(to, r->bytes + r->at, count);
    r->at += count;
}

/* To 8 bits a channel, grey or RGB, with or without how opaque a pixel is. */
static void set_transformations(reading *r)
{
    png_set_expand(r->png);
    png_set_scale_16(r->png);
    png_set_interlace_handling(r->png);
    png_read_update_info(r->png, r->info);
}

static void read_rows(reading *r)
{
    picture *p = r->picture;
    const size_t row_bytes = p->width * p->channels;
    r->status = mot_allocate(&p->pixel, p->height, row_bytes, "a picture");
    if (r->status == MOT_OK) r->status = mot_allocate(&r->row, p->height, sizeof *r->row, "a picture");
    if (r->status != MOT_OK) return;
    for (size_t i = 0; i < p->height; ++i) r->row[i] = p->pixel + i * row_bytes;
    png_read_image(r->png, r->row);
    png_read_end(r->png, NULL);
}

static void read_png(reading *r)
{
    if (setjmp(png_jmpbuf(r->png)) != 0) {
        r->status = mot_fail(MOT_ERR_INPUT, "%s: a damaged PNG picture: %s", r->path, r->said);
        return;
    }
    png_set_read_fn(r->png, r, read_bytes);
    png_set_user_limits(r->png, PICTURE_MAX_SIDE, PICTURE_MAX_SIDE);
    png_read_info(r->png, r->info);
    set_transformations(r);
    *r->picture = (picture){.height = png_get_image_height(r->png, r->info),
                            .width = png_get_image_width(r->png, r->info),
                            .channels = png_get_channels(r->png, r->info)};
    read_rows(r);
}

mot_status mot_picture_read_png(const char *path, const unsigned char *bytes, size_t size, picture *p)
{
    reading r = {.path = path, .bytes = bytes, .size = size, .picture = p};
    r.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &r, on_error, on_warning);
    if (r.png != NULL) r.info = png_create_info_struct(r.png);
    if (r.info != NULL)
        read_png(&r);
    else
        r.status = mot_fail(MOT_ERR_MEMORY, "not enough memory to read %s", path);
    mot_free(r.row);
    png_destroy_read_struct(&r.png, &r.info, NULL);
    return r.status;
}
