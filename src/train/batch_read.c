/* A batch's samples, as this rank reads or makes them. */
#include <string.h>

#include "batch_private.h"
#include "mot/memory.h"
#include "mot/order.h"

/* ---- who holds what ---- */

/* Who holds what: a function of (total, chunks, ranks) alone. */
static void deal(mot_batch *batch, const mot_comm *comm, bool whole)
{
    batch->mine = 0;
    for (size_t c = 0; c < batch->chunks; ++c) {
        const size_t from = mot_chunk_first(batch, c), count = mot_chunk_first(batch, c + 1) - from;
        const size_t grain = batch->grain, grains = (count + grain - 1) / grain;
        for (int r = 0; r < comm->size; ++r) {
            const size_t first = MOT_MIN(count, grain * mot_part_first(grains, (size_t)comm->size, (size_t)r));
            const size_t end = MOT_MIN(count, grain * mot_part_first(grains, (size_t)comm->size, (size_t)r + 1));
            for (size_t p = from + first; p < from + end; ++p) {
                batch->home[p] = r;
                if (whole || r == comm->rank) batch->slot[p] = (uint32_t)batch->mine++;
            }
        }
    }
    /* Nothing of a batch that is not loaded to its end travels. */
    if (batch->note_unit != batch->note_bytes) batch->note_begin[batch->mine] = 0;
}

bool mot_batch_goes_on(const mot_batch_source *source)
{
    return source->sampler != NULL || source->shuffled || source->repeats;
}

static mot_gidx index_of(const mot_batch_source *source, mot_gidx position)
{
    const mot_gidx samples = source->dataset->samples;
    if (source->sampler != NULL) return mot_sampler_index(source->sampler, position);
    if (source->shuffled) return mot_order_sample(source->seed, samples, position);
    return source->repeats ? position % samples : position;
}

/* ---- one sample ---- */

/* Without what a text is padded with, but for one token of an empty one. */
static size_t own_bytes(const mot_sample_format *format, const unsigned char *sample)
{
    return MOT_MAX(mot_text_length(format, sample), (size_t)1) * mot_element_bytes(format->element);
}

/* Samples come in the order of their slots. */
static mot_status load_sample(mot_batch *batch, const mot_batch_source *source, size_t p)
{
    mot_dataset *dataset = source->dataset;
    const mot_sample_format *format = &dataset->format;
    const size_t slot = batch->slot[p], begin = batch->begin[slot];
    unsigned char *bytes = batch->own_lengths ? batch->padded : batch->bytes + begin;
    size_t count = format->bytes;
    const mot_gidx position = batch->first + (mot_gidx)p;
    mot_status status = MOT_OK;
    if (batch->note_unit != batch->note_bytes)
        status = mot_reserve(&batch->note, &batch->note_room, batch->note_begin[slot] + batch->note_bytes, 1,
                             "a batch's gate features");
    if (status != MOT_OK) return status;
    mot_sample_note *note = mot_batch_note(batch, p);
    note->index = index_of(source, position);
    note->ids = 0;
    status = mot_dataset_sample(dataset, note->index, bytes, source->learn_group ? NULL : note->target, &note->group);
    if (status != MOT_OK) return status;
    if (source->learn_group) memcpy(note->target, &note->group, sizeof note->group);
    if (source->augment != NULL)
        mot_augment(source->augment, format, source->seed, position, bytes, batch->scratch);
    if (batch->own_lengths) {
        count = own_bytes(format, bytes);
        status = mot_reserve(&batch->bytes, &batch->room, begin + count, 1, "a batch's samples");
        if (status != MOT_OK) return status;
        memcpy(batch->bytes + begin, bytes, count);
        batch->begin[slot + 1] = begin + count;
    }
    note->bytes = (uint32_t)count;

    if (batch->gate == NULL || mot_batch_whole(batch)) return MOT_OK;
    unsigned char *row = (unsigned char *)note + batch->note_numbers;
    const mot_real *tokens = mot_batch_plain(format, bytes);
    size_t ids = format->tokens;
    if (tokens == NULL) {
        ids = mot_batch_decode(format, source->patch, batch->width, bytes, count, batch->tokens, batch->ids);
        tokens = batch->tokens;
    }
    if (batch->note_unit == batch->note_bytes) {
        mot_gate_describe(batch->gate, row, tokens, batch->ids, ids, batch->width);
        return MOT_OK;
    }
    note->ids = (uint32_t)ids;
    memcpy(row, batch->ids, ids * sizeof *batch->ids);
    batch->note_begin[slot + 1] = batch->note_begin[slot] + mot_up_to_8(batch->note_numbers + ids * sizeof *batch->ids);
    return MOT_OK;
}

/* Announces this rank's samples of the batch that comes MOT_BATCHES_AHEAD behind this one, if it is as large; those
 * between the two were announced with the batches before, or are now, if this is the first of a run of batches. */
static void expect(const mot_batch *batch, const mot_comm *comm, const mot_batch_source *source, bool first)
{
    const mot_gidx total = (mot_gidx)batch->total, last = batch->first + MOT_BATCHES_AHEAD * total;
    for (mot_gidx position = first ? batch->first : last; position < last + total; ++position) {
        if (!mot_batch_whole(batch) && batch->home[(position - batch->first) % total] != comm->rank)
            continue;
        if (!mot_batch_goes_on(source) && position >= source->dataset->samples) break;
        if (!mot_dataset_expect(source->dataset, index_of(source, position))) break;
    }
}

/* Whether this rank loads sample p of those that all of its node have. */
static bool is_ours(const mot_batch *batch, size_t p)
{
    const mot_nodes *nodes = batch->nodes;
    if (nodes == NULL) return true;
    const size_t members = (size_t)mot_nodes_members(nodes, nodes->mine), place = (size_t)nodes->place[nodes->rank];
    return p >= mot_part_first(batch->total, members, place) && p < mot_part_first(batch->total, members, place + 1);
}

/* ---- made by threads ---- */

/* A piece of the samples is a task. Of each sample only its own memory is written: vectors are not augmented, and these are plain. */
static void make_piece(void *context, size_t piece, int thread)
{
    batch_making *all = context;
    mot_batch *batch = all->batch;
    const size_t end = mot_part_first(batch->total, all->pieces, piece + 1);
    (void)thread;
    if (all->unwanted != NULL && atomic_load(all->unwanted)) return;
    for (size_t p = mot_part_first(batch->total, all->pieces, piece); p < end; ++p)
        if (batch->home[p] == all->comm->rank && load_sample(batch, all->source, p) != MOT_OK)
            atomic_store(&all->failed, true);
}

/* Whether threads are to make what is dealt. It pays from numbers on that take as long to make as it takes to wake a thread. */
static bool plan_making(batch_making *all, mot_batch *batch, const mot_comm *comm, const mot_batch_source *source)
{
    enum { WORTH_BYTES = 64 << 10, PIECE_BYTES = 16 << 10 };
    const size_t bytes = batch->mine * batch->sample_bytes;
    all->batch = batch;
    all->comm = comm;
    all->source = source;
    all->unwanted = NULL;
    all->pieces = bytes / PIECE_BYTES;
    atomic_store(&all->failed, false);
    return bytes >= WORTH_BYTES && mot_batch_can_be_made(batch, source);
}

bool mot_batch_can_be_made(const mot_batch *batch, const mot_batch_source *source)
{
    return batch->threads != NULL && !mot_batch_whole(batch) && mot_dataset_made_anew(source->dataset) &&
           mot_batch_plain(&source->dataset->format, batch->bytes) != NULL;
}

bool mot_batch_begin_making(batch_making *all, mot_batch *batch, const mot_comm *comm,
                            const mot_batch_source *source, const atomic_bool *unwanted)
{
    deal(batch, comm, false);
    if (!plan_making(all, batch, comm, source)) return false;
    all->unwanted = unwanted;
    mot_threads_begin_idle(batch->threads, all->pieces, make_piece, all);
    return true;
}

mot_status mot_batch_end_making(batch_making *all)
{
    mot_threads_end_idle(all->batch->threads);
    const bool again = atomic_load(&all->failed) && !atomic_load(all->unwanted); /* on the caller's thread, to say why */
    return again ? mot_batch_read(all->batch, all->comm, all->source, false, NULL) : MOT_OK;
}

/* Whether threads have made them; else the caller does, and says why. */
static bool make_now(mot_batch *batch, const mot_comm *comm, const mot_batch_source *source)
{
    batch_making all;
    if (!plan_making(&all, batch, comm, source)) return false;
    mot_threads_run(batch->threads, all.pieces, make_piece, &all);
    return !atomic_load(&all.failed);
}

/* ---- all of them ---- */

mot_status mot_batch_read(mot_batch *batch, const mot_comm *comm, const mot_batch_source *source, bool first,
                          const atomic_bool *unwanted)
{
    mot_status status = MOT_OK;
    const bool whole = mot_batch_whole(batch);
    deal(batch, comm, whole);
    expect(batch, comm, source, first);
    if (unwanted == NULL && make_now(batch, comm, source)) return MOT_OK;
    for (size_t p = 0; p < batch->total && status == MOT_OK; ++p) {
        if (whole ? !is_ours(batch, p) : batch->home[p] != comm->rank) continue;
        if (unwanted != NULL && atomic_load(unwanted)) break;
        status = load_sample(batch, source, p);
    }
    return status;
}
