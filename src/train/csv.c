#include "csv.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "mot/atomic_file.h"

void mot_csv_put_field(FILE *stream, const char *prefix, const char *text)
{
    if (strpbrk(text, ",\"\r\n") == NULL) {
        fprintf(stream, "%s%s", prefix, text);
        return;
    }
    fprintf(stream, "\"%s", prefix);
    for (; *text != '\0'; ++text) fprintf(stream, *text == '"' ? "\"\"" : "%c", *text);
    fputc('"', stream);
}

mot_status mot_csv_text(const char *path, void (*put)(const void *table, FILE *stream), const void *table,
                        char **text, size_t *size)
{
    FILE *stream = open_memstream(text, size);
    if (stream == NULL) return mot_fail(MOT_ERR_MEMORY, "not enough memory for %s", path);
    put(table, stream);
    const bool failed = ferror(stream) != 0;
    if (fclose(stream) != 0 || failed) return mot_fail(MOT_ERR_MEMORY, "not enough memory for %s", path);
    return MOT_OK;
}

mot_status mot_csv_write(const char *path, void (*put)(const void *table, FILE *stream), const void *table)
{
    char *text = NULL;
    size_t size = 0;
    mot_status status = mot_csv_text(path, put, table, &text, &size);
    if (status == MOT_OK) status = mot_file_replace(path, text, size);
    free(text);
    return status;
}
