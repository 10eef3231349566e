"""Level assignment: the level of the feature pyramid from which each box is pooled."""

import math

import numpy as np
from numpy.typing import ArrayLike

from roilearn.arguments import (
    check_canonical,
    check_choice,
    check_finite,
    check_four_columns,
    check_level_range,
    check_real,
)

LEVEL_RULES = ("floor", "round")
LEVEL_EPSILON = 1e-6
"""Added before rounding down, so that rounding errors do not assign a box of 224 px to level 3."""


def assign_levels(
    boxes: ArrayLike,
    min_level: int = 2,
    max_level: int = 5,
    canonical_scale: float = 224,
    canonical_level: int = 4,
    rule: str = "floor",
) -> np.ndarray:
    """Assign a level to each box: ``canonical_level`` at the canonical size, one more per doubling.

    k = floor(canonical_level + log2(sqrt(width * height) / canonical_scale)), clamped to
    ``min_level`` and ``max_level``.

    Parameters
    ----------
    boxes : (K, 4) boxes as x1, y1, x2, y2 in image pixels.
    min_level, max_level : first and last level; level k has stride 2**k.
    canonical_scale : side in image pixels of a square box of ``canonical_level``.
    rule : ``"floor"``, which changes levels at 224 and 448 px; or ``"round"``, as in matterport's
        Mask_RCNN, at 158 and 317 px.

    Returns
    -------
    (K,) whole numbers. A box of no area, or inverted along one axis, gets ``min_level``.

    Raises
    ------
    ValueError: not four columns; a NaN or infinite coordinate; levels in the wrong order.

    Source
    ------
    Lin et al., Feature Pyramid Networks (2017), equation 1; ``LEVEL_EPSILON`` as in
    torchvision 0.29.

    Differs from
    ------------
    torchvision 0.29: there, levels count from 0 at ``min_level``, and a box inverted along one axis
    has no level.

    Examples
    --------
    >>> sides = np.array([[0, 0, 16, 16], [0, 0, 223, 223], [0, 0, 224, 224], [0, 0, 640, 480]])
    >>> assign_levels(sides)
    array([2, 3, 4, 5])
    >>> assign_levels(sides, rule="round")
    array([2, 4, 4, 5])
    """
    check_choice("rule", rule, LEVEL_RULES)
    check_level_range(min_level, max_level)
    check_canonical(canonical_scale, canonical_level)
    rows = np.asarray(boxes)
    check_four_columns("boxes", rows)
    check_real("boxes", rows)
    check_finite("boxes", rows)
    levels = np.empty(len(rows), np.int64)
    dtype = np.result_type(rows.dtype, np.float32).type
    for n, (x1, y1, x2, y2) in enumerate(rows.astype(dtype)):
        levels[n] = box_level(
            (x2 - x1) * (y2 - y1), canonical_scale, canonical_level, rule, min_level, max_level
        )
    return levels


def box_level(
    area: float,
    canonical_scale: float,
    canonical_level: int,
    rule: str,
    min_level: int,
    max_level: int,
) -> int:
    """Level of one box of the given area."""
    if area <= 0:
        return min_level
    dtype = np.result_type(area).type
    doublings = np.log2(np.sqrt(area) / dtype(canonical_scale))
    if rule == "round":
        level = canonical_level + round(float(doublings))
    else:
        level = math.floor(canonical_level + doublings + dtype(LEVEL_EPSILON))
    return min(max(level, min_level), max_level)
