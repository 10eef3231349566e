"""The names of ``torchvision.models.detection.anchor_utils``."""

from roilearn.models.rpn.anchors import AnchorGenerator

__all__ = ["AnchorGenerator"]
