#include "batch_private.h"

#include "mot/background.h"
#include "mot/memory.h"

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
 *
 * Or the one that comes next, which threads make when they have nothing else to do. */
struct mot_batch_ahead {
    size_t room;                /* batches: MOT_BATCHES_READY, or 1 */
    mot_background *background; /* NULL: samples are made */
    batch_making making;
    const mot_comm *comm; /* of all batches here */
    const mot_batch_source *source;
    ready_batch ready[MOT_BATCHES_READY];
    size_t next, count;   /* place of the next one; how many were begun and not yet taken */
    mot_gidx end;         /* where in the stream the one after them begins */
    atomic_bool unwanted; /* none of them will be asked for: the thread need not finish them */
};

/* ---- memory ---- */

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
    batch->own_lengths = format->kind == MOT_SAMPLE_TEXT && !mot_batch_whole(batch);
    const size_t ranks = (size_t)comm->size, grains = (most + chunks - 1) / chunks / grain + 1,
                 mine = mot_batch_whole(batch) ? most
                        : grain > 1     ? MOT_MIN(most, (grains + ranks - 1) / ranks * grain * chunks)
                                        : MOT_MIN(most, (most / ranks + 1) + chunks); /* a slice has its remainder, and one a chunk */
    batch->note_numbers = mot_up_to_8(offsetof(mot_sample_note, target) + mot_batch_target_bytes(source));
    batch->note_bytes = mot_up_to_8(batch->note_numbers + (gate != NULL ? mot_gate_row(gate) : 0) * sizeof(mot_real));
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

static mot_status init_ahead(mot_batch *batch, const mot_comm *comm, const mot_batch_source *source, size_t room)
{
    mot_status status;
    MOT_TRY(mot_allocate(&batch->ahead, 1, sizeof *batch->ahead, "the next batches"));
    batch->ahead->room = room;
    for (size_t i = 0; i < room; ++i) {
        batch->ahead->ready[i].ahead = batch->ahead;
        MOT_TRY(init(&batch->ahead->ready[i].batch, comm, batch->gate, batch->grain, source, batch->most,
                     batch->chunks));
        batch->ahead->ready[i].batch.threads = batch->threads;
    }
done:
    return status;
}

mot_status mot_batch_init(mot_batch *batch, const mot_comm *comm, const mot_gate *gate, size_t grain,
                          const mot_batch_source *source, size_t most, size_t chunks)
{
    mot_status status;
    MOT_TRY(init(batch, comm, gate, grain, source, most, chunks));
    if (mot_dataset_waits(source->dataset)) {
        MOT_TRY(init_ahead(batch, comm, source, MOT_BATCHES_READY));
        MOT_TRY(mot_background_create(&batch->ahead->background, MOT_BATCHES_READY));
    }
done:
    if (status != MOT_OK) mot_batch_free(batch);
    return status;
}

mot_status mot_batch_make_ahead(mot_batch *batch, const mot_comm *comm, const mot_batch_source *source,
                                mot_threads *threads)
{
    batch->threads = threads;
    if (batch->ahead != NULL || mot_threads_count(threads) == 1 || !mot_batch_can_be_made(batch, source))
        return MOT_OK;
    return init_ahead(batch, comm, source, 1);
}

mot_status mot_batch_share(mot_batch *batch, const mot_nodes *nodes)
{
    if (!mot_batch_whole(batch) || batch->ahead != NULL || mot_nodes_members(nodes, nodes->mine) == 1)
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

/* ---- ahead ---- */

static void load_ahead(void *context)
{
    ready_batch *ready = context;
    const struct mot_batch_ahead *ahead = ready->ahead;
    mot_failure_keep(&ready->failure,
                     mot_batch_read(&ready->batch, ahead->comm, ahead->source, false, &ahead->unwanted));
}

/* False: there are too few samples for it. */
static bool begin_one(struct mot_batch_ahead *ahead, ready_batch *ready)
{
    if (ahead->background == NULL)
        return mot_batch_begin_making(&ahead->making, &ready->batch, ahead->comm, ahead->source,
                                      &ahead->unwanted);
    ready->number = mot_background_begin(ahead->background, load_ahead, ready);
    return true;
}

static void end_one(struct mot_batch_ahead *ahead, ready_batch *ready)
{
    if (ahead->background == NULL)
        mot_failure_keep(&ready->failure, mot_batch_end_making(&ahead->making));
    else
        mot_background_end(ahead->background, ready->number);
    ahead->next = (ahead->next + 1) % ahead->room;
    --ahead->count;
}

/* Begins batches of `total` samples, as they most likely come next: the stream goes on. */
static void begin_next(struct mot_batch_ahead *ahead, size_t total)
{
    const mot_batch_source *source = ahead->source;
    while (ahead->count < ahead->room) {
        ready_batch *ready = &ahead->ready[(ahead->next + ahead->count) % ahead->room];
        const mot_gidx left = mot_batch_goes_on(source) ? (mot_gidx)total : source->dataset->samples - ahead->end;
        const mot_gidx count = MOT_MIN((mot_gidx)total, left);
        if (count <= 0) return;
        ready->batch.first = ahead->end;
        ready->batch.total = (size_t)count;
        if (!begin_one(ahead, ready)) return;
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
    end_one(ahead, ready);
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
    while (ahead->count > 0) end_one(ahead, &ahead->ready[ahead->next]);
    atomic_store(&ahead->unwanted, false);
}

void mot_batch_forget(mot_batch *batch)
{
    if (batch->ahead != NULL) drop_next(batch->ahead);
}

static void free_ahead(struct mot_batch_ahead *ahead)
{
    if (ahead == NULL) return;
    drop_next(ahead);
    mot_background_destroy(&ahead->background);
    for (size_t i = 0; i < ahead->room; ++i) mot_batch_free(&ahead->ready[i].batch);
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

static mot_status load_now(mot_batch *batch, const mot_comm *comm, const mot_batch_source *source,
                           mot_gidx first, size_t total)
{
    batch->first = first;
    batch->total = total;
    return mot_batch_read(batch, comm, source, true, NULL);
}

static bool goes_ahead(const mot_batch *batch, const mot_batch_source *source)
{
    if (batch->ahead == NULL) return false;
    return batch->ahead->background != NULL ? mot_dataset_waits(source->dataset)
                                            : mot_batch_can_be_made(batch, source);
}

mot_status mot_batch_load(mot_batch *batch, const mot_comm *comm, const mot_batch_source *source,
                          mot_gidx first, size_t total)
{
    struct mot_batch_ahead *ahead = batch->ahead;
    mot_status status;
    if (!goes_ahead(batch, source)) return load_now(batch, comm, source, first, total);
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
