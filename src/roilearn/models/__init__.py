"""Faster, Mask and Keypoint R-CNN in PyTorch, in the order in which an image passes through them.

Sub-packages and files in reading order: ``transform`` (images to a batch), ``backbone`` (ResNet and
feature pyramid), ``targets`` (matching, sampling, training targets), ``rpn`` (region proposal
network), ``roi_heads`` (box and mask heads, detections), ``rcnn`` (whole detectors),
``coordinates`` (their conventions), ``settings`` (set on a finished model), ``builders`` and
``registry`` (models and backbones by name), ``extensions`` (ideas of other papers that plug in),
``weights`` (pretrained weights, state dicts, model files), ``export`` (a detector as an ONNX file),
``comparison`` (two models layer by layer), ``detection`` (all of it where torchvision has it).
The names of parameters are torchvision's, so that its weights fit.
"""

from importlib.util import find_spec

from roilearn._moved import attach_stub

if not (find_spec("torch") and find_spec("jaxtyping")):
    raise ImportError(
        "roilearn.models needs PyTorch and jaxtyping, which are not installed. "
        "Install them with: pip install 'roilearn[torch]'"
    )

__getattr__, __dir__, _every_name = attach_stub(__name__, __file__)
# ``detection`` is left to those who ask for it: it holds the same names again.
__all__ = [name for name in _every_name if name != "detection"]  # pyright: ignore[reportUnsupportedDunderAll]
