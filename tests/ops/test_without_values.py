"""Tensors without values: the meta device, ``FakeTensorMode``, and ``make_fx``, which records.

Shapes come out as if there were values, and a recorded graph computes what the operator does.
"""

import pytest
import torch
from every_operator import BOX_FUNCTIONS, BOXES, FEATURES, POOLING, rois_of
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.fx.experimental.proxy_tensor import make_fx

from roilearn import ops

CALLS = {name: (each, (FEATURES, rois_of(name))) for name, each in POOLING.items()} | {
    name: (each, (BOXES,)) for name, each in BOX_FUNCTIONS.items()
}


@pytest.mark.parametrize("name", CALLS)
def test_shapes_alone(name):
    function, tensors = CALLS[name]
    expected = function(*tensors)
    found = function(*(each.to("meta") for each in tensors))
    assert found.is_meta
    assert (found.shape, found.dtype) == (expected.shape, expected.dtype)
    with FakeTensorMode() as mode:
        found = function(*map(mode.from_tensor, tensors))
    assert (found.shape, found.dtype) == (expected.shape, expected.dtype)


def check_graph(name, mode):
    function, tensors = CALLS[name]
    graph = make_fx(function, tracing_mode=mode)(*tensors)
    others = (*(each.flip(0) for each in tensors[:-1]), tensors[-1] + 0)
    torch.testing.assert_close(graph(*others), function(*others))


@pytest.mark.parametrize("name", CALLS)
def test_recorded_by_make_fx(name):
    check_graph(name, "real")


@pytest.mark.parametrize("mode", ["fake", "symbolic"])
@pytest.mark.parametrize("name", ["roi_align", "roi_align, adaptive", "box_iou"])
def test_recorded_without_values(name, mode):
    check_graph(name, mode)


@pytest.mark.parametrize("name", ["roi_align", "roi_pool", "roi_align_rotated, adaptive"])
def test_recorded_gradients(name):
    rois = rois_of(name)

    def gradient(x):
        x = x.detach().requires_grad_()
        return torch.autograd.grad(POOLING[name](x, rois).square().sum(), x)[0]

    graph = make_fx(gradient)(FEATURES)
    torch.testing.assert_close(graph(2 * FEATURES), gradient(2 * FEATURES))


def test_how_many_boxes_are_kept_needs_values():
    boxes, scores = BOXES.to("meta"), torch.zeros(3, device="meta")
    for call in (lambda: ops.nms(boxes, scores, 0.5), lambda: ops.remove_small_boxes(boxes, 1)):
        with pytest.raises(ValueError, match=r"boxes must have values.*tensor on the meta device"):
            call()
    fake = FakeTensorMode().from_tensor(BOXES)
    with pytest.raises(ValueError, match=r"boxes must have values.*a fake tensor\. Pass a real"):
        ops.remove_small_boxes(fake, 1)


def test_kept_boxes_are_recorded():
    scores = torch.tensor([0.3, 0.9, 0.5])
    graph = make_fx(lambda b, s: (ops.nms(b, s, 0.2), ops.remove_small_boxes(b, 3.8)))
    graph = graph(BOXES, scores)
    for found, expected in zip(
        graph(BOXES[:2] * 2, scores[:2]),
        (ops.nms(BOXES[:2] * 2, scores[:2], 0.2), ops.remove_small_boxes(BOXES[:2] * 2, 3.8)),
        strict=True,
    ):
        assert torch.equal(found, expected)
