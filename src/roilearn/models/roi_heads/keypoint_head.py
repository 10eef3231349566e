"""An extension: keypoints. The mask head's idea again, for points instead of surfaces.

Each keypoint has a map of its own over the box, and exactly one cell of it is right: which one is
learned as a choice among all cells, as a class is.
"""

from collections.abc import Sequence
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - its usual name

from roilearn.models.roi_heads.keypoint_heatmaps import (
    heatmaps_to_keypoints,
    keypoint_loss,
    keypoint_targets,
)
from roilearn.models.roi_heads.roi_heads import (
    Boxes,
    Features,
    RoIHeads,
    Samples,
    Sizes,
    Targets,
)


class KeypointHead(nn.Sequential):
    """Convolutions of 3 x 3 cells, each with ReLU, that keep the size.

    Parameters
    ----------
    in_channels : channels of the pooled features.
    layers : channels that each convolution gives.

    Source
    ------
    He et al., Mask R-CNN (2017), section 5; names of parameters as in torchvision 0.27.
    """

    def __init__(self, in_channels: int, layers: Sequence[int] = (512,) * 8) -> None:
        parts: list[nn.Module] = []
        for before, after in pairwise([in_channels, *layers]):
            convolution = nn.Conv2d(before, after, 3, padding=1)
            parts += [convolution, nn.ReLU(inplace=True)]
        super().__init__(*parts)
        for layer in self:
            if isinstance(layer, nn.Conv2d):
                begin(layer)


class KeypointPredictor(nn.Module):
    """A map for each keypoint, four times the size: doubled as learned, then by interpolation."""

    def __init__(self, in_channels: int, keypoints: int = 17) -> None:
        super().__init__()
        self.kps_score_lowres = nn.ConvTranspose2d(in_channels, keypoints, 4, stride=2, padding=1)
        begin(self.kps_score_lowres)

    def forward(self, features: Float[Tensor, "K C P P"]) -> Float[Tensor, "K points 4*P 4*P"]:
        """Draw the logits of every keypoint."""
        lowres = self.kps_score_lowres(features)
        return F.interpolate(lowres, scale_factor=2.0, mode="bilinear", align_corners=False)


class KeypointHeads(RoIHeads):
    """``RoIHeads`` that also find the keypoints of every object.

    Parameters
    ----------
    roi_heads : a box head and a mask head that are there, whose parts and options these take over.
    keypoint_pooler, keypoint_head, keypoint_predictor : pooled features to (K, points, S, S).

    ``forward`` needs ``keypoints`` (n, points, 3) in targets, gives ``loss_keypoint``, and of each
    detection ``keypoints`` (n, points, 3) and ``keypoints_scores`` (n, points).
    """

    needed = (*RoIHeads.needed, "keypoints")

    def __init__(
        self,
        roi_heads: RoIHeads,
        keypoint_pooler: nn.Module,
        keypoint_head: nn.Module,
        keypoint_predictor: nn.Module,
    ) -> None:
        boxes = (roi_heads.box_pooler, roi_heads.box_head, roi_heads.box_predictor)
        masks = (roi_heads.mask_pooler, roi_heads.mask_head, roi_heads.mask_predictor)
        super().__init__(*boxes, *masks, options=roi_heads.options)
        self.keypoint_pooler, self.keypoint_head = keypoint_pooler, keypoint_head
        self.keypoint_predictor = keypoint_predictor

    def losses(
        self, features: Features, samples: Samples, image_sizes: Sizes, targets: Targets
    ) -> dict[str, Tensor]:
        """Compare all that the heads say of the drawn proposals with the truth."""
        losses = super().losses(features, samples, image_sizes, targets)
        found = [image.objects() for image in samples]
        boxes = [image.boxes for image in found]
        heatmaps = self.heatmaps(features, boxes, image_sizes)
        true = [t["keypoints"][image.index] for t, image in zip(targets, found, strict=True)]
        cells, counts = keypoint_targets(torch.cat(true), torch.cat(boxes), heatmaps.shape[-1])
        return losses | {"loss_keypoint": keypoint_loss(heatmaps, cells, counts)}

    def detect(
        self, features: Features, proposals: Boxes, image_sizes: Sizes
    ) -> list[dict[str, Tensor]]:
        """Find boxes, then draw their masks and keypoints."""
        found = super().detect(features, proposals, image_sizes)
        boxes = [image["boxes"] for image in found]
        maps = self.heatmaps(features, boxes, image_sizes).split([len(image) for image in boxes])
        for image, its_maps in zip(found, maps, strict=True):
            keypoints = heatmaps_to_keypoints(its_maps, image["boxes"])
            image["keypoints"], image["keypoints_scores"] = keypoints
        return found

    def heatmaps(
        self, features: Features, boxes: Boxes, image_sizes: Sizes
    ) -> Float[Tensor, "K points S S"]:
        """Draw the logits of every keypoint of every box."""
        pooled = self.keypoint_pooler(features, boxes, image_sizes)
        return self.keypoint_predictor(self.keypoint_head(pooled))


def begin(layer: nn.Conv2d | nn.ConvTranspose2d) -> None:
    """Weights to begin with: so large that features keep their spread through ReLU."""
    nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
