"""The second stage: proposals go in; out come losses or, once trained, detections with masks.

In training the heads see proposals that were drawn with their targets, and masks are learned from
the objects among them. To detect, masks come last: only the few boxes that are left get one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from roilearn.arguments import check_labels, check_losses, check_target
from roilearn.arguments.lists import counted
from roilearn.models.roi_heads.box_head import box_losses
from roilearn.models.roi_heads.detections import detections
from roilearn.models.roi_heads.mask_head import mask_loss
from roilearn.models.targets.detection_targets import (
    DELTA_WEIGHTS,
    DetectionTargets,
    detection_targets,
    objects,
)
from roilearn.models.targets.mask_targets import all_mask_targets
from roilearn.ops.tracing import reads_values

Features = Mapping[str, Float[Tensor, "N C _ _"]] | Sequence[Float[Tensor, "N C _ _"]]
Boxes = Sequence[Float[Tensor, "_ 4"]]
Sizes = Sequence[tuple[int, int]]
Targets = Sequence[Mapping[str, Tensor]]
Samples = Sequence[DetectionTargets]


@dataclass(frozen=True)
class HeadOptions:
    """Numbers of the second stage; as they stand, those of torchvision 0.27."""

    positive_iou: float = 0.5
    """IoU with an object from which a proposal stands for it."""
    sampled: int = 512
    """Proposals of an image that bear the losses, at most."""
    positive_fraction: float = 0.25
    """Largest share of objects among them."""
    delta_weights: tuple[float, float, float, float] = DELTA_WEIGHTS
    score_threshold: float = 0.05
    """Detections up to this score go."""
    nms_threshold: float = 0.5
    """IoU with a better box of its class above which a detection goes."""
    per_image: int = 100
    """Detections of an image, at most."""
    target_half_cell: bool = False
    """Whether mask targets read pixels at their centres, see ``mask_targets``."""


class RoIHeads(nn.Module):
    """Box head and mask head, each behind a pooler of its own.

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

    needed = ("masks",)
    """What ground truth must have besides boxes and labels."""

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
        """Detect what is in the proposals, or say how far the heads are from it.

        Parameters
        ----------
        features : maps of consecutive levels, finest first.
        proposals : one (Ki, 4) tensor for each image, in pixels of the batch's images.
        image_sizes : (height, width) of each image, before the batch was padded.
        targets : ground truth of each image, see ``detection_targets``, with ``masks`` (n, H, W).
            Needed in training.

        Returns
        -------
        In training no detections, and the losses by name. Else the detections of each image,
        ``boxes``, ``labels``, ``scores`` and ``masks`` (n, 1, M, M), chances of each cell of the
        box to be the object's; and no losses.

        Raises
        ------
        ValueError: no targets in training, or of another number; see ``roilearn.arguments``.
        FloatingPointError: a loss that is NaN or infinite, where values are read.
        """
        if not self.training:
            return self.detect(features, proposals, image_sizes), {}
        if targets is None or len(targets) != len(proposals):
            images = counted(len(proposals), "image")
            got = "none" if targets is None else f"{len(targets)} for {images}"
            raise ValueError(f"targets must hold the ground truth of each image; got {got}.")
        for target in targets:
            self.check(target)
        with torch.no_grad():
            samples = [self.sample(*image) for image in zip(proposals, targets, strict=True)]
        losses = self.losses(features, samples, image_sizes, targets)
        if all(reads_values(loss) for loss in losses.values()):
            check_losses(losses)
        return [], losses

    @property
    def classes(self) -> int | None:
        """Count the classes that the box head tells apart, background among them, if it says so."""
        predictors = self.box_predictor
        last = predictors[-1] if isinstance(predictors, nn.ModuleList) else predictors
        return getattr(getattr(last, "cls_score", None), "out_features", None)

    def check(self, target: Mapping[str, Tensor]) -> None:
        """Raise unless the ground truth of an image has all that the heads learn from."""
        check_target(target, *self.needed)
        if reads_values(target["labels"]):
            check_labels(target["labels"][objects(target)], 1)

    def sample(
        self, proposals: Float[Tensor, "N 4"], target: Mapping[str, Tensor]
    ) -> DetectionTargets:
        """Choose proposals of one image to learn from."""
        options = self.options
        drawing = (options.positive_iou, options.sampled, options.positive_fraction)
        return detection_targets(proposals, target, *drawing, options.delta_weights)

    def losses(
        self, features: Features, samples: Samples, image_sizes: Sizes, targets: Targets
    ) -> dict[str, Tensor]:
        """Compare all that the heads say of the drawn proposals with the truth."""
        losses = self.box_losses(features, samples, image_sizes, targets)
        return losses | self.mask_losses(features, samples, image_sizes, targets)

    def box_losses(
        self, features: Features, samples: Samples, image_sizes: Sizes, targets: Targets
    ) -> dict[str, Tensor]:
        """Compare classes and deltas."""
        del targets  # what the samples know is enough, but for a cascade
        pooled = self.box_pooler(features, [image.boxes for image in samples], image_sizes)
        logits, deltas = self.box_predictor(self.box_head(pooled))
        labels = torch.cat([image.labels for image in samples])
        return box_losses(logits, deltas, labels, torch.cat([image.deltas for image in samples]))

    def mask_losses(
        self, features: Features, samples: Samples, image_sizes: Sizes, targets: Targets
    ) -> dict[str, Tensor]:
        """Compare masks, of the objects alone."""
        found = [image.objects() for image in samples]
        pooled = self.mask_pooler(features, [image.boxes for image in found], image_sizes)
        labels = torch.cat([image.labels for image in found])
        logits = self.mask_predictor(self.mask_head(pooled), labels)
        masks = [target["masks"] for target in targets]
        options = (logits.shape[-1], self.options.target_half_cell)
        return {"loss_mask": mask_loss(logits, all_mask_targets(masks, found, *options))}

    def detect(
        self, features: Features, proposals: Boxes, image_sizes: Sizes
    ) -> list[dict[str, Tensor]]:
        """Find boxes, then draw their masks."""
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
        """Find the boxes, classes and scores of each image."""
        pooled = self.box_pooler(features, proposals, image_sizes)
        logits, deltas = self.box_predictor(self.box_head(pooled))
        return self.best(logits, deltas, proposals, image_sizes, self.options.delta_weights)

    def best(
        self,
        class_logits: Float[Tensor, "K classes"],
        deltas: Float[Tensor, "K rows 4"],
        proposals: Boxes,
        image_sizes: Sizes,
        weights: Sequence[float],
    ) -> list[dict[str, Tensor]]:
        """Keep the best boxes of each image."""
        options = self.options
        limits = (options.score_threshold, options.nms_threshold, options.per_image)
        return detections(class_logits, deltas, proposals, image_sizes, *limits, weights)
