/* Runs against each other. */
#include "compare_private.h"
#include "mot/output.h"

mot_status mot_compare(const mot_compare_options *options)
{
    comparison c = {0};
    mot_status status;
    MOT_TRY(mot_output_check(options->csv, MOT_OUTPUT_FILE, options->force));
    MOT_TRY(mot_output_check(options->json, MOT_OUTPUT_FILE, options->force));
    MOT_TRY(mot_compare_read(&c, options));
    if (options->csv != NULL) MOT_TRY(mot_compare_csv(&c, options->csv));
    if (options->json != NULL) MOT_TRY(mot_compare_json(&c, options->json));
    status = mot_compare_say(&c);
done:
    mot_compare_free(&c);
    return status;
}
