"""Regions of interest in detectors, from first principles.

``roilearn.reference`` says what each operator is (NumPy loops); ``roilearn.ops`` is what programs
use (PyTorch). Importing this package loads NumPy at most: every subpackage loads on first use.
"""

import lazy_loader

from roilearn import _moved

__version__ = "0.2.0"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
_moved.install()
