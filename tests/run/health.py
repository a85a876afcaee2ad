"""A run that goes wrong says so, once, with a cure that works: small data sets that need one are trained without it and
with what log.jsonl names as the cure. Runs that go well say nothing; neither does a run that is continued, again; and the
warnings are the same on any number of ranks."""
import concurrent.futures, json, math, os, random, shutil, struct, subprocess, sys, tempfile

sys.dont_write_bytecode = True
ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
sys.path.insert(0, os.path.join(ROOT, "tests", "support"))
from drive import MOT, check, failures

SMALL = ["threads=1", "model.width=16", "model.heads=2", "model.depth=1", "model.ffn=32", "train.batch=32", "train.rate=3e-3", "train.schedule=constant",
         "gate.init=0", "route.noise=none", "route.balance_loss=0", "record.every=0"]


# ---- data sets, each in need of something ----

def topics(n, length, word):
    """Lines of text; word(topic) gives one."""
    return "".join("topic%d\t%s\n" % (i % 4, " ".join(word(i % 4) for _ in range(length))) for i in range(n))


def plain_texts(r):
    return topics(600, 12, lambda c: "t%dw%d" % (c, r.randrange(30)) if r.random() < 0.5 else "w%d" % r.randrange(100))


def few_texts(r):
    return topics(450, 12, lambda c: "t%dw%d" % (c, r.randrange(40)) if r.random() < 0.3 else "w%d" % r.randrange(150))


def lopsided_texts(r):
    """One in twenty is spam."""
    def word(spam):
        if spam and r.random() < 0.5:
            return "s%d" % r.randrange(20)
        return "the" if r.random() < 0.5 else "w%d" % r.randrange(100)
    return "".join("%s\t%s\n" % (("ham", "spam")[i % 20 == 0], " ".join(word(i % 20 == 0) for _ in range(12))) for i in range(600))


def table(r, n, classes, columns, informative, noise):
    """Float numbers, of which some tell something, and a label."""
    mean = [[r.gauss(0, 1) if k < informative else 0 for k in range(columns)] for _ in range(classes)]
    return "".join(",".join("%.3f" % (m + r.gauss(0, noise)) for m in mean[i % classes]) + ",%d\n" % (i % classes) for i in range(n))


def moved_pictures(r):
    """Blots of 5 x 5 that stand anywhere."""
    blot = [[r.random() < 0.4 for _ in range(25)] for _ in range(6)]
    def picture(c):
        top, left = r.randrange(2, 6), r.randrange(2, 6)
        ink = {(top + i // 5, left + i % 5) for i in range(25) if blot[c][i]}
        return ",".join(str(max(0, min(255, int(200 * ((y, x) in ink) + r.gauss(30, 30))))) for y in range(12) for x in range(12))
    return "".join("%s,%d\n" % (picture(i % 6), i % 6) for i in range(450))


def write_npy(path, shape, kind, values):
    head = "{'descr': '<%s4', 'fortran_order': False, 'shape': %s, }" % (kind, shape)
    head += " " * (63 - (len(head) + 10) % 64) + "\n"
    with open(path, "wb") as file:
        file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head.encode())
        file.write(struct.pack("<%d%s" % (len(values), kind), *values))


def write_waves(r):
    """Series that differ by their frequency, each with the mean 0: all that a gate with gate.input=mean sees."""
    values, n, length = [], 600, 16
    for i in range(n):
        phase = r.uniform(0, 2 * math.pi)
        series = [math.sin(2 * math.pi * (i % 4 + 1) * t / length + phase) + r.gauss(0, 0.3) for t in range(length)]
        values += [value - sum(series) / length for value in series]
    write_npy("wave.npy", (n, length, 1), "f", values)
    write_npy("frequency.npy", (n,), "i", [i % 4 for i in range(n)])


def make(name, kind, text, *options):
    with open(name, "w") as file:
        file.write(text)
    mot("data", "import", kind, "--out", name + ".h5", "--train", name, *options)


def make_all():
    r = random.Random(3)
    words = "--length", "12", "--min-count", "1", "--test-fraction"
    make("plain", "text", plain_texts(r), *words, "0.2")
    make("few", "text", few_texts(r), *words, "0.66")
    make("lopsided", "text", lopsided_texts(r), *words, "0.2")
    make("digits", "csv", table(r, 800, 10, 64, 64, 0.8), "--test-fraction", "0.2")
    make("wide", "csv", table(random.Random(8), 450, 3, 40, 8, 1.3), "--test-fraction", "0.66")
    make("moved", "csv", moved_pictures(r), "--shape", "12x12", "--test-fraction", "0.66")
    write_waves(r)
    mot("data", "import", "npy", "--out", "waves.h5", "--train", "wave.npy,frequency.npy", "--test-fraction", "0.2")


# ---- runs ----

def launcher():
    """That of the MPI that this mot was built with."""
    said = subprocess.run([MOT, "--version"], capture_output=True, text=True).stdout
    named = [line.split()[-1] for line in said.splitlines() if line.startswith("launcher ")]
    return (shutil.which(named[0]) if named else None) or "mpirun"


def mot(*arguments, ranks=0):
    launch = [launcher(), "-n", str(ranks)] if ranks else []
    done = subprocess.run([*launch, MOT, *arguments], capture_output=True, text=True, timeout=600, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        sys.exit("FAILED: exit code %d of %s\n%s" % (done.returncode, " ".join(arguments), done.stdout + done.stderr))
    return done


class Run:
    def __init__(self, name, config, *settings, ranks=0):
        done = mot("train", "--quiet", config, "run=runs/" + name, *settings, ranks=ranks)
        self.name = name
        self.said = [line.split(" after step ")[0].split(": ")[-1] for line in done.stderr.splitlines()
                     if line.startswith("mot: warning: ") and "(docs/operations.md)" in line]
        with open("runs/%s/log.jsonl" % name) as file:
            lines = [json.loads(line) for line in file]
        with open("runs/%s/summary.json" % name) as file:
            self.summary = json.load(file)
        self.warnings = [line for line in lines if "warning" in line]
        self.steps = [line for line in lines if "train.loss" in line]

    def share(self):
        """Largest share of the samples of the last five reported steps."""
        load = [sum(column) for column in zip(*(line["routing.load"] for line in self.steps[-5:]))]
        return max(load) / sum(load)

    def figure(self, name):
        return {"accuracy": self.summary["eval.accuracy"], "experts": self.summary["routing.experts_used"],
                "share": self.share(), "loss": self.steps[-1]["train.loss"]}[name]


def small(name, data, *settings, ranks=0):
    with open(name + ".yaml", "w") as file:
        file.write("data: {file: %s.h5}\nreport: {every: 10}\n" % data)
    return Run(name, name + ".yaml", *SMALL, *settings, ranks=ranks)


# name of the warning; data; settings that bring it about; cure; figure, and what it must be without and with the cure
CASES = [
    ("constant_gate", "waves", ["train.until=20 epochs"], "gate.input=flat", "accuracy", lambda a, b: b > a + 0.1),
    ("constant_gate", "lopsided", ["route.scale=none", "train.until=3 epochs"], "route.scale=prob", "experts", lambda a, b: a == 1 < b),
    ("one_expert", "lopsided", ["train.until=10 epochs"], "route.balance_loss=1", "share", lambda a, b: a > 0.9 > b),
    ("idle_experts", "plain", ["model.experts=8", "train.until=10 epochs"], "route.balance_loss=1", "experts", lambda a, b: a < 8 == b),
    ("rising_loss", "digits", ["train.rate=1", "train.until=6 epochs", "route.balance_loss=1"], "train.rate=0.1", "loss", lambda a, b: b < a / 2),
    ("overfitting", "few", ["train.until=60 epochs", "route.balance_loss=1"], "data.augment.drop=0.5", "accuracy", lambda a, b: b > a + 0.05),
    ("overfitting", "moved", ["train.until=60 epochs", "route.balance_loss=1"], "data.augment.shift=1", "accuracy", lambda a, b: b > a + 0.1),
    ("overfitting", "wide", ["train.until=40 epochs", "route.balance_loss=1", "model.experts=6"], "route.top_k=all", "accuracy", lambda a, b: b > a + 0.05),
]


def try_case(number):
    warning, data, settings, cure, figure, recovers = CASES[number]
    bad = small("bad%d" % number, data, *settings)
    cures = [line["cure"] for line in bad.warnings if line["warning"] == warning]
    good = small("good%d" % number, data, *settings, *(cures or [cure])[0].split())
    return bad, good


def judge(number, bad, good):
    warning, data, _, cure, figure, recovers = CASES[number]
    name = "%s of %s" % (warning, data)
    there = [line["warning"] for line in bad.warnings]
    check(bad.said.count(warning) == 1, "%s: the terminal has %s" % (name, bad.said))
    check(there.count(warning) == 1, "%s: log.jsonl has %s" % (name, there))
    check(sorted(bad.said) == sorted(there) == sorted(bad.summary["warnings"]), "%s: the terminal has %s, log.jsonl %s, summary.json %s" %
          (name, bad.said, there, bad.summary["warnings"]))
    check([line["cure"] for line in bad.warnings if line["warning"] == warning] == [cure], "%s: the cure is %s" % (name, bad.warnings))
    check(warning not in good.said and warning not in good.summary["warnings"], "%s: with %s there is %s" % (name, cure, good.warnings))
    before, after = bad.figure(figure), good.figure(figure)
    check(recovers(before, after), "%s: %s is %.4g without and %.4g with %s" % (name, figure, before, after, cure))
    print("%-28s %s %.3g without, %.3g with %s; besides: %s, %s" %
          (name, figure, before, after, cure, [w for w in there if w != warning], good.summary["warnings"]))


# ---- runs that go well ----

def healthy(number):
    name, settings = [
        ("first", ["train.until=8 epochs"]), ("mixture", []),
        ("mixture-theory", ["eval.every=0", "record.every=0", "record.eval=false"]),
    ][number]
    return Run(name, os.path.join(ROOT, "configs", name + ".yaml"), "threads=1", *settings)


def quiet(number):
    """What is as it is on purpose, or cannot be otherwise."""
    return small("quiet%d" % number, *[
        ("plain", "gate.kind=fixed", "gate.told=label", "model.experts=6", "train.until=4 epochs"),
        ("plain", "model.experts=1", "route.scale=none", "train.until=4 epochs"),
        ("plain", "route.top_k=all", "train.until=4 epochs"),
        ("lopsided", "train.parts=[embed, attention, ffn, head]", "train.until=4 epochs"),
        ("lopsided", "train.warmup=60", "train.until=60 steps"),
    ][number])


def other_ranks(number):
    return small("ranks%d" % number, "plain", "model.experts=8", "train.until=3 epochs", ranks=number)


def main():
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as folder:
        os.chdir(folder)
        make_all()
        os.mkdir("data")
        mot("data", "make", "mixture", "--out", "data/mixture.h5", "--train", "4000", "--test", "500")
        os.symlink("mixture.h5", "data/first.h5")
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            well = [pool.submit(healthy, n) for n in (2, 0, 1)] + [pool.submit(quiet, n) for n in range(5)]
            ranks = [pool.submit(other_ranks, n) for n in (0, 3)]
            cases = [pool.submit(try_case, n) for n in range(len(CASES))]
        for number, case in enumerate(cases):
            judge(number, *case.result())
        for run in (job.result() for job in well):
            check(run.said == run.summary["warnings"] == [], "%s warns: %s" % (run.name, run.warnings))

        alone, three = (job.result() for job in ranks)
        check(alone.warnings == three.warnings != [], "1 rank has %s, 3 have %s" % (alone.warnings, three.warnings))
        again = small(three.name, "plain", "model.experts=8", "train.until=6 epochs")
        check(again.said == [] and again.summary["warnings"] == three.summary["warnings"] and again.warnings == three.warnings,
              "a run that goes on: %s, before %s" % (again.said, three.warnings))
    if failures:
        sys.exit("%d failed" % len(failures))
    print("all well")


main()
