"""Mask R-CNN: images go in; losses come out while it learns, detections once it has learned.

Four parts in a row. ``mask_rcnn`` puts them together around any body; the two makers below it
choose a body and the numbers that go with it.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from jaxtyping import Float
from torch import Tensor, nn

from roilearn.arguments import check_count, check_flag
from roilearn.models.anchors import AnchorGenerator
from roilearn.models.box_head import BoxHead, BoxPredictor, ConvolutionalBoxHead
from roilearn.models.coordinates import Coordinates, coordinates_of
from roilearn.models.fpn import Backbone, FeaturePyramid
from roilearn.models.mask_head import MaskHead, MaskPredictor
from roilearn.models.normalisation import FrozenBatchNorm2d, fold_normalisation
from roilearn.models.poolers import RoIPooler
from roilearn.models.resnet import ResNet, resnet50, resnet_tiny
from roilearn.models.roi_heads import HeadOptions, RoIHeads
from roilearn.models.rpn import RegionProposalNetwork
from roilearn.models.rpn_head import RPNHead
from roilearn.models.transform import DetectorTransform
from roilearn.models.weights import classes_of, fit_classes, load_weights

COCO_CLASSES = 91
"""Numbers of COCO's classes, 0 for background; some of them name nothing."""
TINY_BEFORE = {"training": 60, "testing": 100}
TINY_AFTER = {"training": 60, "testing": 50}


class MaskRCNN(nn.Module):
    """Two stages: boxes that may hold something, then what each holds, where, and its mask.

    Parameters
    ----------
    transform : images to a batch, and detections back to the images.
    backbone : batch to maps of consecutive levels, once for all that follows.
    rpn : maps to proposals, in training with its losses.
    roi_heads : proposals to detections, in training to losses.

    Source
    ------
    He et al., Mask R-CNN (2017); names of parameters, results and losses as in torchvision 0.27.
    """

    def __init__(
        self,
        transform: DetectorTransform,
        backbone: Backbone,
        rpn: RegionProposalNetwork,
        roi_heads: RoIHeads,
    ) -> None:
        super().__init__()
        self.transform = transform
        self.backbone = backbone
        self.rpn = rpn
        self.roi_heads = roi_heads

    def forward(
        self,
        images: Sequence[Float[Tensor, "3 _ _"]],
        targets: Sequence[Mapping[str, Tensor]] | None = None,
    ) -> Any:
        """Learn from images with targets, or detect what is in them.

        Parameters
        ----------
        images : (3, H, W) each, values 0 to 1, sizes as they come.
        targets : for each image ``boxes`` (n, 4), x1, y1, x2, y2 in its pixels, ``labels`` (n,)
            from 1, ``masks`` (n, H, W); ``iscrowd`` (n,) if there are crowds. Needed in training.

        Returns
        -------
        In training (``train()``) a dictionary of five losses, whose sum is to be made small. Else
        (``eval()``) for each image ``boxes`` (n, 4) in its pixels, ``labels`` (n,) and ``scores``
        (n,), best first, and ``masks`` (n, 1, H, W), the chance of each pixel to be the object's.

        Raises
        ------
        ValueError: no targets in training, or not one for each image.
        ValueError, TypeError: see ``roilearn.arguments``.
        """
        if self.training and targets is None:
            raise ValueError(
                "targets must hold the ground truth of each image in training; got none. "
                "To detect, call eval() first."
            )
        batch, targets = self.transform(images, targets)
        features = self.backbone(batch.tensors)
        proposals, proposal_losses = self.rpn(batch, features, targets)
        detections, losses = self.roi_heads(features, proposals, batch.sizes, targets)
        if self.training:
            return losses | proposal_losses
        sizes = [(image.shape[-2], image.shape[-1]) for image in images]
        return self.transform.undo(detections, batch.sizes, sizes)


def mask_rcnn(
    body: ResNet,
    num_classes: int,
    coordinates: str | Coordinates = "aligned",
    roi_op: str = "align",
    *,
    channels: int = 256,
    anchor_sizes: Sequence[float | Sequence[float]] = (32, 64, 128, 256, 512),
    representation_size: int = 1024,
    box_layers: Sequence[int] = (),
    mask_layers: Sequence[int] = (256, 256, 256, 256),
    normalised: bool = False,
    box_cells: int = 7,
    mask_cells: int = 14,
    sampling_ratio: int = 2,
    canonical_scale: float = 224,
    canonical_level: int = 4,
    min_size: int | Sequence[int] = 800,
    max_size: int = 1333,
    rpn: Mapping[str, Any] | None = None,
    **heads: Any,
) -> MaskRCNN:
    """Put a Mask R-CNN together around a body.

    Parameters
    ----------
    body : gives a map for each of its stages.
    num_classes : classes, background among them as class 0.
    coordinates : ``"aligned"``, ``"torchvision"``, or a ``Coordinates`` of one's own.
    roi_op : what pools: one of ``ROI_OPS``, see ``RoIPooler``.
    channels : of the pyramid's maps.
    anchor_sizes : of each level, the extra one at the end included; image pixels.
    representation_size : numbers by which the box head describes a box.
    box_layers : channels of convolutions in the box head; with any, one layer sees all cells
        instead of two.
    mask_layers : channels of the mask head's convolutions.
    normalised : normalise after the convolutions of the pyramid and of both heads, as in
        torchvision's second version. Learning from random weights is faster with it.
    box_cells, mask_cells : bins along each side of what the heads see of a box. Masks come out with
        twice ``mask_cells``.
    sampling_ratio, canonical_scale, canonical_level : as in ``RoIPooler``.
    min_size, max_size : as in ``DetectorTransform``; image pixels.
    rpn : options of ``RegionProposalNetwork`` other than its own defaults.
    heads : options of ``HeadOptions``: ``score_threshold``, ``per_image``, ``sampled``, ...

    Raises
    ------
    ValueError, TypeError: see ``roilearn.arguments``; an option that nobody knows.
    """
    check_count("num_classes", num_classes)
    check_flag("normalised", normalised)
    norm = nn.BatchNorm2d if normalised else None
    rules = coordinates_of(coordinates)
    levels = len(body.out_channels)
    pooler = partial(
        RoIPooler,
        roi_op=roi_op,
        sampling_ratio=sampling_ratio,
        half_cell=rules.half_cell,
        levels=levels,
        canonical_scale=canonical_scale,
        canonical_level=canonical_level,
    )
    transform = DetectorTransform(
        min_size,
        max_size,
        paste=rules.paste,
        mask_mode="nearest-exact" if rules.target_half_cell else "nearest",
    )
    backbone = Backbone(body, FeaturePyramid(body.out_channels, channels, norm=norm))
    anchors = AnchorGenerator(
        anchor_sizes, offset=rules.anchor_offset, rounded=rules.anchor_rounded
    )
    head = RPNHead(channels, anchors.anchors_a_cell)
    if box_layers:
        box_head = ConvolutionalBoxHead(channels, box_cells, box_layers, representation_size, norm)
    else:
        box_head = BoxHead(channels * box_cells**2, representation_size)
    roi_heads = RoIHeads(
        pooler(box_cells),
        box_head,
        BoxPredictor(representation_size, num_classes),
        pooler(mask_cells),
        MaskHead(channels, mask_layers, norm),
        MaskPredictor(mask_layers[-1], mask_layers[-1], num_classes),
        HeadOptions(target_half_cell=rules.target_half_cell, **heads),
    )
    region_proposals = RegionProposalNetwork(anchors, head, **(rpn or {}))
    return MaskRCNN(transform, backbone, region_proposals, roi_heads)


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
        model.load_state_dict(fit_classes(model, state))
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
        model.load_state_dict(fit_classes(model, state))
    return model
