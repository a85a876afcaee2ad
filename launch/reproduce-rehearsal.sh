#!/bin/bash
# reproduce-rehearsal.sh - packages, build, and the study of rehearsal in continual learning: every claim of the paper.
# usage: launch/reproduce-rehearsal.sh [--quick] [-n RANKS]
#   --quick  fewer settings, in half a minute on two cores; the page goes to runs/quick/
#   -n       ranks that share the runs out (one a core)
# The whole takes about two minutes on two cores; the page goes to docs/results/. The numbers are the same on any number of ranks.
set -eu
# shellcheck source=launch/common.sh
. "$(dirname "$0")/common.sh"

begin_study "$@"
if [ -n "$quick" ]; then
    mot_mpirun "$ranks" "$mot" study rehearsal runs/quick/rehearsal --quick
else
    mot_mpirun "$ranks" "$mot" study rehearsal runs/rehearsal --page docs/results/rehearsal.md
fi
echo "reproduced in $(since "$started") s"
