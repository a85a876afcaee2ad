#include <stdio.h>

#include <jerror.h>
#include <jpeglib.h>
#include <setjmp.h>

#include "mot/memory.h"
#include "picture.h"

/* libjpeg ends a call that fails by its error_exit, from which we jump: all that must outlive it stands here. */
typedef struct reading {
    struct jpeg_error_mgr errors; /* first: libjpeg hands back its address */
    struct jpeg_decompress_struct jpeg;
    jmp_buf jump;
    const char *path;
    picture *picture;
    mot_status status;
    char said[JMSG_LENGTH_MAX];
} reading;

static void on_error(j_common_ptr jpeg)
{
    reading *r = (reading *)(void *)jpeg->err;
    jpeg->err->format_message(jpeg, r->said);
    longjmp(r->jump, 1);
}

/* What only means that pixels are missing is an error; other oddities are not. */
static void on_message(j_common_ptr jpeg, int level)
{
    const int code = jpeg->err->msg_code;
    if (level < 0 && (code == JWRN_JPEG_EOF || code == JWRN_HIT_MARKER)) on_error(jpeg);
}

static void read_rows(reading *r)
{
    picture *p = r->picture;
    const size_t row_bytes = p->width * p->channels;
    r->status = mot_allocate(&p->pixel, p->height, row_bytes, "a picture");
    while (r->status == MOT_OK && r->jpeg.output_scanline < r->jpeg.output_height) {
        JSAMPROW row = p->pixel + r->jpeg.output_scanline * row_bytes;
        jpeg_read_scanlines(&r->jpeg, &row, 1);
    }
    if (r->status == MOT_OK) jpeg_finish_decompress(&r->jpeg);
}

static void read_jpeg(reading *r, const unsigned char *bytes, size_t size)
{
    if (setjmp(r->jump) != 0) {
        r->status = mot_fail(MOT_ERR_INPUT, "%s: a damaged JPEG picture: %s", r->path, r->said);
        return;
    }
    jpeg_create_decompress(&r->jpeg);
    jpeg_mem_src(&r->jpeg, bytes, size);
    jpeg_read_header(&r->jpeg, TRUE);
    const bool grey = r->jpeg.jpeg_color_space == JCS_GRAYSCALE;
    if (r->jpeg.jpeg_color_space == JCS_CMYK || r->jpeg.jpeg_color_space == JCS_YCCK ||
        r->jpeg.image_width > PICTURE_MAX_SIDE || r->jpeg.image_height > PICTURE_MAX_SIDE) {
        r->status = mot_fail(
            MOT_ERR_INPUT, "%s: a JPEG picture of %u x %u in %s, expected grey or RGB of at most %d x %d",
            r->path, r->jpeg.image_height, r->jpeg.image_width,
            grey                                                                           ? "grey"
            : r->jpeg.jpeg_color_space == JCS_CMYK || r->jpeg.jpeg_color_space == JCS_YCCK ? "CMYK"
                                                                                           : "colour",
            PICTURE_MAX_SIDE, PICTURE_MAX_SIDE);
        return;
    }
    r->jpeg.out_color_space = grey ? JCS_GRAYSCALE : JCS_RGB;
    r->jpeg.dct_method = JDCT_ISLOW; /* the exact one */
    jpeg_start_decompress(&r->jpeg);
    *r->picture = (picture){
        .height = r->jpeg.output_height, .width = r->jpeg.output_width, .channels = grey ? 1 : 3};
    read_rows(r);
}

mot_status mot_picture_read_jpeg(const char *path, const unsigned char *bytes, size_t size, picture *p)
{
    reading r = {.path = path, .picture = p, .status = MOT_OK};
    r.jpeg.err = jpeg_std_error(&r.errors);
    r.errors.error_exit = on_error;
    r.errors.emit_message = on_message;
    read_jpeg(&r, bytes, size);
    jpeg_destroy_decompress(&r.jpeg);
    return r.status;
}
