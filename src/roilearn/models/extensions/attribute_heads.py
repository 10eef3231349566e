"""One more task for the heads: numbers of each object beside its class and its box."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - its usual name

from roilearn.models.roi_heads.detections import split_rows
from roilearn.models.roi_heads.roi_heads import (
    Boxes,
    Features,
    RoIHeads,
    Samples,
    Sizes,
    Targets,
)
from roilearn.models.roi_heads.target_numbers import check_target_numbers


class AttributeHeads(RoIHeads):
    """``RoIHeads`` that also predict numbers of every object, such as its mean colour.

    Parameters
    ----------
    roi_heads : box head and, if there is one, mask head with their poolers and options, which are
        shared.
    predictor : features (K, R) of the box head to numbers (K, A).
    weight : factor of the new loss.

    ``forward`` needs ``attributes`` (n, A) in targets, gives ``loss_attributes``, and of each
    detection ``attributes`` (n, A).

    Source
    ------
    Several tasks on shared features: Caruana, Multitask Learning (1997). How to weight their
    losses: Kendall et al., Multi-Task Learning Using Uncertainty (2018).
    """

    def __init__(self, roi_heads: RoIHeads, predictor: nn.Module, weight: float = 1.0) -> None:
        boxes = (roi_heads.box_roi_pool, roi_heads.box_head, roi_heads.box_predictor)
        masks = (roi_heads.mask_roi_pool, roi_heads.mask_head, roi_heads.mask_predictor)
        super().__init__(*boxes, *masks, options=roi_heads.options)
        self.attribute_predictor, self.attribute_weight = predictor, weight

    @property
    def required_targets(self) -> tuple[str, ...]:
        """Entries that ground truth must have besides boxes and labels."""
        return (*super().required_targets, "attributes")

    def losses(
        self, features: Features, samples: Samples, image_sizes: Sizes, targets: Targets
    ) -> dict[str, Tensor]:
        """Compute all losses of the sampled proposals; the new one is of the positives alone."""
        losses = super().losses(features, samples, image_sizes, targets)
        positives = [image.objects() for image in samples]
        boxes = [image.boxes for image in positives]
        predicted = self.predict_attributes(features, boxes, image_sizes)
        given = [target["attributes"] for target in targets]
        check_target_numbers("attributes", given, predicted.shape[1:])
        pairs = zip(given, positives, strict=True)
        true = torch.cat([numbers[image.matched_idxs] for numbers, image in pairs])
        total = F.smooth_l1_loss(predicted, true.to(predicted.dtype), reduction="sum")
        mean = total / max(predicted.numel(), 1)
        return losses | {"loss_attributes": self.attribute_weight * mean}

    def detect(
        self, features: Features, proposals: Boxes, image_sizes: Sizes
    ) -> list[dict[str, Tensor]]:
        """Detect objects, then predict the numbers of each."""
        found = super().detect(features, proposals, image_sizes)
        boxes = [image["boxes"] for image in found]
        predicted = self.predict_attributes(features, boxes, image_sizes)
        for image, numbers in zip(found, split_rows(predicted, boxes), strict=True):
            image["attributes"] = numbers
        return found

    def predict_attributes(
        self, features: Features, boxes: Boxes, image_sizes: Sizes
    ) -> Float[Tensor, "K A"]:
        """Predict the numbers of every box from the features of the box head."""
        pooled = self.box_roi_pool(features, boxes, image_sizes)
        return self.attribute_predictor(self.box_head(pooled))
