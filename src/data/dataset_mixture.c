/* Samples of the mixture. */
#include <string.h>

#include "dataset_private.h"
#include "mot/memory.h"
#include "mot/source.h"

static void free_mixture(void *of)
{
    mot_mixture_free(of);
    mot_free(of);
}

static mot_status sample(const void *of, int split, mot_gidx index, void *bytes, void *target, int32_t *group)
{
    int32_t label; /* -1 and +1 */
    mot_mixture_sample(of, split, index, bytes, &label, group, NULL);
    const int32_t class = label > 0;
    if (target != NULL) memcpy(target, &class, sizeof class);
    return MOT_OK;
}

mot_status mot_dataset_generate(mot_dataset *dataset, const mot_mixture_config *config, const char *split,
                                mot_gidx samples, size_t memory_bytes)
{
    mot_mixture *mixture;
    *dataset = (mot_dataset){
        .format = mot_dataset_vectors(config->tokens, config->width),
        .samples = samples,
        .classes = 2,
        .groups = config->classes,
        .signed_labels = true,
        .target_bytes = sizeof(int32_t),
    };
    mot_status status;
    MOT_TRY(mot_allocate(&mixture, 1, sizeof *mixture, "a mixture"));
    status = mot_mixture_init(mixture, config);
    if (status == MOT_OK) {
        const mot_dataset_maker maker = {"the mixture", sample, free_mixture, mixture};
        return mot_dataset_make(dataset, split, &maker, memory_bytes);
    }
    free_mixture(mixture);
done:
    *dataset = (mot_dataset){0};
    return status;
}

const mot_mixture *mot_dataset_mixture(const mot_dataset *dataset, int *split)
{
    return mot_dataset_made_by(dataset, sample, split);
}

/* ---- the source ---- */

static mot_status open_split(mot_dataset *dataset, const mot_data_config *config, const char *split,
                             bool training, uint64_t seed)
{
    mot_mixture_config mixture = config->mixture;
    mixture.seed = seed;
    return mot_dataset_generate(dataset, &mixture, split,
                                mot_dataset_made_samples(training, config->mixture_train, config->mixture_eval),
                                config->memory);
}

const mot_source_kind mot_source_mixture = {
    .kind = {"mixture"}, .keys = "data.mixture.", .title = "mixture", .made = true, .open = open_split};
