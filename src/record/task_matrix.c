/* The accuracies by task of a run, and their place in files: the group /stream. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "mot/atomic_file.h"
#include "mot/continual.h"
#include "mot/memory.h"
#include "record_private.h"

static size_t numbers_of(const mot_task_matrix *matrix)
{
    return (size_t)(matrix->tasks + 1) * (size_t)matrix->tasks;
}

mot_status mot_task_matrix_create(mot_task_matrix *matrix, int tasks, bool unaided, char *const *names)
{
    const char *what = "accuracies by task";
    mot_status status;
    *matrix = (mot_task_matrix){.tasks = tasks};
    MOT_TRY(mot_record_names_copy(&matrix->names, names, tasks));
    MOT_TRY(mot_allocate(&matrix->step, (size_t)tasks + 1, sizeof *matrix->step, what));
    MOT_TRY(mot_allocate(&matrix->accuracy, numbers_of(matrix), sizeof *matrix->accuracy, what));
    MOT_TRY(mot_allocate(&matrix->cosine, (size_t)tasks * (size_t)tasks, sizeof *matrix->cosine, what));
    if (unaided) MOT_TRY(mot_allocate(&matrix->unaided, numbers_of(matrix), sizeof *matrix->unaided, what));
    mot_task_matrix_clear(matrix);
done:
    if (status != MOT_OK) mot_task_matrix_free(matrix);
    return status;
}

void mot_task_matrix_free(mot_task_matrix *matrix)
{
    void *const arrays[] = {matrix->names,  matrix->step,   matrix->accuracy,   matrix->unaided,
                            matrix->cosine, matrix->memory, matrix->memory_task};
    for (size_t i = 0; i < MOT_COUNT(arrays); ++i) mot_free(arrays[i]);
    *matrix = (mot_task_matrix){0};
}

void mot_task_matrix_clear(mot_task_matrix *matrix)
{
    const size_t numbers = numbers_of(matrix);
    for (int r = 0; r <= matrix->tasks && matrix->step != NULL; ++r) matrix->step[r] = -1;
    for (size_t i = 0; i < numbers; ++i) matrix->accuracy[i] = NAN;
    for (size_t i = 0; matrix->unaided != NULL && i < numbers; ++i) matrix->unaided[i] = NAN;
    for (size_t i = 0; i < (size_t)matrix->tasks * (size_t)matrix->tasks; ++i) matrix->cosine[i] = NAN;
    matrix->held = 0;
    matrix->held_for = -1;
}

/* Room for so many samples, whatever was there. */
static mot_status make_room(mot_task_matrix *matrix, size_t held)
{
    mot_gidx *memory = NULL;
    int32_t *task = NULL;
    mot_status status;
    MOT_TRY(mot_allocate(&memory, held, sizeof *memory, "the memory of old tasks"));
    MOT_TRY(mot_allocate(&task, held, sizeof *task, "the memory of old tasks"));
    mot_free(matrix->memory);
    mot_free(matrix->memory_task);
    matrix->memory = memory;
    matrix->memory_task = task;
    matrix->held = held;
    memory = NULL;
    task = NULL;
done:
    mot_free(memory);
    mot_free(task);
    return status;
}

mot_status mot_task_matrix_hold(mot_task_matrix *matrix, int task, const mot_gidx *first, const mot_gidx *sample)
{
    mot_status status;
    MOT_TRY(make_room(matrix, (size_t)first[task]));
    matrix->held_for = task;
    for (int t = 0; t < task; ++t)
        for (mot_gidx i = first[t]; i < first[t + 1]; ++i) {
            matrix->memory[i] = sample[i];
            matrix->memory_task[i] = t;
        }
done:
    return status;
}

bool mot_task_matrix_holds(const mot_task_matrix *matrix, int task, const mot_gidx *first, const mot_gidx *sample)
{
    if (matrix->held_for != task) return true;
    if (matrix->held != (size_t)first[task]) return false;
    for (int t = 0; t < task; ++t)
        for (mot_gidx i = first[t]; i < first[t + 1]; ++i)
            if (matrix->memory[i] != sample[i] || matrix->memory_task[i] != t) return false;
    return true;
}

mot_status mot_task_matrix_copy(mot_task_matrix *to, const mot_task_matrix *from)
{
    const size_t bytes = numbers_of(from) * sizeof *to->accuracy;
    mot_status status;
    if (from->tasks == 0) return MOT_OK;
    MOT_TRY(make_room(to, from->held));
    memcpy(to->step, from->step, (size_t)(from->tasks + 1) * sizeof *to->step);
    memcpy(to->accuracy, from->accuracy, bytes);
    if (from->unaided != NULL) memcpy(to->unaided, from->unaided, bytes);
    memcpy(to->cosine, from->cosine, (size_t)from->tasks * (size_t)from->tasks * sizeof *to->cosine);
    to->held_for = from->held_for;
    if (from->held == 0) goto done;
    memcpy(to->memory, from->memory, from->held * sizeof *to->memory);
    memcpy(to->memory_task, from->memory_task, from->held * sizeof *to->memory_task);
done:
    return status;
}

void mot_task_matrix_set(mot_task_matrix *matrix, int task, mot_gidx step, const double *accuracy, const double *unaided)
{
    const size_t T = (size_t)matrix->tasks, row = (size_t)(task + 1);
    matrix->step[row] = step;
    memcpy(matrix->accuracy + row * T, accuracy, T * sizeof *accuracy);
    if (matrix->unaided != NULL) memcpy(matrix->unaided + row * T, unaided, T * sizeof *unaided);
}

int mot_task_matrix_learned(const mot_task_matrix *matrix)
{
    int learned = matrix->tasks;
    while (learned > 0 && matrix->step[learned] < 0) --learned;
    return learned;
}

/* ---- in a file ---- */

static mot_status describe(hid_t group, const char *name, const char *long_name)
{
    const mot_status status = mot_h5_set_text(group, name, "units", "1");
    return status == MOT_OK ? mot_h5_set_text(group, name, "long_name", long_name) : status;
}

/* The numbers first, first + 1, ... as a scale. */
static mot_status write_scale(hid_t group, const char *name, int first, int count, const char *long_name)
{
    const hsize_t shape[] = {(hsize_t)count};
    int32_t *number = NULL;
    mot_status status;
    MOT_TRY(mot_allocate(&number, (size_t)count, sizeof *number, "an axis"));
    for (int i = 0; i < count; ++i) number[i] = first + i;
    MOT_TRY(mot_h5_write(group, name, H5T_NATIVE_INT32, 1, shape, MOT_H5_CONTIGUOUS, number));
    MOT_TRY(describe(group, name, long_name));
    MOT_TRY(mot_h5_make_scale(group, name, name));
done:
    mot_free(number);
    return status;
}

static mot_status write_figures(const mot_task_matrix *matrix, hid_t group, const char *name, const double *table)
{
    mot_continual_figure figure[MOT_CONTINUAL_FIGURES];
    mot_status status = MOT_OK;
    mot_continual_measure(matrix->tasks, mot_task_matrix_learned(matrix), table, figure);
    for (int f = 0; f < MOT_CONTINUAL_FIGURES; ++f) {
        char why[64];
        MOT_TRY(mot_h5_set_real(group, name, mot_continual_abouts[f].key, figure[f].value));
        snprintf(why, sizeof why, "%s_why", mot_continual_abouts[f].key);
        if (figure[f].why[0] != '\0') MOT_TRY(mot_h5_set_text(group, name, why, figure[f].why));
    }
done:
    return status;
}

static mot_status write_table(const mot_task_matrix *matrix, hid_t group, const char *name, const char *long_name,
                              const double *table)
{
    const hsize_t shape[] = {(hsize_t)matrix->tasks + 1, (hsize_t)matrix->tasks};
    mot_status status;
    MOT_TRY(mot_h5_write(group, name, H5T_NATIVE_DOUBLE, 2, shape, MOT_H5_CONTIGUOUS, table));
    MOT_TRY(describe(group, name, long_name));
    MOT_TRY(mot_h5_scale(group, name, 0, "row", "row"));
    MOT_TRY(mot_h5_scale(group, name, 1, "task", "task"));
    MOT_TRY(write_figures(matrix, group, name, table));
done:
    return status;
}

/* What the tasks to come are learned with. */
static mot_status write_rehearsal(const mot_task_matrix *matrix, hid_t group)
{
    const hsize_t tasks[] = {(hsize_t)matrix->tasks, (hsize_t)matrix->tasks}, held[] = {matrix->held};
    mot_status status;
    MOT_TRY(mot_h5_write(group, "cosine", H5T_NATIVE_DOUBLE, 2, tasks, MOT_H5_CONTIGUOUS, matrix->cosine));
    MOT_TRY(describe(group, "cosine", "cosine between the gradients of an old task (column) and of one that begins (row)"));
    MOT_TRY(mot_h5_scale(group, "cosine", 0, "task", "task"));
    MOT_TRY(mot_h5_scale(group, "cosine", 1, "task", "task"));
    MOT_TRY(mot_h5_write(group, "memory", H5T_NATIVE_INT64, 1, held, MOT_H5_CONTIGUOUS, matrix->memory));
    MOT_TRY(describe(group, "memory", "samples of old tasks that are held, by their indices in the train split"));
    MOT_TRY(mot_h5_write(group, "memory_task", H5T_NATIVE_INT32, 1, held, MOT_H5_CONTIGUOUS, matrix->memory_task));
    MOT_TRY(describe(group, "memory_task", "tasks of these samples"));
    MOT_TRY(mot_h5_set_int(group, "memory", "held_for", matrix->held_for));
done:
    return status;
}

mot_status mot_task_matrix_write(const mot_task_matrix *matrix, hid_t file)
{
    const int T = matrix->tasks;
    const hsize_t rows[] = {(hsize_t)T + 1};
    mot_status status;
    if (T == 0) return MOT_OK;
    hid_t group = H5I_INVALID_HID;
    MOT_TRY(mot_h5_make_group(file, "stream"));
    group = H5Gopen2(file, "stream", H5P_DEFAULT);
    MOT_TRY(mot_h5_set_int(group, ".", "learned", mot_task_matrix_learned(matrix)));
    MOT_TRY(write_scale(group, "row", -1, T + 1, "task that was learned last; -1: before the first step"));
    MOT_TRY(write_scale(group, "task", 0, T, "task whose samples were evaluated"));
    if (matrix->names != NULL) {
        MOT_TRY(mot_h5_write_texts(group, "task_names", (size_t)T, (const char *const *)matrix->names));
        MOT_TRY(mot_h5_scale(group, "task_names", 0, "task", "task"));
    }
    MOT_TRY(mot_h5_write(group, "step", H5T_NATIVE_INT64, 1, rows, MOT_H5_CONTIGUOUS, matrix->step));
    MOT_TRY(describe(group, "step", "steps done when the row was measured; -1: it was not"));
    MOT_TRY(mot_h5_scale(group, "step", 0, "row", "row"));
    MOT_TRY(write_table(matrix, group, "accuracy", "share of the task's samples with the right label, the task being known",
                        matrix->accuracy));
    if (matrix->unaided != NULL)
        MOT_TRY(write_table(matrix, group, "accuracy_unaided",
                            "share of the task's samples with the right label, the task not being known", matrix->unaided));
    MOT_TRY(write_rehearsal(matrix, group));
done:
    mot_h5_close(&group);
    return status;
}

static mot_status read_arrays(mot_task_matrix *matrix, hid_t group, const hsize_t *shape)
{
    mot_status status;
    MOT_TRY(mot_h5_read(group, "step", H5T_NATIVE_INT64, 1, shape, matrix->step));
    MOT_TRY(mot_h5_read(group, "accuracy", H5T_NATIVE_DOUBLE, 2, shape, matrix->accuracy));
    if (matrix->unaided != NULL)
        MOT_TRY(mot_h5_read(group, "accuracy_unaided", H5T_NATIVE_DOUBLE, 2, shape, matrix->unaided));
done:
    return status;
}

static mot_status read_rehearsal(mot_task_matrix *matrix, hid_t group)
{
    const hsize_t tasks[] = {(hsize_t)matrix->tasks, (hsize_t)matrix->tasks};
    hsize_t shape[MOT_H5_MAX_RANK];
    int64_t held_for;
    int rank;
    mot_status status;
    MOT_TRY(mot_h5_read(group, "cosine", H5T_NATIVE_DOUBLE, 2, tasks, matrix->cosine));
    MOT_TRY(mot_h5_shape(group, "memory", &rank, shape));
    if (rank != 1) return mot_fail(MOT_ERR_INPUT, "/stream/memory is no list");
    MOT_TRY(make_room(matrix, (size_t)shape[0]));
    MOT_TRY(mot_h5_get_int(group, "memory", "held_for", &held_for));
    matrix->held_for = (int)held_for;
    MOT_TRY(mot_h5_read(group, "memory", H5T_NATIVE_INT64, 1, shape, matrix->memory));
    MOT_TRY(mot_h5_read(group, "memory_task", H5T_NATIVE_INT32, 1, shape, matrix->memory_task));
done:
    return status;
}

mot_status mot_task_matrix_read(mot_task_matrix *matrix, hid_t file, const char *path)
{
    enum { MOST_TASKS = 8192 };
    hsize_t shape[MOT_H5_MAX_RANK];
    size_t count = 0;
    int rank;
    mot_status status;
    *matrix = (mot_task_matrix){0};
    if (!mot_h5_exists(file, "stream")) return MOT_OK;
    hid_t group = H5Gopen2(file, "stream", H5P_DEFAULT);
    if (group < 0) return mot_fail(MOT_ERR_INPUT, "%s: /stream is not what mot writes", path);
    MOT_TRY(mot_h5_shape(group, "accuracy", &rank, shape));
    if (rank != 2 || shape[1] < 1 || shape[1] > MOST_TASKS || shape[0] != shape[1] + 1) {
        status = mot_fail(MOT_ERR_INPUT, "%s: /stream is not what mot writes", path);
        goto done;
    }
    MOT_TRY(mot_task_matrix_create(matrix, (int)shape[1], mot_h5_exists(group, "accuracy_unaided"), NULL));
    MOT_TRY(read_arrays(matrix, group, shape));
    MOT_TRY(read_rehearsal(matrix, group));
    if (mot_h5_exists(group, "task_names"))
        MOT_TRY(mot_h5_read_texts(group, "task_names", (size_t)matrix->tasks, &count, &matrix->names));
    if (matrix->names != NULL && count != (size_t)matrix->tasks)
        status = mot_fail(MOT_ERR_INPUT, "%s: /stream is not what mot writes", path);
done:
    mot_h5_close(&group);
    if (status != MOT_OK) mot_task_matrix_free(matrix);
    return status;
}

mot_status mot_task_matrix_of_run(mot_task_matrix *matrix, const char *folder)
{
    char path[MOT_PATH];
    hid_t file = H5I_INVALID_HID;
    mot_status status;
    *matrix = (mot_task_matrix){0};
    MOT_TRY(mot_path_join(path, sizeof path, folder, "run.h5"));
    if (access(path, F_OK) != 0) return MOT_OK;
    MOT_TRY(mot_h5_open(&file, path, false));
    status = mot_task_matrix_read(matrix, file, path);
    mot_h5_close(&file);
done:
    return status;
}
