/* Every number of the record: its name, units, meaning, type, and the table that it is in. A new column is a row here. */
#include <stdio.h>
#include <string.h>

#include "mot/atomic_file.h"
#include "mot/memory.h"
#include "record_private.h"

/* A number a row. */
#define NUMBER(name_, units_, text_, type_)                                                                  \
    {                                                                                                        \
        .name = name_, .units = units_, .long_name = text_, .type = type_                                    \
    }

static const record_column step_columns[] = {
    NUMBER("step", "1", "training step, the first is 1", RECORD_I64),
    NUMBER("stage", "1", "stage of training, the first is 0", RECORD_I32),
    NUMBER("loss", "1", "mean loss over the batch", RECORD_F64),
    [STEPS_ACCURACY] = NUMBER("accuracy", "1", "share of the batch with the right label", RECORD_F64),
    NUMBER("learning_rate", "1", "learning rate of the experts", RECORD_F64),
    NUMBER("samples", "1", "samples of the batch", RECORD_I64),
    NUMBER("time_compute", "s", "time in computation, mean over ranks", RECORD_F64),
    NUMBER("time_exchange", "s", "time in exchange, mean over ranks", RECORD_F64),
    NUMBER("time_wait", "s", "time waiting for other ranks, mean over ranks", RECORD_F64),
};

/* A number of every rank. */
#define BY_RANK(name_, text_)                                                                                \
    {                                                                                                        \
        .name = name_, .units = "s", .long_name = text_, .type = RECORD_F32, .rank = 1, .axis = {"rank"}     \
    }

static const record_column rank_columns[] = {
    NUMBER("step", "1", "last of the training steps that a row is of", RECORD_I64),
    NUMBER("steps", "1", "training steps that a row is of", RECORD_I64),
    NUMBER("interval", "s", "time that they took, evaluations left out", RECORD_F64),
    NUMBER("slowest", "s", "sum over them of the computation of the step's slowest rank", RECORD_F64),
    BY_RANK("compute", "time of a rank in computation"),
    BY_RANK("exchange", "time of a rank in exchange"),
    BY_RANK("wait", "time of a rank waiting for other ranks"),
};

static const record_column assign_columns[] = {
    [ASSIGN_STEP] = NUMBER("step", "1", "training step of the assignment", RECORD_I64),
    [ASSIGN_SPLIT] = NUMBER("split", "1", "0: training, 1: evaluation", RECORD_I8),
    [ASSIGN_SAMPLE] = NUMBER("sample", "1", "index of the sample in its split", RECORD_I64),
    [ASSIGN_LABEL] = NUMBER("label", "1", "class of the sample", RECORD_I32),
    [ASSIGN_GROUP] = NUMBER("group", "1", "group of the sample, -1 where there is none", RECORD_I32),
    [ASSIGN_CHOICE] = NUMBER("choice", "1", "0: the gate's first choice, 1: its second, ...", RECORD_I32),
    [ASSIGN_EXPERT] = NUMBER("expert", "1", "expert that got the sample", RECORD_I32),
    [ASSIGN_PROB] = NUMBER("prob", "1", "the gate's probability of that expert", RECORD_F32),
    [ASSIGN_PREDICTED] = NUMBER("predicted", "1", "class that the sample was taken for; -1 in training", RECORD_I32),
    [ASSIGN_LOSS] = NUMBER("loss", "1", "loss of the sample; not a number in training", RECORD_F32),
};

const record_column mot_record_eval_step = NUMBER("step", "1", "steps done at the evaluation", RECORD_I64);

/* A number of every expert, and of every expert and kind. */
#define ROW(name_, text_, type_, E_)                                                                         \
    {                                                                                                        \
        .name = name_, .units = "1", .long_name = text_, .type = type_, .rank = 1, .shape = {E_},            \
        .axis = {mot_record_expert_axis(layer)}                                                              \
    }
#define BY_EXPERT(name_, text_, kinds_, axis_, E_)                                                           \
    {                                                                                                        \
        .name = name_, .units = "1", .long_name = text_, .type = RECORD_I64, .rank = 2,                      \
        .shape = {kinds_, E_}, .axis = {axis_, mot_record_expert_axis(layer)}                                \
    }

/* Of a layer. */
enum { LAYER_COLUMNS = 6 };

const char *mot_record_expert_axis(int layer)
{
    static const char *const axis[MOT_RECORD_LAYERS] = {
        "expert",          "expert_layer1",   "expert_layer2",  "expert_layer3",  "expert_layer4",  "expert_layer5",
        "expert_layer6",   "expert_layer7",   "expert_layer8",  "expert_layer9",  "expert_layer10", "expert_layer11",
        "expert_layer12",  "expert_layer13",  "expert_layer14", "expert_layer15",
    };
    return axis[layer];
}

static size_t experts_of(const record_source *source, int layer)
{
    return (size_t)(layer == 0 ? source->experts : source->layer_experts[layer]);
}

static size_t loads_columns(record_column column[LAYER_COLUMNS], const record_source *source, int layer)
{
    const size_t E = experts_of(source, layer);
    column[0] = step_columns[0];
    column[LOADS_LOAD] = (record_column)ROW("load", "samples an expert got at the step", RECORD_I64, E);
    column[LOADS_IMPORTANCE] = (record_column)ROW(
        "importance", "sum of an expert's gate probabilities over the batch", RECORD_F64, E);
    column[LOADS_CONFIDENCE] = (record_column)NUMBER("confidence", "1", "mean of the gate's largest probability", RECORD_F64);
    column[LOADS_MARGIN] = (record_column)NUMBER("margin", "1", "mean of what the next one is below it", RECORD_F64);
    column[LOADS_ENTROPY] = (record_column)NUMBER("gate_entropy", "1", "mean entropy of the gate's probabilities, in nats", RECORD_F64);
    return LAYER_COLUMNS;
}

static size_t snapshots_columns(record_column column[LAYER_COLUMNS], const record_source *source, int layer)
{
    const size_t E = experts_of(source, layer), C = (size_t)source->classes, G = (size_t)source->groups;
    size_t count = 0;
    column[count++] = (record_column)NUMBER("snapshot_step", "1",
                                            "steps done when the evaluation set was routed", RECORD_I64);
    if (C > 0)
        column[count++] = (record_column)BY_EXPERT(
            "class_load", "samples of a class an expert got, evaluation set, first choice", C, "class", E);
    if (G > 0)
        column[count++] = (record_column)BY_EXPERT(
            "group_load", "samples of a group an expert got, evaluation set, first choice", G, "group", E);
    return count;
}

/* Without classes nothing is right or wrong. */
static size_t steps_columns(record_column column[MOT_COUNT(step_columns)], const record_source *source)
{
    size_t count = 0;
    for (size_t c = 0; c < MOT_COUNT(step_columns); ++c)
        if (c != STEPS_ACCURACY || source->classes > 0) column[count++] = step_columns[c];
    return count;
}

static size_t ranks_columns(record_column column[MOT_COUNT(rank_columns)], int ranks)
{
    memcpy(column, rank_columns, sizeof rank_columns);
    for (size_t c = 0; c < MOT_COUNT(rank_columns); ++c)
        if (column[c].rank > 0) column[c].shape[0] = (size_t)ranks;
    return ranks > 0 ? MOT_COUNT(rank_columns) : 0;
}

size_t mot_record_type_bytes(record_type type)
{
    static const size_t bytes[] = {
        [RECORD_I8] = 1, [RECORD_I32] = 4, [RECORD_I64] = 8, [RECORD_F32] = 4, [RECORD_F64] = 8};
    return bytes[type];
}

hid_t mot_record_type_h5(record_type type)
{
    switch (type) {
    case RECORD_I8:
        return H5T_NATIVE_INT8;
    case RECORD_I32:
        return H5T_NATIVE_INT32;
    case RECORD_I64:
        return H5T_NATIVE_INT64;
    case RECORD_F32:
        return H5T_NATIVE_FLOAT;
    case RECORD_F64:
        break;
    }
    return H5T_NATIVE_DOUBLE;
}

size_t mot_record_column_numbers(const record_column *column)
{
    size_t numbers = 1;
    for (int d = 0; d < column->rank; ++d) numbers *= column->shape[d];
    return numbers;
}

static size_t row_bytes(size_t columns, const record_column *column)
{
    size_t bytes = 0;
    for (size_t c = 0; c < columns; ++c)
        bytes += mot_record_column_numbers(&column[c]) * mot_record_type_bytes(column[c].type);
    return bytes;
}

size_t mot_record_bytes(const mot_record_amount *amount)
{
    const record_source source = {
        .experts = amount->experts, .classes = amount->classes, .groups = amount->groups};
    const double layers = amount->layers, steps = (double)amount->steps, evals = (double)amount->evaluations;
    record_column column[LAYER_COLUMNS], of_ranks[MOT_COUNT(rank_columns)];
    double bytes = steps * (double)row_bytes(MOT_COUNT(step_columns), step_columns) +
                   (double)amount->assignments * (double)row_bytes(MOT_COUNT(assign_columns), assign_columns);
    bytes += layers * steps * (double)row_bytes(loads_columns(column, &source, 0), column);
    bytes += (double)amount->reports * (double)row_bytes(ranks_columns(of_ranks, amount->ranks), of_ranks);
    /* What is larger than the room by itself is not held. */
    const size_t snapshot = row_bytes(snapshots_columns(column, &source, 0), column),
                 figures = amount->figures * sizeof(double);
    if (snapshot <= MOT_RECORD_ROOM) bytes += layers * evals * (double)snapshot;
    if (figures <= MOT_RECORD_ROOM) bytes += evals * (double)figures;
    return bytes < (double)MOT_RECORD_ROOM ? (size_t)bytes : MOT_RECORD_ROOM;
}

const char *mot_record_file_name(hid_t file, char path[MOT_RECORD_PATH])
{
    if (H5Fget_name(file, path, MOT_RECORD_PATH) < 0) path[0] = '\0';
    return path;
}

/* ---- tables ---- */

void mot_record_layer_group(char group[MOT_RECORD_GROUP], int layer)
{
    snprintf(group, MOT_RECORD_GROUP, "layer%d", layer);
}

void mot_record_assign_group(char group[MOT_RECORD_GROUP], int layer)
{
    if (layer == 0)
        snprintf(group, MOT_RECORD_GROUP, "assign");
    else
        snprintf(group, MOT_RECORD_GROUP, "layer%d_assign", layer);
}

mot_status mot_record_table_make(record_table *table, size_t columns, const record_column *column)
{
    mot_status status = mot_allocate(&table->column, columns, sizeof *column, "the routing record");
    if (status != MOT_OK) return status;
    memcpy(table->column, column, columns * sizeof *column);
    table->columns = columns;
    table->row_bytes = row_bytes(columns, column);
    return MOT_OK;
}

static mot_status make(record_table *table, const char *group, const char *axis, size_t columns,
                       const record_column *column)
{
    snprintf(table->group, sizeof table->group, "%s", group);
    table->axis = axis;
    return columns > 0 ? mot_record_table_make(table, columns, column) : MOT_OK;
}

mot_status mot_record_tables_make(record_table *tables, const record_source *source)
{
    mot_status status;
    record_column steps[MOT_COUNT(step_columns)];
    const size_t count = steps_columns(steps, source);
    record_column ranks[MOT_COUNT(rank_columns)];
    const size_t rank_count = ranks_columns(ranks, source->ranks);
    MOT_TRY(make(&tables[TABLE_STEPS], "steps", "step", count, steps));
    MOT_TRY(make(&tables[TABLE_EVAL], "eval", "step", 0, NULL));
    MOT_TRY(make(&tables[TABLE_RANKS], "ranks", "step", rank_count, ranks));
    MOT_TRY(make(&tables[TABLE_ASSIGN], "assign", "row", MOT_COUNT(assign_columns), assign_columns));
    for (int l = 0; l < source->layers; ++l) {
        record_column column[LAYER_COLUMNS];
        char group[MOT_RECORD_GROUP];
        mot_record_layer_group(group, l);
        size_t columns = loads_columns(column, source, l);
        MOT_TRY(make(&tables[record_layer_table(l, LAYER_LOADS)], group, "step", columns, column));
        columns = snapshots_columns(column, source, l);
        MOT_TRY(make(&tables[record_layer_table(l, LAYER_SNAPSHOTS)], group, "snapshot_step", columns, column));
        mot_record_assign_group(group, l);
        MOT_TRY(make(&tables[record_layer_table(l, LAYER_ASSIGN)], group, "row", l > 0 ? MOT_COUNT(assign_columns) : 0,
                     assign_columns));
    }
done:
    return status;
}

void mot_record_tables_free(record_table *tables, size_t count)
{
    for (size_t t = 0; tables != NULL && t < count; ++t) {
        for (size_t c = 0; c < tables[t].columns; ++c) mot_free(tables[t].column[c].data);
        mot_free(tables[t].column);
    }
    mot_free(tables);
}

mot_status mot_record_names_copy(char ***copy, char *const *names, int count)
{
    *copy = NULL;
    if (names == NULL || count <= 0) return MOT_OK;
    size_t bytes = (size_t)count * sizeof(char *);
    for (int i = 0; i < count; ++i) bytes += strlen(names[i]) + 1;
    mot_status status = mot_allocate(copy, bytes, 1, "the routing record");
    if (status != MOT_OK) return status;
    char *at = (char *)(*copy + count);
    for (int i = 0; i < count; ++i) {
        const size_t length = strlen(names[i]) + 1;
        (*copy)[i] = memcpy(at, names[i], length);
        at += length;
    }
    return MOT_OK;
}

void mot_record_source_free(record_source *source)
{
    mot_free(source->origin);
    mot_free(source->dataset_checksum);
    mot_free(source->run_id);
    mot_free(source->class_names);
    mot_free(source->group_names);
}

mot_status mot_record_take_experts(record_source *source, int experts, int choices, const int *origin)
{
    const size_t count = (size_t)experts;
    int *copy = NULL;
    if (experts < source->begun) {
        const mot_status status = mot_allocate(&copy, count, sizeof *copy, "the routing record");
        if (status != MOT_OK) return status;
        memcpy(copy, origin, count * sizeof *copy);
    }
    mot_free(source->origin);
    source->origin = copy;
    source->experts = experts;
    source->choices = choices;
    return MOT_OK;
}

mot_status mot_record_path(char path[MOT_RECORD_PATH], const record_table *table, const char *column)
{
    return mot_path_join(path, MOT_RECORD_PATH, table->group, column);
}
