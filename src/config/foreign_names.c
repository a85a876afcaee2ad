/* What keys and values are called elsewhere (PyTorch, Keras, Hugging Face, DeepSpeed, Megatron, Lightning, timm), and
 * what they are here. Names differ neither by case nor by '_', '-' and '.': batch_size is also batchSize. A name that is
 * the last part of a key of ours ("momentum", "optimizer") needs no row: it is found by itself. */
#include "option.h"

#define OURS(key_)        .key = key_
#define NOTE(text)        .note = text
#define NONE(text)        .note = text
#define NAMES(text)       .names = text
#define VALUE(key_, name) .key = key_, .value = name

/* clang-format off */
const mot_foreign mot_foreign_keys[] = {
    {NAMES("output_dir save_dir log_dir logging_dir work_dir out_dir run_dir results_dir run_name experiment "
           "experiment_name exp_name default_root_dir checkpoint_dir save save_path project"),
     OURS("run"), NOTE("a folder")},
    {NAMES("random_seed random_state manual_seed rng_seed data_seed"), OURS("seed")},
    {NAMES("num_threads n_threads omp_num_threads cpu_threads n_jobs"), OURS("threads")},
    {NAMES("max_time time_limit exit_duration_in_mins max_train_time max_hours timeout walltime"), OURS("stop_after"),
     NOTE("as 55m")},
    {NAMES("resume_from_checkpoint resume load load_checkpoint ckpt_path checkpoint_path auto_resume restore "
           "from_checkpoint load_from overwrite_output_dir"),
     NONE("the same command goes on from the newest checkpoint in the run folder (run)")},
    {NAMES("pretrained pretrained_model finetune model_name_or_path init_checkpoint"),
     NONE("a run begins with random values, or goes on from checkpoints of its own")},
    {NAMES("deterministic full_determinism cudnn_benchmark use_deterministic_algorithms"),
     NONE("every run is deterministic, on any number of ranks and threads")},
    {NAMES("do_train do_eval do_predict"), NONE("the verb says it: mot train, mot eval or mot predict")},
    {NAMES("device gpu use_cuda cuda no_cuda accelerator use_gpu use_cpu"), NONE("mot computes on CPUs alone")},
    {NAMES("world_size nproc nproc_per_node num_gpus n_gpu gpus num_nodes nnodes num_processes devices num_devices ranks np"),
     NONE("mpirun -n or srun -n say how many ranks there are")},
    {NAMES("local_rank rank node_rank master_addr master_port backend distributed_backend dist_backend"),
     NONE("MPI and its launcher see to it")},
    {NAMES("verbose verbosity quiet log_level disable_tqdm progress_bar"), NONE("mot train --quiet says less")},
    {NAMES("report_to wandb wandb_project use_wandb tensorboard tensorboard_dir use_tensorboard mlflow logger"),
     NONE("all figures stand in log.jsonl and summary.json of the run folder")},

    {NAMES("data_path dataset data_dir dataset_name dataset_path train_file train_data train_path train_dataset input_file"),
     OURS("data.file"), NOTE("made by mot data import")},
    {NAMES("validation_split val_split test_split val_size valid_size test_size validation_fraction val_fraction val_ratio"),
     NONE("a data set is divided as it is made: mot data import --val-fraction, --test-fraction")},
    {NAMES("shuffle_data shuffle_buffer shuffle_train"), OURS("data.shuffle")},
    {NAMES("normalize normalization normalise"), NONE("a data set keeps how it is scaled: mot data import")},
    {NAMES("num_workers dataloader_num_workers workers prefetch_factor pin_memory dataloader_pin_memory"),
     NONE("a thread of each rank loads ahead what lies on a disk")},
    {NAMES("num_classes n_classes num_labels n_labels output_dim vocab_size vocabulary_size num_embeddings padded_vocab_size "
           "image_size img_size input_size in_channels num_channels input_shape max_position_embeddings max_seq_length "
           "max_seq_len seq_len seq_length sequence_length max_length max_len block_size context_length n_positions n_ctx"),
     NONE("it follows from the data set (mot data show)")},
    {NAMES("augmentation data_augmentation transforms"), OURS("data.augment")},
    {NAMES("random_horizontal_flip horizontal_flip random_flip hflip"), OURS("data.augment.flip")},
    {NAMES("random_crop random_shift width_shift_range height_shift_range translate"), OURS("data.augment.shift"),
     NOTE("in pixels")},
    {NAMES("token_dropout word_dropout"), OURS("data.augment.drop")},
    {NAMES("mixup cutmix rand_augment color_jitter random_erasing"),
     NONE("data.augment has shift, flip and drop")},

    {NAMES("network transformer encoder model_config moe_expert"), OURS("model")},
    {NAMES("model_type expert_type arch architecture"), OURS("model.kind")},
    {NAMES("num_experts n_experts num_local_experts moe_num_experts num_moe_experts n_routed_experts expert_count"),
     OURS("model.experts")},
    {NAMES("patch_size"), OURS("model.patch")},
    {NAMES("hidden_size hidden_layer_sizes embedding_size d_model n_embd embed_dim embedding_dim emb_dim hidden_dim model_dim dim"), OURS("model.width")},
    {NAMES("n_heads num_heads num_attention_heads n_head nhead attention_heads encoder_attention_heads"), OURS("model.heads")},
    {NAMES("layers num_layers n_layers n_layer num_hidden_layers num_blocks n_blocks num_encoder_layers encoder_layers"),
     OURS("model.depth")},
    {NAMES("intermediate_size moe_intermediate_size ffn_dim d_ff dim_feedforward ffn_hidden_size ffn_size mlp_dim mlp_size "
           "n_inner encoder_ffn_embed_dim expert_hidden_size"),
     OURS("model.ffn")},
    {NAMES("mlp_ratio ffn_mult"), OURS("model.ffn"), NOTE("as a number of units")},
    {NAMES("pooling global_pool pool_type classifier_pooling"), OURS("model.pool")},
    {NAMES("tie_weights share_weights shared_parts"), OURS("model.tie")},
    {NAMES("bf16 fp16 fp32 half float16 bfloat16 dtype torch_dtype params_dtype amp use_amp autocast mixed_precision"),
     OURS("model.precision"), NOTE("fp32, or bf16 where processors have it; there is no fp16")},
    {NAMES("loss_scale initial_loss_scale dynamic_loss_scale grad_scaler"), NONE("gradients are fp32 and need no scale")},
    {NAMES("num_key_value_heads num_query_groups group_query_attention"), NONE("every head has keys and values of its own")},
    {NAMES("hidden_act activation_function act_fn nonlinearity"),
     NONE("an encoder's is gelu (model.merged.activation: that of the kind merged)")},
    {NAMES("layer_norm_eps layer_norm_epsilon layernorm_epsilon rms_norm_eps norm_eps norm_epsilon"),
     NONE("it is 1e-5 in every layer norm")},
    {NAMES("pre_norm post_norm norm_first normalize_before"), NONE("every block normalizes before it computes")},
    {NAMES("position_embedding_type rope_theta rotary use_rotary_position_embeddings"), NONE("each position has a learned vector")},
    {NAMES("dropout dropout_rate dropout_prob drop_rate drop_prob hidden_dropout hidden_dropout_prob attention_dropout "
           "attention_probs_dropout_prob attn_dropout attn_pdrop resid_pdrop embd_pdrop ffn_dropout classifier_dropout "
           "drop_path stochastic_depth"),
     NONE("experts learn without dropout; train.weight_decay and data.augment are there against overfitting")},
    {NAMES("gradient_checkpointing activation_checkpointing checkpoint_activations recompute recompute_activations "
           "recompute_granularity"),
     NONE("an expert keeps the activations of one tile of samples (model.tile), whatever the batch")},
    {NAMES("compile torch_compile jit flash_attention use_flash_attn attn_implementation fused use_fused"),
     NONE("there is one way to compute, and the fastest kernels are taken by themselves")},

    {NAMES("gating gate_config router_config"), OURS("gate")},
    {NAMES("gate_type gating_type router_type"), OURS("gate.kind")},
    {NAMES("router routing moe moe_config"), OURS("route")},
    {NAMES("num_experts_per_tok num_experts_per_token n_experts_per_tok experts_per_token num_selected_experts moe_top_k "
           "moe_router_topk router_top_k k"),
     OURS("route.top_k")},
    {NAMES("norm_topk_prob normalize_gate_probabilities normalize_expert_weights"), OURS("route.scale"), NOTE("as chosen")},
    {NAMES("router_jitter_noise jitter_noise jitter_eps router_jitter moe_input_jitter_eps noisy_gate_policy noisy_gating "
           "router_noise gate_noise"),
     OURS("route.noise")},
    {NAMES("temperature router_temperature softmax_temperature"),
     NONE("scores are taken as they are; route.noise_scale is the size of their noise")},
    {NAMES("router_aux_loss_coef aux_loss aux_loss_coef aux_loss_weight aux_loss_alpha aux_loss_factor moe_aux_loss_coeff "
           "moe_loss_coef load_balancing load_balancing_loss_coef load_balance_loss load_balance balance_loss_weight"),
     OURS("route.balance_loss")},
    {NAMES("router_z_loss router_z_loss_coef z_loss_coef z_loss_coeff z_loss_weight moe_z_loss_coeff"), OURS("route.z_loss")},
    {NAMES("bias_update_rate bias_update_speed moe_router_bias_update_rate aux_loss_free"), OURS("route.balance_bias")},
    {NAMES("capacity_factor train_capacity_factor eval_capacity_factor moe_capacity_factor moe_expert_capacity_factor "
           "min_capacity expert_capacity capacity drop_tokens token_dropping"),
     NONE("no sample is dropped; route.split, route.rebalance and route.balance_loss answer uneven loads")},
    {NAMES("num_chunks pipeline_degree overlap_chunks"), OURS("route.chunks")},
    {NAMES("ep_size expert_parallel expert_parallel_size expert_parallel_degree expert_model_parallel_size moe_ep_size"),
     NONE("experts are spread over all ranks of mpirun -n; route.placement says otherwise")},
    {NAMES("tensor_model_parallel_size tensor_parallel_size tensor_parallel tp_size pipeline_model_parallel_size "
           "pipeline_parallel pp_size"),
     NONE("an expert lies on one rank as a whole")},
    {NAMES("zero zero_stage zero_optimization fsdp sharded_ddp offload_optimizer use_distributed_optimizer deepspeed"),
     NONE("a rank holds its own experts and their optimizer's state, and no expert is held twice")},

    {NAMES("training trainer training_args training_arguments train_args hyperparameters hparams optimization"), OURS("train")},
    {NAMES("lr learning_rate learning_rate_init base_lr max_lr init_lr initial_lr peak_lr eta step_size"), OURS("train.rate")},
    {NAMES("gate_lr gating_lr router_lr gate_learning_rate"), OURS("train.gate_rate")},
    {NAMES("epochs num_epochs n_epochs max_epochs nb_epoch num_train_epochs train_epochs"), OURS("train.until"),
     NOTE("as 6 epochs")},
    {NAMES("steps max_steps num_steps n_steps total_steps train_steps num_train_steps train_iters max_iters iterations "
           "num_iterations"),
     OURS("train.until"), NOTE("as 400 steps")},
    {NAMES("early_stopping early_stop early_stopping_patience early_stop_patience patience stopping_criterion"), OURS("train.until"),
     NOTE("as 30 epochs or loss plateau 200, of the training loss; checkpoint.best keeps the best evaluation's state")},
    {NAMES("target_loss"), OURS("train.until"), NOTE("as loss < 1e-3")},
    {NAMES("batch_size bs mini_batch minibatch_size train_batch_size global_batch_size micro_batch_size "
           "per_device_train_batch_size per_gpu_train_batch_size train_micro_batch_size_per_gpu"),
     OURS("train.batch"), NOTE("over all ranks together")},
    {NAMES("gradient_accumulation gradient_accumulation_steps accumulate_grad_batches accumulation_steps grad_accum update_freq"),
     NONE("train.batch is the whole batch over all ranks, which an expert goes through tile by tile")},
    {NAMES("criterion objective loss_fn loss_function loss_type"), OURS("train.loss")},
    {NAMES("label_smoothing label_smoothing_factor"), NONE("targets are the labels as they are")},
    {NAMES("class_weight pos_weight sample_weight"), NONE("every sample weighs alike in the loss")},
    {NAMES("optim opt optimiser optimizer_type optimizer_name"), OURS("train.optimizer")},
    {NAMES("nesterov amsgrad adam_w_mode"), NONE("there are sgd, normalized_gd and adamw, without variants (train.optimizer)")},
    {NAMES("betas adam_betas"), OURS("train.beta1"), NOTE("and train.beta2")},
    {NAMES("adam_beta1 b1"), OURS("train.beta1")},
    {NAMES("adam_beta2 b2"), OURS("train.beta2")},
    {NAMES("eps adam_eps adam_epsilon"), OURS("train.epsilon")},
    {NAMES("wd decay l2 l2_regularization"), OURS("train.weight_decay")},
    {NAMES("max_grad_norm max_norm clip_norm clipnorm clip_grad clip_grad_norm grad_clip grad_norm_clip gradient_clip "
           "gradient_clip_val gradient_clipping"),
     OURS("train.clip"), NOTE("of the gradient of a unit: an expert, the gate, the tied parts")},
    {NAMES("scheduler lr_scheduler lr_scheduler_type lr_schedule lr_policy lr_decay_style learning_rate_schedule"),
     OURS("train.schedule")},
    {NAMES("lr_decay_iters lr_decay_steps decay_steps total_decay_steps t_max after_end"), OURS("train.schedule_steps")},
    {NAMES("warmup_steps num_warmup_steps lr_warmup_steps warmup_iters lr_warmup_iters warmup_updates warmup_num_steps"),
     OURS("train.warmup")},
    {NAMES("warmup_ratio warmup_fraction lr_warmup_fraction warmup_proportion warmup_epochs warmup_pct pct_start"),
     OURS("train.warmup"), NOTE("as a number of steps")},
    {NAMES("min_lr lr_min eta_min end_lr lr_end final_lr min_lr_ratio final_lr_ratio"), OURS("train.final_rate"),
     NOTE("as a fraction of train.rate")},
    {NAMES("freeze frozen freeze_layers trainable requires_grad"), OURS("train.parts"), NOTE("those that learn")},
    {NAMES("nan_policy skip_nan terminate_on_nan detect_anomaly check_finite"), OURS("train.on_nonfinite")},
    {NAMES("ema ema_decay use_ema swa"), NONE("values are not averaged over steps")},

    {NAMES("evaluation validation val valid eval_config"), OURS("eval")},
    {NAMES("eval_steps eval_interval eval_freq eval_frequency eval_strategy evaluation_strategy validation_freq "
           "val_check_interval check_val_every_n_epoch test_interval"),
     OURS("eval.every"), NOTE("in steps")},
    {NAMES("eval_batch_size val_batch_size test_batch_size per_device_eval_batch_size"), OURS("eval.batch")},
    {NAMES("eval_on_start evaluate_first eval_before_train"), OURS("eval.start")},
    {NAMES("validation_file validation_data val_data valid_data val_dataset eval_dataset eval_file test_file"), OURS("eval.split"),
     NOTE("one of those in data.file")},

    {NAMES("checkpointing checkpoints ckpt"), OURS("checkpoint")},
    {NAMES("save_steps save_interval save_every save_freq save_frequency save_strategy save_epochs ckpt_interval "
           "checkpointing_steps checkpoint_freq every_n_train_steps"),
     OURS("checkpoint.every"), NOTE("in steps")},
    {NAMES("save_total_limit save_top_k max_to_keep max_checkpoints keep_checkpoints keep_last_n"), OURS("checkpoint.keep")},
    {NAMES("load_best_model_at_end save_best save_best_only restore_best_weights metric_for_best_model monitor"),
     OURS("checkpoint.best")},
    {NAMES("logging log logs"), OURS("report")},
    {NAMES("logging_steps logging_interval log_interval log_freq log_steps log_every log_every_n_steps print_freq print_every "
           "report_interval"),
     OURS("report.every"), NOTE("in steps")},
};

/* The order of a choice's rows is that in which they are shown. */
const mot_foreign mot_foreign_values[] = {
    {VALUE("data.source", "file"), NAMES("hdf5 h5 disk dataset")},
    {VALUE("data.source", "mixture"), NAMES("synthetic toy")},
    {VALUE("data.target", "label"), NAMES("labels class y")},
    {VALUE("model.kind", "encoder"), NAMES("transformer vit bert dense mlp")},
    {VALUE("model.pool", "mean"), NAMES("avg average gap avg_pool global_average_pooling")},
    {VALUE("model.pool", "class"), NAMES("cls cls_token token first")},
    {VALUE("model.precision", "fp32"), NAMES("float32 f32 32 32_true single full tf32 highest")},
    {VALUE("model.precision", "bf16"), NAMES("bfloat16 bf16_mixed bf16_true mixed_bfloat16")},
    {VALUE("model.precision", "bf16"), NAMES("fp16 float16 half 16 16_mixed mixed mixed_float16"), NOTE("there is no fp16")},
    {VALUE("model.merged.activation", "cubic"), NAMES("cube cubed")},
    {VALUE("model.merged.activation", "identity"), NAMES("none linear")},
    {VALUE("gate.kind", "linear"), NAMES("learned switch topk top1 top2 noisy_topk")},
    {VALUE("gate.kind", "mlp"), NAMES("nn network two_layer")},
    {VALUE("gate.kind", "even"), NAMES("round_robin uniform balanced")},
    {VALUE("gate.input", "mean"), NAMES("avg average pooled")},
    {VALUE("gate.input", "flat"), NAMES("flatten flattened concat")},
    {VALUE("route.scale", "prob"), NAMES("softmax probability")},
    {VALUE("route.scale", "chosen"), NAMES("normalized renormalized topk")},
    {VALUE("route.noise", "gaussian"), NAMES("normal gauss randn rsample")},
    {VALUE("route.noise", "uniform"), NAMES("rand jitter")},
    {VALUE("route.noise", "none"), NAMES("off false no")},
    {VALUE("route.payload", "fp32"), NAMES("float32 full")},
    {VALUE("route.payload", "bf16"), NAMES("bfloat16 half fp16 float16")},
    {VALUE("train.loss", "cross_entropy"),
     NAMES("ce crossentropyloss categorical_crossentropy sparse_categorical_crossentropy softmax nll nll_loss")},
    {VALUE("train.loss", "logistic"), NAMES("bce bceloss bce_with_logits bcewithlogitsloss binary_crossentropy sigmoid")},
    {VALUE("train.loss", "squared"), NAMES("mse mseloss mse_loss mean_squared_error squared_error l2")},
    {VALUE("train.optimizer", "sgd"), NAMES("momentum sgdm gd gradient_descent"), NOTE("with train.momentum")},
    {VALUE("train.optimizer", "normalized_gd"), NAMES("ngd normalized normalized_sgd")},
    {VALUE("train.optimizer", "adamw"), NAMES("adam fusedadam adamw_torch adamw_hf"),
     NOTE("which with train.weight_decay 0 is Adam")},
    {VALUE("train.schedule", "constant"), NAMES("none off fixed constantlr constant_with_warmup"), NOTE("with train.warmup")},
    {VALUE("train.schedule", "linear"), NAMES("linearlr linear_decay linear_with_warmup"), NOTE("with train.warmup")},
    {VALUE("train.schedule", "cosine"),
     NAMES("cosine_decay cosine_annealing cosineannealinglr cosine_with_warmup cosine_with_min_lr"),
     NOTE("with train.warmup and train.final_rate")},
    {VALUE("train.on_nonfinite", "stop"), NAMES("raise error abort")},
    {VALUE("train.on_nonfinite", "skip_step"), NAMES("skip ignore")},
    {VALUE("train.on_nonfinite", "rollback"), NAMES("restore back")},
    {VALUE(NULL, "true"), NAMES("yes y on 1 t")},
    {VALUE(NULL, "false"), NAMES("no n off 0 f none")},
};
/* clang-format on */

const int mot_foreign_key_count = MOT_COUNT(mot_foreign_keys);
const int mot_foreign_value_count = MOT_COUNT(mot_foreign_values);
