"""Pooling operators: the same bits at any number of threads; their dtypes under autocast."""

import numpy as np
import pytest
import torch
import torchvision
from boxes import draw

from roilearn import ops

SHAPE = (2, 24, 20, 24)
FEATURES = torch.tensor(np.random.RandomState(0).randn(*SHAPE)).float()
KINDS = ("inside", "border", "huge", "tiny")
ROIS = torch.tensor(np.concatenate([draw(kind, 25, SHAPE) for kind in KINDS]))
BINS = (3, 4)
POOLS = {
    "roi_align": lambda x, b: ops.roi_align(x, b, BINS, 1.0, 2, True),
    "roi_align, adaptive": lambda x, b: ops.roi_align(x, b, BINS),
    "roi_pool": lambda x, b: ops.roi_pool(x, b, BINS),
    "roi_pool, average": lambda x, b: ops.roi_pool(x, b, BINS, mode="average"),
    "ps_roi_align": lambda x, b: ops.ps_roi_align(x, b, BINS),
    "ps_roi_pool": lambda x, b: ops.ps_roi_pool(x, b, BINS),
    "prroi_pool": lambda x, b: ops.prroi_pool(x, b, BINS),
    "crop_and_resize": lambda x, b: ops.crop_and_resize(x, b, BINS),
    "roi_align_rotated": lambda x, b: ops.roi_align_rotated(x, rotated(b), BINS),
    "multi_scale_roi_align": lambda x, b: ops.multi_scale_roi_align(
        [x, x[..., ::2, ::2]], b, BINS, [1, 1 / 2], canonical_scale=8, canonical_level=1
    ),
}


def rotated(rois):
    image, x1, y1, x2, y2 = rois.unbind(1)
    columns = [image, (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1, 30 + 0 * x1]
    with torch.autocast("cpu", enabled=False):  # which refuses to stack the other half
        return torch.stack(columns, 1)


def answers(name):
    features, rois = FEATURES.clone().requires_grad_(), ROIS.clone().requires_grad_()
    output = POOLS[name](features, rois)
    arriving = torch.tensor(np.random.RandomState(1).randn(*output.shape)).float()
    gradients = torch.autograd.grad(output, (features, rois), arriving, allow_unused=True)
    return [output.detach(), *(each for each in gradients if each is not None)]


def test_all_pooling_operators_are_here():
    pools = {name for name in ops.__all__ if name.endswith(("_align", "_pool", "_rotated"))}
    assert pools | {"crop_and_resize"} == {name.partition(",")[0] for name in POOLS}


@pytest.mark.parametrize("name", POOLS)
def test_forward_and_both_gradients_have_the_same_bits_at_one_and_at_two_threads(name):
    threads = torch.get_num_threads()
    results = []
    try:
        for number in (1, 2, 2):
            torch.set_num_threads(number)
            results.append(answers(name))
    finally:
        torch.set_num_threads(threads)
    for others in results[1:]:
        for one, other in zip(results[0], others, strict=True):
            assert torch.equal(one, other)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("name", POOLS)
def test_autocast_changes_nothing(name, dtype):
    """Features keep their dtype, positions and weights are float32 in any case."""
    for features in (FEATURES, FEATURES.to(dtype)):
        plain = POOLS[name](features, ROIS)
        with torch.autocast("cpu", dtype=dtype):
            cast = POOLS[name](features, ROIS)
        assert cast.dtype == features.dtype
        assert torch.equal(cast, plain)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("other", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("name", POOLS)
def test_autocast_meets_features_and_boxes_of_either_half(name, other, dtype):
    rois = ROIS.to(other)
    for features in (FEATURES, FEATURES.bfloat16(), FEATURES.half()):
        plain = POOLS[name](features, rois)
        with torch.autocast("cpu", dtype=dtype):
            assert torch.equal(POOLS[name](features, rois), plain)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("name", sorted(set(POOLS) - {"roi_pool"}))
def test_halves_are_weighted_and_added_up_in_float32(name, dtype):
    """Of a map of halves comes what a float32 map of the same numbers gives, rounded once."""
    half = FEATURES.to(dtype)
    exact = POOLS[name](half.float(), ROIS)
    assert torch.equal(POOLS[name](half, ROIS), exact.to(dtype))
    recorded = POOLS[name](half.clone().requires_grad_(), ROIS)
    assert torch.equal(recorded.detach(), exact.to(dtype))


def test_bins_of_a_constant_map_of_halves_are_that_constant():
    ones = torch.ones(1, 1, 40, 40, dtype=torch.bfloat16)
    sides = torch.linspace(3, 30, 200)
    rois = torch.stack([0 * sides, 0 * sides + 4, 0 * sides + 5, 4 + sides, 5 + sides], 1)
    assert (ops.roi_align(ones, rois, 7, aligned=True) == 1).all()


def test_torchvision_casts_and_casts_back():
    half = FEATURES.bfloat16()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        theirs = torchvision.ops.roi_align(half, ROIS, BINS, 1.0, 2, True)
        ours = ops.roi_align(half, ROIS, BINS, 1.0, 2, True)
    assert theirs.dtype == ours.dtype == torch.bfloat16
    torch.testing.assert_close(ours, theirs, rtol=0, atol=2e-2 * half.abs().max().item())
