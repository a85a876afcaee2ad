"""A run over a stream of tasks: the table of accuracies by task that it leaves is that of its checkpoints, evaluated one by one, and
of its predictions; the figures of continual learning are their formulas; all files say the same; a run that goes on from a
checkpoint comes to the same; and the recipes of docs/continual.md run."""
import csv, json, os, pathlib, re, shutil, subprocess, sys, tempfile

try:
    import h5py, numpy
except ImportError as missing:
    print("skipped:", missing)
    sys.exit(77)
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from drive import MOT, check, failures, summary as summary_of

SOURCE = pathlib.Path(os.environ["MOT_SOURCE_DIR"])
LIMIT = int(os.environ.get("MOT_TEST_LIMIT", 600))
TASKS, STEPS = 3, 8
CONFIG = """
data: {source: stream, stream: {files: d.h5, split: class, tasks: %d}}
model: {experts: 4, width: 8, heads: 2, depth: 1, ffn: 16}
train: {batch: 16, rate: 0.02, until: %d steps}
rehearsal: {strategy: concurrent, memory: 8}
checkpoint: {every: %d, keep: 0, start: true}
eval: {every: 5, batch: 25}
""" % (TASKS, STEPS, STEPS)


def near(a, b):
    return (a is None or numpy.isnan(a)) and (b is None or numpy.isnan(b)) if a is None or b is None else \
        abs(a - b) <= 1e-12 or (numpy.isnan(a) and numpy.isnan(b))


def mot(ranks, *arguments):
    launch = ["mpirun", "-n", str(ranks)] if ranks > 1 else []
    done = subprocess.run([*launch, MOT, *arguments], capture_output=True, text=True, timeout=LIMIT)
    if done.returncode != 0:
        sys.exit("FAILED: mot %s ended with %d: %s" % (" ".join(arguments), done.returncode, (done.stdout + done.stderr)[-800:]))
    return done.stdout


def make_data():
    """Six classes, two a task, of which those of different tasks lie near each other: later tasks disturb the first."""
    rng = numpy.random.default_rng(3)
    centre = rng.normal(size=(2, 8))[[0, 1, 0, 1, 1, 0]] + 0.6 * rng.normal(size=(6, 8))
    files = []
    for split, count in (("train", 40), ("test", 15)):
        y = rng.permutation(numpy.repeat(numpy.arange(6), count))
        numpy.save(split + "-y.npy", y)
        numpy.save(split + "-x.npy", (centre[y] + 0.7 * rng.normal(size=(len(y), 8))).astype("f4"))
        files += ["--" + split, "%s-x.npy,%s-y.npy" % (split, split)]
    mot(1, "data", "import", "npy", "--out", "d.h5", *files, "--class-names=a,b,c,d,e,f", "--scale", "none")
    pathlib.Path("c.yaml").write_text(CONFIG)


def figures(table):
    """By their formulas, papers' numbers less one; table [T + 1, T], row 0 before the first step."""
    b, R, n = table[0], table[1:], table.shape[1]
    old, last = range(n - 1), n - 1
    mean = lambda values: sum(values) / len(values)
    return {
        "acc": mean([R[last, j] for j in range(n)]),
        "learning": mean([R[j, j] for j in range(n)]),
        "incremental": mean([mean([R[i, j] for j in range(i + 1)]) for i in range(n)]),
        "bwt": mean([R[last, j] - R[j, j] for j in old]),
        "fwt": mean([R[j - 1, j] - b[j] for j in range(1, n)]),
        "forgetting": mean([max(R[:last, j]) - R[last, j] for j in old]),
        "forgetting_learned": mean([max(R[j:last, j]) - R[last, j] for j in old]),
        "forgetting_peak": mean([max(R[j:, j]) - R[last, j] for j in old]),
        "forgetting_first": mean([R[j, j] - R[last, j] for j in old]),
    }


def table_of(summary, prefix):
    return numpy.array(summary[prefix + ".matrix"]).reshape(TASKS + 1, TASKS)


def check_figures(run, summary):
    for prefix, name in (("stream", "accuracy"), ("stream.unaided", "accuracy_unaided")):
        table = table_of(summary, prefix)
        with h5py.File(run + "/run.h5") as file:
            kept = file["stream"][name]
            check((kept[:] == table).all(), "run.h5: %s is not that of summary.json" % name)
            check([d.keys()[0] for d in kept.dims] == ["row", "task"], "axes of " + name)
            for key, value in figures(table).items():
                check(near(summary["%s.%s" % (prefix, key)], value), "%s.%s is %r, by its formula %r" %
                      (prefix, key, summary["%s.%s" % (prefix, key)], value))
                check(near(kept.attrs[key], value), "run.h5: %s of %s" % (key, name))
                check("%s.%s.why" % (prefix, key) not in summary and key + "_why" not in kept.attrs, "why not " + key)


def check_checkpoints(run, summary):
    """Each row by a new evaluation of its checkpoint, which has all rows up to it and no more."""
    known, unaided = table_of(summary, "stream"), table_of(summary, "stream.unaided")
    check(summary["stream.steps"] == [STEPS * r for r in range(TASKS + 1)], "steps of the rows")
    for row, step in enumerate(summary["stream.steps"]):
        path = "%s/checkpoints/step-%08d.h5" % (run, step)
        found = json.loads(mot(1, "eval", path, "--json").strip().splitlines()[-1])
        check(found["eval.task_accuracy"] == list(known[row]), "row %d: %s evaluates to %s" % (row, path, found["eval.task_accuracy"]))
        check(found["eval.task_accuracy_unaided"] == list(unaided[row]), "row %d, task not known" % row)
        load = numpy.array(found["routing.group_load"]).reshape(TASKS, -1)
        check(found["routing.task_expert"] == list(load.argmax(axis=1)), "row %d: the expert of each task" % row)
        check(all(near(a, b) for a, b in zip(found["routing.task_expert_share"], load.max(axis=1) / load.sum(axis=1))),
              "row %d: its share" % row)
        with h5py.File(path) as file:
            kept = file["stream/accuracy"][:]
            check((kept[:row + 1] == known[:row + 1]).all() and numpy.isnan(kept[row + 1:]).all(), "rows in " + path)
            check(file["stream"].attrs["learned"] == row, "learned in " + path)
            check(("bwt_why" in file["stream/accuracy"].attrs) == (row < 2), "why there is no bwt in " + path)


def check_predictions(run, summary):
    """The last row from what is predicted of each sample, where nobody knows its task: all classes, or those of the task."""
    mot(1, "predict", run, "-o", "p.csv")
    rows = list(csv.DictReader(open("p.csv")))
    with h5py.File("d.h5") as file:
        label = file["test/y"][:]
    order = numpy.argsort(label // 2, kind="stable")  # tasks one after another, each as it is stored
    classes = "abcdef"
    probability = numpy.array([[float(row["p_" + c]) for c in classes] for row in rows])
    check(len(rows) == len(label), "%d predictions" % len(rows))
    for name, row in (("stream", table_of(summary, "stream")[-1]), ("stream.unaided", table_of(summary, "stream.unaided")[-1])):
        for task in range(TASKS):
            at = numpy.flatnonzero(label[order] // 2 == task)
            among = probability[at] if name != "stream" else probability[at][:, 2 * task:2 * task + 2]
            taken = among.argmax(axis=1) + (2 * task if name == "stream" else 0)
            check(near((taken == label[order][at]).mean(), row[task]), "%s of task %d by predictions: %g, not %g" %
                  (name, task, (taken == label[order][at]).mean(), row[task]))
    check_known_tasks(run, probability, label[order])


def check_known_tasks(run, probability, label):
    """With the task known, by its name or by each sample's group, the same among the classes of the task alone."""
    def predicted(*arguments):
        mot(2, "predict", run, "-o", "q.csv", "--force", *arguments)
        rows = list(csv.DictReader(open("q.csv")))
        return numpy.array([[float(row["p_" + c]) for c in "abcdef"] for row in rows]), [row["class"] for row in rows]

    def check_task(p, classes, at, task, what):
        among = probability[at][:, 2 * task:2 * task + 2].astype("f8")
        check(numpy.allclose(p[at][:, 2 * task:2 * task + 2], among / among.sum(1, keepdims=True), atol=1e-6), "probabilities: " + what)
        check(numpy.count_nonzero(p[at]) == 2 * len(at) or numpy.all(p[at].sum(1) > 0.999999), "other tasks: " + what)
        check([classes[i] for i in at] == ["abcdef"[2 * task + c] for c in among.argmax(1)], "classes: " + what)

    by_group, classes = predicted("--task", "group")
    for task in range(TASKS):
        check_task(by_group, classes, numpy.flatnonzero(label // 2 == task), task, "of groups")
    names = summary_of(run)["stream.names"]
    for name in (names[1], names[1].split(": ", 1)[1], "1"):
        p, classes = predicted("--task", name)
        check_task(p, classes, numpy.arange(len(label)), 1, "of --task " + name)
    refused = (("--task: 'birds' is none of the run's tasks, or of several: they are %s, " % names[0], ["--task", "birds"]),
               ("--task group: d.h5 has no groups", ["--data", "d.h5", "--task", "group"]),
               ("--task group is of a data set", ["--csv", "x.csv", "--task", "group"]))
    for sentence, arguments in refused:
        done = subprocess.run([MOT, "predict", run, "-o", "no.csv", *arguments], capture_output=True, text=True, timeout=LIMIT)
        check(done.returncode == 2 and sentence in done.stderr and not os.path.exists("no.csv"), "refused: " + done.stderr)


def check_said(run, summary, said):
    """On the terminal, in log.jsonl, and by mot inspect."""
    shown = mot(1, "inspect", run)
    known = table_of(summary, "stream")
    names = summary["stream.names"]
    for task in range(TASKS):
        cells = "".join(" +%.1f" % (100 * share) for share in known[task + 1][:task + 1])
        for text in (said, shown):
            check(re.search("^%s%s$" % (re.escape(names[task]), cells), text, re.M), "the triangle has no row of " + names[task])
    for text in (said, shown):
        check(re.search(r"^  forgetting +%.4f +%.4f$" % (summary["stream.forgetting"], summary["stream.unaided.forgetting"]), text, re.M),
              "forgetting is not said")
    lines = [json.loads(line) for line in open(run + "/log.jsonl")]
    rows = [line for line in lines if "stream.row" in line]
    check([line["task"] for line in rows] == [-1, 0, 1, 2], "tasks in log.jsonl")
    for row, line in enumerate(rows):
        check(line["stream.row"] == list(known[row]) and line["step"] == STEPS * row, "row %d in log.jsonl" % row)
    check(rows[1]["stream.bwt"] is None and "no task" in rows[1]["stream.bwt.why"], "why there is no bwt after one task")
    check(rows[3]["stream.unaided.acc"] == summary["stream.unaided.acc"], "acc in log.jsonl")


def check_record(run, summary):
    """At every evaluation, not only at the ends of tasks."""
    found = {}
    with h5py.File(run + "/run.h5") as file:
        for segment in file["segments"].values():
            if "eval/task_accuracy" in segment:
                check(segment["eval/task_accuracy"].dims[1].keys() == ["group"], "axis of task_accuracy")
                found.update(zip(segment["eval/step"][:], segment["eval/task_accuracy"][:]))
    check(sorted(found) == [0, 5, 8, 10, 15, 16, 20, 24], "evaluations: %s" % sorted(found))
    for row, step in enumerate(summary["stream.steps"]):
        check((found[step] == table_of(summary, "stream")[row]).all(), "the record's evaluation after %d steps" % step)


def go_on(summary):
    """From the first task's end, on another number of ranks."""
    shutil.copytree("r", "again")
    for step in range(STEPS + 1, TASKS * STEPS + 1):
        pathlib.Path("again/checkpoints/step-%08d.h5" % step).unlink(missing_ok=True)
    pathlib.Path("again/summary.json").unlink()
    mot(3, "train", "c.yaml", "run=again")
    again = summary_of("again")
    check(again["digest"] == summary["digest"], "digest of a run that went on")
    for key in summary:
        if key.startswith("stream."):
            check(again[key] == summary[key], "%s of a run that went on: %s, not %s" % (key, again[key], summary[key]))
    check_figures("again", again)


def one_head():
    """Nothing is to be known: there is one table."""
    said = mot(1, "train", "c.yaml", "run=one", "data.stream.heads=one", "rehearsal.strategy=none", "train.until=40 steps")
    summary = summary_of("one")
    check(not any("unaided" in key for key in summary), "one head, but a table for tasks that are not known")
    with h5py.File("one/run.h5") as file:
        check("accuracy_unaided" not in file["stream"], "likewise in run.h5")
    check("not known" not in said, "likewise on the terminal")
    check("overfitting" not in summary["warnings"], "what is not learned yet passes for overfitting")
    check(all(near(summary["stream." + key], value) for key, value in figures(table_of(summary, "stream")).items()),
          "figures with one head")


def recipes(run):
    codes = re.findall(r"^```python\n(.*?)^```", (SOURCE / "docs/continual.md").read_text(), re.S | re.M)
    check(len(codes) == 3, "%d recipes" % len(codes))
    try:
        import matplotlib
    except ImportError:
        codes = [code for code in codes if "matplotlib" not in code]
    for code in codes:
        done = subprocess.run(["/usr/bin/python3", "-W", "error", "-c", code], cwd=run, capture_output=True, text=True)
        check(done.returncode == 0, "a recipe failed:\n" + done.stderr[-800:])
        for line in done.stdout.splitlines():
            numbers = re.match(r"\w+ (\S+) in the file (\S+)$", line)
            check(numbers is None or numbers[1] == numbers[2], "a recipe says: " + line)
    check(len(codes) < 3 or os.path.getsize(run + "/tasks.png") > 5000, "no picture")


os.chdir(tempfile.mkdtemp(prefix="mot-continual."))
try:
    make_data()
    said = mot(2, "train", "c.yaml", "run=r")
    summary = summary_of("r")
    check_figures("r", summary)
    check_checkpoints("r", summary)
    check_predictions("r", summary)
    check_said("r", summary, said)
    check_record("r", summary)
    go_on(summary)
    one_head()
    recipes("r")
    check(summary["stream.unaided.acc"] < summary["stream.acc"], "the data tell nothing of the difference")
finally:
    shutil.rmtree(os.getcwd())
print("%d failed" % len(failures) if failures else "all well")
sys.exit(bool(failures))
