/* batch.h: a batch, of which every rank reads its slice.
 *
 * The B samples of a batch have positions 0 .. B-1; position decides order, noise and sums, never the rank. Chunk c of
 * C is the positions [part(B, C, c), part(B, C, c + 1)), and within a chunk every rank reads a contiguous slice, of whole
 * grains, so that each chunk comes from all ranks:
 *
 *      position   0 1 2 3 | 4 5 6 7     two chunks, two ranks
 *      home       0 0 1 1 | 0 0 1 1
 *
 * For a gate that is spread (gate.h) every rank reads, or makes, all samples; homes are as above.
 *
 * A sample stays as it is stored (augmented, but bytes are bytes): it travels so, and becomes tokens where its expert
 * lives.
 *
 * Where samples are read from a disk, a thread loads the batches that come next while the caller works on this one:
 *
 *      caller   load 0, step 0 |  load 1, step 1  |  load 2, step 2  |  load 3: waits  step 3
 *      thread      | 1 | 2 | 3 |     | 4 |            | - 5, a disk that takes its time - | 6 |
 *
 * What a batch holds is a pure function of what is asked for, so nobody can tell, but by the time it takes. */
#ifndef MOT_BATCH_H
#define MOT_BATCH_H

#include "mot/augment.h"
#include "mot/comm.h"
#include "mot/dataset.h"
#include "mot/gate.h"
#include "mot/sampler.h"
#include "mot/shared.h"
#include "mot/threads.h"
#include "mot/tokens.h"

#include <string.h>

/* What the coordinator needs of a sample, and the row that is gathered:
 *
 *      | index | group | bytes | ids | target [target_bytes] | mot_gate_row numbers |
 *
 * The numbers begin, and the row ends, at a multiple of 8 bytes. For a gate of words there are no more of them than the text has ids. */
typedef struct mot_sample_note {
    mot_gidx index; /* in its data set */
    int32_t group;  /* -1: none */
    uint32_t bytes; /* of the sample, as it travels */
    uint32_t ids;   /* for a gate of words: those of the text */
    unsigned char target[];
} mot_sample_note;

/* What every rank knows of the data: how to read a sample and what to learn of it. */
typedef struct mot_batch_source {
    mot_dataset *dataset;
    size_t patch;
    bool learn_group;                  /* data.target: group; the target is its number, an int32_t */
    const mot_augment_config *augment; /* NULL: as they are (evaluation) */
    uint64_t seed;
    bool shuffled; /* positions go through mot_order_sample; else a position is an index, */
    bool repeats;  /* which begins anew behind the last sample */
    const mot_sampler *sampler; /* NULL; else it says which sample stands at a position, and neither of those counts */
} mot_batch_source;

typedef struct mot_batch {
    const mot_gate *gate; /* that the notes are for; not owned */
    size_t grain;         /* positions, from the first of a chunk on, that one rank reads together */
    size_t total, chunks; /* B, C */
    mot_gidx first;       /* position of sample 0 in the stream */
    int *home;            /* [B]: rank that holds each sample */
    size_t mine;          /* samples that this rank has: of its home, or all (spread) */
    uint32_t *slot;       /* [B]: for samples of this rank, which of its samples */
    unsigned char *bytes; /* of one sample behind the other */
    size_t *begin;        /* [mine + 1]: sample s is bytes[begin[s] .. begin[s + 1]); a text is as long as it is, one token at least */
    size_t room;          /* there is for bytes */
    bool own_lengths;     /* so of texts, unless every rank has all samples */
    unsigned char *note;  /* of one sample behind the other */
    size_t *note_begin;   /* [mine + 1]: where each begins, as `begin` */
    size_t note_room;     /* there is for notes */
    size_t note_bytes, note_numbers; /* of the longest note; where in it the numbers begin */
    size_t note_unit; /* bytes that the notes are gathered in: a note; 8 for a gate of words, whose notes have their own lengths */
    size_t most, sample_bytes; /* B it was made for; bytes of a sample */
    size_t width;              /* numbers a token; 0 for texts */
    unsigned char *scratch;    /* for augmentation and features */
    unsigned char *padded;     /* a text, as the data set gives it */
    mot_real *tokens;
    int32_t *ids;
    mot_threads *threads; /* not owned: they make samples (mot_batch_make_ahead); NULL: the caller does */
    mot_shared shared; /* holds bytes and notes where a node's ranks have them together (mot_batch_share) */
    const mot_nodes *nodes; /* not owned; NULL: they do not */
    struct mot_batch_ahead *ahead; /* private: the next batches; NULL: each is loaded when it is asked for */
} mot_batch;

enum {
    MOT_BATCHES_READY =
        3, /* loaded ahead at most: while the thread waits for its turn on a processor, steps go on */
    MOT_BATCHES_AHEAD = 4, /* behind a batch, announced with it: so many steps a disk has for them */
};

/* Memory for batches of up to `most` samples, with notes for `gate`, which must stay (NULL: notes have no numbers); for
 * MOT_BATCHES_READY more, and a thread, if those of `source` are read from a disk (mot_dataset_waits). Not collective: the status is this rank's own. */
mot_status mot_batch_init(mot_batch *batch, const mot_comm *comm, const mot_gate *gate, size_t grain,
                          const mot_batch_source *source, size_t most, size_t chunks);
/* Samples that are made anew each time they are asked for are shared out among `threads`, which must stay, from 64 KiB of them
 * on; and where there are two threads or more, those make the next batch while they have nothing else to do (mot_threads_begin_idle),
 * which takes memory for another one. Not collective; MOT_ERR_MEMORY. */
mot_status mot_batch_make_ahead(mot_batch *batch, const mot_comm *comm, const mot_batch_source *source, mot_threads *threads);
/* For a spread gate: the ranks of a node load, or make, each sample once for all of them, where batches are not loaded ahead
 * (else nothing changes). The caller sees to it that ranks meet between a load and the first look at what others have
 * loaded, and between the last look and the next load. `nodes` must stay. Collective over a node's members; MOT_ERR_MEMORY,
 * the same on all of them. */
mot_status mot_batch_share(mot_batch *batch, const mot_nodes *nodes);
/* Waits for what is being loaded ahead, and drops it: before a source, or its sampler, changes. */
void mot_batch_forget(mot_batch *batch);
/* Waits for what is being loaded. */
void mot_batch_free(mot_batch *batch);

static inline size_t mot_batch_target_bytes(const mot_batch_source *source)
{
    return source->learn_group ? sizeof(int32_t) : source->dataset->target_bytes;
}

/* The stored bytes of a sample of this rank; how many they are. */
static inline const unsigned char *mot_batch_sample(const mot_batch *batch, size_t position)
{
    return batch->bytes + batch->begin[batch->slot[position]];
}
static inline size_t mot_batch_sample_bytes(const mot_batch *batch, size_t position)
{
    const size_t slot = batch->slot[position];
    return batch->begin[slot + 1] - batch->begin[slot];
}

/* Of a sample of this rank. */
static inline mot_sample_note *mot_batch_note(const mot_batch *batch, size_t position)
{
    return (mot_sample_note *)(void *)(batch->note + batch->note_begin[batch->slot[position]]);
}

/* Units of the notes of all its samples. */
static inline size_t mot_batch_note_units(const mot_batch *batch)
{
    return batch->note_begin[batch->mine] / batch->note_unit;
}

/* First position of chunk c. */
static inline size_t mot_chunk_first(const mot_batch *batch, size_t c)
{
    return mot_part_first(batch->total, batch->chunks, c);
}

/* Gives this rank's slice of the `total` samples from position `first` of the stream. Not collective: the status is
 * this rank's own, and the caller agrees on it. Homes are right even then. The batch behind the last one of the same
 * source was loaded ahead: it is there at once, or waited for, and its failure is told now. Any other is read now. Then
 * the next are begun, and those behind them announced (mot_dataset_expect); none of them need ever be asked for.
 * `comm` and `source` must stay as they are until the next load of a source that is loaded ahead, mot_batch_forget or
 * mot_batch_free. */
mot_status mot_batch_load(mot_batch *batch, const mot_comm *comm, const mot_batch_source *source,
                          mot_gidx first, size_t total);

/* A sample's tokens where they are stored, if they lie there as a model works with them; else NULL. */
static inline const mot_real *mot_batch_plain(const mot_sample_format *format, const void *sample)
{
#ifdef MOT_DOUBLE
    (void)format;
    (void)sample;
    return NULL;
#else
    return mot_tokens_plain(format) ? sample : NULL;
#endif
}

/* mot_tokens_decode for what a model works with: x [L, width], 0 for texts, of which no more than `bytes` are there. */
static inline size_t mot_batch_decode(const mot_sample_format *format, size_t patch, size_t width, const void *sample, size_t bytes,
                                      mot_real *x, int32_t *id)
{
    mot_sample_format text;
    if (format->kind == MOT_SAMPLE_TEXT) {
        text = *format;
        text.tokens = MOT_MIN(format->tokens, bytes / mot_element_bytes(format->element));
        format = &text;
    }
    const size_t tokens = mot_tokens_decode(format, patch, sample, (float *)(void *)x, id);
#ifdef MOT_DOUBLE /* what has been read becomes wider from its end on, where it lies */
    for (size_t i = tokens * width; i-- > 0;) {
        float number;
        memcpy(&number, (unsigned char *)x + i * sizeof number, sizeof number);
        x[i] = number;
    }
#else
    (void)width;
#endif
    return tokens;
}

#endif
