"""Where ours is slower than torchvision by more than a quarter, and why: written by hand.

The rows are found in the recorded results; a test holds that each of them has its reason here.
"""

from collections.abc import Iterable

from roilearn.bench.results import Row

Workload = tuple[str, str, str]
"""Operator, shape, direction."""
SLOWER = 1 / 1.25
"""Ratio below which a row is named: more than a quarter slower than torchvision."""

REASONS: dict[Workload, str] = {
    ("roi_pool", "B", "forward + backward"): (
        "The map is small enough for the cache, and there is little to do. Ours spends its time on "
        "steps of a fixed price: sorting the bins by size, hiding the place of each "
        "value in its last bits, and paying the winners."
    ),
}
"""Reason by operator, shape and direction."""


def slower(rows: Iterable[Row]) -> list[Row]:
    """Rows of ours that are slower than torchvision by more than a quarter.

    Examples
    --------
    >>> from roilearn import bench
    >>> all(row.ratio < SLOWER for row in slower(bench.read()))
    True
    """
    return [row for row in rows if row.contestant.startswith("roilearn") and row.ratio < SLOWER]


def reason(row: Row) -> str:
    """Why this workload is slow.

    Raises
    ------
    ValueError: nobody has written it down.
    """
    workload = (row.operator, row.shape, row.direction)
    if workload not in REASONS:
        raise ValueError(
            f"REASONS must name every workload that is slower; got none of {workload}."
        )
    return REASONS[workload]
