/* What a rank holds: what its parts were given so far, and what they will still take. */
#include "run_world.h"

#include <stdio.h>

#include "mot/log.h"
#include "mot/memory.h"
#include "mot/record.h"
#include "mot/screen.h"
#include "mot/source.h"
#include "mot/stage.h"
#include "mot/stage_action.h"
#include "mot/watch.h"

const char *mot_run_bytes_text(size_t bytes, char text[32])
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    double value = (double)bytes;
    size_t unit = 0;
    for (; value >= 1024 && unit + 1 < MOT_COUNT(units); ++unit) value /= 1024;
    snprintf(text, 32, unit == 0 ? "%.0f %s" : "%.1f %s", value, units[unit]);
    return text;
}

/* Bytes of the routing record between two flushes, at most. */
static size_t record_bytes(const run_world *world, const run_course *course)
{
    const mot_config *config = &course->config;
    if (world->comm->rank != MOT_ROOT || course->purpose != RUN_TRAIN) return 0;
    const mot_gidx limit = (mot_gidx)1 << 32; /* beyond any room */
    mot_gidx steps = 0; /* of the run; a stage that a criterion ends may take any number */
    bool open_end = false;
    for (int s = 0; s < mot_stage_count(config); ++s) {
        const mot_gidx of_stage = mot_stage_steps(config, s, world->train.dataset->samples);
        steps += of_stage;
        open_end = open_end || of_stage == 0;
    }
    if (open_end || steps > limit) steps = limit;
    if (config->checkpoint.every > 0) steps = MOT_MIN(steps, config->checkpoint.every);
    const mot_gidx K = (mot_gidx)mot_model_choices(&world->model),
                   recorded = config->record.every > 0 ? steps / config->record.every : 0,
                   evaluations = config->eval.every > 0 ? MOT_MAX(steps / config->eval.every, 1) : 1;
    const mot_record_amount amount = {
        .experts = world->model.layer->experts,
        .classes = world->classes,
        .groups = world->groups,
        .layers = world->model.layers,
        .ranks = world->comm->size,
        .figures = world->figures,
        .steps = steps,
        .reports = steps / config->report_every + 1,
        .evaluations = evaluations,
        .assignments = recorded * (mot_gidx)config->train.batch * K +
                       (config->record.eval ? evaluations * world->eval_set.samples * K : 0),
    };
    return mot_record_bytes(&amount);
}

/* What files take besides. libhdf5 1.10.8 takes 4 MiB when it first opens one (code and tables), and keeps 5 MiB more of
 * what it needs to write. All measured. */
static size_t file_bytes(const run_world *world, const run_course *course)
{
    const size_t mib = (size_t)1 << 20;
    const bool reads = !mot_source_kind_at(course->config.data.source)->made,
               writes = world->comm->rank == MOT_ROOT && course->purpose == RUN_TRAIN;
    return (reads || writes ? 4 * mib : 0) + (writes ? 5 * mib : 0);
}

/* What an action at the end of a stage takes meanwhile, of which only one that groups takes much. */
static size_t action_bytes(const run_world *world, const run_course *course)
{
    const mot_gate *gate = &world->model.layer->gate;
    const bool groups = world->comm->rank == MOT_ROOT && course->purpose == RUN_TRAIN && gate->kind->group_bytes != NULL &&
                        mot_groups_to_come(&course->config, 0);
    return groups ? gate->kind->group_bytes(gate) : 0;
}

typedef struct memory_parts {
    size_t values, gradients, moments, copies, workspace, buffers, data, record, files, sum;
} memory_parts;

/* `guests`: what splitting takes. */
static memory_parts parts_of(const run_world *world, const run_course *course, size_t guests)
{
    const mot_model_size size = mot_model_measure(&world->model);
    const mot_step_size step = mot_step_bytes(world->step);
    memory_parts parts = {
        .values = size.values,
        .gradients = size.gradients,
        .moments = size.moments,
        .copies = world->held.copies,
        .workspace = step.workspace,
        .buffers = world->held.model - size.values - size.gradients - size.moments + world->held.step -
                   step.workspace - step.idle + step.exchange + guests + action_bytes(world, course),
        .data = world->held.data,
        .record = record_bytes(world, course) + world->held.figures,
    };
    parts.files = file_bytes(world, course);
    parts.sum = parts.values + parts.gradients + parts.moments + parts.copies + parts.workspace +
                parts.buffers + parts.data + parts.record + parts.files;
    return parts;
}

static memory_parts parts_at_most(const run_world *world, const run_course *course)
{
    return parts_of(world, course, mot_step_bytes(world->step).guests_most);
}

size_t mot_run_memory(const run_world *world, const run_course *course)
{
    return parts_at_most(world, course).sum;
}

size_t mot_run_memory_so_far(const run_world *world, const run_course *course)
{
    return parts_of(world, course, mot_step_bytes(world->step).guests).sum;
}

/* A row of the dry run, as many of its columns as a terminal has room for. */
enum { DRY_COLUMNS = 14, DRY_WIDTH = 5 + 9 + 13 + 11 * 11 };
static void say_dry(const char *const text[DRY_COLUMNS])
{
    static const mot_screen_column column[DRY_COLUMNS] = {{9, 5},  {6, 9},  {7, 13}, {3, 11}, {3, 11},
                                                          {3, 11}, {1, 11}, {4, 11}, {4, 11}, {4, 11},
                                                          {1, 11}, {1, 11}, {8, 11}, {2, 11}};
    char line[256];
    mot_screen_row(line, sizeof line, DRY_COLUMNS, column, text);
    mot_log(MOT_LOG_INFO, "%s", line);
}

void mot_run_dry(const run_world *world, const run_course *course)
{
    const mot_comm *comm = world->comm;
    const mot_model_size size = mot_model_measure(&world->model);
    const mot_step_size step = mot_step_bytes(world->step);
    struct row {
        uint64_t experts, parameters, before;
        memory_parts parts;
    } mine = {(uint64_t)world->model.layer->local,
              (uint64_t)world->model.layer->local * size.own + size.tied + (comm->rank == MOT_ROOT ? size.gate : 0),
              world->held.before, parts_at_most(world, course)};
    struct row *rows = mot_calloc((size_t)comm->size, sizeof *rows);
    int ok = rows != NULL;
    mot_comm_allreduce(comm, &ok, 1, MPI_INT, MPI_LAND);
    if (!ok) {
        mot_free(rows);
        return;
    }
    mot_watch_wait(comm->rank == MOT_ROOT ? MOT_WATCH_ALL : MOT_ROOT);
    MPI_Gather(&mine, sizeof mine, MPI_BYTE, rows, sizeof mine, MPI_BYTE, MOT_ROOT, comm->mpi);
    mot_watch_wait(MOT_WATCH_NOBODY);
    mot_run_dry_stream(world, course);
    mot_log_gap();
    say_dry((const char *const[]){"rank", "experts", "parameters", "values", "gradients", "optimizer",
                                  "copies", "workspace", "buffers", "data", "record", "files", "sum",
                                  "libraries"});
    for (int r = 0; comm->rank == MOT_ROOT && r < comm->size; ++r) {
        const memory_parts *parts = &rows[r].parts;
        const size_t bytes[] = {parts->values,    parts->gradients, parts->moments, parts->copies,
                                parts->workspace, parts->buffers,   parts->data,    parts->record,
                                parts->files,     parts->sum,       rows[r].before};
        char cell[DRY_COLUMNS][32];
        const char *text[DRY_COLUMNS];
        for (int c = 0; c < DRY_COLUMNS; ++c) text[c] = cell[c];
        snprintf(cell[0], sizeof cell[0], "%d", r);
        snprintf(cell[1], sizeof cell[1], "%" PRIu64, rows[r].experts);
        snprintf(cell[2], sizeof cell[2], "%" PRIu64, rows[r].parameters);
        for (size_t b = 0; b < MOT_COUNT(bytes); ++b) mot_run_bytes_text(bytes[b], cell[3 + b]);
        say_dry(text);
    }
    if (mot_screen_room() < DRY_WIDTH)
        mot_log_wrap(2, "not all parts have a column on this terminal: `| cat` shows them");
    char row[32], batch[32];
    const size_t K = mot_model_choices(&world->model), B = course->config.train.batch;
    mot_log_gap();
    if (world->model.layer->gate.kind->spread)
        mot_log_wrap(2, "no sample travels: every rank has the whole batch; outputs go home, and losses come back");
    else
        mot_log_wrap(2, "a step dispatches %zu rows of %s%s: %s over all ranks%s", B * K, step.own_lengths ? "up to " : "",
                 mot_run_bytes_text(step.dispatch_row, row), mot_run_bytes_text(mot_step_dispatch_bytes(world->step, B * K), batch),
                 K > 1 ? "; outputs and their gradients travel as well" : "");
    if (course->config.route.rebalance != MOT_REBALANCE_NEVER)
        mot_log(MOT_LOG_INFO, "route.rebalance: a rank may come to own %d experts, %s each",
                mot_placement_most(&world->model.layer->placement), mot_run_bytes_text(size.of_expert + step.prepared, row));
    mot_log(MOT_LOG_INFO, "dry run: nothing was written");
    mot_free(rows);
}

run_memory_peak mot_run_measure_memory(const run_world *world, const run_course *course)
{
    const mot_comm *comm = world->comm;
    const size_t peak = mot_memory_resident().peak;
    const double growth = peak > world->held.before ? (double)(peak - world->held.before) : 0;
    struct {
        double growth;
        int rank;
    } most = {growth, comm->rank};
    mot_comm_allreduce(comm, &most, 1, MPI_DOUBLE_INT, MPI_MAXLOC);
    const size_t sum = MOT_MAX(mot_run_memory_so_far(world, course), world->held.most);
    double of_rank[4] = {comm->rank, (double)peak, growth, (double)sum};
    mot_comm_bcast(comm, of_rank, sizeof of_rank, most.rank);
    return (run_memory_peak){of_rank[0], of_rank[1], of_rank[2], of_rank[3]};
}
