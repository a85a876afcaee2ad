#!/bin/bash
# A wish to stop: TERM, INT, USR1 and USR2, to each rank alone and, as far as mpirun passes them on, to mpirun; and
# stop_after. The step is finished, a checkpoint stands, the exit code is 75. A second signal ends the job at once.
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/run/lib.sh
. "$here/lib.sh"

ranks=3
make_mixture mixture.h5
{
    small_model mixture.h5
    echo 'checkpoint: {keep: 1}'
    echo 'record: {every: 0}'
} >endless.yaml

# launch RUN SETTING...: a run without an end, in the background.
launch() {
    "$MPIRUN" -n $ranks "$MOT_BINARY" train --quiet endless.yaml "run=$1" train.until='1e9 steps' "${@:2}" >"$1.said" 2>&1 &
    job=$!
}

# start RUN: the same; returns when it has gone beyond where it stood.
start() {
    local run=$1 before
    before=$(logged_step "$run")
    launch "$run"
    wait_for_step "$run" $((before + 10)) $job || {
        cat "$run.said"
        fail "$run: makes no steps"
    }
}

# saved_step RUN: of its newest checkpoint; 0 without one.
saved_step() {
    local names=("$1"/checkpoints/step-*[0-9].h5) name
    name=${names[-1]##*step-}
    name=${name%.h5}
    if [ "$name" = '*[0-9]' ]; then echo 0; else echo $((10#$name)); fi
}

# stopped RUN WHAT: the job ended with 75, and a checkpoint stands where the summary says.
stopped() {
    local code
    wait $job
    code=$?
    [ $code -eq 75 ] || fail "$2: exit code $code, expected 75: $(tail -n 3 "$1.said")"
    [ "$(value "$1/summary.json" status)" = stopped ] || fail "$2: summary.json does not say stopped"
    [ "$(value "$1/summary.json" steps)" = "$(saved_step "$1")" ] ||
        fail "$2: stopped after step $(value "$1/summary.json" steps), the checkpoint is of $(saved_step "$1")"
}

for case in TERM:1 TERM:3 INT:2 USR1:1 USR1:2 USR2:3; do
    signal=${case%:*} rank=${case#*:}
    start one
    kill -s "$signal" "$(rank_of $job "$rank")"
    stopped one "SIG$signal to process $rank of $ranks"
done
for signal in USR1 USR2; do
    start one
    kill -s $signal $job
    stopped one "SIG$signal to mpirun"
done
echo "8 signals: $(saved_step one) steps"

# The same from many sides at once is one wish, as when Slurm signals every process of a job and mpirun passes it on.
start one
mapfile -t all < <(for rank in 1 2 3; do rank_of $job $rank; done)
kill -s USR1 "${all[@]}" $job
stopped one "SIGUSR1 to all at once"

launch one stop_after=2s
stopped one "stop_after = 2s"
wall=$(value one/summary.json time.wall_s)
if [ "${wall%.*}" -lt 1 ]; then fail "stop_after = 2s: stopped after $wall s"; fi
grep -Eq '"speed.sgemm_fraction": 0\.[0-9]+, "speed.bare_product": "(openblas|mot)"' one/summary.json ||
    fail "a run of two seconds has no yardstick: $(cat one/summary.json)"

# mpirun answers TERM with KILL within two seconds: what was saved before stays, and goes on.
unset {OMPI,PRTE}_MCA_odls_base_sigkill_timeout # as for a user
before=$(saved_step one)
start one
kill -s TERM $job
wait $job
code=$?
[ $code -ne 0 ] || fail "SIGTERM to mpirun: exit code 0"
[ "$(saved_step one)" -ge "$before" ] || fail "SIGTERM to mpirun: a checkpoint is lost"

# A rank that cannot come to the end of its step, here because another one is frozen: the second signal ends it.
before=$(saved_step one)
start one
frozen=$(rank_of $job 3) victim=$(rank_of $job 2)
kill -s STOP "$frozen"
kill -s USR1 "$victim"
sleep 0.8
kill -0 "$victim" 2>/dev/null || fail "the first signal ended the rank"
again() { # a rank that heard the first one late takes both for one
    kill -s USR1 "$victim" 2>/dev/null
    sleep 0.8
    ! kill -0 "$victim" 2>/dev/null
}
until_true again
wait $job
code=$?
[ $code -eq $((128 + $(kill -l USR1))) ] || fail "second signal: exit code $code"
[ "$(saved_step one)" -eq "$before" ] || fail "second signal: a checkpoint after it"
start one
kill -s USR1 $job
stopped one "SIGUSR1 after a second signal"
finish
