"""What mot report says of runs that are formulas (planted.c), of which every figure is known: computed here from the formulas, not
from files, and compared to 1e-6; with scikit-learn, where it is there, as well."""
import collections, functools, json, math, os, shutil, subprocess, sys, tempfile

MOT, BUILD = os.environ["MOT_BINARY"], os.environ["MOT_BUILD_DIR"]
E, C, G, LAYERS, K, N, T, STEPS, BATCH = 8, 8, 4, 2, 2, 560, 5, 40, 96
SEEDS = (0, 1, 2)
bad = checked = 0


# ---- the formulas of planted.c ----

def label(i): return i % C
def own(s, l, i): return (label(i) + l + s + (2 if i % 10 < s else 0)) % E
def first(s, l, t, i): return (own(s, l, i) + (0 if i // C % T <= t else 1)) % E
def choices(s, l, t, i): return [first(s, l, t, i), (first(s, l, t, i) + 1 + i // C % 2) % E]
def predicted(i): return (label(i) + 1) % C if i % 7 == 0 else label(i)
def hit(i): return predicted(i) == label(i)
def loss(i): return 2 + 0.125 * (i % 4) if i % 7 == 0 else 0.25 + 0.0625 * (i % 3)
def prob(i): return 0.5 + 0.03125 * (i % 15)
def best(s, l, i): return (own(s, l, i) + (i % 5 == 0)) % E
def only_loss(s, l, i, e): return 0.5 + 0.25 * ((e - best(s, l, i)) % E)
def only_right(s, l, i, e): return e == best(s, l, i) or (i + e) % 4 == 0
def without_right(s, l, i, e): return hit(i) if e != first(s, l, T - 1, i) else i % 3 == 0
def received(i): return [[[(1 + (i + b + 2 * h + j) % 4) / 10 for j in range(4)] for h in range(2)] for b in range(2)]
def rollout(l, i): return [(1 + (i + l + 3 * j) % 4) / 10 for j in range(4)]
def load(s, step):
    n = [BATCH // E] * E
    n[0] += 3 * ((step + s) % 3)
    n[1] -= 3 * ((step + s) % 3)
    if step > STEPS // 2:
        n[0], n[-1] = n[0] + n[-1], 0
    return n
RANKS, REPORT = 4, 2
def ranks_at(step): return RANKS if step <= STEPS // 2 else RANKS - 1
def compute(r, step): return (1 + r * step % 5) / 16
def exchange(r, step): return (r + step) % 4 / 16
def wait(r, step): return r % 3 / 16
EVALS = [min(step for step in range(1, STEPS + 1) if step * T >= (t + 1) * STEPS) for t in range(T)]


# ---- figures by their definitions ----

def table(pairs, rows, columns):
    count = collections.Counter(pairs)
    return [[count[r, c] for c in range(columns)] for r in range(rows)]

def entropy(counts):
    n = sum(counts)
    return -sum(c / n * math.log(c / n) for c in counts if c)

def mutual(t):
    return max(0, entropy([sum(r) for r in t]) + entropy([sum(c) for c in zip(*t)]) - entropy([x for r in t for x in r]))

@functools.lru_cache(maxsize=None)
def log_factorials(n):
    return [math.lgamma(k + 1) for k in range(n + 1)]

def ami(t):
    rows, columns, n = [sum(r) for r in t if sum(r)], [sum(c) for c in zip(*t) if sum(c)], sum(map(sum, t))
    if len(rows) == len(columns) == 1:
        return 1
    f = log_factorials(n)
    expected = 0
    for a in rows:
        for b in columns:
            for k in range(max(1, a + b - n), min(a, b) + 1):
                weight = f[a] + f[b] + f[n - a] + f[n - b] - f[n] - f[k] - f[a - k] - f[b - k] - f[n - a - b + k]
                expected += k / n * math.log(n * k / (a * b)) * math.exp(weight)
    return (mutual(t) - expected) / ((entropy(rows) + entropy(columns)) / 2 - expected)

def ari(x, y):
    pairs = lambda counts: sum(c * (c - 1) / 2 for c in counts)
    both, a, b, all_ = pairs(collections.Counter(zip(x, y)).values()), pairs(collections.Counter(x).values()), pairs(collections.Counter(y).values()), len(x) * (len(x) - 1) / 2
    return (both - a * b / all_) / ((a + b) / 2 - a * b / all_)

def wilson(hits, n, z=1.959963984540054):
    p = hits / n
    middle, half = (p + z * z / 2 / n) / (1 + z * z / n), z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / 4 / n / n)
    return max(middle - half, 0), min(middle + half, 1)

def mean_interval(values):
    n, m = len(values), sum(values) / len(values)
    half = 1.959963984540054 * math.sqrt(sum((v - m) ** 2 for v in values) / (n - 1) / n)
    return m, m - half, m + half

def ranks(values):
    order, rank = sorted(range(len(values)), key=values.__getitem__), [0] * len(values)
    at = 0
    while at < len(order):
        end = at
        while end < len(order) and values[order[end]] == values[order[at]]:
            end += 1
        for i in order[at:end]:
            rank[i] = (at + 1 + end) / 2
        at = end
    return rank

def correlation(x, y):
    mx, my = sum(x) / len(x), sum(y) / len(y)
    return sum((a - mx) * (b - my) for a, b in zip(x, y)) / math.sqrt(sum((a - mx) ** 2 for a in x) * sum((b - my) ** 2 for b in y))


# ---- comparing ----

def flat(value):
    return [x for v in value for x in flat(v)] if isinstance(value, (list, tuple)) else [value]

def same(what, got, wanted, within=1e-6):
    global bad, checked
    got, wanted = flat(got), flat(wanted)
    checked += len(wanted)
    wrong = [i for i, (g, w) in enumerate(zip(got, wanted)) if (g is None) != (w is None) or (g is not None and (abs(g - w) > within if isinstance(w, (int, float)) else g != w))]
    if len(got) != len(wanted) or wrong:
        bad += 1
        at = wrong[0] if wrong else -1
        print("FAILED: %s: %d numbers, %d expected; the first that differs is number %d: %r, expected %r" % (what, len(got), len(wanted), at, got[at], wanted[at]))

def view(part, name, run=0, layer=0):
    found = [v for p in report["parts"] if p["id"] == part for v in p["views"]
             if v["id"] == name and v.get("run", run) == run and v.get("layer", layer) == layer]
    assert len(found) == 1, "%d views %s/%s of run %d layer %d" % (len(found), part, name, run, layer)
    return found[0]

def series(v, name):
    return next(s for s in v["series"] if s["name"] == name)

def row(v, name):
    return next(r for r in v["rows"] if r[0] == name)[1:]


def plant(name, s, *shape, **settings):
    run = os.path.join(folder, name)
    subprocess.run([os.path.join(BUILD, "tests", "planted"), run, *map(str, (s, *shape))], check=True)
    with open(os.path.join(run, "config.yaml"), "w") as config:  # where samples are, and of what settings
        config.write("seed: %d\ndata: {source: mixture, mixture: {classes: 4, tokens: 4, width: 8, eval: %d}}\ntrain: {rate: %s}\n"
                     % (s, N, settings.get("rate", 0.01)))
    return run

def made(*runs):
    out = os.path.join(folder, "report.json")
    subprocess.run([MOT, "report", *runs, "--json", out, "--force"], check=True)
    return json.load(open(out))

SMALL, MANY = (E, C, G, 1, 1, 160, 2, 10, BATCH, 0, 0), 6
folder = tempfile.mkdtemp(prefix="mot-report-")
try:
    report = made(*(plant("seed%d" % s, s, E, C, G, LAYERS, K, N, T, STEPS, BATCH, 1, RANKS) for s in SEEDS))
    several = [plant("many%d" % s, s, *SMALL) for s in range(MANY)]
    many = made(*several, *(plant("fast%d" % s, s, *SMALL, rate=0.02) for s in range(2)), plant("longer", MANY, *SMALL[:7], 12, BATCH, 0, 0), plant("again", 0, *SMALL))
    backward = made(*reversed(several))
    apart = made(several[0], os.path.join(folder, "longer"))
    values_of = lambda key: [json.load(open(run + "/summary.json"))[key] for run in several]
    losses = values_of("eval.loss")
finally:
    shutil.rmtree(folder)

everyone, first_report = range(N), report
wrong_ones = [i for i in everyone if not hit(i)]
for s in SEEDS:
    for l in range(LAYERS):
        at = dict(run=s, layer=l)
        by_class = [table(((label(i), first(s, l, t, i)) for i in everyone), C, E) for t in range(T)]
        by_group = [table(((label(i) % G, first(s, l, t, i)) for i in everyone), G, E) for t in range(T)]
        same("classes", [f["values"] for f in view("classes", "classes-evaluated", **at)["frames"]], by_class)
        same("groups", [f["values"] for f in view("classes", "groups-evaluated", **at)["frames"]], by_group)
        same("steps of frames", [f["step"] for f in view("classes", "classes-evaluated", **at)["frames"]], EVALS)
        for kind, counts in (("classes", by_class), ("groups", by_group)):
            v = view("specialization", "ami-" + kind, **at)
            same("AMI of " + kind, series(v, "routing")["values"], [ami(t) for t in counts])
            same("shuffled " + kind, series(v, "shuffled labels")["values"], [0] * T, 0.1)
            same("lots of " + kind, series(v, "random gate")["values"], [0] * T, 0.1)
            told = table(((i % len(counts[0]), i % len(counts[0])) for i in everyone), len(counts[0]), E)
            same("told " + kind, series(v, "told gate")["values"], [ami(told)] * T)
            v = view("specialization", "purity-" + kind, **at)
            same("purity of " + kind, series(v, "purity")["values"], [sum(max(c) for c in zip(*t)) / N for t in counts])
            same("NMI of " + kind, series(v, "normalized mutual information")["values"],
                 [mutual(t) / math.sqrt(entropy([sum(r) for r in t]) * entropy([sum(c) for c in zip(*t)])) for t in counts])
        # What the gate sees is the expert and a little noise, or a word of its own, more or less often: k-means finds the experts.
        v = view("specialization", "geometry", **at)
        dealt = v["rows"].pop(4)[1]
        same("geometry", [r[1] for r in v["rows"]], [ami(by_class[-1])] * 2 + [ami(by_group[-1])] * 2 + [1, 1])
        # Where a class has an expert of its own, whatever groups are made of classes are told alike.
        same("groups by lot", dealt, ami(by_group[-1]), 1e-6 if s == 0 else 0.15)
        # Load: of every step.
        loads, steps = [load(s, step) for step in range(1, STEPS + 1)], range(STEPS)
        same("max over mean", series(view("load", "load-max", **at), "largest load / mean load")["values"], [max(n) * E / sum(n) for n in loads])
        same("effective", view("load", "load-effective", **at)["series"][0]["values"], [math.exp(entropy(n)) for n in loads])
        same("dead", view("load", "load-dead", **at)["series"][0]["values"], [0] * STEPS)
        same("stage", [m["x"] for m in view("load", "load-max", **at)["marks"]], [STEPS // 2 + 1])
        last = [sum(loads[step][e] for step in steps[-4:]) for e in range(E)]
        same("at the end", view("load", "load-experts", **at)["series"][0]["values"], [n / sum(last) for n in last])
        busiest = sorted(last, reverse=True)
        same("concentration", series(view("concentration", "concentration", **at), "last tenth")["values"], [sum(busiest[:n]) / sum(last) for n in range(E + 1)])
        # Saturation: planted is (t + 1) / T of the samples with both choices, and what 1 and 2 further have in common of the others.
        overlap = lambda t, u: [len(set(choices(s, l, t, i)) & set(choices(s, l, u, i))) / K for i in everyone]
        v = series(view("saturation", "saturation", **at), "with the last evaluation")
        same("saturation", v["values"], [sum(overlap(t, T - 1)) / N for t in range(T)])
        same("its interval", [v["low"][:T - 1], v["high"][:T - 1]], list(zip(*[[max(m[1], 0), min(m[2], 1)] for m in (mean_interval(overlap(t, T - 1)) for t in range(T - 1))])))
        same("since the one before", series(view("saturation", "saturation", **at), "with the evaluation before")["values"],
             [None] + [sum(overlap(t, t - 1)) / N for t in range(1, T)])
        flow = view("flow", "flow", **at)
        same("flow", [flow["counts"]["%d-%d" % (t, u)] for t in range(T) for u in range(t + 1, T)],
             [table(((first(s, l, t, i), first(s, l, u, i)) for i in everyone), E, E) for t in range(T) for u in range(t + 1, T)])
        changed = [i for i in everyone if first(s, l, T - 2, i) != first(s, l, T - 1, i)]
        same("changed", [r[:4] for r in view("flow", "changed", **at)["rows"]], [[i, str(label(i)), first(s, l, T - 2, i), first(s, l, T - 1, i)] for i in changed])
        together = [[[sum(a in c and b in c for c in every) for b in range(E)] for a in range(E)]
                    for every in ([choices(s, l, t, i) for i in everyone] for t in range(T))]
        same("experts together", [f["values"] for f in view("together", "together-experts", **at)["frames"]],
             [[[n / line[a] if line[a] else None for n in line] for a, line in enumerate(t)] for t in together])
        same("classes together", [f["values"] for f in view("together", "together-classes", **at)["frames"]],
             [[[sum(x * y for x, y in zip(a, b)) / sum(a) / sum(b) for b in t] for a in t] for t in by_class])
        # Knock-out, of the analysis.
        of_class = lambda c: [i for i in everyone if label(i) == c]
        same("knock-out of classes", view("knockout", "knockout-classes", **at)["frames"][0]["values"],
             [[sum(without_right(s, l, i, e) - hit(i) for i in of_class(c)) / len(of_class(c)) for e in range(E)] for c in range(C)])
        for name, values in (("knockout-accuracy", lambda i, e: without_right(s, l, i, e) - hit(i)),
                             ("knockout-loss", lambda i, e: 0.5 * (e == first(s, l, T - 1, i)))):
            v, wanted = view("knockout", name, **at)["series"][0], [mean_interval([values(i, e) for i in everyone]) for e in range(E)]
            same(name, [v["values"], v["low"], v["high"]], list(zip(*wanted)))
        v = view("knockout", "kept-accuracy", **at)
        right = sum(map(hit, everyone)) / N
        same("kept", [v["x"]["values"], v["series"][0]["values"]], [[1 / 8, 1 / 4, 1 / 2, 1], [0.25, 0.5, 0.75, right]])
        same("its interval", list(zip(v["series"][0]["low"], v["series"][0]["high"])), [wilson(a * N, N) for a in (0.25, 0.5, 0.75, right)])
        # Regret.
        regret = [only_loss(s, l, i, first(s, l, T - 1, i)) - 0.5 for i in everyone]
        v = view("regret", "regret", **at)
        same("regret", row(v, "regret"), mean_interval(regret))
        if s == 0:
            same("regret by construction: 7/8 of the range for every fifth", row(v, "regret")[0], (E - 1) * 0.25 / 5)
        same("first is best", row(v, "share of samples whose first choice is the best"), (sum(r == 0 for r in regret) / N,) + wilson(sum(r == 0 for r in regret), N))
        same("oracle", row(v, "accuracy of an oracle gate")[0], 1)
        same("as it is", row(v, "accuracy as the model is"), (right,) + wilson(right * N, N))
        same("regret of experts", view("regret", "regret-experts", **at)["series"][0]["values"],
             [sum(mine) / len(mine) for mine in ([regret[i] for i in everyone if first(s, l, T - 1, i) == e] for e in range(E))])
        same("losses", view("regret", "regret-losses", **at)["frames"][0]["values"],
             [[sum(only_loss(s, l, i, e) for i in of_class(c)) / len(of_class(c)) for e in range(E)] for c in range(C)])
        # Confidence.
        margin = [prob(i) - (1 - prob(i)) / (E - 1) for i in everyone]
        v = view("confidence", "margin", **at)
        for name, wanted in (("right", True), ("wrong", False)):
            same("margins", series(v, name)["values"], [sum(hit(i) == wanted and int(margin[i] * 20) == b for i in everyone) for b in range(20)])
        v = view("confidence", "confidence", **at)
        rho = correlation(ranks([prob(i) for i in everyone]), ranks([loss(i) for i in everyone]))
        same("rank correlation", row(v, "rank correlation of probability and loss"),
             [rho] + [math.tanh(math.atanh(rho) + sign * 1.959963984540054 / math.sqrt(N - 3)) for sign in (-1, 1)])
        rank = ranks([prob(i) for i in everyone])
        n = sum(map(hit, everyone))
        same("AUROC", row(v, "a right sample has the larger probability (AUROC)")[0], (sum(rank[i] for i in everyone if hit(i)) - n * (n + 1) / 2) / (n * (N - n)))
        bins = [[i for i in everyone if int(prob(i) * 10) == b] for b in range(10)]
        v = view("confidence", "reliability", **at)
        same("reliability", series(v, "answer is right")["values"], [sum(map(hit, b)) / len(b) if b else None for b in bins])
        same("of the best", series(v, "first choice is the best expert")["values"], [sum(regret[i] == 0 for i in b) / len(b) if b else None for b in bins])
        same("its interval", series(v, "answer is right")["low"], [wilson(sum(map(hit, b)), len(b))[0] if b else None for b in bins])
        wrong = sorted((i for i in everyone if not hit(i)), key=lambda i: (-prob(i), i))[:100]
        same("sure but wrong", [r[0] for r in view("confidence", "sure-wrong", **at)["rows"]], wrong)
        # Samples: the surest of each expert, and where it looks.
        for name, ours in (("samples-liked", everyone), ("samples-wrong", wrong_ones)):
            v = view("samples", name, **at)
            wanted = [(e, i) for e in range(E) for i in sorted((i for i in ours if first(s, l, T - 1, i) == e), key=lambda i: (-prob(i), i))[:12]]
            same(name, [(item["of"], item["sample"]) for item in v["items"]], wanted)
            same("attention of " + name, [[item["attention"][key] for key in ("received", "rollout")] for item in v["items"]],
                 [[received(i), rollout(l, i)] for _, i in wanted])
            same("what attention is", sorted(v["attention"].items()), [("between", ""), ("blocks", 2), ("class_token", False), ("heads", 2)])
        same("waited", view("cost", "cost-imbalance", **at)["series"][0]["values"], [1 - sum(n) / E / max(n) for n in loads])
    same("times", [x["values"] for x in view("cost", "cost-times", run=s)["series"]], [[t] * STEPS for t in (0.5, 0.25, 0.125)])
    # Ranks, one of which is gone in the second half: of every report, and over the run.
    rows = [range(step - REPORT + 1, step + 1) for step in range(REPORT, STEPS + 1, REPORT)]
    for name, of in (("compute", compute), ("exchange", exchange), ("wait", wait)):
        v = view("cost", "cost-ranks-" + name, run=s)
        same(name + " by rank and step", [[int(x) for x in v["x"]["names"]], v["frames"][0]["values"]],
             [[row[-1] for row in rows], [[sum(of(r, t) for t in row) / REPORT if r < ranks_at(row[-1]) else None for row in rows] for r in range(RANKS)]])
    steps_of = lambda r: [t for t in range(1, STEPS + 1) if r < ranks_at(t)]
    mean = lambda values: sum(values) / len(values)
    other = lambda r, t: 2 / REPORT - compute(r, t) - exchange(r, t) - wait(r, t)
    same("by rank", [x["values"] for x in view("cost", "cost-ranks", run=s)["series"]],
         [[mean([of(r, t) for t in steps_of(r)]) for r in range(RANKS)] for of in (compute, exchange, wait, other)])
    all_of = lambda t, of: [of(r, t) for r in range(ranks_at(t))]
    whole = lambda row: sum(mean(all_of(t, of)) for t in row for of in (compute, exchange, wait))
    price = lambda row: sum(max(all_of(t, compute)) - mean(all_of(t, compute)) for t in row)
    left = lambda row: max(sum(each) for each in zip(*(all_of(t, compute) for t in row))) - sum(mean(all_of(t, compute)) for t in row)
    same("price of imbalance", [x["values"] for x in view("cost", "cost-price", run=s)["series"]],
         [[cost(row) / whole(row) for row in rows] for cost in (price, left)])
    step_s, mean_s, price_s, left_s = (sum(map(of, rows)) / STEPS for of in (whole, lambda row: sum(mean(all_of(t, compute)) for t in row), price, left))
    seconds = [step_s, mean_s, mean_s + price_s, price_s, left_s, price_s - left_s, step_s - price_s]
    same("price over the run", [x[1:] for x in view("cost", "cost-price-run", run=s)["rows"]], [[x, x / step_s] for x in seconds])
# The theories: maps as they are, and by their definitions alignments, and when they are there.
def teacher_w(e, j, t): return None if e == E - 1 and t >= T // 2 else (7 * e + 3 * j + 4 * t) % 17 / (-16 if (e + j) % 2 else 16)
def teacher_v(e, j, t): return None if e == E - 1 and t >= T // 2 else ((5 * e + 11 * j + 6 * t) % 19 - 3) / 16
def neuron(e, n, t): return ((3 * e + 5 * n + 2 * t) % 13 - 4) / 12
def over(columns, value): return [[[value(e, c, t) for c in range(columns)] for e in range(E)] for t in range(T)]
def largest(value, j, t): return max(value(e, j, t) for e in range(E) if value(e, j, t) is not None)
def reach(values):
    for t, value in enumerate(values):
        if value >= 0.9:
            return EVALS[0] if t == 0 else EVALS[t - 1] + (0.9 - values[t - 1]) / (value - values[t - 1]) * (EVALS[t] - EVALS[t - 1])
M, size = 3, lambda e, j, t: None if teacher_w(e, j, t) is None else abs(teacher_w(e, j, t))
for name, columns, value in (("theory-neurons", M, teacher_w), ("theory-gates", M, teacher_v), ("theory-signals", G, neuron), ("theory-gate-signals", G, lambda e, n, t: (e - n + t) / 4)):
    v = view("theory", name)
    same(name, [[f["values"] for f in v["frames"]], [f["step"] for f in v["frames"]]], [over(columns, value), EVALS])
v, found = view("theory", "theory-alignment"), view("theory", "theory-found")
for j in range(M):
    for name, value in (("expert %d", size), ("gate of expert %d", teacher_v)):
        same("alignment", series(v, name % j)["values"], [largest(value, j, t) for t in range(T)])
    nearest = max((e for e in range(E - 1)), key=lambda e: (size(e, j, T - 1), -e))
    same("who is found when", view("theory", "theory-order")["rows"][j], [j, nearest, teacher_w(nearest, j, T - 1), teacher_v(nearest, j, T - 1)] +
         [reach([largest(value, j, t) for t in range(T)]) for value in (size, teacher_v)])
for name, value in (("found by a neuron", size), ("found by a gate", teacher_v)):
    same(name, series(found, name)["values"], [sum(largest(value, j, t) >= 0.9 for j in range(M)) for t in range(T)])
same("matched", series(found, "matched: a student has both")["values"], [t % 4 for t in range(T)])
held = lambda t, e: sum(first(0, 0, t, i) == e for i in everyone)
of_samples = lambda value: [sum(held(t, e) * value(e, t) for e in range(E)) / N for t in range(T)]
v = view("theory", "theory-classes")
same("experts and classes", [s["values"] for s in v["series"]],
     [of_samples(lambda e, t: max(neuron(e, n, t) for n in range(G))), of_samples(lambda e, t: (e + t) % 5 / 4), [t / 8 for t in range(T)]])
for q, name in enumerate(("class", "signal", "distractor"), 1):
    same("attention", [s["values"] for s in view("theory", "theory-attention-" + name)["series"]], [[(q + 2 * k + t) % 8 / 8 for t in range(T)] for k in range(4)])
v = view("theory", "theory-loss")
same("losses", [v["y"]["log"], v["series"][0]["values"], view("theory", "theory-loss-training")["series"][0]["values"]], [True, [0.5 ** t for t in range(T)], [1 / step for step in range(1, STEPS + 1)]])

# Tasks: the table, what is forgotten of it, and figures by their definitions (continual.h).
R = [[(5 * i + 3 * j + 7) % 9 / 8 for j in range(3)] for i in range(4)] # row i: after task i - 1
same("accuracy of tasks", [view("tasks", "tasks-matrix")["frames"][0]["values"], view("tasks", "tasks-matrix-unaided")["frames"][0]["values"]], [R, [[x / 2 for x in row] for row in R]])
lost = lambda i, j: max(R[l + 1][j] for l in range(j, i + 1)) - R[i + 1][j]
same("forgetting", view("tasks", "tasks-forgetting")["frames"][0]["values"], [[lost(i, j) if j <= i else None for j in range(3)] for i in range(3)])
same("likeness", view("tasks", "tasks-cosine")["frames"][0]["values"], [[((2 * i + j) % 5 - 2) / 2 if j < i else None for j in range(3)] for i in range(3)])
v = view("tasks", "tasks-accuracy")
same("tasks over steps", [v["x"]["values"]] + [s["values"] for s in v["series"]], [[0, 10, 20, 30]] + [list(column) for column in zip(*R)])
def at_task(n): # of the first n tasks
    last, mean = R[n], lambda values: sum(values) / len(values) if values else None
    return [mean(last[:n]), mean([R[j + 1][j] for j in range(n)]), mean([max(R[l + 1][j] for l in range(n - 1)) - last[j] for j in range(n - 1)]),
            mean([last[j] - R[j + 1][j] for j in range(n - 1)]), mean([R[j][j] - R[0][j] for j in range(1, n)])]
same("figures after each task", [s["values"] for s in view("tasks", "tasks-course")["series"]], list(zip(*map(at_task, (1, 2, 3)))))
v = view("tasks", "tasks-figures")
same("figures at the end", [row(v, name)[0] for name in ("accuracy", "learning accuracy", "forgetting", "backward transfer", "forward transfer")], at_task(3))
same("not being known", row(v, "accuracy")[2], at_task(3)[0] / 2)

for l in range(LAYERS):
    routes = [[first(s, l, T - 1, i) for i in everyone] for s in SEEDS]
    same("Rand index", view("runs", "runs-rand", layer=l)["frames"][0]["values"], [[ari(a, b) for b in routes] for a in routes])
same("spread", row(view("runs", "runs-spread"), "eval.loss")[1:], [3, 2, 1, 3, 1, 1, 3]) # of three the bootstrap goes from the least to the largest
for found in view("runs", "runs-equivalence")["rows"]:
    same("equivalence: the same answers", found[2:], [N, 0, 0, 0, 0, "yes"])

# Over seeds: draws are those of Philox4x32-10 with counters (resample, draw / 4, 0, 0), of values in ascending order.
def philox(key, counter):
    x, k = list(counter), [key & 0xffffffff, key >> 32]
    for _ in range(10):
        a, b = 0xd2511f53 * x[0], 0xcd9e8d57 * x[2]
        x = [b >> 32 ^ x[1] ^ k[0], b & 0xffffffff, a >> 32 ^ x[3] ^ k[1], a & 0xffffffff]
        k = [(k[0] + 0x9e3779b9) & 0xffffffff, (k[1] + 0xbb67ae85) & 0xffffffff]
    return x

RESAMPLES, STREAM = 4000, 9
words = [[word for block in range((MANY + 3) // 4) for word in philox(STREAM * 0x9e3779b97f4a7c15 % 2 ** 64, (r, block, 0, 0))] for r in range(RESAMPLES)]

def bootstrap(values):
    n, values = len(values), sorted(values)
    if n < 3:
        return None, None
    means = sorted(sum(values[int(w / 2 ** 32 * n)] for w in draw[:n]) / n for draw in words)
    ends = []
    for q in (0.025, 0.975):
        place = q * (RESAMPLES - 1)
        ends.append(means[int(place)] + (place - int(place)) * (means[int(place) + 1] - means[int(place)]))
    return tuple(ends)

mean = lambda values: sum(values) / len(values)
report, spread = many, [r for p in many["parts"] if p["id"] == "runs" for v in p["views"] if v["id"] == "runs-spread" for r in v["rows"] if r[0] == "eval.loss"]
same("losses over seeds", spread[0][1:6], ["train.rate=0.01", MANY + 1, mean(losses + [1 + MANY]), *bootstrap(losses + [1 + MANY])])
same("of two there is no interval", spread[1][1:6], ["train.rate=0.02", 2, 1.5, None, None])
missing = next(p["missing"] for p in many["parts"] if p["id"] == "runs")
same("what is said", ["Seeds that there are of fewer: train.rate=0.02: 2." in missing, "again has the seed of a run before it" in missing, missing.count("\n")], [True, True, 1])
tables = [[table(((label(i), (own(s, 0, i) + (0 if i // C % 2 <= t else 1)) % E) for i in range(160)), C, E) for t in range(2)] for s in range(MANY)]
by_seed = {"ami-classes": [[ami(t) for t in of] for of in tables], "purity-classes": [[sum(max(c) for c in zip(*t)) / 160 for t in of] for of in tables]}
scale = lambda s, step: [n if step <= 5 or e not in (0, E - 1) else n + BATCH // E * (1 if e == 0 else -1) for e, n in enumerate(load(s, min(step, STEPS // 2)))]
by_seed["load-max"] = [[max(scale(s, step)) * E / BATCH for step in range(1, 11)] for s in range(MANY)]
by_seed["load-effective"] = [[math.exp(entropy(scale(s, step))) for step in range(1, 11)] for s in range(MANY)]
for (name, values), part in zip(by_seed.items(), ("specialization", "specialization", "load", "load")):
    v = view(part, name + "-seeds")
    columns = list(zip(*values))
    got = v["series"][0]
    same(name + " over seeds", got["values"], [mean(c) for c in columns])
    same("its band", [got["low"], got["high"]], list(zip(*(bootstrap(c) for c in columns))))
    same("of two there is no band", ["low" in s for s in v["series"]], [True] * (len(v["series"]) // 2) + [False] * (len(v["series"]) // 2))
    same("who is left out", ["longer has other steps, and is left out" in v["note"], "train.rate=0.01: %d seeds" % MANY in v["note"], "again" in v["note"]], [True, True, False])
report = apart
v = view("load", "load-max-seeds")
same("steps that both have", [v["x"]["values"], v["series"][0]["values"][:5]], [list(range(1, 11)), [mean([max(load(s, step)) * E / BATCH for s in (0, MANY)]) for step in range(1, 6)]])
report = backward
for name, part in (("ami-classes", "specialization"), ("load-max", "load")):
    same("in another order", series(view(part, name + "-seeds"), view(part, name + "-seeds")["series"][0]["name"])["low"],
         next(v for p in many["parts"] if p["id"] == part for v in p["views"] if v["id"] == name + "-seeds")["series"][0]["low"], 0)
try:
    import numpy, scipy.stats
    for values in (losses, [of[0] for of in by_seed["ami-classes"]]):
        found = scipy.stats.bootstrap((numpy.array(values),), numpy.mean, method="percentile", n_resamples=20000, random_state=1).confidence_interval
        same("SciPy's interval, as far as draws tell", bootstrap(values), tuple(found), 0.05 * (max(values) - min(values)))
except ImportError:
    print("skipped: SciPy is not there")
report = first_report

try:
    from sklearn import metrics
    for t in range(T):
        x, y = [label(i) for i in everyone], [first(1, 0, t, i) for i in everyone]
        v = view("specialization", "ami-classes", run=1)
        same("scikit-learn's AMI", series(v, "routing")["values"][t], metrics.adjusted_mutual_info_score(x, y))
    a, b = [first(0, 0, T - 1, i) for i in everyone], [first(1, 0, T - 1, i) for i in everyone]
    same("scikit-learn's Rand index", view("runs", "runs-rand")["frames"][0]["values"][0][1], metrics.adjusted_rand_score(a, b))
    v = view("confidence", "confidence")
    same("scikit-learn's AUROC", row(v, "a right sample has the larger probability (AUROC)")[0],
         metrics.roc_auc_score([hit(i) for i in everyone], [prob(i) for i in everyone]))
except ImportError:
    print("skipped: scikit-learn is not there; its figures are compared where it is")
print("%d numbers compared, %d figures wrong" % (checked, bad))
sys.exit(bad > 0)
