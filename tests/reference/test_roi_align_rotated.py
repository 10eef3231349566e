"""Laws of rotated RoIAlign: no rotation, quarter turns, ramps, adjoint and box gradient."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from roilearn import reference

CURVED = np.random.RandomState(0).randn(2, 3, 9, 13)
SQUARE = CURVED[..., :9]
# Centre, width, height: inside the map whatever the angle, for its sides' diagonal is below 5.
inside = st.tuples(*(st.floats(*ends) for ends in ((4, 5), (4, 5), (1.1, 3.9), (1.1, 2.9))))
angles = st.floats(-400, 400)
ratios = st.sampled_from([1, 2, 3])


def one(box, angle, image=0):
    return np.array([[image, *box, angle]], dtype=float)


def upright(box):
    x, y, width, height = box
    return np.array([[0, x - width / 2, y - height / 2, x + width / 2, y + height / 2]])


@given(inside, ratios)
def test_without_a_turn_it_is_aligned_roi_align(box, ratio):
    plain = reference.roi_align(CURVED, upright(box), (2, 3), 1, ratio, aligned=True)
    turned = reference.roi_align_rotated(CURVED, one(box, 0), (2, 3), 1, ratio)
    assert_allclose(turned, plain, atol=1e-9)


@given(inside, ratios, angles, st.integers(1, 3))
def test_turning_map_and_box_together_changes_nothing(box, ratio, angle, quarters):
    """``rot90`` turns counter-clockwise, as the angle does."""
    before = reference.roi_align_rotated(SQUARE, one(box, angle), (2, 3), 1, ratio)
    x, y, width, height = box
    for _ in range(quarters):
        x, y = y, 9 - x
    turned_map = np.rot90(SQUARE, quarters, (2, 3))
    moved = one((x, y, width, height), angle + 90 * quarters)
    after = reference.roi_align_rotated(turned_map, moved, (2, 3), 1, ratio)
    assert_allclose(after, before, atol=1e-6)


@given(inside, ratios, angles)
def test_half_a_turn_gives_the_answer_turned_by_half(box, ratio, angle):
    straight = reference.roi_align_rotated(CURVED, one(box, angle), (2, 3), 1, ratio)
    turned = reference.roi_align_rotated(CURVED, one(box, angle + 180), (2, 3), 1, ratio)
    assert_allclose(turned[..., ::-1, ::-1], straight, atol=1e-6)


@given(inside, st.sampled_from([-1, 1, 2]), angles)
def test_a_ramp_gives_the_ramp_at_the_turned_centre_of_each_bin(box, ratio, angle):
    y, x = np.mgrid[:9, :13] + 0.5
    ramp = (2 * x - 3 * y)[None, None]
    pooled = reference.roi_align_rotated(ramp, one(box, angle), (1, 2), 1, ratio)
    centre_x, centre_y, width, _ = box
    along = np.array([-0.25, 0.25]) * width
    right, up = np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))
    expected = 2 * (centre_x + along * right) - 3 * (centre_y - along * up)
    assert_allclose(pooled[0, 0, 0], expected, atol=1e-9)


@given(inside, ratios, angles)
def test_a_box_in_pixels_with_its_scale_is_the_box_in_cells(box, ratio, angle):
    in_cells = reference.roi_align_rotated(CURVED, one(box, angle), (2, 3), 1, ratio)
    pixels = one(np.multiply(box, 16), angle)
    in_pixels = reference.roi_align_rotated(CURVED, pixels, (2, 3), 1 / 16, ratio)
    assert_allclose(in_pixels, in_cells, atol=1e-9)


def test_positive_angles_turn_counter_clockwise():
    """What lies to the right of the centre before a turn of 90 degrees lies above it after."""
    rows = np.broadcast_to(np.arange(9.0)[:, None], (1, 1, 9, 9))
    bins = reference.roi_align_rotated(rows, one((4.5, 4.5, 4, 1), 90), (1, 4), 1, 1)
    assert_allclose(bins[0, 0, 0], [5.5, 4.5, 3.5, 2.5])


def test_samples_count_in_the_band_after_the_turn_and_still_divide():
    tens = np.full((1, 1, 6, 8), 10.0)
    long = (4, 3, 14, 1)  # along x from -3 to 11; along y, turned, from -4 to 10
    for angle, counted in ((0, 10), (90, 8)):
        pooled = reference.roi_align_rotated(tens, one(long, angle), 1, 1, 14)
        assert pooled.item() == pytest.approx(10 * counted / 14)


@pytest.mark.parametrize(("width", "samples"), [(2.0, 2), (2.01, 3)])
def test_adaptive_sampling_takes_one_sample_a_cell_of_the_side_rounded_up(width, samples):
    box = (4.5, 4.5, width, samples)
    adaptive = reference.roi_align_rotated(CURVED, one(box, 25), 1, 1, -1)
    assert_allclose(adaptive, reference.roi_align_rotated(CURVED, one(box, 25), 1, 1, samples))


def test_openvino_gives_the_same_numbers():
    """Computed there by OpenVINO 2026.4.1, ROIAlignRotated-15, which takes radians."""
    y, x = np.mgrid[:7, :9]
    features = ((x * x + 3 * y * y + 2 * x * y) % 11).astype(float)[None, None]
    theirs = [[5.804448, 2.0792189, 4.303706], [3.6018422, 4.2083483, 3.7902737]]
    for ratio in (2, -1):
        box = one((4.2, 3.1, 5.3, 2.7), 30)
        pooled = reference.roi_align_rotated(features, box, (2, 3), 1, ratio)
        assert_allclose(pooled[0, 0], theirs, atol=1e-5)


@given(inside, ratios, angles)
def test_backward_is_the_adjoint(box, ratio, angle):
    gradient, rois = np.random.RandomState(1).randn(1, 3, 2, 3), one(box, angle, 1)
    pooled = reference.roi_align_rotated(CURVED, rois, (2, 3), 0.9, ratio)
    spread = reference.roi_align_rotated_backward(gradient, CURVED, rois, 0.9, ratio)
    assert_allclose((spread * CURVED).sum(), (gradient * pooled).sum(), atol=1e-9)


@pytest.mark.parametrize("ratio", [-1, 1, 2])
def test_box_gradient_is_the_slope_of_the_output(ratio):
    step, rois = 1e-6, one((4.31, 4.17, 3.33, 2.51), 33.0)
    gradient = np.random.RandomState(1).randn(1, 3, 2, 3)
    slopes = reference.roi_align_rotated_box_gradient(gradient, CURVED, rois, 0.9, ratio)
    for c in range(5):
        nudge = np.zeros((1, 6))
        nudge[0, c + 1] = step
        above = reference.roi_align_rotated(CURVED, rois + nudge, (2, 3), 0.9, ratio)
        below = reference.roi_align_rotated(CURVED, rois - nudge, (2, 3), 0.9, ratio)
        slope = (gradient * (above - below)).sum() / (2 * step)
        assert slopes[0, c] == pytest.approx(slope, abs=1e-6)
