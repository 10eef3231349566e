"""Formats, area and IoU of boxes, and the two forms of a batch of boxes."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from roilearn import reference


def test_the_whole_image_has_the_area_of_the_image():
    assert_array_equal(reference.box_area([[0, 0, 640, 480]]), [640 * 480])


@pytest.mark.parametrize(
    ("other", "iou"),
    [
        ([0, 0, 2, 2], 1),
        ([1, 0, 3, 2], 1 / 3),
        ([1, 1, 4, 3], 1 / 9),
        ([2, 0, 4, 2], 0),  # they touch
        ([3, 3, 2, 2], 0),
        ([1, 1, 1, 1], 0),
    ],
)
def test_overlap_with_the_square_of_two(other, iou):
    square = [[0, 0, 2, 2]]
    assert_allclose(reference.box_iou(square, [other]), [[iou]])
    assert_allclose(reference.box_iou([other], square), [[iou]])


def test_a_box_of_no_area_overlaps_nothing_not_even_itself():
    assert_array_equal(reference.box_iou([[1, 1, 1, 5]], [[1, 1, 1, 5]]), [[0]])


def test_every_pair_is_compared():
    first, second = np.array([[0, 0, 4, 3], [1, 1, 2, 5]]), np.array([[0, 0, 2, 3]])
    assert reference.box_iou(first, second).shape == (2, 1)
    assert reference.box_iou(first, np.zeros((0, 4))).shape == (2, 0)


def test_a_list_becomes_rows_with_the_image_in_front():
    boxes = [np.array([[0, 1, 2, 3]]), np.zeros((0, 4)), np.array([[4, 5, 6, 7], [8, 9, 10, 11]])]
    rois = reference.as_rois(boxes, batch_size=3)
    assert_array_equal(rois[:, 0], [0, 2, 2])
    assert_array_equal(rois[1:, 1:], boxes[2])


def test_an_empty_list_for_an_empty_batch_has_five_columns():
    assert reference.as_rois([], batch_size=0).shape == (0, 5)


def test_bad_boxes_are_named():
    with pytest.raises(ValueError, match=r"boxes1 must have shape \(K, 4\).*got shape \(1, 3\)"):
        reference.box_iou([[0, 0, 1]], [[0, 0, 1, 1]])
    with pytest.raises(ValueError, match=r"boxes2 must be numbers; got .*nan.* in row 1"):
        reference.box_iou([[0, 0, 1, 1]], [[0, 0, 1, 1], [0, np.nan, 1, 1]])


def test_three_ways_to_write_one_box():
    written = {"xyxy": [2, 3, 6, 5], "xywh": [2, 3, 4, 2], "cxcywh": [4, 4, 4, 2]}
    for in_fmt, box in written.items():
        for out_fmt, same in written.items():
            assert_array_equal(reference.box_convert([box], in_fmt, out_fmt), [same])
        assert reference.box_area([box], in_fmt) == 8
        assert reference.box_iou([box], [box], in_fmt) == 1


def test_bytes_do_not_wrap_in_a_conversion():
    boxes = np.array([[200, 10, 100, 30]], np.uint8)
    assert_array_equal(reference.box_convert(boxes, "xywh", "xyxy"), [[200, 10, 300, 40]])


def test_converting_leaves_the_given_boxes_alone():
    boxes = np.array([[1.0, 2.0, 3.0, 4.0]])
    reference.box_convert(boxes, "xyxy", "xyxy")[:] = 0
    assert boxes.any()


@pytest.mark.parametrize("fmt", ["yxyx", "xyxyr"])
def test_other_formats_are_refused_by_name(fmt):
    for formats in ((fmt, "xyxy"), ("xyxy", fmt)):
        with pytest.raises(ValueError, match=f"_fmt must be one of 'xyxy'.* got '{fmt}'"):
            reference.box_convert([[0, 0, 1, 1]], *formats)
    with pytest.raises(ValueError, match="fmt must be one of"):
        reference.box_area([[0, 0, 1, 1]], fmt)


def test_clipping_keeps_the_last_row_and_column():
    boxes = [[[-3.5, -1, 25, 11.5]], [[2, 3, 20, 10]], [[30, 4, 40, 5]]]
    inside = [[[0, 0, 20, 10]], [[2, 3, 20, 10]], [[20, 4, 20, 5]]]
    assert_array_equal(reference.clip_boxes_to_image(boxes, (10, 20)), inside)


def test_a_box_goes_when_either_side_is_short():
    boxes = [[0, 0, 3, 3], [0, 0, 2.9, 9], [0, 0, 9, 2.9], [5, 5, 1, 9], [1, 2, 9, 9]]
    assert_array_equal(reference.remove_small_boxes(boxes, 3), [0, 4])
    assert reference.remove_small_boxes(np.zeros((0, 4)), 3).shape == (0,)


@pytest.mark.parametrize(
    ("other", "generalized"),
    [
        ([0, 0, 2, 2], 1),
        ([1, 0, 3, 2], 1 / 3),
        ([1, 1, 3, 3], 1 / 7 - 2 / 9),
        ([2, 0, 4, 2], 0),  # they touch, and fill their hull
        ([4, 0, 6, 2], -1 / 3),
        ([98, 0, 100, 2], -0.96),
        ([5, 5, 5, 5], -21 / 25),
    ],
)
def test_generalised_overlap_with_the_square_of_two(other, generalized):
    square = [[0, 0, 2, 2]]
    assert_allclose(reference.generalized_box_iou(square, [other]), [[generalized]])
    assert_allclose(reference.generalized_box_iou([other], square), [[generalized]])


def test_generalised_overlap_of_boxes_of_no_area():
    point, line = [[1, 1, 1, 1]], [[1, 1, 1, 5]]
    assert_array_equal(reference.generalized_box_iou(point, point + line), [[0, 0]])
    assert_array_equal(reference.generalized_box_iou(point, [[3, 2, 3, 2]]), [[-1]])
