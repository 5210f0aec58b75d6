"""Sparse tensors: the functions of PyTorch's ``torch.sparse``."""

from __future__ import annotations

from .autograd.sparse.functions import addmm as addmm
from .autograd.sparse.functions import as_sparse_gradcheck as as_sparse_gradcheck
from .autograd.sparse.functions import log_softmax as log_softmax
from .autograd.sparse.functions import mm as mm
from .autograd.sparse.functions import sampled_addmm as sampled_addmm
from .autograd.sparse.functions import softmax as softmax
from .autograd.sparse.functions import spdiags as spdiags
from .autograd.sparse.functions import spsolve as spsolve
from .autograd.sparse.functions import sum as sum
from .autograd.sparse.invariants import check_sparse_tensor_invariants as check_sparse_tensor_invariants
from .autograd.sparse.legacy import BFloat16Tensor as BFloat16Tensor
from .autograd.sparse.legacy import ByteTensor as ByteTensor
from .autograd.sparse.legacy import CharTensor as CharTensor
from .autograd.sparse.legacy import DoubleTensor as DoubleTensor
from .autograd.sparse.legacy import FloatTensor as FloatTensor
from .autograd.sparse.legacy import HalfTensor as HalfTensor
from .autograd.sparse.legacy import IntTensor as IntTensor
from .autograd.sparse.legacy import LongTensor as LongTensor
from .autograd.sparse.legacy import ShortTensor as ShortTensor
