"""Argument checks, made before any work: each error names the argument, what came, what to do.

They look only at what NumPy arrays and PyTorch tensors share (``ndim``, ``shape``, ``dtype``,
comparisons), so that every implementation of an operator answers the same mistake in the same words.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
