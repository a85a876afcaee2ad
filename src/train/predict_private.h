/* predict_private.h: what the parts of a prediction share. Included by src/train/predict*.c alone. */
#ifndef MOT_PREDICT_PRIVATE_H
#define MOT_PREDICT_PRIVATE_H

#include "mot/predict.h"
#include "mot/schema.h"

typedef struct predictions {
    size_t samples, classes, choices;
    char *const *names; /* [classes], not owned; NULL: numbers */
    int32_t *class;     /* [samples] */
    float *probability; /* [samples, classes] */
    int32_t *expert;    /* [samples, choices] */
    float *gate;        /* [samples, choices] */
} predictions;

/* predict_import.c: the samples of a file as the training split of a data set `made`, with labels that mean nothing. */
mot_status predict_import(const mot_predict_options *options, const mot_schema *schema, const char *made);

/* The sentence of a failure, if any, with `path`, which the user knows, in place of `to`. */
mot_status predict_user_words(mot_status status, const char *to, const char *path);

/* predict_write.c: by the end of the name. */
mot_status predict_check_name(const char *out);
mot_status predict_write(const predictions *p, const char *out);

#endif
