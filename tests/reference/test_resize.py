"""The four grid rules: the positions they read, what they preserve, and known numbers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from roilearn import reference

sizes = st.integers(1, 12)

FAMOUS = {  # enlarging 3 values to 4
    "corner": [0, 0.75, 1.5, 2.25],
    "corner_truncated": [0, 0, 1, 2],
    "half_pixel": [-0.125, 0.625, 1.375, 2.125],
    "align_corners": [0, 2 / 3, 4 / 3, 2],
}


@pytest.mark.parametrize("rule", reference.GRID_RULES)
def test_three_to_four_reads_where_the_rule_says(rule):
    assert_allclose(reference.source_positions(4, 3, rule), FAMOUS[rule])


@given(sizes, st.sampled_from(reference.GRID_RULES))
def test_the_same_size_changes_nothing(size, rule):
    values = np.random.RandomState(size).randn(size)
    assert_allclose(reference.resize_linear(values, size, rule), values)


@given(sizes, sizes, st.sampled_from(reference.GRID_RULES))
def test_a_constant_stays_itself(out_size, in_size, rule):
    assert_allclose(reference.resize_linear(np.full(in_size, 7.5), out_size, rule), 7.5)


@given(sizes, sizes)
def test_half_pixel_and_align_corners_read_symmetrically(out_size, in_size):
    for rule in ("half_pixel", "align_corners"):
        if out_size == 1 and rule == "align_corners":
            continue  # one output reads the first value: there is no symmetric choice
        positions = reference.source_positions(out_size, in_size, rule)
        assert_allclose(positions + positions[::-1], in_size - 1, atol=1e-9)


@given(st.integers(2, 12), st.integers(2, 12))
def test_corner_shifts_the_picture_by_half_of_what_the_grid_grows(out_size, in_size):
    positions = reference.source_positions(out_size, in_size, "corner")
    middle = positions.mean() - (in_size - 1) / 2
    assert middle == pytest.approx((1 - in_size / out_size) / 2)


@given(st.integers(2, 12), st.integers(2, 12))
def test_align_corners_keeps_the_ends(out_size, in_size):
    positions = reference.source_positions(out_size, in_size, "align_corners")
    assert_allclose(positions[[0, -1]], [0, in_size - 1], atol=1e-12)


@pytest.mark.parametrize("rule", reference.GRID_RULES)
def test_an_image_is_resized_along_each_axis_by_itself(rule):
    image = np.random.RandomState(3).randn(2, 5, 7)
    columns_first = np.array(
        [[reference.resize_linear(row, 4, rule) for row in channel] for channel in image]
    )
    both = np.array(
        [
            np.transpose([reference.resize_linear(column, 8, rule) for column in channel.T])
            for channel in columns_first
        ]
    )
    assert_allclose(reference.resize(image, (8, 4), rule), both)


def test_resize_takes_one_number_for_both_sides():
    image = np.random.RandomState(3).randn(5, 7)
    assert_allclose(reference.resize(image, 3), reference.resize(image, (3, 3)))


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match=r"rule must be one of 'corner'.*got 'bilinear'"):
        reference.source_positions(4, 3, "bilinear")
    with pytest.raises(ValueError, match="size must be at least 1"):
        reference.resize(np.ones((2, 2)), 0)
    with pytest.raises(ValueError, match="out_size and in_size must be at least 1"):
        reference.source_positions(0, 3)
    with pytest.raises(TypeError, match="size must be a whole number"):
        reference.resize(np.ones((2, 2)), 1.5)
