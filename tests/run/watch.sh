#!/bin/bash
# A rank that is stuck is named, with its phase, its step and whom the others wait for; a job that will not go on ends,
# and goes on by the same command; one that only paused, or is slow, goes on by itself. And the launcher starts a job again.
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/run/lib.sh
. "$here/lib.sh"
source_dir=$(cd "$here/../.." && pwd)

make_mixture mixture.h5
{
    small_model mixture.h5
    echo 'checkpoint: {every: 10, keep: 2}'
    echo 'record: {every: 0}'
} >small.yaml

# start RUN SETTING...: three ranks, without an end; $job. freeze: the last of them; $frozen.
start() {
    local run=$1
    shift
    "$MPIRUN" -n 3 "$MOT_BINARY" train small.yaml "run=$run" train.until='1e9 steps' "$@" 2>"$run.said" >/dev/null &
    job=$!
    wait_for_step "$run" 20 $job || fail "$run: makes no steps: $(cat "$run.said")"
}
freeze() {
    frozen=$(rank_of $job 3)
    frozen_rank=$(tr '\0' '\n' <"/proc/$frozen/environ" | sed -n 's/^OMPI_COMM_WORLD_RANK=//p')
    kill -s STOP "$frozen"
}
wait_for_line() { # FILE PATTERN
    until_true grep -Eq "$2" "$1" || fail "no line '$2' in: $(cat "$1")"
}
phases='load|score|choose|dispatch|expert|combine|loss|return|update|report|record|checkpoint'
place="in ($phases) of step [0-9]+: (waits for rank [0-9]+ on [^ ]* \\(does not answer\\)|at work itself)"

start pause watch.warn=2s
freeze
# Both others say so, each names it and nobody else, and not itself.
for rank in 0 1 2; do
    [ $rank = "$frozen_rank" ] || wait_for_line pause.said "^mot: warning: rank $rank on $(hostname): no progress for 2 s \
in ($phases) of step [0-9]+: waits for rank $frozen_rank on $(hostname) \(does not answer\)$"
done
kill -s CONT "$frozen"
wait_for_line pause.said "^mot: warning: rank [012] on $(hostname): goes on after [0-9]+ s"
kill -s USR1 $job
wait $job
code=$?
[ $code -eq 75 ] || fail "pause: exit code $code"
[ "$(grep -c 'no progress' pause.said)" -le 3 ] || fail "pause: said more than once: $(grep 'no progress' pause.said)"

start stuck watch.warn=0s watch.abort=2s
freeze
wait $job
code=$?
[ $code -eq 1 ] || fail "stuck: exit code $code"
grep -Eq "^mot: error: rank [012] on $(hostname): no progress for 2 s $place.*the job ends \(watch.abort\)" stuck.said ||
    fail "stuck: it says $(cat stuck.said)"
mot_on 2 train --quiet small.yaml run=stuck train.until="$(($(logged_step stuck) + 5)) steps" >said 2>&1 ||
    fail "stuck: does not go on: $(cat said)"

# A rank that reads its part of a checkpoint slowly is waited for, however long all of it takes.
if [ -z "${MOT_SANITIZE:-}" ] && strace -o /dev/null true 2>/dev/null; then # the leak check cannot be traced
    quietly mot_on 2 train small.yaml run=slow train.until='20 steps'
    reader=(train small.yaml run=slow train.until='21 steps' watch.warn=0.5s watch.abort=2s)
    on_rank 1 strace -f -o /dev/null -e trace=pread64 -e inject=pread64:delay_enter=60000 -- "${reader[@]}" \
        2>slow.said >/dev/null ||
        fail "slow: exit code $?: $(cat slow.said)"
    grep -q "rank 0 on .*waits for rank 1 on $(hostname) (at work itself in start of step 0, and gets on)$" slow.said ||
        fail "slow: it says $(cat slow.said)"
    # And one whose file server does not answer is named before there is any step.
    reader=(train small.yaml run=late train.until='21 steps' watch.warn=0.5s)
    on_rank 1 strace -f -o /dev/null -P mixture.h5 -e trace=openat -e inject=openat:delay_enter=2000000 -- \
        "${reader[@]}" 2>late.said >/dev/null ||
        fail "late: exit code $?: $(cat late.said)"
    grep -q "rank 0 on .*in start of step 0: waits for rank 1 on $(hostname) (at work itself in start of step 0)$" late.said ||
        fail "late: it says $(cat late.said)"
else
    echo "a slow reader is left out: no strace here, or a sanitizer"
fi

# Twice stuck, twice started again; then a signal to the launcher stops the job.
MOT_BIND=none "$source_dir/launch/run.sh" -n 3 --restarts 3 small.yaml run=again train.until='1e9 steps' >again.said 2>&1 &
launcher=$!
step=0
for restart in 1 2; do
    wait_for_step again $((step + 30)) $launcher || fail "again: makes no steps: $(cat again.said)"
    kill -s KILL "$(pgrep -f "$MOT_BINARY train small.yaml run=again" | tail -n 1)"
    wait_for_line again.said "^run.sh: exit code (137|205): restart $restart of 3 in $restart s"
    step=$(logged_step again)
done
wait_for_step again $((step + 30)) $launcher || fail "again: makes no steps: $(cat again.said)"
kill -s TERM $launcher
wait $launcher
code=$?
[ $code -eq 75 ] || fail "again: exit code $code after SIGTERM to run.sh"
[ "$(value again/summary.json status)" = stopped ] || fail "again: summary.json does not say stopped"
[ "$(value again/summary.json restarts)" -eq 2 ] || fail "again: restarts $(value again/summary.json restarts)"
"$source_dir/launch/run.sh" --restarts 3 small.yaml nonsense=1 >said 2>&1
code=$?
[ $code -eq 2 ] || fail "a mistake: exit code $code: $(cat said)"
if grep -q restart said; then fail "a mistake is tried again"; fi
finish
