"""`mot data join` against a dull twin in numpy: values, orders, classes and groups of pictures, texts, vectors and numbers; the same
bytes again; and what cannot be joined is said, with nothing left behind."""
import os, sys, tempfile

try:
    import h5py, numpy as np
except ImportError as missing:
    print("skipped:", missing)
    sys.exit(77)
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from drive import check, failures, mot, summary

os.chdir(tempfile.mkdtemp(prefix="mot-join."))
draw = np.random.default_rng(5)


def make(name, splits, *options):
    """A data set of (x, y) or (x, y, group) for each split."""
    arguments = []
    for split, arrays in splits.items():
        files = ["%s-%s-%d.npy" % (name, split, i) for i in range(len(arrays))]
        for file, array in zip(files, arrays):
            np.save(file, array)
        arguments += ["--" + split, ",".join(files)]
    mot(1, "data", "import", "npy", "--out", name + ".h5", *arguments, *options)


def read(name):
    with h5py.File(name) as f:
        sets = {s: {k: f[s][k][...] for k in f[s]} for s in ("train", "val", "test") if s in f}
        lists = {k: [t.decode() for t in f[k][...]] for k in ("class_names", "group_names", "vocabulary") if k in f}
        sources = {k: [t.decode() for t in f["sources"][k][...]] for k in f["sources"]} if "sources" in f else {}
        scaling = [f["normalization"][k][...] for k in ("mean", "deviation") if "normalization/mean" in f]
        return sets, lists, sources, scaling


def join(*arguments, out="j.h5", code=0):
    return mot(1, "data", "join", "--out", out, "--force", *arguments, code=code)


# ---- pictures: two channels, four sources of two files ----

def pictures(n, classes):
    y = np.arange(n) % classes
    return draw.integers(0, 256, (n, 2, 6, 6)).astype("u1"), y.astype("i4"), (y % 2).astype("i4")


A = {"train": pictures(50, 5), "test": pictures(20, 5)}
B = {"train": pictures(33, 3), "test": pictures(12, 3)}
make("a", A, "--class-names", "red,green,blue,pink,grey", "--layout", "chw")
make("b", B, "--class-names", "grey,blue,teal", "--group-names", "left,right", "--layout", "chw")
FOUR = ["a.h5", "b.h5", "a.h5", "--rotate", "90", "--negate", "b.h5", "--transpose", "--flip", "--name", "turned"]
said = join(*FOUR)
for words in "made j.h5", "groups are the sources: the 2 groups of b.h5 itself are left out (--groups own keeps those)":
    check(words in said, "no '%s' in: %s" % (words, said))
sets, lists, sources, (mean, deviation) = read("j.h5")
for s in "train", "test":
    parts = [A[s], B[s], (255 - np.rot90(A[s][0], axes=(2, 3)), A[s][1]), (B[s][0].transpose(0, 1, 3, 2)[..., ::-1], B[s][1])]
    check(np.array_equal(sets[s]["x"], np.concatenate([p[0] for p in parts])), "pictures of " + s)
    check(np.array_equal(sets[s]["y"], np.concatenate([p[1] + first for p, first in zip(parts, (0, 5, 8, 13))])), "classes of " + s)
    check(np.array_equal(sets[s]["group"], np.repeat(range(4), [len(p[0]) for p in parts])), "groups of " + s)
x = sets["train"]["x"] / 255
check(np.allclose(mean, x.mean((0, 2, 3)), rtol=1e-12) and np.allclose(deviation, x.std((0, 2, 3)), rtol=1e-12), "mean and deviation")
names = ["a", "b", "a rotate 90 + negate", "turned"]
check(lists["group_names"] == names == sources["name"], "names: %s" % lists["group_names"])
a, b = read("a.h5")[1]["class_names"], read("b.h5")[1]["class_names"]
check(lists["class_names"] == [n + ": " + c for n, of in zip(names, (a, b, a, b)) for c in of], "classes: %s" % lists["class_names"])
check(sources["change"] == ["none", "none", "rotate 90 + negate", "transpose + flip"], "changes: %s" % sources["change"])
check(sources["file"] == ["a.h5", "b.h5", "a.h5", "b.h5"] and sorted(sources) == ["change", "file", "name", "test", "train"], "sources")
shown = mot(1, "data", "show", "a.h5", "--split", "test") + mot(1, "data", "show", "b.h5", "--split", "test")
check(all(sum in shown for sum in sources["test"]), "checksums of sources")
check("joined of    turned: b.h5, changes: transpose + flip" in mot(1, "data", "show", "j.h5"), "what is shown of sources")

# The same bytes again; options of the whole stand where they like.
first = open("j.h5", "rb").read()
join("a.h5", "--seed", "0", *FOUR[1:])
check(first == open("j.h5", "rb").read(), "the same call makes other bytes")

# Classes by name, and the groups that sources have.
join("--classes", "name", "a.h5", "b.h5", "--change", "negate + rotate -90")
sets, lists, _, _ = read("j.h5")
check(lists["class_names"] == ["red", "green", "blue", "pink", "grey", "teal"], "classes by name: %s" % lists["class_names"])
check(np.array_equal(sets["test"]["y"], np.concatenate([A["test"][1], np.array([4, 2, 5])[B["test"][1]]])), "classes by name")
check(np.array_equal(sets["test"]["x"][20:], 255 - np.rot90(B["test"][0], -1, axes=(2, 3))), "changes by --change")
join("--groups", "own", "--splits", "train", "a.h5", "b.h5")
sets, lists, _, _ = read("j.h5")
check(list(sets) == ["train"] and np.array_equal(sets["train"]["group"], np.concatenate([A["train"][2], 2 + B["train"][2]])), "own groups")
check(lists["group_names"] == ["a: 0", "a: 1", "b: left", "b: right"], "names of own groups: %s" % lists["group_names"])

# Wrong labels, as a source asks for them, in training alone.
join("a.h5", "--change", "labels 0.5", "b.h5", "--seed", "3")
sets = read("j.h5")[0]
check(0.2 < np.mean(sets["train"]["y"][:50] != A["train"][1]) < 0.8, "wrong labels in training")
check(sets["train"]["y"][:50].max() == 4 and np.array_equal(sets["train"]["y"][50:], 5 + B["train"][1]), "wrong labels are of their source")
check(np.array_equal(sets["test"]["y"][:20], A["test"][1]), "right labels in evaluation")

# ---- vectors with numbers as targets, texts ----

V = {s: (draw.normal(size=(n, 2, 3)).astype("f4"), draw.normal(size=(n, 2)).astype("f4")) for s, n in (("train", 20), ("val", 5))}
W = {s: (draw.normal(size=(n, 2, 3)).astype("f4") + 2, draw.normal(size=(n, 2)).astype("f4")) for s, n in (("train", 9), ("val", 4))}
make("v", V, "--numbers")
make("w", W, "--numbers")
join("v.h5", "w.h5")
sets, _, _, (mean, deviation) = read("j.h5")
for s in "train", "val":
    for i, key in enumerate("xy"):
        check(np.array_equal(sets[s][key], np.concatenate([V[s][i], W[s][i]])), "numbers %s of %s" % (key, s))
x = sets["train"]["x"].astype("f8").reshape(-1, 3)
check(np.allclose(mean, x.mean(0)) and np.allclose(deviation, x.std(0)), "mean and deviation of vectors")

TEXTS = {"t": ["sun moon", "moon moon sea", "sun"], "u": ["sea wind wind wind tree", "moon wind"]}
for name, texts in TEXTS.items():
    with open(name + ".tsv", "w") as out:
        out.writelines("%s\t%s\n" % (("up", "down")[i % 2], text) for i, text in enumerate(texts))
    mot(1, "data", "import", "text", "--out", name + ".h5", "--train", name + ".tsv", "--min-count", "1")
join("t.h5", "u.h5", "--classes", "name")
sets, lists, _, _ = read("j.h5")
words = [" ".join(lists["vocabulary"][i] for i in row if i > 0) for row in sets["train"]["x"]]
check(words == TEXTS["t"] + TEXTS["u"], "texts: %s" % words)
check(len(set(lists["vocabulary"])) == len(lists["vocabulary"]) == 7 and sets["train"]["x"].shape == (5, 5), "one vocabulary")
check([lists["class_names"][c] for c in sets["train"]["y"]] == ["up", "down", "up", "up", "down"], "classes of texts")

# Labels -1 and +1 stay what they are where classes are joined by name.
for seed in "1", "2":
    mot(1, "data", "make", "mixture", "--out", "m%s.h5" % seed, "--train", "40", "--test", "10", "--width", "8", "--seed", seed)
join("m1.h5", "m2.h5", "--classes", "name", "--groups", "own")
sets, lists, _, _ = read("j.h5")
m = [read("m%d.h5" % i)[0]["train"] for i in (1, 2)]
check(np.array_equal(sets["train"]["y"], np.concatenate([m[0]["y"], m[1]["y"]])) and lists["class_names"] == ["-1", "+1"], "signed labels")
check(np.array_equal(sets["train"]["group"], np.concatenate([m[0]["group"], 4 + m[1]["group"]])), "groups of mixtures")

# ---- a run learns them, and nobody tells its gate which source a picture is of: not even the class does ----

shape = draw.normal(size=(4, 6, 6))


def dark(n):
    y = np.arange(n) % 4
    return np.clip(60 + 20 * shape[y] + 25 * draw.normal(size=(n, 6, 6)), 0, 255).astype("u1"), y.astype("i4")


make("dark", {"train": dark(600), "test": dark(200)})
join("--classes", "name", "dark.h5", "dark.h5", "--negate")
with open("c.yaml", "w") as out:
    out.write("""
model: {experts: 2, width: 8, heads: 2, depth: 1, ffn: 16, patch: 3}
gate: {kind: classes, input: flat, prototypes: 2}
route: {noise: none, balance_loss: 0}
train: {batch: 32, rate: 5e-3}
stages: [{name: together, until: 80 steps, action: group}, {name: apart, until: 20 steps}]
""")
said = mot(1, "train", "c.yaml", "run=r", "data.file=j.h5")
check("8 prototypes in 2 groups" in said, "no groups of prototypes in: " + said)
check(summary("r")["routing.group_nmi"] > 0.95, "sources are not found: NMI %s" % summary("r")["routing.group_nmi"])

# ---- asked to stop before it groups, it does so when it goes on ----

once = ["c.yaml", "data.file=j.h5", "stages.0.until=1 steps"]
mot(1, "train", *once, "run=at-once")
for ranks in 1, 2:
    run = "stopped-%d" % ranks
    mot(ranks, "train", *once, "run=" + run, "stop_after=0.000001s", code=75)
    with h5py.File(run + "/checkpoints/step-00000001.h5") as f:
        check(f["progress"].attrs["action_left"] == 1, "%s: the action is not left" % run)
    said = mot(ranks, "train", *once, "run=" + run)
    check("prototypes in" in said, "%s: no groups in: %s" % (run, said))
    check(summary(run)["digest"] == summary("at-once")["digest"], "%s: another digest than of a run that was not stopped" % run)

# ---- what cannot be ----

make("wide", {"train": (np.zeros((6, 4, 6), "u1"), np.arange(6, dtype="i4") % 2)}, "--kind", "picture")
make("small", {"train": (np.zeros((6, 4, 4), "u1"), np.arange(6, dtype="i4") % 2)}, "--kind", "picture")
os.rename("j.h5", "whole.h5")
with open("whole.h5", "rb") as whole, open("cut.h5", "wb") as out:
    out.write(whole.read()[:-100])
for sentence, arguments in (
        ("--rotate stands behind the FILE of the source that it belongs to, and none stands before it", ["--rotate", "90", "a.h5"]),
        ("--rotate is a number from -360 to 360, not 'left'", ["a.h5", "--rotate", "left"]),
        ("--change 'turn 3' is no change", ["a.h5", "--change", "turn 3"]),
        ("90' is no change", ["a.h5", "--change", "rotate " + "0" * 130 + "90"]),
        ("a.h5: more than 4 changes of one source", ["a.h5", "--flip", "--flip", "--flip", "--negate", "--negate"]),
        ("two sources are called 'a': --name NAME behind each tells them apart", ["a.h5", "b.h5", "a.h5"]),
        ("a source is called '...': expected a name of 1 to 199 bytes", ["a.h5", "--name", ""]),
        ("needs data sets to join", []),
        ("missing.h5", ["a.h5", "missing.h5"]),
        ("cut.h5: not a complete data set", ["a.h5", "cut.h5"]),
        ("t.tsv is not a mot data set", ["a.h5", "t.tsv"]),
        ("a.h5 has a split 'test', wide.h5 has none: --splits says which are joined", ["a.h5", "wide.h5"]),
        ("wide.h5 has no split 'test'", ["a.h5", "wide.h5", "--splits", "train,test"]),
        ("--splits is train|val|test, not 'all'", ["a.h5", "--splits", "all"]),
        ("--splits: the split 'train' must be one of those that are joined", ["a.h5", "--splits", "test"]),
        ("small.h5 holds pictures of 4 x 4 pixels (rows x columns) and 1 channel, wide.h5 pictures of 4 x 6 pixels", ["wide.h5", "small.h5"]),
        ("wide transpose: transpose is for pictures as high as wide, and the samples have 4 x 6 pixels", ["wide.h5", "--transpose"]),
        ("t flip: flip is for pictures, and the samples are texts", ["t.h5", "--flip"]),
        ("data sets that are joined have one form", ["a.h5", "m1.h5"]),
        ("v.h5 has targets that are numbers, 2 a sample, m1.h5 classes", ["m1.h5", "v.h5", "--splits", "train"]),
        ("--classes is of labels, and the targets of v.h5 are numbers", ["v.h5", "--classes", "name"]),
        ("--groups own: the split 'train' of t.h5 has no groups", ["t.h5", "--groups", "own"]),
        ("labels can be wrong only where there are two classes or more", ["v.h5", "--change", "labels 0.1"]),
        ("--groups is source|own, not 'none'", ["a.h5", "--groups", "none"])):
    said = join(*arguments, code=2)
    check(sentence.replace("...", "") in said.replace("...", ""), "expected '%s', got: %s" % (sentence, said))
    check(said.count("mot: error: ") == 1, "not one sentence: " + said)
check(not [f for f in os.listdir(".") if f.startswith("j.h5")], "something is left behind: %s" % os.listdir("."))
check("whole.h5 exists: add --force to replace it" in mot(1, "data", "join", "--out", "whole.h5", "a.h5", code=2), "a file is replaced")
check("a.h5 is what is read" in mot(1, "data", "join", "--out", "a.h5", "--force", "b.h5", "a.h5", code=2), "a source is replaced")

sys.exit(1 if failures else 0)
