"""Picking elements, writing to some of them, and sorting."""

from __future__ import annotations

from .. import ops


class IndexingMethods:
    """Picking elements, writing to some of them, and sorting."""

    __slots__ = ()

    __delitem__ = ops.delitem
    __getitem__ = ops.getitem
    __setitem__ = ops.setitem
    argsort = ops.argsort
    argwhere = ops.argwhere
    fill_diagonal_ = ops.fill_diagonal_
    gather = ops.gather
    index_add = ops.index_add
    index_add_ = ops.index_add_
    index_copy = ops.index_copy
    index_copy_ = ops.index_copy_
    index_fill = ops.index_fill
    index_fill_ = ops.index_fill_
    index_put = ops.index_put
    index_put_ = ops.index_put_
    index_reduce = ops.index_reduce
    index_reduce_ = ops.index_reduce_
    index_select = ops.index_select
    kthvalue = ops.kthvalue
    masked_fill = ops.masked_fill
    masked_fill_ = ops.masked_fill_
    masked_scatter = ops.masked_scatter
    masked_scatter_ = ops.masked_scatter_
    masked_select = ops.masked_select
    msort = ops.msort
    narrow_copy = ops.narrow_copy
    nonzero = ops.nonzero
    nonzero_static = ops.nonzero_static
    put = ops.put
    put_ = ops.put_
    scatter = ops.scatter
    scatter_ = ops.scatter_
    scatter_add = ops.scatter_add
    scatter_add_ = ops.scatter_add_
    scatter_reduce = ops.scatter_reduce
    scatter_reduce_ = ops.scatter_reduce_
    sort = ops.sort
    take = ops.take
    take_along_dim = ops.take_along_dim
    topk = ops.topk
