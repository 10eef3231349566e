"""Wrong functions that are right on easy inputs: each fails, in the group that was made for it."""

import math

import numpy as np
import pytest

from roilearn import exercises, reference


def failed(number, function):
    verdict = exercises.check(number, function)
    assert not verdict
    return verdict


def clamped_to_one_cell_outside(image, row, column):
    height, width = image.shape
    if not (-1 < row < height and -1 < column < width):
        return 0.0
    return reference.bilinear(image, row, column)


def clamped_above_alone(image, row, column):
    row, column = min(row, image.shape[0] - 1), min(column, image.shape[1] - 1)
    top, left = math.floor(row), math.floor(column)
    bottom, right = min(top + 1, image.shape[0] - 1), min(left + 1, image.shape[1] - 1)
    upper = image[top, left] + (column - left) * (image[top, right] - image[top, left])
    lower = image[bottom, left] + (column - left) * (image[bottom, right] - image[bottom, left])
    return upper + (row - top) * (lower - upper)


def test_positions_a_whole_pixel_outside():
    assert failed("1.2", clamped_to_one_cell_outside).failed == ("far beyond the border",)


def test_positions_below_0():
    assert "far beyond the border" in failed("1.2", clamped_above_alone).failed


def roi_align_1d(values, x1, x2, spatial_scale, bins, samples, counts=None, longest=0.0):
    start, length = x1 * spatial_scale - 0.5, max((x2 - x1) * spatial_scale, longest)
    output = []
    for places in reference.sample_positions(start, length, bins, samples):
        read = [reference.linear(values, p) if counts(p, len(values)) else 0 for p in places]
        output.append(np.mean(read))
    return output


@pytest.mark.parametrize(
    "counts",
    [
        lambda p, size: -1 <= p <= size - 1,
        lambda p, size: -1 < p < size,
        lambda p, size: -1 <= p < size,
        lambda p, size: -0.5 <= p <= size - 0.5,
    ],
)
def test_a_sample_in_the_last_band(counts):
    verdict = failed("4.4", lambda *arguments: roi_align_1d(*arguments, counts=counts))
    assert verdict.mistake == "band too short" or "on the end of the band" in verdict.failed


def test_a_box_under_one_cell():
    def at_least_one_cell(*arguments):
        return roi_align_1d(*arguments, counts=reference.in_band, longest=1.0)

    assert failed("4.4", at_least_one_cell).mistake == "at least one cell"


@pytest.mark.parametrize("step", [1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 3e-4])
@pytest.mark.parametrize("sides", [(1, 1), (0, 1), (1, 0)])
def test_a_finite_difference_for_the_slope(step, sides):
    def by_difference(values, x1, x2, spatial_scale, samples):
        low, high = (
            roi_align_1d(values, x, x2, spatial_scale, 1, samples, reference.in_band)[0]
            for x in (x1 - sides[0] * step, x1 + sides[1] * step)
        )
        return (high - low) / (sum(sides) * step)

    verdict = failed("4.5", by_difference)
    assert verdict.mistake == "difference" or set(verdict.failed) <= {
        "on a centre",
        "just before a centre",
    }


def test_a_bin_wholly_between_two_centres():
    def first_and_last_piece(values, x1, x2, spatial_scale):
        start, stop = x1 * spatial_scale - 0.5, x2 * spatial_scale - 0.5
        first, last = math.ceil(start), math.floor(stop)
        pieces = [(start, first), *((i, i + 1) for i in range(first, last)), (last, stop)]
        read = [(reference.linear(values, a) + reference.linear(values, b)) / 2 for a, b in pieces]
        return sum((b - a) * mean for (a, b), mean in zip(pieces, read, strict=True)) / (
            stop - start
        )

    assert failed("5.3", first_and_last_piece).failed == ("between two centres",)


def test_an_empty_last_bag():
    def reduceat_with_zeros(table, index, weight, offsets):
        starts = np.minimum(offsets, len(index) - 1)
        summed = np.add.reduceat(weight[:, None] * table[index], starts, axis=0)
        empty = np.diff([*offsets, len(index) + 1]) == 0
        return np.where(empty[:, None], 0, summed)

    assert failed("6.4", reduceat_with_zeros).failed == ("empty last bag",)


def test_fewer_bags_than_cells():
    def sized_by_bags(gradient, index, weight, offsets, cells):
        received = np.zeros((max(len(gradient), int(index.max()) + 1), gradient.shape[1]))
        owner = np.repeat(np.arange(len(offsets)), np.diff([*offsets, len(index)]))
        np.add.at(received, index, weight[:, None] * gradient[owner])
        return received[:cells]

    verdict = failed("6.5", sized_by_bags)
    assert verdict.form == "shape"


def test_a_box_suppressed_twice():
    def exchanged(words):
        gone, stays = 0, []
        for i, word in enumerate(words):
            stays.append(not gone >> i & 1)
            gone ^= int(word) if stays[-1] else 0
        return stays

    assert failed("6b.4", exchanged).mistake == "bits exchanged"


@pytest.mark.parametrize(
    ("wrong", "name"),
    [
        (lambda x: int(x) if abs(x) < 0.5 else int(x + math.copysign(1, x)),
         "the number compared, not its fraction"),
        (math.ceil, "ceil"),
        (lambda x: math.ceil(x - 0.5) if x > 0 else math.floor(x + 0.5), "halves towards zero"),
        (lambda x: int(x + 0.5) if x > 0 else -int(0.5 - x), "sum rounded before floor"),
    ],
)  # fmt: skip
def test_roundings_that_agree_on_halves_or_off_them(wrong, name):
    assert failed("2.3", wrong).mistake == name


def test_numbers_that_two_ways_of_thinking_shared():
    squares = np.arange(8.0) ** 2
    assert failed("4.1", squares[2:5].mean()).mistake == "cells"
    assert failed("3.1", (2, 2, 2)).mistake == "equal"
    assert not exercises.check("3.1", (3, 3))
    assert not exercises.check("4.1", 13.5)
