#!/bin/bash
# `mot bench`: every phase is printed and stands in --json, a former file is compared with, and nothing else is written.
# What was measured is never judged.
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/run/lib.sh
. "$here/lib.sh"

mkdir work
cd work || exit 1
tiny=(data.random.tokens=6 data.random.width=5 data.random.classes=3 data.random.samples=50 model.width=8 model.heads=2
    model.ffn=12 model.depth=1 train.batch=20 gate.init=1)
once=(--steps 2 --repeats 3)
alone="load score choose dispatch expert update report wait" # K = 1
all="$alone combine loss return"

# phases FILE NAMES: a line for each, and for no other.
phases() {
    for name in $all; do
        wanted=0
        case " $2 " in *" $name "*) wanted=1 ;; esac
        [ "$(grep -Ec "^$name +[0-9.]+ +[0-9.]+% +[0-9.]+ " "$1")" -eq $wanted ] || fail "$wanted lines of $name expected: $(cat "$1")"
    done
}

quietly mot bench "${once[@]}" "${tiny[@]}"
phases ../.said "$alone"
grep -Eq '^samples/s +[0-9.]+ \[' ../.said || fail "no samples/s: $(cat ../.said)"
grep -Eq '^ns a score, of 80 a step .*: +score [0-9.]+ +choose [0-9.]+ +report [0-9.]+$' ../.said ||
    fail "no line of the coordinator's scores: $(cat ../.said)"
grep -Eq '^0 +4 +[0-9.]+' ../.said || fail "no line of rank 0 and its 4 experts"
[ -z "$(ls -A)" ] || fail "files without --json: $(ls -A)"

for n in 2 3; do
    quietly mot_on $n bench "${once[@]}" "${tiny[@]}" route.top_k=2 route.chunks=2 --json bench-$n.json
    phases ../.said "$all"
    [ "$(grep -Ec '^[0-9]+ +[0-9]+ +[0-9.]+ ' ../.said)" -eq $n ] || fail "no line a rank on $n ranks: $(cat ../.said)"
done
[ "$(ls -A)" = "$(printf 'bench-2.json\nbench-3.json')" ] || fail "files: $(ls -A)"

"$PYTHON" - bench-3.json >said 2>&1 <<'PY' || fail "bench-3.json: $(cat said)"
import json, sys
b = json.load(open(sys.argv[1]))
ranks, repeats, batch, K = 3, 3, 20, 2
for key, value in {"format": "mot-bench", "format_version": 1, "ranks": ranks, "repeats": repeats, "steps": 2,
                   "batch": batch}.items():
    if b[key] != value:
        sys.exit("%s is %r, expected %r" % (key, b[key], value))
phases = "load score choose dispatch expert combine loss return update report wait".split()
machine = ["products_flops_per_s", "typical_product_flops_per_s", "triad_bytes_per_s", "copy_bytes_per_s"]
for key in ["samples_per_s", "step_s"] + machine + ["phase.%s_s" % p for p in phases]:
    if len(b[key]) != repeats or len(b[key + ".ranks"]) != ranks:
        sys.exit("%s: %r and %r" % (key, b[key], b[key + ".ranks"]))
    if not all(x > 0 for x in b[key]):
        sys.exit("%s is %r" % (key, b[key]))
for p in phases:
    if p != "wait" and not all(x > 0 for x in b["phase.%s_reached" % p]):
        sys.exit("phase.%s_reached is %r" % (p, b["phase.%s_reached" % p]))
if sum(b["phase.load_bytes.ranks"]) != batch * 6 * 5 * 4:
    sys.exit("phase.load_bytes is %r" % b["phase.load_bytes.ranks"])
if sum(b["phase.combine_bytes.ranks"]) != batch * K * 3 * 4:
    sys.exit("phase.combine_bytes is %r" % b["phase.combine_bytes.ranks"])
if "width: 8" not in b["config"] or "6 tokens of 5 numbers" not in b["config"]:
    sys.exit("config is %r" % b["config"])
step = sum(b["phase.%s_s" % p][0] for p in phases)
if not 0 < step <= 1.01 * b["step_s"][0]:
    sys.exit("phases are %g s of %g s" % (step, b["step_s"][0]))
PY
rm said

# A comparison: with itself on the same number of ranks, and refused otherwise.
quietly mot_on 2 bench "${once[@]}" "${tiny[@]}" route.top_k=2 route.chunks=2 --compare bench-2.json run=elsewhere eval.batch=7
for key in samples_per_s step_s products_flops_per_s phase.expert_s phase.return_s phase.dispatch_reached; do
    [ "$(grep -Ec "^$key +[0-9.e+-]+ +[0-9.e+-]+ +[0-9.]+ +[0-9.]+%  (within noise|more|less)$" ../.said)" -eq 1 ] || fail "no comparison of $key: $(cat ../.said)"
done

# refused PATTERN RANKS ARGUMENT...
refused() {
    local pattern=$1 ranks=$2 code
    shift 2
    mot_on "$ranks" bench "${once[@]}" "${tiny[@]}" "$@" >../out 2>../err
    code=$?
    [ $code -eq 2 ] || fail "$*: exit code $code, expected 2"
    [ "$(grep -c '^mot: error: ' ../err)" -eq 1 ] || fail "$*: not one sentence: $(cat ../err)"
    grep -Eq "^mot: error: .*$pattern" ../err || fail "$*: expected '$pattern', got $(cat ../err)"
    grep -q '^phase' ../out && fail "$*: measured before it was refused"
}
refused "bench-2.json was measured with 'ffn: 12', now it is 'ffn: 16'" 2 route.top_k=2 route.chunks=2 model.ffn=16 --compare bench-2.json
refused "bench-2.json was measured with '# sample: 6 tokens.*3 outputs', now it is '# sample: .*4 outputs'|'classes: 3', now it is 'classes: 4'" 2 \
    route.top_k=2 route.chunks=2 data.random.classes=4 --compare bench-2.json
refused "bench-2.json was measured on 2 ranks, now there are 1" 1 route.top_k=2 route.chunks=2 --compare bench-2.json
refused "bench-2.json exists: add --force" 1 --json bench-2.json
refused "bench-2.json is what is read" 1 --force --json bench-2.json --compare bench-2.json
head -c 300 bench-2.json >cut.json
refused "cut.json is not a file that mot bench --json wrote" 1 --compare cut.json

# Without PyTorch, or without the script that uses it, there is nothing to compare with, and that is said.
MOT_BUILD=$(dirname "$(dirname "$MOT_BINARY")") bash "$here/../../launch/compare-torch.sh" absent.py >said 2>err
code=$?
[ $code -eq 77 ] || fail "compare-torch.sh absent.py: exit code $code, expected 77: $(cat err)"
grep -q '^skipped: no absent.py' said || fail "compare-torch.sh absent.py does not say why it is skipped: $(cat said)"
rm said err

# Real samples, and fresh ones.
make_mixture mixture.h5
small_model mixture.h5 >small.yaml
quietly mot_on 2 bench "${once[@]}" small.yaml
phases "$scratch/.said" "$alone"
quietly mot bench "${once[@]}" data.source=mixture model.kind=merged train.loss=logistic
phases "$scratch/.said" "$alone"
[ ! -e runs ] || fail "mot bench leaves a run folder"
finish
