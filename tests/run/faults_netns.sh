#!/bin/bash
# A job over three hosts of which one is killed, frozen, or cut off: it ends within 30 seconds and says why, and the same
# command goes on to the digest of a run that nothing happened to. The hosts are network namespaces, made by the
# cluster.sh that CLUSTER_SH names.
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/run/lib.sh
. "$here/lib.sh"
skip() { echo "skipped: $*"; exit 77; }
source_dir=$(cd "$here/../.." && pwd)
unset OMPI_MCA_btl_tcp_if_include # a way from host to host
cluster=${CLUSTER_SH:-$source_dir/../shared/cluster/netns-cluster/cluster.sh}
[ "$(id -u)" = 0 ] || skip "network namespaces need root"
[ -x "$cluster" ] || skip "no cluster.sh: name it in CLUSTER_SH"
for command in ip nsenter unshare; do
    [ -n "$(command -v $command)" ] || skip "no $command"
done
export NETNS_CLUSTER=$scratch/cluster NETNS_PREFIX=f
trap '"$cluster" down >/dev/null 2>&1; rm -rf "$scratch"' EXIT
"$cluster" up -n 3 >up.said 2>&1 || skip "cluster.sh up: $(tail -n 1 up.said)"

make_mixture mixture.h5
{
    small_model mixture.h5
    echo 'checkpoint: {every: 500, keep: 2}'
    echo 'record: {every: 0}'
    echo 'watch: {warn: 5s, abort: 15s}'
} >small.yaml
steps='8000 steps'
quietly mot train --quiet small.yaml run=whole train.until="$steps"
wanted=$(value whole/summary.json digest)

# job RUN: one rank on each host, by the launcher that sees to it that it ends.
job() {
    MOT_MPIRUN="$cluster mpirun -np 3 -x OMP_NUM_THREADS" \
        timeout -k 5 "$LIMIT" "$source_dir/launch/run.sh" small.yaml --quiet "run=$1" train.until="$steps"
}

# shellcheck disable=SC2317 # called by name
{
fail_kill() { "$cluster" crash f2; }
fail_cut() { "$cluster" cut f2; }
fail_poweroff() { "$cluster" cut f2; "$cluster" crash f2; }
fail_freeze() {
    local process
    for process in $(ip netns pids f2); do kill -s STOP "$process"; done
}
}

for fault in kill freeze cut poweroff; do
    job $fault >$fault.said 2>&1 &
    launcher=$!
    if ! wait_for_step $fault 1000 $launcher; then
        fail "$fault: makes no steps: $(tail -n 3 $fault.said)"
        break
    fi
    struck=$(logged_step $fault) began=$EPOCHREALTIME
    fail_$fault
    wait $launcher
    code=$?
    took=$(awk -v from="$began" -v to="$EPOCHREALTIME" 'BEGIN { printf "%.1f", to - from }')
    case $code in 0 | 2 | 75 | 124) fail "$fault: exit code $code: $(tail -n 5 $fault.said)" ;; esac
    [ "${took%.*}" -lt 30 ] || fail "$fault: ended after $took s"
    reason=$(grep -m 1 -oE 'lost communication with a remote daemon|no progress for .*: waits for [^;]*' $fault.said) ||
        fail "$fault: no reason: $(tail -n 20 $fault.said)"
    if [ $fault != kill ] && ! grep -q 'waits for rank 1 on f2 (does not answer)' $fault.said; then
        fail "$fault: f2 is not named: $(grep 'no progress' $fault.said)"
    fi
    "$cluster" down
    "$cluster" up -n 3
    if ! job $fault >$fault.again 2>&1; then fail "$fault: does not go on: $(tail -n 5 $fault.again)"; fi
    [ "$(value $fault/summary.json digest)" = "$wanted" ] || fail "$fault: another digest"
    [ ! -e $fault/lock ] || fail "$fault: a lock stays behind"
    echo "$fault after step $struck: ended in $took s with exit code $code ($reason); went on to the same digest"
done
finish
