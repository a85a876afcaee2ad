#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "mot/record.h"

/* A UUID of version 4 (RFC 9562): random but for the six bits that say so. */
mot_status mot_run_id_make(char id[MOT_RUN_ID])
{
    unsigned char byte[16];
    if (getrandom(byte, sizeof byte, 0) != (ssize_t)sizeof byte)
        return mot_fail(MOT_ERR_FILE, "no random bytes for the run's id: %s", strerror(errno));
    byte[6] = (unsigned char)(0x40 | (byte[6] & 0x0f));
    byte[8] = (unsigned char)(0x80 | (byte[8] & 0x3f));
    char *at = id;
    for (int i = 0; i < 16; ++i)
        at += sprintf(at, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", byte[i]);
    return MOT_OK;
}
