"""Data for the page of `mot report` without a run: every kind of view, as small, large and odd as it comes.

    data = sample(experts=8, layers=2, runs=2, classes=10, frames=9)     a report's object
    fill(page, data)                                                    the page with it, as `mot report` makes it
"""
import base64, json, math, random, struct, zlib

CLASSES = ["T-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot"]
WORDS = "the gate sends each sample to one expert which learns from it and the others never see it at all".split()


def fill(page, data):
    text = json.dumps(data, allow_nan=False, ensure_ascii=False).replace("<", "\\u003c")
    assert page.count("@DATA@") == 1
    return page.replace("@DATA@", text)


def picture(rng, size=28):
    """A blob as a grey PNG."""
    cx, cy, r = rng.uniform(9, 19), rng.uniform(9, 19), rng.uniform(4, 10)
    rows = b""
    for y in range(size):
        rows += b"\0" + bytes(int(255 * max(0, min(1, 1.4 - math.hypot(x - cx, (y - cy) * rng.uniform(.95, 1.05)) / r))) for x in range(size))
    chunk = lambda kind, body: struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">2I5B", size, size, 8, 0, 0, 0, 0)) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return "data:image/png;base64," + base64.b64encode(png).decode()


def counts(rng, rows, columns, sure, samples=600):
    """Samples of each class at each expert, more at the class's own the surer routing is."""
    table = []
    for row in range(rows):
        own = row * 7 % columns
        weights = [(0.3 + rng.random()) * (1 - sure) / columns + (sure if column == own else 0) for column in range(columns)]
        total = sum(weights)
        table.append([round(samples * w / total * (1 if w / total > 0.001 else 0)) for w in weights])
    return table


def curve(steps, end, speed, rng, noise=0.01):
    return [round(end * (1 - math.exp(-speed * step / steps[-1])) + rng.gauss(0, noise), 5) for step in steps]


def band(values, width):
    return {"low": [None if v is None else round(v - width, 5) for v in values], "high": [None if v is None else round(v + width, 5) for v in values]}


def per_run(rng, run, layer, experts, classes, frames):
    """Views of one run and layer, by part."""
    E, names = len(experts), classes
    at = [400 * (i + 1) for i in range(frames)]
    steps = list(range(100, 4001, 50))
    where = {"run": run, "layer": layer}
    sure = lambda i: 0.15 + 0.8 * (1 - math.exp(-3 * (i + 1) / frames))
    tables = [counts(rng, len(names), E, sure(i)) for i in range(frames)]
    groups = ["upright", "turned", "mirrored"]
    heat = {"kind": "heat", "x": {"label": "expert", "names": experts}, "modes": ["by rows", "by columns", "counts"], **where}
    ami = curve(steps, 0.72, 4, rng)
    load = [max(1, round(rng.gauss(600 / max(1, E) * len(names) / 10, 8))) for _ in experts]
    top = [i / E for i in range(1, E + 1)]
    share = [round(min(1, sum(sorted(load, reverse=True)[:i]) / sum(load)), 5) for i in range(1, E + 1)]
    snapshots = [{"step": at[i], "label": "step %d" % at[i]} for i in range(0, frames, max(1, (frames + 3) // 4))]
    flow = {}
    for i in range(len(snapshots)):
        for j in range(i + 1, len(snapshots)):
            flow["%d-%d" % (i, j)] = [[rng.randint(300, 500) if e == f else rng.randint(1, 40) if rng.random() < min(0.4, 4 / E) else 0 for f in range(E)]
                                      for e in range(E)]
    together = [[1 if i == j else round(rng.random() ** 3, 4) for j in range(E)] for i in range(E)]
    masked = [[round(-rng.random() ** 4, 4) for _ in experts] for _ in names]
    loss = [[round(0.2 + rng.random() * (0.4 if c * 7 % E == e else 2), 4) for e in range(E)] for c in range(len(names))]
    margin = [i / 20 for i in range(21)]
    return {
        "classes": [{"id": "class-expert", "title": "Class by expert", "csv": "class-expert.csv", "y": {"label": "class", "names": names},
                     "frames": [{"step": s, "label": "step %d" % s, "values": t} for s, t in zip(at, tables)], **heat},
                    {"id": "group-expert", "title": "Group by expert", "csv": "group-expert.csv", "y": {"label": "group", "names": groups},
                     "frames": [{"step": s, "label": "step %d" % s, "values": counts(rng, 3, E, 0.3 * sure(i), 2000)} for i, s in enumerate(at)], **heat}],
        "specialization": [{"id": "ami", "title": "Adjusted mutual information of expert and class", "kind": "lines", "csv": "ami.csv",
                            "x": {"label": "step", "values": steps}, "y": {"label": "AMI", "min": 0}, "marks": [{"x": 1000, "label": "stage 2: gate alone"}, {"x": 2500, "label": "stage 3: all"}],
                            "series": [{"name": "this run", "values": ami, **band(ami, 0.02)}, {"name": "shuffled labels", "values": curve(steps, 0.002, 9, rng, 0.002), "dashed": True},
                                       {"name": "random gate", "values": curve(steps, 0.001, 9, rng, 0.002), "dashed": True}, {"name": "told gate", "values": [1] * len(steps), "dashed": True},
                                       {"name": "k-means on the gate's features", "values": [0.43] * len(steps), "dashed": True}], **where}],
        "load": [{"id": "load-max", "title": "Largest load over the mean", "kind": "lines", "csv": "load-max.csv", "x": {"label": "step", "values": steps}, "y": {"label": "max / mean"},
                  "marks": [{"x": 1000, "label": "stage 2"}, {"x": 1040, "label": "stage 2b, with a longer name"}, {"x": 3900, "label": "stage 3"}],
                  "series": [{"name": "max/mean", "values": [round(v + 1, 4) for v in curve(steps, 0.6, 5, rng, 0.03)]}], **where},
                 {"id": "load-number", "title": "Effective number of experts", "kind": "lines", "csv": "load-number.csv", "x": {"label": "step", "values": steps}, "y": {"label": "experts", "min": 0},
                  "series": [{"name": "effective number", "values": [round(E * 0.9 + v, 4) for v in curve(steps, -0.2 * E, 5, rng, 0.03)]},
                             {"name": "dead experts", "values": [0 if s < 3000 or E == 1 else 1 for s in steps], "dashed": True}], **where},
                 {"id": "load-each", "title": "Load of each expert", "kind": "lines", "csv": "load-each.csv", "x": {"label": "step", "values": at}, "y": {"label": "share of samples"},
                  "series": [{"name": "expert %s" % e, "values": [round(rng.uniform(0.5, 1.5) / E, 4) for _ in at]} for e in experts], **where}],
        "top": [{"id": "top", "title": "Share held by the busiest experts", "kind": "lines", "csv": "top.csv", "x": {"label": "n / E", "values": top}, "y": {"label": "share of samples", "min": 0, "max": 1},
                 "diagonal": True, "series": [{"name": "last step", "values": share}, {"name": "first step", "values": [round(t ** 0.8, 5) for t in top], "dashed": True}], **where},
                {"id": "load-bars", "title": "Samples of each expert at the end", "kind": "bars", "csv": "load-bars.csv", "x": {"label": "expert", "names": experts}, "y": {"label": "samples"},
                 "series": [{"name": "samples", "values": load, "low": [v - 2 * math.sqrt(v) for v in load], "high": [v + 2 * math.sqrt(v) for v in load]}], **where}],
        "saturation": [{"id": "saturation", "title": "Overlap with the final choices", "kind": "lines", "csv": "saturation.csv", "x": {"label": "step", "values": at}, "y": {"label": "mean overlap", "min": 0, "max": 1},
                        "series": [{"name": "all samples", "values": [round(sure(i), 4) for i in range(frames - 1)] + [1]}], **where}],
        "flow": [{"id": "flow", "title": "Where samples went", "kind": "flow", "csv": "flow.csv", "snapshots": snapshots, "names": ["expert %s" % e for e in experts], "counts": flow, **where},
                 {"id": "changed", "title": "Samples that changed expert", "kind": "table", "csv": "changed.csv", "columns": ["sample", "label", "from", "to", "gate probability"],
                  "rows": [[rng.randint(0, 60000), rng.choice(names), rng.choice(experts), rng.choice(experts), round(rng.random(), 4)] for _ in range(300)], **where}],
        "together": [{"id": "together", "title": "Chosen together", "kind": "heat", "csv": "together.csv", "unit": "share", "x": {"label": "expert b", "names": experts}, "y": {"label": "expert a", "names": experts},
                      "frames": [{"step": at[-1], "values": together}], "note": "`P(b chosen | a chosen)` at the last step.", **where}],
        "knock-out": [{"id": "masked", "title": "Change of each class's accuracy without an expert", "kind": "heat", "csv": "masked.csv", "unit": "change of accuracy", "diverging": True,
                       "x": {"label": "expert masked", "names": experts}, "y": {"label": "class", "names": names}, "frames": [{"step": at[-1], "values": masked}], **where},
                      {"id": "kept", "title": "The busiest experts alone", "kind": "bars", "csv": "kept.csv", "x": {"label": "kept", "names": ["all experts", "best half", "best quarter", "best eighth"]}, "y": {"label": "accuracy"},
                       "series": [{"name": "accuracy", "values": [0.91, 0.83, 0.61, 0.4], "low": [0.9, 0.81, 0.59, 0.38], "high": [0.92, 0.85, 0.63, 0.42]}], **where}],
        "regret": [{"id": "loss", "title": "Loss of every expert on every class", "kind": "heat", "csv": "loss.csv", "unit": "nats", "x": {"label": "expert", "names": experts}, "y": {"label": "class", "names": names},
                    "frames": [{"step": at[-1], "values": loss}], **where}],
        "confidence": [{"id": "reliability", "title": "Reliability", "kind": "lines", "csv": "reliability.csv", "x": {"label": "gate probability", "values": margin}, "y": {"label": "accuracy", "min": 0, "max": 1}, "diagonal": True,
                        "series": [{"name": "accuracy", "values": [None if p < 1 / max(2, E) else round(min(1, p ** 0.7 + rng.gauss(0, 0.02)), 4) for p in margin],
                                    "low": [None if p < 1 / max(2, E) else round(max(0, p ** 0.7 - 0.06), 4) for p in margin], "high": [None if p < 1 / max(2, E) else round(min(1, p ** 0.7 + 0.06), 4) for p in margin]}], **where},
                       {"id": "probability-loss", "title": "Gate probability and loss", "kind": "scatter", "csv": "probability-loss.csv", "x": {"label": "gate probability"}, "y": {"label": "loss"},
                        "series": [{"name": name, "x": (p := [round(rng.betavariate(*shape), 4) for _ in range(150)]), "y": [round(max(0, (2.5 - 2 * q) * rng.random()), 4) for q in p]}
                                   for name, shape in (("right", (5, 1.5)), ("wrong", (2, 2)))], **where}],
        "gallery": [{"id": "favourites", "title": "Samples that each expert is surest of", "kind": "gallery", "csv": "favourites.csv", "names": ["expert %s" % e for e in experts],
                     "items": [{"of": e, "picture": picture(rng), "text": None, "sample": rng.randint(0, 60000), "caption": "%s, p %.2f" % (rng.choice(names), rng.uniform(.9, 1)),
                                "attention": looks(rng, 3 if E < 64 else 1, 2 if E < 64 else 1, 49)} for e in range(min(E, 8)) for _ in range(5)],
                     "attention": {"blocks": 3, "heads": 2, "class_token": False, "rows": 7, "columns": 7, "between": ""}, **where},
                    {"id": "wrong-texts", "title": "Wrong but sure", "kind": "gallery", "csv": "wrong-texts.csv", "names": ["texts"],
                     "items": [{"of": 0, "picture": None, "text": (t := " ".join(rng.choices(WORDS, k=14))), "sample": rng.randint(0, 9999), "caption": "label travel, said banking, p 0.97",
                                "attention": {**looks(rng, 1, 1, 15), "pieces": t.split()}} for _ in range(4)],
                     "attention": {"blocks": 2, "heads": 4, "class_token": True, "between": " "}, **where}],
    }


def looks(rng, blocks, heads, rows):
    def shares():
        numbers = [rng.random() ** 2 + 1e-3 for _ in range(rows)]
        return [round(n / sum(numbers), 6) for n in numbers]
    return {"received": [[shares() for _ in range(heads)] for _ in range(blocks)], "rollout": shares()}


PARTS = [("classes", "Classes and experts", "Which expert serves which class or group: counts of samples, by the expert chosen first."),
         ("specialization", "Specialization", "How much the expert says of the class: 1 if each knows the other, 0 if chance would say as much."),
         ("load", "Load", "How evenly experts share the work over steps."), ("top", "Share of the busiest", "The share of samples that the busiest n experts hold."),
         ("saturation", "Saturation", "How many choices are already what they will be in the end."), ("flow", "Flow", "Samples that stay with an expert and samples that go to another one between two steps."),
         ("together", "Experts together", "`P(b chosen | a chosen)` where a sample has several experts; where it has one, the probability that samples of two classes share it."),
         ("knock-out", "Without an expert", "What is lost where an expert is masked and each of its samples goes to the gate's next choice."), ("regret", "Regret", "The loss of the chosen expert over that of the best one."),
         ("confidence", "Confidence", "Whether the gate is sure where the answer is right."), ("several", "Several runs", "How far runs agree: on routes, figures and accuracies."), ("cost", "Cost", "Where the time goes, by rank and step.")]


def sample(experts=8, layers=2, runs=2, classes=10, frames=9, seed=1, long=False):
    rng = random.Random(seed)
    expert_names = [str(e) for e in range(experts)]
    class_names = (CLASSES * (1 + classes // 10))[:classes] if classes <= 10 else ["class %d" % c for c in range(classes)]
    if long:
        class_names = ["a class whose name is much longer than anybody would like it to be, number %d <b>&amp;" % c for c in range(classes)]
    views = {part: [] for part, _, _ in PARTS}
    for run in range(runs):
        for layer in range(layers):
            made = per_run(rng, run, layer, expert_names, class_names, frames)
            made["confidence"] += made.pop("gallery")
            for part, list_ in made.items():
                views[part] += list_
    run_names = ["runs/%s%d" % ("a-folder-with-a-long-name/" if long else "seed-", r) for r in range(runs)]
    rand = [[1 if i == j else round(rng.uniform(0.6, 0.9), 3) for j in range(runs)] for i in range(runs)]
    accuracy = [0.91 + 0.004 * r for r in range(runs)]
    if runs > 1:
        views["several"] = [{"id": "rand", "title": "Adjusted Rand index of routes", "kind": "heat", "csv": "rand.csv", "unit": "ARI", "x": {"label": "run", "names": run_names}, "y": {"label": "run", "names": run_names}, "frames": [{"step": 4000, "values": rand}]},
                            {"id": "accuracies", "title": "Accuracy of each run", "kind": "bars", "csv": "accuracies.csv", "x": {"label": "run", "names": run_names}, "y": {"label": "accuracy"},
                             "series": [{"name": "accuracy", "values": accuracy, "low": [a - 0.01 for a in accuracy], "high": [a + 0.01 for a in accuracy]}]}]
    ranks = ["rank %d" % r for r in range(4)]
    views["cost"] = [{"id": "cost", "title": "Seconds of each rank", "kind": "bars", "csv": "cost.csv", "run": r, "x": {"label": "rank", "names": ranks}, "y": {"label": "seconds"},
                      "series": [{"name": name, "values": [round(rng.uniform(.5, 1) * s, 3) for _ in ranks]} for name, s in (("compute", 60), ("exchange", 14), ("wait", 9))]} for r in range(runs)]
    views["cost"] += [{"id": "provenance", "title": "Provenance", "kind": "table", "csv": "provenance.csv", "run": r, "columns": ["what", "value"],
                       "rows": [["program", "mot 0.1 (0123abc)"], ["hosts", "node1: ranks 0, 1; node2: ranks 2, 3"], ["data checksum", "xxh3 0f3a9be1c5d7aa10"], ["ranks", 4]]} for r in range(runs)]
    missing = {} if runs > 1 else {"several": "One run was given: `mot report runs/a runs/b` compares several."}
    parts = [{"id": id_, "number": i + 1, "title": title, "definition": definition, "denominator": "All samples of the evaluation at the step; a row's sum where shares are by rows.",
              "interval": "95 %, by 1,000 resamples of the samples.", **({"missing": missing[id_]} if id_ in missing else {}), "views": views[id_]} for i, (id_, title, definition) in enumerate(PARTS)]
    facts = lambda r: {"name": run_names[r], "status": "done", "steps": 4000, "accuracy": accuracy[r], "loss": 0.2712, "experts": experts, "layers": layers, "samples": 60000, "seed": r, "wall_s": 312.4, "data_checksum": "0f3a9be1c5d7aa10"}
    return {"title": "Fashion-MNIST, %d expert%s" % (experts, "" if experts == 1 else "s"), "made": "2026-11-30T10:00:00Z", "program": "mot 0.1", "runs": [facts(r) for r in range(runs)],
            "warnings": ["%s: expert 6 has had no sample since step 3,000 (layer 0)." % run_names[0], "The record has no attention: train with `record.attention=true`."][:runs], "parts": parts}


def odd():
    """What is rare: nothing at all, nothing defined, one of each, names and texts that are markup."""
    evil = "</script><script>document.title='broken'</script><b>"
    table = lambda rows, columns, value: [[value] * columns for _ in range(rows)]
    heat = lambda id_, rows, columns, value, **more: {"id": id_, "title": id_ + evil, "kind": "heat", "x": {"label": "x", "names": list(range(columns))}, "y": {"label": "y", "names": ["r%d" % r for r in range(rows)]},
                                                        "frames": [{"step": 1, "values": table(rows, columns, value)}], **more}
    lines = lambda id_, xs, series, **more: {"id": id_, "title": id_, "kind": "lines", "x": {"label": "x", "values": xs}, "y": {"label": "y"}, "series": series, **more}
    modes = ["by rows", "by columns", "counts"]
    views = [heat("zeros", 3, 4, 0, modes=modes), heat("nulls", 3, 4, None), heat("nulls-modes", 2, 2, None, modes=modes), heat("one", 1, 1, 5, modes=modes), heat("flat", 2, 3, -1, diverging=True), heat("no-cells", 0, 0, 0),
             lines("no-lines", [], []), lines("no-points", [1, 2], [{"name": "a", "values": [None, None]}]), lines("one-point", [7], [{"name": "a", "values": [0.5]}]),
             lines("gaps", [1, 2, 3, 4, 5], [{"name": "a", "values": [1, None, 3, None, 2], "low": [0, None, 2, None, 1], "high": [2, None, 4, None, 3]}], diagonal=True),
             lines("flat-line", [1, 2], [{"name": "a", "values": [1e-9, 1e-9]}]),
             lines("powers", [1, 2, 3, 4], [{"name": "a", "values": [1e-12, 0, 10, None]}], y={"label": "loss", "log": True}), lines("no-powers", [1], [{"name": "a", "values": [0]}], y={"label": "loss", "log": True}), lines("many", list(range(12)), [{"name": "s%d" % s, "values": [s * x for x in range(12)]} for s in range(64)]),
             {"id": "no-bars", "title": "no bars", "kind": "bars", "x": {"label": "x", "names": []}, "y": {"label": "y"}, "series": [{"name": "a", "values": []}]},
             {"id": "bars-signs", "title": "bars of both signs", "kind": "bars", "x": {"label": "x", "names": ["a", "b", "c"]}, "y": {"label": "y"}, "series": [{"name": "p", "values": [-1, None, 2]}, {"name": "q", "values": [0, -3, None]}]},
             {"id": "no-scatter", "title": "no points", "kind": "scatter", "x": {"label": "x"}, "y": {"label": "y"}, "series": []},
             {"id": "no-flow", "title": "nothing flows", "kind": "flow", "snapshots": [{"step": 1, "label": "step 1"}], "names": ["expert 0"], "counts": {}},
             {"id": "no-gallery", "title": "no samples", "kind": "gallery", "names": ["expert 0"], "items": []},
             {"id": "bare", "title": "neither picture nor text", "kind": "gallery", "names": ["e"], "items": [{"of": 0, "picture": None, "text": None, "sample": 3, "caption": evil}]},
             {"id": "quotes", "title": "a table", "kind": "table", "columns": ["a", "b, c"], "rows": [["says \"so\", twice", 1], [evil, None], ["line\nbreak", -2.5e-7]]}, {"id": "no-rows", "title": "no rows", "kind": "table", "columns": ["a"], "rows": []}]
    return {"title": "Odd " + evil, "made": "2026-11-30T10:00:00Z", "program": "mot", "runs": [{"name": evil, "status": None}], "warnings": [],
            "parts": [{"id": "odd", "number": 1, "title": "Odd", "definition": evil, "views": views}, {"id": "none", "number": 2, "title": "None", "missing": "not there: `mot eval RUN`", "views": []}, {"id": "empty", "number": 3, "title": "Empty"}]}
