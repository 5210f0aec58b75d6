"""Filling with values or random numbers, and new tensors like this one."""

from __future__ import annotations

from .. import ops


class FillingMethods:
    """Filling with values or random numbers, and new tensors like this one."""

    __slots__ = ()

    apply_ = ops.apply_
    bernoulli = ops.bernoulli
    bernoulli_ = ops.bernoulli_
    cauchy_ = ops.cauchy_
    copy_ = ops.copy_
    exponential_ = ops.exponential_
    fill = ops.fill
    fill_ = ops.fill_
    geometric_ = ops.geometric_
    log_normal_ = ops.log_normal_
    is_distributed = ops.is_distributed
    map2_ = ops.map2_
    map_ = ops.map_
    multinomial = ops.multinomial
    new = ops.new
    new_empty = ops.new_empty
    new_empty_strided = ops.new_empty_strided
    new_full = ops.new_full
    new_ones = ops.new_ones
    new_tensor = ops.new_tensor
    new_zeros = ops.new_zeros
    normal_ = ops.normal_
    random_ = ops.random_
    uniform_ = ops.uniform_
    zero_ = ops.zero_
