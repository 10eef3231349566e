"""Model builders: functions that put a detector together from a backbone and its settings.

Files in reading order: ``resnet50_fpn`` (the body and the weights of the models that follow, and
``mask_rcnn_resnet50_fpn``), ``torchvision_builders`` and ``torchvision_builders_v2`` (the same and
its relatives under torchvision's names, with its defaults), ``tiny`` (detectors that a laptop
trains), ``any_backbone`` (a registered backbone by its name).
"""

from roilearn.models.builders.any_backbone import mask_rcnn_fpn
from roilearn.models.builders.resnet50_fpn import mask_rcnn_resnet50_fpn
from roilearn.models.builders.tiny import faster_rcnn_tiny, mask_rcnn_tiny
from roilearn.models.builders.torchvision_builders import (
    fasterrcnn_resnet50_fpn,
    keypointrcnn_resnet50_fpn,
    maskrcnn_resnet50_fpn,
)
from roilearn.models.builders.torchvision_builders_v2 import (
    fasterrcnn_resnet50_fpn_v2,
    maskrcnn_resnet50_fpn_v2,
)
from roilearn.models.registry import BUILDERS

__all__ = [
    "BUILDERS",
    "faster_rcnn_tiny",
    "fasterrcnn_resnet50_fpn",
    "fasterrcnn_resnet50_fpn_v2",
    "keypointrcnn_resnet50_fpn",
    "mask_rcnn_fpn",
    "mask_rcnn_resnet50_fpn",
    "mask_rcnn_tiny",
    "maskrcnn_resnet50_fpn",
    "maskrcnn_resnet50_fpn_v2",
]
