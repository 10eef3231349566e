"""Bags summed and transposed, the right way and the ways that are often taken, in NumPy."""

import numpy as np


def stretches(offsets: np.ndarray, entries: int) -> list[slice]:
    """Where the entries of each bag stand."""
    stops = [*offsets[1:], entries]
    return [slice(start, stop) for start, stop in zip(offsets, stops, strict=True)]


def bag_sum(
    table: np.ndarray, index: np.ndarray, weight: np.ndarray, offsets: np.ndarray
) -> np.ndarray:
    """Sum each bag: (bags, C). An empty bag gives 0."""
    rows = [weight[some] @ table[index[some]] for some in stretches(offsets, len(index))]
    return np.array(rows)


def bag_mean(
    table: np.ndarray, index: np.ndarray, weight: np.ndarray, offsets: np.ndarray
) -> np.ndarray:
    """Divide each sum by the bag's number of entries."""
    sizes = np.diff([*offsets, len(index)])
    return bag_sum(table, index, weight, offsets) / np.maximum(sizes, 1)[:, None]


def without_last_bag(
    table: np.ndarray, index: np.ndarray, weight: np.ndarray, offsets: np.ndarray
) -> np.ndarray:
    """Stop at the last offset, where the last bag begins."""
    return bag_sum(table, index[: offsets[-1]], weight[: offsets[-1]], offsets)


def reduceat_sum(
    table: np.ndarray, index: np.ndarray, weight: np.ndarray, offsets: np.ndarray
) -> np.ndarray:
    """Sum with ``np.add.reduceat``, which gives an empty bag the entry that comes next."""
    return np.add.reduceat(weight[:, None] * table[index], offsets, axis=0)


def paid(
    gradient: np.ndarray, index: np.ndarray, weight: np.ndarray, offsets: np.ndarray, cells: int
) -> np.ndarray:
    """Gradient of each row of the table: the transposed bag, (cells, C)."""
    received = np.zeros((cells, gradient.shape[1]))
    np.add.at(received, index, weight[:, None] * gradient[owner(index, offsets)])
    return received


def paid_once(
    gradient: np.ndarray, index: np.ndarray, weight: np.ndarray, offsets: np.ndarray, cells: int
) -> np.ndarray:
    """Add with ``+=`` at an index, which keeps one entry of each cell."""
    received = np.zeros((cells, gradient.shape[1]))
    received[index] += weight[:, None] * gradient[owner(index, offsets)]
    return received


def paid_by_cell(
    gradient: np.ndarray, index: np.ndarray, weight: np.ndarray, offsets: np.ndarray, cells: int
) -> np.ndarray:
    """Look the gradient up by cell, where it has a row for each bag."""
    del offsets
    received = np.zeros((cells, gradient.shape[1]))
    np.add.at(received, index, weight[:, None] * gradient[index])
    return received


def owner(index: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Bag in which each entry stands."""
    return np.repeat(np.arange(len(offsets)), np.diff([*offsets, len(index)]))
