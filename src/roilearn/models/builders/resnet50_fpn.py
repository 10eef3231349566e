"""Detectors on a ResNet-50 with a feature pyramid: their body, their weights, and Mask R-CNN."""

from collections.abc import Mapping
from functools import partial
from typing import Any, TypeVar

from torch import Tensor, nn

from roilearn.arguments import check_flag
from roilearn.models.backbone.batch_norm import FrozenBatchNorm2d, fold_normalisation
from roilearn.models.backbone.resnet import ResNet, resnet50
from roilearn.models.coordinates import Coordinates
from roilearn.models.rcnn.assembly import check_options, mask_rcnn
from roilearn.models.rcnn.mask_rcnn import MaskRCNN
from roilearn.models.registry import register_builder
from roilearn.models.weights.pretrained import Weights, read_state, weights_name
from roilearn.models.weights.state_dict import count_classes, load_state_dict

Detector = TypeVar("Detector", bound=nn.Module)

MASK_RCNN_WEIGHTS = "MaskRCNN_ResNet50_FPN_Weights"
RESNET50_WEIGHTS = "ResNet50_Weights"
COCO_CLASSES = 91
"""Number of COCO's classes, 0 for background; some of the numbers name nothing."""


@register_builder(
    command_line_name="resnet50",
    training_settings={"batch_size": 2, "learning_rate": 1e-4, "ema_decay": 0.0},
    named_weights={"COCO_V1": {"norm_eps": 0.0}},
    fine_tuning_options={"frozen_batch_norm": True, "trainable_backbone_layers": 3},
    without_masks="fasterrcnn_resnet50_fpn",
)
def mask_rcnn_resnet50_fpn(
    weights: Weights = None,
    num_classes: int | None = None,
    coordinates: str | Coordinates = "torchvision",
    roi_op: str = "align",
    *,
    weights_backbone: Weights = None,
    progress: bool = True,
    frozen_batch_norm: bool | None = None,
    trainable_backbone_layers: int | None = None,
    norm_eps: float | None = None,
    fold: bool = False,
    **options: Any,
) -> MaskRCNN:
    """Build the Mask R-CNN that torchvision calls ``maskrcnn_resnet50_fpn``: 44 M parameters.

    Parameters
    ----------
    weights : torchvision's ``"COCO_V1"`` or ``"DEFAULT"``, as a name or a member of its
        ``MaskRCNN_ResNet50_FPN_Weights``; the path of a file; a state dict; or None for random
        initial weights. See ``load_weights``.
    num_classes : number of classes, background included as class 0. None: that of the weights, or
        COCO's 91. If the weights have another number, the layers whose shape depends on it are
        initialised at random.
    coordinates : torchvision's by default, because its weights were trained with them.
    roi_op : as in ``mask_rcnn``.
    weights_backbone : weights of the body alone, where there are no ``weights``: torchvision's
        ``"IMAGENET1K_V1"``, ``"IMAGENET1K_V2"`` or ``"DEFAULT"``, as a name or a member of its
        ``ResNet50_Weights``; a file; a state dict; or None for random initial weights.
    progress : show the progress of a download.
    frozen_batch_norm : True: the body has ``FrozenBatchNorm2d``. False: ``nn.BatchNorm2d``, which
        is trained. None: frozen if there are weights.
    trainable_backbone_layers : number of layers of the body that are trained, counted from the
        last, see ``ResNet.set_trainable_layers``. None: 3 if there are weights, else all 5.
    norm_eps : epsilon that batch normalisation adds to the variance. None: 0 for ``"COCO_V1"``, as
        in torchvision, else 1e-5. A model that was trained from ``"COCO_V1"`` keeps 0: pass it when
        you load such a model from bare weights.
    fold : fold batch normalisation into the convolutions, see ``fold_normalisation``; for
        prediction only.
    options : as in ``mask_rcnn``: ``min_size``, ``box_score_thresh``, ...

    Returns
    -------
    The model, in training mode; with ``fold``, in evaluation mode.

    Raises
    ------
    ConnectionError, FileNotFoundError: see ``load_weights``.
    RuntimeError: weights of another architecture.
    """
    takers = (mask_rcnn_resnet50_fpn, mask_rcnn)
    check_options("mask_rcnn_resnet50_fpn", options, MaskRCNN, *takers)
    state = read_state(weights, MASK_RCNN_WEIGHTS, progress)
    eps = eps_of(weights, MASK_RCNN_WEIGHTS) if norm_eps is None else norm_eps
    body_options = (frozen_batch_norm, trainable_backbone_layers, eps)
    body = resnet50_body(state, weights_backbone, progress, *body_options)
    classes = class_count(num_classes, state, options)
    model = mask_rcnn(body, classes, coordinates, roi_op, **options)
    return with_state(model, state, fold)


def eps_of(weights: Weights, enum: str) -> float:
    """Epsilon of batch normalisation with which named weights were trained; else PyTorch's."""
    return 0.0 if weights_name(weights, enum) == "COCO_V1" else 1e-5


def resnet50_body(
    state: Mapping[str, Tensor] | None,
    weights_backbone: Weights,
    progress: bool,
    frozen_batch_norm: bool | None,
    trainable_layers: int | None,
    norm_eps: float = 1e-5,
) -> ResNet:
    """Build ResNet-50, with weights of its own where none of the whole detector will be loaded.

    Parameters
    ----------
    state : weights of the whole detector, which the caller loads later; or None.
    weights_backbone, progress, frozen_batch_norm, trainable_layers, norm_eps : as in
        ``mask_rcnn_resnet50_fpn``.
    """
    body_state = read_state(weights_backbone, RESNET50_WEIGHTS, progress) if state is None else None
    trained = state is not None or body_state is not None
    if frozen_batch_norm is None:
        frozen_batch_norm = trained
    if trainable_layers is None:
        trainable_layers = 3 if trained else 5
    norm = partial(FrozenBatchNorm2d if frozen_batch_norm else nn.BatchNorm2d, eps=norm_eps)
    body = resnet50(norm, trainable_layers=trainable_layers)
    if body_state is not None:
        classifier = ("fc.weight", "fc.bias")
        load_state_dict(body, {k: v for k, v in body_state.items() if k not in classifier})
    return body


def class_count(
    num_classes: int | None,
    state: Mapping[str, Tensor] | None,
    options: Mapping[str, Any],
    default: int = COCO_CLASSES,
) -> int | None:
    """Return the number of classes: as given, that of the weights, or the default.

    It is None where a box predictor is given, which decides it.
    """
    if num_classes is not None or options.get("box_predictor") is not None:
        return num_classes
    return default if state is None else count_classes(state)


def with_state(model: Detector, state: Mapping[str, Tensor] | None, fold: bool = False) -> Detector:
    """Load the weights, if there are any, and fold normalisation if it is asked for."""
    check_flag("fold", fold)
    if state is not None:
        load_state_dict(model, state)
    return fold_normalisation(model) if fold else model
