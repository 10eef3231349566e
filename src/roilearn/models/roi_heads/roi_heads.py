"""The RoI heads: box head and mask head, which turn proposals into losses or detections.

In training the heads are applied to sampled proposals, the mask head to the positive ones only. In
prediction masks come last: they are computed for the final detections only.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from roilearn.arguments import check_labels, check_losses, check_target
from roilearn.arguments.lists import counted
from roilearn.models.roi_heads.box_head import box_losses
from roilearn.models.roi_heads.detections import postprocess_detections
from roilearn.models.roi_heads.mask_head import mask_loss
from roilearn.models.targets.detection_targets import (
    DELTA_WEIGHTS,
    DetectionTargets,
    detection_targets,
)
from roilearn.models.targets.ground_truth import object_rows
from roilearn.models.targets.mask_targets import all_mask_targets
from roilearn.ops.tracing import may_read_values

Features = Mapping[str, Float[Tensor, "N C _ _"]] | Sequence[Float[Tensor, "N C _ _"]]
Boxes = Sequence[Float[Tensor, "_ 4"]]
Sizes = Sequence[tuple[int, int]]
Targets = Sequence[Mapping[str, Tensor]]
Samples = Sequence[DetectionTargets]


@dataclass(frozen=True)
class HeadOptions:
    """Settings of the RoI heads; the defaults are those of torchvision 0.27."""

    positive_iou: float = 0.5
    """Minimum IoU with an object for a proposal to count as positive."""
    batch_size_per_image: int = 512
    """Maximum number of proposals sampled per image for the losses."""
    positive_fraction: float = 0.25
    """Maximum fraction of positives among them."""
    delta_weights: tuple[float, float, float, float] = DELTA_WEIGHTS
    """Factors of dx, dy, dw and dh, see ``encode_boxes``."""
    score_threshold: float = 0.05
    """Drop detections with a score at or below this."""
    nms_threshold: float = 0.5
    """IoU above which NMS, within a class, removes the detection of lower score."""
    detections_per_image: int = 100
    """Maximum number of detections per image."""
    mask_target_aligned: bool = False
    """Whether mask targets take a pixel's value to lie at its centre, see ``mask_targets``."""


class RoIHeads(nn.Module):
    """Box head and mask head, each with its own pooler.

    Parameters
    ----------
    box_pooler, mask_pooler : (features, boxes, image sizes) to pooled features.
    box_head, box_predictor : pooled features to logits (K, C) and deltas (K, C, 4).
    mask_head, mask_predictor : pooled features and labels to logits (K, 1, M, M).
    options : ``HeadOptions``.

    Source
    ------
    He et al., Mask R-CNN (2017), sections 3 and 3.1; names of parameters as in torchvision 0.27.
    """

    required_targets = ("masks",)
    """Entries that ground truth must have besides boxes and labels."""

    def __init__(
        self,
        box_pooler: nn.Module,
        box_head: nn.Module,
        box_predictor: nn.Module,
        mask_pooler: nn.Module,
        mask_head: nn.Module,
        mask_predictor: nn.Module,
        options: HeadOptions | None = None,
    ) -> None:
        super().__init__()
        self.box_pooler, self.box_head, self.box_predictor = box_pooler, box_head, box_predictor
        self.mask_pooler, self.mask_head = mask_pooler, mask_head
        self.mask_predictor = mask_predictor
        self.options = options or HeadOptions()

    def forward(
        self,
        features: Features,
        proposals: Boxes,
        image_sizes: Sizes,
        targets: Targets | None = None,
    ) -> tuple[list[dict[str, Tensor]], dict[str, Tensor]]:
        """Detect objects in the proposals or, in training, compute the losses.

        Parameters
        ----------
        features : maps of consecutive levels, finest first.
        proposals : one (Ki, 4) tensor for each image, in pixels of the batch's images.
        image_sizes : (height, width) of each image, before the batch was padded.
        targets : ground truth of each image, see ``detection_targets``, with ``masks`` (n, H, W).
            Needed in training only.

        Returns
        -------
        In training an empty list, and the losses by name. Else the detections of each image,
        ``boxes``, ``labels``, ``scores`` and ``masks`` (n, 1, M, M), the probability that each cell
        of the box belongs to the object; and no losses.

        Raises
        ------
        ValueError: no targets in training, or of another number; see ``roilearn.arguments``.
        FloatingPointError: a loss that is NaN or infinite, where values are checked.
        """
        if not self.training:
            return self.detect(features, proposals, image_sizes), {}
        if targets is None or len(targets) != len(proposals):
            images = counted(len(proposals), "image")
            got = "none" if targets is None else f"{len(targets)} for {images}"
            raise ValueError(f"targets must hold the ground truth of each image; got {got}.")
        for target in targets:
            self.check_ground_truth(target)
        with torch.no_grad():
            samples = [
                self.sample_proposals(*image) for image in zip(proposals, targets, strict=True)
            ]
        losses = self.losses(features, samples, image_sizes, targets)
        if all(may_read_values(loss) for loss in losses.values()):
            check_losses(losses)
        return [], losses

    @property
    def num_classes(self) -> int | None:
        """Number of classes of the box predictor, background included; None if it does not tell."""
        predictors = self.box_predictor
        last = predictors[-1] if isinstance(predictors, nn.ModuleList) else predictors
        return getattr(getattr(last, "cls_score", None), "out_features", None)

    def check_ground_truth(self, target: Mapping[str, Tensor]) -> None:
        """Raise unless the ground truth of an image has all that the heads are trained on."""
        check_target(target, *self.required_targets)
        if may_read_values(target["labels"]):
            check_labels(target["labels"][object_rows(target)], 1)

    def sample_proposals(
        self, proposals: Float[Tensor, "N 4"], target: Mapping[str, Tensor]
    ) -> DetectionTargets:
        """Sample proposals of one image, and compute their targets."""
        options = self.options
        settings = (options.positive_iou, options.batch_size_per_image, options.positive_fraction)
        return detection_targets(proposals, target, *settings, options.delta_weights)

    def losses(
        self, features: Features, samples: Samples, image_sizes: Sizes, targets: Targets
    ) -> dict[str, Tensor]:
        """Compute all losses of the sampled proposals."""
        losses = self.box_losses(features, samples, image_sizes, targets)
        return losses | self.mask_losses(features, samples, image_sizes, targets)

    def box_losses(
        self, features: Features, samples: Samples, image_sizes: Sizes, targets: Targets
    ) -> dict[str, Tensor]:
        """Compute the losses of classes and deltas."""
        del targets  # the samples hold all that is needed here; a cascade needs the targets
        pooled = self.box_pooler(features, [image.boxes for image in samples], image_sizes)
        logits, deltas = self.box_predictor(self.box_head(pooled))
        labels = torch.cat([image.labels for image in samples])
        return box_losses(logits, deltas, labels, torch.cat([image.deltas for image in samples]))

    def mask_losses(
        self, features: Features, samples: Samples, image_sizes: Sizes, targets: Targets
    ) -> dict[str, Tensor]:
        """Compute the mask loss of the positives."""
        positives = [image.objects() for image in samples]
        pooled = self.mask_pooler(features, [image.boxes for image in positives], image_sizes)
        labels = torch.cat([image.labels for image in positives])
        logits = self.mask_predictor(self.mask_head(pooled), labels)
        masks = [target["masks"] for target in targets]
        options = (logits.shape[-1], self.options.mask_target_aligned)
        return {"loss_mask": mask_loss(logits, all_mask_targets(masks, positives, *options))}

    def detect(
        self, features: Features, proposals: Boxes, image_sizes: Sizes
    ) -> list[dict[str, Tensor]]:
        """Detect boxes, then predict their masks."""
        found = self.detect_boxes(features, proposals, image_sizes)
        boxes, labels = ([image[key] for image in found] for key in ("boxes", "labels"))
        pooled = self.mask_pooler(features, boxes, image_sizes)
        masks = self.mask_predictor(self.mask_head(pooled), torch.cat(labels)).sigmoid()
        rows = [len(image) for image in boxes]
        for image, its_masks in zip(found, masks.split(rows), strict=True):
            image["masks"] = its_masks
        return found

    def detect_boxes(
        self, features: Features, proposals: Boxes, image_sizes: Sizes
    ) -> list[dict[str, Tensor]]:
        """Detect the boxes of each image, with classes and scores."""
        pooled = self.box_pooler(features, proposals, image_sizes)
        logits, deltas = self.box_predictor(self.box_head(pooled))
        return self.filter_detections(
            logits, deltas, proposals, image_sizes, self.options.delta_weights
        )

    def filter_detections(
        self,
        class_logits: Float[Tensor, "K classes"],
        deltas: Float[Tensor, "K rows 4"],
        proposals: Boxes,
        image_sizes: Sizes,
        weights: Sequence[float],
    ) -> list[dict[str, Tensor]]:
        """Select the detections of each image by score and NMS."""
        options = self.options
        limits = (options.score_threshold, options.nms_threshold, options.detections_per_image)
        return postprocess_detections(
            class_logits, deltas, proposals, image_sizes, *limits, weights
        )
