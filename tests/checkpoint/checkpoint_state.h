/* checkpoint_state.h: a small state for the tests, with every kind of unit. */
#ifndef MOT_TEST_CHECKPOINT_STATE_H
#define MOT_TEST_CHECKPOINT_STATE_H

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ck.h"
#include "mot/checkpoint.h"
#include "mot/digest.h"
#include "mot/memory.h"

enum { STATE_EXPERTS = 5, STATE_UNITS = 2 + STATE_EXPERTS };

/* owner[e] of a placement; `kind` counts the ways of dealing. */
enum { PLACE_ROUND, PLACE_ROOT, PLACE_LAST, PLACE_BLOCKS, PLACEMENTS };

typedef struct test_state {
    mot_table gate, tied, expert;
    mot_params gate_params, tied_params, expert_params[STATE_EXPERTS];
    mot_params *experts[STATE_EXPERTS];
    mot_unit unit[STATE_UNITS];
    float bias[STATE_EXPERTS];
    mot_state state;
} test_state;

static inline void test_state_tables(test_state *s, bool with_tied)
{
    mot_table_add(&s->gate, "weight", MOT_PART_GATE, 2, (size_t[]){7, STATE_EXPERTS}, 0, 0, true);
    if (with_tied)
        mot_table_add(&s->tied, "block0/qkv_weight", MOT_PART_ATTENTION, 3, (size_t[]){3, 4, 5}, 0, 0.1,
                      true);
    mot_table_add(&s->expert, "block0/in_weight", MOT_PART_FFN, 2, (size_t[]){6, 9}, 0, 0.1, true);
    mot_table_add(&s->expert, "block0/in_bias", MOT_PART_FFN, 1, (size_t[]){9}, 0.5, 0, false);
    mot_table_add(&s->expert, "class_token", MOT_PART_EMBED, 1, (size_t[]){0}, 0, 0, true); /* may be empty */
    mot_table_add(&s->expert, "weight", MOT_PART_HEAD, 2, (size_t[]){9, 3}, 0, 0.2, true);
}

/* Values that tell units, tensors and moments apart; -0.0 among them. */
static inline void test_fill(mot_params *params, int moments, int salt)
{
    for (size_t r = 0; r < params->table->rows; ++r) {
        const mot_tensor *const tensor = &params->table->row[r];
        for (size_t i = 0; i < tensor->count; ++i) {
            const size_t at = tensor->offset + i;
            params->value[at] = i == 1
                                    ? -0.0f
                                    : (float)sin((double)i + 100.0 * (double)r + 1e4 * params->unit + salt);
            for (int m = 0; m < moments; ++m)
                params->moment[m][at] = (float)(i + 1) * (float)(m + 1) + (float)salt;
        }
    }
    params->updates = 10 * (params->unit + 3) + salt;
}

static inline void test_state_make(test_state *s, const mot_comm *comm, int placement, bool with_tied)
{
    *s = (test_state){0};
    test_state_tables(s, with_tied);
    s->unit[0] = (mot_unit){"gate", MOT_ALONE, &s->gate, MOT_ROLE_GATE, MOT_ROOT, NULL};
    s->unit[1] = (mot_unit){"tied", MOT_ALONE, &s->tied, MOT_ROLE_EXPERT, MOT_ALIKE, NULL};
    for (int e = 0; e < STATE_EXPERTS; ++e) {
        const int dealt[PLACEMENTS] = {e % comm->size, 0, comm->size - 1, e * comm->size / STATE_EXPERTS};
        mot_unit *const unit = &s->unit[2 + e];
        *unit = (mot_unit){"experts", e, &s->expert, MOT_ROLE_EXPERT, dealt[placement], NULL};
        s->bias[e] = (float)e / 8;
        if (unit->owner != comm->rank) continue;
        mot_ck_ok(mot_params_create(&s->expert_params[e], &s->expert, e));
        s->experts[e] = unit->params = &s->expert_params[e];
    }
    if (comm->rank == MOT_ROOT) {
        mot_ck_ok(mot_params_create(&s->gate_params, &s->gate, MOT_UNIT_GATE));
        s->unit[0].params = &s->gate_params;
    }
    if (with_tied) {
        mot_ck_ok(mot_params_create(&s->tied_params, &s->tied, MOT_UNIT_TIED));
        s->unit[1].params = &s->tied_params;
    }
    s->state = (mot_state){
        .units = {STATE_UNITS, s->unit},
        .experts = STATE_EXPERTS,
        .balance_bias = comm->rank == MOT_ROOT ? s->bias : NULL,
        .config_text = "run: runs/test\nmodel:\n  experts: 5\n",
        .dataset_checksum = "0123 4567",
        .seed = UINT64_MAX - 5,
    };
}

static inline void test_state_fill(test_state *s, int moments, int salt)
{
    for (int e = 0; e < STATE_EXPERTS; ++e) {
        if (s->experts[e] != NULL)
            test_fill(s->experts[e], e == 2 ? 0 : moments, salt); /* expert 2: never updated */
    }
    for (int u = 0; u < 2; ++u)
        if (s->unit[u].params != NULL) test_fill(s->unit[u].params, moments, salt);
    for (int e = 0; e < STATE_EXPERTS; ++e) s->bias[e] += (float)salt;
    s->state.progress = (mot_progress){.step = 400 + salt,
                                       .stage = 1,
                                       .stage_first = 100,
                                       .window_steps = 7,
                                       .purity_steps = 5,
                                       .purity_windows = 2,
                                       .wall_s = 12.5,
                                       .compute_s = 7.25,
                                       .exchange_s = 1.0 / 7,
                                       .wait_s = 0.5,
                                       .timed_steps = 11,
                                       .window_loss = 1.0 / 3,
                                       .window_purity = 0.1,
                                       .previous_loss = 2.0 / 3,
                                       .previous_purity = 0.2,
                                       .previous_alignment = 0.3,
                                       .windows = 3,
                                       .restarts = 2,
                                       .skipped = 3,
                                       .rollbacks = 1,
                                       .left_out = 12,
                                       .best_step = 300,
                                       .best_loss = 0.7};
}

static inline void test_state_free(test_state *s)
{
    for (int e = 0; e < STATE_EXPERTS; ++e) mot_params_free(&s->expert_params[e]);
    mot_params_free(&s->gate_params);
    mot_params_free(&s->tied_params);
}

static inline bool test_same_params(const mot_params *a, const mot_params *b)
{
    const size_t bytes = a->table->count * sizeof(mot_real);
    return a->updates == b->updates && memcmp(a->value, b->value, bytes) == 0 &&
           memcmp(a->moment[0], b->moment[0], bytes) == 0 && memcmp(a->moment[1], b->moment[1], bytes) == 0;
}

/* Bit for bit, on this rank; both have the same placement. */
static inline bool test_same_state(const test_state *a, const test_state *b)
{
    bool same = memcmp(&a->state.progress, &b->state.progress, sizeof a->state.progress) == 0;
    for (int e = 0; e < STATE_EXPERTS; ++e) {
        if (a->experts[e] != NULL) same = same && test_same_params(a->experts[e], b->experts[e]);
    }
    for (int u = 0; u < 2; ++u)
        if (a->unit[u].params != NULL) same = same && test_same_params(a->unit[u].params, b->unit[u].params);
    if (a->state.balance_bias != NULL) same = same && memcmp(a->bias, b->bias, sizeof a->bias) == 0;
    return same;
}

/* ---- a file of format version 2, in which each expert is a group of its own ---- */

static inline void test_former_tensor(hid_t file, const char *group, const mot_tensor *tensor, int moment,
                                      const mot_real *value)
{
    char name[192], text[MOT_DIGEST_TEXT];
    hsize_t shape[MOT_TENSOR_RANK];
    for (int d = 0; d < tensor->rank; ++d) shape[d] = tensor->shape[d];
    snprintf(name, sizeof name, "%s/%s/%s", group, mot_part_name[tensor->part], tensor->name);
    if (moment >= 0) snprintf(name + strlen(name), sizeof name - strlen(name), ".moment%d", moment);
    mot_ck_ok(mot_h5_write(file, name, H5T_NATIVE_FLOAT, tensor->rank, shape, MOT_H5_CONTIGUOUS, value));
    const mot_digest digest = mot_digest_bytes(value, tensor->count * sizeof *value);
    mot_digest_text(&digest, text);
    mot_ck_ok(mot_h5_set_text(file, name, "xxh3", text));
}

/* What of `path` is an expert's becomes what version 2 made of it; the state's experts are all on this rank, with `moments`
 * but for expert 2, as test_state_fill leaves them. */
static inline void test_make_former(const test_state *s, const char *path, int moments)
{
    hid_t file;
    char group[32];
    int64_t tensors;
    mot_ck_ok(mot_h5_edit(&file, path, path));
    mot_ck_ok(mot_h5_get_int(file, ".", "tensors", &tensors));
    tensors -= (int64_t)s->expert.rows * (1 + moments);
    H5Ldelete(file, "experts", H5P_DEFAULT);
    for (int e = 0; e < STATE_EXPERTS; ++e) {
        const mot_params *const own = &s->expert_params[e];
        const int stored = e == 2 ? 0 : moments;
        snprintf(group, sizeof group, "experts/%05d", e);
        mot_ck_ok(mot_h5_make_group(file, group));
        mot_ck_ok(mot_h5_set_int(file, group, "expert", e));
        mot_ck_ok(mot_h5_set_int(file, group, "updates", own->updates));
        mot_ck_ok(mot_h5_set_int(file, group, "moments", stored));
        for (int m = -1; m < stored; ++m) {
            for (size_t r = 0; r < s->expert.rows; ++r, ++tensors) {
                const mot_real *const block = m < 0 ? own->value : own->moment[m];
                test_former_tensor(file, group, &s->expert.row[r], m, block + s->expert.row[r].offset);
            }
        }
    }
    mot_ck_ok(mot_h5_set_int(file, ".", "tensors", tensors));
    mot_ck_ok(mot_h5_set_int(file, ".", "format_version", 2));
    mot_ck_ok(mot_h5_seal(&file, path, path));
}

/* A path of this job under the temporary folder, the same on every rank; one place for all tests of a
 * program. */
static inline const char *test_path(const char *name)
{
    static char path[512];
    int process = (int)getpid();
    MPI_Bcast(&process, 1, MPI_INT, 0, MPI_COMM_WORLD);
    const char *const folder = getenv("TMPDIR");
    snprintf(path, sizeof path, "%s/mot-test-%d-%s", folder != NULL ? folder : "/tmp", process, name);
    return path;
}

#endif
