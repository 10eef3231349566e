"""Mask targets: the mask of a box's object, cropped to the box and resized to the head's output."""

from collections.abc import Sequence
from itertools import accumulate

import torch
from jaxtyping import Bool, Float, Int64, Num
from torch import Tensor

from roilearn.arguments import check_flag, check_masks, check_output_size
from roilearn.models.targets.detection_targets import DetectionTargets
from roilearn.ops import roi_align


def mask_targets(
    masks: Num[Tensor, "n H W"] | Bool[Tensor, "n H W"],
    boxes: Float[Tensor, "K 4"],
    matched_idxs: Int64[Tensor, " K"],
    size: int,
    aligned: bool = False,
) -> Float[Tensor, "K size size"]:
    """Crop the mask of each box's object to the box, in ``size`` x ``size`` cells.

    Parameters
    ----------
    masks : (n, H, W) masks of the ground truth, 1 in the object and 0 elsewhere.
    boxes : (K, 4) boxes x1, y1, x2, y2 in image pixels.
    matched_idxs : (K,) row of ``masks`` that each box is matched with; below 0: none.
    size : number of cells along a side.
    aligned : subtract half a pixel, so that a pixel's value lies at its centre. False is
        torchvision's rule: its targets are shifted by half a pixel, and boxes are taken to be at
        least one pixel wide and high.

    Returns
    -------
    (K, size, size) values from 0 to 1, the fraction of a cell that the mask covers; zeros for a box
    without an object.

    Raises
    ------
    ValueError: masks that are not (n, H, W); see ``roi_align``.

    Source
    ------
    RoIAlign with one sample a pixel, as in torchvision 0.29; ``aligned=True`` as in Detectron2.

    Examples
    --------
    A square of 2 x 2 pixels, and a box that covers it and two columns more:

    >>> mask = torch.zeros(1, 6, 6)
    >>> mask[0, 2:4, 2:4] = 1
    >>> box = torch.tensor([[2.0, 2, 6, 4]])
    >>> mask_targets(mask, box, torch.tensor([0]), 2, aligned=True)
    tensor([[[1., 0.],
             [1., 0.]]])
    >>> mask_targets(mask, box, torch.tensor([0]), 2, aligned=False)
    tensor([[[0.7500, 0.0000],
             [0.3750, 0.0000]]])
    """
    check_masks(masks)
    check_flag("aligned", aligned)
    cells, _ = check_output_size(size, "size")
    targets = boxes.new_zeros(len(boxes), cells, cells)
    positive = matched_idxs >= 0
    rois = torch.cat([matched_idxs[positive, None].to(boxes.dtype), boxes[positive]], 1)
    pixels = masks[:, None].to(boxes.dtype)  # [n, 1, H, W]
    cropped = roi_align(pixels, rois, cells, aligned=aligned)  # [positive, 1, size, size]
    targets[positive] = cropped[:, 0]
    return targets


def all_mask_targets(
    masks: Sequence[Num[Tensor, "_ _ _"] | Bool[Tensor, "_ _ _"]],
    samples: Sequence[DetectionTargets],
    size: int,
    aligned: bool,
) -> Float[Tensor, "K size size"]:
    """Compute the mask targets of all images: ``mask_targets`` once for each size of image.

    A call costs more than the few boxes of one image, and images of a batch often have one size.

    Parameters
    ----------
    masks : (n, H, W) masks of each image's ground truth.
    samples : of each image, positives only.
    size, aligned : as in ``mask_targets``.
    """
    targets: list[Tensor] = [torch.empty(0)] * len(masks)
    for shape in {each.shape[1:] for each in masks}:
        alike = [image for image, each in enumerate(masks) if each.shape[1:] == shape]
        before = accumulate((len(masks[image]) for image in alike), initial=0)
        matched = [samples[i].matched_idxs + rows for i, rows in zip(alike, before, strict=False)]
        boxes = [samples[image].boxes for image in alike]
        together = torch.cat([masks[image] for image in alike])
        cropped = mask_targets(together, torch.cat(boxes), torch.cat(matched), size, aligned)
        for image, part in zip(alike, cropped.split([*map(len, boxes)]), strict=True):
            targets[image] = part
    return torch.cat(targets)
