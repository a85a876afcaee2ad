#include <stdarg.h>
#include <stdio.h>

#include "mot/memory.h"
#include "report_private.h"

void mot_report_pool_free(report_pool *pool)
{
    for (size_t i = 0; i < pool->blocks; ++i) mot_free(pool->block[i]);
    mot_free(pool->block);
    *pool = (report_pool){0};
}

mot_status mot_report_take(report_pool *pool, void *pointer, size_t count, size_t size)
{
    mot_status status;
    MOT_TRY(mot_reserve(&pool->block, &pool->room, pool->blocks + 1, sizeof *pool->block, "a report"));
    MOT_TRY(mot_allocate(&pool->block[pool->blocks], count, size, "a report"));
    *(void **)pointer = pool->block[pool->blocks++];
done:
    return status;
}

const char *mot_report_text(report_pool *pool, const char *format, ...)
{
    va_list list;
    char *text;
    va_start(list, format);
    const int length = vsnprintf(NULL, 0, format, list);
    va_end(list);
    const mot_status status = mot_report_take(pool, &text, (size_t)(length < 0 ? 0 : length) + 1, 1);
    if (status != MOT_OK) {
        if (pool->status == MOT_OK) pool->status = status;
        return "";
    }
    va_start(list, format);
    vsnprintf(text, (size_t)(length < 0 ? 0 : length) + 1, format, list);
    va_end(list);
    return text;
}
