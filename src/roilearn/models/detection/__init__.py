"""``torchvision.models.detection`` under its names: a program changes its import and nothing else.

``from roilearn.models.detection import FasterRCNN``, ``from roilearn.models.detection.faster_rcnn
import FastRCNNPredictor``: classes and functions stand where torchvision has them, with its
arguments and defaults. All are also in ``roilearn.models``, where an ``AnchorGenerator`` follows
its detector's coordinates; the one here has torchvision's. The enumerations of weights are
torchvision's own, where it is installed.
"""

from typing import Any

from roilearn.models.detection import anchor_utils as anchor_utils
from roilearn.models.detection import faster_rcnn as faster_rcnn
from roilearn.models.detection import keypoint_rcnn as keypoint_rcnn
from roilearn.models.detection import mask_rcnn as mask_rcnn
from roilearn.models.detection import rpn as rpn
from roilearn.models.detection.faster_rcnn import (
    FasterRCNN,
    fasterrcnn_resnet50_fpn,
    fasterrcnn_resnet50_fpn_v2,
)
from roilearn.models.detection.keypoint_rcnn import KeypointRCNN, keypointrcnn_resnet50_fpn
from roilearn.models.detection.mask_rcnn import (
    MaskRCNN,
    maskrcnn_resnet50_fpn,
    maskrcnn_resnet50_fpn_v2,
)
from roilearn.models.weights.pretrained import weights_enum

__all__ = [
    "FasterRCNN",
    "KeypointRCNN",
    "MaskRCNN",
    "fasterrcnn_resnet50_fpn",
    "fasterrcnn_resnet50_fpn_v2",
    "keypointrcnn_resnet50_fpn",
    "maskrcnn_resnet50_fpn",
    "maskrcnn_resnet50_fpn_v2",
]


def __getattr__(name: str) -> Any:
    """Give torchvision's enumeration of that name, such as ``MaskRCNN_ResNet50_FPN_Weights``."""
    return weights_enum(__name__, name)
