"""Value-dependent operators: one custom operator each in compiled and exported graphs."""

import numpy as np
import pytest
import torch
from boxes import draw

from roilearn import ops

pytestmark = pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning")

SHAPE = (2, 12, 9, 12)
FEATURES = torch.tensor(np.random.RandomState(0).randn(*SHAPE))
BINS, SCALE = (3, 2), 0.9
CALLS = {
    "roi_align": lambda x, b: ops.roi_align(x, b, BINS, SCALE, -1, True),
    "roi_pool": lambda x, b: ops.roi_pool(x, b, BINS, SCALE),
    "roi_pool, average": lambda x, b: ops.roi_pool(x, b, BINS, SCALE, "average"),
    "ps_roi_align": lambda x, b: ops.ps_roi_align(x, b, BINS, SCALE),
    "ps_roi_pool": lambda x, b: ops.ps_roi_pool(x, b, BINS, SCALE, True),
    "prroi_pool": lambda x, b: ops.prroi_pool(x, b, BINS, SCALE, True),
    "roi_align_rotated": lambda x, b: ops.roi_align_rotated(x, turned(b), BINS, SCALE),
    "multi_scale_roi_align": lambda x, b: ops.multi_scale_roi_align(
        [x, x[..., ::2, ::2]], b, BINS, [1, 1 / 2], canonical_scale=4, canonical_level=1
    ),
}
NO_BOX_GRADIENT = ("roi_pool", "roi_pool, average", "ps_roi_pool")


def turned(rois):
    """The same boxes by centre and size, turned by 20 degrees."""
    image, x1, y1, x2, y2 = rois.unbind(1)
    return torch.stack([image, (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1, 20 + 0 * x1], 1)


def rois_of(count):
    return torch.tensor(draw("border", count, SHAPE, SCALE)).double()


class Pool(torch.nn.Module):
    def __init__(self, name):
        super().__init__()
        self.name = name

    def forward(self, features, rois):
        return CALLS[self.name](features, rois) * 2


@pytest.mark.parametrize("name", CALLS)
def test_compiled_without_a_break_forward_and_backward(name):
    torch._dynamo.reset()
    compiled = torch.compile(Pool(name), fullgraph=True, dynamic=True, backend="aot_eager")
    for count in (4, 9):
        results = []
        for pool in (compiled, Pool(name)):
            features, rois = FEATURES.clone().requires_grad_(), rois_of(count).requires_grad_()
            output = pool(features, rois)
            gradients = torch.autograd.grad(
                output.square().sum(), (features, rois), allow_unused=True
            )
            results.append((output, *gradients))
        (ours, feature_gradient, to_rois), (eager, features_eager, rois_eager) = results
        assert torch.equal(ours, eager)
        torch.testing.assert_close(feature_gradient, features_eager, rtol=0, atol=1e-12)
        assert (rois_eager is None) == (name in NO_BOX_GRADIENT)
        if rois_eager is None:
            assert to_rois is None or not to_rois.any()
        else:
            torch.testing.assert_close(to_rois, rois_eager, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", CALLS)
def test_exported_for_any_number_of_boxes(name):
    any_number = ({}, {0: torch.export.Dim.DYNAMIC})
    program = torch.export.export(Pool(name), (FEATURES, rois_of(5)), dynamic_shapes=any_number)
    for count in (2, 20):
        rois = rois_of(count)
        assert torch.equal(program.module()(FEATURES, rois), Pool(name)(FEATURES, rois))


def test_bad_boxes_give_zeros_in_a_graph():
    torch._dynamo.reset()
    for name in ("roi_align", "roi_pool", "ps_roi_pool", "prroi_pool"):
        compiled = torch.compile(Pool(name), fullgraph=True, backend="aot_eager")
        rois = rois_of(4)
        rois[0, 2], rois[1, 0], rois[2, 0] = torch.nan, 2, -1
        pooled = compiled(FEATURES, rois)
        assert not pooled[:3].any()
        torch.testing.assert_close(pooled[3:], Pool(name)(FEATURES, rois[3:]))
