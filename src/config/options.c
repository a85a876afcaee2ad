/* The table of options, in the order of the help. A row has key, what another value changes in a run that
 * goes on (where nothing stands it is refused), field, bounds, default, unit, help. */
#include "mot/expert.h"
#include "mot/gate.h"
#include "mot/source.h"
#include "mot/stage_action.h"
#include "mot/task_change.h"
#include "option.h"

/* The order of every list is that of its enum. */
static const char *const neuron_names[] = {MOT_NEURON_ACTIVATIONS, NULL};
static const char *const labels_names[] = {"signed", "vector", NULL};
static const char *const teacher_gate_names[] = {"sigmoid", "softmax", NULL};
static const char *const split_names[] = {"class", "group", "file", NULL};
static const char *const order_names[] = {"stored", "drawn", NULL};
static const char *const heads_names[] = {"task", "one", NULL};
static const char *const target_names[] = {"label", "group", NULL};
static const char *const pool_names[] = {"mean", "class", NULL};
static const char *const activation_names[] = {"cubic", "identity", "relu", "gelu", NULL};
static const char *const attention_names[] = {"softmax", "none", NULL};
static const char *const readout_names[] = {"sum", "mean", "first", NULL};
static const char *const told_names[] = {"group", "label", NULL};
static const char *const gate_input_names[] = {"mean", "sum", "flat", NULL};
static const char *const recompute_names[] = {"auto", "yes", "no", NULL};
static const char *const scale_names[] = {"prob", "chosen", "none", NULL};
static const char *const combine_names[] = {"outputs", "probabilities", NULL};
static const char *const noise_names[] = {"none", "uniform", "gumbel", "gaussian", NULL};
static const char *const precision_names[] = {"fp32", "bf16", "auto", "bf16_always", NULL};
static const char *const payload_names[] = {"fp32", "bf16", NULL};
static const char *const rebalance_names[] = {"never", "stage", "eval", "checkpoint", NULL};
static const char *const exchange_names[] = {"auto", "direct", "node", NULL};
static const char *const coordinator_names[] = {"shared", "dedicated", NULL};
static const char *const nonfinite_names[] = {"stop", "skip_step", "rollback", NULL};
static const char *const prune_names[] = {"group", "cluster", "oracle", "single", NULL};
static const char *const strategy_names[] = {"none", "concurrent", "sequential", "hybrid", "joint", NULL};
static const char *const memory_names[] = {"task", "class", "reservoir", NULL};
static const char *const revisit_names[] = {"oldest", "newest", "dissimilar", NULL};
static const char *const optimizer_names[] = {"sgd", "normalized_gd", "adamw", NULL};
static const char *const schedule_names[] = {"constant", "linear", "cosine", "auto", NULL};

#define IN_CONFIG(field) .offset = offsetof(mot_config, field), .size = sizeof(((mot_config *)0)->field)
#define IN_STAGE(field)                                                                                      \
    .offset = offsetof(mot_stage_config, field), .size = sizeof(((mot_stage_config *)0)->field)
#define KEY(name)       .key = name
#define STAGE_KEY(name) .key = "train." name, .stage_key = name
#define ROUTE_KEY(name) .key = "route." name, .stage_key = name

/* What another value changes in a run that goes on. */
#define LEARNS  .role = MOT_KEY_LEARNS
#define PLACES  .role = MOT_KEY_PLACES
#define REPORTS .role = MOT_KEY_REPORTS

#define INTEGER(low_, high_) .type = MOT_OPTION_INTEGER, .least = low_, .most = high_
#define REAL(low_, high_)    .type = MOT_OPTION_REAL, .low = low_, .high = high_
#define CHOICE(names)        .type = MOT_OPTION_CHOICE, .choices = names
#define KIND(kinds_)         .type = MOT_OPTION_CHOICE, .kinds = &kinds_
#define BOOLEAN              .type = MOT_OPTION_BOOLEAN
#define DURATION             .type = MOT_OPTION_DURATION, .high = MOST_SECONDS
#define REALS(least_, most_, low_, high_)                                                                    \
    .type = MOT_OPTION_REALS, .least = least_, .most = most_, .low = low_, .high = high_
#define TEXT(most_)         .type = MOT_OPTION_TEXT, .least = 1, .most = (most_)
#define TEXTS(most_, items_) .type = MOT_OPTION_TEXTS, .most = most_, .items = items_
#define DEFAULT(text)       .fallback = text
#define SAME_AS(stage_key_) .fallback = "same", .inherits = stage_key_
#define UNIT(text)          .unit = text
#define HELP(text)          .help = text

/* Step counts stay far from the end of mot_gidx, so that sums of them cannot overflow. */
#define MOST_STEPS   UINT64_C(1000000000000)
#define MOST_SAMPLES UINT64_C(1000000000)
#define MOST_FACTOR  1e6
#define MOST_SECONDS (365 * 86400.0)
#define ALL_PARTS    ((1u << MOT_PARTS) - 1)

/* clang-format off */
const mot_option mot_options[] = {
    {KEY("run"), REPORTS, IN_CONFIG(run), TEXT(500), DEFAULT(""),
     HELP("Folder of the run; when left out it is runs/NAME for a configuration NAME.yaml.")},
    {KEY("seed"), IN_CONFIG(seed), INTEGER(0, UINT64_MAX), DEFAULT("1"),
     HELP("Seed of every random number: order of the data, initial values, noise, augmentation.")},
    {KEY("threads"), PLACES, IN_CONFIG(threads), INTEGER(1, 1024), .word = "auto", DEFAULT("auto"), UNIT("threads a rank"),
     HELP("Threads of a rank; auto divides the cores that it may use by the ranks that may use them too.")},
    {KEY("stop_after"), PLACES, IN_CONFIG(stop_after), DURATION, DEFAULT("0s"),
     HELP("Stops after this time with a checkpoint and exit code 75, as a signal does; with 0 never.")},

    {KEY("data.source"), IN_CONFIG(data.source), KIND(mot_source_kinds), DEFAULT("file"),
     HELP("Samples come from data.file, from the synthetic mixture or a teacher, which any rank makes as it goes, from a stream of tasks, or (mot bench alone) are random numbers.")},
    {KEY("data.file"), REPORTS, IN_CONFIG(data.file), TEXT(511), DEFAULT(""),
     HELP("The data set, an HDF5 file made by mot data; required by the source file.")},
    {KEY("data.mixture.classes"), IN_CONFIG(data.mixture.classes), INTEGER(2, MOT_MIXTURE_MAX_CLASSES), DEFAULT("4"),
     HELP("Mixture: classes N; they are the groups of the data, the labels are -1 and +1.")},
    {KEY("data.mixture.tokens"), IN_CONFIG(data.mixture.tokens), INTEGER(4, 1 << 20), DEFAULT("8"),
     HELP("Mixture: tokens L of a sample: class signal, classification signal, distractor, and noise.")},
    {KEY("data.mixture.width"), IN_CONFIG(data.mixture.width), INTEGER(4, 1 << 16), DEFAULT("32"),
     HELP("Mixture: numbers D of a token, at least one a signal.")},
    {KEY("data.mixture.labels"), IN_CONFIG(data.mixture.vector_labels), CHOICE(labels_names), DEFAULT("signed"),
     HELP("Mixture: the label is the sign of one classification signal a class, or each sign has a signal.")},
    {KEY("data.mixture.alpha"), IN_CONFIG(data.mixture.alpha), REALS(1, 2, -MOST_FACTOR, MOST_FACTOR), DEFAULT("1"),
     HELP("Mixture: strength of the classification signal, a number or [lo, hi].")},
    {KEY("data.mixture.beta"), IN_CONFIG(data.mixture.beta), REALS(1, 2, -MOST_FACTOR, MOST_FACTOR), DEFAULT("1"),
     HELP("Mixture: strength of the class signal.")},
    {KEY("data.mixture.gamma"), IN_CONFIG(data.mixture.gamma), REALS(1, 2, -MOST_FACTOR, MOST_FACTOR), DEFAULT("1"),
     HELP("Mixture: strength of the distractor.")},
    {KEY("data.mixture.sigma"), IN_CONFIG(data.mixture.sigma), REAL(0, MOST_FACTOR), DEFAULT("0.5"),
     HELP("Mixture: length of a noise token.")},
    {KEY("data.mixture.correlation"), IN_CONFIG(data.mixture.correlation), REAL(0, 1), .below = true, DEFAULT("0"),
     HELP("Mixture: cosine between any two signals.")},
    {KEY("data.mixture.class_weights"), IN_CONFIG(data.mixture.class_weight),
     REALS(0, MOT_MIXTURE_MAX_CLASSES, 0, MOST_FACTOR), DEFAULT("[]"),
     HELP("Mixture: how often each class is drawn, as ratios; [] is all alike.")},
    {KEY("data.mixture.train"), IN_CONFIG(data.mixture_train), INTEGER(1, MOST_SAMPLES), .word = "fresh",
     DEFAULT("fresh"), UNIT("samples"),
     HELP("Mixture: size of a training set that is gone through again and again, or fresh samples for ever.")},
    {KEY("data.mixture.eval"), REPORTS, IN_CONFIG(data.mixture_eval), INTEGER(1, MOST_SAMPLES), DEFAULT("10000"), UNIT("samples"),
     HELP("Mixture: samples of an evaluation; the split eval.split decides which.")},
    {KEY("data.random.tokens"), IN_CONFIG(data.random.tokens), INTEGER(1, 1 << 20), DEFAULT("64"),
     HELP("Random numbers: tokens of a sample.")},
    {KEY("data.random.width"), IN_CONFIG(data.random.width), INTEGER(1, 1 << 16), DEFAULT("48"),
     HELP("Random numbers: numbers a token.")},
    {KEY("data.random.classes"), IN_CONFIG(data.random.classes), INTEGER(2, 1 << 20), DEFAULT("10"),
     HELP("Random numbers: classes, drawn alike.")},
    {KEY("data.random.samples"), IN_CONFIG(data.random.samples), INTEGER(1, MOST_SAMPLES), DEFAULT("1024"),
     UNIT("samples"), HELP("Random numbers: samples, all held by every rank and gone through again and again.")},
    {KEY("data.teacher.experts"), IN_CONFIG(data.teacher.experts), INTEGER(1, MOT_TEACHER_MAX_EXPERTS), DEFAULT("2"),
     HELP("Teacher: its experts m; the target, a number, is the sum over them of gate times neuron.")},
    {KEY("data.teacher.width"), IN_CONFIG(data.teacher.width), INTEGER(2, 1 << 16), DEFAULT("32"),
     HELP("Teacher: numbers D of a sample, N(0, 1), at least 2m.")},
    {KEY("data.teacher.activation"), IN_CONFIG(data.teacher.activation), CHOICE(neuron_names), DEFAULT("hermite"),
     HELP("Teacher: what a neuron makes of its sum a: a^3 - 3a, a^2 - 1, max(0, a) or tanh a.")},
    {KEY("data.teacher.gate"), IN_CONFIG(data.teacher.gate), CHOICE(teacher_gate_names), DEFAULT("sigmoid"),
     HELP("Teacher: each expert has a gate of its own, or they share the softmax.")},
    {KEY("data.teacher.correlation"), IN_CONFIG(data.teacher.correlation), REAL(0, 1), .below = true, DEFAULT("0"),
     HELP("Teacher: cosine between any two of its 2m vectors, of gates and neurons.")},
    {KEY("data.teacher.train"), IN_CONFIG(data.teacher_train), INTEGER(0, MOST_SAMPLES), .word = "fresh",
     DEFAULT("fresh"), UNIT("samples"),
     HELP("Teacher: size of a training set that is gone through again and again, or fresh samples for ever (0).")},
    {KEY("data.teacher.eval"), REPORTS, IN_CONFIG(data.teacher_eval), INTEGER(1, MOST_SAMPLES), DEFAULT("10000"), UNIT("samples"),
     HELP("Teacher: samples of an evaluation; the split eval.split decides which.")},
    {KEY("data.stream.files"), REPORTS, IN_CONFIG(data.stream.files), TEXTS(16, "a data set"), DEFAULT(""),
     HELP("Stream: the data sets that its tasks are made of, HDF5 files made by mot data, of one form; classes of later ones get the numbers behind.")},
    {KEY("data.stream.split"), IN_CONFIG(data.stream.split), CHOICE(split_names), DEFAULT("class"),
     HELP("Stream: a task is some of the classes, some of the groups, or a data set.")},
    {KEY("data.stream.tasks"), IN_CONFIG(data.stream.tasks), INTEGER(1, 256), .word = "auto", DEFAULT("auto"), UNIT("tasks"),
     HELP("Stream: classes or groups are dealt to so many tasks, of which the earliest have one more where the number does not divide; of more tasks than data sets later ones begin with the first data set again. By class it must be given; auto is a task a group, or a data set.")},
    {KEY("data.stream.order"), IN_CONFIG(data.stream.drawn), CHOICE(order_names), DEFAULT("stored"),
     HELP("Stream: classes, groups or data sets make tasks in the order of their numbers, or in one that is drawn by the seed.")},
    {KEY("data.stream.heads"), IN_CONFIG(data.stream.one_head), CHOICE(heads_names), DEFAULT("task"),
     HELP("Stream: each task has classes of its own, also where tasks share those of a data set, and the softmax of a known task is over them alone; or all tasks have one head.")},
    {KEY("data.stream.changes"), IN_CONFIG(data.stream.changes),
     TEXTS(256, "none or up to 4 changes of a task joined by \" + \" (rotate DEGREES, flip, transpose, negate, blur PIXELS, noise DEVIATION, colours, pixels, columns, words, drop SHARE, labels SHARE)"),
     .is_item = mot_task_changes_known, DEFAULT("none"),
     HELP("Stream: what is done to the samples of the first task, the second, ...; behind its end the list begins again. All splits of a task are changed alike, but for labels, of which a share of the training samples' is wrong.")},
    {KEY("data.shuffle"), IN_CONFIG(data.shuffle), BOOLEAN, DEFAULT("true"),
     HELP("Training samples in an order that is drawn anew for each epoch; false: as they stand in the data set, again and again.")},
    {KEY("data.target"), IN_CONFIG(data.target), CHOICE(target_names), DEFAULT("label"),
     HELP("What is learned: the label of a sample, or its group in the label's place.")},
    {KEY("data.memory"), PLACES, IN_CONFIG(data.memory), .type = MOT_OPTION_BYTES, .least = 0,
     .most = UINT64_C(1) << 50, DEFAULT("256 MiB"), UNIT("bytes"),
     HELP("A rank holds a split in memory up to this size; a larger split is read as it is needed.")},
    {KEY("data.augment.shift"), IN_CONFIG(data.augment.shift), INTEGER(0, 1024), DEFAULT("0"), UNIT("pixels"),
     HELP("Pictures are moved by up to this much in each direction, with 0 at the edges.")},
    {KEY("data.augment.flip"), IN_CONFIG(data.augment.flip), BOOLEAN, DEFAULT("false"),
     HELP("Pictures are flipped horizontally with probability 1/2.")},
    {KEY("data.augment.drop"), IN_CONFIG(data.augment.drop), REAL(0, 1), DEFAULT("0"), UNIT("probability"),
     HELP("Each token of a text becomes the unknown token with this probability.")},

    {KEY("model.kind"), IN_CONFIG(model.kind), KIND(mot_expert_kinds), DEFAULT("encoder"),
     HELP("What an expert is: an encoder of many blocks, or the theory's merged attention and neurons.")},
    {KEY("model.experts"), IN_CONFIG(model.experts), INTEGER(1, MOT_MAX_EXPERTS), DEFAULT("4"),
     HELP("Number of experts E that a run begins with; the end of a stage may let some go. 1 is the dense transformer.")},
    {KEY("model.patch"), IN_CONFIG(model.patch), INTEGER(1, 4096), DEFAULT("4"), UNIT("pixels"),
     HELP("Pictures are cut into square patches of this side, one token each.")},
    {KEY("model.width"), IN_CONFIG(model.width), INTEGER(1, 16384), DEFAULT("64"),
     HELP("Width D of a token inside an expert; divisible by model.heads.")},
    {KEY("model.heads"), IN_CONFIG(model.heads), INTEGER(1, 1024), DEFAULT("4"),
     HELP("Attention heads of a block.")},
    {KEY("model.depth"), IN_CONFIG(model.depth), INTEGER(1, 128), DEFAULT("2"), HELP("Blocks of an expert.")},
    {KEY("model.ffn"), IN_CONFIG(model.ffn), INTEGER(1, 65536), DEFAULT("256"),
     HELP("Hidden width of the feed-forward layer of a block.")},
    {KEY("model.pool"), IN_CONFIG(model.pool), CHOICE(pool_names), DEFAULT("mean"),
     HELP("What the head reads: the mean over the tokens, or a class token of its own.")},
    {KEY("model.tile"), IN_CONFIG(model.tile), INTEGER(0, 65536), DEFAULT("0"), UNIT("samples"),
     HELP("Samples an expert works on at once; 0 is chosen from the sizes, never from the machine.")},
    {KEY("model.strip"), IN_CONFIG(model.strip), INTEGER(0, 1 << 20), DEFAULT("0"), UNIT("samples"),
     HELP("Samples of an expert that one thread works on, rounded up to whole tiles; 0 is chosen likewise.")},
    {KEY("model.tie"), IN_CONFIG(model.tie), .type = MOT_OPTION_PARTS, .least = 0,
     .most = ALL_PARTS & ~(1u << MOT_PART_GATE), DEFAULT("[]"), HELP("Parts that all experts share.")},

    {KEY("model.precision"), IN_CONFIG(model.precision), CHOICE(precision_names), DEFAULT("fp32"),
     HELP("Operands of an encoder's matrix products. auto: bf16 where all processors have it (AVX512_BF16) and it is measured to be faster, at the start of a run, for as long as that lasts; bf16: the same, and a warning where it is not so; bf16_always: however slow. Sums, values, gradients and all else are fp32.")},

    {KEY("model.residual"), IN_CONFIG(residual), BOOLEAN, DEFAULT("true"),
     HELP("Of model.layers: experts add to what comes in, y = x + sum of w f(x), f what their blocks add; or y = sum of w (x + f(x)).")},
    {KEY("model.shared"), IN_CONFIG(shared), INTEGER(0, MOT_MAX_SHARED), DEFAULT("0"),
     HELP("Of model.layers: experts of a layer that every sample passes beside those it is sent to, like them in form and with weight 1; all ranks hold them.")},
    {KEY("model.recompute"), PLACES, IN_CONFIG(recompute), CHOICE(recompute_names), DEFAULT("auto"),
     HELP("Of model.layers: whether activations are made again on the way back from a layer's input, or kept; auto keeps them while they take no more than model.memory.")},
    {KEY("model.memory"), PLACES, IN_CONFIG(activation_memory), .type = MOT_OPTION_BYTES, .least = 0,
     .most = UINT64_C(1) << 50, DEFAULT("1 GiB"), UNIT("bytes"),
     HELP("Of model.layers: what the activations of a rank may take before auto makes them again.")},

    {KEY("model.merged.activation"), IN_CONFIG(model.merged.activation), CHOICE(activation_names), DEFAULT("cubic"),
     HELP("Kind merged: activation of a neuron.")},
    {KEY("model.merged.readout"), IN_CONFIG(model.merged.readout), CHOICE(readout_names), DEFAULT("sum"),
     HELP("Kind merged: the output is the sum or the mean over the tokens, or that of the first token.")},
    {KEY("model.merged.attention"), IN_CONFIG(model.merged.attention), CHOICE(attention_names), DEFAULT("softmax"),
     HELP("Kind merged: none lets the neurons read each token alone.")},
    {KEY("model.merged.heads"), IN_CONFIG(model.merged.heads), INTEGER(1, 4096), DEFAULT("1"),
     HELP("Kind merged: attention heads of an expert, each with neurons of its own.")},
    {KEY("model.merged.neurons"), IN_CONFIG(model.merged.neurons), INTEGER(1, 65536), DEFAULT("1"),
     HELP("Kind merged: neurons of a head.")},
    {KEY("model.merged.init"), IN_CONFIG(model.merged.init), REAL(0, MOST_FACTOR), DEFAULT("0.3"),
     HELP("Kind merged: deviation of the initial neurons times the root of the width; attention starts at 0.")},

    {KEY("model.hermite.activation"), IN_CONFIG(model.hermite.activation), CHOICE(neuron_names), DEFAULT("hermite"),
     HELP("Kind hermite: activation of a neuron of unit length: a^3 - 3a, a^2 - 1, relu or tanh.")},

    {KEY("gate.kind"), IN_CONFIG(gate.kind), KIND(mot_gate_kinds), DEFAULT("linear"),
     HELP("How the gate scores the experts; fixed, random and even ones learn nothing. sigmoid and softmax ones are of unit length and send every sample to every expert (route.top_k: all), whose owners score. classes learns the labels, and sends classes (gate.prototypes of them) that it confuses to one expert: all to the first, until a stage ends with action group.")},
    {KEY("gate.told"), IN_CONFIG(gate.told), CHOICE(told_names), DEFAULT("group"),
     HELP("What a fixed gate is told of each sample, in training and evaluation: its group, which the data must have, or its label, after which its accuracy says nothing.")},
    {KEY("gate.input"), IN_CONFIG(gate.input), CHOICE(gate_input_names), DEFAULT("mean"),
     HELP("What the gate sees: mean or sum over the tokens, or all numbers of the sample side by side; in model.layers also, and by default, the state: the mean over the rows that come into the layer.")},
    {KEY("gate.hidden"), IN_CONFIG(gate.hidden), INTEGER(1, 65536), DEFAULT("64"), UNIT("units"),
     HELP("Hidden units of an mlp gate.")},
    {KEY("gate.prototypes"), IN_CONFIG(gate.prototypes), INTEGER(1, MOT_MAX_PROTOTYPES), DEFAULT("1"), UNIT("a class"),
     HELP("Kind classes: linear scores of each class, whose probability is the sum over them, and which may go to several experts. One is enough where each class is of one source; where sources share classes, as many as there are sources.")},
    {KEY("gate.init"), IN_CONFIG(gate.init), REAL(0, MOST_FACTOR), DEFAULT("0"),
     HELP("Deviation of the initial weights of the gate's last layer; with 0 all experts score alike, but sigmoid and softmax gates, which have unit length, and prototypes of a class, which would stay alike, begin with that of 1 over the root of their inputs (prototypes of words: 0.5).")},

    {KEY("route.top_k"), IN_CONFIG(route.top_k), INTEGER(1, MOT_MAX_EXPERTS), .word = "all", DEFAULT("1"),
     HELP("Experts a sample goes to, those that are left where they are fewer; all is soft routing.")},
    {KEY("route.scale"), IN_CONFIG(route.scale), CHOICE(scale_names), DEFAULT("prob"),
     HELP("Weight of an expert's output: its probability among all experts, among the chosen ones, or 1/K. Controls (fixed, random, even) score all experts alike: 1/E, 1/K or 1/K.")},
    {KEY("route.combine"), IN_CONFIG(route.combine), CHOICE(combine_names), DEFAULT("outputs"),
     HELP("What of a sample's experts is summed by their weights: their outputs, or the probabilities of classes that these stand for. With probabilities the loss is that of a mixture of likelihoods, in which experts compete for samples (needs train.loss cross_entropy and a route.top_k above 1).")},
    {ROUTE_KEY("noise"), IN_STAGE(explore.noise), CHOICE(noise_names), DEFAULT("uniform"),
     HELP("Noise added to the scores for choosing only, in training only.")},
    {ROUTE_KEY("noise_scale"), IN_STAGE(explore.noise_scale), REAL(0, MOST_FACTOR), DEFAULT("3"),
     HELP("Size of the noise at step 0 of the run.")},
    {ROUTE_KEY("noise_end"), IN_STAGE(explore.noise_end), REAL(0, MOST_FACTOR), DEFAULT("0"),
     HELP("Size of the noise from step noise_steps of the run on.")},
    {ROUTE_KEY("noise_steps"), LEARNS, IN_STAGE(explore.noise_steps), .type = MOT_OPTION_SPAN, .least = 0, .most = MOST_STEPS,
     .word = "auto", DEFAULT("auto"), UNIT("steps of the run, or a share of them"),
     HELP("Steps of the run in which the noise goes from noise_scale to noise_end, also where a stage gives them; 50% is half of the run; with 0 it stays at noise_scale; auto: all of the run, or 1000 steps where no end in steps or epochs is given.")},
    {ROUTE_KEY("balance_loss"), IN_STAGE(explore.balance_loss), REAL(0, MOST_FACTOR), DEFAULT("0.5"),
     HELP("Coefficient of the load-balancing loss; 0 is off.")},
    {ROUTE_KEY("z_loss"), IN_STAGE(explore.z_loss), REAL(0, MOST_FACTOR), DEFAULT("0"),
     HELP("Coefficient of the squared log-sum-exp of the gate's scores; 0 is off.")},
    {ROUTE_KEY("balance_bias"), IN_STAGE(explore.balance_bias), REAL(0, MOST_FACTOR), DEFAULT("0"),
     HELP("Step of the bias that evens the load without a loss; 0 is off.")},
    {KEY("route.placement"), PLACES, IN_CONFIG(route.placement), .type = MOT_OPTION_PLACEMENT, DEFAULT("even"),

     HELP("Which rank owns which experts; even spreads them in order, row r of a list is rank r.")},
    {KEY("route.coordinator"), PLACES, IN_CONFIG(route.dedicated), CHOICE(coordinator_names), DEFAULT("shared"),
     HELP("Whether rank 0 owns experts like the others, or none (dedicated) when there is another rank.")},
    {KEY("route.split"), PLACES, IN_CONFIG(route.split), BOOLEAN, DEFAULT("false"),
     HELP("Ranks with little to do take over strips of experts with many samples; the bits stay the same.")},
    {KEY("route.rebalance"), PLACES, IN_CONFIG(route.rebalance), CHOICE(rebalance_names), DEFAULT("never"),
     HELP("When experts may move to other ranks, by the samples they had: as a stage begins, or after each evaluation or checkpoint; the bits stay the same.")},
    {KEY("route.chunks"), IN_CONFIG(route.chunks), INTEGER(1, 1024), DEFAULT("1"),
     HELP("Pieces in which a batch moves, so that one travels while another is worked on.")},
    {KEY("route.exchange"), PLACES, IN_CONFIG(route.exchange), CHOICE(exchange_names), DEFAULT("auto"),
     HELP("Rows go from rank to rank, or through memory that a node's ranks share; auto shares where it can.")},
    {KEY("route.payload"), IN_CONFIG(route.payload), CHOICE(payload_names), DEFAULT("fp32"),
     HELP("Vector samples, outputs, states of model.layers and their gradients travel as they are, or rounded to half the bits; other samples as they are.")},

    {KEY("init.from"), IN_CONFIG(init.from), .type = MOT_OPTION_TEXT, .least = 0, .most = 511, DEFAULT(""),
     HELP("Initial values that are not drawn: a run folder, whose newest checkpoint is taken, or a checkpoint, of a run with as many experts or with one, which each expert then begins as; or a .npz file, an array a tensor, named by its path in a checkpoint (gate/weight, experts/ffn/neuron with experts as the first axis). The optimizer begins anew.")},
    {KEY("init.parts"), IN_CONFIG(init.parts), .type = MOT_OPTION_PARTS, .least = 1, .most = ALL_PARTS,
     DEFAULT("[gate, embed, attention, ffn, head]"),
     HELP("Of a run in init.from: the parts that are taken; others are drawn. The gate of a run with one expert is taken only where this one has one too.")},
    {KEY("init.noise"), IN_CONFIG(init.noise), REAL(0, MOST_FACTOR), DEFAULT("0"),
     HELP("Of a run in init.from: N(0, (this times s)^2) is added to each value that an expert takes, s being the deviation of the values of its tensor; so experts that begin as one may part. Tied parts and the gate have none.")},

    {KEY("train.batch"), IN_CONFIG(train.batch), INTEGER(1, MOST_SAMPLES), .word = "auto", DEFAULT("auto"), UNIT("samples"),
     HELP("Samples a step, over all ranks; auto: the power of two from 8 to 128 with which an epoch has 16 steps or a few more, so 128 from 2,048 training samples on.")},
    {KEY("train.loss"), IN_CONFIG(train.loss), KIND(mot_loss_kinds), DEFAULT("cross_entropy"),
     HELP("Loss of a sample.")},
    {KEY("train.on_nonfinite"), LEARNS, IN_CONFIG(train.on_nonfinite), CHOICE(nonfinite_names), DEFAULT("stop"),
     HELP("A loss or gradient that is not finite ends the run, leaves out the step's update, or sends the run back to its last checkpoint and on behind the batch.")},
    {.stage_key = "name", IN_STAGE(name), TEXT(63), DEFAULT("train"),
     HELP("Name of the stage, unique; stageN for the N-th (from 0) when left out.")},
    {.key = "train.parts", .stage_key = "train", IN_STAGE(train), .type = MOT_OPTION_PARTS, .least = 1,
     .most = ALL_PARTS, DEFAULT("[gate, embed, attention, ffn, head]"),
     HELP("Parts that learn; the others are frozen.")},
    {STAGE_KEY("optimizer"), IN_STAGE(expert.kind), CHOICE(optimizer_names), DEFAULT("adamw"),
     HELP("Optimizer of the experts and of tied parts.")},
    {STAGE_KEY("rate"), LEARNS, IN_STAGE(expert.rate), REAL(0, MOST_FACTOR), .word = "auto", DEFAULT("auto"),
     HELP("Learning rate; auto: 0.001 for vectors, 0.003 for pictures, and 0.01 for texts, whose words learn only where they occur.")},
    {STAGE_KEY("momentum"), IN_STAGE(expert.momentum), REAL(0, 1), .below = true, DEFAULT("0"),
     HELP("Momentum of sgd and normalized_gd.")},
    {STAGE_KEY("beta1"), IN_STAGE(expert.beta1), REAL(0, 1), .below = true, DEFAULT("0.9"),
     HELP("Decay of the first moment in adamw.")},
    {STAGE_KEY("beta2"), IN_STAGE(expert.beta2), REAL(0, 1), .below = true, DEFAULT("0.999"),
     HELP("Decay of the second moment in adamw.")},
    {STAGE_KEY("epsilon"), IN_STAGE(expert.epsilon), REAL(1e-30, 1), DEFAULT("1e-8"),
     HELP("Added to the denominator in adamw.")},
    {STAGE_KEY("weight_decay"), IN_STAGE(expert.weight_decay), REAL(0, MOST_FACTOR), DEFAULT("0"),
     HELP("Weight decay, of matrices and embeddings only; decoupled in adamw.")},
    {STAGE_KEY("clip"), IN_STAGE(expert.clip), REAL(0, MOST_FACTOR), DEFAULT("0"),
     HELP("Largest gradient norm of a unit (an expert, the gate, the tied parts); 0 is off.")},
    {STAGE_KEY("gate_optimizer"), IN_STAGE(gate.kind), CHOICE(optimizer_names), SAME_AS("optimizer"),
     HELP("Optimizer of the gate.")},
    {STAGE_KEY("gate_rate"), LEARNS, IN_STAGE(gate.rate), REAL(0, MOST_FACTOR), .word = "auto", SAME_AS("rate"),
     HELP("Learning rate of the gate.")},
    {STAGE_KEY("gate_momentum"), IN_STAGE(gate.momentum), REAL(0, 1), .below = true, SAME_AS("momentum"),
     HELP("Momentum of the gate.")},
    {STAGE_KEY("gate_beta1"), IN_STAGE(gate.beta1), REAL(0, 1), .below = true, SAME_AS("beta1"),
     HELP("beta1 of the gate.")},
    {STAGE_KEY("gate_beta2"), IN_STAGE(gate.beta2), REAL(0, 1), .below = true, SAME_AS("beta2"),
     HELP("beta2 of the gate.")},
    {STAGE_KEY("gate_epsilon"), IN_STAGE(gate.epsilon), REAL(1e-30, 1), SAME_AS("epsilon"),
     HELP("epsilon of the gate.")},
    {STAGE_KEY("gate_weight_decay"), IN_STAGE(gate.weight_decay), REAL(0, MOST_FACTOR),
     SAME_AS("weight_decay"), HELP("Weight decay of the gate.")},
    {STAGE_KEY("gate_clip"), IN_STAGE(gate.clip), REAL(0, MOST_FACTOR), SAME_AS("clip"),
     HELP("Largest gradient norm of the gate; 0 is off.")},
    {STAGE_KEY("schedule"), IN_STAGE(schedule), CHOICE(schedule_names), DEFAULT("auto"),
     HELP("How the rate moves from its full value to final_rate by the end of the stage or in schedule_steps; auto: cosine, or constant in a stage whose end is not given in steps or epochs.")},
    {STAGE_KEY("schedule_steps"), LEARNS, IN_STAGE(schedule_steps), INTEGER(1, MOST_STEPS), .word = "auto", DEFAULT("auto"),
     UNIT("steps"),
     HELP("Steps of the stage, warm-up included, after which a linear or cosine schedule has come to final_rate, where it stays; auto: those of until. A run that is made longer keeps the schedule that it began with, unless this says otherwise.")},
    {STAGE_KEY("warmup"), IN_STAGE(warmup), INTEGER(0, MOST_STEPS), DEFAULT("0"), UNIT("steps"),
     HELP("Steps in which the rate grows from 0 to its full value.")},
    {STAGE_KEY("final_rate"), LEARNS, IN_STAGE(final_rate), REAL(0, 1), DEFAULT("0.1"), UNIT("fraction of rate"),
     HELP("What a linear or cosine schedule ends at.")},
    {STAGE_KEY("until"), LEARNS, IN_STAGE(until), .type = MOT_OPTION_UNTIL, DEFAULT("1 epochs"),
     HELP("When the stage ends; plateau N: nothing gained in a window of N steps. Alignment is that of students with their teacher.")},
    {STAGE_KEY("action"), IN_STAGE(action), KIND(mot_stage_actions), DEFAULT("none"),
     HELP("What is done once at the end of the stage, before the next begins; drop_idle: experts go that the gate gave less than a hundredth of a fair share of its last samples; group: a gate of kind classes deals classes to the experts, which all begin as the first one is.")},
    {STAGE_KEY("prune_rule"), IN_STAGE(prune.rule), CHOICE(prune_names), DEFAULT("group"),
     HELP("Of action prune: groups leave that sum to almost nothing, and one stays of a group that sums to what one gives; or one stays of a cluster that points one way; or what is nearest to each expert of the teacher (oracle); or one leaves after another (single, which does not work).")},
    {STAGE_KEY("prune_keep"), IN_STAGE(prune.keep), INTEGER(1, MOT_MAX_EXPERTS), .word = "auto", DEFAULT("auto"), UNIT("experts"),
     HELP("Of rules group and single: how many experts stay; auto: as many as prune_tolerance leaves.")},
    {STAGE_KEY("prune_tolerance"), IN_STAGE(prune.tolerance), REAL(0, 1), DEFAULT("0.1"), UNIT("half the mean square of an expert's output"),
     HELP("Of rules group and single: loss that a group's leaving may cost.")},
    {STAGE_KEY("prune_cosine"), IN_STAGE(prune.cosine), REAL(0, 1), DEFAULT("0.9"),
     HELP("Of rule cluster: cosine of two directions, in magnitude, from which on they are of one cluster.")},

    {KEY("rehearsal.strategy"), IN_CONFIG(rehearsal.strategy), CHOICE(strategy_names), DEFAULT("concurrent"),
     HELP("What a task of a stream learns from, in as many steps whatever it is: none: its own samples; concurrent: they and the memory of old tasks together; sequential: its own, then the memory of one old task after another; hybrid: its own and the memory of similar tasks together, then that of each other one; joint: its own and all samples of old tasks.")},
    {KEY("rehearsal.memory"), IN_CONFIG(rehearsal.memory), TEXT(63), DEFAULT("200"), UNIT("samples, bytes, or samples a class or task"),
     HELP("Training samples of old tasks that are held: of all of them 500, or 4 MiB as they are stored; or 20 a class, 100 a task (a memory that grows with the tasks, of that form).")},
    {KEY("rehearsal.memory_form"), IN_CONFIG(rehearsal.memory_form), CHOICE(memory_names), DEFAULT("task"),
     HELP("How old tasks share the memory: alike; by their classes; or as a reservoir, in which every sample that was seen stays alike.")},
    {KEY("rehearsal.share"), IN_CONFIG(rehearsal.share), REAL(0, 1), .below = true, .word = "auto", DEFAULT("auto"), UNIT("fraction"),
     HELP("How much of what a task learns is old, in samples of a batch where they are learned together, else in steps; auto: as many as there are in the memory beside its own.")},
    {KEY("rehearsal.order"), IN_CONFIG(rehearsal.order), CHOICE(revisit_names), DEFAULT("oldest"),
     HELP("Of sequential and hybrid: which old task is revisited first.")},
    {KEY("rehearsal.tau"), IN_CONFIG(rehearsal.tau), REAL(-1, 1), DEFAULT("0"), UNIT("cosine"),
     HELP("Of hybrid: an old task is similar whose gradient has this cosine with the new one's, or more, as the new one begins.")},
    {KEY("rehearsal.parts"), IN_CONFIG(rehearsal.parts), .type = MOT_OPTION_PARTS, .least = 1, .most = ALL_PARTS,
     DEFAULT("[gate, embed, attention, ffn]"), HELP("Parts whose gradients are compared.")},
    {KEY("rehearsal.cosine_samples"), IN_CONFIG(rehearsal.cosine_samples), INTEGER(1, MOST_SAMPLES), DEFAULT("512"), UNIT("samples"),
     HELP("Of a task, at most, for its gradient.")},
    {KEY("rehearsal.compare_after"), IN_CONFIG(rehearsal.compare_after), INTEGER(0, MOST_STEPS), DEFAULT("0"), UNIT("steps"),
     HELP("Steps of a new task, on its own samples alone, behind which gradients are compared: as it begins (0), its head is not of its classes yet.")},
    {KEY("rehearsal.grow"), IN_CONFIG(rehearsal.grow), INTEGER(0, MOT_MAX_EXPERTS), DEFAULT("0"), UNIT("experts a task"),
     HELP("Experts that each task but the first has new, until all model.experts are there: those of later tasks get no sample before; 0: all are there from the first task on.")},
    {KEY("rehearsal.freeze_old"), IN_CONFIG(rehearsal.freeze_old), BOOLEAN, DEFAULT("false"),
     HELP("With grow: experts of former tasks stand still.")},
    {KEY("rehearsal.gate_tasks"), IN_CONFIG(rehearsal.gate_tasks), INTEGER(1, 1 << 20), .word = "all", DEFAULT("all"), UNIT("tasks"),
     HELP("The gate learns in the first so many tasks, and then stands still.")},

    {KEY("eval.split"), REPORTS, IN_CONFIG(eval.split), TEXT(15), DEFAULT("test"),
     HELP("Split of the data set that is evaluated.")},
    {KEY("eval.every"), REPORTS, IN_CONFIG(eval.every), INTEGER(0, MOST_STEPS), DEFAULT("0"), UNIT("steps"),
     HELP("Steps between evaluations; with 0 at the end of the run only.")},
    {KEY("eval.batch"), REPORTS, IN_CONFIG(eval.batch), INTEGER(1, MOST_SAMPLES), DEFAULT("256"), UNIT("samples"),
     HELP("Samples a pass of an evaluation.")},
    {KEY("eval.start"), REPORTS, IN_CONFIG(eval.start), BOOLEAN, DEFAULT("false"),
     HELP("An evaluation before the first step as well.")},

    {KEY("checkpoint.every"), REPORTS, IN_CONFIG(checkpoint.every), INTEGER(0, MOST_STEPS),
     DEFAULT("0"), UNIT("steps"),
     HELP("Steps between checkpoints; with 0 at the end of the run only.")},
    {KEY("checkpoint.interval"), REPORTS, IN_CONFIG(checkpoint.interval), DURATION, DEFAULT("0s"),
     HELP("Time between checkpoints, by the clock of rank 0 and to whole steps; with 0s by checkpoint.every alone.")},
    {KEY("checkpoint.background"), REPORTS, IN_CONFIG(checkpoint.background), BOOLEAN, DEFAULT("true"),
     HELP("Checkpoints on the way are copied in memory, and written while training goes on; false saves the memory of the copy.")},
    {KEY("checkpoint.keep"), REPORTS, IN_CONFIG(checkpoint.keep), INTEGER(0, MOST_STEPS), DEFAULT("0"), UNIT("files"),
     HELP("How many of the newest checkpoints stay; with 0 all.")},
    {KEY("checkpoint.keep_every"), REPORTS, IN_CONFIG(checkpoint.keep_every), INTEGER(0, MOST_STEPS), DEFAULT("0"), UNIT("steps"),
     HELP("Checkpoints of steps that are multiples of it stay for ever; with 0 none.")},
    {KEY("checkpoint.best"), REPORTS, IN_CONFIG(checkpoint.best), BOOLEAN, DEFAULT("false"),
     HELP("A checkpoint after each evaluation with the lowest loss so far, which stays until there is a better one.")},
    {KEY("checkpoint.start"), REPORTS, IN_CONFIG(checkpoint.start), BOOLEAN, DEFAULT("false"),
     HELP("A checkpoint of the initial values as well, as step 0.")},

    {KEY("record.every"), REPORTS, IN_CONFIG(record.every), INTEGER(0, MOST_STEPS), DEFAULT("1"), UNIT("steps"),
     HELP("The gate's choices of every n-th step are recorded; with 0 none.")},
    {KEY("record.eval"), REPORTS, IN_CONFIG(record.eval), BOOLEAN, DEFAULT("true"),
     HELP("The gate's choices of every evaluation are recorded.")},

    {KEY("watch.warn"), PLACES, IN_CONFIG(watch.warn), DURATION, DEFAULT("1m"),
     HELP("A rank without progress for this time says where it is and which ranks are missing; with 0 never.")},
    {KEY("watch.abort"), PLACES, IN_CONFIG(watch.abort), DURATION, DEFAULT("10m"),
     HELP("A rank without progress for this time, its own or another's, ends the job with exit code 1; with 0 it "
          "waits for ever.")},

    {KEY("report.every"), REPORTS, IN_CONFIG(report_every), INTEGER(1, MOST_STEPS), DEFAULT("50"), UNIT("steps"),
     HELP("Steps between lines of log.jsonl and of the terminal.")},
    {KEY("report.tensorboard"), REPORTS, IN_CONFIG(report_tensorboard), BOOLEAN, DEFAULT("false"),
     HELP("The numbers of log.jsonl for TensorBoard as well, in RUN/tensorboard.")},
};
/* clang-format on */

const int mot_option_count = MOT_COUNT(mot_options);
_Static_assert(MOT_COUNT(mot_options) <= MOT_OPTION_LIMIT, "mot_config_reader has room for every option");

const mot_option_section mot_option_sections[] = {
    {"", "The run"},
    {"data", "Data"},
    {"model", "Experts"},
    {"gate", "Gate"},
    {"route", "Routing"},
    {"init", "Initial values"},
    {"train", "Training"},
    {"rehearsal", "Rehearsal of a stream of tasks"},
    {"eval", "Evaluation"},
    {"checkpoint", "Checkpoints"},
    {"record", "Record of the gate's choices"},
    {"watch", "Watchdog"},
    {"report", "Report"},
};
const int mot_option_section_count = MOT_COUNT(mot_option_sections);
