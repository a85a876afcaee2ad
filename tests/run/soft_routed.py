#!/usr/bin/env python3
"""Soft-routed students and their teacher as a user runs them: learning, pruning and fine-tuning end on the same digest on any
number of ranks, also when killed on either side of the pruning; what travels; initial values from a file."""
import json, os, re, sys, tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from drive import check, failures, kill_behind, lines, mot, summary

SOURCE = os.environ["MOT_SOURCE_DIR"]


# The shipped example, shortened: it need not find the teacher here, but prune, and learn on.
SHORT = ["train.batch=512", "data.teacher.width=16", "data.teacher.eval=600", "eval.batch=600", "eval.every=20", "report.every=10",
         "stages.0.until=60 steps", "stages.0.prune_keep=3", "stages.1.until=60 steps", "checkpoint.every=25"]
CONFIG = SOURCE + "/configs/soft-routed.yaml"
os.chdir(tempfile.mkdtemp(prefix="mot-soft."))

said = mot(1, "train", CONFIG, "run=one", *SHORT)
check("keeps 3 of 6 experts" in said and "teachers matched" in said, "what a run says: " + said[-2000:])
digest = summary("one")["digest"]
for ranks in 2, 3, 5:
    mot(ranks, "train", CONFIG, "run=n%d" % ranks, *SHORT)
    check(summary("n%d" % ranks)["digest"] == digest, "another digest on %d ranks" % ranks)
check(len(summary("n5")["experts.left"]) == 3, "summary.json: experts that are left")
acted = lines("one", "action")
check(len(acted) == 1 and acted[0]["step"] == 60 and "group keeps 3 of 6" in acted[0]["did"], "log.jsonl: %s" % acted)

# What travels, reports and gate included, is at most twice the outputs there and back: numbers of 4 bytes of a sample and an
# expert that lives elsewhere, which of 3 ranks two thirds do.
sent, counted = summary("n3")["mpi.sent_bytes"], 0
for steps, samples, experts in (60, 512, 6), (60, 512, 3), (3, 600, 6), (4, 600, 3):
    counted += steps * samples * experts * 4 * 2 * 2 / 3
check(0 < sent <= 2 * counted, "%d bytes were sent, the outputs there and back are %d" % (sent, counted))

# Killed before the pruning and behind it, continued on other ranks each time.
for ranks, step in (2, 25), (1, 75):
    kill_behind(step, ranks, CONFIG, "killed", *SHORT)
mot(3, "train", CONFIG, "run=killed", *SHORT)
check(summary("killed")["digest"] == digest, "another digest after being killed")
check(len(lines("killed", "action")) == 1, "the pruning stands in log.jsonl once")

# A checkpoint with fewer experts than the configuration is evaluated, and looked at.
said = mot(2, "eval", "killed")
check("teachers matched" in said and "model    3 hermite experts" in said, "eval of a pruned run: " + said[:600])
mot(1, "data", "make", "teacher", "--out", "same.h5", "--width", "16", "--seed", "1", "--train", "10", "--test", "600")
told = [re.search(r"loss +\S+ +explained \S+", mot(1, "eval", "one", *more)) for more in ([], ["data.source=file", "data.file=same.h5"])]
check(all(told) and told[0].group() == told[1].group(), "eval on the same samples in a file: %s" % told)
check("3" in mot(1, "inspect", "killed"), "inspect of a pruned run")

# Ranks without experts, whose messages are large.
LARGE = ["train.batch=6144", "stages.0.until=2 steps", "stages.0.prune_keep=1", "stages.1.until=2 steps", "data.teacher.eval=50"]
for ranks in 1, 3:
    mot(ranks, "train", "--quiet", CONFIG, "run=large%d" % ranks, *SHORT, *LARGE)
check(summary("large1")["digest"] == summary("large3")["digest"], "another digest with ranks without experts")

# Learning that ends where alignment stands still, at the end of a window.
for ranks in 1, 3:
    mot(ranks, "train", "--quiet", CONFIG, "run=still%d" % ranks, *SHORT, "train.rate=1e-5", "stages.1.until=2 steps",
        "stages.0.until=alignment plateau 7 or 60 steps")
check(lines("still1", "action")[0]["step"] == 14, "where alignment stands still: %s" % lines("still1", "action"))
check(summary("still1")["digest"] == summary("still3")["digest"], "another digest where alignment ends a stage")

# Every rule leaves somebody, or says that it cannot.
for rule in "cluster", "oracle", "single":
    mot(1, "train", "--quiet", CONFIG, "run=" + rule, *SHORT, "stages.0.prune_rule=" + rule, "stages.1.until=5 steps")
check(len(summary("oracle")["experts.left"]) == 2 and len(summary("single")["experts.left"]) == 3, "what rules leave")

# What a report makes of it: who is left is nearest; parts that are about a sample's own expert say that there is none.
mot(1, "report", "oracle", "--json", "oracle.json")
parts = {part["id"]: part for part in json.load(open("oracle.json"))["parts"]}
views = {view["id"]: view for view in parts["theory"]["views"]}
left = summary("oracle")["experts.left"]
for name in "theory-neurons", "theory-gates":
    check([e for e, row in enumerate(views[name]["frames"][-1]["values"]) if None not in row] == left, "%s of those that are left: %s" % (name, left))
check({row[1] for row in views["theory-order"]["rows"]} <= set(left), "who is nearest is left")
curves = views["theory-alignment"]["series"]
check(min(s["values"][-1] for s in curves if "dashed" not in s) == summary("oracle")["teacher.least_w"], "the alignment that is least")
for part in "classes", "load", "flow", "knockout", "samples":
    check(not parts[part]["views"] and "every expert gets every sample" in parts[part]["missing"], "%s of soft routing: %s" % (part, parts[part].get("missing")))
check("no stream of tasks" in parts["tasks"]["missing"], "tasks of what has none")

for wrong, sentence in [
        ("gate.kind=linear", "action = prune: it is of neurons"),
        ("route.top_k=2", "gate.kind = sigmoid sends every sample to every expert"),
        ("train.loss=cross_entropy", "train.loss"),
        ("model.kind=merged", "action = prune"),
        ("data.teacher.width=3", "width"),
        ("init.from=nowhere.npz", "nowhere.npz")]:
    said = mot(1, "train", CONFIG, "run=wrong", *SHORT, wrong, code=2)
    check(sentence in said, "%s: %s" % (wrong, said[-300:]))
check(not os.path.exists("wrong/checkpoints"), "a run that could not begin left a folder of checkpoints")

# What a configuration says in vain.
said = mot(1, "train", "--dry-run", CONFIG, "run=vain", *SHORT, "route.noise=gumbel", "route.balance_loss=1", "stages.1.train=[head]",
           "stages.0.prune_rule=oracle")
for vain in "route.noise has no effect", "route.balance_loss has no effect", "train = [head]: nothing learns", "prune_keep = 3 has no effect":
    check(vain in " ".join(said.split()), "in vain: %s: %s" % (vain, said))
said = mot(1, "train", "--dry-run", CONFIG, "run=vain", *SHORT, "stages.0.action=none")
check("no stage has action prune" in " ".join(said.split()), "pruning in vain: " + said)

try:
    import numpy
except ImportError:
    print("skipped: initial values from a file: no numpy here")
else:
    numpy.savez("start.npz", **{"experts/ffn/neuron": numpy.eye(6, 16)})
    STILL = ["stages.0.until=1 steps", "stages.1.until=1 steps", "train.rate=0", "stages.0.action=none", "init.from=start.npz"]
    mot(2, "train", "--quiet", CONFIG, "run=start", *(s for s in SHORT if "until" not in s and "prune" not in s), *STILL)
    told = lines("start", "teacher.least_w")[-1]
    check(told["teacher.least_w"] > 0, "initial values: %s" % told)
    numpy.savez("start.npz", **{"experts/ffn/neuron": numpy.eye(5, 16)})
    said = mot(1, "train", CONFIG, "run=wrong", *SHORT, "init.from=start.npz", code=2)
    check("[5, 16], expected float64 [6, 16]" in said, "another shape: " + said[-300:])
    numpy.savez("start.npz", **{"experts/ffn/neuron": numpy.zeros((6, 16))})
    said = mot(1, "train", CONFIG, "run=none", *SHORT, "init.from=start.npz", code=2)
    check("expert 0 is 0" in said and not os.path.exists("none"), "a vector without direction: " + said[-300:])
    mot(2, "train", "--dry-run", CONFIG, "run=none", *SHORT, "init.from=start.npz", code=2)
    import io, warnings, zipfile
    with zipfile.ZipFile("twice.npz", "w") as twice, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        array = io.BytesIO()
        numpy.save(array, numpy.eye(6, 16))
        for _ in range(2):
            twice.writestr("experts/ffn/neuron.npy", array.getvalue())
    said = mot(1, "train", CONFIG, "run=wrong", *SHORT, "init.from=twice.npz", code=2)
    check("two of its arrays are named experts/ffn/neuron" in said, "an array that stands there twice: " + said[-300:])
    numpy.savez("start.npz", **{"experts/ffn/neuron": numpy.eye(6, 16), "other": numpy.eye(2)})
    said = mot(1, "train", CONFIG, "run=wrong", *SHORT, "init.from=start.npz", code=2)
    check("other" in said and "have a place" in said, "an array without a place: " + said[-300:])
sys.exit(1 if failures else 0)
