#include "picture.h"

#include <string.h>

#include "mot/atomic_file.h"
#include "mot/memory.h"

void mot_picture_free(picture *p)
{
    mot_free(p->pixel);
    *p = (picture){0};
}

mot_status mot_picture_read(const char *path, picture *p)
{
    static const size_t limit = (size_t)1 << 30;
    char *bytes = NULL;
    size_t size;
    *p = (picture){0};
    mot_status status = mot_file_read(path, limit, &bytes, &size);
    if (status != MOT_OK) return status;
    const unsigned char *b = (const unsigned char *)bytes;
    if (size >= 8 && memcmp(b, "\x89PNG\r\n\x1a\n", 8) == 0)
        status = mot_picture_read_png(path, b, size, p);
    else if (size >= 3 && memcmp(b, "\xff\xd8\xff", 3) == 0)
        status = mot_picture_read_jpeg(path, b, size, p);
    else
        status = mot_fail(MOT_ERR_INPUT, "%s: neither a PNG nor a JPEG picture", path);
    mot_free(bytes);
    if (status != MOT_OK) mot_picture_free(p);
    return status;
}
