#!/usr/bin/env python3
"""The linear theory of rehearsal as a user asks for it: tables for settings of one's own, against another program where that is
at hand; the same table and the same page on any number of ranks."""
import glob, io, os, re, subprocess, sys, tempfile
from contextlib import redirect_stdout

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from drive import LIMIT, check, command, failures

SOURCE = os.environ["MOT_SOURCE_DIR"]


def mot(ranks, *arguments):
    done = subprocess.run(command(ranks, "study", "rehearsal", *arguments), capture_output=True, text=True, timeout=LIMIT)
    check(done.returncode == 0, "%s ended with %d: %s" % (" ".join(arguments), done.returncode, done.stderr[-600:]))
    return done.stdout


def table(text):
    """{(gap, strategy): [F theory, simulated, +-, z, G theory, simulated, +-, z]}"""
    rows = (line.split() for line in text.splitlines())
    return {(float(row[0]) if row[0] != "file" else 0, row[1]): [float(x) for x in row[2:]]
            for row in rows if len(row) == 10 and row[1] in ("none", "concurrent", "sequential", "hybrid")}


os.chdir(tempfile.mkdtemp(prefix="mot-rehearsal."))
ODD = ["--tasks", "5", "--width", "130", "--samples", "17", "--memory", "21", "--noise", "0.7", "--gap", "0,0.3,1.1", "--runs", "200"]
said = mot(1, *ODD)
check(said == mot(3, *ODD), "another table on 3 ranks")
rows = table(said)
check(len(rows) == 12, "rows of the table: " + said)
for key, row in rows.items():
    check(abs(row[3]) < 4.5 and abs(row[7]) < 4.5, "%s is far from theory: %s" % (key, row))
    check(abs(row[3] - (row[1] - row[0]) / row[2]) < 0.02, "%s: z is not what it is off by standard errors" % (key,))
check(said != mot(1, *ODD, "--seed", "2"), "another seed makes no other runs")

# Another program, where it is: its closed forms, and its runs.
REFERENCE = os.path.join(SOURCE, "..", "shared", "bench", "rehearsal_sim.py")
try:
    import numpy
except ImportError:
    numpy = None
if numpy is None or not os.path.exists(REFERENCE):
    print("skipped: comparison with another program: %s" % ("no numpy here" if numpy is None else "it is not here"))
else:
    other, sys.argv = io.StringIO(), ["reference", "--p", "130", "--n", "17", "--memory", "21", "--noise", "0.7", "--tasks", "5",
                                      "--gaps", "0", "0.3", "1.1", "--runs", "100"]
    with redirect_stdout(other):
        exec(compile(open(REFERENCE).read(), REFERENCE, "exec"), {"__name__": "__main__"})
    found = re.findall(r"g ([\d.]+) (\w+) +F (\S+) \(simulated (\S+) \+- (\S+)\) +G (\S+) \((\S+) \+- (\S+)\)", other.getvalue())
    check(len(found) == 6, "the other program says: " + other.getvalue())
    for gap, strategy, *numbers in found:
        F, F_mean, F_error, G, G_mean, G_error = map(float, numbers)
        ours = rows[float(gap), strategy]
        check(abs(ours[0] - F) < 1e-4 and abs(ours[4] - G) < 1e-4, "%s %s: theory %s, the other %g %g" % (gap, strategy, ours, F, G))
        check(abs(ours[1] - F_mean) < 5 * (ours[2] ** 2 + F_error ** 2) ** 0.5, "%s %s: runs, F" % (gap, strategy))
        check(abs(ours[5] - G_mean) < 5 * (ours[6] ** 2 + G_error ** 2) ** 0.5, "%s %s: runs, G" % (gap, strategy))

# Truths of a file that are as far apart; what is similar, given in several ways.
with open("truths.csv", "w") as file:
    file.write("# three of them\n1, 0.5, 0, 0\n\n1 0 0.5 0\n1;0;0;0.5\n")
SMALL = ["--width", "60", "--runs", "20", "--samples", "10", "--memory", "12"]
apart = table(mot(1, *SMALL, "--tasks", "3", "--gap", "%.17g" % 0.5 ** 0.5))
file = table(mot(1, *SMALL, "--truths", "truths.csv"))
for (_, strategy), row in apart.items():
    check(numpy is None or numpy.allclose(row, file[0, strategy]), "truths of a file, %s: %s, %s" % (strategy, row, file[0, strategy]))
for rule, same in ("distance=10", "concurrent"), ("distance=0.1", "sequential"), ("cosine=-1", "concurrent"), ("pairs=1-2,3-1,2-3", "concurrent"):
    rows = table(mot(1, *SMALL, "--gap", "1", "--tasks", "3", "--similar", rule))
    check(rows[1, "hybrid"] == rows[1, same], "similar %s is not %s" % (rule, same))
check(len(table(mot(1, *SMALL, "--gap", "1", "--strategy", "hybrid", "--similar", "foresight", "--order", "newest", "--stored",
                    "--memory", "10"))) == 1, "one strategy alone")
rows = table(mot(1, *SMALL, "--gap", "0", "--tasks", "3", "--noise", "2"))
check(rows[0, "hybrid"] == rows[0, "sequential"] != rows[0, "concurrent"], "nothing is similar where noise is large: %s" % rows)
check("no finite variance" in mot(1, "--width", "50", "--runs", "5", "--gap", "1"), "a variance that is not finite is not said")

# The study.
for ranks in 1, 2:
    mot(ranks, "study%d" % ranks, "--quick", "--runs", "20", "--seed", "3")
pages = [open("study%d/rehearsal.md" % ranks).read() for ranks in (1, 2)]
check(pages[0] == pages[1], "another page on 2 ranks")
check("**Verdict: holds.** (Every point.)" in pages[0] and "NaN" not in pages[0] and "nan" not in pages[0], "the page: " + pages[0][:3000])
check(not glob.glob("study1/trials*"), "a study of rehearsal has no trials")
sys.exit(1 if failures else 0)
