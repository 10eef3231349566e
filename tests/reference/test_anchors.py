"""Anchors: their number, size, aspect ratio and position."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from roilearn import reference

positive = st.floats(0.5, 500)


@given(positive, st.floats(0.1, 10))
def test_a_ratio_changes_the_shape_and_not_the_area(size, ratio):
    x1, y1, x2, y2 = reference.base_anchors(size, ratio)[0]
    assert_allclose((x2 - x1) * (y2 - y1), size**2)
    assert_allclose((y2 - y1) / (x2 - x1), ratio)
    assert_allclose([x1 + x2, y1 + y2], 0, atol=1e-9)


def test_nine_anchors_of_faster_rcnn_rounded_as_in_torchvision():
    rounded = reference.base_anchors((128, 256, 512), rounded=True)
    assert len(rounded) == 9
    assert_array_equal(rounded[:3, 2:], [[91, 45], [181, 91], [362, 181]])  # half as high as wide
    assert_array_equal(rounded[-1], [-181, -362, 181, 362])


def test_an_anchor_lies_over_what_its_cell_looks_at():
    """In the middle of the cell; with offset 0, half a cell up and left of that."""
    middle = reference.generate_anchors((2, 3), (8, 16), 4, 1.0)
    assert_array_equal(middle[:, 0] + 2, [8, 24, 40, 8, 24, 40])
    assert_array_equal(middle[:, 1] + 2, [4, 4, 4, 12, 12, 12])
    corner = reference.generate_anchors((2, 3), (8, 16), 4, 1.0, offset=0)
    assert_array_equal(middle - corner, np.tile([8, 4, 8, 4], (6, 1)))


def test_anchors_of_the_mirrored_image_are_the_mirrored_anchors():
    """Only with centres in the middle: a detector that uses corners is not symmetric."""
    height, width, stride = 3, 4, 8
    mirror = np.array([width * stride, 0, width * stride, 0])
    for offset, symmetric in ((0.5, True), (0, False)):
        anchors = reference.generate_anchors((height, width), stride, (9, 20), offset=offset)
        flipped = (mirror - anchors * [1, -1, 1, -1])[:, [2, 1, 0, 3]]
        both = [sorted(map(tuple, boxes.round(6))) for boxes in (flipped, anchors)]
        assert (both[0] == both[1]) is symmetric


def test_all_anchors_of_a_cell_stand_together():
    one_cell = reference.base_anchors((8, 32), (0.5, 2.0))
    anchors = reference.generate_anchors((2, 2), 10, (8, 32), (0.5, 2.0), offset=0)
    assert_allclose(anchors[12:] - anchors[:4], np.full((4, 4), 10.0))
    assert_allclose(anchors[:4], one_cell)


def test_a_pyramid_has_one_size_a_level():
    levels = reference.pyramid_anchors([(4, 4), (2, 2)], (4, 8), (32, (64, 96)))
    assert [len(level) for level in levels] == [16 * 3, 4 * 3 * 2]
    assert_array_equal(levels[1], reference.generate_anchors((2, 2), 8, (64, 96)))


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        (((2, 0), 8, 4), ValueError, r"feature_size must be at least 1"),
        (((2, 2), 0, 4), ValueError, r"stride must be finite and positive numbers; got 0"),
        (((2, 2), (1, 2, 3), 4), ValueError, r"stride must be a number or a pair"),
        (((2, 2), 8, ()), ValueError, r"sizes must be finite and positive numbers; got \(\)"),
        (((2, 2), 8, "32"), TypeError, r"sizes must be a number; got '32'"),
        (((2, 2), 8, 4, -1.0), ValueError, r"aspect_ratios must be finite and positive"),
        (((2, 2), 8, 4, 1.0, "no"), TypeError, r"offset must be a number"),
        (((2, 2), 8, 4, 1.0, 0, "no"), TypeError, r"rounded must be True or False; got 'no'"),
    ],
)
def test_bad_arguments(arguments, kind, message):
    with pytest.raises(kind, match=message):
        reference.generate_anchors(*arguments)


def test_levels_that_do_not_match():
    with pytest.raises(ValueError, match="one entry for each level; got 2, 1, 2 of them"):
        reference.pyramid_anchors([(4, 4), (2, 2)], (4,), (32, 64))
    with pytest.raises(TypeError, match="strides must be a list with one entry for each level"):
        reference.pyramid_anchors([(4, 4), (2, 2)], 4, (32, 64))
