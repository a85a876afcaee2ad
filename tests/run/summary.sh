#!/bin/bash
# What a user reads: summary.json with all its stable keys, the dry run, the help, `mot inspect`, and a terminal or a
# file that gets what it can show.
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/run/lib.sh
. "$here/lib.sh"

make_mixture mixture.h5
small_model mixture.h5 >small.yaml

# ---- the dry run ----

for n in 1 3; do
    mot_on $n train --dry-run small.yaml >dry 2>said || fail "--dry-run on $n ranks: exit code $?"
    [ ! -e runs ] || fail "--dry-run on $n ranks leaves a run folder"
    [ "$(grep -Ec '^ +[0-9]+ +[0-9]+ +[0-9]+ +[0-9.]+ [KMG]?i?B' dry)" -eq $n ] || fail "--dry-run on $n ranks: no line a rank: $(cat dry)"
    grep -Eq 'parameters +values +gradients +optimizer +copies +workspace +buffers +data +record +files +sum +libraries' dry || fail "--dry-run: no headings"
    grep -Eq 'dispatches 24 rows of [0-9.]+ [KM]?i?B: [0-9.]+ [KM]?i?B over all ranks' dry || fail "--dry-run: no message sizes"
done
# The ranks' parameters add up to the model's, tied tensors counted once.
wanted=$(sed -n 's/.*gate [0-9]*: \([0-9]*\) in all.*/\1/p' dry)
got=$(awk '/^ +[0-9]+ +[0-9]+ +[0-9]+ / { sum += $3 } END { print sum }' dry)
[ "$wanted" = "$got" ] || fail "--dry-run: the ranks have $got parameters, the model $wanted"

# A model that no machine here could hold is asked about in no time, and takes no memory.
if [ -z "${MOT_SANITIZE:-}" ]; then
    mot train --dry-run small.yaml model.width=4096 model.heads=32 model.ffn=16384 model.depth=24 \
        model.experts=64 threads=1 >dry 2>said || fail "--dry-run of a large model: $(tail -n 1 said)"
    grep -Eq '^ +0 +64 .* [0-9.]+ TiB ' dry || fail "--dry-run of a large model: $(cat dry)"
fi

# What is announced is what a run takes: where the model is large and its tiles are full, the peak is at most 10 %
# above the sum, checkpoints included.
if [ -z "${MOT_SANITIZE:-}" ]; then
    large=(data.source=mixture data.mixture.tokens=16 data.mixture.eval=16 model.experts=8 model.width=192 model.depth=4
        model.ffn=768 train.batch=256 train.loss=logistic "train.until=2 steps" eval.batch=8 gate.init=1)
    echo "data: {source: mixture}" >large.yaml
    for n in 1 2; do
        rm -rf runs
        quietly mot_on $n train large.yaml "${large[@]}"
        "$PYTHON" - runs/large/summary.json $n >said 2>&1 <<'PY' || fail "memory on $n ranks: $(cat said)"
import json, sys
s = json.load(open(sys.argv[1]))
peak, growth, total = (s["memory.%s_bytes" % name] for name in ("peak", "growth", "sum"))
if not 0.95 * total <= growth <= 1.1 * total or not growth <= peak:
    sys.exit("peak %d, growth %d, sum %d" % (peak, growth, total))
if not 16 * 14e6 / int(sys.argv[2]) < total < 1.5 * 16 * 14.5e6 / int(sys.argv[2]):
    sys.exit("sum %d" % total)
PY
    done
    rm -rf runs
fi

# Texts count by their own lengths, of which the longest come together at worst.
if [ -z "${MOT_SANITIZE:-}" ]; then
    "$PYTHON" - >long_texts.tsv <<'PY'
import random
random.seed(1)
for i in range(1200):
    words = 8000 if i in (300, 900) else random.randint(5, 60)
    print("c%d\t%s" % (i % 4, " ".join("w%d" % random.randint(1, 500) for _ in range(words))))
PY
    quietly mot_on 1 data import text --out long_texts.h5 --train long_texts.tsv --length 8000 --min-count 1 --test-fraction 0.1
    echo "data: {file: long_texts.h5}" >long_texts.yaml
    for n in 1 2; do
        rm -rf runs
        quietly mot_on $n train long_texts.yaml model.experts=4 model.width=16 model.heads=2 model.depth=1 model.ffn=32 gate.init=1 \
            train.batch=900 "train.until=2 steps" eval.batch=8 threads=1
        "$PYTHON" - runs/long_texts/summary.json >said 2>&1 <<'PY' || fail "memory of texts on $n ranks: $(cat said)"
import json, sys
s = json.load(open(sys.argv[1]))
growth, total = (s["memory.%s_bytes" % name] for name in ("growth", "sum"))
if not growth <= 1.25 * total: # rows as long as the longest would take twice as much
    sys.exit("growth %d, sum %d" % (growth, total))
PY
    done
    rm -rf runs
fi

# ---- a run, its summary, and what it says to a file ----

quietly mot_on 3 train small.yaml checkpoint.every=10 eval.every=10
cp .said output
grep -q $'\r' output && fail "a carriage return in the output to a file"
grep -q $'\033' output && fail "an escape sequence in the output to a file"
grep -Eq '^step +20 ' output || fail "no line of step 20 in the output: $(cat output)"
grep -Eq '^digest [0-9a-f]{32} ' output || fail "no digest in the output"
[ "$(grep -c '^digest' output)" -eq 1 ] || fail "more than one rank speaks"
for name in load score choose dispatch expert update report wait record evaluation checkpoint other; do
    [ "$(grep -Ec "^$name +[0-9.]+% +[0-9.]+ " output)" -eq 1 ] || fail "no line of the time for $name: $(cat output)"
done
grep -Eq '^(combine|loss|return) ' output && fail "a line of the time for a phase that K = 1 does not have"

"$PYTHON" - runs/small/summary.json 3 >said 2>&1 <<'PY' || fail "summary.json: $(cat said)"
import json, math, sys
text = open(sys.argv[1]).read()
s = json.loads(text)
stable = {
    "status": str, "digest": str, "steps": int, "stage": int, "eval.loss": float, "eval.accuracy": float,
    "routing.purity": float, "routing.nmi": float, "routing.entropy": float, "routing.experts_used": int,
    "routing.class_purity": float, "routing.class_nmi": float, "routing.group_purity": float, "routing.group_nmi": float,
    "routing.experts_effective": float, "routing.changed": float, "eval.macro_f1": float, "eval.majority": float,
    "eval.split": str, "eval.step": int, "eval.samples": int, "time.process_s": float,
    "time.wall_s": float, "time.compute_s": float, "time.exchange_s": float, "time.wait_s": float,
    "speed.samples_per_s": float, "speed.expert_gflops": float,
    "blas": str, "precision": str, "mpi.ranks": int, "threads": int, "mpi.hosts": int, "restarts": int, "skipped": int, "rollbacks": int,
    "warnings": list,
}
for key, kind in stable.items():
    if key not in s:
        sys.exit("no key " + key)
    value = s[key]
    if kind is float and type(value) is int:  # 1 and 1.0 are one number in JSON
        value = float(value)
    if type(value) is not kind:
        sys.exit("%s is %r, expected %s" % (key, value, kind.__name__))
for key, value in {"status": "done", "steps": 20, "stage": 1, "mpi.ranks": int(sys.argv[2]), "mpi.hosts": 1,
                   "restarts": 0, "skipped": 0, "rollbacks": 0}.items():
    if s[key] != value:
        sys.exit("%s is %r, expected %r" % (key, s[key], value))
if s["speed.bare_product"] not in ("openblas", "mot", "mot_bf16", None) or not s["blas"].startswith("OpenBLAS "):
    sys.exit("speed.bare_product is %r, blas %r" % (s["speed.bare_product"], s["blas"]))
if (s["speed.sgemm_fraction"] is None) != (s["speed.bare_product"] is None):
    sys.exit("in %r s: %r of %r" % (s["time.process_s"], s["speed.sgemm_fraction"], s["speed.bare_product"]))
if len(s["digest"]) != 32 or set(s["digest"]) - set("0123456789abcdef"):
    sys.exit("digest is %r" % s["digest"])
for key in "eval.accuracy", "routing.purity", "routing.nmi", "routing.entropy":
    if not 0 <= s[key] <= 1 + 1e-12:
        sys.exit("%s is %r, outside [0, 1]" % (key, s[key]))
if not 0 < s["routing.experts_used"] <= 4:
    sys.exit("routing.experts_used is %r" % s["routing.experts_used"])
parts = s["time.compute_s"] + s["time.exchange_s"] + s["time.wait_s"]
if not 0 < parts <= 1.01 * s["time.wall_s"]:
    sys.exit("compute, exchange and wait are %g s of %g s" % (parts, s["time.wall_s"]))
# The split of the time: every phase of a step with its work, every part of a run, together the whole of it.
phases = "load score choose dispatch expert combine loss return update report wait".split()
parts = "record log evaluation checkpoint rebalance other".split()
for name in phases + parts:
    mean, least, most = (s["phase.%s%s" % (name, suffix)] for suffix in ("_s", "_min_s", "_max_s"))
    if not 0 <= least <= mean * (1 + 1e-12) or not mean <= most * (1 + 1e-12):
        sys.exit("phase.%s: %r, %r, %r are no minimum, mean and maximum" % (name, least, mean, most))
whole = sum(s["phase.%s_s" % name] for name in phases + parts)
if not math.isclose(whole, s["time.wall_s"], rel_tol=1e-3):
    sys.exit("the phases are %g s of %g s" % (whole, s["time.wall_s"]))
for name in phases:
    once = s["phase.%s_bytes" % name] > 0
    if once != (name not in ("combine", "loss", "return")):  # K = 1
        sys.exit("phase.%s_bytes is %r" % (name, s["phase.%s_bytes" % name]))
if not s["phase.expert_flops"] > 0 or s["phase.load_flops"] != 0:
    sys.exit("operations of expert and load are %r and %r" % (s["phase.expert_flops"], s["phase.load_flops"]))
if s["phase.load_bytes"] != 20 * 24 * 6 * 8 * 4:  # steps, samples, tokens, width, a float
    sys.exit("phase.load_bytes is %r" % s["phase.load_bytes"])
if not 0 < s["memory.sum_bytes"] or not 0 <= s["memory.growth_bytes"] <= s["memory.peak_bytes"]:
    sys.exit("memory is %r" % {key: s[key] for key in s if key.startswith("memory")})
if not s["speed.samples_per_s"] > 0 or not s["speed.expert_gflops"] > 0:
    sys.exit("no speed: %r" % s)
if not math.isclose(s["eval.accuracy"] * 60, round(s["eval.accuracy"] * 60), abs_tol=1e-9):
    sys.exit("accuracy %r is no count of 60" % s["eval.accuracy"])
for key in s:
    if isinstance(s[key], (dict, list)) and key != "warnings":
        sys.exit("%s is not flat" % key)
PY

quietly mot train --quiet small.yaml run=again
[ "$(value again/summary.json digest)" = "$(value runs/small/summary.json digest)" ] || fail "checkpoints and evaluations on the way change the digest"
mot train --quiet small.yaml run=quiet >said 2>&1
[ ! -s said ] || fail "--quiet says: $(cat said)"
quietly mot train --quiet runs/small/config.yaml run=repeated
[ "$(value repeated/summary.json digest)" = "$(value runs/small/summary.json digest)" ] || fail "runs/small/config.yaml does not repeat the run"

# Class names, groups, and a table of them.
make_texts texts.h5
small_model texts.h5 >texts.yaml
mot train texts.yaml >said 2>&1 || fail "texts: exit code $?"
grep -Eq '^label2 +20 ' said || fail "no line of the class label2 in the table: $(cat said)"
grep -Eq '^group1 +40 +[0-9.]+ ' said || fail "no line of the group group1, or no accuracy: $(cat said)"
for row in classes:class,samples,right,expert_0 classes:label2,20, groups:group1,40,; do
    grep -q "^${row#*:}" "runs/texts/${row%%:*}.csv" || fail "no ${row#*:} in ${row%%:*}.csv: $(cat runs/texts/*.csv)"
done

# ---- what cannot be had ----

# Experts that know no bf16 take fp32, say so once, and the run says what it was in all its files.
mot_on 2 train small.yaml run=merged model.kind=merged model.precision=bf16 train.loss=squared >output 2>&1 || fail "bf16 of the kind merged: $(cat output)"
[ "$(grep -c 'model.precision = bf16: experts of the kind merged take their products in fp32' output)" -eq 1 ] || fail "no sentence, or more than one, about bf16 of the kind merged: $(cat output)"
[ "$(value merged/summary.json precision)" = fp32 ] || fail "bf16 of the kind merged: summary.json says $(value merged/summary.json precision)"
grep -Eq 'precision: fp32' merged/config.yaml || fail "bf16 of the kind merged: config.yaml does not say fp32"

# Whatever is measured, the run is one of the two, says which, and stays with it when it goes on.
for rule in auto bf16; do
    mot_on 2 train small.yaml run=$rule model.precision=$rule >output 2>&1 || fail "model.precision=$rule: $(cat output)"
    [ "$(grep -c "model.precision = $rule: " output)" -eq 1 ] || fail "no sentence, or more than one, about model.precision=$rule: $(cat output)"
done
mot train --quiet small.yaml run=fp32
digest_of() { value "$1/summary.json" digest; }
mot train small.yaml run=bf16_always model.precision=bf16_always >output 2>&1 || fail "model.precision=bf16_always: $(cat output)"
if grep -q '; products in bf16' output; then
    [ "$(digest_of bf16_always)" != "$(digest_of fp32)" ] || fail "bf16_always has the bits of fp32"
    # One that began with little reason to goes on all the same.
    mot train --quiet small.yaml run=short model.precision=bf16_always 'train.until=10 steps'
    mot train small.yaml run=short model.precision=auto >output 2>&1 || fail "bf16 that goes on by auto: $(cat output)"
    grep -q 'model.precision = auto: products' output && fail "a run that goes on measures again: $(cat output)"
    [ "$(digest_of short)" = "$(digest_of bf16_always)" ] || fail "bf16 that goes on by auto has other bits"
    grep -Eq 'precision: bf16_always' short/config.yaml || fail "config.yaml of a run in bf16: $(grep precision short/config.yaml)"
    mot train small.yaml run=short model.precision=fp32 >output 2>&1
    [ $? -eq 2 ] || fail "a run in bf16 goes on in fp32: $(cat output)"
fi
for rule in auto bf16; do
    [[ "$(digest_of $rule)" == "$(digest_of "$(sed -n 's/^ *precision: //p' $rule/config.yaml)")" ]] || fail "model.precision=$rule is neither: $(cat $rule/config.yaml)"
done
mot train --quiet small.yaml run=short-fp32 'train.until=10 steps'
mot train --quiet small.yaml run=short-fp32 model.precision=auto || fail "fp32 that goes on by auto"
[ "$(digest_of short-fp32)" = "$(digest_of fp32)" ] || fail "fp32 that goes on by auto has other bits"

# A summary that was cut off is no summary: whoever reads it says so, and the run writes it anew.
head -c 300 fp32/summary.json >half && cp half fp32/summary.json
for verb in compare report; do
    mot $verb fp32 --json of.json >output 2>&1
    [ $? -eq 2 ] || fail "mot $verb of half a summary: $(cat output)"
    grep -q 'fp32/summary.json is not whole: expected the object that the run wrote' output || fail "mot $verb of half a summary says: $(cat output)"
done
mot train --quiet small.yaml run=fp32 model.precision=fp32 || fail "a run with half a summary does not end"
[ "$(digest_of fp32)" = "$(digest_of short-fp32)" ] || fail "a run with half a summary: $(cat fp32/summary.json)"

# ---- kernels of OpenBLAS ----

# Ranks that would take other kernels take the same ones, and say so; the bits are those of these kernels.
cat >by_rank <<'SH'
#!/bin/sh
if [ "${OMPI_COMM_WORLD_RANK:-${PMI_RANK:-0}}" = 1 ]; then export OPENBLAS_CORETYPE=Prescott; fi
exec "$@"
SH
chmod +x by_rank
theory="model.kind=merged train.loss=squared"
# shellcheck disable=SC2086 # words
timeout -k 5 "$LIMIT" "$MPIRUN" -n 3 ./by_rank "$MOT_BINARY" train small.yaml run=mixed $theory >output 2>&1 || fail "ranks with other kernels: $(cat output)"
[ "$(value mixed/summary.json blas | sed 's/.*, //')" = "Prescott kernels (what all ranks can run)" ] || fail "ranks with other kernels: $(value mixed/summary.json blas)"
grep -q '^mot: warning: OPENBLAS_CORETYPE says nothing on rank 0 and Prescott on rank 1' output || fail "no word about OPENBLAS_CORETYPE of rank 1: $(cat output)"
# shellcheck disable=SC2086
OPENBLAS_CORETYPE=Prescott mot train --quiet small.yaml run=prescott $theory
[ "$(digest_of mixed)" = "$(digest_of prescott)" ] || fail "ranks with other kernels have other bits than one with theirs"

# ---- help and inspect ----

for arguments in --help --version "train --help" "eval --help" "bench --help" "data --help" "inspect --help" "train --help-config" \
    "train --usage" "data import idx --help" "data make mixture --help" "data show --help"; do
    # shellcheck disable=SC2086 # words
    mot $arguments >said 2>err || fail "mot $arguments: exit code $?"
    [ -s said ] || fail "mot $arguments says nothing on standard output"
    [ ! -s err ] || fail "mot $arguments: $(cat err)"
done
mot train --help-config >said
for key in data.file model.experts gate.kind route.top_k train.until eval.split checkpoint.every record.every report.every; do
    grep -q "$key" said || fail "--help-config does not explain $key"
done
[ "$(mot_on 3 train --help | grep -c '^Usage')" -eq 1 ] || fail "mot train --help under mpirun speaks more than once"
mot >said 2>&1
[ $? -eq 2 ] || fail "mot without a verb: exit code $?"

record=(runs/small/record/*.h5)
saved=(runs/small/checkpoints/*.h5)
for file in runs/small runs/small/run.h5 "${saved[0]}" "${record[0]}" mixture.h5 runs/small/summary.json runs/small/config.yaml; do
    for option in "" --verify --values=3; do
        # shellcheck disable=SC2086 # no word for no option
        mot inspect $option "$file" >said 2>err || fail "mot inspect $option $file: exit code $?: $(cat err)"
        [ -s said ] || fail "mot inspect $option $file says nothing"
    done
done
digest=$(value runs/small/summary.json digest)
mot inspect "${saved[-1]}" >said
grep -q "$digest" said || fail "mot inspect of the last checkpoint does not show its digest"
# A byte of any file of the record is changed: the run, looked at as a whole, is not well, and says where.
for file in runs/small/run.h5 "${record[@]}"; do
    cp "$file" whole.h5
    for ((i = 0; i < 5; ++i)); do
        "$PYTHON" - "$file" <<'PY' || fail "$file cannot be changed"
import os, random, sys
with open(sys.argv[1], "r+b") as f:
    at = random.randrange(os.path.getsize(sys.argv[1]))
    f.seek(at)
    byte = f.read(1)[0]
    f.seek(at)
    f.write(bytes([byte ^ 1 << random.randrange(8)]))
    print("byte", at)
PY
        mot inspect --verify runs/small >said 2>err
        code=$?
        if [ $code -ne 2 ] || ! grep -Eq "^mot: error: .*${file##*/}" err; then
            fail "mot inspect --verify with a changed byte in $file: exit code $code: $(cat err)"
        fi
        cp whole.h5 "$file"
    done
done
quietly mot inspect --verify runs/small

mot inspect --values=100000 "${record[0]}" 2>err | head -n 1 >said
[ ! -s err ] || fail "mot inspect | head -n 1: $(cat err)"
quietly mot data show mixture.h5

# Files that are whole and mean ill: a group inside of itself, integers that take more room in memory than in the file,
# and numbers that nobody stored.
"$PYTHON" - <<'PY'
import h5py
with h5py.File("ill.h5", "w") as f:
    loop = f.create_group("loop")
    for name in "abcdefgh":
        loop[name] = loop
with h5py.File("odd.h5", "w") as f:
    three = h5py.h5t.STD_I32LE.copy()
    three.set_size(3)
    h5py.h5d.create(f.id, b"odd", three, h5py.h5s.create_simple((100000,))).write(
        h5py.h5s.ALL, h5py.h5s.ALL, __import__("numpy").zeros(100000, "i4"))
with h5py.File("empty.h5", "w") as f:
    f.create_dataset("empty", (1 << 40,), "i1", chunks=(1,))
with h5py.File("narrow.h5", "w") as f:
    f.create_dataset("narrow", (1 << 40, 0), "i1")
PY
quietly mot inspect ill.h5
grep -q 'a group with several names' "$scratch/.said" || fail "mot inspect walks in circles: $(head -n 20 ../.said)"
mot inspect --verify ill.h5 >said 2>err && fail "mot inspect --verify of a circle succeeds"
grep -q 'a group with several names' err || fail "mot inspect --verify of a circle: $(cat err)"
quietly mot inspect --verify odd.h5
quietly mot inspect --verify narrow.h5
mot inspect --verify empty.h5 >said 2>err && fail "mot inspect --verify of numbers that nobody stored succeeds"
grep -q 'far more than it stores' err || fail "mot inspect --verify of numbers that nobody stored: $(cat err)"

# ---- a terminal ----

"$PYTHON" - "$MPIRUN" "$MOT_BINARY" >said 2>&1 <<'PY' || fail "on a terminal: $(cat said)"
import os, pty, re, sys
mpirun, mot = sys.argv[1:]
def terminal(command):
    """What the command says to a pseudo-terminal."""
    child, master = pty.fork()
    if child == 0:
        os.environ["TERM"] = "xterm"
        os.execv(command[0], command)
    said = b""
    while True:
        try:
            piece = os.read(master, 65536)
        except OSError:
            break
        if not piece:
            break
        said += piece
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if code != 0:
        sys.exit("exit code %d: %r" % (code, said[-500:]))
    return said.decode(errors="replace").replace("\r\n", "\n")
said = terminal([mot, "train", "small.yaml", "run=seen", "report.every=100000", "train.until=4000 steps", "model.depth=2"])
if not re.search(r"% step \d+/4000 .*\r", said):
    sys.exit("no line of progress: %r" % said[:2000])
if "digest" not in said.split("\r")[-1]:
    sys.exit("the last line is not free of it: %r" % said[-500:])
PY
finish
