#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "figure_private.h"
#include "mot/memory.h"

extern char **environ;

/* The three ends of the program are files in memory and not pipes: it can be fed and heard without a second thread,
 * and one that dies early raises no SIGPIPE. */
typedef struct streams {
    int end[3];
} streams;

static mot_status streams_open(streams *s, const char *script, size_t length)
{
    *s = (streams){{-1, -1, -1}};
    for (int i = 0; i < 3; ++i) {
        s->end[i] = memfd_create("mot figure", MFD_CLOEXEC);
        if (s->end[i] < 0)
            return mot_fail(MOT_ERR_FILE, "no file in memory for a figure: %s", strerror(errno));
    }
    while (length > 0) {
        const ssize_t written = write(s->end[0], script, length);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return mot_fail(MOT_ERR_MEMORY, "no memory for a figure: %s", strerror(errno));
        script += written;
        length -= (size_t)written;
    }
    lseek(s->end[0], 0, SEEK_SET);
    return MOT_OK;
}

static void streams_close(const streams *s)
{
    for (int i = 0; i < 3; ++i)
        if (s->end[i] >= 0) close(s->end[i]);
}

static int spawn_gnuplot(const streams *s, pid_t *process)
{
    posix_spawn_file_actions_t actions;
    int error = posix_spawn_file_actions_init(&actions);
    if (error != 0) return error;
    for (int i = 0; i < 3 && error == 0; ++i)
        error = posix_spawn_file_actions_adddup2(&actions, s->end[i], i);
    char *arguments[] = {"gnuplot", "-d", NULL}; /* -d: not the user's own settings */
    if (error == 0) error = posix_spawnp(process, arguments[0], &actions, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

/* The exit code; 128 + signal as a shell counts. Where nobody may wait (SIGCHLD ignored), 0: the drawing decides. */
static int wait_for(pid_t process)
{
    int how;
    pid_t got;
    do got = waitpid(process, &how, 0);
    while (got < 0 && errno == EINTR);
    if (got < 0) return 0;
    return WIFEXITED(how) ? WEXITSTATUS(how) : 128 + WTERMSIG(how);
}

static mot_status read_back(int fd, char **bytes, size_t *count)
{
    struct stat about;
    if (fstat(fd, &about) != 0)
        return mot_fail(MOT_ERR_FILE, "a figure cannot be read back: %s", strerror(errno));
    const size_t size = (size_t)about.st_size;
    const mot_status status = mot_allocate(bytes, size + 1, 1, "a figure");
    if (status != MOT_OK) return status;
    *count = 0;
    while (*count < size) {
        const ssize_t got = pread(fd, *bytes + *count, size - *count, (off_t)*count);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) break;
        *count += (size_t)got;
    }
    return MOT_OK;
}

/* Gnuplot shows the command, then what is wrong with it: the last line with anything in it. */
static mot_status complain(int fd, int code, const char *path)
{
    char *said;
    size_t count;
    const mot_status status = read_back(fd, &said, &count);
    if (status != MOT_OK) return status;
    while (count > 0 && (said[count - 1] == '\n' || said[count - 1] == ' ')) said[--count] = '\0';
    const char *line = strrchr(said, '\n');
    line = line == NULL ? said : line + 1;
    mot_fail(MOT_ERR_FILE, "cannot draw %s: gnuplot ended with code %d and said: %.200s", path, code,
             line + strspn(line, " "));
    mot_free(said);
    return MOT_ERR_FILE;
}

static bool is_whole(const char *drawn, size_t count, const char *end)
{
    const size_t length = strlen(end);
    while (count > 0 && drawn[count - 1] == '\n') --count;
    return count >= length && memcmp(drawn + count - length, end, length) == 0;
}

mot_status mot_figure_gnuplot(const char *script, size_t length, const char *path, const char *end, char **drawn,
                              size_t *count)
{
    mot_status status = MOT_OK;
    streams s;
    MOT_TRY(streams_open(&s, script, length));
    pid_t process;
    const int error = spawn_gnuplot(&s, &process);
    if (error != 0) {
        status = mot_fail(MOT_ERR_FILE, "cannot draw %s: no gnuplot (Debian's package gnuplot-nox): %s", path,
                          strerror(error));
        goto done;
    }
    const int code = wait_for(process);
    if (code != 0) {
        status = complain(s.end[2], code, path);
        goto done;
    }
    if (drawn == NULL) goto done;
    MOT_TRY(read_back(s.end[1], drawn, count));
    if (!is_whole(*drawn, *count, end)) {
        mot_free(*drawn);
        *drawn = NULL;
        status = complain(s.end[2], code, path);
    }
done:
    streams_close(&s);
    return status;
}
