"""Shape, strides and memory: what looks at the same elements in another way."""

from __future__ import annotations

from .. import ops


class ShapeMethods:
    """Shape, strides and memory: what looks at the same elements in another way."""

    __slots__ = ()

    H = property(ops.hermitian_transpose)
    T = property(ops.reversed_dims)
    adjoint = ops.adjoint
    as_strided = ops.as_strided
    as_strided_ = ops.as_strided_
    as_strided_scatter = ops.as_strided_scatter
    broadcast_to = ops.expand_method
    chunk = ops.chunk
    const_data_ptr = ops.data_ptr
    contiguous = ops.contiguous
    data_ptr = ops.data_ptr
    diag = ops.diag
    diag_embed = ops.diag_embed
    diagflat = ops.diagflat
    diagonal = ops.diagonal
    diagonal_scatter = ops.diagonal_scatter
    dim = ops.dim
    dim_order = ops.dim_order
    dsplit = ops.dsplit
    element_size = ops.element_size
    expand = ops.expand_method
    expand_as = ops.expand_as
    flatten = ops.flatten
    flip = ops.flip_method
    fliplr = ops.fliplr
    flipud = ops.flipud
    hsplit = ops.hsplit
    is_contiguous = ops.is_contiguous
    is_same_size = ops.is_same_size
    is_set_to = ops.is_set_to
    mH = property(ops.adjoint)
    mT = property(ops.matrix_transpose)
    moveaxis = ops.moveaxis
    movedim = ops.movedim
    narrow = ops.narrow
    ndimension = ops.dim
    nelement = ops.numel
    numel = ops.numel
    permute = ops.permute_method
    ravel = ops.ravel
    repeat = ops.repeat_method
    repeat_interleave = ops.repeat_interleave
    reshape = ops.reshape_method
    reshape_as = ops.reshape_as
    resize_ = ops.resize_
    resize_as_ = ops.resize_as_
    roll = ops.roll
    rot90 = ops.rot90
    select = ops.select
    select_scatter = ops.select_scatter
    set_ = ops.set_
    size = ops.size
    slice_scatter = ops.slice_scatter
    split = ops.split_method
    split_with_sizes = ops.split_with_sizes
    squeeze = ops.squeeze_method
    squeeze_ = ops.squeeze_
    storage = ops.storage
    storage_type = ops.storage_type
    _typed_storage = ops.storage
    storage_offset = ops.storage_offset
    stride = ops.stride
    sum_to_size = ops.sum_to_size
    swapaxes = ops.swapaxes
    swapaxes_ = ops.swapaxes_
    swapdims = ops.swapdims
    swapdims_ = ops.swapdims_
    t = ops.t
    t_ = ops.t_
    tensor_split = ops.tensor_split
    tile = ops.tile_method
    transpose = ops.transpose
    transpose_ = ops.transpose_
    tril = ops.tril
    tril_ = ops.tril_
    triu = ops.triu
    triu_ = ops.triu_
    unbind = ops.unbind
    unflatten = ops.unflatten
    unfold = ops.unfold
    unsafe_chunk = ops.unsafe_chunk
    unsafe_split = ops.unsafe_split
    unsafe_split_with_sizes = ops.unsafe_split_with_sizes
    unsqueeze = ops.unsqueeze
    unsqueeze_ = ops.unsqueeze_
    untyped_storage = ops.untyped_storage
    view = ops.view
    view_as = ops.view_as
    vsplit = ops.vsplit
