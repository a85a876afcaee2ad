#!/bin/bash
# Fashion-MNIST, as in the first example of docs/data.md: imported, trained for a moment, and better than chance, with
# the same bits on 1, 2 and 3 ranks.
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/run/lib.sh
. "$here/lib.sh"
F=/usr/share/datasets/fashion-mnist
[ -d $F ] || { echo "skipped: no $F (Debian: dataset-fashion-mnist)"; exit 77; }
steps=80
[ -z "${MOT_TEST_SHORT:-}" ] || steps=10

quietly mot data import idx --out fashion.h5 --title Fashion-MNIST \
    --train $F/train-images-idx3-ubyte.gz,$F/train-labels-idx1-ubyte.gz \
    --test $F/t10k-images-idx3-ubyte.gz,$F/t10k-labels-idx1-ubyte.gz \
    --class-names t-shirt,trouser,pullover,dress,coat,sandal,shirt,sneaker,bag,boot
cat >fashion.yaml <<YAML
data: {file: fashion.h5}
model: {experts: 3, width: 16, heads: 2, depth: 1, ffn: 32, patch: 7}
route: {noise: gumbel, balance_bias: 0.01}
train: {batch: 64, rate: 5e-3, until: $steps steps}
eval: {batch: 1000}
YAML
for n in 1 2 3; do quietly mot_on $n train --quiet fashion.yaml run=on$n; done
for n in 2 3; do
    for key in digest eval.loss eval.accuracy; do
        [ "$(value on$n/summary.json $key)" = "$(value on1/summary.json $key)" ] || fail "$key differs between 1 and $n ranks"
    done
done
accuracy=$(value on1/summary.json eval.accuracy)
echo "accuracy after $steps steps: $accuracy, digest $(value on1/summary.json digest)"
[ -n "${MOT_TEST_SHORT:-}" ] || awk "BEGIN { exit !($accuracy > 0.4) }" || fail "accuracy $accuracy, expected more than 0.4"
finish
