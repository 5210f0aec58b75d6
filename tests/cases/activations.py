"""Rows of the op table: activations."""

from __future__ import annotations

from .base import Args, Make, OpCase
from .elementwise import function, unary, within

IN_PLACE = ("relu", "elu", "selu", "celu", "leaky_relu", "hardtanh", "threshold")


def activation(name: str, *points: float, options: tuple[dict[str, float], ...] = ({},), **more: object) -> OpCase:
    """A function of ``nn.functional`` with kinks at ``points``, called with each of some options."""

    def samples(make: Make) -> list[Args]:
        return [(make.away(3, 4, points=points) * 2, o) for o in options] + [(make.away(points=points), options[0])]

    full = f"nn.functional.{name}"
    if name in IN_PLACE:
        more["also"] = (f"{full}_",)
    return OpCase(full, lambda T, x, o: function(full)(T, x, **o), samples, **more)  # type: ignore[arg-type]


CASES: list[OpCase] = [
    unary("sigmoid", within(-6.0, 6.0)),
    unary("relu", lambda m: m.away),
    activation("relu", 0.0, options=({}, {"inplace": False})),
    activation("relu6", 0.0, 3.0),
    activation("leaky_relu", 0.0, options=({}, {"negative_slope": 0.2})),
    activation("elu", 0.0, options=({}, {"alpha": 0.5})),
    activation("selu", 0.0),
    activation("celu", 0.0, options=({}, {"alpha": 0.5})),
    activation("gelu", options=({}, {"approximate": "tanh"})),  # type: ignore[dict-item]
    activation("silu"),
    activation("mish"),
    activation("softplus", options=({}, {"beta": 2.0, "threshold": 1.0})),
    activation("softsign"),
    activation("tanhshrink"),
    activation("hardtanh", -0.5, 0.5, options=({}, {"min_val": -0.2, "max_val": 0.7})),
    activation("hardsigmoid", -1.5, 1.5),
    activation("hardswish", -1.5, 1.5),
    activation("hardshrink", -0.25, 0.25, options=({}, {"lambd": 0.3}), also=("Tensor.hardshrink", "hardshrink")),
    activation("softshrink", -0.25, 0.25, options=({}, {"lambd": 0.3})),
    activation("logsigmoid"),
    activation("threshold", 0.1, options=({"threshold": 0.2, "value": -3.0},)),
    OpCase(
        "nn.functional.prelu",
        lambda T, x, w: T.nn.functional.prelu(x, w),
        lambda m: [(m.away(2, 3, 4), m.real(3)), (m.away(2, 3), m.real(1)), (m.away(4), m.real(1))],
        also=("prelu", "Tensor.prelu"),
    ),
    OpCase(
        "nn.functional.rrelu",
        lambda T, x: T.nn.functional.rrelu(x, 0.1, 0.3),
        lambda m: [(m.away(3, 4),)],
        also=("rrelu", "nn.functional.rrelu_"),
    ),
    OpCase(
        "nn.functional.glu",
        lambda T, x, d: T.nn.functional.glu(x, d),
        lambda m: [(m.real(3, 4), -1), (m.real(4, 3), 0)],
    ),
    *(
        OpCase(
            name,
            lambda T, x, d, name=name: function(name)(T, x, dim=d),
            lambda m: [
                (m.real(3, 4) * 3, -1),
                (m.real(3, 4, 2), 1),
                (m.real(), 0),
                (m.real(0, 3), 1),
                (m.real(5) + 1e3, 0),
            ],
            also=(f"Tensor.{name}", f"nn.functional.{name}") if name != "nn.functional.softmin" else (),
        )
        for name in ("softmax", "log_softmax", "nn.functional.softmin")
    ),
    OpCase(
        "softmax",
        lambda T, x: T.softmax(x, 0, dtype=T.float64),
        lambda m: [(m.integers(3, 4),)],
        orders=0,
        note="dtype",
    ),
]
