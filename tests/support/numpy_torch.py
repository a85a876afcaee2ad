"""So much of PyTorch as docs/mot_torch.py needs, by NumPy: `sys.modules["torch"]` where there is none. It cannot learn."""
import sys, types

import numpy as np


class Tensor(np.ndarray):
    def detach(self): return self
    def numpy(self): return np.asarray(self)


def tensor(x): return np.asarray(x).view(Tensor)


def softmax(x, dim):
    e = np.exp(x - x.max(dim, keepdims=True))
    return e / e.sum(dim, keepdims=True)


def layer_norm(x, shape, gain, bias):
    centred = x - x.mean(-1, keepdims=True)
    return centred / np.sqrt((centred * centred).mean(-1, keepdims=True) + np.float32(1e-5)) * gain + bias


def gelu(x, approximate):
    assert approximate == "tanh"
    return np.float32(0.5) * x * (1 + np.tanh(np.float32(np.sqrt(2 / np.pi)) * (x + np.float32(0.044715) * x ** 3)))


class Module:
    def __call__(self, *x): return self.forward(*x)


class no_grad:
    def __enter__(self): pass
    def __exit__(self, *what): pass


torch = types.ModuleType("torch")
torch.nn = types.ModuleType("torch.nn")
torch.nn.functional = types.ModuleType("torch.nn.functional")
torch.nn.functional.gelu, torch.nn.functional.layer_norm = gelu, layer_norm
torch.nn.Module, torch.nn.Parameter, torch.nn.ParameterDict = Module, lambda x, requires_grad: x, dict
for name, function in dict(
        softmax=softmax, sigmoid=lambda x: 1 / (1 + np.exp(-x)), relu=lambda x: np.maximum(x, 0), tanh=np.tanh, exp=np.exp, log=np.log,
        cat=np.concatenate, amax=lambda x, dim: x.max(dim), where=np.where, arange=lambda n: tensor(np.arange(n)), from_numpy=tensor,
        zeros=lambda *shape: tensor(np.zeros(shape, np.float32)), take_along_dim=np.take_along_axis, no_grad=no_grad,
        argsort=lambda x, dim, stable: np.argsort(x, axis=dim, kind="stable")).items():
    setattr(torch, name, function)
sys.modules.update({"torch": torch, "torch.nn": torch.nn, "torch.nn.functional": torch.nn.functional})
