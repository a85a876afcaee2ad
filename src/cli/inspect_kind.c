/* What only one kind of file has, and whether all of it is right. */
#include <stdio.h>
#include <string.h>

#include "inspect_private.h"
#include "mot/checkpoint.h"
#include "mot/continual.h"
#include "mot/dataset.h"
#include "mot/memory.h"
#include "mot/record_read.h"
#include "mot/screen.h"

mot_status inspect_open(inspect_file *file, const char *path)
{
    mot_status status;
    char *format = NULL;
    *file = (inspect_file){.file = H5I_INVALID_HID, .sealed = mot_h5_is_sealed(path)};
    MOT_TRY(file->sealed ? mot_h5_open_sealed(&file->file, path, "file") : mot_h5_open(&file->file, path, false));
    if (mot_h5_has_attribute(file->file, ".", "format"))
        MOT_TRY(mot_h5_get_text(file->file, ".", "format", &format));
    if (format != NULL) snprintf(file->format, sizeof file->format, "%s", format);

done:
    mot_free(format);
    return status;
}

static herr_t add_parameters(hid_t group, const char *name, const H5O_info_t *info, void *sum)
{
    static const char *const others[] = {"balance_bias", "state", "xxh3", "updates", "origin"};
    bool counts = info->type == H5O_TYPE_DATASET && strstr(name, ".moment") == NULL;
    for (size_t o = 0; o < MOT_COUNT(others); ++o) counts = counts && strcmp(name, others[o]) != 0;
    if (!counts) return 0;
    hid_t object = H5Oopen(group, name, H5P_DEFAULT), space = H5Dget_space(object);
    *(unsigned long long *)sum += (unsigned long long)H5Sget_simple_extent_npoints(space);
    mot_h5_close(&space);
    mot_h5_close(&object);
    return 0;
}

/* Numbers in the tensors of a group, moments not counted. */
static unsigned long long parameters_of(hid_t file, const char *group)
{
    unsigned long long sum = 0;
    if (mot_h5_exists(file, group))
        H5Ovisit_by_name2(file, group, H5_INDEX_NAME, H5_ITER_INC, add_parameters, &sum, H5O_INFO_BASIC,
                          H5P_DEFAULT);
    return sum;
}

/* The numbers in the beginning of those that are left, a list that a file has where some have gone. */
static mot_status put_left(hid_t file, const char *name)
{
    int rank;
    hsize_t shape[MOT_H5_MAX_RANK];
    int32_t *number = NULL;
    mot_status status;
    MOT_TRY(mot_h5_shape(file, name, &rank, shape));
    if (rank != 1 || shape[0] > INSPECT_MOST_VALUES) return mot_fail(MOT_ERR_INPUT, "/%s is no list of experts", name);
    MOT_TRY(mot_allocate(&number, shape[0], sizeof *number, "the numbers of experts"));
    MOT_TRY(mot_h5_read(file, name, H5T_NATIVE_INT32, 1, shape, number));
    fputs("  experts that are left, by their numbers in the beginning:", stdout);
    for (hsize_t e = 0; e < shape[0]; ++e) printf(" %" PRId32, number[e]);
    putchar('\n');
done:
    mot_free(number);
    return status;
}

static mot_status put_checkpoint(hid_t file)
{
    mot_status status = MOT_OK;
    int64_t step, stage, experts, complete = 0;
    char *digest = NULL;
    MOT_TRY(mot_h5_get_int(file, "progress", "step", &step));
    MOT_TRY(mot_h5_get_int(file, "progress", "stage", &stage));
    MOT_TRY(mot_h5_get_int(file, ".", "experts", &experts));
    if (mot_h5_has_attribute(file, ".", "complete"))
        MOT_TRY(mot_h5_get_int(file, ".", "complete", &complete));
    MOT_TRY(mot_h5_get_text(file, ".", "digest", &digest));
    const unsigned long long gate = parameters_of(file, "gate"), tied = parameters_of(file, "tied");
    /* Of version 2: a group an expert. */
    const bool former = mot_h5_exists(file, "experts/00000");
    const unsigned long long rows = former ? 1 : (unsigned long long)MOT_MAX(experts, 1),
                             expert = parameters_of(file, former ? "experts/00000" : "experts") / rows;
    printf("  step %" PRId64 " in stage %" PRId64 ", %s\n", step, stage,
           complete == 1 ? "complete" : "NOT COMPLETE");
    unsigned long long more = 0; /* of the layers behind the first, shared experts, and what all ranks hold alike beside them */
    if (mot_h5_exists(file, "shared")) more += parameters_of(file, "shared");
    for (int n = 0; n < 16; ++n) {
        static const char *const forms[] = {"layer%d_gate", "layer%d_tied", "layer%d_experts", "layer%d_shared", "dense%d"};
        for (size_t f = 0; f < MOT_COUNT(forms); ++f) {
            char group[32];
            snprintf(group, sizeof group, forms[f], n);
            if (mot_h5_exists(file, group)) more += parameters_of(file, group);
        }
    }
    char layers[64] = "";
    if (more > 0) snprintf(layers, sizeof layers, " in the first layer, %llu beside them", more);
    printf("  parameters: gate %llu, tied %llu, expert %llu x %" PRId64 "%s; in all %llu\n", gate, tied, expert, experts, layers,
           gate + tied + expert * (unsigned long long)experts + more);
    if (mot_h5_exists(file, "experts/origin")) MOT_TRY(put_left(file, "experts/origin"));
    fputs("  digest of the parameters: ", stdout);
    inspect_put_clean(digest, 40);
    putchar('\n');

done:
    mot_free(digest);
    return status;
}

/* Over the steps of a segment. */
static mot_status put_load(hid_t file, int layer)
{
    const mot_record_item item = {.kind = MOT_RECORD_LOAD, .layer = layer};
    mot_record_values load = {0};
    mot_status status;
    double total = 0, least = 0, most = 0, *of = NULL;
    MOT_TRY(mot_record_take(file, &item, false, &load));
    if (load.rows == 0 || load.rank != 1) goto done;
    MOT_TRY(mot_allocate(&of, load.width, sizeof *of, "loads"));
    for (size_t i = 0; i < load.rows * load.width; ++i) of[i % load.width] += load.value[i];
    for (size_t e = 0; e < load.width; ++e) {
        total += of[e];
        least = e == 0 || of[e] < least ? of[e] : least;
        most = MOT_MAX(most, of[e]);
    }
    if (total > 0)
        printf(
            "  load over %zu steps: mean %.4g, least %.4g, most %.4g samples an expert (most / mean %.3f)\n",
            load.rows, total / (double)load.width, least, most, most * (double)load.width / total);
    if (total > 0 && load.width <= 32) {
        fputs("  share of an expert:", stdout);
        for (size_t e = 0; e < load.width; ++e) printf(" %.1f%%", 100 * of[e] / total);
        putchar('\n');
    }

done:
    mot_free(of);
    mot_record_values_free(&load);
    return status;
}

/* Seconds of the steps between reports, and what it costs that some ranks compute longer. */
static mot_status put_ranks(hid_t file)
{
    enum { SLOWEST, COMPUTE, EXCHANGE, WAIT, STEPS, ITEMS };
    static const char *const name[ITEMS] = {"slowest", "compute", "exchange", "wait", "steps"};
    mot_record_values value[ITEMS] = {{0}};
    double sum[ITEMS] = {0};
    mot_status status = MOT_OK;
    for (int i = 0; i < ITEMS; ++i) {
        const mot_record_item item = {.kind = MOT_RECORD_RANKS, .name = name[i]};
        MOT_TRY(mot_record_take(file, &item, false, &value[i]));
        for (size_t v = 0; v < value[i].rows * value[i].width; ++v) sum[i] += value[i].value[v];
    }
    const double ranks = (double)value[COMPUTE].width, mean = sum[COMPUTE] / ranks,
                 step = (sum[COMPUTE] + sum[EXCHANGE] + sum[WAIT]) / ranks;
    if (ranks > 1 && step > 0)
        printf("  %.0f ranks over %.0f steps: the slowest computed %.3g times as long as the mean, which is %.1f%% of a step\n", ranks,
               sum[STEPS], sum[SLOWEST] / mean, 100 * (sum[SLOWEST] - mean) / step);

done:
    for (int i = 0; i < ITEMS; ++i) mot_record_values_free(&value[i]);
    return status;
}

/* By groups where the data have them, as a run reports it. */
static mot_status put_specialization(hid_t file, int layer)
{
    mot_record_item item = {.kind = MOT_RECORD_GROUP_LOAD, .layer = layer};
    mot_record_values table = {0};
    mot_status status;
    int64_t *load = NULL;
    if (!mot_record_has(file, &item)) item.kind = MOT_RECORD_CLASS_LOAD;
    if (!mot_record_has(file, &item)) return MOT_OK; /* of data with neither */
    MOT_TRY(mot_record_take(file, &item, true, &table));
    if (table.rows == 0 || table.rank != 2) goto done;
    MOT_TRY(mot_allocate(&load, table.width, sizeof *load, "loads"));
    for (size_t i = 0; i < table.width; ++i) load[i] = (int64_t)table.value[i];
    const int kinds = (int)table.shape[0], experts = (int)table.shape[1];
    const mot_specialization s = mot_specialize(kinds, experts, load);
    printf("  last snapshot: purity %.4f, nmi %.4f, entropy %.4f, experts used %d of %d\n", s.purity, s.nmi,
           s.entropy, s.experts_used, experts);

done:
    mot_free(load);
    mot_record_values_free(&table);
    return status;
}

static mot_status put_segment(hid_t file)
{
    mot_status status = MOT_OK;
    int64_t first, last;
    MOT_TRY(mot_h5_get_int(file, ".", "first_step", &first));
    MOT_TRY(mot_h5_get_int(file, ".", "last_step", &last));
    printf("  steps %" PRId64 " to %" PRId64 "\n", first, last);
    if (mot_h5_has_attribute(file, ".", "experts_begun")) MOT_TRY(put_left(file, "expert"));
    const int layers = mot_record_layers(file);
    for (int l = 0; l < layers; ++l) {
        if (layers > 1) printf("  layer %d of experts\n", l);
        MOT_TRY(put_load(file, l));
        MOT_TRY(put_specialization(file, l));
    }
    MOT_TRY(put_ranks(file));

done:
    return status;
}

static void put_line(const char *line)
{
    puts(line);
}

mot_status inspect_put_tasks(const inspect_file *file, const inspect_options *options)
{
    mot_task_matrix matrix;
    const bool may = strcmp(file->format, "mot-run") == 0 || strcmp(file->format, "mot-checkpoint") == 0;
    if (!may) return MOT_OK;
    const mot_status status = mot_task_matrix_read(&matrix, file->file, options->path);
    mot_task_matrix_say(&matrix, mot_screen_width(), put_line);
    if (matrix.tasks > 0) putchar('\n');
    mot_task_matrix_free(&matrix);
    return status;
}

mot_status inspect_verify(hid_t file, const char *format, const char *path, bool sealed)
{
    mot_status status = MOT_OK;
    if (strcmp(format, "mot-dataset") == 0) {
        static const char *const splits[] = {"train", "val", "test"};
        for (size_t s = 0; s < MOT_COUNT(splits) && status == MOT_OK; ++s) {
            mot_dataset dataset;
            if (!mot_h5_exists(file, splits[s])) continue;
            status = mot_dataset_open(&dataset, path, splits[s], SIZE_MAX);
            if (status == MOT_OK) mot_dataset_close(&dataset);
        }
    } else if (strcmp(format, "mot-checkpoint") == 0) {
        status = mot_checkpoint_verify(path);
    } else if (strncmp(format, "mot-", 4) == 0 && !sealed) {
        status = mot_fail(
            MOT_ERR_INPUT,
            "%s: it does not end with the mark that is written last (damaged, changed by another "
            "program, or of an older version); mot inspect --reseal seals what was changed on purpose",
            path);
    } else {
        status = inspect_read_all(file, 0);
        if (status != MOT_OK) status = mot_fail(status, "%s: damaged: %s", path, mot_error_message());
    }
    return status;
}

void inspect_say_verified(bool sealed)
{
    printf("  verified: %s\n", sealed ? "all checksums are right" : "all of it can be read");
}

mot_status inspect_sum_up(const inspect_file *file, const inspect_options *options)
{
    const char *format = file->format;
    const bool shown = !options->silent;
    mot_status status = MOT_OK;
    if (strcmp(format, "mot-checkpoint") == 0 && shown) status = put_checkpoint(file->file);
    if (strcmp(format, "mot-record") == 0 && shown) status = put_segment(file->file);
    if (status != MOT_OK || !options->verify) return status;
    status = inspect_verify(file->file, format, options->path, file->sealed);
    if (status == MOT_OK && strcmp(format, "mot-run") != 0 && shown) inspect_say_verified(file->sealed);
    return status;
}
