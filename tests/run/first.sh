#!/bin/bash
# A newcomer's first run: configs/first.yaml says nothing of the gate, the batch or the rate, and at least half of the four
# experts have work on data of every kind, with every seed. (What it learns on real data: run.first_runs.)
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/run/lib.sh
. "$here/lib.sh"

number() { sed -n "s/.*\"$2\": \([0-9.]*\).*/\1/p" "$1/summary.json"; }

make_mixture mixture.h5
make_pictures pictures.h5
make_texts texts.h5
for set in mixture pictures texts; do
    for seed in 1 2; do
        run=$set-$seed
        quietly mot train --quiet "$here/../../configs/first.yaml" data.file=$set.h5 run=$run seed=$seed threads=1
        used=$(number $run routing.experts_used) effective=$(number $run routing.experts_effective)
        echo "$set, seed $seed: $used experts used, $effective effective, accuracy $(number $run eval.accuracy)"
        awk -v used="$used" -v effective="$effective" 'BEGIN { exit !(used >= 2 && effective >= 2) }' ||
            fail "$set, seed $seed: $used of 4 experts used, $effective effective"
    done
done

# Settings that change nothing are said; those that change the gate alone are not among them. settings | what is said, or nothing
small_model mixture.h5 >small.yaml
for case in "train.momentum=0.9|train.momentum = 0.9 has no effect" "train.momentum=0.9 train.gate_optimizer=sgd|" \
    "train.optimizer=sgd train.beta1=0.8|train.beta1 and train.beta2 have no effect" \
    "train.optimizer=sgd train.gate_optimizer=adamw train.beta1=0.8|" "train.rate=0|nothing learns" "train.gate_rate=0|" \
    "model.patch=2|model.patch has no effect: it is of pictures, and the samples are vectors" \
    "data.augment.shift=1|data.augment.shift has no effect" "data.augment.drop=0.1|it is of texts, and the samples are vectors" \
    "route.noise_scale=2|route.noise_scale has no effect while route.noise is none" "route.noise=gumbel route.noise_scale=2|"; do
    settings=${case%|*} wanted=${case#*|}
    # shellcheck disable=SC2086 # words
    mot train small.yaml --dry-run $settings >said 2>&1 || fail "$settings: exit code $?: $(cat said)"
    found=$(grep '^mot: warning: ' said)
    if [ -z "$wanted" ]; then
        [ -z "$found" ] || fail "$settings: has an effect, said: $found"
    else
        grep -qF "$wanted" <<<"$found" || fail "$settings: expected '$wanted', said: $found"
    fi
done
finish
