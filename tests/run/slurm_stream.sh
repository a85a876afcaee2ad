#!/bin/bash
# A stream of 20 tasks as one job of a real Slurm whose time limit is too short for it: warned by Slurm before each limit, the
# job goes back into the queue twice or more, and ends on the digest, and the accuracies, of a run that never stopped.
# shellcheck source=tests/run/slurm_private.sh
. "$(dirname "$0")/slurm_private.sh"
cd "$MOT_SOURCE_DIR"
steps=400

awk -v dir="$dir" 'BEGIN { srand(3); print "a,b,c,d,label" > (dir "/train.csv"); print "a,b,c,d,label" > (dir "/test.csv")
    for (i = 0; i < 40 * 30; i++) { c = i % 40
        printf "%.4f,%.4f,%.4f,%.4f,c%d\n", c % 5 + rand(), int(c / 5) + rand(), rand(), c % 3 + rand(), c > (dir (i < 800 ? "/train.csv" : "/test.csv")) } }'
"$MOT_BINARY" data import csv --out "$dir/stream.h5" --train "$dir/train.csv" --test "$dir/test.csv" --label label >/dev/null
cat >"$dir/stream.yaml" <<YAML
data: {source: stream, stream: {files: $dir/stream.h5, split: class, tasks: 20}}
model: {experts: 4, width: 16, heads: 2, depth: 1, ffn: 32}
train: {batch: 32}
rehearsal: {strategy: hybrid, memory: 100}
record: {every: 0}
YAML

# ended JOB STARTS: done, or in the queue again after so many starts, with nothing left of the last one.
ended() {
    [ "$(field "$1" JobState)" = COMPLETED ] && return
    [ "$(field "$1" JobState)" = PENDING ] && [ "$(field "$1" Restarts)" = "$2" ] && no_steps "$1"
}
while :; do
    rm -rf "$dir/job" "$dir/whole"
    # A minute each time, of which Slurm's warning leaves twenty seconds or so.
    job=$(sbatch --parsable -n 2 --time=00:01:00 --signal=B:USR1@40 --output="$dir/job.out" launch/slurm.sbatch "$dir/stream.yaml" \
        "run=$dir/job" "train.until=$steps steps")
    for ((starts = 1; ; starts++)); do
        until_true ended "$job" $starts
        [ "$(field "$job" JobState)" != COMPLETED ] || break
        sleep 1.1 # as goes_on has it
        scontrol update jobid="$job" StartTime=now
    done
    completed "$job" "$dir/job" "$dir/job.out"
    restarts=$(field "$job" Restarts)
    [ "$restarts" -lt 2 ] || break
    steps=$((3 * steps))
done
"$MOT_BINARY" train --quiet "$dir/stream.yaml" "run=$dir/whole" "train.until=$steps steps"
same_digest "$dir/job" "$dir/whole"
for key in stream.matrix stream.unaided.matrix; do
    one=$(grep -o "\"$key\": [^]]*]" "$dir/job/summary.json") other=$(grep -o "\"$key\": [^]]*]" "$dir/whole/summary.json")
    [ -n "$one" ] && [ "$one" = "$other" ] || { echo "$key differs"; exit 1; }
done
echo "20 tasks of $steps steps in $((restarts + 1)) starts, digest $(summary digest "$dir/job")"
