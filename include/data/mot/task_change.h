/* task_change.h: what a task of a stream does to its samples before anybody sees them: up to four changes, from left to
 * right, "rotate 30 + noise 0.1"; "none".
 *
 *      rotate 30    pictures   about their centre, by degrees, anticlockwise; between pixels bilinear, 0 from outside
 *      flip         pictures   left and right exchanged
 *      transpose    pictures   rows and columns exchanged; as high as wide
 *      negate       pictures   white for black: 255 - pixel
 *      blur 1.5     pictures   by a Gauss function whose deviation is so many pixels; outside is as the edge
 *      noise 0.2    pictures, vectors   plus N(0, 0.2^2), a pixel being in 0..1, where it stays
 *      colours      pictures   channels permuted
 *      pixels       pictures   places permuted, in all channels alike
 *      columns      vectors    columns permuted, in all tokens alike
 *      words        texts      word ids (or bytes) permuted; padding and the unknown word stay
 *      drop 0.1     texts      each token is the unknown one with this probability
 *      labels 0.2   all        a training sample's label is another one of its task with this probability
 *
 * A permutation is one for a task, never the one that leaves all in place, and of all splits; everything else is drawn for each
 * sample. What a task does it does to all splits, but for `labels`: evaluation has the true ones.
 *
 * Not collective. */
#ifndef MOT_TASK_CHANGE_H
#define MOT_TASK_CHANGE_H

#include "mot/dataset.h"

enum { MOT_MOST_CHANGES = 4, MOT_CHANGES_TEXT = 128 /* bytes, with the final 0 */ };
typedef struct mot_task_change {
    int kind; /* row of the table of kinds */
    double amount;
} mot_task_change;
typedef struct mot_task_changes {
    int count;
    mot_task_change change[MOT_MOST_CHANGES];
} mot_task_changes;

/* False: `text` is none. */
bool mot_task_changes_parse(const char *text, mot_task_changes *changes);
static inline bool mot_task_changes_known(const char *text)
{
    mot_task_changes changes;
    return mot_task_changes_parse(text, &changes);
}

#endif
