"""The region proposal network (RPN): anchors, head, proposals and losses in one module.

It proposes boxes of an image that may hold an object of any class.
"""

import math
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from roilearn.arguments.lists import counted
from roilearn.models.rpn.anchors import AnchorGenerator
from roilearn.models.rpn.proposals import generate_proposals
from roilearn.models.rpn.rpn_head import in_anchor_order
from roilearn.models.rpn.rpn_losses import rpn_losses
from roilearn.models.settings import GuardedModule, keyword_property, same_as
from roilearn.models.transform.image_batch import ImageBatch
from roilearn.ops.boxes.boxes import all_finite
from roilearn.ops.tracing import is_tracing

TOP_N = {"training": 2000, "testing": 1000}
"""Number of proposals per level before NMS, and per image after it, as in torchvision."""

_LOSSES = "Assign a function to losses, which is called as rpn_losses."
_PROPOSE = "Assign a function to propose, which is called as generate_proposals."


class RegionProposalNetwork(GuardedModule):
    """Propose boxes of an image that may hold an object.

    Parameters
    ----------
    anchor_generator : an ``AnchorGenerator``.
    head : predicts objectness and deltas of these anchors, as ``RPNHead`` does or, in maps, as
        torchvision's do, see ``in_anchor_order``.
    positive_iou : minimum IoU for an anchor to count as positive.
    negative_iou : an anchor whose highest IoU is below this one counts as negative.
    batch_size_per_image : maximum number of anchors sampled per image for the losses.
    positive_fraction : maximum fraction of positives among them.
    pre_nms_top_n : number of proposals kept before NMS, per level: a dictionary of ``"training"``
        and ``"testing"``.
    post_nms_top_n : number of proposals kept after NMS, per image, likewise.
    nms_threshold, min_size, score_threshold : as in ``generate_proposals``.

    All can be set later as attributes; ``nms_thresh``, ``score_thresh``, ``_pre_nms_top_n`` and
    ``_post_nms_top_n``, torchvision's names, set the same. A new ``AnchorGenerator`` without
    ``offset`` or ``rounded`` takes those of the detector's coordinates, as the first one did.

    Source
    ------
    Ren et al., Faster R-CNN (2015); settings, results and losses as in torchvision 0.29.

    Differs from
    ------------
    torchvision 0.29: ignores ``iscrowd``, where anchors in crowds are left out of the losses here;
    continues after a NaN prediction, which raises here. Its ``proposal_matcher``,
    ``fg_bg_sampler``, ``box_coder`` and methods cannot be replaced; the error says what can.
    """

    set_elsewhere: ClassVar[Mapping[str, str]] = {
        "fg_bg_sampler": "Set batch_size_per_image and positive_fraction.",
        "proposal_matcher": "Set positive_iou and negative_iou.",
        **dict.fromkeys(
            ("assign_targets_to_anchors", "box_coder", "box_similarity", "compute_loss"), _LOSSES
        ),
        **dict.fromkeys(("_get_top_n_idx", "filter_proposals"), _PROPOSE),
    }
    nms_threshold = keyword_property("propose", "nms_threshold")
    min_size = keyword_property("propose", "min_size")
    score_threshold = keyword_property("propose", "score_threshold")
    positive_iou = keyword_property("losses", "positive_iou")
    negative_iou = keyword_property("losses", "negative_iou")
    batch_size_per_image = keyword_property("losses", "batch_size_per_image")
    positive_fraction = keyword_property("losses", "positive_fraction")
    nms_thresh = same_as("nms_threshold")
    score_thresh = same_as("score_threshold")
    _pre_nms_top_n = same_as("pre_nms_top_n")
    _post_nms_top_n = same_as("post_nms_top_n")

    def __init__(
        self,
        anchor_generator: AnchorGenerator,
        head: nn.Module,
        *,
        positive_iou: float = 0.7,
        negative_iou: float = 0.3,
        batch_size_per_image: int = 256,
        positive_fraction: float = 0.5,
        pre_nms_top_n: Mapping[str, int] = TOP_N,
        post_nms_top_n: Mapping[str, int] = TOP_N,
        nms_threshold: float = 0.7,
        min_size: float = 1e-3,
        score_threshold: float = 0.0,
    ) -> None:
        super().__init__()
        self.anchor_generator = anchor_generator
        self.head = head
        self.pre_nms_top_n, self.post_nms_top_n = dict(pre_nms_top_n), dict(post_nms_top_n)
        self.propose = partial(
            generate_proposals,
            nms_threshold=nms_threshold,
            min_size=min_size,
            score_threshold=score_threshold,
        )
        self.losses = partial(
            rpn_losses,
            positive_iou=positive_iou,
            negative_iou=negative_iou,
            batch_size_per_image=batch_size_per_image,
            positive_fraction=positive_fraction,
        )

    def __setattr__(self, name: str, value: Any) -> None:
        """Set an attribute; a new anchor generator follows the detector, as the first one did."""
        if name == "anchor_generator" and isinstance(value, AnchorGenerator):
            followed = getattr(getattr(self, name, None), "followed", None)
            if followed is not None:
                value.follow(*followed)
        super().__setattr__(name, value)

    def forward(
        self,
        batch: ImageBatch,
        features: Mapping[str, Float[Tensor, "N C _ _"]] | Sequence[Float[Tensor, "N C _ _"]],
        targets: Sequence[Mapping[str, Tensor]] | None = None,
    ) -> tuple[list[Float[Tensor, "_ 4"]], dict[str, Float[Tensor, ""]]]:
        """Propose boxes for each image; in training, compute the losses as well.

        Parameters
        ----------
        batch : padded images, and the size of each without padding.
        features : the map of each level, finest first.
        targets : ground truth of each image, in pixels of the batch; needed in training only.

        Returns
        -------
        For each image (K, 4) boxes x1, y1, x2, y2 in pixels of the batch, and the two losses of
        ``rpn_losses``; none in evaluation.

        Raises
        ------
        ValueError: no targets in training, or not one for each image.
        FloatingPointError: a prediction that is NaN or infinite.
        """
        if self.training and len(targets or ()) != len(batch.sizes):
            raise ValueError(
                f"targets must hold the ground truth of each of "
                f"{counted(len(batch.sizes), 'image')} in training; got "
                f"{len(targets or ()) or 'none'}. To predict, call eval() first."
            )
        maps = list(features.values()) if isinstance(features, Mapping) else list(features)
        height, width = batch.tensors.shape[-2:]
        anchors = self.anchor_generator((height, width), maps)
        objectness, deltas = in_anchor_order(*self.head(maps))
        check_finite_predictions(objectness, deltas)
        mode = "training" if self.training else "testing"
        limits = (self.pre_nms_top_n[mode], self.post_nms_top_n[mode])
        boxes, _ = self.propose(objectness, deltas, anchors, batch.sizes, *limits)
        if not self.training or targets is None:
            return boxes, {}
        every = (torch.cat(objectness, 1), torch.cat(deltas, 1), torch.cat(anchors))
        return boxes, self.losses(*every, targets)


def check_finite_predictions(objectness: Sequence[Tensor], deltas: Sequence[Tensor]) -> None:
    """Raise unless every prediction of the head is a finite number."""
    losses = {"loss_objectness": objectness, "loss_rpn_box_reg": deltas}
    for loss, predictions in losses.items():
        name = "objectness" if predictions is objectness else "deltas"
        for level, numbers in enumerate(predictions):
            if not is_tracing() and not all_finite(numbers):
                bad = numbers[~(numbers.abs() < math.inf)]
                raise FloatingPointError(
                    f"{name} of the region proposal network must be finite; got {bad[0]:g} at "
                    f"level {level}, one of {len(bad)} such values among {numbers.numel()}. The "
                    f"network has diverged, and {loss} with it: go back to an earlier checkpoint "
                    "and lower the learning rate, warm up for longer or clip gradients. Or the "
                    "images contain NaN."
                )
