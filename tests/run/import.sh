#!/bin/bash
# From files as people have them to a trained table of experts, and what the importers say on their way.
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/run/lib.sh
. "$here/lib.sh"

# made NAME LINE ARGUMENT...: an import that says a line with LINE, and whose data set can be shown.
made() {
    local name=$1 line=$2
    shift 2
    mot data import "$@" --out "$name.h5" --force >said 2>&1 || fail "$name: exit code $?: $(tail -n 1 said)"
    grep -qF -- "$line" said || fail "$name: no '$line' in: $(cat said)"
    grep -q "^made $name.h5" said || fail "$name: not said to be made"
    mot data show "$name.h5" >shown 2>&1 || fail "$name: cannot be shown: $(cat shown)"
}

# refused NAME PATTERN ARGUMENT...: exit code 2, one sentence, no file.
refused() {
    local name=$1 pattern=$2
    shift 2
    mot data import "$@" --out "$name.h5" >said 2>&1
    [ $? -eq 2 ] || fail "$name: not refused: $(cat said)"
    [ "$(grep -c '^mot: error: ' said)" -eq 1 ] || fail "$name: not one sentence: $(cat said)"
    grep -qE -- "$pattern" said || fail "$name: expected '$pattern', got $(cat said)"
    [ ! -e "$name.h5" ] || fail "$name: left a file"
}

# trained NAME SETTING...: reaches 0.95 on the test split.
trained() {
    local name=$1
    shift
    mot train "$MOT_SOURCE/configs/first.yaml" data.file="$name.h5" run="run-$name" threads=1 "$@" >said 2>&1 ||
        fail "$name: training: $(tail -n 1 said)"
    grep -q '^class \\ expert' said || fail "$name: no table of experts"
    "$PYTHON" -c 'import json, sys; sys.exit(json.load(open(sys.argv[1]))["eval.accuracy"] < 0.95)' "run-$name/summary.json" ||
        fail "$name: $(grep '^eval' said)"
}
MOT_SOURCE=$(cd "$here/../.." && pwd)

# Three flowers with a decimal comma; the widths are thousands of times the lengths.
awk 'BEGIN { srand(5); print "length;width;species"; for (n = 0; n < 150; ++n) { k = n % 3;
    printf "%d,%02d;%d;%s\n", k, rand() * 60, 5000 + rand() * 3000, substr("setosaversicolorvirginica", 1 + 6 * k, 6) } }' >flowers.csv
made flowers "numbers have a decimal comma" csv --train flowers.csv --test-fraction 0.2
grep -q "samples  120 in train, 30 in test" said || fail "flowers: $(cat said)"
grep -q "next: mot train configs/first.yaml data.file=flowers.h5" said || fail "flowers: no next command"
grep -q "column length" shown || fail "flowers: no names of columns"
trained flowers
# The folders above are made with it, the first of them as well.
mkdir bare
(cd bare && mot data import csv --train ../flowers.csv --test-fraction 0.2 --out data/of/flowers.h5) >said 2>&1 || fail "a folder that is not there: $(cat said)"
[ -s bare/data/of/flowers.h5 ] || fail "no file in a folder that was not there"
made whole "not scaled" csv --train flowers.csv --test-fraction 0.2 --scale none

awk 'BEGIN { srand(6); for (n = 0; n < 400; ++n) { k = n % 2; printf "%s\t", k ? "good" : "bad "; m = int(rand() * 5);
    for (i = 0; i < m; ++i) printf "w%d ", rand() * 9; printf "%s", k ? "fine" : "poor"; print "" } }' >texts.tsv
# Texts are as long as the longest, up to 64 words; what is cut is said.
awk 'BEGIN { for (n = 0; n < 60; ++n) { printf "%s\t", n % 2 ? "odd" : "even"; for (i = 0; i < 20 + n % 3 * 25; ++i) printf "w%d ", i; print "" } }' >long.tsv
# What is advised can be given.
{ printf 'a\t'; yes w | head -n 1048577 | tr '\n' ' '; echo; printf 'b\tw w\nb\tw\na\tw w w\n'; } >endless.tsv
mot data import text --train endless.tsv --out endless.h5 >said 2>&1 || fail "an endless text: $(cat said)"
grep -q "the longest has 1048577, of which at most --length 1048576 stay" said || fail "an endless text: $(cat said)"
for length in "" "--length 70" "--length 45"; do
    # shellcheck disable=SC2086 # words
    mot data import text --train long.tsv --out long.h5 --force $length >said 2>&1 || fail "long texts: $(cat said)"
    case $length in
    "") wanted="20 of 60 texts are longer than 64 words and are cut: --length 70 keeps all of them" ;;
    *70) wanted="texts of up to 70 tokens" ;;
    *) wanted="20 of 60 texts are longer than 45 words and are cut: --length 70" ;;
    esac
    grep -q "$wanted" said || fail "long texts, '$length': no '$wanted': $(cat said)"
    if [ "$length" = "--length 70" ] && grep -q cut said; then fail "texts that are not cut: $(cat said)"; fi
done
made texts "2 classes: bad, good" text --train texts.tsv --test-fraction 0.25 --min-count 1
trained texts

mkdir empty
refused no-pictures "expected a folder a class" images empty
refused no-folder "cannot read the folder" images absent
refused parquet "no C library of Debian reads it" parquet --train a.parquet
refused both "give one of them" csv --train flowers.csv --test flowers.csv --test-fraction 0.2
refused all "leave nothing to train with" csv --train flowers.csv --test-fraction 0.6 --val-fraction 0.5
refused word "header is auto.yes.no, not 'maybe'" csv --train flowers.csv --header maybe

if "$PYTHON" -c 'import numpy' 2>/dev/null; then
    "$PYTHON" - <<'PY'
import numpy as np
rng = np.random.default_rng(2)
n, length = 400, 10
x, y = np.zeros((n, length), ">i8"), np.arange(n) % 2
for i in range(n):
    k = rng.integers(3, 9)
    x[i, length - k:] = rng.permutation(np.append(rng.integers(10, 14, k - 1), 5 + y[i]))
np.save("left.npy", np.asfortranarray(x))
np.savez_compressed("set.npz", x_train=x, y_train=np.array(["no", "yes"])[y], x_test=x[:50], y_test=np.array(["no", "yes"])[y[:50]])
p = np.zeros((300, 8, 12, 3), "u1")
for i in range(300):
    p[i] = rng.integers(0, 60, (8, 12, 3))
    p[i, :, :, i % 3] += 150
np.save("pictures.npy", p)
np.save("colours.npy", np.eye(3)[np.arange(300) % 3])
PY
    refused left "id 0 stands before other ids" npy --train left.npy,left.npy
    made padded "word ids" npy --train set.npz --test set.npz --pad 0
    trained padded
    made colours "3 channels" npy --train pictures.npy,colours.npy --test-fraction 0.2
    trained colours
fi
finish
