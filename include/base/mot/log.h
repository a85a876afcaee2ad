/* log.h: everything mot says to a person goes through here, so that it can be silenced.
 *
 * By default only the root speaks: a large run must not be cluttered. Not collective. */
#ifndef MOT_LOG_H
#define MOT_LOG_H

#include <stdbool.h>

typedef enum mot_log_level { MOT_LOG_ERROR, MOT_LOG_WARNING, MOT_LOG_INFO, MOT_LOG_DEBUG } mot_log_level;

/* Who speaks: `rank` of this process; what is of a later level than `level` is not said. After MPI_Init. */
void mot_log_init(int rank, mot_log_level level);

/* From the root only, to standard output; warnings and errors to standard error, "mot: warning: ...", each in one write,
 * so that nothing another process says comes into the middle of it. */
void mot_log(mot_log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* From any thread, of any rank, to standard error, in one write. It takes nothing that the other threads use, so it gets
 * through whatever they are stuck in. */
void mot_log_aside(mot_log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* As mot_log at MOT_LOG_INFO, one line; on a terminal (screen.h) that is too narrow for it, several, broken at blanks, all
 * but the first behind `indent` blanks. */
void mot_log_wrap(int indent, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* An empty line, at MOT_LOG_INFO. */
void mot_log_gap(void);

/* A line that replaces itself (a progress bar), until something else is said; only on a terminal. `text` must fit it
 * (mot_screen_width); "" ends the line. */
bool mot_log_is_live(void);
void mot_log_progress(const char *text);

#endif
