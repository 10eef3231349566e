"""Self-supervised pre-training of a detector's backbone: it finds what was pasted into an image.

The label is made from the images, so that no annotation is needed.
"""

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - its usual name

from roilearn.models.rcnn.generalized_rcnn import GeneralizedRCNN


class CutPastePretext(nn.Module):
    """Trains body and pyramid of a detector to find a rectangle that is from another image.

    Parameters
    ----------
    detector : its backbone is trained in place; its other parts get no gradient.

    Source
    ------
    Li, Sohn, Yoon and Pfister, CutPaste: Self-Supervised Learning for Anomaly Detection and
    Localization (2021). There the rectangle is from the same image, and the question is whether one
    was pasted; here each cell of the maps is asked, since a detector has to find where.
    """

    def __init__(self, detector: GeneralizedRCNN) -> None:
        super().__init__()
        self.detector: Any = detector
        self.predictor = nn.Conv2d(self.detector.backbone.out_channels, 1, 1)

    def forward(
        self, images: Sequence[Float[Tensor, "3 S S"]], targets: Any = None
    ) -> dict[str, Tensor]:
        """Paste a rectangle into each image and compute the loss; the targets are never read."""
        del targets
        pasted, regions = paste_from_next(torch.stack(list(images)))
        losses = []
        for logits in self.predict(pasted):
            fractions = F.adaptive_avg_pool2d(regions, (logits.shape[2], logits.shape[3]))
            losses.append(F.binary_cross_entropy_with_logits(logits, fractions))
        return {"loss_pasted": torch.stack(losses).mean()}

    def predict(self, images: Float[Tensor, "N 3 S S"]) -> list[Float[Tensor, "N 1 _ _"]]:
        """Predict for each cell of each level a logit: that it is from another image."""
        batch, _ = self.detector.transform(list(images))
        maps = self.detector.backbone(batch.tensors)
        return [self.predictor(one) for one in maps.values()]


def paste_from_next(
    images: Float[Tensor, "N 3 S S"],
) -> tuple[Float[Tensor, "N 3 S S"], Float[Tensor, "N 1 S S"]]:
    """Paste a random rectangle of the next image into each one; give the masks of the rectangles.

    Its sides are 0.2 to 0.6 of the image's, and the next of the last image is the first.
    """
    count, size = len(images), images.shape[-1]
    sides = 0.2 + 0.4 * torch.rand(count, 2, device=images.device)
    starts = torch.rand(count, 2, device=images.device) * (1 - sides)
    middles = (torch.arange(size, device=images.device) + 0.5) / size
    inside = (middles >= starts[..., None]) & (middles < (starts + sides)[..., None])  # [N, 2, S]
    regions = inside[:, 0, :, None] & inside[:, 1, None, :]  # [N, S, S]
    pasted = torch.where(regions[:, None], images.roll(-1, 0), images)
    return pasted, regions[:, None].to(images.dtype)
