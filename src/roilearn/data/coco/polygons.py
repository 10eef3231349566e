"""Conversion of a mask to polygons, which COCO's rule fills with the same pixels again."""

from collections import defaultdict

import numpy as np

Point = tuple[int, int]


def mask_to_polygons(mask: np.ndarray) -> list[list[int]]:
    """Trace the pixel edges around a mask.

    Parameters
    ----------
    mask : (H, W); a pixel belongs to the mask if its value is not 0.

    Returns
    -------
    Polygons [x1, y1, x2, y2, ...] in image pixels, one for each part. COCO's format has no holes:
    a mask with holes becomes one polygon that connects the outlines by lines run through twice.

    Examples
    --------
    >>> mask_to_polygons(np.pad(np.ones((2, 3)), 1))
    [[1, 1, 4, 1, 4, 3, 1, 3]]
    """
    loops = outlines(np.asarray(mask) != 0)
    if any(is_hole(loop) for loop in loops):
        start = loops[0][0]
        path = [*loops[0], start]
        for loop in loops[1:]:
            path += [*loop, loop[0], start]
        loops = [path]
    return [[int(number) for point in loop for number in point] for loop in loops]


def outlines(mask: np.ndarray) -> list[list[Point]]:
    """Trace all pixel edges between inside and outside, with the inside on the right."""
    filled = np.pad(mask, 1)
    ways: dict[Point, list[Point]] = defaultdict(list)
    for y, x in np.argwhere(mask).tolist():
        row, column = y + 1, x + 1
        if not filled[row - 1, column]:
            ways[x, y].append((x + 1, y))
        if not filled[row, column + 1]:
            ways[x + 1, y].append((x + 1, y + 1))
        if not filled[row + 1, column]:
            ways[x + 1, y + 1].append((x, y + 1))
        if not filled[row, column - 1]:
            ways[x, y + 1].append((x, y))
    loops = []
    while ways:
        loop = [next(iter(ways))]
        while loop[-1] in ways:
            ends = ways[loop[-1]]
            loop.append(ends.pop())
            if not ends:
                del ways[loop[-2]]
        loops.append(corners(loop[:-1]))
    return loops


def corners(loop: list[Point]) -> list[Point]:
    """Keep only the points of a closed outline at which it turns."""
    around = zip(loop[-1:] + loop[:-1], loop, loop[1:] + loop[:1], strict=True)
    return [
        p for before, p, after in around if not (before[0] == after[0] or before[1] == after[1])
    ]


def is_hole(loop: list[Point]) -> bool:
    """Whether an outline encloses a hole: its signed area is then negative."""
    pairs = zip(loop, loop[1:] + loop[:1], strict=True)
    return sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in pairs) < 0
