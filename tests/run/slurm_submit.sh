#!/bin/bash
# What people type to submit launch/slurm.sbatch, in a real Slurm of two nodes: ranks and threads are those that sbatch was
# told, with srun and with mpirun, from another folder than the project's and from within another job; the elements of an
# array are runs of their own, and one that goes back into the queue takes no other one along.
slurm_nodes=2
# shellcheck source=tests/run/slurm_private.sh
. "$(dirname "$0")/slurm_private.sh"
batch=$MOT_SOURCE_DIR/launch/slurm.sbatch
cd "$dir"
failures=0
fail() {
    echo "FAILED: $*"
    failures=$((failures + 1))
}

# A line for each job: its name, the ranks expected, the threads of each, how many ranks a node has (*: as Slurm likes), and
# what is typed.
typed='
nothing    1 1 1
ranks      3 1 * -n 3
threads    1 4 1 -c 4
both       2 3 * -n 2 -c 3
a_node     6 1 3+3 -N 2 --ntasks-per-node=3
a_node_c   4 2 2+2 -N 2 --ntasks-per-node=2 -c 2
uneven     3 1 2+1 -N 2 -n 3
nodes      2 1 1+1 -N 2
all        2 8 1+1 -N 2 --exclusive
all_shared 2 4 2 -N 1 -n 2 --exclusive
few        4 1 2+2 -N 2 --ntasks-per-node=2 -c 1 --exclusive
crowded    9 1 9 -N 1 -n 9 --overcommit
memory     2 1 * -n 2 --mem-per-cpu=100
cores      1 2 1 -c 2 --hint=nomultithread
'
# The program, having noted on which node it runs.
cat >noting <<SH
#!/bin/bash
[ "\$1" = --version ] || echo "\$SLURMD_NODENAME" >>"$dir/\$SLURM_JOB_NAME.nodes"
exec "$MOT_BINARY" "\$@"
SH
chmod +x noting
# What a shell within another job, an element of an array, has in its environment.
within=(SLURM_JOB_ID=1 SLURM_NTASKS=5 SLURM_NPROCS=5 SLURM_NTASKS_PER_NODE=5 SLURM_MEM_PER_NODE=100
    SLURM_ARRAY_JOB_ID=1 SLURM_ARRAY_TASK_ID=7)
declare -A job
for launch in srun mpirun; do
    while read -r name ranks threads spread options; do
        [ -n "$name" ] || continue
        name=$launch.$name
        # shellcheck disable=SC2086 # several words
        job[$name]=$(env "${within[@]}" sbatch --parsable --job-name="$name" --output="$name.out" $options \
            --export="ALL,MOT_LAUNCH=$launch,MOT_BINARY=$dir/noting" "$batch" tiny.yaml "run=$name" train.until='20 steps')
    done <<<"$typed"
done
for launch in srun mpirun; do
    while read -r name ranks threads spread options; do
        [ -n "$name" ] || continue
        name=$launch.$name
        completed "${job[$name]}" "$name" "$name.out"
        grep -Eq "^  job +$ranks ranks? x $threads threads? on [12] host" "$name.out" ||
            fail "$name: sbatch $options: expected $ranks ranks x $threads threads: $(cat "$name.out")"
        found=$(sort "$name.nodes" | uniq -c | awk '{ print $1 }' | sort -rn | paste -sd +)
        [[ $spread = '*' || $found = "$spread" ]] || fail "$name: sbatch $options: $found ranks a node, expected $spread"
        same_digest srun.nothing "$name"
        echo "$launch, sbatch $options: $found ranks x $threads threads"
    done <<<"$typed"
done

# The last element bears the number of the whole array. Where nothing says so, runs/NAME-ELEMENT is the folder.
for launch in srun mpirun; do
    if [ $launch = srun ]; then run=() folder=runs/tiny-; else run=('run=sweep/%A.%a'); fi
    array=$(sbatch --parsable --array=1,2,30 -n 2 --output="array.$launch.%a" --export="ALL,MOT_LAUNCH=$launch" \
        "$batch" tiny.yaml seed=%a train.until='%a00 steps' "${run[@]}")
    if [ $launch = mpirun ]; then folder=sweep/$array.; fi
    until_field "${array}_30" JobState RUNNING "array.$launch.30"
    steps_are_made "${array}_30" "${folder}30" "array.$launch.30"
    scancel --batch --signal=USR1 "${array}_30"
    goes_on "${array}_30" "${folder}30" "array.$launch.30" || fail "array under $launch: was done before it was warned"
    for element in 1 2; do
        completed "${array}_$element" "$folder$element" "array.$launch.$element"
        [ "$(field "${array}_$element" Restarts)" = 0 ] || fail "array under $launch: element $element started twice"
        grep -q "^seed: $element$" "$folder$element/config.yaml" || fail "array under $launch: the seed is not $element"
    done
    echo "array under $launch: element 30, job $(field "${array}_30" JobId), went on in a second start, the others had one"
done

# A slip: what belongs to sbatch stands behind the script.
slip=$(sbatch --parsable --output=slip.out "$batch" -n 4 tiny.yaml)
until_field "$slip" ExitCode 2:0 slip.out
grep -q '^slurm.sbatch: expected a configuration, not -n' slip.out || fail "a slip: $(cat slip.out)"
[ $failures -eq 0 ]
