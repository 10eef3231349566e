"""Laws of RoIAlign: invariances, exactness on ramps, its adjoint and its box gradient."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from roilearn import reference

CURVED = np.random.RandomState(0).randn(2, 3, 9, 13)


def sixty_fourths(low, high):
    """Numbers that shifting and mirroring keep exact, so that no sample count hangs on rounding."""
    return st.integers(64 * low, 64 * high).map(lambda count: count / 64)


inside = st.tuples(*(sixty_fourths(*ends) for ends in ((1, 5), (1, 3), (6, 11), (4, 7))))
options = st.tuples(st.sampled_from([-1, 1, 2, 3]), st.booleans())


def one(box, image=0):
    return np.array([[image, *box]], dtype=float)


@given(inside, options)
def test_a_constant_map_gives_the_constant(box, option):
    pooled = reference.roi_align(np.full((1, 2, 9, 13), 4.5), one(box), (3, 2), 1, *option)
    assert_allclose(pooled, 4.5)


@given(inside, st.sampled_from([-1, 1, 2, 3]))
def test_a_ramp_gives_the_ramp_at_the_centre_of_each_bin(box, ratio):
    y, x = np.mgrid[:9, :13] + 0.5
    ramp = (2 * x - 3 * y)[None, None]
    x1, y1, x2, y2 = box
    centre_x = x1 + (np.arange(2) + 0.5) / 2 * (x2 - x1)
    centre_y = y1 + (np.arange(3) + 0.5) / 3 * (y2 - y1)
    pooled = reference.roi_align(ramp, one(box), (3, 2), 1, ratio, aligned=True)[0, 0]
    assert_allclose(pooled, 2 * centre_x - 3 * centre_y[:, None], atol=1e-9)


@given(inside, options, st.integers(1, 4), st.integers(1, 4))
def test_shifting_map_and_box_together_changes_nothing(box, option, right, down):
    shifted = np.pad(CURVED, ((0, 0), (0, 0), (down, 0), (right, 0)))
    moved = np.add(box, [right, down, right, down])
    before = reference.roi_align(CURVED, one(box), (2, 3), 1, *option)
    after = reference.roi_align(shifted, one(moved), (2, 3), 1, *option)
    assert_allclose(after, before, atol=1e-7)


@given(inside, options)
def test_a_box_in_pixels_with_its_scale_is_the_box_in_cells(box, option):
    in_cells = reference.roi_align(CURVED, one(box), (2, 3), 1, *option)
    in_pixels = reference.roi_align(CURVED, one(np.multiply(box, 16)), (2, 3), 1 / 16, *option)
    assert_allclose(in_pixels, in_cells)


@given(inside, options)
def test_aligned_is_the_other_one_half_a_cell_earlier(box, option):
    ratio, _ = option
    earlier = np.subtract(box, 0.5)
    aligned = reference.roi_align(CURVED, one(box), (2, 3), 1, ratio, aligned=True)
    shifted = reference.roi_align(CURVED, one(earlier), (2, 3), 1, ratio, aligned=False)
    assert_allclose(aligned, shifted, atol=1e-7)


@given(inside, options)
def test_mirrored_map_and_box_give_the_mirrored_answer(box, option):
    ratio, _ = option
    x1, y1, x2, y2 = box
    straight = reference.roi_align(CURVED, one(box), (2, 3), 1, ratio, aligned=True)
    mirror = one((13 - x2, y1, 13 - x1, y2))
    turned = reference.roi_align(CURVED[..., ::-1], mirror, (2, 3), 1, ratio, aligned=True)
    assert_allclose(turned[..., ::-1], straight, atol=1e-7)


@given(inside)
def test_swapping_x_and_y_transposes_the_answer(box):
    x1, y1, x2, y2 = box
    straight = reference.roi_align(CURVED, one(box), (2, 3), 1, 2, aligned=True)
    swapped = reference.roi_align(
        CURVED.swapaxes(-1, -2), one((y1, x1, y2, x2)), (3, 2), 1, 2, aligned=True
    )
    assert_allclose(swapped.swapaxes(-1, -2), straight)


def test_two_samples_of_a_bin_lie_at_one_and_three_quarters():
    assert reference.sample_positions(0.0, 1.0, 1, 2) == [[0.25, 0.75]]


@pytest.mark.parametrize(
    ("length", "samples"), [(12.0, 12), (12.01, 13), (0.4, 1), (0.0, 0), (-3.0, 0)]
)
def test_adaptive_sampling_takes_one_sample_a_cell_rounded_up(length, samples):
    assert len(reference.sample_positions(1.0, length, 1, -1)[0]) == samples


@pytest.mark.parametrize(("ratio", "value"), [(1, 56.5), (2, 65.5), (4, 67.5), (-1, 68.1667)])
def test_the_fewer_samples_the_more_of_a_parabola_is_missed(ratio, value):
    """The square of the column, averaged by one bin from x = 2 to x = 14."""
    parabola = np.broadcast_to(np.arange(20.0) ** 2, (1, 1, 8, 20))
    pooled = reference.roi_align(parabola, one((2, 2, 14, 6)), 1, 1, ratio, aligned=True)
    assert pooled.item() == pytest.approx(value, abs=1e-3)


@pytest.mark.parametrize(
    ("position", "value"), [(-1.0, 10), (-1.01, 0), (8.0, 10), (8.01, 0), (3.3, 10)]
)
def test_the_band_of_one_cell_outside_counts_and_beyond_it_nothing(position, value):
    tens = np.full((1, 1, 6, 8), 10.0)
    box = one((position, 2, position, 4))
    pooled = reference.roi_align(tens, box, 1, 1, 1, aligned=False)
    grown = position + 0.5  # the sample of a side of no length, grown to one cell
    assert pooled.item() == (10 if -1 <= grown <= 8 else 0)
    point = one((position + 0.5, 2, position + 0.5, 4))
    assert reference.roi_align(tens, point, 1, 1, 1, aligned=True).item() == value


def test_samples_that_do_not_count_still_divide():
    tens = np.full((1, 1, 6, 8), 10.0)
    half_outside = one((-5.5, 2, 2.5, 4))  # samples at -4.25 and -0.25 cells, aligned
    assert reference.roi_align(tens, half_outside, 1, 1, 2, aligned=True).item() == 5


def test_each_box_reads_its_own_image():
    box = (2, 2, 6, 6)
    both = np.concatenate([one(box, 1), one(box, 0)])
    pooled = reference.roi_align(CURVED, both, 2, aligned=True)
    assert_allclose(pooled[0], reference.roi_align(CURVED[1:], one(box), 2, aligned=True)[0])
    assert_allclose(pooled[1], reference.roi_align(CURVED[:1], one(box), 2, aligned=True)[0])


@given(inside, options)
def test_backward_is_the_adjoint(box, option):
    gradient = np.random.RandomState(1).randn(1, 3, 2, 3)
    pooled = reference.roi_align(CURVED, one(box, 1), (2, 3), 0.9, *option)
    spread = reference.roi_align_backward(gradient, CURVED, one(box, 1), 0.9, *option)
    assert_allclose((spread * CURVED).sum(), (gradient * pooled).sum(), atol=1e-9)


@given(inside, options)
def test_box_gradient_is_the_slope_of_the_output(box, option):
    step, scale = 1e-6, 0.9
    gradient = np.random.RandomState(1).randn(1, 3, 2, 3)
    slopes = reference.roi_align_box_gradient(gradient, CURVED, one(box), scale, *option)
    start = np.array(box[:2]) * scale - (0.5 if option[1] else 0)
    true_size = np.subtract(box[2:], box[:2]) * scale
    size = true_size if option[1] else np.maximum(true_size, 1)
    samples = [option[0] if option[0] > 0 else int(np.ceil(cells)) for cells in size / (3, 2)]
    places = [
        np.ravel(reference.sample_positions(*axis))
        for axis in zip(start, size, (3, 2), samples, strict=True)
    ]
    knife_edges = np.concatenate([*places, true_size, size / (3, 2) if option[0] < 1 else []])
    if np.abs(knife_edges - np.round(knife_edges)).min() < 1e-4:
        return  # a kink, the minimum size, or a box about to gain a sample: no slope there
    for c in range(4):
        nudge = np.zeros(4)
        nudge[c] = step
        above = reference.roi_align(CURVED, one(box + nudge), (2, 3), scale, *option)
        below = reference.roi_align(CURVED, one(box - nudge), (2, 3), scale, *option)
        slope = (gradient * (above - below)).sum() / (2 * step)
        assert slopes[0, c] == pytest.approx(slope, abs=1e-5)


def test_a_side_held_at_one_cell_moves_with_its_first_edge_only():
    ramp = np.broadcast_to(np.arange(8.0), (1, 1, 8, 8))
    tiny = one((2.2, 2.2, 2.3, 5.2))
    slopes = reference.roi_align_box_gradient(np.ones((1, 1, 1, 1)), ramp, tiny, 1, 2, False)
    assert_allclose(slopes, [[1, 0, 0, 0]], atol=1e-12)


def test_too_many_samples_raise_before_any_work():
    with pytest.raises(ValueError, match=r"1e\+09 x 4 cells.*more than 4194304"):
        reference.roi_align(CURVED, one((0, 0, 4, 1e9)), 1, aligned=True)
