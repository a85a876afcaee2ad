"""A model that mot trained, in PyTorch: what `mot export RUN --safetensors FILE` wrote, as a torch.nn.Module that says the same.

    model = Mot("mine.safetensors")
    outputs, experts = model(*model.inputs(samples))    # samples as they stand in a data set of mot: /test/x
    model.save("changed.safetensors")                   # mot import-weights changed.safetensors runs/mine -o runs/changed

docs/export.md explains it. On the command line, for samples `x` in a .npz (and so on, in threes):
    python3 mot_torch.py mine.safetensors samples.npz out.npz
"""
import json
import struct
import sys

import numpy
import torch
from torch.nn.functional import gelu, layer_norm

# ---- embed, blocks, head: an encoder is one behind the other, and a stack has them as layers ----
# h [n, L, D] states; live [n, L]: 1 for a token, 0 behind the end of a text; w: tensors by their names


def embed(x, live, w):
    h = w["embed_weight"][x] if x.ndim == 2 else x @ w["embed_weight"] + w["embed_bias"]  # ids [n, L] or numbers [n, L, W]
    h = h + w["position"]
    if w["class_token"].shape[0] > 0:
        h = torch.cat([w["class_token"] + 0 * h[:, :1], h], 1)
        live = torch.cat([live[:, :1], live], 1)
    return h, live


def block(h, live, w, b, heads):
    of, (n, L, D) = lambda name: w["block%d_%s" % (b, name)], h.shape
    x = layer_norm(h, (D,), of("norm1_gain"), of("norm1_bias")) @ of("qkv_weight") + of("qkv_bias")
    q, k, v = (x[..., i * D:(i + 1) * D].reshape(n, L, heads, D // heads).swapaxes(1, 2) for i in range(3))
    p = torch.softmax(q @ k.swapaxes(2, 3) * (D // heads) ** -0.5 - 1e30 * (1 - live[:, None, None]), -1)
    h = h + (p @ v).swapaxes(1, 2).reshape(n, L, D) @ of("mix_weight") + of("mix_bias")
    x = layer_norm(h, (D,), of("norm2_gain"), of("norm2_bias")) @ of("up_weight") + of("up_bias")
    return h + gelu(x, approximate="tanh") @ of("down_weight") + of("down_bias")


def blocks(h, live, w, depth, heads):
    for b in range(depth):
        h = block(h, live, w, b, heads)
    return h


def mean(h, live):
    return (h * live[..., None]).sum(1) / live.sum(1)[:, None]


def head(h, live, w, pool):
    h = layer_norm(h, (h.shape[2],), w["norm_gain"], w["norm_bias"])
    return (h[:, 0] if pool == "class" else mean(h, live)) @ w["head_weight"] + w["head_bias"]


# ---- the three kinds of experts: outputs [n, C] of samples x ----


def encoder(x, live, w, s):
    h, live = embed(x, live, w)
    h = blocks(h, live, w, int(s["model.depth"]), int(s["model.heads"]))
    return head(h, live, w, s["model.pool"])


ACTIVATION = {"cubic": lambda a: a ** 3, "identity": lambda a: a, "relu": torch.relu, "gelu": lambda a: gelu(a, approximate="tanh")}


def merged(x, live, w, s):
    f = 0
    for h in range(int(s["model.merged.heads"])):
        u = x
        if s["model.merged.attention"] == "softmax":  # of a token i over j: X_j . A X_i
            u = torch.softmax(x @ w["attention"][h].swapaxes(0, 1) @ x.swapaxes(1, 2), -1) @ x
        a = ACTIVATION[s["model.merged.activation"]](u @ w["neurons"][h]).sum(-1)
        f = f + {"sum": lambda: a.sum(1), "mean": lambda: a.mean(1), "first": lambda: a[:, 0]}[s["model.merged.readout"]]()
    return f[:, None]


NEURON = {"hermite": lambda a: a ** 3 - 3 * a, "hermite2": lambda a: a ** 2 - 1, "relu": torch.relu, "tanh": torch.tanh}


def hermite(x, live, w, s):
    u = w["neuron"] / (w["neuron"] ** 2).sum() ** 0.5
    return NEURON[s["model.hermite.activation"]](x[:, 0] @ u)[:, None]


# ---- gates: scores [n, E], then which experts, and with which weight ----


def product(x, live, w, way):
    """g W; what the gate sees of a sample, g, is its tokens' mean or sum, or all its numbers; of a text a bag of words."""
    if x.ndim == 2:  # ids
        found = (w[x] * live[..., None]).sum(1)
        return found / live.sum(1)[:, None] if way == "mean" else found
    return (x.reshape(x.shape[0], -1) if way == "flat" else x.sum(1) if way == "sum" else mean(x, live)) @ w


def scores(kind, x, live, w, way, experts):
    if kind == "even":
        return torch.zeros(x.shape[0], experts)
    if kind in ("random", "fixed"):
        raise ValueError("gate.kind = %s: it draws lots, or is told; what it chooses does not follow from the sample" % kind)
    if kind == "mlp":
        return gelu(product(x, live, w["hidden_weight"], way) + w["hidden_bias"], approximate="tanh") @ w["weight"] + w["bias"]
    if kind == "classes":  # each is dealt to one expert
        z, member = product(x, live, w["weight"], way) + w["bias"], w["member"]
        own = (member > 0.5) * 1.0
        own = own + (own.sum(1)[:, None] == 0) * (torch.arange(own.shape[1]) == 0)
        most = torch.amax(z, 1)[:, None]
        return torch.log(torch.exp(z - most) @ own + 1e-30) + most
    theta = w["weight"]
    if kind in ("sigmoid", "softmax"):
        theta = theta / (theta ** 2).sum(0) ** 0.5
    return product(x, live, theta, way)


def choose(kind, h, bias, top_k, scale):
    """experts [n, K], weights [n, K]"""
    n, E = h.shape
    K = E if top_k == "all" or kind in ("sigmoid", "softmax") else min(int(top_k), E)
    if kind == "even":
        chosen = (torch.arange(n)[:, None] * K + torch.arange(K)) % E
    else:
        chosen = torch.argsort(-(h + bias), dim=1, stable=True)[:, :K]
    if kind == "sigmoid":
        return chosen, torch.take_along_dim(torch.sigmoid(h), chosen, 1)
    if kind == "softmax" or scale == "prob":
        return chosen, torch.take_along_dim(torch.softmax(h, 1), chosen, 1)
    own = torch.take_along_dim(h, chosen, 1)
    return chosen, torch.softmax(own, 1) if scale == "chosen" else 0 * own + 1 / K


def route(run, x, live, chosen, weight, experts, mix=False):
    """The sum over the chosen of their weight times what `run` gives (mix: of probabilities, by their logarithm), each expert with
    the samples that are sent to it."""
    out = None
    for e in range(experts):
        own = ((chosen == e) * weight).sum(1)
        rows = torch.where((chosen == e).any(1))[0]
        if len(rows) > 0:
            y = run(e, x[rows], live[rows])
            y = torch.softmax(y, -1) if mix else y
            out = torch.zeros(len(x), *y.shape[1:]) if out is None else out
            out[rows] = out[rows] + own[rows].reshape(-1, *[1] * (y.ndim - 1)) * y
    return torch.log(out) if mix else out


FIXED = ("balance_bias", "confusion", "member")  # they take part in choices, and no gradient is theirs


class Mot(torch.nn.Module):
    def __init__(self, file):
        super().__init__()
        raw = open(file, "rb").read()
        size = struct.unpack("<Q", raw[:8])[0]
        header = json.loads(raw[8:8 + size])
        self.metadata = header.pop("__metadata__")
        self.settings = {key: value.strip('"') for key, value in json.loads(self.metadata["settings"]).items()}
        self.data = json.loads(self.metadata["data"])
        self.names = list(header)
        tensors = {}
        for name, about in header.items():
            first, end = about["data_offsets"]
            value = numpy.frombuffer(raw[8 + size + first:8 + size + end], "<f4").reshape(about["shape"]).copy()
            tensors[name] = torch.nn.Parameter(torch.from_numpy(value), requires_grad=name.split("/")[-1] not in FIXED)
        self.tensor = torch.nn.ParameterDict(tensors)

    def save(self, file):
        """For mot import-weights: every tensor under its name."""
        values = {name: self.tensor[name].detach().numpy() for name in self.names}
        at, header = 0, {"__metadata__": self.metadata}
        for name, value in values.items():
            header[name] = {"dtype": "F32", "shape": list(value.shape), "data_offsets": [at, at + value.nbytes]}
            at += value.nbytes
        text = json.dumps(header).encode()
        with open(file, "wb") as out:
            out.write(struct.pack("<Q", len(text)) + text + b"".join(value.astype("<f4").tobytes() for value in values.values()))

    def unit(self, group, row=None):
        """Tensors of a gate, a dense layer, or (row) an expert, by the last part of their names."""
        return {name.split("/")[-1]: self.tensor[name] if row is None else self.tensor[name][row]
                for name in self.names if name.startswith(group + "/")}

    def expert(self, layer, e):
        return {**self.unit(layer + "tied"), **self.unit(layer + "experts", e)}

    def inputs(self, samples):
        """x, live: stored samples as numbers [n, L, W], or as ids [n, L]."""
        d, s = self.data, self.settings
        x = numpy.asarray(samples)
        if d["kind"] == "text":
            live = numpy.cumprod(x != 0, 1)
            x = numpy.where(live == 1, x, 0).astype(numpy.int64)
            x[live[:, 0] == 0, 0] = live[:, 0] = 1  # an empty text is its first token, unknown
            return torch.from_numpy(x), torch.from_numpy(live.astype(numpy.float32))
        m, v = numpy.array(d["mean"] or [0.0]), numpy.array(d["deviation"] or [1.0])
        if d["kind"] == "picture":
            C, H, W, p = d["channels"], d["height"], d["width"], int(s.get("model.layers.0.patch", s["model.patch"]))
            x = (x.reshape(-1, C, H, W) / 255 - m[:, None, None]) / v[:, None, None]
            x = x.reshape(-1, C, H // p, p, W // p, p).transpose(0, 2, 4, 1, 3, 5).reshape(len(x), -1, C * p * p)
        else:
            x = (x.reshape(len(x), d["tokens"], d["features"]) - m) / v
        return torch.from_numpy(x.astype(numpy.float32)), torch.from_numpy(numpy.ones(x.shape[:2], numpy.float32))

    def forward(self, x, live):
        """outputs [n, C], and of each layer of experts the chosen ones [n, K]."""
        return self.stack(x, live) if "model.layers.0" in self.settings else self.alone(x, live)

    def alone(self, x, live):
        s = self.settings
        run = {"encoder": encoder, "merged": merged, "hermite": hermite}[s["model.kind"]]
        bias = self.tensor["gate/balance_bias"]
        kind = s["gate.kind"]
        h = scores(kind, x, live, self.unit("gate"), s["gate.input"], len(bias))
        chosen, weight = choose(kind, h, bias, s["route.top_k"], s["route.scale"])
        out = route(lambda e, x, live: run(x, live, self.expert("", e), s), x, live, chosen, weight, len(bias),
                    s.get("route.combine") == "probabilities" and chosen.shape[1] > 1)
        return out, [chosen]

    def stack(self, x, live):
        dense = layer = first = 0
        sample, seen, choices = x, live, []
        for i in range(16):
            role, of = self.settings.get("model.layers.%d" % i), lambda key: self.settings["model.layers.%d.%s" % (i, key)]
            if role is None:
                return h, choices
            w = self.unit("dense%d" % dense)
            if role == "embed":
                h, live = embed(x, live, w)
            elif role == "dense":
                h = blocks(h, live, w, int(of("depth")), int(of("heads")))
            elif role == "head":
                h = head(h, live, w, of("pool"))
            else:
                name, E = "layer%d_" % layer if layer > 0 else "", int(of("count"))
                state = of("gate.input") == "state"
                g = scores(of("gate.kind"), h if state else sample, live if state else seen, self.unit(name + "gate"), of("gate.input"), E)
                chosen, weight = choose(of("gate.kind"), g, self.tensor["gate/balance_bias"][first:first + E], of("route.top_k"),
                                        of("route.scale"))
                add = of("residual") == "true"  # then an expert adds what its blocks make of a state to it

                def run(e, h, live):
                    return blocks(h, live, self.expert(name, e), int(of("depth")), int(of("heads"))) - (h if add else 0)

                out = route(run, h, live, chosen, weight, E) + (h if add else 0)
                for e in range(int(of("shared"))):  # which every sample passes
                    w = self.unit(name + "shared", e)
                    out = out + blocks(h, live, w, int(of("depth")), int(of("heads"))) - (h if add else 0)
                h = out
                choices.append(chosen)
                layer, first = layer + 1, first + E
            dense += role != "experts"


if __name__ == "__main__":
    for file, samples, out in zip(sys.argv[1::3], sys.argv[2::3], sys.argv[3::3]):
        model = Mot(file)
        with torch.no_grad():
            outputs, experts = model(*model.inputs(numpy.load(samples)["x"]))
        numpy.savez(out, output=outputs.numpy(), **{"expert%d" % i: e.numpy() for i, e in enumerate(experts)})
