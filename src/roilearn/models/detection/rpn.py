"""The names of ``torchvision.models.detection.rpn``."""

from roilearn.models.rpn.anchors import AnchorGenerator
from roilearn.models.rpn.rpn_head import RPNHead

__all__ = ["AnchorGenerator", "RPNHead"]
