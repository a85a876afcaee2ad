/* Runs against each other. */
#include "compare_private.h"
#include "mot/output.h"

/* `path`, which is written, is no file of a run that is read. */
static mot_status spares_runs(const comparison *c, const char *path)
{
    mot_status status = MOT_OK;
    for (size_t r = 0; r < c->runs && status == MOT_OK; ++r) status = mot_output_spares(path, c->run[r].path);
    return status;
}

mot_status mot_compare(const mot_compare_options *options)
{
    comparison c = {0};
    mot_status status;
    MOT_TRY(mot_output_check(options->csv, false, options->force));
    MOT_TRY(mot_output_check(options->json, false, options->force));
    MOT_TRY(mot_compare_read(&c, options));
    MOT_TRY(spares_runs(&c, options->csv));
    MOT_TRY(spares_runs(&c, options->json));
    if (options->csv != NULL) MOT_TRY(mot_compare_csv(&c, options->csv));
    if (options->json != NULL) MOT_TRY(mot_compare_json(&c, options->json));
    status = mot_compare_say(&c);
done:
    mot_compare_free(&c);
    return status;
}
