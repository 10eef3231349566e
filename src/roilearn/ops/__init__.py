"""Region operators in PyTorch, under torchvision's names and signatures.

The same files, names and answers as in ``roilearn.reference``, vectorised over boxes and
differentiable. ``from roilearn.ops import roi_align`` replaces the same import from torchvision.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
