"""Chunks of boxes and blocks that fit a cache change no bit of any result."""

import sys

import numpy as np
import pytest
import torch
from boxes import draw

from roilearn import ops
from roilearn.ops.embedding_bags import memory, planes

SHAPE = (2, 7, 6, 9)
FEATURES = torch.tensor(np.random.RandomState(0).randn(*SHAPE))
ROIS = torch.tensor(np.concatenate([draw(kind, 9, SHAPE) for kind in ("border", "full", "tiny")]))
POOLS = {
    "align, fixed": lambda x, rois: ops.roi_align(x, rois, (2, 3), sampling_ratio=2),
    "align, adaptive": lambda x, rois: ops.roi_align(x, rois, (5, 4), aligned=True),
    "pool, largest": lambda x, rois: ops.roi_pool(x, rois, (2, 3)),
    "pool, average": lambda x, rois: ops.roi_pool(x, rois, (4, 1), mode="average"),
}
SIZES = {  # of numbers: in a small table, in a block; of channels; of entries: listed, kept
    "SMALL_TABLE": 0,
    "ENTRY_COST": np.inf,
    "FEWEST_CHANNELS": 1,
    "MOST_CHANNELS": 1,
    "FEW_CHANNELS": 0,
    "PLANE_ENTRIES": 2**17,
    "BLOCK_SIZE": 2**18,
    "CHUNK_ENTRIES": 2**15,
    "MAX_ENTRIES": 2**22,
}
CUTS = {
    "three channels in a table": {"FEWEST_CHANNELS": 3, "MOST_CHANNELS": 3},
    "one channel in a table": {},
    "all channels in a table": {"SMALL_TABLE": 2**18},
    "two maps in a block": {"BLOCK_SIZE": 7 * 2 * 6},
    "five cells in a block": {"BLOCK_SIZE": 7 * 5},
    "one cell in a block": {"BLOCK_SIZE": 1},
    "two boxes in a chunk": {"CHUNK_ENTRIES": 200},
    "boxes are divided, not channels": {"CHUNK_ENTRIES": 200, "MAX_ENTRIES": 1},
    "planes, a box at once": {"FEW_CHANNELS": 8, "PLANE_ENTRIES": 1},
    "planes, five boxes at once": {"FEW_CHANNELS": 8, "PLANE_ENTRIES": 500},
    "no table": {"ENTRY_COST": 0},
    "no table, two boxes in a chunk, five cells in a block": {
        "ENTRY_COST": 0,
        "CHUNK_ENTRIES": 200,
        "BLOCK_SIZE": 7 * 5,
    },
    "everything": {"BLOCK_SIZE": 16, "CHUNK_ENTRIES": 1},
}


def answers(name):
    """Output without and with a recording for gradients, and the gradient of the latter."""
    features = FEATURES.clone().requires_grad_()
    output = POOLS[name](features, ROIS.double())
    arriving = torch.tensor(np.random.RandomState(1).randn(*output.shape))
    (gradient,) = torch.autograd.grad(output, features, arriving)
    return POOLS[name](FEATURES, ROIS.double()), output.detach(), gradient


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("name", POOLS)
def test_parts_change_no_bit(monkeypatch, name, cut, threads):
    if "planes" not in cut:
        for module in (planes, memory):
            monkeypatch.setattr(module, "FEW_CHANNELS", 0)
    whole = answers(name)
    changed = set()
    for module in [m for n, m in sys.modules.items() if n.startswith("roilearn.ops.")]:
        for size, value in (SIZES | CUTS[cut]).items():
            if hasattr(module, size):
                monkeypatch.setattr(module, size, value)
                changed.add(size)
    assert changed == set(SIZES)
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
    for parts, expected in zip(answers(name), whole, strict=True):
        assert torch.equal(parts, expected)


@pytest.mark.parametrize("channels", [512, 1024])
def test_rows_a_power_of_two_long_are_laid_out_like_others(channels):
    features = torch.randn(1, channels, 4, 5)
    rois = torch.tensor([[0.0, 0.3, 0.4, 3.1, 3.9]])
    few = ops.roi_align(features[:, :20].contiguous(), rois, 3, sampling_ratio=2)
    assert torch.equal(ops.roi_align(features, rois, 3, sampling_ratio=2)[:, :20], few)
