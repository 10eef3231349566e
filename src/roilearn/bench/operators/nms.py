"""Implementations of NMS: ``nms`` and ``batched_nms``."""

from functools import partial

import torch
import torchvision

from roilearn import ops
from roilearn.bench.operators.implementations import BASELINE, OURS, Implementations
from roilearn.bench.workloads import NmsWorkload, make_nms_inputs


def nms_implementations(operator: str, workload: NmsWorkload, *, backward: bool) -> Implementations:
    """Make calls of torchvision's function and ours. ``backward`` must be false: no gradient."""
    if backward:
        raise ValueError(f"backward must be False for {operator}, which has no gradient; got True.")
    boxes, scores, classes = (torch.from_numpy(array) for array in make_nms_inputs(workload))
    arguments = (boxes, scores, classes) if operator == "batched_nms" else (boxes, scores)
    return {
        BASELINE: partial(getattr(torchvision.ops, operator), *arguments, workload.threshold),
        OURS: partial(getattr(ops, operator), *arguments, workload.threshold),
    }
