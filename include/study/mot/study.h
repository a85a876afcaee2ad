/* study.h: a question asked of many runs at once, and its answer as one HDF5 file and one page with pictures.
 *
 * A study is a list of variants (a configuration and what is changed in it), each trained with several seeds. A trial,
 * one variant with one seed, is an ordinary run of one rank in FOLDER/trials/NAME: the ranks share the trials out, a
 * study that was stopped goes on where it was, and a trial that is done is not done again. What is read afterwards is
 * the record of these runs (docs/files.md), nothing else:
 *
 *      FOLDER/trials/VARIANT-SEED/   the runs
 *      FOLDER/NAME.h5                what every variant did over its steps, and the numbers of every claim
 *      FOLDER/NAME.md, NAME/ *.svg   the page: claim, number, spread over the seeds, verdict
 *
 * A trial that fails, because a loss is not finite, is counted as failed and named on the page. */
#ifndef MOT_STUDY_H
#define MOT_STUDY_H

#include "mot/comm.h"

typedef struct mot_study_options {
    const char *folder; /* of the study */
    const char *page;   /* where the page goes, "x/NAME.md"; NULL: into the folder */
    const char *data;   /* folder of the data sets; for the ablations, and for rehearsal, whose streams are skipped where they are not there */
    bool quick;         /* fewer trials and steps: minutes instead of an hour */
    bool draw_only;     /* trains nothing: draws the page from the trials that are there; all must be done */
    uint64_t seed;      /* only for rehearsal, as `runs`: of the simulations */
    int runs;           /* 2 or more */
} mot_study_options;

/* The claims of Li et al. (arXiv 2510.27004) on the synthetic mixture, with the baselines that its reviewers asked for. */
mot_status mot_study_claims(const mot_comm *comm, const mot_study_options *options);

/* The claims of Liao and Kyrillidis (arXiv 2510.07205) about soft-routed mixtures of experts that learn from a teacher. */
mot_status mot_study_soft_routed(const mot_comm *comm, const mot_study_options *options);

/* The claims of Deng et al. (arXiv 2506.00205) about rehearsal: in linear regression (rehearsal.h), simulated anew whatever
 * draw_only says; and of transformers and MoTs that learn streams of tasks, in trials. */
mot_status mot_study_rehearsal(const mot_comm *comm, const mot_study_options *options);

/* Stages, sharing, gates and sizes on Fashion-MNIST, CIFAR-100 and CLINC150, with the encoder as expert. */
mot_status mot_study_ablations(const mot_comm *comm, const mot_study_options *options);

#endif
