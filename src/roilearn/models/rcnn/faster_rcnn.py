"""Faster R-CNN: a detector of boxes, put together around any backbone by torchvision's options."""

from collections.abc import Callable, Sequence
from inspect import Parameter, signature
from typing import Any

from torch import nn

from roilearn.arguments import check_instead, check_known_options, check_type
from roilearn.models.coordinates import Coordinates, coordinates_of
from roilearn.models.rcnn.generalized_rcnn import GeneralizedRCNN
from roilearn.models.roi_heads.box_head import BoxHead, BoxPredictor
from roilearn.models.roi_heads.head_options import HeadOptions
from roilearn.models.roi_heads.roi_heads import RoIHeads
from roilearn.models.rpn.anchors import AnchorGenerator
from roilearn.models.rpn.region_proposal_network import RegionProposalNetwork
from roilearn.models.rpn.rpn_head import RPNHead
from roilearn.models.targets.detection_targets import DELTA_WEIGHTS
from roilearn.models.transform.detector_transform import (
    IMAGE_MEAN,
    IMAGE_STD,
    DetectorTransform,
)
from roilearn.ops import MultiScaleRoIAlign

ANCHOR_SIZES = (32, 64, 128, 256, 512)
"""One size for each of five levels, in image pixels; strides 4 to 64."""
POOLED_MAPS = ("0", "1", "2", "3")
"""Names of the maps that boxes are pooled from. The coarsest one, ``"pool"``, has anchors only."""
REPRESENTATION_SIZE = 1024


class FasterRCNN(GeneralizedRCNN):
    """Detector of boxes, with torchvision's options and defaults.

    Parameters
    ----------
    backbone : a module with ``out_channels``, the number of channels of all its maps. Its call
        gives a dictionary of maps, finest first, or one map.
    num_classes : number of classes, background included as class 0. None if ``box_predictor`` is
        given.
    min_size, max_size, image_mean, image_std, size_divisible, fixed_size : as in
        ``DetectorTransform``.
    rpn_anchor_generator : an ``AnchorGenerator``. None: three anchors of one size on each of five
        levels.
    rpn_head : as in ``RegionProposalNetwork``. None: an ``RPNHead``.
    rpn_pre_nms_top_n_train, rpn_pre_nms_top_n_test : number of proposals kept before NMS, per
        level, in training and in evaluation.
    rpn_post_nms_top_n_train, rpn_post_nms_top_n_test : number kept after NMS, per image, likewise.
    rpn_nms_thresh : IoU above which NMS removes the proposal of lower score.
    rpn_fg_iou_thresh, rpn_bg_iou_thresh : minimum IoU for an anchor to count as positive, and IoU
        below which it counts as negative.
    rpn_batch_size_per_image, rpn_positive_fraction : maximum number of anchors sampled per image
        for the losses, and maximum fraction of positives among them.
    rpn_score_thresh : proposals with a score below this are removed.
    box_roi_pool : pools boxes from the maps. Called with maps by name, boxes and image sizes, as a
        ``MultiScaleRoIAlign`` or a ``RoIPooler``. None: 7 x 7 bins from the maps ``"0"`` to
        ``"3"``.
    box_head : pooled boxes to features. None: a ``BoxHead``.
    box_predictor : features to class logits and deltas. None: a ``BoxPredictor``.
    box_score_thresh, box_nms_thresh, box_detections_per_img : see ``HeadOptions``:
        ``score_threshold``, ``nms_threshold``, ``detections_per_image``.
    box_fg_iou_thresh, box_bg_iou_thresh : ``positive_iou`` and ``negative_iou`` there.
    box_batch_size_per_image, box_positive_fraction, bbox_reg_weights : ``batch_size_per_image``,
        ``positive_fraction`` and ``delta_weights`` there.
    coordinates : as in ``mask_rcnn``; torchvision's by default.
    rpn_min_size : proposals with a side shorter than this, in image pixels, are removed.

    Raises
    ------
    ValueError, TypeError: see ``roilearn.arguments``; an unknown option.

    Source
    ------
    Ren et al., Faster R-CNN (2015); options, names of parameters and results as in
    torchvision 0.29.

    Examples
    --------
    A backbone that gives one map; the detections of a model that has learned nothing are none:

    >>> import torch
    >>> backbone = nn.Conv2d(3, 8, 16, stride=16)  # it has out_channels
    >>> anchors = AnchorGenerator(((32, 64),), ((0.5, 1.0, 2.0),))
    >>> pool = MultiScaleRoIAlign(["0"], output_size=7, sampling_ratio=2)
    >>> model = FasterRCNN(backbone, 2, rpn_anchor_generator=anchors, box_roi_pool=pool)
    >>> found = model.eval()([torch.rand(3, 60, 80)])
    >>> sorted(found[0])
    ['boxes', 'labels', 'scores']
    """

    def __init__(
        self,
        backbone: nn.Module,
        num_classes: int | None = None,
        min_size: int | Sequence[int] = 800,
        max_size: int = 1333,
        image_mean: Sequence[float] | None = None,
        image_std: Sequence[float] | None = None,
        rpn_anchor_generator: AnchorGenerator | None = None,
        rpn_head: nn.Module | None = None,
        rpn_pre_nms_top_n_train: int = 2000,
        rpn_pre_nms_top_n_test: int = 1000,
        rpn_post_nms_top_n_train: int = 2000,
        rpn_post_nms_top_n_test: int = 1000,
        rpn_nms_thresh: float = 0.7,
        rpn_fg_iou_thresh: float = 0.7,
        rpn_bg_iou_thresh: float = 0.3,
        rpn_batch_size_per_image: int = 256,
        rpn_positive_fraction: float = 0.5,
        rpn_score_thresh: float = 0.0,
        box_roi_pool: nn.Module | None = None,
        box_head: nn.Module | None = None,
        box_predictor: nn.Module | None = None,
        box_score_thresh: float = 0.05,
        box_nms_thresh: float = 0.5,
        box_detections_per_img: int = 100,
        box_fg_iou_thresh: float = 0.5,
        box_bg_iou_thresh: float = 0.5,
        box_batch_size_per_image: int = 512,
        box_positive_fraction: float = 0.25,
        bbox_reg_weights: tuple[float, float, float, float] | None = None,
        *,
        size_divisible: int = 32,
        fixed_size: tuple[int, int] | None = None,
        coordinates: str | Coordinates = "torchvision",
        rpn_min_size: float = 1e-3,
        **unknown: Any,
    ) -> None:
        check_known_options(unknown, parameter_names(type(self)), type(self).__name__)
        channels = check_backbone(backbone)
        check_instead("num_classes", num_classes, "box_predictor", box_predictor)
        rules = coordinates_of(coordinates)
        anchors = rpn_anchor_generator
        if anchors is None:
            anchors = AnchorGenerator(ANCHOR_SIZES)
        check_type(
            "rpn_anchor_generator",
            anchors,
            AnchorGenerator,
            "Import it from roilearn.models: it is called with other arguments than torchvision's.",
        )
        anchors.follow(rules.anchor_offset, rules.anchor_rounded)
        if rpn_head is None:
            rpn_head = RPNHead(channels, anchors.num_anchors_per_location()[0])
        if box_roi_pool is None:
            box_roi_pool = MultiScaleRoIAlign(POOLED_MAPS, 7, 2, aligned=rules.aligned)
        if box_head is None:
            rows, columns = pooled_size(box_roi_pool)
            box_head = BoxHead(channels * rows * columns, REPRESENTATION_SIZE)
        if box_predictor is None:
            box_predictor = BoxPredictor(REPRESENTATION_SIZE, num_classes)  # pyright: ignore[reportArgumentType]
        super().__init__(
            backbone,
            RegionProposalNetwork(
                anchors,
                rpn_head,
                positive_iou=rpn_fg_iou_thresh,
                negative_iou=rpn_bg_iou_thresh,
                batch_size_per_image=rpn_batch_size_per_image,
                positive_fraction=rpn_positive_fraction,
                pre_nms_top_n={
                    "training": rpn_pre_nms_top_n_train,
                    "testing": rpn_pre_nms_top_n_test,
                },
                post_nms_top_n={
                    "training": rpn_post_nms_top_n_train,
                    "testing": rpn_post_nms_top_n_test,
                },
                nms_threshold=rpn_nms_thresh,
                min_size=rpn_min_size,
                score_threshold=rpn_score_thresh,
            ),
            RoIHeads(
                box_roi_pool,
                box_head,
                box_predictor,
                options=HeadOptions(
                    positive_iou=box_fg_iou_thresh,
                    negative_iou=box_bg_iou_thresh,
                    batch_size_per_image=box_batch_size_per_image,
                    positive_fraction=box_positive_fraction,
                    delta_weights=bbox_reg_weights or DELTA_WEIGHTS,
                    score_threshold=box_score_thresh,
                    nms_threshold=box_nms_thresh,
                    detections_per_image=box_detections_per_img,
                    mask_target_aligned=rules.mask_target_aligned,
                ),
            ),
            DetectorTransform(
                min_size,
                max_size,
                image_mean or IMAGE_MEAN,
                image_std or IMAGE_STD,
                size_divisible,
                fixed_size=fixed_size,
                paste=rules.paste,
                mask_mode="nearest-exact" if rules.mask_target_aligned else "nearest",
            ),
        )


def parameter_names(taker: Callable[..., Any]) -> list[str]:
    """List the parameters of a function or a detector's class, those of its base classes included.

    Examples
    --------
    >>> parameter_names(lambda one, *, two=2, **rest: None)
    ['one', 'two']
    """
    bases = [base for base in getattr(taker, "__mro__", ()) if issubclass(base, FasterRCNN)]
    parameters = [each for one in bases or [taker] for each in signature(one).parameters.values()]
    gathered = (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)
    return sorted({each.name for each in parameters if each.kind not in gathered})


def check_backbone(backbone: Any) -> int:
    """Return the number of channels of a backbone's maps; raise unless it is one number."""
    channels = getattr(backbone, "out_channels", None)
    if not isinstance(channels, int):
        raise TypeError(
            "backbone must have out_channels, the number of channels of all its maps; got "
            f"{type(backbone).__name__} with {channels!r}. Set it, as in backbone.out_channels = "
            "256; or pass a body whose maps differ in channels to mask_rcnn or faster_rcnn, which "
            "put a pyramid on it."
        )
    return channels


def pooled_size(pooler: Any) -> tuple[int, int]:
    """Return the (height, width) in bins of what a pooler gives."""
    if not hasattr(pooler, "output_size"):
        raise TypeError(
            "box_roi_pool must be a pooler with output_size, as MultiScaleRoIAlign, or box_head "
            f"must be given as well; got {type(pooler).__name__}."
        )
    size = pooler.output_size
    return (size, size) if isinstance(size, int) else tuple(size)
