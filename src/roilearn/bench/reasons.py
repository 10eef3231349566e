"""Reasons why a workload is slower than torchvision, or below its goal: written by hand.

The rows are found in the recorded results; a test holds that each of them has its reason here.
What a reason says of shares of the time stands in the recorded profiles.
"""

from collections.abc import Iterable

from roilearn.bench.recorded.results import Row

Workload = tuple[str, str, str]
"""Operator, workload, direction."""
SLOWER = 1 / 1.25
"""Ratio below which a row is named: more than a quarter slower than torchvision."""

_WINNERS = (
    "A maximum is no weighted sum: the place of every winner has to be carried along with its "
    "value, for the gradient. torchvision notes it on the way."
)
_SMALL_POOL = (
    "The map is small enough for the cache, and there is little to do. Ours spends its time on "
    "steps of a fixed cost: sorting the bins by size, gathering their cells and, with a gradient, "
    "finding the maximum of each bin and adding the gradient there."
)
_FEW_BOXES = (
    "For so few boxes the kernel is done in a millisecond or two. Ours is some dozens of small "
    "calls, which cost as much whatever they are given."
)

REASONS: dict[Workload, str] = {
    ("roi_pool", "B", "forward"): _SMALL_POOL,
    ("roi_pool", "B", "forward + backward"): _SMALL_POOL,
    ("roi_pool", "VGG", "forward + backward"): _WINNERS,
    ("nms", "1,000 spread", "forward"): _FEW_BOXES,
    ("nms", "1,000 clustered", "forward"): _FEW_BOXES,
    ("batched_nms", "5,000 clustered in 5", "forward"): (
        "Boxes that lie in heaps and in few classes are the hard case for listing pairs: there are "
        "many pairs, and few of them matter. The kernel drops a box at its first overlap."
    ),
}
"""Reason by operator, workload and direction."""

_LAYING_OUT = (
    "Bags give their sums cell by cell, and the goal asks for the result map by map: turning it "
    "round, into fresh memory, takes about as long as summing, or longer."
)
_BOTH_WAYS = (
    "The result and the gradient that comes in are both turned round, cell by cell and map by map; "
    "together this takes longer than summing the bags."
)
SHORTFALLS: dict[Workload, str] = {
    ("roi_align", "A", "forward + backward"): _BOTH_WAYS,
    ("roi_align", "M", "forward"): _LAYING_OUT,
    ("roi_align", "M", "forward + backward"): _BOTH_WAYS,
    ("roi_align", "D", "forward"): (
        "A cell has 1,024 channels, and copying from one layout into the other takes two thirds of "
        "the time. Written where an earlier result stood, the result is beyond the goal of 8."
    ),
    ("roi_align", "B", "forward"): (
        "A few milliseconds, of small calls: the rounds of one run lay far apart, as the brackets "
        "below show, and other columns of the same run reached the goal."
    ),
    ("roi_align", "B", "forward + backward"): (
        "So little is summed that one call, the sort which turns the bags round, is the largest "
        "part."
    ),
    ("roi_align", "adaptive", "forward"): (
        "Boxes have different numbers of cells, so their lists take many steps to write; that and "
        "laying the result out leave a quarter of the time for summing."
    ),
    ("roi_align", "adaptive C4", "forward"): _LAYING_OUT,
}
"""Why a goal is missed, by operator, workload and direction."""


def slower(rows: Iterable[Row]) -> list[Row]:
    """Rows of roilearn that are slower than torchvision by more than a quarter.

    Examples
    --------
    >>> from roilearn import bench
    >>> all(row.ratio < SLOWER for row in slower(bench.read()))
    True
    """
    return [row for row in rows if row.implementation.startswith("roilearn") and row.ratio < SLOWER]


def reason(row: Row) -> str:
    """Say why this workload is slower than torchvision.

    Raises
    ------
    ValueError: the workload is not in ``REASONS``.
    """
    workload = (row.operator, row.workload, row.direction)
    if workload not in REASONS:
        raise ValueError(
            f"REASONS must name every workload that is slower; got none of {workload}."
        )
    return REASONS[workload]


def shortfall(operator: str, workload: str, direction: str) -> str:
    """Say why this workload stays below one of its goals.

    Raises
    ------
    ValueError: the workload is not in ``SHORTFALLS``.
    """
    if (operator, workload, direction) not in SHORTFALLS:
        raise ValueError(
            "SHORTFALLS must name every workload that stays below a goal; got none of "
            f"{(operator, workload, direction)}."
        )
    return SHORTFALLS[operator, workload, direction]
