#include "mot/params.h"

#include <stdio.h>
#include <string.h>

#include "mot/memory.h"
#include "mot/rng.h"

const char *const mot_part_name[MOT_PARTS] = {"gate", "embed", "attention", "ffn", "head"};

mot_status mot_table_add(mot_table *table, const char *name, mot_part part, int rank, const size_t *shape,
                         double mean, double deviation, bool decay)
{
    if (table->rows == MOT_TABLE_ROWS)
        return mot_fail(MOT_ERR_INPUT, "a model of more than %d tensors (model.depth is too large)",
                        MOT_TABLE_ROWS);
    mot_tensor *tensor = &table->row[table->rows++];
    *tensor = (mot_tensor){.part = part,
                           .rank = rank,
                           .count = 1,
                           .offset = table->count,
                           .mean = mean,
                           .deviation = deviation,
                           .decay = decay,
                           .expert_axis = -1};
    snprintf(tensor->name, sizeof tensor->name, "%s", name);
    for (int d = 0; d < rank; ++d) {
        tensor->shape[d] = shape[d];
        tensor->count *= shape[d];
    }
    table->count += (tensor->count + MOT_TABLE_STEP - 1) / MOT_TABLE_STEP * MOT_TABLE_STEP;
    return MOT_OK;
}

void mot_table_select(mot_table *selected, const mot_table *whole, mot_part_set parts, bool in)
{
    selected->rows = selected->count = selected->words = 0;
    for (size_t r = 0; r < whole->rows; ++r) {
        const mot_tensor *row = &whole->row[r];
        if (((parts >> row->part) & 1u) != in) continue;
        (void)mot_table_add(selected, row->name, row->part, row->rank, row->shape, row->mean, row->deviation,
                            row->decay); /* cannot be full: it has no more rows than the whole */
        if (row == mot_table_words(whole)) mot_table_by_word(selected);
    }
}

size_t mot_table_parameters(const mot_table *table, mot_part_set parts)
{
    size_t count = 0;
    for (size_t r = 0; r < table->rows; ++r)
        if ((parts >> table->row[r].part) & 1u) count += table->row[r].count;
    return count;
}

mot_status mot_params_create(mot_params *params, const mot_table *table, int unit)
{
    mot_status status;
    *params = (mot_params){.table = table, .unit = unit};
    MOT_TRY(mot_allocate(&params->value, table->count, sizeof(mot_real), "parameters"));
    MOT_TRY(mot_allocate(&params->gradient, table->count, sizeof(mot_real), "gradients"));
    for (int m = 0; m < 2; ++m)
        MOT_TRY(mot_allocate(&params->moment[m], table->count, sizeof(mot_real), "optimizer state"));
    const size_t words = mot_table_vocabulary(table);
    if (words > 0) {
        MOT_TRY(mot_allocate(&params->met, mot_met_size(words), sizeof *params->met, "words"));
        MOT_TRY(mot_allocate(&params->lag, mot_lag_bytes(words), 1, "updates of words"));
        mot_met_all(params->met, words);
    }
done:
    if (status != MOT_OK) mot_params_free(params);
    return status;
}

void mot_table_clear(const mot_table *table, mot_real *block, uint64_t *met)
{
    const mot_tensor *of = met != NULL ? mot_table_words(table) : NULL;
    if (of == NULL) {
        memset(block, 0, table->count * sizeof *block);
        return;
    }
    const size_t words = of->shape[0], D = of->shape[1], behind = of->offset + of->count;
    memset(block, 0, of->offset * sizeof *block);
    for (size_t w = mot_met_next(met, words, 0); w < words; w = mot_met_next(met, words, w + 1))
        memset(block + of->offset + w * D, 0, D * sizeof *block);
    memset(block + behind, 0, (table->count - behind) * sizeof *block);
    mot_met_none(met, words);
}

void mot_table_begin(const mot_table *table, mot_real *block, uint64_t *met, mot_real **row)
{
    mot_table_clear(table, block, met);
    for (size_t r = 0; r < table->rows; ++r) row[r] = block + table->row[r].offset;
}

void mot_params_free(mot_params *params)
{
    mot_free(params->value);
    mot_free(params->gradient);
    for (int m = 0; m < 2; ++m) mot_free(params->moment[m]);
    mot_free(params->met);
    mot_free(params->lag);
    *params = (mot_params){0};
}

void mot_params_init_row(const mot_table *table, int unit, uint64_t seed, size_t r, mot_real *value)
{
    const mot_tensor *row = &table->row[r];
    for (size_t i = 0; i < row->count; i += 2) {
        double normal[2] = {0, 0};
        if (row->deviation > 0) {
            /* The table of tied tensors numbers its rows for itself, so its unit keeps it apart from experts. */
            const mot_random4 random = mot_random(seed, MOT_STREAM_INIT, (uint32_t)(unit + 2), (uint32_t)r,
                                                  (uint32_t)(i / 2), (uint32_t)(i / 2 >> 32));
            mot_normal_pair(random.word[0], random.word[1], normal);
        }
        for (size_t j = 0; j < 2 && i + j < row->count; ++j)
            value[i + j] = (mot_real)(row->mean + row->deviation * normal[j]);
    }
}

void mot_params_init(mot_params *params, uint64_t seed)
{
    const mot_table *table = params->table;
    for (size_t r = 0; r < table->rows; ++r)
        mot_params_init_row(table, params->unit, seed, r, params->value + table->row[r].offset);
    for (int m = 0; m < 2; ++m) memset(params->moment[m], 0, table->count * sizeof(mot_real));
    params->updates = 0;
    if (params->lag != NULL) mot_lag_forget(params->lag, mot_table_vocabulary(table));
}

void mot_params_zero_gradient(mot_params *params)
{
    memset(params->gradient, 0, params->table->count * sizeof(mot_real));
    if (params->met != NULL) mot_met_all(params->met, mot_table_vocabulary(params->table));
}

static void catch_up(mot_params *params, size_t word)
{
    const mot_tensor *of = mot_table_words(params->table);
    const size_t D = of->shape[1], at = of->offset + word * D;
    mot_lag_catch_up(params->lag, word, D, params->value + at, params->moment[0] + at, params->moment[1] + at);
}

void mot_params_catch_up(mot_params *params)
{
    const size_t words = mot_table_vocabulary(params->table);
    if (words == 0 || params->lag->updates == 0) return;
    mot_params_catch_up_met(params, NULL, 0, words);
    mot_lag_forget(params->lag, words);
}

void mot_params_catch_up_met(mot_params *params, const uint64_t *met, size_t from, size_t to)
{
    if (params->lag->updates == 0) return;
    for (size_t w = from; w < to; ++w) {
        if (met != NULL) w = mot_met_next(met, to, w);
        if (w < to) catch_up(params, w);
    }
}
