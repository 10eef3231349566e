"""The second versions of torchvision's detectors on ResNet-50, under torchvision's names."""

from typing import Any

from roilearn.models.builders.resnet50_fpn import class_count, resnet50_body, with_state
from roilearn.models.coordinates import Coordinates
from roilearn.models.rcnn.assembly import check_options, faster_rcnn, mask_rcnn
from roilearn.models.rcnn.faster_rcnn import FasterRCNN
from roilearn.models.rcnn.mask_rcnn import MaskRCNN
from roilearn.models.registry import register_builder
from roilearn.models.rpn.rpn_head import RPNHead
from roilearn.models.weights.pretrained import Weights, read_state

CHANNELS = 256


def second_version() -> dict[str, Any]:
    """Build what differs from the first: normalised and deeper heads."""
    rpn_head = RPNHead(CHANNELS, num_anchors=3, conv_depth=2)
    return {"batch_norm": True, "box_layers": (CHANNELS,) * 4, "rpn_head": rpn_head}


@register_builder()
def maskrcnn_resnet50_fpn_v2(
    *,
    weights: Weights = None,
    progress: bool = True,
    num_classes: int | None = None,
    weights_backbone: Weights = None,
    trainable_backbone_layers: int | None = None,
    coordinates: str | Coordinates = "torchvision",
    **options: Any,
) -> MaskRCNN:
    """Build torchvision's second Mask R-CNN: batch normalisation everywhere, deeper heads.

    Parameters
    ----------
    weights : ``"COCO_V1"`` or ``"DEFAULT"``, as a name or a member of torchvision's
        ``MaskRCNN_ResNet50_FPN_V2_Weights``; the path of a file; a state dict; or None.
    progress, num_classes, weights_backbone, trainable_backbone_layers, coordinates, options : as in
        ``mask_rcnn_resnet50_fpn``.

    Source
    ------
    Li et al., Benchmarking Detection Transfer Learning with Vision Transformers (2021), section 3.
    """
    check_options(
        "maskrcnn_resnet50_fpn_v2", options, MaskRCNN, maskrcnn_resnet50_fpn_v2, mask_rcnn
    )
    state = read_state(weights, "MaskRCNN_ResNet50_FPN_V2_Weights", progress)
    body = resnet50_body(state, weights_backbone, progress, False, trainable_backbone_layers)
    classes = class_count(num_classes, state, options)
    model = mask_rcnn(body, classes, coordinates, **{**second_version(), **options})
    return with_state(model, state)


@register_builder()
def fasterrcnn_resnet50_fpn_v2(
    *,
    weights: Weights = None,
    progress: bool = True,
    num_classes: int | None = None,
    weights_backbone: Weights = None,
    trainable_backbone_layers: int | None = None,
    coordinates: str | Coordinates = "torchvision",
    **options: Any,
) -> FasterRCNN:
    """Build torchvision's second Faster R-CNN: batch normalisation everywhere, deeper heads.

    Parameters
    ----------
    weights : ``"COCO_V1"`` or ``"DEFAULT"``, as a name or a member of torchvision's
        ``FasterRCNN_ResNet50_FPN_V2_Weights``; the path of a file; a state dict; or None.
    progress, num_classes, weights_backbone, trainable_backbone_layers, coordinates : as in
        ``mask_rcnn_resnet50_fpn``.
    options : as in ``faster_rcnn``.

    Source
    ------
    Li et al., Benchmarking Detection Transfer Learning with Vision Transformers (2021), section 3.
    """
    takers = (fasterrcnn_resnet50_fpn_v2, faster_rcnn)
    check_options("fasterrcnn_resnet50_fpn_v2", options, FasterRCNN, *takers)
    state = read_state(weights, "FasterRCNN_ResNet50_FPN_V2_Weights", progress)
    body = resnet50_body(state, weights_backbone, progress, False, trainable_backbone_layers)
    classes = class_count(num_classes, state, options)
    model = faster_rcnn(body, classes, coordinates, **{**second_version(), **options})
    return with_state(model, state)
