"""Odd boxes: the result of each operator for degenerate boxes, in one table that the tests read.

The rule behind the table: torchvision's result wherever torchvision 0.29 returns finite values that
it read from the given image. Elsewhere torchvision crashes, raises, or reads memory outside the
image, and all implementations here give one result of their own.
"""

from dataclasses import dataclass

ANSWERS = {
    "grown": "a side below one cell counts as one cell, from its first edge on",
    "point": "all samples along a side of length 0 have the same position",
    "mirrored": "samples run backwards from x1 to x2: the result of the ordered box, mirrored",
    "zeros": "0 in every output cell, and no gradient",
    "first cell": "the value of the one cell that its first corner rounds to",
    "error": "ValueError in eager mode on the CPU; zeros where values are not checked",
}
"""What each word of the column ``answer`` means."""


@dataclass(frozen=True)
class OddBox:
    """One row: a kind of box, the options, the result here and in torchvision 0.29 on the CPU.

    ``torchvision`` is ``"absent"`` for an operator that it does not have.
    """

    operator: str
    kind: str
    box: tuple[float, float, float, float]
    aligned: bool | None
    sampling: str | None
    answer: str
    torchvision: str


_NAN, _INFINITE = float("nan"), float("inf")
_EMPTY = (2.0, 3.0, 2.0, 3.0)
_ONE_WAY = (5.0, 1.0, 2.0, 4.0)
_BOTH_WAYS = (5.0, 4.0, 2.0, 1.0)

ODD_BOXES = (
    OddBox("roi_align", "zero size", _EMPTY, False, "fixed", "grown", "same"),
    OddBox("roi_align", "zero size", _EMPTY, False, "adaptive", "grown", "same"),
    OddBox("roi_align", "zero size", _EMPTY, True, "fixed", "point", "same"),
    OddBox("roi_align", "zero size", _EMPTY, True, "adaptive", "zeros", "same"),
    OddBox("roi_align", "both axes inverted", _BOTH_WAYS, False, "fixed", "grown", "same"),
    OddBox("roi_align", "both axes inverted", _BOTH_WAYS, False, "adaptive", "grown", "same"),
    OddBox("roi_align", "both axes inverted", _BOTH_WAYS, True, "fixed", "mirrored", "same"),
    OddBox("roi_align", "both axes inverted", _BOTH_WAYS, True, "adaptive", "zeros", "same"),
    OddBox("roi_align", "one axis inverted", _ONE_WAY, True, "fixed", "mirrored", "same"),
    OddBox("roi_align", "one axis inverted", _ONE_WAY, True, "adaptive", "zeros", "ValueError"),
    OddBox("roi_align", "NaN", (_NAN, 1.0, 4.0, 4.0), True, "fixed", "error", "crash"),
    OddBox("roi_align", "NaN", (_NAN, 1.0, 4.0, 4.0), True, "adaptive", "error", "zeros"),
    OddBox("roi_align", "infinite", (1.0, 1.0, _INFINITE, 4.0), True, "fixed", "error", "crash"),
    OddBox("roi_align", "infinite", (1.0, 1.0, _INFINITE, 4.0), True, "adaptive", "error", "zeros"),
    OddBox("roi_align", "1e9 wide", (0.0, 0.0, 1e9, 4.0), True, "adaptive", "error", "ValueError"),
    OddBox("roi_pool", "zero size", _EMPTY, None, None, "first cell", "same"),
    OddBox("roi_pool", "both axes inverted", _BOTH_WAYS, None, None, "first cell", "same"),
    OddBox("roi_pool", "NaN", (_NAN, 1.0, 4.0, 4.0), None, None, "error", "garbage"),
    OddBox("roi_pool", "infinite", (1.0, 1.0, _INFINITE, 4.0), None, None, "error", "garbage"),
    OddBox("ps_roi_align", "zero size", _EMPTY, None, "fixed", "point", "same"),
    OddBox("ps_roi_align", "zero size", _EMPTY, None, "adaptive", "zeros", "NaN"),
    OddBox("ps_roi_align", "one axis inverted", _ONE_WAY, None, "fixed", "mirrored", "same"),
    OddBox("ps_roi_align", "one axis inverted", _ONE_WAY, None, "adaptive", "zeros", "same"),
    OddBox("ps_roi_align", "NaN", (_NAN, 1.0, 4.0, 4.0), None, "fixed", "error", "crash"),
    OddBox("ps_roi_align", "NaN", (_NAN, 1.0, 4.0, 4.0), None, "adaptive", "error", "NaN"),
    OddBox("ps_roi_align", "1e9 wide", (0.0, 0.0, 1e9, 4.0), None, "adaptive", "error", "hang"),
    OddBox("ps_roi_pool", "zero size", _EMPTY, None, None, "first cell", "same"),
    OddBox("ps_roi_pool", "both axes inverted", _BOTH_WAYS, None, None, "first cell", "same"),
    OddBox("ps_roi_pool", "NaN", (_NAN, 1.0, 4.0, 4.0), None, None, "error", "garbage"),
    OddBox("prroi_pool", "zero size", _EMPTY, True, None, "zeros", "absent"),
    OddBox("prroi_pool", "one axis inverted", _ONE_WAY, False, None, "zeros", "absent"),
    OddBox("prroi_pool", "both axes inverted", _BOTH_WAYS, True, None, "zeros", "absent"),
    OddBox("prroi_pool", "NaN", (_NAN, 1.0, 4.0, 4.0), False, None, "error", "absent"),
    OddBox("prroi_pool", "infinite", (1.0, 1.0, _INFINITE, 4.0), True, None, "error", "absent"),
    OddBox("roi_align_rotated", "zero size", _EMPTY, None, "fixed", "point", "absent"),
    OddBox("roi_align_rotated", "zero size", _EMPTY, None, "adaptive", "zeros", "absent"),
    OddBox("roi_align_rotated", "negative width", _ONE_WAY, None, "fixed", "error", "absent"),
    OddBox("roi_align_rotated", "both negative", _BOTH_WAYS, None, "adaptive", "error", "absent"),
    OddBox("roi_align_rotated", "NaN", (_NAN, 1.0, 4.0, 4.0), None, "fixed", "error", "absent"),
    OddBox(
        "roi_align_rotated", "1e9 wide", (0.0, 0.0, 1e9, 4.0), None, "adaptive", "error", "absent"
    ),
    OddBox("crop_and_resize", "zero size", _EMPTY, True, None, "point", "absent"),
    OddBox("crop_and_resize", "one axis inverted", _ONE_WAY, True, None, "mirrored", "absent"),
    OddBox("crop_and_resize", "both axes inverted", _BOTH_WAYS, True, None, "mirrored", "absent"),
    OddBox("crop_and_resize", "NaN", (_NAN, 1.0, 4.0, 4.0), True, None, "error", "absent"),
)
"""The rows. Boxes are x1, y1, x2, y2 in cells (``spatial_scale`` 1) on a map of 6 x 8 cells."""
