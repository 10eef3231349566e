"""The keypoint head, an extension: a heatmap over each box for every keypoint.

It is built like the mask head. Exactly one cell of a keypoint's heatmap is right, so the loss is a
cross-entropy over all cells.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - its usual name

from roilearn.models.roi_heads.detections import split_rows
from roilearn.models.roi_heads.keypoint_heatmaps import (
    heatmaps_to_keypoints,
    keypoint_loss,
    keypoint_targets,
)
from roilearn.models.roi_heads.roi_heads import (
    KEYPOINT_PARTS,
    Boxes,
    Features,
    RoIHeads,
    Samples,
    Sizes,
    Targets,
)
from roilearn.models.roi_heads.target_numbers import check_target_numbers


class KeypointHead(nn.Sequential):
    """Convolutions of 3 x 3 cells, each with ReLU, that keep the size.

    Parameters
    ----------
    in_channels : channels of the pooled features.
    layers : output channels of each convolution.

    Source
    ------
    He et al., Mask R-CNN (2017), section 5; names of parameters as in torchvision 0.29.
    """

    def __init__(self, in_channels: int, layers: Sequence[int] = (512,) * 8) -> None:
        parts: list[nn.Module] = []
        for before, after in pairwise([in_channels, *layers]):
            convolution = nn.Conv2d(before, after, 3, padding=1)
            parts += [convolution, nn.ReLU(inplace=True)]
        super().__init__(*parts)
        for layer in self:
            if isinstance(layer, nn.Conv2d):
                init_weights(layer)


class KeypointPredictor(nn.Module):
    """Heatmaps of four times the size: a transposed convolution, then bilinear interpolation."""

    def __init__(self, in_channels: int, num_keypoints: int = 17) -> None:
        super().__init__()
        self.kps_score_lowres = nn.ConvTranspose2d(
            in_channels, num_keypoints, 4, stride=2, padding=1
        )
        init_weights(self.kps_score_lowres)

    def forward(self, features: Float[Tensor, "K C P P"]) -> Float[Tensor, "K points 4*P 4*P"]:
        """Predict the heatmap logits of every keypoint."""
        lowres = self.kps_score_lowres(features)
        return F.interpolate(lowres, scale_factor=2.0, mode="bilinear", align_corners=False)


class KeypointHeads(RoIHeads):
    """``RoIHeads`` that also detect the keypoints of every object.

    Parameters
    ----------
    roi_heads : box head and, if there is one, mask head with their poolers and options, which are
        shared.
    keypoint_roi_pool, keypoint_head, keypoint_predictor : compute heatmap logits (K, points, S, S).

    ``forward`` needs ``keypoints`` (n, points, 3) in targets, gives ``loss_keypoint``, and of each
    detection ``keypoints`` (n, points, 3) and ``keypoints_scores`` (n, points).
    """

    set_elsewhere: ClassVar[Mapping[str, str]] = {
        name: advice
        for name, advice in RoIHeads.set_elsewhere.items()
        if name not in KEYPOINT_PARTS
    }

    def __init__(
        self,
        roi_heads: RoIHeads,
        keypoint_roi_pool: nn.Module,
        keypoint_head: nn.Module,
        keypoint_predictor: nn.Module,
    ) -> None:
        boxes = (roi_heads.box_roi_pool, roi_heads.box_head, roi_heads.box_predictor)
        masks = (roi_heads.mask_roi_pool, roi_heads.mask_head, roi_heads.mask_predictor)
        super().__init__(*boxes, *masks, options=roi_heads.options)
        self.keypoint_roi_pool, self.keypoint_head = keypoint_roi_pool, keypoint_head
        self.keypoint_predictor = keypoint_predictor

    @property
    def required_targets(self) -> tuple[str, ...]:
        """Entries that ground truth must have besides boxes and labels."""
        return (*super().required_targets, "keypoints")

    def losses(
        self, features: Features, samples: Samples, image_sizes: Sizes, targets: Targets
    ) -> dict[str, Tensor]:
        """Compute all losses of the sampled proposals."""
        losses = super().losses(features, samples, image_sizes, targets)
        positives = [image.objects() for image in samples]
        boxes = [image.boxes for image in positives]
        heatmaps = self.heatmaps(features, boxes, image_sizes)
        given = [target["keypoints"] for target in targets]
        check_target_numbers("keypoints", given, (heatmaps.shape[1], 3))
        true = [
            t["keypoints"][image.matched_idxs] for t, image in zip(targets, positives, strict=True)
        ]
        cells, counts = keypoint_targets(torch.cat(true), torch.cat(boxes), heatmaps.shape[-1])
        return losses | {"loss_keypoint": keypoint_loss(heatmaps, cells, counts)}

    def detect(
        self, features: Features, proposals: Boxes, image_sizes: Sizes
    ) -> list[dict[str, Tensor]]:
        """Detect boxes, then predict their masks, if there is a mask head, and keypoints."""
        found = super().detect(features, proposals, image_sizes)
        boxes = [image["boxes"] for image in found]
        maps = split_rows(self.heatmaps(features, boxes, image_sizes), boxes)
        for image, its_maps in zip(found, maps, strict=True):
            keypoints = heatmaps_to_keypoints(its_maps, image["boxes"])
            image["keypoints"], image["keypoints_scores"] = keypoints
        return found

    def heatmaps(
        self, features: Features, boxes: Boxes, image_sizes: Sizes
    ) -> Float[Tensor, "K points S S"]:
        """Predict the heatmap logits of every keypoint of every box."""
        pooled = self.keypoint_roi_pool(features, boxes, image_sizes)
        return self.keypoint_predictor(self.keypoint_head(pooled))


def init_weights(layer: nn.Conv2d | nn.ConvTranspose2d) -> None:
    """Initialise a layer as He et al. (2015): features keep their variance through ReLU."""
    nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
