#include "mot/batch.h"

#include <stdatomic.h>
#include <string.h>

#include "mot/background.h"
#include "mot/memory.h"
#include "mot/order.h"

/* A batch that is loaded ahead. */
typedef struct ready_batch {
    struct mot_batch_ahead *ahead; /* not owned: whose it is */
    mot_batch batch;
    unsigned long number; /* of its loading */
    mot_failure failure;  /* if any, which the thread alone knows */
} ready_batch;

/* The batches that come next of one source, and the thread that loads them:
 *
 *      ready    | 3 | 4 | 2 |      next = 2, count = 3, end = position behind batch 4
 */
struct mot_batch_ahead {
    mot_background *background;
    const mot_comm *comm; /* of all batches here */
    const mot_batch_source *source;
    ready_batch ready[MOT_BATCHES_READY];
    size_t next, count;   /* place of the next one; how many were begun and not yet taken */
    mot_gidx end;         /* where in the stream the one after them begins */
    atomic_bool unwanted; /* none of them will be asked for: the thread need not finish them */
};

/* ---- memory ---- */

static size_t up_to_8(size_t bytes)
{
    return (bytes + 7) / 8 * 8;
}

/* Every rank has all samples. */
static bool is_whole(const mot_batch *batch)
{
    return batch->gate != NULL && batch->gate->kind->spread;
}

/* One batch, which loads nothing ahead. */
static mot_status init(mot_batch *batch, const mot_comm *comm, const mot_gate *gate, size_t grain,
                       const mot_batch_source *source, size_t most, size_t chunks)
{
    mot_status status;
    mot_token_shape shape;
    const mot_sample_format *format = &source->dataset->format;
    *batch = (mot_batch){.gate = gate, .grain = grain, .chunks = chunks, .most = most, .sample_bytes = format->bytes};
    MOT_TRY(mot_token_shape_of(format, source->patch, &shape));
    batch->width = shape.width;
    /* Of each chunk at most so many grains. */
    batch->own_lengths = format->kind == MOT_SAMPLE_TEXT && !is_whole(batch);
    const size_t ranks = (size_t)comm->size, grains = (most + chunks - 1) / chunks / grain + 1,
                 mine = is_whole(batch) ? most
                        : grain > 1     ? MOT_MIN(most, (grains + ranks - 1) / ranks * grain * chunks)
                                        : MOT_MIN(most, (most / ranks + 1) + chunks); /* a slice has its remainder, and one a chunk */
    batch->note_numbers = up_to_8(offsetof(mot_sample_note, target) + mot_batch_target_bytes(source));
    batch->note_bytes = up_to_8(batch->note_numbers + (gate != NULL ? mot_gate_row(gate) : 0) * sizeof(mot_real));
    MOT_TRY(mot_allocate(&batch->home, most, sizeof *batch->home, "a batch"));
    MOT_TRY(mot_allocate(&batch->slot, most, sizeof *batch->slot, "a batch"));
    MOT_TRY(mot_allocate(&batch->begin, mine + 1, sizeof *batch->begin, "a batch"));
    if (batch->own_lengths)
        MOT_TRY(mot_allocate(&batch->padded, format->bytes, 1, "a sample"));
    else
        MOT_TRY(mot_allocate(&batch->bytes, mine, format->bytes, "a batch's samples"));
    for (size_t s = 0; s <= mine; ++s) batch->begin[s] = batch->own_lengths ? 0 : s * format->bytes;
    const bool words = batch->own_lengths && gate != NULL && gate->tokens > 0;
    batch->note_unit = words ? 8 : batch->note_bytes;
    MOT_TRY(mot_allocate(&batch->note_begin, mine + 1, sizeof *batch->note_begin, "a batch"));
    for (size_t s = 0; s <= mine && !words; ++s) batch->note_begin[s] = s * batch->note_bytes;
    if (!words) MOT_TRY(mot_allocate(&batch->note, mine, batch->note_bytes, "a batch's gate features"));
    MOT_TRY(mot_allocate(&batch->scratch, format->bytes, 1, "a sample"));
    MOT_TRY(mot_allocate(&batch->tokens, shape.tokens * shape.width, sizeof(mot_real), "a sample's tokens"));
    MOT_TRY(mot_allocate(&batch->ids, shape.tokens, sizeof(int32_t), "a sample's tokens"));
done:
    return status;
}

static mot_status init_ahead(mot_batch *batch, const mot_comm *comm, const mot_batch_source *source)
{
    mot_status status;
    MOT_TRY(mot_allocate(&batch->ahead, 1, sizeof *batch->ahead, "the next batches"));
    for (size_t i = 0; i < MOT_BATCHES_READY; ++i) {
        batch->ahead->ready[i].ahead = batch->ahead;
        MOT_TRY(init(&batch->ahead->ready[i].batch, comm, batch->gate, batch->grain, source, batch->most, batch->chunks));
    }
    MOT_TRY(mot_background_create(&batch->ahead->background, MOT_BATCHES_READY));
done:
    return status;
}

mot_status mot_batch_init(mot_batch *batch, const mot_comm *comm, const mot_gate *gate, size_t grain,
                          const mot_batch_source *source, size_t most, size_t chunks)
{
    mot_status status;
    MOT_TRY(init(batch, comm, gate, grain, source, most, chunks));
    if (mot_dataset_waits(source->dataset)) MOT_TRY(init_ahead(batch, comm, source));
done:
    if (status != MOT_OK) mot_batch_free(batch);
    return status;
}

mot_status mot_batch_share(mot_batch *batch, const mot_nodes *nodes)
{
    if (!is_whole(batch) || batch->ahead != NULL || mot_nodes_members(nodes, nodes->mine) == 1)
        return MOT_OK;
    const size_t bytes = (batch->most * batch->sample_bytes + MOT_ALIGNMENT - 1) / MOT_ALIGNMENT * MOT_ALIGNMENT;
    const mot_status status = mot_shared_resize(&batch->shared, nodes, bytes + batch->most * batch->note_bytes, 0);
    if (status != MOT_OK) return status;
    mot_free(batch->bytes);
    mot_free(batch->note);
    batch->bytes = batch->shared.bytes;
    batch->note = batch->shared.bytes + bytes;
    batch->nodes = nodes;
    return MOT_OK;
}

static void free_ahead(struct mot_batch_ahead *ahead)
{
    if (ahead == NULL) return;
    atomic_store(&ahead->unwanted, true);
    mot_background_destroy(&ahead->background); /* first: it may be loading */
    for (size_t i = 0; i < MOT_BATCHES_READY; ++i) mot_batch_free(&ahead->ready[i].batch);
    mot_free(ahead);
}

void mot_batch_free(mot_batch *batch)
{
    free_ahead(batch->ahead);
    mot_free(batch->ids);
    mot_free(batch->tokens);
    mot_free(batch->scratch);
    if (batch->nodes == NULL) {
        mot_free(batch->note);
        mot_free(batch->bytes);
    }
    mot_shared_free(&batch->shared);
    mot_free(batch->padded);
    mot_free(batch->begin);
    mot_free(batch->note_begin);
    mot_free(batch->slot);
    mot_free(batch->home);
    *batch = (mot_batch){0};
}

/* ---- loading ---- */

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

/* Whether there are samples behind the last one. */
static bool goes_on(const mot_batch_source *source)
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

    if (batch->gate == NULL || is_whole(batch)) return MOT_OK;
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
    batch->note_begin[slot + 1] = batch->note_begin[slot] + up_to_8(batch->note_numbers + ids * sizeof *batch->ids);
    return MOT_OK;
}

/* Announces this rank's samples of the batch that comes MOT_BATCHES_AHEAD behind this one, if it is as large; those
 * between the two were announced with the batches before, or are now, if this is the first of a run of batches. */
static void expect(const mot_batch *batch, const mot_comm *comm, const mot_batch_source *source, bool first)
{
    const mot_gidx total = (mot_gidx)batch->total, last = batch->first + MOT_BATCHES_AHEAD * total;
    for (mot_gidx position = first ? batch->first : last; position < last + total; ++position) {
        if (!is_whole(batch) && batch->home[(position - batch->first) % total] != comm->rank)
            continue;
        if (!goes_on(source) && position >= source->dataset->samples) break;
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

/* Samples that are made, a piece a task. Of each only its own memory is written: vectors are not augmented, and these are plain. */
typedef struct making {
    mot_batch *batch;
    const mot_comm *comm;
    const mot_batch_source *source;
    size_t pieces;
    atomic_bool failed;
} making;

static void make_piece(void *context, size_t piece, int thread)
{
    making *all = context;
    const size_t total = all->batch->total, end = mot_part_first(total, all->pieces, piece + 1);
    (void)thread;
    for (size_t p = mot_part_first(total, all->pieces, piece); p < end; ++p)
        if (all->batch->home[p] == all->comm->rank && load_sample(all->batch, all->source, p) != MOT_OK)
            atomic_store(&all->failed, true);
}

/* Whether threads have made them. It pays from numbers on that take as long to make as it takes to wake a thread. */
static bool made_together(mot_batch *batch, const mot_comm *comm, const mot_batch_source *source)
{
    enum { WORTH_BYTES = 64 << 10, PIECE_BYTES = 16 << 10 };
    const size_t bytes = batch->mine * batch->sample_bytes;
    making all = {.batch = batch, .comm = comm, .source = source, .pieces = bytes / PIECE_BYTES};
    if (batch->threads == NULL || bytes < WORTH_BYTES || is_whole(batch) ||
        !mot_dataset_made_anew(source->dataset) || mot_batch_plain(&source->dataset->format, batch->bytes) == NULL)
        return false;
    mot_threads_run(batch->threads, all.pieces, make_piece, &all);
    return !atomic_load(&all.failed); /* else the caller says why */
}

/* The samples from batch->first; only some of them if they are no longer wanted (may be NULL). */
static mot_status load(mot_batch *batch, const mot_comm *comm, const mot_batch_source *source, bool first,
                       const atomic_bool *unwanted)
{
    mot_status status = MOT_OK;
    const bool whole = is_whole(batch);
    deal(batch, comm, whole);
    expect(batch, comm, source, first);
    if (unwanted == NULL && made_together(batch, comm, source)) return MOT_OK;
    for (size_t p = 0; p < batch->total && status == MOT_OK; ++p) {
        if (whole ? !is_ours(batch, p) : batch->home[p] != comm->rank) continue;
        if (unwanted != NULL && atomic_load(unwanted)) break;
        status = load_sample(batch, source, p);
    }
    return status;
}

/* ---- ahead ---- */

static void load_ahead(void *context)
{
    ready_batch *ready = context;
    const struct mot_batch_ahead *ahead = ready->ahead;
    mot_failure_keep(&ready->failure,
                     load(&ready->batch, ahead->comm, ahead->source, false, &ahead->unwanted));
}

/* Begins batches of `total` samples, as they most likely come next: the stream goes on. */
static void begin_next(struct mot_batch_ahead *ahead, size_t total)
{
    const mot_batch_source *source = ahead->source;
    while (ahead->count < MOT_BATCHES_READY) {
        ready_batch *ready = &ahead->ready[(ahead->next + ahead->count) % MOT_BATCHES_READY];
        const mot_gidx left = goes_on(source) ? (mot_gidx)total : source->dataset->samples - ahead->end;
        const mot_gidx count = MOT_MIN((mot_gidx)total, left);
        if (count <= 0) return;
        ready->batch.first = ahead->end;
        ready->batch.total = (size_t)count;
        ready->number = mot_background_begin(ahead->background, load_ahead, ready);
        ahead->end += count;
        ++ahead->count;
    }
}

/* The next batch, as soon as it is loaded, takes the place of *batch; NULL: it is not the one that is asked for. */
static const ready_batch *take_next(mot_batch *batch, const mot_batch_source *source, mot_gidx first,
                                    size_t total)
{
    struct mot_batch_ahead *ahead = batch->ahead;
    ready_batch *ready = &ahead->ready[ahead->next];
    if (ahead->count == 0 || ahead->source != source || ready->batch.first != first ||
        ready->batch.total != total)
        return NULL;
    mot_background_end(ahead->background, ready->number);
    ahead->next = (ahead->next + 1) % MOT_BATCHES_READY;
    --ahead->count;
    const mot_batch before = *batch;
    *batch = ready->batch;
    ready->batch = before;
    batch->ahead = ahead;
    batch->threads = before.threads;
    ready->batch.ahead = NULL;
    return ready;
}

/* The batches that were begun are not the ones that come. */
static void drop_next(struct mot_batch_ahead *ahead)
{
    atomic_store(&ahead->unwanted, true);
    for (; ahead->count > 0; --ahead->count) {
        mot_background_end(ahead->background, ahead->ready[ahead->next].number);
        ahead->next = (ahead->next + 1) % MOT_BATCHES_READY;
    }
    atomic_store(&ahead->unwanted, false);
}

void mot_batch_forget(mot_batch *batch)
{
    if (batch->ahead != NULL) drop_next(batch->ahead);
}

static mot_status load_now(mot_batch *batch, const mot_comm *comm, const mot_batch_source *source,
                           mot_gidx first, size_t total)
{
    batch->first = first;
    batch->total = total;
    return load(batch, comm, source, true, NULL);
}

mot_status mot_batch_load(mot_batch *batch, const mot_comm *comm, const mot_batch_source *source,
                          mot_gidx first, size_t total)
{
    struct mot_batch_ahead *ahead = batch->ahead;
    mot_status status;
    if (ahead == NULL || !mot_dataset_waits(source->dataset))
        return load_now(batch, comm, source, first, total);
    const ready_batch *ready = take_next(batch, source, first, total);
    if (ready != NULL) {
        status = mot_failure_say(&ready->failure);
    } else {
        drop_next(ahead);
        status = load_now(batch, comm, source, first, total);
        ahead->comm = comm;
        ahead->source = source;
        ahead->end = first + (mot_gidx)total;
    }
    if (status == MOT_OK) begin_next(ahead, total);
    return status;
}
