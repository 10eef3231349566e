"""A Mask R-CNN on any registered backbone, by its name."""

from collections.abc import Mapping
from typing import Any

from roilearn.models.builders.resnet50_fpn import with_state
from roilearn.models.coordinates import Coordinates
from roilearn.models.rcnn.assembly import check_options, mask_rcnn
from roilearn.models.rcnn.mask_rcnn import MaskRCNN
from roilearn.models.registry import register_builder
from roilearn.models.weights.pretrained import Weights, read_state


@register_builder(command_line_name="mask_rcnn_fpn")
def mask_rcnn_fpn(
    num_classes: int,
    backbone: str = "resnet18",
    coordinates: str | Coordinates = "aligned",
    roi_op: str = "align",
    *,
    weights: Weights = None,
    backbone_options: Mapping[str, Any] | None = None,
    **options: Any,
) -> MaskRCNN:
    """Build a Mask R-CNN on a registered backbone, so that a new backbone needs no builder.

    Parameters
    ----------
    num_classes : number of classes, background included as class 0.
    backbone : name of the body, a key of ``BACKBONES``.
    coordinates, roi_op : as in ``mask_rcnn``.
    weights : the path of a file, a state dict, or None for random initial weights.
    backbone_options : options of the function of that name.
    options : further options of ``mask_rcnn``.

    Examples
    --------
    >>> model = mask_rcnn_fpn(4, "resnet_tiny", channels=16, anchor_sizes=(12, 24, 48, 96))
    >>> model.backbone.body.out_channels
    [32, 64, 128]
    """
    check_options("mask_rcnn_fpn", options, MaskRCNN, mask_rcnn_fpn, mask_rcnn)
    model = mask_rcnn(
        backbone, num_classes, coordinates, roi_op, backbone_options=backbone_options, **options
    )
    return with_state(model, read_state(weights))
