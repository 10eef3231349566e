"""Model builders: functions that put a Mask R-CNN together from a backbone and its settings.

``mask_rcnn_resnet50_fpn`` is torchvision's, so its weights fit. ``mask_rcnn_tiny`` can be
trained on a laptop. ``mask_rcnn_fpn`` takes any registered backbone by its name.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from roilearn.arguments import check_flag
from roilearn.models.backbone.batch_norm import FrozenBatchNorm2d, fold_normalisation
from roilearn.models.backbone.resnet import resnet50, resnet_tiny
from roilearn.models.coordinates import Coordinates
from roilearn.models.mask_rcnn import MaskRCNN, mask_rcnn
from roilearn.models.registry import BUILDERS, register_builder
from roilearn.models.weights.pretrained import load_weights
from roilearn.models.weights.state_dict import count_classes, load_state_dict

__all__ = ["BUILDERS", "mask_rcnn_fpn", "mask_rcnn_resnet50_fpn", "mask_rcnn_tiny"]

COCO_CLASSES = 91
"""Number of COCO's classes, 0 for background; some of the numbers name nothing."""
TINY_PRE_NMS_TOP_N = {"training": 60, "testing": 100}
TINY_POST_NMS_TOP_N = {"training": 60, "testing": 50}


@register_builder(
    command_line_name="resnet50",
    training_settings={"batch_size": 2, "learning_rate": 1e-4, "ema_decay": 0.0},
    named_weights={"COCO_V1": {"norm_eps": 0.0}},
    fine_tuning_options={"frozen_batch_norm": True, "trainable_backbone_layers": 3},
)
def mask_rcnn_resnet50_fpn(
    weights: str | Path | Mapping[str, Tensor] | None = None,
    num_classes: int | None = None,
    coordinates: str | Coordinates = "torchvision",
    roi_op: str = "align",
    *,
    frozen_batch_norm: bool | None = None,
    trainable_backbone_layers: int | None = None,
    norm_eps: float | None = None,
    fold: bool = False,
    **options: Any,
) -> MaskRCNN:
    """Build the Mask R-CNN that torchvision calls ``maskrcnn_resnet50_fpn``: 44 M parameters.

    Parameters
    ----------
    weights : ``"COCO_V1"``, torchvision's; the path of a file; a state dict; or None for random
        initial weights. See ``load_weights``.
    num_classes : number of classes, background included as class 0. None: that of the weights, or
        COCO's 91. If the weights have another number, the layers whose shape depends on it are
        initialised at random.
    coordinates : torchvision's by default, because its weights were trained with them.
    roi_op : as in ``mask_rcnn``.
    frozen_batch_norm : True: the body has ``FrozenBatchNorm2d``. False: ``nn.BatchNorm2d``, which
        is trained. None: frozen if there are weights.
    trainable_backbone_layers : number of layers of the body that are trained, counted from the
        last, see ``ResNet.set_trainable_layers``. None: 3 if there are weights, else all 5.
    norm_eps : epsilon that batch normalisation adds to the variance. None: 0 for ``"COCO_V1"``, as
        in torchvision, else 1e-5. A model that was trained from ``"COCO_V1"`` keeps 0: pass it when
        you load such a model from bare weights.
    fold : fold batch normalisation into the convolutions, see ``fold_normalisation``; for
        prediction only.
    options : as in ``mask_rcnn``: ``min_size``, ``score_threshold``, ...

    Returns
    -------
    The model, in training mode; with ``fold``, in evaluation mode.

    Raises
    ------
    ConnectionError, FileNotFoundError: see ``load_weights``.
    RuntimeError: weights of another architecture.
    """
    check_flag("fold", fold)
    state = load_weights(weights) if isinstance(weights, str | Path) else weights
    if frozen_batch_norm is None:
        frozen_batch_norm = state is not None
    if trainable_backbone_layers is None:
        trainable_backbone_layers = 5 if state is None else 3
    if norm_eps is None:
        norm_eps = 0.0 if weights == "COCO_V1" else 1e-5
    if num_classes is None:
        num_classes = COCO_CLASSES if state is None else count_classes(state)
    norm = partial(FrozenBatchNorm2d if frozen_batch_norm else nn.BatchNorm2d, eps=norm_eps)
    body = resnet50(norm, trainable_layers=trainable_backbone_layers)
    model = mask_rcnn(body, num_classes, coordinates, roi_op, **options)
    if state is not None:
        load_state_dict(model, state)
    return fold_normalisation(model) if fold else model


@register_builder(
    command_line_name="tiny",
    training_settings={"batch_size": 4, "learning_rate": 2e-3, "ema_decay": 0.999},
)
def mask_rcnn_tiny(
    num_classes: int,
    coordinates: str | Coordinates = "aligned",
    roi_op: str = "align",
    *,
    weights: str | Path | Mapping[str, Tensor] | None = None,
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
        after it, per image, in training and testing, see ``RegionProposalNetwork``.
    rpn_batch_size_per_image, batch_size_per_image : maximum number of anchors, and of proposals,
        sampled per image for the losses.
    positive_fraction : maximum fraction of positives among the sampled proposals. It is larger than
        the quarter used for COCO: with few proposals, each class would be seen too rarely.
    backbone_options, rpn_options : further options of ``resnet_tiny`` and
        ``RegionProposalNetwork``.
    options : further options of ``mask_rcnn`` and ``HeadOptions``.

    Examples
    --------
    >>> model = mask_rcnn_tiny(num_classes=4)
    >>> sum(numbers.numel() for numbers in model.state_dict().values()) * 4 < 10_000_000
    True
    """
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
        rpn_options={
            "pre_nms_top_n": rpn_pre_nms_top_n,
            "post_nms_top_n": rpn_post_nms_top_n,
            "batch_size_per_image": rpn_batch_size_per_image,
            **(rpn_options or {}),
        },
        batch_size_per_image=batch_size_per_image,
        positive_fraction=positive_fraction,
        **options,
    )
    return _with_weights(model, weights)


@register_builder(command_line_name="mask_rcnn_fpn")
def mask_rcnn_fpn(
    num_classes: int,
    backbone: str = "resnet18",
    coordinates: str | Coordinates = "aligned",
    roi_op: str = "align",
    *,
    weights: str | Path | Mapping[str, Tensor] | None = None,
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
    options : further options of ``mask_rcnn`` and ``HeadOptions``.

    Examples
    --------
    >>> model = mask_rcnn_fpn(4, "resnet_tiny", channels=16, anchor_sizes=(12, 24, 48, 96))
    >>> model.backbone.body.out_channels
    [32, 64, 128]
    """
    model = mask_rcnn(
        backbone, num_classes, coordinates, roi_op, backbone_options=backbone_options, **options
    )
    return _with_weights(model, weights)


def _with_weights(model: MaskRCNN, weights: str | Path | Mapping[str, Tensor] | None) -> MaskRCNN:
    """Load the weights, if there are any."""
    if weights is not None:
        state = load_weights(weights) if isinstance(weights, str | Path) else weights
        load_state_dict(model, state)
    return model
