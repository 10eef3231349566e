"""The names of ``torchvision.models.detection.faster_rcnn``."""

from typing import Any

from roilearn.models.builders import fasterrcnn_resnet50_fpn, fasterrcnn_resnet50_fpn_v2
from roilearn.models.detection.anchor_utils import AnchorGenerator
from roilearn.models.rcnn.faster_rcnn import FasterRCNN
from roilearn.models.roi_heads.box_head import BoxHead, FastRCNNPredictor
from roilearn.models.weights.pretrained import weights_enum

TwoMLPHead = BoxHead

__all__ = [
    "AnchorGenerator",
    "FastRCNNPredictor",
    "FasterRCNN",
    "TwoMLPHead",
    "fasterrcnn_resnet50_fpn",
    "fasterrcnn_resnet50_fpn_v2",
]


def __getattr__(name: str) -> Any:
    """Give torchvision's enumeration of that name."""
    return weights_enum(__name__, name)
