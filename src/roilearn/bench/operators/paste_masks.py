"""Implementations of ``paste_masks_in_image``."""

from functools import partial

import torch
from torch import Tensor
from torchvision.models.detection import roi_heads

from roilearn import ops
from roilearn.bench.operators.implementations import BASELINE, OURS, Implementations
from roilearn.bench.workloads import PasteWorkload, make_paste_inputs


def paste_masks_implementations(
    operator: str, workload: PasteWorkload, *, backward: bool
) -> Implementations:
    """Make calls of torchvision's function and ours.

    torchvision's returns probabilities, so its call also compares them with the threshold, if any.
    """
    if backward:
        raise ValueError(
            f"backward must be False for {operator}: masks are pasted at inference only."
        )
    masks, boxes = (torch.from_numpy(array) for array in make_paste_inputs(workload))
    paste = partial(getattr(ops, operator), threshold=workload.threshold)
    return {
        BASELINE: partial(_paste_and_compare, masks, boxes, workload),
        OURS: partial(paste, masks, boxes, workload.image),
    }


def _paste_and_compare(masks: Tensor, boxes: Tensor, workload: PasteWorkload) -> Tensor:
    pasted = roi_heads.paste_masks_in_image(masks, boxes, workload.image)
    return pasted if workload.threshold is None else pasted > workload.threshold
