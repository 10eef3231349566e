"""Area and overlap of boxes, and the two forms in which boxes arrive."""

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
    with pytest.raises(ValueError, match=r"boxes2 must be finite; got .*nan.* in row 1"):
        reference.box_iou([[0, 0, 1, 1]], [[0, 0, 1, 1], [0, np.nan, 1, 1]])
