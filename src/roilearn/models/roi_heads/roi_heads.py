"""The RoI heads: box head and, if there is one, mask head: proposals become losses or detections.

In training the heads are applied to sampled proposals, the mask head to the positive ones only. In
prediction masks come last: they are computed for the final detections only.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from roilearn.arguments import check_all_or_none, check_labels, check_losses, check_target
from roilearn.arguments.lists import counted
from roilearn.models.roi_heads.box_head import box_losses, predicted_classes
from roilearn.models.roi_heads.detections import postprocess_detections, split_rows
from roilearn.models.roi_heads.head_options import HeadOptions, option_property
from roilearn.models.roi_heads.mask_head import MaskPredictor, mask_loss
from roilearn.models.settings import GuardedModule
from roilearn.models.targets.detection_targets import DetectionTargets, detection_targets
from roilearn.models.targets.ground_truth import object_rows
from roilearn.models.targets.mask_targets import all_mask_targets
from roilearn.ops.tracing import may_read_values

Features = Mapping[str, Float[Tensor, "N C _ _"]] | Sequence[Float[Tensor, "N C _ _"]]
Boxes = Sequence[Float[Tensor, "_ 4"]]
Sizes = Sequence[tuple[int, int]]
Targets = Sequence[Mapping[str, Tensor]]
Samples = Sequence[DetectionTargets]

_OPTIONS = "Set options: heads.options = dataclasses.replace(heads.options, {}=...)."
_SAMPLE = "Assign a function to sample_proposals, or override it in a class of your own."
_FILTER = "Assign a function to filter_detections, or override it in a class of your own."
_KEYPOINTS = "Build a KeypointRCNN, or put the heads into KeypointHeads."
KEYPOINT_PARTS = ("keypoint_roi_pool", "keypoint_head", "keypoint_predictor")


class RoIHeads(GuardedModule):
    """Box head and, if there is one, mask head, each with its own pooler.

    Parameters
    ----------
    box_roi_pool, mask_roi_pool : (features, boxes, image sizes) to pooled features.
    box_head, box_predictor : pooled features to logits (K, C) and deltas (K, C, 4), or (K, 4 * C)
        as torchvision's predictors give them.
    mask_head, mask_predictor : pooled features to logits (K, C, M, M); a ``MaskPredictor`` is asked
        for the class of each box only. None, all three: boxes alone are detected, as in Faster
        R-CNN.
    options : ``HeadOptions``.

    ``score_thresh``, ``nms_thresh`` and ``detections_per_img`` can be set at any time, the others
    by new ``options``. torchvision's ``fg_bg_sampler``, ``proposal_matcher``, ``box_coder`` and
    methods cannot be replaced; the error says what can.

    Source
    ------
    He et al., Mask R-CNN (2017), sections 3 and 3.1; names of parameters as in torchvision 0.29.
    """

    set_elsewhere: ClassVar[Mapping[str, str]] = {
        "box_coder": _OPTIONS.format("delta_weights"),
        "fg_bg_sampler": _OPTIONS.format("batch_size_per_image=..., positive_fraction"),
        "proposal_matcher": _OPTIONS.format("positive_iou=..., negative_iou"),
        **dict.fromkeys(
            (
                "add_gt_proposals",
                "assign_targets_to_proposals",
                "box_similarity",
                "select_training_samples",
                "subsample",
            ),
            _SAMPLE,
        ),
        "check_targets": "Override check_ground_truth in a class of your own.",
        "postprocess_detections": _FILTER,
        "has_mask": "Set mask_roi_pool, mask_head and mask_predictor; has_masks follows.",
        "has_keypoint": "KeypointHeads have keypoints, other heads have none.",
        **dict.fromkeys(KEYPOINT_PARTS, _KEYPOINTS),
    }
    score_thresh = option_property("score_threshold")
    nms_thresh = option_property("nms_threshold")
    detections_per_img = option_property("detections_per_image")

    def __init__(
        self,
        box_roi_pool: nn.Module,
        box_head: nn.Module,
        box_predictor: nn.Module,
        mask_roi_pool: nn.Module | None = None,
        mask_head: nn.Module | None = None,
        mask_predictor: nn.Module | None = None,
        options: HeadOptions | None = None,
    ) -> None:
        super().__init__()
        check_all_or_none(
            mask_roi_pool=mask_roi_pool, mask_head=mask_head, mask_predictor=mask_predictor
        )
        self.box_roi_pool, self.box_head, self.box_predictor = box_roi_pool, box_head, box_predictor
        self.mask_roi_pool, self.mask_head = mask_roi_pool, mask_head
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
        ``boxes``, ``labels``, ``scores`` and, with a mask head, ``masks`` (n, 1, M, M), the
        probability that each cell of the box belongs to the object; and no losses.

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
    def has_masks(self) -> bool:
        """Whether there is a mask head."""
        return self.mask_head is not None

    @property
    def required_targets(self) -> tuple[str, ...]:
        """Entries that ground truth must have besides boxes and labels."""
        return ("masks",) if self.has_masks else ()

    @property
    def num_classes(self) -> int | None:
        """Number of classes of the box predictor, background included; None if it does not tell."""
        predictors = self.box_predictor
        return predicted_classes(
            predictors[-1] if isinstance(predictors, nn.ModuleList) else predictors
        )

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
        weights, low = options.delta_weights, options.negative_iou
        return detection_targets(proposals, target, *settings, weights, low)

    def losses(
        self, features: Features, samples: Samples, image_sizes: Sizes, targets: Targets
    ) -> dict[str, Tensor]:
        """Compute all losses of the sampled proposals."""
        losses = self.box_losses(features, samples, image_sizes, targets)
        if self.has_masks:
            losses |= self.mask_losses(features, samples, image_sizes, targets)
        return losses

    def box_losses(
        self, features: Features, samples: Samples, image_sizes: Sizes, targets: Targets
    ) -> dict[str, Tensor]:
        """Compute the losses of classes and deltas."""
        del targets  # the samples hold all that is needed here; a cascade needs the targets
        logits, deltas = self.predict_boxes(
            features, [image.boxes for image in samples], image_sizes
        )
        labels = torch.cat([image.labels for image in samples])
        return box_losses(logits, deltas, labels, torch.cat([image.deltas for image in samples]))

    def mask_losses(
        self, features: Features, samples: Samples, image_sizes: Sizes, targets: Targets
    ) -> dict[str, Tensor]:
        """Compute the mask loss of the positives."""
        positives = [image.objects() for image in samples]
        boxes = [image.boxes for image in positives]
        labels = torch.cat([image.labels for image in positives])
        logits = self.predict_masks(features, boxes, labels, image_sizes)
        masks = [target["masks"] for target in targets]
        options = (logits.shape[-1], self.options.mask_target_aligned)
        return {"loss_mask": mask_loss(logits, all_mask_targets(masks, positives, *options))}

    def detect(
        self, features: Features, proposals: Boxes, image_sizes: Sizes
    ) -> list[dict[str, Tensor]]:
        """Detect boxes, then predict their masks if there is a mask head."""
        found = self.detect_boxes(features, proposals, image_sizes)
        if not self.has_masks:
            return found
        boxes, labels = ([image[key] for image in found] for key in ("boxes", "labels"))
        masks = self.predict_masks(features, boxes, torch.cat(labels), image_sizes).sigmoid()
        for image, its_masks in zip(found, split_rows(masks, boxes), strict=True):
            image["masks"] = its_masks
        return found

    def detect_boxes(
        self, features: Features, proposals: Boxes, image_sizes: Sizes
    ) -> list[dict[str, Tensor]]:
        """Detect the boxes of each image, with classes and scores."""
        logits, deltas = self.predict_boxes(features, proposals, image_sizes)
        return self.filter_detections(
            logits, deltas, proposals, image_sizes, self.options.delta_weights
        )

    def predict_boxes(
        self, features: Features, boxes: Boxes, image_sizes: Sizes
    ) -> tuple[Float[Tensor, "K classes"], Float[Tensor, "K rows 4"]]:
        """Predict the class logits and the deltas of boxes."""
        pooled = self.box_roi_pool(features, boxes, image_sizes)
        logits, deltas = self.box_predictor(self.box_head(pooled))
        return logits, deltas if deltas.ndim == 3 else deltas.unflatten(1, (-1, 4))

    def predict_masks(
        self,
        features: Features,
        boxes: Boxes,
        labels: Int64[Tensor, " K"],
        image_sizes: Sizes,
    ) -> Float[Tensor, "K 1 M M"]:
        """Predict the mask logits of boxes, each for its class."""
        pool: Any = self.mask_roi_pool
        head: Any = self.mask_head
        predictor: Any = self.mask_predictor
        hidden = head(pool(features, boxes, image_sizes))
        if isinstance(predictor, MaskPredictor):
            return predictor(hidden, labels)
        rows = torch.arange(labels.shape[0], device=labels.device)
        return predictor(hidden)[rows, labels][:, None]

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
