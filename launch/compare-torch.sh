#!/bin/bash
# compare-torch.sh - samples a second of mot on two ranks against twice those of PyTorch on one thread, taken in turn.
# usage: launch/compare-torch.sh TORCH_SCRIPT [-r ROUNDS] [key=value...]
#   TORCH_SCRIPT  a program that takes the same step in PyTorch (torch_mot.py): --batch N --threads 1 --tokens ... prints
#                 one line of JSON with samples_per_s
#   -r            rounds, at least 5 (5): a round is PyTorch once and mot once
#   key=value     changes configs/bench-64x128.yaml: model.width, heads, ffn, depth, experts, train.batch,
#                 data.random.tokens, width, classes reach both sides
# Without PyTorch it says 'skipped: why' and ends with exit code 77.
set -eu
# shellcheck source=launch/common.sh
. "$(dirname "$0")/common.sh"

python=/usr/bin/python3 # where Debian's python3-torch is
config=$root/configs/bench-64x128.yaml
mot=$build/bin/mot
script=${1-}
case $script in '' | -*) usage ;; esac
shift
rounds=5
if [ "${1-}" = -r ]; then
    rounds=${2-}
    case $rounds in '' | *[!0-9]* | 0* | [1-4]) fail "-r '$rounds': expected a number of rounds from 5" ;; esac
    shift 2
fi
[ -r "$script" ] || { echo "skipped: no $script"; exit 77; }
[ -x "$mot" ] || fail "no $mot: build first: cmake -B build && cmake --build build -j"
"$python" -c 'import torch' 2>/dev/null || { echo "skipped: $python has no torch (Debian: python3-torch)"; exit 77; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The shape as mot resolves it is the shape of both.
figures() { "$python" - "$@"; }
bench() { mot_mpirun 2 "$mot" bench "$config" "$@" --json "$work/mot.json" >"$work/said" 2>&1 || { cat "$work/said"; exit 1; }; }
bench "$@" --repeats 1 --steps 1
mapfile -t shape < <(figures "$work/mot.json" <<'PY'
import json, re, sys
text = json.load(open(sys.argv[1]))["config"]
def value(section, key):
    block = re.search(r"^%s:\n((?: .*\n)+)" % section, text, re.M).group(1)
    return re.search(r"^ +%s: (\S+)" % key, block, re.M).group(1)
sample = re.search(r"# sample: (\d+) tokens of (\d+) numbers, \d+ words, (\d+) outputs", text)
for option, one in (("batch", value("train", "batch")), ("tokens", sample.group(1)), ("din", sample.group(2)),
                    ("classes", sample.group(3)), ("dim", value("model", "width")), ("heads", value("model", "heads")),
                    ("ffn", value("model", "ffn")), ("depth", value("model", "depth")),
                    ("experts", value("model", "experts"))):
    print("--" + option)
    print(one)
PY
)
echo "shape: ${shape[*]}"
echo "PyTorch $("$python" -c 'import torch; print(torch.__version__)') on one thread, mot on two ranks; samples a second"
printf '%5s %12s %12s %12s\n' round "torch" "mot" "mot / 2 torch"
for ((round = 1; round <= rounds; ++round)); do
    OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 "$python" "$script" "${shape[@]}" --threads 1 >"$work/torch.json"
    bench "$@" --repeats 5
    figures "$work/torch.json" "$work/mot.json" "$round" <<'PY' | tee -a "$work/rounds"
import json, statistics, sys
torch = json.loads(open(sys.argv[1]).read().strip().splitlines()[-1])["samples_per_s"]
mot = statistics.median(json.load(open(sys.argv[2]))["samples_per_s"])
print("%5s %12.1f %12.1f %12.3f" % (sys.argv[3], torch, mot, mot / (2 * torch)))
PY
done
figures "$work/rounds" <<'PY'
import statistics, sys
rows = [[float(x) for x in line.split()] for line in open(sys.argv[1])]
middle = [statistics.median(column) for column in zip(*rows)]
ratios = sorted(row[3] for row in rows)
print("%-5s %12.1f %12.1f %12.3f   ratio of the medians %.3f, from %.3f to %.3f (target: 1.65)"
      % ("", middle[1], middle[2], middle[3], middle[2] / (2 * middle[1]), ratios[0], ratios[-1]))
PY
