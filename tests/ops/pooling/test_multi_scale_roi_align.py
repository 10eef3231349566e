"""RoIAlign from a pyramid: level assignment, bags over all maps, and the module's scales."""

import pickle

import numpy as np
import pytest
import torch
import torchvision
from boxes import KINDS, draw
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from torch.autograd import gradcheck, gradgradcheck

from roilearn import ops, reference

SHAPES = [(2, 3, 20, 28), (2, 3, 10, 14), (2, 3, 5, 7)]
SCALES = [1 / 4, 1 / 8, 1 / 16]
STATE = np.random.RandomState(0)
CURVED = [STATE.randn(*shape) for shape in SHAPES]
SMALL = {"canonical_scale": 32, "canonical_level": 3}
OPTIONS = [(2, False), (3, True), (-1, True), (-1, False)]
# Away from kinks: no side is a whole number of cells, no edge on a cell's centre; one a level.
BOXES = torch.tensor(
    [[3.3, 5.1, 17.9, 16.7], [11.7, 6.1, 57.3, 47.9], [5.7, 3.3, 101.9, 71.7]], dtype=torch.float64
)


def tensors(arrays=CURVED):
    return [torch.tensor(array) for array in arrays]


def pyramid_boxes(kind, count=8):
    return draw(kind, count, SHAPES[0], 1 / 4).astype(float)


@given(st.lists(st.floats(0.01, 2000), min_size=2, max_size=20), st.sampled_from(ops.LEVEL_RULES))
def test_levels_are_those_of_the_loop(sides, rule):
    boxes = np.array([[5, 7, 5 + w, 7 + h] for w, h in zip(sides, sides[::-1], strict=True)])
    for dtype in (np.float32, np.float64):
        given_boxes = boxes.astype(dtype)
        ours = ops.assign_levels(torch.tensor(given_boxes), rule=rule)
        assert_array_equal(ours, reference.assign_levels(given_boxes, rule=rule))


@given(st.lists(st.floats(0.01, 2000), min_size=2, max_size=20))
def test_twice_the_size_is_one_level_more(sides):
    boxes = torch.tensor([[0, 0, w, h] for w, h in zip(sides, sides[::-1], strict=True)])
    wide = {"min_level": -30, "max_level": 30}
    for rule in ops.LEVEL_RULES:
        once, twice = (ops.assign_levels(b.double(), **wide, rule=rule) for b in (boxes, boxes * 2))
        assert torch.equal(twice, once + 1)


@pytest.mark.parametrize(
    ("side", "floor", "round_"),
    [(0, 2, 2), (111, 2, 3), (112, 3, 3), (158, 3, 3), (159, 3, 4), (223.9998, 3, 4), (224, 4, 4),
     (316, 4, 4), (317, 4, 5), (448, 5, 5), (4000, 5, 5)],
)  # fmt: skip
def test_famous_edges(side, floor, round_):
    for module, box in (
        (reference, np.array([[0, 0, side, side]], np.float32)),
        (ops, torch.tensor([[0.0, 0, side, side]])),
    ):
        assert module.assign_levels(box).item() == floor
        assert module.assign_levels(box, rule="round").item() == round_


def test_a_box_without_area_goes_to_the_first_level():
    odd = [[5.0, 5, 5, 5], [900, 0, 0, 900], [0, 900, 900, 0], [0, 0, 0, 900]]
    assert ops.assign_levels(torch.tensor(odd)).tolist() == [2] * 4
    assert reference.assign_levels(np.array(odd)).tolist() == [2] * 4


@pytest.mark.parametrize(("ratio", "aligned"), OPTIONS)
@pytest.mark.parametrize("kind", KINDS)
def test_the_loop_says_what_one_bag_over_all_maps_answers(kind, ratio, aligned):
    boxes = pyramid_boxes(kind)
    options = ((2, 3), SCALES, ratio, aligned)
    ours = ops.multi_scale_roi_align(tensors(), torch.tensor(boxes), *options, **SMALL)
    loop = reference.multi_scale_roi_align(CURVED, boxes, *options, **SMALL)
    assert_allclose(ours, loop, atol=1e-12)


@pytest.mark.parametrize(("ratio", "aligned"), OPTIONS)
def test_each_box_is_pooled_from_its_map_forward_and_backward(ratio, aligned):
    boxes = torch.tensor(
        np.concatenate([pyramid_boxes(k, 6) for k in ("inside", "border", "tiny")])
    )
    levels = ops.assign_levels(boxes[:, 1:], 2, 4, **SMALL)
    assert len(levels.unique()) == 3
    arriving = torch.tensor(np.random.RandomState(1).randn(len(boxes), 3, 2, 2))
    results = []
    for together in (True, False):
        maps, given_boxes = tensors(), boxes.clone().requires_grad_()
        for features in maps:
            features.requires_grad_()
        if together:
            pooled = ops.multi_scale_roi_align(
                maps, given_boxes, 2, SCALES, ratio, aligned, **SMALL
            )
        else:
            each = []
            for k, level in enumerate(levels.tolist()):
                options = (2, SCALES[level - 2], ratio, aligned)
                each.append(ops.roi_align(maps[level - 2], given_boxes[k : k + 1], *options))
            pooled = torch.cat(each)
        gradients = torch.autograd.grad(pooled, [*maps, given_boxes], arriving)
        results.append([pooled, *gradients])
    for one, other in zip(*results, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-12)


@pytest.mark.parametrize("ratio", [2, -1])
def test_first_and_second_derivatives(ratio):
    maps = [features[:1, :1, :6, :8].requires_grad_() for features in tensors()]
    boxes = BOXES.clone().requires_grad_()

    def pool(given_boxes, *given_maps):
        return ops.multi_scale_roi_align(
            given_maps, [given_boxes], (1, 2), SCALES, ratio, True, **SMALL
        )

    assert gradcheck(pool, (boxes, *maps))
    assert gradgradcheck(pool, (boxes, *maps))


def test_layouts_threads_and_parts_change_no_bit(monkeypatch):
    from roilearn.ops.embedding_bags import layout, memory  # noqa: PLC0415

    boxes = torch.tensor(pyramid_boxes("inside", 30))
    for ratio in (2, -1):
        options = (boxes, 3, SCALES, ratio, True)
        plain = ops.multi_scale_roi_align(tensors(), *options, **SMALL)
        last = [features.to(memory_format=torch.channels_last) for features in tensors()]
        assert torch.equal(ops.multi_scale_roi_align(last, *options, **SMALL), plain)
        with monkeypatch.context() as cut:
            cut.setattr(layout, "SMALL_TABLE", 0)
            cut.setattr(memory, "CHUNK_ENTRIES", 200)
            assert torch.equal(ops.multi_scale_roi_align(tensors(), *options, **SMALL), plain)


class Pool(torch.nn.Module):
    def forward(self, boxes, *maps):
        return ops.multi_scale_roi_align(maps, [boxes, boxes[:1]], (2, 3), SCALES, 2, True, **SMALL)


@pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning")
def test_one_graph_for_any_number_of_boxes():
    torch._dynamo.reset()
    compiled = torch.compile(Pool(), fullgraph=True, dynamic=True, backend="aot_eager")
    for boxes in (BOXES, BOXES[1:]):
        results = []
        for pool in (compiled, Pool()):
            inputs = [boxes.clone().requires_grad_(), *[m.requires_grad_() for m in tensors()]]
            pooled = pool(*inputs)
            results.append([pooled, *torch.autograd.grad(pooled.square().sum(), inputs)])
        for one, other in zip(*results, strict=True):
            torch.testing.assert_close(one, other, rtol=0, atol=1e-12)


def test_an_exported_program_serves_any_number_of_boxes():
    any_number = ({0: torch.export.Dim.DYNAMIC}, ({}, {}, {}))
    program = torch.export.export(Pool(), (BOXES, *tensors()), dynamic_shapes=any_number)
    for boxes in (BOXES, BOXES[1:]):
        ours = program.module()(boxes, *tensors())
        torch.testing.assert_close(ours, Pool()(boxes, *tensors()))


def module_inputs():
    maps = dict(zip(("0", "1", "pool"), [m.float() for m in tensors()], strict=True))
    boxes = torch.tensor(pyramid_boxes("inside", 20)).float()
    return maps, [boxes[boxes[:, 0] == n, 1:] for n in range(2)], [(80, 112), (77, 101)]


def test_module_has_torchvisions_constructor_call_and_repr():
    for output_size in (3, (2, 3)):
        settings = (["0", "1"], output_size, 2)
        ours = ops.MultiScaleRoIAlign(*settings, **SMALL)
        theirs = torchvision.ops.MultiScaleRoIAlign(*settings, **SMALL)
        pooled = ours(*module_inputs())
        torch.testing.assert_close(pooled, theirs(*module_inputs()), rtol=0, atol=4e-6)
        assert repr(ours) == repr(theirs)


def test_scales_are_found_from_both_sides_and_at_every_call():
    from roilearn.ops.pooling.multi_scale_pooler import infer_scales  # noqa: PLC0415

    oblong = [torch.zeros(1, 1, 16, 256)]  # 33 x 1000 pixels, padded to 64 x 1024, at stride 4
    assert infer_scales(oblong, [(33, 1000)]) == [1 / 4]
    told = (
        r"50 x 50 cells in map 0 for images of 300 x 200 pixels. That is about 1/8 of the hei.* 1/4"
    )
    with pytest.raises(ValueError, match=told + r" of the width\. If .* pass spatial_scales"):
        infer_scales([torch.zeros(1, 1, 50, 50)], [(300, 200)])
    pool = ops.MultiScaleRoIAlign(["0"], 2, 2)
    ramp = torch.arange(16.0).expand(1, 1, 16, 16)
    box = [torch.tensor([[8.0, 8, 40, 40]])]
    once, again = (pool({"0": ramp}, box, [(side, side)]) for side in (64, 32))
    assert not torch.equal(once, again)


STRIDES = (4, 8, 16, 32)


@pytest.mark.parametrize("padded", [False, True], ids=["alone", "padded"])
def test_scales_of_small_images(padded):
    """A network halves and rounds up; a batch is padded to a multiple of 32 pixels, or is not."""
    from roilearn.ops.pooling.multi_scale_pooler import BatchShapes, infer_scales  # noqa: PLC0415

    for side in range(1, 400):
        size = (-(-side // 32) * 32, 512) if padded else (side, 512)
        maps = [torch.zeros(1, 1, *(-(-pixels // stride) for pixels in size)) for stride in STRIDES]
        expected = [1 / stride for stride in STRIDES]
        shapes = [(side, 500 if padded else 512)]
        assert infer_scales(maps, BatchShapes(shapes, size)) == expected
        if padded:
            square = [torch.zeros(1, 1, m.shape[2], m.shape[2]) for m in maps]
            if side > 16:  # else it looks like a larger map of an image that was not padded
                assert infer_scales(square, [(side, side)]) == expected
            assert infer_scales(square, BatchShapes([(side, side)], size[:1] * 2)) == expected
        assert infer_scales(maps, shapes) == expected


@pytest.mark.parametrize("side", [8, 16, 17, 20])
def test_maps_of_one_cell_have_scales_of_their_own(side):
    from roilearn.ops.pooling.multi_scale_pooler import infer_scales  # noqa: PLC0415

    cells = [-(-side // stride) for stride in STRIDES]
    maps = [torch.zeros(1, 1, each, each) for each in cells]
    assert infer_scales(maps, [(side, side)]) == [1 / stride for stride in STRIDES]


def test_networks_that_round_sizes_down():
    from roilearn.ops.pooling.multi_scale_pooler import infer_scales  # noqa: PLC0415

    assert infer_scales([torch.zeros(1, 1, 31, 23)], [(500, 375)]) == [1 / 16]


def test_maps_of_one_size_have_one_scale():
    from roilearn.ops.pooling.multi_scale_pooler import infer_scales  # noqa: PLC0415

    for side in (10, 2):
        maps = [torch.zeros(1, 1, side, side), torch.zeros(1, 1, side, side)]
        assert infer_scales(maps, [(32 * side, 32 * side)]) == [1 / 32, 1 / 32]
    one_cell = [torch.zeros(1, 1, 1, 1)] * 2  # may be of two strides, and no box reads the second
    assert infer_scales(one_cell, [(32, 32)])[0] == 1 / 32


def test_of_two_maps_of_one_scale_the_first_is_read():
    maps, boxes = [torch.rand(1, 2, 10, 10) for _ in range(2)], torch.rand(9, 4) * 100
    rois = torch.cat([torch.zeros(9, 1), boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], 1)
    expected = ops.roi_align(maps[0], rois, 2, 1 / 32, 2)
    found = ops.multi_scale_roi_align(maps, rois, 2, [1 / 32, 1 / 32], 2, canonical_scale=8)
    torch.testing.assert_close(found, expected)
    arrays = [each.numpy() for each in maps]
    looped = reference.multi_scale_roi_align(
        arrays, rois.numpy(), 2, [1 / 32, 1 / 32], 2, canonical_scale=8
    )
    torch.testing.assert_close(torch.tensor(looped), expected)


def test_scales_that_cannot_be_guessed_are_named_and_may_be_given():
    maps = {"a": torch.rand(1, 1, 10, 10), "b": torch.rand(1, 1, 9, 9)}
    box = [torch.tensor([[8.0, 8, 40, 40], [0, 0, 60, 30]])]
    told = (
        r"got 9 x 9 cells in map 1 .* about 1/8 of the height and 1/8 of the width, where the map"
    )
    with pytest.raises(ValueError, match=told + r" before has 1/8.* pass spatial_scales"):
        ops.MultiScaleRoIAlign(["a", "b"], 2, 2)(maps, box, [(80, 80)])
    pool = ops.MultiScaleRoIAlign(["b", "a"], 2, 2, spatial_scales=[1 / 8, 1 / 9])
    assert pool.spatial_scales == [1 / 8, 1 / 9]
    swapped = {"b": maps["a"], "a": maps["b"]}
    expected = ops.multi_scale_roi_align(list(maps.values()), box, 2, [1 / 8, 1 / 9], 2)
    torch.testing.assert_close(pool(swapped, box, [(80, 80)]), expected)
    one = ops.MultiScaleRoIAlign(["b", "a"], 2, 2, spatial_scales=[1 / 8, 1 / 9])
    expected = ops.roi_align(maps["b"], box, 2, 1 / 9, 2)
    torch.testing.assert_close(one({"a": maps["b"]}, box, [(80, 80)]), expected)
    with pytest.raises(ValueError, match="one number for each of 2 maps; got 1"):
        ops.MultiScaleRoIAlign(["a", "b"], 2, 2, spatial_scales=[0.25])


def test_a_pooler_that_was_pickled_before_scales_could_be_given_still_pools():
    # A pickle of an earlier version holds these attributes and no spatial_scales.
    pooler = ops.MultiScaleRoIAlign(["0", "1"], 2, 2)
    assert "spatial_scales" not in vars(pooler)
    maps = {"0": torch.rand(1, 2, 16, 16), "1": torch.rand(1, 2, 8, 8)}
    boxes = [torch.tensor([[4.0, 4, 40, 50]])]
    loaded = pickle.loads(pickle.dumps(pooler))  # noqa: S301 - our own bytes
    assert torch.equal(loaded(maps, boxes, [(64, 64)]), pooler(maps, boxes, [(64, 64)]))


def test_what_a_pyramid_needs_is_named():
    maps, boxes = tensors(), torch.tensor(pyramid_boxes("inside"))
    for module, given_maps, given_boxes in ((ops, maps, boxes), (reference, CURVED, boxes.numpy())):
        pool = module.multi_scale_roi_align
        with pytest.raises(ValueError, match="one number for each of 3 maps; got 2"):
            pool(given_maps, given_boxes, 2, SCALES[:2])
        with pytest.raises(ValueError, match=r"same images, channels .* \(2, 2\), .* in map 1"):
            pool([given_maps[0], given_maps[1][:, :2]], given_boxes, 2, SCALES[:2])
        for scales in (SCALES[::-1], [1 / 8, 1 / 4, 1 / 8]):
            with pytest.raises(ValueError, match=r"maps finest first, .* got maps of the scales 0"):
                pool(given_maps, given_boxes, 2, scales)
        with pytest.raises(TypeError, match=r"spatial_scales must be a list .* got '842'"):
            pool(given_maps, given_boxes, 2, "842")
        with pytest.raises(ValueError, match="at least one map; got none"):
            pool([], given_boxes, 2, [])
        with pytest.raises(ValueError, match="rule must be one of 'floor', 'round'; got 'ceil'"):
            pool(given_maps, given_boxes, 2, SCALES, rule="ceil")
        with pytest.raises(ValueError, match="canonical_scale must be finite and positive"):
            pool(given_maps, given_boxes, 2, SCALES, canonical_scale=0)
        with pytest.raises(ValueError, match="min_level must be at most max_level; got 5 and 2"):
            module.assign_levels(given_boxes[:, 1:], 5, 2)
    with pytest.raises(ValueError, match="maps named 'fpn'; got '0', '1', 'pool'"):
        ops.MultiScaleRoIAlign(["fpn"], 2, 2)(*module_inputs())
    with pytest.raises(TypeError, match=r"input\[0\] must be a torch tensor; got ndarray"):
        ops.multi_scale_roi_align(CURVED, boxes, 2, SCALES)
    maps, boxes, shapes = module_inputs()
    with pytest.raises(TypeError, match=r"x must be a dictionary of maps by name; got list"):
        ops.MultiScaleRoIAlign(["0"], 2, 2)(list(maps.values()), boxes, shapes)


@pytest.mark.parametrize(
    ("shapes", "error", "message"),
    [
        ([], ValueError, r"image_shapes must give .* each of 2 images in a list; got 0"),
        ([(80, 112)] * 3, ValueError, r"image_shapes must give .* got 3"),
        (torch.ones(2, 2), ValueError, r"image_shapes must give .* got Tensor"),
        (
            (80, 112),
            TypeError,
            r"image_shapes\[0\] must be a pair .* got 80\..*\[\(height, width\)\]",
        ),
        ([(80, 112), (0, 112)], ValueError, r"image_shapes\[1\] must be at least 1"),
        ([(80, 112), (-256, 9)], ValueError, r"image_shapes\[1\] must be at least 1"),
        ([(80, 112, 3)] * 2, ValueError, r"image_shapes\[0\] must be a whole number or a pair"),
    ],
)
def test_image_shapes_that_are_none(shapes, error, message):
    maps, boxes, _ = module_inputs()
    with pytest.raises(error, match=message):
        ops.MultiScaleRoIAlign(["0"], 2, 2)(maps, boxes, shapes)
