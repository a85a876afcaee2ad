"""What a run has learned, as safetensors and as NumPy's arrays: the architecture of docs/mot_torch.py, by NumPy and where it is
installed by PyTorch (MOT_TORCH_PYTHON: a Python that has it), gives every expert kind's and every stack's outputs and choices from
them; a weight that was changed there comes back as a run that evaluates so; what does not fit is said before anything is written."""
import json, os, random, runpy, shutil, struct, subprocess, sys, tempfile
from concurrent.futures import ThreadPoolExecutor

try:
    import h5py, numpy as np
except ImportError as missing:
    print("skipped:", missing)
    sys.exit(77)
sys.dont_write_bytecode = True
SOURCE = os.environ["MOT_SOURCE_DIR"]
sys.path.insert(0, SOURCE + "/tests/support")
from drive import check, failures, mot, summary

PYTHON, MODULE = os.environ.get("MOT_TORCH_PYTHON", sys.executable), SOURCE + "/docs/mot_torch.py"
TORCH = subprocess.run([PYTHON, "-c", "import torch; print(torch.__version__)"], capture_output=True, text=True)
TORCH = TORCH.stdout.strip() if TORCH.returncode == 0 else None
try:
    import torch  # ours, where the program of this test has one
except ImportError:
    import numpy_torch
Mot = runpy.run_path(MODULE)["Mot"]

os.chdir(tempfile.mkdtemp(prefix="mot-export."))
draw = random.Random(5)
with open("pictures.csv", "w") as out:
    for n in range(120):
        out.write(",".join(str(draw.randrange(120) + 130 * (i % 3 == n % 3)) for i in range(3 * 64)) + ",%d\n" % (n % 3))
with open("texts.tsv", "w") as out:
    for n in range(120):
        out.write("label%d\t%s\n" % (n % 3, " ".join("w%d" % (draw.randrange(9) + 6 * (n % 3)) for _ in range(1 + draw.randrange(9)))))
with open("numbers.csv", "w") as out:
    out.write("a,b,c,d,label\n")
    for n in range(120):
        out.write(",".join("%.4f" % draw.gauss(2 * (k == n % 4), 1 + k) for k in range(4)) + ",class%d\n" % (n % 4))
mot(1, "data", "import", "csv", "--out", "pictures.h5", "--train", "pictures.csv", "--shape", "3x8x8", "--test-fraction", "0.3")
mot(1, "data", "import", "text", "--out", "texts.h5", "--train", "texts.tsv", "--test-fraction", "0.3", "--length", "7", "--min-count", "1")
mot(1, "data", "import", "csv", "--out", "numbers.h5", "--train", "numbers.csv", "--test-fraction", "0.3")
mot(1, "data", "make", "mixture", "--out", "mixture.h5", "--train", "240", "--test", "60", "--tokens", "6", "--width", "8", "--classes", "4")
mot(1, "data", "make", "teacher", "--out", "teacher.h5", "--width", "12", "--seed", "1", "--train", "300", "--test", "60")

ENCODER = "model: {experts: 3, width: 16, heads: 2, depth: 2, ffn: 24, patch: 4}\ngate: {init: 0.5, hidden: 6}\n"
MERGED = "model: {kind: merged, experts: 4, merged: {init: 1}}\ngate: {init: 0.5}\ntrain.loss: logistic\n"
HERMITE = "model: {kind: hermite, experts: 5}\nroute: {top_k: all}\ntrain.loss: squared\ngate: {kind: sigmoid}\n"
BLOCKS = "depth: 1, heads: 2, ffn: 12"
STACK = "model: {layers: [{embed: {patch: 4, width: 8}}, %s, {head: {pool: %s}}]}\ngate.init: 0.7\n"
CASES = {  # data, configuration, settings
    "pictures": ("pictures", ENCODER, ["gate.input=flat", "model.pool=class"]),
    "texts": ("texts", ENCODER, ["gate.input=sum", "gate.kind=mlp", "route.top_k=2", "route.scale=chosen", "route.combine=probabilities"]),
    "texts-class": ("texts", ENCODER, ["model.pool=class", "gate.input=mean", "route.scale=none", "route.top_k=all"]),
    "tied": ("numbers", ENCODER, ["model.tie=[embed, attention]", "route.balance_bias=0.05"]),
    "all-tied": ("numbers", ENCODER, ["model.tie=[embed, attention, ffn, head]", "gate.input=flat"]),
    "dense": ("numbers", ENCODER, ["model.experts=1", "route.scale=none"]),
    "even": ("mixture", ENCODER, ["gate.kind=even", "route.top_k=2", "train.loss=logistic"]),
    "classes": ("pictures", ENCODER, ["gate.kind=classes", "gate.input=flat", "stages.0.until=10 steps", "stages.0.action=group",
                                      "stages.1.until=10 steps"]),
    "merged": ("mixture", MERGED, ["gate.input=sum"]),
    "merged-heads": ("mixture", MERGED, ["model.merged.heads=2", "model.merged.neurons=3", "model.merged.activation=gelu",
                                         "model.merged.readout=mean", "model.tie=[attention]"]),
    "merged-none": ("mixture", MERGED, ["model.merged.attention=none", "model.merged.activation=relu", "model.merged.readout=first"]),
    "merged-identity": ("mixture", MERGED, ["model.merged.activation=identity", "route.top_k=2"]),
    "hermite": ("teacher", HERMITE, ["stages.0.until=10 steps", "stages.0.action=prune", "stages.0.prune_keep=3", "stages.1.until=10 steps"]),
    "hermite-softmax": ("teacher", HERMITE, ["gate.kind=softmax", "model.hermite.activation=tanh"]),
    "hermite2": ("teacher", HERMITE, ["model.hermite.activation=hermite2"]),
    "hermite-relu": ("teacher", HERMITE, ["model.hermite.activation=relu"]),
    "stack": ("pictures", STACK % ("{dense: {%s}}, {experts: {count: 3, %s}}, {experts: {count: 2, %s}}" % (BLOCKS, BLOCKS, BLOCKS), "mean"), []),
    "stack-more": ("texts", STACK % ("{experts: {count: 3, %s, tie: [attention], shared: 2, route: {top_k: 2, scale: chosen}}}, {dense: {%s}}, "
                                     "{experts: {count: 2, %s, shared: 1, residual: false, gate: {input: mean}}}" % (BLOCKS, BLOCKS, BLOCKS), "class"),
                   ["route.balance_bias=0.02"]),
    "stack-all": ("numbers", STACK % ("{experts: {count: 3, %s, gate: {kind: mlp, hidden: 5}, route: {top_k: all}}}" % BLOCKS, "mean"), []),
}


def train(name):
    data, config, settings = CASES[name]
    with open(name + ".yaml", "w") as out:
        out.write("data.file: %s.h5\n%s" % (data, config))
        if "stages.0.until=10 steps" in settings:
            out.write("stages: [{name: one}, {name: two}]\n")
        out.write("train.batch: 20\ntrain.rate: 0.02\nroute.noise: none\nroute.balance_loss: 0\neval.batch: 40\n")
    length = [] if "stages.0.until=10 steps" in settings else ["train.until=20 steps"]
    mot(1, "train", "--quiet", name + ".yaml", "run=" + name, *length, *settings)


def spread(probability, loss):
    """What probabilities say of outputs: these, but for what is added to all."""
    p = np.maximum(np.asarray(probability, np.float64), 1e-30)
    if loss == "logistic":
        return np.log(p) - np.log1p(-np.minimum(p, 1 - 1e-12))
    return np.log(p) - np.log(p).mean(1, keepdims=True)


def compare(name, run, output, experts, by):
    """Outputs and choices of all samples against those of `mot predict`."""
    said = np.load(run + ".npz")
    loss = "logistic" if "train.loss: logistic" in CASES[name][1] or "train.loss=logistic" in CASES[name][2] else ""
    if "output" in said:
        worst = np.abs(said["output"] - output).max()
    elif output.shape[1] == 1:
        worst = np.abs(np.log(said["probability"][:, 1] / said["probability"][:, 0]) - output[:, 0]).max()
    elif loss:
        worst = np.abs(spread(said["probability"], loss) - output).max()
    else:
        worst = np.abs(spread(said["probability"], loss) - (output - output.mean(1, keepdims=True))).max()
    check(worst < 1e-4, "%s by %s: outputs differ by %.1e" % (run, by, worst))
    check(said["expert"].size == 0 or np.array_equal(said["expert"], experts), "%s by %s: other experts are chosen" % (run, by))
    return worst


def follow(name):
    """Exports, and says the same by NumPy."""
    train(name)
    mot(1, "predict", name, "-o", name + ".npz")
    mot(1, "export", name, "--safetensors", name + ".safetensors")
    with h5py.File(CASES[name][0] + ".h5") as file:
        np.savez(name + "-samples.npz", x=file["test/x"][()])
    model = Mot(name + ".safetensors")
    output, experts = model(*model.inputs(np.load(name + "-samples.npz")["x"]))
    return compare(name, name, output, experts[0], "NumPy"), len(np.unique(np.concatenate([e.ravel() for e in experts])))


names = list(CASES)
with ThreadPoolExecutor(3) as pool:
    for name, (worst, used) in zip(names, pool.map(follow, names)):
        print("%-16s differs by %.1e at most, %d experts in use" % (name, worst, used))

# ---- where experts look: what mot eval route.all=record leaves, by the same architecture ----


def attention(name):
    """Of each layer of experts {sample: (its first choice, [probabilities of a block [heads, rows, rows], ...])}."""
    watched = runpy.run_path(MODULE)["Mot"]
    space, plain = watched.forward.__globals__, lambda t: np.asarray(t.detach() if hasattr(t, "detach") else t)
    block, route, found, now = space["block"], space["route"], [], []

    def look(h, live, w, b, heads):
        of, D = lambda row: plain(w["block%d_%s" % (b, row)]).astype(np.float64), h.shape[2]
        x = plain(h).astype(np.float64)
        x = (x - x.mean(2, keepdims=True)) / np.sqrt(x.var(2, keepdims=True) + 1e-5) * of("norm1_gain") + of("norm1_bias")
        q, k = ((x @ of("qkv_weight") + of("qkv_bias"))[:, :, i * D:(i + 1) * D].reshape(*h.shape[:2], heads, -1) for i in range(2))
        for layer, expert, samples, first in now:
            for s, rows, q, k in zip(samples, plain(live).sum(1).astype(int), q, k):
                p = np.exp(np.einsum("ihw,jhw->hij", q[:rows], k[:rows]) / np.sqrt(D // heads))
                if first[s] == expert:
                    layer.setdefault(s, (expert, []))[1].append(p / p.sum(2, keepdims=True))
        return block(h, live, w, b, heads)

    def watch(run, x, live, chosen, weight, experts, *more):
        layer, chosen_here = {}, plain(chosen)
        found.append(layer)

        def one(e, x, live):
            now.append((layer, e, np.flatnonzero((chosen_here == e).any(1)), chosen_here[:, 0]))
            y = run(e, x, live)
            now.pop()
            return y

        return route(one, x, live, chosen, weight, experts, *more)

    space.update(block=look, route=watch)
    model = watched(name + ".safetensors")
    model(*model.inputs(np.load(name + "-samples.npz")["x"]))
    return found


def compare_attention(name, pool):
    mot(1, "eval", name, "route.all=record")
    worst, looked_at = 0, 0
    with h5py.File(name + "/eval/step-00000020.h5") as file:
        for layer, wanted in enumerate(attention(name)):
            of = file["layer%d/attention" % layer]
            check(of.attrs["class_token"] == (pool == "class") and of["token"][0] == -(pool == "class"), name + ": the class token")
            for sample, expert, rows, received, rollout in zip(*(of[n][()] for n in ("sample", "expert", "rows", "received", "rollout"))):
                by, maps = wanted[sample]
                R = maps[0].shape[1]
                check(by == expert and rows == R and received.shape[:2] == (len(maps), len(maps[0])), "%s: sample %d" % (name, sample))
                query = np.eye(R)[0] if pool == "class" else np.full(R, 1 / R)
                rolled = np.linalg.multi_dot([query, *((np.eye(R) + p.mean(0)) / 2 for p in maps[::-1])])
                want = np.array([[query @ head for head in p] for p in maps])
                worst = max(worst, abs(received[..., :R] - want).max(), abs(rollout[:R] - rolled).max(),
                            abs(received.sum(-1) - 1).max(), abs(rollout.sum() - 1))
                check(not received[..., R:].any() and not rollout[R:].any(), "%s: numbers behind sample %d" % (name, sample))
                looked_at += 1
    check(worst < 1e-6, "%s: attention differs by %.1e" % (name, worst))
    return worst, looked_at


for name, pool in ("pictures", "class"), ("texts-class", "class"), ("stack", "mean"), ("stack-more", "class"), ("texts", "mean"):
    print("%-16s attention differs by %.1e at most, %d looks" % (name, *compare_attention(name, pool)))
mot(1, "eval", "merged", "route.all=record")
with h5py.File("merged/eval/step-00000020.h5") as file:
    check(file["layer0"].attrs["attention_missing"] == b"experts of kind merged have no attention to show" and "attention" not in file["layer0"],
          "of merged experts: %s" % dict(file["layer0"].attrs))

# By PyTorch as it is today: outputs, and a step of learning whose weights come back by both ways to write them.
LEARN = """
import runpy, sys, numpy, torch
Mot = runpy.run_path(sys.argv[1])["Mot"]
for name in sys.argv[2:]:
    model = Mot(name + ".safetensors")
    inputs = model.inputs(numpy.load(name + "-samples.npz")["x"])
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.5)
    outputs, experts = model(*inputs)
    outputs.square().mean().backward()
    numpy.savez(name + "-torch.npz", output=outputs.detach().numpy(), expert=experts[0].numpy())
    if not name.startswith("hermite"):
        optimizer.step()
    outputs, experts = model(*inputs)
    numpy.savez(name + "-learned.npz", output=outputs.detach().numpy(), expert=experts[0].numpy())
    model.save(name + "-learned.safetensors")
    try:
        from safetensors.torch import load_file, save_file
        assert all(torch.equal(load_file(name + ".safetensors")[k], v) for k, v in Mot(name + ".safetensors").tensor.items())
        save_file({k: v.detach() for k, v in model.tensor.items()}, name + "-learned.safetensors")
    except ImportError:
        print("skipped: no package safetensors")
"""
if TORCH is not None:
    done = subprocess.run([PYTHON, "-c", LEARN, MODULE, *names], capture_output=True, text=True)
    print(done.stdout, end="")
    check(done.returncode == 0, "PyTorch %s: %s" % (TORCH, done.stderr[-900:]))

    def learned(name):
        mot(1, "import-weights", name + "-learned.safetensors", name, "-o", name + "-learned")
        mot(1, "predict", name + "-learned", "-o", name + "-learned-said.npz")
        worst = []
        for said, found in (name, name + "-torch.npz"), (name + "-learned-said", name + "-learned.npz"):
            found = np.load(found)
            worst.append(compare(name, said, found["output"], found["expert"], "PyTorch " + TORCH))
        return worst

    with ThreadPoolExecutor(3) as pool:
        for name, worst in zip(names, pool.map(learned, names)):
            print("%-16s by PyTorch %s: %.1e; after a step there %.1e" % (name, TORCH, *worst))
else:
    print("skipped: %s has no PyTorch (MOT_TORCH_PYTHON names a Python that has): outputs were compared by NumPy alone" % PYTHON)

text, module = open(SOURCE + "/docs/export.md").read(), open(MODULE).read()
shown = [part for part in text.split("```python\n")[1:] if part.startswith("def ")]
check(len(shown) >= 4 and all(part.split("```")[0].rstrip() in module for part in shown), "docs/export.md shows other functions than docs/mot_torch.py has")

# ---- what stands in the files ----

NEWEST = "tied/checkpoints/step-00000020.h5"


def read(path):
    raw = open(path, "rb").read()
    size = struct.unpack("<Q", raw[:8])[0]
    header = json.loads(raw[8:8 + size])
    about = header.pop("__metadata__")
    return about, {name: np.frombuffer(raw, "<f4", count=int(np.prod(h["shape"])), offset=8 + size + h["data_offsets"][0]).reshape(h["shape"])
                   for name, h in header.items()}


about, tensors = read("tied.safetensors")
mot(1, "export", NEWEST, "--npz", "tied-arrays.npz")
arrays = dict(np.load("tied-arrays.npz"))
check(json.loads(str(arrays.pop("metadata")[0])) == about, "metadata of both forms")
check(arrays.keys() == tensors.keys() and all(np.array_equal(arrays[k], tensors[k]) for k in arrays), "tensors of both forms")
with h5py.File(NEWEST) as file:
    stored = {}
    file.visititems(lambda name, item: stored.update({name: item[()]}) if isinstance(item, h5py.Dataset) and item.dtype == "f4" and
                    name.split("/")[0] in ("gate", "tied", "experts") and not name.endswith("/state") and ".moment" not in name else None)
    check(stored.keys() == tensors.keys() and all(np.array_equal(stored[k], tensors[k]) for k in stored), "tensors of the checkpoint")
    check(about["digest"] == file.attrs["digest"].decode() == summary("tied")["digest"] and about["step"] == "20", "digest and step")
    check(about["config"] == file["config"][0].decode(), "configuration")
    mean = json.loads(about["data"])["mean"]
    check(len(mean) == 4 and json.loads(about["data"])["class_names"] == ["class%d" % c for c in range(4)], "data: " + about["data"])
    check(np.any(tensors["gate/balance_bias"] != 0), "a test without a balance bias")
check(json.loads(about["settings"])["model.width"] == "16" and json.loads(read("stack.safetensors")[0]["settings"])["model.layers.2.count"] == "3",
      "settings")
check(json.loads(read("hermite.safetensors")[0]["experts.left"]) == summary("hermite")["experts.left"], "experts that are left")

# ---- and back ----


def write(path, tensors, about={}, **other):
    header, data = {"__metadata__": about}, b""
    for name, value in tensors.items():
        header[name] = {"dtype": "F32", "shape": list(value.shape), "data_offsets": [len(data), len(data) + 4 * value.size], **other}
        data += value.astype("<f4").tobytes()
    text = json.dumps(header).encode()
    open(path, "wb").write(struct.pack("<Q", len(text)) + text + data)


def changed(name):
    """Other weights, by whichever program, make a run that says what that program says."""
    model = Mot(name + ".safetensors")
    for tensor in model.names:
        with_noise = np.asarray(model.tensor[tensor].detach()) + np.float32(0.05) * np.random.default_rng(3).standard_normal(
            model.tensor[tensor].shape, np.float32) * ("member" not in tensor and "confusion" not in tensor)
        model.tensor[tensor] = sys.modules["torch"].from_numpy(with_noise.astype(np.float32))
    model.save(name + "-changed.safetensors")
    mot(1, "import-weights", name + "-changed.safetensors", name, "-o", name + "-new")
    mot(1, "predict", name + "-new", "-o", name + "-new.npz")
    mot(1, "inspect", "--verify", name + "-new/checkpoints/" + os.listdir(name + "-new/checkpoints")[0])
    output, experts = model(*model.inputs(np.load(name + "-samples.npz")["x"]))
    compare(name, name + "-new", output, experts[0], "NumPy")


with ThreadPoolExecutor(3) as pool:
    list(pool.map(changed, ("pictures", "tied", "classes", "merged-heads", "hermite", "stack-more")))

# As it was it evaluates as it did, begins another run, goes on, and has a new name.
mot(1, "import-weights", "tied-arrays.npz", "tied", "-o", "deep/back")
old, new = (json.loads(mot(1, "eval", "--json", run).splitlines()[0]) for run in ("tied", "deep/back"))
check({k: v for k, v in old.items() if k != "checkpoint"} == {k: v for k, v in new.items() if k != "checkpoint"}, "evaluation of what came back")
with h5py.File("deep/back/checkpoints/step-00000020.h5") as file, h5py.File(NEWEST) as before:
    check(file.attrs["run_id"] != before.attrs["run_id"], "what came back is another run")
    check(not file["experts/updates"][()].any() and file["gate"].attrs["updates"] == 0 and file["tied"].attrs["updates"] == 0 and
          not any(np.any(file[g + n][()]) for g, n in (("gate/", "weight.moment0"), ("experts/", "ffn/block0_up_weight.moment1"))) and
          np.any(before["gate/weight.moment0"][()]), "the optimizer does not begin anew")
said = mot(2, "train", "tied.yaml", "run=from", "init.from=deep/back", "train.until=2 steps", "model.tie=[embed, attention]")
check("initial values from deep/back/checkpoints/step-00000020.h5" in said, "init.from: " + said[-500:])
mot(1, "train", "--quiet", "deep/back/config.yaml", "train.until=24 steps")
check(summary("deep/back")["steps"] == 24 and summary("tied")["steps"] == 20, "what came back goes on, in its own folder")

# ---- a whole run as one file ----

# One that is no run's, or another run's, leads nowhere.
for other, said in (("numbers.h5", "stack-more/run.h5 is no file of a run: its format is 'mot-data"), ("tied/run.h5", "run.h5 beside it of the run")):
    shutil.copytree("stack-more", "other")
    shutil.copy(other, "other/run.h5")
    told = mot(1, "export", "other", "--h5", "other.h5", code=2)
    check(said.replace("stack-more", "other") in told and not os.path.exists("other.h5"), "a foreign run.h5: " + told)
    shutil.rmtree("other")
said = mot(1, "export", "stack-more", "--h5", "whole.h5")
check("wrote whole.h5: run.h5 with 2 files in it" in said, "what is said: " + said)


def tree(file):
    """{path: (shape, numbers or texts, {attribute: value}, scales of each axis)}, through links."""
    found = {}

    def visit(group, at):
        for name, item in group.items():
            path = at + "/" + name
            if isinstance(item, h5py.Group):
                visit(item, path)
                continue
            value = item[()] if item.dtype.kind not in "SO" else [t if isinstance(t, bytes) else t.encode() for t in item[()]]
            attributes = {k: v for k, v in item.attrs.items() if k not in ("DIMENSION_LIST", "REFERENCE_LIST", "CLASS", "NAME", "xxh3")}
            scales = [[(s.name.split("/")[-1], dim.label) for s in dim.values()] for dim in item.dims]
            found[path] = (item.shape, value, attributes, scales)

    visit(file, "")
    return found


with h5py.File("stack-more/run.h5") as file, h5py.File("whole.h5") as copy:
    check(copy.attrs["format"] in (b"mot-run-export", "mot-run-export") and copy.attrs["run_id"] == file.attrs["run_id"], "attributes of the file")
    links, own = tree(file), tree(copy)
    check(links.keys() == own.keys() and any("/checkpoints/" in k and "experts" in k for k in own) and any("/layer1/load" in k for k in own),
          "what is in one file: %s" % sorted(links.keys() ^ own.keys())[:5])
    for path in links.keys() & own.keys():
        a, b = links[path], own[path]
        same = a[0] == b[0] and np.array_equal(a[1], b[1], equal_nan=getattr(a[1], "dtype", np.dtype("O")).kind == "f")
        check(same, "another value: " + path)
        check(a[2].keys() == b[2].keys() and all(np.array_equal(a[2][k], b[2][k]) for k in a[2]), "other attributes: " + path)
        check(a[3] == b[3], "other scales: %s: %s, %s" % (path, a[3], b[3]))
    check(any(s for _, _, _, s in own.values() if any(s)), "a file without scales")
os.rename("stack-more", "gone")
if shutil.which("ncdump"):
    done = subprocess.run(["ncdump", "-h", "whole.h5"], capture_output=True, text=True)
    check(done.returncode == 0 and "group: checkpoints" in done.stdout and "block0_up_weight" in done.stdout and "group: layer1" in done.stdout,
          "ncdump: %d %s" % (done.returncode, (done.stdout[-300:] + done.stderr)[-500:]))
    done = subprocess.run(["ncdump", "whole.h5"], capture_output=True)
    check(done.returncode == 0 and len(done.stdout) > 10000, "ncdump of all numbers: %d %s" % (done.returncode, done.stderr[-300:]))
else:
    print("skipped: no ncdump (netcdf-bin)")
os.rename("gone", "stack-more")

# ---- what is refused ----

few, wrong, bad = dict(tensors), dict(tensors), {k: v.copy() for k, v in tensors.items()}
del few["gate/weight"]
wrong["gate/weight"] = wrong["gate/weight"].T
bad["experts/ffn/block1_up_bias"][2, 3] = np.nan
write("few.safetensors", few)
write("more.safetensors", {**tensors, "extra": np.zeros(3)})
write("wrong.safetensors", wrong)
write("bad.safetensors", bad)
write("half.safetensors", tensors, dtype="F16")
np.savez("few.npz", **few)
np.savez("bad.npz", **bad)
np.savez("more.npz", **tensors, extra=np.zeros(3, "f4"))
np.savez("full.npz", **tensors | {"tied/embed/class_token": np.ones(16, "f4")})
raw = open("tied.safetensors", "rb").read()
size = 8 + struct.unpack("<Q", raw[:8])[0]
begin, end = json.loads(raw[8:size])["gate/weight"]["data_offsets"]
for name, old, new in (("moved", "[%d, %d]" % (begin, end), "[%d, %d]" % (begin - 4, end - 4)), ("words", "]}}", "]}} more")):
    head = raw[8:size].replace(old.encode(), new.encode())
    open(name + ".safetensors", "wb").write(struct.pack("<Q", len(head)) + head + raw[size:])
open("tail.safetensors", "wb").write(raw + b"more")
open("cut.safetensors", "wb").write(open("tied.safetensors", "rb").read()[:-8])
open("head.safetensors", "wb").write(struct.pack("<Q", 30) + b'{"a": {"dtype": "F32", "shape"' + b" " * 40)
open("long.safetensors", "wb").write(struct.pack("<Q", 1 << 60) + b"{}")
open("none.bin", "w").close()
REFUSED = (
    ("few.safetensors has no tensor gate/weight", "few.safetensors", "tied"),
    ("more.safetensors has a tensor extra, which the model has not", "more.safetensors", "tied"),
    ("wrong.safetensors: tensor gate/weight has shape [3, 4], expected [4, 3]", "wrong.safetensors", "tied"),
    ("bad.safetensors: tensor experts/ffn/block1_up_bias is nan at [51], expected a finite value", "bad.safetensors", "tied"),
    ("half.safetensors: tensor experts/ffn/block0_down_bias has dtype F16, expected F32", "half.safetensors", "tied"),
    ("few.npz has no tensor gate/weight", "few.npz", "tied"),
    ("more.npz: of its", "more.npz", "tied"),
    ("number 51 is nan, expected a finite float", "bad.npz", "tied"),
    ("has its bytes from", "cut.safetensors", "tied"),
    ("head.safetensors: not a .safetensors file: its header is not as the format has it, at byte 38", "head.safetensors", "tied"),
    ("long.safetensors: not a .safetensors file, which begins with the length of its header", "long.safetensors", "tied"),
    ("moved.safetensors: tensor gate/weight begins at byte %d, expected %d" % (begin - 4, begin), "moved.safetensors", "tied"),
    ("words.safetensors: not a .safetensors file: its header", "words.safetensors", "tied"),
    ("tail.safetensors has 4 bytes behind its last tensor", "tail.safetensors", "tied"),
    ("full.npz: array tied/embed/class_token has 16 numbers, expected none", "full.npz", "tied"),
    ("nowhere.npz", "nowhere.npz", "tied"),
    ("none.bin: expected a name that ends with .safetensors or .npz", "none.bin", "tied"),
    ("nowhere: no such run folder or checkpoint", "tied.safetensors", "nowhere"),
    ("has no tensor", "tied.safetensors", "merged"),
)
for number, (sentence, file, run) in enumerate(REFUSED):
    said = mot(1, "import-weights", file, run, "-o", "not", code=2)
    check(sentence in said and said.count("mot: error: ") == 1, "expected '%s', got: %s" % (sentence, said[:600]))
    check(not os.path.exists("not"), "what is refused leaves a folder: " + sentence)
for sentence, *arguments in (
        ("tied.npz exists: add --force to replace it", "export", "tied", "--npz", "tied.npz"),
        ("one of --safetensors, --npz and --h5 at a time", "export", "tied", "--npz", "a.npz", "--safetensors", "b"),
        ("not a run folder: it has no run.h5", "export", NEWEST, "--h5", "a.h5"), ("whole.h5 exists", "export", "tied", "--h5", "whole.h5"),
        (NEWEST + " is the run's own", "export", "tied", "--npz", NEWEST, "--force"),
        ("run.h5 is the run's own", "export", "tied", "--h5", "tied/run.h5", "--force"),
        (NEWEST + " is the run's own", "export", "tied", "--h5", NEWEST, "--force"),
        ("merged/summary.json is the run's own", "export", "tied", "--npz", "merged/summary.json", "--force"),
        ("cannot write nowhere/a.npz into the folder nowhere", "export", "tied", "--npz", "nowhere/a.npz"),
        ("tied is no ordinary file", "export", "tied", "--npz", "tied", "--force"),
        ("expected --safetensors FILE", "export", "tied"), ("expected RUN|CHECKPOINT", "export", "--npz", "a.npz"),
        ("tied exists: expected the name of a new run folder", "import-weights", "tied.safetensors", "tied", "-o", "tied"),
        ("expected -o NEW_RUN", "import-weights", "tied.safetensors", "tied")):
    said = mot(1, *arguments, code=2)
    check(sentence in said, "expected '%s', got: %s" % (sentence, said[:600]))
shutil.copy(NEWEST, "damaged.h5")
with open("damaged.h5", "r+b") as file:
    file.seek(4096 + 8)
    file.write(b"\xff")
check("the checkpoint is damaged: tensor" in mot(1, "export", "damaged.h5", "--npz", "damaged.npz", code=2), "a damaged checkpoint is exported")
check(not os.path.exists("damaged.npz") and not [f for f in os.listdir(".") if ".tmp." in f], "half a file is left")
sys.exit(1 if failures else 0)
