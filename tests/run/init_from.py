"""A run that begins with the values of another one (init.from): as the other ended it evaluates, on any number of ranks; one expert
becomes several; parts and noise are what was asked for; nothing is read again when it goes on; and what does not fit is said before
anything is written."""
import os, random, shutil, sys, tempfile
from concurrent.futures import ThreadPoolExecutor

try:
    import h5py, numpy as np
except ImportError as missing:
    print("skipped:", missing)
    sys.exit(77)
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from drive import check, failures, lines, mot, summary

os.chdir(tempfile.mkdtemp(prefix="mot-init."))
draw = random.Random(3)
for name, shift in ("data", 0), ("other", 1):
    with open(name + ".csv", "w") as out:
        out.write("a,b,c,d,label\n")
        for i in range(160):
            c = i % 4
            out.write(",".join("%.4f" % draw.gauss(2 * (k == c) + shift, 1) for k in range(4)) + ",class%d\n" % c)
    mot(1, "data", "import", "csv", "--out", name + ".h5", "--train", name + ".csv", "--test-fraction", "0.25")
with open("c.yaml", "w") as out:
    out.write("""
data.file: data.h5
model: {experts: 3, width: 8, heads: 2, depth: 2, ffn: 12}
gate: {input: flat, init: 0.5}
route: {scale: chosen, balance_bias: 0.01, noise: none, balance_loss: 0}
train: {batch: 20, rate: 0.02, schedule: constant, until: 12 steps}
eval: {start: true, batch: 40}
checkpoint: {start: true, every: 6, keep: 0}
""")


def train(ranks, run, *settings, code=0):
    return mot(ranks, "train", "c.yaml", "run=" + run, *settings, code=code)


def values(run, step=0):
    """Tensors of a checkpoint, those of experts with the experts in front."""
    found = {}
    with h5py.File("%s/checkpoints/step-%08d.h5" % (run, step)) as file:
        file.visititems(lambda name, item: found.update({name: item[...]}) if isinstance(item, h5py.Dataset) and item.dtype == "f4" and
                        name.split("/")[0] in ("gate", "tied", "experts") and not name.endswith("state") and ".moment" not in name else None)
    return found


def same(run, what):
    """The first evaluation is the last one of the run `what`."""
    first, last = lines(run, "eval.loss")[0], lines(what, "eval.loss")[-1]
    for key in "eval.loss", "eval.accuracy":
        check(first[key] == last[key], "%s begins with %s %r, %s ended with %r" % (run, key, first[key], what, last[key]))


train(2, "moe")
train(1, "dense", "model.experts=1")
train(1, "tied", "model.tie=[ffn]", "seed=5")

# ---- as many experts: the values of the other's end, on any number of ranks ----

for ranks in 1, 3:
    run = "again%d" % ranks
    said = train(ranks, run, "init.from=moe", "seed=9")
    check("initial values from moe/checkpoints/step-00000012.h5: gate, embed, attention, ffn, head of its 3 experts\n" in said, "said: " + said)
    same(run, "moe")
    check(summary(run)["digest"] == summary("again1")["digest"], "another digest on %d ranks" % ranks)
before, after = values("moe", 12), values("again1")
check(before.keys() == after.keys() and all(np.array_equal(before[k], after[k]) for k in before), "values that are taken")
check(np.any(before["gate/balance_bias"] != 0), "a test without a balance bias")
with h5py.File("again3/checkpoints/step-00000000.h5") as file:
    check(file["gate"].attrs["updates"] == 0 and not file["experts/updates"][...].any() and file["gate"].attrs["moments"] == 0,
          "the optimizer does not begin anew")

# An older checkpoint, by its name; parts of it, and the others as they are drawn.
train(1, "fresh", "seed=9", "train.until=1 steps")
train(1, "parts", "seed=9", "train.until=1 steps", "init.from=moe/checkpoints/step-00000006.h5", "init.parts=[gate, ffn]")
fresh, old, parts = values("fresh"), values("moe", 6), values("parts")
for name in parts:
    taken = name.startswith("gate/") or "/ffn/" in name
    check(np.array_equal(parts[name], (old if taken else fresh)[name]), "init.parts: %s is not %s" % (name, "taken" if taken else "drawn"))

# ---- one expert becomes several ----

for ranks in 1, 3:
    run = "up%d" % ranks
    said = train(ranks, run, "init.from=dense", "model.experts=5")
    check(": embed, attention, ffn, head of its one expert in each of 5; drawn: gate\n" in said, "said: " + said)
    same(run, "dense")
    check(summary(run)["digest"] == summary("up1")["digest"], "upcycled: another digest on %d ranks" % ranks)
dense, up = values("dense", 12), values("up1")
for name in dense:
    if name.startswith("experts/"):
        check(up[name].shape[0] == 5 and np.array_equal(up[name], np.repeat(dense[name], 5, 0)), "an expert is not the one of the dense run: " + name)

# With noise of a deviation that follows from the tensor's own.
for ranks in 1, 3:
    run = "noise%d" % ranks
    said = train(ranks, run, "init.from=dense", "init.noise=0.1", "init.parts=[embed, attention, ffn]", "train.until=1 steps", "seed=4")
    check("in each of 3, with a noise of 0.1 of their deviation; drawn: gate, head\n" in said, "said: " + said)
    check(summary(run)["digest"] == summary("noise1")["digest"], "noise: another digest on %d ranks" % ranks)
noisy = values("noise1")
spread = []
for name in dense:
    if not name.startswith("experts/") or "/head/" in name or dense[name].size == 0:
        continue
    noise, scale = noisy[name] - dense[name], 0.1 * dense[name].astype("f8").std()
    check(all(np.any(noise[e] != noise[f]) for e in range(3) for f in range(e)) == (scale > 0), "noise of " + name)
    spread += list(noise[..., :].ravel() / scale) if scale > 0 else []
check(abs(np.std(spread) - 1) < 0.05 and abs(np.mean(spread)) < 0.1, "noise of %g deviations" % np.std(spread))

# ---- tied parts ----

train(1, "untied", "init.from=tied", "train.until=1 steps")
train(3, "tied-up", "init.from=dense", "init.noise=0.5", "model.tie=[ffn, head]", "train.until=1 steps")
same("untied", "tied")
name = next(k for k in values("tied", 12) if k.startswith("tied/ffn/") and k.endswith("weight")).split("/", 1)[1]
check(np.array_equal(values("untied")["experts/" + name], np.repeat(values("tied", 12)["tied/" + name][None], 3, 0)), "what was tied")
check(np.array_equal(values("tied-up")["tied/" + name], dense["experts/" + name][0]), "what becomes tied has no noise")

# ---- several layers: each as it was; or experts of the only one in each ----

with open("layers.yaml", "w") as out:
    out.write(open("c.yaml").read().replace("experts: 3, ", "").replace("depth: 2, ", "").replace("gate: {input: flat, init: 0.5}", "gate.init: 0.5")
              .replace("ffn: 12}", "ffn: 12, layers: [{embed: {}}, {dense: {depth: 1}}, {experts: {count: 3, depth: 1}}, {experts: {count: 2, depth: 1, shared: 2}}, "
                       "{head: {}}]}").replace("until: 12", "until: 6"))
with open("thin.yaml", "w") as out:
    out.write(open("layers.yaml").read().replace("count: 3", "count: 1").replace("count: 2", "count: 1"))
mot(1, "train", "--quiet", "layers.yaml", "run=layers")
mot(1, "train", "--quiet", "thin.yaml", "run=thin")
for ranks in 1, 3:
    for source, said in ("layers", "head of its 3 experts, its 2 experts\n"), ("thin", "its one expert in each of 3, its one expert in each of 2; drawn: gate\n"):
        run = "%s-again%d" % (source, ranks)
        check(said in mot(ranks, "train", "layers.yaml", "run=" + run, "init.from=" + source), "layers: not said: " + said)
        same(run, source)
        check(summary(run)["digest"] == summary(source + "-again1")["digest"], "layers: another digest on %d ranks" % ranks)

mot(1, "train", "--quiet", "layers.yaml", "run=lone", "model.layers.3.shared=1")
check("lone/checkpoints/step-00000006.h5 has 1 shared expert of layer1_shared, this run 2: expected as many\n"
      in mot(1, "train", "layers.yaml", "run=none", "init.from=lone", code=2), "another number of shared experts is not refused")

# ---- it goes on without the other, and comes to the same ----

shutil.copytree("moe", "gone")
train(1, "straight", "init.from=gone")
train(1, "short", "init.from=gone", "train.until=6 steps")
shutil.rmtree("gone")
train(2, "short", "init.from=gone")
check(summary("short")["digest"] == summary("straight")["digest"], "a run that goes on comes to something else")
mot(1, "train", "--dry-run", "c.yaml", "run=short", "init.from=gone", "train.until=14 steps")

# ---- what is said ----

said = mot(3, "train", "--dry-run", "c.yaml", "run=none", "init.from=dense", "init.noise=0.01", "data.file=other.h5")
check("initial values from dense/checkpoints/step-00000012.h5: embed, attention, ffn, head of its one expert in each of 3" in said, "dry run: " + said)
check("has learned with other means and deviations than data.file = other.h5 has" in said, "other data: " + said)

with open("damaged.h5", "wb") as out:
    bytes = bytearray(open("moe/checkpoints/step-00000012.h5", "rb").read())
    bytes[4096 + 40] ^= 1
    out.write(bytes)
np.savez("start.npz", **{"gate/weight": np.zeros((4, 3), "f4")})
REFUSED = (
    ("init.from = nowhere: no such run folder, checkpoint or .npz file", "init.from=nowhere"),
    ("data.h5: not a checkpoint", "init.from=data.h5"),
    (".: no checkpoint in this run folder", "init.from=."),
    ("damaged.h5: the checkpoint is damaged: tensor /gate/weight has checksum", "init.from=damaged.h5"),
    ("moe/checkpoints/step-00000012.h5 has a gate of 3 experts, this run of 4 (init.parts without gate has it drawn)", "init.from=moe", "model.experts=4"),
    ("has 3 experts, this run 4: expected as many, or one", "init.from=moe", "model.experts=4", "init.parts=[ffn]"),
    ("has experts/ffn/block0_up_weight of shape [8, 12], here it has [8, 16]", "init.from=moe", "model.ffn=16", "init.parts=[ffn]"),
    ("which this model has not (init.parts says what is taken)", "init.from=moe", "model.depth=1"),
    ("which this model has (init.parts says what is taken)", "init.from=moe", "model.depth=3"),
    ("is tied here (model.tie), and moe/checkpoints/step-00000012.h5 has one for each of 3 experts", "init.from=moe", "model.tie=[ffn]"),
    ("has nothing of init.parts that could be taken: the gate of one expert chose nothing", "init.from=dense", "init.parts=[gate]"),
    ("layers/checkpoints/step-00000006.h5 has dense1/ffn/block0_down_bias, which this model has not", "init.from=layers", "model.depth=1", "init.parts=[ffn]"),
    ("init.noise has no effect without init.from", "init.noise=0.1"),
    ("init.parts has no effect without init.from", "init.parts=[ffn]"),
    ("init.noise is of a run in init.from, and start.npz is no run folder or checkpoint", "init.from=start.npz", "init.noise=1"))


def refused(number):
    sentence, *settings = REFUSED[number]
    run = "none%d" % number
    said = train(2 if "damaged" in settings[0] else 1, run, *settings, code=2)
    check(sentence in said and said.count("mot: error: ") == 1, "expected '%s', got: %s" % (sentence, said[:900]))
    check(not os.path.exists(run), "a run that cannot begin leaves a folder: " + sentence)


with ThreadPoolExecutor(4) as pool:  # a launch waits more than it computes
    list(pool.map(refused, range(len(REFUSED))))

sys.exit(1 if failures else 0)
