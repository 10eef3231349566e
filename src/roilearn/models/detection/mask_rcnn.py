"""The names of ``torchvision.models.detection.mask_rcnn``."""

from typing import Any

from roilearn.models.builders import maskrcnn_resnet50_fpn, maskrcnn_resnet50_fpn_v2
from roilearn.models.rcnn.mask_rcnn import MaskRCNN
from roilearn.models.roi_heads.mask_head import MaskRCNNPredictor
from roilearn.models.weights.pretrained import weights_enum

__all__ = [
    "MaskRCNN",
    "MaskRCNNPredictor",
    "maskrcnn_resnet50_fpn",
    "maskrcnn_resnet50_fpn_v2",
]


def __getattr__(name: str) -> Any:
    """Give torchvision's enumeration of that name."""
    return weights_enum(__name__, name)
