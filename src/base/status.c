#include "mot/status.h"

#include <stdarg.h>
#include <stdio.h>

static _Thread_local char message[2048];

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

int mot_exit_code(mot_status status)
{
    switch (status) {
    case MOT_OK:
        return 0;
    case MOT_ERR_INPUT:
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
