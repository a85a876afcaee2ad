#!/usr/bin/python3
"""Peak memory (VmHWM) of another version of mot and of this one, for configurations of configs/, each version with its own of them and
its own data/; not a test. Runs take turns, and of each rank the least peak counts: what is above it is chance.

    tests/run/peak_memory.py OTHER [-n RANKS] [-r ROUNDS] [--full] [CONFIGURATION...]

OTHER is a checkout of the other version, built in OTHER/build; this one is built in build/. Without --full a run has 60 steps, or 20 a
stage. Prints a line for each: peaks in KiB by rank, their ratio, and whether both came to the same digest."""
import argparse, glob, json, os, re, subprocess, sys, tempfile

here = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
parser = argparse.ArgumentParser()
parser.add_argument("other")
parser.add_argument("-n", type=int, default=2)
parser.add_argument("-r", type=int, default=3)
parser.add_argument("--full", action="store_true")
parser.add_argument("configuration", nargs="*")
asked = parser.parse_intermixed_args()
work = tempfile.mkdtemp(prefix="mot-peak.")
environment = dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1", OMPI_MCA_rmaps_base_oversubscribe="1")


def ends(path):
    stages = re.search(r"^stages:\n((?: +.*\n)+)", open(path).read() + "\n", re.M)
    if asked.full:
        return []
    return ["stages.%d.until=20 steps" % i for i in range(len(re.findall(r"^ +- ", stages[1], re.M)))] if stages else ["train.until=60 steps"]


def run(folder, name, number):
    """Peaks by rank, and the digest."""
    path, out = "configs/%s.yaml" % name, os.path.join(work, "%d" % number)
    command = ["build/bin/mot", "train", path, "run=" + out] + ends(os.path.join(folder, path))
    script = 'exec /usr/bin/time -f %%M -o "$0.$OMPI_COMM_WORLD_RANK" %s' % " ".join("'%s'" % word for word in command)
    done = subprocess.run(["mpirun", "-n", str(asked.n), "sh", "-c", script, out], cwd=folder, env=environment, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit("%s: %s: %s" % (folder, name, (done.stdout + done.stderr)[-800:]))
    return [int(open("%s.%d" % (out, rank)).read()) for rank in range(asked.n)], json.load(open(out + "/summary.json"))["digest"]


def names_of(folder):
    return {os.path.basename(path)[:-5] for path in glob.glob(folder + "/configs/*.yaml")}


number = 0
for name in asked.configuration or sorted(n for n in names_of(here) & names_of(asked.other) if not n.startswith("bench")):
    peaks, digests = {}, {}
    for _ in range(asked.r):
        for folder in asked.other, here:
            number += 1
            peak, digests[folder] = run(folder, name, number)
            peaks[folder] = [min(both) for both in zip(peak, peaks.get(folder, peak))]
    ratios = ["%.3f" % (now / before) for before, now in zip(peaks[asked.other], peaks[here])]
    print(name, asked.n, peaks[asked.other], peaks[here], " ".join(ratios),
          "same digest" if len(set(digests.values())) == 1 else "another digest", flush=True)
