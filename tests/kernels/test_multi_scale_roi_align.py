"""Multi-scale RoIAlign in one launch, against ``roilearn.ops``."""

import numpy as np
import pytest
import torch

from roilearn import kernels, ops

STATE = np.random.RandomState(0)
PYRAMID = [STATE.randn(2, 3, *size) for size in ((12, 18), (6, 9), (3, 5))]
BOXES = [[0, 1, 1, 40, 30], [1, 5, 0, 150, 110], [0, 5, 9, 100, 70], [1, 70, 60, 20, 9]]


def tensors(device, *arrays):
    return [torch.tensor(array, device=device, dtype=torch.float32) for array in arrays]


def grad_output(output):
    return torch.tensor(np.random.RandomState(1).randn(*output.shape)).to(output)


@pytest.mark.parametrize(("ratio", "deterministic"), [(2, True), (-1, True), (2, False)])
def test_a_pyramid_in_one_launch_and_its_gradients(device, ratio, deterministic):
    answers = []
    for implementation, place in ((kernels, device), (ops, "cpu")):
        *maps, boxes = (t.requires_grad_() for t in tensors(place, *PYRAMID, BOXES))
        further = {} if implementation is ops else {"deterministic": deterministic}
        scales = (1 / 8, 1 / 16, 1 / 32)
        options = {"aligned": True, "canonical_scale": 56, **further}
        pooled = implementation.multi_scale_roi_align(maps, boxes, (2, 3), scales, ratio, **options)
        pooled.backward(grad_output(pooled))
        answers.append([pooled.detach().cpu(), *(t.grad.cpu() for t in (*maps, boxes))])
    assert all(gradient.any() for gradient in answers[1])  # each level has a box
    for ours, expected in zip(*answers, strict=True):
        torch.testing.assert_close(ours, expected, rtol=1e-5, atol=2e-5)
