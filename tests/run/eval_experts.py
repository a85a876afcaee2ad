"""What a run says of its routing, and mot eval without some experts, with another run's gate, and with every expert for every sample: against each other and against what
the gate's own values say, the same on any number of ranks; and what cannot be is a sentence."""
import glob, json, os, shutil, subprocess, sys, tempfile

try:
    import h5py, numpy as np
except ImportError:
    print("skipped: no h5py, which reads the analysis")
    sys.exit(77)
try:
    from sklearn import metrics
except ImportError:
    metrics = None
sys.dont_write_bytecode = True
sys.path.insert(0, os.environ["MOT_SOURCE_DIR"] + "/tests/support")
from drive import MOT, LIMIT, check, failures, lines, mot

os.chdir(tempfile.mkdtemp(prefix="mot-eval."))
COMMON = """
data: {source: mixture, mixture: {classes: 4, tokens: 4, width: 8, train: 200, eval: 70}}
train: {batch: 20, until: 30 steps, rate: 0.01}
eval: {every: 15, batch: 30}
report: {every: 15}
"""
EXPERT = "depth: 1, heads: 2, ffn: 12"
open("one.yaml", "w").write(COMMON + """
model: {experts: 4, width: 8, %s}
gate: {input: mean, init: 0.5}
route: {top_k: 1, scale: chosen}
""" % EXPERT)
open("three.yaml", "w").write(COMMON + """
model:
  layers:
    - embed: {width: 8}
    - experts: {count: 3, %s, gate: {init: 0.7}, route: {top_k: 2, scale: prob}}
    - experts: {count: 9, %s, gate: {init: 0.7}, route: {top_k: 1, scale: chosen}}
    - experts: {count: 2, %s, gate: {init: 0.7}, route: {top_k: all, scale: none}}
    - head: {pool: mean}
""" % (EXPERT, EXPERT, EXPERT))


def figures(run, *settings):
    done = subprocess.run([MOT, "eval", run, "--json", *settings], capture_output=True, text=True, timeout=LIMIT)
    check(done.returncode == 0, "mot eval %s %s: %s" % (run, settings, done.stderr[-600:]))
    return json.loads(done.stdout or "{}")


def numbers(path):
    found = {}
    with h5py.File(path) as file:
        file.visititems(lambda name, of: found.update({name: of[()]}) if isinstance(of, h5py.Dataset) else None)
        for name in found:
            if not name.endswith(("sample", "expert", "choice", "feature", "place", "part", "block", "head", "token", "_names")):
                check(file[name].dims[0].keys() in (["sample"], ["part"]), "%s has no axis of samples" % name)
        return found, dict(file.attrs)


def analysed(run):
    """The same on one rank and on three, but for when it was made."""
    path = "%s/eval/step-00000030.h5" % run
    said = mot(1, "eval", run, "route.all=record")
    one, about = numbers(path)
    mot(3, "eval", run, "route.all=record")
    three, _ = numbers(path)
    check(sorted(one) == sorted(three) and all(np.array_equal(one[n], three[n]) for n in one), "%s on 3 ranks is another" % run)
    check("wrote " + path in said and os.listdir(run + "/eval") == ["step-00000030.h5"], "a file too many, or not said: " + said[-300:])
    check("all checksums are right" in mot(1, "inspect", "--verify", path), "not verified")
    return one, about, said


def of_layer(found, layer):
    prefix = "layer%d/" % layer
    return {name[len(prefix):]: value for name, value in found.items() if name.startswith(prefix)}


def near(a, b):
    return abs(a - b) < 1e-6


def check_layer(found, layer, what):
    """What a layer's numbers say of each other."""
    of = of_layer(found, layer)
    score, chosen, loss = of["gate_score"], of["chosen"], found["loss"]
    N, E, K = *score.shape, chosen.shape[1]
    rows = np.arange(N)
    check(np.array_equal(np.argsort(-score, axis=1, kind="stable")[:, :K], chosen), what + ": the largest scores are not chosen")
    check(np.allclose(score.sum(1), 1, atol=1e-5), what + ": scores are no probabilities")
    for e in range(E):
        if K == 1:
            others = score.copy()
            others[:, e] = -1
            next_one = others.argmax(1)
            check(np.array_equal(of["without_loss"][:, e], of["only_loss"][rows, next_one]), "%s: without %d not the next" % (what, e))
            check(np.array_equal(of["without_predicted"][:, e], of["only_predicted"][rows, next_one]), "%s: without %d" % (what, e))
    if K == 1:
        check(np.array_equal(of["only_loss"][rows, chosen[:, 0]], loss), what + ": the chosen one alone gives another loss")
        check(np.array_equal(of["only_predicted"][rows, chosen[:, 0]], found["predicted"]), what + ": or another class")
    if E == 2:
        check(np.array_equal(of["without_loss"], of["only_loss"][:, ::-1]), what + ": without one is not the other alone")
    load = np.bincount(chosen[:, 0], minlength=E)
    busiest = np.argsort(-load, kind="stable")
    kept = of["kept/expert"]
    check([sorted(np.flatnonzero(row)) for row in kept] == [sorted(busiest[:E >> p]) for p in (1, 2, 3) if E >> p], what + ": kept")
    for row, mean, right in zip(kept, of["kept/loss"], of["kept/accuracy"]):
        if K == 1:
            pick = np.where(row > 0, score, -1).argmax(1)
            check(near(of["only_loss"][rows, pick].mean(), mean), what + ": the loss of those kept")
            check(near((of["only_predicted"][rows, pick] == found["label"]).mean(), right), what + ": the accuracy of those kept")
    return of


def check_attention(found, of, what, blocks, heads):
    """The twelve surest samples of each expert, and of each the twelve surest that are wrong; their attention is shared out in full."""
    first, sure = of["chosen"][:, 0], of["gate_score"][np.arange(len(of["chosen"])), of["chosen"][:, 0]]
    wanted = set()
    for e in of["expert"]:
        for ours in (first == e, (first == e) & (found["predicted"] != found["label"])):
            wanted |= set(sorted(np.flatnonzero(ours), key=lambda i: (-sure[i], i))[:12])
    looked, received = of["attention/sample"], of["attention/received"]
    check(sorted(wanted) == looked.tolist() and np.array_equal(of["attention/expert"], first[looked]), what + ": other samples are looked at")
    check(received.shape == (len(looked), blocks, heads, 4) and of["attention/rollout"].shape == (len(looked), 4), what + ": shapes of attention")
    check(all(abs(of["attention/" + n].sum(-1) - 1).max() < 1e-6 and of["attention/" + n].min() > 0 for n in ("received", "rollout")),
          what + ": attention is not shared out in full")


def check_figures(run, layers):
    """What the last evaluation said of each layer, against the samples of the analysis, and of the evaluation before."""
    told = lines(run, "eval.loss")[-1]
    found, _ = numbers("%s/eval/step-00000030.h5" % run)
    for layer in range(layers):
        of = of_layer(found, layer)
        score, chosen, E = np.sort(of["gate_score"].astype(float))[:, ::-1], of["chosen"], of["gate_score"].shape[1]
        key, load = "layer%d." % layer if layer else "routing.", np.bincount(chosen[:, 0], minlength=E)
        p = score[score.sum(1) > 0]
        wanted = {"confidence": score[:, 0].mean(), "margin": (score[:, 0] - score[:, 1]).mean(),
                  "gate_entropy": -(p * np.log(p)).sum(1).mean(), "experts_idle": (load == 0).sum(),
                  "load_max_over_mean": load.max() / load.mean(), "load_cv": load.std() / load.mean(),
                  "experts_effective": np.exp(-sum(n / 70 * np.log(n / 70) for n in load if n))}
        before = earlier(run, layer)
        both = [len(set(a) & set(b)) / len(a) for a, b in zip(chosen.tolist(), before.tolist())]
        wanted["saturation"], wanted["changed"] = np.mean(both), (chosen[:, 0] != before[:, 0]).mean()
        if metrics is not None:
            for kind in "label", "group":
                name = "class" if kind == "label" else kind
                wanted[name + "_ami"] = metrics.adjusted_mutual_info_score(found[kind], chosen[:, 0])
                wanted[name + "_nmi"] = metrics.normalized_mutual_info_score(found[kind], chosen[:, 0], average_method="geometric")
        for name, value in wanted.items():
            tolerance = 1e-9 if name.endswith("mi") else 1e-6
            check(abs(told[key + name] - value) < tolerance, "%s of %s is %s, not %s" % (key + name, run, told[key + name], value))
    step = lines(run, "train.loss")[-1]
    check(all("routing.%s" % name in step for name in ("class_ami", "group_ami", "confidence", "margin", "gate_entropy", "load_cv")), "a step")
    with h5py.File(glob.glob(run + "/record/*.h5")[0]) as file:
        for layer in range(layers):
            name = "layer%d_" % layer if layer else ""
            check(file["eval/%ssaturation" % name][-1] == told[("layer%d." % layer if layer else "routing.") + "saturation"], "the record")
            group = file["layer%d" % layer]
            check(group["confidence"].shape == (30,) and (group["margin"][:] <= group["confidence"][:]).all(), "steps of the record")


def earlier(run, layer):
    """Choices of the evaluation after step 15 [N, K]."""
    with h5py.File(glob.glob(run + "/record/*.h5")[0]) as file:
        rows = file["layer%d_assign" % layer if layer else "assign"]
        mine = (rows["step"][:] == 15) & (rows["split"][:] == 1)
        order = np.lexsort((rows["choice"][:][mine], rows["sample"][:][mine]))
        return rows["expert"][:][mine][order].reshape(70, -1)


def theta(run):
    with h5py.File(run + "/checkpoints/step-00000030.h5") as file:
        return file["gate/weight"][()], file["gate/balance_bias"][()]


# ---- one layer, one choice ----

mot(1, "train", "--quiet", "one.yaml", "run=one")
mot(1, "train", "--quiet", "one.yaml", "run=other", "seed=7")
found, about, said = analysed("one")
one = check_layer(found, 0, "one")
as_it_is = figures("one")
check_attention(found, one, "one", 1, 2)
check("12 evaluations" in said, "the cost is not said: " + said[-400:])
check(near(found["loss"].mean(), as_it_is["eval.loss"]) and near(found["hit"].mean(), as_it_is["eval.accuracy"]), "as it is")
check(np.array_equal(found["sample"], np.arange(70)) and np.array_equal(found["hit"] > 0, found["predicted"] == found["label"]), "rows")
check(np.bincount(found["group"], minlength=4).sum() == 70, "groups")
check((about["step"], about["split"], about["layers"]) == (30, b"test", 1) and len(about["checkpoint_digest"]) == 32, "attributes")
check_figures("one", 1)
weight, bias = theta("one")
check(np.array_equal((one["features"] @ weight + bias).argmax(1), one["chosen"][:, 0]), "features are not what the gate saw")
for mask, without in (("[2]", [2]), ("[0, 3]", [0, 3])):
    masked = figures("one", "mask=" + mask)
    score = one["gate_score"].copy()
    score[:, without] = -1
    pick = score.argmax(1)
    check(near(masked["eval.loss"], one["only_loss"][np.arange(70), pick].mean()), "the loss with mask=" + mask)
    check(near(masked["eval.accuracy"], (one["only_predicted"][np.arange(70), pick] == found["label"]).mean()), "the accuracy")
    loads = np.array(masked["routing.class_load"]).reshape(-1, 4).sum(0)
    check(np.array_equal(loads, np.bincount(pick, minlength=4)) and masked["mask"] == mask, "the loads with mask=" + mask)

# ---- another gate ----

check(figures("one", "gate.from=one")["eval.loss"] == as_it_is["eval.loss"], "its own gate gives another loss")
weight, bias = theta("other")
pick = (one["features"] @ weight + bias).argmax(1)
crossed = figures("one", "gate.from=other/checkpoints/step-00000030.h5")
check(near(crossed["eval.loss"], one["only_loss"][np.arange(70), pick].mean()), "another's gate does not choose")
check(not near(crossed["eval.loss"], as_it_is["eval.loss"]), "the gates choose alike: the test shows nothing")

recipe = open(os.environ["MOT_SOURCE_DIR"] + "/docs/analysis.md").read().split("```py\n")[1].split("```")[0]
done = subprocess.run(["/usr/bin/python3", "-W", "error", "-c", recipe], cwd="one", capture_output=True, text=True)
regret = one["only_loss"][np.arange(70), one["chosen"][:, 0]] - one["only_loss"].min(1)
check("regret: %.4f on average" % regret.mean() in done.stdout and done.stdout.count("without expert") == 4,
      "the recipe of docs/analysis.md says %s %s" % (done.stdout, done.stderr))

# ---- several layers: several choices, one, and all ----

mot(1, "train", "--quiet", "three.yaml", "run=three")
found, _, said = analysed("three")
layers = [check_layer(found, layer, "three, layer %d" % layer) for layer in range(3)]
for layer, of in enumerate(layers):
    check_attention(found, of, "three, layer %d" % layer, 1, 2)
check("%d evaluations" % (2 + 6 + 1 + 18 + 3 + 4 + 1) in said, "the cost is not said: " + said[-400:])
check_figures("three", 3)
for mask, layer, expert in (("[0:1]", 0, 1), ("[1:8]", 1, 8), ("[2:0]", 2, 0)):
    masked = figures("three", "mask=" + mask)
    check(near(masked["eval.loss"], layers[layer]["without_loss"][:, expert].mean()), "the loss with mask=" + mask)

# ---- texts: the words that the gate saw, which k-means works on ----

line = "%d\t%s\n"
open("texts.tsv", "w").write("".join(line % (i % 2, " ".join(["yes no", "up down down"][i % 2].split() * (1 + i % 3) + ["w%d" % (i % 5)])) for i in range(70)))
mot(1, "data", "import", "text", "--out", "texts.h5", "--train", "texts.tsv", "--test", "texts.tsv", "--tokens", "word", "--length", "12")
mot(1, "train", "--quiet", "one.yaml", "run=texts", "data.source=file", "data.file=texts.h5")
found, _, said = analysed("texts")
words = check_layer(found, 0, "texts")["words"]
weight, bias = theta("texts")
seen = np.array([np.bincount(row[row > 0], minlength=len(weight)) / (row > 0).sum() for row in words])
check(words.shape == (70, 12) and "features" not in of_layer(found, 0), "words have the shape %s" % (words.shape,))
check(np.array_equal((seen.astype(np.float32) @ weight + bias).argmax(1), found["layer0/chosen"][:, 0]), "words are not what the gate saw")
mot(1, "report", "texts", "--json", "texts.json")
geometry = [v for p in json.load(open("texts.json"))["parts"] for v in p["views"] if v["id"] == "geometry"]
check(len(geometry) == 1 and geometry[0]["rows"][0][1] > 0.3, "k-means of words: %s" % geometry)

# ---- what cannot be ----

mot(1, "train", "--quiet", "one.yaml", "run=soft", "gate.kind=sigmoid", "route.top_k=all", "route.scale=prob", "train.until=1 steps")
shutil.copy("one/checkpoints/step-00000030.h5", "alone.h5")
for run, setting, sentence in (
        ("one", "mask=[4]", "mask: layer 0 has no expert 4, expected one of 0 to 3"),
        ("one", "mask=[1:0]", "mask: there is no layer 1 of experts, expected one of 0 to 0"),
        ("one", "mask=3", "mask: '3' is no list of experts"),
        ("one", "mask=[0,1,2,3]", "mask: 0 of the 4 experts of layer 0 would be left, and every sample gets 1"),
        ("three", "mask=[0:0,0:1]", "mask: 1 of the 3 experts of layer 0 would be left, and every sample gets 2"),
        ("soft", "mask=[0]", "mask: a gate of kind sigmoid sends every sample to every expert"),
        ("soft", "route.all=record", "route.all=record: a gate of kind sigmoid sends every sample to every expert"),
        ("one", "route.all=yes", "route.all=yes: expected route.all=record"),
        ("alone.h5", "route.all=record", "alone.h5 stands in no run folder"),
        ("one", "gate.from=nowhere", "nowhere: no such run folder or checkpoint"),
        ("one", "gate.from=soft", "has gate.kind = sigmoid, this run linear"),
        ("one", "gate.from=three", "has model.layers = embed, experts, experts, experts, head, this run none")):
    said = mot(1, "eval", run, setting, code=2)
    check(sentence in said and said.count("mot: error") == 1, "%s %s: %s" % (run, setting, said[-300:]))
shutil.rmtree("other/eval", ignore_errors=True)
open("other/eval", "w").close()
check("other/eval" in mot(1, "eval", "other", "route.all=record", code=1), "a folder that cannot be made is not named")

sys.exit(1 if failures else 0)
