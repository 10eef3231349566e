"""Small detectors: what a laptop trains in minutes."""

from collections.abc import Mapping, Sequence
from typing import Any

from roilearn.models.backbone.resnet import resnet_tiny
from roilearn.models.builders.resnet50_fpn import with_state
from roilearn.models.coordinates import Coordinates
from roilearn.models.rcnn.assembly import check_options, faster_rcnn, mask_rcnn
from roilearn.models.rcnn.faster_rcnn import FasterRCNN
from roilearn.models.rcnn.mask_rcnn import MaskRCNN
from roilearn.models.rcnn.option_names import torchvision_names
from roilearn.models.registry import register_builder
from roilearn.models.weights.pretrained import Weights, read_state

TINY_PRE_NMS_TOP_N = {"training": 60, "testing": 100}
TINY_POST_NMS_TOP_N = {"training": 60, "testing": 50}


@register_builder(command_line_name="tiny", without_masks="faster_rcnn_tiny")
def mask_rcnn_tiny(
    num_classes: int,
    coordinates: str | Coordinates = "aligned",
    roi_op: str = "align",
    *,
    weights: Weights = None,
    widths: Sequence[int] = (32, 64, 128),
    depths: Sequence[int] = (2, 2, 2),
    channels: int = 48,
    anchor_sizes: Sequence[float | Sequence[float]] = (12, 24, 48, 96),
    box_layers: Sequence[int] = (48,),
    representation_size: int = 128,
    mask_layers: Sequence[int] = (32, 32, 32),
    batch_norm: bool = True,
    canonical_scale: float = 112,
    min_size: int | Sequence[int] = 128,
    max_size: int = 256,
    rpn_pre_nms_top_n: Mapping[str, int] = TINY_PRE_NMS_TOP_N,
    rpn_post_nms_top_n: Mapping[str, int] = TINY_POST_NMS_TOP_N,
    rpn_batch_size_per_image: int = 64,
    batch_size_per_image: int = 32,
    positive_fraction: float = 0.4,
    backbone_options: Mapping[str, Any] | None = None,
    rpn_options: Mapping[str, Any] | None = None,
    **options: Any,
) -> MaskRCNN:
    """Build a Mask R-CNN that a laptop trains in minutes: 1.2 M parameters, 5 MB.

    For images of about 128 x 128 pixels with objects of 10 to 110 pixels.

    Parameters
    ----------
    num_classes : number of classes, background included as class 0.
    coordinates, roi_op : as in ``mask_rcnn``.
    weights : the path of a file, a state dict, or None for random initial weights.
    widths, depths : stages of the body, see ``resnet_tiny``: three for strides 4, 8 and 16, four
        for 32 as well. ``anchor_sizes`` needs one entry more, for the level that the pyramid adds.
    channels, anchor_sizes, box_layers, representation_size, mask_layers, batch_norm, min_size,
        max_size : as in ``mask_rcnn``.
    canonical_scale : side in image pixels of a box that is pooled at stride 16. Half of COCO's 224:
        a small object still covers enough cells.
    rpn_pre_nms_top_n, rpn_post_nms_top_n : number of proposals kept before NMS, per level, and
        after it, per image, in training and testing, see ``RegionProposalNetwork``. torchvision's
        names for one of the two modes, such as ``rpn_pre_nms_top_n_test``, have priority.
    rpn_batch_size_per_image, batch_size_per_image : maximum number of anchors, and of proposals,
        sampled per image for the losses.
    positive_fraction : maximum fraction of positives among the sampled proposals. It is larger than
        the quarter used for COCO: with few proposals, each class would be seen too rarely.
    backbone_options, rpn_options : further options of ``resnet_tiny`` and
        ``RegionProposalNetwork``.
    options : further options of ``mask_rcnn``.

    Examples
    --------
    >>> model = mask_rcnn_tiny(num_classes=4)
    >>> sum(numbers.numel() for numbers in model.state_dict().values()) * 4 < 10_000_000
    True
    """
    check_options("mask_rcnn_tiny", options, MaskRCNN, mask_rcnn_tiny, mask_rcnn)
    sampling = {
        "rpn_pre_nms_top_n": rpn_pre_nms_top_n,
        "rpn_post_nms_top_n": rpn_post_nms_top_n,
        "rpn_batch_size_per_image": rpn_batch_size_per_image,
        "batch_size_per_image": batch_size_per_image,
        "positive_fraction": positive_fraction,
    }
    model = mask_rcnn(
        resnet_tiny(widths, depths, **(backbone_options or {})),
        num_classes,
        coordinates,
        roi_op,
        channels=channels,
        anchor_sizes=anchor_sizes,
        box_layers=box_layers,
        representation_size=representation_size,
        mask_layers=mask_layers,
        batch_norm=batch_norm,
        canonical_scale=canonical_scale,
        min_size=min_size,
        max_size=max_size,
        **torchvision_names(sampling) | torchvision_names({**options, "rpn_options": rpn_options}),
    )
    return with_state(model, read_state(weights))


@register_builder()
def faster_rcnn_tiny(
    num_classes: int,
    coordinates: str | Coordinates = "aligned",
    roi_op: str = "align",
    *,
    weights: Weights = None,
    widths: Sequence[int] = (32, 64, 128),
    depths: Sequence[int] = (2, 2, 2),
    channels: int = 48,
    anchor_sizes: Sequence[float | Sequence[float]] = (12, 24, 48, 96),
    box_layers: Sequence[int] = (48,),
    representation_size: int = 128,
    batch_norm: bool = True,
    canonical_scale: float = 112,
    min_size: int | Sequence[int] = 128,
    max_size: int = 256,
    rpn_pre_nms_top_n: Mapping[str, int] = TINY_PRE_NMS_TOP_N,
    rpn_post_nms_top_n: Mapping[str, int] = TINY_POST_NMS_TOP_N,
    rpn_batch_size_per_image: int = 64,
    batch_size_per_image: int = 32,
    positive_fraction: float = 0.4,
    backbone_options: Mapping[str, Any] | None = None,
    rpn_options: Mapping[str, Any] | None = None,
    **options: Any,
) -> FasterRCNN:
    """Build a Faster R-CNN that a laptop trains in minutes: ``mask_rcnn_tiny`` without masks.

    Parameters
    ----------
    num_classes, coordinates, roi_op, weights, widths, depths, channels, anchor_sizes, box_layers,
        representation_size, batch_norm, canonical_scale, min_size, max_size, rpn_pre_nms_top_n,
        rpn_post_nms_top_n, rpn_batch_size_per_image, batch_size_per_image, positive_fraction,
        backbone_options, rpn_options : as in ``mask_rcnn_tiny``.
    options : further options of ``faster_rcnn``.

    Examples
    --------
    >>> import torch
    >>> found = faster_rcnn_tiny(num_classes=4).eval()([torch.rand(3, 96, 128)])
    >>> sorted(found[0])
    ['boxes', 'labels', 'scores']
    """
    check_options("faster_rcnn_tiny", options, FasterRCNN, faster_rcnn_tiny, faster_rcnn)
    sampling = {
        "rpn_pre_nms_top_n": rpn_pre_nms_top_n,
        "rpn_post_nms_top_n": rpn_post_nms_top_n,
        "rpn_batch_size_per_image": rpn_batch_size_per_image,
        "batch_size_per_image": batch_size_per_image,
        "positive_fraction": positive_fraction,
    }
    model = faster_rcnn(
        resnet_tiny(widths, depths, **(backbone_options or {})),
        num_classes,
        coordinates,
        roi_op,
        channels=channels,
        anchor_sizes=anchor_sizes,
        box_layers=box_layers,
        representation_size=representation_size,
        batch_norm=batch_norm,
        canonical_scale=canonical_scale,
        min_size=min_size,
        max_size=max_size,
        **torchvision_names(sampling) | torchvision_names({**options, "rpn_options": rpn_options}),
    )
    return with_state(model, read_state(weights))
