"""Keypoints in COCO's format, [x, y, visibility, x, y, visibility, ...]: reading and writing."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeGuard

from roilearn.data.coco.fault_report import FaultError

Keypoint = tuple[float, float, int]
"""x, y in image pixels, and visibility: 0 not labelled, 1 labelled and hidden, 2 visible."""
NOT_LABELLED: Keypoint = (0.0, 0.0, 0)


def keypoint_names(contents: Mapping[str, Any]) -> tuple[str, ...]:
    """Find the names of the keypoints in a COCO file; none if no annotation has keypoints.

    The names are those of the first category that lists any. If no category does, the first
    annotation with keypoints gives their number, and their names are 1, 2 and so on.
    """
    first = next(_lists(contents.get("annotations"), "keypoints"), [])
    names = next(_lists(contents.get("categories"), "keypoints"), range(1, len(first) // 3 + 1))
    return tuple(map(str, names)) if first else ()


def _lists(records: Any, name: str) -> Iterator[Any]:
    """Yield the entries called ``name`` that are lists and not empty."""
    listed = records if isinstance(records, list) else []
    entries = (each.get(name) for each in listed if isinstance(each, Mapping))
    return (entry for entry in entries if isinstance(entry, list) and entry)


def read_keypoints(written: Any, count: int) -> list[Keypoint]:
    """Read the keypoints of an annotation.

    Parameters
    ----------
    written : [x, y, visibility, x, y, visibility, ...], where x and y are pixel indices from 0; or
        None or an empty list, for an object without labelled keypoints.
    count : number of keypoints of every object.

    Returns
    -------
    ``count`` keypoints. Each lies at the centre of its pixel, x + 0.5 for the pixel of index x.
    Keypoints that are not labelled are all 0.

    Raises
    ------
    FaultError: another number of entries, an entry that is not a number, an unknown visibility.

    Source
    ------
    COCO's data format; half a pixel is added as in Detectron2 0.6, ``data.datasets.coco``.
    torchvision 0.27's training scripts add none.

    Examples
    --------
    >>> read_keypoints([3, 4, 2, 0, 0, 0], 2)
    [(3.5, 4.5, 2), (0.0, 0.0, 0)]
    """
    if not written and (written is None or isinstance(written, list)):
        return [NOT_LABELLED] * count
    if not (isinstance(written, list) and len(written) == 3 * count):
        size = f"{len(written)} entries" if isinstance(written, list) else f"{written!r:.40}"
        raise FaultError("bad keypoints", f"{size}, not {3 * count}")
    if not all(map(is_number, written)):
        raise FaultError("bad keypoints", "an entry is not a number")
    if not set(written[2::3]) <= {0, 1, 2}:
        raise FaultError("bad keypoints", "visibility is not 0, 1 or 2")
    return [
        (x + 0.5, y + 0.5, int(seen)) if seen else NOT_LABELLED
        for x, y, seen in zip(written[::3], written[1::3], written[2::3], strict=True)
    ]


def unlabel_outside(points: Sequence[Keypoint], height: int, width: int) -> list[Keypoint]:
    """Set the keypoints outside an image to not labelled."""
    return [
        (x, y, seen) if 0 <= x <= width and 0 <= y <= height else NOT_LABELLED
        for x, y, seen in points
    ]


def write_keypoints(points: Iterable[Sequence[float]]) -> dict[str, Any]:
    """Write keypoints as the entries of an annotation, with the number of labelled ones.

    Examples
    --------
    >>> write_keypoints([(3.5, 4.5, 2), (7.0, 8.0, 0)])
    {'keypoints': [3.0, 4.0, 2, 0, 0, 0], 'num_keypoints': 1}
    """
    written, labelled = [], 0
    for x, y, seen in points:
        written += [x - 0.5, y - 0.5, int(seen)] if seen else [0, 0, 0]
        labelled += bool(seen)
    return {"keypoints": written, "num_keypoints": labelled}


def is_number(value: Any) -> TypeGuard[float]:
    """Whether an entry of a JSON file is a finite number."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
