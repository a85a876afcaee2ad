# shellcheck shell=bash
# lib.sh - sourced by the scripts of this folder: the program as a user runs it, in a scratch folder of its own.
# A script ends with `finish`, which is success when `fail` was never called.
set -u
: "${MOT_BINARY:=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)/build/bin/mot}"
export MOT_BINARY
[ -x "$MOT_BINARY" ] || { echo "no program at $MOT_BINARY: build it, or set MOT_BINARY"; exit 1; }

# As in all tests (tests/support/crowd.sh).
# shellcheck source=launch/env.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../launch/env.sh"
mot_crowd
export LSAN_OPTIONS=${LSAN_OPTIONS:+$LSAN_OPTIONS:}print_suppressions=0 # standard error is the program's own
mot_find_launcher "$MOT_BINARY"
MPIRUN=$(command -v "$mot_mpiexec") || { echo "skipped: no mpirun"; exit 77; }
PYTHON=/usr/bin/python3 # where Debian's h5py is
LIMIT=${MOT_TEST_LIMIT:-600} # seconds after which a command, or a wait, counts as hanging: never for slowness
export MPIRUN PYTHON

scratch=$(mktemp -d "${TMPDIR:-/tmp}/mot-run.XXXXXX") || exit 1
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 1

failures=0
fail() {
    echo "FAILED: $*"
    failures=$((failures + 1))
}

finish() {
    [ "$failures" -eq 0 ] || { echo "$failures failed"; exit 1; }
    echo "all well"
    exit 0
}

# mot ARGUMENT...: one process, without mpirun.
mot() { timeout -k 5 "$LIMIT" "$MOT_BINARY" "$@"; }

# mot_on RANKS ARGUMENT...: under mpirun.
mot_on() {
    local ranks=$1
    shift
    timeout -k 5 "$LIMIT" "$MPIRUN" -n "$ranks" "$MOT_BINARY" "$@"
}

# on_rank N PREFIX... -- ARGUMENT...: under mpirun on two ranks, of which the N-th is started by PREFIX (strace, ...).
# (A launch of two programs, 'A : B', would do the same with Open MPI 4; that of PRRTE 3.0.8 ends in a crash.)
on_rank() {
    local rank=$1 prefix=()
    shift
    while [ "$1" != -- ]; do prefix+=("$1") && shift; done
    shift
    # shellcheck disable=SC2016 # for the inner shell
    timeout -k 5 "$LIMIT" "$MPIRUN" -n 2 bash -c '[ "${OMPI_COMM_WORLD_RANK:-${PMI_RANK:-}}" = "$1" ] || exec "${@:3+$2}"
        exec "${@:3}"' on_rank "$rank" "${#prefix[@]}" "${prefix[@]}" "$MOT_BINARY" "$@"
}

# quietly COMMAND...: must succeed; what it says is shown only when it does not.
quietly() {
    "$@" >"$scratch/.said" 2>&1 || {
        echo "exit code $? of: $*"
        cat "$scratch/.said"
        exit 1
    }
}

# value FILE KEY...: of a flat JSON object on one line or many, numbers as they stand there; no lists. (In bash: it is asked
# for after each launch, and Python takes a twentieth of a second to start.)
value() {
    local text key values=()
    text=$(<"$1") || return
    for key in "${@:2}"; do
        if ! [[ $text =~ \"${key//./\\.}\":[[:space:]]*(\"([^\"\\]*)\"|[^],}[:space:]\"[]+) ]]; then
            echo "$1 has no $key that is a text or a number" >&2
            return 1
        fi
        if [ -n "${BASH_REMATCH[2]}" ]; then values+=("${BASH_REMATCH[2]}"); else values+=("${BASH_REMATCH[1]}"); fi
    done
    echo "${values[*]}"
}

# ---- cases side by side, since a launch waits more than it computes ----

abreast=$((2 * $(env -u OMP_NUM_THREADS nproc))) # how many at a time
begun=0

# side_by_side COMMAND...: in the background, in a copy of this folder (one in the scratch folder) as it is now.
side_by_side() {
    local folder=$scratch/case-$((++begun))
    while [ "$(jobs -pr | wc -l)" -ge $abreast ]; do wait -n; done
    cp -a . "$folder"
    (
        cd "$folder" || exit 1
        "$@"
        rm -rf "$folder"
        touch "$folder.ended"
    ) >"$folder.said" 2>&1 &
}

# together: waits for them all; what they said comes in their order, and their failures count.
together() {
    local i
    wait
    for ((i = 1; i <= begun; ++i)); do
        cat "$scratch/case-$i.said"
        failures=$((failures + $(grep -c '^FAILED: ' "$scratch/case-$i.said")))
        [ -e "$scratch/case-$i.ended" ] || fail "case $i did not come to its end"
    done
}

# ---- jobs that are interrupted ----

# until_true COMMAND...: waits for it; fails when that hangs.
until_true() {
    local end=$((SECONDS + LIMIT))
    until "$@"; do
        [ $SECONDS -lt $end ] || return 1
        sleep 0.02
    done
}

# logged_step RUN: of the last line of its log; 0 without one.
logged_step() {
    local last
    last=$(tail -n 1 "$1/log.jsonl" 2>/dev/null | sed -n 's/.*"step": *\([0-9]*\).*/\1/p')
    echo "${last:-0}"
}

# wait_for_step RUN STEP PROCESS: until a line of the log is of that step or later; fails when PROCESS ends before.
wait_for_step() {
    until_true step_or_end "$@" && [ "$(logged_step "$1")" -ge "$2" ]
}
step_or_end() { [ "$(logged_step "$1")" -ge "$2" ] || ! kill -0 "$3" 2>/dev/null; }

# rank_of PROCESS N: the N-th of the job's processes that run the program.
rank_of() {
    local child
    for child in $(ps -o pid= --ppid "$1" 2>/dev/null); do
        [ "$(readlink "/proc/$child/exe")" = "$(readlink -f "$MOT_BINARY")" ] && echo "$child"
    done | sed -n "$2p"
}

# Small data sets, each made by the program.
make_mixture() { quietly mot data make mixture --out "$1" --train 240 --val 20 --test 60 --tokens 6 --width 8 --classes 4; }

# pictures FILE: 8 x 8, three classes, from lines of numbers.
make_pictures() {
    awk 'BEGIN { srand(7); for (n = 0; n < 150; ++n) { c = n % 3; for (i = 0; i < 64; ++i)
        printf "%d,", int(rand() * 120) + (i % 3 == c ? 130 : 0); print c } }' >pictures.csv
    quietly mot data import csv --out "$1" --train pictures.csv --shape 8x8 --test-fraction 0.3
}

# texts FILE: three classes in two groups, of 1 to 9 words.
make_texts() {
    awk 'BEGIN { srand(3); for (n = 0; n < 150; ++n) { c = n % 3; printf "label%d\tgroup%d\t", c, (c > 0);
        m = 1 + int(rand() * 9); for (i = 0; i < m; ++i) printf "%sw%d", i ? " " : "", int(rand() * 9) + 6 * c;
        print "" } }' >texts.tsv
    head -n 60 texts.tsv >texts-test.tsv
    quietly mot data import text --out "$1" --train texts.tsv --test texts-test.tsv --length 7 --min-count 1
}

# A tiny model; every script adds what it is about. Its steps are the same whatever the length of the run, so that one that
# is made longer has the bits of one that was so long from the beginning.
small_model() {
    cat <<YAML
data:
  file: $1
model: {experts: 4, width: 16, heads: 2, depth: 1, ffn: 24, patch: 4}
train: {batch: 24, rate: 1e-2, schedule: constant, until: 20 steps}
route.noise: none
route.balance_loss: 0
eval: {batch: 25}
report: {every: 10}
YAML
}
