/* Other gates for the same samples. What is drawn is a function of the table alone: the same report comes out twice. */
#include <string.h>

#include "mot/memory.h"
#include "mot/rng.h"
#include "report_private.h"

enum { SHUFFLE, LOTS, REGROUP = 3 }; /* k-means draws with 2 */

/* A whole number below `most`, of draw `i`. */
static size_t draw(uint64_t i, uint32_t purpose, size_t most)
{
    const mot_random4 words = mot_random(0, MOT_STREAM_REPORT, (uint32_t)i, (uint32_t)(i >> 32), purpose, 0);
    const uint64_t word = (uint64_t)words.word[0] << 32 | words.word[1];
    return (size_t)(((unsigned __int128)word * most) >> 64);
}

mot_status mot_report_shuffle(int rows, int columns, const int64_t *count, int64_t *shuffled)
{
    size_t samples = 0, at = 0;
    int32_t *column = NULL;
    mot_status status;
    for (size_t i = 0; i < (size_t)rows * (size_t)columns; ++i) samples += (size_t)count[i];
    MOT_TRY(mot_allocate(&column, samples, sizeof *column, "shuffled labels"));
    for (int c = 0; c < columns; ++c)
        for (int r = 0; r < rows; ++r)
            for (int64_t n = count[(size_t)r * (size_t)columns + (size_t)c]; n > 0; --n) column[at++] = c;
    for (size_t left = samples; left > 1; --left) {
        const size_t other = draw(left, SHUFFLE, left);
        const int32_t kept = column[left - 1];
        column[left - 1] = column[other];
        column[other] = kept;
    }
    memset(shuffled, 0, (size_t)rows * (size_t)columns * sizeof *shuffled);
    at = 0;
    for (int r = 0; r < rows; ++r)
        for (int c = 0; c < columns; ++c)
            for (int64_t n = count[(size_t)r * (size_t)columns + (size_t)c]; n > 0; --n)
                shuffled[(size_t)r * (size_t)columns + (size_t)column[at++]]++;
done:
    mot_free(column);
    return status;
}

void mot_report_draw_lots(int rows, int columns, const int64_t *count, int64_t *drawn)
{
    uint64_t at = 0;
    memset(drawn, 0, (size_t)rows * (size_t)columns * sizeof *drawn);
    for (int r = 0; r < rows; ++r)
        for (int c = 0; c < columns; ++c)
            for (int64_t n = count[(size_t)r * (size_t)columns + (size_t)c]; n > 0; --n)
                drawn[(size_t)r * (size_t)columns + draw(at++, LOTS, (size_t)columns)]++;
}

void mot_report_regroup(size_t count, int32_t *group, uint32_t lot)
{
    for (size_t left = count; left > 1; --left) {
        const size_t other = draw((uint64_t)lot << 32 | left, REGROUP, left);
        const int32_t kept = group[left - 1];
        group[left - 1] = group[other];
        group[other] = kept;
    }
}

mot_status mot_report_tell(int rows, int columns, const int64_t *count, int64_t *told)
{
    int64_t *size = NULL;
    mot_status status;
    MOT_TRY(mot_allocate(&size, (size_t)rows + (size_t)columns, sizeof *size, "a gate that is told"));
    int64_t *const held = size + rows;
    memset(told, 0, (size_t)rows * (size_t)columns * sizeof *told);
    for (int r = 0; r < rows; ++r)
        for (int c = 0; c < columns; ++c) size[r] += count[(size_t)r * (size_t)columns + (size_t)c];
    for (;;) {
        int largest = 0, least = 0;
        for (int r = 1; r < rows; ++r)
            if (size[r] > size[largest]) largest = r;
        for (int c = 1; c < columns; ++c)
            if (held[c] < held[least]) least = c;
        if (rows == 0 || columns == 0 || size[largest] <= 0) break;
        told[(size_t)largest * (size_t)columns + (size_t)least] = size[largest];
        held[least] += size[largest];
        size[largest] = 0;
    }
done:
    mot_free(size);
    return status;
}
