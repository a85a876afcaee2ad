#include "mot/plan.h"

#include <assert.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>

#include "mot/memory.h"

mot_status mot_plan_init(mot_plan *plan, const mot_placement *placement, const mot_nodes *nodes)
{
    assert(nodes->ranks == placement->ranks);
    mot_status status = MOT_OK;
    const int rank = nodes->rank;
    const size_t ranks = (size_t)placement->ranks;
    const size_t experts = (size_t)placement->experts; /* as many groups at most */
    *plan = (mot_plan){.ranks = placement->ranks, .rank = rank};
    MOT_TRY(mot_layout_init(&plan->layout, nodes));
    MOT_TRY(mot_layout_init(&plan->own_layout, nodes));
    MOT_TRY(mot_allocate(&plan->home_first, ranks + 1, sizeof(size_t), "a plan"));
    MOT_TRY(mot_allocate(&plan->owner_first, ranks + 1, sizeof(size_t), "a plan"));
    MOT_TRY(mot_allocate(&plan->group_first, experts + 1, sizeof(size_t), "a plan"));
    MOT_TRY(mot_allocate(&plan->group_expert, experts, sizeof(int), "a plan"));
    MOT_TRY(mot_allocate(&plan->group_from, experts, sizeof(size_t), "a plan"));
    MOT_TRY(mot_allocate(&plan->memory.cursor, 4 * ranks + experts, sizeof(size_t), "a plan"));
done:
    if (status != MOT_OK) mot_plan_free(plan);
    return status;
}

void mot_plan_free(mot_plan *plan)
{
    mot_free(plan->home_first);
    mot_free(plan->owner_first);
    mot_free(plan->home_sample);
    mot_free(plan->home_choice);
    mot_free(plan->owner_sample);
    mot_free(plan->owner_choice);
    mot_free(plan->group_first);
    mot_free(plan->group_expert);
    mot_free(plan->group_from);
    mot_free(plan->memory.share_group);
    mot_free(plan->row);
    mot_free(plan->home_place);
    mot_free(plan->owner_place);
    mot_free(plan->home_unit);
    mot_free(plan->owner_unit);
    mot_free(plan->memory.cursor);
    mot_layout_free(&plan->layout);
    mot_layout_free(&plan->own_layout);
    *plan = (mot_plan){0};
}

/* Room for the rows of either side. A capacity is raised when all its arrays have grown, so a failure half
 * way leaves arrays that are larger than the plan says: as good as before. */
static mot_status make_room(mot_plan *plan, size_t rows_home, size_t rows_owner)
{
    mot_status status = MOT_OK;
    size_t sample = plan->memory.home, choice = sample, place = sample, unit = sample;
    MOT_TRY(mot_reserve(&plan->home_sample, &sample, rows_home, sizeof(int32_t), "the rows of a plan"));
    MOT_TRY(mot_reserve(&plan->home_choice, &choice, rows_home, sizeof(int32_t), "the rows of a plan"));
    MOT_TRY(mot_reserve(&plan->home_place, &place, rows_home, sizeof(uint32_t), "the rows of a plan"));
    MOT_TRY(mot_reserve(&plan->home_unit, &unit, rows_home, sizeof(uint32_t), "the rows of a plan"));
    assert(sample == choice && sample == place && sample == unit);
    plan->memory.home = sample;

    size_t row = plan->memory.owner;
    sample = choice = place = unit = row;
    MOT_TRY(mot_reserve(&plan->owner_sample, &sample, rows_owner, sizeof(int32_t), "the rows of a plan"));
    MOT_TRY(mot_reserve(&plan->owner_choice, &choice, rows_owner, sizeof(int32_t), "the rows of a plan"));
    MOT_TRY(mot_reserve(&plan->row, &row, rows_owner, sizeof(uint32_t), "the rows of a plan"));
    MOT_TRY(mot_reserve(&plan->owner_place, &place, rows_owner, sizeof(uint32_t), "the rows of a plan"));
    MOT_TRY(mot_reserve(&plan->owner_unit, &unit, rows_owner, sizeof(uint32_t), "the rows of a plan"));
    assert(sample == choice && sample == row && sample == place && sample == unit);
    plan->memory.owner = row;

done:
    return status;
}

/* first[i] = sum of count[0 .. i), and count[i] becomes first[i]: a cursor to fill from. Returns the whole
 * sum. */
static size_t prefix_sum(size_t *first, size_t *count, size_t n)
{
    size_t sum = 0;
    for (size_t i = 0; i < n; i++) {
        first[i] = sum;
        sum += count[i];
        count[i] = first[i];
    }
    first[n] = sum;
    return sum;
}

#ifndef NDEBUG
/* Every cursor stands where the next part begins. */
static bool all_filled(const size_t *first, const size_t *cursor, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (cursor[i] != first[i + 1]) return false;
    return true;
}

static bool valid_choices(const int32_t *expert, size_t choices, int experts)
{
    for (size_t k = 0; k < choices; k++) {
        if (expert[k] < 0 || expert[k] >= experts) return false;
        for (size_t j = 0; j < k; j++)
            if (expert[j] == expert[k]) return false;
    }
    return true;
}
#endif

/* This rank's local experts and, behind them, its guests; and for every share of its own the group. */
static mot_status find_groups(mot_plan *plan, const mot_placement *placement, const mot_split *split)
{
    plan->groups = (size_t)mot_placement_count(placement, plan->rank);
    memcpy(plan->group_expert, placement->local + placement->first[plan->rank], plan->groups * sizeof(int));
    if (split == NULL) return MOT_OK;
    const mot_status status = mot_reserve(&plan->memory.share_group, &plan->memory.shares, split->shares,
                                          sizeof(size_t), "a plan");
    if (status != MOT_OK) return status;
    for (size_t i = 0; i < split->shares; i++) {
        const mot_share *share = &split->share[i];
        if (share->worker != plan->rank) continue;
        const bool guest = placement->owner[share->expert] != plan->rank;
        const size_t group = guest ? plan->groups++ : (size_t)placement->local_index[share->expert];
        plan->group_expert[group] = share->expert;
        plan->group_from[group] = share->first;
        plan->memory.share_group[i] = group;
    }
    return MOT_OK;
}

/* Who works on the next row of expert e, and, on that rank, in which group. */
static int worker_of(const mot_plan *plan, const mot_placement *placement, mot_split *split, int32_t e,
                     size_t *group)
{
    if (split == NULL) {
        *group = (size_t)placement->local_index[e];
        return placement->owner[e];
    }
    const size_t share = mot_split_next(split, e);
    const int worker = split->share[share].worker;
    if (worker == plan->rank) *group = plan->memory.share_group[share];
    return worker;
}

/* A counting sort of the rows, three times at once: by owner on the home side, by home on the owner's side,
 * and by expert among the rows received.
 *
 * 1. Refuse a chunk whose rows MPI's int could not count. No rank sees more than all rows, so every rank
 * refuses the same chunks, and neither a message's count nor a place in the receive buffer needs a check
 * later.
 * 2. Count: rows for each peer on the home side, rows of each peer on the owner's side, rows of each local
 * expert.
 * 3. Make room. Up to here the plan's rows are as they were; from here on nothing fails.
 * 4. Sum the counts up: where each peer and each expert begins, and where their rows lie in the node's buffer.
 * 5. Go through the rows again, by (sample, choice), and put each where the cursor of its peer stands. That
 * is the order within a peer; and as it is the global order, the rows of an expert come to stand in global
 * order too. */
mot_status mot_plan_build(mot_plan *plan, const mot_placement *placement, size_t samples, size_t choices,
                          const int *home, const int32_t *expert, mot_split *split, const uint32_t *units)
{
    assert(placement->ranks == plan->ranks);

    /* 1: refuse */
    size_t rows;
    if (__builtin_mul_overflow(samples, choices, &rows) || rows > INT_MAX || samples > INT_MAX)
        return mot_fail(MOT_ERR_INPUT, "a chunk of %zu samples with %zu choices each: a plan ends at %d rows",
                        samples, choices, INT_MAX);
    uint64_t all_units = 0;
    for (size_t s = 0; units != NULL && s < samples; s++) all_units += (uint64_t)units[s] * choices;
    if (all_units > INT_MAX)
        return mot_fail(MOT_ERR_INPUT, "a chunk of %zu samples whose rows take %" PRIu64 " units: a plan ends at %d", samples,
                        all_units, INT_MAX);

    /* 2: count */
    const int rank = plan->rank;
    const size_t ranks = (size_t)plan->ranks;
    mot_status status = find_groups(plan, placement, split);
    if (status != MOT_OK) return status;
    size_t *to_peer = plan->memory.cursor, *from_peer = to_peer + ranks, *in_group = from_peer + ranks;
    size_t rows_home = 0, rows_owner = 0, group = 0;
    memset(to_peer, 0, (2 * ranks + plan->groups) * sizeof(size_t));
    mot_layout_clear(&plan->layout);
    mot_layout_clear(&plan->own_layout);
    if (split != NULL) mot_split_rewind(split);
    for (size_t s = 0; s < samples; s++) {
        assert(home[s] >= 0 && home[s] < plan->ranks);
        assert(valid_choices(expert + s * choices, choices, placement->experts));
        for (size_t k = 0; k < choices; k++) {
            const int owner = worker_of(plan, placement, split, expert[s * choices + k], &group);
            mot_layout_count(&plan->layout, home[s], owner, 1);
            if (units != NULL) mot_layout_count(&plan->own_layout, home[s], owner, units[s]);
            if (home[s] == rank) {
                to_peer[owner]++;
                rows_home++;
            }
            if (owner == rank) {
                from_peer[home[s]]++;
                in_group[group]++;
                rows_owner++;
            }
        }
    }
    assert(rows_home <= rows && rows_owner <= rows);

    /* 3: make room */
    status = make_room(plan, rows_home, rows_owner);
    if (status != MOT_OK) return status;

    /* 4: sum up */
    plan->rows_home = prefix_sum(plan->home_first, to_peer, ranks);
    plan->rows_owner = prefix_sum(plan->owner_first, from_peer, ranks);
    const size_t grouped = prefix_sum(plan->group_first, in_group, plan->groups);
    assert(plan->rows_home == rows_home && plan->rows_owner == rows_owner && grouped == rows_owner);
    (void)grouped;

    mot_layout_settle(&plan->layout);
    mot_layout_settle(&plan->own_layout);
    const size_t *at_peer = plan->layout.to_peer, *at_home = plan->layout.of_peer;
    size_t *unit_to = in_group + plan->groups, *unit_from = unit_to + ranks;
    memcpy(unit_to, plan->own_layout.to_peer, ranks * sizeof(size_t));
    memcpy(unit_from, plan->own_layout.of_peer, ranks * sizeof(size_t));

    /* 5: put in place */
    if (split != NULL) mot_split_rewind(split);
    for (size_t s = 0; s < samples; s++) {
        for (size_t k = 0; k < choices; k++) {
            const int owner = worker_of(plan, placement, split, expert[s * choices + k], &group);
            if (home[s] == rank) {
                const size_t at = to_peer[owner]++;
                plan->home_sample[at] = (int32_t)s;
                plan->home_choice[at] = (int32_t)k;
                plan->home_place[at] = (uint32_t)(at_peer[owner] + at - plan->home_first[owner]);
                plan->home_unit[at] = (uint32_t)unit_to[owner];
                if (units != NULL) unit_to[owner] += units[s];
            }
            if (owner == rank) {
                const size_t at = from_peer[home[s]]++;
                plan->owner_sample[at] = (int32_t)s;
                plan->owner_choice[at] = (int32_t)k;
                plan->owner_place[at] = (uint32_t)(at_home[home[s]] + at - plan->owner_first[home[s]]);
                plan->owner_unit[at] = (uint32_t)unit_from[home[s]];
                if (units != NULL) unit_from[home[s]] += units[s];
                plan->row[in_group[group]++] = (uint32_t)at;
            }
        }
    }
    assert(all_filled(plan->home_first, to_peer, ranks));
    assert(all_filled(plan->owner_first, from_peer, ranks));
    assert(all_filled(plan->group_first, in_group, plan->groups));
    return MOT_OK;
}
