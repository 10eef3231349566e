"""Goals: the ratio of torchvision's time to ours that was aimed at, on two cores."""

from collections.abc import Iterable, Mapping

from roilearn.bench.recorded.results import Row

Key = tuple[str, str, str, str]
"""Operator, workload, direction, column."""
OURS, CHANNELS_LAST = "roilearn", "roilearn, channels last"
FORWARD, BOTH = "forward", "forward + backward"
AGAINST_ONNXRUNTIME = " : onnxruntime"
"""Ends a column whose ratio is onnxruntime's time over ours."""


def _on(
    operator: str, workloads: str, forward: tuple[float, ...], both: tuple[float, ...] = ()
) -> dict[Key, float]:
    """Goals of one operator on some workloads: contiguous features, then channels last."""
    return {
        (operator, workload, direction, column): goal
        for workload in workloads.split(" | ")
        for direction, goals in ((FORWARD, forward), (BOTH, both))
        for column, goal in zip((OURS, CHANNELS_LAST), goals, strict=False)
    }


def _against_onnxruntime(
    workloads: str, contiguous: float, channels_last: float
) -> dict[Key, float]:
    columns = {OURS: contiguous, CHANNELS_LAST: channels_last}
    return {
        ("roi_align", workload, FORWARD, column + AGAINST_ONNXRUNTIME): goal
        for workload in workloads.split(" | ")
        for column, goal in columns.items()
    }


GOALS: dict[Key, float] = {
    **_on("roi_align", "A", (4, 10), (6, 12)),
    **_on("roi_align", "M", (6, 9), (8, 20)),
    **_on("roi_align", "D", (8,), (8, 11)),
    **_on("roi_align", "B", (3,), (4, 7)),
    **_on("roi_align", "adaptive | adaptive C4", (9, 15), (6,)),
    **_against_onnxruntime("A | M | D", 1.8, 4.5),
    **_on("roi_pool", "A | C4", (3.5,), (1,)),
    **_on("ps_roi_align", "21 x 300 | 81 x 300 | 10 x 1000", (7,), (1.7,)),
    **_on("ps_roi_pool", "21 x 300 | 81 x 300 | 10 x 1000", (2,), (1,)),
    **_on("MultiScaleRoIAlign", "one image", (4, 6), (7,)),
    **_on("nms", "20,000 spread", (3,)),
    **_on("nms", "5,000 clustered", (0.9,)),
    **_on("batched_nms", "5,000 in 80 classes", (3,)),
    **_on("paste_masks_in_image", "float", (2,)),
    **_on("paste_masks_in_image", "bool", (3,)),
}
"""Goal by operator, workload, direction and column."""


def reached(rows: Iterable[Row]) -> dict[Key, float]:
    """Ratio of every recorded column for which there is a goal, in the order of the goals.

    Examples
    --------
    >>> from roilearn import bench
    >>> 0 < len(reached(bench.read())) <= len(GOALS)
    True
    """
    measured = {(r.operator, r.workload, r.direction, r.implementation): r.ratio for r in rows}
    ratios = {key: _ratio(measured, key) for key in GOALS}
    return {key: ratio for key, ratio in ratios.items() if ratio is not None}


def below(rows: Iterable[Row]) -> dict[Key, float]:
    """Ratios of ``reached`` that stay below their goal."""
    return {key: ratio for key, ratio in reached(rows).items() if ratio < GOALS[key]}


def _ratio(measured: Mapping[Key, float], key: Key) -> float | None:
    *case, column = key
    operator, workload, direction = case
    ours = measured.get((operator, workload, direction, column.removesuffix(AGAINST_ONNXRUNTIME)))
    if ours is None or not column.endswith(AGAINST_ONNXRUNTIME):
        return ours
    theirs = measured.get((operator, workload, direction, "onnxruntime"))
    return ours / theirs if theirs else None
