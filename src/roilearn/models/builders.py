"""Two Mask R-CNNs, each a body and the numbers that go with it: a large one and a small one.

The large one is torchvision's, so its weights fit. The small one learns on a laptop.
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
from roilearn.models.weights.load_state_dict import put_weights
from roilearn.models.weights.pretrained import classes_of, load_weights

COCO_CLASSES = 91
"""Numbers of COCO's classes, 0 for background; some of them name nothing."""
TINY_BEFORE = {"training": 60, "testing": 100}
TINY_AFTER = {"training": 60, "testing": 50}


def mask_rcnn_resnet50_fpn(
    weights: str | Path | Mapping[str, Tensor] | None = None,
    num_classes: int | None = None,
    coordinates: str | Coordinates = "torchvision",
    roi_op: str = "align",
    *,
    frozen: bool | None = None,
    trainable_layers: int | None = None,
    norm_eps: float | None = None,
    fold: bool = False,
    **options: Any,
) -> MaskRCNN:
    """Make the Mask R-CNN that torchvision calls ``maskrcnn_resnet50_fpn``: 44 M parameters.

    Parameters
    ----------
    weights : ``"COCO_V1"``, torchvision's; the path of a file; a state dict; or None, to begin with
        random numbers. See ``load_weights``.
    num_classes : classes, background among them as class 0. None: as many as the weights have, or
        COCO's 91. With weights of another number the layers that name classes begin anew.
    coordinates : torchvision's, by default, because its weights have learned with them.
    roi_op : as in ``mask_rcnn``.
    frozen : fixed normalisation, ``FrozenBatchNorm2d``, or one that learns, ``nn.BatchNorm2d``.
        None: fixed, if there are weights.
    trainable_layers : how many layers of the body are trained, from the last on, see
        ``ResNet.train_last``. None: 3 if there are weights, else all 5.
    norm_eps : added to variances. None: 0 for ``"COCO_V1"``, as torchvision has it; else 1e-5. A
        model that began with ``"COCO_V1"`` keeps its 0: say so when you load it from a file.
    fold : fold the normalisation into the convolutions, see ``fold_normalisation``: for prediction
        only.
    options : as in ``mask_rcnn``: ``min_size``, ``score_threshold``, ...

    Returns
    -------
    The model, to be told ``train()`` or ``eval()``; folded, in ``eval()``.

    Raises
    ------
    ConnectionError, FileNotFoundError: see ``load_weights``.
    RuntimeError: weights of another architecture.
    """
    check_flag("fold", fold)
    state = load_weights(weights) if isinstance(weights, str | Path) else weights
    if frozen is None:
        frozen = state is not None
    if trainable_layers is None:
        trainable_layers = 5 if state is None else 3
    if norm_eps is None:
        norm_eps = 0.0 if weights == "COCO_V1" else 1e-5
    if num_classes is None:
        num_classes = COCO_CLASSES if state is None else classes_of(state)
    norm = partial(FrozenBatchNorm2d if frozen else nn.BatchNorm2d, eps=norm_eps)
    body = resnet50(norm, trainable_layers=trainable_layers)
    model = mask_rcnn(body, num_classes, coordinates, roi_op, **options)
    if state is not None:
        put_weights(model, state)
    return fold_normalisation(model) if fold else model


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
    normalised: bool = True,
    canonical_scale: float = 112,
    min_size: int | Sequence[int] = 128,
    max_size: int = 256,
    before: Mapping[str, int] = TINY_BEFORE,
    after: Mapping[str, int] = TINY_AFTER,
    anchors_sampled: int = 64,
    sampled: int = 32,
    positive_fraction: float = 0.4,
    body: Mapping[str, Any] | None = None,
    rpn: Mapping[str, Any] | None = None,
    **options: Any,
) -> MaskRCNN:
    """Make a Mask R-CNN that a laptop trains in minutes: 1.2 M parameters, 5 MB.

    For images of about 128 x 128 pixels with objects of 10 to 110.

    Parameters
    ----------
    num_classes : classes, background among them as class 0.
    coordinates, roi_op : as in ``mask_rcnn``.
    weights : the path of a file, a state dict, or None, to begin with random numbers.
    widths, depths : stages of the body, see ``resnet_tiny``: three for strides 4, 8 and 16, four
        for 32 too. Anchors need one entry more, for the level that the pyramid adds.
    channels, anchor_sizes, box_layers, representation_size, mask_layers, normalised, min_size,
        max_size : as in ``mask_rcnn``.
    canonical_scale : side in image pixels of a box that is pooled at stride 16. Half of COCO's 224:
        a small object still covers enough cells.
    before, after : proposals that are picked of each level, and kept of an image, in training and
        testing, see ``RegionProposalNetwork``.
    anchors_sampled, sampled : anchors, and proposals, of an image that bear the losses.
    positive_fraction : largest share of objects among the proposals. Larger than COCO's quarter:
        with few proposals, classes would be seen too rarely.
    body, rpn : further options of ``resnet_tiny`` and ``RegionProposalNetwork``.
    options : further options of ``mask_rcnn`` and ``HeadOptions``.

    Examples
    --------
    >>> model = mask_rcnn_tiny(num_classes=4)
    >>> sum(numbers.numel() for numbers in model.state_dict().values()) * 4 < 10_000_000
    True
    """
    model = mask_rcnn(
        resnet_tiny(widths, depths, **(body or {})),
        num_classes,
        coordinates,
        roi_op,
        channels=channels,
        anchor_sizes=anchor_sizes,
        box_layers=box_layers,
        representation_size=representation_size,
        mask_layers=mask_layers,
        normalised=normalised,
        canonical_scale=canonical_scale,
        min_size=min_size,
        max_size=max_size,
        rpn={"before": before, "after": after, "size": anchors_sampled, **(rpn or {})},
        sampled=sampled,
        positive_fraction=positive_fraction,
        **options,
    )
    if weights is not None:
        state = load_weights(weights) if isinstance(weights, str | Path) else weights
        put_weights(model, state)
    return model
