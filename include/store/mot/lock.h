/* lock.h: one process at a time works in a folder.
 *
 * FOLDER/lock is there while somebody does, and says who: host, process, since when, and the boot of its machine. Its
 * holder keeps a lock of the file system on it, which ends with the process, and renews its time of change every 5
 * seconds.
 *      the lock is held                          refused: another process is at work
 *      free, and the holder was of this boot     it is gone: taken over, with a warning
 *      free, but the holder was elsewhere        its host may be gone, or the file system does not share locks: watched
 *                                                for 15 seconds; refused if its time changes, else taken over likewise
 * On a file system without locks the last row decides alone. The file is removed at the end; a killed process leaves
 * it behind. Not collective. */
#ifndef MOT_LOCK_H
#define MOT_LOCK_H

#include "mot/status.h"

typedef struct mot_lock mot_lock;

/* The folder must be there. MOT_ERR_BUSY names the holder, MOT_ERR_INPUT why there can be no lock; *lock is then NULL. */
mot_status mot_lock_take(mot_lock **lock, const char *folder);
/* Removes the file. NULL is fine. */
void mot_lock_release(mot_lock **lock);

#endif
