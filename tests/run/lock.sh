#!/bin/bash
# Two runs in one folder: the second is refused before it writes anything; a lock that a killed run left behind is
# taken over aloud; a run that ends leaves none.
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/run/lib.sh
. "$here/lib.sh"

make_mixture mixture.h5
small_model mixture.h5 >small.yaml
"$MPIRUN" -n 2 "$MOT_BINARY" train --quiet small.yaml run=one train.until='1e9 steps' record.every=0 >said.first 2>&1 &
job=$!
wait_for_step one 10 $job || fail "no steps: $(cat said.first)"

process=$(sed -n 's/^process //p' one/lock)
for n in 1 2; do
    mot_on $n train small.yaml run=one >said 2>&1
    code=$?
    [ $code -eq 2 ] || fail "a second run on $n ranks: exit code $code"
    grep -q "^mot: error: one: process $process on host $(hostname) works in this run folder since 20" said ||
        fail "a second run on $n ranks says: $(cat said)"
done
cmp -s <(grep -c . one/config.yaml) <(mot train --quiet small.yaml run=other train.until='1 steps' && grep -c . other/config.yaml) ||
    fail "the second run changed the first one's configuration"
mot eval one >said 2>&1
code=$?
# Reading needs no lock: what it says is that there is nothing to read yet.
if [ $code -ne 2 ] || ! grep -q 'no checkpoint in this run folder' said; then fail "mot eval says: $(cat said)"; fi
mot inspect one >said 2>&1 || fail "mot inspect says: $(cat said)"

kill -s KILL "$process"
wait $job
[ -e one/lock ] || fail "a killed run leaves no lock"
mot_on 2 train small.yaml run=one 2>said >/dev/null || fail "after a kill: $(cat said)"
grep -q "^mot: warning: one: process $process on host $(hostname), at work here since 20.*taken over" said ||
    fail "after a kill it says: $(cat said)"
[ ! -e one/lock ] || fail "a lock stays behind"
mot_on 2 train small.yaml run=one >said 2>&1 || fail "once more: $(cat said)"
if grep -q lock said; then fail "once more it says: $(cat said)"; fi
finish
