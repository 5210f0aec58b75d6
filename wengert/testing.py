"""Comparing what tests compute with what they expect."""

from __future__ import annotations

from .utils.making import make_tensor as make_tensor
from .utils.testing import assert_allclose as assert_allclose
from .utils.testing import assert_close as assert_close
