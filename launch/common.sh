# shellcheck shell=bash
# common.sh - sourced by the scripts beside it: where things lie, and steps that take one line each.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=${MOT_BUILD:-$root/build} # a Release build; MOT_BUILD names another folder
case $build in /*) ;; *) build=$root/$build ;; esac
jobs=${MOT_JOBS:-$(env -u OMP_NUM_THREADS -u OMP_THREAD_LIMIT nproc)}
# shellcheck source=launch/env.sh
. "$root/launch/env.sh"

# now: seconds since 1970 with their fraction; since START: how long ago that was, to a tenth.
now() { echo "$EPOCHREALTIME"; }
since() { awk -v start="$1" -v end="$EPOCHREALTIME" 'BEGIN { printf "%.1f", end - start }'; }

fail() {
    echo "${0##*/}: $*" >&2
    exit 2
}

# usage: the line of the script's head that says how it is called; it was called otherwise.
usage() {
    sed -n 's/^# usage: /usage: /p' "$0" >&2
    exit 2
}

# check_ranks TEXT: what stands behind -n.
check_ranks() {
    case $1 in '' | *[!0-9]* | 0*) fail "-n takes a number of ranks, not '$1'" ;; esac
}

# step WHAT COMMAND...: one line, WHAT and the seconds it took; what the command said is shown if it failed.
step() {
    local what=$1 start said rc=0
    shift
    start=$(now)
    said=$(mktemp)
    printf '%-58s ' "$what"
    "$@" >"$said" 2>&1 || rc=$?
    if [ "$rc" -eq 0 ]; then
        printf '%8s s\n' "$(since "$start")"
    else
        printf 'failed after %s s (exit code %d):\n' "$(since "$start")" "$rc"
        tail -n 60 "$said"
    fi
    rm -f "$said"
    return "$rc"
}

# compile FOLDER TARGET [CMAKE ARGUMENT...]: the target `mot` is the program alone, `all` the tests as well.
compile() {
    local folder=$1 target=$2
    shift 2
    cmake -S "$root" -B "$folder" "$@" && cmake --build "$folder" -j "$jobs" --target "$target"
}

# begin_study [--quick] [-n RANKS]: packages and build of a study that is reproduced. Sets ranks, quick (empty: no), started, mot.
begin_study() {
    ranks=$(mot_cores) quick=
    while [ $# -gt 0 ]; do
        case $1 in
        --quick) quick=yes ;;
        -n)
            ranks=${2-}
            check_ranks "$ranks"
            shift
            ;;
        *) usage ;;
        esac
        shift
    done
    started=$(now)
    step "packages" "$root/launch/setup.sh" study
    step "build (Release, $jobs jobs)" compile "$build" mot -DCMAKE_BUILD_TYPE=Release
    cd "$root"
    mot=$build/bin/mot
}

# begin_page [-n RANKS] [--table]: begin_study of a page whose tables a script writes; or, with --table alone, nothing is built.
# Sets table (empty: no) as well.
begin_page() {
    local word
    table=
    if [ "$*" = --table ]; then
        cd "$root"
        table=yes mot=$build/bin/mot
        return
    fi
    for word in "$@"; do [ "$word" != --quick ] || usage; done
    begin_study "$@"
}

# key NAME FILE: a number of a summary.
key() { sed -n "s/.*\"$1\": \([^,}]*\)[,}].*/\1/p" "$2"; }

# put_table FILE BEGIN PAGE: the file's lines, in the place of those in the page between the line that begins so and the table's end.
put_table() {
    awk -v table="$1" -v begin="^$2" '/^<!-- end of the table -->/ && within { while ((getline line < table) > 0) print line; within = 0 }
        !within { print }
        $0 ~ begin { within = 1 }' "$3" >"$1.page"
    cp "$1.page" "$3"
}
