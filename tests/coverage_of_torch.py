"""How many of PyTorch's public names exist here, and why the others do not: ``python -m tests.coverage_of_torch``."""

from __future__ import annotations

import importlib
import re
import types
import warnings
from typing import Any

import wengert as wg

SPACES = (
    "torch",
    "torch.Tensor",
    "torch.nn.functional",
    "torch.nn",
    "torch.optim",
    "torch.linalg",
    "torch.fft",
    "torch.special",
)

# The first pattern that matches a name gives the reason; a name that none matches is not yet there.
REASONS = (
    (
        "quantized",
        r"quant|^q_|^u?int_repr$|^Q[A-Z]|^q(u?int|scheme|at$)|^fbgemm|qparams|^per_(tensor|channel)_|^swizzle",
    ),
    (
        "sparse",
        r"sparse|^(to_)?(coo|csr|csc|bsr|bsc)$|^(to_)?dense(_dim)?$|coalesce|^(ccol|col|crow|row)_ind|^s[ms]*add",
    ),
    ("sparse", r"^(h|d|h?s|s)(p?)m?mm$|^(h|d)smm$|^smm$|^spmm$|^hspmm$|^saddmm$|^(indices|values)(_copy)?$"),
    ("named tensors", r"^(align_|refine_|rename|names?$|has_names)"),
    ("nested tensors", r"nested|jagged|padded_tensor"),
    ("distributed", r"distributed|^rpc|DataParallel|SyncBatchNorm|^parallel$|RRef|^(futures?|Future|FutureType)$"),
    (
        "another backend's internals",
        r"^_?(cudnn|miopen|mkldnn|mps|mtia|xpu|ipu|maia|vulkan|xla)|(mkldnn|vulkan|xpu|ipu)",
    ),
    (
        "another backend's internals",
        r"^is_(ipu|maia|mtia|vulkan|xla)|^has_(lapack|mkl|openmp|spectral)$|batch_norm_(stats|"
        r"gather|elemt|backward|update)|^native_|^_?(grid_sampler_[23]d|convolution|norm_except_dim|hash_tensor)$",
    ),
    (
        "just-in-time compiler and tracer",
        r"^Sym|^sym_|Type$|^(jit|fx|export|library|compile[rd]?|ops|classes|Graph|Node|"
        r"Block|Value|Use|Code|Argument|Capsule|Tag|Gradient|Type|AliasDb|CallStack|FileCheck|IODescriptor|fork|wait)$",
    ),
    (
        "just-in-time compiler and tracer",
        r"^(Script|Lite|Static|Concrete|Compilation|Complete|Function|Graph|Tracing|Execution|"
        r"Operator|Error|JIT|PyObject|Dispatch|Exclude|Deserialization|Serialization|PyTorchFile|DeepCopyMemo|Argument)",
    ),
    (
        "just-in-time compiler and tracer",
        r"^(parse_|import_ir|merge_type|unify_|get_file_path|cond|while_loop|.*schema)|"
        r"BroadcastingList|boolean_dispatch|torch_function|assert_int_or_pair|TorchFunction",
    ),
    ("profiling and logging", r"^(Benchmark|Throughput|Logger|Noop|Locking|Aggregation|profiler|monitor|AVG|SUM)"),
    (
        "modules that a file imports for itself",
        r"^(torch|np|math|os|sys|warnings|importlib|dataclasses|functools|inspect|glob|"
        r"builtins|ctypes|platform|textwrap|threading|types|Callable|Optional|TYPE_CHECKING|common_types|classproperty)$",
    ),
    (
        "texts and constants of a module",
        r"_notes$|_MODES$|^(USE_|PRIVATE_OPS|version|torch_version|factory_kwargs|cpp$)",
    ),
    ("storage classes", r"Storage|storage|^const_data_ptr$"),
    (
        "deprecated",
        r"^(volatile|Container|NLLLoss2d|CrossMapLRN2d|reinforce|legacy_|eig|symeig|solve|lstsq|matrix_rank|"
        r"intrinsic|modules|quantization|package|hub|testing|ao|module_load|resize(_as)?|DType|Tensor)$",
    ),
    ("automatic mixed precision", r"autocast|^amp$|GradScaler"),
    (
        "element types that NumPy lacks",
        r"^(u?int[1-7]|uint(16|32|64)|bits|float[48]_|complex32|chalf|bit$|scaled_|Scaling)",
    ),
    ("lazy modules", r"^(Lazy|Uninitialized)"),
    ("recurrent networks and transformers: not yet", r"(RNN|LSTM|GRU|rnn_|lstm|gru)|^Transformer"),
    ("multiprocessing", r"multiprocessing|_per_process|thread"),
)
NOT_YET = "not yet"


def public_names(space: Any) -> list[str]:
    """The names of a module or class that do not begin with an underscore."""
    return [name for name in dir(space) if not name.startswith("_")]


def ours(path: str) -> Any:
    """What stands here for ``torch.<path>``: an empty module where there is nothing."""
    space: Any = wg
    for part in path.split(".")[1:]:
        try:
            space = getattr(space, part)
        except (AttributeError, ImportError):
            return types.ModuleType(path)
    return space


def theirs(path: str) -> Any:
    """The module or class of PyTorch."""
    torch = importlib.import_module("torch")
    return torch.Tensor if path == "torch.Tensor" else importlib.import_module(path)


def reason(name: str) -> str:
    """Why a name of PyTorch does not exist here."""
    return next((why for why, pattern in REASONS if re.search(pattern, name)), NOT_YET)


def is_foreign(space: Any, name: str) -> bool:
    """Whether a name is no part of PyTorch: a module of Python's, or a helper from `typing`."""
    value = getattr(space, name, None)
    home = value.__name__ if isinstance(value, types.ModuleType) else getattr(value, "__module__", None)
    return isinstance(home, str) and home.split(".")[0] not in ("torch", "builtins") and not callable(value)


def compared(path: str) -> tuple[list[str], list[str]]:
    """The names of ``path`` that exist here, and those that do not."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        space = theirs(path)
        names = [name for name in public_names(space) if not is_foreign(space, name)]
    here = set(dir(ours(path)))
    return [n for n in names if n in here], [n for n in names if n not in here]


def main() -> None:
    """Print a line for each space, and the missing names by their reasons."""
    for path in SPACES:
        present, missing = compared(path)
        total = len(present) + len(missing)
        by_reason: dict[str, list[str]] = {}
        for name in missing:
            by_reason.setdefault(reason(name), []).append(name)
        wanted = total - len(missing) + len(by_reason.get(NOT_YET, []))
        print(f"{path}: {len(present)} of {total} ({100 * len(present) / total:.0f} %); ", end="")
        print(f"{100 * len(present) / wanted:.0f} % of those that have a place here")
        for why, names in sorted(by_reason.items(), key=lambda item: item[0] == NOT_YET):
            print(f"    {why}: {', '.join(names)}")


if __name__ == "__main__":
    main()
