#include "mot/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "mot/screen.h"
#include "mot/status.h"
#include "mot/types.h"

static int my_rank;
static mot_log_level threshold = MOT_LOG_INFO;
static bool progress_open; /* a progress line stands on the terminal and must be cleared before other text */

void mot_log_init(int rank, mot_log_level level)
{
    my_rank = rank;
    threshold = level;
    if (rank == 0) mot_screen_find();
}

bool mot_log_is_live(void)
{
    return mot_screen_shows_parts() && threshold >= MOT_LOG_INFO;
}

static void clear_progress(void)
{
    if (progress_open) fputs("\r\033[J", stdout);
    progress_open = false;
}

/* In one write, so that what other ranks say, or standard output on its way through mpirun, cannot come between. */
static void write_aside(mot_log_level level, const char *format, va_list args)
{
    static const char *const names[] = {"error: ", "warning: ", "", ""};
    char text[2 * MOT_SENTENCE];
    const int room = (int)sizeof text - 1; /* the last byte is for the end of the line */
    int length = snprintf(text, sizeof text, "mot: %s", names[level]);
    length += vsnprintf(text + length, sizeof text - (size_t)length, format, args);
    if (length > room) length = room;
    text[length++] = '\n';
    for (int done = 0; done < length;) {
        const ssize_t n = write(STDERR_FILENO, text + done, (size_t)(length - done));
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return; /* nobody to tell */
        done += (int)n;
    }
}

void mot_log(mot_log_level level, const char *format, ...)
{
    if (my_rank != 0 || level > threshold) return;
    va_list args;
    va_start(args, format);
    clear_progress();
    if (level > MOT_LOG_WARNING) {
        vfprintf(stdout, format, args);
        fputc('\n', stdout);
    }
    fflush(stdout);
    if (level <= MOT_LOG_WARNING) write_aside(level, format, args);
    va_end(args);
}

void mot_log_aside(mot_log_level level, const char *format, ...)
{
    if (level > threshold) return;
    va_list args;
    va_start(args, format);
    write_aside(level, format, args);
    va_end(args);
}

void mot_log_gap(void)
{
    mot_log(MOT_LOG_INFO, "%s", "");
}

void mot_log_wrap(int indent, const char *format, ...)
{
    char text[2 * MOT_SENTENCE], *line = text;
    if (my_rank != 0 || MOT_LOG_INFO > threshold) return;
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    const int room = mot_screen_room();
    for (int before = 0; line != NULL; before = indent) {
        char *const blank = (char *)mot_screen_break(line, MOT_MAX(room - before, room / 2));
        if (blank != NULL) *blank = '\0';
        mot_log(MOT_LOG_INFO, "%*s%s", before, "", line);
        line = blank == NULL ? NULL : blank + 1 + strspn(blank + 1, " ");
    }
}

/* Nothing of it may stay when the window becomes narrower. The cursor waits at the line's beginning, which is where it still
 * is when the terminal has made two lines of it, so both are erased. And while the line is written no new one is begun at
 * the edge, which may have moved since the width was asked for. */
void mot_log_progress(const char *text)
{
    if (!mot_log_is_live()) return;
    fprintf(stdout, "\033[?7l%s\033[J\033[?7h\r", text);
    fflush(stdout);
    progress_open = text[0] != '\0';
}
