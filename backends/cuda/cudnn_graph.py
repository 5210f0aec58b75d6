"""cuDNN by its graphs: an operation is described once, planned once, and from then on run with addresses.

The package ``nvidia-cudnn-frontend`` (``pip install wengert[cudnn]``) describes and plans; it takes addresses, so that
no array library comes between. Of its compiled part one class is used, which all versions that pyproject.toml allows
have.

Only algorithms whose results repeat to the bit are taken, unless ``backends.cudnn.benchmark`` asks for the fastest and
nothing asks for determinism. A plan is kept for as long as the process lives: destroying one while a graph is captured
would spoil it.
"""

from __future__ import annotations

import functools
import importlib
import threading
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from .. import cudnn as switches
from ..dtypes import to_dtype
from ..errors import DeviceError
from ..settings import are_deterministic_algorithms_enabled
from .libraries import missing, refused, switched_off, used

MOST_WORKSPACE = 1 << 30  # bytes; algorithms that want more are left out
TYPES = {"float16": "HALF", "bfloat16": "BFLOAT16", "float32": "FLOAT", "float64": "DOUBLE"}
ROUNDS = 3  # of each algorithm, when the fastest is looked for

Ints = tuple[int, ...]


class Rules(NamedTuple):
    """Which algorithms may be taken; part of every key."""

    tf32: bool
    deterministic: bool
    fastest: bool


def rules() -> Rules:
    """What the switches of programs say now."""
    must_repeat = switches.deterministic or are_deterministic_algorithms_enabled() or not switches.benchmark
    return Rules(bool(switches.allow_tf32), bool(must_repeat), bool(switches.benchmark))


def enabled() -> bool:
    """Whether cuDNN may compute."""
    return bool(switches.enabled)


def find() -> Any:
    """The package, or None."""
    if switched_off("cudnn"):
        return None
    try:
        import cudnn  # looks for the library itself when it is imported

        cudnn.backend_version()
    except ImportError as error:
        missing("cudnn frontend", str(error))
        return None
    except RuntimeError as error:  # the package without the library
        missing("cudnn", str(error))
        return None
    return cudnn


class Graphs:
    """The plans of this process.

    Args:
        frontend: the package.
        cupy: CuPy, for memory, streams, devices and time.
    """

    def __init__(self, frontend: Any, cupy: Any) -> None:
        self.frontend, self._cupy = frontend, cupy
        compiled = frontend._compiled_module
        self.graph = getattr(compiled, "backend_graph", None) or compiled.pygraph
        self._create = compiled.create_handle
        self._set_stream = getattr(compiled, "_raw_set_stream", None) or compiled.set_stream
        self._local = threading.local()
        version = int(frontend.backend_version())
        self.version = version
        used("cudnn", f"{version // 10000}.{version // 100 % 100}.{version % 100}, frontend {frontend.__version__}")

    def new(self, dtype: Any, **options: Any) -> Any:
        """A graph on arrays of one element type, which computes in float32 or float64."""
        types = self.frontend.data_type
        kind = TYPES[to_dtype(dtype).name]
        wide = types.DOUBLE if kind == "DOUBLE" else types.FLOAT
        return self.graph(
            io_data_type=getattr(types, kind), intermediate_data_type=wide, compute_data_type=wide, **options
        )

    def run(self, key: Any, what: str, describe: Callable[..., Any], arrays: Sequence[Any]) -> bool:
        """Run the graph that ``describe(graphs, **options)`` makes on ``arrays``, whose numbers in it are 1, 2, ...

        The key's second part is the element type, and its last the `rules`.

        Returns:
            Whether it ran: False where cuDNN has no algorithm for it, which is found out once.
        """
        device = arrays[0].device.id
        handle, plans = self._ready(device)
        plan = plans.get(key, 0)
        pointers = {i: array.data.ptr for i, array in enumerate(arrays, 1)}
        if plan == 0:
            plan = plans[key] = self._planned(what, describe, handle, key, pointers)
        if plan is None:
            return False
        graph, size, index = plan
        space = self._cupy.cuda.alloc(size) if size else None  # back in the pool, for this stream, after the call
        address = 0 if space is None else int(space.ptr)
        try:
            if index is None:
                graph._execute(pointers, address, handle)
            else:
                graph._execute_plan_at_index(pointers, address, index, handle)
        except Exception as error:
            plans[key] = None
            self._note(what, error)
            return False
        return True

    def _ready(self, device: int) -> tuple[int, dict[Any, Any]]:
        """This thread's handle, on the current stream, and its plans."""
        found = self._local.__dict__.get(str(device))
        stream = int(self._cupy.cuda.get_current_stream().ptr)
        if found is None:
            try:
                handle = self._create()
            except RuntimeError as error:
                raise DeviceError(
                    f"cuDNN cannot start on cuda:{device}: {error}. WENGERT_NO_LIBRARIES=cudnn does without it"
                ) from error
            found = self._local.__dict__[str(device)] = [handle, {}, None]
        handle, plans, before = found
        if before != stream:
            self._set_stream(handle, stream)
            found[2] = stream
        return handle, plans

    def _planned(self, what: str, describe: Any, handle: int, key: Any, pointers: dict[int, int]) -> Any:
        stream = self._cupy.cuda.get_current_stream().ptr
        if stream and self._cupy.cuda.runtime.streamIsCapturing(stream):
            raise DeviceError(
                f"{what} is new to cuDNN inside a graph that is being captured, where nothing can be planned; run the "
                "step once before capturing it"
            )
        try:
            graph = describe(self, handle=handle)
            allowed: Rules = key[-1]
            self._plan(graph, allowed, key)
            found = self._fastest(graph, pointers, handle) if allowed.fastest else None
            if found is None:
                graph.build_plans(self.frontend.build_plan_policy.HEURISTICS_CHOICE)
                found = graph, int(graph.get_workspace_size()), None
            return found
        except Exception as error:
            self._note(what, error)
            return None

    def _plan(self, graph: Any, allowed: Rules, key: Any) -> None:
        f = self.frontend
        graph.validate()
        graph.build_operation_graph()
        graph.create_execution_plans([f.heur_mode.A, f.heur_mode.FALLBACK])
        graph.deselect_numeric_notes(self.unwanted(allowed, key[1]))
        graph.deselect_workspace_greater_than(MOST_WORKSPACE)
        graph.check_support()

    def unwanted(self, allowed: Rules, dtype: str) -> list[Any]:
        """The properties of algorithms that are left out."""
        notes = self.frontend.numerical_note
        out = [notes.DOWN_CONVERT_INPUTS]
        if allowed.deterministic:
            out.append(notes.NONDETERMINISTIC)
        if dtype == "float32" and not allowed.tf32:
            out.append(notes.TENSOR_CORE)
        if dtype in ("float16", "bfloat16"):
            out.append(notes.REDUCED_PRECISION_REDUCTION)
        return out

    def _fastest(self, graph: Any, pointers: dict[int, int], handle: int) -> Any:
        """The quickest of the ``benchmark_limit`` algorithms that cuDNN thinks best, each run once to warm up."""
        times, number = [], int(graph.get_execution_plan_count())
        for index in range(min(number, switches.benchmark_limit or number)):
            try:
                graph.build_plan_at_index(index)
                size = int(graph.get_workspace_size_plan_at_index(index))
                space = self._cupy.cuda.alloc(max(size, 1))
                graph._execute_plan_at_index(pointers, int(space.ptr), index, handle)
                start, end = self._cupy.cuda.Event(), self._cupy.cuda.Event()
                start.record()
                for _ in range(ROUNDS):
                    graph._execute_plan_at_index(pointers, int(space.ptr), index, handle)
                end.record()
                end.synchronize()
            except Exception:  # one that was left out, or could not be built
                continue
            times.append((self._cupy.cuda.get_elapsed_time(start, end), index, size))
        if not times:
            return None
        _, index, size = min(times)
        return graph, size, index

    def _note(self, what: str, error: Exception) -> None:
        lines = str(error).strip().splitlines()
        refused("cudnn", what, lines[0] if lines else type(error).__name__)


def steps(array: Any) -> list[int]:
    """An array's strides in elements."""
    size = array.dtype.itemsize
    return [s // size for s in array.strides]


@functools.cache
def library() -> Graphs | None:
    """The binding to cuDNN's graphs; None where the package or the library is missing."""
    frontend = find()
    return None if frontend is None else Graphs(frontend, importlib.import_module("cupy"))
