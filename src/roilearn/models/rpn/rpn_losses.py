"""The two losses of the region proposal network."""

from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from roilearn.models.targets.anchor_targets import anchor_targets
from roilearn.models.targets.sampling import sample
from roilearn.ops import encode_boxes


def rpn_losses(
    objectness: Float[Tensor, "N A"],
    deltas: Float[Tensor, "N A 4"],
    anchors: Float[Tensor, "A 4"],
    targets: Sequence[Mapping[str, Tensor]],
    positive_iou: float = 0.7,
    negative_iou: float = 0.3,
    batch_size_per_image: int = 256,
    positive_fraction: float = 0.5,
) -> dict[str, Float[Tensor, ""]]:
    """Compute both losses on sampled anchors of each image.

    Parameters
    ----------
    objectness : (N, A) logits for the A anchors of all levels, of N images.
    deltas : (N, A, 4) dx, dy, dw, dh of the same anchors.
    anchors : (A, 4) boxes x1, y1, x2, y2 in image pixels, the same for all images.
    targets : for each image ``boxes`` (n, 4) and ``labels`` (n,), optionally ``iscrowd`` (n,). The
        classes are not used, only that a row is an object.
    positive_iou : minimum IoU for an anchor to count as positive.
    negative_iou : an anchor whose highest IoU is below this one counts as negative.
    batch_size_per_image : maximum number of anchors sampled per image.
    positive_fraction : maximum fraction of positives among them.

    Returns
    -------
    ``loss_objectness`` : binary cross-entropy of the sampled anchors, their mean.
    ``loss_rpn_box_reg`` : smooth L1 of the deltas of the sampled positives, summed and divided by
        the number of all sampled anchors. An image without objects adds nothing to the sum, but its
        anchors count in the divisor.

    Raises
    ------
    ValueError, TypeError: see ``roilearn.arguments.check_target``, ``match`` and ``sample``.

    Source
    ------
    Ren et al., Faster R-CNN (2015), section 3.1.2; beta 1/9, divisors and random numbers as in
    torchvision 0.29.

    Examples
    --------
    One anchor on the object and one beside it. Logits of 0 give a loss of ln 2, and the deltas are
    right:

    >>> anchors = torch.tensor([[0.0, 0, 10, 10], [20, 0, 30, 10]])
    >>> target = {"boxes": anchors[:1], "labels": torch.tensor([3])}
    >>> rpn_losses(torch.zeros(1, 2), torch.zeros(1, 2, 4), anchors, [target])
    {'loss_objectness': tensor(0.6931), 'loss_rpn_box_reg': tensor(0.)}
    """
    precise = torch.promote_types(objectness.dtype, torch.float32)
    logits, labels, predicted, true = [], [], [], []
    for image, target in enumerate(targets):
        anchor_labels, matched_idxs = anchor_targets(anchors, target, positive_iou, negative_iou)
        positive, negative = sample(anchor_labels, batch_size_per_image, positive_fraction)
        sampled = torch.cat([positive, negative])
        logits.append(objectness[image, sampled].to(precise))
        labels.append(anchor_labels[sampled].to(precise))
        predicted.append(deltas[image, positive].to(precise))
        boxes = target["boxes"][matched_idxs[positive]]
        true.append(encode_boxes(boxes, anchors[positive]).to(precise))
    number = max(sum(len(each) for each in labels), 1)
    entropy = functional.binary_cross_entropy_with_logits(
        torch.cat(logits), torch.cat(labels), reduction="sum"
    )
    distance = functional.smooth_l1_loss(
        torch.cat(predicted), torch.cat(true), beta=1 / 9, reduction="sum"
    )
    return {"loss_objectness": entropy / number, "loss_rpn_box_reg": distance / number}
