"""The parts of sparse tensors, and the way from one layout to another."""

from __future__ import annotations

from .. import ops
from ..sparse import methods as sparse


class SparseMethods:
    """The parts of sparse tensors, and the way from one layout to another."""

    __slots__ = ()

    _coalesced_ = sparse._coalesced_
    _indices = sparse._indices
    _nnz = sparse._nnz
    _values = sparse._values
    ccol_indices = sparse.ccol_indices
    coalesce = sparse.coalesce
    col_indices = sparse.col_indices
    crow_indices = sparse.crow_indices
    dense_dim = sparse.dense_dim
    indices = sparse.indices
    is_coalesced = sparse.is_coalesced
    resize_as_sparse_ = sparse.resize_as_sparse_
    row_indices = sparse.row_indices
    sparse_dim = sparse.sparse_dim
    sparse_mask = sparse.sparse_mask
    sparse_resize_ = sparse.sparse_resize_
    sparse_resize_and_clear_ = sparse.sparse_resize_and_clear_
    to_dense = sparse.to_dense
    to_sparse = sparse.to_sparse
    to_sparse_bsc = sparse.to_sparse_bsc
    to_sparse_bsr = sparse.to_sparse_bsr
    to_sparse_coo = sparse.to_sparse_coo
    to_sparse_csc = sparse.to_sparse_csc
    to_sparse_csr = sparse.to_sparse_csr
    values = sparse.values
    smm = ops.smm
    sspaddmm = ops.sspaddmm
