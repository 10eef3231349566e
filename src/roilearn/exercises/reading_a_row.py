"""Right and wrong ways to read a row of cells: what the exercises of chapter 4 tell apart."""

from collections.abc import Callable

import numpy as np

from roilearn import reference


def roi_align_1d(
    values: np.ndarray, x1: float, x2: float, spatial_scale: float, bins: int, samples: int
) -> np.ndarray:
    """Average ``samples`` readings in each bin of a row of cells."""
    start, end = x1 * spatial_scale - 0.5, x2 * spatial_scale - 0.5
    positions = reference.sample_positions(start, end - start, bins, samples)
    return np.array([sum(reading(values, p) for p in one) / samples for one in positions])


def reading(values: np.ndarray, position: float) -> float:
    """Value at a position; 0 more than one cell outside."""
    inside = reference.in_band(position, len(values))
    return float(reference.linear(values, position)) if inside else 0.0


def wrong_places(
    values: np.ndarray,
    x1: float,
    x2: float,
    spatial_scale: float,
    bins: int,
    samples: int,
    *,
    before: float = 0.0,
    after: float = 0.5,
    rounded: bool = False,
    parts: Callable[[int], np.ndarray] = lambda n: (np.arange(n) + 0.5) / n,
) -> np.ndarray:
    """Average readings at other places: a misplaced half, rounded corners, other fractions."""
    start, end = (x1 - before) * spatial_scale, (x2 - before) * spatial_scale
    if rounded:
        start, end = reference.quantize([start, end])
    size = (end - start) / bins
    places = [start - after + (i + np.asarray(parts(samples))) * size for i in range(bins)]
    return np.array([np.mean([reading(values, p) for p in one]) for one in places])


def wrong_sum(
    values: np.ndarray,
    x1: float,
    x2: float,
    spatial_scale: float,
    bins: int,
    samples: int,
    *,
    take: Callable[[np.ndarray, list[float]], float],
) -> np.ndarray:
    """Read at the right places and put the readings together in another way."""
    start, length = x1 * spatial_scale - 0.5, (x2 - x1) * spatial_scale
    positions = reference.sample_positions(start, length, bins, samples)
    return np.array([take(values, one) for one in positions])


def largest(values: np.ndarray, positions: list[float]) -> float:
    """Take the largest reading."""
    return max(reading(values, p) for p in positions)


def clamped(values: np.ndarray, positions: list[float]) -> float:
    """Read the border however far outside."""
    return float(np.mean([reference.linear(values, p) for p in positions]))


def mean_inside(values: np.ndarray, positions: list[float]) -> float:
    """Divide by the samples that count instead of by all of them."""
    counted = [reading(values, p) for p in positions if reference.in_band(p, len(values))]
    return sum(counted) / max(len(counted), 1)


def left_edge_gradient(
    values: np.ndarray, x1: float, x2: float, spatial_scale: float, samples: int
) -> float:
    """Slope of a single bin's value by x1, per image pixel."""
    return edge_gradient(lambda t: 1 - t, values, x1, x2, spatial_scale, samples)


def edge_gradient(
    share: Callable[[float], float],
    values: np.ndarray,
    x1: float,
    x2: float,
    spatial_scale: float,
    samples: int,
) -> float:
    """Slope by an edge that moves a sample at fraction t of the box by ``share(t)``."""
    start, length = x1 * spatial_scale - 0.5, (x2 - x1) * spatial_scale
    (positions,) = reference.sample_positions(start, length, 1, samples)
    slopes = [reference.linear_gradient(values, p) for p in positions]
    shares = [share((a + 0.5) / samples) for a in range(samples)]
    return float(np.dot(slopes, shares)) / samples * spatial_scale
