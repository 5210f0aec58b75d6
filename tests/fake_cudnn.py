"""The package ``cudnn`` in NumPy: graphs of one operation, on addresses of main memory.

It takes shapes and strides as it is told them, with the plain definitions for the arithmetic. `FakeGraph.support` says
what there is no algorithm for.
"""

from __future__ import annotations

import ctypes
import enum
from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any

import ml_dtypes
import numpy as np

from wengert.backends.definitions import attention as plain_attention
from wengert.backends.definitions import conv as plain_conv

data_type = enum.Enum("data_type", "NOT_SET HALF BFLOAT16 FLOAT DOUBLE")
numerical_note = enum.Enum(
    "numerical_note", "TENSOR_CORE DOWN_CONVERT_INPUTS REDUCED_PRECISION_REDUCTION NONDETERMINISTIC WINOGRAD"
)
heur_mode = enum.Enum("heur_mode", "A B FALLBACK")
build_plan_policy = enum.Enum("build_plan_policy", "HEURISTICS_CHOICE ALL")
NUMPY = {"HALF": np.float16, "BFLOAT16": ml_dtypes.bfloat16, "FLOAT": np.float32, "DOUBLE": np.float64}


class NotSupported(Exception):
    """``cudnnGraphNotSupportedError``."""


class FakeTensor:
    """The description of a tensor."""

    def __init__(self, dim: Any = None, stride: Any = None, data_type: Any = None, uid: int = 0) -> None:
        self.dim, self.stride, self.type, self.uid, self.output = dim, stride, data_type, uid, False

    def _set(name: str) -> Any:  # type: ignore[misc]
        def method(self: FakeTensor, value: Any) -> FakeTensor:
            setattr(self, name, value)
            return self

        return method

    set_output, set_uid, set_dim, set_stride, set_data_type = map(_set, ("output", "uid", "dim", "stride", "type"))

    def array(self, address: int) -> Any:
        dtype = np.dtype(NUMPY[self.type.name])
        assert address % dtype.itemsize == 0
        assert all(s > 0 for n, s in zip(self.dim, self.stride, strict=True) if n > 1)
        far = 1 + sum((n - 1) * s for n, s in zip(self.dim, self.stride, strict=True))
        memory = np.frombuffer((ctypes.c_byte * (far * dtype.itemsize)).from_address(address), dtype)
        return np.lib.stride_tricks.as_strided(memory, self.dim, [s * dtype.itemsize for s in self.stride])


class FakeGraph:
    """``pygraph``."""

    made: list[FakeGraph]
    support: Callable[[FakeGraph], bool]
    plans = 2

    def __init__(self, io_data_type: Any, intermediate_data_type: Any, compute_data_type: Any, handle: Any) -> None:
        self.io, self.compute, self.handle = io_data_type, compute_data_type, handle
        self.stage, self.notes, self.node, self.ran = "described", [], None, []  # type: ignore[var-annotated]
        self.tensors: dict[int, FakeTensor] = {}
        type(self).made.append(self)

    def tensor(self, name: str, dim: Any, stride: Any, uid: int, data_type: Any = None) -> FakeTensor:
        assert len(dim) == len(stride)
        assert all(type(n) is int for n in (*dim, *stride))
        made = FakeTensor(dim, stride, data_type or self.io, uid)
        self.tensors[uid] = made
        return made

    def _node(self, kind: str, outputs: int, **parts: Any) -> Any:
        assert self.node is None
        self.node = (kind, parts, [FakeTensor(data_type=self.io) for _ in range(outputs)])
        return self.node[2] if outputs > 1 else self.node[2][0]

    def conv_fprop(self, image: Any, weight: Any, **geometry: Any) -> Any:
        return self._node("conv_fprop", 1, a=image, b=weight, **geometry)

    def conv_dgrad(self, loss: Any, filter: Any, **geometry: Any) -> Any:
        return self._node("conv_dgrad", 1, a=loss, b=filter, **geometry)

    def conv_wgrad(self, image: Any, loss: Any, **geometry: Any) -> Any:
        return self._node("conv_wgrad", 1, a=image, b=loss, **geometry)

    def sdpa(self, q: Any, k: Any, v: Any, generate_stats: bool, **more: Any) -> Any:
        assert generate_stats
        return self._node("sdpa", 2, q=q, k=k, v=v, **more)

    def sdpa_backward(self, q: Any, k: Any, v: Any, o: Any, dO: Any, stats: Any, **more: Any) -> Any:
        return self._node("sdpa_backward", 3, q=q, k=k, v=v, o=o, g=dO, stats=stats, **more)

    def _step(before: str, after: str) -> Any:  # type: ignore[misc]
        def method(self: FakeGraph, *args: Any) -> None:
            assert self.stage == before, f"{after} comes after {before}"
            self.stage = after

        return method

    validate, build_operation_graph = _step("described", "validated"), _step("validated", "built")
    create_execution_plans = _step("built", "planned")

    def deselect_numeric_notes(self, notes: list[Any]) -> None:
        assert self.stage == "planned"
        self.notes = [note.name for note in notes]

    def deselect_workspace_greater_than(self, size: int) -> None:
        assert self.stage == "planned"

    def check_support(self) -> None:
        if not type(self).support(self):
            raise NotSupported("No valid execution plans found.\nMore of it")
        self.stage = "supported"

    def build_plan_at_index(self, index: int) -> None:
        assert self.stage in ("supported", "ready")
        if index == 1 and "NONDETERMINISTIC" in self.notes:
            raise NotSupported("Chosen plan index has been deselected.")
        self.stage, self.policy = "ready", None

    def build_plans(self, policy: Any) -> None:
        assert self.stage == "supported"
        self.stage, self.policy = "ready", policy

    def get_execution_plan_count(self) -> int:
        return type(self).plans

    def get_workspace_size(self) -> int:
        return 512

    def get_workspace_size_plan_at_index(self, index: int) -> int:
        return 512 * index

    def _execute(self, pointers: dict[int, int], workspace: int, handle: int) -> None:
        self._execute_plan_at_index(pointers, workspace, 0, handle)

    def _execute_plan_at_index(self, pointers: dict[int, int], workspace: int, index: int, handle: int) -> None:
        assert self.stage == "ready"
        assert handle == self.handle
        self.ran.append(index)
        kind, parts, outputs = self.node  # type: ignore[misc]
        assert all(output.output for output in outputs)
        given = {n: p.array(pointers[p.uid]) if isinstance(p, FakeTensor) else p for n, p in parts.items()}
        wide = {n: v.astype(np.float64) if isinstance(v, np.ndarray) else v for n, v in given.items()}
        results = getattr(self, f"_{kind.split('_')[0]}")(kind, outputs, **wide)
        for output, result in zip(outputs, results, strict=True):
            where = output.array(pointers[output.uid])
            assert where.shape == result.shape
            where[...] = result

    def _conv(self, kind: str, outputs: Any, a: Any, b: Any, pre_padding: Any, post_padding: Any, **rest: Any) -> Any:
        geometry = {
            "stride": tuple(rest["stride"]),
            "padding": tuple(zip(pre_padding, post_padding, strict=True)),
            "dilation": tuple(rest["dilation"]),
        }
        dim = tuple(outputs[0].dim)
        if kind == "conv_fprop":
            return [plain_conv.conv(np, a, b, None, **geometry, groups=a.shape[1] // b.shape[1])]
        if kind == "conv_dgrad":
            return [plain_conv.conv_input(np, a, b, dim[2:], **geometry, groups=dim[1] // b.shape[1])]
        return [plain_conv.conv_weight(np, a, b, dim[2:], **geometry, groups=a.shape[1] // dim[1])]

    def _sdpa(self, kind: str, outputs: Any, q: Any, k: Any, v: Any, attn_scale: float, **rest: Any) -> Any:
        group, causal = q.shape[1] // k.shape[1], rest["use_causal_mask"]
        kr, vr = (np.repeat(x, group, axis=1) for x in (k, v))
        y, (p,) = plain_attention.attention(np, q, kr, vr, None, None, attn_scale, causal, 1.0)
        scores = q @ kr.swapaxes(-1, -2) * attn_scale
        if causal:
            scores = np.where(plain_attention.causal_mask(np, *scores.shape[-2:]), scores, -np.inf)
        sums = np.log(np.exp(scores).sum(-1, keepdims=True))
        if kind == "sdpa":
            assert outputs[1].type is data_type.FLOAT
            return [y, sums]
        np.testing.assert_allclose(rest["stats"], sums, rtol=1e-2, atol=1e-2)
        np.testing.assert_allclose(rest["o"], y, rtol=5e-2, atol=5e-2)
        gq, gk, gv, _ = plain_attention.attention_backward(
            np, rest["g"], q, kr, vr, None, None, (p,), attn_scale, causal, 1.0, False
        )
        gk, gv = (x.reshape(*k.shape[:2], group, *k.shape[2:]).sum(2) for x in (gk, gv))
        return [gq, gk, gv]


def fake_cudnn(support: Callable[[FakeGraph], bool] = lambda graph: True) -> Any:
    """A package of its own, with a class of graphs of its own in ``graphs``."""
    module = ModuleType("cudnn")
    graphs = type("pygraph", (FakeGraph,), {"made": [], "support": staticmethod(support)})
    streams: list[int] = []
    compiled = SimpleNamespace(
        pygraph=graphs, create_handle=lambda: 77, set_stream=lambda handle, stream: streams.append(stream)
    )
    module.__dict__.update(
        _compiled_module=compiled,
        backend_version=lambda: 92801,
        build_plan_policy=build_plan_policy,
        data_type=data_type,
        graphs=graphs,
        heur_mode=heur_mode,
        numerical_note=numerical_note,
        streams=streams,
        __version__="1.28.0",
    )
    return module
