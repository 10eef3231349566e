"""Mask R-CNN, small and whole: a file an idea, in the order in which an image goes through it.

Residual blocks and backbone, feature pyramid, anchors, region proposals, detection targets, box and
mask heads, detections. The names of parameters are torchvision's, so that its weights fit.
"""

from importlib.util import find_spec

from roilearn._moved import attach_stub

if not (find_spec("torch") and find_spec("jaxtyping")):
    raise ImportError(
        "roilearn.models needs PyTorch and jaxtyping, which are not installed. "
        "Install them with: pip install 'roilearn[torch]'"
    )

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
