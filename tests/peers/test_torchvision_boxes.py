"""Boxes, box coding and anchors against torchvision: equal bits where its result is finite."""

import numpy as np
import pytest
import torch
import torchvision
from boxes import KINDS, draw
from torchvision.models.detection._utils import BoxCoder
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.image_list import ImageList

from roilearn import ops, reference

SHAPE = (1, 1, 30, 50)
FORMATS = ("xyxy", "xywh", "cxcywh")
ROTATED = ("xywhr", "cxcywhr", "xyxyxyxy")
WEIGHTS = [(1.0, 1.0, 1.0, 1.0), (10.0, 10.0, 5.0, 5.0)]
theirs = torchvision.ops


def boxes(kind, count=60, seed=0):
    return torch.tensor(draw(kind, count, SHAPE, seed=seed)[:, 1:])


@pytest.mark.parametrize("in_fmt", FORMATS)
@pytest.mark.parametrize("out_fmt", FORMATS)
@pytest.mark.parametrize("kind", ["inside", "huge", "inverted x"])
def test_formats(kind, in_fmt, out_fmt):
    given = theirs.box_convert(boxes(kind), "xyxy", in_fmt)
    expected = theirs.box_convert(given, in_fmt, out_fmt)
    assert torch.equal(ops.box_convert(given, in_fmt, out_fmt), expected)
    np.testing.assert_array_equal(reference.box_convert(given, in_fmt, out_fmt), expected)


def rotated(fmt, dtype=torch.float64, count=40):
    """Boxes of all angles, and of sides down to 0, in one of the rotated formats."""
    random = torch.Generator().manual_seed(0)
    numbers = torch.rand(count, 5, generator=random, dtype=torch.float64)
    numbers = numbers * torch.tensor([90, 70, 40, 30, 400]) - torch.tensor([20, 20, 0, 0, 200])
    numbers[:4, 4] = torch.tensor([0.0, 90, 180, -90])
    numbers[4, 3] = 0
    return theirs.box_convert(numbers, "xywhr", fmt).to(dtype)


@pytest.mark.parametrize("in_fmt", ROTATED)
@pytest.mark.parametrize("out_fmt", ROTATED)
def test_rotated_formats(in_fmt, out_fmt):
    given = rotated(in_fmt).requires_grad_()
    expected, found = (one.box_convert(given, in_fmt, out_fmt) for one in (theirs, ops))
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)
    loop = reference.box_convert(given.detach().numpy(), in_fmt, out_fmt)
    np.testing.assert_allclose(loop, expected.detach(), rtol=1e-12, atol=1e-12)
    weights = torch.rand(expected.shape, generator=torch.Generator().manual_seed(1))
    with_area = [n for n in range(len(given)) if n != 4]
    gradients = [torch.autograd.grad((r * weights).sum(), given)[0] for r in (found, expected)]
    torch.testing.assert_close(*(one[with_area] for one in gradients), rtol=1e-9, atol=1e-9)
    assert gradients[0].isfinite().all()
    batch = ops.box_convert(given.reshape(2, 20, -1), in_fmt, out_fmt)
    assert torch.equal(batch.flatten(0, 1), found)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("in_fmt", ROTATED)
def test_rotated_formats_of_other_dtypes(in_fmt, dtype):
    given = rotated(in_fmt, dtype)
    for out_fmt in ROTATED:
        found = ops.box_convert(given, in_fmt, out_fmt)
        exact = theirs.box_convert(given.double(), in_fmt, out_fmt)
        assert found.dtype == dtype
        close = {"rtol": 2 * torch.finfo(dtype).eps, "atol": 2e-4}
        torch.testing.assert_close(found.double(), exact, **close)


def test_rotated_boxes_at_one_point_and_none():
    point = torch.tensor([[3.0, 4, 3, 4, 3, 4, 3, 4]], requires_grad=True)
    found = ops.box_convert(point, "xyxyxyxy", "cxcywhr")
    assert found.tolist() == [[3, 4, 0, 0, 0]]
    found.sum().backward()
    assert point.grad.isfinite().all()
    for module, none in ((ops, torch.zeros(0, 5)), (reference, np.zeros((0, 5)))):
        assert module.box_convert(none, "cxcywhr", "xyxyxyxy").shape == (0, 8)


def test_whole_numbers_of_rotated_boxes_become_floating_and_are_not_rounded():
    whole = [[10, 10, 5, 3, 30]]
    expected = theirs.box_convert(torch.tensor(whole).double(), "cxcywhr", "xywhr")
    found = ops.box_convert(torch.tensor(whole), "cxcywhr", "xywhr")
    torch.testing.assert_close(found.double(), expected, rtol=1e-6, atol=0)
    np.testing.assert_allclose(reference.box_convert(whole, "cxcywhr", "xywhr"), expected)


@pytest.mark.parametrize("kind", KINDS)
def test_clipping_and_the_least_side(kind):
    given = boxes(kind)
    clipped = theirs.clip_boxes_to_image(given, (20, 50))
    assert torch.equal(ops.clip_boxes_to_image(given, (20, 50)), clipped)
    np.testing.assert_array_equal(reference.clip_boxes_to_image(given, (20, 50)), clipped)
    for least in (0.0, 1.0, 8.0):
        kept = theirs.remove_small_boxes(given, least)
        assert torch.equal(ops.remove_small_boxes(given, least), kept)
        np.testing.assert_array_equal(reference.remove_small_boxes(given, least), kept)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["box_iou", "generalized_box_iou"])
def test_overlap(name, kind):
    first, second = boxes("inside"), boxes(kind, seed=1)
    for pair in ((first, second), (second, first)):
        expected = getattr(theirs, name)(*pair)
        assert torch.equal(getattr(ops, name)(*pair), expected)
        slow = getattr(reference, name)(*pair)
        np.testing.assert_allclose(slow, expected, rtol=1e-5, atol=2e-6)


@pytest.mark.parametrize("name", ["box_iou", "generalized_box_iou"])
def test_where_torchvision_gives_nan_there_is_an_answer(name):
    nothing = torch.tensor([[1.0, 1, 1, 5], [2, 2, 2, 2]])
    assert getattr(theirs, name)(nothing, nothing).isnan().all()
    assert getattr(ops, name)(nothing, nothing).isfinite().all()


@pytest.mark.parametrize("fmt", FORMATS)
def test_area_and_overlap_in_every_format(fmt):
    given = theirs.box_convert(boxes("inside"), "xyxy", fmt)
    area, overlap = theirs.box_area(boxes("inside")), theirs.box_iou(*[boxes("inside")] * 2)
    for module in (ops, reference):
        np.testing.assert_allclose(module.box_area(given, fmt), area, rtol=1e-5)
        np.testing.assert_allclose(module.box_iou(given, given, fmt), overlap, atol=1e-5)


@pytest.mark.parametrize("weights", WEIGHTS)
def test_deltas(weights):
    given, anchors = boxes("inside", 200), boxes("inside", 200, seed=1)
    expected = BoxCoder(weights).encode_single(given, anchors)
    assert torch.equal(ops.encode_boxes(given, anchors, weights), expected)
    slow = reference.encode_boxes(given, anchors, weights)
    np.testing.assert_allclose(slow, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("classes", [1, 5])
def test_boxes_from_deltas_some_of_them_too_large(classes, weights):
    anchors = boxes("inside", 100)
    deltas = torch.tensor(np.random.RandomState(0).randn(100, classes * 4).astype("f")) * 20
    expected = BoxCoder(weights).decode(deltas, [anchors])
    each = deltas.reshape(100, classes, 4)
    assert torch.equal(ops.decode_boxes(each, anchors, weights), expected)
    assert torch.equal(ops.decode_boxes(each[:, 0], anchors, weights), expected[:, 0])
    slow = reference.decode_boxes(each, anchors, weights)
    np.testing.assert_allclose(slow, expected, rtol=1e-5, atol=1e-3)


PYRAMID = [(200, 272), (100, 136), (50, 68), (25, 34), (13, 17)]
SIZES = (32, 64, 128, 256, 512)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_every_anchor_of_a_pyramid(dtype):
    images = ImageList(torch.zeros(1, 3, 800, 1088, dtype=dtype), [(800, 1066)])
    maps = [torch.zeros(1, 1, *size, dtype=dtype) for size in PYRAMID]
    generator = AnchorGenerator(tuple((size,) for size in SIZES), ((0.5, 1.0, 2.0),) * 5)
    strides = [(800 // height, 1088 // width) for height, width in PYRAMID]
    ours = ops.pyramid_anchors(PYRAMID, strides, SIZES, offset=0, rounded=True, dtype=dtype)
    assert torch.equal(torch.cat(ours), generator(images, maps)[0])


@pytest.mark.parametrize("ratios", [(0.5, 1.0, 2.0), (0.3, 3.0)])
def test_every_anchor_of_one_map(ratios):
    generator = AnchorGenerator(((16, 40.5, 77),), (ratios,))
    images = ImageList(torch.zeros(1, 3, 40, 96), [(40, 96)])
    expected = generator(images, [torch.zeros(1, 1, 5, 6)])[0]
    options = ((5, 6), (8, 16), (16, 40.5, 77), ratios, 0, True)
    assert torch.equal(ops.generate_anchors(*options), expected)
    np.testing.assert_array_equal(reference.generate_anchors(*options), expected)


@pytest.mark.parametrize("name", ["distance_box_iou", "complete_box_iou"])
def test_distance_and_shape(name):
    random = torch.Generator().manual_seed(0)
    corners = torch.rand(40, 2, 2, generator=random, dtype=torch.float64).sort(1).values
    given = corners.flatten(1) * 50
    first, second = given[:25].clone().requires_grad_(), given[15:].clone().requires_grad_()
    expected = getattr(theirs, name)(first, second)
    found = getattr(ops, name)(first, second)
    torch.testing.assert_close(found, expected)
    loop = getattr(reference, name)(first.detach().numpy(), second.detach().numpy())
    np.testing.assert_allclose(loop, found.detach(), atol=1e-12)
    weights = torch.rand(found.shape, generator=random)
    gradients = [
        torch.autograd.grad((r * weights).sum(), [first, second]) for r in (found, expected)
    ]
    for one, other in zip(*gradients, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("eps", [1e-7, 0.5, 0.0])
@pytest.mark.parametrize("name", ["distance_box_iou", "complete_box_iou"])
def test_eps_of_distance_and_shape(name, eps):
    first, second = boxes("inside").double() / 10, boxes("inside", seed=1).double() / 10
    expected = getattr(theirs, name)(first, second, eps)
    torch.testing.assert_close(getattr(ops, name)(first, second, eps), expected)
    np.testing.assert_allclose(getattr(reference, name)(first, second, eps), expected, rtol=1e-9)


@pytest.mark.parametrize("name", ["distance_box_iou", "complete_box_iou"])
def test_boxes_of_no_area_have_a_distance_and_a_shape(name):
    given = torch.tensor([[2.0, 2, 2, 2], [0, 0, 4, 0], [0, 0, 4, 4]], requires_grad=True)
    found = getattr(ops, name)(given, given)
    found.sum().backward()
    assert found.isfinite().all()
    assert given.grad.isfinite().all()
    loop = getattr(reference, name)(given.detach().numpy(), given.detach().numpy())
    np.testing.assert_allclose(loop, found.detach(), atol=1e-6)
    assert found[0, 0] == 0
    assert found[2, 2] == 1


def test_a_box_that_reaches_to_infinity():
    given = torch.tensor([[0.0, 0, 10, torch.inf], [-torch.inf, 0, 5, 4], [0, 0, 10, 10]])
    expected = theirs.box_iou(given, given)
    expected[0, 0] = expected[1, 1] = torch.nan
    for found in (ops.box_iou(given, given), reference.box_iou(given.numpy(), given.numpy())):
        np.testing.assert_allclose(found, expected, atol=1e-6)


def test_batches_of_boxes():
    """(..., N, 4), with the first axes broadcast, as there."""
    many = torch.stack([boxes("inside", 7, seed) for seed in range(6)]).unflatten(0, (2, 3))
    one, some = boxes("inside", 5, 9), many[:, :1, :4]
    assert torch.equal(ops.box_area(many), theirs.box_area(many))
    for name in ("box_iou", "generalized_box_iou"):
        ours = getattr(ops, name)
        for pair in ((many, many), (many, one), (one, many), (many, some)):
            assert torch.equal(ours(*pair), getattr(theirs, name)(*pair)), name
    for ours in (ops.box_iou, ops.generalized_box_iou, ops.distance_box_iou, ops.complete_box_iou):
        found = ours(many, some)
        assert found.shape == (2, 3, 7, 4)
        for i, j in np.ndindex(2, 3):
            torch.testing.assert_close(found[i, j], ours(many[i, j], some[i, 0]))
    assert ops.box_iou(many[:0], many[:0]).shape == (0, 3, 7, 7)
    for call in (ops.box_area, lambda b: ops.box_iou(b, one)):
        with pytest.raises(ValueError, match=r"\(K, 4\), or \(\.\.\., K, 4\) for a batch.* \(4,\)"):
            call(one[0])
