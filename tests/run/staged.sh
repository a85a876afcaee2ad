# shellcheck shell=bash
# staged.sh - sourced after lib.sh: a run with every state that a checkpoint has to carry (stages, plateaus, noise, tied
# tensors, balance), made once without a stop as `whole`, and what a run that was interrupted must be equal to.

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
compute, reports = {}, [] # of steps; of reports: steps, and seconds of each rank there was
for path in sorted(glob.glob(run + "/record/*.h5")):
    with h5py.File(path) as f:
        steps += list(f["steps/step"][...]) if "steps/step" in f else []
        compute.update(zip(f["steps/step"][...], f["steps/time_compute"][...]) if "steps/step" in f else [])
        if "ranks/step" in f:
            assert f["ranks/compute"].dims[1][0] == f["rank"] and f["ranks/wait"].shape[1] == len(f["rank"])
            reports += zip(*(f["ranks/" + name][...] for name in ("step", "steps", "interval", "slowest", "compute", "exchange", "wait")))
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
if [int(report[0]) for report in reports] != numbers:
    sys.exit("seconds of ranks stand in the record at %s, log.jsonl has %s" % ([report[0] for report in reports], numbers))
done = 0
for step, covered, interval, slowest, of_rank, exchange, wait in reports:
    mean = sum(compute[s] for s in range(step - covered + 1, step + 1))
    if step - covered < done or abs(of_rank.mean(dtype=float) - mean) > 1e-5 * mean:
        sys.exit("ranks computed %s s in %d steps up to %d, of which the steps say %g on the mean" % (of_rank, covered, step, mean))
    if not mean <= slowest + 1e-9 <= of_rank.sum() * 1.00001 + 1e-9 or of_rank.max() > slowest * 1.00001:
        sys.exit("the slowest rank of each step up to %d computed %g s, all together %s" % (step, slowest, of_rank))
    if not min(of_rank.min(), exchange.min(), wait.min()) >= 0 or not interval > 0:
        sys.exit("ranks up to step %d: compute %s, exchange %s, wait %s of %g s" % (step, of_rank, exchange, wait, interval))
    done = step
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

quietly mot train --quiet staged.yaml run=whole
total=$(value whole/summary.json steps)
whole_snapshots=$(record_steps whole 2>&1) || fail "whole: $whole_snapshots"
echo "in one go: $total steps, digest $(value whole/summary.json digest), evaluated at $whole_snapshots"
