#!/bin/bash
# mot sweep as a job array of a real Slurm, as docs/sweep.md has it: its tasks work side by side in one folder. The same array is
# submitted twice, a task is killed, another goes back into the queue: nobody touches what another one is at work on, and
# when all have ended, the same command sees that all is done. Every run has the digest that it has without Slurm.
# shellcheck source=tests/run/slurm_private.sh
. "$(dirname "$0")/slurm_private.sh"
cd "$dir"
steps=400

for folder in sw plain; do # nine runs
    cat >$folder.yaml <<YAML
config: tiny.yaml
folder: $folder
seeds: 3
list: [{model.ffn: 24}, {model.ffn: 32}, {model.ffn: 40}]
YAML
done
fail() {
    echo "FAILED: $*"
    exit 1
}
settings() { echo checkpoint.every=20 "train.until='$steps steps'"; }
submit() { # RANKS: three tasks, which have room side by side; prints the array's number
    sbatch --parsable --array=0-2 -n "$1" --mem=500 --open-mode=append --output="array.%A.%a" \
        --wrap "exec srun --mpi=pmix $MOT_BINARY sweep sw.yaml $(settings)"
}
# worker TASK: the process that is at work on a run of its part, and has made a checkpoint. Task t does the runs t, t + 3, ... of
# the file's order, which are those of seed t + 1.
worker() {
    local run
    for run in sw/trials/model.ffn=*-$(($1 + 1)); do
        if compgen -G "$run/checkpoints/*.h5" >/dev/null; then sed -n 's/^process //p' "$run/lock" 2>/dev/null; fi
    done | head -n 1
}
at_work_or_over() { [ -n "$(worker "$2")" ] || ended "$1_$2"; }
ended() { case $(field "$1" JobState) in PENDING | CONFIGURING | RUNNING | COMPLETING) return 1 ;; esac; }
code() { field "$1" ExitCode; }
all_said() { cat array."$1".*; }

while :; do
    rm -rf sw array.*
    first=$(submit 2)
    until_true at_work_or_over "$first" 0
    second=$(submit 1) # typed once more
    until_true at_work_or_over "$first" 1
    kill -s KILL "$(worker 1)" || true
    until_true at_work_or_over "$first" 2
    if ended "${first}_2"; then requeued=no; else
        requeued=yes
        scontrol requeue "${first}_2"
        until_field "${first}_2" Restarts 1 "array.$first.2"
        until_field "${first}_2" JobState PENDING "array.$first.2"
        until_true no_steps "${first}_2"
        sleep 1.1 # as goes_on has it
        scontrol update jobid="${first}_2" StartTime=now
    fi
    for task in "${first}_"{0,1,2} "${second}_"{0,1,2}; do
        until_true ended "$task"
        echo "task $task ended with $(code "$task")"
    done
    [ $requeued = no ] || [ "$(code "${first}_1")" = 0:0 ] || ! grep -q 'left to another process' array.* || break
    steps=$((4 * steps)) # too short for all this to happen
done
[ "$(code "${first}_1")" = 137:0 ] || fail "the killed task ended with $(code "${first}_1"): $(all_said "$first")"
for task in "${first}_"{0,2} "${second}_"{0,1,2}; do
    case $(code "$task") in 0:0 | 75:0) ;; *) fail "task $task ended with $(code "$task"): $(all_said "${task%_*}")" ;; esac
done
! grep 'mot: error:' array.* || fail "an error"

# The same command, until all is done: now nothing is at work.
third=$(submit 2)
for task in "${third}_"{0,1,2}; do
    until_field "$task" JobState COMPLETED "array.$third.${task##*_}"
    grep -q 'this part is done' "array.$third.${task##*_}" || fail "task $task: $(all_said "$third")"
done
eval "$MOT_BINARY sweep plain.yaml $(settings)" >plain.out 2>&1 || fail "$(cat plain.out)"
continued=0
for run in plain/trials/*; do
    same_digest "$run" "sw/${run#plain/}"
    [ "$(summary restarts "sw/${run#plain/}")" = 0 ] || continued=$((continued + 1))
done
[ "$(ls sw/trials)" = "$(ls plain/trials)" ] || fail "runs: $(ls sw/trials)"
[ $continued -gt 0 ] || fail "no run went on where it was killed or stopped"
[ -z "$(find sw -name lock -o -name '*.tmp.*')" ] || fail "left behind: $(find sw -name lock -o -name '*.tmp.*')"
echo "9 runs of $steps steps, $continued of them in several starts; $(grep -c 'is left to another process' array.* | awk -F: '{ n += $2 } END { print n }') times one was left to another task"

# One number alone is one part of one; a list that is no row has no parts, and no task does anything.
one=$(sbatch --parsable --array=7 -n 1 --mem=500 --output=one --wrap "exec srun --mpi=pmix $MOT_BINARY sweep sw.yaml $(settings)")
list=$(sbatch --parsable --array=1,2,30 -n 1 --mem=500 --output=list.%a --wrap "exec srun --mpi=pmix $MOT_BINARY sweep sw.yaml $(settings)")
until_field "${one}_7" JobState COMPLETED one
grep -q 'all done' one || fail "an array of one: $(cat one)"
for task in 1 2 30; do
    until_true ended "${list}_$task"
    [ "$(code "${list}_$task")" = 2:0 ] && grep -q '3 tasks from 1 to 30, are no row' list.$task || fail "task $task of a list: $(cat list.$task)"
done
