#!/bin/bash
# Targets that are numbers: a run learns from a teacher with the same bits on any ranks, and is evaluated, asked and looked
# at without classes; files of such targets are made, learned from, and refused where they do not fit.
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/run/lib.sh
. "$here/lib.sh"
"$PYTHON" -c 'import h5py, numpy' 2>said || { echo "skipped: no h5py"; exit 77; }

# refused PATTERN ARGUMENT...: one sentence, exit code 2.
refused() {
    local pattern=$1 code
    shift
    mot "$@" >out 2>said
    code=$?
    [ $code -eq 2 ] || fail "$*: exit code $code, expected 2: $(cat said)"
    grep -Eq -- "$pattern" said || fail "$*: $(cat said)"
}

cat >teacher.yaml <<'YAML'
seed: 3
data:
  source: teacher
  teacher: {experts: 2, width: 6, activation: relu, train: 400, eval: 90}
model: {experts: 3, width: 8, heads: 2, depth: 1, ffn: 16}
route: {top_k: 2, chunks: 2}
train: {loss: squared, batch: 40, until: 80 steps, rate: 0.01}
eval: {every: 40, batch: 40}
report: {every: 40}
YAML

# ---- a run ----

quietly mot train teacher.yaml run=one
quietly mot_on 3 train teacher.yaml run=three route.coordinator=dedicated
quietly mot data make teacher --out teacher.h5 --seed 3 --experts 2 --width 6 --activation relu --train 400 --test 90
quietly mot predict three --data teacher.h5 -o out.csv
quietly mot predict three -o out.npz
quietly mot predict three -o out.h5
mot eval one --json >eval.json || fail "eval fails"
mot inspect --verify three >inspected || fail "inspect fails: $(cat inspected)"
grep -q 'share of an expert' inspected || fail "inspect shows no load: $(cat inspected)"
[ ! -e one/classes.csv ] && [ ! -e one/groups.csv ] || fail "there is a table of classes"
"$PYTHON" - <<'PY' || fail "what a run on numbers leaves"
import glob, json
import h5py, numpy as np
one, three = (json.load(open(f + "/summary.json")) for f in ("one", "three"))
again = json.load(open("eval.json"))
assert one["digest"] == three["digest"], (one["digest"], three["digest"])
assert one["eval.loss"] == three["eval.loss"] == again["eval.loss"]
assert 0.3 < one["eval.explained"] < 1 and again["eval.explained"] == one["eval.explained"]
for name, line in [("summary", one), ("eval --json", again)] + [("log", json.loads(l)) for l in open("one/log.jsonl")]:
    for word in ("accuracy", "f1", "majority", "purity", "nmi", "class", "confusion"):
        assert not [key for key in line if word in key], (name, word, line)
assert again["routing.entropy"] > 0 and sum(again["routing.load"]) == 90
with h5py.File("teacher.h5") as f:
    assert f.attrs["classes"] == 0 and "class_names" not in f and f["train/y"].shape == (400,)
    y = f["test/y"][:]
assert y.dtype == np.float32
table = np.genfromtxt("out.csv", delimiter=",", names=True)
assert table.dtype.names == ("sample", "output", "expert", "gate_probability", "expert_2", "gate_probability_2")
npz = np.load("out.npz")
assert sorted(npz) == ["expert", "gate_probability", "output"] and npz["output"].shape == (90, 1)
with h5py.File("out.h5") as f:
    assert np.array_equal(f["output"], npz["output"]) and "class" not in f and "probability" not in f
assert np.array_equal(np.float32(table["output"]), npz["output"][:, 0])
loss = np.mean((np.float64(npz["output"][:, 0]) - y) ** 2) / 2
assert abs(loss - one["eval.loss"]) < 1e-12, (loss, one["eval.loss"])
assert abs(1 - loss / (y.astype(float).var() / 2) - one["eval.explained"]) < 1e-9
(record,) = glob.glob("one/record/*.h5")
with h5py.File(record) as f:
    eval_of = set(f["eval"])
    assert {"loss", "explained", "entropy"} <= eval_of and not eval_of & {"accuracy", "confusion", "class_accuracy", "kind_loss"}, eval_of
    assert "class" not in f and "class_load" not in f["layer0"]
    assert "loss" in f["steps"] and "accuracy" not in f["steps"]
    assert f["steps/samples"][0] == 40 and 0 < f["steps/learning_rate"][0] <= 0.01
PY

# ---- a run that goes on, from the midst of a segment of its record ----

for more in "whole:80" "parts:50" "parts:80"; do
    quietly mot train teacher.yaml "run=${more%:*}" train.schedule=constant route.noise=none checkpoint.every=30 "train.until=${more#*:} steps"
    [ "$more" != parts:50 ] || rm parts/checkpoints/*50.h5 parts/summary.json
done
digest() { grep -o '"digest": "[^"]*"' "$1/summary.json"; }
[ "$(digest whole)" = "$(digest parts)" ] || fail "a run that goes on ends elsewhere: $(digest whole), $(digest parts)"
mot inspect --verify parts >inspected || fail "inspect fails: $(cat inspected)"

# ---- what asks for classes ----

refused 'train.loss = cross_entropy is a loss of classes.*1 number \(train.loss=squared\)' train teacher.yaml run=no train.loss=cross_entropy
refused 'train.loss = logistic is a loss of classes' train teacher.yaml run=no train.loss=logistic
refused 'gate.told = label: the targets of teacher are numbers' train teacher.yaml run=no gate.kind=fixed gate.told=label
refused 'neither classes nor groups, and experts no purity' train teacher.yaml run=no "train.until=purity plateau 20"
refused 'alignment is that of neurons' train teacher.yaml run=no "train.until=alignment plateau 20"
refused 'data.target = group: teacher has no groups' train teacher.yaml run=no data.target=group
refused 'needs a width of 10' train teacher.yaml run=no data.teacher.experts=5
[ ! -e no ] || fail "a run that is refused leaves a folder"

# ---- files ----

"$PYTHON" - <<'PY'
import numpy as np
rng = np.random.default_rng(1)
x, kind = rng.normal(size=(240, 3)), rng.integers(0, 2, 240)
y = np.stack([x[:, 0] * np.where(kind, 2, -2) + 1, x[:, 1] + x[:, 2]], 1)
np.save("x.npy", np.float32(x)), np.save("y.npy", y)
with open("both.csv", "w") as f:
    f.write("a,first,b,kind,c,second\n")
    for i in range(240):
        f.write("%.9g,%.9g,%.9g,%s,%.9g,%.9g\n" % (x[i, 0], y[i, 0], x[i, 1], "uv"[kind[i]], x[i, 2], y[i, 1]))
PY
quietly mot data import csv --out both.h5 --train both.csv --target first,second --group-column kind --test-fraction 0.25
quietly mot data import npy --out npy.h5 --train x.npy,y.npy --numbers
mot data show both.h5 >shown || fail "show fails"
grep -q 'targets of 2 numbers, 2 groups' shown && grep -q '^target second ' shown || fail "show: $(cat shown)"
sed -e '/^  source\|^  teacher/d' -e 's/^data:/data: {file: both.h5}/' teacher.yaml >both.yaml
quietly mot train both.yaml run=both gate.kind=fixed route.top_k=1
head -n 1 both/groups.csv | grep -qx 'group,samples,expert_0,expert_1,expert_2' || fail "groups.csv: $(head -n 1 both/groups.csv)"
quietly mot train both.yaml run=by_group data.target=group train.loss=cross_entropy train.until='10 steps'
[ -e by_group/classes.csv ] || fail "groups are no classes where they are learned"
quietly mot train both.yaml run=plain
mot eval plain data.file=npy.h5 eval.split=train --json >npy.json || fail "other numbers of the same form are not evaluated"
quietly mot predict plain --csv both.csv -o both-out.csv
head -n 1 both-out.csv | grep -q '^sample,output_first,output_second,expert' || fail "columns of predictions: $(head -n 1 both-out.csv)"
awk -F, -v OFS=, 'NR > 1 { $2 = 1e9 * $2 } 1' both.csv >large.csv
quietly mot data import csv --out large.h5 --train large.csv --target first --ignore-columns second,kind
mot train --dry-run both.yaml run=large data.file=large.h5 eval.split=train 2>&1 | tr '\n' ' ' | grep -q 'targets are numbers of about .e+09' || fail "large targets pass silently"
quietly mot data import csv --out one.h5 --train both.csv --target first --ignore-columns second,kind
refused 'one.h5 has targets that are numbers, 1 a sample; the run learned numbers, 2 a sample' eval plain data.file=one.h5 eval.split=train
printf 'a,b,c,y\n1,2,3,u\n4,5,6,v\n' >classes.csv
quietly mot data import csv --out classes.h5 --train classes.csv
refused 'classes.h5 has targets that are classes; the run learned numbers' eval plain data.file=classes.h5 eval.split=train
quietly mot predict plain --data classes.h5 --split train -o classes-out.csv
printf 'a,b,y\n1,2,3\n4,5,nan\n' >bad.csv
refused "line 3, column 3 \('y'\): 'nan' is not a number" data import csv --out bad.h5 --train bad.csv --target y
printf 'a,b,y\n1,2,3\n4,5,1e400\n' >bad.csv
refused "line 3, column 3 \('y'\): '1e400' is beyond what a float can hold" data import csv --out bad.h5 --train bad.csv --target y
printf 'a,b,label\n1,2,x\n3,-1e999,y\n1,2,y\n' >bad.csv
refused "bad.csv: line 3, column 2 .*: .-1e999. is beyond what a float can hold" data import csv --out bad.h5 --train bad.csv
refused "'u' is not a number; a target is a number, and --label-column in place of --target" data import csv --out bad.h5 --train both.csv --target kind
refused 'kind, expected|--numbers is of|expected a whole number.*--target COLUMN of csv, --numbers of arrays|columns of labels' data import npy --out bad.h5 --train x.npy,y.npy
[ ! -e bad.h5 ] || fail "a table that is refused leaves a file"
finish
