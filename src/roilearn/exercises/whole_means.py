"""Right and wrong ways to average a bin, to find a channel, to turn: for chapter 5's exercises."""

import math

import numpy as np

from roilearn import reference


def exact_mean(values: np.ndarray, x1: float, x2: float, spatial_scale: float) -> float:
    """Mean of the interpolated row over one bin, in image pixels, aligned."""
    ends = x1 * spatial_scale - 0.5, x2 * spatial_scale - 0.5
    return float(reference.bin_weights(*ends, len(values)) @ values)


def mean_without_half(values: np.ndarray, x1: float, x2: float, spatial_scale: float) -> float:
    """Mean over the bin with its edges taken for index coordinates."""
    return float(
        reference.bin_weights(x1 * spatial_scale, x2 * spatial_scale, len(values)) @ values
    )


def mean_without_scale(values: np.ndarray, x1: float, x2: float, spatial_scale: float) -> float:  # noqa: ARG001
    """Mean over the bin with image pixels taken for cells."""
    return exact_mean(values, x1, x2, 1.0)


def mean_without_half_a_pixel(
    values: np.ndarray, x1: float, x2: float, spatial_scale: float
) -> float:
    """Mean over the bin with half an image pixel taken off its edges, before the scale."""
    return mean_without_half(values, x1 - 0.5, x2 - 0.5, spatial_scale)


def integral(values: np.ndarray, x1: float, x2: float, spatial_scale: float) -> float:
    """Area under the row, not divided by the length."""
    return exact_mean(values, x1, x2, spatial_scale) * (x2 - x1) * spatial_scale


def area_mean(values: np.ndarray, x1: float, x2: float, spatial_scale: float) -> float:
    """Mean of the cells, each by how much of it the bin covers: a row of steps, not of lines."""
    cells = np.arange(len(values))
    ends = x1 * spatial_scale, x2 * spatial_scale
    covered = np.clip(np.minimum(cells + 1, ends[1]) - np.maximum(cells, ends[0]), 0, None)
    return float(covered @ values / covered.sum())


def mean_of_samples(
    values: np.ndarray, x1: float, x2: float, spatial_scale: float, *, samples: int = -1
) -> float:
    """Mean of RoIAlign's samples in one bin."""
    start, length = x1 * spatial_scale - 0.5, (x2 - x1) * spatial_scale
    (places,) = reference.sample_positions(start, length, 1, samples)
    return float(np.mean([reference.linear(values, place) for place in places]))


def mean_of_ends(values: np.ndarray, x1: float, x2: float, spatial_scale: float) -> float:
    """Mean of the readings at the two edges: one trapezoid over the whole bin."""
    ends = (x1 * spatial_scale - 0.5, x2 * spatial_scale - 0.5)
    return float(np.mean([reference.linear(values, place) for place in ends]))


def channel_of_bin(c: int, i: int, j: int, bins: int, channels: int) -> int:  # noqa: ARG001
    """Input channel that bin (i, j) of output channel ``c`` reads, in torchvision's layout."""
    return (c * bins + i) * bins + j


def turned_offset(
    across: float, down: float, angle: float, *, sign: int = 1, radians: bool = False
) -> tuple[float, float]:
    """Turn an offset from the centre of a box counter-clockwise: (to the right, downwards)."""
    turn = angle if radians else math.radians(angle)
    cos, sin = math.cos(turn), sign * math.sin(turn)
    return across * cos + down * sin, down * cos - across * sin
