#!/usr/bin/python3
"""theory_reference.py [MOT]: the theory model in numpy, from the formulas, beside the program.

The program trains the merged experts on the mixture; the reference gets the same initial weights (the checkpoint of
step 0), the same samples (mot data make mixture, by the indices in the record) and the same noise (Philox4x32-10, from
its paper), and makes its own choices, gradients and updates in double. Every choice of expert must be the same, and
every step's loss must agree within 1e-4 of itself over the first 50 steps; in all three stages, with several heads and
neurons, without attention, with plain and normalized gradient descent.

Li et al., arXiv 2510.27004: h_i = theta_i sum_l X_l;  s_lk = softmax_k(X_k A X_l), u_l = sum_k s_lk X_k,
f = sum_l (W u_l)^3;  F = pi_m f_m;  loss log(1 + exp(-y F)). Exit code 77: h5py or numpy is not installed here."""
import glob, os, subprocess, sys, tempfile

try:
    import h5py, numpy as np
except ImportError as missing:
    print("skipped:", missing)
    sys.exit(77)

MOT = sys.argv[1] if len(sys.argv) > 1 else os.environ["MOT_BINARY"]
N, D, L, STEPS = 4, 32, 8, 50


def philox(counter, key):
    """Salmon et al., SC'11: ten rounds on arrays of four 32-bit words."""
    c = [np.asarray(word, np.uint64) for word in np.broadcast_arrays(*counter)]
    k = list(key)
    mask = np.uint64(0xFFFFFFFF)
    for _ in range(10):
        a, b = c[0] * np.uint64(0xD2511F53), c[2] * np.uint64(0xCD9E8D57)
        c = [(b >> np.uint64(32)) ^ c[1] ^ np.uint64(k[0]), b & mask, (a >> np.uint64(32)) ^ c[3] ^ np.uint64(k[1]), a & mask]
        k = [(k[0] + 0x9E3779B9) & 0xFFFFFFFF, (k[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return c[0]


def noise(seed, step, B, E):
    """Uniform in [0, 1) for every sample of the batch and every expert (rng.h, MOT_STREAM_NOISE)."""
    mixed = (seed + 4 * 0x9E3779B97F4A7C15) & 0xFFFFFFFFFFFFFFFF
    word = philox((step, np.arange(B)[:, None], 0, np.arange(E)[None, :]), (mixed & 0xFFFFFFFF, mixed >> 32))
    return word.astype(float) * 2.0**-32


def turned(a):
    return a.swapaxes(-1, -2)


class Reference:
    def __init__(self, run, E, heads, neurons, attention):
        with h5py.File(run + "/checkpoints/step-00000000.h5") as f:
            gate = f["gate"]
            self.theta = gate[[name for name in gate if gate[name].ndim == 2][0]][...].astype(float)  # [D, E]
            expert = f["experts"]
            self.W = expert["ffn/neurons"][...].astype(float)  # [E, H, D, J]
            self.A = expert["attention/attention"][...].astype(float) if attention else np.zeros((E, heads, D, D))
        self.attention = attention

    def forward(self, e, X):
        if self.attention:
            score = X[:, None] @ turned(X[:, None] @ self.A[e])  # [B, H, L, L]
            S = np.exp(score - score.max(-1, keepdims=True))
            S /= S.sum(-1, keepdims=True)
            U = S @ X[:, None]
        else:
            S, U = None, np.repeat(X[:, None], self.W.shape[1], 1)
        a = U @ self.W[e]
        return S, U, a, (a**3).sum((1, 2, 3))

    def step(self, X, y, r, stage):
        B = len(X)
        g = X.sum(1)
        h = g @ self.theta
        m = np.argmax(h + r, 1)
        pi = np.exp(h - h.max(1, keepdims=True))
        pi /= pi.sum(1, keepdims=True)
        loss, d_theta = np.zeros(B), np.zeros_like(self.theta)
        for e in np.unique(m):
            ix = np.where(m == e)[0]
            Xe, p, ye = X[ix], pi[ix, e], y[ix]
            S, U, a, f = self.forward(e, Xe)
            loss[ix] = np.logaddexp(0, -ye * p * f)
            d_F = -ye / (1 + np.exp(ye * p * f)) / B
            d_a = (d_F * p)[:, None, None, None] * 3 * a**2
            G_W = (turned(U) @ d_a).sum(0)
            G_A = np.zeros_like(self.A[e])
            if self.attention:
                Xe = Xe[:, None]
                T = S * (d_a @ turned(Xe @ self.W[e]) - (d_a * a).sum(-1)[..., None])
                G_A = (turned(Xe) @ (turned(T) @ Xe)).sum(0)
            one = -pi[ix]
            one[:, e] += 1
            d_theta += g[ix].T @ ((d_F * f * p)[:, None] * one)
            G_W, G_A = G_W * ("ffn" in stage["train"]), G_A * ("attention" in stage["train"])
            length = np.sqrt((G_W**2).sum() + (G_A**2).sum())
            if length > 0:
                rate = stage["rate"] / (length if stage["normalized"] else 1)
                self.W[e] -= rate * G_W
                self.A[e] -= rate * G_A
        self.theta -= stage["gate_rate"] * d_theta
        return loss.mean(), m


def check(name, folder, seed, lengths, E=12, B=400, heads=1, neurons=1, attention=True, normalized=True, sigma=0.5, init=0.3):
    run, data = f"{folder}/{name}", f"{folder}/{name}.h5"
    stages = [dict(train="gate, ffn", rate=0.01 if normalized else 1, gate_rate=0.1, normalized=normalized, steps=lengths[0]),
              dict(train="gate, attention", rate=0.05, gate_rate=0.3, normalized=True, steps=lengths[1]),
              dict(train="gate, ffn, attention", rate=0.01 if normalized else 1, gate_rate=0.2, normalized=normalized,
                   steps=lengths[2])]
    with open(f"{folder}/{name}.yaml", "w") as f:
        f.write(f"""seed: {seed}
run: {run}
data: {{source: mixture, mixture: {{classes: {N}, tokens: {L}, width: {D}, sigma: {sigma}, eval: 500}}}}
model: {{kind: merged, experts: {E}, merged: {{heads: {heads}, neurons: {neurons}, attention: {'softmax' if attention else 'none'}, init: {init}}}}}
gate: {{input: sum}}
route: {{noise: uniform, noise_scale: 1, noise_end: 0.2, noise_steps: 40, balance_loss: 0}}
train: {{batch: {B}, loss: logistic, gate_optimizer: sgd, schedule: constant}}
checkpoint: {{start: true}}
stages:
""" + "".join(f"  - {{train: [{s['train']}], rate: {s['rate']}, gate_rate: {s['gate_rate']}, until: {s['steps']} steps, "
              f"optimizer: {'normalized_gd' if s['normalized'] else 'sgd'}}}\n" for s in stages if s["steps"]))
    subprocess.run([MOT, "train", f"{folder}/{name}.yaml"], check=True, stdout=subprocess.DEVNULL)
    subprocess.run([MOT, "data", "make", "mixture", "--out", data, "--classes", str(N), "--tokens", str(L), "--width", str(D),
                    "--sigma", str(sigma), "--seed", str(seed), "--train", str(B * STEPS), "--test", "1"], check=True,
                   stdout=subprocess.DEVNULL)
    segments = [h5py.File(path) for path in sorted(glob.glob(run + "/record/*.h5"))]
    losses = np.concatenate([s["steps/loss"][...] for s in segments if "steps" in s])
    table = {k: np.concatenate([s["assign/" + k][...] for s in segments if "assign" in s]) for k in ("split", "sample", "expert")}
    train = table["split"] == 0
    sample, expert = (table[k][train].reshape(-1, B) for k in ("sample", "expert"))
    reference = Reference(run, E, heads, neurons, attention)
    with h5py.File(data) as f:
        x, y = f["train/x"][...].astype(float), f["train/y"][...]
    worst = 0
    of_step = [s for s in stages for _ in range(s["steps"])]
    assert len(of_step) == STEPS == len(losses)
    for t, stage in enumerate(of_step):
        scale = 1 + (0.2 - 1) * min(t, 40) / 40
        loss, choice = reference.step(x[sample[t]], y[sample[t]], scale * noise(seed, t, B, E), stage)
        assert (choice == expert[t]).all(), f"{name}: step {t + 1}: {(choice != expert[t]).sum()} samples go to other experts"
        worst = max(worst, abs(loss - losses[t]) / losses[t])
    assert worst <= 1e-4, f"{name}: the losses differ by {worst:.1e} of themselves"
    print(f"{name}: {STEPS} steps, losses {losses[0]:.6f} to {losses[-1]:.6f}, all choices equal, largest relative difference {worst:.1e}")


def main():
    with tempfile.TemporaryDirectory() as folder:
        check("first-stage", folder, 1, (50, 0, 0))
        check("three-stages", folder, 2, (20, 15, 15))
        check("sigma-0.25", folder, 20261122, (25, 20, 5), sigma=0.25)
        check("heads-and-neurons", folder, 3, (20, 15, 15), heads=3, neurons=2)
        check("no-attention", folder, 4, (20, 15, 15), attention=False)
        check("plain-descent", folder, 5, (20, 15, 15), normalized=False)
        check("large-neurons", folder, 6, (10, 20, 20), init=12)  # where the loss moves a lot
        check("large-plain", folder, 7, (10, 20, 20), init=12, normalized=False, heads=2)


if __name__ == "__main__":
    main()
