#include "mot/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mot/status.h"

static int my_rank;
static mot_log_level threshold = MOT_LOG_INFO;
static bool terminal;      /* somebody watches; looked up once, since a step asks for it */
static bool progress_open; /* a progress line stands on the terminal and must be cleared before other text */

/* mpirun gives its ranks a pseudo-terminal whatever its own output is. Where the parent process has its output
 * somewhere else than a terminal, nobody watches. A parent that cannot be looked at is believed. */
static bool parent_has_terminal(void)
{
    char link[64], target[256];
    snprintf(link, sizeof link, "/proc/%d/fd/1", (int)getppid());
    const ssize_t length = readlink(link, target, sizeof target - 1);
    if (length < 0) return true;
    target[length] = '\0';
    return strncmp(target, "/dev/pts/", 9) == 0 || strncmp(target, "/dev/tty", 8) == 0;
}

void mot_log_init(int rank, mot_log_level level)
{
    my_rank = rank;
    threshold = level;
    terminal = rank == 0 && isatty(STDOUT_FILENO) &&
               (getenv("OMPI_COMM_WORLD_SIZE") == NULL || parent_has_terminal());
}

bool mot_log_is_terminal(void)
{
    return terminal && threshold >= MOT_LOG_INFO;
}

static void clear_progress(void)
{
    if (progress_open) fputs("\r\033[K", stdout);
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

void mot_log_progress(const char *text)
{
    if (!mot_log_is_terminal()) return;
    clear_progress();
    fputs(text, stdout);
    fflush(stdout);
    progress_open = text[0] != '\0';
}
