"""What a step of the GPU kernel asks of memory, counted; and what it reaches, once measured.

Memory hands out sectors of 32 bytes. A load instruction of a program fetches every sector that one
of its numbers lies in. Counted here: the bytes of all those sectors, as if no cache kept any (what
is *asked for*), and the bytes that no way can do without (what is *needed*). What a GPU moves lies
between the two. The arithmetic that is wanted is the same for every step.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

import numpy as np

from roilearn.bench.recorded.results import Row
from roilearn.bench.workloads import Shape, make_inputs
from roilearn.reference.pooling.roi_align import box_samples

OPERATOR = "roi_align, steps"
"""Name of these measurements among the recorded ones."""
BYTES_FLOOR, WORK_FLOOR = "bandwidth floor", "arithmetic floor"
"""Times of moving the bytes needed, and of doing the arithmetic wanted, at rates measured there."""
SECTOR, NUMBER = 32, 4
"""Bytes of a sector of a GPU's memory, and of a float32."""
BOX = 5
"""Numbers that a program loads of its box, one by one."""


@dataclass(frozen=True)
class Step:
    """One form of the kernel: how much of the output a program takes, and how the maps lie."""

    name: str
    kernel: str  # function in ``roilearn.kernels.steps``; "average" is the package's own
    bins: int
    channels: int  # at most
    last: bool  # channels last


STEPS = (
    Step("1, one number", "one_number", 1, 1, last=False),
    Step("2, one bin", "one_bin", 1, 128, last=True),
    Step("3, several bins", "several_bins", 16, 128, last=True),
    Step("roilearn", "average", 64, 16, last=False),
    Step("roilearn, channels last", "average", 16, 128, last=True),
)
"""The steps of the book's page, then the package's kernel on both layouts."""


def wanted(shape: Shape) -> int:
    """Arithmetic that any step does: a product and a sum for each cell read, and a division.

    Examples
    --------
    >>> wanted(Shape("tiny", (1, 3, 5, 5), 2, (2, 3), 1, 2, ""))
    198
    """
    numbers = shape.boxes * shape.output_size**2 * shape.features[1]
    return numbers * (2 * 4 * shape.sampling_ratio**2 + 1)


def needed(shape: Shape) -> int:
    """Bytes of the output, of the cells that some sample reads, once each, and of the boxes."""
    numbers = shape.boxes * shape.output_size**2 * shape.features[1]
    read = len(np.unique(cells_read(shape))) * shape.features[1]
    return NUMBER * (numbers + read + BOX * shape.boxes)


def asked(step: Step, shape: Shape) -> int:
    """Bytes of all sectors that the programs of a step load and store, each time they do."""
    channels, bins = shape.features[1], shape.output_size**2
    programs = shape.boxes * -(-bins // step.bins) * -(-channels // step.channels)
    of_boxes = programs * BOX * SECTOR
    if step.last:
        blocks = [min(step.channels, channels - c) for c in range(0, channels, step.channels)]
        a_cell = sum(-(-NUMBER * block // SECTOR) * SECTOR for block in blocks)
        loaded = distinct(cells_read(shape), step.bins) * a_cell
        return of_boxes + loaded + shape.boxes * bins * a_cell
    in_a_sector = SECTOR // NUMBER
    loaded = distinct(cells_read(shape) // in_a_sector, step.bins) * channels * SECTOR
    first = np.arange(shape.boxes * channels)[:, None] * bins + np.arange(0, bins, step.bins)
    past = np.minimum(first + step.bins, first[:, :1] + bins)
    stored = ((past - 1) // in_a_sector - first // in_a_sector + 1).sum() * SECTOR
    return int(of_boxes + loaded + stored)


@cache
def cells_read(shape: Shape) -> np.ndarray:
    """Cells that each bin reads, counted through all images: (K, bins, 4 * samples), by load."""
    _, boxes = make_inputs(shape)
    height, width = shape.features[2:]
    bins = (shape.output_size, shape.output_size)
    cells = []
    for box in boxes:
        rows, columns = box_samples(box, bins, 1.0, shape.sampling_ratio, True)
        row, column = both_neighbours(rows, height), both_neighbours(columns, width)
        first = int(box[0]) * height * width
        cells.append(first + row[:, None, :, None] * width + column[None, :, None, :])
    return np.reshape(cells, (len(boxes), bins[0] * bins[1], -1))


def both_neighbours(positions: list[list[float]], size: int) -> np.ndarray:
    """Cells below and above each position along one axis: (bins, 2 * samples)."""
    low = np.floor(np.clip(positions, 0, size - 1)).astype(np.int64)
    return np.stack([low, np.minimum(low + 1, size - 1)], -1).reshape(len(low), -1)


def distinct(places: np.ndarray, some: int) -> int:
    """Count the different places of each load of a program that takes ``some`` bins at once.

    Examples
    --------
    >>> distinct(np.array([[[7], [7], [8]]]), some=2)  # the first two bins meet in a program
    2
    """
    boxes, bins, loads = places.shape
    total = 0
    for first in range(0, bins, some):
        part = np.sort(places[:, first : first + some], 1)
        total += boxes * loads + int((np.diff(part, axis=1) > 0).sum())
    return total


@dataclass(frozen=True)
class Place:
    """A step on the roofline: operations a byte, if no cache helps and at best; and its rate."""

    name: str
    low: float
    high: float
    rate: float | None  # operations a second, if recorded


def places(shape: Shape, rows: Iterable[Row] = ()) -> list[Place]:
    """Put every step in its place, with its rate where ``rows`` have one."""
    recorded = times(shape, rows)
    work, least = wanted(shape), needed(shape)
    return [
        Place(
            step.name,
            work / asked(step, shape),
            work / least,
            work / recorded[step.name] if step.name in recorded else None,
        )
        for step in STEPS
    ]


def roofs(shape: Shape, rows: Iterable[Row]) -> tuple[float, float] | None:
    """Bytes and operations a second at most, measured beside the steps; None: not recorded."""
    recorded = times(shape, rows)
    if not {BYTES_FLOOR, WORK_FLOOR} <= recorded.keys():
        return None
    return needed(shape) / recorded[BYTES_FLOOR], wanted(shape) / recorded[WORK_FLOOR]


def times(shape: Shape, rows: Iterable[Row]) -> dict[str, float]:
    """Look the recorded seconds up, by contestant."""
    return {
        row.contestant: row.milliseconds / 1000
        for row in rows
        if (row.operator, row.shape, row.direction) == (OPERATOR, shape.name, "forward")
    }
