#!/bin/bash
# launch/slurm.sbatch in a real Slurm: both ways of starting ranks train to the end; a job that is warned of its time
# limit, or has to make room for another one, stops, goes back into the queue and finishes in its second start, on the same
# bits as one that never stopped; and so does one with a rank that is frozen.
# shellcheck source=tests/run/slurm_private.sh
. "$(dirname "$0")/slurm_private.sh"
cd "$MOT_SOURCE_DIR"
steps=1600

submit() { # LAUNCH NAME SETTING...: prints the job's number
    sbatch --parsable -n 2 --export="ALL,MOT_LAUNCH=$1" --output="$dir/$2.out" \
        launch/slurm.sbatch "$dir/tiny.yaml" "run=$dir/$2" "train.until=$steps steps" "${@:3}"
}
# reference: what nothing happens to, under srun and under mpirun.
reference() {
    local launch job
    for launch in srun mpirun; do
        rm -rf "$dir/by_$launch"
        job=$(submit $launch by_$launch)
        completed "$job" "$dir/by_$launch" "$dir/by_$launch.out"
        echo "by_$launch: $steps steps in $(summary time.wall_s "$dir/by_$launch") s, digest $(summary digest "$dir/by_$launch")"
    done
    same_digest "$dir/by_srun" "$dir/by_mpirun"
}
# in_two_starts LAUNCH NAME WHAT SETTING...: WHAT happens to the job while it trains, and it is done in its second start.
# One that was done before comes again, with more steps.
in_two_starts() {
    local job
    while :; do
        job=$(submit "$1" "$2" "${@:4}")
        steps_are_made "$job" "$dir/$2" "$dir/$2.out"
        "$3" "$job" "$2"
        if goes_on "$job" "$dir/$2" "$dir/$2.out"; then break; fi
        steps=$((4 * steps))
        rm -r "$dir/${2:?}"
        reference
    done
    same_digest "$dir/by_srun" "$dir/$2"
    echo "$2: done in its second start"
}
warn() { scancel --batch --signal=USR1 "$1"; }
freeze() { kill -s STOP "$(pgrep -n -f "^$MOT_BINARY train .*run=$dir/$2 ")"; }
need_its_place() { sbatch --parsable --partition=urgent -n 8 --output=/dev/null --wrap true >/dev/null; }

reference
in_two_starts srun warned_under_srun warn
in_two_starts mpirun warned_under_mpirun warn
in_two_starts mpirun frozen freeze watch.abort=3s checkpoint.every=100
grep 'the job ends' "$dir/frozen.out"
# Slurm asks the ranks alone to make room, not the script.
in_two_starts srun preempted need_its_place
grep '^exit code 75: back into the queue' "$dir/preempted.out"
