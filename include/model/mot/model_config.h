/* model_config.h: what the configuration says of experts, gate and choice. Plain data; defaults, bounds and help
 * stand in the option table (src/config/options.c). */
#ifndef MOT_MODEL_CONFIG_H
#define MOT_MODEL_CONFIG_H

#include "mot/mixed.h"
#include "mot/neuron.h"
#include "mot/params.h"
#include "mot/payload.h"

enum { MOT_MAX_EXPERTS = 4096, MOT_MAX_SHARED = 1024 };

typedef enum mot_pool { MOT_POOL_MEAN, MOT_POOL_CLASS } mot_pool;
typedef enum mot_activation {
    MOT_ACTIVATION_CUBIC,
    MOT_ACTIVATION_IDENTITY,
    MOT_ACTIVATION_RELU,
    MOT_ACTIVATION_GELU
} mot_activation;
typedef enum mot_attention { MOT_ATTENTION_SOFTMAX, MOT_ATTENTION_NONE } mot_attention;
typedef enum mot_readout { MOT_READOUT_SUM, MOT_READOUT_MEAN, MOT_READOUT_FIRST } mot_readout;
typedef struct mot_merged_config { /* keys model.merged.*: the expert kind `merged` alone */
    mot_activation activation;
    mot_readout readout;     /* over the tokens: sum, mean, or the first token alone */
    mot_attention attention; /* none: neurons read the tokens as they are, and there is no A */
    size_t heads;            /* H, each with an A and neurons of its own */
    size_t neurons;          /* J of a head */
    double init;             /* W ~ N(0, init^2 / D) at the start; A = 0 */
} mot_merged_config;

/* What the user says of the operands of matrix products; mot_model_choose_precision (model.h) comes to a mot_precision. */
typedef enum mot_precision_rule {
    MOT_RULE_FP32,
    MOT_RULE_BF16, /* where it is faster; a warning says where it is not */
    MOT_RULE_AUTO, /* where it is faster */
    MOT_RULE_BF16_ALWAYS
} mot_precision_rule;

typedef struct mot_expert_config {   /* keys model.* */
    int kind;                        /* row of mot_expert_kinds */
    int experts;                     /* E */
    size_t patch;                    /* pictures: side of a patch, pixels */
    size_t width, heads, depth, ffn; /* D, heads, blocks, hidden width of the FFN */
    mot_pool pool;
    size_t tile;      /* samples a tile; 0: chosen from the sizes (never from the machine) */
    size_t strip;     /* samples a strip, rounded up to whole tiles; 0: likewise */
    mot_part_set tie; /* parts that all experts share */
    mot_precision_rule precision;
    mot_merged_config merged;
    struct {
        mot_neuron_activation activation;
    } hermite; /* keys model.hermite.*: the expert kind `hermite` alone */
} mot_expert_config;

enum { MOT_MAX_PROTOTYPES = 64 };
typedef enum mot_told { MOT_TOLD_GROUP, MOT_TOLD_LABEL } mot_told;
typedef enum mot_gate_input {
    MOT_GATE_MEAN,
    MOT_GATE_SUM,
    MOT_GATE_FLAT,
    MOT_GATE_STATE /* of model.layers alone: what comes into the layer */
} mot_gate_input;
typedef struct mot_gate_config { /* keys gate.* */
    int kind;                    /* row of mot_gate_kinds */
    mot_told told;        /* fixed: what it routes by */
    mot_gate_input input; /* mean or sum over the tokens, or all numbers of the sample side by side; or the mean over a state's rows */
    size_t hidden;        /* mlp: hidden units */
    size_t prototypes;    /* classes: of each class; 0 is 1 */
    double init;          /* deviation of the initial weights of the last layer; 0: all start at 0 */
} mot_gate_config;

typedef enum mot_noise { MOT_NOISE_NONE, MOT_NOISE_UNIFORM, MOT_NOISE_GUMBEL, MOT_NOISE_GAUSSIAN } mot_noise;
typedef enum mot_scale { MOT_SCALE_PROB, MOT_SCALE_CHOSEN, MOT_SCALE_NONE } mot_scale;
/* What of the experts' outputs f_k, logits where targets are classes, is mixed by their weights. */
typedef enum mot_combine {
    MOT_COMBINE_OUTPUTS,       /* F = sum_k w_k f_k */
    MOT_COMBINE_PROBABILITIES, /* F = log sum_k w_k softmax(f_k) (likelihood.h) */
} mot_combine;
/* When experts may change ranks. */
typedef enum mot_rebalance {
    MOT_REBALANCE_NEVER,
    MOT_REBALANCE_STAGE,
    MOT_REBALANCE_EVAL,
    MOT_REBALANCE_CHECKPOINT
} mot_rebalance;

/* Between which parties rows travel. */
typedef enum mot_exchange_form {
    MOT_EXCHANGE_AUTO,   /* nodes, where the ranks of a host can share memory */
    MOT_EXCHANGE_DIRECT, /* ranks */
    MOT_EXCHANGE_NODE,   /* hosts, whose ranks share memory */
} mot_exchange_form;

/* A number of steps, or per cent of the run's, from which the number follows once its length is known. */
typedef struct mot_span {
    mot_gidx steps;
    double percent; /* 0: a number was given; MOT_SPAN_AUTO: neither was */
} mot_span;
#define MOT_SPAN_AUTO (-1.0)

/* What keeps the choices from settling too soon, or on too few experts; a stage may have its own. */
typedef struct mot_exploration { /* keys route.*, in a stage without route. */
    mot_noise noise;             /* added to the logits for choosing only, in training only */
    double noise_scale,
        noise_end;        /* lambda at step 0 of the run and from step noise_steps on, linear between */
    mot_span noise_steps; /* 0: constant noise_scale */
    double balance_loss;  /* coefficient of the Switch loss; 0: off */
    double z_loss;        /* coefficient of the z-loss */
    double balance_bias;  /* step of the loss-free bias (added to the logits for choosing only) */
} mot_exploration;

/* Those that a layer of several may have for itself. */
typedef enum mot_own_key {
    MOT_OWN_NOISE,
    MOT_OWN_NOISE_SCALE,
    MOT_OWN_NOISE_END,
    MOT_OWN_NOISE_STEPS,
    MOT_OWN_BALANCE_LOSS,
    MOT_OWN_Z_LOSS,
    MOT_OWN_BALANCE_BIAS
} mot_own_key;

typedef struct mot_route_config { /* keys route.* */
    int top_k;                    /* 1 .. E; 0: all (soft routing) */
    mot_scale scale; /* weight of an expert's output: its softmax probability over all experts, over the
                                     chosen ones, or 1/K; of a control too, whose scores are all 0 */
    mot_combine combine;
    mot_exploration explore; /* of the stage at hand; in a layer's configuration what is its own */
    unsigned own; /* of a layer of several: bits 1u << mot_own_key: what holds in every stage, in place of the stage's */
    char placement[4096];    /* "even" or "[[0,1],[2],...]": row r lists the experts of rank r */
    bool dedicated;          /* coordinator: dedicated: rank 0 owns no expert (when there is another rank) */
    bool split;              /* ranks with little to do help experts with many samples */
    mot_rebalance rebalance;
    int chunks;          /* pieces in which a batch moves */
    mot_payload payload; /* how numbers travel */
    mot_exchange_form exchange;
} mot_route_config;

/* ---- several layers: the list model.layers ---- */

typedef enum mot_layer_role {
    MOT_LAYER_EMBED,   /* samples become states; first */
    MOT_LAYER_DENSE,   /* blocks that all samples pass */
    MOT_LAYER_EXPERTS, /* a gate and its experts, each of them blocks */
    MOT_LAYER_HEAD     /* states become outputs; last */
} mot_layer_role;

enum { MOT_MAX_LAYERS = 16 };

/* One of them; what it does not say is as in model.*, gate.* and route.*. */
typedef struct mot_layer_config {
    mot_layer_role role;
    mot_expert_config model;
    mot_gate_config gate;   /* of experts, as what follows */
    mot_route_config route; /* explore: where it is the layer's own */
    bool residual;          /* y = x + sum_k w_k f_k(x), f what an expert's blocks add; else y = sum_k w_k (x + f_k(x)) */
    int shared;             /* experts that every sample passes beside those; each with weight 1 */
} mot_layer_config;

typedef enum mot_recompute { MOT_RECOMPUTE_AUTO, MOT_RECOMPUTE_YES, MOT_RECOMPUTE_NO } mot_recompute;

#endif
