#!/bin/bash
# launch/run.sh with launchers of its own kind: one that stays when its job is over is killed, and the exit code is what
# became of the run; one that reports success whatever happened is not believed.
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/run/lib.sh
. "$here/lib.sh"
run_sh=$here/../../launch/run.sh

make_mixture mixture.h5
small_model mixture.h5 >small.yaml
cat >launcher <<SH
#!/bin/bash
"$MPIRUN" -n 2 "\$@"
code=\$?
sleep \$STAYS
exit \${SAYS:-\$code}
SH
chmod +x launcher
export MOT_MPIRUN=./launcher MOT_GRACE=2

# launched CODE RUN SETTING...: the exit code of run.sh; what it says is in said.
launched() {
    local code wanted=$1
    shift
    timeout -k 5 "$LIMIT" "$run_sh" small.yaml --quiet run="$@" >said 2>&1
    code=$?
    [ $code -eq "$wanted" ] || fail "$1: exit code $code, expected $wanted: $(cat said)"
}
killed() { grep -q '^run.sh: ./launcher did not end within 2 s after the job had: killed$' said || fail "$1: not killed: $(cat said)"; }

# strike RUN SIGNAL: to a rank, once it makes steps.
strike() {
    wait_for_step "$1" 20 $$ || return
    kill -s "$2" "$(sed -n 's/^process //p' "$1/lock")"
}
endless='train.until=1e9 steps'

export STAYS=60
launched 0 "done"
killed "done"
launched 0 "done" # there is nothing left to do
killed "done, again"
strike stopped TERM &
launched 75 stopped "$endless"
killed stopped
strike dead KILL &
launched 205 dead "$endless"
killed dead

export STAYS=0 MOT_GRACE=$LIMIT
launched 0 straight
launched 2 mistake nonsense=1
tail -n 1 said | grep -q '^mot: error: .*nonsense' || fail "a mistake is not the last thing said: $(cat said)"
strike liar KILL &
SAYS=0 launched 1 liar "$endless"
strike stopped_liar TERM &
SAYS=0 launched 75 stopped_liar "$endless"
SAYS=1 launched 0 straight_liar
if grep -q '^run.sh' said; then fail "straight: run.sh says $(cat said)"; fi
finish
