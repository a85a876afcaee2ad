/* Predictions of samples whose task is known: of a run with a head a task, what that head says. */
#include <stdio.h>
#include <string.h>

#include "mot/memory.h"
#include "mot/source.h"
#include "predict_private.h"

/* "3: birds" is called so, "birds", or "3". */
static bool is_called(const char *task, const char *name)
{
    const char *colon = strstr(task, ": ");
    if (strcmp(task, name) == 0) return true;
    if (colon == NULL) return false;
    return strcmp(colon + 2, name) == 0 || (strlen(name) == (size_t)(colon - task) && strncmp(task, name, strlen(name)) == 0);
}

/* The only task of that name; -1: none, -2: several. */
static int find_task(const predict_task *t, const char *name)
{
    int found = -1;
    for (int i = 0; i < t->stream->tasks; ++i)
        if (is_called(t->own.group_names[i], name)) found = found == -1 ? i : -2;
    return found;
}

static mot_status no_such_task(const predict_task *t, const char *what, const char *name)
{
    char list[400] = "";
    for (int i = 0; i < t->stream->tasks && strlen(list) + 80 < sizeof list; ++i) {
        const size_t used = strlen(list);
        snprintf(list + used, sizeof list - used, "%s%.60s", i > 0 ? ", " : "", t->own.group_names[i]);
    }
    return mot_fail(MOT_ERR_INPUT, "%s '%.80s' is none of the run's tasks, or of several: they are %s", what, name, list);
}

mot_status mot_predict_task_open(predict_task *t, const mot_predict_options *options, const mot_config *config)
{
    mot_data_config data = config->data;
    mot_status status = MOT_OK;
    t->task = -1;
    if (options->task == NULL) return MOT_OK;
    data.memory = 0; /* no sample is read */
    if (!mot_source_kind_at(data.source)->tasks)
        return mot_fail(MOT_ERR_INPUT, "--task: %s learned no tasks (data.source=stream)", options->run);
    if (options->input != MOT_PREDICT_DATA && strcmp(options->task, "group") == 0)
        return mot_fail(MOT_ERR_INPUT, "--task group is of a data set, whose groups are tasks: name the task of these samples");
    MOT_TRY(mot_source_kind_at(data.source)->open(&t->own, &data, "train", false, config->seed));
    t->stream = mot_dataset_stream(&t->own);
    if (t->stream->head == NULL)
        return mot_fail(MOT_ERR_INPUT, "--task: all tasks of %s have one head (data.stream.heads = one), which says the same of any task",
                        options->run);
    if (strcmp(options->task, "group") == 0) goto done;
    t->task = find_task(t, options->task);
    if (t->task < 0) status = no_such_task(t, "--task:", options->task);
done:
    return status;
}

/* Which task each group is. */
static mot_status map_groups(predict_task *t, const mot_dataset *set, const char *title)
{
    char number[16];
    mot_status status;
    if (set->groups == 0) return mot_fail(MOT_ERR_INPUT, "--task group: %s has no groups", title);
    MOT_TRY(mot_allocate(&t->of_group, (size_t)set->groups, sizeof *t->of_group, "the tasks of groups"));
    for (int g = 0; g < set->groups; ++g) {
        snprintf(number, sizeof number, "%d", g);
        const char *name = set->group_names != NULL ? set->group_names[g] : number;
        t->of_group[g] = find_task(t, name);
        if (t->of_group[g] < 0) return no_such_task(t, "--task group: the group", name);
    }
done:
    return status;
}

mot_status mot_predict_task_begin(predict_task *t, const mot_dataset *set, const char *title, const mot_loss *loss)
{
    const size_t classes = (size_t)loss->classes;
    mot_status status = MOT_OK;
    if (t->stream == NULL) return MOT_OK;
    if (loss->kind->probabilities == NULL || t->own.classes != loss->classes)
        return mot_fail(MOT_ERR_INPUT, "--task: the tasks have %d classes, and the run %d: its data are others now", t->own.classes,
                        loss->classes);
    MOT_TRY(mot_allocate(&t->out, classes, sizeof *t->out, "predictions"));
    MOT_TRY(mot_allocate(&t->number, classes, sizeof *t->number, "predictions"));
    MOT_TRY(mot_allocate(&t->probability, classes, sizeof *t->probability, "predictions"));
    if (t->task < 0) MOT_TRY(map_groups(t, set, title));
done:
    return status;
}

/* One output that tells two classes apart is of both. */
void mot_predict_task_say(const predict_task *t, const mot_loss *loss, int32_t group, const mot_real *out, int32_t *class,
                          float *probability)
{
    const int32_t *head = t->stream->head, task = t->task >= 0 ? t->task : t->of_group[group];
    mot_loss known = *loss;
    int32_t own = 0, count = 0;
    if (loss->outputs == 1) return;
    for (int c = 0; c < loss->classes; ++c) {
        if (head[c] != task) {
            probability[c] = 0;
            continue;
        }
        t->out[count] = out[c];
        t->number[count++] = own = c;
    }
    known.head = head;
    *class = loss->kind->predicted(&known, out, &own);
    known.head = NULL;
    known.classes = count;
    known.outputs = (size_t)count;
    loss->kind->probabilities(&known, t->out, t->probability);
    for (int c = 0; c < count; ++c) probability[t->number[c]] = t->probability[c];
}

void mot_predict_task_close(predict_task *t)
{
    if (t->own.source != NULL) mot_dataset_close(&t->own);
    mot_free(t->of_group);
    mot_free(t->out);
    mot_free(t->number);
    mot_free(t->probability);
    *t = (predict_task){.task = -1};
}
