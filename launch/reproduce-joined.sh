#!/bin/bash
# reproduce-joined.sh - build, data, and the runs of docs/results/joined.md: what a gate finds in joined data sets.
# usage: launch/reproduce-joined.sh [-n JOBS] [--table]
#   -n       runs at a time (one a core)
#   --table  trains nothing: the table of the runs that are there
# The whole takes an hour and a half of one core; the table goes into the page, the runs to runs/joined. What was stopped
# continues, and what is done is not done again.
set -eu
# shellcheck source=launch/common.sh
. "$(dirname "$0")/common.sh"

begin_page "$@"
runs=runs/joined page=docs/results/joined.md
mkdir -p $runs data

# One stage of two epochs, and the same number of steps in two stages: the same experts, batches, rates and pictures.
model="model: {experts: 4, patch: 7, width: 32, heads: 4, depth: 2, ffn: 64}"
train="batch: 128, rate: 8e-3, gate_rate: 3e-3, clip: 1"
cat >$runs/one.yaml <<YAML
$model
gate: {input: flat}
route: {noise: uniform, noise_scale: 1, noise_steps: 50%, balance_loss: 0.1}
train: {$train, warmup: 50, schedule: cosine, final_rate: 0, until: 2 epochs}
YAML
cat >$runs/grouped.yaml <<YAML
$model
gate: {kind: classes, input: flat}
route: {noise: none, balance_loss: 0}
train: {$train}
stages:
  - {name: together, schedule: constant, warmup: 50, until: 600 steps, action: group}
  - {name: apart, schedule: cosine, final_rate: 0, until: 3150 steps}
YAML

# The one transformer's FFN is wider by what the gate of 40 classes computes; a gate that is told scores all experts alike.
dense="model.experts=1 model.ffn=80 route.scale=none route.balance_loss=0"
told="gate.kind=fixed gate.told=group route.scale=chosen route.balance_loss=0"
from="train.warmup=0 train.until=3150~steps init.from=$runs/joined-start-@"

# set | name | seeds | what it is | configuration | settings; @ is the seed
starts() {
    cat <<ROWS
joined|start|1 2 3 4 5|what experts begin as|one|$dense model.ffn=64 train.schedule=constant train.until=600~steps
ROWS
}

trials() {
    local seeds="1 2 3 4 5"
    cat <<ROWS
joined|dense|$seeds|one transformer, equal FLOPs|one|$dense
joined|found|$seeds|MoT, classes that the gate confuses are grouped after 600 steps|grouped|
joined|linear|$seeds|MoT, linear gate that learns|one|
joined|told|$seeds|MoT, gate that is told the source|one|$told
joined|linear-start|$seeds|MoT, linear gate that learns, experts begin as one that has had 600 steps|one|$from
joined|told-start|$seeds|MoT, gate that is told the source, experts begin as one that has had 600 steps|one|$told $from
three|dense|$seeds|three sources: one transformer, equal FLOPs|one|$dense train.until=1~epochs
three|found|$seeds|three sources, four experts: grouped after 300 steps|grouped|stages.0.until=300~steps stages.1.until=1106~steps
turned|dense|$seeds|four sources by other changes: one transformer, equal FLOPs|one|$dense train.until=1~epochs
turned|found|$seeds|four sources by other changes: grouped after 300 steps|grouped|stages.0.until=300~steps stages.1.until=1575~steps
ROWS
}

make_data() {
    "$root/launch/example.sh" joined --data
    [ -e data/joined-three.h5 ] || step "join joined-three.h5" "$mot" data join --out data/joined-three.h5 \
        data/fashion-mnist.h5 data/mnist.h5 data/mnist.h5 --transpose --negate
    [ -e data/joined-turned.h5 ] || step "join joined-turned.h5" "$mot" data join --out data/joined-turned.h5 \
        data/fashion-mnist.h5 data/fashion-mnist.h5 --rotate 90 data/mnist.h5 --negate data/mnist.h5 --rotate 90
}

is_done() { [ -e "$1/summary.json" ] && [ "$(key status "$1/summary.json")" = '"done"' ]; }

# train SET NAME SEED CONFIGURATION SETTING...
train() {
    local set=$1 name=$2 seed=$3 config=$runs/$4.yaml run=$runs/$1-$2-$3 file=data/joined-$1.h5 settings
    shift 4
    [ "$set" != joined ] || file=data/joined.h5
    settings=("${@//\~/ }")
    if is_done "$run"; then return; fi
    "$mot" train --quiet "$config" "${settings[@]//@/$seed}" eval.batch=2000 report.every=1000 data.file=$file seed="$seed" run="$run" threads=1 \
        >"$run.said" 2>&1 || { cat "$run.said" >&2 && return 1; }
    echo "$run: accuracy $(key eval.accuracy "$run/summary.json"), NMI $(key routing.group_nmi "$run/summary.json")"
}

train_all() { # ROWS, a function
    local set name of config settings seed
    while IFS='|' read -r set name of _ config settings; do
        for seed in $of; do
            while [ "$(jobs -r | wc -l)" -ge "$ranks" ]; do wait -n; done
            # shellcheck disable=SC2086 # words, each a setting
            train "$set" "$name" "$seed" "$config" $settings &
        done
    done < <("$1")
    wait
}

# spread NUMBER...: the mean, and its 95 % interval by Student's t in brackets.
spread() {
    printf '%s\n' "$@" | awk '{ sum += $1; x[NR] = $1 }
        BEGIN { split("12.706 4.303 3.182 2.776 2.571 2.447 2.365 2.306 2.262", t, " ") }
        END { mean = sum / NR
              for (i = 1; i <= NR; ++i) square += (x[i] - mean) ^ 2
              if (NR > 1) { half = t[NR - 1] * sqrt(square / (NR - 1) / NR); printf "%.4f (%.4f to %.4f)", mean, mean - half, mean + half }
              else printf "%.4f", mean }'
}

# value SET NAME SEED KEY: of a run that is done.
value() { ! is_done "$runs/$1-$2-$3" || key "$4" "$runs/$1-$2-$3/summary.json"; }

write_table() {
    local set name of what seed own other accuracy above nmi entropy steps
    echo "| what | seeds | accuracy | above one transformer | NMI of expert and source | entropy of the load | steps |"
    echo "|---|---|---|---|---|---|---|"
    while IFS='|' read -r set name of what _; do
        accuracy=() above=() nmi=() entropy=()
        for seed in $of; do
            own=$(value "$set" "$name" "$seed" eval.accuracy)
            [ -n "$own" ] || continue
            accuracy+=("$own")
            other=$(value "$set" dense "$seed" eval.accuracy)
            [ -z "$other" ] || above+=("$(awk -v a="$own" -v b="$other" 'BEGIN { print a - b }')")
            nmi+=("$(value "$set" "$name" "$seed" routing.group_nmi)")
            entropy+=("$(value "$set" "$name" "$seed" routing.entropy)")
            steps=$(value "$set" "$name" "$seed" steps)
        done
        [ ${#accuracy[@]} -gt 0 ] || continue
        [ "$name" != dense ] && [ ${#above[@]} -gt 0 ] && above=("$(spread "${above[@]}")") || above=()
        echo "| $what | ${#accuracy[@]} | $(spread "${accuracy[@]}") | ${above[*]} | $(spread "${nmi[@]}") | $(spread "${entropy[@]}") | $steps |"
    done < <(trials)
}

if [ -z "$table" ]; then
    make_data
    train_all starts
    train_all trials
fi
write_table >$runs/table.md
put_table $runs/table.md '<!-- table' $page
cat $runs/table.md
