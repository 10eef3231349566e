"""The names of ``torchvision.models.detection.rpn``."""

from roilearn.models.detection.anchor_utils import AnchorGenerator
from roilearn.models.rpn.rpn_head import RPNHead

__all__ = ["AnchorGenerator", "RPNHead"]
