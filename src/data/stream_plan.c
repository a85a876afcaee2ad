/* Which task is what: a function of the configuration, the seed and the train splits. */
#include <string.h>

#include "mot/memory.h"
#include "stream_private.h"

static const char *const things[] = {[MOT_SPLIT_CLASS] = "classes", [MOT_SPLIT_GROUP] = "groups",
                                     [MOT_SPLIT_FILE] = "data sets"};

/* ---- how many ---- */

static mot_status count_keys(stream_plan *plan, const stream_files *train)
{
    const int of[] = {[MOT_SPLIT_CLASS] = plan->joined,
                      [MOT_SPLIT_GROUP] = train->group[train->count],
                      [MOT_SPLIT_FILE] = train->count};
    plan->keys = of[plan->split];
    for (int f = 0; plan->split == MOT_SPLIT_GROUP && f < train->count; ++f)
        if (train->set[f].groups == 0)
            return mot_fail(MOT_ERR_INPUT, "data.stream.split = group: %s has no groups", train->path[f]);
    return MOT_OK;
}

static mot_status count_tasks(stream_plan *plan, int wanted)
{
    const bool again = plan->split == MOT_SPLIT_FILE; /* all data sets, and then again */
    if (wanted == 0 && plan->split == MOT_SPLIT_CLASS)
        return mot_fail(MOT_ERR_INPUT, "data.stream.tasks: expected the number of tasks that the %d classes are dealt to",
                        plan->keys);
    plan->tasks = wanted > 0 ? wanted : plan->keys;
    if (plan->tasks > STREAM_TASKS)
        return mot_fail(MOT_ERR_INPUT, "data.stream.tasks: a task for each of %d %s, at most %d tasks are possible",
                        plan->tasks, things[plan->split], STREAM_TASKS);
    if (again ? plan->tasks < plan->keys : plan->tasks > plan->keys)
        return mot_fail(MOT_ERR_INPUT, "data.stream.tasks = %d: expected %d %s, since there are so many %s",
                        plan->tasks, plan->keys, again ? "or more" : "at most", things[plan->split]);
    return MOT_OK;
}

/* ---- who has what ---- */

/* order [count]: as it stands, or drawn. */
static mot_status make_order(int32_t **order, int count, bool drawn, uint64_t seed)
{
    const mot_status status = mot_allocate(order, (size_t)count, sizeof **order, "the order of tasks");
    if (status == MOT_OK)
        mot_change_permute(seed, 0, CHANGE_ORDER, 0, drawn ? 0 : (size_t)count, (size_t)count, *order);
    return status;
}

/* Classes or groups: parts of the order; data sets: one after another, as often as there are tasks. */
static mot_status deal(stream_plan *plan, bool drawn, uint64_t seed)
{
    const bool by_file = plan->split == MOT_SPLIT_FILE;
    const size_t tasks = (size_t)plan->tasks, keys = (size_t)plan->keys;
    int32_t *order = NULL;
    mot_status status;
    MOT_TRY(make_order(&order, by_file ? plan->tasks : plan->keys, drawn, seed));
    MOT_TRY(mot_allocate(&plan->key, tasks, sizeof *plan->key, "the tasks"));
    MOT_TRY(mot_allocate(&plan->key_count, tasks, sizeof *plan->key_count, "the tasks"));
    if (!by_file) MOT_TRY(mot_allocate(&plan->task, keys, sizeof *plan->task, "the tasks"));
    for (size_t t = 0; t < tasks; ++t) {
        plan->key[t] = by_file ? order[t] % plan->keys : plan->keys;
        plan->key_count[t] = 1;
        if (by_file) continue;
        const size_t first = mot_part_first(keys, tasks, t), end = mot_part_first(keys, tasks, t + 1);
        plan->key_count[t] = (int32_t)(end - first);
        for (size_t i = first; i < end; ++i) {
            plan->task[order[i]] = (int32_t)t;
            plan->key[t] = MOT_MIN(plan->key[t], order[i]);
        }
    }
done:
    mot_free(order);
    return status;
}

int mot_stream_next(const stream_plan *plan, int file, int class, int group, int after)
{
    if (plan->split == MOT_SPLIT_FILE) {
        for (int t = after + 1; t < plan->tasks; ++t)
            if (plan->key[t] == file) return t;
        return -1;
    }
    const int key = plan->split == MOT_SPLIT_CLASS ? class : group;
    return key >= 0 && plan->task[key] > after ? plan->task[key] : -1;
}

/* ---- classes ---- */

/* The classes that each task has in training, and their numbers. */
static mot_status number_classes(stream_plan *plan, bool one_head, const stream_files *train)
{
    const size_t joined = (size_t)plan->joined, all = (size_t)plan->tasks * joined;
    int next = 0;
    mot_status status;
    MOT_TRY(mot_allocate(&plan->class, all, sizeof *plan->class, "the classes of tasks"));
    MOT_TRY(mot_allocate(&plan->class_count, (size_t)plan->tasks, sizeof *plan->class_count, "the tasks"));
    for (size_t i = 0; i < all; ++i) plan->class[i] = -1;
    for (int f = 0; f < train->count; ++f)
        for (mot_gidx i = 0; i < train->set[f].samples; ++i) {
            const int class = stream_class(train, f, i), group = stream_group(train, f, i);
            for (int t = -1; (t = mot_stream_next(plan, f, class, group, t)) >= 0;)
                plan->class[(size_t)t * joined + (size_t)class] = class;
        }
    for (size_t i = 0; i < all; ++i) {
        if (plan->class[i] < 0) continue;
        ++plan->class_count[i / joined];
        if (!one_head) plan->class[i] = next++;
    }
    plan->classes = one_head ? plan->joined : next;
done:
    return status;
}

static mot_status check_tasks(const stream_plan *plan)
{
    for (int t = 0; t < plan->tasks; ++t)
        if (plan->class_count[t] == 0)
            return mot_fail(MOT_ERR_INPUT, "the task '%s' has no samples in the split '%s'", plan->task_names[t], "train");
    return MOT_OK;
}

/* ---- all ---- */

mot_status mot_stream_plan(stream_plan *plan, const mot_stream_config *config, const stream_files *train,
                           uint64_t seed)
{
    mot_status status;
    *plan = (stream_plan){.split = config->split, .joined = train->class[train->count]};
    MOT_TRY(count_keys(plan, train));
    MOT_TRY(count_tasks(plan, config->tasks));
    MOT_TRY(deal(plan, config->drawn, seed));
    MOT_TRY(number_classes(plan, config->one_head, train));
    MOT_TRY(mot_stream_plan_names(plan, config, train));
    MOT_TRY(check_tasks(plan));
done:
    if (status != MOT_OK) mot_stream_plan_free(plan);
    return status;
}

void mot_stream_plan_free(stream_plan *plan)
{
    mot_free(plan->task);
    mot_free(plan->key);
    mot_free(plan->key_count);
    mot_free(plan->class);
    mot_free(plan->class_count);
    mot_free(plan->class_names);
    mot_free(plan->task_names);
    *plan = (stream_plan){0};
}
