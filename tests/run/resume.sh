#!/bin/bash
# Promise 2: stop and resume equals never stopping, bit for bit: after a signal to one rank, after kill -9 of the whole
# job, again and again, on other numbers of ranks; the record and the log hold every step once; and `mot eval` repeats
# what summary.json says.
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/run/lib.sh
. "$here/lib.sh"

make_mixture mixture.h5
cat >staged.yaml <<'YAML'
data: {file: mixture.h5}
model: {experts: 4, width: 16, heads: 2, depth: 1, ffn: 24, tie: [attention]}
gate: {init: 0.1}
route: {noise: gumbel, noise_steps: 100, balance_loss: 0.01, balance_bias: 0.001}
train: {batch: 24, rate: 1e-2}
eval: {batch: 25, every: 70}
checkpoint: {every: 15}
report: {every: 7}
stages:
  - {name: explore, train: [gate, head], optimizer: sgd, momentum: 0.9, until: loss plateau 40 or 130 steps}
  - {name: learn, optimizer: adamw, schedule: cosine, warmup: 5, until: 120 steps}
  - {name: settle, train: [embed, attention, ffn, head], optimizer: normalized_gd, momentum: 0.5, until: 3 epochs}
YAML

# steps RUN: what the record and the log hold, which must be every step once.
if "$PYTHON" -c 'import h5py' 2>said; then
    record_steps() {
        "$PYTHON" - "$1" <<'PY'
import glob, json, sys
import h5py
run = sys.argv[1]
steps, assigned, snapshots, evaluations = [], [], [], []
for path in sorted(glob.glob(run + "/record/*.h5")):
    with h5py.File(path) as f:
        steps += list(f["steps/step"][...]) if "steps/step" in f else []
        snapshots += list(f["layer0/snapshot_step"][...]) if "layer0/snapshot_step" in f else []
        evaluations += list(f["eval/step"][...]) if "eval/step" in f else []
        train = f["assign/split"][...] == 0
        assigned += list(f["assign/step"][...][train])
total = json.load(open(run + "/summary.json"))["steps"]
wanted = list(range(1, total + 1))
if steps != wanted:
    sys.exit("the record holds the steps %s of %d" % (steps, total))
if sorted(set(assigned)) != wanted or len(assigned) != 24 * total:
    sys.exit("the record holds %d assignments of %d steps" % (len(assigned), len(set(assigned))))
if len(set(snapshots)) != len(snapshots) or snapshots != sorted(snapshots) or snapshots[-1] != total:
    sys.exit("snapshots stand in the record at the steps %s" % snapshots)
if evaluations != snapshots:
    sys.exit("figures stand in the record at the steps %s, snapshots at %s" % (evaluations, snapshots))
logged = [json.loads(line) for line in open(run + "/log.jsonl")]
numbers = [line["step"] for line in logged if "train.loss" in line]
evaluated = [line["step"] for line in logged if "eval.loss" in line]
if evaluated != snapshots:
    sys.exit("log.jsonl holds evaluations at %s, the record at %s" % (evaluated, snapshots))
if numbers != sorted(set(numbers)) or [n for n in numbers if n % 7 and n != total]:
    sys.exit("log.jsonl holds the steps %s" % numbers)
print(",".join(str(int(s)) for s in snapshots))
PY
    }
else
    record_steps() {
        local dump count
        count=0
        for dump in "$1"/record/*.h5; do
            count=$((count + $(h5dump -H -d /steps/step "$dump" | sed -n 's/.*SIMPLE { ( \([0-9]*\) ).*/\1/p')))
        done
        [ $count -eq "$(value "$1/summary.json" steps)" ] || { echo "the record holds $count steps" >&2; return 1; }
    }
fi

# same NAME RUN: RUN ended as `whole` did.
same() {
    local key snapshots
    for key in status digest steps stage eval.loss eval.accuracy routing.purity routing.nmi; do
        [ "$(value "$2/summary.json" $key)" = "$(value whole/summary.json $key)" ] ||
            fail "$1: $key is $(value "$2/summary.json" $key), without a stop $(value whole/summary.json $key)"
    done
    snapshots=$(record_steps "$2" 2>&1) || fail "$1: $snapshots"
    [ "$snapshots" = "$whole_snapshots" ] || fail "$1: evaluated at $snapshots, without a stop at $whole_snapshots"
}

# start RANKS RUN: in the background; the process is $job.
start() {
    "$MPIRUN" -n "$1" "$MOT_BINARY" train --quiet staged.yaml "run=$2" >"$2.said" 2>&1 &
    job=$!
}

# interrupt SIGNAL RANKS RUN STEP: a signal to one rank when STEP was seen; the job must end with 75.
interrupt() {
    local victim code
    start "$2" "$3"
    if ! wait_for_step "$3" "$4" "$job"; then
        wait "$job"
        echo "$3: over before step $4 was seen; nothing to interrupt"
        return
    fi
    victim=$(rank_of "$job" "$2")
    # Without a victim the rank has ended since; what stands in the folder may be looked at when the job has, too.
    [ -z "$victim" ] || kill -s "$1" "$victim" 2>/dev/null
    wait "$job"
    code=$?
    if [ $code -eq 0 ]; then
        echo "$3: was over when the signal came"
    elif [ $code -ne 75 ]; then
        fail "$3: exit code $code after SIG$1, expected 75"
        tail -n 5 "$3.said"
    else
        [ "$(value "$3/summary.json" status)" = stopped ] || fail "$3: summary.json does not say stopped"
        echo "$3: SIG$1 to one of $2 ranks stopped it after step $(value "$3/summary.json" steps)"
    fi
}

# end_of RANKS RUN: the same command until it is done.
end_of() {
    if ! mot_on "$1" train --quiet staged.yaml "run=$2" >"$2.said" 2>&1; then
        fail "$2: does not continue on $1 ranks"
        cat "$2.said"
    fi
}

quietly mot train --quiet staged.yaml run=whole
total=$(value whole/summary.json steps)
whole_snapshots=$(record_steps whole 2>&1) || fail "whole: $whole_snapshots"
echo "in one go: $total steps, digest $(value whole/summary.json digest), evaluated at $whole_snapshots"

# A signal to one rank, at a random moment, on other ranks each time.
interrupt USR1 3 one $((RANDOM % (total / 2) + 7))
end_of 2 one
same "SIGUSR1 on 3 ranks, continued on 2" one
[ "$(value one/summary.json restarts)" -le 1 ] || fail "one: restarts"

interrupt TERM 2 two $((RANDOM % 60 + 7))
interrupt USR2 1 two $((RANDOM % 60 + 90))
interrupt INT 3 two $((RANDOM % 60 + 170))
end_of 1 two
same "three signals on 2, 1 and 3 ranks, continued on 1" two

# kill -9 of the whole job after a checkpoint.
if [ -z "${MOT_TEST_SHORT:-}" ]; then
    for after in 20 150; do
        start 2 killed
        if wait_for_step killed $((after + RANDOM % 20)) $job; then
            ranks="$(rank_of $job 1) $(rank_of $job 2)"
            # shellcheck disable=SC2086 # two processes
            kill -s KILL $job $ranks 2>/dev/null
            wait $job 2>/dev/null
            for rank in $ranks; do while kill -0 "$rank" 2>/dev/null; do sleep 0.02; done; done
        fi
    done
    [ ! -e killed/summary.json ] || fail "killed: a summary before the end"
    saved=(killed/checkpoints/*.h5)
    echo "killed: ${saved[-1]} is the newest"
    end_of 3 killed
    same "kill -9 twice on 2 ranks, continued on 3" killed
fi

# Done is done: the same command once more changes nothing but the time.
for n in 1 2; do
    end_of $n one
    same "once more on $n ranks" one
done

# mot eval repeats the evaluation.
wanted=$(mot train staged.yaml run=whole 2>&1 | grep '^eval ')
[ -n "$wanted" ] || fail "train of a complete run does not evaluate"
for n in 1 2 3; do
    got=$(mot_on $n eval whole 2>said | grep '^eval ')
    [ "$got" = "$wanted" ] || fail "mot eval on $n ranks says '$got', the run '$wanted'"
done
saved=(whole/checkpoints/*.h5)
got=$(mot eval "${saved[-1]}" 2>&1 | grep '^eval ')
[ "$got" = "$wanted" ] || fail "mot eval of the checkpoint says '$got', the run '$wanted'"
loss=$(value whole/summary.json eval.loss)
grep -Eq "loss +$(printf '%.5f' "$loss") +acc +$(printf '%.4f' "$(value whole/summary.json eval.accuracy)")" <<<"$wanted" ||
    fail "mot eval says '$wanted', summary.json $loss"
[ "$(mot eval whole eval.split=val 2>&1 | grep -c "of 'val'")" -eq 1 ] || fail "mot eval does not take eval.split=val"
finish
