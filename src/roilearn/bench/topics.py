"""Topics: what is measured quiet and under load, beside the workloads of the operators.

Small calls, few boxes, few channels, numbers of boxes, and inputs that may be the worst ones for an
operator.
"""

from dataclasses import replace

from roilearn.bench.workloads import (
    ARRANGEMENTS,
    WORKLOADS,
    NmsWorkload,
    PasteWorkload,
    PoolingWorkload,
    Workload,
)

POOLS = ("roi_align", "roi_pool", "ps_roi_align", "ps_roi_pool")
MAP = (50, 76)
"""Cells of the map of workloads for several operators."""
LARGE_MAP = (200, 304)
"""Cells of the finest level of a pyramid over an image of 800 x 1216 pixels."""
NUMBERS = (10, 100, 300, 1000, 2000, 5000)
"""Numbers of boxes of NMS."""
CHAIN = 40_000
"""Boxes of the chain, of which each overlaps the next: greedy suppression decides one by one."""
BOXES_SHARE = 4
"""One box in so many is kept of each operator's workload: busy processes make calls longer."""


def pool(
    operator: str, name: str, channels: int, boxes: int, meaning: str, **options: str
) -> PoolingWorkload:
    """Make a workload of 7 x 7 bins for any operator that pools from one map.

    Examples
    --------
    >>> pool("ps_roi_pool", "3 channels", 3, 10, "")  # a channel of the output takes 49 of the map
    PoolingWorkload(name='3 channels', features=(1, 147, 50, 76), boxes=10, sides=(2, 20), \
output_size=7, sampling_ratio=2, meaning='', arrangement='random')
    """
    per_channel = 49 if operator.startswith("ps_") else 1
    features = (1, channels * per_channel, *MAP)
    return PoolingWorkload(name, features, boxes, (2, 20), 7, 2, meaning, **options)


def fewer_boxes(workload: Workload) -> Workload:
    """Return the same workload with a quarter of the boxes, at least 16; NMS keeps all."""
    if isinstance(workload, NmsWorkload):
        return workload
    return replace(workload, boxes=max(workload.boxes // BOXES_SHARE, 16))


def _overhead() -> dict[str, tuple[Workload, ...]]:
    sizes = {"no box": 0, "one box": 1, "10 boxes": 10}
    pools: dict[str, tuple[Workload, ...]] = {
        operator: tuple(
            pool(operator, name, 16, boxes, "16 channels") for name, boxes in sizes.items()
        )
        for operator in POOLS
    }
    nms = tuple(NmsWorkload(name, boxes, 0, 1, 0.5, "spread") for name, boxes in sizes.items())
    paste = tuple(
        PasteWorkload(name, boxes, (20, 40), (100, 100), 0.5, "image of 100 x 100 pixels")
        for name, boxes in sizes.items()
    )
    return {**pools, "nms": nms, "batched_nms": nms, "paste_masks_in_image": paste}


def _few_boxes() -> dict[str, tuple[Workload, ...]]:
    return {
        operator: tuple(
            replace(pool(operator, name, 256, boxes, "stride 4"), features=(1, 256, *LARGE_MAP))
            for name, boxes in (("1 box", 1), ("10 boxes", 10), ("100 boxes", 100))
        )
        for operator in ("roi_align", "roi_pool")
    }


def _few_channels() -> dict[str, tuple[Workload, ...]]:
    return {
        operator: tuple(
            pool(operator, name, channels, 1000, "1,000 boxes")
            for name, channels in (("1 channel", 1), ("3 channels", 3), ("16 channels", 16))
        )
        for operator in POOLS
    }


def _numbers_of_boxes() -> dict[str, tuple[Workload, ...]]:
    def sizes(spread: int, heaps: int) -> tuple[Workload, ...]:
        return tuple(
            NmsWorkload(f"{number:,} {name}", number, objects, classes, 0.5, meaning)
            for number in NUMBERS
            for name, objects, classes, meaning in (
                ("spread", 0, spread, "over an image"),
                ("in heaps", max(number // 50, 1), heaps, "50 boxes an object"),
            )
        )

    return {"nms": sizes(1, 1), "batched_nms": sizes(80, 5)}


def _worst_cases() -> dict[str, tuple[Workload, ...]]:
    kinds = {
        "random": "for comparison",
        "sorted": "the same boxes by their place",
        "one cell": "all boxes at one place",
        "one image": "all boxes on the first of two images",
        "one huge": "one box as large as the map",
    }
    assert set(kinds) == set(ARRANGEMENTS)  # noqa: S101
    pools: dict[str, tuple[Workload, ...]] = {
        operator: tuple(
            replace(
                pool(operator, name, 32, 256, meaning, arrangement=name),
                features=(2, *pool(operator, name, 32, 0, "").features[1:]),
                sampling_ratio=-1 if operator == "roi_align" else 2,
            )
            for name, meaning in kinds.items()
        )
        for operator in POOLS
    }
    chain = NmsWorkload(
        f"chain of {CHAIN:,}", CHAIN, 0, 1, 0.3, "in a line, of equal scores", chain=True
    )
    heap = NmsWorkload("one heap of 10,000", 10_000, 1, 1, 0.5, "around one object")
    return {**pools, "nms": (chain, heap), "batched_nms": (heap,)}


TOPICS: dict[str, dict[str, tuple[Workload, ...]]] = {
    "operators": {name: tuple(map(fewer_boxes, each)) for name, each in WORKLOADS.items()},
    "overhead": _overhead(),
    "few boxes": _few_boxes(),
    "few channels": _few_channels(),
    "numbers of boxes": _numbers_of_boxes(),
    "worst cases": _worst_cases(),
}
"""Workloads by topic and operator. All topics but the first are measured forward only."""
CROSSOVER = {
    operator: tuple(
        pool(operator, f"{channels} x {boxes}", channels, boxes, "")
        for channels in (1, 3, 16, 64, 256)
        for boxes in (1, 10, 100, 1000)
        if channels * boxes <= 64_000 or operator == "roi_align"
    )
    for operator in POOLS
}
"""Workloads from which the rule of ``roilearn.patch()`` comes."""
