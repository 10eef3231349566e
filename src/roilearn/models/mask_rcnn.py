"""The whole detector, Mask R-CNN: images go in, losses (in training) or detections come out.

It is four modules in a row: transform, backbone, region proposal network and RoI heads.
``mask_rcnn`` puts them together around any backbone body.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from jaxtyping import Float
from torch import Tensor, nn

from roilearn.arguments import check_count, check_flag
from roilearn.models.backbone.fpn import Backbone, FeaturePyramid
from roilearn.models.coordinates import Coordinates, coordinates_of
from roilearn.models.registry import BackboneBody, make_body
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
from roilearn.models.transform.input_checks import check_image_dtypes, check_targets


class MaskRCNN(nn.Module):
    """Two-stage detector: region proposals first, then class, box and mask of each.

    Parameters
    ----------
    transform : turns images into a batch, and brings detections back to the images.
    backbone : turns the batch into feature maps of consecutive levels, which all the rest shares.
    rpn : turns feature maps into proposals, in training with its losses.
    roi_heads : turns proposals into detections, in training into losses.

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
        """Compute the training losses of images with targets, or detect the objects in images.

        Parameters
        ----------
        images : (3, H, W) each, values 0 to 1, sizes as they come.
        targets : for each image ``boxes`` (n, 4), x1, y1, x2, y2 in its pixels, ``labels`` (n,)
            from 1, ``masks`` (n, H, W) of 0 and 1; ``iscrowd`` (n,) if there are crowds. Needed in
            training and ignored otherwise.

        Returns
        -------
        In training mode a dictionary of five losses, whose sum is minimised. In evaluation mode for
        each image ``boxes`` (n, 4) in its pixels, ``labels`` (n,) and ``scores`` (n,), highest
        first, and ``masks`` (n, 1, H, W), the probability that each pixel belongs to the object.

        Raises
        ------
        ValueError, TypeError: no targets in training, or targets that do not fit their image, see
            ``check_ground_truth``; images of another dtype than the model, or with values that are
            not 0 to 1, see ``DetectorTransform``.
        """
        if self.training and targets is None:
            raise ValueError(
                "targets must hold the ground truth of each image in training; got none. "
                "To detect, call eval() first."
            )
        check_image_dtypes(self, images)
        if self.training:
            heads = self.roi_heads
            check_targets(targets, images, heads.required_targets, heads.num_classes)
        batch, targets = self.transform(images, targets if self.training else None)
        features = self.backbone(batch.tensors)
        proposals, proposal_losses = self.rpn(batch, features, targets)
        detections, losses = self.roi_heads(features, proposals, batch.sizes, targets)
        if self.training:
            return losses | proposal_losses
        sizes = [(image.shape[-2], image.shape[-1]) for image in images]
        return self.transform.postprocess(detections, batch.sizes, sizes)


def mask_rcnn(
    body: str | BackboneBody,
    num_classes: int,
    coordinates: str | Coordinates = "aligned",
    roi_op: str = "align",
    *,
    channels: int = 256,
    anchor_sizes: Sequence[float | Sequence[float]] = (32, 64, 128, 256, 512),
    representation_size: int = 1024,
    box_layers: Sequence[int] = (),
    mask_layers: Sequence[int] = (256, 256, 256, 256),
    batch_norm: bool = False,
    box_pooler_resolution: int = 7,
    mask_pooler_resolution: int = 14,
    sampling_ratio: int = 2,
    canonical_scale: float = 224,
    canonical_level: int = 4,
    min_size: int | Sequence[int] = 800,
    max_size: int = 1333,
    backbone_options: Mapping[str, Any] | None = None,
    rpn_options: Mapping[str, Any] | None = None,
    **heads: Any,
) -> MaskRCNN:
    """Put a Mask R-CNN together around a backbone body.

    Parameters
    ----------
    body : a network that gives one feature map for each of its stages, see ``BackboneBody``; or the
        name of one, a key of ``BACKBONES``.
    num_classes : number of classes, background included as class 0.
    coordinates : ``"aligned"``, ``"torchvision"``, or a ``Coordinates`` of one's own.
    roi_op : the RoI operator, one of ``ROI_OPS``, see ``RoIPooler``.
    channels : number of channels of the pyramid's maps.
    anchor_sizes : of each level, the extra one at the end included; image pixels.
    representation_size : number of features by which the box head represents a box.
    box_layers : channels of the box head's convolutions; if there are any, one fully connected
        layer follows instead of two.
    mask_layers : channels of the mask head's convolutions.
    batch_norm : put batch normalisation after the convolutions of the pyramid and of both heads, as
        in torchvision's second version. Training from random weights is faster with it.
    box_pooler_resolution, mask_pooler_resolution : bins along each side of the pooled features.
        Predicted masks have twice ``mask_pooler_resolution`` cells along a side.
    sampling_ratio, canonical_scale, canonical_level : as in ``RoIPooler``.
    min_size, max_size : as in ``DetectorTransform``; image pixels.
    backbone_options : options of the body, if it is given by name.
    rpn_options : options of ``RegionProposalNetwork`` that differ from its defaults.
    heads : fields of ``HeadOptions``: ``score_threshold``, ``detections_per_image``, ...

    Raises
    ------
    ValueError, TypeError: see ``roilearn.arguments``; an unknown option.
    """
    check_count("num_classes", num_classes)
    check_flag("batch_norm", batch_norm)
    body = make_body(body, backbone_options)
    norm = nn.BatchNorm2d if batch_norm else None
    rules = coordinates_of(coordinates)
    levels = len(body.out_channels)
    pooler = partial(
        RoIPooler,
        roi_op=roi_op,
        sampling_ratio=sampling_ratio,
        aligned=rules.aligned,
        levels=levels,
        canonical_scale=canonical_scale,
        canonical_level=canonical_level,
    )
    transform = DetectorTransform(
        min_size,
        max_size,
        paste=rules.paste,
        mask_mode="nearest-exact" if rules.mask_target_aligned else "nearest",
    )
    backbone = Backbone(body, FeaturePyramid(body.out_channels, channels, norm=norm))
    anchors = AnchorGenerator(
        anchor_sizes, offset=rules.anchor_offset, rounded=rules.anchor_rounded
    )
    head = RPNHead(channels, anchors.anchors_per_location)
    if box_layers:
        box_head = ConvolutionalBoxHead(
            channels, box_pooler_resolution, box_layers, representation_size, norm
        )
    else:
        box_head = BoxHead(channels * box_pooler_resolution**2, representation_size)
    roi_heads = RoIHeads(
        pooler(box_pooler_resolution),
        box_head,
        BoxPredictor(representation_size, num_classes),
        pooler(mask_pooler_resolution),
        MaskHead(channels, mask_layers, norm),
        MaskPredictor(mask_layers[-1], mask_layers[-1], num_classes),
        HeadOptions(mask_target_aligned=rules.mask_target_aligned, **heads),
    )
    region_proposals = RegionProposalNetwork(anchors, head, **(rpn_options or {}))
    return MaskRCNN(transform, backbone, region_proposals, roi_heads)
