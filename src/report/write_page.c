/* The page: its template, with the data where these belong. */
#include <string.h>

#include "mot/memory.h"
#include "report_private.h"
#include "template.h"

static const char less[] = "\\u003c";

/* JSON without the blanks between its values, and in which no "<" begins a tag. Without `to` only its length. */
static size_t put_data(const char *json, char *to)
{
    size_t length = 0;
    bool quoted = false;
    for (; *json != '\0'; ++json) {
        const bool escaped = quoted && *json == '\\';
        if (*json == '"') quoted = !quoted;
        if (*json == ' ' && !quoted) continue;
        const size_t bytes = *json == '<' ? sizeof less - 1 : escaped ? 2 : 1;
        if (to != NULL) memcpy(to + length, *json == '<' ? less : json, bytes);
        length += bytes;
        json += escaped; /* what follows is part of it */
    }
    return length;
}

mot_status mot_report_page(const char *json, char **text, size_t *length)
{
    const size_t mark = sizeof MOT_REPORT_DATA - 1, size = mot_report_template_size;
    const char *const page = mot_report_template, *const at = strstr(page, MOT_REPORT_DATA);
    if (at == NULL)
        return mot_fail(MOT_ERR_FILE, "this program was built without the library that draws pages (d3, Debian's package "
                                      "node-d3): --json and --figures work without it");
    const size_t before = (size_t)(at - page), data = put_data(json, NULL), behind = size - before - mark;
    const mot_status status = mot_allocate(text, before + data + behind + 1, 1, "a page");
    if (status != MOT_OK) return status;
    memcpy(*text, page, before);
    put_data(json, *text + before);
    memcpy(*text + before + data, at + mark, behind);
    *length = before + data + behind;
    return MOT_OK;
}
