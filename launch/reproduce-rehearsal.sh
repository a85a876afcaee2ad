#!/bin/bash
# reproduce-rehearsal.sh - packages, build, and the study of rehearsal in continual learning: every claim of the paper.
# usage: launch/reproduce-rehearsal.sh [--quick] [-n RANKS]
#   --quick  fewer settings and seeds, in about four minutes on two cores; the page goes to runs/quick/
#   -n       ranks that share the runs out (one a core)
# The whole takes about half an hour on two cores; the page goes to docs/results/, the trials to runs/rehearsal. What was stopped
# continues. CLINC150 and CIFAR-100 are looked for in MOT_DATA and ../shared/data; without them linear regression alone is
# studied. The numbers are the same on any number of ranks.
set -eu
# shellcheck source=launch/common.sh
. "$(dirname "$0")/common.sh"

begin_study "$@"
for name in clinc150 cifar100-mid; do "$root/launch/example.sh" $name --data || true; done
if [ -n "$quick" ]; then
    mot_mpirun "$ranks" "$mot" study rehearsal runs/quick/rehearsal --quick
else
    mot_mpirun "$ranks" "$mot" study rehearsal runs/rehearsal --page docs/results/rehearsal.md
fi
echo "reproduced in $(since "$started") s"
