#include "mot/batch.h"

#include <string.h>

#include "mot/memory.h"
#include "mot/order.h"

mot_status mot_batch_init(mot_batch *batch, const mot_comm *comm, const mot_batch_source *source, size_t most,
                          size_t chunks)
{
    mot_status status;
    mot_token_shape shape;
    const mot_sample_format *format = &source->dataset->format;
    *batch = (mot_batch){.chunks = chunks, .most = most, .sample_bytes = format->bytes};
    MOT_TRY(mot_token_shape_of(format, source->patch, &shape));
    batch->width = shape.width;
    const size_t mine = MOT_MIN(most,
                                (most / (size_t)comm->size + 1) + chunks); /* a slice's remainder, a chunk */
    batch->note_bytes = sizeof(mot_sample_note) + mot_gate_row(source->gate) * sizeof(float);
    batch->note_bytes = (batch->note_bytes + 7) / 8 * 8;
    MOT_TRY(mot_allocate(&batch->home, most, sizeof *batch->home, "a batch"));
    MOT_TRY(mot_allocate(&batch->slot, most, sizeof *batch->slot, "a batch"));
    MOT_TRY(mot_allocate(&batch->bytes, mine, format->bytes, "a batch's samples"));
    MOT_TRY(mot_allocate(&batch->note, mine, batch->note_bytes, "a batch's gate features"));
    MOT_TRY(mot_allocate(&batch->scratch, format->bytes, 1, "a sample"));
    MOT_TRY(mot_allocate(&batch->tokens, shape.tokens * shape.width, sizeof(float), "a sample's tokens"));
    MOT_TRY(mot_allocate(&batch->ids, shape.tokens, sizeof(int32_t), "a sample's tokens"));
done:
    if (status != MOT_OK) mot_batch_free(batch);
    return status;
}

void mot_batch_free(mot_batch *batch)
{
    mot_free(batch->ids);
    mot_free(batch->tokens);
    mot_free(batch->scratch);
    mot_free(batch->note);
    mot_free(batch->bytes);
    mot_free(batch->slot);
    mot_free(batch->home);
    *batch = (mot_batch){0};
}

/* Who holds what: a function of (total, chunks, ranks) alone. */
static void deal(mot_batch *batch, const mot_comm *comm)
{
    batch->mine = 0;
    for (size_t c = 0; c < batch->chunks; ++c) {
        const size_t from = mot_chunk_first(batch, c), count = mot_chunk_first(batch, c + 1) - from;
        for (int r = 0; r < comm->size; ++r) {
            const size_t first = mot_part_first(count, (size_t)comm->size, (size_t)r);
            const size_t end = mot_part_first(count, (size_t)comm->size, (size_t)r + 1);
            for (size_t p = from + first; p < from + end; ++p) {
                batch->home[p] = r;
                if (r == comm->rank) batch->slot[p] = (uint32_t)batch->mine++;
            }
        }
    }
}

static mot_gidx index_of(const mot_batch_source *source, mot_gidx position)
{
    return source->shuffled ? mot_order_sample(source->seed, source->dataset->samples, position) : position;
}

static mot_status load_sample(mot_batch *batch, const mot_batch_source *source, mot_gidx position,
                              uint32_t slot)
{
    mot_dataset *dataset = source->dataset;
    const mot_sample_format *format = &dataset->format;
    unsigned char *bytes = batch->bytes + slot * format->bytes;
    const mot_gidx index = index_of(source, position);
    int32_t label, group;
    const mot_status status = mot_dataset_sample(dataset, index, bytes, &label, &group);
    if (status != MOT_OK) return status;
    if (source->augment != NULL)
        mot_augment(source->augment, format, source->seed, position, bytes, batch->scratch);

    if (source->learn_group)
        label = group;
    else if (dataset->signed_labels)
        label = label > 0;
    unsigned char *note = batch->note + slot * batch->note_bytes;
    memcpy(note, &(mot_sample_note){index, label, group}, sizeof(mot_sample_note));

    unsigned char *row = note + sizeof(mot_sample_note); /* aligned to 8 */
    const size_t count = mot_tokens_decode(format, source->patch, bytes, batch->tokens, batch->ids);
    if (source->gate->tokens > 0) {
        memset(row, 0, source->gate->tokens * sizeof(int32_t));
        memcpy(row, batch->ids, count * sizeof(int32_t));
    } else {
        mot_gate_features(source->gate, (float *)(void *)row, batch->tokens, count, batch->width);
    }
    return MOT_OK;
}

/* Announces what this rank will load of the next batches, if they are as large as this one. */
static void expect(mot_batch *batch, const mot_comm *comm, const mot_batch_source *source)
{
    const mot_gidx total = (mot_gidx)batch->total, next = batch->first + total,
                   end = next + MOT_BATCHES_AHEAD * total;
    mot_gidx from = next;
    if (batch->expecting == source && batch->expected > next && batch->expected <= end)
        from = batch->expected; /* announced before */
    batch->expecting = source;
    batch->expected = end;
    for (mot_gidx position = from; position < end; ++position) {
        if (batch->home[(position - next) % total] != comm->rank) continue;
        if (!source->shuffled && position >= source->dataset->samples) break;
        if (!mot_dataset_expect(source->dataset, index_of(source, position))) break;
    }
}

mot_status mot_batch_load(mot_batch *batch, const mot_comm *comm, const mot_batch_source *source,
                          mot_gidx first, size_t total)
{
    mot_status status = MOT_OK;
    batch->first = first;
    batch->total = total;
    deal(batch, comm);
    for (size_t p = 0; p < total && status == MOT_OK; ++p)
        if (batch->home[p] == comm->rank)
            status = load_sample(batch, source, first + (mot_gidx)p, batch->slot[p]);
    if (status == MOT_OK && total > 0) expect(batch, comm, source);
    return status;
}
