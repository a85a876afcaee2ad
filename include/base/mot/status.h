/* status.h: how functions of mot fail.
 *
 * A function that can fail returns a mot_status. The sentence that explains the failure is made once, where
 * the fact is known, by mot_fail(); callers pass the status on and add nothing. The sentence is kept for the
 * calling thread until the next mot_fail() and is read with mot_error_message().
 *
 * Two tiers: files, configuration, shapes and memory come back as a status. A failed MPI call does not: the
 * communicator's error handler ends the job, since no agreement between ranks is possible any more. */
#ifndef MOT_STATUS_H
#define MOT_STATUS_H

#include <stdint.h>

typedef enum mot_status {
    MOT_OK = 0,
    MOT_ERR_INPUT,   /* the user's mistake: configuration, arguments, a malformed input file; exit code 2 */
    MOT_ERR_BUSY,    /* another process works in the folder: exit code 2 */
    MOT_ERR_FILE,    /* the file system said no while running: exit code 1 */
    MOT_ERR_MEMORY,  /* an allocation failed: exit code 1 */
    MOT_ERR_NUMERIC, /* a loss, gradient or parameter is not finite: exit code 1 */
    MOT_STOPPED,     /* stopped on request, can be resumed by the same command: exit code 75 */
} mot_status;

/* Records a sentence (printf-like; no final newline) and returns `code`. Names values: "expert 9 outside [0, 8)". */
mot_status mot_fail(mot_status code, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The sentence of this thread's last mot_fail(), never NULL. */
const char *mot_error_message(void);

/* A failure with its sentence, kept for another thread, another rank (plain bytes), or until something else that may fail
 * is over. */
enum { MOT_SENTENCE = 2048 };
typedef struct mot_failure {
    int64_t status;              /* mot_status */
    char sentence[MOT_SENTENCE]; /* "" with MOT_OK */
} mot_failure;
/* `status`, and why, by this thread's last mot_fail(). */
void mot_failure_keep(mot_failure *failure, mot_status status);
/* mot_fail() once more, on this thread, with what was kept; MOT_OK says nothing. */
mot_status mot_failure_say(const mot_failure *failure);

/* The process's exit code for a status: 0, 2 (input), 75 (stopped), else 1. */
int mot_exit_code(mot_status status);

/* Calls, keeps the status in the local variable `status`, and leaves by the label `done` on failure. */
#define MOT_TRY(call)                                                                                        \
    do {                                                                                                     \
        status = (call);                                                                                     \
        if (status != MOT_OK) goto done;                                                                     \
    } while (0)

#endif
