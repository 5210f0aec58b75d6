"""Sparse tensors: patterns with differentiable values.

``core.py`` has the primitives, ``rules*.py`` what other ops mean for sparse operands, the rest public functions.
"""
