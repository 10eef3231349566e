"""Crop and resize: TensorFlow's numbers, laws, the adjoint and the box gradient."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from roilearn import reference

CURVED = np.random.RandomState(0).randn(2, 3, 9, 13)
inside = st.tuples(*(st.floats(*ends) for ends in ((1, 5), (1, 3), (6, 11), (4, 7))))

MAP = (np.arange(30.0) ** 2 % 17).reshape(5, 6)
TENSORFLOW = [  # y1, x1, y2, x2 normalised, crop size, method, extrapolation value, its answer
    ((0.1, 0.7, 0.9, 0.2), (3, 2), "bilinear", 0, [[13.1, 6.6], [2.5, 16], [9.9, 9.4]]),
    (
        (-0.2, 0.1, 1.1, 0.8),
        (4, 3),
        "bilinear",
        -7,
        [[-7] * 3, [7.966667, 12.483333, 15.066667], [5.666667, 9.75, 5.666667], [-7] * 3],
    ),
    ((0.3, 0.2, 0.8, 0.9), (1, 1), "bilinear", 0, [[7.05]]),
    ((0.3, 0.2, 0.8, 0.9), (1, 3), "nearest", 0, [[16, 4, 0]]),
    ((-0.2, 0.1, 1.1, 0.8), (4, 3), "nearest", -7, [[-7] * 3, [15, 13, 15], [4, 9, 8], [-7] * 3]),
    ((0.125, 0.1, 0.375, 0.3), (2, 2), "nearest", 0, [[15, 13], [16, 9]]),
    ((-0.1, 0, 1.1, 1), (2, 2), "nearest", -7, [[-7, -7], [-7, -7]]),
    ((0, 0, 1, 1), (5, 6), "bilinear", 0, MAP),
    ((0.4, 0.4, 0.4, 0.4), (2, 2), "bilinear", 0, [[10.6, 10.6], [10.6, 10.6]]),
]


def one(box, image=0):
    return np.array([[image, *box]], dtype=float)


def from_tensorflow(box):
    y1, x1, y2, x2 = box
    return one((x1 * 5, y1 * 4, x2 * 5, y2 * 4))


@pytest.mark.parametrize(("box", "size", "method", "outside", "expected"), TENSORFLOW)
def test_tensorflow_gives_the_same_numbers(box, size, method, outside, expected):
    """Computed there by TensorFlow 2.21."""
    rois = from_tensorflow(box)
    crop = reference.crop_and_resize(MAP[None, None], rois, size, 1, method, outside)
    assert_allclose(crop[0, 0], expected, atol=1e-5)


def test_the_ramp_of_the_tensorflow_issue():
    ramp = np.arange(25.0).reshape(1, 1, 5, 5)
    crop = reference.crop_and_resize(ramp, one((0.8, 0.8, 2.4, 2.4)), 4)[0, 0]
    assert_allclose([crop[0, 0], crop[-1, -1]], [4.8, 14.4])
    bins = reference.roi_align(ramp, one((1, 1, 3, 3)), 4, 1, 1, aligned=True)[0, 0]
    assert_allclose([bins[0, 0], bins[-1, -1]], [4.5, 13.5])


def test_gradient_to_the_boxes_is_tensorflows():
    """Of the sum of squares, in normalised y1, x1, y2, x2; computed there by TensorFlow 2.21."""
    rois = from_tensorflow((0.1, 0.23, 0.83, 0.77))
    crop = reference.crop_and_resize(MAP[None, None], rois, (3, 2))
    slopes = reference.crop_and_resize_box_gradient(2 * crop, MAP[None, None], rois)[0]
    theirs = [525.5499, -620.8849, 11.649872, -55.43506]
    assert_allclose(slopes[[1, 0, 3, 2]] * [4, 5, 4, 5], theirs, atol=1e-3)


@given(inside)
def test_the_corners_of_the_box_are_the_corners_of_the_grid(box):
    crop = reference.crop_and_resize(CURVED, one(box), (4, 3))[0]
    x1, y1, x2, y2 = box
    assert_allclose(crop[:, 0, 0], reference.bilinear(CURVED[0], y1, x1), atol=1e-9)
    assert_allclose(crop[:, -1, -1], reference.bilinear(CURVED[0], y2, x2), atol=1e-9)


@given(inside, st.booleans())
def test_a_ramp_gives_the_ramp_at_each_point(box, aligned):
    y, x = np.mgrid[:9, :13] + (0.5 if aligned else 0.0)
    crop = reference.crop_and_resize((2 * x - 3 * y)[None, None], one(box), (3, 2), aligned=aligned)
    x1, y1, x2, y2 = box
    expected = 2 * np.array([x1, x2]) - 3 * np.linspace(y1, y2, 3)[:, None]
    assert_allclose(crop[0, 0], expected, atol=1e-9)


@given(inside, st.sampled_from(["bilinear", "nearest"]))
def test_an_inverted_box_mirrors_the_crop(box, method):
    x1, y1, x2, y2 = box
    crop = reference.crop_and_resize(CURVED, one(box), (2, 3), method=method)
    mirrored = reference.crop_and_resize(CURVED, one((x2, y1, x1, y2)), (2, 3), method=method)
    assert_allclose(mirrored[..., [0, 2]], crop[..., [2, 0]], atol=1e-9)


@given(inside, st.sampled_from(["bilinear", "nearest"]))
def test_backward_is_the_adjoint(box, method):
    gradient = np.random.RandomState(1).randn(1, 3, 2, 3)
    crop = reference.crop_and_resize(CURVED, one(box, 1), (2, 3), 0.9, method)
    spread = reference.crop_and_resize_backward(gradient, CURVED, one(box, 1), 0.9, method)
    assert_allclose((spread * CURVED).sum(), (gradient * crop).sum(), atol=1e-9)


@pytest.mark.parametrize("size", [(2, 3), (1, 4)])
def test_box_gradient_is_the_slope_of_the_output(size):
    step, rois = 1e-6, one((1.31, 2.17, 8.43, 6.91))
    gradient = np.random.RandomState(1).randn(1, 3, *size)
    slopes = reference.crop_and_resize_box_gradient(gradient, CURVED, rois, 0.9)
    for c in range(4):
        nudge = np.zeros((1, 5))
        nudge[0, c + 1] = step
        above = reference.crop_and_resize(CURVED, rois + nudge, size, 0.9)
        below = reference.crop_and_resize(CURVED, rois - nudge, size, 0.9)
        slope = (gradient * (above - below)).sum() / (2 * step)
        assert slopes[0, c] == pytest.approx(slope, abs=1e-6)


def test_an_option_that_does_not_exist_is_named():
    with pytest.raises(ValueError, match="method must be one of 'bilinear', 'nearest'"):
        reference.crop_and_resize(CURVED, one((1, 1, 4, 4)), 2, 1, "bicubic")
    with pytest.raises(TypeError, match="extrapolation_value must be a number; got 'zero'"):
        reference.crop_and_resize(CURVED, one((1, 1, 4, 4)), 2, 1, "nearest", "zero")
    with pytest.raises(ValueError, match="crop_size must be at least 1"):
        reference.crop_and_resize(CURVED, one((1, 1, 4, 4)), 0)
