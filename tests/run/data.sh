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
quietly mot data import text --bytes --out bytes.h5 --train texts.tsv --test texts-test.tsv --length 40
refused "bytes for words" "bytes.h5 holds bytes, or numbers without words; the run learned words" eval read data.file=bytes.h5

# ---- splits without groups, and gates that are told ----

cut -f 1,3 texts-test.tsv >plain-test.tsv
quietly mot data import text --out plain.h5 --train texts.tsv --test plain-test.tsv --length 7 --min-count 1 2>said || cat said
finish
