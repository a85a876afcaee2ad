/* mot data: import, join, make and show data sets. */
#include <stdio.h>
#include <string.h>

#include "cmd_data.h"
#include "mot/log.h"

typedef struct part {
    const char *name;
    mot_verb_function *run;
} part;

/* The part that argv[1] names gets its own arguments, and *status is what came of it; false: there is none of that name. */
static bool hand_over(size_t count, const part *parts, const char *verb, int argc, char **argv, mot_status *status)
{
    for (size_t i = 0; i < count && argc > 1; ++i) {
        if (strcmp(argv[1], parts[i].name) != 0) continue;
        char name[32];
        snprintf(name, sizeof name, "%s %s", verb, parts[i].name);
        argv[1] = name;
        *status = parts[i].run(argc - 1, argv + 1);
        return true;
    }
    return false;
}

static mot_status cmd_data_make(int argc, char **argv)
{
    static const part kinds[] = {{"mixture", cmd_data_make_mixture}, {"teacher", cmd_data_make_teacher}};
    mot_status status;
    if (hand_over(MOT_COUNT(kinds), kinds, "mot data make", argc, argv, &status)) return status;
    if (argc < 2 || strcmp(argv[1], "--help") != 0)
        return mot_fail(MOT_ERR_INPUT, "'%s': expected mot data make mixture or teacher", argc > 1 ? argv[1] : "");
    mot_log(MOT_LOG_INFO, "Usage: mot data make mixture|teacher [OPTION...]\n"
                          "'mot data make mixture --help' tells more of one.");
    return MOT_OK;
}

mot_status mot_cmd_data(int argc, char **argv)
{
    static const part parts[] = {
        {"import", cmd_data_import}, {"join", cmd_data_join}, {"make", cmd_data_make}, {"show", cmd_data_show}};
    mot_status status;
    if (hand_over(MOT_COUNT(parts), parts, "mot data", argc, argv, &status)) return status;
    if (argc > 1 && strcmp(argv[1], "--help") == 0) {
        mot_log(MOT_LOG_INFO,
                "Usage: mot data import KIND [OPTION...]   idx, cifar, npy, text, csv, images, hdf5\n"
                "       mot data join FILE [OPTION...]...  several data sets as one, each turned, mirrored, ... as told\n"
                "       mot data make KIND [OPTION...]     synthetic data: mixture, teacher\n"
                "       mot data show FILE [OPTION...]     what a data set holds\n"
                "Each has its own --help.");
        return MOT_OK;
    }
    if (argc == 1) return mot_fail(MOT_ERR_INPUT, "nothing given: expected mot data import, join, make or show");
    return mot_fail(MOT_ERR_INPUT, "'%s': expected mot data import, join, make or show", argv[1]);
}
