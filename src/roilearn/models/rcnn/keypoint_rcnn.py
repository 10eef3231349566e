"""Keypoint R-CNN: Faster R-CNN with a keypoint head."""

from collections.abc import Sequence
from typing import Any

from torch import nn

from roilearn.arguments import check_count
from roilearn.models.coordinates import Coordinates, coordinates_of
from roilearn.models.rcnn.faster_rcnn import POOLED_MAPS, FasterRCNN, check_backbone
from roilearn.models.roi_heads.keypoint_head import (
    KeypointHead,
    KeypointHeads,
    KeypointPredictor,
)
from roilearn.ops import MultiScaleRoIAlign

KEYPOINT_LAYERS = (512,) * 8
KEYPOINT_SIZES = (640, 672, 704, 736, 768, 800)
"""Lengths of the shorter side in training, of which one is drawn; prediction takes the last."""
NUM_KEYPOINTS = 17
"""Number of COCO's keypoints of a person."""


class KeypointRCNN(FasterRCNN):
    """Detector of boxes and the keypoints in them, with torchvision's options and defaults.

    Parameters
    ----------
    backbone, num_classes : as in ``FasterRCNN``.
    min_size : as in ``DetectorTransform``. None: ``KEYPOINT_SIZES``.
    keypoint_roi_pool : pools boxes from the maps, as ``box_roi_pool``. None: 14 x 14 bins from the
        maps ``"0"`` to ``"3"``.
    keypoint_head : pooled boxes to features. None: a ``KeypointHead`` of eight layers.
    keypoint_predictor : features to heatmap logits. None: a ``KeypointPredictor``.
    num_keypoints : number of keypoints of an object. None: 17, those of a person in COCO.
    coordinates : as in ``mask_rcnn``; torchvision's by default.
    options : as in ``FasterRCNN``.

    Source
    ------
    He et al., Mask R-CNN (2017), section 5; options, names of parameters and results as in
    torchvision 0.29.
    """

    def __init__(
        self,
        backbone: nn.Module,
        num_classes: int | None = None,
        min_size: int | Sequence[int] | None = None,
        *positional: Any,
        keypoint_roi_pool: nn.Module | None = None,
        keypoint_head: nn.Module | None = None,
        keypoint_predictor: nn.Module | None = None,
        num_keypoints: int | None = None,
        coordinates: str | Coordinates = "torchvision",
        **options: Any,
    ) -> None:
        first = (backbone, num_classes, KEYPOINT_SIZES if min_size is None else min_size)
        super().__init__(*first, *positional, coordinates=coordinates, **options)
        if keypoint_roi_pool is None:
            aligned = coordinates_of(coordinates).aligned
            keypoint_roi_pool = MultiScaleRoIAlign(POOLED_MAPS, 14, 2, aligned=aligned)
        if keypoint_head is None:
            keypoint_head = KeypointHead(check_backbone(backbone), KEYPOINT_LAYERS)
        if keypoint_predictor is None:
            points = check_count("num_keypoints", num_keypoints or NUM_KEYPOINTS)
            keypoint_predictor = KeypointPredictor(KEYPOINT_LAYERS[-1], points)
        self.roi_heads = KeypointHeads(
            self.roi_heads, keypoint_roi_pool, keypoint_head, keypoint_predictor
        )
