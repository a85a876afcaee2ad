#!/bin/bash
# mpirun.sh - mpirun for ranks of mot on this machine: as root, in a container and with more ranks than cores as well, bound
# to cores where these are free, with the settings of env.sh.
# usage: launch/mpirun.sh [-n RANKS] build/bin/mot VERB [ARGUMENT...]
#   -n   ranks (2)
# Its exit code is that of mpirun. To train so that a job ends when it should, and is started again: launch/run.sh.
set -u
# shellcheck source=launch/common.sh
. "$(dirname "$0")/common.sh"

ranks=2
if [ "${1-}" = -n ]; then
    ranks=${2-}
    check_ranks "$ranks"
    shift 2
fi
case ${1-} in '' | -*) usage ;; esac
command -v "$1" >/dev/null || fail "no $1: build first: cmake -B build && cmake --build build -j"
mot_launch "$ranks" "$1"
# mpirun in the place of this script, to which signals go; Ctrl-C, which goes to both, is mpirun's to answer.
exec "${mot_launch[@]}" "$@" 2> >(trap '' INT && mot_listen >&2)
