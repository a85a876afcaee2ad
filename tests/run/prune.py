"""A run that loses experts at the ends of its stages (build/tests/prune_run): the same bits on any number of ranks, killed and
continued, and after going back to a time when there were more; and all that reads its files knows which experts are left."""
import csv, glob, json, os, re, shutil, subprocess, sys, tempfile

try:
    import h5py, numpy
except ImportError:
    print("skipped: no h5py, which reads the record")
    sys.exit(77)
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from drive import MOT, check, failures, summary

BUILD = os.environ["MOT_BUILD_DIR"]
LIMIT = int(os.environ.get("MOT_TEST_LIMIT", 600))
STAGES = "stages: [{name: one, until: 5 steps}, {name: two, until: 5 steps}, {name: three, until: 4 steps}]"
COMMON = """
data: {source: mixture, mixture: {eval: 60, tokens: 4, width: 8, classes: 3}}
eval: {every: 4, batch: 40}
record: {every: 1, eval: true}
report: {every: 1}
""" + STAGES
CASES = {
    # experts of the theory, with figures that look inside them
    "merged": ("0,2,3,5/2,5/2,5", COMMON + """
gate: {init: 0.3}
model: {kind: merged, experts: 6, merged: {heads: 1, neurons: 2}}
route: {noise: uniform, balance_bias: 0.01, rebalance: eval, split: true}
train: {batch: 24, optimizer: adamw, loss: logistic, rate: 0.01}
checkpoint: {every: 4}
"""),
    # tied tensors, an MLP for a gate, and more choices than experts in the end
    "encoder": ("0,1,2,4/1,4/4", COMMON + """
model: {experts: 5, width: 8, heads: 2, depth: 1, ffn: 12, tie: [attention]}
gate: {kind: mlp, hidden: 5, init: 0.3}
route: {top_k: 3, chunks: 2, rebalance: stage, noise: gumbel}
train: {batch: 24, optimizer: adamw, rate: 0.01}
checkpoint: {every: 3, background: false}
"""),
    # a gate whose classes are dealt to the experts at the end of the first stage, which begin as copies of one
    "classes": ("0,1,2,4/0,1/0", COMMON.replace("until: 5 steps}", "until: 5 steps, action: group}", 1) + """
gate: {kind: classes, init: 0.3}
model: {experts: 5, width: 8, heads: 2, depth: 1, ffn: 12, tie: [attention]}
train: {batch: 24, optimizer: adamw, rate: 0.01}
checkpoint: {every: 4, background: false}
"""),
}


def call(ranks, program, *arguments, code=0, **environment):
    launch = ["mpirun", "-n", str(ranks)] if ranks > 0 else []
    done = subprocess.run([*launch, program, *arguments], capture_output=True, text=True, timeout=LIMIT,
                          env={**os.environ, **environment})
    said = done.stdout + done.stderr
    check((done.returncode == 0) if code == 0 else (done.returncode != 0 if code is None else done.returncode == code),
          "%s %s ended with %d: %s" % (os.path.basename(program), " ".join(arguments), done.returncode, said[-600:]))
    return said


def train(case, ranks, run, *settings, **more):
    return call(ranks, BUILD + "/tests/prune_run", case + ".yaml", CASES[case][0], "run=" + run, *settings, **more)


def same(case, run):
    check(summary(run)["digest"] == summary(case + "1")["digest"], "%s: another digest than %s1" % (run, case))


def segments(run):
    return [h5py.File(path, "r") for path in sorted(glob.glob(run + "/record/*.h5"))]


def check_record(case, run, left):
    """left: experts of each stage."""
    steps, files = [], segments(run)
    for f in files:
        expert = list(f["expert"][...])
        at = [s for s in f["steps/step"][...]] if "steps" in f else []
        steps += at
        # An evaluation behind the last step of a stage is of those that are left.
        stages = {min((s - 1) // 5, 2) for s in at}
        check(len(stages) <= 1, "%s: %s has steps of several stages" % (run, f.filename))
        for s in stages:
            check(expert == left[s], "%s: %s has the experts %s" % (run, f.filename, expert))
        check(f.attrs["experts"] == len(expert) and f.attrs.get("experts_begun", len(left[0])) == len(left[0]),
              "%s: %s says %s" % (run, f.filename, dict(f.attrs)))
        check(("experts_begun" in f.attrs) == (len(expert) < len(left[0])), "%s: experts_begun in %s" % (run, f.filename))
        if "layer0/load" in f:
            load = f["layer0/load"]
            check(load.shape == (len(at), len(expert)) and load.dims[1].label == "" and list(load.dims[1][0]) == expert,
                  "%s: loads of %s" % (run, f.filename))
        check("assign" not in f or set(f["assign/expert"][...]) <= set(expert), "%s: assignments of %s" % (run, f.filename))
        for name in ("eval/expert_accuracy", "layer0/class_load"):
            check(name not in f or f[name].shape[-1] == len(expert), "%s: %s of %s" % (run, name, f.filename))
    check(steps == list(range(1, 15)), "%s: the record has the steps %s" % (run, steps))
    for f in files:
        f.close()
    with h5py.File(run + "/run.h5", "r") as joined:
        widths = [joined["segments"][s]["layer0/load"].shape[1] for s in joined["segments"] if "layer0/load" in joined["segments"][s]]
        check(set(widths) == {len(l) for l in left[:3]} and widths == sorted(widths, reverse=True), "%s: run.h5 leads to widths %s" % (run, widths))
        check(joined.attrs["experts"] == len(left[-1]), "%s: run.h5 says %s" % (run, dict(joined.attrs)))
    said = [json.loads(line) for line in open(run + "/log.jsonl")]
    gone = [(line["step"], line["experts.left"]) for line in said if "experts.left" in line]
    wanted = [(5, left[1]), (10, left[2])] + ([(14, left[3])] if left[3] != left[2] else [])
    check(gone == wanted, "%s: log.jsonl says %s" % (run, gone))


scratch = tempfile.mkdtemp(prefix="mot-prune.")
os.chdir(scratch)
for case, (keep, text) in CASES.items():
    lists = [list(map(int, k.split(","))) for k in keep.split("/")]
    begun = list(range(6 if case == "merged" else 5))
    open(case + ".yaml", "w").write(text)
    for ranks in (1, 3):
        said = train(case, ranks - 1 and ranks, case + str(ranks))
        same(case, case + str(ranks))
        check(("route.top_k = 3, but 2 experts are left" in said) == (case == "encoder"), "%s: %s" % (case, said))
    check_record(case, case + "3", [begun] + lists)
    check(summary(case + "1")["experts.left"] == lists[-1], case + ": summary.json")
    grouped = re.findall(r"group: (\d) classes in (\d) groups, .* stays; (\d) of 5 experts have none", said)
    check(len(grouped) == (case == "classes") and all(c == "2" and int(g) + int(n) == 5 for c, g, n in grouped),
          "%s: groups %s in %s" % (case, grouped, said))
    columns = next(csv.reader(open(case + "3/classes.csv")))[3:]
    check(columns == ["expert_%d" % e for e in lists[-1]], "%s: classes.csv has %s" % (case, columns))

    # Killed on either side of a pruning, and continued on other ranks each time.
    run = case + "_killed"
    for ranks, dies in (2, "after:0"), (0, "before:1"):
        train(case, ranks, run, code=None, PRUNE_DIES=dies)
    train(case, 3, run)
    same(case, run)
    check(summary(run)["restarts"] >= 1, run + ": restarts")
    check_record(case, run, [begun] + lists)

    # A step fails behind a pruning, and the run goes back to a checkpoint from before it.
    back = [case + "_back%d" % ranks for ranks in (0, 3)] if case == "merged" else []
    for ranks, run in zip((0, 3), back):
        said = train(case, ranks, run, "train.on_nonfinite=rollback", PRUNE_SPOILS="0")
        check("went back to step 4" in said and said.count(" experts go after step 5") == 2, run + ": " + said)
        check_record(case, run, [begun] + lists)
    check(len({summary(run)["digest"] for run in back}) <= 1, case + ": after going back other digests")

    # Who reads it.
    said = call(0, MOT, "inspect", "--verify", case + "1")
    said = call(0, MOT, "inspect", "--verify", sorted(glob.glob(case + "1/checkpoints/*"))[-1])
    numbers = "experts that are left, by their numbers in the beginning: " + " ".join(map(str, lists[-1]))
    check(numbers in said, "%s: a checkpoint shows %s" % (case, said))
    said = call(0, MOT, "inspect", sorted(glob.glob(case + "1/record/*"))[-1])
    check(numbers in said, "%s: a segment shows %s" % (case, said))
    figures = json.loads(re.search(r"\{.*\}", call(2, MOT, "eval", "--json", case + "1"), re.S).group(0))
    check(figures["experts.left"] == lists[-1] and len(figures["eval.expert_accuracy"]) == len(lists[-1]), "%s: %s" % (case, figures))
    # The program may run at a higher level of instruction set than the one that trained, and then has other last bits.
    check(abs(figures["eval.loss"] - summary(case + "1")["eval.loss"]) < 1e-5, case + ": another loss in mot eval")
    call(0, MOT, "predict", case + "1", "-o", case + ".csv")
    chosen = {int(row["expert"]) for row in csv.DictReader(open(case + ".csv"))}
    check(chosen <= set(lists[-1]) and len(chosen) > 0, "%s: predictions by %s" % (case, chosen))

# Soft routing, in which every expert sees every sample.
CASES["soft"] = ("0,2,3,5/2,5/5", STAGES + """
data: {source: teacher, teacher: {experts: 2, width: 6, activation: relu, train: 400, eval: 90}}
model: {kind: hermite, experts: 6}
gate: {kind: sigmoid}
route: {top_k: all, noise: none, balance_loss: 0}
train: {loss: squared, batch: 40, rate: 0.01, optimizer: adamw}
eval: {every: 4, batch: 40}
report: {every: 1}
checkpoint: {every: 4, background: false}
""")
open("soft.yaml", "w").write(CASES["soft"][1])
train("soft", 0, "soft1")
train("soft", 2, "soft_killed", code=None, PRUNE_DIES="before:1")
train("soft", 3, "soft_killed")
same("soft", "soft_killed")
check_record("soft", "soft_killed", [list(range(6)), [0, 2, 3, 5], [2, 5], [5]])

# What does not fit is refused.
newest = sorted(glob.glob("merged1/checkpoints/*"))[-1]
said = call(2, MOT, "eval", newest, "model.experts=1", code=2)
check("a checkpoint of 2 experts, the configuration has 1" in said, "fewer experts: " + said)
for numbers, words in ([5, 2], "/experts/origin [1] is 2, expected ascending numbers in [0, 6)"), ([2, 6], "[1] is 6"), \
        ([2, 5, 5], "numbers of 2 experts"), (None, "a checkpoint of 2 experts, the configuration has 6"):
    shutil.copy(newest, "other.h5")
    with h5py.File("other.h5", "r+") as f:
        del f["experts/origin"]
        if numbers is not None:
            f["experts/origin"] = numpy.array(numbers, "<i4")
    call(0, MOT, "inspect", "--reseal", "other.h5", code=0 if numbers in ([2, 6], None) else 2)
    said = call(2, MOT, "eval", "other.h5", code=2)
    check(words in said or "reseal" in said, "%s: %s" % (numbers, said))

shutil.rmtree(scratch)
print("%d failed" % len(failures) if failures else "all well")
sys.exit(1 if failures else 0)
