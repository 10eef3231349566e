"""Roofline model of the RoIAlign kernel's steps: bytes, operations and arithmetic intensity.

A GPU's memory transfers sectors of 32 bytes. A load instruction fetches every sector in which one
of its numbers lies. ``bytes_requested`` counts the bytes of all those sectors, as if there were no
cache. ``bytes_needed`` counts the bytes that any implementation must move. The traffic of a GPU
lies between the two. The number of operations is the same for every step.

Source: Williams, Waterman and Patterson, Roofline (2009).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

import numpy as np

from roilearn.bench.recorded.results import Row
from roilearn.bench.workloads import PoolingWorkload, make_inputs
from roilearn.reference.pooling.roi_align import box_samples

OPERATOR = "roi_align, steps"
"""Name of these measurements in the recorded table."""
BYTES_FLOOR, WORK_FLOOR = "bandwidth floor", "arithmetic floor"
"""Times of moving the needed bytes, and of the operations alone, at rates measured on the GPU."""
SECTOR, NUMBER = 32, 4
"""Bytes of a sector of a GPU's memory, and of a float32."""
BOX = 5
"""Numbers of its box that a program loads, one by one."""


@dataclass(frozen=True)
class Step:
    """One form of the kernel: the block of the output that a program computes, and the layout."""

    name: str
    kernel: str  # function in ``roilearn.kernels.steps``; or "roi_align_forward"
    bins: int  # of a block
    channels: int  # of a block, at most
    channels_last: bool


STEPS = (
    Step("1, one number", "one_number", 1, 1, channels_last=False),
    Step("2, one bin", "one_bin", 1, 128, channels_last=True),
    Step("3, several bins", "several_bins", 16, 128, channels_last=True),
    Step("roilearn", "roi_align_forward", 64, 16, channels_last=False),
    Step("roilearn, channels last", "roi_align_forward", 16, 128, channels_last=True),
)
"""The steps of the book's page, then the package's kernel on both layouts."""


def flops(workload: PoolingWorkload) -> int:
    """Count the operations of any step: a product and a sum for each cell read, and a division.

    Examples
    --------
    >>> flops(PoolingWorkload("tiny", (1, 3, 5, 5), 2, (2, 3), 1, 2, ""))
    198
    """
    numbers = workload.boxes * workload.output_size**2 * workload.features[1]
    return numbers * (2 * 4 * workload.sampling_ratio**2 + 1)


def bytes_needed(workload: PoolingWorkload) -> int:
    """Count the bytes of the output, of the cells read, once each, and of the boxes."""
    numbers = workload.boxes * workload.output_size**2 * workload.features[1]
    read = len(np.unique(cells_read(workload))) * workload.features[1]
    return NUMBER * (numbers + read + BOX * workload.boxes)


def bytes_requested(step: Step, workload: PoolingWorkload) -> int:
    """Count the bytes of all sectors that a step's programs load and store, without any cache."""
    channels, bins = workload.features[1], workload.output_size**2
    programs = workload.boxes * -(-bins // step.bins) * -(-channels // step.channels)
    of_boxes = programs * BOX * SECTOR
    if step.channels_last:
        blocks = [min(step.channels, channels - c) for c in range(0, channels, step.channels)]
        a_cell = sum(-(-NUMBER * block // SECTOR) * SECTOR for block in blocks)
        loaded = count_distinct(cells_read(workload), step.bins) * a_cell
        return of_boxes + loaded + workload.boxes * bins * a_cell
    in_a_sector = SECTOR // NUMBER
    loaded = count_distinct(cells_read(workload) // in_a_sector, step.bins) * channels * SECTOR
    first = np.arange(workload.boxes * channels)[:, None] * bins + np.arange(0, bins, step.bins)
    past = np.minimum(first + step.bins, first[:, :1] + bins)
    stored = ((past - 1) // in_a_sector - first // in_a_sector + 1).sum() * SECTOR
    return int(of_boxes + loaded + stored)


@cache
def cells_read(workload: PoolingWorkload) -> np.ndarray:
    """List the indices of the cells that each bin reads, counted through all images.

    Returns
    -------
    (K, bins, 4 * samples) array: the last axis goes over the loads.
    """
    _, boxes = make_inputs(workload)
    height, width = workload.features[2:]
    bins = (workload.output_size, workload.output_size)
    cells = []
    for box in boxes:
        rows, columns = box_samples(box, bins, 1.0, workload.sampling_ratio, True)
        row, column = neighbouring_cells(rows, height), neighbouring_cells(columns, width)
        first = int(box[0]) * height * width
        cells.append(first + row[:, None, :, None] * width + column[None, :, None, :])
    return np.reshape(cells, (len(boxes), bins[0] * bins[1], -1))


def neighbouring_cells(positions: list[list[float]], size: int) -> np.ndarray:
    """List the cells below and above each position along one axis: (bins, 2 * samples)."""
    low = np.floor(np.clip(positions, 0, size - 1)).astype(np.int64)
    return np.stack([low, np.minimum(low + 1, size - 1)], -1).reshape(len(low), -1)


def count_distinct(indices: np.ndarray, block: int) -> int:
    """Count the different indices in each load of a program that computes ``block`` bins.

    Examples
    --------
    >>> count_distinct(np.array([[[7], [7], [8]]]), block=2)  # the first two bins share a program
    2
    """
    boxes, bins, loads = indices.shape
    total = 0
    for first in range(0, bins, block):
        loaded = np.sort(indices[:, first : first + block], 1)
        total += boxes * loads + int((np.diff(loaded, axis=1) > 0).sum())
    return total


@dataclass(frozen=True)
class RooflinePoint:
    """A step on the roofline: its arithmetic intensity (operations a byte) and its rate."""

    name: str
    min_intensity: float  # without any cache
    max_intensity: float  # where only the needed bytes are moved
    flop_rate: float | None  # operations a second; None: not recorded


def roofline_points(workload: PoolingWorkload, rows: Iterable[Row] = ()) -> list[RooflinePoint]:
    """Compute the intensity of every step, and its rate where ``rows`` have its time."""
    recorded = recorded_seconds(workload, rows)
    work, least = flops(workload), bytes_needed(workload)
    return [
        RooflinePoint(
            step.name,
            work / bytes_requested(step, workload),
            work / least,
            work / recorded[step.name] if step.name in recorded else None,
        )
        for step in STEPS
    ]


def roofs(workload: PoolingWorkload, rows: Iterable[Row]) -> tuple[float, float] | None:
    """Highest rates, measured beside the steps: bytes a second and operations a second.

    None if they are not recorded.
    """
    recorded = recorded_seconds(workload, rows)
    if not {BYTES_FLOOR, WORK_FLOOR} <= recorded.keys():
        return None
    return bytes_needed(workload) / recorded[BYTES_FLOOR], flops(workload) / recorded[WORK_FLOOR]


def recorded_seconds(workload: PoolingWorkload, rows: Iterable[Row]) -> dict[str, float]:
    """Look up the recorded seconds of one workload, by implementation."""
    return {
        row.implementation: row.milliseconds / 1000
        for row in rows
        if (row.operator, row.workload, row.direction) == (OPERATOR, workload.name, "forward")
    }
