#!/bin/bash
# SIGKILL to a random rank or to mpirun, at random moments, again and again, each time followed by the same command on a
# random number of ranks: every run ends on the digest of one that nothing happened to, its record holds every step
# once, and nothing is left behind.
# usage: kill.sh [KILLS]     (8; 3 where MOT_TEST_SHORT is set)
kills=${1:-$((${MOT_TEST_SHORT:-0} ? 3 : 8))}
# Segments that killed processes leave in /dev/shm are Open MPI's; where it can be, they go with a /dev/shm of our own.
if [ "$(id -u)" = 0 ] && [ -z "${MOT_OWN_SHM:-}" ] && unshare --mount true 2>/dev/null; then
    # shellcheck disable=SC2016 # for the inner shell
    MOT_OWN_SHM=yes exec unshare --mount bash -c 'mount -t tmpfs tmpfs /dev/shm && exec bash "$@"' kill "$0" "$kills"
fi
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/run/lib.sh
. "$here/lib.sh"
unset {OMPI,PRTE}_MCA_odls_base_sigkill_timeout # the others have their second after a kill
export TMPDIR=$scratch/tmp # what a killed mpirun leaves there
mkdir "$TMPDIR"
# shellcheck source=tests/run/staged.sh
. "$here/staged.sh"

# processes RUN: of mpirun and its ranks; the path makes them ours.
processes() { pgrep -f "train --quiet $scratch/staged.yaml run=$scratch/$1\$"; }
ours() { find /dev/shm -name 'mot*' | wc -l; }

# leftovers RUN: what a run that is not at work should not have.
leftovers() { find "$scratch/$1" -name '*.tmp.*' -o -name lock; }

# strike RUN: starts it on 1 to 4 ranks and kills one process of the job; fails when the job was over before.
strike() {
    local victims i
    "$MPIRUN" -n $((RANDOM % 4 + 1)) "$MOT_BINARY" train --quiet "$scratch/staged.yaml" "run=$scratch/$1" >"$1.said" 2>&1 &
    job=$!
    # Mostly while it trains, now and then while it starts.
    if [ $((RANDOM % 5)) -gt 0 ]; then
        for ((i = 0; i < 500; ++i)); do
            if [ -e "$1/lock" ] || ! kill -0 $job 2>/dev/null; then break; fi
            sleep 0.01
        done
    fi
    sleep "0.$((RANDOM % 9))$((RANDOM % 10))"
    mapfile -t victims < <(processes "$1")
    [ ${#victims[@]} -gt 0 ] || { wait $job; return 1; }
    kill -s KILL "${victims[RANDOM % ${#victims[@]}]}" 2>/dev/null
    # Open MPI 4.1 with PMIx 4.2 may hang at its end when a rank is killed that has just started.
    for ((i = 0; i < 400; ++i)); do
        case $(cut -d' ' -f3 "/proc/$job/stat" 2>/dev/null) in '' | Z) break ;; esac
        sleep 0.05
    done
    if [ $i -eq 400 ]; then
        hung=$((hung + 1))
        kill -s KILL $job
    fi
    wait $job 2>/dev/null
    while [ -n "$(processes "$1")" ]; do sleep 0.05; done
    [ "$(leftovers "$1" 2>/dev/null | wc -l)" -le 3 ] || fail "$1: left behind: $(leftovers "$1")"
}

# finished RUN: once more without a kill; it must have ended as `whole` did.
finished() {
    local n=$((RANDOM % 4 + 1))
    mot_on $n train --quiet staged.yaml "run=$1" >"$1.said" 2>&1 || fail "$1: does not continue on $n ranks: $(cat "$1.said")"
    same "$1 after $2 kills" "$1"
    [ -z "$(leftovers "$1")" ] || fail "$1: left behind: $(leftovers "$1")"
    rm -rf "$1"
}

hung=0 struck=0 runs=0 of_run=0 shm=$(ours)
while [ $struck -lt "$kills" ] && [ $failures -eq 0 ]; do
    if strike run$runs; then
        struck=$((struck + 1))
        of_run=$((of_run + 1))
    fi
    if [ "$(value run$runs/summary.json status 2>/dev/null)" = "done" ] || [ $of_run -ge 12 ] || [ $struck -eq "$kills" ]; then
        finished run$runs $of_run
        runs=$((runs + 1)) of_run=0
    fi
done
[ "$(ours)" -le "$shm" ] || fail "segments of ours stay in /dev/shm: $(find /dev/shm -name 'mot*')"
echo "$struck kills in $runs runs; mpirun itself hung after $hung of them, and was killed"
finish
