"""The names of ``torchvision.models.detection.keypoint_rcnn``."""

from typing import Any

from roilearn.models.builders import keypointrcnn_resnet50_fpn
from roilearn.models.rcnn.keypoint_rcnn import KeypointRCNN
from roilearn.models.roi_heads.keypoint_head import KeypointHead, KeypointPredictor
from roilearn.models.weights.pretrained import weights_enum

KeypointRCNNHeads, KeypointRCNNPredictor = KeypointHead, KeypointPredictor

__all__ = [
    "KeypointRCNN",
    "KeypointRCNNHeads",
    "KeypointRCNNPredictor",
    "keypointrcnn_resnet50_fpn",
]


def __getattr__(name: str) -> Any:
    """Give torchvision's enumeration of that name."""
    return weights_enum(__name__, name)
