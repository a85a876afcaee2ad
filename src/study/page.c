/* The page of a study, its pictures, and its file. */
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "mot/atomic_file.h"
#include "mot/log.h"
#include "mot/memory.h"
#include "mot/version.h"
#include "study_private.h"

/* "a/b/NAME.md": NAME and a/b. */
static void name_pictures(mot_study *study, const char *page)
{
    const char *slash = strrchr(page, '/'), *file = slash != NULL ? slash + 1 : page;
    const char *dot = strrchr(file, '.');
    const size_t length = dot != NULL ? (size_t)(dot - file) : strlen(file);
    snprintf(study->picture_name, sizeof study->picture_name, "%.*s", (int)length, file);
    snprintf(study->pictures, sizeof study->pictures, "%.*s%s", (int)(file - page), page,
             study->picture_name);
}

static void page_path(const mot_study *study, char *path, size_t size)
{
    if (study->options.page != NULL)
        snprintf(path, size, "%s", study->options.page);
    else
        snprintf(path, size, "%s/%s.md", study->options.folder, study->name);
}

static void file_path(const mot_study *study, char *path, size_t size)
{
    snprintf(path, size, "%s/%s.h5", study->options.folder, study->name);
}

mot_status mot_study_page_open(mot_study *study, const char *title)
{
    char path[1024];
    mot_status status = MOT_OK;
    page_path(study, path, sizeof path);
    name_pictures(study, path);
    MOT_TRY(mot_folder_make(study->pictures));
    file_path(study, path, sizeof path);
    MOT_TRY(mot_h5_create_file(&study->file, path, MOT_H5_HEAD));
    MOT_TRY(mot_h5_set_text(study->file, ".", "format", "mot-study"));
    MOT_TRY(mot_h5_set_int(study->file, ".", "format_version", 1));
    MOT_TRY(mot_h5_set_text(study->file, ".", "study", study->name));
    MOT_TRY(mot_h5_set_text(study->file, ".", "mot_version", MOT_VERSION));
    MOT_TRY(mot_h5_set_text(study->file, ".", "commit", MOT_COMMIT));
    study->page = open_memstream(&study->text, &study->text_size);
    if (study->page == NULL) return mot_fail(MOT_ERR_MEMORY, "not enough memory for the page");
    mot_study_say(study, "# %s\n\n", title);
done:
    return status;
}

static mot_status keep_column(mot_study *study, const study_variant *variant, size_t column, size_t rows)
{
    char path[128];
    double *padded = NULL;
    const hsize_t shape[] = {(hsize_t)variant->seeds, rows};
    mot_status status = mot_allocate(&padded, (size_t)variant->seeds * rows, sizeof *padded,
                                     "the study's file");
    if (status != MOT_OK) return status;
    for (size_t s = 0; s < (size_t)variant->seeds; ++s) {
        const study_result *result = &variant->result[s];
        for (size_t r = 0; r < rows; ++r)
            padded[s * rows + r] = r < result->rows ? mot_study_number(result, r, column) : NAN;
    }
    snprintf(path, sizeof path, "variants/%s/%s", variant->name, mot_study_columns[column].name);
    status = mot_h5_write(study->file, path, H5T_NATIVE_DOUBLE, 2, shape, MOT_H5_COMPRESSED, padded);
    mot_free(padded);
    return status;
}

/* /variants/NAME/{step, time, loss, ...} [seeds, evaluations], NaN behind the end of a shorter run. */
static mot_status keep_variant(mot_study *study, const study_variant *variant)
{
    char path[128], settings[STUDY_MOST_SETTINGS * (STUDY_SETTING + 1)] = "";
    const size_t rows = mot_study_longest(variant)->rows;
    mot_status status = MOT_OK;
    if (rows == 0) return MOT_OK;
    for (size_t c = 0; c < STUDY_NUMBERS; ++c)
        if (mot_study_longest(variant)->column[c] != NULL) MOT_TRY(keep_column(study, variant, c, rows));
    for (size_t i = 0; i < variant->settings; ++i) {
        const size_t used = strlen(settings);
        snprintf(settings + used, sizeof settings - used, "%s\n", variant->setting[i]);
    }
    snprintf(path, sizeof path, "variants/%s", variant->name);
    MOT_TRY(mot_h5_set_text(study->file, path, "base", variant->base));
    MOT_TRY(mot_h5_set_text(study->file, path, "settings", settings));
done:
    return status;
}

mot_status mot_study_page_close(mot_study *study)
{
    char path[1024];
    mot_status status = MOT_OK;
    for (size_t v = 0; v < study->variants && status == MOT_OK; ++v)
        status = keep_variant(study, &study->variant[v]);
    if (status == MOT_OK) {
        file_path(study, path, sizeof path);
        status = mot_h5_close_file(&study->file, path, true);
        if (status == MOT_OK) mot_log(MOT_LOG_INFO, "wrote %s", path);
    }
    fclose(study->page);
    study->page = NULL;
    if (status == MOT_OK) {
        page_path(study, path, sizeof path);
        status = mot_file_replace(path, study->text, study->text_size);
        if (status == MOT_OK) mot_log(MOT_LOG_INFO, "wrote %s", path);
    }
    free(study->text);
    study->text = NULL;
    return status;
}

void mot_study_say(mot_study *study, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vfprintf(study->page, format, args);
    va_end(args);
}

void mot_study_section(mot_study *study, const char *title)
{
    mot_study_say(study, "## %d. %s\n\n", ++study->sections, title);
}

void mot_study_verdict(mot_study *study, study_verdict verdict, const char *format, ...)
{
    static const char *const said[] = {[STUDY_NOT_SO] = "not so.", [STUDY_HOLDS] = "holds.", [STUDY_UNDECIDED] = "undecided."};
    char text[2000];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    mot_study_say(study, "**Verdict: %s** %s\n\n", said[verdict], text);
    mot_log(MOT_LOG_INFO, "  %-10s %s", said[verdict], text);
}

mot_status mot_study_draw(mot_study *study, const char *name, const char *caption, const mot_figure *figure)
{
    char path[1200];
    if (!mot_figure_available()) {
        mot_study_say(study, "(No picture: gnuplot is not installed. %s)\n\n", caption);
        return MOT_OK;
    }
    snprintf(path, sizeof path, "%s/%s.svg", study->pictures, name);
    const mot_status status = mot_figure_write(figure, path);
    if (status == MOT_OK)
        mot_study_say(study, "![%s](%s/%s.svg)\n\n*%s*\n\n", name, study->picture_name, name, caption);
    return status;
}

mot_status mot_study_keep(mot_study *study, const char *claim, const char *name, int rank, const hsize_t *shape,
                          const double *values)
{
    char path[160];
    snprintf(path, sizeof path, "claims/%s/%s", claim, name);
    return mot_h5_write(study->file, path, H5T_NATIVE_DOUBLE, rank, shape, MOT_H5_CONTIGUOUS, values);
}

void mot_study_page_give_up(mot_study *study)
{
    char path[1024];
    file_path(study, path, sizeof path);
    if (study->page != NULL) fclose(study->page);
    free(study->text);
    (void)mot_h5_close_file(&study->file, path, false);
}
