"""Maxima from windows of powers of two: the same bits as the maxima of the cells."""

import numpy as np
import pytest
import torch
from boxes import draw

from roilearn import ops, reference
from roilearn.ops.pooling import roi_pool as room

SHAPE = (2, 3, 17, 23)
KINDS = ("inside", "border", "full", "tiny")
ROIS = torch.tensor(np.concatenate([draw(kind, 60, SHAPE) for kind in KINDS])).float()


@pytest.fixture
def calls(monkeypatch):
    """Calls of ``range_maxima``, each noted."""
    calls, called = [], room.range_maxima

    def noted(*arguments):
        calls.append(arguments)
        return called(*arguments)

    monkeypatch.setattr(room, "range_maxima", noted)
    return calls


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
@pytest.mark.parametrize("bins", [1, (2, 3), 7])
def test_few_channels_of_many_boxes_are_those_of_the_cells(calls, bins, dtype):
    features = torch.tensor(np.random.RandomState(0).randn(*SHAPE)).to(dtype)
    features[0, 0, 3:9, 4:8] = torch.nan
    features[1, 2] = -torch.inf
    pooled = ops.roi_pool(features, ROIS, bins)
    assert len(calls) == 1
    recorded = ops.roi_pool(features.clone().requires_grad_(), ROIS, bins)
    assert len(calls) == 1
    torch.testing.assert_close(pooled, recorded.detach(), rtol=0, atol=0, equal_nan=True)


def test_they_are_those_of_the_loops(calls):
    features = np.random.RandomState(1).randn(*SHAPE).astype(np.float32)
    pooled = ops.roi_pool(torch.tensor(features), ROIS, 3)
    assert len(calls) == 1
    assert np.array_equal(pooled.numpy(), reference.roi_pool(features, ROIS.numpy(), 3))


def test_one_small_box_reads_its_cells(calls):
    ops.roi_pool(torch.zeros(SHAPE), ROIS[:1], 2)
    ops.roi_pool(torch.zeros(SHAPE), ROIS[:0], 2)
    assert not calls
