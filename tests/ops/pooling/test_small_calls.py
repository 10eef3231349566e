"""Small calls: what empty ones return, and how many operations of PyTorch they take.

On a few numbers an operation takes as long as on a thousand, so their number is the time.
"""

import collections

import pytest
import torch
from every_operator import BINS, FEATURES, POOLING, ROIS, rois_of
from torch.utils._python_dispatch import TorchDispatchMode

from roilearn import ops

ONE = torch.tensor([[0.0, 1, 2, 9, 8]])
WIDE = torch.rand(1, 9 * 49, 10, 12)
CALLS = {
    "roi_align": lambda b: ops.roi_align(WIDE, b, 7, 1.0, 2, True),
    "roi_align, adaptive": lambda b: ops.roi_align(WIDE, b, 7, 1.0, -1, True),
    "roi_pool": lambda b: ops.roi_pool(WIDE, b, 7),
    "ps_roi_align": lambda b: ops.ps_roi_align(WIDE, b, 7, 1.0, 2),
    "ps_roi_pool": lambda b: ops.ps_roi_pool(WIDE, b, 7),
}
OPERATIONS = {
    "roi_align": 115,
    "roi_align, adaptive": 210,
    "roi_pool": 165,
    "ps_roi_align": 125,
    "ps_roi_pool": 250,
}
EMPTY_OPERATIONS = 15


class Count(TorchDispatchMode):
    """Counts the operations of PyTorch."""

    def __init__(self):
        super().__init__()
        self.calls = collections.Counter()

    def __torch_dispatch__(self, function, types, arguments=(), options=None):
        self.calls[str(function)] += 1
        return function(*arguments, **(options or {}))


def operations(call, boxes):
    with torch.inference_mode(), Count() as count:
        call(boxes)
    return sum(count.calls.values())


@pytest.mark.parametrize("name", OPERATIONS)
def test_one_box_takes_no_more_operations_than_before(name):
    assert operations(CALLS[name], ONE) <= OPERATIONS[name]


@pytest.mark.parametrize("name", CALLS)
def test_no_box_takes_a_few_operations(name):
    assert operations(CALLS[name], ONE[:0]) <= EMPTY_OPERATIONS


@pytest.mark.parametrize("name", POOLING)
def test_no_boxes_have_a_result_and_gradients_of_zero(name):
    none = rois_of(name)[:0]
    channels = POOLING[name](FEATURES, rois_of(name)).shape[1]
    assert POOLING[name](FEATURES, none).shape == (0, channels, *BINS)
    features = FEATURES.clone().requires_grad_()
    POOLING[name](features, none).sum().backward()
    assert torch.equal(features.grad, torch.zeros_like(FEATURES))


@pytest.mark.parametrize("name", ["roi_align", "multi_scale_roi_align", "ps_roi_align"])
def test_no_boxes_have_gradients_too(name):
    none = ROIS[:0].clone().requires_grad_()
    (gradient,) = torch.autograd.grad(POOLING[name](FEATURES, none).sum(), none)
    assert gradient.shape == none.shape


def test_a_place_for_no_boxes_is_checked():
    features = FEATURES.clone().requires_grad_()
    with pytest.raises(ValueError, match="out must be None while gradients are recorded"):
        ops.roi_align(features, ROIS[:0], BINS, out=torch.empty(0, 6, *BINS))
    with pytest.raises(ValueError, match=r"out must have shape \(0, 6, 2, 3\)"):
        ops.roi_align(FEATURES, ROIS[:0], BINS, out=torch.empty(0, 5, *BINS))


@pytest.mark.filterwarnings("ignore:.*torch.jit.trace")
@pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning")
def test_a_graph_recorded_without_boxes_pools_those_that_come_later():
    def pool(boxes):
        return ops.roi_align(FEATURES, boxes, BINS, 0.7, 2)

    traced = torch.jit.trace(pool, (ROIS[:0],), check_trace=False)
    torch.testing.assert_close(traced(ROIS), pool(ROIS))


def test_boxes_of_any_kind_of_tensor_are_checked():
    """A view with a sign that is still to be applied has no array of its own."""
    turned = torch.complex(ROIS, -ROIS).conj().imag
    assert turned.is_neg()
    assert torch.equal(ops.roi_align(FEATURES, turned, BINS), ops.roi_align(FEATURES, ROIS, BINS))
    with pytest.raises(ValueError, match="got batch index 2 in row 1"):
        ops.roi_align(FEATURES, turned * 2, BINS)
    slopes = torch.func.grad(lambda b: ops.roi_align(FEATURES, b, BINS, 0.7, 2).square().sum())
    assert slopes(ROIS).abs().sum() > 0
