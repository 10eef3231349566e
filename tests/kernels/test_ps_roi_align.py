"""Position-sensitive RoIAlign and its gradients, against ``roilearn.ops``."""

import numpy as np
import pytest
import torch
from boxes import draw

from roilearn import kernels, ops

SENSITIVE = np.random.RandomState(0).randn(2, 12, 6, 9)


def tensors(device, *arrays):
    return [torch.tensor(array, device=device, dtype=torch.float32) for array in arrays]


def grad_output(output):
    return torch.tensor(np.random.RandomState(1).randn(*output.shape)).to(output)


@pytest.mark.parametrize(("layout", "ratio"), [("contiguous_format", 2), ("channels_last", -1)])
def test_ps_roi_align_and_both_its_gradients(device, layout, ratio):
    rois = np.concatenate([draw(kind, 2, SENSITIVE.shape) for kind in ("inside", "border")])
    answers = []
    for implementation, place in ((kernels, device), (ops, "cpu")):
        features, boxes = tensors(place, SENSITIVE, rois)
        features = features.to(memory_format=getattr(torch, layout)).requires_grad_()
        pooled = implementation.ps_roi_align(features, boxes.requires_grad_(), (3, 2), 1.0, ratio)
        pooled.backward(grad_output(pooled))
        answers.append([t.cpu() for t in (pooled.detach(), features.grad, boxes.grad)])
    for ours, expected in zip(*answers, strict=True):
        torch.testing.assert_close(ours, expected, rtol=1e-5, atol=2e-5)
