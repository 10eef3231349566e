"""The region proposal network: a few boxes of an image that may hold an object, whatever it is.

Anchors everywhere, a head that says of each whether there is an object and how to move it, and a
choice of the best. In training the same answers bear two losses.
"""

import math
from collections.abc import Mapping, Sequence
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor, nn

from roilearn.arguments.lists import counted
from roilearn.models.rpn.anchors import AnchorGenerator
from roilearn.models.rpn.proposals import proposals
from roilearn.models.rpn.rpn_losses import rpn_losses
from roilearn.models.transform.image_batch import ImageBatch
from roilearn.ops.boxes.boxes import all_finite
from roilearn.ops.tracing import tracing

TOP_N = {"training": 2000, "testing": 1000}
"""How many proposals the heads learn from, and how many they look at later."""


class RegionProposalNetwork(nn.Module):
    """Anchors, head, proposals and losses in one module.

    Parameters
    ----------
    anchor_generator, head : whose anchors are those that the head answers for.
    high, low : IoU from which an anchor is an object, and under which it is background.
    size, positive_fraction : how many anchors of an image bear the losses, and the largest share
        of objects among them.
    before, after : how many boxes are picked of each level, and kept of all: ``"training"`` and
        ``"testing"``.
    iou_threshold, min_size, score_threshold : as in ``proposals``.

    Source
    ------
    Ren et al., Faster R-CNN (2015); settings, results and losses as in torchvision 0.27.

    Differs from
    ------------
    torchvision 0.27: leaves crowds out, if a target says ``iscrowd``; a NaN answer raises, where
    torchvision goes on.
    """

    def __init__(
        self,
        anchor_generator: AnchorGenerator,
        head: nn.Module,
        *,
        high: float = 0.7,
        low: float = 0.3,
        size: int = 256,
        positive_fraction: float = 0.5,
        before: Mapping[str, int] = TOP_N,
        after: Mapping[str, int] = TOP_N,
        iou_threshold: float = 0.7,
        min_size: float = 1e-3,
        score_threshold: float = 0.0,
    ) -> None:
        super().__init__()
        self.anchor_generator = anchor_generator
        self.head = head
        self.before, self.after = dict(before), dict(after)
        self.propose = partial(
            proposals,
            iou_threshold=iou_threshold,
            min_size=min_size,
            score_threshold=score_threshold,
        )
        self.losses = partial(
            rpn_losses, high=high, low=low, size=size, positive_fraction=positive_fraction
        )

    def forward(
        self,
        batch: ImageBatch,
        features: Mapping[str, Float[Tensor, "N C _ _"]] | Sequence[Float[Tensor, "N C _ _"]],
        targets: Sequence[Mapping[str, Tensor]] | None = None,
    ) -> tuple[list[Float[Tensor, "_ 4"]], dict[str, Float[Tensor, ""]]]:
        """Propose boxes for each image; in training, say also how wrong the answers were.

        Parameters
        ----------
        batch : padded images, and the size of each without padding.
        features : the map of each level, finest first.
        targets : ground truth of each image, in pixels of the batch; needed in training alone.

        Returns
        -------
        For each image (K, 4) boxes x1, y1, x2, y2 in pixels of the batch, and the two losses of
        ``rpn_losses``; none in evaluation.

        Raises
        ------
        ValueError: no targets in training, or not one for each image.
        FloatingPointError: an answer that is NaN or infinite.
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
        objectness, deltas = self.head(maps)
        check_converging(objectness, deltas)
        mode = "training" if self.training else "testing"
        limits = (self.before[mode], self.after[mode])
        boxes, _ = self.propose(objectness, deltas, anchors, batch.sizes, *limits)
        if not self.training or targets is None:
            return boxes, {}
        every = (torch.cat(objectness, 1), torch.cat(deltas, 1), torch.cat(anchors))
        return boxes, self.losses(*every, targets)


def check_converging(objectness: Sequence[Tensor], deltas: Sequence[Tensor]) -> None:
    """Raise unless every answer of the head is a finite number."""
    losses = {"loss_objectness": objectness, "loss_rpn_box_reg": deltas}
    for loss, answers in losses.items():
        name = "objectness" if answers is objectness else "deltas"
        for level, numbers in enumerate(answers):
            if not tracing() and not all_finite(numbers):
                bad = numbers[~(numbers.abs() < math.inf)]
                raise FloatingPointError(
                    f"{name} of the region proposal network must be finite; got {bad[0]:g} at "
                    f"level {level}, one of {len(bad)} bad numbers of {numbers.numel()}. The "
                    f"network has diverged, and {loss} with it: go back to an earlier checkpoint "
                    "and lower the learning rate, warm up for longer or clip gradients. Or there "
                    "is NaN in the images."
                )
