"""torchvision's detectors on ResNet-50 under torchvision's names, with its arguments and defaults.

So a program changes its import and nothing else. Their parameters have torchvision's names too: its
state dicts load, and the detections are equal.
"""

from typing import Any

from roilearn.models.backbone.fpn import Backbone, FeaturePyramid
from roilearn.models.builders.resnet50_fpn import (
    class_count,
    eps_of,
    mask_rcnn_resnet50_fpn,
    resnet50_body,
    with_state,
)
from roilearn.models.coordinates import Coordinates
from roilearn.models.rcnn.assembly import check_options, faster_rcnn, mask_rcnn
from roilearn.models.rcnn.faster_rcnn import FasterRCNN
from roilearn.models.rcnn.keypoint_rcnn import KeypointRCNN
from roilearn.models.rcnn.mask_rcnn import MaskRCNN
from roilearn.models.rcnn.option_names import torchvision_names
from roilearn.models.registry import register_builder
from roilearn.models.weights.pretrained import Weights, read_state
from roilearn.models.weights.state_dict import count_keypoints

KEYPOINT_CLASSES = 2
"""Background and person."""


@register_builder(without_masks="fasterrcnn_resnet50_fpn")
def maskrcnn_resnet50_fpn(
    *,
    weights: Weights = None,
    progress: bool = True,
    num_classes: int | None = None,
    weights_backbone: Weights = "IMAGENET1K_V1",
    trainable_backbone_layers: int | None = None,
    **options: Any,
) -> MaskRCNN:
    """Build torchvision's Mask R-CNN: ``mask_rcnn_resnet50_fpn`` with torchvision's defaults.

    Without ``weights`` the body begins with weights of ImageNet, which are downloaded; pass
    ``weights_backbone=None`` for random ones.

    Parameters
    ----------
    weights, progress, num_classes, weights_backbone, trainable_backbone_layers, options : as in
        ``mask_rcnn_resnet50_fpn``.

    Examples
    --------
    Fine-tuning on other classes, as torchvision's tutorial does it:

    >>> from roilearn.models import FastRCNNPredictor, MaskRCNNPredictor
    >>> model = maskrcnn_resnet50_fpn(weights_backbone=None)  # weights="DEFAULT" in earnest
    >>> in_features = model.roi_heads.box_predictor.cls_score.in_features
    >>> model.roi_heads.box_predictor = FastRCNNPredictor(in_features, 3)
    >>> in_features = model.roi_heads.mask_predictor.conv5_mask.in_channels
    >>> model.roi_heads.mask_predictor = MaskRCNNPredictor(in_features, 256, 3)
    """
    takers = (maskrcnn_resnet50_fpn, mask_rcnn_resnet50_fpn, mask_rcnn)
    check_options("maskrcnn_resnet50_fpn", options, MaskRCNN, *takers)
    return mask_rcnn_resnet50_fpn(
        weights,
        num_classes,
        weights_backbone=weights_backbone,
        progress=progress,
        trainable_backbone_layers=trainable_backbone_layers,
        **options,
    )


@register_builder(
    training_settings={"batch_size": 2, "learning_rate": 1e-4, "ema_decay": 0.0},
    named_weights={"COCO_V1": {"norm_eps": 0.0}},
    weights_enum="FasterRCNN_ResNet50_FPN_Weights",
    fine_tuning_options={"frozen_batch_norm": True, "trainable_backbone_layers": 3},
)
def fasterrcnn_resnet50_fpn(
    *,
    weights: Weights = None,
    progress: bool = True,
    num_classes: int | None = None,
    weights_backbone: Weights = "IMAGENET1K_V1",
    trainable_backbone_layers: int | None = None,
    coordinates: str | Coordinates = "torchvision",
    frozen_batch_norm: bool | None = None,
    norm_eps: float | None = None,
    fold: bool = False,
    **options: Any,
) -> FasterRCNN:
    """Build torchvision's Faster R-CNN: boxes without masks, 42 M parameters.

    Parameters
    ----------
    weights : ``"COCO_V1"`` or ``"DEFAULT"``, as a name or a member of torchvision's
        ``FasterRCNN_ResNet50_FPN_Weights``; the path of a file; a state dict; or None.
    progress, num_classes, weights_backbone, trainable_backbone_layers, coordinates,
        frozen_batch_norm, norm_eps, fold : as in ``mask_rcnn_resnet50_fpn``.
    options : as in ``faster_rcnn``: ``min_size``, ``box_score_thresh``, ...
    """
    takers = (fasterrcnn_resnet50_fpn, faster_rcnn)
    check_options("fasterrcnn_resnet50_fpn", options, FasterRCNN, *takers)
    enum = "FasterRCNN_ResNet50_FPN_Weights"
    state = read_state(weights, enum, progress)
    eps = eps_of(weights, enum) if norm_eps is None else norm_eps
    body_options = (frozen_batch_norm, trainable_backbone_layers, eps)
    body = resnet50_body(state, weights_backbone, progress, *body_options)
    model = faster_rcnn(body, class_count(num_classes, state, options), coordinates, **options)
    return with_state(model, state, fold)


@register_builder()
def keypointrcnn_resnet50_fpn(
    *,
    weights: Weights = None,
    progress: bool = True,
    num_classes: int | None = None,
    num_keypoints: int | None = None,
    weights_backbone: Weights = "IMAGENET1K_V1",
    trainable_backbone_layers: int | None = None,
    coordinates: str | Coordinates = "torchvision",
    frozen_batch_norm: bool | None = None,
    norm_eps: float | None = None,
    fold: bool = False,
    **options: Any,
) -> KeypointRCNN:
    """Build torchvision's Keypoint R-CNN: boxes and their keypoints, 59 M parameters.

    Parameters
    ----------
    weights : ``"COCO_V1"`` or ``"DEFAULT"``, or ``"COCO_LEGACY"``, as a name or a member of
        torchvision's ``KeypointRCNN_ResNet50_FPN_Weights``; the path of a file; a state dict; or
        None.
    num_classes : number of classes, background included as class 0. None: that of the weights, or
        2.
    num_keypoints : number of keypoints of an object. None: that of the weights, or 17.
    progress, weights_backbone, trainable_backbone_layers, coordinates, frozen_batch_norm, norm_eps,
        fold : as in ``mask_rcnn_resnet50_fpn``.
    options : as in ``KeypointRCNN``: ``min_size``, ``box_score_thresh``, ...
    """
    check_options("keypointrcnn_resnet50_fpn", options, KeypointRCNN, keypointrcnn_resnet50_fpn)
    enum = "KeypointRCNN_ResNet50_FPN_Weights"
    state = read_state(weights, enum, progress)
    eps = eps_of(weights, enum) if norm_eps is None else norm_eps
    body_options = (frozen_batch_norm, trainable_backbone_layers, eps)
    body = resnet50_body(state, weights_backbone, progress, *body_options)
    if num_keypoints is None and state is not None:
        num_keypoints = count_keypoints(state)
    model = KeypointRCNN(
        Backbone(body, FeaturePyramid(body.out_channels)),
        class_count(num_classes, state, options, KEYPOINT_CLASSES),
        num_keypoints=num_keypoints,
        coordinates=coordinates,
        **torchvision_names(options),
    )
    return with_state(model, state, fold)
