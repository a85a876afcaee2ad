#!/bin/bash
# reproduce-rehearsal.sh - packages, build, and the study of rehearsal in continual learning: every claim of the paper.
# usage: launch/reproduce-rehearsal.sh [--quick] [-n RANKS]
#   --quick  fewer settings and seeds, in about four minutes on two cores; the page goes to runs/quick/
#   -n       ranks that share the runs out (one a core)
# The whole takes about an hour on two cores; the page goes to docs/results/, the trials to runs/rehearsal. What was
# stopped continues. CLINC150 and CIFAR-100 are looked for in MOT_DATA and ../shared/data, Fashion-MNIST and MNIST come as packages;
# a stream whose data is not there is left out, and the page says so. The numbers are the same on any number of ranks.
set -eu
# shellcheck source=launch/common.sh
. "$(dirname "$0")/common.sh"

begin_study "$@"

# few NAME: of a source's test split 1,000 samples to learn from and 1,000 to test, data/NAME-few.h5, for the stream of joined sources.
few() {
    "$root/launch/example.sh" "$1" --data || return
    [ -e "data/$1-few.h5" ] || step "a few samples of $1" "$mot" data import hdf5 --out "data/$1-few.h5" \
        --test-fraction 0.1 --val-fraction 0.8 "data/$1.h5" X=/test/x Y=/test/y
}

"$root/launch/example.sh" clinc150 --data || true
if [ -n "$quick" ]; then
    mot_mpirun "$ranks" "$mot" study rehearsal runs/quick/rehearsal --quick
else
    "$root/launch/example.sh" cifar100-mid --data || true
    for name in fashion-mnist mnist; do few $name || true; done
    mot_mpirun "$ranks" "$mot" study rehearsal runs/rehearsal --page docs/results/rehearsal.md
fi
echo "reproduced in $(since "$started") s"
