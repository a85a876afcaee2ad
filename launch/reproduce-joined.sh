#!/bin/bash
# reproduce-joined.sh - build, data, and the runs of docs/results/joined.md: what a gate finds in joined data sets.
# usage: launch/reproduce-joined.sh [-n JOBS] [--table]
#   -n       runs at a time (one a core)
#   --table  trains nothing: the table of the runs that are there
# The whole takes three hours of one core; the table goes into the page, the runs to runs/joined. What was stopped
# continues, and what is done is not done again.
set -eu
# shellcheck source=launch/common.sh
. "$(dirname "$0")/common.sh"

if [ "$*" = --table ]; then
    cd "$root"
    table=yes mot=$build/bin/mot
else
    for word in "$@"; do [ "$word" != --quick ] || usage; done
    table=
    begin_study "$@"
fi
runs=runs/joined page=docs/results/joined.md
mkdir -p $runs data

# The same experts, batches, rates and numbers of samples; what differs is how a gate comes to its choices.
sed '/^stages:/,/^    until: 5025/d' configs/joined.yaml >$runs/one-stage.yaml

# set | name | seeds | what it is | configuration | settings
trials() {
    local seeds="1 2 3 4 5" few="1 2" G=configs/joined.yaml one="train.schedule=cosine train.warmup=0 gate.kind=linear"
    cat <<ROWS
joined|found|$seeds|MoT, classes that the gate confuses are grouped after 600 steps|$G|
joined|told|$seeds|MoT, gate that is told the source|one|$one gate.kind=fixed train.until=3~epochs
joined|dense|$seeds|one transformer, equal FLOPs|one|$one model.experts=1 train.until=3~epochs
joined|dense-warm|$few|one transformer, equal FLOPs, warm-up of 50 steps|one|$one model.experts=1 train.warmup=50 train.until=3~epochs
joined|uniform|$few|MoT, linear gate, uniform noise to step 2,800, balance loss 0.1|one|$one train.gate_rate=3e-3 route.noise=uniform route.noise_scale=1 route.noise_steps=2800 route.balance_loss=0.1 train.until=3~epochs
three|found|$few|three sources, four experts: grouped after 300 steps|$G|stages.0.until=300~steps stages.1.until=1106~steps
three|dense|$few|three sources: one transformer, equal FLOPs|one|$one model.experts=1 train.until=1~epochs
turned|found|$few|four sources by other changes: grouped after 300 steps|$G|stages.0.until=300~steps stages.1.until=1575~steps
turned|dense|$few|four sources by other changes: one transformer, equal FLOPs|one|$one model.experts=1 train.until=1~epochs
ROWS
}

make_data() {
    "$root/launch/example.sh" joined --data
    [ -e data/joined-three.h5 ] || step "join joined-three.h5" "$mot" data join --out data/joined-three.h5 \
        data/fashion-mnist.h5 data/mnist.h5 data/mnist.h5 --transpose --negate
    [ -e data/joined-turned.h5 ] || step "join joined-turned.h5" "$mot" data join --out data/joined-turned.h5 \
        data/fashion-mnist.h5 data/fashion-mnist.h5 --rotate 90 data/mnist.h5 --negate data/mnist.h5 --rotate 90
}

# key NUMBERS FILE: of a summary.
key() { sed -n "s/.*\"$1\": \([^,}]*\)[,}].*/\1/p" "$2"; }

is_done() { [ -e "$1/summary.json" ] && [ "$(key status "$1/summary.json")" = '"done"' ]; }

# train SET NAME SEED CONFIGURATION SETTING...
train() {
    local set=$1 name=$2 seed=$3 config=$4 run=$runs/$1-$2-$3 file=data/joined-$1.h5
    shift 4
    [ "$set" != joined ] || file=data/joined.h5
    [ "$config" != one ] || config=$runs/one-stage.yaml
    if is_done "$run"; then return; fi
    "$mot" train --quiet "$config" "${@//\~/ }" data.file=$file seed="$seed" run="$run" threads=1 \
        >"$run.said" 2>&1 || { cat "$run.said" >&2 && return 1; }
    echo "$run: accuracy $(key eval.accuracy "$run/summary.json"), NMI $(key routing.group_nmi "$run/summary.json")"
}

train_all() {
    local set name of config settings seed
    while IFS='|' read -r set name of _ config settings; do
        for seed in $of; do
            while [ "$(jobs -r | wc -l)" -ge "$ranks" ]; do wait -n; done
            # shellcheck disable=SC2086 # words, each a setting
            train "$set" "$name" "$seed" "$config" $settings &
        done
    done < <(trials)
    wait
}

# spread NUMBER...: the median, and the range in brackets.
spread() {
    printf '%s\n' "$@" | sort -g | awk '{ x[NR] = $1 }
        END { m = NR % 2 ? x[(NR + 1) / 2] : (x[NR / 2] + x[NR / 2 + 1]) / 2
              if (NR > 1) printf "%.4f (%.4f to %.4f)", m, x[1], x[NR]; else printf "%.4f", m }'
}

write_table() {
    local set name of what seed accuracy nmi entropy steps run
    echo "| what | seeds | accuracy | NMI of expert and source | entropy of the load | steps |"
    echo "|---|---|---|---|---|---|"
    while IFS='|' read -r set name of what _; do
        accuracy=() nmi=() entropy=() steps=
        for seed in $of; do
            run=$runs/$set-$name-$seed
            is_done "$run" || continue
            accuracy+=("$(key eval.accuracy "$run/summary.json")")
            nmi+=("$(key routing.group_nmi "$run/summary.json")")
            entropy+=("$(key routing.entropy "$run/summary.json")")
            steps=$(key steps "$run/summary.json")
        done
        [ ${#accuracy[@]} -eq 0 ] ||
            echo "| $what | ${#accuracy[@]} | $(spread "${accuracy[@]}") | $(spread "${nmi[@]}") | $(spread "${entropy[@]}") | $steps |"
    done < <(trials)
}

if [ -z "$table" ]; then
    make_data
    train_all
fi
write_table >$runs/table.md
awk -v table=$runs/table.md '/^<!-- end of the table -->/ { while ((getline line < table) > 0) print line; within = 0 }
    !within { print }
    /^<!-- table/ { within = 1 }' $page >$runs/page.md
cp $runs/page.md $page
cat $runs/table.md
