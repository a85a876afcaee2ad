"""mot sweep: every combination and seed is the run that mot train would make, shared out over ranks and over the tasks of a job array,
and done once; mot compare: what came out, with spread and intervals, as NumPy has it; what is wrong is said before anything is trained."""
import csv, fcntl, json, os, shutil, subprocess, sys, tempfile

try:
    import numpy as np
except ImportError as missing:
    print("skipped:", missing)
    sys.exit(77)
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from drive import MOT, check, failures, mot, summary

os.chdir(tempfile.mkdtemp(prefix="mot-sweep."))
mot(1, "data", "make", "mixture", "--out", "m.h5", "--train", "240", "--test", "60", "--tokens", "6", "--width", "8", "--classes", "4")
open("c.yaml", "w").write("data.file: m.h5\nmodel: {experts: 2, width: 8, heads: 2, depth: 1, ffn: 12}\ntrain: {until: 40 steps}\n"
                          "route.noise: none\n")
SWEEP = "config: c.yaml\nfolder: %s\nseeds: 3\ngrid:\n  model.experts: [2, 3]\nlist:\n  - {train.rate: 5e-3}\n  - {train.rate: 2e-2, gate.kind: mlp}\n"
open("s.yaml", "w").write(SWEEP % "sw")
open("a.yaml", "w").write(SWEEP % "ar")


def runs(folder):
    return sorted(os.listdir(folder + "/trials"))


said = mot(3, "sweep", "s.yaml")
check("12 trials of 4 variants on 3 ranks" in said and "mot compare sw" in said, "what a sweep says: " + said[-600:])
check(len(runs("sw")) == 12 and all(summary("sw/trials/" + run)["status"] == "done" for run in runs("sw")), "runs: %s" % runs("sw"))
check("train.rate=2e-2,gate.kind=mlp,model.experts=3-2" in runs("sw"), "names: %s" % runs("sw"))
mot(1, "train", "--quiet", "c.yaml", "run=alone", "train.rate=2e-2", "gate.kind=mlp", "model.experts=3", "seed=2")
check(summary("alone")["digest"] == summary("sw/trials/train.rate=2e-2,gate.kind=mlp,model.experts=3-2")["digest"], "a run of a sweep is another one")

# What is done is not done again; what is gone is.
before = {run: os.stat("sw/trials/%s/summary.json" % run).st_mtime_ns for run in runs("sw")}
gone = runs("sw")[4]
shutil.rmtree("sw/trials/" + gone)
mot(1, "sweep", "s.yaml")
after = {run: os.stat("sw/trials/%s/summary.json" % run).st_mtime_ns for run in runs("sw")}
check({run for run in after if after[run] != before[run]} == {gone}, "not what is missing alone is done again")

# What another process is at work on is left to it, and the rest is done.
shutil.rmtree("sw/trials/" + gone)
shutil.rmtree("sw/trials/" + runs("sw")[7])
os.mkdir("sw/trials/" + gone)
with open("sw/trials/%s/lock" % gone, "w") as held:
    fcntl.lockf(held, fcntl.LOCK_EX)
    said = mot(1, "sweep", "s.yaml", code=75)
check("is left to another process" in said and "1 of 12 were left to other processes" in said and "mot: error" not in said, "a run at work: " + said[-600:])
check([run for run in runs("sw") if not os.path.exists("sw/trials/%s/summary.json" % run)] == [gone], "the others are not done")
mot(1, "sweep", "s.yaml")
check(summary("sw/trials/" + gone)["status"] == "done", "what was left is not done later")

# A job array shares it out.
said = mot(1, "sweep", "a.yaml", "--array-index", "0", "--array-count", "2")
first = runs("ar")
environment = {**os.environ, "SLURM_ARRAY_TASK_ID": "9", "SLURM_ARRAY_TASK_MIN": "7", "SLURM_ARRAY_TASK_STEP": "2", "SLURM_ARRAY_TASK_COUNT": "2"}
done = subprocess.run([MOT, "sweep", "a.yaml"], env=environment, capture_output=True, text=True)
check(done.returncode == 0 and len(first) == 6 and runs("ar") == runs("sw"), "parts of a job array: %s; %s" % (first, done.stderr[-300:]))
check(all(summary("ar/trials/" + run)["digest"] == summary("sw/trials/" + run)["digest"] for run in runs("ar")), "digests of a job array")

# ---- what came out ----

mot(1, "train", "--quiet", "c.yaml", "run=other", "model.width=16")
shutil.copytree("sw/trials/" + gone, "sw/trials/zz")
text = open("sw/trials/zz/summary.json").read()
open("sw/trials/zz/summary.json", "w").write(text.replace('"done"', '"running"'))
said = mot(1, "compare", "sw", "other", "--csv", "t.csv", "--json", "t.json", "-f", "eval.loss", "-f", "routing.nmi")
check("sw/trials/zz is left out: it is not done" in said, "a run that is not done: " + said[-400:])
os.remove("sw/trials/zz/summary.json")
check("sw/trials/zz is left out: it is not done" in mot(1, "compare", "sw"), "a run that has just begun")
shutil.rmtree("sw/trials/zz")

# One that has the seed of another is no other seed; a name that is no UTF-8 makes no other JSON.
name = b"n\xff<b>"
shutil.copytree(b"sw/trials/" + gone.encode(), name)
twice = subprocess.run([os.environ["MOT_BINARY"], "compare", "sw", name, "--json", "n.json"], capture_output=True)
check(twice.returncode == 0 and b"is left out: it has the seed of a run before it" in twice.stderr, "a seed twice: %s" % twice.stderr[-300:])
subprocess.run([os.environ["MOT_BINARY"], "compare", name, "--json", "n1.json"], capture_output=True)
check("\ufffd" in json.load(open("n1.json"))[0]["settings"], "a name that is no UTF-8: " + open("n1.json", errors="replace").read()[:200])
table = list(csv.DictReader(open("t.csv")))
check([{k: v for k, v in row.items()} for row in table] and len(table) == 10, "rows: %d" % len(table))
for line, item in zip(table, json.load(open("t.json"))):
    check(line["settings"] == item["settings"] and abs(float(line["median"]) - item["median"]) <= 1e-8 * abs(item["median"]) and
          (line["difference_low"] == "") == (item["difference_low"] is None), "table and JSON")
T = {2: 12.7062047362, 3: 4.30265272975}  # of 95 %, by Student, for so many values


def interval(values):
    half = T[len(values)] * np.std(values, ddof=1) / np.sqrt(len(values))
    return np.mean(values) - half, np.mean(values) + half


def values(rate, experts, key):
    name = "train.rate=%s,model.experts=%d" % (rate, experts) if rate == "5e-3" else "train.rate=2e-2,gate.kind=mlp,model.experts=%d" % experts
    return np.array([summary("sw/trials/%s-%d" % (name, seed))[key] for seed in (1, 2, 3)])


for key in "eval.loss", "routing.nmi":
    lines = {line["settings"]: line for line in table if line["figure"] == key}
    first = None
    for settings, line in lines.items():
        if "model.width=16" in settings:
            check(line["runs"] == "1" and line["mean_low"] == line["bootstrap_low"] == "", "one run has no interval")
            continue
        rate, experts = "2e-2" if "gate.kind=mlp" in settings else "5e-3", 3 if "model.experts=3" in settings else 2
        own = values(rate, experts, key)
        first = own if first is None else first
        want = [np.median(own), *np.quantile(own, (0.25, 0.75)), np.mean(own), *interval(own)]
        got = [float(line[k]) for k in ("median", "quartile_low", "quartile_high", "mean", "mean_low", "mean_high")]
        check(line["runs"] == "3" and np.allclose(want, got, rtol=1e-6), "%s of %s: %s, expected %s" % (key, settings, got, want))
        check(np.allclose([min(own), max(own)], [float(line["bootstrap_low"]), float(line["bootstrap_high"])], rtol=1e-6),
              "bootstrap of three: all alike are more than 2.5 %% of the resamples: %s" % line)
        if own is not first:
            got = [float(line[k]) for k in ("difference", "difference_low", "difference_high")]
            check(np.allclose([np.mean(own - first), *interval(own - first)], got, rtol=1e-5, atol=1e-9), "%s of %s: differences %s" % (key, settings, got))
check("Of fewer than 3 runs there is no interval by bootstrap: 1 of 5 rows." in said, "a row without an interval: " + said[-300:])
said = mot(1, "compare", "sw")
check("no interval by bootstrap" not in said, "all rows have intervals: " + said[-300:])
again = mot(1, "compare", *["sw/trials/" + run for run in runs("sw") if "5e-3,model.experts=3" in run], "sw")
check("train.rate=0.005" in again.splitlines()[2] and "model.experts=3" in again.splitlines()[2] and all(" 3 " in line for line in again.splitlines()[2:6]),
      "runs that are named first, and again by their folder: " + again[:900])
check("eval.accuracy" in said and "95 % of the mean" in said and "model.experts=3" in said, "on the terminal: " + said[:600])

# ---- what is refused ----

for name, text in (("unknown", "config: c.yaml\nfolder: x\nsedes: 3\n"), ("nothing", "folder: x\n"), ("noconfig", "config: none.yaml\nfolder: x\n"),
                   ("key", "config: c.yaml\nfolder: x\ngrid: {model.exprts: [1]}\n"), ("value", "config: c.yaml\nfolder: x\ngrid: {model.experts: [1, two]}\n"),
                   ("map", "config: c.yaml\nfolder: x\ngrid: [1]\n"), ("one", "config: c.yaml\nfolder: x\ngrid: {model.experts: 2}\n"),
                   ("twice", "config: c.yaml\nfolder: x\nlist: [{seed: 1}, {seed: 1}]\n"), ("seeds", "config: c.yaml\nfolder: x\nseeds: 0\n"),
                   ("own", "config: c.yaml\nfolder: x\ngrid: {seed: [3, 4]}\n")):
    open(name + ".yaml", "w").write(text)
for sentence, *arguments in (
        ("unknown.yaml: line 3: a sweep has config, folder, seeds, grid and list, and no sedes", "sweep", "unknown.yaml"),
        ("nothing.yaml: expected config: it is missing", "sweep", "nothing.yaml"), ("none.yaml", "sweep", "noconfig.yaml"),
        ("model.exprts", "sweep", "key.yaml"), ("model.experts = two", "sweep", "value.yaml"),
        ("map.yaml: line 3: grid: expected a map, here is a list", "sweep", "map.yaml"),
        ("one.yaml: line 3: expected a list of values of model.experts", "sweep", "one.yaml"),
        ("the settings 'seed=1' are there twice", "sweep", "twice.yaml"), ("seeds: expected a number from 1 to 64", "sweep", "seeds.yaml"),
        ("expected one below --array-count, which is 2", "sweep", "s.yaml", "--array-index", "2", "--array-count", "2"),
        ("--array-count 3 needs --array-index, or a job array of as many tasks", "sweep", "s.yaml", "--array-count", "3"),
        ("--array-index needs --array-count, or a job array", "sweep", "s.yaml", "--array-index", "0"),
        ("expected SWEEP.yaml", "sweep"), ("no summary.json of these runs has a number 'eval.lss'", "compare", "sw", "-f", "eval.lss"),
        ("t.csv exists: add --force", "compare", "sw", "--csv", "t.csv"),
        ("sw/trials/%s/summary.json is the run's own" % gone, "compare", "sw", "--force", "--json", "sw/trials/%s/summary.json" % gone),
        ("other/config.yaml is the run's own", "report", "other", "--force", "-o", "other/config.yaml"),
        ("other/record/%s is the run's own" % sorted(os.listdir("other/record"))[0], "report", "other", "--force", "--json",
         "other/record/" + sorted(os.listdir("other/record"))[0]),
        ("m.h5: neither a run folder, which has a summary.json, nor that of a sweep", "compare", "m.h5"), ("expected RUN", "compare"),
        ("a sweep takes no 'seed=3': `seeds` says how many there are", "sweep", "own.yaml"),
        ("a sweep takes no 'run=there'", "sweep", "s.yaml", "run=there"),
        ("is a trial with another configuration", "sweep", "s.yaml", "model.ffn=16")):
    said = mot(1, *arguments, code=2)
    check(sentence in said and said.count("mot: error: ") == 1, "expected '%s', got: %s" % (sentence, said[-500:]))
check(not os.path.exists("x"), "what is refused leaves a folder")
sys.exit(1 if failures else 0)
