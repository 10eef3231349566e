"""NMS, in one class and in many, as contestants."""

from functools import partial

import torch
import torchvision

from roilearn import ops
from roilearn.bench.operators.implementations import BASELINE, OURS, Contestants
from roilearn.bench.workloads import Crowd, make_crowd


def nms_contestants(operator: str, shape: Crowd, *, backward: bool) -> Contestants:
    """Measure torchvision's function and ours. NMS has no gradient: ``backward`` must be false."""
    if backward:
        raise ValueError(f"backward must be False for {operator}, which has no gradient; got True.")
    boxes, scores, classes = (torch.from_numpy(array) for array in make_crowd(shape))
    arguments = (boxes, scores, classes) if operator == "batched_nms" else (boxes, scores)
    return {
        BASELINE: partial(getattr(torchvision.ops, operator), *arguments, shape.threshold),
        OURS: partial(getattr(ops, operator), *arguments, shape.threshold),
    }
