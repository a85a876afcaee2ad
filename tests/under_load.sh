#!/bin/bash
# under_load.sh - runs a command beside ten loops that never rest, at the priority of everything else: no test may fail for
# slowness. usage: tests/under_load.sh [-n LOOPS] COMMAND...     for example: tests/under_load.sh launch/test.sh
# Its exit code is that of the command; the last line says how long it took and at which load.
set -u
loops=10
if [ "${1-}" = -n ]; then
    loops=$2
    shift 2
fi
busy=()
trap 'kill "${busy[@]}" 2>/dev/null' EXIT
trap 'exit 1' INT TERM
for ((i = 0; i < loops; ++i)); do
    setsid bash -c 'while :; do :; done' & # a session of its own: Linux shares time out among sessions
    busy+=($!)
done
"$@"
code=$?
echo "under_load.sh: exit code $code after $SECONDS s, at a load of $(cut -d' ' -f1 /proc/loadavg)"
exit $code
