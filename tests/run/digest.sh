#!/bin/bash
# Promise 1: the digest of all parameters, and the loss of the evaluation, are the same bits for any number of ranks
# and threads, any placement and any coordinator; and they differ where they should.
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/run/lib.sh
. "$here/lib.sh"

mkdir work
cd work || exit 1
make_mixture mixture.h5
make_pictures pictures.h5
make_texts texts.h5
for kind in mixture pictures texts; do small_model "$kind.h5" >"$kind.yaml"; done
# Most samples are of one class, which a fixed gate sends to one expert.
small_model none | sed 's/  file: none/  source: mixture\n  mixture: {classes: 4, class_weights: [1, 9, 1, 1], tokens: 6, width: 8, eval: 60}/' >skewed.yaml

# Tasks one after another, of one data set under several changes.
sed 's/  file: .*/  source: stream\n  stream: {files: pictures.h5, split: file, tasks: 3, changes: [rotate 40 + noise 0.1, pixels, blur 1 + labels 0.2]}/
     s/until: 20 steps/until: 7 steps/' pictures.yaml >stream.yaml

# Classes that are dealt to the experts on the way, which then begin as one.
sed 's/until: 20 steps}/until: 10 steps}\nstages:\n  - {name: together, action: group}\n  - {name: apart}/' pictures.yaml >grouped.yaml

# The theory model, short, in its three stages, on samples that every rank makes for itself.
sed -e 's/until: 200 steps/until: 20 steps/; s/until: 2600 steps/until: 25 steps/; s/every: 200/every: 15/' \
    -e 's/^eval:$/eval:\n  start: true\n  batch: 300/' "$here/../../configs/mixture-theory.yaml" >theory.yaml

# name | data | the ranks beside 1: few, and each number of them with much | what differs from the small model, for all ranks
cases=(
    "top-1|mixture|2 3 4 5 7|"
    "noise and balance|mixture|2 5|route.noise=gumbel route.balance_loss=0.01 route.balance_bias=0.01 route.z_loss=1e-3 gate.init=0.1"
    "scores of several threads|mixture|3|model.experts=256 train.batch=160 route.noise=gumbel route.balance_loss=0.01 gate.init=0.1"
    "chunks, remainder|mixture|3 7|route.chunks=3 train.batch=25"
    "top-2|mixture|2 5|route.top_k=2 gate.init=0.5"
    "soft|pictures|3 7|route.top_k=all gate.init=0.5"
    "top-2, chunks, chosen|texts|2 5|route.top_k=2 route.chunks=3 route.scale=chosen gate.init=0.5"
    "bf16|mixture|3|route.payload=bf16"
    "bf16, top-2, chunks|mixture|2 5|route.payload=bf16 route.top_k=2 route.chunks=3 gate.init=0.5"
    "bf16 of pictures' outputs|pictures|3|route.payload=bf16 route.top_k=2 gate.init=0.5"
    "tied attention|mixture|4|model.tie=[attention]"
    "all parts tied|pictures|3|model.tie=[embed,attention,ffn,head] route.chunks=3"
    "tied soft|texts|2|model.tie=[ffn,head] route.top_k=all"
    "mlp gate|pictures|4|gate.kind=mlp gate.hidden=9 gate.init=0.3"
    "flat gate, class pooling|pictures|3|gate.input=flat model.pool=class"
    "texts, sum, mlp|texts|5|gate.kind=mlp gate.hidden=7 gate.input=sum gate.init=0.3"
    "fixed gate|mixture|3|gate.kind=fixed"
    "random gate|texts|4|gate.kind=random route.noise=gaussian"
    "sgd, momentum, clip|mixture|2|train.optimizer=sgd train.momentum=0.9 train.clip=0.1 train.weight_decay=0.01"
    "augmented pictures|pictures|3|data.augment.shift=2 data.augment.flip=true model.patch=2"
    "dropped words|texts|2|data.augment.drop=0.3 model.tile=3"
    "theory|theory|2 5|data.mixture.eval=700"
    "theory, fixed set, heads|theory|3|data.mixture.train=1500 data.mixture.eval=700 model.merged.heads=2 model.merged.neurons=3"
    "theory, tied attention, top-2|theory|3|data.mixture.eval=700 model.tie=[attention] route.top_k=2 data.mixture.labels=vector"
    "strips|mixture|2 3|model.strip=2 model.tile=2"
    "strips of rounded products|mixture|2 5|model.strip=2 model.tile=2 model.precision=bf16_always seed=3"
    "rounded products, chunks, top-2|pictures|3|model.precision=bf16_always route.chunks=2 route.top_k=2 gate.init=0.5 model.pool=class"
    "rounded products of texts|texts|2|model.precision=bf16_always model.tie=[attention] seed=4"
    "strips, chunks, top-2|pictures|2|model.strip=3 model.tile=1 route.chunks=2 route.top_k=2 gate.init=0.5"
    "strips, tied, soft|texts|3|model.strip=4 model.tie=[attention] route.top_k=all"
    "even gate|mixture|2|gate.kind=even"
    "skewed, split|skewed|2 5|gate.kind=fixed model.strip=2 model.tile=1"
    "skewed, split, chunks, tied|skewed|3 4|gate.kind=fixed model.strip=1 route.chunks=2 model.tie=[ffn] route.top_k=2"
    "a stream from the disk|stream|2 3|data.memory=1KiB rehearsal.strategy=hybrid rehearsal.memory=30"
    "classes that are grouped|grouped|3 4|gate.kind=classes gate.prototypes=3 model.tie=[attention]"
    "more ranks than samples|mixture|7|train.batch=3 eval.batch=4 route.noise=uniform"
)
# For "top-1" and "top-2": ranks | what may not change a bit
placements=(
    "3|route.coordinator=dedicated"
    "2|route.coordinator=dedicated"
    "3|route.placement=[[0],[3,1,2],[]]"
    "4|route.placement=[[],[1],[],[2,0,3]] route.coordinator=shared"
    "1|route.placement=[[0],[3,1,2],[]]"
    "3|data.memory=1KiB"
    "3|route.exchange=direct"
    "5|route.exchange=node"
)
# For "strips" and "strips of rounded products": ranks and threads a rank, beside one of each.
threads=("1 2" "1 3" "2 1" "2 3" "3 4" "5 2" "2 auto")
# Where every step costs ten times as much, some of the table.
if [ -n "${MOT_TEST_SHORT:-}" ]; then
    short=()
    for i in "${!cases[@]}"; do
        IFS='|' read -r name data ranks settings <<<"${cases[$i]}"
        [ $((i % 3)) -eq 0 ] && short+=("$name|$data|3|$settings")
    done
    cases=("${short[@]}")
    placements=("${placements[0]}" "${placements[3]}" "${placements[6]}")
    threads=("1 2" "2 3")
fi

# looked_inside: a checksum of the figures of all evaluations, where they look into experts on several ranks.
looked_inside() {
    local figure segment found datasets=()
    for figure in loss neurons gate attention gradient_cosine gradient_agreement routing_accuracy; do
        datasets+=(-d "/eval/$figure")
    done
    found=$(for segment in it/record/*.h5; do h5dump -A 0 -m %.17g "${datasets[@]}" "$segment" 2>/dev/null; done)
    if grep -q attention <<<"$found"; then echo " $(md5sum <<<"$found" | cut -c 1-8)"; fi
}

# figures COMMAND... train DATA.yaml SETTING...: trains, and prints "digest loss", or "nothing".
figures() {
    rm -rf it
    if ! "$@" run=it >said 2>&1; then
        cat said >&2
        echo nothing
        return
    fi
    echo "$(value it/summary.json digest eval.loss)$(looked_inside)"
}

# expect NAME WANTED GOT
expect() {
    if [ "$3" = nothing ]; then
        fail "$1: did not train"
    elif [ "$2" != "$3" ]; then
        fail "$1: digest and eval.loss are $3, on 1 rank $2"
    fi
}

# same_bits CASE: a row of the first table.
# shellcheck disable=SC2317 # called by side_by_side
same_bits() {
    local name data ranks settings words wanted n t job placement places other
    IFS='|' read -r name data ranks settings <<<"$1"
    # shellcheck disable=SC2206 # words, each a setting
    words=($settings)
    # As a user starts it, without mpirun; and all else with some number of threads, with and without splitting.
    wanted=$(figures mot train --quiet "$data.yaml" "${words[@]}" threads=1)
    if [ "$wanted" = nothing ]; then
        fail "$name: does not train on 1 rank"
        return
    fi
    echo "$wanted" >>"$scratch/digests"
    for n in $ranks; do
        expect "$name, $n ranks" "$wanted" "$(figures mot_on "$n" train --quiet "$data.yaml" "${words[@]}" threads=$((n % 3 + 2)) "route.split=$([ "$n" -gt 2 ] && echo true || echo false)")"
    done
    echo "$name: $wanted (1 rank, $ranks)"
    if [[ $name == strips || $name == "strips of rounded products" ]]; then
        for job in "${threads[@]}"; do
            read -r n t <<<"$job"
            expect "$name, $n ranks of $t threads" "$wanted" "$(figures mot_on "$n" train --quiet "$data.yaml" "${words[@]}" "threads=$t" route.split=true)"
        done
        [ "$(figures mot train --quiet "$data.yaml" "${words[@]}" model.strip=4)" != "$wanted" ] || fail "$name: model.strip=4 does not change the digest"
    fi
    case $name in top-1 | top-2) ;; *) return ;; esac
    for placement in "${placements[@]}"; do
        IFS='|' read -r n settings <<<"$placement"
        # shellcheck disable=SC2206
        places=($settings)
        expect "$name, $n ranks, $settings" "$wanted" "$(figures mot_on "$n" train --quiet "$data.yaml" "${words[@]}" "${places[@]}")"
    done
    # The test can fail: another seed, another rate, other chunks are other bits.
    for other in seed=2 train.rate=0.0100001 route.top_k=3; do
        [ "$(figures mot train --quiet "$data.yaml" "${words[@]}" "$other")" != "$wanted" ] || fail "$name: $other does not change the digest"
    done
}

abreast=$((abreast / 2)) # these compute
for case in "${cases[@]}"; do side_by_side same_bits "$case"; done
together
twice=$(sort "$scratch/digests" | uniq -d)
[ -z "$twice" ] || fail "two different configurations have one digest: $twice"

# Experts that move to other ranks on the way: ranks | what moves them, which may not change a bit.
moves=(
    "2|route.rebalance=eval eval.every=5"
    "3|route.rebalance=checkpoint checkpoint.every=7 route.split=true"
    "4|route.rebalance=eval eval.every=3 route.placement=[[],[0,1,2,3],[],[]] route.coordinator=dedicated threads=2"
)
skew=(train --quiet skewed.yaml gate.kind=fixed model.strip=2 model.tile=1 route.top_k=2 "model.tie=[ffn]")
wanted=$(figures mot "${skew[@]}")
for job in "${moves[@]}"; do
    IFS='|' read -r n settings <<<"$job"
    # shellcheck disable=SC2206
    words=($settings)
    expect "experts that move, $n ranks, $settings" "$wanted" "$(figures mot_on "$n" "${skew[@]}" "${words[@]}")"
    [ "$(value it/summary.json rebalance.moves)" -gt 0 ] || fail "on $n ranks no expert moves: $settings"
done
# A run that is continued begins at the configured placement, on any number of ranks.
halves=(eval.every=4 checkpoint.every=9 route.rebalance=eval run=halves)
quietly mot_on 2 "${skew[@]}" "${halves[@]}"
rm halves/checkpoints/step-0000001[0-9].h5 halves/checkpoints/step-00000020.h5
quietly mot_on 3 "${skew[@]}" "${halves[@]}"
[ "$(value halves/summary.json restarts)" -eq 1 ] || fail "experts that move, continued: it was not"
[ "$(value halves/summary.json rebalance.moves)" -gt 0 ] || fail "no expert moves after a run was continued"
expect "experts that move, continued" "$wanted" "$(value halves/summary.json digest eval.loss)"
finish
