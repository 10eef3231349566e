"""Rounding rules on halves and negative numbers, the size of the error, and the box of 665 px."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from roilearn import reference

values = st.floats(-1000, 1000, allow_nan=False)


@pytest.mark.parametrize(
    ("rule", "rounded"),
    [
        ("floor", [-3, -1, 0, 2, 2, 2]),
        ("half_away", [-3, -1, 1, 3, 3, 2]),
        ("half_even", [-2, 0, 0, 2, 3, 2]),
    ],
)
def test_halves_and_negatives(rule, rounded):
    assert_array_equal(reference.quantize([-2.5, -0.5, 0.5, 2.5, 2.51, 2.49], rule), rounded)


def test_the_number_just_below_a_half_stays_down():
    """Adding a half and flooring would lift it: that sum is not exact."""
    assert reference.quantize(np.nextafter(0.5, 0), "half_away") == 0


@given(values, st.sampled_from(reference.ROUNDING_RULES))
def test_error_is_at_most_a_cell_for_floor_and_half_a_cell_for_round(value, rule):
    error = reference.quantization_error(value, rule)
    if rule == "floor":
        assert -1 <= error <= 0
    else:
        assert abs(error) <= 0.5


@given(values)
def test_half_even_is_numpys_round(value):
    assert reference.quantize(value, "half_even") == np.round(value)


@given(values)
def test_rounding_away_is_odd(value):
    assert reference.quantize(-value) == -reference.quantize(value)


def test_float32_stays_float32():
    assert reference.quantize(np.float32([1.5])).dtype == np.float32


def test_the_665_pixel_box_at_stride_32():
    assert reference.quantize_box([0, 0, 665, 665], 1 / 32) == (0, 0, 21, 21)
    assert reference.quantize_box([0, 0, 665, 665], 1 / 32, "floor") == (0, 0, 20, 20)


def test_a_box_keeps_its_order_of_coordinates():
    assert reference.quantize_box([16, 32, 64, 112], 1 / 16) == (1, 2, 4, 7)


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match=r"rule must be one of 'floor'"):
        reference.quantize(1.5, "round")
    with pytest.raises(ValueError, match=r"spatial_scale must be finite and positive; got -1\.0"):
        reference.quantize_box([0, 0, 1, 1], -1)
