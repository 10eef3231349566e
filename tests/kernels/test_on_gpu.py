"""Tests that need a GPU: torchvision's CUDA kernels as peers, dispatch, memory, no synchronisation.

Only ``make test-gpu`` collects them.
"""

import numpy as np
import pytest
import torch
import torchvision
from boxes import KINDS, draw

from roilearn import kernels, ops

SHAPE = (2, 8, 24, 40)
CURVED = torch.tensor(np.random.RandomState(0).randn(*SHAPE)).float()
SETTINGS = [((7, 7), 0.25, 2), ((3, 5), 1.0, -1), ((14, 14), 0.5, 1)]
ONE_AXIS_INVERTED = ("inverted x", "inverted y")  # adaptive, aligned: no answer of theirs
NO_SIZE = ("zero", "inverted")  # adaptive and position-sensitive: NaN there, 0 here


def both(name, features, rois, *options):
    """Output and gradient to the features: (ours, theirs)."""
    answers = []
    for library in (ops, torchvision.ops):
        leaf = features.cuda().requires_grad_()
        output = getattr(library, name)(leaf, rois.cuda(), *options)
        grad_output = torch.tensor(np.random.RandomState(1).randn(*output.shape)).to(output)
        answers.append([output.detach(), *torch.autograd.grad(output, leaf, grad_output)])
    return zip(*answers, strict=True)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("aligned", [False, True])
def test_roi_align_is_torchvisions(kind, setting, aligned):
    size, scale, ratio = setting
    if ratio < 0 and aligned and kind in ONE_AXIS_INVERTED:
        kind = "inverted both"
    rois = torch.tensor(draw(kind, 40, SHAPE, scale))
    for ours, theirs in both("roi_align", CURVED, rois, size, scale, ratio, aligned):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("setting", SETTINGS)
def test_roi_pool_is_torchvisions(kind, setting):
    size, scale, _ = setting
    rois = torch.tensor(draw(kind, 40, SHAPE, scale))
    (ours, theirs), gradients = both("roi_pool", CURVED, rois, size, scale)
    assert torch.equal(ours, theirs)
    torch.testing.assert_close(*gradients, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("ratio", [2, -1])
def test_ps_roi_align_is_torchvisions(kind, ratio):
    if ratio < 0 and kind.startswith(NO_SIZE):
        kind = "inside"
    rois = torch.tensor(draw(kind, 40, SHAPE))
    for ours, theirs in both("ps_roi_align", CURVED, rois, 2, 1.0, ratio):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.7])
def test_nms_is_torchvisions(threshold):
    state = np.random.RandomState(0)
    boxes = torch.tensor(draw("inside", 3000, (1, 1, 90, 90))[:, 1:]).cuda()
    scores = torch.tensor(state.permutation(3000) / 3000).float().cuda()
    kept = torchvision.ops.nms(boxes, scores, threshold)
    assert torch.equal(ops.nms(boxes, scores, threshold), kept)


def test_a_pyramid_is_torchvisions():
    state = np.random.RandomState(0)
    sizes = [(64, 80), (32, 40), (16, 20), (8, 10)]
    maps = {str(n): torch.tensor(state.randn(2, 8, *s)).float() for n, s in enumerate(sizes)}
    boxes = [torch.tensor(draw("inside", 60, (1, 1, 256, 320))[:, 1:]).cuda() for _ in range(2)]
    answers = []
    for library in (ops, torchvision.ops):
        leaves = {name: m.cuda().requires_grad_() for name, m in maps.items()}
        pool = library.MultiScaleRoIAlign(list(maps), 7, 2, canonical_scale=64)
        output = pool(leaves, boxes, [(256, 320)] * 2)
        output.square().sum().backward()
        answers.append([output.detach(), *(leaf.grad for leaf in leaves.values())])
    for ours, theirs in zip(*answers, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_half_precision_stays_near_float32(dtype, layout):
    rois = torch.tensor(draw("inside", 60, SHAPE)).cuda()
    features = CURVED.cuda().to(dtype).to(memory_format=layout)
    pooled = ops.roi_align(features, rois, 7, 1.0, 2, aligned=True)
    exact = ops.roi_align(features.double(), rois.double(), 7, 1.0, 2, aligned=True)
    torch.testing.assert_close(pooled.double(), exact, rtol=2**-7, atol=2**-9)


def test_ops_dispatches_to_the_kernels_and_both_agree(monkeypatch):
    features, rois = CURVED.cuda(), torch.tensor(draw("inside", 60, SHAPE)).cuda()
    seen = []
    monkeypatch.setattr(
        kernels, "roi_align", lambda *a, f=kernels.roi_align, **k: (seen.append(1), f(*a, **k))[1]
    )
    pooled = ops.roi_align(features, rois, 7, 1.0, 2)
    assert seen
    expected = ops.roi_align(features.double(), rois.double(), 7, 1.0, 2)
    torch.testing.assert_close(pooled.double(), expected, rtol=1e-5, atol=1e-5)


def test_ten_runs_give_the_same_bits_where_many_boxes_overlap():
    rois = torch.tensor(draw("inside", 2000, (2, 1, 8, 8))).cuda()
    leaf = CURVED.cuda().requires_grad_()
    output = kernels.roi_align(leaf, rois, 7, 1.0, 2)
    gradient = [
        torch.autograd.grad(output, leaf, output.detach(), retain_graph=True)[0] for _ in range(10)
    ]
    assert all(torch.equal(gradient[0], again) for again in gradient[1:])
    other = kernels.roi_align(leaf, rois, 7, 1.0, 2, deterministic=False)
    (added,) = torch.autograd.grad(other, leaf, output.detach())
    torch.testing.assert_close(added, gradient[0], rtol=1e-4, atol=1e-3)


def test_nothing_waits_for_the_gpu():
    rois = torch.tensor(draw("inside", 60, SHAPE)).cuda()
    rois[3, 2], rois[4, 0] = torch.nan, 77
    leaf = CURVED.cuda().requires_grad_()
    pyramid = [leaf, leaf[:, :, ::2, ::2]]
    torch.cuda.set_sync_debug_mode("error")
    try:
        for ratio in (2, -1):
            ops.roi_align(leaf, rois, 7, 1.0, ratio).sum().backward()
            ops.ps_roi_align(leaf, rois, 2, 1.0, ratio).sum().backward()
            kernels.multi_scale_roi_align(pyramid, rois, 7, [0.5, 0.25], ratio).sum().backward()
        ops.roi_pool(leaf, rois, 7).sum().backward()
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert leaf.grad.isfinite().all()


def test_memory_beside_inputs_and_results_is_the_index_alone():
    features = torch.zeros(2, 64, 100, 152, device="cuda").requires_grad_()
    rois = torch.tensor(draw("inside", 1000, features.shape)).cuda()
    output = kernels.roi_align(features, rois, 7, 1.0, 2)
    grad_output = torch.ones_like(output)
    torch.autograd.grad(output, features, grad_output, retain_graph=True)  # compiled
    before = torch.cuda.memory_allocated()
    torch.cuda.reset_peak_memory_stats()
    (gradient,) = torch.autograd.grad(output, features, grad_output)
    extra = torch.cuda.max_memory_allocated() - before - gradient.numel() * 4
    tiles = 25 * 10
    assert extra <= 4 * tiles * 1000 + 2**20
