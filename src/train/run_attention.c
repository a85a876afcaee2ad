/* Where the experts look, of the samples that a report shows.
 *
 *      while the batches of an analysis go by   the surest of each expert, and the surest of its wrong ones, are noted
 *      when all have been seen                  batches that hold such samples are evaluated once more, and experts look
 *                                               (step_look.c); each rank has the rows of its own, zeros elsewhere, and the
 *                                               sum over ranks is exact */
#include "run_analyse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mot/memory.h"

enum { MOST_OF_AN_EXPERT = 12, FILE_BYTES = 32 << 20 };
typedef enum pick_kind { LIKED, WRONG, PICK_KINDS } pick_kind;

typedef struct pick {
    mot_gidx position, sample;
    float prob; /* of the gate */
    int32_t expert; /* by its number in the beginning */
} pick;

typedef struct look_layer {
    const mot_layer *of;
    char missing[128];           /* "": there are looks */
    size_t most;                 /* picks of an expert and a kind */
    size_t blocks, heads, rows, numbers; /* of a sample: what mot_step_attention has */
    pick *best;                  /* [PICK_KINDS, E, most], the surest first; root */
    size_t *picked;              /* [PICK_KINDS, E]; root */
    pick *sample;                /* [count]: those that are looked at, by position */
    size_t count;
    float *value;                /* [count, numbers] */
    int32_t *place;              /* [batch] */
} look_layer;

struct run_attention {
    mot_run *run;
    int layers;
    mot_gidx noted;
    look_layer *layer;        /* [layers] */
    mot_step_attention *step; /* [layers]: of the batch at hand */
};

/* ---- what there is to see ---- */

static void describe(look_layer *look, const mot_layer *layer, int layers)
{
    const mot_expert_kind *kind = layer->kind;
    const mot_expert_config *config = layer->shape.config;
    /* What takes states is given the class token's row with the others. */
    const bool class_row = config->pool == MOT_POOL_CLASS && !kind->rows;
    *look = (look_layer){.of = layer, .blocks = config->depth, .heads = config->heads, .rows = layer->shape.tokens + class_row};
    look->numbers = (look->blocks * look->heads + 1) * look->rows + 1;
    const size_t room = (size_t)FILE_BYTES / (size_t)layers / (look->numbers * sizeof *look->value);
    look->most = MOT_MIN((size_t)MOST_OF_AN_EXPERT, room / (PICK_KINDS * (size_t)layer->experts));
    if (kind->look == NULL)
        snprintf(look->missing, sizeof look->missing, "experts of kind %.40s have no attention to show", kind->kind.name);
    else if (look->blocks == 0)
        snprintf(look->missing, sizeof look->missing, "the experts have no blocks");
    else if (look->rows == 1)
        snprintf(look->missing, sizeof look->missing, "a sample is one token");
    else if (look->most == 0)
        snprintf(look->missing, sizeof look->missing, "of a sample for each expert it would take more than %d MiB", FILE_BYTES >> 20);
    if (look->missing[0] != '\0') look->most = 0;
}

static mot_status create_layer(look_layer *look, size_t batch, bool root)
{
    const size_t picks = root ? PICK_KINDS * (size_t)look->of->experts : 0;
    mot_status status;
    MOT_TRY(mot_allocate(&look->best, picks * look->most, sizeof *look->best, "attention"));
    MOT_TRY(mot_allocate(&look->picked, picks, sizeof *look->picked, "attention"));
    MOT_TRY(mot_allocate(&look->place, batch, sizeof *look->place, "attention"));
done:
    return status;
}

mot_status mot_run_attention_create(run_attention **created, mot_run *run)
{
    const mot_model *model = &run->world.model;
    const size_t layers = (size_t)model->layers;
    run_attention *a = NULL;
    mot_status status;
    MOT_TRY(mot_allocate(&a, 1, sizeof *a, "attention"));
    *created = a;
    a->run = run;
    MOT_TRY(mot_allocate(&a->step, layers, sizeof *a->step, "attention"));
    MOT_TRY(mot_allocate(&a->layer, layers, sizeof *a->layer, "attention"));
    a->layers = model->layers;
    for (int l = 0; l < a->layers; ++l) describe(&a->layer[l], &model->layer[l], a->layers);
    for (int l = 0; l < a->layers; ++l)
        MOT_TRY(create_layer(&a->layer[l], (size_t)run->course.config.eval.batch, run->world.comm->rank == MOT_ROOT));
done:
    return status;
}

void mot_run_attention_free(run_attention **attention)
{
    run_attention *a = *attention;
    *attention = NULL;
    if (a == NULL) return;
    for (int l = 0; l < a->layers; ++l) {
        const look_layer *look = &a->layer[l];
        void *const arrays[] = {look->best, look->picked, look->sample, look->value, look->place};
        for (size_t i = 0; i < MOT_COUNT(arrays); ++i) mot_free(arrays[i]);
    }
    mot_free(a->layer);
    mot_free(a->step);
    mot_free(a);
}

const char *mot_run_attention_missing(const run_attention *a, int layer)
{
    const char *missing = a->layer[layer].missing;
    return missing[0] != '\0' ? missing : NULL;
}

/* ---- which samples ---- */

/* Among the surest, behind those that are as sure. */
static void keep(look_layer *look, pick_kind kind, size_t expert, pick new)
{
    const size_t row = (size_t)kind * (size_t)look->of->experts + expert;
    pick *best = look->best + row * look->most;
    size_t *count = &look->picked[row], at = *count;
    while (at > 0 && best[at - 1].prob < new.prob) --at;
    if (at == look->most) return;
    *count = MOT_MIN(*count + 1, look->most);
    memmove(best + at + 1, best + at, (*count - at - 1) * sizeof *best);
    best[at] = new;
}

void mot_run_attention_note(run_attention *a, size_t n, const mot_step_result *result)
{
    for (int l = 0; l < a->layers; ++l) {
        look_layer *look = &a->layer[l];
        const mot_layer_result *of = &result->layer[l];
        for (size_t p = 0; look->most > 0 && p < n; ++p) {
            const int32_t expert = of->expert[p * of->choices], label = result->label[p], predicted = result->predicted[p];
            const pick new = {a->noted + (mot_gidx)p, result->sample[p], of->prob[p * of->choices], look->of->origin[expert]};
            keep(look, LIKED, (size_t)expert, new);
            if (label >= 0 && predicted >= 0 && label != predicted) keep(look, WRONG, (size_t)expert, new);
        }
    }
    a->noted += (mot_gidx)n;
}

static int by_position(const void *left, const void *right)
{
    const pick *a = left, *b = right;
    return (a->position > b->position) - (a->position < b->position);
}

/* All that were picked, each once. */
static mot_status gather(look_layer *look)
{
    size_t all = 0;
    mot_status status;
    MOT_TRY(mot_allocate(&look->sample, PICK_KINDS * (size_t)look->of->experts * look->most, sizeof *look->sample, "attention"));
    for (size_t row = 0; look->most > 0 && row < PICK_KINDS * (size_t)look->of->experts; ++row) {
        memcpy(look->sample + all, look->best + row * look->most, look->picked[row] * sizeof *look->sample);
        all += look->picked[row];
    }
    qsort(look->sample, all, sizeof *look->sample, by_position);
    for (size_t i = 0; i < all; ++i)
        if (i == 0 || look->sample[i].position != look->sample[i - 1].position) look->sample[look->count++] = look->sample[i];
done:
    return status;
}

/* Every rank gets those of the root. */
static mot_status share(look_layer *look, const mot_comm *comm)
{
    const bool root = comm->rank == MOT_ROOT;
    mot_status status = root ? gather(look) : MOT_OK;
    MOT_TRY(mot_comm_agree(comm, status));
    mot_comm_bcast(comm, &look->count, sizeof look->count, MOT_ROOT);
    if (!root) status = mot_allocate(&look->sample, look->count, sizeof *look->sample, "attention");
    if (status == MOT_OK) status = mot_allocate(&look->value, look->count * look->numbers, sizeof *look->value, "attention");
    MOT_TRY(mot_comm_agree(comm, status));
    mot_comm_bcast(comm, look->sample, look->count * sizeof *look->sample, MOT_ROOT);
done:
    return status;
}

/* ---- looking ---- */

/* Places of the samples of a batch; *next: the first that comes in it, and then the one behind. Whether there is any. */
static bool place(look_layer *look, mot_step_attention *step, size_t *next, mot_gidx first, size_t n)
{
    const size_t before = *next;
    for (size_t p = 0; p < n; ++p) look->place[p] = -1;
    for (; *next < look->count && look->sample[*next].position < first + (mot_gidx)n; ++*next)
        look->place[look->sample[*next].position - first] = (int32_t)*next;
    *step = (mot_step_attention){.place = *next > before ? look->place : NULL, .rows = look->rows, .value = look->value};
    return *next > before;
}

mot_status mot_run_attention_look(run_attention *a)
{
    const mot_run *run = a->run;
    const mot_comm *comm = run->world.comm;
    const mot_gidx samples = run->world.eval_set.samples, batch = (mot_gidx)run->course.config.eval.batch;
    size_t next[MOT_MAX_LAYERS] = {0};
    mot_step_result result;
    mot_status status = MOT_OK;
    for (int l = 0; l < a->layers; ++l) MOT_TRY(share(&a->layer[l], comm));
    for (mot_gidx first = 0; first < samples; first += batch) {
        const size_t n = (size_t)MOT_MIN(batch, samples - first);
        const mot_step_task task = {.first = first, .total = n, .number = run->course.progress.step, .attention = a->step};
        bool any = false;
        for (int l = 0; l < a->layers; ++l) any = place(&a->layer[l], &a->step[l], &next[l], first, n) || any;
        if (any) MOT_TRY(mot_step_run(run->world.step, &run->world.eval, &task, mot_signals_asked(), &result));
    }
    for (int l = 0; l < a->layers; ++l)
        mot_comm_allreduce(comm, a->layer[l].value, (int)(a->layer[l].count * a->layer[l].numbers), MPI_FLOAT, MPI_SUM);
done:
    return status;
}

/* ---- the file ---- */

/* Maps of a sample, whose rows lie close together, into rows of the longest one. */
static void spread(float *to, const float *from, size_t maps, size_t count, size_t rows)
{
    for (size_t m = 0; m < maps; ++m) memcpy(to + m * rows, from + m * count, count * sizeof *to);
}

static mot_status write_layer(const look_layer *look, mot_analysis *file, int layer)
{
    const size_t S = look->count, maps = look->blocks * look->heads, rows = look->rows;
    mot_gidx *sample = NULL;
    int32_t *expert = NULL, *length = NULL;
    float *received = NULL, *rollout = NULL;
    mot_status status;
    MOT_TRY(mot_allocate(&sample, S, sizeof *sample, "attention"));
    MOT_TRY(mot_allocate(&expert, S, sizeof *expert, "attention"));
    MOT_TRY(mot_allocate(&length, S, sizeof *length, "attention"));
    MOT_TRY(mot_allocate(&received, S * maps * rows, sizeof *received, "attention"));
    MOT_TRY(mot_allocate(&rollout, S * rows, sizeof *rollout, "attention"));
    for (size_t s = 0; s < S; ++s) {
        const float *value = look->value + s * look->numbers;
        sample[s] = look->sample[s].sample;
        expert[s] = look->sample[s].expert;
        length[s] = (int32_t)value[look->numbers - 1];
        spread(received + s * maps * rows, value, maps, (size_t)length[s], rows);
        spread(rollout + s * rows, value + maps * rows, 1, (size_t)length[s], rows);
    }
    status = mot_analysis_write_attention(file, layer,
                                          &(mot_analysis_attention){.samples = S,
                                                                    .blocks = look->blocks,
                                                                    .heads = look->heads,
                                                                    .rows = rows,
                                                                    .class_token = look->of->shape.config->pool == MOT_POOL_CLASS,
                                                                    .sample = sample,
                                                                    .expert = expert,
                                                                    .length = length,
                                                                    .received = received,
                                                                    .rollout = rollout});
done:
    mot_free(sample);
    mot_free(expert);
    mot_free(length);
    mot_free(received);
    mot_free(rollout);
    return status;
}

mot_status mot_run_attention_write(const run_attention *a, mot_analysis *file)
{
    mot_status status = MOT_OK;
    for (int l = 0; l < a->layers && status == MOT_OK; ++l)
        if (a->layer[l].most > 0) status = write_layer(&a->layer[l], file, l);
    return status;
}
