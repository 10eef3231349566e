"""Outlines: known areas, turns, shifts, and a window that leaves nothing out."""

import math

import numpy as np
import pytest

from roilearn.data.shape_scenes.signed_distances import SIGNED_DISTANCES, Shape

AREAS = {
    "disc": math.pi,
    "square": 2.0,
    "triangle": 3 * math.sqrt(3) / 4,
    "ring": 0.75 * math.pi,
    "cross": 8 * 0.3 * math.sqrt(1 - 0.09) - 4 * 0.09,
}
"""Of shapes within the unit circle."""
WHOLE = (slice(0, 90), slice(0, 90))


def shape(name, x=44.3, y=45.1, radius=31.0, angle=0.4):
    return Shape(name, x, y, radius, angle)


def test_an_area_is_known_for_every_outline():
    assert AREAS.keys() == SIGNED_DISTANCES.keys()


@pytest.mark.parametrize("name", SIGNED_DISTANCES)
def test_masks_and_antialiased_edges_have_the_area_of_the_shape(name):
    area = AREAS[name] * 31**2
    covered = np.clip(0.5 - shape(name).distance(WHOLE), 0, 1).sum()
    assert shape(name).mask((90, 90)).sum() == pytest.approx(area, rel=0.02)
    assert covered == pytest.approx(area, rel=0.003)


@pytest.mark.parametrize("name", SIGNED_DISTANCES)
def test_a_shape_touches_the_circle_around_it_and_stays_inside(name):
    rows, columns = np.nonzero(shape(name).mask((90, 90)))
    reach = np.hypot(columns + 0.5 - 44.3, rows + 0.5 - 45.1).max()
    assert 29.5 < reach < 31 + 1e-4


@pytest.mark.parametrize("name", SIGNED_DISTANCES)
def test_a_quarter_turn_of_the_shape_is_a_quarter_turn_of_the_image(name):
    upright = shape(name, 45, 45).mask((90, 90))
    turned = shape(name, 45, 45, angle=0.4 + math.pi / 2).mask((90, 90))
    np.testing.assert_array_equal(turned, np.rot90(upright, -1))


@pytest.mark.parametrize("name", SIGNED_DISTANCES)
@pytest.mark.parametrize("place", [(44.3, 45.1), (3.2, 70.0), (-8.0, 2.0), (99.0, 44.0)])
def test_a_window_holds_the_whole_mask_also_across_an_edge(name, place):
    whole = shape(name, *place).distance(WHOLE) < 0
    np.testing.assert_array_equal(shape(name, *place).mask((90, 90)), whole)


@pytest.mark.parametrize("name", SIGNED_DISTANCES)
def test_a_shift_by_whole_pixels_shifts_the_mask(name):
    here, there = shape(name).mask((90, 120)), shape(name, x=44.3 + 17, y=45.1 + 2).mask((90, 120))
    np.testing.assert_array_equal(there, np.roll(here, (2, 17), axis=(0, 1)))


def test_a_shape_far_outside_has_an_empty_mask():
    assert not shape("disc", x=-500).mask((20, 30)).any()
    assert not shape("disc", y=500).mask((20, 30)).any()


def test_a_pixel_belongs_to_the_shape_that_holds_its_centre():
    mask = Shape("disc", 2.5, 1.5, 1.2, 0).mask((3, 5))
    wanted = [[0, 0, 1, 0, 0], [0, 1, 1, 1, 0], [0, 0, 1, 0, 0]]
    np.testing.assert_array_equal(mask, wanted)
