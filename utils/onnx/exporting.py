"""``export``: a model, run with an example, as an ONNX file."""

from __future__ import annotations

import contextlib
import enum
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ...autograd.base import TensorBase
from ...autograd.grad_mode import no_grad
from ...backends.call_site import warn
from ...backends.traced import Value
from ...backends.traced.level import UnknownStepError
from ...backends.traced.recording import values_in
from . import rules_elementwise as rules_elementwise
from . import rules_indexing as rules_indexing
from . import rules_products as rules_products
from . import rules_reduction as rules_reduction
from . import rules_shape as rules_shape
from . import rules_windows as rules_windows
from .errors import OnnxExporterError, UnsupportedOperatorError
from .graph import FOLDED, RULES, Graph
from .program import ONNXProgram, need_onnx
from .shapes import Symbols, _parameters, from_axes, from_shapes, recorded
from .tracing import Run, leaves
from .types import KEY, code_of, tensor_of
from .varying import Varying

__all__ = ["CUSTOM", "DEFAULT_OPSET", "TrainingMode", "export", "is_in_onnx_export"]

LEAVING_OUT = frozenset(("GRU", "LSTM", "LayerNormalization", "MaxPool", "RNN"))  # operators with optional results
DEFAULT_OPSET, OLDEST, NEWEST = 18, 13, 23
CUSTOM: dict[str, dict[int, Callable[..., Any]]] = {}  # rules of the user's, by kernel and opset
_state = {"exporting": False}


class TrainingMode(enum.IntEnum):
    """In which mode a model is exported."""

    EVAL, PRESERVE, TRAINING = 0, 1, 2


def is_in_onnx_export() -> bool:
    """Whether a model is being exported: for what a model does otherwise then."""
    return _state["exporting"]


def export(
    model: Any,
    args: Any = (),
    f: Any = None,
    *,
    kwargs: dict[str, Any] | None = None,
    verbose: bool | None = None,
    input_names: Sequence[str] | None = None,
    output_names: Sequence[str] | None = None,
    opset_version: int | None = None,
    dynamo: bool = True,
    external_data: bool | None = None,
    dynamic_shapes: Any = None,
    custom_translation_table: Mapping[Any, Any] | None = None,
    report: bool = False,
    optimize: bool = True,
    verify: bool = False,
    profile: bool = False,
    dump_exported_program: bool = False,
    artifacts_dir: Any = ".",
    export_params: bool = True,
    keep_initializers_as_inputs: bool = False,
    dynamic_axes: Mapping[str, Any] | None = None,
    training: Any = TrainingMode.EVAL,
    operator_export_type: Any = None,
    do_constant_folding: bool = True,
    custom_opsets: Mapping[str, int] | None = None,
    export_modules_as_functions: Any = False,
    autograd_inlining: bool = True,
) -> ONNXProgram:
    """Write a model as an ONNX file.

    The model is run with the example, and what it computes is written down. Python itself is not: a loop is what it
    was for the example, and a condition the branch that it took.

    Args:
        model: a module. It is exported in evaluation mode unless told, and is in its own mode again afterwards.
        args: what it is called with: a tensor, or a tuple of arguments, whose last may be a dictionary of those by
            name. Tensors become inputs, in order, those in containers, too; all else is part of the model.
        f: where to write it: a path, or an open binary file; None to write nothing.
        kwargs: further arguments by name.
        verbose: print the graph.
        input_names: names of the inputs; those of the parameters of ``forward`` unless told.
        output_names: names of the outputs; ``output``, or ``output_0`` and so on, unless told.
        opset_version: of ONNX's operators, 13 to 23; 18 unless told.
        dynamo: accepted: there is one way to export.
        external_data: write arrays to a second file, ``<f>.data``; unless told, those of models over 2 GB.
        dynamic_shapes: sizes that may change: a nest like the arguments (or a dictionary by parameter of ``forward``)
            that has ``{dimension: name}`` in the place of a tensor; a name may be a `wengert.export.Dim`.
        custom_translation_table: accepted; see `register_custom_op_symbolic`.
        report: accepted.
        optimize: accepted.
        verify: compare with the interpreter of the package ``onnx`` afterwards.
        profile: accepted.
        dump_exported_program: accepted.
        artifacts_dir: accepted.
        export_params: write the parameters; without, they are further inputs.
        keep_initializers_as_inputs: list the parameters among the inputs, too, whose values are then defaults.
        dynamic_axes: sizes that may change: ``{name of a tensor: [dimensions]}`` or ``{name: {dimension: name}}``.
        training: ``TrainingMode.EVAL``, ``TRAINING``, or ``PRESERVE`` for the mode that the model is in.
        operator_export_type: accepted.
        do_constant_folding: write constants that no parameter has a say in as they are, and not how they are computed.
        custom_opsets: versions of other operator sets that rules of your own use.
        export_modules_as_functions: accepted.
        autograd_inlining: accepted.

    Returns:
        The program, whose ``save`` writes it, and which can be called.

    Raises:
        TypeError: ``model`` is no module, or there is no tensor in ``args``.
        RuntimeError: an operation cannot be written in ONNX (`UnsupportedOperatorError`), or the model does not have
            one graph for all sizes (`OnnxExporterError`).
        ValueError: names, dimensions or versions do not fit.
        ImportError: the package ``onnx`` is missing.

    Example:
        >>> import io
        >>> import wengert as wg
        >>> model = wg.nn.Sequential(wg.nn.Linear(4, 8), wg.nn.ReLU())
        >>> file = io.BytesIO()
        >>> wg.onnx.export(model, wg.ones(2, 4), file, input_names=["x"], dynamic_axes={"x": {0: "batch"}})
        ONNXProgram(2 nodes, opset 18, inputs=['x'], outputs=['output'])
        >>> wg.onnx.load(file.getvalue())(wg.ones(5, 4)).shape
        wengert.Size([5, 8])
    """
    need_onnx()
    opset = DEFAULT_OPSET if opset_version is None else opset_version
    if not OLDEST <= opset <= NEWEST:
        raise ValueError(f"Unsupported ONNX opset version: {opset}; {OLDEST} to {NEWEST} can be written")
    args, kwargs = _arguments(model, args, kwargs)
    job = _Job(model, args, kwargs, input_names, output_names)
    symbols = job.symbols(dynamic_axes, dynamic_shapes)
    with _mode(model, training), _exporting():
        if training == TrainingMode.EVAL:
            with no_grad():  # what a model makes and keeps in its first run is there from then on
                model(*args, **kwargs)
        run, _ = _recorded(job, symbols, opset)
        graph = _written(run, job, opset, do_constant_folding)
    proto, size = _model(
        graph, run, job, symbols, dynamic_axes, export_params, keep_initializers_as_inputs, custom_opsets
    )
    program = ONNXProgram(proto, size)
    if verbose:
        print(_text(proto))
    if f is not None:
        program.save(f, external_data=external_data)
    if verify:
        from .checking import verify as compare

        compare(model, args, program, kwargs=kwargs, runtimes=("reference",))
    return program


def _text(proto: Any) -> str:
    from onnx import printer

    return str(printer.to_text(proto))


# ---------------------------------------------------------------------- what is given


def _arguments(model: Any, args: Any, kwargs: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    if not (hasattr(model, "named_parameters") and hasattr(model, "forward")):
        raise TypeError(
            f"onnx.export: model must be a Module, not {type(model).__name__}; make a function the forward of one"
        )
    given = args if isinstance(args, tuple) else tuple(args) if isinstance(args, list) else (args,)
    named = dict(kwargs or {})
    last = given[-1] if given else None
    if isinstance(last, dict) and set(last) <= set(_parameters(model)):
        given, named = given[:-1], {**last, **named}
    if not any(isinstance(v, TensorBase) for v in leaves((given, named))):
        raise TypeError("onnx.export: args must hold the tensors that the model is run with, and there is none")
    return given, named


class _Job:
    """What is exported: the model, its example, and the names."""

    def __init__(self, model: Any, args: Any, kwargs: Any, inputs: Any, outputs: Any) -> None:
        self.model, self.args, self.kwargs = model, args, kwargs
        self.tensors = [t for t in leaves((args, kwargs)) if isinstance(t, TensorBase)]
        names = list(inputs) if inputs else []
        if len(names) > len(self.tensors) and not inputs:
            names = names[: len(self.tensors)]
        self.inputs = [*names, *self._names()[len(names) :]]
        if inputs is not None and len(names) > len(self.tensors):
            raise ValueError(
                f"number of input names provided ({len(names)}) exceeded number of inputs ({len(self.tensors)})"
            )
        self.output_names = list(outputs) if outputs else None

    def _names(self) -> list[str]:
        """Names of the inputs: those of the parameters, numbered where an argument has several tensors."""
        parameters = iter(_parameters(self.model))
        named = [*[(next(parameters, f"input_{i}"), a) for i, a in enumerate(self.args)], *self.kwargs.items()]
        made = []
        for name, value in named:
            count = sum(isinstance(v, TensorBase) for v in leaves(value))
            made += [name] if count == 1 else [f"{name}_{i}" for i in range(count)]
        return [n if made.count(n) == 1 else f"{n}_{i}" for i, n in enumerate(made)]

    def symbols(self, axes: Any, shapes: Any) -> Symbols:
        """The sizes that may change."""
        if axes and shapes:
            raise ValueError("onnx.export: dynamic_axes and dynamic_shapes say the same thing: give one of them")
        if shapes:
            made = from_shapes(shapes, self.model, self.args, self.kwargs, self.inputs)
        else:
            made = from_axes(axes or {}, self.tensors, self.inputs, self.output_names or ["output"])
        return Symbols(made, self.tensors, self.inputs)


@contextlib.contextmanager
def _mode(model: Any, training: Any) -> Iterator[None]:
    """The model in the mode in which it is exported, and each of its modules in its own again afterwards."""
    before = [(m, m.training) for m in model.modules()]
    if training != TrainingMode.PRESERVE:
        model.train(training == TrainingMode.TRAINING)
    try:
        yield
    finally:
        for module, was in before:
            module.training = was


@contextlib.contextmanager
def _exporting() -> Iterator[None]:
    before, _state["exporting"] = _state["exporting"], True
    try:
        yield
    finally:
        _state["exporting"] = before


# ---------------------------------------------------------------------- from steps to nodes


def _rule(name: str, opset: int) -> Any:
    own = CUSTOM.get(name)
    if own:
        fitting = [v for v in own if v <= opset]
        if fitting:
            return own[max(fitting)]
    return RULES.get(name)


def _recorded(job: _Job, symbols: Symbols, opset: int) -> tuple[Run, int]:
    try:
        return recorded(job.model, job.args, job.kwargs, symbols, lambda name: _rule(name, opset) is not None)
    except UnknownStepError as error:
        place = f" (in {error.module}, {error.line})" if error.module else f" ({error.line})"
        raise UnsupportedOperatorError(error.name, place, opset) from None


def _written(run: Run, job: _Job, opset: int, fold: bool) -> Graph:
    """The graph of a run."""
    g = Graph(opset, fold)
    for name, value in zip(job.inputs, run.inputs, strict=True):
        g._used.add(name)
        g.call(value, name)
    steps = run.recording.steps
    for step in steps:
        for value in values_in(step.outputs):
            g.makers[value.number] = step
    for step in _needed(run, fold):
        g.step = step
        rule = _rule(step.name, opset)
        try:
            made = rule(g, *step.args, **step.kwargs)
        except NotImplementedError as error:
            raise UnsupportedOperatorError(step.name, f"{_reason(error)}{g.place}", opset) from error
        except OnnxExporterError:
            raise
        except Exception as error:
            raise OnnxExporterError(f"{step.name}{g.place} could not be written: {error}") from error
        names = made if isinstance(made, tuple) else (made,)
        for value, name in zip(step.outputs, names, strict=False):
            if value is not None and name is not None:
                g.call(value, str(name))
    return g


def _reason(error: Exception) -> str:
    return f" for {error}" if str(error) else ""


def foldable(value: Value, fold: bool) -> bool:
    """Whether a value is written as a constant, whatever computed it."""
    if value.depends or value.trained or value.real is None or any(isinstance(n, Varying) for n in value.shape):
        return value.kind == "constant"
    return value.kind == "constant" or (fold and value.real.size <= FOLDED)


def _needed(run: Run, fold: bool) -> list[Any]:
    """The steps that outputs depend on and that are no constants, in order."""
    wanted = {v.number for v in run.outputs if isinstance(v, Value) and not foldable(v, fold)}
    kept = []
    for step in reversed(run.recording.steps):
        outputs = values_in(step.outputs)
        if any(v.number in wanted for v in outputs):
            kept.append(step)
            wanted.update([v.number for v in values_in((step.args, step.kwargs)) if not foldable(v, fold)])
    return kept[::-1]


# ---------------------------------------------------------------------- from nodes to the model


def _model(
    g: Graph,
    run: Run,
    job: _Job,
    symbols: Symbols,
    axes: Any,
    export_params: bool,
    as_inputs: bool,
    custom: Any,
) -> tuple[Any, int]:
    """The model as the package ``onnx`` has it, and the bytes of its arrays."""
    from onnx import helper

    outputs = [v for v in run.outputs if isinstance(v, Value)]
    if not outputs:
        raise OnnxExporterError("onnx.export: the model returns no tensor")
    names = _output_names(job, len(outputs))
    _name_outputs(g, outputs, names)
    _drop_unused(g, names)
    by_values = {values: name for name, values in symbols.values.items()}
    inputs = []
    for name, value, own in zip(job.inputs, run.inputs, symbols.axes, strict=True):
        inputs.append(_info(name, value, [own.get(i, n) for i, n in enumerate(value.shape)]))
    results = []
    for name, value in zip(names, outputs, strict=True):
        told = (axes or {}).get(name, {})
        told = told if isinstance(told, Mapping) else {}
        shape = [
            (by_values.get(n.values) or told.get(i) or f"{name}_dim_{i}") if isinstance(n, Varying) else n
            for i, n in enumerate(value.shape)
        ]
        results.append(_info(name, value, shape))
    arrays = g.initializers
    parameters = {v.name for v in run.recording.values if v.kind in ("parameter", "buffer")}
    if as_inputs or not export_params:
        inputs += [
            helper.make_tensor_value_info(n, code_of(a.dtype), list(a.shape))
            for n, a in arrays.items()
            if as_inputs or n in parameters
        ]
    stored = [tensor_of(a, n) for n, a in arrays.items() if export_params or n not in parameters]
    graph = helper.make_graph(g.nodes, type(job.model).__name__, inputs, results, stored)
    sets = [helper.make_opsetid("", g.opset)]
    sets += [helper.make_opsetid(d, (custom or {}).get(d, 1)) for d in sorted(g.domains - {""})]
    version = max(8, helper.find_min_ir_version_for(sets[:1]))
    made = helper.make_model(graph, opset_imports=sets, producer_name="wengert", ir_version=version)
    kinds = {v.name: v.kind for v in run.recording.values if v.kind in ("parameter", "buffer")}
    listed = made.metadata_props.add()
    listed.key, listed.value = KEY, "\n".join([f"{kinds[n]} {n}" for n in arrays if n in kinds])
    return made, sum(a.nbytes for a in arrays.values())


def _info(name: str, value: Value, shape: list[Any]) -> Any:
    from onnx import helper

    return helper.make_tensor_value_info(name, code_of(value.dtype), shape)


def _output_names(job: _Job, count: int) -> list[str]:
    given = job.output_names or []
    if len(given) > count:
        raise ValueError(f"number of output names provided ({len(given)}) exceeded number of outputs ({count})")
    default = ["output"] if count == 1 else [f"output_{i}" for i in range(count)]
    names = [*given, *default[len(given) :]]
    clash = set(names) & set(job.inputs)
    if clash:
        warn(f"onnx.export: {sorted(clash)} are names of inputs and of outputs; the outputs get others")
        names = [f"{n}_output" if n in clash else n for n in names]
    return names


def _name_outputs(g: Graph, outputs: list[Value], names: list[str]) -> None:
    """Let nodes call their results as the outputs are to be called."""
    made_by = {o for node in g.nodes for o in node.output}
    renamed: dict[str, str] = {}
    taken = set(g._used) - made_by
    for value, name in zip(outputs, names, strict=True):
        source = g.name(value)
        if source in made_by and source not in renamed and name not in taken:
            renamed[source] = name
            continue
        from onnx import helper

        g.nodes.append(helper.make_node("Identity", [source], [name], name=g.fresh("/Identity")))
    for node in g.nodes:
        for names_of in (node.input, node.output):
            for i, old in enumerate(names_of):
                if old in renamed:
                    names_of[i] = renamed[old]


def _drop_unused(g: Graph, names: list[str]) -> None:
    """Leave out nodes and arrays that no output depends on."""
    wanted, kept = set(names), []
    for node in reversed(g.nodes):
        if any(o in wanted for o in node.output):
            kept.append(node)
            wanted.update(node.input)
            last = max(i for i, o in enumerate(node.output) if o in wanted)
            if node.op_type in LEAVING_OUT:
                del node.output[last + 1 :]
    g.nodes = kept[::-1]
    g.domains = {node.domain for node in g.nodes}
    g.initializers = {n: a for n, a in g.initializers.items() if n in wanted}
