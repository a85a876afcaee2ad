#!/bin/bash
# A run knows its data: other data sets are read with the run's normalization, classes, words and columns, or refused in the
# user's words; never a wrong number. And what an evaluation says is what it says.
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/run/lib.sh
. "$here/lib.sh"

# numbers RUN [ARGUMENT...]: loss, accuracy and samples of `mot eval`.
numbers() { mot eval "$@" 2>said | sed -n 's/^eval .* loss *\([^ ]*\) *acc *\([^ ]*\) .*on \([0-9]*\) samples.*/\1 \2 \3/p'; }
# same WHAT ARGUMENT...: the evaluation says what the run said.
same() {
    local what=$1 got
    shift
    got=$(numbers "$@")
    [ "$got" = "$wanted" ] || fail "$what: '$got', the run said '$wanted'; $(cat said)"
}
# refused WHAT PATTERN ARGUMENT...: one sentence, exit code 2.
refused() {
    local what=$1 pattern=$2 code
    shift 2
    mot "$@" >out 2>said
    code=$?
    [ $code -eq 2 ] || fail "$what: exit code $code, expected 2: $(cat said)"
    grep -Eq "$pattern" said || fail "$what: $(cat said)"
    grep -Eq 'tensor|shape \[' said && fail "$what speaks of tensors: $(cat said)"
}

# ---- pictures: 8 x 8, four classes; the last column is the label ----

pictures() { # pictures SEED BRIGHTNESS LABEL...: 30 of each label, in turn; the label stands for itself in the picture
    awk -v seed="$1" -v add="$2" -v labels="${*:3}" 'BEGIN { srand(seed); count = split(labels, label, " ")
        for (n = 0; n < 30 * count; ++n) { c = label[n % count + 1]
            for (i = 0; i < 64; ++i) printf "%d,", int(rand() * 90) + add + (i % 4 == c ? 40 : 0); print c } }'
}
# renumbered OLD=NEW...: labels of lines from standard input.
renumbered() { sed -E "$(printf 's/,%s$/,#%s/;' $(tr '=' ' ' <<<"$*"))s/#//"; }
pictures 1 20 0 1 2 3 >train.csv
pictures 2 20 0 1 2 3 >test.csv
pictures 3 100 0 1 2 3 >bright.csv
quietly mot data import csv --out pictures.h5 --train train.csv --test test.csv --shape 8x8 --class-names red,green,blue,grey
small_model pictures.h5 >pictures.yaml
quietly mot train --quiet pictures.yaml train.until="60 steps" run=seen
wanted=$(numbers seen)
[ "$(cut -d' ' -f3 <<<"$wanted")" = 120 ] || fail "the run says '$wanted'"
same "the same file once more" seen data.file=pictures.h5

# Another normalization: training pictures far brighter, the same test pictures.
quietly mot data import csv --out bright.h5 --train bright.csv --test test.csv --shape 8x8 --class-names red,green,blue,grey
same "another normalization" seen data.file=bright.h5
same "another normalization, streamed" seen data.file=bright.h5 data.memory=0
for n in 2 3; do
    got=$(mot_on $n eval seen data.file=bright.h5 2>said | sed -n 's/^eval .* loss *\([^ ]*\) *acc *\([^ ]*\) .*on \([0-9]*\) samples.*/\1 \2 \3/p')
    [ "$got" = "$wanted" ] || fail "another normalization on $n ranks: '$got', the run said '$wanted'"
done

# Classes in another order, by name.
order="0=2 1=0 2=3 3=1"
for file in train test; do renumbered $order <$file.csv >$file-order.csv; done
quietly mot data import csv --out order.h5 --train train-order.csv --test test-order.csv --shape 8x8 --class-names green,grey,red,blue
same "classes in another order" seen data.file=order.h5
# More classes: of which there are no test samples, or there are some.
renumbered 0=1 1=2 2=3 3=4 <test.csv >test-more.csv
(renumbered 0=1 1=2 2=3 3=4 <train.csv; pictures 4 20 0) >train-more.csv
quietly mot data import csv --out more.h5 --train train-more.csv --test test-more.csv --shape 8x8 --class-names pink,red,green,blue,grey
same "more classes, without samples" seen data.file=more.h5
refused "more classes, with samples" "more.h5: 30 samples are of the class 'pink', which the run does not know; it has red, green, blue, grey" \
    eval seen data.file=more.h5 eval.split=train
# Other names.
quietly mot data import csv --out renamed.h5 --train train.csv --test test.csv --shape 8x8 --class-names rot,gruen,blau,grau
refused "other names" "renamed.h5: 30 samples are of the class 'rot', which the run does not know" eval seen data.file=renamed.h5
quietly mot data import csv --out unnamed.h5 --train train.csv --test test.csv --shape 8x8
refused "no names" "unnamed.h5: 30 samples are of the class '0', which the run does not know" eval seen data.file=unnamed.h5
# Fewer classes: what the run said of those alone.
grep -E ',[13]$' test.csv | renumbered 3=0 >test-less.csv
grep -E ',[13]$' train.csv | renumbered 3=0 >train-less.csv
quietly mot data import csv --out less.h5 --train train-less.csv --test test-less.csv --shape 8x8 --class-names grey,green
mot eval --json seen >whole.json 2>said || fail "mot eval --json: $(cat said)"
mot eval --json seen data.file=less.h5 >less.json 2>said || fail "fewer classes: $(cat said)"
"$PYTHON" - whole.json less.json >said 2>&1 <<'PY' || fail "mot eval --json: $(cat said)"
import json, sys
whole, less = (json.load(open(name)) for name in sys.argv[1:])
names = ["red", "green", "blue", "grey"]
for s in whole, less:
    assert s["classes"] == names, s["classes"]
    table = [s["eval.confusion"][4 * i:4 * i + 4] for i in range(4)]
    rows, columns, right = [sum(r) for r in table], [sum(c) for c in zip(*table)], [table[i][i] for i in range(4)]
    accuracy = sum(right) / sum(rows)
    f1 = [2 * r / (a + b) for r, a, b in zip(right, rows, columns) if a + b]
    assert sum(rows) == s["eval.samples"], (rows, s["eval.samples"])
    assert abs(s["eval.accuracy"] - accuracy) < 1e-12 and abs(s["eval.macro_f1"] - sum(f1) / len(f1)) < 1e-12
    assert abs(s["eval.majority"] - max(rows) / sum(rows)) < 1e-12
    for i in range(4):
        assert s["eval.class_accuracy"][i] == (right[i] / rows[i] if rows[i] else None)
    load = [s["routing.class_load"][4 * i:4 * i + 4] for i in range(4)]  # four experts
    assert [sum(r) for r in load] == rows
    of_expert = [sum(c) for c in zip(*load)]
    hits = sum(a * n for a, n in zip(s["eval.expert_accuracy"], of_expert) if n)
    assert abs(hits - sum(right)) < 1e-6
    assert abs(s["routing.class_purity"] - sum(max(c) for c in zip(*load)) / sum(rows)) < 1e-12
    assert 1 <= s["routing.experts_effective"] <= 4
for i in (1, 3):  # green and grey: the same samples
    assert less["eval.confusion"][4 * i:4 * i + 4] == whole["eval.confusion"][4 * i:4 * i + 4]
assert less["eval.samples"] == 60 and sum(less["eval.confusion"][0:4]) == 0
PY
# Another form.
cut -d, -f 1-16,65 train.csv >small.csv
quietly mot data import csv --out small.h5 --train small.csv --test small.csv --shape 4x4 --class-names red,green,blue,grey
refused "smaller pictures" "small.h5 holds pictures of 4 x 4 pixels .* the run learned pictures of 8 x 8 pixels" eval seen data.file=small.h5
make_mixture mixture.h5
refused "no pictures" "mixture.h5 holds vectors of 6 tokens with 8 columns; the run learned pictures" eval seen data.file=mixture.h5

# A run that is continued goes on with its own normalization: not a bit changes.
quietly mot train --quiet pictures.yaml run=half train.until="30 steps"
quietly mot train --quiet pictures.yaml run=whole train.until="60 steps"
quietly mot data import csv --out again.h5 --train train.csv --test bright.csv --shape 8x8 --class-names red,green,blue,grey
quietly mot train --quiet pictures.yaml run=half train.until="60 steps" data.file=again.h5
[ "$(value half/summary.json digest)" = "$(value whole/summary.json digest)" ] || fail "a run whose test samples were replaced is another one"

# ---- texts: another vocabulary ----

make_texts texts.h5
small_model texts.h5 >texts.yaml
quietly mot train --quiet texts.yaml run=read eval.batch=60
wanted=$(numbers read)
# Other words in training, so that ids differ; the same test texts.
(cat texts.tsv; sed 's/\tw/\tazure w/' texts.tsv) >words.tsv
quietly mot data import text --out words.h5 --train words.tsv --test texts-test.tsv --length 7 --min-count 1
same "another vocabulary" read data.file=words.h5
same "another vocabulary, streamed" read data.file=words.h5 data.memory=0
mot eval read data.file=words.h5 eval.split=train >out 2>&1 || fail "words that the run does not know: $(cat out)"
grep -Eq "words.h5 has another vocabulary: its words are taken as the run's; 150 of [0-9]+ \([0-9.]+ %\) are unknown" out ||
    fail "words that the run does not know: $(grep vocabulary out)"
quietly mot data import text --out longer.h5 --train texts.tsv --test texts-test.tsv --length 12 --min-count 1
same "texts of a greater length, cut as the run's" read data.file=longer.h5
quietly mot data import text --tokens byte --out bytes.h5 --train texts.tsv --test texts-test.tsv --length 40
refused "bytes for words" "bytes.h5 holds bytes, or numbers without words; the run learned words" eval read data.file=bytes.h5

# ---- splits without groups, and gates that are told ----

if "$PYTHON" - 2>said <<'PY'; then
import numpy as np
rng = np.random.default_rng(5)
for name, count in ("train", 120), ("test", 40):
    y = np.arange(count) % 4
    x = rng.normal(size=(count, 2, 6)).astype("f4")
    x[np.arange(count), 0, y] += 3
    np.save(name + "-x.npy", x)
    np.save(name + "-y.npy", y.astype("i4"))
    np.save(name + "-group.npy", (y % 2).astype("i4"))
PY
    npy="--train train-x.npy,train-y.npy,train-group.npy"
    # shellcheck disable=SC2086 # words
    quietly mot data import npy --out plain.h5 $npy --test test-x.npy,test-y.npy
    # shellcheck disable=SC2086 # words
    quietly mot data import npy --out both.h5 $npy --test test-x.npy,test-y.npy,test-group.npy
    small_model plain.h5 >plain.yaml
    quietly mot train --quiet plain.yaml eval.every=10
    quietly mot train --quiet plain.yaml run=both data.file=both.h5
    "$PYTHON" - runs/plain/summary.json both/summary.json >said 2>&1 <<'PY' || fail "a test split without groups: $(cat said)"
import json, sys
s, both = (json.load(open(name)) for name in sys.argv[1:])
for key in "routing.group_purity", "routing.group_nmi", "eval.group_accuracy":
    assert s[key] is None and both[key] is not None, (key, s[key], both[key])
assert s["routing.purity"] == s["routing.class_purity"] > 0, s
assert both["routing.purity"] == both["routing.group_purity"] >= both["routing.class_purity"], both
for key in "digest", "eval.loss", "eval.accuracy", "routing.class_purity", "routing.class_nmi":
    assert s[key] == both[key], (key, s[key], both[key])
PY
    refused "a told gate without groups" "gate.kind = fixed: split 'test' of plain.h5 has no groups that the gate could be told" \
        train plain.yaml run=told gate.kind=fixed
    quietly mot eval both data.file=plain.h5
    quietly mot eval runs/plain data.file=both.h5
fi
refused "a told gate without any groups" "gate.kind = fixed: split 'train' of pictures.h5 has no groups" \
    train pictures.yaml run=told gate.kind=fixed
[ ! -e told ] || fail "a told gate without groups leaves a folder"
mot train pictures.yaml run=told gate.kind=fixed gate.told=label >out 2>said || fail "a gate that is told labels: $(cat said)"
grep -q "routes by the very label that is learned: accuracy says nothing" said || fail "no warning of a gate that is told labels"
grep -Eq "^eval .*; the gate is told the label" out || fail "no mark on the figures of a gate that is told labels: $(grep ^eval out)"
[ "$(value told/summary.json gate.told)" = label ] || fail "no mark in summary.json of a gate that is told labels"

# The controls' loss can be worked out again from the record: of the choices, their probabilities and route.scale.
if "$PYTHON" -c 'import h5py' 2>said; then
    quietly mot train --quiet texts.yaml run=random gate.kind=random eval.batch=60 train.until="3 steps" eval.start=true
    "$PYTHON" - random >said 2>&1 <<'PY' || fail "the record of a random gate: $(cat said)"
import glob, sys
import h5py, numpy as np
rows = {name: [] for name in ("split", "step", "prob", "expert", "loss", "predicted", "label", "sample")}
losses, accuracies, changed = {}, {}, {}
for path in sorted(glob.glob(sys.argv[1] + "/record/*.h5")):
    with h5py.File(path) as f:
        if "assign" in f:
            for name in rows:
                rows[name] += list(f["assign/" + name][...])
        if "eval" in f:
            for i, step in enumerate(f["eval/step"][...]):
                losses[step], accuracies[step] = f["eval/loss"][i], f["eval/accuracy"][i]
                changed[step] = f["eval/changed"][i]
a = {name: np.array(values) for name, values in rows.items()}
assert np.all(a["prob"] == 0.25), "a control scores all experts alike"
assert np.all(a["predicted"][a["split"] == 0] == -1) and np.all(np.isnan(a["loss"][a["split"] == 0]))
before = None
for step in sorted(losses):
    of = (a["split"] == 1) & (a["step"] == step)
    assert np.isclose(a["loss"][of].mean(), losses[step], rtol=1e-6), (step, losses)
    assert np.isclose((a["predicted"][of] == a["label"][of]).mean(), accuracies[step]), (step, accuracies)
    experts = dict(zip(a["sample"][of], a["expert"][of]))
    if before is None:
        assert np.isnan(changed[step])
    else:
        assert np.isclose(changed[step], np.mean([experts[i] != before[i] for i in experts])), (step, changed)
    before = experts
assert len(losses) == 2
PY
fi

# ---- predictions ----

# What the record and the data set say, `mot predict` says: in the order of the input, on any number of ranks.
mot eval --json seen >whole.json 2>said || fail "mot eval --json: $(cat said)"
for n in 1 2 3; do
    mot_on $n predict seen -o p$n.csv >out 2>said || fail "mot predict on $n ranks: $(cat said)"
    cmp -s p1.csv p$n.csv || fail "mot predict says something else on $n ranks"
done
cut -d, -f 1-64 test.csv >nolabel.csv
quietly mot_on 2 predict seen --csv nolabel.csv -o from-csv.csv
cmp -s p1.csv from-csv.csv || fail "mot predict --csv differs: $(diff p1.csv from-csv.csv | head -n 4)"
quietly mot predict seen --data bright.h5 --split test -o bright-out.csv
cmp -s p1.csv bright-out.csv || fail "mot predict of another normalization differs: $(diff p1.csv bright-out.csv | head -n 4)"
quietly mot predict seen --data renamed.h5 -o renamed.csv # nobody asks for the labels
cmp -s p1.csv renamed.csv || fail "mot predict looks at labels"
"$PYTHON" - whole.json p1.csv test.csv >said 2>&1 <<'PY' || fail "mot predict: $(cat said)"
import csv, json, sys
s = json.load(open(sys.argv[1]))
rows = list(csv.DictReader(open(sys.argv[2])))
labels = [int(line.rsplit(",", 1)[1]) for line in open(sys.argv[3])]
names = s["classes"]
assert len(rows) == len(labels) == 120 and [int(r["sample"]) for r in rows] == list(range(120))
confusion, load = [0] * 16, [0] * 16
for row, label in zip(rows, labels):
    p = [float(row["p_" + name]) for name in names]
    assert abs(sum(p) - 1) < 1e-5 and names[p.index(max(p))] == row["class"], row
    confusion[4 * label + names.index(row["class"])] += 1
    load[4 * label + int(row["expert"])] += 1
    assert 0.25 <= float(row["gate_probability"]) <= 1
assert confusion == s["eval.confusion"] and load == s["routing.class_load"], (confusion, load)
PY
tail -n 120 test.csv | cut -d, -f 1-60 >narrow.csv
refused "too few numbers" "narrow.csv: 60 numbers a line do not fill the shape 1 x 8 x 8" predict seen --csv narrow.csv -o no.csv
printf 'p,q,label\n1,2,0\n3,4,1\n5,1,0\n2,2,1\n' >columns.csv
printf 'p,r\n1,2\n3,4\n' >other-columns.csv
quietly mot data import csv --out columns.h5 --train columns.csv --test columns.csv
small_model columns.h5 >columns.yaml
quietly mot train --quiet columns.yaml train.until="2 steps"
refused "other columns" "error: other-columns.csv has no column 'q', which the run learned from" predict runs/columns --csv other-columns.csv -o no.csv
refused "no such end of a name" "no.txt: expected a name that ends with .csv, .npz or .h5" predict seen -o no.txt
refused "numbers for words" "nolabel.csv: the run learned texts: give --text" predict read --csv nolabel.csv -o no.csv
refused "a gate that is told" "the gate of this run is told the label of a sample" predict told -o no.csv
ls ./*.samples.* ./*.tmp.* no.* 2>/dev/null && fail "a prediction leaves something behind"

# Texts: word for word, with a choice of two experts.
quietly mot train --quiet texts.yaml run=two-experts route.top_k=2
cut -f 3 texts-test.tsv >lines.txt
quietly mot predict two-experts -o t1.csv
quietly mot_on 2 predict two-experts --text lines.txt -o t2.csv
cmp -s t1.csv t2.csv || fail "mot predict --text differs: $(diff t1.csv t2.csv | head -n 4)"
head -n 1 t1.csv | grep -qx 'sample,class,expert,gate_probability,expert_2,gate_probability_2,p_label0,p_label1,p_label2' ||
    fail "the head of predictions is $(head -n 1 t1.csv)"

if "$PYTHON" -c 'import h5py, numpy' 2>said; then
    quietly mot predict seen -o p.npz
    quietly mot predict seen -o p.h5
    quietly mot predict runs/plain --npy test-x.npy -o plain.npz
    quietly mot predict runs/plain -o same.npz
    "$PYTHON" - p1.csv >said 2>&1 <<'PY' || fail "mot predict: $(cat said)"
import csv, sys
import h5py, numpy as np
rows = list(csv.DictReader(open(sys.argv[1])))
a = np.load("p.npz")
names = list(a["class_names"])
assert names == ["red", "green", "blue", "grey"], names
assert [names[c] for c in a["class"]] == [r["class"] for r in rows]
assert a["expert"].shape == (120, 1) and [int(e) for e in a["expert"][:, 0]] == [int(r["expert"]) for r in rows]
assert np.array_equal(a["probability"], np.array([[float(r["p_" + n]) for n in names] for r in rows], "f4"))
with h5py.File("p.h5") as f:
    for name in "class", "probability", "expert", "gate_probability":
        assert np.array_equal(f[name][...], a[name]), name
    assert [n.decode() for n in f["class_names"][...]] == names
plain, same = np.load("plain.npz"), np.load("same.npz")
assert all(np.array_equal(plain[name], same[name]) for name in same.files if name != "class_names")
PY
fi

# ---- ends, stops, and runs that are over ----

refused "an end before what is done" "stage 'train': until = '20 steps' ends after 20 steps, but 60 of it are done" \
    train pictures.yaml run=seen
before=$(cat seen/summary.json)
quietly mot train --quiet pictures.yaml run=seen train.until="60 steps"
[ "$(cat seen/summary.json)" = "$before" ] || fail "what is repeated on a finished run changes summary.json"

# A run that is stopped keeps its last evaluation and all its seconds, also over two processes.
quietly mot train --quiet pictures.yaml run=one train.until="100 steps" eval.every=20
mot train --quiet pictures.yaml run=two train.until="40 steps" eval.every=20 >out 2>&1
mot train --quiet pictures.yaml run=two train.until="100000 steps" eval.every=1000000 stop_after=1s >out 2>&1
[ $? -eq 75 ] || fail "stop_after: $(cat out)"
"$PYTHON" - two/summary.json two/log.jsonl >said 2>&1 <<'PY' || fail "a run that was stopped: $(cat said)"
import json, sys
s = json.load(open(sys.argv[1]))
line = [json.loads(l) for l in open(sys.argv[2]) if "eval.loss" in l][-1]
assert s["status"] == "stopped" and s["eval.step"] == 40 and s["steps"] > 40, s
for key in line:
    if key.startswith(("eval.", "routing.")):
        assert s[key] == line[key], (key, s[key], line[key])
assert s["time.wall_s"] > s["time.process_s"] > 0, s
assert abs(s["speed.samples_per_s"] - s["steps"] * 24 / s["time.wall_s"]) < 1e-6 * s["speed.samples_per_s"], s
PY
# ---- noise ----

mot train pictures.yaml run=noisy route.noise=gumbel route.noise_steps=200 >out 2>said || fail "noise beyond the end: $(cat said)"
grep -q "route.noise_steps = 200 is beyond the end of the run (20 steps), where the noise is still 2.7, and not 0" said ||
    fail "no warning of noise beyond the end: $(cat said)"
quietly mot train --quiet pictures.yaml run=share route.noise=gumbel "route.noise_steps=50%"
quietly mot train --quiet pictures.yaml run=steps route.noise=gumbel route.noise_steps=10
[ "$(value share/summary.json digest)" = "$(value steps/summary.json digest)" ] || fail "half of 20 steps are not 10 steps"
grep -q 'noise_steps: 50%' share/config.yaml || fail "config.yaml does not say what was given: $(grep noise share/config.yaml)"
grep -v '^train\|^data\|^route\|file' pictures.yaml >rest.yaml
cat rest.yaml - >stages.yaml <<'YAML'
data: {file: pictures.h5}
train: {batch: 24, rate: 1e-2}
route: {noise: gumbel, noise_steps: 10}
stages:
  - {name: first, until: 12 steps}
  - {name: second, until: 8 steps, optimizer: adamw}
YAML
quietly mot train --quiet stages.yaml run=noise-all
quietly mot train --quiet stages.yaml run=noise-first stages.1.noise=none
quietly mot train --quiet stages.yaml run=noise-none route.noise=none route.noise_steps=0
[ "$(value noise-all/summary.json digest)" = "$(value noise-first/summary.json digest)" ] ||
    fail "noise that has fallen to 0 before the second stage is something there"
[ "$(value noise-all/summary.json digest)" != "$(value noise-none/summary.json digest)" ] || fail "noise changes nothing"
quietly mot train --quiet stages.yaml run=balanced stages.0.balance_loss=1
[ "$(value noise-all/summary.json digest)" != "$(value balanced/summary.json digest)" ] || fail "a stage's balance loss changes nothing"
refused "a deeper model than 128 blocks" "model.depth = 129" train pictures.yaml run=deep model.depth=129
quietly mot train --quiet pictures.yaml run=deep model.depth=128 model.width=2 model.heads=1 model.ffn=2 train.until="1 steps" train.batch=2
finish
