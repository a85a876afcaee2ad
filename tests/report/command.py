"""mot report as a user drives it: the page, its data, the folder of figures; what is refused with a sentence, and what a run lacks."""
import csv, glob, json, math, os, re, shutil, subprocess, sys, tempfile, zlib

MOT, BUILD = os.environ["MOT_BINARY"], os.environ["MOT_BUILD_DIR"]
bad = 0


def check(what, holds):
    global bad
    if not holds:
        bad += 1
        print("FAILED:", what)


def plant(name, seed=0, E=3, C=4, G=2, layers=1, K=1, samples=48, evaluations=2, steps=6, batch=24, analysis=1, ranks=3):
    run = os.path.join(folder, name)
    subprocess.run([os.path.join(BUILD, "tests", "planted"), run, *map(str, (seed, E, C, G, layers, K, samples, evaluations, steps, batch, analysis, ranks))], check=True)
    return run


def report(*arguments):
    return subprocess.run([MOT, "report", *arguments], capture_output=True, text=True)


def refused(what, sentence, *arguments):
    before = sorted(os.listdir(folder))
    done = report(*arguments)
    check("%s: exit code 2, not %d" % (what, done.returncode), done.returncode == 2)
    check("%s: one sentence with '%s', not %r" % (what, sentence, done.stderr), re.search(sentence, done.stderr) and done.stderr.count("\n") == 1)
    check("%s: nothing is left" % what, sorted(os.listdir(folder)) == before)


def made(*runs):
    done = report(*runs, "--json", at("out.json"), "--force")
    check("report of %s: %s" % (runs, done.stderr), done.returncode == 0)
    parts = json.load(open(at("out.json")))["parts"]
    return {part["id"]: part for part in parts}


def at(name):
    return os.path.join(folder, name)


def table_of(view):
    """What the CSV of a view has, by the kinds of docs/report.md."""
    kind = view["kind"]
    if kind == "heat":
        names = ["step", view["y"]["label"], view["x"]["label"], "count" if "modes" in view else view["unit"]]
        yield ["other " + name if name in names[:i] else name for i, name in enumerate(names)]
        for frame in view["frames"]:
            for y, row in zip(view["y"]["names"], frame["values"]):
                yield from ([frame.get("step", frame["label"]), y, x, value] for x, value in zip(view["x"]["names"], row))
    elif kind in ("lines", "bars"):
        columns = [(s["name"] + end, s[key]) for s in view["series"] for key, end in (("values", ""), ("low", " low"), ("high", " high")) if key in s]
        yield [view["x"]["label"]] + [name for name, _ in columns]
        yield from zip(view["x"].get("names", view["x"].get("values")), *(values for _, values in columns))
    elif kind == "flow":
        yield ["step", "to step", "from", "to", "count"]
        for pair, counts in view["counts"].items():
            i, j = map(int, pair.split("-"))
            for a, row in zip(view["names"], counts):
                yield from ([view["snapshots"][i]["step"], view["snapshots"][j]["step"], a, b, n] for b, n in zip(view["names"], row))
    elif kind == "table":
        yield view["columns"]
        yield from view["rows"]


def same_cell(text, value):
    if value is None:
        return text == ""
    return text == value if isinstance(value, str) else text != "" and math.isclose(float(text), value, rel_tol=1e-15)


def unpacked(pdf):
    """Its bytes, and those of its compressed streams, in which Debian 13's cairo (1.18) has the pages as well."""
    parts = [pdf]
    for stream in re.finditer(rb"stream\r?\n(.*?)endstream", pdf, re.S):
        try:
            parts.append(zlib.decompressobj().decompress(stream[1]))
        except zlib.error:
            pass  # a font, or a stream that is not compressed
    return b"\n".join(parts)


def check_csv(view, path):
    rows, wanted = list(csv.reader(open(path, newline=""))), list(table_of(view))
    check("%s has %d lines, %d expected" % (path, len(rows), len(wanted)), len(rows) == len(wanted))
    for row, want in zip(rows, wanted):
        if len(row) != len(want) or not all(map(same_cell, row, want)):
            return check("%s has %s, expected %s" % (path, row, want), False)


folder = tempfile.mkdtemp(prefix="mot-report-")
try:
    # The page has the data that --json has; nothing in it begins a tag.
    one = plant("one")
    done = report(one, "-o", at("page.html"), "--json", at("page.json"), "--figures", at("figures"))
    library = "node-d3" not in done.stderr
    check("a report: " + done.stderr, done.returncode == 0 or not library)
    if library:
        data = re.search(r'<script type="application/json" id="[\w-]*data">(.*?)</script>', open(at("page.html")).read(), re.S).group(1)
        check("the page has what --json has", json.loads(data) == json.load(open(at("page.json"))))
        check("nothing in the data begins a tag", "<" not in data)
    else:
        print("skipped: no page, since this was built without d3 (Debian: node-d3)")
        report(one, "--json", at("page.json"), "--figures", at("figures"))
    parts = json.load(open(at("page.json")))["parts"]
    check("parts are numbered", [part["number"] for part in parts] == list(range(1, len(parts) + 1)))
    check("each part says what it is", all(part[key] for part in parts for key in ("title", "definition", "denominator", "interval")))
    views = [view for part in parts for view in part["views"]]
    names = [view["csv"] for view in views]
    check("every view has a file of its own", len(set(names)) == len(names) and {"flow.csv", "knockout-classes.csv", "regret.csv"} <= set(names))
    for view in views:
        check_csv(view, at("figures/" + view["csv"]))
    pictures = [name[:-4] for view, name in zip(views, names) if view["kind"] in ("heat", "lines", "bars", "flow")]
    if shutil.which("gnuplot"):
        for name in pictures:
            svg, pdf = (open(at("figures/%s.%s" % (name, end)), "rb").read() for end in ("svg", "pdf"))
            check(name + ".svg is a picture in Arial", b"</svg>" in svg and b'"Arial"' in svg)
            check(name + ".pdf is a picture of 3.5 inches", pdf.startswith(b"%PDF") and pdf.rstrip().endswith(b"%%EOF") and re.search(rb"MediaBox \[ ?0 0 25[12]", unpacked(pdf)))
            sizes = [float(size) for size in re.findall(rb'font-size="([0-9.]+)"', svg)]
            check("%s has no text below 7 pt at the width of a column: %s" % (name, min(sizes)), min(sizes) * 252 / 360 >= 6.99)
    else:
        check("without gnuplot there are the tables alone", not glob.glob(at("figures/*.svg")) and "gnuplot" in done.stderr)
        print("skipped: no gnuplot, which draws the pictures")

    # Where experts look: a file of its own beside the samples', and what is lacking is said.
    def with_samples(name, split="test", **others):
        run = plant(name, **others)
        open(run + "/config.yaml", "w").write("data: {source: mixture, mixture: {classes: 4, tokens: 4, width: 8, eval: 48}}\neval.split: %s\n" % split)
        return run

    looks = with_samples("looks")
    done = report(looks, "--json", at("looks.json"), "--figures", at("looked"))
    check("a report with samples: " + done.stderr, done.returncode == 0)
    view = next(v for part in json.load(open(at("looks.json")))["parts"] for v in part["views"] if v["id"] == "samples-liked")
    rows = list(csv.reader(open(at("looked/samples-liked-attention.csv"), newline="")))
    wanted = []
    for item in view["items"]:
        maps = [((b, h), shares) for b, heads in enumerate(item["attention"]["received"]) for h, shares in enumerate(heads)]
        for place, shares in maps + [(("rollout", ""), item["attention"]["rollout"])]:
            wanted += [[str(item["of"]), str(item["sample"]), *map(str, place), str(j), "", "", "", share] for j, share in enumerate(shares)]
    check("the CSV of attention has the columns of the page's", rows[0] == "of,sample,block,head,token,row,column,piece,share".split(","))
    check("the CSV of attention has what --json has", [[*r[:8], float(r[8])] for r in rows[1:]] == wanted and len(wanted) == 5 * 4 * len(view["items"]) > 0)
    later = with_samples("later")
    os.rename(later + "/eval/step-00000006.h5", later + "/eval/step-00000009.h5")
    for sentence, run in (("`mot eval %s route.all=record` does it", with_samples("unseen", analysis=0)),
                          ("which an earlier version made: `mot eval %s route.all=record`", with_samples("early", analysis=2)),
                          ("of split test at step 6, and the samples are of split val at step 6: `mot eval %s route.all=record`", with_samples("val", split="val")),
                          ("of split test at step 9, and the samples are of split test at step 6", later)):
        part = made(run)["samples"]
        said = sentence % run if "%s" in sentence else sentence
        check("attention is lacking: %s, not %s" % (said, part["missing"]), said in part.get("missing", "") and part["views"] and
              not any("attention" in item for v in part["views"] for item in v["items"]))

    # What is refused.
    refused("a file that is there", "page.json exists: add --force", one, "--json", at("page.json"))
    refused("no run", "is no run: expected a folder that mot train has made", folder, "--json", at("x.json"))
    refused("a run that is not there", "nowhere is no run", one, at("nowhere"), "--json", at("x.json"))
    refused("no argument", "an argument is missing, expected RUN", "--json", at("x.json"))
    refused("nothing to write", "nothing is to be written, expected -o REPORT.html", one)
    refused("one file for both", "x.json cannot be both the page and its numbers", one, "-o", at("x.json"), "--json", at("x.json"))
    refused("a folder that is not there", "into the folder %s: No such file" % at("nowhere"), one, "-o", at("x.json"), "--json", at("nowhere/x.json"))
    os.symlink("page.json", at("link"))
    refused("a link", "link is no ordinary file, and so is not replaced", one, "--json", at("link"), "--force")
    refused("a file in place of a folder", "page.json is no folder", one, "-o", at("x.json"), "--figures", at("page.json"), "--force")
    damaged = plant("damaged")
    segment = sorted(glob.glob(damaged + "/record/*.h5"))[0]
    with open(segment, "r+b") as file:
        file.seek(5000)
        byte = file.read(1)[0]
        file.seek(5000)
        file.write(bytes([byte ^ 1]))
    refused("a damaged record", "segment of a record is damaged", damaged, "--json", at("x.json"))

    # What a run lacks: a sentence each, and no failure.
    bare = at("bare")
    os.mkdir(bare)
    open(bare + "/summary.json", "w").write('{"status": "running", "steps": 0, "note": "a \\"b\\" {c}", "list": [1, "]"], "eval.accuracy": null}')
    lacks = made(bare)
    check("a run without a record", all(not lacks[part]["views"] and lacks[part]["missing"] for part in lacks if part != "cost"))
    plain = plant("plain", analysis=0)
    lacks = made(plain)
    check("no analysis: the command that makes it", all("`mot eval %s route.all=record`" % plain in lacks[part]["missing"] for part in ("knockout", "regret", "confidence", "specialization")))
    check("one run alone", "`mot report %s OTHER...`" % plain in lacks["runs"]["missing"])
    check("no configuration, no samples", "no configuration" in lacks["samples"]["missing"])
    check("a run that is named twice is one", "`mot report %s OTHER...`" % plain in made(plain, plain + "/")["runs"]["missing"])
    many = made(plant("many", C=300, samples=900))["together"]
    check("too many classes, and no other reason", many["missing"] == "300 classes are too many for a table of all pairs: up to 250 have one.")
    older, alone = made(plant("older", ranks=0))["cost"], made(plant("alone", ranks=1))["cost"]
    by_rank = lambda cost: [view["id"] for view in cost["views"] if view["id"].startswith(("cost-ranks", "cost-price"))]
    check("a record without ranks", not by_rank(older) and "no seconds by rank" in older["missing"] and "run=NEW` trains it again" in older["missing"])
    check("one rank has nothing to compare", not by_rank(alone) and "missing" not in alone)
    check("several have", len(by_rank(lacks["cost"])) == 6 and "missing" not in lacks["cost"])
    single = made(plant("single", evaluations=1, samples=12))
    check("one evaluation: no flow", "between two" in single["flow"]["missing"])
    two = made(plain, plant("other", E=2, C=4, layers=2, analysis=0))
    check("other experts and layers", "3 experts in layer 0" in two["runs"]["missing"] and "layers of experts" in two["runs"]["missing"])
    check("runs are compared all the same", any(view["id"] == "runs-rand" for view in two["runs"]["views"]))
    check("numbers of a layer that one run has", [[value is None for value in row] for view in two["runs"]["views"] if view["id"] == "runs-rand" and view["layer"] == 1
                                                  for row in view["frames"][0]["values"]] == [[True, True], [True, False]])
    bare_and_other = made(bare, plain)
    check("a run without a record beside one", bare_and_other["load"]["missing"].startswith(bare + ": ") and bare_and_other["load"]["views"])
finally:
    shutil.rmtree(folder)
print("%d failed" % bad)
sys.exit(bad > 0)
