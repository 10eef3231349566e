"""Boxes, deltas and anchors in PyTorch: equal to the reference; derivatives, dtypes."""

import numpy as np
import pytest
import torch
from boxes import KINDS, draw
from numpy.testing import assert_allclose
from torch.autograd import gradcheck, gradgradcheck

from roilearn import ops, reference

SHAPE = (1, 1, 30, 50)
HEADS = (10.0, 10.0, 5.0, 5.0)
FORMATS = reference.BOX_FORMATS


def boxes(kind="inside", count=9, seed=0):
    return torch.tensor(draw(kind, count, SHAPE, seed=seed)[:, 1:]).double()


def deltas_of(*shape):
    return torch.tensor(np.random.RandomState(0).randn(*shape))


@pytest.mark.parametrize("kind", KINDS)
def test_the_loops_answers(kind):
    given, others = boxes(kind), boxes(seed=1)
    calls = [
        ("box_area", given),
        ("box_iou", given, others),
        ("generalized_box_iou", given, others),
        ("clip_boxes_to_image", given, (20, 30)),
        ("remove_small_boxes", given, 3.0),
        ("decode_boxes", 20 * deltas_of(9, 4), given, HEADS),
        ("decode_boxes", deltas_of(9, 2, 4), given, HEADS, 0.1),
        *(("box_convert", given, one, other) for one in FORMATS for other in FORMATS),
    ]
    for name, *arguments in calls:
        arrays = [a.numpy() if isinstance(a, torch.Tensor) else a for a in arguments]
        loop = getattr(reference, name)(*arrays)
        assert_allclose(getattr(ops, name)(*arguments), loop, atol=1e-9, rtol=1e-12)


def test_the_loops_deltas_and_anchors():
    given, anchors = boxes(), boxes(seed=1)
    loop = reference.encode_boxes(given.numpy(), anchors.numpy(), HEADS)
    assert_allclose(ops.encode_boxes(given, anchors, HEADS), loop, atol=1e-12)
    for options in (((3, 4), 8, (4, 9)), ((2, 1), (4, 16), 7, (0.3, 2.0), 0.25, True)):
        ours = ops.generate_anchors(*options, dtype=torch.float64)
        assert_allclose(ours, reference.generate_anchors(*options), atol=1e-12)
    options = [(4, 6), (2, 3)], (4, 8), (32, (64, 99)), 0.5, 0.0
    for ours, loop in zip(
        ops.pyramid_anchors(*options), reference.pyramid_anchors(*options), strict=True
    ):
        assert_allclose(ours, loop, atol=1e-5)


SMOOTH = {
    "convert": lambda a, b: ops.box_convert(a, "cxcywh", "xywh") * b,
    "area": lambda a, b: ops.box_area(a) * b[:, 0],
    "iou": ops.box_iou,
    "generalised": ops.generalized_box_iou,
    "clip": lambda a, b: ops.clip_boxes_to_image(a, (17, 31)) * b,
    "encode": lambda a, b: ops.encode_boxes(a, b, HEADS),
    "decode": lambda a, b: ops.decode_boxes(a / 20 - 0.5, b, HEADS),
    "decode, held": lambda a, b: ops.decode_boxes(a / 20, b, scale_clamp=1.0),
    "decode classes": lambda a, b: ops.decode_boxes(a.reshape(2, 2, 4) / 20, b[:2]),
}


@pytest.mark.parametrize("name", SMOOTH)
def test_first_and_second_derivatives(name):
    inputs = boxes(count=4).requires_grad_(), boxes(count=4, seed=1).requires_grad_()
    assert gradcheck(SMOOTH[name], inputs)
    assert gradgradcheck(SMOOTH[name], inputs)


def test_slopes_where_boxes_do_not_meet_or_have_no_area():
    """None for IoU; for the generalised one towards each other. Never NaN."""
    near, far = torch.tensor([[0.0, 0, 2, 2]]), torch.tensor([[5.0, 0, 7, 2]]).requires_grad_()
    touching = torch.tensor([[2.0, 0, 7, 2], [0, 2, 2, 3]]).requires_grad_()
    for other in (far, touching):
        (slope,) = torch.autograd.grad(ops.box_iou(near, other).sum(), other)
        assert not slope.any()
    (slope,) = torch.autograd.grad(ops.generalized_box_iou(near, far).sum(), far)
    assert slope[0, 0] < 0
    nothing = torch.zeros(2, 4, requires_grad=True)
    (slope,) = torch.autograd.grad(ops.generalized_box_iou(nothing, nothing).sum(), nothing)
    assert slope.isfinite().all()


BOUNDS = {torch.float64: 1e-12, torch.float32: 1e-6, torch.float16: 2e-3, torch.bfloat16: 2e-2}


@pytest.mark.parametrize("dtype", BOUNDS)
def test_error_of_each_dtype_is_bounded_by_the_largest_value(dtype):
    """Formats and clipping keep the dtype; what multiplies or divides is in float32 or better."""
    given, others = boxes(count=40).to(dtype), boxes(count=40, seed=1).to(dtype)
    deltas = deltas_of(40, 4).to(dtype)
    wide = torch.promote_types(dtype, torch.float32)
    for call, expected in {
        lambda a, _b, _d: ops.box_convert(a, "xyxy", "cxcywh"): dtype,
        lambda a, _b, _d: ops.clip_boxes_to_image(a, (17, 31)): dtype,
        lambda a, b, _d: ops.generalized_box_iou(a, b): wide,
        lambda a, _b, d: ops.decode_boxes(d, a): wide,
    }.items():
        exact = call(given.double(), others.double(), deltas.double())
        answer = call(given, others, deltas)
        assert answer.dtype == expected
        bound = BOUNDS[dtype] if expected == dtype else BOUNDS[torch.float32]
        assert (answer - exact).abs().max() <= bound * exact.abs().max()


def test_layout_does_not_matter_and_nothing_given_is_written_to():
    given = boxes(count=8)
    before = given.clone()
    turned = given.T.contiguous().T
    for call in (
        lambda a: ops.box_convert(a, "xyxy", "xyxy").zero_() + ops.box_convert(a, "xywh", "xyxy"),
        lambda a: ops.clip_boxes_to_image(a, (9, 9)).mul_(2),
        lambda a: ops.generalized_box_iou(a, a[::2]),
        lambda a: ops.decode_boxes(a / 9, a),
    ):
        assert torch.equal(call(turned), call(given))
        assert torch.equal(given, before)


def test_no_boxes():
    nothing = torch.zeros(0, 4, requires_grad=True)
    for answer in (
        ops.box_convert(nothing, "xyxy", "xywh"),
        ops.clip_boxes_to_image(nothing, (2, 3)),
        ops.encode_boxes(nothing, nothing),
        ops.decode_boxes(nothing, nothing),
    ):
        assert answer.shape == (0, 4)
        assert torch.autograd.grad(answer.sum(), nothing)[0].shape == (0, 4)
    assert ops.decode_boxes(torch.zeros(0, 3, 4), nothing).shape == (0, 3, 4)
    assert ops.generalized_box_iou(nothing, boxes()).shape == (0, 9)
    assert ops.remove_small_boxes(nothing, 1).shape == (0,)


def test_anchors_in_the_dtype_that_is_asked_for():
    anchors = ops.pyramid_anchors([(2, 3)], [8], [32], dtype=torch.float64, device="cpu")
    assert anchors[0].dtype == torch.float64
    assert ops.base_anchors(8).dtype == torch.float32


def test_a_centre_that_a_half_holds_does_not_overflow_on_the_way():
    """The second corner, 60,000 + 8,000, is beyond float16; so is the sum of both corners."""
    by_size = [60000.0, 40000, 8000, 40000]
    boxes = torch.tensor([by_size], dtype=torch.float16)
    centred = ops.box_convert(boxes, "xywh", "cxcywh")
    assert centred.dtype == torch.float16
    assert centred.tolist() == [[64000, 60000, 8000, 40000]]
    assert ops.box_convert(centred, "cxcywh", "xywh").tolist() == boxes.tolist()
    found = reference.box_convert(boxes.numpy(), "xywh", "cxcywh")
    assert (found.dtype, found.tolist()) == (np.float16, centred.tolist())
    corners = torch.tensor([[49920.0, 40000, 60032, 60032]], dtype=torch.float16)
    assert ops.box_convert(corners, "xyxy", "cxcywh")[0, :2].tolist() == [54976, 50016]
