"""Exercises of chapter 9 (anchors and the RPN), with the mistakes they are set to catch."""

import math
from collections.abc import Sequence

import numpy as np

from roilearn.exercises.exercise import Edit, Exercise, Mistake, OpenTask

_random = np.random.RandomState(9)
_HALF = math.log(0.5)

DELTAS = Exercise(
    "9.1",
    "An anchor x1, y1, x2, y2 = 10, 20, 50, 100 and an object 30, 24, 50, 64, in image pixels. "
    "Give the four deltas dx, dy, dw, dh as a list, to three decimals.",
    np.array([0.25, -0.2, _HALF, _HALF]),
    (
        Mistake(
            "corners",
            np.array([0.5, 0.05, _HALF, _HALF]),
            "You measured from first corner to first corner. dx and dy lead from centre to centre.",
        ),
        Mistake(
            "base 2",
            np.array([0.25, -0.2, -1.0, -1.0]),
            "Your logarithms have base 2. The rule takes the natural logarithm.",
        ),
        Mistake(
            "base 10",
            np.array([0.25, -0.2, math.log10(0.5), math.log10(0.5)]),
            "Your logarithms have base 10. The rule takes the natural logarithm.",
        ),
        Mistake(
            "sides of the object",
            np.array([0.5, -0.4, _HALF, _HALF]),
            "You divided dx and dy by the sides of the object. When decoding, only those of the "
            "anchor are known.",
        ),
        Mistake(
            "sides swapped",
            np.array([0.125, -0.4, _HALF, _HALF]),
            "You divided dx by the height and dy by the width.",
        ),
        Mistake(
            "in pixels",
            np.array([10.0, -16.0, _HALF, _HALF]),
            "Your dx and dy are in pixels. Divide them by the sides of the anchor.",
        ),
        Mistake(
            "no logarithm",
            np.array([0.25, -0.2, 0.5, 0.5]),
            "Your dw and dh are the factors by which the sides change. Take their logarithms.",
        ),
        Mistake(
            "the other way",
            np.array([-0.25, 0.2, -_HALF, -_HALF]),
            "Your signs are the wrong way round: the deltas lead from the anchor to the object.",
        ),
        Mistake(
            "sign of dy",
            np.array([0.25, 0.2, _HALF, _HALF]),
            "The sign of your dy is wrong. y counts downwards, and the centre moves up, so dy is "
            "below 0.",
        ),
        Mistake(
            "signs of dw and dh",
            np.array([0.25, -0.2, -_HALF, -_HALF]),
            "The signs of your dw and dh are wrong. Divide the sides of the object by those of the "
            "anchor; both become smaller.",
        ),
        Mistake(
            "dx and dy exchanged",
            np.array([-0.2, 0.25, _HALF, _HALF]),
            "You exchanged dx and dy. dx comes first.",
        ),
        Mistake(
            "end included",
            np.array([10 / 41, -16 / 81, math.log(21 / 41), math.log(41 / 81)]),
            "You added 1 to the sides. Here a side is x2 - x1 or y2 - y1.",
        ),
    ),
    tolerance=1e-3,
    praise="Right: 10 of 40 pixels to the right, 16 of 80 up, and both sides halved.",
)

COUNT = Exercise(
    "9.2",
    "An image of 480 x 640 pixels, maps of strides 8, 16 and 32, and at each cell two sizes and "
    "three aspect ratios. How many anchors has the image?",
    37800.0,
    (
        Mistake(
            "ratios alone",
            18900.0,
            "You counted three anchors at a cell. Each of the two sizes has three ratios.",
        ),
        Mistake(
            "sizes alone",
            12600.0,
            "You counted two anchors at a cell. Each of the two sizes has three ratios.",
        ),
        Mistake(
            "sizes plus ratios",
            31500.0,
            "You added the numbers of sizes and ratios. Every size comes with every ratio.",
        ),
        Mistake("cells", 6300.0, "That is the number of cells. Each has several anchors."),
        Mistake(
            "finest map alone", 28800.0, "You counted the finest map. There are two more maps."
        ),
        Mistake(
            "nine at a cell",
            56700.0,
            "Nine are three sizes times three ratios. Here two are given.",
        ),
        Mistake(
            "sizes shared out",
            2 * 3 * 4800.0 + 3 * 1500.0,
            "Every map has both sizes here.",
        ),
    ),
    praise="Right: 4800 + 1200 + 300 cells, with six anchors each.",
)


def encode_box(box: Sequence[float], anchor: Sequence[float]) -> np.ndarray:
    """Deltas from one anchor to one box: the answer to 9.3."""
    x1, y1, x2, y2 = box
    left, top, right, bottom = anchor
    width, height = right - left, bottom - top
    dx = ((x1 + x2) / 2 - (left + right) / 2) / width
    dy = ((y1 + y2) / 2 - (top + bottom) / 2) / height
    dw = math.log((x2 - x1) / width)
    dh = math.log((y2 - y1) / height)
    return np.array([dx, dy, dw, dh])


_DX = "((x1 + x2) / 2 - (left + right) / 2) / width"
_DY = "((y1 + y2) / 2 - (top + bottom) / 2) / height"
_DW = "math.log((x2 - x1) / width)"
_DH = "math.log((y2 - y1) / height)"

ENCODE = Exercise(
    "9.3",
    "Write encode_box(box, anchor): the deltas from an anchor to the box of an object. Both are "
    "x1, y1, x2, y2 in image pixels; the sides are x2 - x1 and y2 - y1, both above 0. Return dx, "
    "dy, dw, dh: how far the centre moves, in widths and heights of the anchor, and the natural "
    "logarithms of the factors by which width and height change.",
    encode_box,
    (
        Mistake(
            "corners",
            Edit(_DX, "(x1 - left) / width", _DY, "(y1 - top) / height"),
            "You measure from first corner to first corner. dx and dy lead from centre to centre.",
        ),
        Mistake(
            "base 2",
            Edit(_DW, "math.log2((x2 - x1) / width)", _DH, "math.log2((y2 - y1) / height)"),
            "Your logarithms have base 2. Take the natural one: math.log.",
        ),
        Mistake(
            "no logarithm",
            Edit(_DW, "(x2 - x1) / width", _DH, "(y2 - y1) / height"),
            "Your dw and dh are factors. Take their logarithms.",
            also=(Edit(_DW, "(x2 - x1) / width - 1", _DH, "(y2 - y1) / height - 1"),),
        ),
        Mistake(
            "end included",
            Edit(
                "right - left, bottom - top",
                "right - left + 1, bottom - top + 1",
                "(x2 - x1)",
                "(x2 - x1 + 1)",
                "(y2 - y1)",
                "(y2 - y1 + 1)",
            ),
            "You add 1 to the sides. Here a side is x2 - x1 or y2 - y1.",
        ),
        Mistake(
            "sides of the object",
            Edit(
                _DX,
                "((x1 + x2) / 2 - (left + right) / 2) / (x2 - x1)",
                _DY,
                "((y1 + y2) / 2 - (top + bottom) / 2) / (y2 - y1)",
            ),
            "You divide dx and dy by the sides of the object. When decoding, only those of the "
            "anchor are known.",
        ),
        Mistake(
            "divides by the height",
            Edit(_DX, "((x1 + x2) / 2 - (left + right) / 2) / height"),
            "You divide dx by the height of the anchor. Its width belongs there.",
        ),
        Mistake(
            "divides by the width",
            Edit(_DY, "((y1 + y2) / 2 - (top + bottom) / 2) / width"),
            "You divide dy by the width of the anchor. Its height belongs there.",
        ),
        Mistake(
            "sides swapped",
            Edit(
                _DX,
                "((x1 + x2) / 2 - (left + right) / 2) / height",
                _DY,
                "((y1 + y2) / 2 - (top + bottom) / 2) / width",
            ),
            "You divide dx by the height of the anchor and dy by its width. Exchange the two.",
        ),
        Mistake(
            "width and height swapped",
            Edit("width, height = right", "height, width = right"),
            "You take the height of the anchor for its width everywhere, in the logarithms too.",
        ),
        Mistake(
            "in pixels",
            Edit(
                _DX,
                "(x1 + x2) / 2 - (left + right) / 2",
                _DY,
                "(y1 + y2) / 2 - (top + bottom) / 2",
            ),
            "Your dx and dy are in pixels. Divide them by the sides of the anchor.",
        ),
        Mistake(
            "the other way",
            lambda box, anchor: encode_box(anchor, box),
            "You encode the anchor relative to the box. Exchange the two.",
        ),
        Mistake(
            "signs",
            lambda box, anchor: -encode_box(box, anchor),
            "All signs are the wrong way round: the deltas lead from the anchor to the box.",
        ),
    ),
    groups={
        "the box is the anchor": [((3.0, 5.0, 13.0, 9.0), (3.0, 5.0, 13.0, 9.0))],
        "moved alone": [((50.0, 26.0, 130.0, 86.0), (40.0, 30.0, 120.0, 90.0))],
        "stretched alone": [((60.0, 30.0, 100.0, 90.0), (40.0, 30.0, 120.0, 90.0))],
        "moved and stretched": [
            ((52.0, 36.0, 118.0, 108.0), (40.0, 30.0, 120.0, 90.0)),
            ((18.0, 54.0, 50.0, 86.0), (24.0, 56.0, 48.0, 80.0)),
        ],
        "beyond the border": [((-8.5, -3.0, 20.0, 4.5), (-20.0, -6.0, 14.0, 28.0))],
        "tiny boxes": [((0.1, 0.2, 0.35, 0.25), (0.0, 0.1, 0.2, 0.5))],
    },
    praise="Right: centre to centre in sides of the anchor, and logarithms of two factors.",
)


def decode_boxes(
    deltas: Sequence[Sequence[float]], anchors: Sequence[Sequence[float]], limit: float
) -> np.ndarray:
    """Boxes that anchors become by their deltas: the answer to 9.4."""
    boxes = []
    for (dx, dy, dw, dh), (x1, y1, x2, y2) in zip(deltas, anchors, strict=True):
        width, height = x2 - x1, y2 - y1
        x, y = (x1 + x2) / 2 + dx * width, (y1 + y2) / 2 + dy * height
        half_width = width / 2 * math.exp(min(dw, limit))
        half_height = height / 2 * math.exp(min(dh, limit))
        boxes.append([x - half_width, y - half_height, x + half_width, y + half_height])
    return np.array(boxes)


_CENTRES = "(x1 + x2) / 2 + dx * width, (y1 + y2) / 2 + dy * height"
_HALF_WIDTH = "width / 2 * math.exp(min(dw, limit))"
_HALF_HEIGHT = "height / 2 * math.exp(min(dh, limit))"
_CORNERS = "[x - half_width, y - half_height, x + half_width, y + half_height]"


def _many(count: int, largest: float) -> tuple[list[list[float]], list[list[float]]]:
    """Random deltas and anchors, as lists of rows."""
    deltas = _random.uniform(-largest, largest, (count, 4))
    corners = _random.uniform(-20, 200, (count, 2))
    anchors = np.hstack([corners, corners + _random.uniform(4, 90, (count, 2))])
    return deltas.round(3).tolist(), anchors.round(1).tolist()


DECODE = Exercise(
    "9.4",
    "Write decode_boxes(deltas, anchors, limit): the boxes that anchors become. `deltas` is a list "
    "of rows dx, dy, dw, dh and `anchors` a list of as many rows x1, y1, x2, y2. Move the centre "
    "by dx widths and dy heights of the anchor; multiply its width by exp(dw) and its height by "
    "exp(dh), where a dw or dh above `limit` counts as `limit`. A box may reach outside the image: "
    "leave it as it is. Return one row x1, y1, x2, y2 for each anchor.",
    decode_boxes,
    (
        Mistake(
            "corners",
            Edit(
                _CENTRES,
                "x1 + dx * width, y1 + dy * height",
                _CORNERS,
                "[x, y, x + 2 * half_width, y + 2 * half_height]",
            ),
            "You move the first corner and keep it. The deltas move the centre.",
        ),
        Mistake(
            "base 2",
            Edit(
                "math.exp(min(dw, limit))",
                "2 ** min(dw, limit)",
                "math.exp(min(dh, limit))",
                "2 ** min(dh, limit)",
            ),
            "You take powers of 2. The logarithm was the natural one: math.exp.",
        ),
        Mistake(
            "no limit",
            Edit("min(dw, limit)", "dw", "min(dh, limit)", "dh"),
            "Right but for dw or dh above the limit: they count as the limit.",
            also=(Edit("min(dw, limit)", "dw"), Edit("min(dh, limit)", "dh")),
        ),
        Mistake(
            "limited from below too",
            Edit(
                "min(dw, limit)",
                "max(-limit, min(dw, limit))",
                "min(dh, limit)",
                "max(-limit, min(dh, limit))",
            ),
            "You hold dw and dh from below as well. A side may shrink as far as it wants.",
        ),
        Mistake(
            "all four limited",
            Edit("dx * width", "min(dx, limit) * width", "dy * height", "min(dy, limit) * height"),
            "You hold dx and dy as well. The limit is for the two that go into an exponential.",
        ),
        Mistake(
            "no exponential",
            Edit(
                "math.exp(min(dw, limit))",
                "(1 + min(dw, limit))",
                "math.exp(min(dh, limit))",
                "(1 + min(dh, limit))",
            ),
            "You do not take the exponential: dw is the logarithm of a factor.",
            also=(
                Edit(
                    "math.exp(min(dw, limit))",
                    "min(dw, limit)",
                    "math.exp(min(dh, limit))",
                    "min(dh, limit)",
                ),
            ),
        ),
        Mistake(
            "in pixels",
            Edit("dx * width", "dx", "dy * height", "dy"),
            "You add dx and dy to the centre as pixels. They count widths and heights.",
        ),
        Mistake(
            "sides of the new box",
            Edit(
                "dx * width",
                "dx * width * math.exp(dw)",
                "dy * height",
                "dy * height * math.exp(dh)",
            ),
            "You move the centre by sides of the new box. dx and dy count sides of the anchor.",
        ),
        Mistake(
            "sides swapped",
            Edit("dx * width", "dx * height", "dy * height", "dy * width"),
            "You move the centre by dx heights and dy widths.",
            also=(Edit("width, height = x2", "height, width = x2"),),
        ),
        Mistake(
            "end included",
            Edit("width, height = x2 - x1, y2 - y1", "width, height = x2 - x1 + 1, y2 - y1 + 1"),
            "You add 1 to the sides of the anchor. Here a side is x2 - x1 or y2 - y1.",
        ),
        Mistake(
            "sides in place of halves",
            Edit("width / 2 *", "width *", "height / 2 *", "height *"),
            "Your boxes are twice as wide and high: half a side lies on each side of the centre.",
        ),
        Mistake(
            "centres and sides",
            Edit(_CORNERS, "[x, y, 2 * half_width, 2 * half_height]"),
            "You return centres and sides. Return corners x1, y1, x2, y2.",
        ),
        Mistake(
            "clipped",
            lambda deltas, anchors, limit: np.maximum(decode_boxes(deltas, anchors, limit), 0),
            "You clip at 0. A decoded box may reach outside the image; clipping is another step.",
        ),
    ),
    groups={
        "deltas of 0": [([[0.0] * 4], [[3.0, 5.0, 13.0, 9.0]], 4.135)],
        "moved alone": [([[0.25, -0.5, 0.0, 0.0]], [[40.0, 30.0, 120.0, 90.0]], 4.135)],
        "stretched alone": [([[0.0, 0.0, 0.7, -0.7]], [[40.0, 30.0, 120.0, 90.0]], 4.135)],
        "many": [(*_many(6, 0.9), 4.135)],
        "dw or dh above the limit": [
            ([[0.1, 0.2, 8.0, 0.3], [0.1, 0.2, 0.3, 8.0]], [[0.0, 4.0, 16.0, 12.0]] * 2, 4.135),
            ([[0.4, -0.2, 1.5, 1.2]], [[30.0, 40.0, 50.0, 90.0]], 1.0),
        ],
        "dw and dh far below 0": [([[0.1, 0.2, -6.0, -5.0]], [[0.0, 0.0, 900.0, 700.0]], 4.135)],
        "moved far": [
            ([[7.0, 5.5, 0.2, 0.1]], [[10.0, 20.0, 22.0, 60.0]], 4.135),
            ([[3.0, 2.0, 0.5, 0.4]], [[900.0, 700.0, 1300.0, 1100.0]], 4.135),
        ],
        "beyond the border": [([[-1.5, -1.0, 0.5, 0.1]], [[2.0, 3.0, 22.0, 13.0]], 4.135)],
    },
    tolerance=1e-4,  # in float32 an edge at 200 pixels is off by 2e-5
    praise="Right: the centre in sides of the anchor, and sides by exponentials held at the limit.",
)


def generate_anchors(
    rows: int,
    columns: int,
    stride: float,
    sizes: Sequence[float],
    ratios: Sequence[float],
    offset: float,
) -> np.ndarray:
    """All anchors of a map: the answer to 9.5."""
    anchors = []
    for row in range(rows):
        for column in range(columns):
            x, y = (column + offset) * stride, (row + offset) * stride
            for ratio in ratios:
                for size in sizes:
                    width, height = size / math.sqrt(ratio), size * math.sqrt(ratio)
                    anchors.append([x - width / 2, y - height / 2, x + width / 2, y + height / 2])
    return np.array(anchors)


_PLACE = "(column + offset) * stride, (row + offset) * stride"
_SHAPE = "size / math.sqrt(ratio), size * math.sqrt(ratio)"
_COLUMNS = "        for column in range(columns):\n"
_COLUMNS_FIRST = "        for column, row in np.ndindex(columns, rows):\n"
_INNER = "                for size in sizes:\n"
_INNER_CHANGED = "                for ratio in ratios:\n"
_AROUND = "[x - width / 2, y - height / 2, x + width / 2, y + height / 2]"

ANCHORS = Exercise(
    "9.5",
    "Write generate_anchors(rows, columns, stride, sizes, ratios, offset): all anchors of a map of "
    "rows x columns cells. `stride` is the number of image pixels of a cell, `sizes` are the roots "
    "of the areas in image pixels, `ratios` are height / width, and `offset` is the place of the "
    "centre in its cell: 0.5 is the middle, 0 the upper left corner. Return one row x1, y1, x2, y2 "
    "for each anchor, in image pixels and not rounded. The cells go row by row; at each cell, all "
    "sizes of the first ratio come first, then those of the next.",
    generate_anchors,
    (
        Mistake(
            "corner centres",
            Edit(_PLACE, "column * stride, row * stride"),
            "Your anchors are centred on the corner of the cell, whatever the offset.",
        ),
        Mistake(
            "always the middle",
            Edit(_PLACE, "(column + 0.5) * stride, (row + 0.5) * stride"),
            "Your anchors are centred on the middle of the cell, whatever the offset.",
        ),
        Mistake(
            "offset in pixels",
            Edit(_PLACE, "column * stride + offset, row * stride + offset"),
            "You add the offset as pixels. It is a share of the cell: add it before the stride.",
        ),
        Mistake(
            "ratio as width / height",
            Edit(_SHAPE, "size * math.sqrt(ratio), size / math.sqrt(ratio)"),
            "You take the ratio for width / height. It is height / width: 0.5 is a wide anchor.",
        ),
        Mistake(
            "area not kept",
            Edit(_SHAPE, "size, size * ratio"),
            "Your anchors of one size have different areas. The root of the ratio belongs to "
            "both sides.",
            also=(Edit(_SHAPE, "size / ratio, size"),),
        ),
        Mistake(
            "root left out",
            Edit(_SHAPE, "size / ratio, size * ratio"),
            "Your height / width is the square of the ratio. Take the root of the ratio.",
        ),
        Mistake(
            "size as half of a side",
            Edit(_AROUND, "[x - width, y - height, x + width, y + height]"),
            "Your anchors are twice as wide and high: half a side lies on each side of the centre.",
        ),
        Mistake(
            "size as an area",
            Edit(_SHAPE, "math.sqrt(size / ratio), math.sqrt(size * ratio)"),
            "You take the size for the area. It is the root of the area.",
        ),
        Mistake(
            "sizes first",
            Edit("for ratio in ratios", "for size in sizes", _INNER, _INNER_CHANGED),
            "Your order is that of Detectron2: all ratios of the first size. Here all sizes of the "
            "first ratio come first.",
        ),
        Mistake(
            "column by column",
            Edit("for row in range(rows)", "for _ in (0,)", _COLUMNS, _COLUMNS_FIRST),
            "You go through the map column by column. Go row by row.",
        ),
        Mistake(
            "x and y swapped",
            Edit(_PLACE, "(row + offset) * stride, (column + offset) * stride"),
            "You take x from the row and y from the column.",
        ),
        Mistake(
            "in cells",
            Edit(_PLACE, "column + offset, row + offset"),
            "Your centres are in cells. Multiply them by the stride.",
        ),
        Mistake(
            "rounded",
            Edit("np.array(anchors)", "np.round(anchors)"),
            "You round. That is torchvision's rule; the task wants the numbers as they are.",
        ),
    ),
    groups={
        "one cell": [
            (1, 1, 16, [24], [1.0], 0.5),
            (1, 1, 16, [24, 40], [0.5, 1.0, 2.0], 0.5),
        ],
        "a map that is not square": [(2, 3, 8, [24], [1.0], 0.5)],
        "corners and other places": [
            (3, 2, 8, [24], [1.0], 0),
            (3, 2, 8, [24], [1.0], 0.25),
        ],
        "several sizes and ratios": [
            (2, 3, 16, [128, 256, 512], [0.5, 1.0, 2.0], 0.5),
            (3, 2, 32, [20, 45], [0.4, 3.0], 0),
        ],
        "other strides": [(2, 1, 4.5, [7], [0.8, 1.3], 0.5)],
    },
    praise="Right: centres in each cell, and boxes of equal area around them.",
)

EXERCISES = (DELTAS, COUNT, ENCODE, DECODE, ANCHORS)
"""In the order of the page."""

OPEN_TASKS = (
    OpenTask(
        "9.6",
        "A data set has text lines that are 12 to 40 pixels high and 5 to 20 times as wide, in "
        "images of 800 x 1200 pixels. Which levels, sizes and ratios would you choose, what does "
        "an anchor that fits badly cost, and what would the model lose with COCO's anchors?",
    ),
)
