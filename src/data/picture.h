/* picture.h: PNG and JPEG files as bytes. */
#ifndef MOT_DATA_PICTURE_H
#define MOT_DATA_PICTURE_H

#include "mot/status.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct picture {
    size_t height, width,
        channels;         /* 1: grey, 3: RGB; 2, 4: with a last one that says how opaque a pixel is */
    unsigned char *pixel; /* [height, width, channels], owned */
} picture;

enum { PICTURE_MAX_SIDE = 1 << 15 };

/* By the first bytes of the file. MOT_ERR_INPUT names the file: no picture, cut short, damaged, or of a kind that is not
 * read (CMYK). Pixels of 16 bits become bytes, palettes colours. */
mot_status mot_picture_read(const char *path, picture *p);
void mot_picture_free(picture *p);

/* picture_png.c, picture_jpeg.c: of a file's bytes. */
mot_status mot_picture_read_png(const char *path, const unsigned char *bytes, size_t size, picture *p);
mot_status mot_picture_read_jpeg(const char *path, const unsigned char *bytes, size_t size, picture *p);

/* picture_shape.c. Channels 2 and 4 become 1 and 3, over a background of this grey. False: a pixel is transparent and
 * `background` is below 0. */
bool mot_picture_flatten(picture *p, int background);
/* As [channels, height, width] of another size in `to`, each pixel the mean of those it covers (a triangle filter). */
mot_status mot_picture_resample(const picture *p, size_t height, size_t width, unsigned char *to);

#endif
