"""``Tensor``: an array with a gradient and a place in a graph.

The class holds state and properties. Operators and methods are alias lines to the functions of ``ops/``, where
signature, documentation and rule are written once.
"""

from __future__ import annotations

import warnings
import weakref
from collections.abc import Iterator, Sequence
from typing import Any

from ..backends import Device, DType, kernels_of
from ..backends.dtypes import FROM_NUMPY
from ..backends.errors import GraphError
from . import hooks as _hooks
from . import ops, subclass
from .api import backward
from .base import TensorBase, alias, bind, edge_of, version_of
from .grad_mode import INFERENCE, mode
from .graph import Graph
from .node import OUTPUT
from .printing import formatted, tensor_repr
from .promotion import is_complex, is_floating_point
from .sparse import methods as sparse

_Size, _new_size = ops.Size, tuple.__new__


class Tensor(TensorBase, ops.Casts):
    """An n-dimensional array that records what is done to it.

    Args:
        data: sizes (``Tensor(2, 3)`` is uninitialised) or nested sequences, as PyTorch's legacy constructor takes them.
            `wengert.tensor` is the constructor to use.

    Example:
        >>> import wengert as wg
        >>> x = wg.tensor([1.0, 2.0], requires_grad=True)
        >>> (x * x).sum().backward()
        >>> x.grad
        tensor([2., 4.])
    """

    __slots__ = ()
    _printed_as = "tensor"  # a subclass without this prints its own name
    __array_priority__ = 1000  # an array on the left of an operator leaves the operation to the tensor

    __torch_function__: Any = classmethod(subclass.default)

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        subclass.prepared(cls, Tensor)

    def __new__(cls, *data: Any, dtype: Any = None, device: Any = None) -> Any:
        made = ops.legacy_tensor(*data, dtype=dtype, device=device)
        if cls is Tensor:
            return made
        self = TensorBase.__new__(cls)
        self._data, self._grad, self._edge, self._view, self._hooks = made._data, None, None, None, None
        self._rg, self._ver = False, None
        return self

    @staticmethod
    def _make_subclass(cls: type[Any], data: Tensor, require_grad: bool = False) -> Any:
        """A leaf of class ``cls`` on the memory of ``data``."""
        return data.detach().as_subclass(cls).requires_grad_(require_grad)

    # ------------------------------------------------------------------ what it is

    @property
    def shape(self) -> ops.Size:
        """The size of each dimension."""
        return _new_size(_Size, self._data.shape)

    @property
    def dtype(self) -> DType:
        """The element type."""
        return FROM_NUMPY[self._data.dtype]

    @property
    def device(self) -> Device:
        """Where the memory is."""
        return kernels_of[type(self._data)].backend.device_of(self._data)

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return self._data.ndim  # type: ignore[no-any-return]

    @property
    def itemsize(self) -> int:
        """Bytes per element."""
        return self._data.itemsize  # type: ignore[no-any-return]

    @property
    def nbytes(self) -> int:
        """Bytes of all elements."""
        return self._data.nbytes  # type: ignore[no-any-return]

    @property
    def is_cpu(self) -> bool:
        """Whether the memory is main memory."""
        return self.device.type == "cpu"

    @property
    def is_cuda(self) -> bool:
        """Whether the memory is on a CUDA device."""
        return self.device.type == "cuda"

    def __len__(self) -> int:
        if self._data.ndim == 0:
            raise TypeError("len() of a 0-d tensor")
        return len(self._data)

    def __iter__(self) -> Iterator[Tensor]:
        if self._data.ndim == 0:
            raise TypeError("iteration over a 0-d tensor")
        return iter(self.unbind(0))

    def __repr__(self) -> str:
        return tensor_repr(self)

    layout = property(sparse.layout_of)
    is_sparse = property(sparse.has_coordinates)
    is_sparse_csr = property(sparse.has_rows)
    is_meta = is_mkldnn = is_mps = is_nested = is_quantized = is_xla = is_xpu = False
    is_ipu = is_maia = is_mtia = is_vulkan = False

    __hash__ = object.__hash__  # by identity, although == compares elements

    # ------------------------------------------------------------------ its place in the graph

    @property
    def requires_grad(self) -> bool:
        """Whether gradients are wanted for this tensor."""
        return self._rg or (self._view is not None and self._view.joined(self))

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        self.requires_grad_(value)

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Ask for gradients of this tensor, or stop asking, in place.

        Raises:
            RuntimeError: the type is not floating or complex; the tensor is not a leaf and ``requires_grad`` is False;
                it was made under inference_mode.
        """
        if not isinstance(requires_grad, bool):
            raise TypeError(
                "requires_grad_(): argument 'requires_grad' (position 1) must be bool, not "
                f"{type(requires_grad).__name__}"
            )
        if requires_grad:
            if self._data.dtype.kind not in "fcV":
                raise GraphError(
                    f"only Tensors of floating point dtype can require gradients, not {self.dtype}; convert it first: "
                    "x.float(). (Only Tensors of floating point and complex dtype can require gradients)"
                )
            if self._ver is INFERENCE and mode.fresh is not INFERENCE:
                raise GraphError(
                    "Setting requires_grad=True on inference tensor outside InferenceMode is not allowed; clone() it"
                )
        elif self._edge is not None:
            raise GraphError(
                "you can only change requires_grad flags of leaf variables. If you want to use a computed variable in "
                "a subgraph that doesn't require differentiation use var_no_grad = var.detach()."
            )
        self._rg = bool(requires_grad)
        return self

    @property
    def is_leaf(self) -> bool:
        """Whether no recorded operation made this tensor."""
        if self._view is None:
            return self._edge is None
        edge = edge_of(self)
        return edge is None or edge is self

    @property
    def grad_fn(self) -> Any:
        """The node of the operation that made this tensor, or None."""
        edge = edge_of(self)
        if edge is None or edge is self:
            return None
        return edge.node if edge.edge_kind == OUTPUT else edge

    @property
    def output_nr(self) -> int:
        """Which output of its node this tensor is."""
        edge = edge_of(self)
        return edge.index if edge is not None and edge.edge_kind == OUTPUT else 0

    @property
    def graph(self) -> Graph:
        """What was recorded on the way to this tensor, to be walked, printed or drawn."""
        return Graph(self)

    @property
    def grad(self) -> Tensor | None:
        """The accumulated gradient of a leaf (or of a tensor that retains it), or None."""
        if self._grad is None and self._edge is not None and not self.is_leaf and not self.retains_grad:
            warnings.warn(
                "The .grad attribute of a Tensor that is not a leaf Tensor is being accessed. Its .grad attribute "
                "won't be populated during autograd.backward(). If you indeed want the .grad field to be populated "
                "for a non-leaf Tensor, use .retain_grad() on the non-leaf Tensor. If you access the non-leaf Tensor "
                "by mistake, make sure you access the leaf Tensor instead.",
                stacklevel=2,
            )
        return self._grad

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        if value is not None:
            if not isinstance(value, TensorBase):
                raise TypeError(
                    f"assigned grad expected to be a Tensor or None but got grad of type {type(value).__name__}"
                )
            if value is self:
                raise RuntimeError("can't assign Variable as its own grad")
            if value._data.shape != self._data.shape:
                raise RuntimeError(
                    f"attempting to assign a gradient of size '{list(value._data.shape)}' to a tensor of size "
                    f"'{list(self._data.shape)}'. Please ensure that the gradient and the tensor are the same size"
                )
            if value._data.dtype != self._data.dtype:
                raise RuntimeError(
                    f"attempting to assign a gradient with dtype '{value.dtype}' to a tensor with grad_dtype "
                    f"'{self.dtype}'. The gradient must match the tensor's dtype"
                )
            if value.device != self.device:
                raise RuntimeError(
                    f"attempting to assign a gradient located on device with type '{value.device}' to a tensor located "
                    f"on '{self.device}'. Please ensure that the gradient and the tensor are on the same device"
                )
        self._grad = value

    @grad.deleter
    def grad(self) -> None:
        self._grad = None

    def backward(
        self,
        gradient: Tensor | None = None,
        retain_graph: bool | None = None,
        create_graph: bool = False,
        inputs: Sequence[Tensor] | Tensor | None = None,
    ) -> None:
        """Accumulate into ``.grad`` of every leaf the gradient of this tensor.

        Args:
            gradient: what arrives from outside, of this tensor's shape; 1 when this tensor is a scalar.
            retain_graph: keep what was saved, so that backward can run again; ``create_graph`` unless told.
            create_graph: record the backward itself, for derivatives of higher order.
            inputs: accumulate into these only.

        Raises:
            RuntimeError: nothing was recorded, the graph was freed, or this is no scalar and ``gradient`` is missing.
        """
        backward(self, gradient, retain_graph, create_graph, inputs=inputs)

    def detach(self) -> Tensor:
        """The same memory, outside the graph."""
        return alias(self)  # type: ignore[no-any-return]

    def detach_(self) -> Tensor:
        """Leave the graph, in place."""
        if self._view is not None:
            raise RuntimeError(
                "Can't detach views in-place. Use detach() instead. If you are using DistributedDataParallel (DDP) for "
                "training, and gradient_as_bucket_view is set as True, gradients are views of DDP buckets, and hence "
                "detach_() cannot be called on these gradients."
            )
        self._edge, self._rg = None, False
        return self

    @property
    def data(self) -> Tensor:
        """The same memory, outside the graph and unseen by its checks; ``detach()`` is the safe way."""
        t: Tensor = alias(self)
        t._ver = None
        return t

    @data.setter
    def data(self, value: Tensor) -> None:
        if not isinstance(value, TensorBase):
            raise TypeError(f"Variable data has to be a tensor, but got {type(value).__name__}")
        if self._rg and value._data.dtype.kind not in "fcV":
            raise GraphError(
                "data set to a tensor that requires gradients must be floating point or complex dtype, not "
                f"{value.dtype}; convert it first: value.float()"
            )
        self._data = value._data[...]
        self._view = None

    def retain_grad(self) -> None:
        """Keep the gradient of this tensor in ``.grad`` although it is no leaf."""
        edge = edge_of(self)
        if edge is None:
            raise RuntimeError("can't retain_grad on Tensor that has requires_grad=False")
        if edge is not self:
            node, index = (edge.node, edge.index) if edge.edge_kind == OUTPUT else (edge, 0)
            _hooks.hooks_of(node).retain[index] = weakref.ref(self)

    @property
    def retains_grad(self) -> bool:
        """Whether ``retain_grad`` was called on this non-leaf."""
        edge = edge_of(self)
        if edge is None or edge is self:
            return False
        node, index = (edge.node, edge.index) if edge.edge_kind == OUTPUT else (edge, 0)
        owner = node.hooks.retain.get(index) if node.hooks is not None else None
        return owner is not None and owner() is self

    def register_hook(self, hook: Any) -> _hooks.RemovableHandle:
        """Call ``hook(grad)`` when this tensor's gradient is computed; what it returns replaces the gradient."""
        edge = edge_of(self)
        if edge is None:
            raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
        return _hooks.register_tensor_hook(self, edge, hook)

    def register_post_accumulate_grad_hook(self, hook: Any) -> _hooks.RemovableHandle:
        """Call ``hook(tensor)`` after a leaf's gradient was accumulated."""
        edge = edge_of(self)
        if edge is None:
            raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
        if edge is not self:
            raise RuntimeError("post accumulate grad hooks cannot be registered on non-leaf tensors")
        return _hooks.leaf_hooks_of(self).post.add(hook)

    @property
    def _version(self) -> int:
        """How often the memory was written in place."""
        if self._ver is INFERENCE:
            raise RuntimeError("Inference tensors do not track version counter.")
        return version_of(self)[0]  # type: ignore[no-any-return]

    @property
    def _base(self) -> Tensor | None:
        """The tensor that this one is a view of, or None."""
        return None if self._view is None else self._view.base

    def _is_view(self) -> bool:
        return self._view is not None

    def is_inference(self) -> bool:
        """Whether this tensor was made under inference_mode."""
        return self._ver is INFERENCE

    # ------------------------------------------------------------------ arithmetic

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
    positive = ops.positive

    # ------------------------------------------------------------------ comparison and logic

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

    # ------------------------------------------------------------------ functions

    abs = ops.abs
    abs_ = ops.abs_
    absolute = ops.absolute
    absolute_ = ops.absolute_
    acos = ops.acos
    acos_ = ops.acos_
    acosh = ops.acosh
    acosh_ = ops.acosh_
    addcdiv = ops.addcdiv
    addcdiv_ = ops.addcdiv_
    addcmul = ops.addcmul
    addcmul_ = ops.addcmul_
    angle = ops.angle
    arccos = ops.arccos
    arccos_ = ops.arccos_
    arccosh = ops.arccosh
    arccosh_ = ops.arccosh_
    arcsin = ops.arcsin
    arcsin_ = ops.arcsin_
    arcsinh = ops.arcsinh
    arcsinh_ = ops.arcsinh_
    arctan = ops.arctan
    arctan2 = ops.arctan2
    arctan2_ = ops.arctan2_
    arctan_ = ops.arctan_
    arctanh = ops.arctanh
    arctanh_ = ops.arctanh_
    asin = ops.asin
    asin_ = ops.asin_
    asinh = ops.asinh
    asinh_ = ops.asinh_
    atan = ops.atan
    atan2 = ops.atan2
    atan2_ = ops.atan2_
    atan_ = ops.atan_
    atanh = ops.atanh
    atanh_ = ops.atanh_
    ceil = ops.ceil
    ceil_ = ops.ceil_
    clamp = ops.clamp
    clamp_ = ops.clamp_
    clamp_max = ops.clamp_max
    clamp_max_ = ops.clamp_max_
    clamp_min = ops.clamp_min
    clamp_min_ = ops.clamp_min_
    clip = ops.clip
    clip_ = ops.clip_
    conj = ops.conj
    conj_physical = ops.conj_physical
    conj_physical_ = ops.conj_physical_
    copysign = ops.copysign
    copysign_ = ops.copysign_
    cos = ops.cos
    cos_ = ops.cos_
    cosh = ops.cosh
    cosh_ = ops.cosh_
    deg2rad = ops.deg2rad
    deg2rad_ = ops.deg2rad_
    digamma = ops.digamma
    digamma_ = ops.digamma_
    erf = ops.erf
    erf_ = ops.erf_
    erfc = ops.erfc
    erfc_ = ops.erfc_
    erfinv = ops.erfinv
    erfinv_ = ops.erfinv_
    exp = ops.exp
    exp2 = ops.exp2
    exp2_ = ops.exp2_
    exp_ = ops.exp_
    expm1 = ops.expm1
    expm1_ = ops.expm1_
    fix = ops.fix
    fix_ = ops.fix_
    float_power = ops.float_power
    float_power_ = ops.float_power_
    floor = ops.floor
    floor_ = ops.floor_
    fmax = ops.fmax
    fmin = ops.fmin
    frac = ops.frac
    frac_ = ops.frac_
    frexp = ops.frexp
    gcd = ops.gcd
    gcd_ = ops.gcd_
    heaviside = ops.heaviside
    heaviside_ = ops.heaviside_
    hypot = ops.hypot
    hypot_ = ops.hypot_
    i0 = ops.i0
    i0_ = ops.i0_
    igamma = ops.igamma
    igamma_ = ops.igamma_
    igammac = ops.igammac
    igammac_ = ops.igammac_
    imag = property(ops.imag, ops.set_imag)
    is_conj = ops.is_conj
    is_neg = ops.is_neg
    isin = ops.isin
    lcm = ops.lcm
    lcm_ = ops.lcm_
    ldexp = ops.ldexp
    ldexp_ = ops.ldexp_
    lerp = ops.lerp
    lerp_ = ops.lerp_
    lgamma = ops.lgamma
    lgamma_ = ops.lgamma_
    log = ops.log
    log10 = ops.log10
    log10_ = ops.log10_
    log1p = ops.log1p
    log1p_ = ops.log1p_
    log2 = ops.log2
    log2_ = ops.log2_
    log_ = ops.log_
    logaddexp = ops.logaddexp
    logaddexp2 = ops.logaddexp2
    logit = ops.logit
    logit_ = ops.logit_
    maximum = ops.maximum
    minimum = ops.minimum
    mvlgamma = ops.mvlgamma
    mvlgamma_ = ops.mvlgamma_
    nan_to_num = ops.nan_to_num
    nan_to_num_ = ops.nan_to_num_
    nextafter = ops.nextafter
    nextafter_ = ops.nextafter_
    polygamma = ops.polygamma_method
    polygamma_ = ops.polygamma_
    rad2deg = ops.rad2deg
    rad2deg_ = ops.rad2deg_
    real = property(ops.real, ops.set_real)
    resolve_conj = ops.resolve_conj
    resolve_neg = ops.resolve_neg
    round = ops.round
    round_ = ops.round_
    rsqrt = ops.rsqrt
    rsqrt_ = ops.rsqrt_
    sgn = ops.sgn
    sgn_ = ops.sgn_
    sign = ops.sign
    sign_ = ops.sign_
    signbit = ops.signbit
    sin = ops.sin
    sin_ = ops.sin_
    sinc = ops.sinc
    sinc_ = ops.sinc_
    sinh = ops.sinh
    sinh_ = ops.sinh_
    sqrt = ops.sqrt
    sqrt_ = ops.sqrt_
    tan = ops.tan
    tan_ = ops.tan_
    tanh = ops.tanh
    tanh_ = ops.tanh_
    trunc = ops.trunc
    trunc_ = ops.trunc_
    where = ops.where_method
    xlogy = ops.xlogy
    xlogy_ = ops.xlogy_

    # ------------------------------------------------------------------ reductions

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

    # ------------------------------------------------------------------ shape

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
    trace = ops.trace
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

    def split(self, split_size: Any, dim: int = 0) -> tuple[Tensor, ...]:
        """`wengert.split`, whose second argument has another name as a method."""
        return ops.split(self, split_size, dim)

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

    # ------------------------------------------------------------------ indexing

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

    # ------------------------------------------------------------------ linear algebra

    cholesky = ops.cholesky
    cholesky_inverse = ops.cholesky_inverse
    cholesky_solve = ops.cholesky_solve
    det = ops.det
    inverse = ops.inverse
    logdet = ops.logdet
    lu = ops.lu
    lu_solve = ops.lu_solve
    matrix_exp = ops.matrix_exp
    matrix_power = ops.matrix_power
    pinverse = ops.pinverse
    qr = ops.qr
    slogdet = ops.slogdet
    svd = ops.svd
    triangular_solve = ops.triangular_solve

    # ------------------------------------------------------------------ products

    __matmul__ = ops.matmul_operator
    __rmatmul__ = ops.rmatmul_operator
    addbmm = ops.addbmm
    addbmm_ = ops.addbmm_
    addmm = ops.addmm
    addmm_ = ops.addmm_
    addmv = ops.addmv
    addmv_ = ops.addmv_
    addr = ops.addr
    addr_ = ops.addr_
    baddbmm = ops.baddbmm
    baddbmm_ = ops.baddbmm_
    bmm = ops.bmm
    cross = ops.cross
    dist = ops.dist
    dot = ops.dot
    geqrf = ops.geqrf
    ger = ops.ger
    inner = ops.inner
    kron = ops.kron
    matmul = ops.matmul
    mm = ops.mm
    mv = ops.mv
    orgqr = ops.orgqr
    ormqr = ops.ormqr
    outer = ops.outer
    istft = ops.istft
    stft = ops.stft
    vdot = ops.vdot

    # ------------------------------------------------------------------ activations

    hardshrink = ops.hardshrink
    log_softmax = ops.log_softmax
    prelu = ops.prelu
    relu = ops.relu
    relu_ = ops.relu_
    sigmoid = ops.sigmoid
    sigmoid_ = ops.sigmoid_
    softmax = ops.softmax

    # ------------------------------------------------------------------ filling and random numbers

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

    # ------------------------------------------------------------------ sparse layouts

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

    # ------------------------------------------------------------------ conversion

    __array__ = ops.array_of
    __array_wrap__ = ops.wrapped_array
    __bool__ = ops.bool_of
    __complex__ = ops.complex_of
    __contains__ = ops.contains
    __copy__ = ops.copied
    __deepcopy__ = ops.deepcopied
    __dlpack__ = ops.dlpack
    __dlpack_device__ = ops.dlpack_device
    __float__ = ops.float_of
    __format__ = formatted
    __index__ = ops.index_of
    __int__ = ops.int_of
    __reduce_ex__ = ops.reduced
    __cuda_array_interface__ = property(ops.cuda_array_interface)
    __reversed__ = ops.reversed_
    as_subclass = ops.as_subclass
    clone = ops.clone
    cpu = ops.to_cpu
    cuda = ops.to_cuda
    get_device = ops.get_device
    is_complex = is_complex
    is_floating_point = is_floating_point
    is_nonzero = ops.is_nonzero
    is_pinned = ops.is_pinned
    is_shared = ops.is_shared
    is_signed = ops.is_signed
    item = ops.item
    numpy = ops.numpy
    pin_memory = ops.pin_memory
    record_stream = ops.record_stream
    share_memory_ = ops.share_memory_
    to = ops.to
    tolist = ops.tolist
    type_as = ops.type_as


bind(Tensor)
