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

# (reason, where, pattern): the first that matches gives the reason; a name that none matches is not yet there.
FRONT, ANY = r"^torch(\.Tensor)?$", ""
REASONS = (
    ("texts and constants of a module", ANY, r"_notes$|_args$|_common$|^multi_dim_|_MODES$|^factory_kwargs$"),
    ("texts and constants of a module", FRONT, r"^(USE_|PRIVATE_OPS|version$|torch_version|cpp$|compiled_with_cxx11)"),
    ("imported for the module's own use", ANY, r"^(torch|np|Callable|Optional|TYPE_CHECKING|DType|common_types)$"),
    ("imported for the module's own use", r"functional|fft|special", r"^(Tensor|dataclasses)$"),
    ("imported for the module's own use", FRONT, r"^(classproperty|builtins|types|[A-Z]\w+CollectionMixin)$"),
    (
        "quantized",
        ANY,
        r"[qQ]uant|^q_|^int_repr$|^QU?Int|^qu?int|^qscheme$|^fbgemm|qparams|^per_(tensor|channel)_|^qat$",
    ),
    ("sparse", FRONT, r"^(ccol_|col_|crow_|row_)?indices_copy$|^values_copy$|^resize_as_sparse_$"),
    ("named tensors", FRONT, r"^(align_|refine_|rename|names?$|has_names)"),
    ("nested tensors", ANY, r"nested|jagged|padded_tensor"),
    ("distributed", ANY, r"distributed|^rpc|DataParallel|^parallel$|RRef|^(futures?|Future|FutureType)$"),
    ("multiprocessing", FRONT, r"multiprocessing|init_num_threads|thread_safe_generator"),
    ("low-precision matrix products of one kind of GPU", "functional", r"^(scaled_|grouped_)|ScalingType|SwizzleType"),
    (
        "element types that NumPy lacks",
        FRONT,
        r"^(u?int[1-7]|uint(16|32|64)|bits\w*|float[48]_\w+|complex32|chalf|bit)$",
    ),
    ("storage classes", FRONT, r"[sS]torage"),
    ("what autocast blocks are made of", FRONT, r"autocast"),
    (
        "another backend's internals",
        FRONT,
        r"^(cudnn|miopen|mkldnn|mps|mtia|xpu|ipu)|mkldnn|vulkan|_ipu_|^is_(ipu|maia)",
    ),
    ("another backend's internals", FRONT, r"^has_(lapack|mkl|openmp|spectral)$|^batch_norm_|^native_|^hash_tensor$"),
    ("another backend's internals", FRONT, r"^(grid_sampler_[23]d|convolution|norm_except_dim|embedding_renorm_)$"),
    ("another backend's internals", FRONT, r"^(slice_inverse|get_device_module|StreamObjType|DeviceObjType)$"),
    ("compiler and tracer", ANY, r"BroadcastingList|boolean_dispatch|torch_function|assert_int_or_pair|TorchFunction"),
    (
        "compiler and tracer",
        "^torch$",
        r"^[sS]ym|Type$|^(jit|fx|export|library|compiler?|ops|classes|Graph|Node|Block)$",
    ),
    (
        "compiler and tracer",
        "^torch$",
        r"^(Value|Use|Code|Capsule|Tag|Gradient|Type|AliasDb|CallStack|FileCheck|wait)$",
    ),
    ("compiler and tracer", "^torch$", r"^(Script|Lite|Static|Concrete|Compil|Complete|Function|Graph|Trac|Execution)"),
    ("compiler and tracer", "^torch$", r"^(Operator|Error|JIT|Dispatch|Exclude|(De)?[sS]erialization|PyTorchFile)"),
    ("compiler and tracer", "^torch$", r"^(BufferDict|ModuleDict|ParameterDict|FatalError|AcceleratorError)$"),
    ("compiler and tracer", "^torch$", r"^(Argument|DeepCopyMemo|IODescriptor|parse_|import_ir|merge_type|unify_)"),
    ("compiler and tracer", "^torch$", r"^(get_file_path|cond|while_loop|fork|Disable\w+)$"),
    (
        "profiling and logging",
        "^torch$",
        r"^(Benchmark|Throughput|Logger|Noop|Locking|profiler|monitor|AVG|SUM)|Aggreg",
    ),
    (
        "deprecated",
        FRONT,
        r"^(from_file|volatile|reinforce|legacy_\w+|eig|symeig|solve|lstsq|matrix_rank|resize(_as)?|functional)$",
    ),
    ("deprecated", "^torch.nn$", r"^(Container|NLLLoss2d|intrinsic|modules|quantizable)$"),
    ("other packages of PyTorch", "^torch$", r"^(hub|package|ao|testing|distributions|signal|quasirandom|masked)$"),
    ("internals of copying between modules", "Tensor", r"^(module_load|grad_dtype)$"),
    ("named tensors", "Tensor", r"^index$"),
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


def reason(path: str, name: str) -> str:
    """Why a name of PyTorch's ``path`` does not exist here."""
    found = (why for why, where, pattern in REASONS if re.search(where, path) and re.search(pattern, name))
    return next(found, NOT_YET)


def is_foreign(space: Any, name: str) -> bool:
    """Whether a name is no function or class of the space: a text, or something that the file imports for itself."""
    value = getattr(space, name, None)
    if isinstance(value, types.ModuleType):
        return value.__name__.split(".")[0] != "torch" or value.__name__ == "torch"
    typing_only = getattr(value, "__module__", "") in ("typing", "collections.abc") or name == "TYPE_CHECKING"
    tensor = name == "Tensor" and getattr(space, "__name__", "") != "torch"
    return isinstance(value, str | dict) or typing_only or tensor


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
            by_reason.setdefault(reason(path, name), []).append(name)
        wanted = len(present) + sum(len(names) for why, names in by_reason.items() if why.endswith(NOT_YET))
        print(f"{path}: {len(present)} of {total} ({100 * len(present) / total:.0f} %); ", end="")
        print(f"{100 * len(present) / wanted:.0f} % of those that have a place here")
        for why, names in sorted(by_reason.items(), key=lambda item: item[0].endswith(NOT_YET)):
            print(f"    {why}: {', '.join(names)}")


if __name__ == "__main__":
    main()
