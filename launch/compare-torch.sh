#!/bin/bash
# compare-torch.sh - samples a second of mot on two ranks against the best that PyTorch makes of two threads, taken in turn.
# usage: launch/compare-torch.sh TORCH_SCRIPT [-p PYTHON] [-r ROUNDS] [-b] [key=value...]
#   TORCH_SCRIPT  a program that takes the same step in PyTorch (torch_mot.py): --batch N --threads N --steps N --tokens ... prints
#                 one line of JSON with samples_per_s; --sdpa, --compile and --bf16 are forms of it
#   -p            the Python whose PyTorch is meant (/usr/bin/python3, where Debian's python3-torch is)
#   -r            rounds, at least 5 (5): a round is each form of PyTorch once, eight steps, and mot once
#   -b            bf16: PyTorch under autocast, mot with model.precision=bf16_always
#   key=value     changes configs/bench-64x128.yaml: model.width, heads, ffn, depth, experts, train.batch,
#                 data.random.tokens, width, classes reach both sides
# PyTorch is taken as it comes (eager), with scaled_dot_product_attention, and with torch.compile as well; each on one thread,
# whose samples count twice, and on two. What a form cannot do (an old PyTorch, no C++ compiler) is said.
# Without PyTorch it says 'skipped: why' and ends with exit code 77.
set -eu
# shellcheck source=launch/common.sh
. "$(dirname "$0")/common.sh"

python=/usr/bin/python3
config=$root/configs/bench-64x128.yaml
mot=$build/bin/mot
script=${1-}
case $script in '' | -*) usage ;; esac
shift
rounds=5 bf16=''
while :; do
    case ${1-} in
    -p)
        python=${2-}
        [ -x "$python" ] || fail "-p '$python': expected a Python that can be run"
        shift 2
        ;;
    -r)
        rounds=${2-}
        case $rounds in '' | *[!0-9]* | 0* | [1-4]) fail "-r '$rounds': expected a number of rounds from 5" ;; esac
        shift 2
        ;;
    -b)
        bf16=--bf16
        set -- "$@" model.precision=bf16_always
        shift
        ;;
    *) break ;;
    esac
done
[ -r "$script" ] || { echo "skipped: no $script"; exit 77; }
[ -x "$mot" ] || fail "no $mot: build first: cmake -B build && cmake --build build -j"
"$python" -c 'import torch' 2>/dev/null || { echo "skipped: $python has no torch (Debian: python3-torch; -p names another Python)"; exit 77; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The shape as mot resolves it is the shape of both.
figures() { "$python" - "$@"; }
bench() { mot_mpirun 2 "$mot" bench "$config" "$@" --json "$work/mot.json" --force >"$work/said" 2>&1 || { cat "$work/said"; exit 1; }; }
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
echo "PyTorch $("$python" -c 'import torch; print(torch.__version__)'), $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1)"
echo "samples a second, of one thread twice over; ratio: mot on two ranks over it"

# A form in the words of the script: name, threads, options.
forms=("eager" "sdpa --sdpa" "compile --sdpa --compile")
torch() { # NAME THREADS OPTION...: a line 'name figure'
    local name=$1 threads=$2
    shift 2
    if OMP_NUM_THREADS=$threads MKL_NUM_THREADS=$threads "$python" "$script" "${shape[@]}" --steps 8 --threads "$threads" $bf16 "$@" \
        >"$work/torch.json" 2>"$work/torch.err"; then
        figures "$work/torch.json" "$name" "$threads" <<'PY' >>"$work/rounds"
import json, sys
rate = json.loads(open(sys.argv[1]).read().strip().splitlines()[-1])["samples_per_s"]
print("%s, %s thread%s\t%g" % (sys.argv[2], sys.argv[3], "s" * (sys.argv[3] != "1"), rate * (2 if sys.argv[3] == "1" else 1)))
PY
    else
        echo "$name on $threads: not there: $(tail -1 "$work/torch.err")"
    fi
}
for ((round = 1; round <= rounds; ++round)); do
    for form in "${forms[@]}"; do
        read -ra words <<<"$form"
        for threads in 1 2; do torch "${words[0]}" $threads "${words[@]:1}"; done
    done
    bench "$@" --repeats 5
    figures "$work/mot.json" <<'PY' >>"$work/rounds"
import json, statistics, sys
print("mot\t%g" % statistics.median(json.load(open(sys.argv[1]))["samples_per_s"]))
PY
done
figures "$work/rounds" <<'PY'
import statistics, sys
rounds = {}
for line in open(sys.argv[1]):
    name, rate = line.rstrip("\n").split("\t")
    rounds.setdefault(name, []).append(float(rate))
mot = rounds.pop("mot")
middle = statistics.median(mot)
print("%-20s %9.1f" % ("mot", middle))
for name, rates in sorted(rounds.items(), key=lambda of: -statistics.median(of[1])):
    ratio = sorted(m / r for m, r in zip(mot, rates))
    print("%-20s %9.1f   ratio %.3f, of a round %.3f to %.3f" % (name, statistics.median(rates), middle / statistics.median(rates), ratio[0], ratio[-1]))
PY
