"""Level assignment: the level of a feature pyramid that each box is pooled from, by its size."""

import torch
from jaxtyping import Int64, Num
from torch import Tensor

from roilearn.arguments import check_canonical, check_choice, check_level_range
from roilearn.ops.boxes.boxes import box_area

LEVEL_RULES = ("floor", "round")
LEVEL_EPSILON = 1e-6
"""Added before rounding down, so that rounding errors do not put a box of 224 px on level 3."""


def assign_levels(
    boxes: Num[Tensor, "K 4"],
    min_level: int = 2,
    max_level: int = 5,
    canonical_scale: float = 224,
    canonical_level: int = 4,
    rule: str = "floor",
) -> Int64[Tensor, " K"]:
    """Assign each box a level: ``canonical_level`` at the canonical size, one more per doubling.

    k = floor(canonical_level + log2(sqrt(width * height) / canonical_scale)), kept between
    ``min_level`` and ``max_level``.

    Parameters
    ----------
    boxes : (K, 4) boxes as x1, y1, x2, y2 in image pixels.
    min_level, max_level : first and last level of the pyramid; level k has stride 2**k.
    canonical_scale : side in image pixels of a square box of ``canonical_level``.
    canonical_level : number of the level that such a box gets; 4 is the level of stride 16.
    rule : ``"floor"``, the paper's; or ``"round"``, matterport's, which changes levels at 158 and
        317 px instead of 224 and 448.

    Returns
    -------
    (K,) whole numbers. A box of no area, or inverted along one axis, gets ``min_level``; so does a
    NaN where values are not checked. Areas are those of ``box_area``.

    Raises
    ------
    ValueError: not four columns; a NaN or infinite coordinate; levels in the wrong order.

    Source
    ------
    Lin et al., Feature Pyramid Networks (2017), equation 1; ``LEVEL_EPSILON`` as in torchvision
    0.29.

    Differs from
    ------------
    torchvision 0.29: numbers levels from ``min_level``; a box inverted along one axis has no level.

    Examples
    --------
    >>> sides = torch.tensor([16.0, 223, 224, 640])
    >>> boxes = torch.stack([0 * sides, 0 * sides, sides, sides], 1)
    >>> assign_levels(boxes)
    tensor([2, 3, 4, 5])
    >>> assign_levels(boxes, rule="round")
    tensor([2, 4, 4, 5])
    """
    check_choice("rule", rule, LEVEL_RULES)
    check_level_range(min_level, max_level)
    check_canonical(canonical_scale, canonical_level)
    area = box_area(boxes)
    area = torch.where(area > 0, area, 0)  # NaN, where values are not checked, counts as 0
    area = area.to(torch.promote_types(area.dtype, torch.float32))
    doublings = torch.log2(area.sqrt() / canonical_scale)  # -inf for a box of no area
    if rule == "round":
        level = canonical_level + doublings.round()
    else:
        level = (canonical_level + doublings + LEVEL_EPSILON).floor()
    return level.clamp(min_level, max_level).long()
