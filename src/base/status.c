#include "mot/status.h"

#include <stdarg.h>
#include <stdio.h>

static _Thread_local char message[MOT_SENTENCE];

mot_status mot_fail(mot_status code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    /* The arguments may point into the old message, so the new one is built beside it. */
    char fresh[sizeof message];
    vsnprintf(fresh, sizeof fresh, format, args);
    va_end(args);
    snprintf(message, sizeof message, "%s", fresh);
    return code;
}

const char *mot_error_message(void)
{
    return message;
}

void mot_failure_keep(mot_failure *failure, mot_status status)
{
    failure->status = status;
    snprintf(failure->sentence, sizeof failure->sentence, "%s", status == MOT_OK ? "" : message);
}

mot_status mot_failure_say(const mot_failure *failure)
{
    return failure->status == MOT_OK ? MOT_OK
                                     : mot_fail((mot_status)failure->status, "%s", failure->sentence);
}

int mot_exit_code(mot_status status)
{
    switch (status) {
    case MOT_OK:
        return 0;
    case MOT_ERR_INPUT:
    case MOT_ERR_BUSY:
        return 2;
    case MOT_STOPPED:
        return 75;
    case MOT_ERR_FILE:
    case MOT_ERR_MEMORY:
    case MOT_ERR_NUMERIC:
        break;
    }
    return 1;
}
