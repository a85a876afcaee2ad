#!/bin/bash
# The same grey picture of 16 bits, read as bytes, is dark, middle or white by who reads it: libpng's classic reader makes 128
# of the value 0x8080, its simplified reader (png_image_*) 186, and Pillow's convert("L") 255.
#
# Version:      libpng 1.6.39 (Debian 12), Pillow 10.4.0 (PyPI).
# Source:       Debian's packages and PyPI's wheel, as they are; a PNG of one pixel, without gAMA, sRGB or iCCP.
# A good guess: to bytes is to divide by 257, as for a picture of 8 bits without such notes, whose values come as they are.
# Seen:         libpng's simplified reader takes 16 bits for linear light and bytes for sRGB, so that it bends the values;
#               Pillow opens the picture as integers of 32 bits (mode I;16 or I) and cuts all above 255.
#               The 8-bit picture of 0x80 is 128 with all three. Training data converted by one of them and test data by
#               another differ, and nothing says so.
# Exit code 0 while that is so, 1 once it has changed, 77 where it cannot be tried.
set -u
scratch=$(mktemp -d) || exit 77
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 77
command -v gcc >/dev/null || { echo "skipped: no gcc"; exit 77; }
for package in libpng-dev libpng16-16 zlib1g-dev zlib1g; do
    apt-get -qq download "$package" >/dev/null 2>&1 || { echo "skipped: no package $package to be had"; exit 77; }
done
for file in ./*.deb; do dpkg -x "$file" root || exit 77; done
python3 -m pip install -q --target pil pillow==10.4.0 >/dev/null 2>&1 || { echo "skipped: no Pillow to be had"; exit 77; }

cat >read.c <<'C'
#include <png.h>
#include <stdio.h>

static void write_grey(const char *path, int bits)
{
    FILE *file = fopen(path, "wb");
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png);
    png_init_io(png, file);
    png_set_IHDR(png, info, 1, 1, bits, PNG_COLOR_TYPE_GRAY, PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
                 PNG_FILTER_TYPE_DEFAULT);
    png_write_info(png, info);
    png_write_row(png, (png_bytep) "\x80\x80");
    png_write_end(png, info);
    fclose(file);
}

static int simplified(const char *path)
{
    png_image image = {.version = PNG_IMAGE_VERSION};
    unsigned char grey = 0;
    if (!png_image_begin_read_from_file(&image, path)) return -1;
    image.format = PNG_FORMAT_GRAY;
    return png_image_finish_read(&image, NULL, &grey, 0, NULL) ? grey : -1;
}

static int classic(const char *path)
{
    FILE *file = fopen(path, "rb");
    png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png);
    unsigned char grey = 0;
    png_init_io(png, file);
    png_read_info(png, info);
    png_set_scale_16(png);
    png_read_update_info(png, info);
    png_read_row(png, &grey, NULL);
    fclose(file);
    return grey;
}

int main(void)
{
    write_grey("8.png", 8);
    write_grey("16.png", 16);
    printf("%d %d %d %d\n", classic("8.png"), classic("16.png"), simplified("8.png"), simplified("16.png"));
    return 0;
}
C
libraries=$(dirname "$(find root -name 'libpng16.so.16' | head -n 1)")
gcc -Iroot/usr/include -Iroot/usr/include/libpng16 read.c -o read "$libraries/libpng16.so.16" -lz -lm 2>/dev/null ||
    { echo "skipped: cannot compile against libpng"; exit 77; }
read -r c8 c16 s8 s16 <<<"$(LD_LIBRARY_PATH=$libraries ./read)"
read -r p8 p16 <<<"$(PYTHONPATH=pil python3 -c 'from PIL import Image
print(*(Image.open(f).convert("L").getpixel((0, 0)) for f in ("8.png", "16.png")))')"
printf '%-22s %8s %8s\n' reader "8 bits" "16 bits"
printf '%-22s %8s %8s\n' "libpng, classic" "$c8" "$c16" "libpng, simplified" "$s8" "$s16" "Pillow convert" "$p8" "$p16"
[ "$c8 $c16 $s8 $s16 $p8 $p16" = "128 128 128 186 128 255" ] && exit 0
echo "changed: see the head of this file for what was seen"
exit 1
