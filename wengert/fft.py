"""Fourier transforms, under PyTorch's names."""

from __future__ import annotations

from .autograd.autocast import casting_in as _casting_in
from .autograd.ops.fft import fft as fft
from .autograd.ops.fft import fft2 as fft2
from .autograd.ops.fft import fftfreq as fftfreq
from .autograd.ops.fft import fftn as fftn
from .autograd.ops.fft import fftshift as fftshift
from .autograd.ops.fft import hfft as hfft
from .autograd.ops.fft import hfft2 as hfft2
from .autograd.ops.fft import hfftn as hfftn
from .autograd.ops.fft import ifft as ifft
from .autograd.ops.fft import ifft2 as ifft2
from .autograd.ops.fft import ifftn as ifftn
from .autograd.ops.fft import ifftshift as ifftshift
from .autograd.ops.fft import ihfft as ihfft
from .autograd.ops.fft import ihfft2 as ihfft2
from .autograd.ops.fft import ihfftn as ihfftn
from .autograd.ops.fft import irfft as irfft
from .autograd.ops.fft import irfft2 as irfft2
from .autograd.ops.fft import irfftn as irfftn
from .autograd.ops.fft import rfft as rfft
from .autograd.ops.fft import rfft2 as rfft2
from .autograd.ops.fft import rfftfreq as rfftfreq
from .autograd.ops.fft import rfftn as rfftn

_casting_in(globals())
