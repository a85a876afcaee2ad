"""A model of several layers once more, in double precision, sample by sample, with gradients by a tape: what mot's step through
layers is compared with. Nothing of it knows of ranks, tiles or strips."""
import h5py
import numpy as np


class Node:
    """A number array, and how its gradient reaches those that it was made of."""

    def __init__(self, value, parents=()):
        self.value, self.parents, self.gradient = np.asarray(value, np.float64), parents, None

    def __add__(self, other): return add(self, other)
    def __mul__(self, other): return multiply(self, other)
    def __matmul__(self, other): return matmul(self, other)


def node(x): return x if isinstance(x, Node) else Node(x)


def like(gradient, shape):
    """Of what was broadcast, the sum."""
    while gradient.ndim > len(shape): gradient = gradient.sum(0)
    for axis, extent in enumerate(shape):
        if extent == 1: gradient = gradient.sum(axis, keepdims=True)
    return gradient


def add(a, b):
    a, b = node(a), node(b)
    return Node(a.value + b.value, [(a, lambda g: like(g, a.value.shape)), (b, lambda g: like(g, b.value.shape))])


def multiply(a, b):
    a, b = node(a), node(b)
    return Node(a.value * b.value, [(a, lambda g: like(g * b.value, a.value.shape)), (b, lambda g: like(g * a.value, b.value.shape))])


def matmul(a, b):
    a, b = node(a), node(b)
    return Node(a.value @ b.value, [(a, lambda g: like(g @ np.swapaxes(b.value, -1, -2), a.value.shape)),
                                    (b, lambda g: like(np.swapaxes(a.value, -1, -2) @ g, b.value.shape))])


def function(a, value, slope): return Node(value, [(a, lambda g: g * slope)])


def pick(a, index):
    def back(g):
        whole = np.zeros_like(a.value)
        np.add.at(whole, index, g)
        return whole
    return Node(a.value[index], [(a, back)])


def join(parts):
    ends = np.cumsum([0] + [p.value.shape[0] for p in parts])
    return Node(np.concatenate([p.value for p in parts]), [(p, lambda g, i=i: g[ends[i]:ends[i + 1]]) for i, p in enumerate(parts)])


def turn(a): return Node(np.swapaxes(a.value, -1, -2), [(a, lambda g: np.swapaxes(g, -1, -2))])


def total(a, axis=None):
    return Node(a.value.sum(axis), [(a, lambda g: np.broadcast_to(g if axis is None else np.expand_dims(g, axis), a.value.shape))])


def softmax(a):
    e = np.exp(a.value - a.value.max(-1, keepdims=True))
    p = e / e.sum(-1, keepdims=True)
    return Node(p, [(a, lambda g: p * (g - (g * p).sum(-1, keepdims=True)))])


def log(a): return function(a, np.log(a.value), 1 / a.value)


def exp(a): return function(a, np.exp(a.value), np.exp(a.value))


def gelu(a):
    x, c = a.value, np.sqrt(2 / np.pi)
    t = np.tanh(c * (x + 0.044715 * x ** 3))
    return function(a, 0.5 * x * (1 + t), 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * c * (1 + 3 * 0.044715 * x * x))


def norm(a, gain, bias):
    d = a.value.shape[-1]
    centred = add(a, multiply(total_last(a), -1 / d))
    variance = total_last(multiply(centred, centred)).value / d + 1e-5
    v = multiply(total_last(multiply(centred, centred)), 1 / d)
    inverse = function(v, variance ** -0.5, -0.5 * variance ** -1.5)
    return multiply(multiply(centred, inverse), gain) + bias


def total_last(a): return Node(a.value.sum(-1, keepdims=True), [(a, lambda g: np.broadcast_to(g, a.value.shape))])


def backward(end):
    order, seen = [], set()
    stack = [(end, False)]
    while stack:
        n, done = stack.pop()
        if done: order.append(n)
        elif id(n) not in seen:
            seen.add(id(n))
            stack.append((n, True))
            stack += [(p, False) for p, _ in n.parents]
    for n in order: n.gradient = np.zeros_like(n.value)
    end.gradient = np.ones_like(end.value)
    for n in reversed(order):
        for parent, by in n.parents: parent.gradient = parent.gradient + by(n.gradient)


def block(h, w, b, heads):
    def of(name): return w["block%d_%s" % (b, name)]
    rows, D = h.value.shape
    x = norm(h, of("norm1_gain"), of("norm1_bias")) @ of("qkv_weight") + of("qkv_bias")
    W, parts = D // heads, []
    for i in range(heads):
        q, k, v = (pick(x, (slice(None), slice(at * D + i * W, at * D + (i + 1) * W))) for at in range(3))
        parts.append(turn(softmax((q @ turn(k)) * W ** -0.5) @ v))
    h = h + turn(join(parts)) @ of("mix_weight") + of("mix_bias")
    up = gelu(norm(h, of("norm2_gain"), of("norm2_bias")) @ of("up_weight") + of("up_bias"))
    return h + up @ of("down_weight") + of("down_bias")


class Twin:
    """layers: [(role, keys)] as in model.layers; values from a checkpoint of the initial ones."""

    def __init__(self, checkpoint, layers, balance, z_loss):
        self.layers, self.balance, self.z_loss, self.units = layers, balance, z_loss, []
        with h5py.File(checkpoint) as file:
            denses = experts = 0
            for role, keys in layers:
                if role == "experts":
                    name = "" if experts == 0 else "layer%d_" % experts
                    shared = self.read(file[name + "shared"]) if keys.get("shared", 0) > 0 else {}
                    self.units.append((self.read(file[name + "experts"]), self.read(file[name + "gate"]), shared))
                    experts += 1
                else:
                    self.units.append(self.read(file["dense%d" % denses]))
                    denses += 1

    @staticmethod
    def read(group):
        found = {}
        def take(name, item):
            leaf = name.split("/")[-1]
            if isinstance(item, h5py.Dataset) and leaf not in ("state", "xxh3", "updates", "balance_bias") and "moment" not in leaf:
                found[leaf] = Node(item[()])
        group.visititems(take)
        return found

    def gate(self, w, x, kind):
        return gelu(x @ w["hidden_weight"] + w["hidden_bias"]) @ w["weight"] + w["bias"] if kind == "mlp" else x @ w["weight"]

    def step(self, samples, labels, rate, choices):
        """The mean loss of a batch, after which everything has learned once; and how far below the best score a choice was.
        choices: of each layer of experts [samples, K], since a score that is as good as another may fall either way."""
        states, penalty, short, layer = [Node(s) for s in samples], Node(0.0), 0, 0
        for (role, keys), unit in zip(self.layers, self.units):
            if role == "embed":
                states = [s @ unit["embed_weight"] + unit["embed_bias"] + unit["position"] for s in states]
                if unit["class_token"].value.size > 0:
                    token = Node(unit["class_token"].value[None, :], [(unit["class_token"], lambda g: g[0])])
                    states = [join([token, s]) for s in states]
            elif role == "dense":
                for b in range(keys["depth"]): states = [block(s, unit, b, keys["heads"]) for s in states]
            elif role == "experts":
                states, cost, off = self.experts(states, samples, keys, *unit, choices[layer])
                penalty, short, layer = penalty + cost, max(short, off), layer + 1
        head, loss = self.units[-1], Node(0.0)
        for s, label in zip(states, labels):
            s = norm(s, head["norm_gain"], head["norm_bias"])
            pooled = pick(s, (slice(0, 1),)) if self.layers[-1][1]["pool"] == "class" else Node(
                s.value.mean(0, keepdims=True), [(s, lambda g, n=s.value.shape[0]: np.repeat(g / n, n, 0))])
            p = softmax(pooled @ head["head_weight"] + head["head_bias"])
            loss = loss + log(pick(p, (0, label))) * (-1 / len(labels))
        backward(loss + penalty)
        for unit in self.units:
            for tensors in unit if isinstance(unit, tuple) else (unit,):
                for tensor in tensors.values():
                    if tensor.gradient is not None: tensor.value = tensor.value - rate * tensor.gradient
                    tensor.gradient = None
        return float(loss.value), short

    def experts(self, states, samples, keys, w, gate, shared, choice):
        E, K, n = keys["count"], keys.get("top_k", 1) or keys["count"], len(states)
        seen = join([Node(s.value.mean(0)[None, :], [(s, lambda g, r=s.value.shape[0]: np.repeat(g / r, r, 0))]) for s in states]) \
            if keys.get("input", "state") == "state" else Node(np.stack([s.mean(0) for s in samples]))
        h = self.gate(gate, seen, keys.get("gate", "linear"))
        p = softmax(h)
        best = -np.sort(-h.value, axis=1)[:, :K]
        short = np.abs(best - np.take_along_axis(h.value, choice, 1)).max()
        share = np.bincount(choice.ravel(), minlength=E) / (n * K)
        cost = total(multiply(total(p, 0), share)) * (keys.get("balance_loss", self.balance) * E / n)
        square = log(total(exp(h), 1))
        cost = cost + total(square * square) * (keys.get("z_loss", self.z_loss) / n)
        out = []
        for s in range(n):
            weights = pick(p, (s, choice[s]))
            if keys.get("scale", "prob") == "chosen": weights = softmax(pick(h, (s, choice[s])))
            if keys.get("scale", "prob") == "none": weights = Node(np.full(K, 1 / K))
            y = states[s] if keys.get("residual", True) else Node(np.zeros_like(states[s].value))
            for e in range(keys.get("shared", 0)): y = y + self.expert(states[s], keys, shared, e)
            for k, e in enumerate(choice[s]): y = y + self.expert(states[s], keys, w, e) * pick(weights, (k,))
            out.append(y)
        return out, cost, short

    @staticmethod
    def expert(state, keys, w, e):
        own, f = {name: pick(tensor, (e,)) for name, tensor in w.items()}, state
        for b in range(keys["depth"]): f = block(f, own, b, keys["heads"])
        return f + state * -1.0 if keys.get("residual", True) else f
