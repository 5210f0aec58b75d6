"""A reverse-mode engine on NumPy, whole: `from_scratch.md` builds it step by step."""

from __future__ import annotations

import numpy as np


class Value:
    """An array that knows what it was made of, and so its place in the graph."""

    def __init__(self, data, inputs=(), rule=None):
        self.data = np.asarray(data, dtype=np.float64)
        self.grad = None
        self.inputs = inputs  # the values that it was computed from
        self.rule = rule  # from the gradient of this value to the gradients of its inputs

    def __add__(self, other):
        other = as_value(other)
        return Value(self.data + other.data, (self, other), lambda g: (g, g))

    def __mul__(self, other):
        other = as_value(other)
        x, y = self.data, other.data
        return Value(x * y, (self, other), lambda g: (g * y, g * x))

    def __matmul__(self, other):
        x, y = self.data, other.data
        return Value(x @ y, (self, other), lambda g: (g @ y.T, x.T @ g))

    def relu(self):
        y = np.maximum(self.data, 0.0)
        return Value(y, (self,), lambda g: (g * (y > 0.0),))

    def sum(self):
        shape = self.data.shape
        return Value(self.data.sum(), (self,), lambda g: (np.broadcast_to(g, shape),))

    def __neg__(self):
        return self * -1.0

    def __sub__(self, other):
        return self + -as_value(other)

    __radd__, __rmul__ = __add__, __mul__

    def backward(self):
        """Add to the ``grad`` of every leaf the derivative of this value, a single number."""
        pending = {self: np.ones_like(self.data)}
        for value in newest_first(self):
            g = pending.pop(value)
            if value.rule is None:  # a leaf
                value.grad = g.copy() if value.grad is None else value.grad + g
                continue
            for source, gradient in zip(value.inputs, value.rule(g), strict=True):
                gradient = sum_to(gradient, source.data.shape)
                pending[source] = pending[source] + gradient if source in pending else gradient


def as_value(x):
    """A number or array as a value; a value as it is."""
    return x if isinstance(x, Value) else Value(x)


def sum_to(g, shape):
    """The sum of a gradient over what broadcasting had repeated."""
    g = g.sum(axis=tuple(range(g.ndim - len(shape))))
    repeated = tuple(i for i, size in enumerate(shape) if size == 1 and g.shape[i] != 1)
    return g.sum(axis=repeated, keepdims=True)


def newest_first(root):
    """All values that ``root`` was computed from, each one before its inputs."""
    order, seen, stack = [], set(), [(root, False)]
    while stack:
        value, inputs_done = stack.pop()
        if inputs_done:
            order.append(value)
        elif value not in seen:
            seen.add(value)
            stack.append((value, True))
            stack.extend((source, False) for source in value.inputs)
    return order[::-1]


class SGD:
    """Gradient descent: every parameter goes a step against its gradient."""

    def __init__(self, parameters, lr):
        self.parameters, self.lr = list(parameters), lr

    def step(self):
        for p in self.parameters:
            p.data -= self.lr * p.grad

    def zero_grad(self):
        for p in self.parameters:
            p.grad = None
