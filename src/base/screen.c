#include "mot/screen.h"

#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "mot/types.h"

enum { PATH = 64, TARGET = 256, USUAL = 80, LEAST = 10 };

static char terminal[PATH]; /* what can be opened and asked for its size; "": there is none */

/* ---- where it is ---- */

/* Standard output of a process as its link says, "" where that cannot be seen. */
static void output_of(long process, char target[TARGET])
{
    char link[PATH];
    snprintf(link, sizeof link, "/proc/%ld/fd/1", process);
    const ssize_t length = readlink(link, target, TARGET - 1);
    target[length < 0 ? 0 : length] = '\0';
}

static long parent_of(long process)
{
    char path[PATH], text[512];
    snprintf(path, sizeof path, "/proc/%ld/stat", process);
    FILE *const file = fopen(path, "r");
    if (file == NULL) return 0;
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    const char *const name = strrchr(text, ')'); /* which may hold anything */
    long parent = 0;
    return name != NULL && sscanf(name + 1, " %*c %ld", &parent) == 1 ? parent : 0;
}

/* The process whose output the terminal is: this one, or, below an mpirun, the first above it with another output. One
 * that cannot be looked at is believed to have a terminal. */
static long who_has_it(char output[TARGET])
{
    char own[TARGET];
    long process = getpid();
    output_of(process, own);
    memcpy(output, own, sizeof own);
    if (getenv("OMPI_COMM_WORLD_SIZE") == NULL) return process;
    while (process > 1 && own[0] != '\0' && strcmp(output, own) == 0) {
        process = parent_of(process);
        output_of(process, output);
    }
    return process;
}

void mot_screen_find(void)
{
    const char *const kind = getenv("TERM");
    char output[TARGET];
    terminal[0] = '\0';
    if (!isatty(STDOUT_FILENO) || kind == NULL || kind[0] == '\0' || strcmp(kind, "dumb") == 0) return;
    const long process = who_has_it(output);
    if (output[0] == '\0' || strncmp(output, "/dev/pts/", 9) == 0 || strncmp(output, "/dev/tty", 8) == 0 ||
        strcmp(output, "/dev/console") == 0)
        snprintf(terminal, sizeof terminal, "/proc/%ld/fd/1", process);
}

bool mot_screen_is_there(void)
{
    return terminal[0] != '\0';
}

bool mot_screen_shows_parts(void)
{
    return mot_screen_is_there() && getenv("PRTE_LAUNCHED") == NULL;
}

/* ---- how wide it is ---- */

/* 0: it does not tell. Asked anew each time, since windows are resized. */
static int columns_of_terminal(void)
{
    struct winsize size = {0};
    if (terminal[0] == '\0') return 0;
    const int file = open(terminal, O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (file < 0) return 0;
    if (ioctl(file, TIOCGWINSZ, &size) != 0) size.ws_col = 0;
    close(file);
    return size.ws_col;
}

int mot_screen_width(void)
{
    int columns = columns_of_terminal();
    const char *const wanted = getenv("COLUMNS");
    if (columns == 0 && wanted != NULL) columns = atoi(wanted);
    if (columns <= 0) columns = USUAL;
    return MOT_MAX(columns, LEAST) - 1;
}

int mot_screen_room(void)
{
    return mot_screen_is_there() ? mot_screen_width() : INT_MAX;
}

/* ---- what fits ---- */

/* Characters of two columns, in ranges: of East Asia, and pictures. */
static const uint32_t wide[][2] = {
    {0x1100, 0x115f}, {0x2e80, 0x303e}, {0x3041, 0xa4cf},   {0xac00, 0xd7a3},   {0xf900, 0xfaff},
    {0xfe30, 0xfe6f}, {0xff00, 0xff60}, {0x1f300, 0x1f64f}, {0x1f900, 0x1f9ff}, {0x20000, 0x3fffd},
};

/* Columns of the character at *text, which is behind it then. A byte that is no UTF-8 counts as a character. */
static int pass(const char **text)
{
    const unsigned char *const byte = (const unsigned char *)*text;
    const int more = byte[0] >= 0xf0 ? 3 : byte[0] >= 0xe0 ? 2 : byte[0] >= 0xc0 ? 1 : 0;
    uint32_t code = more > 0 ? byte[0] & (0x3fu >> more) : byte[0];
    int length = 1;
    for (; length <= more && (byte[length] & 0xc0) == 0x80; ++length)
        code = code << 6 | (byte[length] & 0x3f);
    *text += length;
    if (code >= 0x300 && code <= 0x36f) return 0; /* combining */
    for (size_t i = 0; i < MOT_COUNT(wide); ++i)
        if (code >= wide[i][0] && code <= wide[i][1]) return 2;
    return 1;
}

static int columns_in(const char *text)
{
    int columns = 0;
    while (*text != '\0') columns += pass(&text);
    return columns;
}

/* Behind the last character that `width` columns have room for. */
static const char *cut_at(const char *text, int width)
{
    for (const char *next = text; *text != '\0'; text = next)
        if ((width -= pass(&next)) < 0) break;
    return text;
}

void mot_screen_join(char *line, size_t size, int width, size_t pieces, const mot_piece *piece)
{
    for (int least = INT_MIN, next, columns;; least = next) {
        size_t at = 0;
        next = INT_MAX;
        line[0] = '\0';
        for (size_t i = 0; i < pieces; ++i) {
            if (piece[i].weight < least) continue;
            at += (size_t)snprintf(line + at, size - at, "%s", piece[i].text);
            if (at >= size) at = size - 1;
            if (piece[i].weight > least) next = MOT_MIN(next, piece[i].weight);
        }
        columns = columns_in(line);
        if (columns <= width || next == INT_MAX) break;
    }
    line[cut_at(line, width) - line] = '\0';
}

void mot_screen_row(char *line, size_t size, size_t columns, const mot_screen_column *column,
                    const char *const *text)
{
    mot_piece piece[MOT_SCREEN_COLUMNS];
    for (size_t c = 0; c < columns; ++c) {
        piece[c].weight = column[c].weight;
        snprintf(piece[c].text, MOT_PIECE, "%*s", column[c].width, text[c]);
    }
    mot_screen_join(line, size, mot_screen_room(), columns, piece);
}

void mot_screen_cell(char *cell, size_t size, const char *text, int width)
{
    const bool whole = columns_in(text) <= width;
    const char *const end = cut_at(text, whole ? width : width - 1);
    size_t at = 0;
    int columns = 0;
    for (const char *next = text; text < end; text = next) {
        columns += pass(&next);
        for (; text < next && at + 1 < size; ++text) cell[at++] = *text < ' ' && *text >= 0 ? '?' : *text;
    }
    if (!whole) columns += (int)snprintf(cell + at, size - at, "~"), ++at;
    snprintf(cell + at, size - at, "%*s", MOT_MAX(width - columns, 0), "");
}

const char *mot_screen_break(const char *text, int width)
{
    const char *const end = cut_at(text, width), *blank = NULL;
    if (*end == '\0') return NULL;
    const char *const first = text + strspn(text, " "); /* an indent is no place to break at */
    for (const char *at = first; *at != '\0' && (at <= end || blank == NULL); ++at)
        if (*at == ' ') blank = at;
    return blank;
}
