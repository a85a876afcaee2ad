/* What the tasks and classes of a stream are called. */
#include <stdio.h>

#include "mot/memory.h"
#include "stream_private.h"

/* Names of STREAM_NAME bytes, and one as long as most. */
static mot_status keep(char ***names, size_t count, char (*text)[STREAM_NAME])
{
    char **at = NULL;
    mot_status status;
    MOT_TRY(mot_allocate(&at, count, sizeof *at, "names"));
    for (size_t i = 0; i < count; ++i) at[i] = text[i];
    MOT_TRY(mot_dataset_names_copy(names, at, count));
done:
    mot_free(at);
    return status;
}

/* ---- tasks ---- */

/* Its last class or group. */
static int last_key(const stream_plan *plan, int task)
{
    int key = plan->keys - 1;
    while (plan->task[key] != task) --key;
    return key;
}

/* "3: banking", "0: apple to boy", "1: bridge and 9 others", "2: mnist" */
static void name_task(const stream_plan *plan, const stream_files *files, bool drawn, int task, char name[STREAM_NAME])
{
    const bool group = plan->split == MOT_SPLIT_GROUP;
    char first[STREAM_NAME], last[STREAM_NAME];
    const int count = plan->key_count[task];
    if (plan->split == MOT_SPLIT_FILE) {
        snprintf(name, STREAM_NAME, "%d: %.200s", task, files->label[plan->key[task]]);
        return;
    }
    mot_stream_name(files, group, plan->key[task], first);
    if (count > 1) mot_stream_name(files, group, last_key(plan, task), last);
    if (count == 1)
        snprintf(name, STREAM_NAME, "%d: %.200s", task, first);
    else if (count == 2 || !drawn)
        snprintf(name, STREAM_NAME, "%d: %.100s %s %.100s", task, first, count == 2 ? "and" : "to", last);
    else
        snprintf(name, STREAM_NAME, "%d: %.200s and %d others", task, first, count - 1);
}

static mot_status name_tasks(stream_plan *plan, bool drawn, const stream_files *files)
{
    char (*text)[STREAM_NAME] = NULL;
    mot_status status;
    MOT_TRY(mot_allocate(&text, (size_t)plan->tasks, sizeof *text, "names"));
    for (int t = 0; t < plan->tasks; ++t) name_task(plan, files, drawn, t, text[t]);
    MOT_TRY(keep(&plan->task_names, (size_t)plan->tasks, text));
done:
    mot_free(text);
    return status;
}

/* ---- classes ---- */

static bool is_shared(const stream_plan *plan, int class)
{
    int tasks = 0;
    for (int t = 0; t < plan->tasks; ++t) tasks += plan->class[(size_t)t * (size_t)plan->joined + (size_t)class] >= 0;
    return tasks > 1;
}

/* Of a class that several tasks have, each with a head of its own: "3: boat". */
static void name_class(const stream_plan *plan, bool one_head, const stream_files *files, int task, int class,
                       char name[STREAM_NAME])
{
    char own[STREAM_NAME];
    mot_stream_name(files, false, class, own);
    if (!one_head && is_shared(plan, class))
        snprintf(name, STREAM_NAME, "%d: %.200s", task, own);
    else
        snprintf(name, STREAM_NAME, "%s", own);
}

static mot_status name_classes(stream_plan *plan, bool one_head, const stream_files *files)
{
    char (*text)[STREAM_NAME] = NULL;
    mot_status status;
    MOT_TRY(mot_allocate(&text, (size_t)plan->classes, sizeof *text, "names"));
    for (int class = 0; class < plan->joined; ++class) {
        if (one_head) name_class(plan, true, files, 0, class, text[class]);
        for (int t = 0; !one_head && t < plan->tasks; ++t) {
            const int32_t number = plan->class[(size_t)t * (size_t)plan->joined + (size_t)class];
            if (number >= 0) name_class(plan, false, files, t, class, text[number]);
        }
    }
    MOT_TRY(keep(&plan->class_names, (size_t)plan->classes, text));
done:
    mot_free(text);
    return status;
}

mot_status mot_stream_plan_names(stream_plan *plan, const mot_stream_config *config, const stream_files *files)
{
    mot_status status;
    MOT_TRY(name_tasks(plan, config->drawn, files));
    MOT_TRY(name_classes(plan, config->one_head, files));
done:
    return status;
}
