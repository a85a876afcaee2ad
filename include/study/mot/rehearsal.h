/* rehearsal.h: the linear theory of rehearsal in continual learning, in closed form and by simulation.
 *
 * Deng, Wu, Ju, Lin, Liang and Shroff, Unlocking the Power of Rehearsal in Continual Learning (arXiv 2506.00205, ICML 2025).
 * T tasks come one after another. Task t has a truth w_t and n samples y = x . w_t + z, x ~ N(0, I_p), z ~ N(0, s^2); p is so
 * large that they can be fitted exactly, and a fit goes from where it starts, w = 0 at first, to the nearest point that does:
 *
 *      w <- w + X' (X X')^-1 (y - X w)          X [m, p], p >= m + 2
 *
 * A memory of M samples holds floor(M / t) of each task before task t = 0 .. T-1; what is left of M is idle. At task t
 *
 *      none         fits the new samples alone
 *      concurrent   fits them together with the memory of all old tasks
 *      sequential   fits them, and then the memory of each old task, one after another, oldest first
 *      hybrid       fits them together with the memory of the old tasks that are similar, and then that of each other one
 *
 * With L_v = |w - w_v|^2, the loss of task v up to s^2, forgetting and generalization error after T tasks are
 *
 *      F = mean over v < T-1 of (L_v after task T-1) - (L_v after task v)
 *      G = mean over v < T of L_v after task T-1
 *
 * Their expectations follow from D_v = E L_v, which begins as |w_v|^2 and which every fit maps on, d_ab = |w_a - w_b|^2:
 * m_i samples of each of some tasks i, m = sum m_i, on samples that were in no fit before, give
 *
 *      D_v <- (1 - m/p) D_v + sum_i (m_i/p) d_iv + sum_{i<j} m_i m_j d_ij / (p (p-m-1)) + m s^2 / (p-m-1)
 *
 * (one task alone has no sum over pairs). So F and G depend on the truths by their lengths and distances alone. The maps are
 * this project's derivation; every page of `mot study rehearsal` holds them against simulations.
 *
 * Nothing here is collective but mot_rehearsal_simulate. Tasks count from 0. */
#ifndef MOT_REHEARSAL_H
#define MOT_REHEARSAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mot/comm.h"

enum {
    MOT_REHEARSAL_TASKS = 64,        /* at most */
    MOT_REHEARSAL_FORESEEN = 12,     /* tasks at most where similar is what is foreseen: it looks at 2^t sets */
    MOT_REHEARSAL_ROWS = 1 << 14,    /* n + M at most, */
    MOT_REHEARSAL_WIDTH = 1 << 20,   /* p at most */
    MOT_REHEARSAL_NEVER = UINT8_MAX, /* mot_rehearsal_plan */
};

typedef struct mot_rehearsal {
    int tasks;      /* T */
    size_t width;   /* p */
    size_t samples; /* n */
    size_t memory;  /* M */
    double noise;   /* s */
    /* The memory holds the first of the samples that a task was learned from, as in practice; else others, fresh ones each
     * time, as the closed forms have it. Only matters to a simulation; floor(M / t) <= n is needed. */
    bool stored;
} mot_rehearsal;

/* The truths w_t [tasks, length]: further coordinates are 0. Not owned; length <= width. */
typedef struct mot_rehearsal_truths {
    int tasks;
    size_t length;
    const double *w;
} mot_rehearsal_truths;

/* A common unit vector, and g / sqrt(2) along an axis of each task's own: any two are g apart. Those of fewer tasks are the
 * first ones of more. w [tasks, tasks + 1] gets them. */
mot_rehearsal_truths mot_rehearsal_apart(int tasks, double gap, double *w);

/* 1 <= T <= 64, p >= n + M + 2 and the like: MOT_ERR_INPUT with a sentence where the closed forms do not hold. */
mot_status mot_rehearsal_check(const mot_rehearsal *r, const mot_rehearsal_truths *truths);

/* ---- what is fitted when ---- */

typedef enum mot_rehearsal_strategy {
    MOT_REHEARSAL_NONE,
    MOT_REHEARSAL_CONCURRENT,
    MOT_REHEARSAL_SEQUENTIAL,
    MOT_REHEARSAL_HYBRID,
} mot_rehearsal_strategy;
#define MOT_REHEARSAL_STRATEGIES 4
extern const char *const mot_rehearsal_strategy_names[MOT_REHEARSAL_STRATEGIES];

/* Which old tasks h are similar to the new one, t. */
typedef enum mot_rehearsal_likeness {
    MOT_REHEARSAL_BY_DISTANCE, /* |w_t - w_h| <= bound */
    /* the cosine of the expected gradients w - w_t and w - w_h when task t begins, by expectations
       (D_t + D_h - d_th) / (2 sqrt(D_t D_h)), is at least `bound` */
    MOT_REHEARSAL_BY_COSINE,
    MOT_REHEARSAL_BY_FORESIGHT, /* the set after which the mean of D over the tasks so far is least, of all 2^t; of equals, a larger one */
    MOT_REHEARSAL_GIVEN,        /* similar[t * T + h] */
} mot_rehearsal_likeness;

/* In which order memories follow that are not fitted together with the new samples. */
typedef enum mot_rehearsal_order {
    MOT_REHEARSAL_OLDEST, /* first */
    MOT_REHEARSAL_NEWEST,
    MOT_REHEARSAL_DISSIMILAR, /* the most distant from the new task first, of equals the oldest */
} mot_rehearsal_order;
#define MOT_REHEARSAL_ORDERS 3
extern const char *const mot_rehearsal_order_names[MOT_REHEARSAL_ORDERS];

typedef struct mot_rehearsal_rule {
    mot_rehearsal_strategy strategy;
    mot_rehearsal_order order;
    mot_rehearsal_likeness likeness; /* of hybrid alone, as all that follows */
    double bound;
    const bool *similar; /* [T, T], of which h < t counts; not owned */
} mot_rehearsal_rule;

/* place[t][h], h < t: which fit after task t has the memory of task h: 0 that of the new samples, then 1, 2, ... one after
 * another; MOT_REHEARSAL_NEVER: none. Whatever rule made it, so that several memories may share a fit that follows. */
typedef struct mot_rehearsal_plan {
    int tasks;
    uint8_t place[MOT_REHEARSAL_TASKS][MOT_REHEARSAL_TASKS];
} mot_rehearsal_plan;

/* MOT_ERR_INPUT as mot_rehearsal_check, and for foresight over too many tasks. */
mot_status mot_rehearsal_make_plan(const mot_rehearsal *r, const mot_rehearsal_truths *truths, const mot_rehearsal_rule *rule,
                                   mot_rehearsal_plan *plan);

/* ---- what comes of it ---- */

/* loss [T, T]: in row t the D_v, v = 0 .. T-1, after task t. `r` and `truths` have passed mot_rehearsal_check. */
void mot_rehearsal_theory(const mot_rehearsal *r, const mot_rehearsal_truths *truths, const mot_rehearsal_plan *plan,
                          double *loss);

typedef struct mot_rehearsal_figures {
    double forgetting; /* F; NaN after the first task */
    double error;      /* G */
} mot_rehearsal_figures;

/* Of a table of losses [tasks, tasks] after its first `after` tasks: of theory the expectations, of a run its own. */
mot_rehearsal_figures mot_rehearsal_figures_of(const double *loss, int tasks, int after);

/* The gap from which on sequential is better than concurrent in expectation, on tasks that are all equally far apart
 * (mot_rehearsal_apart), after r->tasks of them: F and G are lines over the gap's square, so this is exact. 0: always;
 * INFINITY: never (or only below some gap). */
mot_rehearsal_figures mot_rehearsal_crossover(const mot_rehearsal *r);

/* A bound for MOT_REHEARSAL_BY_DISTANCE where nothing else is known: that of F; negative, so that nothing is similar, where
 * sequential is always better. */
double mot_rehearsal_like_gap(const mot_rehearsal *r);

/* What is simulated on the same samples. Not owned. */
typedef struct mot_rehearsal_case {
    const mot_rehearsal_truths *truths;
    const mot_rehearsal_plan *plan;
} mot_rehearsal_case;

/* loss [runs, count, T, T] as of mot_rehearsal_theory, without expectations, on every rank: in double by the Gram matrix of
 * the samples and its Cholesky factor. A run is a pure function of (seed, its number); the ranks share the runs out, and the
 * bits are the same on any number of them. The numbers of a run are those of (task, whose memory, sample, coordinate), so that
 * cases, other sizes, noises and fewer tasks share them: differences between those are paired. All have passed
 * mot_rehearsal_check. Collective. MOT_ERR_MEMORY; MOT_ERR_NUMERIC where samples depend on each other. */
mot_status mot_rehearsal_simulate(const mot_comm *comm, const mot_rehearsal *r, const mot_rehearsal_case *cases, size_t count,
                                  uint64_t seed, size_t runs, double *loss);

#endif
