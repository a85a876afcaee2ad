#!/bin/bash
# MPICH beside the MPI of this build: a build with it trains on 1 to 4 ranks with the same digest, evaluates and measures;
# launch/run.sh finds its launcher, starts a job again whose rank was killed, and stops one that is asked to; a launcher
# of another MPI is named, by the program and when a build is configured.
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/run/lib.sh
. "$here/lib.sh"
source_dir=$(cd "$here/../.." && pwd)
LIMIT=$((4 * LIMIT)) # MPICH 4.0 does not yield: four ranks on two cores are slow to start and to end
for program in mpicc.mpich mpiexec.mpich; do
    command -v $program >/dev/null || { echo "skipped: no $program: install mpich and libmpich-dev"; exit 77; }
done

# As this build in all that changes bits.
same=()
for key in CMAKE_BUILD_TYPE CMAKE_C_COMPILER CMAKE_C_FLAGS MOT_NATIVE; do
    same+=("-D$key=$(sed -n "s/^$key:[A-Z]*=//p" "$MOT_BUILD_DIR/CMakeCache.txt")")
done
quietly cmake -S "$source_dir" -B build "${same[@]}" -DMPI_C_COMPILER=mpicc.mpich -DMOT_TESTS=OFF -DMOT_WERROR=ON
quietly cmake --build build -j "$(env -u OMP_NUM_THREADS nproc)" --target mot
mpich=$scratch/build/bin/mot
[[ $("$mpich" --version) =~ MPI\ +MPICH\ .*launcher\ +[^\ ]*mpiexec\.mpich$ ]] || fail "it says of itself: $("$mpich" --version)"

make_mixture mixture.h5
{
    small_model mixture.h5
    echo 'checkpoint: {every: 10, keep: 2}'
} >small.yaml
for settings in "route.top_k=1" "route.top_k=2 route.chunks=2" "model.tie=[attention]"; do
    rm -rf this
    # shellcheck disable=SC2086 # words, each a setting
    quietly mot train --quiet small.yaml run=this $settings
    expected=$(value this/summary.json digest)
    for ranks in 1 2 3 4; do
        rm -rf that
        # shellcheck disable=SC2086
        quietly timeout -k 5 "$LIMIT" mpiexec.mpich -n $ranks "$mpich" train --quiet small.yaml run=that $settings
        digest=$(value that/summary.json digest)
        [ "$digest" = "$expected" ] || fail "$settings on $ranks ranks: digest $digest, expected $expected"
    done
done
quietly timeout -k 5 "$LIMIT" mpiexec.mpich -n 2 "$mpich" eval that
quietly mot eval that # a run of the one is read by the other
quietly timeout -k 5 "$LIMIT" mpiexec.mpich -n 2 "$mpich" bench small.yaml --repeats 2 --steps 2

# A rank is killed, twice; then the job is asked to stop.
MOT_BIND=none MOT_BINARY=$mpich "$source_dir/launch/run.sh" -n 3 --restarts 3 small.yaml run=again train.until='1e9 steps' >again.said 2>&1 &
launcher=$!
for restart in 1 2; do
    step=$(logged_step again)
    wait_for_step again $((step + 30)) $launcher || fail "again: makes no steps: $(cat again.said)"
    kill -s KILL "$(pgrep -f "$mpich train small.yaml run=again" | tail -n 1)"
    for ((i = 0; i < 600; ++i)); do
        if grep -q "^run.sh: exit code [0-9]*: restart $restart of 3" again.said; then break; fi
        sleep 0.1
    done
done
step=$(logged_step again)
wait_for_step again $((step + 30)) $launcher || fail "again: makes no steps: $(cat again.said)"
kill -s TERM $launcher
wait $launcher
code=$?
[ $code -eq 75 ] || fail "again: exit code $code after SIGTERM to run.sh: $(cat again.said)"
[ "$(value again/summary.json status)" = stopped ] || fail "again: summary.json does not say stopped"
[ "$(value again/summary.json restarts)" -eq 2 ] || fail "again: restarts $(value again/summary.json restarts)"
[ "$(grep -c ': restart [0-9] of 3' again.said)" -eq 2 ] || fail "again: restarts: $(cat again.said)"

# The wrong launcher, if there is another one.
if [ "$(readlink -f "$MPIRUN")" != "$(readlink -f "$(command -v mpiexec.mpich)")" ]; then
    "$MPIRUN" -n 2 "$mpich" train small.yaml run=wrong >said 2>&1
    code=$?
    [ $code -eq 2 ] || fail "the wrong launcher: exit code $code"
    grep -q '^mot: error: OMPI_COMM_WORLD_SIZE is 2, but MPI knows 1 rank: the launcher is not of this MPI (MPICH ' said ||
        fail "the wrong launcher: it says $(cat said)"
    mpiexec.mpich -n 2 "$MOT_BINARY" train small.yaml run=wrong >said 2>&1
    code=$?
    [ $code -eq 2 ] || fail "the other wrong launcher: exit code $code"
    grep -q '^mot: error: PMI_SIZE is 2, but MPI knows 1 rank: the launcher is not of this MPI (Open MPI ' said ||
        fail "the other wrong launcher: it says $(cat said)"
    [ ! -e wrong ] || fail "the wrong launcher leaves a run"
    if cmake -S "$source_dir" -B wrong-build -DMPI_C_COMPILER=mpicc.mpich -DMPIEXEC_EXECUTABLE="$MPIRUN" >said 2>&1; then
        fail "a build with the wrong launcher is configured"
    fi
    tr -s ' \n' ' ' <said | grep -q "launches another MPI than that of" || fail "the wrong launcher: cmake says $(cat said)"
fi
finish
