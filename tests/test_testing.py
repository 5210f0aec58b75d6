"""``wengert.testing``: what is close, what is not, and what is said then."""

from __future__ import annotations

import pytest

import wengert as wg
from wengert.testing import assert_close

ONE = wg.tensor([1.0, 2.0])

CLOSE = [
    (ONE, ONE + 1e-6, {}),
    (ONE.double(), ONE.double() + 1e-8, {}),
    (ONE, ONE.double(), {"check_dtype": False}),
    ([ONE, {"a": 1.0}], [ONE, {"a": 1.0 + 1e-9}], {}),
    (wg.tensor([float("nan")]), wg.tensor([float("nan")]), {"equal_nan": True}),
    (1, 1, {}),
    (ONE, ONE + 0.1, {"rtol": 0, "atol": 0.2}),
    (wg.tensor([True]), wg.tensor([True]), {}),
]
APART = [
    (ONE, ONE + 1e-3, {}, r"Mismatched elements: 2 / 2 \(100.0%\)"),
    (ONE, wg.tensor([1.0, 3.0]), {}, r"Greatest absolute difference: 1.0 at index \(1,\)"),
    (ONE, ONE.double(), {}, "'dtype' do not match: wengert.float32 != wengert.float64"),
    (ONE, wg.ones(3), {}, "'shape' do not match"),
    ([ONE], [ONE, ONE], {}, "length of the sequences mismatch"),
    ({"a": ONE}, {"a": ONE + 1}, {}, r"not close\['a'\]"),
    ({"a": ONE}, {"b": ONE}, {}, "keys of the mappings"),
    (wg.tensor([float("nan")]), wg.tensor([float("nan")]), {}, "not close"),
    (wg.tensor(1.0), wg.tensor(2.0), {}, "Scalars are not close"),
    (ONE, "text", {}, "cannot be compared"),
    (wg.zeros(2, 3), wg.zeros(3, 2).t(), {"check_stride": True}, "stride"),
]


@pytest.mark.parametrize(("actual", "expected", "options"), CLOSE)
def test_close(actual: object, expected: object, options: dict[str, object]) -> None:
    assert_close(actual, expected, **options)


@pytest.mark.parametrize(("actual", "expected", "options", "message"), APART)
def test_apart(actual: object, expected: object, options: dict[str, object], message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        assert_close(actual, expected, **options)


def test_messages_and_tolerances() -> None:
    with pytest.raises(AssertionError, match="mine"):
        assert_close(ONE, ONE + 1, msg="mine")
    with pytest.raises(AssertionError, match="before: Tensor-likes"):
        assert_close(ONE, ONE + 1, msg=lambda text: "before: " + text)
    with pytest.raises(ValueError, match="both"):
        assert_close(ONE, ONE, rtol=1.0)


@pytest.mark.parity
@pytest.mark.parametrize("case", [*CLOSE, *[c[:3] for c in APART]])
def test_judges_as_torch_does(case: tuple[object, object, dict[str, object]]) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed; `make parity` installs it")

    def moved(value: object) -> object:
        if isinstance(value, wg.Tensor):
            return torch.from_numpy(value.numpy())
        if isinstance(value, dict):
            return {k: moved(v) for k, v in value.items()}
        return [moved(v) for v in value] if isinstance(value, list) else value

    def raises(check: object, *values: object) -> bool:
        try:
            check(*values, **case[2])
        except (AssertionError, TypeError):
            return True
        return False

    assert raises(assert_close, *case[:2]) == raises(torch.testing.assert_close, *map(moved, case[:2]))
