/* poison FROM TO SAMPLE: copies a data set of vectors, and makes one training sample so large that the numbers of an expert
 * overflow on it. */
#include <stdio.h>
#include <stdlib.h>

#include "mot/dataset.h"
#include "mot/memory.h"

static mot_status copy_split(mot_dataset_writer *writer, mot_dataset *set, const char *split,
                             mot_gidx poisoned)
{
    float *x = NULL;
    const size_t numbers = set->format.tokens * set->format.features;
    mot_status status;
    MOT_TRY(mot_allocate(&x, numbers, sizeof *x, "a sample"));
    for (mot_gidx i = 0; i < set->samples; ++i) {
        int32_t label, group;
        MOT_TRY(mot_dataset_sample(set, i, x, &label, &group));
        for (size_t k = 0; k < numbers && i == poisoned; ++k) x[k] = 3e38f;
        if (set->signed_labels) label = 2 * label - 1;
        MOT_TRY(mot_dataset_writer_add(writer, split, 1, x, &label, &group));
    }
done:
    mot_free(x);
    return status;
}

int main(int argc, char **argv)
{
    if (argc != 4) return 2;
    static const char *const splits[] = {"train", "val", "test"};
    mot_dataset_writer *writer = NULL;
    mot_dataset_about about = {0};
    mot_status status = MOT_OK;
    for (int s = 0; s < 3; ++s) {
        mot_dataset set;
        MOT_TRY(mot_dataset_open(&set, argv[1], splits[s], SIZE_MAX));
        about.signed_labels = set.signed_labels;
        about.group_count = (size_t)set.groups;
        if (writer == NULL) status = mot_dataset_writer_open(&writer, argv[2], &set.format);
        if (status == MOT_OK) status = copy_split(writer, &set, splits[s], s == 0 ? atoi(argv[3]) : -1);
        mot_dataset_close(&set);
        if (status != MOT_OK) break;
    }
    if (status == MOT_OK) status = mot_dataset_writer_close(&writer, &about, true);
done:
    if (status != MOT_OK) fprintf(stderr, "%s\n", mot_error_message());
    return status != MOT_OK;
}
