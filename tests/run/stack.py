"""Models of several layers: against a twin in double precision that is fed the same values and samples; and the same bits on any
number of ranks, with any placement, chunks and way of keeping activations, and after a kill."""
import glob, os, random, sys, tempfile

sys.path.insert(0, os.environ["MOT_SOURCE_DIR"] + "/tests/support")
from drive import check, failures, kill_behind, lines, mot, summary

import h5py
import numpy as np

from stack_twin import Twin

os.chdir(tempfile.mkdtemp(prefix="mot-stack."))
L, D, BATCH, STEPS, RATE = 4, 8, 12, 50, 0.02
mot(1, "data", "make", "mixture", "--out", "m.h5", "--classes", "3", "--tokens", str(L), "--width", str(D), "--train", "240",
    "--test", "60", "--seed", "5")
with h5py.File("m.h5") as file:
    samples, labels = file["train/x"][()].astype(np.float64).reshape(-1, L, D), (file["train/y"][()] > 0).astype(int)


def text(layers):
    """As YAML, and as the twin takes them."""
    said = "model:\n  layers:\n"
    for role, keys in layers:
        own = dict(keys)
        gate = {name: own.pop(key) for key, name in (("input", "input"), ("gate", "kind")) if key in own}
        route = {name: own.pop(name) for name in ("top_k", "scale", "balance_loss", "z_loss") if name in own}
        parts = ["%s: %s" % (k, str(v).lower()) for k, v in own.items()]
        if role == "experts":
            parts.append("gate: {init: 0.7, hidden: 5%s}" % "".join(", %s: %s" % item for item in gate.items()))
            parts.append("route: {%s}" % ", ".join("%s: %s" % (k, v or ("all" if k == "top_k" else 0)) for k, v in route.items()))
        said += "    - %s: {%s}\n" % (role, ", ".join(parts))
    return said


def write(name, layers, more=""):
    open(name, "w").write("data: {file: m.h5, shuffle: false}\n" + text(layers) + """
route: {noise: none, balance_loss: 0.1, z_loss: 0.01}
train: {batch: %d, until: %d steps, rate: %g, optimizer: sgd, schedule: constant, weight_decay: 0, clip: 0}
report: {every: 1}
checkpoint: {start: true, background: false, keep: 0}
%s""" % (BATCH, STEPS, RATE, more))


def recorded(run, layers):
    """Of each layer {step: choices [samples, K]}, as the record of training has them."""
    found = []
    for layer in range(layers):
        of = {}
        for path in sorted(glob.glob(run + "/record/*.h5")):
            with h5py.File(path) as file:
                rows = file["assign" if layer == 0 else "layer%d_assign" % layer]
                step, expert = rows["step"][()], rows["expert"][()]
                for s in set(step[rows["split"][()] == 0]):
                    of[int(s)] = expert[(step == s) & (rows["split"][()] == 0)].reshape(BATCH, -1)
        found.append(of)
    return found


B = {"heads": 2, "ffn": 12}
CASES = [
    [("embed", {"width": 8}), ("dense", {"depth": 1, **B}), ("experts", {"count": 3, "depth": 1, **B}),
     ("experts", {"count": 4, "depth": 1, "shared": 2, **B}), ("head", {"pool": "mean"})],
    [("embed", {"width": 8}), ("experts", {"count": 3, "depth": 1, "top_k": 2, "scale": "chosen", "shared": 1, **B}), ("dense", {"depth": 1, **B}),
     ("experts", {"count": 4, "depth": 1, "residual": False, "input": "mean", **B}), ("head", {"pool": "class"})],
    [("embed", {"width": 8}), ("experts", {"count": 2, "depth": 2, "gate": "mlp", "residual": False, "shared": 1, **B}),
     ("experts", {"count": 3, "depth": 1, "top_k": 0, "gate": "mlp", "shared": 2, "balance_loss": 0.7, "z_loss": 0, **B}), ("dense", {"depth": 1, **B}), ("head", {"pool": "mean"})],
]

for number, layers in enumerate(CASES):
    write("c%d.yaml" % number, layers)
    mot(1, "train", "--quiet", "c%d.yaml" % number, "run=c%d" % number)
    twin = Twin("c%d/checkpoints/step-00000000.h5" % number, layers, 0.1, 0.01)
    told = [line["train.loss"] for line in lines("c%d" % number, "train.loss")]
    worst, short, took = 0, 0, recorded("c%d" % number, sum(role == "experts" for role, _ in layers))
    # A class token begins so small that a norm makes fifty times as much of it, of rounding as well: a twin whose values are
    # moved by 1e-7 goes as far from itself as mot goes from it, 1e-4 in 25 steps.
    for step in range(STEPS if layers[-1][1]["pool"] == "mean" else 12):
        at = [(step * BATCH + p) % len(labels) for p in range(BATCH)]
        loss, off = twin.step(samples[at], labels[at], RATE, [of[step + 1] for of in took])
        worst, short = max(worst, abs(loss - told[step])), max(short, off)
    print("case %d: over %d steps the loss differs by %.1e at most, a choice is %.1e short of the best" % (number, step + 1, worst, short))
    check(worst < 1e-4 and short < 1e-4, "case %d: the loss differs from the twin's by %.1e, a choice by %.1e" % (number, worst, short))

# The same bits.
draw = random.Random(7)
for number, layers in enumerate(CASES):
    digest = summary("c%d" % number)["digest"]
    for ranks, more in ((2, ["threads=2"]), (3, ["model.recompute=yes"]), (5, ["route.exchange=direct"])):
        run = "b%d-%d" % (number, ranks)
        mot(ranks, "train", "--quiet", "c%d.yaml" % number, "run=" + run, *more)
        check(summary(run)["digest"] == digest, "case %d on %d ranks with %s is another" % (number, ranks, more))
where = next(i for i, (role, _) in enumerate(CASES[0]) if role == "experts")
mot(2, "train", "--quiet", "c0.yaml", "run=p", "model.layers.%d.route.placement=[[2],[0,1]]" % where)
check(summary("p")["digest"] == summary("c0")["digest"], "another placement of a layer gives other bits")
mot(1, "train", "--quiet", "c1.yaml", "run=k1", "route.chunks=3")
mot(3, "train", "--quiet", "c1.yaml", "run=k3", "route.chunks=3", "model.recompute=yes")
check(summary("k1")["digest"] == summary("k3")["digest"], "in chunks it is another on 3 ranks")

# What travels. With one choice a state goes straight on: a row of head (16), target (4, and 12 to the next 16) and state, and a state of
# gradients back, where sending each there and back takes two more. With more choices it is the same.
def moved(run, layer): return [(line["layer%d.moved_bytes" % layer], line["layer%d.there_and_back_bytes" % layer])
                               for line in lines(run, "layer%d.moved_bytes" % layer) if "train.loss" in line]


first, second = recorded("p", 2)
owner = [np.array([1, 1, 0]), np.array([0, 0, 1, 1])]
state = 4 * L * D
counted = [float((owner[0][first[s][:, 0]] != owner[1][second[s][:, 0]]).sum() * (32 + 2 * state)) for s in sorted(first)]
check([m for m, _ in moved("p", 1)] == counted and sum(counted) > 0, "a layer's bytes are not those of its choices")
for number, layers in enumerate(CASES):
    total = summary("b%d-5" % number)
    check(total["mpi.sent_bytes"] == sum(total["layer%d.moved_bytes" % layer] for layer in range(2)), "case %d: layers moved other bytes" % number)
    for layer, (_, keys) in enumerate(item for item in layers if item[0] == "experts"):
        there = [m / b for m, b in moved("b%d-5" % number, layer)]
        direct = keys.get("top_k", 1) == 1
        mean = total["layer%d.moved_bytes" % layer] / total["layer%d.there_and_back_bytes" % layer]
        check(mean <= 0.6 if direct else layer > 0 or set(there) == {1.0}, "case %d: layer %d moves %.2f of there and back" % (number, layer, mean))
check(all(a == b == 0 for layer in range(2) for a, b in moved("c0", layer)), "one rank sends")

# Rounded on their way, on one rank as on many.
for number in 0, 1:
    for ranks in 1, 3:
        mot(ranks, "train", "--quiet", "c%d.yaml" % number, "run=r%d-%d" % (number, ranks), "route.payload=bf16", "train.until=12 steps")
    rounded, whole = lines("r%d-3" % number, "train.loss"), lines("c%d" % number, "train.loss")
    check(summary("r%d-1" % number)["digest"] == summary("r%d-3" % number)["digest"], "case %d: rounded it is another on 3 ranks" % number)
    off = max(abs(r["train.loss"] - w["train.loss"]) for r, w in zip(rounded, whole))
    check(0 < off < 0.05, "case %d: rounding changes the loss by %.1e" % (number, off))
    check(number > 0 or all(m % (32 + state) == 0 and m > 0 for m, _ in moved("r0-3", 1)), "rounded rows have another length")

# A layer's own noise stands in place of the stage's; an end that it never comes to, and what a gate is not told, are refused.
at = [i for i, (role, _) in enumerate(CASES[0]) if role == "experts"]
noise = {"noise": "gumbel", "noise_scale": "2", "noise_steps": "50%", "noise_end": "1"}
short = ["train.until=6 steps"]
mot(1, "train", "--quiet", "c0.yaml", "run=n", *short, *("route.%s=%s" % item for item in noise.items()))
mot(2, "train", "--quiet", "c0.yaml", "run=o", *short, *("model.layers.%d.route.%s=%s" % (i, *item) for i in at for item in noise.items()))
check(summary("n")["digest"] == summary("o")["digest"], "noise of every layer's own is another than the stage's")
mot(1, "train", "--quiet", "c0.yaml", "run=q", *short, *("model.layers.%d.route.%s=%s" % (at[1], *item) for item in noise.items()))
first, second = recorded("q", 2)
check((first[1] == recorded("c0", 2)[0][1]).all() and not (second[1] == recorded("c0", 2)[1][1]).all(), "noise of one layer is of another")
for said, *settings in (("model.layers.%d: route.noise_end has no effect while noise_steps is 0" % at[1], "model.layers.%d.route.noise_end=1" % at[1],
                         "model.layers.%d.route.noise_steps=0" % at[1]),
                        ("model.layers.%d: gate.told has no effect with gate.kind = linear, which is told nothing" % at[0], "model.layers.%d.gate.told=label" % at[0]),
                        ("model.depth has no effect, since the file gives it for every layer; use model.layers.%d.depth" % at[1], "model.depth=3")):
    check(said in mot(1, "train", "--quiet", "c0.yaml", "run=none", *settings, code=2) and not os.path.exists("none"), "not refused: " + said)

# Asked for in bf16, every layer's products are taken so, or where a processor has it not none's.
said = mot(2, "train", "--quiet", "c0.yaml", "run=bf16", "model.precision=bf16_always", *short)
mot(1, "train", "--quiet", "c0.yaml", "run=fp32", *short)
same = summary("bf16")["digest"] == summary("fp32")["digest"]
check(same == ("products are taken in fp32" in said) == (summary("bf16")["precision"] == "fp32"), "bf16_always: " + said[-300:])

# Killed, and continued on another number of ranks.
write("kill.yaml", CASES[1], "route.balance_bias: 0.01\n")
mot(1, "train", "--quiet", "kill.yaml", "run=whole", "checkpoint.every=1")
step = draw.randrange(5, STEPS - 5)
kill_behind(step, 2, "kill.yaml", "killed", "checkpoint.every=1")
mot(3, "train", "--quiet", "kill.yaml", "run=killed", "checkpoint.every=1")
check(summary("killed")["digest"] == summary("whole")["digest"], "killed behind step %d it ends otherwise" % step)
sys.exit(1 if failures else 0)
