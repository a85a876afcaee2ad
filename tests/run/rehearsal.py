#!/usr/bin/env python3
"""Streams of tasks as a user runs them: every strategy takes the same number of steps and what it says it does; a run ends on the
same digest on any number of ranks, also when it is killed in any of its tasks; cosines are those of the steps themselves."""
import json, math, os, random, sys, tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from drive import check, failures, kill_behind, lines, mot, summary


# Four tasks of two classes, 40 training samples each, in six numbers.
os.chdir(tempfile.mkdtemp(prefix="mot-rehearsal."))
draw = random.Random(7)
for split, each in ("train", 20), ("test", 10):
    with open(split + ".csv", "w") as out:
        out.write(",".join("abcdef") + ",label\n")
        for i in range(8 * each):
            c = i % 8
            out.write(",".join("%.5f" % draw.gauss(2 * math.cos(c * (k + 1)), 1) for k in range(6)) + ",class%d\n" % c)
mot(1, "data", "import", "csv", "--out", "data.h5", "--train", "train.csv", "--test", "test.csv", "--label", "label")
with open("c.yaml", "w") as out:
    out.write("""
data: {source: stream, stream: {files: data.h5, split: class, tasks: 4, changes: [none, noise 0.5]}}
model: {experts: 4, width: 8, heads: 2, depth: 1, ffn: 16}
gate: {input: flat}
train: {batch: 10, rate: 0.01}
stages: [{name: learn, until: 20 steps}, {name: experts, train: [embed, attention, ffn, head], until: 5 steps}]
rehearsal: {memory: 24, compare_after: 4}
checkpoint: {every: 5}
""")
N, T, BATCH, MEMORY = 20, 4, 10, 24


def train(ranks, run, *settings, code=0):
    return mot(ranks, "train", "--quiet", "c.yaml", "run=" + run, *settings, code=code)


# ---- the same bits on any number of ranks ----

FORMS = {
    "hybrid": ["rehearsal.strategy=hybrid", "rehearsal.tau=0.05", "rehearsal.order=dissimilar"],
    "sequential": ["rehearsal.strategy=sequential", "rehearsal.order=newest", "rehearsal.memory=6 a class", "rehearsal.memory_form=class",
                   "route.top_k=2", "route.split=true", "data.memory=0 B"],
    "concurrent": ["rehearsal.strategy=concurrent", "rehearsal.share=0.4", "rehearsal.memory_form=reservoir", "rehearsal.grow=1",
                   "rehearsal.freeze_old=true", "train.schedule=constant"],
    "joint": ["rehearsal.strategy=joint", "rehearsal.gate_tasks=2", "model.tie=[embed]", "data.stream.heads=one"],
    "none": ["rehearsal.strategy=none", "data.stream.order=drawn", "seed=5"],
}
for name, settings in FORMS.items():
    for ranks in (1, 2, 3, 5) if name == "hybrid" else (1, 3):
        train(ranks, "%s%d" % (name, ranks), *settings)
        check(summary("%s%d" % (name, ranks))["digest"] == summary(name + "1")["digest"], "%s: another digest on %d ranks" % (name, ranks))
    plans = lines(name + "1", "task_steps")
    check(sum(plan["task_steps"] for plan in plans) == T * 25, "%s: steps %s" % (name, plans))
    check(summary(name + "1")["stream.learned"] == T, "%s: tasks that were learned" % name)
check(len({summary(name + "1")["digest"] for name in FORMS}) == len(FORMS), "strategies that come to the same")

# ---- what a report shows of it ----

mot(1, "report", "hybrid1", "--json", "hybrid.json")
part = next(part for part in json.load(open("hybrid.json"))["parts"] if part["id"] == "tasks")
views, said = {view["id"]: view for view in part["views"]}, summary("hybrid1")
for name, key in ("tasks-matrix", "stream.matrix"), ("tasks-matrix-unaided", "stream.unaided.matrix"):
    check([x for row in views[name]["frames"][0]["values"] for x in row] == said[key], "%s of a report" % name)
check([row[1] for row in views["tasks-figures"]["rows"] if row[0] == "forgetting"] == [said["stream.forgetting"]], "forgetting of a report")
check(views["tasks-course"]["series"][0]["values"][-1] == said["stream.acc"], "accuracy after the last task")

# ---- a memory that holds nothing ----

NOTHING = "holds no sample of old tasks: each task learns from its own alone, as with rehearsal.strategy = none"
for memory in "0", "8 B":
    said = train(1, "nothing" + memory[0], "rehearsal.memory=" + memory)
    check("rehearsal.memory = %s %s" % (memory, NOTHING) in said, "memory %s: %s" % (memory, said[-400:]))
check(NOTHING not in train(1, "little", "rehearsal.memory=24 B"), "a memory of one sample")

# ---- killed in every task, continued on other ranks ----

steps = sorted(draw.sample(range(5, T * 25, 5), 6))
for step in steps:
    kill_behind(step, draw.randint(1, 3), "c.yaml", "killed", *FORMS["hybrid"])
train(2, "killed", *FORMS["hybrid"])
check(summary("killed")["digest"] == summary("hybrid1")["digest"], "another digest after being killed behind steps %s" % steps)
for key in "stream.matrix", "stream.unaided.matrix":
    check(summary("killed")[key] == summary("hybrid1")[key], "%s after being killed" % key)

# ---- what cannot be ----

for wrong, sentence in [
        (["rehearsal.strategy=none", "rehearsal.memory=10"], "rehearsal.memory has no effect with rehearsal.strategy = none"),
        (["rehearsal.strategy=concurrent", "rehearsal.tau=0.1"], "rehearsal.tau has no effect with rehearsal.strategy = concurrent"),
        (["rehearsal.memory=ten"], "rehearsal.memory = ten: with rehearsal.memory_form = task expected samples (500), bytes"),
        (["rehearsal.memory=20 a class"], "or samples a task (100 a task)"),
        (["rehearsal.freeze_old=true"], "rehearsal.freeze_old has no effect while rehearsal.grow is 0"),
        (["rehearsal.grow=2"], "give model.experts = 7 or more"),
        (["rehearsal.grow=1", "rehearsal.gate_tasks=1"], "a gate that stands still would choose none"),
        (["rehearsal.grow=1", "gate.kind=even"], "no expert can be kept for a later task"),
        (["rehearsal.strategy=hybrid", "rehearsal.compare_after=20"], "is not before the end of stage 'learn', which has 20 steps a task"),
        (["stages.0.until=loss < 0.1 or 20 steps"], "every task of a stream takes as many steps: give steps or epochs alone"),
        (["rehearsal.share=1"], "rehearsal.share"),
        (["data.source=mixture", "rehearsal.memory=10"], "has no effect while data.source is mixture")]:
    said = train(1, "wrong", *wrong, code=2)
    check(sentence in said, "%s: %s" % (wrong, said[-400:]))
check(not os.path.exists("wrong"), "a run that could not begin left a folder")

# ---- what files say of it ----

try:
    import h5py, numpy
except ImportError:
    print("skipped: what files say: no h5py here")
    sys.exit(1 if failures else 0)


def held(run, step):
    with h5py.File("%s/checkpoints/step-%08d.h5" % (run, step)) as file:
        return list(file["stream/memory"]), list(file["stream/memory_task"]), file["stream/cosine"][:]


for step in range(5, T * 25, 5):
    one, other = held("hybrid1", step), held("killed", step)
    check(one[:2] == other[:2] and numpy.array_equal(one[2], other[2], equal_nan=True), "memory and cosines behind step %d" % step)

# Every batch, from the record of the gate's choices: who is in it, against what was said as the task began.
for name in FORMS:
    with h5py.File(name + "1/run.h5") as file:
        assign = {key: numpy.concatenate([file["segments"][s]["assign"][key][:] for s in file["segments"]])
                  for key in ("step", "split", "sample", "choice", "group")}
    memory = {t: set(held(name + "1", t * 25 + 5)[0]) for t in range(T)}
    for plan in lines(name + "1", "task_steps"):
        t, at = plan["task"], plan["step"]
        beside = [int(x) for x in plan["beside"].split(", ") if x]
        behind = [int(x) for x in plan["behind"].split(", ") if x]
        # Behind a comparison, what was said stands at its step.
        alone = at % 25 if at % 25 < N else 0
        at -= alone
        turns = []
        for step in range(at + 1, at + plan["task_steps"] + 1):
            rows = (assign["step"] == step) & (assign["choice"] == 0) & (assign["split"] == 0)
            group, sample = assign["group"][rows], assign["sample"][rows]
            check(len(group) == BATCH, "%s, step %d: %d samples" % (name, step, len(group)))
            old = group != t
            if name == "joint":
                check(set(group[old]) <= set(range(t)), "joint, step %d" % step)
            else:
                check(set(sample[old]) <= memory[t], "%s, step %d: samples that are not held" % (name, step))
            if step - at <= alone:
                check(not old.any(), "%s, step %d: old samples before tasks are compared" % (name, step))
            elif step - at <= plan["task_steps_new"]:
                check(old.sum() == plan["batch_old"] and set(group[old]) <= set(beside), "%s, step %d: %s" % (name, step, group))
            else:
                check(old.all() and len(set(group)) == 1, "%s, step %d: %s" % (name, step, group))
                if not turns or turns[-1] != group[0]: turns.append(int(group[0]))
        check(turns == behind, "%s, task %d: revisited %s, said %s" % (name, t, turns, behind))

# ---- cosines: those of two steps of gradient descent that are so short that nothing changes between them ----

TWO = ["data.stream.tasks=2", "stages.0.until=2 steps", "stages.1.until=1 steps", "train.batch=80", "train.optimizer=sgd", "train.rate=1e-3",
       "train.schedule=constant", "rehearsal.strategy=sequential", "rehearsal.order=dissimilar", "rehearsal.memory=80",
       "rehearsal.parts=[gate, embed, attention, ffn, head]", "rehearsal.compare_after=0", "route.top_k=2", "route.noise=none",
       "route.balance_loss=0", "checkpoint.every=1", "gate.init=0.3", "data.stream.changes=none"]
train(2, "two", *TWO)


def values(step):
    with h5py.File("two/checkpoints/step-%08d.h5" % step) as file:
        all = []
        def take(name, thing):
            if isinstance(thing, h5py.Dataset) and thing.dtype == numpy.float32 and "moment" not in name and \
                    name.split("/")[0] in ("gate", "experts") and "bias" not in name.split("/")[-1].replace("balance_bias", "balance"):
                all.append(thing[:].astype(float).ravel())
        file.visititems(take)
        return numpy.concatenate(all)


before, new, old = values(3), values(4), values(5)
a, b = new - before, old - new
twin, said = a @ b / numpy.sqrt(a @ a * (b @ b)), held("two", 4)[2][1, 0]
check(abs(twin - said) < 0.02, "the cosine is %g, by the steps themselves %g" % (said, twin))
sys.exit(1 if failures else 0)
