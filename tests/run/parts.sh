#!/bin/bash
# A run that goes on with another configuration says what is another, key by key; keeps what each part of it ran with; and
# keeps its schedule when it is made longer, so that the rate does not jump unless it is told to.
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/run/lib.sh
. "$here/lib.sh"

make_mixture mixture.h5
small_model mixture.h5 >small.yaml
cat >falls.yaml - small.yaml <<<'checkpoint: {every: 10}'
sed -i 's/schedule: constant/schedule: cosine, final_rate: 0, warmup: 2/; s/every: 10}$/&/; s/^report:.*/report: {every: 1}/' falls.yaml
digest() { value "$1/summary.json" digest; }

# ok NAME ARGUMENT...: trains; what it said is in said.
ok() { mot train "${@:2}" >said 2>&1 || fail "$1: exit code $?: $(cat said)"; }
# says NAME PATTERN...: each stands in said, in this order.
says() {
    local name=$1 at=1 line
    for pattern in "${@:2}"; do
        line=$(tail -n +$at said | grep -En -m 1 -e "$pattern" | cut -d: -f1)
        if [ -z "$line" ]; then
            fail "$name: no '$pattern' (after line $at) in: $(cat said)"
            return
        fi
        at=$((at + line))
    done
}
# silent NAME PATTERN: it does not.
silent() { if grep -E -e "$2" said; then fail "$1: '$2' is said"; fi; }
# part FILE FIRST UNTIL SCHEDULE_STEPS: what a file says of its part.
part() {
    local got
    got="$(sed -n 's/^# first_step: //p' "$1") $(sed -n 's/^  until: //p' "$1") $(sed -n 's/^  schedule_steps: //p' "$1")"
    [ "$got" = "$2 $3 $4" ] || fail "$1: $got, expected $2 $3 $4"
    [ "$(head -n 1 "$1")" = "# run_id: $(value "$(dirname "$1")/summary.json" run_id)" ] || fail "$1: $(head -n 1 "$1")"
}
# parts RUN NAMES: which files there are.
parts() {
    local got
    got=$(cd "$1" && echo config*)
    [ "$got" = "$2" ] || fail "$1: there are '$got', expected '$2'"
}
# rates RUN FIRST LAST BEGIN END: the logged rates fall, step by step, from the rate of FIRST to that of LAST.
rates() {
    "$PYTHON" - "$@" <<'PY' || fail "rates of $1"
import json, math, sys
run, (first, last), (begin, end) = sys.argv[1], map(int, sys.argv[2:4]), map(float, sys.argv[4:6])
rate = {line["step"]: line["train.rate"] for line in map(json.loads, open(run + "/log.jsonl")) if "train.rate" in line}
if not (math.isclose(rate[first], begin, rel_tol=1e-9) and math.isclose(rate[last], end, rel_tol=1e-9)):
    sys.exit("%s: the rate goes from %r to %r, expected %r and %r" % (run, rate[first], rate[last], begin, end))
if any(rate[step] < rate[step + 1] for step in range(first, last)):
    sys.exit("%s: the rate rises: %r" % (run, rate))
PY
}
# cosine STEP STEPS FINAL: the rate of a step (from 1) of falls.yaml.
cosine() { "$PYTHON" -c 'import math, sys; d, n, f = map(float, sys.argv[1:])
print(0.01 * (f + (1 - f) * (0.5 * (1 + math.cos(math.pi * min(1, (d - 1 - 2) / (n - 2)))))))' "$@"; }

# ---- a schedule that has come to its end stays there ----

ok short falls.yaml run=short train.final_rate=0.1
part short/config.yaml 1 '20 steps' auto
cp -r short stretched
cp -r short back
mot_on 2 train falls.yaml run=short train.final_rate=0.1 train.until='40 steps' >said 2>&1 || fail "longer: $(cat said)"
says longer "^mot: warning: stage 'train': until is now '40 steps', but its schedule stays one of 20 steps: the rate was 0.00106[0-9]* at step 20 and is 0.001 at the next; for the new length give train.schedule_steps=40 \(then it would be 0.005"
says longer "continues from" "^changed, and with it what is learned from step 21 on:" "^  train.schedule_steps: auto -> 20$" "^  train.until: 20 steps -> 40 steps$"
silent longer "so the rate of step"
rates short 3 20 "$(cosine 3 20 0.1)" "$(cosine 20 20 0.1)"
rates short 20 40 "$(cosine 20 20 0.1)" 0.001
parts short 'config-00000020.yaml config.yaml'
part short/config-00000020.yaml 1 '20 steps' auto
part short/config.yaml 21 '40 steps' 20
# It is the run that had been so from its first step, which its config.yaml describes.
quietly mot train --quiet short/config.yaml run=whole
[ "$(digest whole)" = "$(digest short)" ] || fail "a run made longer has other bits than one that was so long from the beginning"
# Once more changes nothing; longer again, it stays.
cp short/config.yaml before
ok "once more" falls.yaml run=short train.final_rate=0.1 train.until='40 steps' report.every=7 threads=1
silent "once more" "^changed"
cmp -s before short/config.yaml || fail "a run that was done has another config.yaml"
ok "longer again" falls.yaml run=short train.final_rate=0.1 train.until='42 steps'
says "longer again" "stays one of 20 steps: the rate was 0.001 at step 40 and is 0.001" "train.until: 40 steps -> 42 steps"
silent "longer again" "train.schedule_steps: "
parts short 'config-00000020.yaml config-00000040.yaml config.yaml'
part short/config-00000040.yaml 21 '40 steps' 20
part short/config.yaml 41 '42 steps' 20
rates short 40 42 0.001 0.001

# Told to, it goes over the new length.
ok stretched falls.yaml run=stretched train.final_rate=0.1 train.until='40 steps' train.schedule_steps=40
says stretched "train.schedule_steps: auto -> 40" "train.until: 20 steps -> 40 steps" "so the rate of step 21: 0.001 -> 0.00587"
silent stretched warning
rates stretched 21 40 "$(cosine 21 40 0.1)" "$(cosine 40 40 0.1)"

# At a rate of 0 there is nothing to go on with: what is meant must be said, and nothing has changed until it is.
ok zero falls.yaml run=zero
before=$(cd zero && find . -type f ! -name lock -printf '%p %s %T@\n' | LC_ALL=C sort)
mot_on 2 train falls.yaml run=zero train.until='40 steps' >said 2>&1
[ $? -eq 2 ] || fail "longer at a rate of 0: exit code is not 2"
says zero "^mot: error: stage 'train': until is now '40 steps', but a schedule stays as it began, and this one ends at a rate of 0 after 20 steps, .*the rate was 7.596e-05 at step 20, 0 would be next.*: give a train.final_rate at which it stays, or for another length train.schedule_steps=40 \(then it would be 0.005[0-9]*\)"
[ "$before" = "$(cd zero && find . -type f ! -name lock -printf '%p %s %T@\n' | LC_ALL=C sort)" ] || fail "a run that was refused has changed"
ok "zero with a final rate" falls.yaml run=zero train.until='40 steps' train.final_rate=0.5
rates zero 21 40 0.005 0.005
ok "zero under way" falls.yaml run=way train.until='10 steps' train.schedule_steps=20 train.final_rate=0.1
ok "under way" falls.yaml run=way train.until='30 steps' train.final_rate=0.1
says "under way" "its schedule stays one of 20 steps" "train.schedule_steps: 20$|train.until: 10 steps -> 30 steps"
rates way 3 30 0.01 0.001
# Within the warm-up nothing has begun to fall.
ok warm falls.yaml run=warm train.until='2 steps' train.warmup=4
ok warm falls.yaml run=warm train.until='20 steps' train.warmup=4
silent warm warning
# Noise over a share of the run stays as it began, too.
noise=(small.yaml checkpoint.every=10 route.noise=gumbel gate.init=0.1)
ok noisy "${noise[@]}" run=noisy route.noise_steps=50%
for n in 1 2; do
    ok noisy "${noise[@]}" run=noisy route.noise_steps=50% train.until="$((20 + 5 * n)) steps"
    says noisy "^mot: warning: stage 'train': the length of the run is another, but its noise ends after step 10, as it began; for the new length give route.noise_steps=1[35]" "train.until"
done
quietly mot train --quiet "${noise[@]}" run=noise route.noise_steps=10 train.until='30 steps'
[ "$(digest noisy)" = "$(digest noise)" ] || fail "a run made longer has other noise than one that was so long from the beginning"

# What schedule_steps may not be.
while IFS='|' read -r pattern arguments; do
    # shellcheck disable=SC2086 # words
    mot train falls.yaml run=new $arguments >said 2>&1
    [ $? -eq 2 ] || fail "$arguments: exit code is not 2"
    says "$arguments" "$pattern"
done <<'ROWS'
stage 'train': schedule_steps = 9 has no effect while schedule is constant|train.schedule=constant train.schedule_steps=9
stage 'train': schedule_steps = 2 is over before the warm-up of 2 steps|train.schedule_steps=2
after 9 steps its schedule has come to a rate of 0, with which the rest of until = '20 steps'|train.schedule_steps=9
ROWS
[ ! -e new ] || fail "a run that was refused left a folder"
ok "an end without a number" falls.yaml run=new train.schedule_steps=9 train.final_rate=0.1 train.until='loss < 100'

# ---- what is another is told apart, and parts go with their steps ----

ok back falls.yaml run=back train.final_rate=0.1 train.until='30 steps' train.schedule_steps=20 train.rate=5e-3 threads=2 report.every=2 eval.every=15
says back "^changed, and with it what is learned from step 21 on:" "^  train.rate: 0.01 -> 0.005" "^  train.schedule_steps" "^  train.until" \
    "^  so the rate of step 21: 0.001 -> 0.0005" "^changed, with the same bits:" "^  threads: auto -> 2" \
    "^changed in what is evaluated, kept and said, with the same bits:" "^  eval.every: 0 -> 15" "^  report.every: 1 -> 2"
silent back "gate_rate|: same"
parts back 'config-00000020.yaml config.yaml'
# From an older checkpoint: the steps behind it are done again, and their part is gone.
rm back/checkpoints/step-0000002*.h5 back/checkpoints/step-00000030.h5
cp -r back same
ok "back to the first part" falls.yaml run=same train.final_rate=0.1
silent "back to the first part" "^changed"
parts same config.yaml
part same/config.yaml 1 '20 steps' auto
# As if it had been stopped between the files: the same again, and nothing twice.
cp back/config-00000020.yaml back/config-00000010.yaml
ok "another second part" falls.yaml run=back train.final_rate=0.1 train.gate_rate=2e-3
says "another second part" "train.gate_rate: same -> 0.002"
parts back 'config-00000010.yaml config.yaml'
part back/config-00000010.yaml 1 '20 steps' auto
part back/config.yaml 11 '20 steps' auto
quietly mot inspect --verify back

# What must stay is named by its key.
mot train falls.yaml run=back train.final_rate=0.1 model.width=32 >said 2>&1
says "another width" "was trained with 'model.width: 16', now it is 'model.width: 32': choose another run folder"
finish
