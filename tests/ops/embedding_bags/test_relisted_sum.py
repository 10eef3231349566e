"""Large boxes that are recorded for gradients: their bags are listed again, with equal results.

``SAVED_ENTRIES`` and ``RELISTED_ENTRIES`` are lowered here, so that small boxes count as large.
"""

import subprocess
import sys

import numpy as np
import pytest
import torch
from boxes import draw
from torch.autograd import grad, gradgradcheck

from roilearn import ops
from roilearn.ops.embedding_bags import memory, relisted_sum

SHAPE = (2, 6, 11, 9)
FEATURES = torch.tensor(np.random.RandomState(0).randn(*SHAPE))
COARSE = torch.tensor(np.random.RandomState(1).randn(2, 6, 6, 5))
KINDS = ("border", "full", "tiny", "inverted x", "outside")
ROIS = torch.tensor(np.concatenate([draw(kind, 5, SHAPE) for kind in KINDS])).double()
POOLS = {
    "align, adaptive": lambda x: ops.roi_align(x, ROIS, (3, 2), aligned=True),
    "align, fixed": lambda x: ops.roi_align(x, ROIS, 3, 1.0, 2),
    "average": lambda x: ops.roi_pool(x, ROIS, (2, 3), mode="average"),
    "prroi": lambda x: ops.prroi_pool(x, ROIS, 2),
    "position-sensitive": lambda x: ops.ps_roi_align(x, ROIS, (3, 2)),
    "two levels": lambda x: ops.multi_scale_roi_align([x, COARSE], ROIS, 2, [1, 0.5], -1),
}


@pytest.fixture
def large(monkeypatch):
    """Every box counts as large."""
    treat_as_large(monkeypatch)


def treat_as_large(monkeypatch):
    for name in ("SAVED_ENTRIES", "RELISTED_ENTRIES"):
        monkeypatch.setattr(memory, name, 60)


def derivatives(pool, features=FEATURES):
    """Output, gradient, and the derivative of the gradient's square."""
    features = features.clone().requires_grad_()
    output = pool(features)
    (first,) = grad(output.square().sum(), features, create_graph=True)
    (second,) = grad(first.square().sum(), features)
    return output.detach(), first.detach(), second


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("name", POOLS)
def test_derivatives_are_those_of_bags_that_are_saved(monkeypatch, name, threads):
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
    expected = derivatives(POOLS[name])
    treat_as_large(monkeypatch)
    found = derivatives(POOLS[name])
    assert torch.equal(found[0], expected[0])
    for one, other in zip(found[1:], expected[1:], strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.usefixtures("large")
def test_every_level_of_a_pyramid_has_its_gradient():
    def pool(*maps):
        return ops.multi_scale_roi_align(maps, ROIS[::3], 2, [1, 0.5], -1, canonical_scale=8)

    maps = [each[:, :1].clone().requires_grad_() for each in (FEATURES, COARSE)]
    assert gradgradcheck(pool, tuple(maps), fast_mode=True)
    assert all(each.any() for each in grad(pool(*maps).square().sum(), maps))


@pytest.mark.usefixtures("large")
def test_only_boxes_are_saved_and_only_where_they_have_no_gradient():
    features = FEATURES.clone().requires_grad_()
    saved = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: saved.append(t) or t, lambda t: t):
        ops.roi_align(features, ROIS, 3)
        assert [each.shape for each in saved] == [ROIS.shape]
        ops.roi_align(features, ROIS.clone().requires_grad_(), 3)
        assert max(each.numel() for each in saved) > 60 * ROIS.shape[0]


@pytest.mark.usefixtures("large")
def test_boxes_that_change_before_the_backward_pass_are_noticed():
    features, rois = FEATURES.clone().requires_grad_(), ROIS.clone()
    pooled = ops.ps_roi_pool(features, rois, (3, 2))
    rois.mul_(2)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        pooled.sum().backward()


@pytest.mark.usefixtures("large")
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_parts_of_the_gradient_of_halves_are_added_up_in_float32(dtype):
    features = FEATURES.to(dtype).requires_grad_()
    rois = ROIS.float().repeat(10, 1)  # each part is small beside the sum of those before
    pooled = ops.roi_align(features, rois, 3)
    (found,) = grad(pooled, features, torch.ones_like(pooled))
    exact = FEATURES.clone().requires_grad_()
    pooled = ops.roi_align(exact, rois.double(), 3)
    (expected,) = grad(pooled, exact, torch.ones_like(pooled))
    assert found.dtype == dtype
    torch.testing.assert_close(found.double(), expected, rtol=torch.finfo(dtype).eps, atol=0)


@pytest.mark.usefixtures("large")
def test_many_gradients_at_once():
    features = FEATURES.clone().requires_grad_()
    pooled = ops.roi_align(features, ROIS, 3)
    arriving = torch.stack([torch.ones_like(pooled), pooled.detach(), pooled.detach().square()])
    (found,) = grad(pooled, features, arriving, is_grads_batched=True, retain_graph=True)
    expected = torch.stack([grad(pooled, features, g, retain_graph=True)[0] for g in arriving])
    torch.testing.assert_close(found, expected)

    def loss(x):
        return ops.roi_align(x, ROIS, 3).square().sum()

    (expected,) = grad(loss(features), features)
    torch.testing.assert_close(torch.func.grad(loss)(FEATURES), expected)
    few = torch.eye(2, dtype=torch.float64)[:, :, None, None, None] * FEATURES
    curved = torch.func.vjp(torch.func.grad(loss), FEATURES)[1]
    torch.testing.assert_close(torch.vmap(curved)(few)[0].sum(0), curved(FEATURES)[0])


@pytest.mark.usefixtures("large")
def test_channels_last_maps_have_gradients_in_their_layout():
    features = FEATURES.contiguous(memory_format=torch.channels_last).requires_grad_()
    pooled = ops.roi_align(features, ROIS, 3, memory_format=torch.channels_last)
    (gradient,) = grad(pooled.sum(), features)
    assert pooled.is_contiguous(memory_format=torch.channels_last)
    assert gradient.is_contiguous(memory_format=torch.channels_last)


def test_usual_boxes_are_saved_as_bags(monkeypatch):
    """What fits into ``SAVED_ENTRIES`` is not listed twice, which takes time."""
    monkeypatch.setattr(memory, "relisted_sum", None)
    rois = ROIS.repeat(40, 1)  # 1,000 boxes, as a box head pools
    ops.roi_align(FEATURES.clone().requires_grad_(), rois, 7, 1.0, 2)
    monkeypatch.setattr(memory, "SAVED_ENTRIES", 1000 * 4 * 2 * 2 * 7 * 7 - 1)
    with pytest.raises(TypeError, match="NoneType"):
        ops.roi_align(FEATURES.clone().requires_grad_(), rois, 7, 1.0, 2)


def test_channels_are_added_some_at_a_time(monkeypatch):
    expected = derivatives(POOLS["align, adaptive"])
    treat_as_large(monkeypatch)
    monkeypatch.setattr(relisted_sum, "MOST_CHANNELS", 4)
    for one, other in zip(derivatives(POOLS["align, adaptive"]), expected, strict=True):
        torch.testing.assert_close(one, other)


MEASURE = """
import resource, torch
from roilearn import ops
def f(features, rois):
    pooled = ops.roi_align(features, rois, 7)
    pooled.backward(pooled.detach())
features = torch.zeros(1, 16, 150, 150, requires_grad=True)
rois = torch.tensor([[0.0, 3, 3, 143, 143]])
f(features, rois)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
f(features, rois.repeat(2000, 1))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss counts in other units elsewhere")
def test_memory_does_not_grow_with_the_boxes_that_are_recorded():
    """40 million entries, whose bags alone would take 320 MB, and their gradient 1.6 GB."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURE], check=True, capture_output=True, text=True
    )
    assert int(done.stdout) < 250_000
