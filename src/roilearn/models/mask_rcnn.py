"""Mask R-CNN: images go in; losses come out while it learns, detections once it has learned.

Four parts in a row. ``mask_rcnn`` puts them together around any body.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from jaxtyping import Float
from torch import Tensor, nn

from roilearn.arguments import check_count, check_flag
from roilearn.models.backbone.fpn import Backbone, FeaturePyramid
from roilearn.models.backbone.resnet import ResNet
from roilearn.models.coordinates import Coordinates, coordinates_of
from roilearn.models.roi_heads.box_head import BoxHead, BoxPredictor, ConvolutionalBoxHead
from roilearn.models.roi_heads.mask_head import MaskHead, MaskPredictor
from roilearn.models.roi_heads.poolers import RoIPooler
from roilearn.models.roi_heads.roi_heads import HeadOptions, RoIHeads
from roilearn.models.rpn.anchors import AnchorGenerator
from roilearn.models.rpn.region_proposal_network import (
    RegionProposalNetwork,
)
from roilearn.models.rpn.rpn_head import RPNHead
from roilearn.models.transform.detector_transform import DetectorTransform
from roilearn.models.transform.input_checks import check_targets, check_types


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
            from 1, ``masks`` (n, H, W) of 0 and 1; ``iscrowd`` (n,) if there are crowds. Needed in
            training, and looked at there alone.

        Returns
        -------
        In training (``train()``) a dictionary of five losses, whose sum is to be made small. Else
        (``eval()``) for each image ``boxes`` (n, 4) in its pixels, ``labels`` (n,) and ``scores``
        (n,), best first, and ``masks`` (n, 1, H, W), the chance of each pixel to be the object's.

        Raises
        ------
        ValueError, TypeError: no targets in training, or some that do not fit their image, see
            ``check_ground_truth``; images of another type than the model, or with values that are
            not 0 to 1, see ``DetectorTransform``.
        """
        if self.training and targets is None:
            raise ValueError(
                "targets must hold the ground truth of each image in training; got none. "
                "To detect, call eval() first."
            )
        check_types(self, images)
        if self.training:
            check_targets(targets, images, self.roi_heads.needed, self.roi_heads.classes)
        batch, targets = self.transform(images, targets if self.training else None)
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
