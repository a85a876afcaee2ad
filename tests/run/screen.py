#!/usr/bin/python3
"""What a run shows on a terminal, as tmux draws it: 40 to 200 columns, one that is resized, a dumb one, and none; under
mpirun as well. No line is wider than the terminal, one line is alive, and an error is the last thing that is said."""
import atexit, csv, os, re, shutil, subprocess, sys, tempfile, time

here = os.path.dirname(os.path.abspath(__file__))
mot = os.environ["MOT_BINARY"]
limit = float(os.environ.get("MOT_TEST_LIMIT", 600))  # seconds after which a wait counts as hanging
if shutil.which("tmux") is None:
    print("skipped: no tmux")
    sys.exit(77)
version = subprocess.run([mot, "--version"], capture_output=True, text=True).stdout
mpirun = shutil.which(re.search(r"^launcher +(\S+)", version, re.M).group(1)) or "mpirun"
passes_on = "Open MPI v4" in version  # MPICH's launcher gives a rank a pipe; that of Open MPI 5 passes on whole lines
scratch = tempfile.mkdtemp(prefix="mot-screen.")
os.chdir(scratch)
env = dict(os.environ, LC_ALL="C.UTF-8", LSAN_OPTIONS=os.environ.get("LSAN_OPTIONS", "") + ":print_suppressions=0")
for name in "COLUMNS", "TMUX":
    env.pop(name, None)
with open("tmux.conf", "w") as file:
    file.write("set -g remain-on-exit on\nset -gq remain-on-exit-format ''\nset -g status off\n")
failures = 0


def fail(what, shown=""):
    global failures
    failures += 1
    print("FAILED: %s\n%s" % (what, shown), flush=True)


# ---- terminals ----

def tmux(*arguments, check=True):
    return subprocess.run(["tmux", "-u", "-S", scratch + "/tmux", "-f", scratch + "/tmux.conf", *arguments], env=env, check=check,
                          capture_output=True, text=True).stdout


@atexit.register
def leave():
    tmux("kill-server", check=False)
    shutil.rmtree(scratch, ignore_errors=True)


class Screen:
    """A command on a terminal of its own. It leaves its exit code in a file: tmux 3.3a now and then never hears of a
    command's end (1 of 15), and shows the code of a pane that is dead as nothing."""

    def __init__(self, name, columns, *command, term="screen"):
        self.name = name
        tmux("new-session", "-d", "-s", name, "-x", str(columns), "-y", "60", "env", "TERM=" + term,
             "sh", "-c", '"$@"; echo $? >"$0.code"', scratch + "/" + name, *command)

    def text(self, *options):
        """What stands on it, with what has left it at the top; -J: what the terminal made two lines of is one."""
        return tmux("capture-pane", "-p", "-S-", "-t", "=" + self.name + ":", *options).rstrip()

    def code(self):
        """The command's exit code; None while it runs, or while not all that it said is on the screen."""
        if tmux("display-message", "-p", "-t", "=" + self.name + ":", "#{pane_dead}").strip() != "1":
            return None
        with open(self.name + ".code") as file:
            return int(file.read())

    def until(self, what, seen):
        end = time.monotonic() + limit
        while not seen(self.text("-J")):
            if time.monotonic() > end or self.code() is not None:
                fail("%s: no %s:" % (self.name, what), self.text())
                return
            time.sleep(0.02)

    def end(self, code):
        """Waits for the command's end, with that exit code; what stands there then."""
        end = time.monotonic() + limit
        while self.code() is None and time.monotonic() < end:
            time.sleep(0.02)
        text = self.text("-J")
        if self.code() != code:
            fail("%s: exit code %s, expected %d" % (self.name, self.code(), code), text)
        return text

    def check_unbroken(self):
        broken, whole = self.text(), self.text("-J")
        if broken.count("\n") != whole.count("\n"):
            fail(self.name + ": a line is wider than the terminal:", broken)


# 100 classes in 7 groups, of names that are wide, long, or look like two fields; sizes differ.
with open("texts.tsv", "w") as file:
    for i in range(900):
        c = (i * i + i // 7) % 100
        label = ["文字", "a, b", "x" * 40][c] if c < 3 else "class %d" % c
        file.write("%s\tgroup %d\t%s\n" % (label, c % 7, " ".join("w%d" % ((c * 7 + k) % 50) for k in range(1 + i % 5))))
subprocess.run([mot, "data", "import", "text", "--out", "texts.h5", "--train", "texts.tsv", "--test", "texts.tsv", "--length", "5",
                "--min-count", "1"], check=True, capture_output=True)
with open("small.yaml", "w") as file:
    file.write("""data: {file: texts.h5}
model: {experts: 4, width: 16, heads: 2, depth: 1, ffn: 24}
train: {batch: 24, rate: 1e-2, until: 200000 steps}
report: {every: 1000000}
record: {every: 0}
""")
few, slow = "train.until=3 steps", "train.batch=240"  # of half an hour and more, which is stopped


def train(*settings):
    return [mot, "train", "small.yaml", *settings]


# ---- while it goes on ----

LIVE = re.compile(r"^ *\d+%( \[[#.]*\])?( step)? \d+/\d+.*$", re.M)
WANTED = {40: ["%", "loss "], 80: ["%", "loss ", "epoch ", "acc ", "/s", " left"],
          200: ["%", "loss ", "[", "step ", "epoch ", "acc ", " samples/s", " left"]}
WANTED[100] = WANTED[80] + ["step "]


def alive(text):
    """The line that is alive, below the banner; nothing where there are two."""
    seen = LIVE.findall(text)
    return text.split("\n")[-1].rstrip() if len(seen) == 1 and text.startswith("mot ") else ""


def check_alive(screen, columns):
    def fits(text):
        line = LIVE.search(alive(text))
        return line and len(line.group()) < columns and all(part in line.group() for part in WANTED[columns])

    screen.until("one line that is alive, of %d columns, with %s" % (columns, WANTED[columns]), fits)


screens = {name: Screen(name, columns, *train("run=" + name, slow))
           for name, columns in (("forty", 40), ("eighty", 80), ("hundred", 100), ("wide", 200))}
if passes_on:
    screens["ranks"] = Screen("ranks", 80, mpirun, "-n", "2", *train("run=ranks", slow))
for name, screen in screens.items():
    check_alive(screen, {"forty": 40, "hundred": 100, "wide": 200}.get(name, 80))
    screen.check_unbroken()
for name in {"hundred", "ranks"} & set(screens):
    for columns in 40, 200, 80:
        tmux("resize-window", "-t", "=" + name + ":", "-x", str(columns))
        check_alive(screens[name], columns)
for name, screen in screens.items():
    with open(name + "/lock") as file:
        os.kill(int(re.search(r"^process (\d+)", file.read(), re.M).group(1)), 15)
for name, screen in screens.items():
    text = screen.end(75)
    if LIVE.search(text) or not re.search("^stopped after step", text, re.M):
        fail(name + ": after a stop:", text)

# ---- at its end, where somebody looks, and where nobody does ----

cases = {"end40": (40, 4, 1), "end80": (80, 4, 4), "end80-64": (80, 64, 7), "end200-64": (200, 64, 27)}  # columns, experts, of them shown
ended = {name: Screen(name, columns, *train("run=" + name, few, "model.experts=%d" % experts)) for name, (columns, experts, _) in cases.items()}
lines = Screen("lines", 80, mpirun, "-n", "2", *train("run=lines", "report.every=2", few)) if "Open MPI v5" in version else None
dumb = Screen("dumb", 80, *train("run=dumb", "report.every=2", few), term="dumb")
piped = subprocess.run(train("run=piped", "report.every=2", few), env=dict(env, TERM="xterm"), capture_output=True, text=True)


def check_file(run, what, plural, rows, experts):
    with open("%s/%s.csv" % (run, plural), newline="") as file:
        head, *table = csv.reader(file)
    if head != [what, "samples", "right"] + ["expert_%d" % e for e in range(experts)] or len(table) != rows:
        fail("%s: %s.csv:" % (run, plural), [head] + table)
    if sum(int(row[1]) for row in table) != 900 or any(sum(map(int, row[3:])) != int(row[1]) or int(row[2]) > int(row[1]) for row in table):
        fail("%s: %s.csv does not add up:" % (run, plural), table)
    return [row[0] for row in table]


for name, (columns, experts, shown) in cases.items():
    text = ended[name].end(0)
    ended[name].check_unbroken()
    if not text.startswith("mot ") or not re.search("^digest ", text, re.M) or LIVE.search(text):
        fail(name + ": banner, or digest, or a line that is alive:", text)
    for what in "class", "group":
        head = re.findall(r"^" + what + r".* samples +right(.*)$", text, re.M)
        if len(head) != 1 or ("other" in head[0]) != (shown < experts) or len(re.findall(r"\d+", head[0])) != shown:
            fail("%s: the table by %s: %s" % (name, what, head), text)
    if len(re.findall(r"^(class \d+|文字|a, b|xxx\S+) ", text, re.M)) != 40 or not re.search(r"^shown: 40 of 100\s+classes.*all:\s+%s/classes.csv" % name, text, re.M | re.S):
        fail(name + ": which classes are shown:", text)
    if len(re.findall(r"^group \d ", text, re.M)) != 7 or not re.search(r"^all +900 .*\nsamples +\d.*\nright, % +\d", text, re.M):
        fail(name + ": groups, or sums:", text)
    if not {"文字", "a, b", "x" * 40} < set(check_file(name, "class", "classes", 100, experts)):
        fail(name + ": names in classes.csv")
    check_file(name, "group", "groups", 7, experts)

if lines:
    text = lines.end(0)
    lines.check_unbroken()
    if LIVE.search(text) or len(re.findall(r"^step +[23] ", text, re.M)) != 2:
        fail("under a launcher that passes on whole lines:", text)

for what, code, text in ("dumb terminal", 0, dumb.end(0)), ("pipe", piped.returncode, piped.stdout):
    if code != 0 or LIVE.search(text) or re.search("[\r\033]", text) or len(re.findall(r"^step +[23] .* wait +\d+% *$", text, re.M)) != 2:
        fail("on a %s:" % what, text)

# ---- an error is the last thing there ----

wrong = "model.experts=0"
errors = [Screen("error", 80, *train(wrong)),
          Screen("error-quiet", 80, mpirun, "--quiet", "-n", "2", *train(wrong)) if "Open MPI v4" in version else None,
          Screen("error-run", 80, here + "/../../launch/run.sh", "small.yaml", wrong),
          Screen("error-shell", 80, "bash", "-c", '. "$0" && mot_mpirun 2 "$@"', here + "/../../launch/env.sh", *train(wrong))]
for screen in filter(None, errors):
    text = screen.end(2)
    if not text.split("\n")[-1].startswith("mot: error: "):
        fail(screen.name + ": something else is said last:", text)

if failures:
    sys.exit("%d failed" % failures)
print("all well")
