"""``paste_masks_in_image`` as contestants."""

from functools import partial

import torch
from torch import Tensor
from torchvision.models.detection import roi_heads

from roilearn import ops
from roilearn.bench.operators.implementations import BASELINE, OURS, Contestants
from roilearn.bench.workloads import Masks, make_masks


def paste_contestants(operator: str, shape: Masks, *, backward: bool) -> Contestants:
    """Measure torchvision's function, compared with the threshold where there is one, and ours."""
    if backward:
        raise ValueError(f"backward must be False for {operator}: masks are pasted once trained.")
    masks, boxes = (torch.from_numpy(array) for array in make_masks(shape))
    paste = partial(getattr(ops, operator), threshold=shape.threshold)
    return {
        BASELINE: partial(_paste_and_compare, masks, boxes, shape),
        OURS: partial(paste, masks, boxes, shape.image),
    }


def _paste_and_compare(masks: Tensor, boxes: Tensor, shape: Masks) -> Tensor:
    pasted = roi_heads.paste_masks_in_image(masks, boxes, shape.image)
    return pasted if shape.threshold is None else pasted > shape.threshold
