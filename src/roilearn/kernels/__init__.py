"""Region operators in Triton, for GPUs: what they cost.

The same names, signatures and answers as in ``roilearn.ops``, which hands tensors on a GPU over to
this module by itself. Features are float32, float16 or bfloat16, map by map or channels last; sums
are float32. Everything else goes through ``roilearn.ops``: float64, second derivatives, graphs.
"""

from importlib.util import find_spec

import lazy_loader

if not find_spec("triton"):
    raise ImportError(
        "roilearn.kernels needs Triton, which is not installed and exists for Linux alone. Use "
        "roilearn.ops: it has the same functions, and the kernels where there are any."
    )

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
