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
finish
