"""The RoI pooler with every operator: each box from its own level, in its own place."""

import pytest
import torch

from roilearn import ops
from roilearn.models import ROI_OPS, RoIPooler

SIZES = [(120, 128), (128, 100)]
STRIDES = (4, 8, 16, 32)
SMALL_LEVELS = {"canonical_scale": 56, "canonical_level": 4}


def make_maps(seed=0, channels=3):
    random = torch.Generator().manual_seed(seed)
    return [torch.randn(2, channels, 128 // s, 128 // s, generator=random) for s in STRIDES]


def make_boxes():
    """Seven boxes of each of two images, of all levels, in no order, none of them square."""
    random = torch.Generator().manual_seed(1)
    boxes = []
    for height, width in SIZES:
        sides = 8 * 2 ** (4 * torch.rand(7, 2, generator=random))
        first = torch.rand(7, 2, generator=random) * torch.tensor([width, height]) / 2
        boxes.append(torch.cat([first, first + sides], 1))
    return boxes


def levels_of(boxes):
    return ops.assign_levels(torch.cat(boxes), **SMALL_LEVELS)


@pytest.mark.parametrize("roi_op", ROI_OPS)
def test_each_box_reads_the_map_of_its_level(roi_op):
    maps = [torch.full((2, 1, 256 // s, 256 // s), float(k)) for k, s in enumerate(STRIDES, 2)]
    boxes = [boxes + 20 for boxes in make_boxes()]  # whole inside
    levels = levels_of(boxes)
    assert set(levels.tolist()) >= {2, 3, 4}
    pooled = RoIPooler(3, roi_op, **SMALL_LEVELS)(maps, boxes, [(256, 256)] * 2)
    assert torch.allclose(pooled, levels.float()[:, None, None, None].expand(-1, 1, 3, 3))


@pytest.mark.parametrize("aligned", [False, True])
@pytest.mark.parametrize("roi_op", ROI_OPS)
def test_a_box_is_pooled_as_if_it_were_alone_on_its_map(roi_op, aligned):
    alone = {
        "align": lambda m, b, s: ops.roi_align(m, b, (2, 3), s, 2, aligned),
        "pool": lambda m, b, s: ops.roi_pool(m, b, (2, 3), s),
        "crop_and_resize": lambda m, b, s: ops.crop_and_resize(m, b, (2, 3), s, aligned=aligned),
        "prroi": lambda m, b, s: ops.prroi_pool(m, b, (2, 3), s, aligned),
    }[roi_op]
    maps, boxes = make_maps(), make_boxes()
    pooled = RoIPooler((2, 3), roi_op, aligned=aligned, **SMALL_LEVELS)(maps, boxes, SIZES)
    rois, levels = ops.as_rois(boxes, 2), levels_of(boxes)
    for k, (level, result) in enumerate(zip(levels.tolist(), pooled, strict=True)):
        expected = alone(maps[level - 2], rois[k : k + 1], 1 / STRIDES[level - 2])[0]
        torch.testing.assert_close(result, expected, rtol=1e-5, atol=1e-5)


def test_maps_by_name_and_maps_in_a_row_are_the_same_and_coarser_ones_are_passed_over():
    maps, boxes = make_maps(), make_boxes()
    named = {str(k): level for k, level in enumerate(maps)}
    named["pool"] = torch.full((2, 3, 2, 2), torch.nan)
    pooler = RoIPooler(2, canonical_scale=8)
    assert torch.equal(pooler(named, boxes, SIZES), pooler(maps, boxes, SIZES))


@pytest.mark.parametrize("roi_op", ROI_OPS)
def test_no_boxes_pool_to_nothing_and_gradients_reach_the_maps_that_were_read(roi_op):
    maps = [level.requires_grad_() for level in make_maps()]
    pooler = RoIPooler(2, roi_op, **SMALL_LEVELS)
    nothing = pooler(maps, [torch.zeros(0, 4)] * 2, SIZES)
    assert nothing.shape == (0, 3, 2, 2)
    boxes = make_boxes()
    pooler(maps, boxes, SIZES).square().sum().backward()
    read = {number for number, level in enumerate(maps) if level.grad.abs().sum() > 0}
    assert read == {level - 2 for level in levels_of(boxes).tolist()}


def test_the_printed_model_says_what_pools():
    assert repr(RoIPooler(14, "prroi", aligned=True)) == (
        "RoIPooler(output_size=(14, 14), roi_op='prroi', sampling_ratio=2, aligned=True)"
    )


def test_an_operator_without_a_name_here_raises():
    with pytest.raises(ValueError, match=r"roi_op must be one of 'align', 'pool'.*got 'warp'"):
        RoIPooler(7, "warp")
