"""A whole detector around a backbone's body: a feature pyramid on it, and the heads on the pyramid.

The body is a registered name or a module of one's own.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from torch import nn

from roilearn.arguments import check_count, check_flag, check_instead, check_known_options
from roilearn.models.backbone.fpn import Backbone, FeaturePyramid
from roilearn.models.coordinates import Coordinates, coordinates_of
from roilearn.models.rcnn.faster_rcnn import (
    ANCHOR_SIZES,
    REPRESENTATION_SIZE,
    FasterRCNN,
    parameter_names,
)
from roilearn.models.rcnn.mask_rcnn import MASK_LAYERS, MaskRCNN
from roilearn.models.rcnn.option_names import OUR_NAMES, torchvision_names
from roilearn.models.registry import BackboneBody, make_body
from roilearn.models.roi_heads.box_head import (
    BoxHead,
    BoxPredictor,
    ConvolutionalBoxHead,
    predicted_classes,
)
from roilearn.models.roi_heads.mask_head import MaskHead, MaskPredictor
from roilearn.models.roi_heads.poolers import RoIPooler
from roilearn.models.rpn.anchors import AnchorGenerator
from roilearn.models.rpn.rpn_head import RPNHead


def mask_rcnn(
    body: str | BackboneBody,
    num_classes: int | None,
    coordinates: str | Coordinates = "aligned",
    roi_op: str = "align",
    *,
    mask_layers: Sequence[int] = MASK_LAYERS,
    mask_pooler_resolution: int = 14,
    batch_norm: bool = False,
    **options: Any,
) -> MaskRCNN:
    """Put a Mask R-CNN together around a backbone body.

    Parameters
    ----------
    body : a network that gives one feature map for each of its stages, see ``BackboneBody``; or the
        name of one, a key of ``BACKBONES``.
    num_classes : number of classes, background included as class 0. None if ``box_predictor`` is
        given.
    coordinates : ``"aligned"``, ``"torchvision"``, or a ``Coordinates`` of one's own.
    roi_op : the RoI operator, one of ``ROI_OPS``, see ``RoIPooler``.
    mask_layers : channels of the mask head's convolutions.
    mask_pooler_resolution : bins along each side of the pooled features of a mask. Predicted masks
        have twice as many cells along a side.
    batch_norm : put batch normalisation after the convolutions of the pyramid and of the heads, as
        in torchvision's second version. Training from random weights is faster with it.
    options : as in ``box_parts``: ``channels``, ``anchor_sizes``, ``sampling_ratio``, ...; and as
        in ``MaskRCNN``: ``box_score_thresh``, ``rpn_anchor_generator``, ...

    Raises
    ------
    ValueError, TypeError: see ``roilearn.arguments``; an unknown option.
    """
    check_options("mask_rcnn", options, MaskRCNN, mask_rcnn)
    norm = norm_of(batch_norm)
    parts, pooler = box_parts(
        body, num_classes, coordinates, roi_op, batch_norm=batch_norm, **options
    )
    parts.setdefault("mask_roi_pool", pooler(mask_pooler_resolution))
    if "mask_head" not in parts:
        parts["mask_head"] = MaskHead(parts["backbone"].out_channels, mask_layers, norm)
    if "mask_predictor" not in parts:
        classes = predicted_classes(parts["box_predictor"])
        sizes = (mask_layers[-1], mask_layers[-1], check_count("num_classes", classes))
        parts["mask_predictor"] = MaskPredictor(*sizes)
    return MaskRCNN(**parts)


def faster_rcnn(
    body: str | BackboneBody,
    num_classes: int | None,
    coordinates: str | Coordinates = "aligned",
    roi_op: str = "align",
    **options: Any,
) -> FasterRCNN:
    """Put a Faster R-CNN together around a backbone body: a detector of boxes, without masks.

    Parameters
    ----------
    body, num_classes, coordinates, roi_op : as in ``mask_rcnn``.
    options : as in ``mask_rcnn``, without those of masks.

    Raises
    ------
    ValueError, TypeError: see ``roilearn.arguments``; an unknown option.

    Examples
    --------
    >>> options = {"channels": 16, "anchor_sizes": (12, 24, 48, 96), "box_score_thresh": 0.2}
    >>> model = faster_rcnn("resnet_tiny", 3, **options)
    >>> model.roi_heads.has_masks, model.roi_heads.score_thresh
    (False, 0.2)
    """
    check_options("faster_rcnn", options, FasterRCNN, faster_rcnn)
    parts, _ = box_parts(body, num_classes, coordinates, roi_op, **options)
    return FasterRCNN(**parts)


def box_parts(
    body: str | BackboneBody,
    num_classes: int | None,
    coordinates: str | Coordinates = "aligned",
    roi_op: str = "align",
    *,
    channels: int = 256,
    anchor_sizes: Sequence[float | Sequence[float]] = ANCHOR_SIZES,
    representation_size: int = REPRESENTATION_SIZE,
    box_layers: Sequence[int] = (),
    batch_norm: bool = False,
    box_pooler_resolution: int = 7,
    sampling_ratio: int = 2,
    canonical_scale: float = 224,
    canonical_level: int = 4,
    backbone_options: Mapping[str, Any] | None = None,
    **options: Any,
) -> tuple[dict[str, Any], Callable[[int], RoIPooler]]:
    """Build what every detector on a pyramid has.

    Parameters
    ----------
    body, num_classes, coordinates, roi_op, batch_norm : as in ``mask_rcnn``.
    channels : number of channels of the pyramid's maps.
    anchor_sizes : of each level, the extra one at the end included; image pixels.
    representation_size : number of features by which the box head represents a box.
    box_layers : channels of the box head's convolutions; if there are any, one fully connected
        layer follows instead of two.
    box_pooler_resolution : bins along each side of the pooled features of a box.
    sampling_ratio, canonical_scale, canonical_level : as in ``RoIPooler``.
    backbone_options : options of the body, if it is given by name.
    options : as in ``FasterRCNN``, or under our names: the fields of ``HeadOptions``; and
        ``rpn_options``, a dictionary of options of ``RegionProposalNetwork``.

    Returns
    -------
    parts : arguments of ``FasterRCNN`` by name.
    pooler : makes a pooler of the same settings from its resolution.
    """
    body, norm = make_body(body, backbone_options), norm_of(batch_norm)
    pooler = partial(
        RoIPooler,
        roi_op=roi_op,
        sampling_ratio=sampling_ratio,
        aligned=coordinates_of(coordinates).aligned,
        levels=len(body.out_channels),
        canonical_scale=canonical_scale,
        canonical_level=canonical_level,
    )
    given = torchvision_names(options)
    check_instead("num_classes", num_classes, "box_predictor", given.get("box_predictor"))
    parts: dict[str, Any] = {
        "backbone": Backbone(body, FeaturePyramid(body.out_channels, channels, norm=norm)),
        "rpn_anchor_generator": AnchorGenerator(anchor_sizes),
        "box_roi_pool": pooler(box_pooler_resolution),
        "coordinates": coordinates,
        **{name: value for name, value in given.items() if value is not None},
    }
    if "rpn_head" not in parts:
        anchors = parts["rpn_anchor_generator"].num_anchors_per_location()[0]
        parts["rpn_head"] = RPNHead(channels, anchors)
    if "box_head" not in parts and box_layers:
        sizes = (channels, box_pooler_resolution, box_layers, representation_size)
        parts["box_head"] = ConvolutionalBoxHead(*sizes, norm)
    elif "box_head" not in parts:
        parts["box_head"] = BoxHead(channels * box_pooler_resolution**2, representation_size)
    if num_classes is not None:
        classes = check_count("num_classes", num_classes)
        parts["box_predictor"] = BoxPredictor(representation_size, classes)
    return parts, pooler


def norm_of(batch_norm: bool) -> type[nn.BatchNorm2d] | None:
    """Return what builds the normalisation after each convolution of the pyramid and the heads."""
    check_flag("batch_norm", batch_norm)
    return nn.BatchNorm2d if batch_norm else None


def check_options(
    name: str, given: Iterable[str], kind: type[FasterRCNN], *takers: Callable[..., Any]
) -> None:
    """Raise unless a detector of that kind, or one of the functions around it, has every option.

    Parameters
    ----------
    name : of the function that was called.
    given : names of options.
    kind : class of the detector.
    takers : functions whose own parameters are options as well.
    """
    check_known_options(given, sorted(known_options(kind, *takers)), name)


def known_options(kind: type[FasterRCNN], *takers: Callable[..., Any]) -> set[str]:
    """Names of all options, torchvision's and ours, of a detector that a function builds."""
    known = {*OUR_NAMES, *parameter_names(kind)} - {"backbone"}
    return known.union(*map(parameter_names, (box_parts, *takers))) - {"body"}
