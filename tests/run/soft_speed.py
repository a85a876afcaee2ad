#!/usr/bin/python3
"""soft_speed.py MOT [REFERENCE.py]: steps a second of soft-routed students, on one rank and on two, against numpy on one thread; a
benchmark, not a test.

D = 64, 4 teachers, 16 students, fresh batches of 8,192: whole steps, samples and targets made in them. Ranks, and numpy,
take turns; medians of five and their ratios. REFERENCE.py: another program that takes --width --teachers --students --batch
--steps, and ends with a line {"steps_per_s": ...}; without one a few lines of numpy stand here."""
import json, os, statistics, subprocess, sys, tempfile, time

import numpy as np

D, M, E, B = 64, 4, 16, 8192
os.environ.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1", OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")


def program(ranks, steps=400):
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["mpirun", "-n", str(ranks), sys.argv[1], "train", write(folder), "run=%s/run" % folder,
                        "train.until=%d steps" % steps], check=True, stdout=subprocess.DEVNULL)
        return json.load(open(folder + "/run/summary.json"))["speed.samples_per_s"] / B


def write(folder):
    path = folder + "/soft.yaml"
    open(path, "w").write("""threads: 1
data: {source: teacher, teacher: {experts: %d, width: %d, eval: 8192}}
model: {kind: hermite, experts: %d}
gate: {kind: sigmoid}
route: {top_k: all}
train: {batch: %d, loss: squared, optimizer: sgd, rate: 0.01, schedule: constant}
record: {every: 0, eval: false}
eval: {batch: 8192}
""" % (M, D, E, B))
    return path


def reference(steps=40):
    if len(sys.argv) > 2:
        said = subprocess.run([sys.executable, sys.argv[2], "--width", str(D), "--teachers", str(M), "--students", str(E), "--batch",
                               str(B), "--steps", str(steps), "--report", str(steps)], check=True, capture_output=True, text=True)
        return json.loads(said.stdout.strip().splitlines()[-1])["steps_per_s"]
    rng = np.random.default_rng(1)
    unit = lambda a: a / np.linalg.norm(a, axis=1, keepdims=True)
    sigmoid = lambda z: 1 / (1 + np.exp(-z))
    w, v, tw, tv = (unit(rng.standard_normal((n, D))) for n in (E, E, M, M))
    start = time.time()
    for _ in range(steps):
        x = rng.standard_normal((B, D))
        a, P, u, Q = x @ unit(w).T, sigmoid(x @ unit(v).T), x @ tw.T, sigmoid(x @ tv.T)
        H = a * a * a - 3 * a
        r = ((P * H).sum(1) - (Q * (u * u * u - 3 * u)).sum(1))[:, None] / B
        for p, g in (w, (r * P * (3 * a * a - 3)).T @ x), (v, (r * P * (1 - P) * H).T @ x):
            b = unit(p)
            p -= 0.01 * (g - (g * b).sum(1, keepdims=True) * b) / np.linalg.norm(p, axis=1, keepdims=True)
    return steps / (time.time() - start)


turns = [(program(1), program(2), reference()) for _ in range(5)]
one, two, numpy = (statistics.median(column) for column in zip(*turns))
ratios = sorted(a / c for a, _, c in turns)
print("%.1f steps a second on one rank, %.1f on two, numpy %.1f: %.2f (%.2f to %.2f) times numpy, two ranks %.2f of linear"
      % (one, two, numpy, statistics.median(ratios), ratios[0], ratios[-1], statistics.median(b / (2 * a) for a, b, _ in turns)))
