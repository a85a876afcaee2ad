#!/bin/bash
# fuzz.sh - builds the fuzzers with Clang, or runs one of them; or tries one of a build with sanitizers (driver.c).
# usage: fuzz.sh build | fuzz.sh run PARSER SECONDS | fuzz.sh try PARSER COUNT
# The first two work in MOT_BUILD_DIR/fuzz; found/PARSER there keeps what led to new code, from run to run. An input that
# breaks something stays as PARSER-crash-..., and `fuzz/PARSER FILE` repeats it.
set -u
here=$(cd "$(dirname "$0")" && pwd)
work=${MOT_BUILD_DIR:?the build folder}/fuzz

skip() {
    echo "skipped: $*"
    exit 77
}

if [ "${1-}" = try ]; then
    seeds=$(mktemp -d) || exit 1
    trap 'rm -rf "$seeds"' EXIT
    python3 "$here/seeds.py" "$seeds" && "$work/fuzz_$2" "$seeds/$2" "$3"
    exit
fi

if ! command -v clang >/dev/null; then skip "no clang (Debian: clang)"; fi
# Where its archive lies differs from one Clang to the next; whether it is found does not.
echo 'int LLVMFuzzerTestOneInput(const char *data, __SIZE_TYPE__ size) { return data == 0 && size > 0; }' |
    clang -fsanitize=fuzzer -x c -o /dev/null - 2>/dev/null ||
    skip "no libFuzzer: clang -fsanitize=fuzzer makes no program (Debian: libclang-rt-$(clang -dumpversion | cut -d. -f1)-dev)"

case ${1-} in
build)
    # -O1: fast enough, and stack traces stay true. Of the debugging information the lines alone: it builds sooner.
    CC=clang cmake -S "$here/../.." -B "$work" -DCMAKE_BUILD_TYPE=Debug -DCMAKE_C_FLAGS_DEBUG="-O1 -gline-tables-only" -DMOT_FUZZ=ON &&
        cmake --build "$work" -j "${MOT_JOBS:-2}" --target fuzzers
    ;;
run)
    name=$2 seconds=$3
    [ -x "$work/fuzz/fuzz_$name" ] || { echo "no fuzzer of $name: the test fuzz.build makes it"; exit 1; }
    mkdir -p "$work/found/$name"
    python3 "$here/seeds.py" "$work/seeds" || exit 1
    # Leaks are looked for at the end: libhdf5 keeps so much between inputs that libFuzzer would look after each of them.
    "$work/fuzz/fuzz_$name" "$work/found/$name" "$work/seeds/$name" -max_total_time="$seconds" -max_len=16384 \
        -timeout=300 -detect_leaks=0 -rss_limit_mb=4096 -close_fd_mask=1 -verbosity=0 -print_final_stats=1 \
        -artifact_prefix="$work/$name-"
    ;;
*)
    sed -n 's/^# usage: /usage: /p' "$0" >&2
    exit 2
    ;;
esac
