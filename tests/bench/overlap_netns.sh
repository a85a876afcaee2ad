#!/bin/bash
# overlap_netns.sh - the exchange between several 'hosts' of this machine: its speed beside MPI_Alltoallv, how much of it
# hides behind work, and what route.chunks does to a training step. Judges nothing.
# usage: overlap_netns.sh [-c CLUSTER_SH] [-n HOSTS] [-m MBIT] [-r REPEATS] [-b BUILD]
#        CLUSTER_SH  netns-cluster's cluster.sh (or environment CLUSTER_SH), which makes hosts out of network namespaces
#        MBIT        rate of every host's link, default 1000; REPEATS of every figure, default 11
# Needs root. Prints "skipped: why" and ends with 77 where there can be no such hosts.
set -u
here=$(cd "$(dirname "$0")" && pwd)
cluster=${CLUSTER_SH:-} hosts=4 mbit=1000 repeats=11 build=$here/../../build
while getopts c:n:m:r:b: option; do
    case $option in
    c) cluster=$OPTARG ;; n) hosts=$OPTARG ;; m) mbit=$OPTARG ;; r) repeats=$OPTARG ;; b) build=$OPTARG ;;
    *) sed -n '4,7p' "$0" >&2; exit 2 ;;
    esac
done
skip() { echo "skipped: $*"; exit 77; }
[ "$(id -u)" = 0 ] || skip "network namespaces need root"
[ -x "$cluster" ] || skip "no cluster.sh: give it with -c"
for command in ip tc nsenter unshare mpirun; do
    [ -n "$(command -v $command)" ] || skip "no $command"
done
build=$(cd "$build" && pwd) || exit 1
[ -x "$build/tests/bench_exchange" ] || { echo "no program in $build/tests: build it, or name the build with -b"; exit 1; }

scratch=$(mktemp -d "${TMPDIR:-/tmp}/mot-overlap.XXXXXX") || exit 1
export NETNS_CLUSTER=$scratch/cluster NETNS_PREFIX=o OMP_NUM_THREADS=1
unset OPENBLAS_CORETYPE
trap '"$cluster" down >/dev/null 2>&1; rm -rf "$scratch"' EXIT
"$cluster" up -n "$hosts" >"$scratch/up" 2>&1 || skip "cluster.sh up: $(tail -1 "$scratch/up")"
"$cluster" shape "$mbit" || skip "no tbf to shape the links with"

# on COMMAND...: one rank on each host. The cluster's shell warns of a process group that it may not set.
on() { "$cluster" mpirun -np "$hosts" -x OMP_NUM_THREADS "$@" 2> >(grep -v setpgid >&2); }

echo "== $hosts hosts, $mbit Mbit/s each, on $(getconf _NPROCESSORS_ONLN) cores with load $(cut -d' ' -f1 /proc/loadavg)"
on "$build/tests/bench_exchange" speed "$repeats"
echo "== work that sleeps: as if each host had its own core"
on "$build/tests/bench_exchange" overlap "$repeats" 1024 1 sleep
on "$build/tests/bench_exchange" overlap "$repeats" 1024 3 sleep
echo "== work on the cores that all hosts share"
on "$build/tests/bench_exchange" overlap "$repeats" 1024 1
on "$build/tests/bench_exchange" overlap "$repeats" 1024 3

# Samples of 12,304 bytes on the way; an expert so small that its work takes about as long as they travel.
cat >"$scratch/step.yaml" <<END
data: {source: mixture, mixture: {tokens: 64, width: 48, train: 4096, eval: 100, labels: vector}}
model: {experts: $hosts, width: 32, heads: 1, depth: 1, ffn: 32}
gate: {kind: random}
train: {batch: 1024, rate: 1e-3, until: 14 steps}
record: {every: 0}
report: {every: 1}
END
echo "== training steps, route.chunks in turn"
for ((i = 0; i < repeats; i++)); do
    for chunks in 1 2 4 8; do
        rm -rf "$scratch/run"
        on "$build/bin/mot" train --quiet "$scratch/step.yaml" run="$scratch/run" route.chunks=$chunks >"$scratch/said" 2>&1 ||
            { cat "$scratch/said"; exit 1; }
        cp "$scratch/run/log.jsonl" "$scratch/log.$chunks.$i"
    done
done
/usr/bin/python3 - "$scratch" "$repeats" <<'END'
import json, statistics, sys
folder, repeats = sys.argv[1], int(sys.argv[2])

def figures(chunks, i):
    """Medians over a run's steps but the first two: seconds of a step, and of each part, mean over the ranks."""
    steps = [json.loads(line) for line in open(f"{folder}/log.{chunks}.{i}")]
    steps = [s for s in steps if "time.interval_s" in s][2:]
    return [statistics.median(s["time.interval_s"] * (s["time." + part] if part else 1) for s in steps)
            for part in (None, "compute", "exchange", "wait")]

runs = {c: [figures(c, i) for i in range(repeats)] for c in (1, 2, 4, 8)}
print(f"milliseconds of a step, medians of {repeats} runs; saved: of the step with one chunk; most: (C - 1)/C of its exchange")
print(f"{'chunks':>6} {'step':>8} {'compute':>8} {'exchange':>8} {'wait':>8}  {'saved':>8} {'most':>8} {'of it':>6}")
for c, rows in runs.items():
    saved = statistics.median(one[0] - row[0] for one, row in zip(runs[1], rows))
    most = statistics.median((c - 1) / c * min(one[2], one[1]) for one in runs[1])
    middle = [1e3 * statistics.median(row[j] for row in rows) for j in range(4)]
    print(f"{c:6} " + " ".join(f"{x:8.2f}" for x in middle) +
          f"  {1e3 * saved:8.2f} {1e3 * most:8.2f} " + (f"{100 * saved / most:4.0f} %" if c > 1 else ""))
END
