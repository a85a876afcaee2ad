/* analysis.h: what every expert of a layer would have made of every sample, in one file:
 *
 *      /sample, /label, /group, /loss, /predicted, /hit     [N]      of the evaluation as it is, in the order of samples
 *      /layer0/expert                                       [E]      experts by their numbers in the beginning
 *      /layer0/gate_score                                   [N, E]   probabilities that choices go by
 *      /layer0/chosen, /layer0/weight                       [N, K]   the choices, by numbers in the beginning
 *      /layer0/features                                     [N, F]   what the gate saw, or, of a text,
 *      /layer0/words                                        [N, T]   the ids of the words that it saw, 0 behind the end; the attribute
 *                                                                    input says how they add up: sum or mean
 *                                                                    neither: the attribute features_missing of /layer0 says why
 *      /layer0/only_loss, /layer0/only_predicted            [N, E]   with that expert alone
 *      /layer0/without_loss, /layer0/without_predicted      [N, E]   without it; not for E = 1
 *      /layer0/kept/{expert [R, E], loss [R], accuracy [R]}          with the busiest half, quarter and eighth alone; not for E = 1
 *      /layer0/attention/sample, expert, rows               [S]      the samples that are likely to be looked at: with their first choice,
 *                                                                    and how many rows they have there
 *      /layer0/attention/received                           [S, B, H, T]  what each row gets of the attention of block b, head h
 *      /layer0/attention/rollout                            [S, T]   and of all of them; else attention_missing says why there is none
 *      /layer1/...                                                   of several layers, the others as they are
 *
 * With an expert alone, or without some, the others are as if they were not there: choices, probabilities and weights are as
 * mot/choose.h has them for those that are left. docs/files.md has the table. The file is sealed, there as a whole or not at
 * all, and has the same bytes but for its date on any number of ranks. Not collective: the root writes it. */
#ifndef MOT_ANALYSIS_H
#define MOT_ANALYSIS_H

#include "mot/record.h"

typedef struct mot_analysis_layer {
    int experts, choices;          /* E, K */
    const int *origin;             /* [E] */
    size_t features, words;        /* F, T; both 0: there are none, */
    const char *without_features;  /* and why */
    const char *input;             /* of words: "sum" or "mean" */
    size_t parts;                  /* R */
    const char *without_attention; /* why there is none; NULL: there is */
} mot_analysis_layer;

typedef struct mot_analysis_about {
    const mot_record_about *run;
    const char *checkpoint, *checkpoint_digest; /* its path, and the digest of its parameters */
    const char *split, *config_digest;
    mot_gidx step, samples;          /* N */
    const mot_analysis_layer *layer; /* [run->layers] */
} mot_analysis_about;

/* What has a row a sample. In memory: */
typedef enum mot_analysis_column {
    MOT_ANALYSIS_SAMPLE,    /* mot_gidx */
    MOT_ANALYSIS_LABEL,     /* int32_t, as the next */
    MOT_ANALYSIS_GROUP,
    MOT_ANALYSIS_LOSS,      /* double */
    MOT_ANALYSIS_PREDICTED, /* int32_t */
    MOT_ANALYSIS_HIT,       /* int8_t; -1: nothing is right or wrong */
    MOT_ANALYSIS_GATE_SCORE, /* of a layer from here on: float [E] */
    MOT_ANALYSIS_CHOSEN,     /* int32_t [K] */
    MOT_ANALYSIS_WEIGHT,     /* float [K] */
    MOT_ANALYSIS_FEATURES,   /* float [F] */
    MOT_ANALYSIS_WORDS,      /* int32_t [T] */
    MOT_ANALYSIS_ONLY_LOSS,  /* float [E], as all losses that follow; */
    MOT_ANALYSIS_ONLY_PREDICTED, /* int32_t [E], as all predictions */
    MOT_ANALYSIS_WITHOUT_LOSS,
    MOT_ANALYSIS_WITHOUT_PREDICTED,
    MOT_ANALYSIS_COLUMNS
} mot_analysis_column;

typedef struct mot_analysis mot_analysis;

/* Makes the file, and its folder; all columns that there are, without numbers. On failure *analysis is NULL, and nothing is left. */
mot_status mot_analysis_create(mot_analysis **analysis, const char *path, const mot_analysis_about *about);
/* Rows [first, first + count) of a column. */
mot_status mot_analysis_write(mot_analysis *analysis, int layer, mot_analysis_column column, mot_gidx first, size_t count,
                              const void *rows);
/* Of the parts of a layer's experts: kept [R, E] is 1 for those that are there; loss, accuracy [R]. */
mot_status mot_analysis_write_parts(mot_analysis *analysis, int layer, const int8_t *kept, const double *loss,
                                    const double *accuracy);
/* Where the experts of a layer look (expert.h, look): received sums to 1 over the rows, as rollout does; behind the rows of a
 * sample that has fewer are zeros. */
typedef struct mot_analysis_attention {
    size_t samples, blocks, heads, rows; /* S, B, H, T */
    bool class_token;                    /* it is the first row, the tokens come behind */
    const mot_gidx *sample;              /* [S] */
    const int32_t *expert, *length;      /* [S]: by their numbers in the beginning; rows */
    const float *received, *rollout;     /* [S, B, H, T], [S, T] */
} mot_analysis_attention;
mot_status mot_analysis_write_attention(mot_analysis *analysis, int layer, const mot_analysis_attention *attention);
/* `commit`: the file is there from here on; else nothing is. *analysis is NULL afterwards; one that is NULL is fine. */
mot_status mot_analysis_close(mot_analysis **analysis, bool commit);

#endif
