"""Self-supervised pre-training of a detector's body: it predicts how an image was rotated.

The label is made from the image, so that no annotation is needed.
"""

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - its usual name

from roilearn.models.rcnn.generalized_rcnn import GeneralizedRCNN


class RotationPretext(nn.Module):
    """Trains the body of a detector to tell 0, 90, 180 and 270 degrees apart.

    Parameters
    ----------
    detector : its body is trained in place; its other parts get no gradient.

    Source
    ------
    Gidaris, Singh and Komodakis, Unsupervised Representation Learning by Predicting Image Rotations
    (2018), section 3.
    """

    def __init__(self, detector: GeneralizedRCNN) -> None:
        super().__init__()
        self.detector: Any = detector
        self.predictor = nn.Linear(self.detector.backbone.body.out_channels[-1], 4)

    def forward(
        self, images: Sequence[Float[Tensor, "3 S S"]], targets: Any = None
    ) -> dict[str, Tensor]:
        """Turn square images at random and compute the loss; the targets are never read."""
        del targets
        turns = torch.randint(4, (len(images),), device=images[0].device)
        return {"loss_rotation": F.cross_entropy(self.predict(images, turns), turns)}

    def predict(
        self, images: Sequence[Float[Tensor, "3 S S"]], turns: Int64[Tensor, " N"]
    ) -> Float[Tensor, "N 4"]:
        """Turn each image so many quarters, and predict a logit for each number of quarters."""
        turned = [
            torch.rot90(image, int(count), (1, 2))
            for image, count in zip(images, turns, strict=True)
        ]
        batch, _ = self.detector.transform(turned)
        coarsest = self.detector.backbone.body(batch.tensors)[-1]  # [N, C, H, W]
        return self.predictor(coarsest.mean((2, 3)))
