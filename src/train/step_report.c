/* The end of a step: reports go to the coordinator, the gate learns, and everybody hears how it went. */
#include "step_private.h"

#include <math.h>
#include <string.h>

/* ---- the coordinator ---- */

static void spread_reports(mot_step *step)
{
    coordinator *root = &step->root;
    const size_t rows = step->batch.total * step->reported;
    for (size_t r = 0; r < rows; ++r) {
        const choice_report *report = &root->report[r];
        const size_t p = report->position;
        if (step->stack == NULL && step->layer->K > 0)
            step->layer->root.d_weight[p * step->layer->K + report->choice] = report->d_weight;
        if (report->choice != 0) continue;
        root->loss[p] = report->loss;
        root->predicted[p] = report->predicted;
        root->right[p] = report->right & REPORT_RIGHT;
        if (root->unaided != NULL) root->unaided[p] = report->right & REPORT_UNAIDED;
        if (root->output != NULL)
            memcpy(root->output + p * step->C, root->report_output + r * step->C,
                   step->C * sizeof *root->output);
    }
}

/* Share of the batch that went to an expert whose commonest group (or class) it is of: first choices. A split has groups
 * or has none; where nobody knows labels either, there is no such share. */
static double batch_purity(mot_step *step, const step_layer *layer)
{
    coordinator *root = &step->root;
    const size_t E = (size_t)layer->of->experts, n = step->batch.total;
    const bool groups = step->groups > 0 && root->group[0] >= 0;
    const size_t kinds = (size_t)(groups ? step->groups : step->loss.classes);
    const int32_t *kind = groups ? root->group : root->label;
    if (kind[0] < 0) return NAN;
    memset(root->table, 0, E * kinds * sizeof *root->table);
    for (size_t p = 0; p < n; ++p)
        ++root->table[(size_t)layer->choices.expert[p * layer->K] * kinds + (size_t)kind[p]];
    int64_t pure = 0;
    for (size_t e = 0; e < E; ++e) {
        int64_t most = 0;
        for (size_t k = 0; k < kinds; ++k) most = MOT_MAX(most, root->table[e * kinds + k]);
        pure += most;
    }
    return (double)pure / (double)n;
}

/* Names the first sample whose loss is not finite: the cause, where gradients are not finite either. */
static mot_status check_losses(const mot_step *step, const mot_step_task *task)
{
    const coordinator *root = &step->root;
    for (size_t p = 0; p < step->batch.total; ++p)
        if (!isfinite(root->loss[p]) && (step->layer->K == 0 || step->stack != NULL))
            return mot_fail(MOT_ERR_NUMERIC,
                            "step %" MOT_PRI_GIDX ": the loss of sample %" MOT_PRI_GIDX
                            " is not finite; a smaller rate or clip may help",
                            task->number + 1, root->sample[p]);
        else if (!isfinite(root->loss[p]))
            return mot_fail(MOT_ERR_NUMERIC,
                            "step %" MOT_PRI_GIDX ": the loss of sample %" MOT_PRI_GIDX
                            " (expert %d on rank %d) is not finite; a smaller rate or clip may help",
                            task->number + 1, root->sample[p], step->layer->choices.expert[p * step->layer->K],
                            step->model->layer->placement.owner[step->layer->choices.expert[p * step->layer->K]]);
    return MOT_OK;
}

static void sum_up(mot_step *step, step_verdict *verdict)
{
    coordinator *root = &step->root;
    const size_t n = step->batch.total;
    double loss = 0, hits = 0;
    for (size_t p = 0; p < n; ++p) {
        loss += root->loss[p];
        hits += root->right[p];
    }
    verdict->loss = loss / (double)n;
    verdict->hits = step->loss.kind->right != NULL ? hits : NAN;
    for (int l = 0; l < step->model->layers; ++l) {
        step_layer *layer = &step->layer[l];
        verdict->purity[l] = layer->K > 0 ? batch_purity(step, layer) : NAN;
        if (layer->K > 0) mot_layer_importance(step, layer); /* else nothing was chosen */
    }
}

/* The step's work of all ranks: what they have done since they last reported. */
static void measure(mot_step *step, step_verdict *verdict)
{
    coordinator *root = &step->root;
    const double ranks = step->comm->size;
    mot_rank_work all = {0};
    for (int r = 0; r < step->comm->size; ++r) {
        const mot_rank_work *now = &root->rank[r].work, *before = &root->before[r];
        const mot_rank_work done = {.compute_s = now->compute_s - before->compute_s,
                                    .exchange_s = now->exchange_s - before->exchange_s,
                                    .wait_s = now->wait_s - before->wait_s,
                                    .expert_flops = now->expert_flops - before->expert_flops};
        all.compute_s += done.compute_s;
        all.exchange_s += done.exchange_s;
        all.wait_s += done.wait_s;
        all.expert_flops += done.expert_flops;
        root->before[r] = *now;
        root->done[r] = done;
    }
    verdict->compute_s = all.compute_s / ranks;
    verdict->exchange_s = all.exchange_s / ranks;
    verdict->wait_s = all.wait_s / ranks;
    verdict->flops = all.expert_flops;
}

/* verdict->status is that of the ranks so far; returns the root's own. */
static mot_status conclude(mot_step *step, const mot_step_task *task, mot_status status,
                           step_verdict *verdict)
{
    const bool numeric = verdict->status == MOT_ERR_NUMERIC;
    measure(step, verdict);
    if (verdict->status != MOT_OK && !numeric) return status;
    spread_reports(step);
    for (int l = 0; l < step->model->layers; ++l) { /* until it is known that there are sums */
        step->layer[l].root.confidence = (mot_confidence){NAN, NAN, NAN};
        for (int e = 0; e < step->layer[l].of->experts; ++e) step->layer[l].root.importance[e] = NAN;
    }
    MOT_TRY(check_losses(step, task));
    if (numeric) return status; /* a gradient's; whose rank has named it */
    sum_up(step, verdict);
    const bool done = step->stack != NULL && step->learns != 0; /* on the way back */
    for (int l = 0; l < step->model->layers; ++l) {
        const step_layer *layer = &step->layer[l];
        verdict->balance[l] = (mot_balance){
            layer->K > 0 ? mot_layer_switch_loss(step, layer, task) : 0,
            done ? layer->z_loss : mot_layer_gate_gradient(step, layer, task, 1 / (mot_real)step->batch.total)};
        MOT_TRY(mot_layer_learn_gate(step, layer, task));
    }
done:
    return status;
}

/* Who reports each (sample, choice): K = 1: who worked on it; K > 1: home. Of several layers: who has the sample last. */
static void find_reporters(mot_step *step)
{
    int *reporter = step->root.reporter;
    const int *owner = step->model->layer->placement.owner;
    const size_t n = step->batch.total, K = step->layer->K, R = step->reported;
    for (size_t r = 0; r < n && step->stack != NULL; ++r) reporter[r] = mot_stack_holder(step)[r];
    for (size_t r = 0; r < n * R && step->stack == NULL; ++r)
        reporter[r] = K == 1 ? owner[step->layer->choices.expert[r]] : step->batch.home[r / R];
    for (size_t c = 0; step->split.on && K == 1 && c < step->chunks; ++c) {
        mot_split *split = &step->layer->chunk[c].split;
        mot_split_rewind(split);
        for (size_t p = mot_chunk_first(&step->batch, c); p < mot_chunk_first(&step->batch, c + 1); ++p)
            reporter[p] = split->share[mot_split_next(split, step->layer->choices.expert[p])].worker;
    }
}

/* ---- every rank ---- */

/* Everybody has the choices. */
static void count_load(mot_step *step)
{
    for (int l = 0; l < step->model->layers; ++l) {
        const step_layer *layer = &step->layer[l];
        const size_t rows = step->batch.total * layer->K;
        for (int e = 0; e < layer->of->experts; ++e)
            layer->load[e] = step->soft.on ? (int64_t)step->batch.total : 0;
        for (size_t r = 0; r < rows; ++r) ++layer->load[layer->choices.expert[r]];
    }
}

static void fill_layers(mot_step *step, const step_verdict *verdict)
{
    for (int l = 0; l < step->model->layers; ++l) {
        step_layer *layer = &step->layer[l];
        const bool chose = step->root.sample != NULL && layer->K > 0;
        step->result[l] = (mot_layer_result){
            .balance = verdict->balance[l],
            .purity = verdict->purity[l],
            .choices = layer->K,
            .expert = chose ? layer->choices.expert : NULL,
            .prob = chose ? layer->root.prob : NULL,
            .weight = chose ? layer->choices.weight : NULL,
            .load = layer->load,
            .importance = layer->root.importance,
            .confidence = layer->root.confidence,
            .score = chose ? layer->root.p : NULL,
            .features = chose && layer->of->gate.tokens == 0 ? layer->root.g : NULL,
            .words = chose && layer->of->gate.tokens > 0 ? layer->root.id : NULL,
            .bytes = layer->bytes,
        };
    }
}

static void fill_result(mot_step *step, const step_verdict *verdict, mot_step_result *result)
{
    const coordinator *root = &step->root;
    const mot_layer_result *first = step->result;
    fill_layers(step, verdict);
    *result = (mot_step_result){
        .loss = verdict->loss,
        .hits = verdict->hits,
        .purity = first->purity,
        .balance = first->balance,
        .compute_s = verdict->compute_s,
        .exchange_s = verdict->exchange_s,
        .wait_s = verdict->wait_s,
        .flops = verdict->flops,
        .stop = verdict->stop != 0,
        .sample = root->sample,
        .label = root->label,
        .group = root->group,
        .predicted = root->predicted,
        .right = root->right,
        .right_unaided = root->unaided,
        .sample_loss = root->loss,
        .expert = first->expert,
        .prob = first->prob,
        .weight = first->weight,
        .load = first->load,
        .importance = first->importance,
        .output = root->output,
        .layer = first,
        .rank = root->done,
    };
}

mot_status mot_step_report(mot_step *step, const mot_step_task *task, mot_status status,
                           mot_step_result *result)
{
    const mot_comm *comm = step->comm;
    coordinator *root = &step->root;
    step_verdict verdict = {.stop = step->stop};
    count_load(step);
    const rank_note note = {status, false, 0, mot_step_sums(step)};
    double since = mot_clock_s();
    enter_meeting(step, MOT_PHASE_REPORT);
    mot_comm_gather(comm, &note, sizeof note, root->rank);
    if (comm->rank == MOT_ROOT) {
        find_reporters(step);
        mot_step_count_rows(step, step->batch.total * step->reported, root->reporter);
    }
    mot_comm_gatherv(comm, step->reports.report, (int)step->reports.count, step->types.report, root->report,
                     root->counts, root->places);
    if (step->reports.output != NULL)
        mot_comm_gatherv(comm, step->reports.output, (int)step->reports.count, step->types.output,
                         root->report_output, root->counts, root->places);
    lap(step, MOT_PHASE_WAIT, &since);
    if (comm->rank == MOT_ROOT) {
        enter(MOT_PHASE_REPORT);
        for (int r = 0; r < comm->size; ++r)
            if (root->rank[r].status != MOT_OK) verdict.status = root->rank[r].status;
        status = conclude(step, task, status, &verdict);
        if (verdict.status == MOT_OK) verdict.status = status;
        lap(step, MOT_PHASE_REPORT, &since);
    }
    enter_meeting(step, MOT_PHASE_REPORT);
    mot_comm_bcast(comm, &verdict, sizeof verdict, MOT_ROOT);
    lap(step, MOT_PHASE_WAIT, &since);
    fill_result(step, &verdict, result);
    return verdict.status == MOT_OK ? MOT_OK : mot_comm_agree(comm, status);
}
