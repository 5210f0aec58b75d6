"""Rows of the op table: tensors made from numbers, from a rule, from random numbers; conversions and overwriting."""

from __future__ import annotations

from typing import Any

import numpy as np

from .base import Make, OpCase
from .elementwise import function
from .shapes import both, on

F8 = np.float64


def made(name: str, *calls: tuple[Any, ...], **options: Any) -> OpCase:
    """A factory with several argument lists; the dtype is in a keyword dictionary at the end."""

    def call(T: Any, *args: Any) -> Any:
        *args, named = args
        return function(name)(T, *args, **{k: getattr(T, v) if k == "dtype" else v for k, v in named.items()})

    return OpCase(name, call, lambda make: list(calls), **{"orders": 0, "dtypes": (), **options})


def like(name: str, *rest: tuple[Any, ...], **options: Any) -> OpCase:
    return OpCase(name, function(name), on((2, 3), *rest), **{"orders": 0, "integer": True, **options})


def shaped(name: str, *rest: Any, **options: Any) -> OpCase:
    """Random numbers: their shape and dtype only, since no two libraries draw the same."""

    def call(T: Any, *args: Any) -> Any:
        result = function(name)(T, *args)
        return result * 0 if result.dtype.is_floating_point else result - result

    return OpCase(name, call, lambda make: list(rest), **{"orders": 0, "dtypes": (), **options})


def drawn(name: str, draw: Any, **options: Any) -> OpCase:
    """A method that overwrites with random numbers; the old values have no say, and no gradient."""
    return OpCase(
        f"Tensor.{name}",
        lambda T, x: draw(T, x.clone()) * 0 + x,
        on((2, 3), ()),
        **{"orders": 1, **options},
    )


FACTORIES = [
    made("zeros", (2, 3, {}), ((2,), {"dtype": "int32"}), ((), {}), (0, 2, {"dtype": "bool"})),
    made("ones", (2, 3, {}), ((2,), {"dtype": "int32"}), ((), {})),
    made("full", ((2, 3), 1.5, {}), ((2,), 3, {}), ((), True, {}), ((1,), 3, {"dtype": "float16"})),
    made("scalar_tensor", (3, {}), (2.5, {"dtype": "float64"})),
    made(
        "arange",
        (5, {}),
        (1, 9, 2, {}),
        (5, 1, -1, {}),
        (0, 1, 0.25, {}),
        (1.5, {}),
        (3, {"dtype": "float64"}),
        (0, {}),
    ),
    made("range", (1, 4, {}), (0, 1, 0.5, {"dtype": "float64"}), parity=False),
    made(
        "linspace",
        (0, 1, 5, {}),
        (3, -3, 4, {"dtype": "float64"}),
        (0, 1, 1, {}),
        (0, 1, 0, {}),
        (0, 9, 4, {"dtype": "int64"}),
    ),
    made("logspace", (0, 2, 3, {"dtype": "float64"}), (0, 3, 4, 2, {"dtype": "float64"})),
    made("eye", (3, {}), (2, 3, {"dtype": "int64"}), (0, {})),
    made("tril_indices", (3, 3, {}), (3, 4, 1, {}), (0, 2, {})),
    made("triu_indices", (3, 3, {}), (3, 4, -1, {})),
    OpCase(
        "empty", lambda T: T.empty(2, 3) * 0 == 0, lambda make: [()], orders=0, dtypes=(), parity=False, strict=False
    ),
    OpCase(
        "empty_strided",
        lambda T: T.tensor(T.empty_strided((2, 3), (1, 2)).stride()),
        lambda make: [()],
        orders=0,
        dtypes=(),
    ),
    like("zeros_like", ()),
    like("ones_like", ()),
    like("full_like", (2,)),
    OpCase("empty_like", lambda T, x: T.empty_like(x).fill_(1), on((2, 3), ()), orders=0, dtypes=()),
    *[
        OpCase(f"Tensor.new_{name}", lambda T, x, *a, n=name: getattr(x, f"new_{n}")(*a), on((1,), *rest), orders=0)
        for name, rest in {
            "zeros": [(2, 3), ((2,),)],
            "ones": [(2,)],
            "full": [((2,), 3.0)],
            "tensor": [([1.0, 2.0],)],
        }.items()
    ],
    OpCase("Tensor.new_empty", lambda T, x: x.new_empty(2, 3).fill_(1), on((1,), ()), orders=0),
]

DATA = [
    OpCase(
        "tensor",
        function("tensor"),
        lambda make: [
            (v,) for v in (1, 2.5, True, [1, 2], [[1.0], [2]], [], [[], []], (1, [2])[:1], range(3), [True, 2])
        ],
        orders=0,
        dtypes=(),
    ),
    OpCase(
        "as_tensor",
        function("as_tensor"),
        both(lambda make: [([1, 2],)], on((2, 3), ())),
        lambda x: np.asarray(x),
        orders=0,
    ),
    OpCase(
        "asarray",
        function("asarray"),
        both(lambda make: [([1, 2],)], on((2, 3), ())),
        lambda x: np.asarray(x),
        orders=0,
    ),
    OpCase("from_numpy", lambda T: T.from_numpy(np.arange(3.0)), lambda make: [()], orders=0, dtypes=(), strict=False),
    OpCase(
        "from_dlpack", lambda T: T.from_dlpack(np.arange(3.0)), lambda make: [()], orders=0, dtypes=(), strict=False
    ),
    OpCase("to_dlpack", lambda T: T.from_dlpack(T.arange(3.0)), lambda make: [()], orders=0, strict=False, dtypes=()),
    OpCase("is_tensor", lambda T, x: T.tensor([T.is_tensor(x), T.is_tensor(3)]), on((2,), ()), orders=0),
    OpCase("numel", lambda T, x: T.tensor(T.numel(x)), on((2, 3), ()), orders=0),
]

CONVERSIONS = [
    OpCase("Tensor.to", lambda T, x: x.to(T.float64), on((2, 3), ()), lambda x: x, note="dtype"),
    OpCase(
        "Tensor.to",
        lambda T, x: x.to(T.float32).to(T.float64) * 1.0,
        on((2, 3), ()),
        orders=0,
        note="dtype, there and back",
    ),
    OpCase(
        "Tensor.type_as", lambda T, x, y: x.type_as(y), on((2, 3), (np.zeros(1, F8),)), lambda x, y: x, note="dtype"
    ),
    OpCase("Tensor.double", lambda T, x: x.double(), on((2, 3), ()), lambda x: x, note="dtype"),
    OpCase(
        "Tensor.long",
        lambda T, x: [
            x.long(),
            x.int(),
            x.short(),
            x.char(),
            x.abs().byte(),
            x.bool(),
            x.half(),
            x.bfloat16(),
            x.float(),
        ],
        on((2, 3), ()),
        orders=0,
        dtypes=(),
    ),
    OpCase("Tensor.cpu", lambda T, x: x.cpu().to(x.device) * 1.0, on((2, 3), ()), lambda x: x),
]

OVERWRITING = [
    OpCase(
        "Tensor.copy_",
        lambda T, x, y: (x * 1.0).copy_(y),
        lambda make: [(make.real(2, 3), make.real(3)), (make.real(2, 3), make.real(1, 2, 3)), (make.real(2), 4.0)],
    ),
    OpCase(
        "Tensor.fill_",
        lambda T, x, y: (x * 1.0).fill_(y),
        lambda make: [(make.real(2, 3), 2.0), (make.real(2), make.real())],
    ),
    OpCase("Tensor.zero_", lambda T, x: (x * 1.0).zero_(), on((2, 3), ())),
    drawn("normal_", lambda T, x: x.normal_(1, 2)),
    drawn("uniform_", lambda T, x: x.uniform_(-1, 3)),
    drawn("exponential_", lambda T, x: x.exponential_(2)),
    drawn("log_normal_", lambda T, x: x.log_normal_(0, 1)),
    drawn("cauchy_", lambda T, x: x.cauchy_()),
    drawn("geometric_", lambda T, x: x.geometric_(0.5)),
    drawn("bernoulli_", lambda T, x: x.bernoulli_(0.5)),
    drawn("random_", lambda T, x: x.random_(10)),
]


def probabilities(make: Make) -> Any:
    return make.positive(2, 3)


RANDOM = [
    shaped("rand", (2, 3), ((2,),), ((),)),
    shaped("randn", (2, 3), ((2,),), ((),)),
    shaped("randint", (3, (2, 3)), (1, 4, (2,))),
    shaped("randperm", (5,), (0,)),
    shaped("normal", (0.0, 1.0, (2, 3))),
    OpCase("rand_like", lambda T, x: T.rand_like(x) * 0, on((2, 3), ()), orders=0),
    OpCase("randn_like", lambda T, x: T.randn_like(x) * 0, on((2, 3), ()), orders=0),
    OpCase("randint_like", lambda T, x: T.randint_like(x, 3) * 0, on((2, 3), ()), orders=0),
    OpCase(
        "bernoulli",
        function("bernoulli"),
        lambda make: [(np.array([0.0, 1.0]),)],
        lambda x: x,
        orders=0,
        also=("Tensor.bernoulli",),
    ),
    OpCase("poisson", function("poisson"), lambda make: [(np.zeros(2),)], lambda x: x, orders=0),
    OpCase(
        "multinomial",
        function("multinomial"),
        lambda make: [(np.array([0.0, 1.0, 0.0]), 1), (np.array([[0.0, 3.0], [1.0, 0.0]]), 2, True)],
        orders=0,
        also=("Tensor.multinomial",),
    ),
]

WINDOWS = [
    made(f"{name}_window", (5, {"dtype": "float64"}), (6, False, {"dtype": "float64"}), (1, {}), (0, {}))
    for name in ("hann", "hamming", "blackman", "bartlett", "kaiser")
]

ASKED = [
    OpCase(name, lambda T, x, n=name: T.tensor(getattr(T, n)(x)), on((1,), ()), orders=0)
    for name in ("is_nonzero", "is_signed", "is_inference")
] + [
    OpCase("is_same_size", lambda T, x: T.tensor(T.is_same_size(x, x)), on((2,), ()), orders=0),
    OpCase("is_storage", lambda T, x: T.tensor(T.is_storage(x.untyped_storage())), on((2,), ()), orders=0),
    OpCase("get_device", lambda T, x: T.tensor(T.get_device(x.cpu())), on((2,), ()), orders=0),
    OpCase("typename", lambda T, x: T.tensor(T.typename(x).endswith("Tensor")), on((2,), ()), orders=0, parity=False),
    *[
        OpCase(name, lambda T, x, n=name: getattr(T, n)(x * 1), on((2,), ()), lambda x: x, **options)
        for name, options in {
            "detach": {"orders": 0},
            "detach_": {"orders": 0},
        }.items()
    ],
]

MORE = [
    OpCase(
        "fill",
        function("fill"),
        lambda make: [(make.real(2, 3), 2.0), (make.real(2), make.real())],
        also=("Tensor.fill",),
    ),
    OpCase(
        "frombuffer",
        lambda T: T.frombuffer(bytearray(b"abcd"), dtype=T.int16),
        lambda make: [()],
        orders=0,
        strict=False,
    ),
    OpCase(
        "empty_permuted",
        lambda T: T.tensor(T.empty_permuted((2, 3, 4), (2, 0, 1)).stride()),
        lambda make: [()],
        orders=0,
        dtypes=(),
    ),
    OpCase("vander", function("vander"), on((3,), (), (2,), (4, True))),
    OpCase(
        "binomial",
        lambda T, n: T.binomial(n, T.ones_like(n)),
        lambda make: [(np.array([0.0, 3.0]),)],
        lambda n: n,
        orders=0,
    ),
]

CASES: list[OpCase] = [*FACTORIES, *DATA, *CONVERSIONS, *OVERWRITING, *RANDOM, *WINDOWS, *ASKED, *MORE]
