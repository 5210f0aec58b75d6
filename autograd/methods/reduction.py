"""What sums up a dimension or all of them, and running sums."""

from __future__ import annotations

from .. import ops


class ReductionMethods:
    """What sums up a dimension or all of them, and running sums."""

    __slots__ = ()

    all = ops.all
    amax = ops.amax
    amin = ops.amin
    aminmax = ops.aminmax
    any = ops.any
    argmax = ops.argmax
    argmin = ops.argmin
    bincount = ops.bincount
    corrcoef = ops.corrcoef
    count_nonzero = ops.count_nonzero
    cov = ops.cov
    cummax = ops.cummax
    cummin = ops.cummin
    cumprod = ops.cumprod
    cumprod_ = ops.cumprod_
    cumsum = ops.cumsum
    cumsum_ = ops.cumsum_
    diff = ops.diff
    dist = ops.dist
    histc = ops.histc
    histogram = ops.histogram
    logcumsumexp = ops.logcumsumexp
    logsumexp = ops.logsumexp
    max = ops.max
    mean = ops.mean
    median = ops.median
    min = ops.min
    mode = ops.mode
    nanmean = ops.nanmean
    nanmedian = ops.nanmedian
    nanquantile = ops.nanquantile
    nansum = ops.nansum
    norm = ops.norm
    prod = ops.prod
    quantile = ops.quantile
    renorm = ops.renorm
    renorm_ = ops.renorm_
    std = ops.std
    sum = ops.sum
    unique = ops.unique
    unique_consecutive = ops.unique_consecutive
    var = ops.var
