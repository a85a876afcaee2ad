#!/bin/bash
# SIGKILL to a random rank or to mpirun, at random moments, again and again, each time followed by the same command on a
# random number of ranks: every run ends on the digest of one that nothing happened to, its record holds every step
# once, and nothing is left behind. After each kill all of the record that was written can be read, up to the newest
# checkpoint at least: what was assigned since then is lost, and is made again.
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
processes() { pgrep -f "train --quiet $scratch/staged.yaml checkpoint.every=3 run=$scratch/$1\$"; }
ours() { find /dev/shm -name 'mot*' | wc -l; }

# leftovers RUN: what a run that is not at work should not have.
leftovers() { find "$scratch/$1" -name '*.tmp.*' -o -name lock; }

# readable RUN: after a kill. Says whether a segment was being written, and how many steps that the log has the record has not.
if "$PYTHON" -c 'import h5py' 2>said; then
    readable() {
        "$PYTHON" - "$1" <<'PY'
import glob, json, os, re, sys
import h5py
run = sys.argv[1]
steps, assigned = [], []
for path in sorted(glob.glob(run + "/record/*.h5")):
    with h5py.File(path) as f:
        f.visititems(lambda name, item: item[()] if isinstance(item, h5py.Dataset) else None)
        steps += list(f["steps/step"][...]) if "steps" in f else []
        assigned += list(f["assign/step"][...][f["assign/split"][...] == 0]) if "assign" in f else []
saved = [int(re.search(r"step-(\d+)\.h5$", path).group(1)) for path in glob.glob(run + "/checkpoints/step-*.h5")]
cut = len(steps) != len(set(steps)) # it was killed while it cut a segment, and the whole one is still there
steps = sorted(set(steps))
if steps != list(range(1, len(steps) + 1)) or len(steps) < max(saved, default=0):
    sys.exit("the record has the steps %s, the newest checkpoint is of %s" % (steps, max(saved, default=None)))
if not cut and len(assigned) != 24 * len(steps):
    sys.exit("the record has %d assignments of %d steps" % (len(assigned), len(steps)))
log = run + "/log.jsonl"
lines = open(log).read().splitlines() if os.path.exists(log) else []
logged = max((json.loads(line).get("step", 0) for line in lines), default=0)
print(len(glob.glob(run + "/record/*.tmp.*")) > 0 or cut, max(0, logged - len(steps)))
PY
    }
else
    readable() { echo False 0; }
fi

# strike RUN: starts it on 1 to 4 ranks and kills one process of the job; fails when the job was over before.
strike() {
    local victims i
    "$MPIRUN" -n $((RANDOM % 4 + 1)) "$MOT_BINARY" train --quiet "$scratch/staged.yaml" checkpoint.every=3 "run=$scratch/$1" >"$1.said" 2>&1 &
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
    [ -e "$1/lock" ] || return 0
    at_work=$((at_work + 1))
    read -r writing steps < <(readable "$1" 2>said || echo '? 0')
    case $writing in
    True) half=$((half + 1)) ;;
    '?') fail "$1: after a kill: $(cat said)" ;;
    esac
    lost=$((lost + steps))
    most=$((steps > most ? steps : most))
}

# finished RUN: once more without a kill; it must have ended as `whole` did.
finished() {
    local n=$((RANDOM % 4 + 1))
    mot_on $n train --quiet staged.yaml "run=$1" >"$1.said" 2>&1 || fail "$1: does not continue on $n ranks: $(cat "$1.said")"
    same "$1 after $2 kills" "$1"
    [ -z "$(leftovers "$1")" ] || fail "$1: left behind: $(leftovers "$1")"
    rm -rf "$1"
}

hung=0 struck=0 at_work=0 half=0 lost=0 most=0 runs=0 of_run=0 shm=$(ours)
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
echo "$at_work kills of $struck while the run recorded, $half of them while a segment was written; all that was written can be read," \
    "and of the steps in the log at most $most a kill were not in it yet, $lost in all"
echo "$struck kills in $runs runs; mpirun itself hung after $hung of them, and was killed"
finish
