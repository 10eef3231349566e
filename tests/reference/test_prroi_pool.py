"""Laws of Precise RoI pooling: the exact mean, its adjoint and its box gradient."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from roilearn import reference
from roilearn.reference.pooling.prroi_pool import bin_weights

CURVED = np.random.RandomState(0).randn(2, 3, 9, 13)
inside = st.tuples(*(st.floats(*ends) for ends in ((1, 5), (1, 3), (6, 11), (4, 7))))
aligned = st.booleans()


def one(box, image=0):
    return np.array([[image, *box]], dtype=float)


@given(inside, aligned)
def test_a_constant_map_gives_the_constant(box, flag):
    pooled = reference.prroi_pool(np.full((1, 2, 9, 13), 4.5), one(box), (3, 2), 1, flag)
    assert_allclose(pooled, 4.5)


@given(inside)
def test_a_ramp_gives_the_ramp_at_the_centre_of_each_bin(box):
    y, x = np.mgrid[:9, :13] + 0.5
    x1, y1, x2, y2 = box
    centre_x = x1 + (np.arange(2) + 0.5) / 2 * (x2 - x1)
    centre_y = y1 + (np.arange(3) + 0.5) / 3 * (y2 - y1)
    pooled = reference.prroi_pool((2 * x - 3 * y)[None, None], one(box), (3, 2), 1, True)[0, 0]
    assert_allclose(pooled, 2 * centre_x - 3 * centre_y[:, None], atol=1e-9)


@given(inside, st.integers(1, 4), st.integers(1, 4))
def test_shifting_map_and_box_together_changes_nothing(box, right, down):
    shifted = np.pad(CURVED, ((0, 0), (0, 0), (down, 0), (right, 0)))
    before = reference.prroi_pool(CURVED, one(box), (2, 3))
    after = reference.prroi_pool(shifted, one(np.add(box, [right, down, right, down])), (2, 3))
    assert_allclose(after, before, atol=1e-9)


@given(inside, aligned)
def test_a_box_in_pixels_with_its_scale_is_the_box_in_cells(box, flag):
    in_cells = reference.prroi_pool(CURVED, one(box), (2, 3), 1, flag)
    in_pixels = reference.prroi_pool(CURVED, one(np.multiply(box, 16)), (2, 3), 1 / 16, flag)
    assert_allclose(in_pixels, in_cells)


@given(inside)
def test_the_mean_of_a_box_is_the_mean_of_its_bins(box):
    bins = reference.prroi_pool(CURVED, one(box), (4, 3))
    whole = reference.prroi_pool(CURVED, one(box), 1)
    assert_allclose(bins.mean((2, 3), keepdims=True), whole, atol=1e-12)


@given(inside)
def test_swapping_x_and_y_transposes_the_answer(box):
    x1, y1, x2, y2 = box
    straight = reference.prroi_pool(CURVED, one(box), (2, 3))
    swapped = reference.prroi_pool(CURVED.swapaxes(2, 3), one((y1, x1, y2, x2)), (3, 2))
    assert_allclose(swapped.swapaxes(2, 3), straight, atol=1e-12)


def test_aligned_roi_align_approaches_it_with_more_samples():
    box = one((1.3, 2.1, 9.7, 6.4))
    exact = reference.prroi_pool(CURVED, box, (2, 3), 1, aligned=True)
    errors = [
        np.abs(reference.roi_align(CURVED, box, (2, 3), 1, ratio, aligned=True) - exact).max()
        for ratio in (2, 8, 32)
    ]
    assert errors[0] > 10 * errors[1] > 100 * errors[2]
    assert errors[2] < 1e-3


def test_the_integral_of_a_parabola_read_between_whole_columns():
    """Straight between 4, 9, 16, 25: means 6.5, 12.5, 20.5."""
    parabola = np.broadcast_to(np.arange(20.0) ** 2, (1, 1, 8, 20))
    bins = reference.prroi_pool(parabola, one((2, 2, 5, 6)), (1, 3))[0, 0, 0]
    assert_allclose(bins, [6.5, 12.5, 20.5])


def test_beyond_the_last_centre_the_surface_falls_to_zero_within_a_cell():
    tens = np.full((1, 1, 6, 8), 10.0)
    bins = reference.prroi_pool(tens, one((6, 2, 9, 4)), (1, 3))[0, 0, 0]
    assert_allclose(bins, [10, 5, 0])
    assert_allclose(reference.prroi_pool(tens, one((-2, 2, 1, 4)), (1, 3))[0, 0, 0], [0, 5, 10])


@pytest.mark.parametrize("length", [1e-9, 1e-3, 0.7, 3.2])
def test_weights_of_a_bin_inside_the_map_sum_to_one(length):
    weights = bin_weights(3.4, 3.4 + length, 9)
    assert weights.sum() == pytest.approx(1, abs=1e-9)
    assert (weights >= 0).all()


@given(inside, aligned)
def test_backward_is_the_adjoint(box, flag):
    gradient = np.random.RandomState(1).randn(1, 3, 2, 3)
    pooled = reference.prroi_pool(CURVED, one(box, 1), (2, 3), 0.9, flag)
    spread = reference.prroi_pool_backward(gradient, CURVED, one(box, 1), 0.9, flag)
    assert_allclose((spread * CURVED).sum(), (gradient * pooled).sum(), atol=1e-9)


edges = st.sampled_from([(2, 1, 7, 5), (0, 0, 12, 8), (3, 3, 4, 6)])


@given(st.one_of(inside, edges), aligned)
def test_box_gradient_is_the_slope_of_the_output_on_whole_cells_too(box, flag):
    step, scale = 1e-5, 1.0
    gradient = np.random.RandomState(1).randn(1, 3, 2, 3)
    slopes = reference.prroi_pool_box_gradient(gradient, CURVED, one(box), scale, flag)
    for c in range(4):
        nudge = np.zeros(4)
        nudge[c] = step
        above = reference.prroi_pool(CURVED, one(box + nudge), (2, 3), scale, flag)
        below = reference.prroi_pool(CURVED, one(box - nudge), (2, 3), scale, flag)
        slope = (gradient * (above - below)).sum() / (2 * step)
        assert slopes[0, c] == pytest.approx(slope, abs=1e-3)
