#!/usr/bin/python3
"""theory_speed.py MOT [REFERENCE.py]: steps a second of the theory model, against numpy; a benchmark, not a test.

One rank of the program at the calibration setting (configs/mixture-theory.yaml: N 4, E 12, D 32, L 8, batches of 400
fresh samples) and the numpy reference of theory_reference.py, which is handed its samples, in turns; medians of five and
the ratio. REFERENCE.py: another program that does `--T` steps of the same setting, sampling and evaluations included."""
import os, statistics, subprocess, sys, tempfile, time

import numpy as np

sys.argv, given = sys.argv[:1] + ["-"], sys.argv[1:]
from theory_reference import D, L, N, Reference  # noqa: E402

STEPS = (200, 200, 2600)  # of the stages in the configuration
root = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")
os.environ.update(OPENBLAS_NUM_THREADS="1", OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")


def program():
    with tempfile.TemporaryDirectory() as folder:
        start = time.time()
        subprocess.run([given[0], "train", root + "/configs/mixture-theory.yaml", f"run={folder}/run", "eval.every=0"],
                       check=True, stdout=subprocess.DEVNULL)
        return sum(STEPS) / (time.time() - start)  # start, last evaluation and all files included


def reference(rng=np.random.default_rng(1)):
    numpy = Reference.__new__(Reference)
    numpy.theta, numpy.attention = np.zeros((D, 12)), True
    numpy.W, numpy.A = rng.standard_normal((12, 1, D, 1)) * 0.3 / np.sqrt(D), np.zeros((12, 1, D, D))
    spent = 0
    steps = (20, 20, 40)  # the parts of the stages
    for stage, count in enumerate(steps):
        train = dict(train="attention" if stage == 1 else "ffn", rate=0.05 if stage == 1 else 0.01, gate_rate=0.1, normalized=True)
        for _ in range(count):
            X, y, r = rng.standard_normal((400, L, D)) * 0.3, rng.choice([-1, 1], 400), rng.uniform(0, 1, (400, 12))
            start = time.time()
            numpy.step(X, y, r, train)
            spent += (time.time() - start) * STEPS[stage] / count
    return sum(STEPS) / spent


def other():
    start = time.time()
    subprocess.run(["/usr/bin/python3", given[1], "--T", "200", "--T1", "33", "--T2", "66"], check=True, stdout=subprocess.DEVNULL)
    return 200 / (time.time() - start)


kinds = [program, reference] + ([other] if len(given) > 1 else [])
found = {kind: [] for kind in kinds}
for _ in range(5):
    for kind in kinds:
        found[kind].append(kind())
for kind in kinds:
    print(f"{kind.__name__:10} {statistics.median(found[kind]):8.1f} steps/s  ({min(found[kind]):.1f} to {max(found[kind]):.1f})")
for kind in kinds[1:]:
    ratios = [a / b for a, b in zip(found[program], found[kind])]
    print(f"program / {kind.__name__}: {statistics.median(ratios):.1f} ({min(ratios):.1f} to {max(ratios):.1f})")
