"""Boxes of every kind that operators meet, drawn from a seed.

One axis at a time: a kind says where a side starts and ends, in cells; ``draw`` puts two sides
together, so that boxes are not square, and takes them to image pixels.
"""

import zlib

import numpy as np

KINDS = (
    *("inside", "integer", "half", "quarter", "full", "tiny", "huge"),
    *("border", "outside", "far outside", "-1 edge", "size edge"),
    *("zero width", "zero height", "zero both"),
    *("inverted x", "inverted y", "inverted both"),
)
GRIDS = {"integer": 1, "half": 2, "quarter": 4}
ODD_AXES = {"x": "x", "y": "y", "width": "x", "height": "y", "both": "xy"}


def draw(
    kind: str, count: int, shape: tuple[int, ...], spatial_scale: float = 1.0, seed: int = 0
) -> np.ndarray:
    """(K, 5) float32 boxes of one kind, in image pixels, over a batch of the given (N, C, H, W)."""
    state = np.random.RandomState(zlib.crc32(f"{kind} {seed}".encode()))
    sides = []
    for axis, size in zip("xy", (shape[-1], shape[-2]), strict=True):
        odd, _, axes = kind.partition(" ")
        is_odd = odd in ("zero", "inverted") and axis in ODD_AXES[axes]
        is_plain = odd in ("zero", "inverted") and not is_odd
        name = odd if is_odd else "inside" if is_plain else kind
        sides.append(draw_side(name, state, count, size))
    (x1, x2), (y1, y2) = sides
    boxes = np.stack([x1, y1, x2, y2], axis=1) / spatial_scale
    image = state.randint(0, shape[0], (count, 1))
    return np.hstack([image, boxes]).astype(np.float32)


def draw_side(
    name: str, state: np.random.RandomState, count: int, size: int
) -> tuple[np.ndarray, np.ndarray]:
    """Starts and ends of ``count`` sides along an axis of ``size`` cells."""
    start = state.uniform(0, size - 1.5, count)
    end = start + state.uniform(1.0, 1.0 + (size - 1 - start) * 0.95)
    if name in GRIDS:
        step = GRIDS[name]
        return np.round(start * step) / step, np.round(end * step + 0.5) / step
    return SIDES[name](state, start, end, size)


def huge(state, start, end, size):
    reach = state.uniform(1, 3, (2, len(start))) * size
    return start - reach[0], end + reach[1]


def border(state, start, end, size):
    """Across the first edge of the map, or across the last."""
    over = state.uniform(0.5, 3, len(start))
    return np.where(state.rand(len(start)) < 0.5, [-over, end], [start, size + over])


def beyond(nearest, farthest):
    """Wholly outside, at least ``nearest`` and at most ``farthest`` cells from the map."""

    def side(state, start, end, size):
        gap, length = state.uniform(nearest, farthest, len(start)), end - start
        after = size + gap
        return np.where(
            state.rand(len(start)) < 0.5, [-gap - length, -gap], [after, after + length]
        )

    return side


def at_the_band(state, start, _, size):
    """Starts where samples stop counting, a cell before the map, or half a cell from there."""
    del size
    first = state.choice([-1.0, -0.5, -1.5], len(start))
    return first, first + state.choice([0.5, 1, 2, 4], len(start))


def at_the_size(state, start, _, size):
    """Ends where samples stop counting, behind the map, or half a cell from there."""
    last = size + state.choice([0.0, 0.5, -0.5], len(start))
    return last - state.choice([0.5, 1, 2, 4], len(start)), last


SIDES = {
    "inside": lambda state, start, end, size: (start, end),  # noqa: ARG005
    "full": lambda state, start, end, size: (0 * start, 0 * end + size),  # noqa: ARG005
    "tiny": lambda state, start, end, size: (start, start + state.uniform(0.01, 0.95, len(end))),  # noqa: ARG005
    "zero": lambda state, start, end, size: (start, start),  # noqa: ARG005
    "inverted": lambda state, start, end, size: (end, start),  # noqa: ARG005
    "huge": huge,
    "border": border,
    "outside": beyond(0, 2),
    "far outside": beyond(50, 1000),
    "-1 edge": at_the_band,
    "size edge": at_the_size,
}
