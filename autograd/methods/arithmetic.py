"""Arithmetic: the operators of numbers and their named forms."""

from __future__ import annotations

from .. import ops


class ArithmeticMethods:
    """Arithmetic: the operators of numbers and their named forms."""

    __slots__ = ()

    __add__ = ops.add_operator
    __radd__ = ops.add_operator
    __iadd__ = ops.add_
    __sub__ = ops.sub_operator
    __rsub__ = ops.rsub_operator
    __isub__ = ops.sub_
    __mul__ = ops.mul_operator
    __rmul__ = ops.mul_operator
    __imul__ = ops.mul_
    __truediv__ = ops.div_operator
    __rdiv__ = ops.rdiv_operator
    __rtruediv__ = ops.rdiv_operator
    __itruediv__ = ops.div_
    __floordiv__ = ops.floor_divide_operator
    __rfloordiv__ = ops.rfloor_divide_operator
    __ifloordiv__ = ops.floor_divide_
    __mod__ = ops.remainder_operator
    __rmod__ = ops.rremainder_operator
    __imod__ = ops.remainder_
    __pow__ = ops.pow_operator
    __rpow__ = ops.rpow_operator
    __ipow__ = ops.pow_
    __neg__ = ops.neg
    __pos__ = ops.positive
    __abs__ = ops.abs
    add = ops.add
    add_ = ops.add_
    div = ops.div
    div_ = ops.div_
    divide = ops.divide
    divide_ = ops.divide_
    floor_divide = ops.floor_divide
    floor_divide_ = ops.floor_divide_
    fmod = ops.fmod
    fmod_ = ops.fmod_
    mul = ops.mul
    mul_ = ops.mul_
    multiply = ops.multiply
    multiply_ = ops.multiply_
    neg = ops.neg
    neg_ = ops.neg_
    negative = ops.negative
    negative_ = ops.negative_
    positive = ops.positive
    pow = ops.pow
    pow_ = ops.pow_
    reciprocal = ops.reciprocal
    reciprocal_ = ops.reciprocal_
    remainder = ops.remainder
    remainder_ = ops.remainder_
    square = ops.square
    square_ = ops.square_
    sub = ops.sub
    sub_ = ops.sub_
    subtract = ops.subtract
    subtract_ = ops.subtract_
    true_divide = ops.true_divide
    true_divide_ = ops.true_divide_
