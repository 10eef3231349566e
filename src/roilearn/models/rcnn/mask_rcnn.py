"""Mask R-CNN: Faster R-CNN with a mask head."""

from typing import Any

from torch import nn

from roilearn.arguments import check_count
from roilearn.models.coordinates import Coordinates, coordinates_of
from roilearn.models.rcnn.faster_rcnn import POOLED_MAPS, FasterRCNN, check_backbone
from roilearn.models.roi_heads.mask_head import MaskHead, MaskPredictor
from roilearn.ops import MultiScaleRoIAlign

MASK_LAYERS = (256, 256, 256, 256)


class MaskRCNN(FasterRCNN):
    """Detector of boxes and their masks, with torchvision's options and defaults.

    Parameters
    ----------
    backbone, num_classes : as in ``FasterRCNN``.
    mask_roi_pool : pools boxes from the maps, as ``box_roi_pool``. None: 14 x 14 bins from the maps
        ``"0"`` to ``"3"``.
    mask_head : pooled boxes to features. None: a ``MaskHead`` of four layers.
    mask_predictor : features to mask logits. None: a ``MaskPredictor`` of ``num_classes`` or,
        without it, of as many classes as ``box_predictor`` has.
    coordinates : as in ``mask_rcnn``; torchvision's by default.
    options : as in ``FasterRCNN``.

    Source
    ------
    He et al., Mask R-CNN (2017); options, names of parameters and results as in torchvision 0.29.
    """

    def __init__(
        self,
        backbone: nn.Module,
        num_classes: int | None = None,
        *positional: Any,
        mask_roi_pool: nn.Module | None = None,
        mask_head: nn.Module | None = None,
        mask_predictor: nn.Module | None = None,
        coordinates: str | Coordinates = "torchvision",
        **options: Any,
    ) -> None:
        super().__init__(backbone, num_classes, *positional, coordinates=coordinates, **options)
        heads = self.roi_heads
        if mask_roi_pool is None:
            aligned = coordinates_of(coordinates).aligned
            mask_roi_pool = MultiScaleRoIAlign(POOLED_MAPS, 14, 2, aligned=aligned)
        if mask_head is None:
            mask_head = MaskHead(check_backbone(backbone), MASK_LAYERS)
        if mask_predictor is None:
            classes = check_count("num_classes", num_classes or heads.num_classes)
            mask_predictor = MaskPredictor(MASK_LAYERS[-1], MASK_LAYERS[-1], classes)
        heads.mask_roi_pool, heads.mask_head = mask_roi_pool, mask_head
        heads.mask_predictor = mask_predictor
