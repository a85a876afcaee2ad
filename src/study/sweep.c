/* Runs over any keys, as trials. */
#include "mot/sweep.h"

#include <stdio.h>
#include <string.h>

#include "mot/atomic_file.h"
#include "mot/config.h"
#include "mot/digest.h"
#include "mot/log.h"
#include "mot/memory.h"
#include "mot/sweep_study.h"
#include "study_private.h"

/* The settings as a name of files; what is too long, by its beginning and a checksum. */
static void name_of(const char *settings, char name[STUDY_NAME])
{
    const size_t length = strlen(settings);
    snprintf(name, STUDY_NAME, "%s", length > 0 ? settings : "base");
    if (length >= STUDY_NAME)
        snprintf(name, STUDY_NAME, "%.40s-%016" PRIx64, settings, mot_digest_short(settings, length));
    size_t to = 0;
    for (const char *at = name; *at != '\0'; ++at) {
        if (at[0] == ';' && at[1] == ' ') continue; /* "; " becomes "," */
        name[to++] = at[0] == ' ' && at > name && at[-1] == ';' ? ',' : strchr("/ \"'[]{}", *at) != NULL ? '_' : *at;
    }
    name[to] = '\0';
}

/* What a sweep says of its runs itself; elsewhere it would be overruled in silence. */
static mot_status check_own(const study_variant *variant)
{
    static const char *const own[][2] = {{"run=", "runs are in the sweep's folder"}, {"seed=", "`seeds` says how many there are"},
                                         {"threads=", "every run has one thread"}};
    for (size_t s = 0; s < variant->settings; ++s)
        for (size_t k = 0; k < MOT_COUNT(own); ++k)
            if (strncmp(variant->setting[s], own[k][0], strlen(own[k][0])) == 0)
                return mot_fail(MOT_ERR_INPUT, "a sweep takes no '%s': %s", variant->setting[s], own[k][1]);
    return MOT_OK;
}

/* Every setting, and in front of them those of the command line. */
static mot_status plan(mot_study *study, const mot_sweep *sweep, const char *base, size_t count, const char *const *assignments)
{
    char given[2048] = "", name[STUDY_NAME], label[STUDY_NAME];
    for (size_t a = 0; a < count; ++a) {
        const size_t used = strlen(given);
        if ((size_t)snprintf(given + used, sizeof given - used, "%s; ", assignments[a]) >= sizeof given - used)
            return mot_fail(MOT_ERR_INPUT, "more settings than a sweep has room for");
    }
    for (size_t c = 0; c < sweep->count; ++c) {
        const char *settings = sweep->settings[c];
        name_of(settings, name);
        snprintf(label, sizeof label, "%s", settings[0] != '\0' ? settings : "as configured");
        const size_t before = study->variants;
        const study_variant *variant = mot_study_add(study, name, label, base, sweep->seeds, 1, "%s%s", given, settings);
        if (variant == NULL || study->variants == before) return mot_fail(MOT_ERR_INPUT, "two settings of a sweep have the name %s", name);
        if (variant->settings == STUDY_MOST_SETTINGS)
            return mot_fail(MOT_ERR_INPUT, "a run of a sweep has less than %d settings, '%.200s' has more", STUDY_MOST_SETTINGS, settings);
        const mot_status status = check_own(variant);
        if (status != MOT_OK) return status;
    }
    return MOT_OK;
}

/* A wrong key or value is said before anything is trained. */
static mot_status check(const mot_study *study)
{
    mot_config *config;
    mot_status status = mot_allocate(&config, 1, sizeof *config, "a configuration");
    for (size_t v = 0; v < study->variants && status == MOT_OK; ++v) {
        const study_variant *variant = &study->variant[v];
        const char *setting[STUDY_MOST_SETTINGS];
        for (size_t s = 0; s < variant->settings; ++s) setting[s] = variant->setting[s];
        status = mot_config_parse(config, variant->label, variant->base, variant->settings, setting);
    }
    mot_free(config);
    return status;
}

mot_status mot_study_sweep(const mot_comm *comm, const char *path, size_t count, const char *const *assignments, mot_sweep_part part)
{
    mot_sweep sweep = {.count = 0};
    mot_study study = {.comm = comm, .name = "sweep", .file = H5I_INVALID_HID, .part = part.index, .parts = part.count};
    char *base = NULL;
    size_t size;
    mot_status status = mot_sweep_read(&sweep, path); /* every rank for itself */
    if (status == MOT_OK) status = mot_file_read(sweep.config, 1 << 20, &base, &size);
    MOT_TRY(mot_comm_agree(comm, status));
    study.options.folder = sweep.folder;
    study.room = sweep.count + 1; /* one that is full is refused */
    status = mot_allocate(&study.variant, study.room, sizeof *study.variant, "a sweep");
    if (status == MOT_OK) status = plan(&study, &sweep, base, count, assignments);
    if (status == MOT_OK) status = check(&study);
    MOT_TRY(mot_comm_agree(comm, status));
    if (part.count > 1) mot_log(MOT_LOG_INFO, "part %zu of %zu of the runs", part.index + 1, part.count);
    MOT_TRY(mot_study_train(&study));
    mot_log(MOT_LOG_INFO, "%s: mot compare %s", part.count > 1 ? "this part is done" : "all done", sweep.folder);
done:
    mot_study_free(&study);
    mot_free(base);
    mot_sweep_free(&sweep);
    return status;
}
