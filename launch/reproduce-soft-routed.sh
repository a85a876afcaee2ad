#!/bin/bash
# reproduce-soft-routed.sh - packages, build, and the study of soft-routed students and teachers: every claim of the paper.
# usage: launch/reproduce-soft-routed.sh [--quick] [-n RANKS]
#   --quick  fewer settings, seeds and samples, in about five minutes on two cores; the page goes to runs/quick/
#   -n       ranks that share the trials out (one a core)
# The whole takes about an hour on two cores; the page goes to docs/results/, the trials to runs/soft-routed. What was stopped
# continues.
set -eu
# shellcheck source=launch/common.sh
. "$(dirname "$0")/common.sh"

begin_study "$@"
if [ -n "$quick" ]; then
    mot_mpirun "$ranks" "$mot" study soft-routed runs/quick/soft-routed --quick
else
    mot_mpirun "$ranks" "$mot" study soft-routed runs/soft-routed --page docs/results/soft-routed.md
fi
echo "reproduced in $(since "$started") s"
