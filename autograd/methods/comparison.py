"""Comparison, logic, and the operators of bits."""

from __future__ import annotations

from .. import ops


class ComparisonMethods:
    """Comparison, logic, and the operators of bits."""

    __slots__ = ()

    __eq__ = ops.eq_operator
    __ne__ = ops.ne_operator
    __lt__ = ops.lt_operator
    __le__ = ops.le_operator
    __gt__ = ops.gt_operator
    __ge__ = ops.ge_operator
    __and__ = ops.and_operator
    __rand__ = ops.rand_operator
    __iand__ = ops.bitwise_and_
    __or__ = ops.or_operator
    __ror__ = ops.ror_operator
    __ior__ = ops.bitwise_or_
    __xor__ = ops.xor_operator
    __rxor__ = ops.rxor_operator
    __ixor__ = ops.bitwise_xor_
    __lshift__ = ops.lshift_operator
    __rlshift__ = ops.rlshift_operator
    __ilshift__ = ops.bitwise_left_shift_
    __rshift__ = ops.rshift_operator
    __rrshift__ = ops.rrshift_operator
    __irshift__ = ops.bitwise_right_shift_
    __invert__ = ops.invert_operator
    bitwise_and = ops.bitwise_and
    bitwise_and_ = ops.bitwise_and_
    bitwise_left_shift = ops.bitwise_left_shift
    bitwise_left_shift_ = ops.bitwise_left_shift_
    bitwise_not = ops.bitwise_not
    bitwise_not_ = ops.bitwise_not_
    bitwise_or = ops.bitwise_or
    bitwise_or_ = ops.bitwise_or_
    bitwise_right_shift = ops.bitwise_right_shift
    bitwise_right_shift_ = ops.bitwise_right_shift_
    bitwise_xor = ops.bitwise_xor
    bitwise_xor_ = ops.bitwise_xor_
    eq = ops.eq
    eq_ = ops.eq_
    ge = ops.ge
    ge_ = ops.ge_
    greater = ops.greater
    greater_ = ops.greater_
    greater_equal = ops.greater_equal
    greater_equal_ = ops.greater_equal_
    gt = ops.gt
    gt_ = ops.gt_
    le = ops.le
    le_ = ops.le_
    less = ops.less
    less_ = ops.less_
    less_equal = ops.less_equal
    less_equal_ = ops.less_equal_
    logical_and = ops.logical_and
    logical_and_ = ops.logical_and_
    logical_not = ops.logical_not
    logical_not_ = ops.logical_not_
    logical_or = ops.logical_or
    logical_or_ = ops.logical_or_
    logical_xor = ops.logical_xor
    logical_xor_ = ops.logical_xor_
    lt = ops.lt
    lt_ = ops.lt_
    ne = ops.ne
    ne_ = ops.ne_
    not_equal = ops.not_equal
    not_equal_ = ops.not_equal_
    allclose = ops.allclose
    equal = ops.equal
    isclose = ops.isclose
    isfinite = ops.isfinite
    isinf = ops.isinf
    isnan = ops.isnan
    isneginf = ops.isneginf
    isposinf = ops.isposinf
    isreal = ops.isreal
