#!/bin/bash
# The tests and the command under valgrind's memcheck, at 1 and at 3 ranks: nothing is read or written outside of memory
# that is held, nothing depends on bytes that nobody stored, and no memory is lost. What the libraries do themselves is
# left out by the suppressions that come with them and by tests/support/valgrind.supp. Bytes that came through memory
# which ranks share count as stored.
# usage: valgrind.sh [TEST... | command]     TEST: of ctest's names, such as route.plan.np3; without any: all of it
# It works in MOT_BUILD_DIR/valgrind; logs/ there keeps what was found.
set -u
here=$(cd "$(dirname "$0")" && pwd)
source_dir=$(cd "$here/../.." && pwd)
export MOT_SOURCE_DIR=$source_dir MOT_BUILD_DIR=${MOT_BUILD_DIR:-$source_dir/build}
work=$MOT_BUILD_DIR/valgrind logs=$MOT_BUILD_DIR/valgrind/logs
command -v valgrind >/dev/null || { echo "skipped: no valgrind (Debian: valgrind)"; exit 77; }

# For a processor that valgrind knows, which are those without AVX-512; -O1, so that what it says is true to the line.
build=$(cmake -S "$source_dir" -B "$work" -DCMAKE_BUILD_TYPE=Debug -DCMAKE_C_FLAGS_DEBUG="-O1 -g" -DMOT_NATIVE=OFF \
    -DCMAKE_C_FLAGS=-march=x86-64-v3 2>&1 && cmake --build "$work" -j "${MOT_JOBS:-2}" 2>&1) || { echo "$build"; exit 1; }
export MOT_BINARY=$work/bin/mot
# shellcheck source=tests/run/lib.sh
. "$here/lib.sh"
LIMIT=${MOT_TEST_LIMIT:-1800}

# Threads take turns, since one that waits for another would otherwise be given most of the time.
memcheck=(valgrind --quiet --error-exitcode=99 --leak-check=full --show-leak-kinds=definite
    --errors-for-leak-kinds=definite --num-callers=40 --keep-debuginfo=yes --fair-sched=yes
    --suppressions="$source_dir/tests/support/valgrind.supp")
for file in /usr/share/openmpi/openmpi-valgrind.supp /usr/lib/*/pmix2/share/pmix/pmix-valgrind.supp; do
    [ ! -r "$file" ] || memcheck+=(--suppressions="$file")
done
rm -rf "$logs"
mkdir "$logs" || exit 1

# check NAME RANKS PROGRAM ARGUMENT...: it must succeed, and valgrind must find nothing.
check() {
    local name=$1 ranks=$2 launch=() start=$SECONDS code
    shift 2
    [ "$ranks" -eq 1 ] || launch=("$MPIRUN" -n "$ranks")
    CK_FORK=no timeout -k 5 "$LIMIT" "${launch[@]}" "${memcheck[@]}" --log-file="$logs/$name.%p" "$@" >"$logs/$name.said" 2>&1
    code=$?
    if [ $code -eq 0 ]; then
        echo "$name: nothing found, $((SECONDS - start)) s"
    else
        fail "$name: exit code $code"
        tail -n 5 "$logs/$name.said"
        head -n 100 -q "$logs/$name".[0-9]*
    fi
    find "$logs" -type f -empty -delete
}

# ---- the tests: every Check program of one process, and of those with ranks the ones with one and three ----

tests=("$@")
[ $# -gt 0 ] || mapfile -t tests < <(ctest --test-dir "$work" -N | sed -nE 's/^ *Test +#[0-9]+: ([a-z]+\.[a-z0-9_]+(\.np[13])?)$/\1/p')
checked=0
for test in "${tests[@]}"; do
    name=${test%.np?} ranks=${test##*.np}
    program=$work/tests/test_${name/./_}
    # Under valgrind nobody learns that posix_spawn failed, which study.figure is about.
    if [ ! -x "$program" ] || [ "$test" = study.figure ]; then continue; fi
    [ "$ranks" != "$test" ] || ranks=1
    check "$test" "$ranks" "$program"
    checked=$((checked + 1))
done
[ $checked -gt 0 ] || [ "$*" = command ] || fail "no tests"
[ $# -eq 0 ] || [ "$*" = command ] || finish

# ---- the command: trains with checkpoints in the background, goes on, and what it wrote is read ----

make_mixture mixture.h5
{
    small_model mixture.h5
    echo 'checkpoint: {every: 4}'
    echo 'route: {rebalance: eval, split: true}'
} | sed 's/batch: 25/batch: 25, every: 6/' >small.yaml
for n in 1 3; do
    check train.$n $n "$MOT_BINARY" train small.yaml run=run$n 'train.until=10 steps'
    check resume.$n $n "$MOT_BINARY" train small.yaml run=run$n
    check eval.$n $n "$MOT_BINARY" eval run$n
done
for exchange in direct node; do
    for precision in fp32 bf16_always; do
        check $exchange.$precision 3 "$MOT_BINARY" train small.yaml run=$exchange.$precision 'train.until=6 steps' \
            route.exchange=$exchange model.precision=$precision route.top_k=2 route.chunks=2 threads=2
    done
done
check inspect 1 "$MOT_BINARY" inspect --verify run3
seq 60 | awk '{ print $1 % 7 "," $1 % 11 "," $1 % 13 "," $1 % 17 "," $1 % 3 }' >pictures.csv
check import 1 "$MOT_BINARY" data import csv --out pictures.h5 --train pictures.csv --shape 2x2 --test-fraction 0.3
check show 1 "$MOT_BINARY" data show pictures.h5
finish
