#!/bin/bash
# A sample on which numbers overflow, and rates that are far too large: the run ends with a sentence, leaves out the step,
# or goes back and on behind the batch, as train.on_nonfinite says; on any number of ranks with the same bits, and no
# checkpoint ever holds what is not finite.
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/run/lib.sh
. "$here/lib.sh"
"$PYTHON" -c 'import h5py' 2>/dev/null || { echo "skipped: no h5py, which reads the record"; exit 77; }

make_mixture good.h5
quietly "${MOT_BUILD_DIR:-$here/../../build}/tests/poison" good.h5 mixture.h5 37
{
    small_model mixture.h5
    echo 'checkpoint: {every: 2}'
} >small.yaml

# losses RUN: how many steps the record holds, and how many of them without a loss.
losses() {
    "$PYTHON" - "$1" <<'PY'
import glob, sys
import h5py, numpy
steps, loss = [], []
for path in sorted(glob.glob(sys.argv[1] + "/record/*.h5")):
    with h5py.File(path) as f:
        steps += list(f["steps/step"][...]) if "steps/step" in f else []
        loss += list(f["steps/loss"][...]) if "steps/loss" in f else []
assert steps == list(range(1, len(steps) + 1)), steps
print(len(steps), int(numpy.isnan(loss).sum()))
PY
}

said='step ([0-9]+): the loss of sample 37 \(expert [0-3] on rank [0-2]\) is not finite'
for k in 1 2; do
    for n in 1 3; do
        run="stop$n$k"
        mot_on $n train small.yaml run="$run" route.top_k=$k 2>"$run.said" >/dev/null
        code=$?
        [ $code -eq 1 ] || fail "$run: exit code $code"
        step=$(sed -nE "s/^mot: error: $said.*/\1/p" "$run.said")
        [ "$(value "$run/summary.json" status error)" = "failed $(sed -n 's/^mot: error: //p' "$run.said")" ] ||
            fail "$run: summary.json says $(cat "$run/summary.json")"
        [ -n "$step" ] || fail "$run: it says $(grep '^mot' "$run.said")"
        saved=("$run"/checkpoints/*.h5)
        kept=${saved[-1]##*step-}
        [ "$((10#${kept%.h5}))" -eq $(((step - 1) / 2 * 2)) ] || fail "$run: failed in step $step, newest checkpoint $kept"

        run="skip$n$k"
        mot_on $n train small.yaml run="$run" route.top_k=$k train.on_nonfinite=skip_step 2>"$run.said" >/dev/null ||
            fail "$run: $(grep '^mot' "$run.said")"
        grep -Eq "^mot: warning: $said.*; the step is left out \(2 so far\)" "$run.said" || fail "$run: $(grep '^mot' "$run.said")"
        [ "$(value "$run/summary.json" skipped)" -eq 2 ] || fail "$run: skipped $(value "$run/summary.json" skipped)"
        [ "$(losses "$run")" = '20 2' ] || fail "$run: the record holds steps, and such without a loss: $(losses "$run")"

        run="back$n$k"
        mot_on $n train small.yaml run="$run" route.top_k=$k train.on_nonfinite=rollback 2>"$run.said" >/dev/null ||
            fail "$run: $(grep '^mot' "$run.said")"
        grep -Eq '^mot: warning: went back to step [0-9]+, and goes on behind the batch of step' "$run.said" ||
            fail "$run: $(grep '^mot' "$run.said")"
        [ "$(value "$run/summary.json" rollbacks)" -ge 1 ] || fail "$run: rollbacks $(value "$run/summary.json" rollbacks)"
        [ "$(losses "$run")" = '20 0' ] || fail "$run: the record holds steps, and such without a loss: $(losses "$run")"
    done
    for run in skip back; do
        [ "$(value $run"1$k"/summary.json digest)" = "$(value $run"3$k"/summary.json digest)" ] ||
            fail "$run, K = $k: another digest on 3 ranks than on 1"
    done
done
echo "one sample: stopped, left out twice, went back $(value back11/summary.json rollbacks) times"

# Nothing helps: parameters are gone.
for policy in stop skip_step rollback; do
    run=far_$policy
    mot_on 2 train small.yaml run=$run train.rate=1e6 train.optimizer=sgd train.on_nonfinite=$policy train.until='400 steps' 2>$run.said >/dev/null
    code=$?
    [ $code -eq 1 ] || fail "$run: exit code $code: $(tail -n 3 $run.said)"
    grep -q '^mot: error: .*step [0-9]*: .* not finite' $run.said || fail "$run: it says $(grep '^mot' $run.said)"
    for saved in "$run"/checkpoints/*.h5; do
        [ -e "$saved" ] || continue
        "$PYTHON" - "$saved" <<'PY' || fail "$saved holds what is not finite"
import sys
import h5py, numpy
bad = []
def look(name, item):
    if isinstance(item, h5py.Dataset) and item.dtype.kind == "f" and not numpy.isfinite(item[...]).all():
        bad.append(name)
with h5py.File(sys.argv[1]) as f:
    f.visititems(look)
sys.exit(1 if bad else 0)
PY
    done
done
finish
