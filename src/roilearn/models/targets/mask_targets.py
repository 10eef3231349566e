"""Mask targets: what a box sees of its object's mask, in as many cells as the head will draw."""

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
    index: Int64[Tensor, " K"],
    size: int,
    half_cell: bool = False,
) -> Float[Tensor, "K size size"]:
    """Show what each box sees of its object's mask, in ``size`` x ``size`` cells.

    Parameters
    ----------
    masks : (n, H, W) masks of the ground truth, 1 in the object and 0 elsewhere.
    boxes : (K, 4) boxes x1, y1, x2, y2 in image pixels.
    index : (K,) row of ``masks`` that each box stands for; below 0: none.
    size : cells along a side.
    half_cell : subtract half a pixel, so that a pixel's value lies at its centre. False is
        torchvision's rule: its targets lie half a pixel off, and none is of less than a pixel.

    Returns
    -------
    (K, size, size) values from 0 to 1, the share of a cell that the mask covers; zeros for a box
    that stands for nothing.

    Raises
    ------
    ValueError: masks that are not (n, H, W); see ``roi_align``.

    Source
    ------
    RoIAlign with one sample a pixel, as in torchvision 0.27; ``half_cell=True`` as in Detectron2.

    Examples
    --------
    A square of 2 x 2 pixels, seen from a box that covers it and two columns more:

    >>> mask = torch.zeros(1, 6, 6)
    >>> mask[0, 2:4, 2:4] = 1
    >>> box = torch.tensor([[2.0, 2, 6, 4]])
    >>> mask_targets(mask, box, torch.tensor([0]), 2, half_cell=True)
    tensor([[[1., 0.],
             [1., 0.]]])
    >>> mask_targets(mask, box, torch.tensor([0]), 2, half_cell=False)
    tensor([[[0.7500, 0.0000],
             [0.3750, 0.0000]]])
    """
    check_masks(masks)
    check_flag("half_cell", half_cell)
    cells, _ = check_output_size(size, "size")
    shown = boxes.new_zeros(len(boxes), cells, cells)
    positive = index >= 0
    rois = torch.cat([index[positive, None].to(boxes.dtype), boxes[positive]], 1)
    shown[positive] = roi_align(masks[:, None].to(boxes.dtype), rois, cells, aligned=half_cell)[
        :, 0
    ]
    return shown


def all_mask_targets(
    masks: Sequence[Num[Tensor, "_ _ _"] | Bool[Tensor, "_ _ _"]],
    samples: Sequence[DetectionTargets],
    size: int,
    half_cell: bool,
) -> Float[Tensor, "K size size"]:
    """Show what the boxes of all images see: ``mask_targets`` once for each size of image.

    A call costs more than the few boxes of one image, and images of a batch often have one size.

    Parameters
    ----------
    masks : (n, H, W) masks of each image's ground truth.
    samples : of each image, objects alone.
    size, half_cell : as in ``mask_targets``.
    """
    shown: list[Tensor] = [torch.empty(0)] * len(masks)
    for shape in {each.shape[1:] for each in masks}:
        alike = [image for image, each in enumerate(masks) if each.shape[1:] == shape]
        before = accumulate((len(masks[image]) for image in alike), initial=0)
        index = [samples[i].index + rows for i, rows in zip(alike, before, strict=False)]
        boxes = [samples[image].boxes for image in alike]
        together = torch.cat([masks[image] for image in alike])
        targets = mask_targets(together, torch.cat(boxes), torch.cat(index), size, half_cell)
        for image, part in zip(alike, targets.split([*map(len, boxes)]), strict=True):
            shown[image] = part
    return torch.cat(shown)
